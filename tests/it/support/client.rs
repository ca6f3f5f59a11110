//! What tests send, and what they ask of the answers.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Sends requests with the same headers.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    headers: Vec<(String, String)>,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Response {
    /// What was asked, for messages.
    request: String,
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// Sends to the service at `base`.
    pub fn new(base: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            // Certificates of tests sign themselves.
            .tls_config(
                ureq::tls::TlsConfig::builder()
                    .provider(ureq::tls::TlsProvider::NativeTls)
                    .disable_verification(true)
                    .build(),
            )
            .build()
            .into();
        Self {
            agent,
            base: base.to_owned(),
            headers: Vec::new(),
        }
    }

    /// The same, with one more header; a second value for a name replaces the first.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same client with the headers of another, such as its token.
    pub fn like(&self, other: &Self) -> Self {
        Self {
            headers: other.headers.clone(),
            ..self.clone()
        }
    }

    /// Sends any request, with `Content-Type: application/json` unless another is among the headers or there is no body.
    pub fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Response {
        self.try_send(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// The same, where the server may be gone.
    pub fn try_send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Result<Response, ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        let typed = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if body.is_some() && !typed {
            request = request.header("Content-Type", "application/json");
        }
        for (name, value) in &self.headers {
            // An empty value stands for none at all.
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let sent = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut response = sent?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        Ok(Response {
            request: format!("{method} {path}"),
            status: response.status().as_u16(),
            headers,
            body: response.body_mut().with_config().limit(64 << 20).read_to_vec()?,
        })
    }

    /// Sends a request byte by byte as it stands here, closes its side, and reads until the service closes the other.
    pub fn send_raw(&self, request_line: &[u8], headers: &[&str], body: &[u8]) -> Response {
        let mut request = request_line.to_vec();
        request.extend(b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        let own = self.headers.iter().map(|(name, value)| format!("{name}: {value}"));
        for header in own.chain(headers.iter().map(|header| (*header).to_owned())) {
            request.extend(header.as_bytes());
            request.extend(b"\r\n");
        }
        request.extend(b"\r\n");
        request.extend(body);
        let mut stream = TcpStream::connect(self.base.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(&request).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Response::from_wire(&String::from_utf8_lossy(request_line), &answer)
    }

    pub fn get(&self, path: &str) -> Response {
        self.send("GET", path, None)
    }

    pub fn put(&self, path: &str, body: &Value) -> Response {
        self.send("PUT", path, Some(body.to_string().as_bytes()))
    }

    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.send("POST", path, Some(body.to_string().as_bytes()))
    }

    pub fn patch(&self, path: &str, body: &Value) -> Response {
        self.with("Content-Type", "application/merge-patch+json")
            .send("PATCH", path, Some(body.to_string().as_bytes()))
    }

    pub fn delete(&self, path: &str) -> Response {
        self.send("DELETE", path, None)
    }

    /// One field of every item of a list, from as many pages as there are; `path` has a query.
    #[track_caller]
    pub fn all(&self, path: &str, field: &str) -> Vec<Value> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}{cursor}")).expect(200).json();
            found.extend(page["items"].as_array().unwrap().iter().map(|item| item[field].clone()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }
}

impl Response {
    /// The same, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.request, self.text());
        self
    }

    /// An answer as its bytes came over the wire; its body must not be chunked.
    #[track_caller]
    pub fn from_wire(request: &str, bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("{request}: no answer, but {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self {
            request: request.to_owned(),
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        }
    }

    /// The request, for messages.
    pub fn request(&self) -> &str {
        &self.request
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The values of a header that may come more than once.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let found = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).collect()
    }

    /// The ETag, which must be there.
    #[track_caller]
    pub fn etag(&self) -> String {
        self.header("ETag")
            .unwrap_or_else(|| panic!("{}: no ETag", self.request))
            .to_owned()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {}", self.request, self.text()))
    }

    /// The problem, after checking that it is one of this status and kind, complete and in both languages.
    #[track_caller]
    pub fn problem(self, status: u16, kind: &str) -> Value {
        let response = self.expect(status);
        assert_eq!(
            response.header("Content-Type"),
            Some("application/problem+json"),
            "{}",
            response.request
        );
        let problem = response.json();
        assert_eq!(
            problem["type"],
            format!("/problems/{kind}"),
            "{}: {problem}",
            response.request
        );
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(
            problem["request_id"].as_str(),
            response.header("X-Request-Id"),
            "{problem}"
        );
        for name in ["title", "title_zh", "hint", "hint_zh", "instance"] {
            assert!(
                problem[name].as_str().is_some_and(|text| !text.is_empty()),
                "{name}: {problem}"
            );
        }
        problem
    }

    /// The member `name` of every item of a list, as text.
    #[track_caller]
    pub fn each(self, name: &str) -> Vec<String> {
        let list = self.expect(200).json();
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| match &item[name] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
            .collect()
    }

    /// The faults of a 422 problem, as pairs of pointer and code.
    #[track_caller]
    pub fn faults(self) -> Vec<(String, String)> {
        self.errors(422, "validation-failed", "pointer")
    }

    /// The faults of a 400 problem, as pairs of parameter and code.
    #[track_caller]
    pub fn parameters(self) -> Vec<(String, String)> {
        self.errors(400, "invalid-parameter", "parameter")
    }

    /// The errors of a problem, as pairs of the place (under the name `place`) and code; each in both languages.
    #[track_caller]
    fn errors(self, status: u16, kind: &str, place: &str) -> Vec<(String, String)> {
        let problem = self.problem(status, kind);
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| {
                for name in ["detail", "detail_zh"] {
                    assert!(
                        error[name].as_str().is_some_and(|text| !text.is_empty()),
                        "{name}: {error}"
                    );
                }
                (
                    error[place]
                        .as_str()
                        .unwrap_or_else(|| panic!("{place}: {error}"))
                        .to_owned(),
                    error["code"].as_str().unwrap().to_owned(),
                )
            })
            .collect()
    }
}

/// The pointers of faults, each once, in their order as text.
pub fn pointers(faults: &[(String, String)]) -> Vec<&str> {
    let mut pointers: Vec<_> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
    pointers.sort_unstable();
    pointers.dedup();
    pointers
}

/// Faults as tests write them, to compare with [`Response::faults`] and [`Response::parameters`].
pub fn faults(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned()))
        .collect()
}
