//! The scores of many units' years at once, over HTTP.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::TestApp;
use crate::support::client::Client;

/// A scheme of 10 points for 在职人员控制率, of which each point above 100% costs so many.
fn scheme(per_step: &str) -> Value {
    json!({"name": "衡山县评分标准", "total": "10", "sections": [{"code": "all", "name": "全部", "weight": "10", "indicators": [
        {"code": "in_post_control", "name": "在职人员控制率", "weight": "10",
            "ratio": {"numerator": "staff.in_post", "denominator": "staff.posts"},
            "rule": {"kind": "deduct", "target": "100", "off": "above", "step": "1", "points_per_step": per_step}}]}]})
}

/// 219001 and 219002 below 219, and 300 elsewhere, in 2019 and 2020: 103 people on 100 posts cost three steps of one point, 102
/// two. Of 300 the posts are not known.
fn with_years(app: &TestApp) -> Client {
    let bureau = app.with_units(&[
        ("219", None),
        ("219001", Some("219")),
        ("219002", Some("219")),
        ("300", None),
    ]);
    for (id, per_step) in [("strict", "1"), ("soft", "0.5")] {
        bureau
            .put(&format!("/api/v1/scoring-schemes/{id}"), &scheme(per_step))
            .expect(201);
    }
    for (unit, year, staff) in [
        ("300", 2019, json!({"in_post": 5})),
        ("219002", 2020, json!({"posts": 100, "in_post": 100})),
        ("219001", 2019, json!({"posts": 100, "in_post": 103})),
        ("219001", 2020, json!({"posts": 100, "in_post": 102})),
    ] {
        bureau.put(&format!("/api/v1/fiscal-years/{year}"), &json!({"scheme": "strict"}));
        let sheet = format!("/api/v1/units/{unit}/evaluations/{year}/base-data");
        bureau.put(&sheet, &json!({"staff": staff})).expect(201);
    }
    bureau
}

fn rows(client: &Client, query: &str) -> Vec<Value> {
    let lines = client.get(&format!("/api/v1/scores{query}")).expect(200).text();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Unit, year and total of each row.
fn totals(client: &Client, query: &str) -> Vec<Value> {
    let short = |row: Value| json!([row["unit"], row["year"], row["total"]]);
    rows(client, query).into_iter().map(short).collect()
}

both_engines! {
    fn all_years_of_all_units_are_scored_by_year_and_by_unit(app) {
        let bureau = with_years(app);
        assert_eq!(totals(&bureau, ""), [
            json!(["219001", 2019, "7"]),
            json!(["300", 2019, null]),
            json!(["219001", 2020, "8"]),
            json!(["219002", 2020, "10"]),
        ]);
        let open = &rows(&bureau, "?unit=300")[0];
        assert_eq!(open, &json!({"unit": "300", "unit_name": "单位300", "year": 2019, "state": "draft", "scheme": "strict",
            "total": null, "low": "0", "high": "10", "grade": null, "missing": 1}));
        // 70 of 100 is 中 by the grades that a scheme has when it names none.
        assert_eq!(rows(&bureau, "?unit=219001&year=2019")[0]["grade"], "中");
    }

    fn a_line_says_what_the_score_of_that_year_says(app) {
        let bureau = with_years(app);
        for row in rows(&bureau, "") {
            let (unit, year) = (row["unit"].as_str().unwrap(), &row["year"]);
            let score = bureau.get(&format!("/api/v1/units/{unit}/evaluations/{year}/score")).expect(200).json();
            assert_eq!(row["total"], score["total"]);
            assert_eq!([&row["low"], &row["high"]], [&score["interval"]["low"], &score["interval"]["high"]]);
            assert_eq!(row["grade"], score["grade"]["name"]);
            assert_eq!(row["missing"], score["missing"].as_array().unwrap().len());
        }
    }

    fn last_years_columns_come_from_the_sheet_of_the_year_before(app) {
        let bureau = with_years(app);
        let growth = json!({"name": "变动率标准", "total": "10", "sections": [{"code": "all", "name": "全部", "weight": "10", "indicators": [
            {"code": "three_public_change", "name": "三公经费变动率", "weight": "10",
                "ratio": {"numerator": "three_public.total.final - three_public.total.prior_final", "denominator": "three_public.total.prior_final"},
                "rule": {"kind": "deduct", "target": "0", "off": "above", "step": "1", "points_per_step": "1"}}]}]});
        bureau.put("/api/v1/scoring-schemes/growth", &growth).expect(201);
        // 10.3 after 10 is 3% more: three steps of a point.
        for (year, spent) in [(2019, "10"), (2020, "10.3")] {
            let sheet = format!("/api/v1/units/219001/evaluations/{year}/base-data");
            bureau.put(&sheet, &json!({"three_public": {"total": {"final": spent}}})).expect(200);
        }
        assert_eq!(totals(&bureau, "?scheme=growth&unit=219001"), [
            json!(["219001", 2019, null]),
            json!(["219001", 2020, "7"]),
        ]);
    }

    fn another_scheme_is_tried_on_all_without_changing_anything(app) {
        let bureau = with_years(app);
        assert_eq!(totals(&bureau, "?scheme=soft&year=2019"), [json!(["219001", 2019, "8.5"]), json!(["300", 2019, null])]);
        assert_eq!(rows(&bureau, "?scheme=soft&year=2019")[0]["scheme"], "soft");
        assert_eq!(totals(&bureau, "?year=2019")[0], json!(["219001", 2019, "7"]));
        bureau.get("/api/v1/scores?scheme=none").expect(404);
        let template = bureau.get("/api/v1/scores?scheme=mof-2013").expect(422);
        assert_eq!(template.json()["errors"][0]["parameter"], "scheme");
        bureau.get("/api/v1/scores?year=19").expect(400);
        bureau.get("/api/v1/scores?year=2031").problem(404, "not-found");
        bureau.get("/api/v1/scores?unit=404").problem(404, "not-found");
    }

    fn a_unit_sees_its_own_and_those_below_it(app) {
        let bureau = with_years(app);
        let above = app.unit(&["219"]);
        assert_eq!(rows(&above, "").len(), 3);
        above.get("/api/v1/scores?unit=300").problem(403, "forbidden");
        assert_eq!(totals(&app.unit(&["300"]), ""), [json!(["300", 2019, null])]);
        assert_eq!(totals(&app.auditor(), ""), totals(&bureau, ""));
    }

    fn more_than_one_piece_is_scored_in_order_and_none_twice(app) {
        let bureau = app.with_units(&[]);
        bureau.put("/api/v1/scoring-schemes/strict", &scheme("1")).expect(201);
        bureau.put("/api/v1/fiscal-years/2019", &json!({"scheme": "strict"})).expect(201);
        // Unit n has n people too many on 1000 posts, which costs a point for each whole ten: the first nine nothing.
        let codes: Vec<u32> = (100_000..100_600).collect();
        let lines = |row: &dyn Fn(u32) -> Value| codes.iter().map(|code| row(*code).to_string() + "\n").collect::<String>();
        let import = |resource: &str, lines: String| {
            let answer = bureau
                .with("Content-Type", "application/x-ndjson")
                .send("POST", &format!("/api/v1/imports?resource={resource}&mode=all"), Some(lines.as_bytes()));
            assert_eq!(answer.expect(201).json()["counts"]["created"], 600);
        };
        import("units", lines(&|code| json!({"code": code.to_string(), "name": "单位", "kind": "town"})));
        import("base_data", lines(&|code| {
            json!({"unit": code.to_string(), "year": 2019, "staff": {"posts": 1000, "in_post": 1000 + code % 100}})
        }));
        let expected: Vec<Value> = codes.iter().map(|code| {
            json!([code.to_string(), 2019, (10 - code % 100 / 10).to_string()])
        }).collect();
        assert_eq!(totals(&bureau, ""), expected);
    }

    fn as_a_table_it_begins_with_a_heading_and_no_name_is_a_formula(app) {
        let bureau = with_years(app);
        bureau.put("/api/v1/units/300", &json!({"name": "=1+1", "kind": "other"})).expect(200);
        let table = bureau.with("Accept", "text/csv").get("/api/v1/scores?year=2019").expect(200);
        assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
        assert_eq!(table.text(), "\u{feff}unit,unit_name,year,state,scheme,total,low,high,grade,missing\r\n\
            219001,单位219001,2019,draft,strict,7,7,7,中,0\r\n\
            300,'=1+1,2019,draft,strict,,0,10,,1\r\n");
        bureau.with("Accept", "application/pdf").get("/api/v1/scores").expect(406);
    }

    fn who_has_them_is_told_so_until_something_changes(app) {
        let bureau = with_years(app);
        let first = bureau.get("/api/v1/scores").expect(200);
        let known = bureau.with("If-None-Match", first.header("etag").unwrap());
        known.get("/api/v1/scores").expect(304);
        known.get("/api/v1/scores?scheme=soft").expect(200);
        bureau.put("/api/v1/units/219001/evaluations/2019/base-data", &json!({"staff": {"posts": 100, "in_post": 104}})).expect(200);
        known.get("/api/v1/scores").expect(200);
        assert_eq!(totals(&bureau, "?year=2019")[0], json!(["219001", 2019, "6"]));
    }
}
