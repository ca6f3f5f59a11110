//! The service as its operator meets it: TLS, the settings and their change while it runs, what it says when it cannot start,
//! and what it tells the service manager. Each with a process of its own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Output};

use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode};
use serde_json::json;
use tempfile::TempDir;

use crate::support::certificate::Pair;
use crate::support::postgres;
use crate::support::process::{Process, free_port, is_root, jixiao, run};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A server that shows this certificate.
fn serve_tls(data: &Path, pair: &Pair, more: &[&str]) -> Process {
    let (certificate, key) = (text(&pair.certificate), text(&pair.key));
    Process::serve(data, &[&["--tls-cert", &certificate, "--tls-key", &key], more].concat())
}

/// A connection over TLS that offers HTTP/2 if `h2`.
fn connect(server: &Process, h2: bool) -> SslStream<TcpStream> {
    let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    if h2 {
        connector.set_alpn_protos(b"\x02h2\x08http/1.1").unwrap();
    }
    let stream = TcpStream::connect(server.base().trim_start_matches("https://")).unwrap();
    connector.build().connect("localhost", stream).unwrap()
}

/// The name in the certificate that a server shows.
fn shown(stream: &SslStream<TcpStream>) -> String {
    let certificate = stream.ssl().peer_certificate().unwrap();
    let mut names = certificate.subject_name().entries();
    names.next().unwrap().data().to_string().unwrap()
}

/// Asks on a connection that stays open, and returns the answer's head.
fn ask(stream: &mut SslStream<TcpStream>) -> String {
    stream
        .write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let mut bytes = [0; 1024];
        let n = stream.read(&mut bytes).unwrap();
        assert_ne!(n, 0, "closed");
        answer.extend(&bytes[..n]);
    }
    String::from_utf8(answer).unwrap()
}

#[test]
fn over_tls_it_speaks_1_2_and_1_3_and_http_2_and_says_that_browsers_must_come_by_tls() {
    let (data, certificates) = (folder(), folder());
    let pair = Pair::in_folder(certificates.path(), "first.county", 90);
    let server = serve_tls(data.path(), &pair, &[]);
    let bureau = server.client(&server.first_token());
    let answer = bureau.get("/api/v1/units").expect(200);
    assert_eq!(answer.header("Strict-Transport-Security"), Some("max-age=31536000"));
    // Refused before any route is found, too.
    let refused = server.client("no").get("/api/v1/units").expect(401);
    assert!(refused.header("Strict-Transport-Security").is_some());

    let stream = connect(&server, true);
    assert_eq!(stream.ssl().version_str(), "TLSv1.3");
    assert_eq!(stream.ssl().selected_alpn_protocol(), Some(b"h2".as_slice()));
    for (arguments, expected) in [
        (["--tls-max", "1.2", "--http1.1"], "1.1 200"),
        (["--tlsv1.3", "--http2", "--compressed"], "2 200"),
    ] {
        let asked = Command::new("curl")
            .args(["-sk", "-o", "/dev/null", "-w", "%{http_version} %{http_code}"])
            .args(arguments)
            .arg(format!("{}/health/live", server.base()))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(asked.stdout).unwrap(), expected);
    }
    // The machine asks itself, whatever the name in the certificate.
    let listen = server.base().trim_start_matches("https://").to_owned();
    let (certificate, key) = (text(&pair.certificate), text(&pair.key));
    let asked = run(&[
        "health",
        "--listen",
        &listen,
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
    ]);
    assert_eq!(asked.status.code(), Some(0), "{asked:?}");
}

#[test]
fn a_certificate_is_renewed_without_a_connection_lost_and_a_wrong_one_is_not_taken() {
    let (data, certificates) = (folder(), folder());
    let pair = Pair::in_folder(certificates.path(), "first.county", 90);
    let server = serve_tls(data.path(), &pair, &[]);
    let mut before = connect(&server, false);
    assert_eq!(shown(&before), "first.county");
    ask(&mut before);

    let next = Pair::in_folder(certificates.path(), "second.county", 10);
    std::fs::copy(&next.certificate, &pair.certificate).unwrap();
    server.signal("HUP");
    server.wait_for("is not that of the certificate");
    assert_eq!(shown(&connect(&server, false)), "first.county");

    std::fs::copy(&next.key, &pair.key).unwrap();
    server.signal("HUP");
    server.wait_for("the settings were read again");
    assert_eq!(shown(&connect(&server, false)), "second.county");
    // It ends in ten days, which the log says.
    server.wait_for("about to end");
    assert!(ask(&mut before).starts_with("HTTP/1.1 200"));
}

#[test]
fn settings_change_at_sighup_as_a_whole_or_not_at_all() {
    let data = folder();
    let path = data.path().join("jixiao.toml");
    let write = |content: &str| std::fs::write(&path, content).unwrap();
    write("rate_limit = 0\nlog = \"warn,jixiao=info\"\n");
    let server = Process::serve(data.path(), &["--config", &text(&path)]);
    let bureau = server.client(&server.first_token());
    let origin = bureau.with("Origin", "https://portal.county");
    let allowed = || {
        let answer = origin.get("/api/v1/units").expect(200);
        answer.header("Access-Control-Allow-Origin").map(str::to_owned)
    };
    assert_eq!(allowed(), None);

    write("cors_origins = [\"https://portal.county\"]\nrate_limit = 1000\nlog = \"debug\"\nworkers = 1\n");
    server.signal("HUP");
    server.wait_for("the settings were read again");
    assert_eq!(allowed().as_deref(), Some("https://portal.county"));
    let answer = bureau.get("/api/v1/units").expect(200);
    assert_eq!(answer.header("RateLimit-Policy"), Some("\"token\";q=1000;w=60"));
    // What cannot change now is named.
    server.wait_for("not before a restart");
    server.wait_for("[\"workers\"]");
    server.wait_for("route=\"/api/v1/units\"");

    write("cors_origins = []\nrate_limt = 5\n");
    server.signal("HUP");
    server.wait_for(":2: unknown field `rate_limt`; did you mean `rate_limit`?");
    write("cors_origins = []\ntls_cert = \"/nowhere\"\n");
    server.signal("HUP");
    server.wait_for("JIXIAO_TLS_CERT and JIXIAO_TLS_KEY belong together");
    assert_eq!(allowed().as_deref(), Some("https://portal.county"));
}

#[test]
fn the_settings_in_force_are_printed_with_their_sources_and_no_server_need_run() {
    let data = folder();
    let path = data.path().join("jixiao.toml");
    std::fs::write(&path, "workers = 3\n").unwrap();
    let mut command = jixiao(&["config", "--config", &text(&path), "--rate-limit", "7"]);
    command.env("DATABASE_URL", "postgres://jixiao:s3cret@db.county/jixiao");
    let output = command.output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    let squeezed: Vec<_> = printed
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for line in [
        format!("workers = 3 # {}", path.display()),
        "rate_limit = 7 # --rate-limit".to_owned(),
        "database_url = \"postgres://db.county/jixiao\" # DATABASE_URL".to_owned(),
        "# body_limit : 2097152 # default".to_owned(),
    ] {
        assert!(squeezed.contains(&line), "{line}: {printed}");
    }
    assert!(!printed.contains("s3cret"));
    assert!(!data.path().join("data").exists());
}

/// What a server that cannot start says: one line, in both languages, and it ends with 1.
#[track_caller]
fn complaint(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    let chinese = said.split_once(" / ").map_or("", |(_, chinese)| chinese);
    assert!(chinese.contains(|c: char| c > '\u{4e00}'), "{said}");
    said
}

#[track_caller]
fn says(output: Output, parts: &[&str]) {
    let said = complaint(output);
    for part in parts {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_server_that_cannot_start_says_in_one_line_why_and_what_to_do() {
    let data = folder();
    let at = text(data.path());
    let listen = format!("127.0.0.1:{}", free_port());
    let serve = |more: &[&str]| run(&[&["serve", "--log", "off", "--listen", &listen], more].concat());

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    says(
        run(&["serve", "--data-dir", &at, "--listen", &port]),
        &["another program has this port", &port, "--listen", "已被占用"],
    );
    says(
        run(&["serve", "--data-dir", &at, "--listen", "203.0.113.7:80"]),
        &["no such address", "本机没有该地址"],
    );

    // No database, but something else.
    std::fs::write(data.path().join("jixiao.db"), "绩效自评".repeat(1000)).unwrap();
    says(
        serve(&["--data-dir", &at]),
        &["no SQLite database", "jixiao.db", "从备份恢复"],
    );
    // A folder that cannot be.
    let file = text(&data.path().join("jixiao.db"));
    says(
        serve(&["--data-dir", &format!("{file}/data")]),
        &["cannot open", "无法打开"],
    );

    // A file of settings.
    let path = data.path().join("jixiao.toml");
    let config = text(&path);
    for (content, part) in [
        (
            "workers = 1\nbody_limt = 5\n",
            ":2: unknown field `body_limt`; did you mean `body_limit`?",
        ),
        ("workers = \"many\"\n", ":1: invalid type"),
        ("workers = \n", ":1: "),
    ] {
        std::fs::write(&path, content).unwrap();
        says(serve(&["--data-dir", &at, "--config", &config]), &[part, "行有误"]);
    }
    says(
        serve(&["--config", "/nowhere.toml"]),
        &["/nowhere.toml", "无法读取设置文件"],
    );
    says(
        run(&["serve", "--data-dir", &at, "--listen", &listen, "--log", "a=b=c"]),
        &["JIXIAO_LOG"],
    );
}

#[test]
fn a_port_that_takes_a_privilege_is_told_to_one_who_has_none() {
    let data = folder();
    let program = jixiao(&["serve", "--data-dir", &text(data.path()), "--listen", "0.0.0.0:80"]);
    // A network of its own has the usual privileged ports, whatever the machine's has; and there nobody has any privilege.
    let output = Command::new("unshare")
        .args(["--user", "--net"])
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .output()
        .unwrap();
    if String::from_utf8_lossy(&output.stderr).starts_with("unshare: ") {
        assert!(std::env::var_os("CI").is_none(), "{output:?}");
        eprintln!("SKIPPED: no network of its own can be had, so no port was refused");
        return;
    }
    says(
        output,
        &[
            "cannot listen on 0.0.0.0:80",
            "CAP_NET_BIND_SERVICE",
            "--listen",
            "需要权限",
        ],
    );
    assert!(!data.path().join("jixiao.db").exists());
}

#[test]
fn a_certificate_that_cannot_be_shown_is_named_with_what_is_wrong() {
    let (data, certificates) = (folder(), folder());
    let at = text(data.path());
    let listen = format!("127.0.0.1:{}", free_port());
    let good = Pair::in_folder(certificates.path(), "good", 90);
    let other = Pair::in_folder(certificates.path(), "other", 90);
    let expired = Pair::in_folder(certificates.path(), "expired", -1);
    let serve = |certificate: &Path, key: &Path| {
        let (certificate, key) = (text(certificate), text(key));
        let arguments = [
            "serve",
            "--data-dir",
            &at,
            "--listen",
            &listen,
            "--tls-cert",
            &certificate,
            "--tls-key",
            &key,
        ];
        run(&arguments)
    };
    let nowhere = Path::new("/nowhere.pem");
    for (certificate, key, part) in [
        (nowhere, good.key.as_path(), "cannot read /nowhere.pem"),
        (&good.certificate, nowhere, "cannot read /nowhere.pem"),
        (&good.key, &good.key, "no certificate in PEM"),
        (&good.certificate, &good.certificate, "no private key in PEM"),
        (&good.certificate, &other.key, "not that of the certificate"),
        (&expired.certificate, &expired.key, "ended on"),
    ] {
        says(serve(certificate, key), &["TLS", part]);
    }
    // Nothing was made.
    assert!(!data.path().join("jixiao.db").exists());
    let half = run(&["serve", "--data-dir", &at, "--tls-key", &text(&good.key)]);
    says(half, &["JIXIAO_TLS_CERT", "须同时设置"]);
}

/// Runs the program as the user `nobody`, where this is root.
fn as_nobody(arguments: &[&str]) -> Option<Output> {
    if !is_root() {
        return Some(run(arguments));
    }
    let program = jixiao(arguments);
    // The program itself may be where only root can go.
    let copy = std::env::temp_dir().join(format!("jixiao-as-nobody-{}", std::process::id()));
    std::fs::copy(program.get_program(), &copy).unwrap();
    std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new("setpriv")
        .args([
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
            "--bounding-set",
            "-all",
            "--",
        ])
        .arg(&copy)
        .args(arguments)
        .env_clear()
        .output();
    std::fs::remove_file(&copy).unwrap();
    output.ok()
}

#[test]
fn a_folder_that_the_service_may_not_write_in_is_named_with_what_to_do() {
    let data = folder();
    std::fs::set_permissions(data.path(), std::fs::Permissions::from_mode(0o555)).unwrap();
    let at = text(data.path());
    let listen = format!("127.0.0.1:{}", free_port());
    let Some(output) = as_nobody(&["serve", "--log", "off", "--data-dir", &at, "--listen", &listen]) else {
        assert!(std::env::var_os("CI").is_none(), "no setpriv");
        eprintln!("SKIPPED: no setpriv, so nothing was tested as another user");
        return;
    };
    says(
        output,
        &["Let the user that runs this service write", "有读写权限", &at],
    );
}

#[test]
fn a_postgresql_that_cannot_be_used_is_told_without_its_password() {
    let listen = format!("127.0.0.1:{}", free_port());
    let serve = |url: &str| {
        let output = run(&["serve", "--log", "off", "--listen", &listen, "--database-url", url]);
        let said = complaint(output);
        assert!(!said.contains("s3cret"), "{said}");
        said
    };
    let closed = free_port();
    for (url, part) in [
        (
            format!("postgres://jixiao:s3cret@127.0.0.1:{closed}/jixiao"),
            "Nothing answers there",
        ),
        (
            "postgres://jixiao:s3cret@nowhere.invalid/jixiao".to_owned(),
            "see to the host",
        ),
        ("postgres://jixiao:s3cret@x@127.0.0.1/jixiao".to_owned(), "%40"),
        (
            "postgres://jixiao:s3cret%zz@127.0.0.1/jixiao".to_owned(),
            "DATABASE_URL",
        ),
        (
            "mysql://jixiao:s3cret@127.0.0.1/jixiao".to_owned(),
            "postgres://user:password@host",
        ),
    ] {
        let said = serve(&url);
        assert!(said.contains(part), "{part}: {said}");
    }
    let Some(database) = postgres::new_database() else {
        return;
    };
    let (server, _) = database.address().rsplit_once('/').unwrap();
    let said = serve(&format!("{server}/nowhere"));
    assert!(said.contains("createdb") && said.contains("数据库不存在"), "{said}");
    let said = serve(&server.replace("postgres@", "stranger:s3cret@"));
    assert!(said.contains("user and password"), "{said}");
}

#[test]
fn the_service_manager_is_told_when_the_server_is_ready_lives_and_stops() {
    let data = folder();
    let path = data.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(std::time::Duration::from_secs(20)))
        .unwrap();
    let next = || {
        let mut bytes = [0; 100];
        let n = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..n]).into_owned()
    };
    let mut command = jixiao(&["serve", "--data-dir", &text(data.path())]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let mut server = Process::start_as(command);
    assert_eq!(next(), "READY=1");
    assert_eq!(next(), "WATCHDOG=1");
    server
        .client(&server.first_token())
        .put("/api/v1/units/219001", &json!({"name": "开云镇", "kind": "town"}))
        .expect(201);
    assert_eq!(server.stop().code(), Some(0));
    assert!(std::iter::repeat_with(next).take(1000).any(|told| told == "STOPPING=1"));
}
