//! Who asks, and what that one may do. Handlers demand a permission by the extractor they name, such as [`Reader`].

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::LocalBoxFuture;

use super::gate::Gate;
use super::middleware::{current_request, current_traceparent};
use super::problem::Problem;
use crate::codes::UnitCode;
use crate::db::Origin;
use crate::tokens::model::{Bearer, Role};
use crate::tokens::permission::Permission;

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct Principal {
    bearer: Arc<Bearer>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

impl Deref for Principal {
    type Target = Bearer;

    fn deref(&self) -> &Bearer {
        &self.bearer
    }
}

impl Principal {
    /// A bearer who asks from `address`.
    pub fn new(bearer: Arc<Bearer>, address: Option<IpAddr>) -> Self {
        Self { bearer, address }
    }

    /// Who is written down for what this request changes.
    pub fn origin(&self) -> Origin {
        Origin {
            actor: self.token_id.clone(),
            name: self.name.clone(),
            role: self.role.to_string(),
            request_id: Some(current_request().0),
            address: self.address.map(|address| address.to_string()),
            traceparent: current_traceparent(),
        }
    }

    fn reaches(&self, unit_path: &str) -> bool {
        self.paths.iter().any(|path| unit_path.starts_with(path.as_str()))
    }

    /// Lets those pass who reach the unit at `unit_path`: what they do with it, they were let in for.
    ///
    /// # Errors
    /// 403 for a unit's token that does not reach it.
    pub fn may_see(&self, unit_path: &str) -> Result<(), Problem> {
        match self.role {
            Role::Bureau | Role::Auditor => Ok(()),
            Role::Unit if self.reaches(unit_path) => Ok(()),
            Role::Unit => Err(Problem::forbidden(
                "该令牌只能查看、填报所属单位及其下属单位的数据。",
                "This token is for the data of its own units and their subordinates only.",
            )),
        }
    }

    /// Lets those pass who have this permission.
    ///
    /// # Errors
    /// 403 that says which it is, and whether the role or the scopes of the token leave it out.
    pub fn must(&self, permission: Permission) -> Result<(), Problem> {
        match self.permissions.has(permission) {
            true => Ok(()),
            false => Err(refusal(self.role, permission)),
        }
    }

    /// The units that lists are limited to, with those below them; `None` for those who see all.
    pub fn scope(&self) -> Option<Vec<String>> {
        (self.role == Role::Unit).then(|| self.units())
    }

    /// Lists of units of which each bounds an answer about many, with those below them: the one that is asked for, and those that the
    /// token sees.
    pub fn within(&self, unit: Option<&UnitCode>) -> Vec<Vec<String>> {
        let one = unit.map(|unit| vec![unit.to_string()]);
        one.into_iter().chain(self.scope()).collect()
    }

    /// The codes of the units that it is bound to.
    pub fn units(&self) -> Vec<String> {
        let last = |path: &String| path.trim_matches('/').rsplit('/').next().map(str::to_owned);
        self.paths.iter().filter_map(last).collect()
    }
}

/// Says what the role or the scopes leave out, in the words of RFC 6750 too.
fn refusal(role: Role, permission: Permission) -> Problem {
    let entry = permission.entry();
    let (word, zh) = (entry.word, entry.zh);
    let problem = match entry.roles.contains(&role) {
        true => Problem::forbidden(
            format!("该令牌的权限范围不包括“{zh}”（{word}）。"),
            format!("The scopes of this token leave out \"{word}\"."),
        ),
        false => {
            let roles: Vec<_> = entry.roles.iter().map(|role| role.zh()).collect();
            let names: Vec<_> = entry.roles.iter().map(|role| role.as_str()).collect();
            Problem::forbidden(
                format!("此操作需要“{zh}”权限（{word}），仅限{}令牌。", roles.join("、")),
                format!(
                    "This needs the permission \"{word}\", which tokens of the role {} have.",
                    names.join(" or ")
                ),
            )
        }
    };
    problem.with_header(
        WWW_AUTHENTICATE,
        format!("Bearer realm=\"jixiao\", error=\"insufficient_scope\", scope=\"{word}\""),
    )
}

macro_rules! extractors {
    ($($(#[$doc:meta])* $name:ident: $permission:expr,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(pub Principal);

        impl FromRequest for $name {
            type Error = Problem;
            type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let request = request.clone();
                Box::pin(async move { principal(&request, $permission).await.map(Self) })
            }
        }
    )*};
}

extractors! {
    /// Anyone with a token, whatever it may do.
    Anyone: None,
    /// One who reads ([`Permission::Read`]).
    Reader: Some(Permission::Read),
    /// One who files data: the bureau, or a unit ([`Permission::File`]).
    Editor: Some(Permission::File),
    /// One who submits what was filed, and takes it back ([`Permission::Submit`]).
    Submitter: Some(Permission::Submit),
    /// One who reviews ([`Permission::Review`]).
    Reviewer: Some(Permission::Review),
    /// One who looks at all units together: the bureau, or an auditor ([`Permission::Oversee`]).
    Overseer: Some(Permission::Oversee),
    /// The finance bureau, setting up what all share ([`Permission::Configure`]).
    Bureau: Some(Permission::Configure),
    /// One who imports in bulk ([`Permission::Import`]).
    Importer: Some(Permission::Import),
    /// One who reads the audit trail ([`Permission::Audit`]).
    AuditReader: Some(Permission::Audit),
    /// One who manages webhooks ([`Permission::Webhooks`]).
    WebhookKeeper: Some(Permission::Webhooks),
    /// One who manages tokens ([`Permission::Tokens`]).
    TokenKeeper: Some(Permission::Tokens),
}

/// Who asks, if it is one with this permission. A request is judged, and counted, once.
///
/// # Errors
/// 401 without a good token, 403 without the permission, 429 and 503.
pub async fn principal(request: &HttpRequest, demanded: Option<Permission>) -> Result<Principal, Problem> {
    let judged = request.extensions().get::<Principal>().cloned();
    let principal = match judged {
        Some(principal) => principal,
        None => {
            let gate = request
                .app_data::<Data<Gate>>()
                .ok_or_else(|| Problem::internal("the app has no gate"))?;
            let principal = gate.judge(request).await?;
            // For the access log, too.
            request.extensions_mut().insert(principal.clone());
            principal
        }
    };
    if let Some(permission) = demanded {
        principal.must(permission)?;
    }
    Ok(principal)
}
