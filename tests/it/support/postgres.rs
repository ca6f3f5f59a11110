//! One PostgreSQL server for all tests of the process, in a folder that goes with it, and others for tests that stop theirs.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use diesel::{Connection, PgConnection, RunQueryDsl};

/// A server of PostgreSQL, gone when it is dropped or the process ends.
pub struct Server {
    port: u16,
    _child: Child,
    /// What it is told; that this is open is what keeps it alive.
    orders: ChildStdin,
    done: BufReader<ChildStdout>,
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
    let server = SERVER.as_ref().or_else(missing)?;
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

fn missing<T>() -> Option<T> {
    assert!(
        std::env::var_os("CI").is_none(),
        "no initdb: in CI the tests on PostgreSQL must run"
    );
    eprintln!("SKIPPED: no initdb found, so nothing was tested on PostgreSQL");
    None
}

impl Server {
    /// One for a test alone; `None`, after saying so, where there is no PostgreSQL. In CI that is a failure.
    pub fn own() -> Option<Self> {
        start().or_else(missing)
    }

    /// How to reach a database of it.
    pub fn address(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Ends it as a crash does: nothing is finished, nobody is waited for.
    pub fn stop_at_once(&mut self) {
        self.order("stop");
    }

    /// Starts it again after [`Self::stop_at_once`]; it then still has to recover.
    pub fn start_again(&mut self) {
        self.order("start");
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
        let mut done = String::new();
        self.done.read_line(&mut done).unwrap();
        assert_eq!(done.trim_end(), order);
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

/// Starts one; `None` where there is no PostgreSQL.
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
        start() {{
            $as {bin}/postgres -D "$dir/data" -p {port} -k "$dir" -c listen_addresses=127.0.0.1 -c fsync=off \
                -c max_connections=400 -c shared_buffers=64MB -c max_wal_size=128MB -c min_wal_size=32MB \
                -c logging_collector=off >>"$dir/log" 2>&1 &
            server=$!
        }}
        # What pg_ctl calls immediate.
        stop() {{ kill -QUIT $server; wait $server || true; }}
        start
        while read -r order; do $order; echo $order; done
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
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let server = Server {
        port,
        orders: child.stdin.take()?,
        done: BufReader::new(child.stdout.take()?),
        _child: child,
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    while PgConnection::establish(&server.address("postgres")).is_err() {
        assert!(Instant::now() < deadline, "PostgreSQL does not start");
        std::thread::sleep(Duration::from_millis(100));
    }
    Some(server)
}
