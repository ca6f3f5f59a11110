//! People who sign in with the county's identity provider (统一身份认证平台): the tokens (JWT) that it issues, who shows one, and
//! what that one may do here.
//!
//! `settings` (which provider, what its claims mean) → `keys` (where its keys are, fetched and kept) → `jws` (whose signature) →
//! `claims` (until when, for whom, who it is).

pub mod claims;
pub mod jws;
pub mod keys;
pub mod settings;

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::header::WWW_AUTHENTICATE;
use jiff::Timestamp;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use self::keys::KeyStore;
use self::settings::{KeySource, Settings};
use crate::db::Db;
use crate::fault::Text;
use crate::http::kinds::{self, Kind};
use crate::http::problem::Problem;
use crate::tokens::model::Bearer;
use crate::tokens::{model, store};

/// The longest token that is looked at, in bytes.
pub const LONGEST: usize = 16 * 1024;

/// For how long a token is believed without looking again: its keys, and what its units reach.
const BELIEVED: Duration = Duration::from_secs(2);

/// How many tokens are kept that were found good lately.
const KEPT: usize = 1000;

/// The identity provider, as this service knows it.
#[derive(Debug)]
pub struct Provider {
    settings: Settings,
    keys: Arc<KeyStore>,
    /// By the SHA-256 of the token: who showed it, and when it was looked at.
    known: Cache<[u8; 32], (Instant, Arc<Bearer>)>,
}

impl Provider {
    /// The provider of these settings. Keys in a file are read now, those at an address when the first token comes.
    ///
    /// # Errors
    /// Why the keys in the file cannot be used.
    pub fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self {
            keys: Arc::new(KeyStore::new(settings.keys.clone(), settings.refresh)?),
            known: Cache::new(KEPT),
            settings,
        })
    }

    /// Whether it is the provider of these settings, and finds out by itself when its keys change.
    pub fn serves(&self, settings: &Settings) -> bool {
        self.settings == *settings && matches!(settings.keys, KeySource::Url(_))
    }

    /// Whether a bearer token has the form of one that a provider issues: three parts with dots between.
    pub fn is_meant(token: &str) -> bool {
        token.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// Who shows this token.
    ///
    /// # Errors
    /// 401 that says what is wrong with it, 403 for one who is known and has no role or no unit here, 503 while its key
    /// cannot be had, or the database does not answer.
    pub async fn judge(&self, db: &Db, token: &str) -> Result<Arc<Bearer>, Problem> {
        let key: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let now = Timestamp::now();
        if let Some((since, bearer)) = self.known.get(&key)
            && since.elapsed() < BELIEVED
            && bearer.expires_at.is_some_and(|end| now < end)
        {
            return Ok(bearer);
        }
        let bearer = Arc::new(self.look_at(db, token, now).await?);
        self.known.insert(key, (Instant::now(), Arc::clone(&bearer)));
        Ok(bearer)
    }

    async fn look_at(&self, db: &Db, token: &str, now: Timestamp) -> Result<Bearer, Problem> {
        let signed = jws::Signed::read(token).map_err(|text| refused(&kinds::UNAUTHORIZED, text))?;
        let key = self.keys.find(&signed).await?;
        let claims = signed.verified_by(key.as_deref());
        let claims = claims.map_err(|text| refused(&kinds::UNAUTHORIZED, text))?;
        claims::check(&self.settings, &claims, now)?;
        let person = claims::Person::read(&self.settings, &claims)?;
        let paths = match person.units.is_empty() {
            true => Vec::new(),
            false => {
                let codes = person.units.clone();
                let paths = db
                    .primary()
                    .read(move |conn| Ok(store::unit_paths(conn, &codes)?))
                    .await?;
                match paths.is_empty() {
                    true => return Err(claims::no_unit(&self.settings)),
                    false => paths,
                }
            }
        };
        Ok(Bearer {
            token_id: Some(id(&self.settings.issuer, &person.subject)),
            name: person.name,
            role: person.role,
            permissions: person.permissions,
            paths,
            expires_at: Some(person.expires_at),
        })
    }
}

/// What someone is known by here, whichever token he shows: in the log, in the audit trail, and where requests are counted. A
/// subject is unique at its issuer only, and no token of this service has such an id.
fn id(issuer: &str, subject: &str) -> String {
    let issuer = model::hash(issuer);
    match subject.len() {
        ..=80 => format!("jwt:{}:{subject}", &issuer[..8]),
        // Short enough for the audit trail to be searched for it.
        _ => format!("jwt:{}:{}", &issuer[..8], model::hash(subject)),
    }
}

/// 401: what is wrong with a token of the identity provider, in the words of RFC 6750 too.
fn refused(kind: &'static Kind, text: Text) -> Problem {
    // The header takes no other characters.
    let allowed = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    let description: String = text.en.chars().filter(allowed).collect();
    Problem::new(kind, text.zh, text.en).with_header(
        WWW_AUTHENTICATE,
        format!("Bearer realm=\"jixiao\", error=\"invalid_token\", error_description=\"{description}\""),
    )
}
