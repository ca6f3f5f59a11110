//! Units over HTTP.

use serde_json::{Value, json};

use crate::both_engines;
use crate::support::client::{Client, faults};
use crate::support::example;

const UNIT: &str = "/api/v1/units/219001";

// The codes of Baidu and Tencent, as printed on their sites (GB 32100-2015).
const USCC: &str = "91110000802100433B";
const OTHER_USCC: &str = "9144030071526726XG";

fn town(name: &str) -> Value {
    json!({"name": name, "kind": "town"})
}

fn parent_of(client: &Client, code: &str) -> Value {
    client.get(&format!("/api/v1/units/{code}")).expect(200).json()["parent"].clone()
}

fn move_below(client: &Client, code: &str, parent: &str) -> crate::support::client::Response {
    client.patch(&format!("/api/v1/units/{code}"), &json!({ "parent": parent }))
}

/// Codes of 20 digits, the longest there are, each below the one before.
fn chain(first: u64, count: u64) -> Vec<String> {
    (0..count).map(|n| format!("{:020}", first + n)).collect()
}

fn store_chain(client: &Client, codes: &[String]) {
    for (n, code) in codes.iter().enumerate() {
        let parent = n.checked_sub(1).map(|above| &codes[above]);
        let unit = json!({"name": "单位", "kind": "other", "parent": parent});
        client.put(&format!("/api/v1/units/{code}"), &unit).expect(201);
    }
}

both_engines! {
    fn a_unit_is_created_read_replaced_and_deleted(app) {
        let bureau = app.bureau();
        let created = bureau.put(UNIT, &town("开云镇")).expect(201);
        assert_eq!(created.header("Location"), Some(UNIT));
        let read = bureau.get(UNIT).expect(200);
        assert_eq!(read.json(), created.json());
        assert_eq!(read.etag(), created.etag());
        let replaced = bureau.put(UNIT, &town("开云")).expect(200);
        assert_eq!(replaced.json()["version"], 2);
        assert_eq!(replaced.json()["created_at"], created.json()["created_at"]);
        bureau.delete(UNIT).expect(204);
        for answer in [bureau.get(UNIT), bureau.delete(UNIT), bureau.patch(UNIT, &json!({}))] {
            answer.problem(404, "not-found");
        }
    }

    fn what_is_read_says_all_that_was_sent(app) {
        let bureau = app.with_units(&[("219", None)]);
        let unit = json!({"name": "衡山县开云镇人民政府", "kind": "town", "parent": "219", "uscc": USCC, "division_code": "430423100"});
        let read = bureau.put(UNIT, &unit).expect(201).json();
        for (name, value) in unit.as_object().unwrap() {
            assert_eq!(&read[name], value, "{name}");
        }
        assert_eq!((&read["code"], &read["version"]), (&json!("219001"), &json!(1)));
    }

    fn a_unit_that_was_made_anew_has_another_etag(app) {
        let bureau = app.bureau();
        let first = bureau.put(UNIT, &town("开云镇")).expect(201).etag();
        bureau.delete(UNIT).expect(204);
        assert_ne!(bureau.put(UNIT, &town("开云镇")).expect(201).etag(), first);
    }

    fn the_same_put_twice_changes_nothing(app) {
        let bureau = app.bureau();
        let created = bureau.put(UNIT, &example("kaiyun-2019/unit.json")).expect(201);
        let again = bureau.put(UNIT, &example("kaiyun-2019/unit.json")).expect(200);
        assert_eq!(again.json(), created.json());
        assert_eq!(again.etag(), created.etag());
        assert_eq!(again.header("Location"), None);
    }

    fn null_in_a_put_is_the_same_as_leaving_out(app) {
        let bureau = app.bureau();
        let created = bureau.put(UNIT, &town("开云镇")).expect(201);
        let unit = json!({"kind": "town", "name": "开云镇", "parent": null, "uscc": null, "division_code": null});
        assert_eq!(bureau.put(UNIT, &unit).expect(200).etag(), created.etag());
    }

    fn every_fault_of_a_unit_is_named_at_once(app) {
        let unit = json!({"nmae": "x", "kind": "village", "uscc": "1"});
        assert_eq!(app.bureau().put(UNIT, &unit).faults(), faults(&[
            ("/kind", "not_one_of"), ("/name", "missing_field"), ("/nmae", "unknown_field"),
            ("/uscc", "pattern"), ("/uscc", "too_short"),
        ]));
    }

    fn a_wrong_check_character_is_named_among_other_faults(app) {
        let unit = json!({"kind": "village", "uscc": "91110000802100433A"});
        assert_eq!(app.bureau().put(UNIT, &unit).faults(), faults(&[
            ("/kind", "not_one_of"), ("/name", "missing_field"), ("/uscc", "invalid_value"),
        ]));
    }

    fn what_only_the_database_can_judge_is_named_at_once_too(app) {
        let bureau = app.bureau();
        bureau.put("/api/v1/units/300", &json!({"name": "财政局", "kind": "department", "uscc": USCC})).expect(201);
        let unit = json!({"name": "开云镇", "kind": "town", "uscc": USCC, "parent": "999"});
        assert_eq!(bureau.put(UNIT, &unit).faults(), faults(&[("/parent", "unknown_unit"), ("/uscc", "taken")]));
        bureau.get(UNIT).problem(404, "not-found");
    }

    fn a_name_is_one_line_of_1_to_200_characters_without_space_at_its_ends(app) {
        let bureau = app.bureau();
        for name in ["", " 开云镇", "开云镇 ", "\u{3000}开云镇", "开云\n镇", "开云\u{0}镇", "\u{7f}", &"镇".repeat(201)] {
            let found = bureau.put(UNIT, &town(name)).faults();
            assert!(!found.is_empty() && found.iter().all(|(pointer, _)| pointer == "/name"), "{name:?}: {found:?}");
        }
        bureau.get(UNIT).problem(404, "not-found");
        for name in ["镇", "开云 镇", "O'Brien; DROP TABLE units;--", "𠮷村😀", &"镇".repeat(200)] {
            bureau.put(UNIT, &town(name));
            assert_eq!(bureau.get(UNIT).expect(200).json()["name"], name);
        }
    }

    fn the_parent_must_exist(app) {
        let bureau = app.bureau();
        let unit = json!({"name": "开云镇", "kind": "town", "parent": "219"});
        assert_eq!(bureau.put(UNIT, &unit).faults(), faults(&[("/parent", "unknown_unit")]));
        bureau.put("/api/v1/units/219", &town("镇")).expect(201);
        bureau.put(UNIT, &unit).expect(201);
    }

    fn no_unit_is_above_itself(app) {
        let bureau = app.with_units(&[("219", None), ("219001", Some("219")), ("219001001", Some("219001"))]);
        for (code, parent) in [("219", "219"), ("219", "219001"), ("219", "219001001"), ("219001", "219001001")] {
            assert_eq!(move_below(&bureau, code, parent).faults(), faults(&[("/parent", "cycle")]), "{code} {parent}");
        }
        let fresh = json!({"name": "新单位", "kind": "town", "parent": "400"});
        assert_eq!(bureau.put("/api/v1/units/400", &fresh).faults(), faults(&[("/parent", "cycle")]));
        assert_eq!(parent_of(&bureau, "219"), Value::Null);
    }

    fn a_unit_that_moves_takes_all_below_it_along(app) {
        let bureau = app.with_units(&[
            ("219", None), ("300", None), ("219001", Some("219")), ("219001001", Some("219001")), ("2190", Some("219")),
        ]);
        let under = |code: &str| bureau.get(&format!("/api/v1/units?under={code}")).each("code");
        assert_eq!(under("219"), ["219", "2190", "219001", "219001001"]);
        move_below(&bureau, "219001", "300").expect(200);
        assert_eq!(under("219"), ["219", "2190"]);
        assert_eq!(under("300"), ["219001", "219001001", "300"]);
        assert_eq!(under("219001"), ["219001", "219001001"]);
        bureau.patch(UNIT, &json!({"parent": null})).expect(200);
        assert_eq!(under("300"), ["300"]);
        assert_eq!(under("219001"), ["219001", "219001001"]);
        // The two ends of what was once one line may now change places.
        move_below(&bureau, "219", "219001001").expect(200);
        assert_eq!(under("219001"), ["219", "2190", "219001", "219001001"]);
    }

    fn ten_levels_of_the_longest_codes_fit_and_no_more(app) {
        let bureau = app.bureau();
        let codes = chain(1, 10);
        store_chain(&bureau, &codes);
        let eleventh = json!({"name": "单位", "kind": "other", "parent": codes[9]});
        assert_eq!(bureau.put("/api/v1/units/99999999999999999999", &eleventh).faults(), faults(&[("/parent", "too_deep")]));
        bureau.get("/api/v1/units/99999999999999999999").problem(404, "not-found");
    }

    fn nothing_moves_where_what_is_below_it_would_be_too_deep(app) {
        let bureau = app.bureau();
        let (tall, low) = (chain(1, 8), chain(101, 3));
        store_chain(&bureau, &tall);
        store_chain(&bureau, &low);
        // 8 + 3 = 11 levels; 7 + 3 = 10.
        assert_eq!(move_below(&bureau, &low[0], &tall[7]).faults(), faults(&[("/parent", "too_deep")]));
        assert_eq!(parent_of(&bureau, &low[0]), Value::Null);
        assert_eq!(bureau.get(&format!("/api/v1/units?under={}", low[0])).each("code"), low);
        move_below(&bureau, &low[0], &tall[6]).expect(200);
    }

    fn a_credit_code_with_a_wrong_check_character_is_refused(app) {
        let bureau = app.bureau();
        let with = |uscc: &str| json!({"name": "开云镇", "kind": "town", "uscc": uscc});
        // Right is …433B; with the last character or any other changed, or in lower case, it is not.
        for wrong in ["91110000802100433A", "91110000802100434B"] {
            assert_eq!(bureau.put(UNIT, &with(wrong)).faults(), faults(&[("/uscc", "invalid_value")]), "{wrong}");
        }
        for wrong in ["91110000802100433b", "9111000080210O433B"] {
            assert_eq!(bureau.put(UNIT, &with(wrong)).faults(), faults(&[("/uscc", "pattern")]), "{wrong}");
        }
        bureau.put(UNIT, &with(USCC)).expect(201);
    }

    fn no_two_units_have_the_same_credit_code(app) {
        let bureau = app.bureau();
        let with = |uscc: &str| json!({"name": "开云镇", "kind": "town", "uscc": uscc});
        bureau.put(UNIT, &with(USCC)).expect(201);
        let other = "/api/v1/units/219002";
        assert_eq!(bureau.put(other, &with(USCC)).faults(), faults(&[("/uscc", "taken")]));
        bureau.put(other, &with(OTHER_USCC)).expect(201);
        assert_eq!(bureau.patch(other, &json!({"uscc": USCC})).faults(), faults(&[("/uscc", "taken")]));
        // The holder may be changed without giving it up, and giving it up frees it.
        bureau.patch(UNIT, &json!({"name": "开云"})).expect(200);
        bureau.patch(UNIT, &json!({"uscc": null})).expect(200);
        bureau.patch(other, &json!({"uscc": USCC})).expect(200);
    }

    fn a_division_code_has_6_or_9_or_12_digits(app) {
        let bureau = app.bureau();
        let with = |code: &str| json!({"name": "开云镇", "kind": "town", "division_code": code});
        for (wrong, codes) in [
            ("4304231", &["pattern"][..]), ("43042310", &["pattern"]), ("030423", &["pattern"]), ("43042a", &["pattern"]),
            ("43042", &["pattern", "too_short"]), ("4304231000001", &["pattern", "too_long"]), ("", &["pattern", "too_short"]),
        ] {
            let expected: Vec<_> = codes.iter().map(|code| ("/division_code", *code)).collect();
            assert_eq!(bureau.put(UNIT, &with(wrong)).faults(), faults(&expected), "{wrong}");
        }
        for good in ["430423", "430423100", "430423100001"] {
            bureau.put(UNIT, &with(good));
            assert_eq!(bureau.get(UNIT).expect(200).json()["division_code"], good);
        }
    }

    fn lists_are_filtered_by_kind_and_by_what_is_above(app) {
        let bureau = app.with_units(&[("219", None), ("219001", Some("219")), ("219002", Some("219")), ("219002001", Some("219002"))]);
        bureau.patch("/api/v1/units/219002001", &json!({"kind": "institution"})).expect(200);
        for (query, codes) in [
            ("", &["219", "219001", "219002", "219002001"][..]),
            ("?kind=institution", &["219002001"]),
            ("?kind=town", &[]),
            ("?parent=219", &["219001", "219002"]),
            ("?under=219002", &["219002", "219002001"]),
            ("?under=219&kind=department&parent=219", &["219001", "219002"]),
            ("?parent=999", &[]),
            ("?under=999", &[]),
            ("?order=desc", &["219002001", "219002", "219001", "219"]),
        ] {
            assert_eq!(bureau.get(&format!("/api/v1/units{query}")).each("code"), codes, "{query}");
        }
    }

    fn a_search_finds_parts_of_names_and_beginnings_of_codes_and_takes_signs_literally(app) {
        let bureau = app.bureau();
        for (code, name) in [("100", "县财政局"), ("100001", "县绩效评价中心"), ("200", "50%试点镇"), ("300", "A_b村"), ("400", "C\\d村"), ("500", "ＡＢ园区Ä")] {
            bureau.put(&format!("/api/v1/units/{code}"), &town(name)).expect(201);
        }
        for (q, codes) in [
            ("%E8%AF%84%E4%BB%B7", &["100001"][..]), // 评价
            ("%E5%8E%BF", &["100", "100001"]),       // 县
            ("%25", &["200"]),
            ("_", &["300"]),
            ("%5C", &["400"]),
            ("a_B", &["300"]),
            ("1000", &["100001"]),
            ("00", &[]),
            ("%EF%BC%A1%EF%BC%A2", &["500"]), // ＡＢ, as it stands in the name
            ("%C3%84", &["500"]),             // Ä
            ("'", &[]),
        ] {
            assert_eq!(bureau.get(&format!("/api/v1/units?q={q}")).each("code"), codes, "{q}");
        }
    }

    fn pages_lead_through_a_list_both_ways(app) {
        let bureau = app.with_units(&[("101", None), ("102", None), ("103", None), ("104", None), ("105", None)]);
        for (order, pages) in [
            ("asc", [&["101", "102"][..], &["103", "104"], &["105"]]),
            ("desc", [&["105", "104"][..], &["103", "102"], &["101"]]),
        ] {
            let mut path = format!("/api/v1/units?limit=2&kind=department&order={order}");
            for (n, page) in pages.iter().enumerate() {
                let answer = bureau.get(&path).expect(200);
                let next = answer.json()["next_cursor"].as_str().map(str::to_owned);
                let link = answer.header("Link").map(str::to_owned);
                assert_eq!(answer.each("code"), *page, "{order}");
                if n == 2 {
                    assert_eq!((next, link), (None, None));
                    break;
                }
                let cursor = page[1];
                assert_eq!(next.as_deref(), Some(cursor));
                path = format!("/api/v1/units?limit=2&kind=department&order={order}&cursor={cursor}");
                assert_eq!(link, Some(format!("<{path}>; rel=\"next\"")));
            }
        }
    }

    fn a_list_that_ends_with_its_page_has_no_next_one(app) {
        let bureau = app.with_units(&[("101", None), ("102", None)]);
        let answer = bureau.get("/api/v1/units?limit=2").expect(200);
        assert_eq!(answer.json()["next_cursor"], Value::Null);
        assert_eq!(answer.header("Link"), None);
        assert_eq!(bureau.get("/api/v1/units?cursor=102").json(), json!({"items": [], "next_cursor": null}));
    }

    fn what_changes_between_pages_makes_no_unit_come_twice_or_be_left_out(app) {
        let bureau = app.with_units(&[("101", None), ("103", None), ("105", None), ("107", None)]);
        let first = bureau.get("/api/v1/units?limit=2").expect(200);
        let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
        assert_eq!(first.each("code"), ["101", "103"]);
        // One before the place, one after it, and the very unit that the cursor names.
        bureau.put("/api/v1/units/102", &town("新")).expect(201);
        bureau.put("/api/v1/units/106", &town("新")).expect(201);
        bureau.delete("/api/v1/units/103").expect(204);
        let rest = bureau.get(&format!("/api/v1/units?limit=10&cursor={cursor}"));
        assert_eq!(rest.each("code"), ["105", "106", "107"]);
    }

    fn a_page_has_50_units_unless_another_number_is_asked_for(app) {
        let codes: Vec<String> = (100..152).map(|code| code.to_string()).collect();
        let units: Vec<_> = codes.iter().map(|code| (code.as_str(), None)).collect();
        let bureau = app.with_units(&units);
        assert_eq!(bureau.get("/api/v1/units").each("code").len(), 50);
        assert_eq!(bureau.get("/api/v1/units?limit=200").each("code").len(), 52);
    }

    fn a_patch_changes_what_it_names_and_null_takes_away(app) {
        let bureau = app.with_units(&[("219", None)]);
        let unit = json!({"name": "开云镇", "kind": "town", "parent": "219", "uscc": USCC, "division_code": "430423"});
        bureau.put(UNIT, &unit).expect(201);
        let patched = bureau.patch(UNIT, &json!({"name": "开云", "uscc": null})).expect(200).json();
        let expected = json!({"name": "开云", "kind": "town", "parent": "219", "uscc": null, "division_code": "430423", "version": 2});
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&patched[name], value, "{name}");
        }
        assert_eq!(bureau.get(UNIT).json(), patched);
    }

    fn a_patch_that_changes_nothing_keeps_the_version(app) {
        let bureau = app.bureau();
        let created = bureau.put(UNIT, &town("开云镇")).expect(201);
        for patch in [json!({}), json!({"name": "开云镇"}), json!({"uscc": null})] {
            assert_eq!(bureau.patch(UNIT, &patch).expect(200).etag(), created.etag(), "{patch}");
        }
    }

    fn a_patch_may_be_sent_as_plain_json(app) {
        let bureau = app.bureau();
        bureau.put(UNIT, &town("开云镇")).expect(201);
        let sent = bureau.with("Content-Type", "application/json; charset=utf-8").send("PATCH", UNIT, Some(br#"{"kind":"other"}"#));
        assert_eq!(sent.expect(200).json()["kind"], "other");
        let wrong = bureau.with("Content-Type", "application/json-patch+json").send("PATCH", UNIT, Some(b"[]"));
        wrong.problem(415, "unsupported-media-type");
    }

    fn a_patch_with_faults_names_them_all_and_changes_nothing(app) {
        let bureau = app.bureau();
        let before = bureau.put(UNIT, &town("开云镇")).expect(201).json();
        for (patch, expected) in [
            (json!({"nmae": "x", "kind": 3}), &[("/kind", "not_one_of"), ("/kind", "wrong_type"), ("/nmae", "unknown_field")][..]),
            (json!({"name": null, "kind": null}), &[("/kind", "missing_field"), ("/name", "missing_field")]),
            (json!({"code": "219002"}), &[("/code", "unknown_field")]),
            (json!({"version": 7}), &[("/version", "unknown_field")]),
            // To take away what no unit has is a slip of the pen as well.
            (json!({"pernt": null}), &[("/pernt", "unknown_field")]),
            (json!({"name": {"zh": "开云"}}), &[("/name", "wrong_type")]),
            (json!([]), &[("", "wrong_type")]),
            (json!(null), &[("", "wrong_type")]),
            (json!("开云"), &[("", "wrong_type")]),
        ] {
            assert_eq!(bureau.patch(UNIT, &patch).faults(), faults(expected), "{patch}");
        }
        assert_eq!(bureau.get(UNIT).json(), before);
    }

    fn a_change_is_made_only_in_the_state_that_the_client_names(app) {
        let bureau = app.bureau();
        let stale = bureau.put(UNIT, &town("一")).expect(201).etag();
        bureau.put(UNIT, &town("二")).expect(200);
        for (n, (if_match, if_none_match, passes)) in [
            ("{current}", "", true),
            ("*", "", true),
            ("{stale}, {current}", "", true),
            ("{stale}", "", false),
            // A change needs the strong comparison (RFC 9110, 13.1.1).
            ("W/{current}", "", false),
            ("", "*", false),
            ("", "{current}", false),
            ("", "W/{current}", false),
            ("", "{stale}", true),
            ("{current}", "{stale}", true),
            ("{current}", "*", false),
            ("{stale}", "{stale}", false),
        ].into_iter().enumerate() {
            let before = bureau.get(UNIT);
            let fill = |tags: &str| tags.replace("{current}", &before.etag()).replace("{stale}", &stale);
            let asking = bureau.with("If-Match", &fill(if_match)).with("If-None-Match", &fill(if_none_match));
            for answer in [asking.put(UNIT, &town(&format!("名{n}"))), asking.patch(UNIT, &json!({"name": format!("名{n}")}))] {
                match passes {
                    // The second of the two meets the state that the first one made.
                    true => assert!([200, 412].contains(&answer.status), "{if_match} {if_none_match}: {}", answer.text()),
                    false => drop(answer.problem(412, "precondition-failed")),
                }
            }
            let changed = bureau.get(UNIT).json()["name"] == format!("名{n}");
            assert_eq!(changed, passes, "If-Match {if_match}, If-None-Match {if_none_match}");
        }
    }

    fn if_none_match_any_creates_only_and_if_match_any_changes_only(app) {
        let bureau = app.bureau();
        bureau.with("If-Match", "*").put(UNIT, &town("开云镇")).problem(412, "precondition-failed");
        bureau.with("If-Match", "\"0\"").put(UNIT, &town("开云镇")).problem(412, "precondition-failed");
        bureau.get(UNIT).problem(404, "not-found");
        bureau.with("If-None-Match", "*").put(UNIT, &town("开云镇")).expect(201);
        bureau.with("If-None-Match", "*").put(UNIT, &town("开云")).problem(412, "precondition-failed");
        bureau.with("If-Match", "*").put(UNIT, &town("开云")).expect(200);
    }

    fn a_precondition_that_fails_deletes_nothing(app) {
        let bureau = app.bureau();
        let stale = bureau.put(UNIT, &town("一")).expect(201).etag();
        let current = bureau.put(UNIT, &town("二")).expect(200).etag();
        bureau.with("If-Match", &stale).delete(UNIT).problem(412, "precondition-failed");
        bureau.with("If-None-Match", "*").delete(UNIT).problem(412, "precondition-failed");
        bureau.with("If-Match", &current).delete(UNIT).expect(204);
    }

    fn a_unit_that_the_client_has_already_is_not_sent_again(app) {
        let bureau = app.bureau();
        let stale = bureau.put(UNIT, &town("一")).expect(201).etag();
        let current = bureau.put(UNIT, &town("二")).expect(200).etag();
        for known in [current.clone(), format!("W/{current}"), "*".to_owned(), format!("{stale},{current}")] {
            let answer = bureau.with("If-None-Match", &known).get(UNIT).expect(304);
            assert_eq!((answer.etag(), answer.body.len()), (current.clone(), 0), "{known}");
        }
        bureau.with("If-None-Match", &stale).get(UNIT).expect(200);
    }

    fn a_unit_that_others_refer_to_stays_and_each_kind_is_counted(app) {
        let bureau = app.with_kaiyun();
        bureau.put("/api/v1/units/219001001", &json!({"name": "村", "kind": "other", "parent": "219001"})).expect(201);
        bureau.put(&format!("{UNIT}/evaluations/2019/base-data"), &json!({})).expect(201);
        for name in ["甲", "乙"] {
            bureau.post("/api/v1/special-funds", &json!({"unit": "219001", "year": 2019, "name": name})).expect(201);
        }
        app.unit(&["219001"]);
        let problem = bureau.delete(UNIT).problem(409, "referenced");
        let found: Vec<_> = problem["errors"].as_array().unwrap().iter()
            .map(|error| (error["code"].as_str().unwrap(), error["detail_zh"].as_str().unwrap())).collect();
        assert_eq!(found, [
            ("units", "1个下级单位"), ("evaluations", "1份绩效自评"), ("special_funds", "2项专项资金"), ("tokens", "1个访问令牌"),
        ]);
        bureau.get(UNIT).expect(200);
    }

    fn each_reference_alone_keeps_a_unit(app) {
        let bureau = app.with_kaiyun();
        let refused = |code: &str| {
            let problem = bureau.delete(UNIT).problem(409, "referenced");
            assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
            assert_eq!(problem["errors"][0]["code"], code);
        };
        bureau.put("/api/v1/units/219001001", &json!({"name": "村", "kind": "other", "parent": "219001"})).expect(201);
        refused("units");
        bureau.delete("/api/v1/units/219001001").expect(204);
        let assessments = format!("{UNIT}/evaluations/2019/assessments");
        bureau.put(&assessments, &json!({})).expect(201);
        refused("evaluations");
        bureau.delete(&assessments).expect(204);
        bureau.put("/api/v1/special-funds/f1", &json!({"unit": "219001", "year": 2019, "name": "资金"})).expect(201);
        refused("special_funds");
        bureau.delete("/api/v1/special-funds/f1").expect(204);
        app.unit(&["219001"]);
        refused("tokens");
    }

    fn a_unit_with_its_reference_gone_can_be_deleted(app) {
        let bureau = app.with_units(&[("219", None), ("219001", Some("219"))]);
        bureau.delete("/api/v1/units/219").problem(409, "referenced");
        bureau.delete(UNIT).expect(204);
        bureau.delete("/api/v1/units/219").expect(204);
        assert_eq!(bureau.get("/api/v1/units").each("code"), [""; 0]);
    }

    fn a_unit_says_for_which_years_it_files_and_which_units_it_continues(app) {
        let bureau = app.with_units(&[("102", None), ("101", None)]);
        let merged = json!({"name": "合并镇", "kind": "town", "valid_from": 2019, "valid_to": 2025, "predecessors": ["102", "101"]});
        let stored = bureau.put(UNIT, &merged).expect(201);
        let read = stored.json();
        assert_eq!((&read["valid_from"], &read["valid_to"]), (&json!(2019), &json!(2025)));
        assert_eq!((&read["predecessors"], &read["successors"]), (&json!(["101", "102"]), &json!([])));
        // In another order it is the same.
        let same = json!({"name": "合并镇", "kind": "town", "valid_from": 2019, "valid_to": 2025, "predecessors": ["101", "102"]});
        assert_eq!(bureau.put(UNIT, &same).expect(200).etag(), stored.etag());
        assert_eq!(bureau.get("/api/v1/units/101").expect(200).json()["successors"], json!(["219001"]));

        for (year, there) in [("2018", vec!["101", "102"]), ("2019", vec!["101", "102", "219001"]), ("2026", vec!["101", "102"])] {
            assert_eq!(bureau.get(&format!("/api/v1/units?year={year}")).each("code"), there, "{year}");
        }
        let patched = bureau.patch(UNIT, &json!({"predecessors": ["102"], "valid_to": null})).expect(200).json();
        assert_eq!((&patched["predecessors"], &patched["valid_to"]), (&json!(["102"]), &Value::Null));
        assert_eq!(patched["version"], 2);
        bureau.patch(UNIT, &json!({"predecessors": null})).expect(200);
        assert_eq!(bureau.get("/api/v1/units/102").expect(200).json()["successors"], json!([]));
    }

    fn another_successor_is_another_etag(app) {
        let bureau = app.with_units(&[("101", None)]);
        let before = bureau.get("/api/v1/units/101").expect(200).etag();
        bureau.put(UNIT, &json!({"name": "开云镇", "kind": "town", "predecessors": ["101"]})).expect(201);
        assert_ne!(bureau.get("/api/v1/units/101").expect(200).etag(), before);
    }

    fn predecessors_exist_are_named_once_and_do_not_come_after_the_unit(app) {
        let bureau = app.with_units(&[("101", None), ("102", None), ("103", None)]);
        let continues = |code: &str, predecessors: Value| {
            bureau.patch(&format!("/api/v1/units/{code}"), &json!({"predecessors": predecessors}))
        };
        assert_eq!(continues("103", json!(["999", "101", "101", "103"])).faults(), faults(&[
            ("/predecessors/0", "unknown_unit"), ("/predecessors/2", "duplicate"), ("/predecessors/3", "cycle"),
        ]));
        continues("102", json!(["101"])).expect(200);
        continues("103", json!(["102"])).expect(200);
        assert_eq!(continues("101", json!(["103"])).faults(), faults(&[("/predecessors/0", "cycle")]));
        let years = json!({"valid_from": 2020, "valid_to": 2019});
        assert_eq!(bureau.patch("/api/v1/units/101", &years).faults(), faults(&[("/valid_to", "out_of_order")]));
        let many: Vec<String> = (500..551).map(|code| code.to_string()).collect();
        assert_eq!(continues("101", json!(many)).faults(), faults(&[("/predecessors", "too_many")]));
    }

    fn a_unit_that_another_continues_is_kept(app) {
        let bureau = app.with_units(&[("101", None)]);
        bureau.put(UNIT, &json!({"name": "开云镇", "kind": "town", "predecessors": ["101"]})).expect(201);
        let problem = bureau.delete("/api/v1/units/101").problem(409, "referenced");
        assert_eq!(problem["errors"][0]["code"], "successors");
        bureau.delete(UNIT).expect(204);
        bureau.delete("/api/v1/units/101").expect(204);
    }
}
