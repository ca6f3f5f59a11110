//! What becomes of a running server whose clock jumps: nothing fails that need not, nothing is lost, and what was noted while the
//! clock was wrong locks nobody up once it is right again.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jixiao::db::Target;
use serde_json::json;

use crate::support::process::{Process, jixiao};
use crate::support::receiver::Receiver;
use crate::support::{Client, Engine, Place, Stop, wait_until};

/// Where a server reads how far its clock is from the real one.
struct Clock(PathBuf);

impl Clock {
    /// Sets it, such as to `+1h`.
    fn set(&self, offset: &str) {
        // In one step, since it is read at any moment.
        let next = self.0.with_extension("next");
        std::fs::write(&next, offset).unwrap();
        std::fs::rename(&next, &self.0).unwrap();
    }
}

/// The library that gives a program a clock of its own; `None`, after saying so, where there is none. In CI that is a failure.
fn faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut places = folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    let found = places.find(|place| place.exists());
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "no libfaketime: in CI clocks must jump"
        );
        eprintln!("SKIPPED: no libfaketime (Debian: faketime), so no clock was set");
    }
    found
}

fn moment(value: &serde_json::Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// Whether a moment is about so many hours from now.
fn is_off_by(moment: Timestamp, hours: i64) -> bool {
    let off = moment.duration_since(Timestamp::now()) - SignedDuration::from_hours(hours);
    off.abs() < SignedDuration::from_mins(30)
}

const UNIT: &str = "/api/v1/units/219001";
const YEAR: i64 = 365 * 24;

fn put(bureau: &Client, name: &str) -> Timestamp {
    let answer = bureau.put(UNIT, &json!({"name": name, "kind": "town"}));
    assert!([200, 201].contains(&answer.status), "{}", answer.text());
    moment(&answer.json()["updated_at"])
}

#[test]
fn a_clock_that_jumps_on_sqlite() {
    a_clock_jumps(Engine::Sqlite);
}

#[test]
fn a_clock_that_jumps_on_postgres() {
    a_clock_jumps(Engine::Postgres);
}

fn a_clock_jumps(engine: Engine) {
    let Some(library) = faketime() else { return };
    let Some((target, _place)) = Place::new(engine) else {
        return;
    };
    let url = match &target {
        Target::Sqlite(path) => format!("sqlite:{}", path.display()),
        Target::Postgres(url) => url.clone(),
    };
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock(folder.path().join("clock"));
    clock.set("+0");
    let mut command = jixiao(&["serve", "--webhook-allow", "loopback", "--webhook-retry", "20"]);
    command
        .env("DATABASE_URL", &url)
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", &clock.0)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let mut server = Process::start_as(command);
    let bureau = server.client(&server.first_token());
    put(&bureau, "开云镇");
    bureau
        .put("/api/v1/fiscal-years/2019", &json!({"scheme": "hunan-2019"}))
        .expect(201);

    let soon = Timestamp::now() + SignedDuration::from_hours(2);
    let made = bureau.post(
        "/api/v1/tokens",
        &json!({"name": "审计局", "role": "auditor", "expires_at": soon.to_string()}),
    );
    let guest = server.client(made.expect(201).json()["token"].as_str().unwrap());
    let own = bureau.get("/api/v1/tokens/self").expect(200).json();
    let own = format!("/api/v1/tokens/{}", own["id"].as_str().unwrap());
    let last_used = || moment(&bureau.get(&own).expect(200).json()["last_used_at"]);

    let (deaf, took) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let receiver = {
        let (deaf, took) = (deaf.clone(), took.clone());
        Receiver::new(move |_, request| {
            let event: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            let number: i64 = event["id"].as_str().unwrap().parse().unwrap();
            match deaf.load(Ordering::SeqCst) {
                true => (503, ""),
                false => {
                    took.lock().unwrap().push(number);
                    (204, "")
                }
            }
        })
    };
    let webhook = bureau
        .post("/api/v1/webhooks", &json!({"url": receiver.address()}))
        .expect(201)
        .json();
    let delivery = format!("/api/v1/webhooks/{}/delivery", webhook["id"].as_str().unwrap());
    let fund = |key: &str| {
        bureau
            .with("Idempotency-Key", key)
            .post(
                "/api/v1/special-funds",
                &json!({"unit": "219001", "year": 2019, "name": format!("道路养护{key}")}),
            )
            .expect(201)
    };
    let jump = |offset: &str, hours: i64| {
        clock.set(offset);
        let off = put(&bureau, &format!("开云镇{offset}"));
        assert!(is_off_by(off, hours), "{offset}: {off}");
    };

    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Nobody who writes meanwhile notices anything.
        scope.spawn(|| {
            for n in 0.. {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let path = format!("/api/v1/units/3020{:02}", n % 100);
                let answer = bureau.put(&path, &json!({"name": format!("单位{n}"), "kind": "town"}));
                assert!([200, 201].contains(&answer.status), "{}", answer.text());
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let _stop = Stop(&stop);

        guest.get(UNIT).expect(200);
        jump("+1h", 1);
        guest.get(UNIT).expect(200);
        jump("-1d", -24);
        guest.get(UNIT).expect(200);
        fund("a");

        jump("+1y", YEAR);
        guest.get(UNIT).problem(401, "unauthorized");
        let first = fund("b").json();
        deaf.store(true, Ordering::SeqCst);
        wait_until("the receiver refuses", || {
            let state = bureau.get(&delivery).expect(200).json();
            !state["next_attempt_at"].is_null() && is_off_by(moment(&state["next_attempt_at"]), YEAR)
        });
        wait_until("the use of a token is noted", || is_off_by(last_used(), YEAR));

        jump("+0", 0);
        guest.get(UNIT).expect(200);
        let again = fund("b");
        assert_eq!(again.header("Idempotency-Replayed"), Some("true"));
        assert_eq!(again.json(), first);
        assert_eq!(fund("c").header("Idempotency-Replayed"), None);
        wait_until("the use of a token is noted again", || is_off_by(last_used(), 0));
        deaf.store(false, Ordering::SeqCst);
    });
    wait_until("all is delivered", || {
        bureau.get(&delivery).expect(200).json()["lag"] == 0
    });
    // Every change once, in order.
    let head = bureau.get("/api/v1/events").expect(200).json()["head"]
        .as_i64()
        .unwrap();
    let took = took.lock().unwrap().clone();
    let expected: Vec<i64> = (took[0]..=head).collect();
    assert_eq!(took, expected);
    let mut funds = bureau.get("/api/v1/special-funds?year=2019").each("name");
    funds.sort();
    assert_eq!(funds, ["道路养护a", "道路养护b", "道路养护c"]);

    assert_eq!(server.stop().code(), Some(0));
    for command in [["audit", "verify"].as_slice(), &["check"]] {
        let checked = jixiao(command).env("DATABASE_URL", &url).output().unwrap();
        assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    }
}
