//! A system that the service sends to: it takes whatever comes, and keeps it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// Answers each request with one status.
pub struct Sink {
    address: String,
    got: Arc<Mutex<Vec<Sent>>>,
}

impl Sink {
    pub fn new(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let got: Arc<Mutex<Vec<Sent>>> = Arc::default();
        let all = got.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let all = all.clone();
                std::thread::spawn(move || {
                    let sent = read(&mut stream)?;
                    all.lock().unwrap().push(sent);
                    write!(
                        stream,
                        "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    )
                    .ok()
                });
            }
        });
        Self { address, got }
    }

    /// Where it listens, `http://127.0.0.1:<port>`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// All that it was sent so far.
    pub fn got(&self) -> Vec<Sent> {
        self.got.lock().unwrap().clone()
    }

    /// What `find` makes of all that it was sent, once that is something.
    pub fn wait<T>(&self, find: impl Fn(&[Sent]) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let got = self.got();
            if let Some(found) = find(&got) {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "{} requests, but not what is waited for",
                got.len()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Sent> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Sent { path, headers, body })
}
