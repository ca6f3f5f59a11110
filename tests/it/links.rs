//! What the OpenAPI document promises beyond single operations: where each leads on to, which version it is of, and how what
//! goes away says so.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::TestApp;

fn document(app: &TestApp) -> Value {
    app.anonymous().get("/openapi.json").expect(200).json()
}

/// Each operation with its path, by its id.
fn operations(document: &Value) -> BTreeMap<&str, (&str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .values()
            .map(move |operation| (path.as_str(), operation))
    });
    operations
        .map(|(path, operation)| (operation["operationId"].as_str().unwrap(), (path, operation)))
        .collect()
}

/// The links of an operation's answer of this status.
fn links<'a>(document: &'a Value, id: &str, status: &str) -> &'a Value {
    &operations(document)[id].1["responses"][status]["links"]
}

both_engines! {
    fn a_link_leads_to_an_operation_and_says_all_that_its_address_takes(app) {
        let document = document(app);
        let operations = operations(&document);
        let mut seen = 0;
        for (from, (_, operation)) in &operations {
            for response in operation["responses"].as_object().unwrap().values() {
                for link in response["links"].as_object().into_iter().flat_map(|links| links.values()) {
                    let (path, _) = operations[link["operationId"].as_str().unwrap()];
                    let parameters = link["parameters"].as_object().unwrap();
                    assert_eq!(parameters.len(), path.matches('{').count(), "{from}: {link}");
                    assert!(parameters.keys().all(|name| path.contains(&format!("{{{name}}}"))), "{from}: {link}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 50);
    }

    fn what_was_made_is_read_changed_and_deleted_by_the_links_of_its_answer(app) {
        let document = document(app);
        let by = |name: &str, value: &str| json!({name: value});
        for (id, status, to, parameters) in [
            ("put_unit", "200", "get_unit", by("code", "$request.path.code")),
            ("put_unit", "201", "list_evaluations", by("code", "$request.path.code")),
            ("create_special_fund", "201", "get_special_fund", by("id", "$response.body#/id")),
            ("create_special_fund", "201", "patch_special_fund", by("id", "$response.body#/id")),
            ("create_special_fund", "201", "delete_special_fund", by("id", "$response.body#/id")),
            ("create_special_fund", "201", "get_special_fund_score", by("id", "$response.body#/id")),
            ("copy_scoring_scheme", "201", "get_scoring_scheme", by("id", "$response.body#/id")),
            ("roll_over_fiscal_year", "201", "get_fiscal_year", by("year", "$response.body#/year")),
            ("create_import", "201", "list_import_faults", by("id", "$response.body#/id")),
            ("submit_evaluation", "200", "get_evaluation", json!({"code": "$request.path.code", "year": "$response.body#/year"})),
        ] {
            assert_eq!(links(&document, id, status)[to]["parameters"], parameters, "{id} → {to}");
        }
        // What a trial would make is not there, and what only looks makes nothing.
        assert_eq!(links(&document, "roll_over_fiscal_year", "200"), &Value::Null);
        assert_eq!(links(&document, "preview_score", "200"), &Value::Null);
        assert_eq!(links(&document, "get_unit", "200"), &Value::Null);
    }

    fn the_document_and_the_service_say_which_version_they_are(app) {
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(document(app)["info"]["version"], version);
        assert_eq!(app.anonymous().get("/health/live").json()["version"], version);
    }

    fn nothing_goes_away_without_saying_when(app) {
        let document = document(app);
        assert!(document["info"]["description"].as_str().unwrap().contains("Sunset"), "the policy is stated");
        for (id, (_, operation)) in operations(&document) {
            let headers = ["Deprecation", "Sunset"].map(|name| !operation["responses"]["200"]["headers"][name].is_null());
            assert!(operation["deprecated"] != true || headers == [true, true], "{id} is deprecated and does not say until when");
        }
    }
}
