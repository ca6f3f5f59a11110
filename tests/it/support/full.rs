//! A database that holds something of everything that the API can store, and what of it tests compare.

use std::collections::{BTreeMap, BTreeSet};

use jixiao::db::catalogue::{self, Table};
use jixiao::db::{Target, dynamic, migrate, open_as_it_is};
use jixiao::tokens::model::Role;
use serde_json::{Value, json};

use super::client::Client;
use super::{TestApp, file_ready, wait_until};

/// The tables of this version of the program.
pub fn tables() -> Vec<Table> {
    let all: BTreeSet<String> = migrate::known()
        .unwrap()
        .into_iter()
        .map(|(version, _)| version)
        .collect();
    catalogue::tables(&all).unwrap()
}

/// Every row of every table, each value as its text.
pub fn rows(target: &Target) -> BTreeMap<String, Vec<dynamic::Cells>> {
    let mut conn = open_as_it_is(target).unwrap();
    let read = |table: &Table| {
        let select = dynamic::select(&conn, table);
        (table.name.clone(), dynamic::all(&mut conn, &select).unwrap())
    };
    let mut read = read;
    tables().iter().map(&mut read).collect()
}

fn act(client: &Client, unit: &str, actions: &[&str]) {
    for action in actions {
        client
            .post(
                &format!("/api/v1/units/{unit}/evaluations/2019/{action}"),
                &json!({"reason": "按程序办理"}),
            )
            .expect(200);
    }
}

fn file(client: &Client, unit: &str, part: &str, document: &Value) {
    client
        .put(&format!("/api/v1/units/{unit}/evaluations/2019/{part}"), document)
        .expect(201);
}

/// Stores something of everything, through the API, and returns a client of the bureau. 219001 is published after a review,
/// 219002 submitted, 219003 given back, 219004 taken back, 219005 a draft.
pub fn fill(app: &TestApp) -> Client {
    let bureau = app.bureau();
    let put = |path: &str, body: Value| drop(bureau.put(path, &body).expect(201));
    put(
        "/api/v1/units/219",
        json!({"name": "衡山县", "kind": "other", "division_code": "430423"}),
    );
    put(
        "/api/v1/units/100",
        json!({"name": "原开云镇", "kind": "town", "valid_to": 2018}),
    );
    for code in ["219001", "219002", "219003", "219004", "219005"] {
        put(
            &format!("/api/v1/units/{code}"),
            json!({"name": format!("“{code}”镇'\\—𠮷"), "kind": "town", "parent": "219"}),
        );
    }
    bureau
        .patch(
            "/api/v1/units/219005",
            &json!({"predecessors": ["100"], "valid_from": 2019}),
        )
        .expect(200);
    file_ready(&bureau, 2019);
    put(
        "/api/v1/fiscal-years/2020",
        json!({"scheme": "hunan-2019", "notice_number": "衡财绩〔2021〕1号", "opens_on": "2021-01-01"}),
    );
    bureau
        .put(
            "/api/v1/fiscal-years/2019/report-template",
            &json!({"template": "# {{ unit.name }}"}),
        )
        .expect(200);
    for unit in ["219002", "219003", "219004", "219005"] {
        file(
            &bureau,
            unit,
            "base-data",
            &json!({"staff": {"posts": 100, "in_post": 103}}),
        );
        let judged =
            json!({"indicators": {"benefit": {"points": "12.5", "reason": "良好"}, "discipline": {"incidents": 1}}});
        file(&bureau, unit, "assessments", &judged);
    }
    put(
        "/api/v1/special-funds/f1",
        json!({"unit": "219001", "year": 2019, "name": "危房改造", "continues": true}),
    );
    put(
        "/api/v1/special-funds/f2",
        json!({"unit": "219005", "year": 2019, "name": "道路养护"}),
    );
    let reason = "资金年末下达，尚未使用，未列入年初预算。";
    file(
        &bureau,
        "219001",
        "reasons",
        &json!({"findings": {"fund_not_in_sheet:f1": reason, "fund_incomplete:f1": reason}}),
    );
    file(
        &bureau,
        "219001",
        "narrative",
        &json!({"other": "（一）已公开。\n（二）“引号”。"}),
    );
    file(
        &bureau,
        "219005",
        "claims",
        &json!({"lines": {"benefit": {"points": "12"}}, "total": 97}),
    );
    act(&bureau, "219001", &["submit", "withdraw", "submit", "begin-review"]);
    bureau
        .put(
            "/api/v1/units/219001/evaluations/2019/review",
            &json!({"lines": {"benefit": {"points": "13", "reason": "一项未完成"}}, "comment": "属实"}),
        )
        .expect(200);
    act(&bureau, "219001", &["approve", "publish"]);
    act(&bureau, "219002", &["submit"]);
    act(&bureau, "219003", &["submit", "return"]);
    act(&bureau, "219004", &["submit", "withdraw"]);

    let token = bureau.post(
        "/api/v1/tokens",
        &json!({"name": "开云镇财政所", "role": "unit", "units": ["219001", "219002"],
        "scopes": ["read", "file"], "expires_at": "2199-01-01T00:00:00Z"}),
    );
    let id = token.expect(201).json()["id"].as_str().unwrap().to_owned();
    bureau
        .post(
            &format!("/api/v1/tokens/{id}/rotate"),
            &json!({"overlap_seconds": 3600}),
        )
        .expect(200);
    app.revoke(&app.token(Role::Auditor, &[]));

    let file = b"{\"code\":\"300\",\"name\":\"\xe6\x9f\x90\xe9\x95\x87\",\"kind\":\"town\"}\n{\"code\":\"301\",\"name\":\"\",\"kind\":\"town\"}\n";
    let imported = bureau.with("Content-Type", "application/x-ndjson").send(
        "POST",
        "/api/v1/imports?resource=units&mode=each&id=first",
        Some(file),
    );
    assert_eq!(imported.json()["counts"]["rejected"], 1, "{}", imported.text());
    bureau
        .with("Idempotency-Key", "\"once\"")
        .post(
            "/api/v1/special-funds",
            &json!({"unit": "219005", "year": 2019, "name": "绿化"}),
        )
        .expect(201);

    // Nobody listens there, so what it is sent soon is a dead letter.
    let webhook = bureau.post(
        "/api/v1/webhooks",
        &json!({"url": "https://127.0.0.1:9/", "types": ["jixiao.unit"]}),
    );
    let webhook = format!(
        "/api/v1/webhooks/{}",
        webhook.expect(201).json()["id"].as_str().unwrap()
    );
    bureau
        .put("/api/v1/units/302", &json!({"name": "某镇", "kind": "town"}))
        .expect(201);
    wait_until("the dead letter is there", || {
        bureau.get(&format!("{webhook}/delivery")).expect(200).json()["dead_letters"] == 1
    });
    bureau
        .patch(&webhook, &json!({"enabled": false, "description": "停用"}))
        .expect(200);
    // The use of a token is noted a moment after its request.
    wait_until("something of everything is there", || {
        rows(app.target()).values().all(|rows| !rows.is_empty()) || missing(app)
    });
    bureau
}

/// Says which table is empty, in case that never ends.
fn missing(app: &TestApp) -> bool {
    let empty: Vec<String> = rows(app.target())
        .into_iter()
        .filter(|(_, rows)| rows.is_empty())
        .map(|(name, _)| name)
        .collect();
    assert!(
        empty.iter().all(|name| name == "token_uses"),
        "this holds nothing of {empty:?}: add it here"
    );
    false
}
