//! A system that the service sends to: it answers as it is told, and keeps what it was sent.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What was sent, always by POST.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// The status of an answer, and more headers.
pub type Reply = (u16, &'static str);

/// A connection, in clear or by TLS.
trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

pub struct Receiver {
    address: String,
    got: Arc<(Mutex<Vec<Request>>, Condvar)>,
}

impl Receiver {
    /// One that answers the `n`th request (from 0) by `reply`.
    pub fn new(reply: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::over("http", |stream| Some(Box::new(stream)), reply)
    }

    /// One that answers each request by this status.
    pub fn always(status: u16) -> Self {
        Self::new(move |_, _| (status, ""))
    }

    /// One that is spoken to by https, with the certificate of `tests/certificates`, and takes all that it is sent.
    pub fn secure() -> Self {
        let (certificate, key) = (
            include_bytes!("../../certificates/certificate.pem"),
            include_bytes!("../../certificates/key.pem"),
        );
        let identity = native_tls::Identity::from_pkcs8(certificate, key).unwrap();
        let acceptor = native_tls::TlsAcceptor::new(identity).unwrap();
        Self::over(
            "https",
            move |stream| Some(Box::new(acceptor.accept(stream).ok()?)),
            |_, _| (204, ""),
        )
    }

    fn over(
        scheme: &str,
        accept: impl Fn(TcpStream) -> Option<Box<dyn Wire>> + Send + Sync + 'static,
        reply: impl Fn(usize, &Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("{scheme}://{}", listener.local_addr().unwrap());
        let got: Arc<(Mutex<Vec<Request>>, Condvar)> = Arc::default();
        let (all, accept, reply) = (got.clone(), Arc::new(accept), Arc::new(reply));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (all, accept, reply) = (all.clone(), accept.clone(), reply.clone());
                std::thread::spawn(move || {
                    let mut stream = accept(stream)?;
                    let request = read(&mut stream)?;
                    let number = {
                        let mut got = all.0.lock().unwrap();
                        got.push(request.clone());
                        all.1.notify_all();
                        got.len() - 1
                    };
                    let (status, headers) = reply(number, &request);
                    let body = if status == 204 { "" } else { "not now" };
                    let length = body.len();
                    write!(
                        stream,
                        "HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
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

    /// What `find` makes of all that it was sent, once that is something.
    #[track_caller]
    pub fn find<T>(&self, find: impl Fn(&[Request]) -> Option<T>) -> T {
        let (got, more) = &*self.got;
        let mut found = None;
        let (got, _) = more
            .wait_timeout_while(got.lock().unwrap(), Duration::from_secs(30), |got| {
                found = find(got);
                found.is_none()
            })
            .unwrap();
        found.unwrap_or_else(|| panic!("{} requests, but not what is waited for", got.len()))
    }

    /// All that it was sent, once that is so many requests.
    #[track_caller]
    pub fn wait(&self, count: usize) -> Vec<Request> {
        self.find(|got| (got.len() >= count).then(|| got.to_vec()))
    }
}

fn read(stream: &mut dyn Wire) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.strip_prefix("POST ")?.strip_suffix(" HTTP/1.1\r\n")?.to_owned();
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
    Some(Request { path, headers, body })
}
