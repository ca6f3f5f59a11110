//! Reads from replicas, and what becomes of requests when the database goes away beneath them. A real replica, PgBouncer and
//! failovers are in `tests/cluster.sh`; here a replica is a copy of the database that falls behind when the test wants it to, and
//! by whose names one sees who answered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use jixiao::db::schema::{changes, tokens, units};
use jixiao::db::{Target, changes::Row};
use serde_json::json;

use crate::support::{Client, Engine, TestApp, at_once, count, postgres};

const UNIT: &str = "/api/v1/units/219001";
const LIST: &str = "/api/v1/units";

fn url(target: &Target) -> &str {
    match target {
        Target::Postgres(url) => url,
        Target::Sqlite(_) => unreachable!(),
    }
}

/// A service with a replica, and a client of the bureau; the unit's name is 副本 on the replica, where no token is good.
fn with_replica() -> Option<(TestApp, postgres::Database, PgConnection, Client)> {
    let app = TestApp::start(Engine::Postgres)?;
    let bureau = app.with_kaiyun();
    let mut replica = None;
    let app = app.restarted_with(|config| {
        let copy = postgres::copy_of(url(&config.db.target)).unwrap();
        config.db.replicas = vec![Target::Postgres(copy.address().to_owned())];
        replica = Some(copy);
    });
    let replica = replica.unwrap();
    let mut conn = PgConnection::establish(replica.address()).unwrap();
    diesel::update(units::table)
        .set(units::name.eq("副本"))
        .execute(&mut conn)
        .unwrap();
    diesel::update(tokens::table)
        .set(tokens::secret_hash.eq(""))
        .execute(&mut conn)
        .unwrap();
    let bureau = app.anonymous().like(&bureau);
    Some((app, replica, conn, bureau))
}

#[track_caller]
fn name(client: &Client) -> String {
    let name = client.get(UNIT).expect(200).json()["name"].as_str().unwrap().to_owned();
    let listed = client.get(LIST).expect(200).json()["items"][0]["name"].clone();
    assert!(listed == name || name == "副本" || listed == "副本", "{listed} {name}");
    name
}

fn rename(client: &Client, name: &str) {
    client.put(UNIT, &json!({"name": name, "kind": "town"})).expect(200);
}

#[track_caller]
fn wait_for(client: &Client, wanted: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while name(client) != wanted {
        assert!(Instant::now() < deadline, "{wanted}");
    }
}

/// For longer than a replica is left alone.
#[track_caller]
fn stays(client: &Client, wanted: &str) {
    let end = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < end {
        assert_eq!(name(client), wanted);
    }
}

/// The changes that the replica lacks.
fn missing(app: &TestApp, replica: &mut PgConnection) -> Vec<Row> {
    let last: Option<i64> = changes::table
        .select(diesel::dsl::max(changes::seq))
        .get_result(replica)
        .unwrap();
    changes::table
        .filter(changes::seq.gt(last.unwrap()))
        .select(Row::as_select())
        .load(&mut app.connect())
        .unwrap()
}

#[test]
fn a_replica_answers_while_it_has_all_that_was_written_and_else_the_primary() {
    let Some((app, replica, mut conn, bureau)) = with_replica() else {
        return;
    };
    wait_for(&bureau, "副本");
    // What was answered is seen, at this instance and at any other.
    let other = app.another_with(|config| config.db.replicas = vec![Target::Postgres(replica.address().to_owned())]);
    let elsewhere = Client::new(other.base()).like(&bureau);
    for n in 0..10 {
        let (writer, reader) = match n % 2 {
            0 => (&bureau, &elsewhere),
            _ => (&elsewhere, &bureau),
        };
        rename(writer, &format!("第{n}"));
        assert_eq!(name(reader), format!("第{n}"));
        assert_eq!(name(writer), format!("第{n}"));
    }
    stays(&bureau, "第9");
    // Once it has caught up, it answers again.
    let rows = missing(&app, &mut conn);
    assert_eq!(rows.len(), 10);
    diesel::insert_into(changes::table)
        .values(&rows)
        .execute(&mut conn)
        .unwrap();
    wait_for(&bureau, "副本");
    wait_for(&elsewhere, "副本");
    // A change of the same number that is another one: what was the primary once.
    rename(&bureau, "新名");
    let mut row = missing(&app, &mut conn).remove(0);
    row.hash = "0".repeat(64);
    diesel::insert_into(changes::table)
        .values(&row)
        .execute(&mut conn)
        .unwrap();
    stays(&bureau, "新名");
    // And one that is gone.
    drop((conn, replica));
    stays(&bureau, "新名");
    stays(&elsewhere, "新名");
}

#[test]
fn a_replica_that_was_never_there_is_not_noticed() {
    let Some(app) = TestApp::start_with(Engine::Postgres, |config| {
        config.db.replicas = vec![
            Target::Postgres("postgres://postgres@127.0.0.1:9/none".to_owned()),
            Target::Postgres("postgres://postgres@127.0.0.1:9/none".to_owned()),
        ];
    }) else {
        return;
    };
    let bureau = app.with_kaiyun();
    for n in 0..20 {
        rename(&bureau, &n.to_string());
        assert_eq!(name(&bureau), n.to_string());
    }
}

/// What is stored without an entry in the log is not known to be missing on a replica.
#[test]
fn what_is_not_in_the_log_is_read_from_the_primary() {
    let Some((_app, _replica, _conn, bureau)) = with_replica() else {
        return;
    };
    wait_for(&bureau, "副本");
    // No token is good on the replica, and yet it is shown and works.
    let own = bureau.get("/api/v1/tokens/self").expect(200).json();
    let id = own["id"].as_str().unwrap();
    bureau.get(&format!("/api/v1/tokens/{id}")).expect(200);
    let made = bureau
        .post(
            "/api/v1/webhooks",
            &json!({"url": "https://oa.example.gov.cn/", "enabled": false}),
        )
        .expect(201)
        .json();
    let id = made["id"].as_str().unwrap();
    bureau.get(&format!("/api/v1/webhooks/{id}/delivery")).expect(200);
}

#[test]
fn when_connections_are_cut_every_answered_write_is_there_once_and_no_read_fails() {
    let Some(app) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let bureau = app.with_kaiyun();
    let done = AtomicBool::new(false);
    let mut cutter = app.connect();
    let answers = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                diesel::sql_query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid()",
                )
                .execute(&mut cutter)
                .unwrap();
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let answers: Vec<_> = (0..40)
            .flat_map(|round| {
                at_once(3, |n| match n {
                    0 => bureau.get(UNIT),
                    _ => bureau.put(
                        &format!("/api/v1/units/{n}{round:03}"),
                        &json!({"name": format!("单位{n}-{round}"), "kind": "town"}),
                    ),
                })
            })
            .collect();
        done.store(true, Ordering::SeqCst);
        answers
    });
    for answer in &answers {
        // 503: an outage that lasts, which this is to those who are cut off each time; never 500.
        assert!(
            matches!(answer.status, 200 | 201 | 503),
            "{}: {}",
            answer.request(),
            answer.text()
        );
        if answer.status == 503 {
            assert!(answer.header("Retry-After").is_some());
        }
    }
    assert!(count(&answers, 201) >= 70, "{}", count(&answers, 201));
    let logged: Vec<String> = changes::table
        .filter(changes::resource.eq("unit"))
        .select(changes::key)
        .load(&mut app.connect())
        .unwrap();
    for answer in answers.iter().filter(|answer| answer.status == 201) {
        let key = answer.request().trim_start_matches("PUT ");
        assert_eq!(logged.iter().filter(|logged| *logged == key).count(), 1, "{key}");
    }
}
