//! One PostgreSQL server for all tests of the process, in a folder that goes with it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use diesel::{Connection, PgConnection, RunQueryDsl};

struct Server {
    port: u16,
    // Its standard input is what keeps it alive.
    _child: Child,
}

static SERVER: LazyLock<Option<Server>> = LazyLock::new(start);

/// A database for one test, gone when it is dropped: hundreds of them would fill a small disk.
pub struct Database {
    address: String,
    name: String,
}

impl Database {
    /// How to reach it, `postgres://…`.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some(server) = &*SERVER else { return };
        let dropped = PgConnection::establish(&server.address("postgres"))
            .map(|mut conn| diesel::sql_query(format!("DROP DATABASE {} WITH (FORCE)", self.name)).execute(&mut conn));
        // A test that has failed already must not abort all others by a second panic.
        if !matches!(dropped, Ok(Ok(_))) {
            eprintln!("{} could not be dropped: {dropped:?}", self.name);
        }
    }
}

/// A new, empty database; `None`, after saying so, where there is no PostgreSQL. In CI that is a failure.
pub fn new_database() -> Option<Database> {
    made_from("template1")
}

/// A copy of a database that nobody is connected to.
pub fn copy_of(address: &str) -> Option<Database> {
    made_from(address.rsplit('/').next()?)
}

fn made_from(template: &str) -> Option<Database> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let Some(server) = &*SERVER else {
        assert!(
            std::env::var_os("CI").is_none(),
            "no initdb: in CI the tests on PostgreSQL must run"
        );
        eprintln!("SKIPPED: no initdb found, so nothing was tested on PostgreSQL");
        return None;
    };
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut conn = PgConnection::establish(&server.address("postgres")).unwrap();
    diesel::sql_query(format!("CREATE DATABASE {name} TEMPLATE {template}"))
        .execute(&mut conn)
        .unwrap();
    Some(Database {
        address: server.address(&name),
        name,
    })
}

impl Server {
    fn address(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

fn binaries() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    // A wrapper on the path may not have the server beside it.
    debian
        .map(|version| version.path().join("bin"))
        .chain(std::env::split_paths(&paths))
        .find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

fn start() -> Option<Server> {
    let binaries = binaries()?;
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .ok()?
        .local_addr()
        .ok()?
        .port();
    // It outlives nobody: when this process ends, `read` does, and the script stops the server and clears up.
    let script = format!(
        r#"
        set -e
        dir=$(mktemp -d)
        as=
        # The server refuses to run as root.
        if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; as="setpriv --reuid postgres --regid postgres --clear-groups"; fi
        cd "$dir"
        $as {bin}/initdb -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
        $as {bin}/postgres -D "$dir/data" -p {port} -k "$dir" -c listen_addresses=127.0.0.1 -c fsync=off \
            -c max_connections=400 -c shared_buffers=64MB -c max_wal_size=128MB -c min_wal_size=32MB \
            -c logging_collector=off >"$dir/log" 2>&1 &
        server=$!
        read _ || true
        kill -INT $server || true
        wait $server || true
        rm -rf "$dir"
        "#,
        bin = binaries.display()
    );
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.as_mut()?.flush().ok()?;
    let server = Server { port, _child: child };
    let deadline = Instant::now() + Duration::from_secs(60);
    while PgConnection::establish(&server.address("postgres")).is_err() {
        assert!(Instant::now() < deadline, "PostgreSQL does not start");
        std::thread::sleep(Duration::from_millis(100));
    }
    Some(server)
}
