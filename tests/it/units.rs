//! Units over HTTP.

use serde_json::json;

use crate::both_engines;
use crate::support::client::faults;

both_engines! {
    fn a_unit_is_created_read_replaced_and_deleted(app) {
        let bureau = app.bureau();
        let created = bureau.put("/api/v1/units/219001", &json!({"name": "开云镇", "kind": "town"})).expect(201);
        assert_eq!(created.header("Location"), Some("/api/v1/units/219001"));
        let read = bureau.get("/api/v1/units/219001").expect(200);
        assert_eq!(read.json(), created.json());
        assert_eq!(read.etag(), created.etag());
        let again = bureau.put("/api/v1/units/219001", &json!({"name": "开云镇", "kind": "town"})).expect(200);
        assert_eq!(again.etag(), created.etag(), "nothing changed, so the version stays");
        let replaced = bureau.put("/api/v1/units/219001", &json!({"name": "开云", "kind": "town"})).expect(200);
        assert_eq!(replaced.json()["version"], 2);
        bureau.delete("/api/v1/units/219001").expect(204);
        bureau.get("/api/v1/units/219001").problem(404, "not-found");
    }

    fn every_fault_of_a_unit_is_named_at_once(app) {
        let found = app.bureau().put("/api/v1/units/219001", &json!({"nmae": "x", "kind": "village", "uscc": "1"})).faults();
        assert_eq!(found, faults(&[
            ("/kind", "not_one_of"), ("/name", "missing_field"), ("/nmae", "unknown_field"),
            ("/uscc", "pattern"), ("/uscc", "too_short"),
        ]));
    }
}
