//! Answers over all units of a year: the ranking and the summary.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use jixiao::db::AnyConnection;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::faults;
use crate::support::{Client, TestApp};

const RANKING: &str = "/api/v1/fiscal-years/2019/ranking";
const SUMMARY: &str = "/api/v1/fiscal-years/2019/summary";

/// A unit-year as it stands: unit, kind, state, and its points for the lines `budget` (60) of the section `process` and
/// `work` (40) of the section `output`; `None` while the line is open.
type Unit = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
);

/// The year 2019 under a scheme of two lines, with these units; returns a client of the bureau.
fn with_units(app: &TestApp, units: &[Unit]) -> Client {
    let bureau = app.bureau();
    let line = |code: &str, name: &str, weight: &str| json!({"code": code, "name": name, "weight": weight, "rule": {"kind": "assessed"}});
    let section = |code: &str, name: &str, weight: &str, line: Value| json!({"code": code, "name": name, "weight": weight, "indicators": [line]});
    let scheme = json!({"name": "两项标准", "total": "100", "sections": [
        section("process", "过程", "60", line("budget", "预算完成率", "60")),
        section("output", "产出", "40", line("work", "重点工作", "40"))]});
    bureau.put("/api/v1/scoring-schemes/two", &scheme).expect(201);
    bureau
        .put("/api/v1/fiscal-years/2019", &json!({"scheme": "two"}))
        .expect(201);
    for (code, kind, ..) in units {
        let unit = json!({"name": format!("单位{code}"), "kind": kind});
        bureau.put(&format!("/api/v1/units/{code}"), &unit).expect(201);
    }
    for unit in units
        .iter()
        .copied()
        .filter(|(_, _, state, ..)| *state != "not_started")
    {
        app.write(move |conn| Ok(store(conn, unit, "two")?));
    }
    bureau
}

fn millionths(points: &str) -> i64 {
    let (whole, decimals) = points.split_once('.').unwrap_or((points, ""));
    format!("{whole}{decimals:0<6}").parse().unwrap()
}

/// Writes what a submission writes for those who count.
fn store(conn: &mut AnyConnection, (code, kind, state, budget, work): Unit, scheme: &str) -> QueryResult<()> {
    diesel::sql_query(
        "INSERT INTO evaluations (unit_code, year, state, base_data_version, assessments_version, created_at, updated_at) \
         VALUES ($1, 2019, $2, 1, 1, '', '')",
    )
    .bind::<Text, _>(code)
    .bind::<Text, _>(state)
    .execute(conn)?;
    if matches!(state, "draft" | "returned") {
        return Ok(());
    }
    let parts = [("budget", "process", 60, budget), ("work", "output", 40, work)];
    let points: Option<i64> = parts.iter().map(|(.., points)| points.map(millionths)).sum();
    let low: i64 = parts.iter().filter_map(|(.., points)| points.map(millionths)).sum();
    let open = parts.iter().filter(|(.., points)| points.is_none());
    let high = low + open.map(|(_, _, weight, _)| weight * 1_000_000).sum::<i64>();
    let grade = points.map(|points| match points {
        90_000_000.. => "excellent",
        80_000_000.. => "good",
        60_000_000.. => "fair",
        _ => "poor",
    });
    diesel::sql_query(
        "INSERT INTO standings (year, unit_code, unit_kind, state, submission, scheme_id, low, high, grade, points, self_points) \
         VALUES (2019, $1, $2, $3, 1, $4, $5, $6, $7, $8, 100000000)",
    )
    .bind::<Text, _>(code)
    .bind::<Text, _>(kind)
    .bind::<Text, _>(state)
    .bind::<Text, _>(scheme)
    .bind::<BigInt, _>(low)
    .bind::<BigInt, _>(high)
    .bind::<Nullable<Text>, _>(grade)
    .bind::<Nullable<BigInt>, _>(points)
    .execute(conn)?;
    for (line, section, weight, points) in parts {
        for (part, code_of, name) in [("line", line, "指标"), ("section", section, "一级指标")] {
            diesel::sql_query(
                "INSERT INTO standing_parts (year, unit_code, unit_kind, part, code, name, weight, points) \
                 VALUES (2019, $1, $2, $3, $4, $5, $6, $7)",
            )
            .bind::<Text, _>(code)
            .bind::<Text, _>(kind)
            .bind::<Text, _>(part)
            .bind::<Text, _>(code_of)
            .bind::<Text, _>(format!("{name}{code_of}"))
            .bind::<BigInt, _>(weight * 1_000_000)
            .bind::<Nullable<BigInt>, _>(points.map(millionths))
            .execute(conn)?;
        }
    }
    Ok(())
}

/// Eight units: 95, 88, 88, 88, 71.5 and open ones; three that have not submitted.
fn county(app: &TestApp) -> Client {
    with_units(
        app,
        &[
            ("101", "town", "submitted", Some("48"), Some("40")),
            ("102", "department", "approved", Some("60"), Some("28")),
            ("103", "town", "published", Some("55"), Some("40")),
            ("104", "department", "under_review", Some("31.5"), Some("40")),
            ("105", "town", "submitted", Some("50"), Some("38")),
            ("201", "town", "submitted", Some("20"), None),
            ("202", "department", "submitted", None, Some("12")),
            ("301", "town", "draft", None, None),
            ("302", "department", "returned", None, None),
            ("303", "town", "not_started", None, None),
        ],
    )
}

/// Rank and unit of each row of a ranking, over its pages.
fn ranks(client: &Client, query: &str) -> Vec<(Value, Value)> {
    let path = format!("{RANKING}?{query}");
    let ranks = client.all(&path, "rank");
    ranks.into_iter().zip(client.all(&path, "unit")).collect()
}

fn ranked(rows: &[(i64, &str)]) -> Vec<(Value, Value)> {
    rows.iter().map(|(rank, unit)| (json!(rank), json!(unit))).collect()
}

both_engines! {
    fn equal_points_share_a_rank_and_the_next_is_as_much_behind_on_any_page(app) {
        let bureau = county(app);
        // 95; 48 + 40 = 60 + 28 = 50 + 38 = 88; 71.5.
        let expected = ranked(&[(1, "103"), (2, "101"), (2, "102"), (2, "105"), (5, "104")]);
        for limit in 1..=6 {
            assert_eq!(ranks(&bureau, &format!("limit={limit}")), expected, "limit {limit}");
        }
        let first = bureau.get(&format!("{RANKING}?limit=2&kind=town")).expect(200);
        assert_eq!(first.header("Link").unwrap(), format!("<{RANKING}?limit=2&kind=town&cursor=88000000-101>; rel=\"next\""));
    }

    fn a_row_says_who_stands_where_and_by_what(app) {
        let page = county(app).get(&format!("{RANKING}?limit=1")).expect(200).json();
        assert_eq!(page["items"], json!([{"rank": 1, "unit": "103", "unit_name": "单位103", "kind": "town", "points": "95",
            "total": "95", "self_total": "100", "interval": {"low": "95", "high": "95"},
            "grade": {"code": "excellent", "name": "优"}, "state": "published", "submission": 1, "scheme": "two",
            "link": "/api/v1/units/103/evaluations/2019"}]));
    }

    fn what_is_open_is_not_ranked_but_counted_and_listed_apart(app) {
        let bureau = county(app);
        let head = bureau.get(RANKING).expect(200).json();
        // Of ten units five are ranked, two open; one has a draft, one was returned, one has nothing.
        assert_eq!((&head["ranked"], &head["incomplete"], &head["not_submitted"]), (&json!(5), &json!(2), &json!(3)));
        let open = bureau.get(&format!("{RANKING}?complete=false")).expect(200).json();
        let rows = open["items"].as_array().unwrap();
        let shown: Vec<_> = rows.iter().map(|row| (&row["unit"], &row["rank"], &row["points"], &row["interval"])).collect();
        // 202: 12 to 12 + 60; 201: 20 to 20 + 40. The one that can still get more comes first.
        assert_eq!(shown, [
            (&json!("202"), &Value::Null, &Value::Null, &json!({"low": "12", "high": "72"})),
            (&json!("201"), &Value::Null, &Value::Null, &json!({"low": "20", "high": "60"})),
        ]);
        assert_eq!(bureau.all(&format!("{RANKING}?complete=false&limit=1"), "unit"), ["202", "201"]);
        assert_eq!(bureau.all(&format!("{RANKING}?complete=false&kind=town"), "unit"), ["201"]);
    }

    fn a_section_ranks_by_its_own_points(app) {
        let bureau = county(app);
        // 201 has 20 points in process although its total is open, and 202 is open in process only.
        let expected = ranked(&[(1, "102"), (2, "103"), (3, "105"), (4, "101"), (5, "104"), (6, "201")]);
        for limit in [2, 200] {
            assert_eq!(ranks(&bureau, &format!("by=process&limit={limit}")), expected);
        }
        // 40, 40, 40, 38, 28, 12.
        assert_eq!(ranks(&bureau, "by=output&limit=2"),
            ranked(&[(1, "101"), (1, "103"), (1, "104"), (4, "105"), (5, "102"), (6, "202")]));
        let head = bureau.get(&format!("{RANKING}?by=process&complete=false")).expect(200).json();
        assert_eq!((&head["by"], &head["ranked"], &head["incomplete"]), (&json!("process"), &json!(6), &json!(1)));
        assert_eq!(head["items"][0]["unit"], "202");
    }

    fn a_kind_is_ranked_among_itself(app) {
        let bureau = county(app);
        assert_eq!(ranks(&bureau, "kind=town&limit=1"), ranked(&[(1, "103"), (2, "101"), (2, "105")]));
        assert_eq!(ranks(&bureau, "kind=department&by=process"), ranked(&[(1, "102"), (2, "104")]));
        let head = bureau.get(&format!("{RANKING}?kind=department")).expect(200).json();
        assert_eq!((&head["ranked"], &head["incomplete"], &head["not_submitted"]), (&json!(2), &json!(1), &json!(1)));
    }

    fn an_unknown_section_is_refused_with_those_that_there_are(app) {
        let bureau = county(app);
        let problem = bureau.get(&format!("{RANKING}?by=input")).problem(422, "unfit-parameter");
        let error = &problem["errors"][0];
        assert_eq!((&error["parameter"], &error["code"]), (&json!("by"), &json!("unknown_section")));
        assert!(error["detail"].as_str().unwrap().contains("total, process, output"), "{error}");
        let bad = bureau.get(&format!("{RANKING}?by=A&kind=x&cursor=1&limit=201&complete=1&sort=x")).parameters();
        assert_eq!(bad, faults(&[("by", "invalid_value"), ("kind", "invalid_value"), ("cursor", "invalid_value"),
            ("limit", "invalid_value"), ("complete", "invalid_value"), ("sort", "unknown_parameter")]));
    }

    fn a_year_without_submissions_ranks_nobody_and_one_that_is_not_set_up_is_not_found(app) {
        let bureau = with_units(app, &[("101", "town", "not_started", None, None)]);
        let empty = bureau.get(&format!("{RANKING}?by=process")).expect(200).json();
        assert_eq!((&empty["items"], &empty["schemes"], &empty["not_submitted"]), (&json!([]), &json!([]), &json!(1)));
        let summary = bureau.get(SUMMARY).expect(200).json();
        assert_eq!((&summary["units"], &summary["states"]["not_started"]), (&json!(1), &json!(1)));
        assert_eq!((&summary["totals"]["mean"], &summary["totals"]["median"]), (&Value::Null, &Value::Null));
        for what in ["ranking", "summary"] {
            bureau.get(&format!("/api/v1/fiscal-years/2018/{what}")).problem(404, "not-found");
        }
    }

    fn a_unit_that_did_not_exist_in_the_year_is_not_waited_for(app) {
        let bureau = county(app);
        app.write(|conn| Ok(diesel::sql_query(
            "UPDATE units SET valid_from = CASE code WHEN '303' THEN 2020 END, valid_to = CASE code WHEN '301' THEN 2018 END \
             WHERE code IN ('301', '303')").execute(&mut **conn)?));
        let head = bureau.get(RANKING).expect(200).json();
        assert_eq!(head["not_submitted"], 1, "only 302, which was returned");
        // 301 has a draft nevertheless: that is seen.
        let states = &bureau.get(SUMMARY).expect(200).json()["states"];
        assert_eq!((&states["not_started"], &states["draft"], &states["returned"]), (&json!(0), &json!(1), &json!(1)));
    }

    fn schemes_that_differ_are_said(app) {
        let bureau = with_units(app, &[("101", "town", "submitted", Some("48"), Some("40"))]);
        bureau.put("/api/v1/units/102", &json!({"name": "乙", "kind": "town"})).expect(201);
        app.write(|conn| Ok(store(conn, ("102", "town", "submitted", Some("60"), Some("10")), "one")?));
        let schemes = json!([{"scheme": "one", "units": 1}, {"scheme": "two", "units": 1}]);
        for path in [RANKING, SUMMARY] {
            assert_eq!(bureau.get(path).expect(200).json()["schemes"], schemes, "{path}");
            let text = bureau.with("Accept", "text/plain").get(path).expect(200).text();
            assert!(text.contains("评分标准不同"), "{text}");
        }
    }

    fn a_summary_counts_states_and_distributes_totals(app) {
        let summary = county(app).get(SUMMARY).expect(200).json();
        assert_eq!(summary["units"], 10);
        assert_eq!(summary["states"], json!({"not_started": 1, "draft": 1, "submitted": 4, "returned": 1, "under_review": 1,
            "approved": 1, "published": 1}));
        let totals = &summary["totals"];
        // 71.5, 88, 88, 88, 95: the mean is 430.5 / 5 = 86.1, the quartiles are the second, third and fourth.
        for (name, expected) in [("ranked", json!(5)), ("incomplete", json!(2)), ("mean", json!("86.1")), ("min", json!("71.5")),
            ("lower_quartile", json!("88")), ("median", json!("88")), ("upper_quartile", json!("88")), ("max", json!("95"))] {
            assert_eq!(totals[name], expected, "{name}");
        }
        assert_eq!(totals["grades"], json!([{"code": "excellent", "name": "优", "units": 1, "percent": "20"},
            {"code": "good", "name": "良", "units": 3, "percent": "60"}, {"code": "fair", "name": "中", "units": 1, "percent": "20"},
            {"code": "poor", "name": "差", "units": 0, "percent": "0"}]));
        let bands: Vec<_> = totals["bands"].as_array().unwrap().iter().filter(|band| band["units"] != 0).cloned().collect();
        assert_eq!(bands, [json!({"from": "70", "to": "75", "units": 1}), json!({"from": "85", "to": "90", "units": 3}),
            json!({"from": "95", "to": "100", "units": 1})]);
    }

    fn a_summary_says_where_most_points_are_lost(app) {
        let summary = county(app).get(SUMMARY).expect(200).json();
        // budget: 48 + 60 + 55 + 31.5 + 50 + 20 = 264.5 of 6 × 60 = 360: 95.5 lost by five of six, 15.92 each; 73.47%.
        // work: 40 + 28 + 40 + 40 + 38 + 12 = 198 of 240: 42 lost by three of six, 7 each; 82.5%.
        assert_eq!(summary["indicators"], json!([
            {"code": "budget", "name": "指标budget", "units": 6, "losing": 5, "losing_percent": "83.33", "lost": "95.5",
             "mean_lost": "15.92", "rate": "73.47"},
            {"code": "work", "name": "指标work", "units": 6, "losing": 3, "losing_percent": "50", "lost": "42",
             "mean_lost": "7", "rate": "82.5"}]));
        // In the order of the form. 264.5 / 6 = 44.083…
        assert_eq!(summary["sections"], json!([
            {"code": "process", "name": "一级指标process", "units": 6, "mean": "44.08", "rate": "73.47"},
            {"code": "output", "name": "一级指标output", "units": 6, "mean": "33", "rate": "82.5"}]));
    }

    fn a_summary_of_a_kind_is_the_same_alone_as_among_the_others(app) {
        let bureau = county(app);
        let all = bureau.get(SUMMARY).expect(200).json();
        let kinds = all["by_kind"].as_array().unwrap();
        assert_eq!(kinds.iter().map(|kind| &kind["kind"]).collect::<Vec<_>>(), ["department", "town"]);
        for of_kind in kinds {
            let kind = of_kind["kind"].as_str().unwrap();
            let alone = bureau.get(&format!("{SUMMARY}?kind={kind}")).expect(200).json();
            for name in ["kind", "units", "states", "totals", "sections", "indicators"] {
                assert_eq!(alone[name], of_kind[name], "{kind}: {name}");
            }
        }
        // Towns have 88, 95 and 88: the mean is 271 / 3.
        assert_eq!((&kinds[1]["units"], &kinds[1]["totals"]["mean"]), (&json!(6), &json!("90.33")));
    }

    fn who_is_reviewed_is_ranked_by_the_review_and_who_gets_it_back_is_not_ranked(app) {
        let bureau = with_units(app, &[("101", "town", "not_started", None, None), ("102", "town", "not_started", None, None)]);
        let act = |unit: &str, action: &str| {
            let body = json!({"reason": "更正后重新提交"});
            bureau.post(&format!("/api/v1/units/{unit}/evaluations/2019/{action}"), &body).expect(200);
        };
        for (unit, budget, work) in [("101", "50", "38"), ("102", "55", "30")] {
            let judged = |points: &str| json!({"points": points, "reason": "按完成情况评定"});
            let assessments = json!({"indicators": {"budget": judged(budget), "work": judged(work)}});
            bureau.put(&format!("/api/v1/units/{unit}/evaluations/2019/assessments"), &assessments).expect(201);
            act(unit, "submit");
        }
        // 88 and 85.
        assert_eq!(ranks(&bureau, ""), ranked(&[(1, "101"), (2, "102")]));
        act("101", "begin-review");
        let review = json!({"lines": {"work": {"points": "34", "reason": "两项重点工作未完成"}}});
        bureau.put("/api/v1/units/101/evaluations/2019/review", &review).expect(200);
        // 84 and 85.
        assert_eq!(ranks(&bureau, ""), ranked(&[(1, "102"), (2, "101")]));
        act("101", "approve");
        let row = bureau.get(RANKING).expect(200).json()["items"][1].clone();
        assert_eq!((&row["points"], &row["self_total"], &row["state"]), (&json!("84"), &json!("88"), &json!("approved")));
        let trend = bureau.get("/api/v1/units/101/trend").expect(200).json();
        let year = &trend["years"][0];
        assert_eq!((&year["points"], &year["self_points"], &year["state"]), (&json!("84"), &json!("88"), &json!("approved")));
        // By code: output before process.
        assert_eq!(year["sections"][0]["points"], "34");

        act("102", "return");
        let head = bureau.get(RANKING).expect(200).json();
        assert_eq!((&head["ranked"], &head["not_submitted"]), (&json!(1), &json!(1)));
        assert_eq!(ranks(&bureau, ""), ranked(&[(1, "101")]));
        let summary = bureau.get(SUMMARY).expect(200).json();
        assert_eq!((&summary["states"]["approved"], &summary["states"]["returned"]), (&json!(1), &json!(1)));
        // 6 of the 40 points for work are lost, of one unit.
        let lost = summary["indicators"].as_array().unwrap().iter().find(|indicator| indicator["code"] == "work").unwrap();
        assert_eq!((&lost["units"], &lost["lost"]), (&json!(1), &json!("6")));
        assert_eq!(bureau.get("/api/v1/units/102/trend").expect(200).json()["years"], json!([]));

        act("102", "submit");
        act("101", "reopen");
        assert_eq!(ranks(&bureau, ""), ranked(&[(1, "102")]));
    }

    fn both_are_tables_for_who_wants_text(app) {
        let client = county(app).with("Accept", "text/plain");
        let ranking = client.get(&format!("{RANKING}?limit=3")).expect(200);
        assert_eq!(ranking.header("Content-Type"), Some("text/plain; charset=utf-8"));
        assert!(ranking.header("Link").is_some());
        let text = ranking.text();
        assert!(text.contains("参加排名5个单位，有指标待定、不参加排名2个，未提交3个"), "{text}");
        let row = text.lines().find(|line| line.contains("单位102")).unwrap();
        let cells: Vec<_> = row.split_whitespace().collect();
        assert_eq!(cells, ["2", "102", "单位102", "88", "100", "良"]);
        let summary = client.get(SUMMARY).expect(200).text();
        assert!(summary.contains("【全部单位】共10个单位"), "{summary}");
        assert!(summary.contains("【乡镇】共6个单位"), "{summary}");
    }
}
