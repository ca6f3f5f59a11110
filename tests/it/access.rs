//! Who may do what.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use jixiao::tokens::model::Role;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, Response};
use crate::support::{Engine, TestApp, file_ready};

const UNIT: &str = "/api/v1/units/219001";

/// Who may use an operation, for things of the unit 219001. Four ask: the bureau, a token of 219 (above it), a token of
/// 300 (elsewhere) and an auditor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum For {
    /// Anyone, also without a token.
    All,
    /// Anyone with a token, whatever it may do.
    Anyone,
    /// Anyone with a token that reads.
    Tokens,
    /// Who reads the unit's data: not a token from elsewhere.
    Readers,
    /// Who files the unit's data: not the auditor either.
    Filers,
    /// Who submits it: the same.
    Submitters,
    /// Who looks at all units together: the bureau and the auditor.
    Overseers,
    /// Who reads the audit trail: the same two.
    Auditors,
    /// Who reviews: the finance bureau only.
    Reviewers,
    /// Who sets up what all share: the finance bureau only.
    Bureau,
    /// Who manages tokens: the finance bureau only.
    Keepers,
    /// Who manages webhooks: the finance bureau only.
    WebhookKeepers,
    /// Who imports units: it takes the right to import, and to do what each row does.
    Importers,
    /// Who sees what the bureau imported: the bureau and the auditor.
    ImportReaders,
}

impl For {
    /// The scope that it takes (or two, parted by a space), and which of the four have it and reach the unit. Written out here as the rule is, not read
    /// from the program's own table.
    fn rule(self) -> (Option<&'static str>, &'static [&'static str]) {
        match self {
            Self::All | Self::Anyone => (None, &["bureau", "above", "auditor", "elsewhere"]),
            Self::Tokens => (Some("read"), &["bureau", "above", "auditor", "elsewhere"]),
            Self::Readers => (Some("read"), &["bureau", "above", "auditor"]),
            Self::Filers => (Some("file"), &["bureau", "above"]),
            Self::Submitters => (Some("submit"), &["bureau", "above"]),
            Self::Overseers => (Some("oversee"), &["bureau", "auditor"]),
            Self::Auditors => (Some("audit"), &["bureau", "auditor"]),
            Self::Reviewers => (Some("review"), &["bureau"]),
            Self::Bureau => (Some("configure"), &["bureau"]),
            Self::Keepers => (Some("tokens"), &["bureau"]),
            Self::WebhookKeepers => (Some("webhooks"), &["bureau"]),
            Self::Importers => (Some("import configure"), &["bureau"]),
            Self::ImportReaders => (Some("read"), &["bureau", "auditor"]),
        }
    }
}

/// Every operation, in an order in which each finds what it needs: method, path in the document, path that is asked, body.
pub fn operations() -> Vec<(For, &'static str, &'static str, &'static str, Value)> {
    const EVALUATION: &str = "/api/v1/units/{code}/evaluations/{year}";
    const BASE_DATA: &str = "/api/v1/units/{code}/evaluations/{year}/base-data";
    const ASSESSMENTS: &str = "/api/v1/units/{code}/evaluations/{year}/assessments";
    const CLAIMS: &str = "/api/v1/units/{code}/evaluations/{year}/claims";
    const REASONS: &str = "/api/v1/units/{code}/evaluations/{year}/reasons";
    const NARRATIVE: &str = "/api/v1/units/{code}/evaluations/{year}/narrative";
    const OWN_NARRATIVE: &str = "/api/v1/units/219001/evaluations/2019/narrative";
    const FUND: &str = "/api/v1/special-funds/{id}";
    const SCHEME: &str = "/api/v1/scoring-schemes/{id}";
    let unit = json!({"name": "开云镇", "kind": "town", "parent": "219"});
    let scheme = json!({"name": "试行", "total": "10", "sections": [{"code": "all", "name": "全部", "weight": "10",
        "indicators": [{"code": "a", "name": "甲", "weight": "10", "rule": {"kind": "assessed"}}]}]});
    let fund = |name: &str| json!({"unit": "219001", "year": 2019, "name": name});
    let preview = json!({"scheme": "hunan-2019", "base_data": {}});
    let table = json!({"rows": [{"name": "甲", "measure": {"kind": "quality"}}]});
    let none = Value::Null;
    let mut operations = vec![
        (For::Bureau, "PUT", "/api/v1/units/{code}", UNIT, unit),
        (
            For::Bureau,
            "PATCH",
            "/api/v1/units/{code}",
            UNIT,
            json!({"name": "开云"}),
        ),
        (For::Readers, "GET", "/api/v1/units/{code}", UNIT, none.clone()),
        (For::Tokens, "GET", "/api/v1/units", "/api/v1/units", none.clone()),
        (
            For::Bureau,
            "PUT",
            "/api/v1/fiscal-years/{year}",
            "/api/v1/fiscal-years/2019",
            json!({"scheme": "hunan-2019"}),
        ),
        (
            For::Bureau,
            "PATCH",
            "/api/v1/fiscal-years/{year}",
            "/api/v1/fiscal-years/2019",
            json!({"notice_number": "1号"}),
        ),
        (
            For::Tokens,
            "GET",
            "/api/v1/fiscal-years/{year}",
            "/api/v1/fiscal-years/2019",
            none.clone(),
        ),
        (
            For::Tokens,
            "GET",
            "/api/v1/fiscal-years",
            "/api/v1/fiscal-years",
            none.clone(),
        ),
        (For::Bureau, "PUT", SCHEME, "/api/v1/scoring-schemes/own", scheme),
        (
            For::Bureau,
            "PATCH",
            SCHEME,
            "/api/v1/scoring-schemes/own",
            json!({"name": "正式"}),
        ),
        (For::Tokens, "GET", SCHEME, "/api/v1/scoring-schemes/own", none.clone()),
        (
            For::Tokens,
            "GET",
            "/api/v1/scoring-schemes",
            "/api/v1/scoring-schemes",
            none.clone(),
        ),
        (
            For::Bureau,
            "POST",
            "/api/v1/scoring-schemes/{id}/copy",
            "/api/v1/scoring-schemes/own/copy",
            json!({"id": "copied"}),
        ),
        (
            For::Tokens,
            "GET",
            "/api/v1/scoring-schemes/{id}/diff",
            "/api/v1/scoring-schemes/own/diff?against=hunan-2019",
            none.clone(),
        ),
        (
            For::Bureau,
            "DELETE",
            SCHEME,
            "/api/v1/scoring-schemes/own",
            none.clone(),
        ),
        (
            For::Tokens,
            "GET",
            "/api/v1/events",
            "/api/v1/events?limit=1",
            none.clone(),
        ),
        (
            For::Auditors,
            "GET",
            "/api/v1/audit",
            "/api/v1/audit?limit=1",
            none.clone(),
        ),
        (
            For::Tokens,
            "POST",
            "/api/v1/scores:preview",
            "/api/v1/scores:preview",
            preview,
        ),
        (
            For::Tokens,
            "POST",
            "/api/v1/checks:preview",
            "/api/v1/checks:preview",
            table,
        ),
        (
            For::Filers,
            "PUT",
            BASE_DATA,
            "/api/v1/units/219001/evaluations/2019/base-data",
            json!({}),
        ),
        (
            For::Filers,
            "PATCH",
            BASE_DATA,
            "/api/v1/units/219001/evaluations/2019/base-data",
            json!({"staff": {"posts": 7}}),
        ),
        (
            For::Readers,
            "GET",
            BASE_DATA,
            "/api/v1/units/219001/evaluations/2019/base-data",
            none.clone(),
        ),
        (
            For::Filers,
            "PUT",
            ASSESSMENTS,
            "/api/v1/units/219001/evaluations/2019/assessments",
            json!({}),
        ),
        (
            For::Filers,
            "PATCH",
            ASSESSMENTS,
            "/api/v1/units/219001/evaluations/2019/assessments",
            json!({"indicators": {"fund_compliance": {"incidents": 0}}}),
        ),
        (
            For::Readers,
            "GET",
            ASSESSMENTS,
            "/api/v1/units/219001/evaluations/2019/assessments",
            none.clone(),
        ),
        (
            For::Readers,
            "GET",
            EVALUATION,
            "/api/v1/units/219001/evaluations/2019",
            none.clone(),
        ),
        (
            For::Readers,
            "GET",
            "/api/v1/units/{code}/evaluations",
            "/api/v1/units/219001/evaluations",
            none.clone(),
        ),
        (
            For::Readers,
            "GET",
            "/api/v1/units/{code}/evaluations/{year}/base-data/prefilled",
            "/api/v1/units/219001/evaluations/2019/base-data/prefilled",
            none.clone(),
        ),
        (
            For::Readers,
            "GET",
            "/api/v1/units/{code}/evaluations/{year}/forms/{form}",
            "/api/v1/units/219001/evaluations/2019/forms/base-data",
            none.clone(),
        ),
        (
            For::Readers,
            "GET",
            "/api/v1/units/{code}/trend",
            "/api/v1/units/219001/trend",
            none.clone(),
        ),
        (
            For::Readers,
            "GET",
            "/api/v1/units/{code}/evaluations/{year}/score",
            "/api/v1/units/219001/evaluations/2019/score",
            none.clone(),
        ),
        (
            For::Overseers,
            "GET",
            "/api/v1/fiscal-years/{year}/report",
            "/api/v1/fiscal-years/2019/report",
            none.clone(),
        ),
        (
            For::Readers,
            "GET",
            "/api/v1/units/{code}/evaluations/{year}/report",
            "/api/v1/units/219001/evaluations/2019/report",
            none.clone(),
        ),
        (
            For::Readers,
            "GET",
            "/api/v1/units/{code}/evaluations/{year}/score/gaps",
            "/api/v1/units/219001/evaluations/2019/score/gaps",
            none.clone(),
        ),
        (
            For::Readers,
            "GET",
            "/api/v1/units/{code}/evaluations/{year}/score/sensitivity",
            "/api/v1/units/219001/evaluations/2019/score/sensitivity",
            none.clone(),
        ),
        (
            For::Readers,
            "GET",
            "/api/v1/units/{code}/evaluations/{year}/comparison",
            "/api/v1/units/219001/evaluations/2019/comparison?with_scheme=project-2020",
            none.clone(),
        ),
        (
            For::Filers,
            "PUT",
            CLAIMS,
            "/api/v1/units/219001/evaluations/2019/claims",
            json!({}),
        ),
        (
            For::Filers,
            "PATCH",
            CLAIMS,
            "/api/v1/units/219001/evaluations/2019/claims",
            json!({"total": "97"}),
        ),
        (
            For::Readers,
            "GET",
            CLAIMS,
            "/api/v1/units/219001/evaluations/2019/claims",
            none.clone(),
        ),
        (
            For::Filers,
            "DELETE",
            CLAIMS,
            "/api/v1/units/219001/evaluations/2019/claims",
            none.clone(),
        ),
        (
            For::Filers,
            "PUT",
            REASONS,
            "/api/v1/units/219001/evaluations/2019/reasons",
            json!({}),
        ),
        (
            For::Filers,
            "PATCH",
            REASONS,
            "/api/v1/units/219001/evaluations/2019/reasons",
            json!({"findings": {"incomplete": "尚未开展满意度调查。"}}),
        ),
        (
            For::Readers,
            "GET",
            REASONS,
            "/api/v1/units/219001/evaluations/2019/reasons",
            none.clone(),
        ),
        (For::Filers, "PUT", NARRATIVE, OWN_NARRATIVE, json!({})),
        (For::Filers, "PATCH", NARRATIVE, OWN_NARRATIVE, json!({"other": "无"})),
        (For::Readers, "GET", NARRATIVE, OWN_NARRATIVE, none.clone()),
        (For::Filers, "DELETE", NARRATIVE, OWN_NARRATIVE, none.clone()),
        (
            For::Bureau,
            "PUT",
            "/api/v1/fiscal-years/{year}/report-template",
            "/api/v1/fiscal-years/2019/report-template",
            json!({"template": "# {{ unit.name }}"}),
        ),
        (
            For::Tokens,
            "GET",
            "/api/v1/fiscal-years/{year}/report-template",
            "/api/v1/fiscal-years/2019/report-template",
            none.clone(),
        ),
        (
            For::Readers,
            "GET",
            "/api/v1/units/{code}/evaluations/{year}/checks",
            "/api/v1/units/219001/evaluations/2019/checks",
            none.clone(),
        ),
        (For::Tokens, "GET", "/api/v1/checks", "/api/v1/checks", none.clone()),
        (
            For::Tokens,
            "GET",
            "/api/v1/checks/{check}",
            "/api/v1/checks/incomplete",
            none.clone(),
        ),
        (
            For::Filers,
            "DELETE",
            REASONS,
            "/api/v1/units/219001/evaluations/2019/reasons",
            none.clone(),
        ),
        (
            For::Filers,
            "DELETE",
            ASSESSMENTS,
            "/api/v1/units/219001/evaluations/2019/assessments",
            none.clone(),
        ),
        (
            For::Filers,
            "DELETE",
            BASE_DATA,
            "/api/v1/units/219001/evaluations/2019/base-data",
            none.clone(),
        ),
        (For::Filers, "PUT", FUND, "/api/v1/special-funds/f1", fund("甲")),
        (
            For::Filers,
            "PATCH",
            FUND,
            "/api/v1/special-funds/f1",
            json!({"name": "乙"}),
        ),
        (For::Readers, "GET", FUND, "/api/v1/special-funds/f1", none.clone()),
        (
            For::Readers,
            "GET",
            "/api/v1/special-funds/{id}/score",
            "/api/v1/special-funds/f1/score",
            none.clone(),
        ),
        (For::Filers, "DELETE", FUND, "/api/v1/special-funds/f1", none.clone()),
        (
            For::Filers,
            "POST",
            "/api/v1/special-funds",
            "/api/v1/special-funds",
            fund("丙"),
        ),
        (
            For::Tokens,
            "GET",
            "/api/v1/special-funds",
            "/api/v1/special-funds",
            none.clone(),
        ),
        (
            For::Tokens,
            "GET",
            "/api/v1/scores",
            "/api/v1/scores?year=2019",
            none.clone(),
        ),
        (
            For::Tokens,
            "GET",
            "/api/v1/exports/{resource}",
            "/api/v1/exports/special-funds?year=2019",
            none.clone(),
        ),
        (
            For::Importers,
            "POST",
            "/api/v1/imports",
            "/api/v1/imports?resource=units&id=walk",
            json!("{\"code\":\"219\",\"name\":\"单位219\",\"kind\":\"department\"}\n"),
        ),
        (For::Tokens, "GET", "/api/v1/imports", "/api/v1/imports", none.clone()),
        (
            For::ImportReaders,
            "GET",
            "/api/v1/imports/{id}",
            "/api/v1/imports/walk",
            none.clone(),
        ),
        (
            For::ImportReaders,
            "GET",
            "/api/v1/imports/{id}/faults",
            "/api/v1/imports/walk/faults",
            none.clone(),
        ),
        (
            For::Overseers,
            "GET",
            "/api/v1/fiscal-years/{year}/ranking",
            "/api/v1/fiscal-years/2019/ranking",
            none.clone(),
        ),
        (
            For::Overseers,
            "GET",
            "/api/v1/fiscal-years/{year}/summary",
            "/api/v1/fiscal-years/2019/summary",
            none.clone(),
        ),
        (
            For::Tokens,
            "GET",
            "/api/v1/fiscal-years/{year}/forms",
            "/api/v1/fiscal-years/2019/forms",
            none.clone(),
        ),
        (
            For::Bureau,
            "GET",
            "/api/v1/fiscal-years/{year}/scheme-change",
            "/api/v1/fiscal-years/2019/scheme-change?scheme=project-2020",
            none.clone(),
        ),
        (
            For::Bureau,
            "POST",
            "/api/v1/fiscal-years/{year}/roll-over",
            "/api/v1/fiscal-years/2019/roll-over",
            json!({}),
        ),
        (
            For::Bureau,
            "DELETE",
            "/api/v1/fiscal-years/{year}",
            "/api/v1/fiscal-years/2019",
            none.clone(),
        ),
        (
            For::Bureau,
            "DELETE",
            "/api/v1/units/{code}",
            "/api/v1/units/400",
            none.clone(),
        ),
        (For::All, "GET", "/health/live", "/health/live", none.clone()),
        (For::All, "GET", "/health/ready", "/health/ready", none.clone()),
        (For::All, "GET", "/problems", "/problems", none.clone()),
        (For::All, "GET", "/problems/{slug}", "/problems/forbidden", none.clone()),
    ];
    // The life of an evaluation that is filed and never deleted: that of 2018.
    let reason = json!({"reason": "按规定办理"});
    let review = json!({"lines": {"benefit": {"points": "14", "reason": "一项目标未完成"}}});
    let life = [
        (For::Submitters, "POST", "submit", none.clone()),
        (For::Submitters, "POST", "withdraw", none.clone()),
        (For::Submitters, "POST", "submit", none.clone()),
        (For::Reviewers, "POST", "return", reason.clone()),
        (For::Submitters, "POST", "submit", none.clone()),
        (For::Reviewers, "POST", "begin-review", none.clone()),
        (For::Reviewers, "PUT", "review", review),
        (For::Reviewers, "PATCH", "review", json!({"comment": "依据充分"})),
        (For::Reviewers, "POST", "approve", none.clone()),
        (For::Readers, "GET", "review", none.clone()),
        (For::Reviewers, "POST", "publish", none.clone()),
        (For::Reviewers, "POST", "reopen", reason),
        (For::Readers, "GET", "history", none.clone()),
        (For::Readers, "GET", "submissions", none.clone()),
    ];
    operations.extend(life.map(|(who, method, what, body)| {
        let path = format!("/api/v1/units/219001/evaluations/2018/{what}").leak();
        let template = format!("/api/v1/units/{{code}}/evaluations/{{year}}/{what}").leak();
        (who, method, &*template, &*path, body)
    }));
    operations.extend([
        (
            For::Readers,
            "GET",
            "/api/v1/units/{code}/evaluations/{year}/submissions/{number}",
            "/api/v1/units/219001/evaluations/2018/submissions/3",
            none.clone(),
        ),
        (
            For::Tokens,
            "GET",
            "/api/v1/frozen-schemes/{digest}",
            "/api/v1/frozen-schemes/DIGEST",
            none.clone(),
        ),
    ]);
    const TOKEN: &str = "/api/v1/tokens/{id}";
    let keeper = json!({"name": "keeper", "role": "bureau", "scopes": ["tokens"]});
    operations.extend([
        (
            For::Anyone,
            "GET",
            "/api/v1/tokens/self",
            "/api/v1/tokens/self",
            none.clone(),
        ),
        (For::Keepers, "GET", "/api/v1/tokens", "/api/v1/tokens", none.clone()),
        (For::Keepers, "POST", "/api/v1/tokens", "/api/v1/tokens", keeper),
        (For::Keepers, "GET", TOKEN, "/api/v1/tokens/TOKEN", none.clone()),
        (
            For::Keepers,
            "PATCH",
            TOKEN,
            "/api/v1/tokens/TOKEN",
            json!({"name": "keeper-2"}),
        ),
        (
            For::Keepers,
            "POST",
            "/api/v1/tokens/{id}/rotate",
            "/api/v1/tokens/TOKEN/rotate",
            none.clone(),
        ),
        (For::Keepers, "DELETE", TOKEN, "/api/v1/tokens/TOKEN", none.clone()),
    ]);
    // Nobody listens there, so its one event becomes a dead letter; then it is turned off, and stands still while it is read.
    let webhook = json!({"url": "https://127.0.0.1:1/", "types": ["jixiao.webhook.created"]});
    let life = [
        ("POST", "", webhook),
        ("POST", "/{id}/dead-letters/replay", none.clone()),
        ("POST", "/{id}/dead-letters/{number}/replay", none.clone()),
        ("GET", "/{id}/dead-letters", none.clone()),
        ("PATCH", "/{id}", json!({"enabled": false})),
        ("GET", "", none.clone()),
        ("GET", "/{id}", none.clone()),
        ("GET", "/{id}/delivery", none.clone()),
        ("POST", "/{id}/replay", json!({"after": 0})),
        ("POST", "/{id}/ping", none.clone()),
        ("POST", "/{id}/rotate-secret", none.clone()),
        ("DELETE", "/{id}", none),
    ];
    operations.extend(life.map(|(method, what, body)| {
        let template = format!("/api/v1/webhooks{what}").leak();
        let path = template.replace("{id}", "WEBHOOK").replace("{number}", "LETTER").leak();
        (For::WebhookKeepers, method, &*template, &*path, body)
    }));
    operations
}

/// Sends a row of [`operations`].
pub fn ask(client: &Client, method: &str, path: &str, body: &Value) -> Response {
    match method {
        "GET" | "DELETE" => client.send(method, path, None),
        "PATCH" => client.patch(path, body),
        _ if body.is_null() => client.send(method, path, None),
        // A file.
        _ if body.is_string() => {
            client
                .with("Content-Type", "application/x-ndjson")
                .send(method, path, body.as_str().map(str::as_bytes))
        }
        _ => client.send(method, path, Some(body.to_string().as_bytes())),
    }
}

/// Removes the funds, so that nothing refers to the year and the unit any more.
pub fn delete_funds(bureau: &Client) {
    for id in bureau.get("/api/v1/special-funds").each("id") {
        bureau.delete(&format!("/api/v1/special-funds/{id}")).expect(204);
    }
}

/// The path with the names of things that are made on the way: a frozen scheme, a token that keeps tokens, a
/// webhook and its dead letter.
pub fn found(bureau: &Client, path: &str) -> String {
    if path.contains("DIGEST") {
        return path.replace("DIGEST", &frozen_scheme(bureau));
    }
    if path.contains("TOKEN") {
        let keepers = bureau.get("/api/v1/tokens?q=keeper").expect(200).each("id");
        return path.replace("TOKEN", keepers.first().map_or("0123456789abcdef", String::as_str));
    }
    if path.contains("WEBHOOK") {
        let id = bureau.get("/api/v1/webhooks").expect(200).each("id").remove(0);
        let path = path.replace("WEBHOOK", &id);
        return match path.contains("dead-letters") {
            true => path.replace("LETTER", &dead_letter(bureau, &id)),
            false => path,
        };
    }
    path.to_owned()
}

/// The number of a webhook's dead letter, once it has one and nothing is on its way any more.
fn dead_letter(bureau: &Client, webhook: &str) -> String {
    let read = |what: &str| {
        bureau
            .get(&format!("/api/v1/webhooks/{webhook}/{what}"))
            .expect(200)
            .json()
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let (state, list) = (read("delivery"), read("dead-letters"));
        if state["lag"] == 0 && list["items"][0]["queued"] == false {
            return list["items"][0]["number"].to_string();
        }
        assert!(Instant::now() < deadline, "{list} {state}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The digest of the scheme that the evaluation of 2018 was submitted under.
fn frozen_scheme(bureau: &Client) -> String {
    let list = bureau.get("/api/v1/units/219001/evaluations/2018/submissions");
    list.each("scheme_digest").remove(0)
}

/// Asks with this `Authorization` and expects to be told that a token is needed.
fn is_refused(app: &TestApp, authorization: &str) {
    let answer = app
        .anonymous()
        .with("Authorization", authorization)
        .get("/api/v1/units");
    assert_eq!(
        answer.header("WWW-Authenticate"),
        Some("Bearer realm=\"jixiao\""),
        "{authorization}"
    );
    answer.problem(401, "unauthorized");
}

/// Three units with a fund and a sheet each: 219001 and 219002 below 219, and 300.
fn with_three_units(app: &TestApp) -> Client {
    let bureau = app.with_units(&[
        ("219", None),
        ("219001", Some("219")),
        ("219002", Some("219")),
        ("300", None),
    ]);
    bureau
        .put("/api/v1/fiscal-years/2019", &json!({"scheme": "hunan-2019"}))
        .expect(201);
    for unit in ["219001", "219002", "300"] {
        let fund = json!({"unit": unit, "year": 2019, "name": "资金"});
        bureau
            .put(&format!("/api/v1/special-funds/fund-{unit}"), &fund)
            .expect(201);
        bureau
            .put(&format!("/api/v1/units/{unit}/evaluations/2019/base-data"), &json!({}))
            .expect(201);
    }
    bureau
}

/// Goes through all operations with clients that are made by `client`: each does what is its own, and nothing else.
pub fn each_does_what_is_its_own(app: &TestApp, client: impl Fn(Role, &[&str]) -> Client) {
    file_ready(
        &app.with_units(&[("219", None), ("300", None), ("219001", Some("219")), ("400", None)]),
        2018,
    );
    let bureau = client(Role::Bureau, &[]);
    let above = client(Role::Unit, &["219"]);
    let elsewhere = client(Role::Unit, &["300"]);
    let auditor = client(Role::Auditor, &[]);
    for (who, method, _, path, body) in operations() {
        if method == "DELETE" && who == For::Bureau {
            delete_funds(&bureau);
        }
        let path = &*found(&bureau, path);
        let (allowed, refused): (Vec<_>, Vec<_>) = [
            ("bureau", &bureau),
            ("above", &above),
            ("auditor", &auditor),
            ("elsewhere", &elsewhere),
        ]
        .into_iter()
        .partition(|(name, _)| who.rule().1.contains(name));
        let before = (path != "/api/v1/scores:preview").then(|| bureau.get(path).body);
        for (name, client) in refused {
            let answer = ask(client, method, path, &body);
            assert_eq!(answer.status, 403, "{name} {}: {}", answer.request(), answer.text());
            answer.problem(403, "forbidden");
        }
        if let Some(before) = before {
            // Times and ids of requests differ in problems; resources are the same to the last byte.
            let after = bureau.get(path);
            assert!(
                after.status != 200 || after.body == before,
                "{method} {path} changed something"
            );
        }
        for (n, (name, client)) in allowed.into_iter().enumerate() {
            let answer = ask(client, method, path, &body);
            // The first one finds what it needs; after it, what was deleted is gone, and a name is taken.
            let good = match n {
                0 => (200..300).contains(&answer.status),
                _ => [200, 204, 404, 409].contains(&answer.status),
            };
            assert!(good, "{name} {}: {} {}", answer.request(), answer.status, answer.text());
        }
    }
}

both_engines! {
    fn what_is_no_good_token_is_answered_401_and_how_to_ask(app) {
        let token = app.token(Role::Bureau, &[]);
        let (front, secret) = token.rsplit_once('_').unwrap();
        let wrong_secret = format!("Bearer {front}_{}", secret.chars().rev().collect::<String>());
        let unknown_id = format!("Bearer jx_0123456789abcdef_{secret}");
        for authorization in [
            "", "Bearer", "Bearer x", "Bearer jx_", "Bearer jx__", "Basic Zm9vOmJhcg==", &token,
            &format!("Basic {token}"), &format!("Bearer {front}_"), &format!("Bearer {front}"), &unknown_id, &wrong_secret,
            &format!("Bearer {token}0"), &format!("Bearer {}", token.to_uppercase()),
        ] {
            is_refused(app, authorization);
        }
        // The id is known by now, and the wrong secret still is none.
        app.client(&token).get("/api/v1/units").expect(200);
        is_refused(app, &wrong_secret);
        app.anonymous().with("Authorization", &format!("bearer {token}")).get("/api/v1/units").expect(200);
    }

    fn without_a_token_nothing_is_told_and_nothing_done(app) {
        let bureau = app.with_kaiyun();
        let before = bureau.get(UNIT).json();
        for (who, method, _, path, body) in operations() {
            let answer = ask(&app.anonymous(), method, path, &body);
            match who {
                For::All => drop(answer.expect(200)),
                _ => drop(answer.problem(401, "unauthorized")),
            }
        }
        assert_eq!(bureau.get(UNIT).json(), before);
        assert_eq!(bureau.get("/api/v1/special-funds").each("id"), [""; 0]);
    }

    fn each_role_may_do_what_is_its_own_and_nothing_else(app) {
        each_does_what_is_its_own(app, |role, units| app.client(&app.token(role, units)));
    }

    fn scopes_narrow_a_token_to_just_what_each_operation_takes(app) {
        let bureau = app.with_units(&[("219", None), ("219001", Some("219")), ("400", None)]);
        file_ready(&bureau, 2018);
        let all = ["read", "oversee", "file", "submit", "review", "configure", "import", "audit", "webhooks", "tokens"];
        let with = |scopes: Vec<&str>| {
            let input = json!({"name": "限定", "role": "bureau", "scopes": scopes});
            app.client(bureau.post("/api/v1/tokens", &input).expect(201).json()["token"].as_str().unwrap())
        };
        let only = all.map(|scope| (scope, with(vec![scope])));
        let without = all.map(|scope| (scope, with(all.into_iter().filter(|other| *other != scope).collect())));
        let of = |clients: &[(&str, Client)], scope: &str| {
            clients.iter().find(|(known, _)| *known == scope).unwrap().1.clone()
        };
        for (who, method, _, path, body) in operations() {
            let Some(scopes) = who.rule().0 else {
                continue;
            };
            if method == "DELETE" && who == For::Bureau {
                delete_funds(&bureau);
            }
            let path = found(&bureau, path);
            for scope in scopes.split(' ') {
                let refused = ask(&of(&without, scope), method, &path, &body);
                assert_eq!(refused.status, 403, "{} without {scope}: {}", refused.request(), refused.text());
                assert_eq!(
                    refused.header("WWW-Authenticate"),
                    Some(format!("Bearer realm=\"jixiao\", error=\"insufficient_scope\", scope=\"{scope}\"").as_str())
                );
                refused.problem(403, "forbidden");
            }
            let client = match scopes.contains(' ') {
                true => with(scopes.split(' ').collect()),
                false => of(&only, scopes),
            };
            let allowed = ask(&client, method, &path, &body);
            assert!((200..300).contains(&allowed.status), "{} with {scopes}: {}", allowed.request(), allowed.text());
        }
    }

    fn a_units_lists_hold_its_own_and_what_is_below_it(app) {
        let bureau = with_three_units(app);
        let read = |client: &Client| (client.get("/api/v1/units").each("code"), client.get("/api/v1/special-funds").each("id"));
        let all = (vec!["219", "219001", "219002", "300"], vec!["fund-219001", "fund-219002", "fund-300"]);
        for (client, (units, funds)) in [
            (bureau, all.clone()),
            (app.auditor(), all),
            (app.unit(&["219"]), (vec!["219", "219001", "219002"], vec!["fund-219001", "fund-219002"])),
            (app.unit(&["219002"]), (vec!["219002"], vec!["fund-219002"])),
            (app.unit(&["300"]), (vec!["300"], vec!["fund-300"])),
            (app.unit(&["219001", "300"]), (vec!["219001", "300"], vec!["fund-219001", "fund-300"])),
            // One of the two is below the other: nothing comes twice.
            (app.unit(&["219", "219001"]), (vec!["219", "219001", "219002"], vec!["fund-219001", "fund-219002"])),
            (app.unit(&[]), (vec![], vec![])),
        ] {
            let (found_units, found_funds) = read(&client);
            assert_eq!((found_units, found_funds), (units.into_iter().map(str::to_owned).collect(), funds.into_iter().map(str::to_owned).collect()));
        }
    }

    fn filters_and_cursors_do_not_lead_out_of_a_units_own(app) {
        with_three_units(app);
        let unit = app.unit(&["219001"]);
        for query in ["under=300", "parent=219&cursor=219001", "q=300", "cursor=219001", "order=desc&cursor=219001"] {
            assert_eq!(unit.get(&format!("/api/v1/units?{query}")).each("code"), [""; 0], "{query}");
        }
        assert_eq!(unit.get("/api/v1/units?under=219").each("code"), ["219001"]);
        assert_eq!(unit.get("/api/v1/special-funds?unit=300").each("id"), [""; 0]);
        let page = unit.get("/api/v1/units?limit=1").expect(200).json();
        assert_eq!(page["next_cursor"], Value::Null, "what others have is not even hinted at");
    }

    fn a_token_of_two_units_reaches_both_and_no_third(app) {
        with_three_units(app);
        let two = app.unit(&["219001", "300"]);
        for (code, status) in [("219001", 200), ("300", 200), ("219002", 403), ("219", 403)] {
            two.get(&format!("/api/v1/units/{code}")).expect(status);
            // 219 has filed nothing, but that is for those to know who may.
            two.get(&format!("/api/v1/units/{code}/evaluations/2019/base-data")).expect(status);
        }
    }

    fn codes_that_begin_alike_are_no_relatives(app) {
        app.with_units(&[("219", None), ("219001", None), ("2190", Some("219"))]);
        let unit = app.unit(&["219"]);
        assert_eq!(unit.get("/api/v1/units").each("code"), ["219", "2190"]);
        unit.get(UNIT).problem(403, "forbidden");
    }

    fn a_fund_is_neither_taken_from_another_unit_nor_given_to_one(app) {
        let bureau = with_three_units(app);
        let unit = app.unit(&["219001"]);
        let fund = |unit: &str| json!({"unit": unit, "year": 2019, "name": "新名"});
        unit.put("/api/v1/special-funds/fund-300", &fund("219001")).problem(403, "forbidden");
        unit.put("/api/v1/special-funds/fund-219001", &fund("300")).problem(403, "forbidden");
        unit.patch("/api/v1/special-funds/fund-219001", &json!({"unit": "300"})).problem(403, "forbidden");
        unit.post("/api/v1/special-funds", &fund("300")).problem(403, "forbidden");
        for code in ["219001", "300"] {
            let stored = bureau.get(&format!("/api/v1/special-funds/fund-{code}")).json();
            assert_eq!((&stored["unit"], &stored["version"]), (&json!(code), &json!(1)));
        }
    }

    fn a_unit_that_moves_is_reached_by_those_above_it_now(app) {
        let bureau = with_three_units(app);
        bureau.patch(UNIT, &json!({"parent": "300"})).expect(200);
        // Tokens that were used a moment ago are believed for two seconds; these are new.
        let (before, now) = (app.unit(&["219"]), app.unit(&["300"]));
        for path in [UNIT, "/api/v1/special-funds/fund-219001", "/api/v1/units/219001/evaluations/2019"] {
            before.get(path).problem(403, "forbidden");
            now.get(path).expect(200);
        }
        assert_eq!(before.get("/api/v1/units").each("code"), ["219", "219002"]);
        assert_eq!(now.get("/api/v1/units").each("code"), ["219001", "300"]);
    }

    fn a_token_that_was_taken_back_is_none(app) {
        let token = app.token(Role::Bureau, &[]);
        app.revoke(&token);
        is_refused(app, &format!("Bearer {token}"));
    }

    fn what_needs_no_token_is_open(app) {
        for path in ["/health/live", "/health/ready", "/docs/", "/openapi.json", "/problems", "/problems/unauthorized"] {
            app.anonymous().get(path).expect(200);
            // A wrong token does no harm where none is needed.
            app.anonymous().with("Authorization", "Bearer x").get(path).expect(200);
        }
    }

    fn the_matrix_has_every_operation_of_the_document(app) {
        let document = app.anonymous().get("/openapi.json").expect(200).json();
        let mut stated = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                // `security: [{}]` says that no token is needed, and what says nothing that any token will do.
                let demanded = match &operation["security"] {
                    Value::Null => &document["security"],
                    own => own,
                };
                stated.insert((method.to_uppercase(), path.clone(), demanded.to_string()));
            }
        }
        let tested: BTreeSet<_> = operations().into_iter()
            .map(|(who, method, path, ..)| {
                let demanded = match who.rule().0 {
                    _ if who == For::All => json!([{}]),
                    None => json!([{"token": []}]),
                    // Of two, the second depends on what is imported.
                    Some(scopes) => json!([{"token": [scopes.split(' ').next()]}]),
                };
                (method.to_owned(), path.to_owned(), demanded.to_string())
            }).collect();
        assert_eq!(tested, stated);
    }
}

/// Only PostgreSQL lets a second service onto the database, which has not seen the token before the change.
#[test]
fn a_second_service_sees_at_once_what_became_of_a_token() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let bureau = with_three_units(&app);
    let token = app.token(Role::Unit, &["219"]);
    app.client(&token).get(UNIT).expect(200);
    bureau.patch(UNIT, &json!({"parent": "300"})).expect(200);
    app.another().client(&token).get(UNIT).problem(403, "forbidden");
    app.revoke(&token);
    is_refused(&app.another(), &format!("Bearer {token}"));
}
