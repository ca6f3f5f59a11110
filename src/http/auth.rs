//! Who asks, and what that one may do. Handlers demand it by the extractor they name: `Reader`, `Editor`, `Overseer` or
//! `Bureau`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::LocalBoxFuture;
use subtle::ConstantTimeEq;

use super::middleware::current_request;
use super::problem::Problem;
use crate::db::{Db, Origin};
use crate::tokens::model::{Role, StoredToken, hash};

/// Who asks.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The id of the token, for the log; `None` where no token is needed.
    pub token_id: Option<String>,
    /// Whose token it is, for the history of what is done.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The places in the hierarchy of the units that it is bound to; empty for other roles.
    pub paths: Vec<String>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

impl Principal {
    /// Who is written down for what this request changes.
    pub fn origin(&self) -> Origin {
        Origin {
            actor: self.token_id.clone(),
            name: self.name.clone(),
            role: self.role.to_string(),
            request_id: Some(current_request().0),
            address: self.address.map(|address| address.to_string()),
        }
    }

    fn reaches(&self, unit_path: &str) -> bool {
        self.paths.iter().any(|path| unit_path.starts_with(path.as_str()))
    }

    /// Lets those pass who may read the data of the unit at `unit_path`.
    ///
    /// # Errors
    /// 403 for a unit's token that does not reach it.
    pub fn may_see(&self, unit_path: &str) -> Result<(), Problem> {
        match self.role {
            Role::Bureau | Role::Auditor => Ok(()),
            Role::Unit if self.reaches(unit_path) => Ok(()),
            Role::Unit => Err(Problem::forbidden(
                "该令牌只能查看所属单位及其下属单位的数据。",
                "This token reads the data of its own units and their subordinates only.",
            )),
        }
    }

    /// Lets those pass who may file data for the unit at `unit_path`.
    ///
    /// # Errors
    /// 403 for an auditor, and for a unit's token that does not reach it.
    pub fn may_edit(&self, unit_path: &str) -> Result<(), Problem> {
        match self.role {
            Role::Auditor => Err(auditor_only_reads()),
            _ => self.may_see(unit_path),
        }
    }

    /// The token whose units lists are limited to; `None` for those who see all.
    pub fn scope(&self) -> Option<String> {
        self.token_id.clone().filter(|_| self.role == Role::Unit)
    }
}

fn auditor_only_reads() -> Problem {
    Problem::forbidden("审计令牌只能查询，不能修改数据。", "An auditor's token reads only.")
}

/// Anyone with a token.
#[derive(Debug, Clone)]
pub struct Reader(pub Principal);

/// Anyone who files data: the bureau, or a unit.
#[derive(Debug, Clone)]
pub struct Editor(pub Principal);

/// Anyone who looks at all units together: the bureau, or an auditor.
#[derive(Debug, Clone)]
pub struct Overseer(pub Principal);

/// The finance bureau.
#[derive(Debug, Clone)]
pub struct Bureau(pub Principal);

impl FromRequest for Reader {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { principal(&request).await.map(Self) })
    }
}

impl FromRequest for Editor {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match principal(&request).await? {
                principal if principal.role == Role::Auditor => Err(auditor_only_reads()),
                principal => Ok(Self(principal)),
            }
        })
    }
}

impl FromRequest for Overseer {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match principal(&request).await? {
                principal if principal.role == Role::Unit => Err(Problem::forbidden(
                    "排名和汇总仅限财政局令牌和审计令牌查看。",
                    "Rankings and summaries are for tokens of the finance bureau and of auditors.",
                )),
                principal => Ok(Self(principal)),
            }
        })
    }
}

impl FromRequest for Bureau {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match principal(&request).await? {
                principal if principal.role == Role::Bureau => Ok(Self(principal)),
                _ => Err(Problem::forbidden(
                    "此操作仅限财政局令牌。",
                    "Only a token of the finance bureau may do this.",
                )),
            }
        })
    }
}

/// How tokens are judged.
#[derive(Debug)]
pub enum Gate {
    /// By the tokens in the database.
    Tokens(TokenCache),
    /// Everyone is the bureau: the demonstration, on loopback only.
    Open,
}

/// Tokens found lately, so that each request does not ask the database again.
#[derive(Debug, Default)]
pub struct TokenCache(Mutex<HashMap<String, (Instant, StoredToken)>>);

/// For how long a token is believed without asking: also how long one works after it was deleted.
const BELIEVED: Duration = Duration::from_secs(2);

impl TokenCache {
    fn get(&self, id: &str) -> Option<StoredToken> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, token) = known.get(id)?;
        (since.elapsed() < BELIEVED).then(|| token.clone())
    }

    fn put(&self, token: StoredToken) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= 1000 {
            known.retain(|_, (since, _)| since.elapsed() < BELIEVED);
        }
        known.insert(token.id.clone(), (Instant::now(), token));
    }
}

async fn principal(request: &HttpRequest) -> Result<Principal, Problem> {
    let principal = match request.app_data::<Data<Gate>>().map(|gate| gate.get_ref()) {
        Some(Gate::Open) => Principal {
            token_id: None,
            name: "演示".to_owned(),
            role: Role::Bureau,
            paths: Vec::new(),
            address: address(request),
        },
        Some(Gate::Tokens(cache)) => by_token(request, cache).await?,
        None => return Err(Problem::internal("the app has no gate")),
    };
    // For the access log.
    request.extensions_mut().insert(principal.clone());
    Ok(principal)
}

async fn by_token(request: &HttpRequest, cache: &TokenCache) -> Result<Principal, Problem> {
    let unknown = || {
        Problem::unauthorized(
            "访问令牌无效或已被撤销。",
            "The token is not known: mistyped, or taken back.",
        )
    };
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .ok_or_else(|| Problem::unauthorized("请求未携带访问令牌。", "The request carries no token."))?;
    let credentials = header.to_str().ok().and_then(|value| value.split_once(' '));
    let sent = match credentials {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => {
            return Err(Problem::unauthorized(
                "Authorization应为“Bearer 令牌”的形式。",
                "Authorization must be of the form \"Bearer <token>\".",
            ));
        }
    };
    let (id, secret) = sent
        .strip_prefix("jx_")
        .and_then(|sent| sent.split_once('_'))
        .ok_or_else(unknown)?;
    let known = match cache.get(id) {
        Some(token) => token,
        None => {
            let db = request
                .app_data::<Data<Db>>()
                .ok_or_else(|| Problem::internal("the app has no database"))?;
            let wanted = id.to_owned();
            let found = db.read(move |conn| crate::tokens::store::find(conn, &wanted)).await?;
            let token = found.ok_or_else(unknown)?;
            cache.put(token.clone());
            token
        }
    };
    if !bool::from(hash(secret).as_bytes().ct_eq(known.secret_hash.as_bytes())) {
        return Err(unknown());
    }
    Ok(Principal {
        token_id: Some(known.id),
        name: known.name,
        role: known.role,
        paths: known.paths,
        address: address(request),
    })
}

fn address(request: &HttpRequest) -> Option<IpAddr> {
    request.peer_addr().map(|address| address.ip())
}
