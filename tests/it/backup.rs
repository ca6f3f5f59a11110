//! Backups: the whole database in one file, which either engine gives and takes, and which is whole or not there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use jixiao::audit::verify::verify;
use jixiao::backup::{dump, restore};
use jixiao::db::connection::{Access, connect};
use jixiao::db::{Target, catalogue, dynamic, migrate, open_as_it_is, open_once};
use serde_json::json;

use crate::support::full::{fill, rows, tables};
use crate::support::process::{Process, jixiao, run};
use crate::support::{Engine, Place, TestApp};

/// How a target is named on the command line.
fn url(target: &Target) -> String {
    match target {
        Target::Sqlite(path) => format!("sqlite:{}", path.display()),
        Target::Postgres(url) => url.clone(),
    }
}

/// Runs a command on a database; what it printed, and what it complained of.
fn command(target: &Target, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = run(&[arguments, &["--database-url", &url(target)]].concat());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[track_caller]
fn done(target: &Target, arguments: &[&str]) -> String {
    let (code, printed, complaint) = command(target, arguments);
    assert_eq!(code, Some(0), "{complaint}");
    printed
}

#[track_caller]
fn refused(target: &Target, arguments: &[&str]) -> String {
    let (code, printed, complaint) = command(target, arguments);
    assert_eq!((code, printed.as_str()), (Some(1), ""), "{complaint}");
    complaint
}

/// An empty database of each kind that there is.
fn places() -> Vec<(Target, Place)> {
    [Engine::Sqlite, Engine::Postgres]
        .into_iter()
        .filter_map(Place::new)
        .collect()
}

#[test]
fn where_there_is_no_database_a_command_that_looks_at_one_says_so_and_makes_none() {
    for (target, _place) in places() {
        for arguments in [
            vec!["audit", "verify"],
            vec!["token", "list"],
            vec!["token", "revoke", "x"],
            vec!["backup", "/nowhere/backup"],
        ] {
            assert!(
                refused(&target, &arguments).contains("there is no database at"),
                "{arguments:?}"
            );
        }
        let begun = match &target {
            Target::Sqlite(path) => path.exists(),
            Target::Postgres(_) => !jixiao::db::migrate::applied(&mut open_as_it_is(&target).unwrap())
                .unwrap()
                .is_empty(),
        };
        assert!(!begun, "{target:?}");
    }
    for address in [
        "",
        " ",
        "sqlite:",
        "postgress://db/jixiao",
        "postgres:/db/jixiao",
        "http://db/jixiao",
    ] {
        let output = run(&[
            "token",
            "create",
            "--role",
            "bureau",
            "--name",
            "甲",
            "--database-url",
            address,
        ]);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{address:?}: {complaint}");
        assert!(complaint.contains("DATABASE_URL"), "{address:?}: {complaint}");
    }
}

fn trail_is_whole(target: &Target) {
    assert_eq!(verify(&mut open_as_it_is(target).unwrap(), &[]).unwrap().faults, []);
}

#[test]
fn a_county_moves_to_the_other_engine_and_back_and_not_a_value_is_lost() {
    let app = TestApp::start(Engine::Sqlite).unwrap();
    fill(&app);
    let (from, _place) = app.stopped();
    let before = rows(&from);
    for (name, rows) in &before {
        assert!(!rows.is_empty(), "{name}");
    }
    let Some((postgres, _postgres)) = Place::new(Engine::Postgres) else {
        return;
    };
    done(&from, &["move", "--to", &url(&postgres)]);
    assert!(rows(&postgres) == before);
    trail_is_whole(&postgres);
    let (back, _back) = Place::new(Engine::Sqlite).unwrap();
    done(&postgres, &["move", "--to", &url(&back)]);
    assert!(rows(&back) == before);
    trail_is_whole(&back);
    for target in [&postgres, &back] {
        let app = TestApp::at(target);
        let bureau = app.bureau();
        assert_eq!(
            bureau.get("/api/v1/units/219001/evaluations/2019").expect(200).json()["state"],
            "published"
        );
        bureau
            .put("/api/v1/units/219001", &json!({"name": "新名", "kind": "town"}))
            .expect(200);
        drop(app);
        trail_is_whole(target);
        assert_eq!(done(target, &["check", "--json"]), "");
    }
}

#[test]
fn what_a_backup_of_a_running_server_holds_is_of_one_moment_and_restores_on_either_engine() {
    for (place, _place) in places() {
        let app = TestApp::at(&place);
        let bureau = app.with_units(&[("101", None)]);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("county.backup");
        let (start, stop) = (std::sync::Barrier::new(2), std::sync::atomic::AtomicBool::new(false));
        let contents = std::thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                let mut n = 0;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    n += 1;
                    bureau
                        .put("/api/v1/units/101", &json!({"name": format!("名{n}"), "kind": "town"}))
                        .expect(200);
                }
            });
            start.wait();
            let contents = dump::backup(&place, &file, None);
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            contents.unwrap()
        });
        let sum = |name: &str| {
            contents
                .manifest
                .tables
                .iter()
                .find(|sum| sum.name == name)
                .unwrap()
                .rows
        };
        assert_eq!(sum("changes") as i64, contents.manifest.head_seq);
        for (target, _place) in places() {
            assert_eq!(restore::restore_from(&file, None, &target, false).unwrap(), contents);
            trail_is_whole(&target);
            assert_eq!(done(&target, &["check", "--json"]), "");
        }
    }
}

#[test]
fn a_full_target_is_refused_and_replaced_only_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.backup");
    let path = file.to_str().unwrap();
    for (from, _place) in places() {
        TestApp::at(&from).with_units(&[("101", None)]);
        let _ = std::fs::remove_file(&file);
        done(&from, &["backup", path]);
        assert!(refused(&from, &["backup", path]).contains("exists"));
        let kept = rows(&from);
        TestApp::at(&from).with_units(&[("102", None)]);
        let full = rows(&from);
        assert!(refused(&from, &["restore", path]).contains("--replace"));
        assert!(rows(&from) == full);
        done(&from, &["restore", path, "--replace"]);
        assert!(rows(&from) == kept);
        TestApp::at(&from).bureau().get("/api/v1/units/101").expect(200);
    }
}

#[test]
fn a_server_keeps_restore_off_its_database_until_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.backup");
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let Some((target, _place)) = Place::new(engine) else {
            continue;
        };
        TestApp::at(&target).with_units(&[("101", None)]);
        let _ = std::fs::remove_file(&file);
        done(&target, &["backup", file.to_str().unwrap()]);
        let full = rows(&target);
        // Nobody asks this server anything: it notes no token's use, which it does when the answer is long given.
        let app = TestApp::at(&target);
        let restore = refused(&target, &["restore", file.to_str().unwrap(), "--replace"]);
        assert!(restore.contains("another server process"), "{restore}");
        assert!(rows(&target) == full);
        if engine == Engine::Sqlite {
            let to = format!("sqlite:{}", folder.path().join("b.db").display());
            assert!(refused(&target, &["move", "--to", &to]).contains("another server process"));
        }
        drop(app);
        done(&target, &["restore", file.to_str().unwrap(), "--replace"]);
        assert!(rows(&target) == full);
    }
}

#[test]
fn a_file_that_is_damaged_cut_off_or_of_another_key_is_refused_and_changes_nothing() {
    let app = TestApp::start(Engine::Sqlite).unwrap();
    let secret = app
        .with_units(&[("101", None)])
        .post(
            "/api/v1/webhooks",
            &json!({"url": "https://127.0.0.1:9/", "enabled": false}),
        )
        .expect(201)
        .json();
    let secret = secret["secret"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let shown = |path: &Path| path.display().to_string();
    std::fs::write(path("key"), format!("{}\n", "5a".repeat(32))).unwrap();
    std::fs::write(path("other"), "a5".repeat(32)).unwrap();
    let (key, other) = (shown(&path("key")), shown(&path("other")));
    done(app.target(), &["backup", &shown(&path("open"))]);
    done(app.target(), &["backup", &shown(&path("sealed")), "--key-file", &key]);
    let target = Target::Sqlite(path("restored.db"));
    for (name, keys) in [("open", vec![]), ("sealed", vec!["--key-file", &key])] {
        let whole = std::fs::read(path(name)).unwrap();
        let contains = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!contains(&whole), "{name} is compressed");
        let mut spoilt: Vec<Vec<u8>> = vec![
            Vec::new(),
            whole[..whole.len() / 2].to_vec(),
            whole[..whole.len() - 1].to_vec(),
            [&whole[..], b"more\n"].concat(),
            [&whole[..], &whole[..]].concat(),
        ];
        for at in [0, 12, whole.len() / 3, whole.len() - 5] {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x40;
            spoilt.push(bytes);
        }
        for (n, bytes) in spoilt.iter().enumerate() {
            let bad = path(&format!("{name}-{n}"));
            std::fs::write(&bad, bytes).unwrap();
            let arguments = [vec!["restore", "--verify-only", bad.to_str().unwrap()], keys.clone()].concat();
            let (code, ..) = command(&target, &arguments);
            assert_eq!(code, Some(1), "{name} {n}");
        }
        let file = shown(&path(name));
        let arguments = [vec!["restore", "--verify-only", &file], keys].concat();
        assert!(done(&target, &arguments).contains("units"));
    }
    let sealed = shown(&path("sealed"));
    assert!(refused(&target, &["restore", &sealed]).contains("--key-file"));
    assert!(refused(&target, &["restore", &sealed, "--key-file", &other]).contains("密钥与加密时所用的不同"));
    assert!(refused(&target, &["restore", &shown(&path("open")), "--key-file", &key]).contains("not sealed"));
    assert!(!path("restored.db").exists());
    done(&target, &["restore", &sealed, "--key-file", &key]);
    let (restored, stored) = (rows(&target), rows(app.target()));
    for table in ["units", "webhooks", "changes"] {
        assert_eq!(restored[table], stored[table]);
    }
}

/// A database of the first `count` migrations, with a row in it.
fn old(target: &Target, count: usize) -> Vec<String> {
    let known = migrate::known().unwrap();
    let first: BTreeSet<String> = known.iter().take(count).map(|(version, _)| version.clone()).collect();
    let mut conn = connect(target, Access::Write).unwrap();
    migrate::run_only(&mut conn, &first).unwrap();
    conn.batch_execute(
        "INSERT INTO units (code, name, kind, path, version, created_at, updated_at) VALUES ('101', '某镇', 'town', '/101/', 1, 'a', 'a');
         INSERT INTO tokens (id, name, secret_hash, role, created_at) VALUES ('abc', '旧', 'x', 'auditor', '2026-01-01T00:00:00.000000Z')",
    )
    .unwrap();
    known.into_iter().skip(count).map(|(_, name)| name).collect()
}

#[test]
fn a_dry_run_names_the_migrations_that_would_run_and_changes_nothing() {
    for (target, _place) in places() {
        let pending = old(&target, 1);
        let look = |target: &Target| {
            let mut conn = open_as_it_is(target).unwrap();
            let applied = migrate::applied(&mut conn).unwrap();
            (catalogue::count(&mut conn, "units").unwrap(), applied)
        };
        let before = look(&target);
        let printed = done(&target, &["migrate", "--dry-run"]);
        let names: Vec<&str> = printed.lines().skip(1).collect();
        assert_eq!(names, pending);
        assert_eq!(look(&target), before);
        assert!(refused(&target, &["check"]).contains("jixiao migrate"));
        done(&target, &["migrate"]);
        assert_eq!(done(&target, &["migrate", "--dry-run"]).lines().count(), 1);
    }
    let folder = tempfile::tempdir().unwrap();
    let nothing = Target::Sqlite(folder.path().join("none/jixiao.db"));
    let printed = done(&nothing, &["migrate", "--dry-run"]);
    assert_eq!(printed.lines().count(), 1 + migrate::known().unwrap().len());
    assert!(!folder.path().join("none").exists());
}

#[test]
fn a_backup_of_an_older_version_is_restored_as_it_was_and_then_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    for (n, (from, _place)) in places().into_iter().enumerate() {
        old(&from, 1);
        let file = folder.path().join(format!("{n}.backup"));
        dump::backup(&from, &file, None).unwrap();
        for (to, _place) in places() {
            restore::restore_from(&file, None, &to, false).unwrap();
            let restored = rows(&to);
            assert_eq!(restored["units"].len(), 1);
            // What a migration does with rows was done.
            let updated_at = tables()
                .iter()
                .find(|table| table.name == "tokens")
                .unwrap()
                .columns
                .iter()
                .position(|c| c.name == "updated_at");
            assert_eq!(
                restored["tokens"][0].0[updated_at.unwrap()].as_deref(),
                Some("2026-01-01T00:00:00.000000Z")
            );
            TestApp::at(&to).bureau().get("/api/v1/units/101").expect(200);
        }
    }
}

#[test]
fn a_database_of_a_later_version_is_refused_by_every_command_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.backup");
    for (target, _place) in places() {
        let mut conn = open_once(&target).unwrap();
        let _ = std::fs::remove_file(&file);
        dump::backup(&target, &file, None).unwrap();
        conn.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000001')")
            .unwrap();
        drop(conn);
        let path = file.to_str().unwrap();
        let other = folder.path().join("b.backup");
        let elsewhere = format!("sqlite:{}", folder.path().join("c.db").display());
        for arguments in [
            &["serve", "--listen", "127.0.0.1:0"][..],
            &["migrate"],
            &["migrate", "--dry-run"],
            &["check"],
            &["audit", "verify"],
            &["token", "list"],
            &["backup", other.to_str().unwrap()],
            &["restore", path, "--replace"],
            &["move", "--to", &elsewhere],
        ] {
            let complaint = refused(&target, arguments);
            assert!(
                complaint.contains("29990101000001") && complaint.contains("later version"),
                "{arguments:?}: {complaint}"
            );
        }
        assert!(!other.exists());
    }
}

#[test]
fn a_kill_in_the_middle_leaves_no_file_that_looks_whole_and_no_database_half_restored() {
    let folder = tempfile::tempdir().unwrap();
    let source = Target::Sqlite(folder.path().join("source.db"));
    let mut conn = open_once(&source).unwrap();
    // Some 20 MB, which take a while.
    conn.batch_execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO imports SELECT 'i' || i, 'units', 'csv', 'all', 0, 'done', hex(randomblob(500)), 1, '', 0, 0, 0, 0, 0, 0, NULL, 'x', 'a', 'b', 'c' FROM n",
    )
    .unwrap();
    drop(conn);
    let whole = folder.path().join("whole.backup");
    dump::backup(&source, &whole, None).unwrap();
    for (round, (target, _place)) in places().into_iter().enumerate() {
        let file = folder.path().join(format!("{round}.backup"));
        let partial = |folder: &Path| {
            let entries = std::fs::read_dir(folder).unwrap();
            entries.flatten().any(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                name.ends_with(".partial") && entry.metadata().is_ok_and(|data| data.len() > 100_000)
            })
        };
        // What is done before it is seen at work is begun once more: on a busy machine nobody looks for a while.
        let backed_up = ["backup", file.to_str().unwrap(), "--database-url", &url(&source)];
        let is_killed = (0..5).any(|_| {
            let _ = std::fs::remove_file(&file);
            kill(&backed_up, || partial(folder.path()))
        });
        assert!(is_killed, "it was too quick each time");
        assert!(!file.exists());
        for entry in std::fs::read_dir(folder.path()).unwrap().flatten() {
            if entry.file_name().to_string_lossy().ends_with(".partial") {
                assert!(restore::verify_from(&entry.path(), None).is_err());
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        let restored = [
            "restore",
            whole.to_str().unwrap(),
            "--replace",
            "--database-url",
            &url(&target),
        ];
        let grown = || match &target {
            Target::Sqlite(path) => {
                std::fs::metadata(path.with_extension("db-wal")).is_ok_and(|data| data.len() > 1_000_000)
            }
            Target::Postgres(_) => inserting(&target),
        };
        // The target holds something, which is to be replaced: killed, it is as it was.
        let is_killed = (0..5).any(|_| {
            open_once(&target).unwrap();
            TestApp::at(&target).with_units(&[("101", None)]);
            let before = rows(&target);
            let is_killed = kill(&restored, grown);
            assert!(!is_killed || rows(&target) == before);
            is_killed
        });
        assert!(is_killed, "it was too quick each time");
        TestApp::at(&target).bureau().get("/api/v1/units/101").expect(200);
        let contents = restore::restore_from(&whole, None, &target, true).unwrap();
        assert_eq!(
            contents
                .manifest
                .tables
                .iter()
                .find(|sum| sum.name == "imports")
                .unwrap()
                .rows,
            20_000
        );
    }
}

/// Whether someone is in the middle of a restore.
fn inserting(target: &Target) -> bool {
    let mut conn = connect(target, Access::Read).unwrap();
    let looked = dynamic::all(
        &mut conn,
        "SELECT 'yes' FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'INSERT INTO \"imports\"%'",
    );
    !looked.unwrap().is_empty()
}

/// Starts a command and kills it as soon as it is in the middle of its work; whether it was, and had not ended.
fn kill(arguments: &[&str], in_the_middle: impl Fn() -> bool) -> bool {
    let mut child = jixiao(arguments).stdout(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !in_the_middle() {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return false;
        }
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    // It may have ended just then.
    !child.wait().unwrap().success()
}

#[test]
fn backup_and_check_run_beside_a_server_and_do_not_hold_it_up() {
    let data = tempfile::tempdir().unwrap();
    let server = Process::serve(data.path(), &[]);
    let bureau = server.client(&server.first_token());
    bureau
        .put("/api/v1/units/101", &json!({"name": "某镇", "kind": "town"}))
        .expect(201);
    let target = Target::Sqlite(data.path().join("jixiao.db"));
    let file = data.path().join("a.backup");
    done(&target, &["backup", file.to_str().unwrap()]);
    assert!(done(&target, &["check"]).contains("1 units"));
    bureau
        .put("/api/v1/units/102", &json!({"name": "某镇", "kind": "town"}))
        .expect(201);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}
