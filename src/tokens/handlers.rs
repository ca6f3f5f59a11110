//! The addresses of the tokens.

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::IntoParams;

use super::model::{Identity, IssuedToken, MOST_UNITS, Role, Rotation, Stored, Token, TokenInput};
use super::permission::Permissions;
use super::store::{self, Filter};
use crate::codes::{TokenId, UnitCode};
use crate::db::{AnyConnection, Db};
use crate::fault::Fault;
use crate::http::auth::{Anyone, Principal, TokenKeeper};
use crate::http::body::{Json, MergePatch, OptionalJson};
use crate::http::etag::Preconditions;
use crate::http::gate::Gate;
use crate::http::page::{Limit, Order, Page};
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::http::query::{Query, SearchText, given};
use crate::http::resource::resource;
use crate::http::responses::{BodyErrors, ChangeErrors, CommonErrors};
use crate::idempotency::answer::Answer;
use crate::idempotency::once::Once;
use crate::patch_of;

patch_of!(
    /// Some fields of [`TokenInput`].
    TokenPatch,
    TokenInput
);

/// Adds the routes of the tokens.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("").get(list).post(post))
        .service(resource("/self").get(get_self))
        .service(resource("/{id}").get(get).patch(patch).delete(delete))
        .service(resource("/{id}/rotate").post(rotate));
}

/// Which tokens to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only tokens of this role.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    role: Option<Role>,
    /// Only tokens that are bound to this unit itself.
    #[serde(default, deserialize_with = "given")]
    unit: Option<UnitCode>,
    /// Only tokens whose name contains this.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    q: Option<SearchText>,
    /// By id, from the least or from the greatest.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    order: Option<Order>,
    /// How many items a page has at most.
    #[serde(default, deserialize_with = "given")]
    #[param(inline)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before: the id of its last token.
    #[serde(default, deserialize_with = "given")]
    cursor: Option<TokenId>,
}

/// List tokens
///
/// By id, without their secrets: whose each is, what it may do, until when, and when it was last used. Only for the
/// finance bureau.
#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    operation_id = "list_tokens",
    tag = "tokens",
    security(("token" = ["tokens"])),
    params(ListQuery),
    responses((status = 200, description = "A page of tokens", body = Page<Token>,
        headers(("Link" = String, description = "The next page, `rel=\"next\"`"))), CommonErrors),
)]
pub async fn list(
    _: TokenKeeper,
    Query(query): Query<ListQuery>,
    db: Data<Db>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let limit = query.limit.unwrap_or_default();
    let rows = db
        .primary()
        .scan(move |conn| {
            let filter = Filter {
                role: query.role,
                unit: query.unit,
                q: query.q.map(|q| q.as_str().to_owned()),
            };
            let order = query.order.unwrap_or_default();
            let rows = store::page(conn, &filter, order, query.cursor.as_ref(), limit)?;
            rows.into_iter().map(view).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    Ok(Page::new(rows, limit, |token: &Token| &token.id, |token| token).respond(&request))
}

/// Make a token
///
/// The answer is the only place where its secret ever appears: sent again with the same `Idempotency-Key`, the request is
/// answered 409 with the address of the token that it made. Whoever asks can give no permission that his own token does
/// not have. A token may be limited to some of what its role may (`scopes`), and may end by itself (`expires_at`). Only for
/// the finance bureau.
#[utoipa::path(
    post,
    path = "/api/v1/tokens",
    operation_id = "create_token",
    tag = "tokens",
    security(("token" = ["tokens"])),
    params(Once),
    request_body(content = TokenInput, example = json!({"name": "开云镇财政所", "role": "unit", "units": ["219001"],
        "scopes": ["read", "file"], "expires_at": "2027-01-05T00:00:00+08:00"})),
    responses((status = 201, description = "It was made", body = IssuedToken,
            headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its address"))),
        CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn post(
    TokenKeeper(principal): TokenKeeper,
    once: Once,
    Json(input): Json<TokenInput>,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    once.write(&db, principal.origin(), move |tx| {
        check(tx, &input, None)?;
        must_not_exceed(&principal, input.permissions())?;
        let (stored, token) = store::create(tx, &input)?;
        let (address, etag) = (store::address(&stored.row.id), stored.etag());
        Ok(Answer::created(address, &issued(stored, token)?)?
            .tagged(&etag)
            .with_secret())
    })
    .await
}

/// Who am I
///
/// Whose token the request carries, what it may do, for which units, and until when. For anyone with a token.
#[utoipa::path(
    get,
    path = "/api/v1/tokens/self",
    operation_id = "get_own_token",
    tag = "tokens",
    responses((status = 200, description = "Who asks", body = Identity), CommonErrors),
)]
pub async fn get_self(Anyone(principal): Anyone) -> HttpResponse {
    HttpResponse::Ok().json(Identity {
        units: principal.units(),
        permissions: principal.permissions.iter().collect(),
        expires_at: principal.expires_at.map(|end| format!("{end:.6}")),
        id: principal.token_id.clone(),
        name: principal.name.clone(),
        role: principal.role,
    })
}

/// Get a token
///
/// Without its secret. Only for the finance bureau.
#[utoipa::path(
    get,
    path = "/api/v1/tokens/{id}",
    operation_id = "get_token",
    tag = "tokens",
    security(("token" = ["tokens"])),
    params(("id" = TokenId, Path, description = "The id of the token")),
    responses((status = 200, description = "The token", body = Token, headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "It is still the version that `If-None-Match` names"), CommonErrors),
)]
pub async fn get(
    _: TokenKeeper,
    Path(id): Path<TokenId>,
    preconditions: Preconditions,
    db: Data<Db>,
) -> Result<HttpResponse, Problem> {
    let stored = db.primary().read(move |conn| require(conn, &id)).await?;
    preconditions.answer(&stored.etag(), |mut response| Ok(response.json(view(stored)?)))
}

/// Change a token
///
/// A JSON Merge Patch (RFC 7396): what is left out stays, `null` takes a limit away. The secret stays. Running servers know
/// within two seconds, this one at once. Only for the finance bureau.
#[utoipa::path(
    patch,
    path = "/api/v1/tokens/{id}",
    operation_id = "patch_token",
    tag = "tokens",
    security(("token" = ["tokens"])),
    params(("id" = TokenId, Path, description = "The id of the token")),
    request_body(content = TokenPatch, content_type = "application/merge-patch+json", example = json!({"scopes": ["read"]})),
    responses((status = 200, description = "The token after the change", body = Token,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn patch(
    TokenKeeper(principal): TokenKeeper,
    Path(id): Path<TokenId>,
    preconditions: Preconditions,
    patch: MergePatch,
    db: Data<Db>,
    gate: Data<Gate>,
) -> Result<HttpResponse, Problem> {
    let stored = db
        .write(principal.origin(), move |tx| {
            let before = require(tx, &id)?;
            preconditions.check(Some(&before.etag()))?;
            let was = TokenInput::try_from(&before).map_err(Problem::internal)?;
            let input = patch.apply(&was)?;
            check(tx, &input, Some(&was))?;
            must_not_exceed(&principal, input.permissions())?;
            let input = input.in_order();
            match input == was {
                true => Ok(before),
                false => store::save(tx, before, &input),
            }
        })
        .await?;
    gate.forget(&stored.row.id);
    Ok(stored.etag().saved(false, "").json(view(stored)?))
}

/// Take a token back
///
/// It works no more, on this server at once and on others within two seconds. Only for the finance bureau.
#[utoipa::path(
    delete,
    path = "/api/v1/tokens/{id}",
    operation_id = "revoke_token",
    tag = "tokens",
    security(("token" = ["tokens"])),
    params(("id" = TokenId, Path, description = "The id of the token")),
    responses((status = 204, description = "It works no more"), CommonErrors, ChangeErrors),
)]
pub async fn delete(
    TokenKeeper(principal): TokenKeeper,
    Path(id): Path<TokenId>,
    preconditions: Preconditions,
    db: Data<Db>,
    gate: Data<Gate>,
) -> Result<HttpResponse, Problem> {
    let gone = id.clone();
    db.write(principal.origin(), move |tx| {
        let stored = require(tx, &id)?;
        preconditions.check(Some(&stored.etag()))?;
        store::revoke(tx, id.as_str())
    })
    .await?;
    gate.forget(gone.as_str());
    Ok(HttpResponse::NoContent().finish())
}

/// Give a token a new secret
///
/// The answer is the only place where it appears, also with an `Idempotency-Key` (409 when sent again). The old secret works on for `overlap_seconds`, or no more where they are
/// left out; one from an earlier rotation ends now. Whoever asks cannot rotate a token that may do more than his own. Only
/// for the finance bureau. The body may be left out.
#[utoipa::path(
    post,
    path = "/api/v1/tokens/{id}/rotate",
    operation_id = "rotate_token",
    tag = "tokens",
    security(("token" = ["tokens"])),
    params(("id" = TokenId, Path, description = "The id of the token"), Once),
    request_body(content = Option<Rotation>, example = json!({"overlap_seconds": 86400})),
    responses((status = 200, description = "The token with its new secret", body = IssuedToken,
        headers(("ETag" = String, description = "Its version"))), CommonErrors, BodyErrors, ChangeErrors),
)]
pub async fn rotate(
    TokenKeeper(principal): TokenKeeper,
    Path(id): Path<TokenId>,
    preconditions: Preconditions,
    once: Once,
    rotation: OptionalJson<Rotation>,
    db: Data<Db>,
    gate: Data<Gate>,
) -> Result<HttpResponse, Problem> {
    let overlap = rotation.0.unwrap_or_default().overlap_seconds;
    let rotated = id.clone();
    let response = once
        .write(&db, principal.origin(), move |tx| {
            let before = require(tx, &id)?;
            preconditions.check(Some(&before.etag()))?;
            must_not_exceed(&principal, before.permissions().map_err(Problem::internal)?)?;
            let (stored, token) = store::rotate(tx, before, overlap.until())?;
            let etag = stored.etag();
            Ok(Answer::ok(&issued(stored, token)?)?.tagged(&etag).with_secret())
        })
        .await?;
    gate.forget(rotated.as_str());
    Ok(response)
}

fn view(stored: Stored) -> Result<Token, Problem> {
    Token::try_from(stored).map_err(Problem::internal)
}

fn issued(stored: Stored, token: String) -> Result<IssuedToken, Problem> {
    view(stored).map(|of| IssuedToken { token, of })
}

fn require(conn: &mut AnyConnection, id: &TokenId) -> Result<Stored, Problem> {
    store::get(conn, id.as_str())?.ok_or_else(|| {
        Problem::not_found(
            format!("令牌{id}不存在或已被撤销。"),
            format!("There is no token {id}, or it was taken back."),
        )
    })
}

/// Keeps one who may only make tokens from making one that may do everything.
fn must_not_exceed(principal: &Principal, permissions: Permissions) -> Result<(), Problem> {
    let beyond = permissions.without(principal.permissions);
    if beyond.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = beyond.iter().map(|permission| permission.entry().zh).collect();
    Err(Problem::forbidden(
        format!(
            "不能签发、修改或轮换权限超出本令牌的令牌（超出：{}）。",
            names.join("、")
        ),
        format!(
            "A token cannot make, change or rotate one that may do more than itself (beyond: {}).",
            beyond.words()
        ),
    ))
}

/// Names all that a token cannot be; `was` is what it is now.
///
/// # Errors
/// 422 with every fault.
pub fn check(conn: &mut AnyConnection, input: &TokenInput, was: Option<&TokenInput>) -> Result<(), Problem> {
    let mut faults = Vec::new();
    let units = input.units.as_deref().unwrap_or_default();
    if input.role == Role::Unit && units.is_empty() {
        faults.push(Fault::new(
            "/units",
            "missing_field",
            "预算单位令牌须指定至少一个所属单位。",
            "a token of the role unit names at least one unit",
        ));
    } else if input.role != Role::Unit && !units.is_empty() {
        faults.push(Fault::new(
            "/units",
            "not_of_role",
            format!("{}令牌可查看全部单位，不能指定所属单位。", input.role.zh()),
            format!("a token of the role {} sees all units and names none", input.role),
        ));
    } else if units.len() > MOST_UNITS {
        faults.push(Fault::new(
            "/units",
            "too_many",
            format!("所属单位不得超过{MOST_UNITS}个。"),
            format!("a token is bound to at most {MOST_UNITS} units"),
        ));
    } else {
        let unknown = store::unknown_units(conn, &input.codes())?;
        for (n, unit) in units.iter().enumerate() {
            if unknown.iter().any(|code| code == unit.as_str()) {
                faults.push(Fault::new(
                    format!("/units/{n}"),
                    "unknown_unit",
                    format!("单位{unit}不存在，请先录入。"),
                    format!("there is no unit {unit}; store it first"),
                ));
            }
        }
    }
    if input.scopes.as_ref().is_some_and(Vec::is_empty) {
        faults.push(Fault::new(
            "/scopes",
            "too_few",
            "权限范围不能为空；不限定范围的，请省略scopes。",
            "a token that may do nothing is none; leave scopes out for all that the role may",
        ));
    }
    for (n, scope) in input.scopes.iter().flatten().enumerate() {
        if !Permissions::of(input.role).has(*scope) {
            let entry = scope.entry();
            faults.push(Fault::new(
                format!("/scopes/{n}"),
                "not_of_role",
                format!("{}令牌没有“{}”（{}）权限。", input.role.zh(), entry.zh, entry.word),
                format!("the role {} does not have the permission {}", input.role, entry.word),
            ));
        }
    }
    if let Some(end) = input.expires_at
        && end.is_past()
        && was.is_none_or(|was| was.expires_at != input.expires_at)
    {
        faults.push(Fault::new(
            "/expires_at",
            "in_the_past",
            "到期时间应晚于当前时间；如需立即停用，请撤销令牌。",
            "a token ends in the future; to end it now, take it back",
        ));
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Problem::invalid(faults)),
    }
}
