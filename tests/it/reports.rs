//! A unit's report and the county's: what they are of, and the form that they are sent in.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::Response;
use crate::support::{Client, TestApp, load_example, with_ready};

const EVALUATION: &str = "/api/v1/units/219001/evaluations/2019";
const REPORT: &str = "/api/v1/units/219001/evaluations/2019/report";
const COUNTY: &str = "/api/v1/fiscal-years/2019/report";
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const HOSTILE: &str = "<script>alert('甲')</script>&\"<img src=x onerror=alert(1)>";

/// The page at an address, which is well formed: every element is closed, every attribute quoted, every sign escaped.
#[track_caller]
fn page(client: &Client, path: &str) -> String {
    let response = client.get(path).expect(200);
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    let page = response.text().to_string();
    let mut reader = Reader::from_str(&page);
    reader.config_mut().check_end_names = false;
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader
            .read_event()
            .unwrap_or_else(|error| panic!("{path}: {error}: {page}"))
        {
            Event::Start(element) => {
                for attribute in element.attributes() {
                    attribute.unwrap();
                }
                let name = element.name().as_ref().to_owned();
                assert_ne!(name, "script");
                if !["meta", "br"].contains(&&*name) {
                    open.push(name);
                }
            }
            Event::End(element) => assert_eq!(open.pop().as_deref(), Some(element.name().as_ref()), "{page}"),
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    page
}

/// Everything of `words` is in the page.
#[track_caller]
fn says(page: &str, words: &[&str]) {
    for word in words {
        assert!(page.contains(word), "{word}: {page}");
    }
}

fn act(client: &Client, action: &str) -> Response {
    client.send("POST", &format!("{EVALUATION}/{action}"), None).expect(200)
}

/// 219001 under review, two points of its own lost: the bureau gives 12 where the unit has 15 of 20.
fn with_review(app: &TestApp) -> (Client, Value) {
    let bureau = with_ready(app);
    act(&bureau, "submit");
    act(&bureau, "begin-review");
    let review = json!({"lines": {"benefit": {"points": "12", "reason": "两项目标未完成"}}, "comment": "数据真实"});
    bureau.put(&format!("{EVALUATION}/review"), &review).expect(200);
    (bureau, review)
}

both_engines! {
    fn a_report_on_a_draft_is_what_submitting_would_keep_and_afterwards_what_was_kept(app) {
        let bureau = with_ready(app);
        let before = bureau.get(REPORT).expect(200).json();
        act(&bureau, "submit");
        let kept = bureau.get(&format!("{EVALUATION}/submissions/1")).expect(200).json();
        let after = bureau.get(REPORT).expect(200).json();
        assert_eq!(after["document"], kept);
        assert_eq!((&after["state"], &after["counted"]["total"]), (&json!("submitted"), &json!("95")));
        assert_eq!(after["trend"]["years"][0]["points"], "95");
        let mut draft = before["document"].clone();
        assert_eq!((&draft["submitted_at"], &draft["submitted_by"]), (&Value::Null, &Value::Null));
        draft["submitted_at"] = kept["submitted_at"].clone();
        draft["submitted_by"] = kept["submitted_by"].clone();
        assert_eq!(draft, kept);
    }

    fn the_points_of_a_review_count_and_units_read_it_once_it_has_ended(app) {
        let (bureau, review) = with_review(app);
        let unit = app.unit(&["219001"]);
        // 60 + 15 + 20 by the unit, three points less by the bureau.
        let seen = bureau.get(REPORT).expect(200).json();
        assert_eq!((&seen["counted"]["total"], &seen["document"]["score"]["total"]), (&json!("92"), &json!("95")));
        says(&page(&bureau, &format!("{REPORT}?format=html")), &["复核得分", "<strong>92</strong>", "两项目标未完成", "复核意见：</b>数据真实"]);
        let hidden = unit.get(REPORT).expect(200).json();
        assert_eq!((&hidden["counted"]["total"], &hidden["review"]), (&json!("95"), &Value::Null));
        let hidden = page(&unit, &format!("{REPORT}?format=html"));
        says(&hidden, &["<strong>95</strong>"]);
        assert!(!hidden.contains("复核") || hidden.contains("复核中"), "{hidden}");
        assert!(!hidden.contains("两项目标未完成"));
        act(&bureau, "approve");
        let open = unit.get(REPORT).expect(200).json();
        assert_eq!((&open["counted"]["total"], &open["review"]["review"]), (&json!("92"), &review));
    }

    fn the_form_is_that_of_the_parameter_else_that_of_accept(app) {
        let bureau = with_ready(app);
        let (json, html) = ("application/json", "text/html; charset=utf-8");
        for path in [REPORT, COUNTY] {
            for (accept, query, expected) in [
                ("", "", json),
                ("*/*", "", json),
                ("application/*;q=0.1", "", json),
                (BROWSER, "", html),
                ("text/*", "", html),
                ("application/json;q=0.4, text/html;q=0.5", "", html),
                ("text/html;q=0, */*", "", json),
                ("application/json", "?format=html", html),
                ("image/png", "?format=html", html),
                (BROWSER, "?format=json", json),
            ] {
                let sent = bureau.with("Accept", accept).get(&format!("{path}{query}")).expect(200);
                assert_eq!(sent.header("content-type"), Some(expected), "{path}: {accept} {query}");
                assert!(sent.header("vary").unwrap_or_default().contains("accept, accept-language"));
            }
            let refused = bureau.with("Accept", "image/png").get(path).expect(406).json();
            let detail = refused["detail_zh"].as_str().unwrap();
            assert!(detail.starts_with("此地址可返回application/json") && detail.contains("text/html"), "{detail}");
            let unknown = bureau.get(&format!("{path}?format=png&lang=fr")).expect(400).json();
            let named: Vec<_> = unknown["errors"].as_array().unwrap().iter().map(|error| &error["parameter"]).collect();
            assert_eq!(named, ["format", "lang"]);
        }
        bureau.get("/api/v1/units/219001/evaluations/2018/report?format=html").expect(404);
        bureau.get("/api/v1/fiscal-years/2018/report?format=html").expect(404);
    }

    fn each_document_is_given_for_its_media_type_and_for_its_word(app) {
        let bureau = with_ready(app);
        for (word, media_type) in [
            ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            ("pdf", "application/pdf"),
        ] {
            let sent = bureau.with("Accept", media_type).get(REPORT).expect(200);
            let named = bureau.get(&format!("{REPORT}?format={word}")).expect(200);
            for sent in [&sent, &named] {
                assert_eq!(sent.header("content-type"), Some(media_type));
                let name = sent.header("content-disposition").unwrap();
                assert!(name.contains(&format!("filename=\"report-219001-2019.{word}\"")), "{name}");
            }
            assert_eq!(sent.header("etag"), named.header("etag"));
            let again = bureau.with("If-None-Match", sent.header("etag").unwrap());
            again.get(&format!("{REPORT}?format={word}")).expect(304);
            again.get(&format!("{REPORT}?format=json")).expect(200);
        }
    }

    fn a_page_has_a_name_in_chinese_and_may_run_nothing(app) {
        let bureau = app.with_kaiyun();
        let sent = bureau.get(&format!("{REPORT}?format=html")).expect(200);
        let name: String = "衡山县开云镇人民政府2019年度部门整体支出绩效自评报告.html".bytes().map(|byte| match byte {
            byte if byte.is_ascii() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        }).collect();
        let expected = format!("inline; filename=\"report-219001-2019.html\"; filename*=UTF-8''{name}");
        assert_eq!(sent.header("content-disposition"), Some(expected.as_str()));
        assert_eq!(bureau.get(REPORT).header("content-disposition"), None);
        let policy = sent.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    }

    fn a_page_is_in_the_language_that_is_asked_for_and_else_in_chinese(app) {
        let bureau = with_ready(app);
        for path in [REPORT, COUNTY] {
            for (header, query, language) in [
                ("", "", "zh-CN"),
                ("*", "", "zh-CN"),
                ("en-GB,en;q=0.9", "", "en"),
                ("fr, zh;q=0.5", "", "zh-CN"),
                ("en", "&lang=zh", "zh-CN"),
                ("zh", "&lang=en", "en"),
            ] {
                let client = bureau.with("Accept-Language", header);
                let path = format!("{path}?format=html{query}");
                says(&page(&client, &path), &[&format!("<html lang=\"{language}\">")]);
                assert_eq!(client.get(&path).header("content-language"), Some(language));
            }
        }
        let title = "单位219001: performance self-evaluation 2019";
        says(&page(&bureau, &format!("{REPORT}?format=html&lang=en")), &[title, "Points by section", "<span lang=\"zh-CN\">试行标准</span>"]);
    }

    fn a_report_is_not_sent_again_while_it_says_the_same(app) {
        let bureau = with_ready(app);
        let forms = ["?format=json", "?format=html", "?format=html&lang=en"].map(|query| format!("{REPORT}{query}"));
        let tags = forms.each_ref().map(|path| bureau.get(path).expect(200).header("etag").unwrap().to_owned());
        assert!(tags[0] != tags[1] && tags[1] != tags[2], "{tags:?}");
        for (path, tag) in forms.iter().zip(&tags) {
            let again = bureau.with("If-None-Match", tag);
            assert!(again.get(path).expect(304).body.is_empty());
            let head = bureau.send("HEAD", path, None).expect(200);
            assert_eq!((head.header("etag"), head.body.len()), (Some(tag.as_str()), 0));
            // The tag of one form is not that of another.
            let known = tags.iter().filter(|tag| bureau.with("If-None-Match", tag).get(path).status == 304);
            assert_eq!(known.count(), 1);
        }
        // What is only in the name counts too.
        bureau.patch("/api/v1/units/219001", &json!({"name": "开云"})).expect(200);
        for (path, tag) in forms.iter().zip(&tags) {
            assert_ne!(bureau.with("If-None-Match", tag).get(path).expect(200).header("etag"), Some(tag.as_str()));
        }
    }

    fn what_people_wrote_is_text_wherever_it_stands(app) {
        let bureau = app.bureau();
        bureau.put("/api/v1/units/219001", &json!({"name": HOSTILE, "kind": "town"})).expect(201);
        let scheme = json!({"name": HOSTILE, "total": "100", "sections": [{"code": "all", "name": HOSTILE, "weight": "100", "indicators": [
            {"code": "benefit", "name": HOSTILE, "name_en": HOSTILE, "group": HOSTILE, "weight": "100", "rule": {"kind": "assessed"}}]}],
            "grades": [{"code": "good", "name": HOSTILE, "from": "0"}]});
        bureau.put("/api/v1/scoring-schemes/hostile", &scheme).expect(201);
        bureau.put("/api/v1/fiscal-years/2019", &json!({"scheme": "hostile"})).expect(201);
        bureau.put("/api/v1/special-funds/f1", &json!({"unit": "219001", "year": 2019, "name": HOSTILE})).expect(201);
        let assessments = json!({"indicators": {"benefit": {"points": "15", "reason": HOSTILE}}});
        bureau.put(&format!("{EVALUATION}/assessments"), &assessments).expect(201);
        let reasons = json!({"findings": {"fund_not_in_sheet:f1": HOSTILE, "fund_incomplete:f1": HOSTILE}});
        bureau.put(&format!("{EVALUATION}/reasons"), &reasons).expect(201);
        let check = |path: &str| {
            for lang in ["zh", "en"] {
                let page = page(&bureau, &format!("{path}?format=html&lang={lang}"));
                assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
                says(&page, &["&lt;script&gt;alert('甲')&lt;/script&gt;&amp;&quot;&lt;img"]);
            }
        };
        check(REPORT);
        check(COUNTY);
        act(&bureau, "submit");
        act(&bureau, "begin-review");
        let review = json!({"lines": {"benefit": {"points": "12", "reason": HOSTILE}}, "comment": HOSTILE});
        bureau.put(&format!("{EVALUATION}/review"), &review).expect(200);
        check(REPORT);
        check(COUNTY);
    }

    fn a_page_says_what_is_missing_and_what_the_total_can_still_be(app) {
        let bureau = app.bureau();
        load_example(&bureau, "kaiyun-2019");
        let score = bureau.get(&format!("{EVALUATION}/score")).expect(200).json();
        let page = page(&bureau, &format!("{REPORT}?format=html"));
        let missing = score["missing"].as_array().unwrap();
        assert!(!missing.is_empty());
        for field in missing {
            says(&page, &[field["label"]["zh"].as_str().unwrap()]);
        }
        for line in score["lines"].as_array().unwrap() {
            let explanation = line["explanation"]["zh"].as_str().unwrap();
            says(&page, &[line["name"].as_str().unwrap(), &explanation.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")]);
        }
        // The three special funds of the example, and the interval that the other tests hold the score to.
        says(&page, &["<strong>5～100</strong>", "尚未提交", "待补充的资料", "危房改造资金"]);
    }

    fn a_unit_year_of_which_nothing_is_filed_has_a_page_too(app) {
        let bureau = app.with_kaiyun();
        says(&page(&bureau, &format!("{REPORT}?format=html")), &["未填报", "<strong>0～100</strong>"]);
    }

    fn the_county_page_shows_who_stands_where_and_who_is_still_to_submit(app) {
        app.with_units(&[("219002", None), ("219003", None)]);
        let bureau = with_ready(app);
        act(&bureau, "submit");
        bureau.put("/api/v1/units/219002/evaluations/2019/base-data", &json!({"staff": {"posts": 10, "in_post": 10}})).expect(201);
        let report = bureau.get(COUNTY).expect(200).json();
        assert_eq!(report["ranking"]["items"][0]["points"], "95");
        assert_eq!(report["summary"]["states"], bureau.get("/api/v1/fiscal-years/2019/summary").json()["states"]);
        let waiting: Vec<_> = report["not_submitted"]["items"].as_array().unwrap().iter().map(|unit| (&unit["unit"], &unit["state"])).collect();
        assert_eq!(waiting, [(&json!("219002"), &json!("draft")), (&json!("219003"), &json!("not_started"))]);
        let page = page(&bureau, &format!("{COUNTY}?format=html"));
        says(&page, &["2019年度部门整体支出绩效自评汇总报告", "填报中", "未填报", "95～100", "/api/v1/units/219001/evaluations/2019/report?format=html"]);
        // Page by page, and no more of another kind of unit.
        let first = bureau.get(&format!("{COUNTY}?limit=1")).expect(200).json();
        assert_eq!(first["not_submitted"]["next_cursor"], "219002");
        let second = bureau.get(&format!("{COUNTY}?limit=1&waiting_cursor=219002")).expect(200).json();
        assert_eq!((&second["not_submitted"]["items"][0]["unit"], &second["not_submitted"]["next_cursor"]), (&json!("219003"), &Value::Null));
        says(&super::page(&bureau, &format!("{COUNTY}?limit=1&format=html")), &["waiting_cursor=219002\" rel=\"next\""]);
        assert_eq!(bureau.get(&format!("{COUNTY}?kind=town")).expect(200).json()["not_submitted"]["items"], json!([]));
    }
}
