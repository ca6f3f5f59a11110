//! The provider's keys: read from a file or fetched from an address, kept, and fetched again.
//!
//! Keys that are known are used while the provider does not answer. A token that names another key waits while they are
//! fetched again; whoever sends many such tokens makes this service ask no more than once in a while. Since the provider may have
//! a new key that is not known here yet, nothing is said against such a token before the provider was asked after it came.

use std::fs::File;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::{rt, web};
use ureq::http::Uri;

use super::jws::{Key, Keys, Signed};
use super::settings::{KeySource, Refresh};
use crate::http::client;
use crate::http::problem::Problem;

/// The largest set of keys that is read, in bytes.
const LARGEST: u64 = 256 * 1024;

/// How long the provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The keys, as far as they are known.
#[derive(Debug)]
pub struct KeyStore {
    source: KeySource,
    refresh: Refresh,
    known: Mutex<Known>,
    /// Held by the one who fetches them.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Option<Arc<Keys>>,
    /// When they were asked for last.
    tried: Option<Instant>,
    /// When they were asked for last of those times that they came.
    fetched: Option<Instant>,
}

impl KeyStore {
    /// Reads keys from a file at once; those at an address are fetched when they are needed.
    ///
    /// # Errors
    /// Why the file cannot be used.
    pub fn new(source: KeySource, refresh: Refresh) -> Result<Self, String> {
        let known = match &source {
            KeySource::File(_) => {
                let keys = load(&source).map_err(|cause| format!("the keys of the identity provider: {cause}"))?;
                let now = Some(Instant::now());
                Known {
                    keys: Some(keys.into()),
                    tried: now,
                    fetched: now,
                }
            }
            KeySource::Url(_) => Known::default(),
        };
        Ok(Self {
            source,
            refresh,
            known: Mutex::new(known),
            fetching: tokio::sync::Mutex::default(),
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key that a token can be signed with; `None` if the provider, asked just now, has none.
    ///
    /// # Errors
    /// 503 if it is not known and the provider does not answer, or is not to be asked again so soon.
    pub async fn find(self: &Arc<Self>, signed: &Signed<'_>) -> Result<Option<Arc<Key>>, Problem> {
        let came = Instant::now();
        let find = || self.known().keys.as_ref().and_then(|keys| keys.find(signed));
        if let Some(key) = find() {
            if self.is_old() && self.fetching.try_lock().is_ok() {
                rt::spawn(Arc::clone(self).fetch());
            }
            return Ok(Some(key));
        }
        // It goes on if the client that waits for it goes.
        let _ = rt::spawn(Arc::clone(self).fetch()).await;
        let is_sure = self.known().fetched.is_some_and(|fetched| fetched >= came);
        match find() {
            None if !is_sure => Err(Problem::provider_unavailable(self.refresh.pause)),
            key => Ok(key),
        }
    }

    fn is_old(&self) -> bool {
        let known = self.known();
        let longer_ago = |moment: Option<Instant>, than| moment.is_none_or(|moment| moment.elapsed() >= than);
        longer_ago(known.fetched, self.refresh.after) && longer_ago(known.tried, self.refresh.pause)
    }

    /// Fetches the keys, unless that was tried a moment ago. Where it fails those that are known stay.
    async fn fetch(self: Arc<Self>) {
        let _alone = self.fetching.lock().await;
        let now = Instant::now();
        let tried = self.known().tried;
        if tried.is_some_and(|tried| tried.elapsed() < self.refresh.pause) {
            return;
        }
        let source = self.source.clone();
        let loaded = web::block(move || load(&source)).await;
        let loaded = loaded.unwrap_or_else(|error| Err(error.to_string()));
        let mut known = self.known();
        known.tried = Some(now);
        match loaded {
            Ok(keys) => {
                known.keys = Some(keys.into());
                known.fetched = Some(now);
            }
            Err(cause) => tracing::warn!(cause, "the keys of the identity provider were not fetched"),
        }
    }
}

/// Reads the keys from where they are.
fn load(source: &KeySource) -> Result<Keys, String> {
    match source {
        KeySource::File(path) => {
            let mut bytes = Vec::new();
            let read = File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
            read.map_err(|error| error.to_string())
                .and_then(|_| Keys::read(&bytes))
                .map_err(|cause| format!("{}: {cause}", path.display()))
        }
        KeySource::Url(url) => get(url)
            .map_err(|error| error.to_string())
            .and_then(|bytes| Keys::read(&bytes))
            .map_err(|cause| format!("{url}: {cause}")),
    }
}

fn get(url: &str) -> Result<Vec<u8>, ureq::Error> {
    let mut config = client::settings(PATIENCE);
    if url.parse().is_ok_and(|url: Uri| url.scheme_str() == Some("http")) {
        // On this machine. A proxy would look for it on its own, and could answer whatever it likes.
        config = config.proxy(None);
    }
    let agent: ureq::Agent = config.build().into();
    let mut response = agent.get(url).header("Accept", "application/json").call()?;
    match response.status().as_u16() {
        200 => response.body_mut().with_config().limit(LARGEST).read_to_vec(),
        other => Err(ureq::Error::StatusCode(other)),
    }
}
