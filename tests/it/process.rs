//! The program as a process: what it prints, what it refuses, and what survives its end.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use diesel::{Connection, RunQueryDsl};
use serde_json::{Value, json};
use tempfile::TempDir;
use unicode_width::UnicodeWidthStr;

use crate::support::process::{Process, free_port, jixiao, run};
use crate::support::{Client, postgres};

const YEAR: &str = "/api/v1/fiscal-years/2019";

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// What a command printed, if it ended well.
#[track_caller]
fn printed(output: Output) -> String {
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a command complained of, if it ended with this code and printed nothing else.
#[track_caller]
fn refused(output: Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    String::from_utf8(output.stderr).unwrap()
}

/// A command on the tokens of the database in `data`.
fn token(data: &Path, arguments: &[&str]) -> Output {
    let data = data.display().to_string();
    run(&[&["token"], arguments, &["--data-dir", &data]].concat())
}

fn unit(name: &str) -> Value {
    json!({"name": name, "kind": "town"})
}

/// The lines of the tables in what was printed.
fn tables(printed: &str) -> Vec<&str> {
    let tables = printed.split("演示服务已启动").next().unwrap();
    tables.lines().filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_first_start_prints_one_token_of_the_bureau_and_what_is_stored_survives_a_restart() {
    let data = folder();
    let mut first = Process::serve(data.path(), &[]);
    let token = first.first_token();
    assert_eq!(first.output().matches("jx_").count(), 1);
    let bureau = first.client(&token);
    bureau.put("/api/v1/units/219001", &unit("开云镇")).expect(201);
    let stored = bureau.get("/api/v1/units/219001").expect(200).json();
    assert_eq!(first.stop().code(), Some(0));

    let second = Process::serve(data.path(), &[]);
    second.wait_for("serving");
    assert_eq!(second.output().matches("jx_").count(), 0);
    assert_eq!(
        second.client(&token).get("/api/v1/units/219001").expect(200).json(),
        stored
    );
}

#[test]
fn a_second_server_on_one_sqlite_file_does_not_start_and_says_why() {
    let data = folder();
    let first = Process::serve(data.path(), &[]);
    let listen = format!("127.0.0.1:{}", free_port());
    let data = data.path().display().to_string();
    let complaint = refused(run(&["serve", "--data-dir", &data, "--listen", &listen]), 1);
    for part in ["another server process", "正由另一个服务进程使用", &data] {
        assert!(complaint.contains(part), "{part}: {complaint}");
    }
    // Nor does one on the same port, whatever its data.
    let listen = first.base().trim_start_matches("http://").to_owned();
    let other = folder().path().join("data").display().to_string();
    let complaint = refused(run(&["serve", "--data-dir", &other, "--listen", &listen]), 1);
    assert!(
        complaint.contains(&listen) && complaint.contains("--listen"),
        "{complaint}"
    );
    first.client(&first.first_token()).get("/api/v1/units").expect(200);
}

#[test]
fn a_token_made_beside_a_running_server_works_at_once() {
    let data = folder();
    let server = Process::serve(data.path(), &[]);
    let bureau = server.client(&server.first_token());
    for code in ["219001", "302001"] {
        bureau.put(&format!("/api/v1/units/{code}"), &unit("单位")).expect(201);
    }
    let made = |arguments: &[&str]| {
        printed(token(data.path(), &[&["create"], arguments].concat()))
            .trim()
            .to_owned()
    };
    let own = server.client(&made(&[
        "--role",
        "unit",
        "--name",
        "开云镇",
        "--unit",
        "219001",
        "--unit",
        "219001",
    ]));
    own.get("/api/v1/units/219001").expect(200);
    own.get("/api/v1/units/302001").problem(403, "forbidden");
    let auditor = server.client(&made(&["--role", "auditor", "--name", "审计局"]));
    auditor.get("/api/v1/units/302001").expect(200);
    auditor
        .put("/api/v1/units/302001", &unit("改"))
        .problem(403, "forbidden");
    server
        .client(&made(&["--role", "bureau", "--name", "绩效股"]))
        .put("/api/v1/units/302001", &unit("改"))
        .expect(200);
}

#[test]
fn a_token_that_cannot_be_is_refused_and_none_is_made() {
    let data = folder();
    let server = Process::serve(data.path(), &[]);
    let bureau = server.client(&server.first_token());
    bureau.put("/api/v1/units/219001", &unit("单位")).expect(201);
    let long = "长".repeat(201);
    for (arguments, code, part) in [
        (["--role", "unit", "--name", "开云镇"].as_slice(), 2, "--unit <CODE>"),
        (
            &[
                "--role",
                "unit",
                "--name",
                "开云镇",
                "--unit",
                "219001",
                "--unit",
                "999",
            ],
            1,
            "999",
        ),
        (&["--role", "unit", "--name", "开云镇", "--unit", "21"], 1, "--unit: "),
        (
            &["--role", "auditor", "--name", "审计局", "--unit", "219001"],
            1,
            "--unit",
        ),
        (&["--role", "bureau", "--name", ""], 1, "--name: "),
        (&["--role", "bureau", "--name", "a\nb"], 1, "--name: "),
        (&["--role", "bureau", "--name", &long], 1, "--name: "),
        (&["--role", "king", "--name", "x"], 2, "bureau, unit, auditor"),
        (&["--name", "x"], 2, "--role"),
    ] {
        let complaint = refused(token(data.path(), &[&["create"], arguments].concat()), code);
        assert!(complaint.contains(part), "{arguments:?}: {complaint}");
    }
    let unknown = refused(
        token(
            data.path(),
            &[
                "create", "--role", "unit", "--name", "x", "--unit", "219001", "--unit", "999",
            ],
        ),
        1,
    );
    assert!(!unknown.contains("219001"), "219001 does exist: {unknown}");
    assert_eq!(
        printed(token(data.path(), &["list"])).lines().count(),
        1,
        "only the first token is there"
    );
}

#[test]
fn tokens_are_listed_without_their_secrets_and_taken_back() {
    let data = folder();
    let server = Process::serve(data.path(), &[]);
    let first = server.first_token();
    server
        .client(&first)
        .put("/api/v1/units/219001", &unit("单位"))
        .expect(201);
    let made = printed(token(
        data.path(),
        &["create", "--role", "unit", "--name", "开云镇", "--unit", "219001"],
    ));
    let made = made.trim();
    let (id, secret) = made.strip_prefix("jx_").unwrap().split_once('_').unwrap();
    let list = printed(token(data.path(), &["list"]));
    let line = list.lines().find(|line| line.starts_with(id)).unwrap();
    for part in ["unit", "开云镇", "219001"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(
        !list.contains(secret) && !list.contains(first.rsplit('_').next().unwrap()),
        "{list}"
    );

    assert_eq!(printed(token(data.path(), &["revoke", id])).trim(), id);
    // The server never saw it, so it has nothing to forget.
    server.client(made).get("/api/v1/units").problem(401, "unauthorized");
    assert!(refused(token(data.path(), &["revoke", id]), 1).contains(id));
    assert_eq!(printed(token(data.path(), &["list"])).lines().count(), 1);
    server.client(&first).get("/api/v1/units").expect(200);
}

/// One who puts ever higher numbers of posts, until the server is gone.
struct Stream {
    sheet: String,
    /// The number in the last request that was sent, and in the last that was answered.
    sent: AtomicU64,
    answered: AtomicU64,
}

impl Stream {
    /// Stores the unit of that code; 2019 must be set up.
    fn new(bureau: &Client, code: usize) -> Self {
        bureau.put(&format!("/api/v1/units/{code}"), &unit("单位")).expect(201);
        Self {
            sheet: format!("/api/v1/units/{code}/evaluations/2019/base-data"),
            sent: AtomicU64::new(0),
            answered: AtomicU64::new(0),
        }
    }

    fn run(&self, bureau: &Client, answers: &mpsc::Sender<()>) {
        loop {
            let n = self.sent.fetch_add(1, Ordering::SeqCst) + 1;
            let body = json!({"staff": {"posts": n}}).to_string();
            let Ok(response) = bureau.try_send("PUT", &self.sheet, Some(body.as_bytes())) else {
                return;
            };
            assert!(matches!(response.status, 200 | 201), "{}", response.text());
            self.answered.store(n, Ordering::SeqCst);
            // Nobody listens any more once there were enough.
            let _ = answers.send(());
        }
    }

    /// What is stored, which is between what was answered and what was sent.
    fn stored(&self, bureau: &Client) -> u64 {
        let response = bureau.get(&self.sheet);
        match response.status {
            404 => 0,
            _ => response.expect(200).json()["staff"]["posts"].as_u64().unwrap(),
        }
    }
}

/// Lets all stream until they had `enough` answers, then ends the server in this way.
fn stream_until(streams: &[Stream], bureau: &Client, enough: usize, end: impl FnOnce()) {
    std::thread::scope(|scope| {
        let (answered, answers) = mpsc::channel();
        for stream in streams {
            let (answered, bureau) = (answered.clone(), bureau.clone());
            scope.spawn(move || stream.run(&bureau, &answered));
        }
        drop(answered);
        assert_eq!(
            answers.iter().take(enough).count(),
            enough,
            "they stopped by themselves"
        );
        end();
    });
}

#[test]
fn a_server_that_is_told_to_stop_answers_what_it_accepted_and_ends_well() {
    let data = folder();
    let mut server = Process::serve(data.path(), &["--workers", "2"]);
    let token = server.first_token();
    let bureau = server.client(&token);
    bureau.put(YEAR, &json!({"scheme": "hunan-2019"})).expect(201);
    let streams: Vec<_> = (100..106).map(|code| Stream::new(&bureau, code)).collect();
    stream_until(&streams, &bureau, 100, || server.signal("TERM"));
    assert_eq!(server.child.wait().unwrap().code(), Some(0));

    let server = Process::serve(data.path(), &[]);
    let bureau = server.client(&token);
    for stream in &streams {
        // What was done was also answered: nothing is stored that its sender was not told of.
        assert_eq!(
            stream.stored(&bureau),
            stream.answered.load(Ordering::SeqCst),
            "{}",
            stream.sheet
        );
    }
}

#[test]
fn the_audit_trail_is_verified_on_the_command_line_and_what_was_tampered_with_ends_with_1() {
    use diesel::{Connection, RunQueryDsl, SqliteConnection};
    let data = folder();
    let mut server = Process::serve(data.path(), &[]);
    let bureau = server.client(&server.first_token());
    bureau.put(YEAR, &json!({"scheme": "hunan-2019"})).expect(201);
    let verify = |more: &[&str]| {
        let at = data.path().display().to_string();
        run(&[&["audit", "verify", "--data-dir", &at], more].concat())
    };
    // Beside a running server.
    let whole = printed(verify(&[]));
    assert!(whole.contains("审计轨迹完整"), "{whole}");
    let noted = whole.lines().last().unwrap().to_owned();
    bureau.patch(YEAR, &json!({"status": "closed"})).expect(200);
    assert_eq!(server.stop().code(), Some(0));
    printed(verify(&["--anchor", &noted]));

    let database = data.path().join("jixiao.db").display().to_string();
    let mut conn = SqliteConnection::establish(&database).unwrap();
    let altered = diesel::sql_query("UPDATE changes SET actor_name = 'x' WHERE seq = 2").execute(&mut conn);
    assert_eq!(altered, Ok(1));
    let output = verify(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("变更2的哈希值"),
        "{output:?}"
    );
}

#[test]
fn a_stream_of_events_ends_well_when_the_server_is_told_to_stop() {
    let data = folder();
    let mut server = Process::serve(data.path(), &[]);
    let mut stream = std::net::TcpStream::connect(server.base().trim_start_matches("http://")).unwrap();
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nAuthorization: Bearer {}\r\n\r\n",
        server.first_token()
    );
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stream)).map(Result::unwrap);
    lines.find(|line| line == "event: jixiao.token.created").unwrap();
    server.signal("TERM");
    // The last chunk is empty: it was ended, and not cut off after the time for stopping.
    assert_eq!(lines.filter(|line| !line.is_empty()).last().unwrap(), "0");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[derive(diesel::QueryableByName)]
struct Integrity {
    #[diesel(sql_type = diesel::sql_types::Text)]
    integrity_check: String,
}

#[test]
fn what_was_answered_is_there_after_kill_9() {
    let data = folder();
    let server = Process::serve(data.path(), &[]);
    let token = server.first_token();
    let bureau = server.client(&token);
    bureau.put(YEAR, &json!({"scheme": "hunan-2019"})).expect(201);
    let streams: Vec<_> = (100..106).map(|code| Stream::new(&bureau, code)).collect();
    let mut server = server;
    for round in 0..3 {
        let bureau = server.client(&token);
        stream_until(&streams, &bureau, 20 + 31 * round, || server.signal("KILL"));
        assert_eq!(server.child.wait().unwrap().code(), None, "it was killed");
        server = Process::serve(data.path(), &[]);
        let bureau = server.client(&token);
        for stream in &streams {
            let stored = stream.stored(&bureau);
            let (answered, sent) = (
                stream.answered.load(Ordering::SeqCst),
                stream.sent.load(Ordering::SeqCst),
            );
            assert!(
                (answered..=sent).contains(&stored),
                "round {round}: {answered} was answered, {stored} is there"
            );
            // The next round goes on above all that.
            stream.answered.store(stored, Ordering::SeqCst);
        }
        let file = data.path().join("jixiao.db").display().to_string();
        let mut conn = diesel::SqliteConnection::establish(&file).unwrap();
        let found: Vec<Integrity> = diesel::sql_query("PRAGMA integrity_check").load(&mut conn).unwrap();
        assert_eq!(
            found.iter().map(|row| row.integrity_check.as_str()).collect::<Vec<_>>(),
            ["ok"]
        );
    }
}

#[test]
fn the_demonstration_prints_both_examples_and_needs_no_token() {
    let demo = Process::demo();
    let printed = demo.output();
    for part in [
        "衡山县开云镇人民政府（219001）2019年度",
        "危房改造资金",
        "村级运行经费",
        "社区运行经费",
        "（302001）2018年度",
        "16",
        "curl ",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert_eq!(printed.matches("jx_").count(), 0);
    let anyone = Client::new(demo.base());
    assert_eq!(
        anyone
            .get("/api/v1/units/302001/evaluations/2018/score")
            .expect(200)
            .json()["total"],
        "16"
    );
    anyone.put("/api/v1/units/219001", &unit("改名")).expect(200);
}

#[test]
fn the_demonstration_serves_this_machine_only() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
        let complaint = refused(run(&["demo", "--listen", listen]), 1);
        assert!(complaint.contains("loopback"), "{complaint}");
    }
}

#[test]
fn the_columns_of_a_table_line_up_in_a_terminal_also_in_chinese() {
    let demo = Process::demo();
    let (mut inside, mut widths, mut found) = (0, Vec::new(), 0);
    let printed = demo.output();
    for line in printed.lines() {
        let rule = line.starts_with('─') || line.starts_with('═');
        if rule || inside > 0 {
            widths.push((line.width(), line));
        }
        // A table's first rule is above its heading, its last below all rows; the next line is the summary.
        inside += usize::from(rule);
        if inside > 0 && !rule && !line.starts_with(' ') {
            widths.pop();
            let (first, _) = widths[0];
            assert!(first > 60 && widths.len() > 3, "{widths:?}");
            for (width, line) in widths.drain(..) {
                assert_eq!(width, first, "{line:?}");
            }
            (inside, found) = (0, found + 1);
        }
    }
    assert_eq!(found, 5, "one table for each unit and fund");
}

#[test]
fn the_examples_scripts_may_be_run_twice_and_print_what_the_demonstration_prints() {
    let demo = Process::demo().output();
    let data = folder();
    let server = Process::serve(data.path(), &[]);
    for _ in 0..2 {
        let mut together = String::new();
        for example in ["kaiyun-2019", "published-2018"] {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{example}/run.sh"));
            let ran = Command::new("sh")
                .arg(script)
                .env("BASE", server.base())
                .env("TOKEN", server.first_token())
                .output();
            together += &printed(ran.unwrap());
        }
        assert!(tables(&together).len() > 30, "{together}");
        assert_eq!(tables(&together), tables(&demo));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kaiyun-2019/run.sh");
    let without = Command::new("sh")
        .arg(script)
        .env("BASE", server.base())
        .env("TOKEN", "jx_no_no")
        .output()
        .unwrap();
    assert!(!without.status.success(), "a refusal ends the script");
}

#[test]
fn whoever_reads_only_the_beginning_of_the_document_is_told_of_no_error() {
    let mut program = jixiao(&["openapi"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A pipe holds a tenth of it.
    drop(program.stdout.take());
    let ended = program.wait_with_output().unwrap();
    assert_eq!(
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap()),
        (Some(0), String::new())
    );
}

#[test]
fn a_countys_whole_year_runs_by_its_script() {
    let server = Process::demo();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/county-year/run.sh");
    let ran = Command::new("sh")
        .arg(script)
        .env("BASE", server.base())
        .output()
        .unwrap();
    let shown = printed(ran);
    let client = Client::new(server.base());
    let ranking = client
        .get("/api/v1/fiscal-years/2031/ranking?limit=50")
        .expect(200)
        .json();
    // Unit 1 loses a point for what was added (3300/82500 = 4%), one for an item of disclosure, 0.16 for 98 of 100 in its key
    // work, and half a point for its economic benefit: 100 − 1 − 1 − 0.16 − 0.5.
    assert_eq!(ranking["items"][0]["unit"], "101");
    assert_eq!(ranking["items"][0]["points"], "97.34");
    assert_eq!(ranking["items"].as_array().unwrap().len(), 30);
    assert!(shown.contains("97.34"), "the table shows it too: {shown}");
    // The two without a survey have a total since the bureau decided that line. Unit 30 loses its 6 points, 2 for a budget
    // completed to 94.16% (151600/161000), 0.4 for 95 of 100 in its key work, and half a point for its economic benefit.
    let review = client
        .get("/api/v1/units/218/evaluations/2031/review")
        .expect(200)
        .json();
    assert_eq!(review["review_score"]["total"], "91.1", "{review}");
    let returned = client
        .get("/api/v1/units/104/evaluations/2031/submissions")
        .expect(200)
        .json();
    assert_eq!(returned["items"].as_array().unwrap().len(), 2, "{returned}");
    client.get("/api/v1/fiscal-years/2032").expect(200);
    // What was frozen is read back whole for the reports, whichever rules it was scored by.
    for unit in ranking["items"].as_array().unwrap() {
        let evaluation = unit["link"].as_str().unwrap();
        let report = client.get(&format!("{evaluation}/report")).expect(200).json();
        let kept = client
            .get(&format!("{evaluation}/submissions/{}", unit["submission"]))
            .expect(200)
            .json();
        assert_eq!(report["document"], kept);
        assert_eq!(report["counted"]["total"], unit["total"]);
    }
}

#[test]
fn the_openapi_document_of_the_repository_is_the_programs() {
    let committed = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/jixiao.json")).unwrap();
    let printed = printed(run(&["openapi"]));
    assert!(printed == committed, "run `cargo run -- openapi > openapi/jixiao.json`");
    let demo = Process::demo();
    assert!(Client::new(demo.base()).get("/openapi.json").expect(200).text() == committed);
}

#[test]
fn health_ends_with_0_for_a_server_that_works_and_with_1_for_none() {
    let data = folder();
    let server = Process::serve(data.path(), &[]);
    let listen = server.base().trim_start_matches("http://").to_owned();
    assert_eq!(printed(run(&["health", "--listen", &listen])), "ok\n");
    let port = listen.rsplit(':').next().unwrap();
    assert_eq!(
        printed(run(&["health", "--listen", &format!("0.0.0.0:{port}")])),
        "ok\n",
        "asked on this machine's own address"
    );
    drop(server);
    assert!(refused(run(&["health", "--listen", &listen]), 1).contains(&listen));
}

#[test]
fn settings_come_from_a_file_and_what_is_no_setting_is_named() {
    let folder = folder();
    let (file, data) = (folder.path().join("jixiao.toml"), folder.path().join("绩效 data"));
    std::fs::write(
        &file,
        format!("data_dir = {data:?}\nlog_format = \"json\"\nbody_limit = 100\n"),
    )
    .unwrap();
    let file = file.display().to_string();
    let server = Process::start(&["serve", "--config", &file]);
    server.wait_for("\"serving\"");
    assert!(data.join("jixiao.db").exists());
    let bureau = server.client(&server.first_token());
    bureau
        .put("/api/v1/units/219001", &unit(&"长".repeat(100)))
        .problem(413, "body-too-large");
    assert_eq!(
        printed(run(&["token", "list", "--config", &file])).lines().count(),
        1,
        "the same database"
    );

    std::fs::write(&file, "data_dri = \"x\"\n").unwrap();
    assert!(refused(run(&["serve", "--config", &file]), 1).contains("data_dri"));
    let nowhere = format!("{file}.not");
    assert!(refused(run(&["serve", "--config", &nowhere]), 1).contains(&nowhere));
}

#[test]
fn log_lines_say_who_asked_for_what_and_never_a_secret() {
    let data = folder();
    let mut first = Process::serve(data.path(), &[]);
    let token = first.first_token();
    assert_eq!(first.stop().code(), Some(0));
    let server = Process::serve(data.path(), &["--log-format", "json", "--log", "debug"]);
    let bureau = server.client(&token);
    bureau
        .with("X-Request-Id", "put-1")
        .put("/api/v1/units/219001", &unit("开云镇"))
        .expect(201);
    bureau
        .with("X-Request-Id", "get-2")
        .get("/api/v1/units/999")
        .problem(404, "not-found");
    let wrong = server.client(&format!("{token}0"));
    wrong
        .with("X-Request-Id", "bad-3")
        .get("/api/v1/units")
        .problem(401, "unauthorized");
    server.wait_for("bad-3");

    let (id, secret) = token.strip_prefix("jx_").unwrap().split_once('_').unwrap();
    let output = server.output();
    assert!(!output.contains(secret), "the secret is in the log");
    let lines: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let logged = |request: &str| {
        let line = lines
            .iter()
            .find(|line| line["target"] == "access" && line["request_id"] == request)
            .unwrap();
        ["method", "path", "status", "token"].map(|field| line[field].clone())
    };
    assert_eq!(
        logged("put-1"),
        [json!("PUT"), json!("/api/v1/units/219001"), json!(201), json!(id)]
    );
    assert_eq!(
        logged("get-2"),
        [json!("GET"), json!("/api/v1/units/999"), json!(404), json!(id)]
    );
    assert_eq!(
        logged("bad-3"),
        [json!("GET"), json!("/api/v1/units"), json!(401), Value::Null]
    );
}

#[test]
fn servers_on_one_postgresql_share_tokens_and_data_and_only_the_first_prints_a_token() {
    let Some(database) = postgres::new_database() else {
        return;
    };
    let with_url = |arguments: &[&str]| {
        let mut command = jixiao(arguments);
        command.env("DATABASE_URL", database.address());
        command
    };
    let mut one = Process::start_as(with_url(&["serve"]));
    let token = one.first_token();
    let two = Process::start_as(with_url(&["serve"]));
    two.wait_for("serving");
    assert_eq!(two.output().matches("jx_").count(), 0);
    one.client(&token)
        .put("/api/v1/units/219001", &unit("开云镇"))
        .expect(201);
    assert_eq!(
        two.client(&token).get("/api/v1/units/219001").expect(200).json()["name"],
        "开云镇"
    );
    let made = printed(
        with_url(&[
            "token",
            "create",
            "--role",
            "unit",
            "--name",
            "开云镇",
            "--unit",
            "219001",
        ])
        .output()
        .unwrap(),
    );
    two.client(made.trim()).get("/api/v1/units/219001").expect(200);
    let unknown = with_url(&["token", "create", "--role", "unit", "--name", "x", "--unit", "999"])
        .output()
        .unwrap();
    assert!(refused(unknown, 1).contains("999"));
    assert_eq!(
        printed(with_url(&["token", "list"]).output().unwrap()).lines().count(),
        2
    );
    assert_eq!(one.stop().code(), Some(0));
    two.client(&token).get("/api/v1/units/219001").expect(200);
}

#[test]
fn a_database_that_cannot_be_used_is_named_without_its_password() {
    let port = free_port();
    let url = format!("postgres://jixiao:geheim@127.0.0.1:{port}/jixiao");
    let complaint = refused(run(&["migrate", "--database-url", &url]), 1);
    assert!(
        complaint.contains(&port.to_string()) && !complaint.contains("geheim"),
        "{complaint}"
    );
    let complaint = refused(
        run(&["migrate", "--database-url", "mysql://root:geheim@localhost/x"]),
        1,
    );
    assert!(
        complaint.contains("postgres://") && !complaint.contains("geheim"),
        "{complaint}"
    );
}
