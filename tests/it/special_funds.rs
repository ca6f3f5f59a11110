//! Special funds over HTTP.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{faults, pointers};
use crate::support::{Client, TestApp, line, lines};

const FUNDS: &str = "/api/v1/special-funds";
const ONE: &str = "/api/v1/special-funds/one";

fn fund(name: &str) -> Value {
    json!({"unit": "219001", "year": 2019, "name": name})
}

/// The units 219001 and 302001; the years 2019 and 2020, open, and 2018, closed.
fn county(app: &TestApp) -> Client {
    let bureau = app.with_kaiyun();
    bureau
        .put(
            "/api/v1/units/302001",
            &json!({"name": "另一单位", "kind": "department"}),
        )
        .expect(201);
    for (year, status) in [("2018", "closed"), ("2020", "open")] {
        let year = format!("/api/v1/fiscal-years/{year}");
        bureau
            .put(&year, &json!({"scheme": "hunan-2019", "status": status}))
            .expect(201);
    }
    bureau
}

fn with(mut fund: Value, field: &str, value: Value) -> Value {
    fund[field] = value;
    fund
}

both_engines! {
    fn a_unit_has_as_many_funds_in_a_year_as_its_sheet_lists(app) {
        let bureau = county(app);
        for n in 1..=200 {
            bureau.put(&format!("{FUNDS}/f{n}"), &fund(&format!("专项{n}"))).expect(201);
        }
        let refused = bureau.put(&format!("{FUNDS}/f201"), &fund("专项201"));
        assert_eq!(refused.faults(), faults(&[("/unit", "too_many")]));
        bureau.get(&format!("{FUNDS}/f201")).problem(404, "not-found");
        // What is there can still be changed.
        bureau.put(&format!("{FUNDS}/f200"), &fund("专项二百")).expect(200);
        // From another year none moves in.
        bureau.put(ONE, &with(fund("专项201"), "year", json!(2020))).expect(201);
        assert_eq!(bureau.put(ONE, &fund("专项201")).faults(), faults(&[("/unit", "too_many")]));
    }

    fn whether_a_fund_goes_on_is_told_and_asked_for(app) {
        let bureau = app.with_kaiyun();
        let fund = |name: &str| json!({"unit": "219001", "year": 2019, "name": name});
        assert_eq!(bureau.put("/api/v1/special-funds/one", &fund("一")).expect(201).json()["continues"], false);
        bureau.put("/api/v1/special-funds/two", &fund("二")).expect(201);
        let changed = bureau.patch("/api/v1/special-funds/two", &json!({"continues": true})).expect(200).json();
        assert_eq!((&changed["continues"], &changed["version"]), (&json!(true), &json!(2)));
        assert_eq!(bureau.get("/api/v1/special-funds?continues=true").each("id"), ["two"]);
        assert_eq!(bureau.get("/api/v1/special-funds?continues=false").each("id"), ["one"]);
    }

    fn a_fund_that_is_posted_gets_an_id_and_an_address(app) {
        let bureau = county(app);
        let created = bureau.post(FUNDS, &fund("危房改造资金")).expect(201);
        let stored = created.json();
        let id = stored["id"].as_str().unwrap();
        // RFC 9562: 36 characters, the version in the 15th.
        assert_eq!((id.len(), &id[14..15]), (36, "7"), "{id}");
        assert_eq!(created.header("Location").unwrap(), format!("{FUNDS}/{id}"));
        assert_eq!((&stored["scheme"], &stored["version"]), (&json!("project-2020"), &json!(1)));
        let read = bureau.get(&format!("{FUNDS}/{id}")).expect(200);
        assert_eq!((read.etag(), read.json()), (created.etag(), stored.clone()));
        let other = bureau.post(FUNDS, &fund("村级运行经费")).expect(201).json();
        assert_ne!(other["id"], stored["id"]);
    }

    fn a_fund_is_put_under_the_clients_id_read_replaced_patched_and_deleted(app) {
        let bureau = county(app);
        let input = with(fund("危房改造资金"), "funding", json!({"total": {"adjusted_budget": 326, "executed": "300.50"}}));
        let created = bureau.put(ONE, &input).expect(201);
        assert_eq!(created.header("Location"), Some(ONE));
        assert_eq!(created.json()["funding"], json!({"total": {"adjusted_budget": "326", "executed": "300.5"}}));
        assert_eq!(created.json()["links"], json!({"self": ONE, "score": format!("{ONE}/score")}));
        assert_eq!(bureau.put(ONE, &input).expect(200).etag(), created.etag(), "the same again is no change");
        assert_eq!(bureau.patch(ONE, &json!({})).expect(200).etag(), created.etag());

        let patch = json!({"funding": {"total": {"executed": "326"}}, "goal": {"expected": "改造181户"}});
        let patched = bureau.with("If-Match", &created.etag()).patch(ONE, &patch).expect(200);
        assert_eq!(patched.json()["funding"]["total"], json!({"adjusted_budget": "326", "executed": "326"}));
        assert_eq!((&patched.json()["version"], &patched.json()["goal"]["expected"]), (&json!(2), &json!("改造181户")));
        for stale in [
            bureau.with("If-Match", &created.etag()).put(ONE, &input),
            bureau.with("If-Match", &created.etag()).patch(ONE, &json!({"goal": null})),
            bureau.with("If-Match", &created.etag()).delete(ONE),
            bureau.with("If-None-Match", "*").put(ONE, &input),
        ] {
            stale.problem(412, "precondition-failed");
        }
        bureau.with("If-None-Match", &patched.etag()).get(ONE).expect(304);
        assert_eq!(bureau.put(ONE, &input).expect(200).json()["goal"], Value::Null, "a PUT replaces all");
        bureau.delete(ONE).expect(204);
        for gone in [bureau.get(ONE), bureau.patch(ONE, &json!({})), bureau.delete(ONE), bureau.get(&format!("{ONE}/score"))] {
            gone.problem(404, "not-found");
        }
        bureau.get(&format!("{FUNDS}/a%20b")).problem(400, "invalid-parameter");
    }

    fn funds_are_listed_in_pages_by_unit_year_and_name(app) {
        let bureau = county(app);
        for (id, unit, year, name) in [
            ("a", "219001", 2019, "危房改造资金"), ("b", "219001", 2020, "危房改造资金"), ("c", "302001", 2019, "村级运行经费"),
            ("d", "219001", 2019, "50%_ABC"), ("e", "302001", 2020, "ÉCOLE资金"),
        ] {
            bureau.put(&format!("{FUNDS}/{id}"), &json!({"unit": unit, "year": year, "name": name})).expect(201);
        }
        let ids = |query: &str| bureau.all(&format!("{FUNDS}?limit=2{query}"), "id");
        assert_eq!(ids(""), ["a", "b", "c", "d", "e"]);
        assert_eq!(ids("&order=desc"), ["e", "d", "c", "b", "a"]);
        assert_eq!(ids("&unit=219001"), ["a", "b", "d"]);
        assert_eq!(ids("&year=2019"), ["a", "c", "d"]);
        assert_eq!(ids("&unit=219001&year=2020"), ["b"]);
        assert_eq!(ids("&q=%E5%8D%B1%E6%88%BF"), ["a", "b"], "危房");
        assert_eq!(ids("&q=abc"), ["d"], "whatever the case of ASCII letters");
        assert_eq!(ids("&q=%25_"), ["d"], "% and _ mean themselves");
        assert_eq!(ids("&q=%C3%89COLE"), ["e"], "É as it is written");
        assert_eq!(ids("&unit=999"), [] as [Value; 0]);
        let entry = bureau.get(&format!("{FUNDS}?unit=302001&year=2019")).expect(200).json()["items"][0].clone();
        assert_eq!((&entry["name"], &entry["link"]), (&json!("村级运行经费"), &json!("/api/v1/special-funds/c")));
        for bad in ["unit=x", "year=1", "year=", "limit=201", "status=open"] {
            bureau.get(&format!("{FUNDS}?{bad}")).problem(400, "invalid-parameter");
        }
    }

    fn a_name_is_one_of_a_kind_for_the_unit_and_year(app) {
        let bureau = county(app);
        bureau.put(ONE, &fund("危房改造资金")).expect(201);
        bureau.put(&format!("{FUNDS}/two"), &fund("村级运行经费")).expect(201);
        for taken in [
            bureau.post(FUNDS, &fund("危房改造资金")),
            bureau.put(&format!("{FUNDS}/three"), &fund("危房改造资金")),
            bureau.put(&format!("{FUNDS}/two"), &fund("危房改造资金")),
            bureau.patch(&format!("{FUNDS}/two"), &json!({"name": "危房改造资金"})),
        ] {
            let problem = taken.problem(409, "already-exists");
            assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!("/name"), &json!("taken")));
        }
        bureau.post(FUNDS, &with(fund("危房改造资金"), "year", json!(2020))).expect(201);
        bureau.post(FUNDS, &with(fund("危房改造资金"), "unit", json!("302001"))).expect(201);
        assert_eq!(bureau.all(&format!("{FUNDS}?unit=219001&year=2019"), "id"), ["one", "two"]);
    }

    fn what_a_fund_refers_to_must_exist_and_all_that_does_not_is_named_at_once(app) {
        let bureau = county(app);
        let nowhere = json!({"unit": "999", "year": 2021, "scheme": "nope", "name": "资金"});
        let unknown = faults(&[("/unit", "unknown_unit"), ("/year", "unknown_year"), ("/scheme", "unknown_scheme")]);
        assert_eq!(bureau.post(FUNDS, &nowhere).faults(), unknown);
        assert_eq!(bureau.put(ONE, &nowhere).faults(), unknown);
        let template = json!({"unit": "999", "year": 2019, "scheme": "mof-2013", "name": "资金"});
        assert_eq!(bureau.put(ONE, &template).faults(), faults(&[("/unit", "unknown_unit"), ("/scheme", "template")]));
        assert_eq!(pointers(&bureau.put(ONE, &json!({"unit": 219001, "year": "2019", "nmae": "x", "targets": {}})).faults()),
            ["/name", "/nmae", "/targets", "/unit", "/year"]);
        bureau.get(ONE).problem(404, "not-found");
        bureau.put(ONE, &fund("危房改造资金")).expect(201);
        assert_eq!(bureau.patch(ONE, &json!({"unit": "999", "year": 2021, "scheme": "nope"})).faults(), unknown);
        assert_eq!(bureau.patch(ONE, &json!({"name": null})).faults(), faults(&[("/name", "missing_field")]));
        assert_eq!(bureau.get(ONE).expect(200).json()["version"], 1);
    }

    fn targets_must_fit_the_scheme(app) {
        let bureau = county(app);
        let targets = json!([
            {"section": "outptu", "name": "甲", "measure": {"kind": "quality"}},
            {"section": "execution", "name": "乙", "measure": {"kind": "quality"}},
            {"section": "output", "name": "丙", "measure": {"kind": "quality", "share": "80"}},
            {"section": "output", "name": "丁", "measure": {"kind": "quality", "level": "achieved", "share": "79.99"}},
            {"section": "output", "name": "戊", "measure": {"kind": "quality", "level": "achieved", "share": "80"}},
        ]);
        let expected = faults(&[
            ("/targets/0/section", "unknown_section"), ("/targets/1/section", "unknown_section"),
            ("/targets/2/measure/level", "missing_field"), ("/targets/3/measure/share", "out_of_range"),
        ]);
        assert_eq!(bureau.post(FUNDS, &with(fund("资金"), "targets", targets.clone())).faults(), expected);
        bureau.put(ONE, &fund("资金")).expect(201);
        assert_eq!(bureau.patch(ONE, &json!({"targets": targets})).faults(), expected);
        let shape = json!([{"section": "output", "name": "己", "measure": {"kind": "quantity", "comparison": "more", "target": "多", "share": 1}}]);
        assert_eq!(pointers(&bureau.patch(ONE, &json!({"targets": shape})).faults()),
            ["/targets/0/measure/comparison", "/targets/0/measure/share", "/targets/0/measure/target"]);
        // hunan-2019 has no rows of the unit's own: a fund that has some cannot go over to it.
        bureau.patch(ONE, &json!({"targets": [{"section": "output", "name": "甲", "measure": {"kind": "quality"}}]})).expect(200);
        assert_eq!(bureau.patch(ONE, &json!({"scheme": "hunan-2019"})).faults(), faults(&[("/targets/0/section", "unknown_section")]));
    }

    fn a_closed_year_keeps_its_funds_as_they_are(app) {
        let bureau = county(app);
        bureau.put(ONE, &fund("危房改造资金")).expect(201);
        let before = bureau.get(&format!("{ONE}/score")).expect(200).json();
        bureau.patch("/api/v1/fiscal-years/2019", &json!({"status": "closed"})).expect(200);
        for client in [&bureau, &app.unit(&["219001"])] {
            for refused in [
                client.put(ONE, &fund("另一名称")), client.patch(ONE, &json!({"name": "另一名称"})), client.delete(ONE),
                client.post(FUNDS, &fund("村级运行经费")), client.put(&format!("{FUNDS}/two"), &fund("村级运行经费")),
            ] {
                refused.problem(409, "closed");
            }
            client.put(ONE, &fund("危房改造资金")).expect(200);
            assert_eq!(client.get(&format!("{ONE}/score")).expect(200).json(), before);
        }
        assert_eq!(bureau.all(&format!("{FUNDS}?limit=2"), "id"), ["one"]);
    }

    fn a_fund_moves_only_between_open_years(app) {
        let bureau = county(app);
        bureau.put(ONE, &fund("危房改造资金")).expect(201);
        bureau.patch(ONE, &json!({"year": 2018})).problem(409, "closed");
        bureau.put(ONE, &with(fund("危房改造资金"), "year", json!(2018))).problem(409, "closed");
        assert_eq!(bureau.patch(ONE, &json!({"year": 2020})).expect(200).json()["year"], 2020);
        bureau.patch("/api/v1/fiscal-years/2020", &json!({"status": "closed"})).expect(200);
        bureau.patch(ONE, &json!({"year": 2019})).problem(409, "closed");
        bureau.put(ONE, &fund("危房改造资金")).problem(409, "closed");
        assert_eq!(bureau.get(ONE).expect(200).json()["year"], 2020);
    }

    fn a_fund_moves_to_another_unit_only_with_rights_on_both(app) {
        let bureau = county(app);
        let (kaiyun, other, both) = (app.unit(&["219001"]), app.unit(&["302001"]), app.unit(&["219001", "302001"]));
        kaiyun.put(ONE, &fund("危房改造资金")).expect(201);
        let moved = with(fund("危房改造资金"), "unit", json!("302001"));
        for refused in [
            kaiyun.put(ONE, &moved), kaiyun.patch(ONE, &json!({"unit": "302001"})), other.put(ONE, &moved), other.patch(ONE, &json!({"unit": "302001"})),
        ] {
            refused.problem(403, "forbidden");
        }
        assert_eq!(bureau.get(ONE).expect(200).json()["unit"], "219001");
        assert_eq!(both.put(ONE, &moved).expect(200).json()["unit"], "302001");
        kaiyun.get(ONE).problem(403, "forbidden");
        other.get(ONE).expect(200);
    }

    fn a_units_token_sees_and_changes_its_own_funds_only(app) {
        let bureau = county(app);
        bureau.put(ONE, &fund("危房改造资金")).expect(201);
        bureau.put(&format!("{FUNDS}/two"), &with(fund("危房改造资金"), "unit", json!("302001"))).expect(201);
        let (kaiyun, other) = (app.unit(&["219001"]), app.unit(&["302001"]));
        assert_eq!(kaiyun.all(&format!("{FUNDS}?limit=1"), "id"), ["one"]);
        assert_eq!(other.all(&format!("{FUNDS}?limit=1"), "id"), ["two"]);
        assert_eq!(other.all(&format!("{FUNDS}?unit=219001"), "id"), [] as [Value; 0]);
        for refused in [
            other.get(ONE), other.get(&format!("{ONE}/score")), other.put(ONE, &fund("x")), other.patch(ONE, &json!({})), other.delete(ONE),
            other.post(FUNDS, &fund("村级运行经费")), other.put(&format!("{FUNDS}/three"), &fund("村级运行经费")),
            app.auditor().post(FUNDS, &fund("村级运行经费")), app.auditor().delete(ONE),
        ] {
            refused.problem(403, "forbidden");
        }
        assert_eq!(app.auditor().all(&format!("{FUNDS}?limit=1"), "id"), ["one", "two"]);
        other.post(FUNDS, &with(fund("村级运行经费"), "unit", json!("302001"))).expect(201);
    }

    fn a_fund_gets_the_score_that_its_table_gives_by_hand(app) {
        let bureau = county(app);
        let row = |section: &str, weight: &str, measure: Value| json!({"section": section, "name": "指标", "weight": weight, "measure": measure});
        let quantity = |comparison: &str, target: &str, actual: &str|
            json!({"kind": "quantity", "comparison": comparison, "target": target, "actual": actual});
        let quality = |level: &str, share: &str| json!({"kind": "quality", "level": level, "share": share});
        let mut table = fund("危房改造资金");
        table["funding"] = json!({"county": {"adjusted_budget": "200", "executed": "150"}, "municipal": {"adjusted_budget": "100", "executed": "90"}});
        table["targets"] = json!([
            row("output", "20", quantity("at_least", "181", "240")),
            row("output", "20", quantity("at_least", "400", "300")),
            row("output", "10", quantity("at_most", "10", "12.5")),
            row("benefit", "10", quantity("equal", "100", "100")),
            row("benefit", "10", quantity("equal", "50", "40")),
            row("benefit", "10", quality("partly", "75")),
            row("satisfaction", "10", quality("achieved", "95")),
        ]);
        bureau.put(ONE, &table).expect(201);
        let response = bureau.get(&format!("{ONE}/score")).expect(200);
        let score = response.json();
        let expected = [
            ("execution_rate", "8"),   // (150 + 90)/(200 + 100) = 80% of 10
            ("output_1", "20"),        // 240 ≥ 181
            ("output_2", "15"),        // 300/400 of 20
            ("output_3", "8"),         // 10/12.5 of 10
            ("benefit_1", "10"),       // 100 = 100
            ("benefit_2", "8"),        // 40/50 of 10
            ("benefit_3", "7.5"),      // 75% of 10
            ("satisfaction_1", "9.5"), // 95% of 10
        ];
        let expected = expected.map(|(code, points)| (code, json!(points)));
        assert_eq!(lines(&score, "points"), expected.iter().map(|(code, points)| (*code, points)).collect::<Vec<_>>());
        // 8 + 43 + 25.5 + 9.5.
        assert_eq!((&score["total"], &score["grade"]["name"]), (&json!("86"), &json!("良")));
        // The form's last column, row by row: 240/300, 90/100, 150/200.
        let rates: Vec<_> = score["executions"].as_array().unwrap().iter()
            .map(|row| (row["row"].as_str().unwrap(), row["name"]["zh"].as_str().unwrap(), row["percent"].as_str().unwrap())).collect();
        assert_eq!(rates, [("total", "年度资金总额", "80"), ("municipal", "市级资金", "90"), ("county", "县级资金", "75")]);
        // 240 is above 130% of 181, 235.3.
        let notices: Vec<_> = score["notices"].as_array().unwrap().iter().map(|notice| (notice["code"].as_str().unwrap(), notice["line"].as_str().unwrap())).collect();
        assert_eq!(notices, [("target_too_low", "output_1")]);

        bureau.with("If-None-Match", &response.etag()).get(&format!("{ONE}/score")).expect(304);
        let text = bureau.with("Accept", "text/plain").get(&format!("{ONE}/score")).expect(200);
        assert_ne!(text.etag(), response.etag());
        assert!(text.text().starts_with("危房改造资金（one）2019年度专项资金绩效目标自评得分"), "{}", text.text());
        bureau.patch(ONE, &json!({"funding": {"county": {"executed": "180"}}})).expect(200);
        let changed = bureau.with("If-None-Match", &response.etag()).get(&format!("{ONE}/score")).expect(200);
        // (180 + 90)/300 = 90% of 10: one point more.
        assert_eq!(changed.json()["total"], "87");
    }

    fn a_fund_with_gaps_keeps_its_score_open_and_names_the_gaps(app) {
        let bureau = county(app);
        let mut table = fund("危房改造资金");
        table["funding"] = json!({"county": {"adjusted_budget": "0", "executed": "0"}});
        table["targets"] = json!([
            {"section": "output", "name": "户数", "weight": "50", "measure": {"kind": "quantity", "comparison": "at_least", "target": "181"}},
            {"section": "benefit", "name": "住房安全", "weight": "30", "measure": {"kind": "quality", "level": "partly"}},
        ]);
        bureau.put(ONE, &table).expect(201);
        let score = bureau.get(&format!("{ONE}/score")).expect(200).json();
        assert_eq!(line(&score, "execution_rate")["points"], "10", "0 of 0: nothing planned and nothing done");
        let rates: Vec<_> = score["executions"].as_array().unwrap().iter().map(|row| (&row["row"], &row["percent"])).collect();
        assert_eq!(rates, [(&json!("total"), &Value::Null), (&json!("county"), &Value::Null)], "nothing can be divided by 0");
        assert_eq!(line(&score, "output_1")["interval"], json!({"low": "0", "high": "50"}));
        // Partly reached: 60 to 80% of 30.
        assert_eq!(line(&score, "benefit_1")["interval"], json!({"low": "18", "high": "24"}));
        // 10 + [0, 50] + [18, 24] + [0, 10], as no row for 满意度 is named.
        assert_eq!((&score["total"], &score["interval"]), (&Value::Null, &json!({"low": "28", "high": "94"})));
        let missing: Vec<_> = score["missing"].as_array().unwrap().iter().map(|field| field["pointer"].as_str().unwrap()).collect();
        assert_eq!(missing, ["/targets/0/measure/actual", "/targets/1/measure/share", "/targets"]);
    }

    fn rows_that_weigh_more_than_their_section_get_no_total(app) {
        let bureau = county(app);
        let met = json!({"kind": "quantity", "comparison": "equal", "target": "1", "actual": "1"});
        let targets = [("output", "70"), ("benefit", "30"), ("satisfaction", "10")]
            .map(|(section, weight)| json!({"section": section, "name": "指标", "weight": weight, "measure": met}));
        let mut table = with(fund("危房改造资金"), "targets", json!(targets));
        table["funding"] = json!({"total": {"adjusted_budget": "1", "executed": "1"}});
        bureau.put(ONE, &table).expect(201);
        let score = bureau.get(&format!("{ONE}/score")).expect(200).json();
        assert_eq!((&score["total"], &score["grade"]), (&Value::Null, &Value::Null));
        assert_eq!(score["notices"][0]["severity"], "error");
    }
}
