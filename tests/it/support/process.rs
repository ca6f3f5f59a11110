//! The program as a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::client::Client;

/// The program, with no setting of the surrounding environment. `JIXIAO` names that of another build, such as the one of
/// ops/release/build.sh.
pub fn jixiao(arguments: &[&str]) -> Command {
    let program = std::env::var_os("JIXIAO").unwrap_or_else(|| env!("CARGO_BIN_EXE_jixiao").into());
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("JIXIAO_") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    command
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Output {
    jixiao(arguments).output().unwrap()
}

/// A running server process; killed when it is dropped.
pub struct Process {
    pub child: Child,
    base: String,
    output: Arc<Mutex<String>>,
}

/// A port that is free at this moment.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

impl Process {
    /// Starts `serve` on `data` and waits until it is ready.
    pub fn serve(data: &Path, more: &[&str]) -> Self {
        let data = data.display().to_string();
        let mut arguments = vec!["serve", "--data-dir", &data];
        arguments.extend(more);
        Self::start(&arguments)
    }

    /// Starts the program with these arguments and waits until it is ready.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_as(jixiao(arguments))
    }

    /// Starts the program as this command has it, on a free port, and waits until it is ready.
    pub fn start_as(mut command: Command) -> Self {
        let port = free_port();
        let scheme = match command.get_args().any(|argument| argument == "--tls-cert") {
            true => "https",
            false => "http",
        };
        let mut child = command
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        let stdout: Box<dyn std::io::Read + Send> = Box::new(child.stdout.take().unwrap());
        let stderr: Box<dyn std::io::Read + Send> = Box::new(child.stderr.take().unwrap());
        for stream in [stdout, stderr] {
            let output = Arc::clone(&output);
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let mut output = output.lock().unwrap();
                    output.push_str(&line);
                    output.push('\n');
                }
            });
        }
        let mut process = Self {
            child,
            base: format!("{scheme}://127.0.0.1:{port}"),
            output,
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !process.ready() {
            let ended = process.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended with {ended:?}: {}", process.output());
            assert!(Instant::now() < deadline, "it is not ready: {}", process.output());
            std::thread::sleep(Duration::from_millis(20));
        }
        process
    }

    fn ready(&self) -> bool {
        let answer = Client::new(&self.base).try_send("GET", "/health/ready", None);
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// Where it listens.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// All that it printed so far, on both streams.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Starts the demonstration and waits until its examples are loaded.
    pub fn demo() -> Self {
        let process = Self::start(&["demo"]);
        process.wait_for("/docs");
        process
    }

    /// Waits until it has printed `text`.
    pub fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.output().contains(text) {
            assert!(Instant::now() < deadline, "no {text:?}: {}", self.output());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The token that its first start printed.
    pub fn first_token(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            if let Some(line) = self.output().lines().find(|line| line.starts_with("jx_")) {
                return line.to_owned();
            }
            assert!(Instant::now() < deadline, "no token: {}", self.output());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A client with this token.
    pub fn client(&self, token: &str) -> Client {
        Client::new(&self.base).with("Authorization", &format!("Bearer {token}"))
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Stops it as a service manager does, and returns how it ended.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
