//! What becomes of clients that are slow, too many or gone, of a handler that panics, of a disk that is full and of a database that
//! goes and comes back: each has its answer, and nothing is lost.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use jixiao::config::Config;
use jixiao::db::Target;
use jixiao::http::load::{self, Load};
use jixiao::http::middleware;
use serde_json::json;

use crate::support::client::{Client, Response};
use crate::support::postgres::Server;
use crate::support::process::{Process, free_port, is_root, jixiao};
use crate::support::{Engine, Stop, TestApp, wait_until};

const UNIT: &str = "/api/v1/units/219001";
const TOWN: &str = r#"{"name": "开云镇", "kind": "town"}"#;

/// A service by other settings, for what does not depend on the database.
fn with(change: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::start_with(Engine::Sqlite, change).unwrap()
}

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A request that is sent piece by piece.
struct Slow(TcpStream);

impl Slow {
    fn send(base: &str, bytes: &[u8]) -> Self {
        let mut stream = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(bytes).unwrap();
        Self(stream)
    }

    /// A PUT of a body of `length`, of which `body` is sent.
    fn put(base: &str, token: &str, path: &str, length: usize, body: &str) -> Self {
        let head = format!(
            "PUT {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        Self::send(base, head.as_bytes())
    }

    /// What comes until the service closes the connection.
    fn answer(mut self) -> Response {
        let mut bytes = Vec::new();
        // One that was cut off in the middle of its request may also be reset.
        let _ = self.0.read_to_end(&mut bytes);
        Response::from_wire("slow", &bytes)
    }
}

/// A problem of this kind, with a time to come again after.
#[track_caller]
fn again_later(answer: Response, status: u16, kind: &str) {
    let wait = answer.header("Retry-After").map(str::to_owned);
    answer.problem(status, kind);
    let wait: u64 = wait.unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
}

#[test]
fn a_client_that_stops_or_trickles_is_cut_off_whatever_it_sends() {
    let app = with(|config| config.client_timeout = millis(1500));
    let token = app.token(jixiao::tokens::model::Role::Bureau, &[]);
    // It vanished in the middle of its body.
    Slow::put(app.base(), &token, UNIT, 1000, "{\"name\"")
        .answer()
        .problem(408, "request-timeout");
    // It sends a byte now and then: each in time, and all too late.
    let trickle = Slow::put(app.base(), &token, UNIT, 1000, "{");
    let mut stream = trickle.0.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        for _ in 0..100 {
            if stream.write_all(b" ").is_err() {
                return;
            }
            std::thread::sleep(millis(50));
        }
    });
    let started = Instant::now();
    trickle.answer().problem(408, "request-timeout");
    assert!(started.elapsed() < Duration::from_secs(4));
    sender.join().unwrap();
    // Its file stops.
    let head = format!(
        "POST /api/v1/imports?resource=units HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/x-ndjson\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n{{"
    );
    Slow::send(app.base(), head.as_bytes())
        .answer()
        .problem(408, "request-timeout");
    // Its head stops: there is no request yet that could be answered in words.
    let answer = Slow::send(app.base(), b"GET /api/v1/units HTTP/1.1\r\nHos").answer();
    assert_eq!((answer.status, answer.body.len()), (408, 0));
    app.bureau().get(UNIT).problem(404, "not-found");
}

#[test]
fn a_head_that_is_too_long_or_no_http_is_refused() {
    let app = with(|_| {});
    let long = "a".repeat(200_000);
    let many: String = (0..200).map(|n| format!("X-{n}: 1\r\n")).collect();
    for (head, status) in [
        (format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"), 431),
        ("GET /单位 HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 400),
        ("这不是HTTP\r\n\r\n".to_owned(), 400),
    ] {
        let mut stream = TcpStream::connect(app.base().trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // It may be refused before all of it was sent.
        let _ = stream.write_all(head.as_bytes());
        let answer = Slow(stream).answer();
        assert_eq!(answer.status, status, "{}", &head[..head.len().min(60)]);
    }
    app.anonymous().get("/health/live").expect(200);
}

#[test]
fn what_is_too_much_is_refused_before_anything_is_done_and_health_is_answered() {
    let app = with(|config| config.load.requests = 2);
    let token = app.token(jixiao::tokens::model::Role::Bureau, &[]);
    let bureau = app.client(&token);
    let waiting: Vec<_> = ["219001", "219002"]
        .map(|code| Slow::put(app.base(), &token, &format!("/api/v1/units/{code}"), TOWN.len(), "{"))
        .into_iter()
        .collect();
    wait_until("both are in progress", || bureau.get("/api/v1/units").status == 503);
    again_later(bureau.get("/api/v1/units"), 503, "busy");
    // Not even the token is looked at.
    again_later(app.client("no").get("/api/v1/units"), 503, "busy");
    for path in ["/health/live", "/health/ready"] {
        app.anonymous().get(path).expect(200);
    }
    // What was begun is finished, and then there is room.
    for Slow(mut stream) in waiting {
        stream.write_all(&TOWN.as_bytes()[1..]).unwrap();
        Slow(stream).answer().expect(201);
    }
    bureau.get(UNIT).expect(200);
}

#[test]
fn a_request_that_takes_too_long_is_told_so_and_others_go_on() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let Some(app) = TestApp::start_with(engine, |config| config.load.time = millis(300)) else {
            continue;
        };
        let bureau = app.bureau();
        // Another program has the lock that writers need.
        let mut other = app.connect();
        other.begin().unwrap();
        again_later(
            bureau.put(UNIT, &json!({"name": "开云镇", "kind": "town"})),
            503,
            "took-too-long",
        );
        bureau.get("/api/v1/units").expect(200);
        other.rollback().unwrap();
        wait_until("the write is done all the same, or can be", || {
            bureau.put(UNIT, &json!({"name": "开云镇", "kind": "town"})).status / 100 == 2
        });
    }
}

#[test]
fn connections_beyond_the_limit_wait_until_another_one_ends() {
    let app = with(|config| config.max_connections = 1);
    let ask = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut byte = [0];
    let Slow(mut first) = Slow::send(app.base(), ask);
    first.read_exact(&mut byte).unwrap();
    let Slow(mut second) = Slow::send(app.base(), ask);
    second.set_read_timeout(Some(millis(300))).unwrap();
    assert!(second.read_exact(&mut byte).is_err());
    drop(first);
    second.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    second.read_exact(&mut byte).unwrap();
}

#[test]
fn a_handler_that_panics_is_a_problem_and_its_worker_goes_on() {
    async fn panics() -> &'static str {
        panic!("on purpose")
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let load = Data::new(Load::new(load::Settings::usual()));
            let server = HttpServer::new(move || {
                App::new()
                    .app_data(load.clone())
                    .wrap(from_fn(middleware::serve))
                    .route("/panics", web::get().to(panics))
                    .route("/works", web::get().to(async || "works"))
            });
            let server = server.workers(1).listen(listener).unwrap().run();
            sender.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    let handle = receiver.recv().unwrap();
    let client = Client::new(&base);
    for n in 0..3 {
        let answer = client.with("X-Request-Id", &format!("r{n}")).get("/panics").expect(500);
        assert_eq!(answer.header("X-Request-Id"), Some(format!("r{n}").as_str()));
        assert_eq!(answer.json()["request_id"], format!("r{n}"));
        assert!(!answer.text().contains("on purpose"));
        answer.problem(500, "internal-error");
        client.get("/works").expect(200);
    }
    drop(handle.stop(false));
    thread.join().unwrap();
}

#[test]
fn a_client_that_reads_nothing_of_its_answers_is_cut_off() {
    let app = with(|config| config.client_timeout = millis(1000));
    // More than the buffers of both ends hold.
    let requests = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: identity\r\n\r\n".repeat(40);
    let Slow(mut stream) = Slow::send(app.base(), requests.as_bytes());
    // What is sent to a connection that is no more is answered with a reset.
    wait_until("the connection is reset", || {
        stream.write_all(b"G").is_err() || stream.take_error().unwrap().is_some()
    });
    app.anonymous().get("/health/live").expect(200);
}

/// A command that first mounts a disk of its own of 4 MiB at `at`, which nobody else sees, and then runs `script` there, with `command`
/// as what `"$@"` stands for.
fn on_small_disk(at: &str, script: &str, command: &Command) -> Command {
    let mut small = Command::new("unshare");
    small.args(match is_root() {
        true => ["--mount"].as_slice(),
        false => &["--user", "--map-root-user", "--mount"],
    });
    small
        .args([
            "sh",
            "-c",
            &format!(r#"mount -t tmpfs -o size=8m none "$0" && {script}"#),
            at,
        ])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => small.env(name, value),
            None => small.env_remove(name),
        };
    }
    small
}

/// Whether a disk of one's own can be mounted here. In CI it must.
fn can_mount() -> bool {
    let tried = on_small_disk("/mnt", "true", &Command::new("true")).output();
    let can = tried.is_ok_and(|tried| tried.status.success());
    if !can {
        assert!(
            std::env::var_os("CI").is_none(),
            "no disk can be mounted: in CI one must be full"
        );
        eprintln!("SKIPPED: no disk of its own can be mounted here, so none was full");
    }
    can
}

/// Writes a file until the disk takes no more.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    let error = std::iter::repeat_with(|| file.write_all(&[0; 4096])).find_map(Result::err);
    assert_eq!(error.unwrap().kind(), ErrorKind::StorageFull);
}

#[test]
fn with_a_full_disk_reading_goes_on_and_writing_does_when_there_is_room_again() {
    if !can_mount() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().display().to_string();
    let program = jixiao(&["serve", "--data-dir", &folder, "--log", "warn"]);
    let mut server = Process::start_as(on_small_disk(&folder, r#"exec "$@""#, &program));
    // What only the server sees.
    let disk = Path::new("/proc")
        .join(server.child.id().to_string())
        .join("root")
        .join(folder.trim_start_matches('/'));
    let opened = File::open(&disk).unwrap();
    let filler = disk.join("filler");
    let bureau = server.client(&server.first_token());
    let put = |n: u32| {
        bureau.put(
            &format!("/api/v1/units/{n}"),
            &json!({"name": format!("单位{n}"), "kind": "town"}),
        )
    };
    let mut acknowledged = Vec::new();
    let mut next = 219_000..;
    for _ in 0..2 {
        for code in next.by_ref().take(20) {
            put(code).expect(201);
            acknowledged.push(code);
        }
        fill(&filler);
        // There may be some room yet within the files.
        let mut refused = 0;
        while refused < 5 {
            let code = next.next().unwrap();
            match put(code) {
                answer if answer.status == 201 => acknowledged.push(code),
                answer => {
                    again_later(answer, 507, "storage-full");
                    refused += 1;
                }
            }
        }
        let rows = "{\"code\": \"300001\", \"name\": \"单位\", \"kind\": \"town\"}\n".repeat(1000);
        let import = bureau.with("Content-Type", "application/x-ndjson");
        again_later(
            import.send("POST", "/api/v1/imports?resource=units", Some(rows.as_bytes())),
            507,
            "storage-full",
        );
        for code in &acknowledged {
            bureau.get(&format!("/api/v1/units/{code}")).expect(200);
        }
        bureau.get("/health/ready").expect(200);
        std::fs::remove_file(&filler).unwrap();
    }
    put(219_999).expect(201);
    acknowledged.push(219_999);
    assert_eq!(server.stop().code(), Some(0));
    // The disk lasts as long as something of it is open.
    let left = format!("/proc/self/fd/{}/jixiao.db", opened.as_raw_fd());
    let file = data.path().join("jixiao.db");
    std::fs::copy(left, &file).unwrap();
    assert_eq!(codes(&file), acknowledged);
}

#[test]
fn a_server_that_finds_its_disk_full_does_not_start_and_says_so() {
    if !can_mount() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().display().to_string();
    let listen = format!("127.0.0.1:{}", free_port());
    let program = jixiao(&["serve", "--data-dir", &folder, "--listen", &listen, "--log", "off"]);
    let made = tempfile::tempdir().unwrap();
    assert_eq!(Process::serve(made.path(), &[]).stop().code(), Some(0));
    let fill = r#"dd if=/dev/zero of="$0/filler" bs=4k"#;
    let room = |pages: u32| format!(r#"dd if=/dev/zero of="$0/room" bs=4k count={pages} && {fill}; rm "$0/room""#);
    // There is a database, or room for the lock only, or for some of the tables.
    let there = format!(r#"cp {}/jixiao.db "$0" && {fill}"#, made.path().display());
    for prepare in [there, room(1), room(5), room(20), room(60)] {
        let script = format!(r#"{{ {prepare}; exec "$@"; }}"#);
        let output = on_small_disk(&folder, &script, &program).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        // dd has words of its own.
        let said = said.lines().last().unwrap();
        for part in ["The disk is full", "make room", "磁盘已满", &folder] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

/// Bounds the size of the files that a server can write, whose disk then fails and does not say why; `None`: no more.
fn bound_files(server: &Process, bytes: Option<u64>) {
    let bound = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let done = Command::new("prlimit")
        .args([
            "--pid",
            &server.child.id().to_string(),
            &format!("--fsize={bound}:unlimited"),
        ])
        .status()
        .unwrap();
    assert!(done.success());
}

#[test]
fn a_disk_that_fails_while_it_is_committed_is_not_said_to_be_full_nor_the_change_to_be_undone() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().display().to_string();
    let program = jixiao(&["serve", "--data-dir", &folder, "--log", "warn"]);
    // The signal for files that grow too large would end it; a disk sends none.
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#])
        .arg(program.get_program())
        .args(program.get_args());
    for (name, _) in program.get_envs() {
        command.env_remove(name);
    }
    let mut server = Process::start_as(command);
    let bureau = server.client(&server.first_token());
    let put = |n: u32| {
        bureau.put(
            &format!("/api/v1/units/{n}"),
            &json!({"name": format!("单位{n}"), "kind": "town"}),
        )
    };
    put(219_001).expect(201);
    bound_files(&server, Some(4096));
    for n in 219_002..219_007 {
        put(n).problem(503, "not-saved");
        bureau.get(&format!("/api/v1/units/{n}")).problem(404, "not-found");
    }
    bureau.get(UNIT).expect(200);
    bureau.get("/health/ready").expect(200);
    bound_files(&server, None);
    put(219_007).expect(201);
    assert_eq!(server.stop().code(), Some(0));
    assert_eq!(codes(&data.path().join("jixiao.db")), [219_001, 219_007]);
}

/// The codes of all units that a file of SQLite holds.
fn codes(file: &Path) -> Vec<u32> {
    let mut conn = SqliteConnection::establish(&file.display().to_string()).unwrap();
    let codes: Vec<Code> = diesel::sql_query("SELECT code FROM units ORDER BY code")
        .load(&mut conn)
        .unwrap();
    codes.iter().map(|row| row.code.parse().unwrap()).collect()
}

#[derive(diesel::QueryableByName)]
struct Code {
    #[diesel(sql_type = diesel::sql_types::Text)]
    code: String,
}

/// The wire to a server, which can be cut.
struct Wire {
    port: u16,
    to: String,
    ends: Arc<Mutex<Option<Vec<TcpStream>>>>,
}

impl Wire {
    fn to(address: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let wire = Self {
            port,
            to: address.to_owned(),
            ends: Arc::default(),
        };
        wire.mend();
        wire
    }

    /// Takes connections, until it is cut.
    fn mend(&self) {
        *self.ends.lock().unwrap() = Some(Vec::new());
        let listener = TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        let (ends, to) = (Arc::clone(&self.ends), self.to.clone());
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let mut ends = ends.lock().unwrap();
                let Some(ends) = &mut *ends else { return };
                let far = TcpStream::connect(&to).unwrap();
                for (mut from, mut to) in [
                    (near.try_clone().unwrap(), far.try_clone().unwrap()),
                    (far.try_clone().unwrap(), near.try_clone().unwrap()),
                ] {
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                ends.extend([near, far]);
            }
        });
    }

    fn cut(&self) {
        for end in self.ends.lock().unwrap().take().into_iter().flatten() {
            let _ = end.shutdown(Shutdown::Both);
        }
        // The one that takes connections notices with the next one.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        wait_until("nobody listens", || {
            TcpStream::connect(("127.0.0.1", self.port)).is_err()
        });
    }
}

#[test]
fn a_database_that_goes_is_told_of_and_one_that_comes_back_is_used_without_a_restart() {
    let Some(direct) = TestApp::start(Engine::Postgres) else {
        return;
    };
    let Target::Postgres(address) = direct.target().clone() else {
        unreachable!()
    };
    let (host, name) = address.rsplit_once('@').unwrap().1.split_once('/').unwrap();
    let wire = Wire::to(host);
    let url = format!("postgres://postgres@127.0.0.1:{}/{name}", wire.port);
    let app = direct.another_with(|config| config.db.target = Target::Postgres(url));
    let bureau = app.client(&direct.token(jixiao::tokens::model::Role::Bureau, &[]));
    let unit = json!({"name": "开云镇", "kind": "town"});
    bureau.put(UNIT, &unit).expect(201);
    for round in 1..=2 {
        wire.cut();
        again_later(bureau.get(UNIT), 503, "database-unavailable");
        let other = json!({"name": "x", "kind": "town"});
        again_later(bureau.put(UNIT, &other), 503, "database-unavailable");
        again_later(bureau.get("/health/ready"), 503, "database-unavailable");
        bureau.get("/health/live").expect(200);
        wire.mend();
        wait_until("it can work again", || bureau.get("/health/ready").status == 200);
        let stored = bureau.get(UNIT).expect(200).json();
        assert_eq!(
            (&stored["name"], &stored["version"]),
            (&json!("开云镇"), &json!(round * 2 - 1))
        );
        for name in ["新", "开云镇"] {
            bureau.put(UNIT, &json!({"name": name, "kind": "town"})).expect(200);
        }
    }
}

/// One who stores special funds until told to stop, each under a key of its own and again until it is stored; returns their names.
fn store_funds(bureau: &Client, who: usize, stored: &mpsc::Sender<()>, stop: &AtomicBool) -> Vec<String> {
    let mut names = Vec::new();
    let until_done = |send: &dyn Fn() -> Response| loop {
        match send() {
            answer if matches!(answer.status, 200 | 201) => return,
            answer => again_later(answer, 503, "database-unavailable"),
        }
    };
    while !stop.load(Ordering::SeqCst) {
        // A unit has only so many.
        let unit = format!("{}", 100_000 + who * 1000 + names.len() / 100);
        if names.len() % 100 == 0 {
            until_done(&|| {
                bureau.put(
                    &format!("/api/v1/units/{unit}"),
                    &json!({"name": "单位", "kind": "town"}),
                )
            });
        }
        let (key, name) = (format!("{who}-{}", names.len()), format!("资金{who}-{}", names.len()));
        let fund = json!({"unit": unit, "year": 2019, "name": name});
        until_done(&|| {
            bureau
                .with("Idempotency-Key", &key)
                .post("/api/v1/special-funds", &fund)
        });
        names.push(name);
        let _ = stored.send(());
    }
    names
}

#[test]
fn a_postgresql_that_crashes_under_load_and_comes_back_has_all_that_was_answered_and_nothing_twice() {
    let Some(mut server) = Server::own() else { return };
    let url = server.address("postgres");
    let app = TestApp::at(&Target::Postgres(url.clone()));
    let bureau = app.bureau();
    bureau
        .put("/api/v1/fiscal-years/2019", &json!({"scheme": "hunan-2019"}))
        .expect(201);
    let stop = AtomicBool::new(false);
    let mut names: Vec<String> = std::thread::scope(|scope| {
        let (stored, funds) = mpsc::channel();
        // As many as there are connections, with the one below.
        let storing: Vec<_> = (0..2)
            .map(|who| {
                let (bureau, stored, stop) = (&bureau, stored.clone(), &stop);
                scope.spawn(move || store_funds(bureau, who, &stored, stop))
            })
            .collect();
        drop(stored);
        let _stop = Stop(&stop);
        let wait = || assert_eq!(funds.iter().take(30).count(), 30, "they ended by themselves");
        for _ in 0..2 {
            wait();
            server.stop_at_once();
            again_later(bureau.get("/api/v1/fiscal-years/2019"), 503, "database-unavailable");
            again_later(bureau.get("/health/ready"), 503, "database-unavailable");
            bureau.get("/health/live").expect(200);
            server.start_again();
            wait_until("it can work again", || bureau.get("/health/ready").status == 200);
        }
        wait();
        stop.store(true, Ordering::SeqCst);
        storing.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    let mut found: Vec<String> = bureau
        .all("/api/v1/special-funds?year=2019&limit=200", "name")
        .iter()
        .map(|name| name.as_str().unwrap().to_owned())
        .collect();
    names.sort();
    found.sort();
    assert_eq!(found, names);
    for command in [["audit", "verify"].as_slice(), &["check"]] {
        let checked = jixiao(command).env("DATABASE_URL", &url).output().unwrap();
        assert_eq!(checked.status.code(), Some(0), "{checked:?}");
    }
}
