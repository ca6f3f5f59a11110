//! What an answer is to hold: only some fields, or other things besides.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::faults;
use crate::support::{Client, TestApp, with_ready};

const UNIT: &str = "/api/v1/units/219001";
const YEAR: &str = "/api/v1/fiscal-years/2019";
const EVALUATION: &str = "/api/v1/units/219001/evaluations/2019";
const FUND: &str = "/api/v1/special-funds/f1";

fn with_fund(app: &TestApp) -> Client {
    let bureau = with_ready(app);
    bureau
        .put(FUND, &json!({"unit": "219001", "year": 2019, "name": "危房改造资金"}))
        .expect(201);
    bureau
}

/// The names in an object, in their order.
fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

both_engines! {
    fn a_name_without_end_is_refused_also_where_any_name_is_open(app) {
        let bureau = with_fund(app);
        let deep = format!("{EVALUATION}/score/gaps?fields=ways.changes.from{}", ".a".repeat(30_000));
        assert_eq!(bureau.get(&deep).expect(400).parameters(), faults(&[("fields", "invalid_value")]));
    }

    fn what_is_expanded_has_a_tag_over_its_content_however_the_parameter_is_written(app) {
        let bureau = with_fund(app);
        for query in ["expand=unit", "%65xpand=unit"] {
            let before = bureau.get(&format!("{FUND}?{query}")).expect(200);
            assert!(before.etag().starts_with("W/") && before.json()["expanded"]["unit"].is_object(), "{query}");
            bureau.patch(UNIT, &json!({"name": format!("某镇{query}")})).expect(200);
            bureau.with("If-None-Match", &before.etag()).get(&format!("{FUND}?{query}")).expect(200);
        }
    }

    fn only_the_fields_that_are_named_are_answered(app) {
        let bureau = with_fund(app);
        assert_eq!(bureau.get(&format!("{UNIT}?fields=name,code")).expect(200).text(), r#"{"code":"219001","name":"单位219001"}"#);
        assert_eq!(
            bureau.get(&format!("{EVALUATION}?fields=links.self,completeness,state")).expect(200).json()["links"],
            json!({"self": EVALUATION})
        );
        // In a list they are those of each item; what leads on stays.
        bureau.put("/api/v1/units/219002", &json!({"name": "某镇", "kind": "town"})).expect(201);
        let page = bureau.get("/api/v1/units?fields=code&limit=1").expect(200);
        assert_eq!(page.text(), r#"{"items":[{"code":"219001"}],"next_cursor":"219001"}"#);
        let next = page.header("Link").unwrap().split_once('>').unwrap().0.trim_start_matches('<').to_owned();
        assert_eq!(bureau.get(&next).expect(200).text(), r#"{"items":[{"code":"219002"}],"next_cursor":null}"#);
        let score = bureau.get(&format!("{EVALUATION}/score?fields=total,lines.code,lines.points")).expect(200).json();
        assert_eq!(names(&score), ["total", "lines"]);
        assert_eq!(names(&score["lines"][0]), ["code", "points"]);
        assert_eq!(names(&bureau.get("/problems?fields=slug").expect(200).json()[0]), ["slug"]);
        assert!(bureau.send("HEAD", &format!("{UNIT}?fields=code"), None).expect(200).body.is_empty());
    }

    fn what_is_no_field_is_named_and_what_happens_to_be_absent_is_none_of_it(app) {
        let bureau = with_fund(app);
        let refused = bureau.get(&format!("{UNIT}?fields=code,nmae,parent.code,links.self")).problem(422, "unfit-parameter");
        let errors: Vec<&Value> = refused["errors"].as_array().unwrap().iter().collect();
        assert!(errors.iter().all(|error| error["parameter"] == "fields" && error["code"] == "unknown_field"), "{refused}");
        let details: Vec<&str> = errors.iter().map(|error| error["detail"].as_str().unwrap()).collect();
        assert_eq!(details, [
            "nmae: there is no field \"nmae\"; did you mean \"name\"?",
            "parent.code: there is no field \"code\"",
            "links.self: there is no field \"links\"",
        ]);
        assert_eq!(bureau.get(&format!("{FUND}?fields=goal,expanded.score.total")).expect(200).json(), json!({"goal": null}));
        // A name of the county's own, in a map.
        let assessments = bureau.get(&format!("{EVALUATION}/assessments?fields=indicators.benefit.points")).expect(200).json();
        assert_eq!(assessments, json!({"indicators": {"benefit": {"points": "15"}}}));
        for bad in ["", "code,", "links.", ".code", "links..self"] {
            assert_eq!(bureau.get(&format!("{UNIT}?fields={bad}")).parameters(), faults(&[("fields", "invalid_value")]), "{bad}");
        }
        assert_eq!(bureau.get(&format!("{UNIT}?fields=code&fields=name")).parameters(), faults(&[("fields", "duplicate")]));
        // Who may not read is not told what there is; what does not exist has no fields.
        app.anonymous().get(&format!("{UNIT}?fields=nmae")).problem(401, "unauthorized");
        bureau.get("/api/v1/units/300?fields=nmae").problem(404, "not-found");
        // A file or a stream has none, and is not given whole to one who asked for a part.
        for path in ["/api/v1/scores", "/api/v1/exports/units", &format!("{YEAR}/forms")] {
            let refused = bureau.get(&format!("{path}?fields=unit"));
            assert_eq!(refused.parameters(), faults(&[("fields", "unknown_parameter")]), "{path}");
        }
        let book = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
        let refused = bureau.with("Accept", book).get(&format!("{EVALUATION}/report?fields=unit"));
        assert_eq!(refused.parameters(), faults(&[("fields", "unknown_parameter")]));
        // It is no parameter where nothing is read.
        assert_eq!(
            bureau.with("Content-Type", "application/x-ndjson").send("POST", "/api/v1/imports?resource=units&fields=id", Some(b"{}")).parameters(),
            faults(&[("fields", "unknown_parameter")])
        );
    }

    fn a_sparse_answer_has_a_tag_of_its_own(app) {
        let bureau = with_fund(app);
        let whole = bureau.get(UNIT).etag();
        let sparse = bureau.get(&format!("{UNIT}?fields=name")).etag();
        assert!(sparse != whole && sparse.starts_with("W/"), "{sparse}");
        let read = |tag: &str, fields: &str, status| bureau.with("If-None-Match", tag).get(&format!("{UNIT}{fields}")).expect(status);
        read(&whole, "", 304);
        assert_eq!(read(&whole, "?fields=name", 200).json(), json!({"name": "单位219001"}));
        assert!(read(&sparse, "?fields=name", 304).body.is_empty());
        read(&sparse, "", 200);
        read(&sparse, "?fields=kind", 200);
        // What was read in part is not enough to change the whole by.
        bureau.with("If-Match", &sparse).patch(UNIT, &json!({"name": "x"})).problem(412, "precondition-failed");
        bureau.patch(UNIT, &json!({"kind": "town"})).expect(200);
        read(&sparse, "?fields=name", 304);
        bureau.patch(UNIT, &json!({"name": "新名"})).expect(200);
        read(&sparse, "?fields=name", 200);
    }

    fn what_an_answer_refers_to_comes_along_as_its_own_address_answers_it(app) {
        let bureau = with_fund(app);
        let plain = bureau.get(EVALUATION).expect(200);
        assert_eq!(plain.json()["expanded"], Value::Null);
        let expanded = bureau.get(&format!("{EVALUATION}?expand=unit,base_data,assessments,reasons,claims,score")).expect(200).json();
        assert_eq!(names(&expanded["expanded"]), ["unit", "base_data", "assessments", "score"], "what is not filed is left out");
        let read = |path: &str| bureau.get(path).expect(200).json();
        assert_eq!(expanded["expanded"]["unit"], read(UNIT));
        assert_eq!(expanded["expanded"]["base_data"], read(&format!("{EVALUATION}/base-data")));
        assert_eq!(expanded["expanded"]["assessments"], read(&format!("{EVALUATION}/assessments")));
        assert_eq!(expanded["expanded"]["score"], read(&format!("{EVALUATION}/score")));
        let mut rest = expanded;
        rest.as_object_mut().unwrap().remove("expanded");
        assert_eq!(rest, plain.json());

        let fund = read(&format!("{FUND}?expand=score,unit"));
        assert_eq!((&fund["expanded"]["unit"], &fund["expanded"]["score"]), (&read(UNIT), &read(&format!("{FUND}/score"))));
        assert_eq!(read(&format!("{YEAR}?expand=scheme"))["expanded"]["scheme"], read("/api/v1/scoring-schemes/trial"));
        assert_eq!(read(&format!("{FUND}?expand=score&fields=id,expanded.score.total")), json!({"id": "f1", "expanded": {"score": {"total": null}}}));
    }

    fn what_cannot_come_along_is_refused_with_what_can(app) {
        let bureau = with_fund(app);
        for bad in ["", "scheme", "unit,", "unit,links", "UNIT"] {
            let problem = bureau.get(&format!("{FUND}?expand={bad}")).problem(400, "invalid-parameter");
            let error = &problem["errors"][0];
            assert_eq!((error["parameter"].as_str(), error["detail_zh"].as_str()), (Some("expand"), Some("取值应为unit、score之一。")), "{bad}: {problem}");
        }
        assert_eq!(bureau.get(&format!("{FUND}?expnd=unit")).parameters(), faults(&[("expnd", "unknown_parameter")]));
    }

    fn an_expanded_answer_is_read_again_once_anything_in_it_changed(app) {
        let bureau = with_fund(app);
        let path = format!("{EVALUATION}?expand=unit");
        let tag = bureau.get(&path).etag();
        let reader = bureau.with("If-None-Match", &tag);
        assert!(reader.get(&path).expect(304).body.is_empty());
        reader.get(EVALUATION).expect(200);
        // No part of the evaluation.
        bureau.patch(UNIT, &json!({"division_code": "430423"})).expect(200);
        assert_eq!(reader.get(&path).expect(200).json()["expanded"]["unit"]["division_code"], "430423");
    }

    fn what_comes_along_is_only_what_the_token_reads(app) {
        let bureau = with_fund(app);
        bureau.put("/api/v1/units/300", &json!({"name": "某局", "kind": "department"})).expect(201);
        app.unit(&["219001"]).get(&format!("{FUND}?expand=unit,score")).expect(200);
        app.unit(&["300"]).get(&format!("{FUND}?expand=unit,score")).problem(403, "forbidden");
    }
}
