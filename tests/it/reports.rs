//! A unit's report: what it is of, and the form that it is sent in.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::{load_example, with_ready};

const EVALUATION: &str = "/api/v1/units/219001/evaluations/2019";
const REPORT: &str = "/api/v1/units/219001/evaluations/2019/report";

both_engines! {
    fn a_report_on_a_draft_is_what_submitting_would_keep_and_afterwards_what_was_kept(app) {
        let bureau = app.bureau();
        load_example(&bureau, "county-year");
        let units = bureau.get("/api/v1/units?limit=100").expect(200).each("code");
        for unit in units {
            let evaluation = format!("/api/v1/units/{unit}/evaluations/2019");
            let before = bureau.get(&format!("{evaluation}/report")).expect(200).json();
            if bureau.post(&format!("{evaluation}/submit"), &json!({})).status != 200 {
                continue;
            }
            let kept = bureau.get(&format!("{evaluation}/submissions/1")).expect(200).json();
            let after = bureau.get(&format!("{evaluation}/report")).expect(200).json();
            // Read back from what was frozen, it is that to the last field.
            assert_eq!(after["document"], kept);
            assert_eq!((&after["state"], &after["counted"]["total"]), (&json!("submitted"), &kept["score"]["total"]));
            let mut draft = before["document"].clone();
            assert_eq!((&draft["submitted_at"], &draft["submitted_by"]), (&Value::Null, &Value::Null));
            draft["submitted_at"] = kept["submitted_at"].clone();
            draft["submitted_by"] = kept["submitted_by"].clone();
            assert_eq!(draft, kept);
        }
    }

    fn the_points_of_a_review_count_and_units_read_it_once_it_has_ended(app) {
        let bureau = with_ready(app);
        let unit = app.unit(&["219001"]);
        bureau.post(&format!("{EVALUATION}/submit"), &json!({})).expect(200);
        bureau.post(&format!("{EVALUATION}/begin-review"), &json!({})).expect(200);
        assert_eq!(bureau.get(REPORT).expect(200).json()["review"], Value::Null);
        let review = json!({"lines": {"benefit": {"points": "12", "reason": "两项目标未完成"}}});
        bureau.put(&format!("{EVALUATION}/review"), &review).expect(200);
        // 60 + 15 + 20 by the unit, three points less by the bureau.
        let seen = bureau.get(REPORT).expect(200).json();
        assert_eq!((&seen["counted"]["total"], &seen["document"]["score"]["total"]), (&json!("92"), &json!("95")));
        let hidden = unit.get(REPORT).expect(200).json();
        assert_eq!((&hidden["counted"]["total"], &hidden["review"]), (&json!("95"), &Value::Null));
        bureau.post(&format!("{EVALUATION}/approve"), &json!({})).expect(200);
        let open = unit.get(REPORT).expect(200).json();
        assert_eq!((&open["counted"]["total"], &open["review"]["review"]), (&json!("92"), &review));
    }

    fn the_form_is_that_of_the_parameter_else_that_of_accept(app) {
        let bureau = with_ready(app);
        for (accept, format, expected) in [
            ("", "", "application/json"),
            ("*/*", "", "application/json"),
            ("application/*;q=0.1", "", "application/json"),
            ("application/json;q=0, */*;q=0.1", "?format=json", "application/json"),
        ] {
            let sent = bureau.with("Accept", accept).get(&format!("{REPORT}{format}")).expect(200);
            assert_eq!(sent.header("content-type"), Some(expected), "{accept} {format}");
            assert!(sent.header("vary").unwrap_or_default().to_lowercase().contains("accept"));
        }
        let refused = bureau.with("Accept", "image/png").get(REPORT).expect(406).json();
        assert_eq!(refused["detail_zh"], "此地址可返回application/json或application/vnd.openxmlformats-officedocument.wordprocessingml.document或application/pdf。");
        bureau.get(&format!("{REPORT}?format=png")).expect(400);
        bureau.get("/api/v1/units/219001/evaluations/2018/report").expect(404);
    }

    fn a_report_is_not_sent_again_while_it_says_the_same(app) {
        let bureau = with_ready(app);
        let first = bureau.get(REPORT).expect(200);
        let tag = first.header("etag").unwrap().to_owned();
        let again = bureau.with("If-None-Match", &tag);
        assert!(again.get(REPORT).expect(304).body.is_empty());
        let head = bureau.send("HEAD", REPORT, None).expect(200);
        assert_eq!((head.header("etag"), head.body.len()), (Some(tag.as_str()), 0));
        // What is only in the trend, the name or the findings counts too.
        bureau.send("PATCH", "/api/v1/units/219001", Some(br#"{"name":"Kaiyun"}"#)).expect(200);
        assert_ne!(again.get(REPORT).expect(200).header("etag"), Some(tag.as_str()));
    }
}
