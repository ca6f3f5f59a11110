//! How it is found out who asks: the token of a request, looked up and compared, or held against the identity provider's keys.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use quick_cache::sync::Cache;
use subtle::ConstantTimeEq;

use super::auth::Principal;
use super::kinds;
use super::limits::{Limits, client_address};
use super::problem::Problem;
use crate::db::{Db, Origin};
use crate::identity::Provider;
use crate::identity::settings::Settings;
use crate::tokens::model::{Bearer, Role, StoredToken, digest};
use crate::tokens::permission::Permissions;
use crate::tokens::store;

/// How tokens are judged.
#[derive(Debug)]
pub enum Gate {
    /// By the tokens in the database, and by those of the identity provider where there is one.
    Tokens(TokenCache, ArcSwapOption<Provider>),
    /// Everyone is the bureau: the demonstration, on loopback only.
    Open(Arc<Bearer>),
}

impl Gate {
    /// Judges by the tokens in the database, and by those of the identity provider of these settings.
    ///
    /// # Errors
    /// Why the provider's keys, where they are in a file, cannot be used.
    pub fn new(provider: Option<&Settings>) -> Result<Self, String> {
        let provider = provider.cloned().map(Provider::new).transpose()?;
        Ok(Self::Tokens(
            TokenCache::default(),
            ArcSwapOption::from_pointee(provider),
        ))
    }

    /// Takes everyone for the bureau.
    pub fn open() -> Self {
        Self::Open(Arc::new(Bearer {
            token_id: None,
            name: "演示".to_owned(),
            role: Role::Bureau,
            permissions: Permissions::of(Role::Bureau),
            paths: Vec::new(),
            expires_at: None,
        }))
    }

    /// Believes the provider of these settings from now on, or none. One whose keys are fetched stays, with its keys, where
    /// nothing about it changed.
    ///
    /// # Errors
    /// Why its keys, where they are in a file, cannot be used; then nothing changes.
    pub fn believe(&self, settings: Option<&Settings>) -> Result<(), String> {
        let Self::Tokens(_, provider) = self else {
            return Ok(());
        };
        let before = provider.load_full();
        if !before.is_some_and(|before| settings.is_some_and(|settings| before.serves(settings))) {
            let changed = settings.cloned().map(Provider::new).transpose()?;
            provider.store(changed.map(Arc::new));
        }
        Ok(())
    }

    /// Who asks.
    ///
    /// # Errors
    /// 401 without a good token, 503 if the database does not answer.
    pub async fn judge(&self, request: &HttpRequest) -> Result<Principal, Problem> {
        match self {
            Self::Tokens(cache, provider) => {
                let credentials = sent(request)?;
                let address = client_address(request);
                let limits = request
                    .app_data::<Data<ArcSwap<Limits>>>()
                    .ok_or_else(|| Problem::internal("the app has no limits"))?;
                limits.load().may_try(address)?;
                let judged = match &*provider.load() {
                    Some(provider) if Provider::is_meant(credentials) => {
                        provider.judge(database(request)?, credentials).await
                    }
                    _ => by_token(request, cache, credentials, address).await,
                };
                let limits = limits.load();
                match &judged {
                    Ok(bearer) => limits.count_token(request, bearer.token_id.as_deref().unwrap_or_default())?,
                    Err(problem) if std::ptr::eq(problem.kind(), &kinds::UNAUTHORIZED) => limits.failed(address),
                    Err(_) => {}
                }
                judged.map(|bearer| Principal::new(bearer, address))
            }
            Self::Open(bureau) => Ok(Principal::new(Arc::clone(bureau), client_address(request))),
        }
    }

    /// Asks the database again about a token that was changed or taken back.
    pub fn forget(&self, id: &str) {
        if let Self::Tokens(cache, _) = self {
            cache.forget(id);
        }
    }
}

/// Tokens found lately, so that each request does not ask the database again.
#[derive(Debug)]
pub struct TokenCache(Cache<String, Arc<Known>>);

#[derive(Debug)]
struct Known {
    since: Instant,
    token: StoredToken,
    /// When its use was noted last, as far as this process knows, in seconds since 1970.
    noted: Arc<AtomicI64>,
}

impl Default for TokenCache {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

/// How many tokens are kept.
const KEPT: usize = 1000;

/// For how long a token is believed without asking: also how long one works on in other processes after it was taken back.
const BELIEVED: Duration = Duration::from_secs(2);

/// How often the use of a token is noted at most, in seconds.
const NOTED: i64 = 60;

impl TokenCache {
    fn get(&self, id: &str) -> Option<Arc<Known>> {
        self.0.get(id).filter(|known| known.since.elapsed() < BELIEVED)
    }

    fn put(&self, token: StoredToken) -> Arc<Known> {
        let before = self.0.peek(&token.id).map(|before| Arc::clone(&before.noted));
        let noted = before.unwrap_or_else(|| Arc::new(AtomicI64::new(i64::MIN)));
        if let Some(last_used) = token.last_used {
            noted.fetch_max(last_used.as_second(), Ordering::Relaxed);
        }
        let known = Arc::new(Known {
            since: Instant::now(),
            token,
            noted,
        });
        self.0.insert(known.token.id.clone(), Arc::clone(&known));
        known
    }

    fn forget(&self, id: &str) {
        self.0.remove(id);
    }
}

impl Known {
    /// Whether the use of the token is to be noted now, and by nobody else for the next minute.
    fn is_to_be_noted(&self, now: Timestamp) -> bool {
        let (noted, now) = (self.noted.load(Ordering::Relaxed), now.as_second());
        // The clock may have been set back.
        now.saturating_sub(noted).saturating_abs() >= NOTED
            && self
                .noted
                .compare_exchange(noted, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// The token that a request carries.
fn sent(request: &HttpRequest) -> Result<&str, Problem> {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .ok_or_else(|| Problem::unauthorized("请求未携带访问令牌。", "The request carries no token."))?;
    let credentials = header.to_str().ok().and_then(|value| value.split_once(' '));
    match credentials {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Problem::unauthorized(
            "Authorization应为“Bearer 令牌”的形式。",
            "Authorization must be of the form \"Bearer <token>\".",
        )),
    }
}

fn database(request: &HttpRequest) -> Result<&Db, Problem> {
    let db = request.app_data::<Data<Db>>();
    db.map(Data::get_ref)
        .ok_or_else(|| Problem::internal("the app has no database"))
}

async fn by_token(
    request: &HttpRequest,
    cache: &TokenCache,
    credentials: &str,
    address: Option<IpAddr>,
) -> Result<Arc<Bearer>, Problem> {
    let unknown = || {
        Problem::unauthorized(
            "访问令牌无效或已被撤销。",
            "The token is not known: mistyped, or taken back.",
        )
    };
    let (id, secret) = credentials
        .strip_prefix("jx_")
        .and_then(|sent| sent.split_once('_'))
        .ok_or_else(unknown)?;
    let db = database(request)?;
    let known = match cache.get(id) {
        Some(known) => known,
        None => {
            let wanted = id.to_owned();
            let found = db.primary().read(move |conn| store::find(conn, &wanted)).await?;
            cache.put(found.ok_or_else(unknown)?)
        }
    };
    let (token, now) = (&known.token, Timestamp::now());
    if !is_secret(token, secret, now) {
        return Err(unknown());
    }
    if token.bearer.expires_at.is_some_and(|end| end <= now) {
        return Err(Problem::unauthorized("访问令牌已过期。", "The token has expired."));
    }
    if known.is_to_be_noted(now) {
        note_use(
            db.clone(),
            token.id.clone(),
            now,
            address.map(|address| address.to_string()),
        );
    }
    Ok(Arc::clone(&token.bearer))
}

/// Whether it is the token's secret, or the one before while that works. Takes as long for a wrong one as for the right one, and
/// what is compared are digests, of which nobody can choose a part. (The id, by which the token is looked up, is no secret.)
fn is_secret(token: &StoredToken, secret: &str, now: Timestamp) -> bool {
    let digest = digest(secret);
    let equal = |known: &[u8; 32]| digest.ct_eq(known);
    let is_current = equal(&token.digest);
    match &token.previous {
        Some((previous, until)) if now < *until => bool::from(is_current | equal(previous)),
        _ => bool::from(is_current),
    }
}

/// Writes that a token was used, without letting the request wait for it.
fn note_use(db: Db, id: String, now: Timestamp, address: Option<String>) {
    let at = format!("{now:.6}");
    actix_web::rt::spawn(async move {
        let noted = db
            .write(Origin::program(), move |tx| {
                Ok(store::note_use(tx, &id, &at, address.as_deref())?)
            })
            .await;
        if let Err(problem) = noted {
            // The next use in a minute is noted again.
            tracing::warn!(%problem, "the use of a token was not noted");
        }
    });
}
