//! The catalogue of problems: every way in which a request can fail, as a table.

use actix_web::http::StatusCode;
use actix_web::web::ServiceConfig;
use actix_web::{HttpResponse, web};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::path::{Path, PathParam};
use super::problem::Problem;
use super::resource::resource;
use super::responses::{CommonErrors, OpenErrors};
use crate::fault::Text;

/// One way in which a request can fail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProblemKind)]
pub struct Kind {
    /// The stable name; `/problems/<slug>` is the `type` of the problems of this kind.
    #[schema(value_type = String, example = "validation-failed")]
    pub slug: &'static str,
    /// The HTTP status.
    #[serde(serialize_with = "as_number")]
    #[schema(value_type = u16, example = 422)]
    pub status: StatusCode,
    /// What it is, in English.
    #[schema(value_type = String, example = "The content is not acceptable")]
    pub title: &'static str,
    /// What it is, in Chinese.
    #[schema(value_type = String, example = "填报内容不符合要求")]
    pub title_zh: &'static str,
    /// How to put it right, in English.
    #[schema(value_type = String)]
    pub hint: &'static str,
    /// How to put it right, in Chinese.
    #[schema(value_type = String)]
    pub hint_zh: &'static str,
}

fn as_number<S: Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $status:ident $slug:literal
        title $title:literal $title_zh:literal hint $hint:literal $hint_zh:literal)*) => {
        $($(#[$doc])* pub static $name: Kind = Kind {
            slug: $slug,
            status: StatusCode::$status,
            title: $title,
            title_zh: $title_zh,
            hint: $hint,
            hint_zh: $hint_zh,
        };)*

        /// All kinds, in the order of their status.
        pub static CATALOGUE: &[&Kind] = &[$(&$name),*];
    };
}

kinds! {
    /// The body is not JSON.
    MALFORMED_JSON = BAD_REQUEST "malformed-json"
        title "The body is not valid JSON" "请求体不是合法的JSON"
        hint "Put the syntax right at the line and column given."
            "请按所示行、列修正JSON语法后重新提交。"
    /// The body did not arrive whole, or cannot be unpacked.
    UNREADABLE_BODY = BAD_REQUEST "unreadable-body"
        title "The body cannot be read" "请求体无法读取"
        hint "Send all of it, as it is or in gzip, with the Content-Encoding that it has."
            "请完整发送请求体（不压缩或以gzip压缩），Content-Encoding应与实际相符。"
    /// A query or path parameter, or a header, that cannot be understood.
    INVALID_PARAMETER = BAD_REQUEST "invalid-parameter"
        title "A parameter is not acceptable" "请求参数有误"
        hint "Correct every parameter listed in `errors`; /docs says which there are."
            "请逐项更正errors中列出的参数；可用参数见 /docs。"
    /// No token, or one that is not known.
    UNAUTHORIZED = UNAUTHORIZED "unauthorized"
        title "A valid token is required" "未提供有效的访问令牌"
        hint "Send `Authorization: Bearer jx_…`; the finance bureau makes tokens with `jixiao token create`. Where the county's identity provider is set up, a token of it will do."
            "请在请求头中携带Authorization: Bearer jx_…；令牌由财政局通过jixiao token create签发。已接入统一身份认证平台的，也可使用该平台签发的令牌。"
    /// A token of the identity provider that was good until lately.
    SIGN_IN_EXPIRED = UNAUTHORIZED "sign-in-expired"
        title "The sign-in has expired" "登录已过期"
        hint "Get a new token from the identity provider: by the refresh token, or by signing in again."
            "请使用刷新令牌或重新登录，从统一身份认证平台获取新的令牌。"
    /// The token is good but may not do this.
    FORBIDDEN = FORBIDDEN "forbidden"
        title "The token does not allow this" "权限不足"
        hint "Use a token with the right role or unit, or ask the finance bureau."
            "请改用具有相应角色或所属单位的令牌，或与财政局联系。"
    /// No such address.
    UNKNOWN_ROUTE = NOT_FOUND "unknown-route"
        title "There is nothing at this address" "请求地址不存在"
        hint "Check the path; /docs and /openapi.json list all of them."
            "请核对请求路径；全部接口见 /docs和 /openapi.json。"
    /// The address is right, but the resource does not exist.
    NOT_FOUND = NOT_FOUND "not-found"
        title "The resource does not exist" "所请求的资源不存在"
        hint "Check the code, year or id in the address, or create the resource first."
            "请核对请求地址中的编码、年度或编号，或先行创建该资源。"
    /// The address does not take this method.
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED "method-not-allowed"
        title "The method is not allowed here" "该地址不支持此请求方法"
        hint "Use one of the methods in the Allow header."
            "请改用响应头Allow中列出的方法。"
    /// No answer that the client accepts.
    NOT_ACCEPTABLE = NOT_ACCEPTABLE "not-acceptable"
        title "No acceptable representation" "无法提供所要求的表示形式"
        hint "Accept a media type that the detail names, unencoded or in gzip."
            "请在Accept中写明说明所列的媒体类型，编码为identity或gzip。"
    /// The body did not arrive in time.
    REQUEST_TIMEOUT = REQUEST_TIMEOUT "request-timeout"
        title "The request took too long to arrive" "请求接收超时"
        hint "Send the request again over a steadier connection."
            "请在网络稳定后重新提交。"
    /// Something with the same key exists.
    ALREADY_EXISTS = CONFLICT "already-exists"
        title "It exists already" "已存在相同的记录"
        hint "Change the existing one, or choose another code or name."
            "请修改已有记录，或改用其他编码、名称。"
    /// Others refer to what was to be deleted.
    REFERENCED = CONFLICT "referenced"
        title "Other data refer to it" "存在引用，不能删除"
        hint "Delete or move what refers to it first; `errors` lists it."
            "请先删除或调整引用该记录的数据，详见errors。"
    /// It never changes.
    READ_ONLY = CONFLICT "read-only"
        title "It cannot be changed" "该资源不可修改"
        hint "Make a copy under another id and change the copy."
            "请以新的标识另存副本，再修改副本。"
    /// The fiscal year is closed.
    CLOSED = CONFLICT "closed"
        title "The fiscal year is closed" "该年度填报已关闭"
        hint "Ask the finance bureau to open the fiscal year again."
            "请联系财政局重新开放该年度填报。"
    /// The unit does not file for that fiscal year.
    UNIT_NOT_VALID = CONFLICT "unit-not-valid"
        title "The unit does not file for this fiscal year" "该单位不填报该年度"
        hint "File under the unit that was there in that year, or have the finance bureau correct `valid_from` and `valid_to` of the unit."
            "请以该年度有效的单位填报；单位有效年度（valid_from、valid_to）有误的，请联系财政局更正。"
    /// The day is not one on which units file.
    OUTSIDE_WINDOW = CONFLICT "outside-window"
        title "It is not the time to file" "不在填报期内"
        hint "File within the days given; ask the finance bureau to extend them, or to return what was submitted."
            "请在所示填报期内填报；逾期的请联系财政局延长填报期，或由财政局退回后修改。"
    /// What was submitted does not change.
    LOCKED = CONFLICT "locked"
        title "What was submitted cannot be changed" "已提交的内容不能修改"
        hint "Take an action of `allowed` that makes it a draft again, or ask the finance bureau to return or reopen it."
            "请先执行allowed中可恢复修改的操作，或联系财政局退回、重新开放后再修改。"
    /// The action cannot be taken in the state that the evaluation is in.
    WRONG_STATE = CONFLICT "wrong-state"
        title "It is not in a state for this" "当前状态不能执行此操作"
        hint "Take one of the actions in `allowed`; an empty list means that this token can do nothing at this point."
            "请执行allowed中列出的操作；列表为空表示该令牌此时不能操作。"
    /// The import is going on.
    IMPORT_RUNNING = CONFLICT "import-running"
        title "The import is going on" "该批量导入正在进行"
        hint "Wait for its end: GET the import, also as text/event-stream."
            "请等待导入结束；可通过GET查询进度，或以text/event-stream持续接收。"
    /// The request is being worked on, sent before with the same key.
    REQUEST_RUNNING = CONFLICT "request-running"
        title "The same request is being worked on" "相同的请求正在处理"
        hint "Send it again after the time in the Retry-After header, with the same Idempotency-Key."
            "请按响应头Retry-After所示时间，以相同的Idempotency-Key重新提交。"
    /// What was asked for was done before, and its secret is not shown again.
    SECRET_WAS_SHOWN = CONFLICT "secret-was-shown"
        title "The secret was shown before" "密钥已经给出，不再重复显示"
        hint "If the first answer was lost, have a new secret made, with another Idempotency-Key: POST …/rotate for a token, …/rotate-secret for a webhook. What was made is at Location."
            "首次响应未收到的，请以新的Idempotency-Key轮换密钥：令牌用POST …/rotate，推送用POST …/rotate-secret；其地址见响应头Location。"
    /// Findings stand in the way of submitting.
    NOT_SUBMITTABLE = CONFLICT "not-submittable"
        title "Findings stand in the way of submitting" "存在未处理的问题，不能提交"
        hint "Correct the errors; correct each warning or file a reason for it, in …/reasons under its `key`."
            "错误项须更正；警告项须更正，或在情况说明（…/reasons）中按key逐项说明理由。"
    /// A review that leaves lines open does not end.
    REVIEW_INCOMPLETE = CONFLICT "review-incomplete"
        title "The review leaves lines open" "复核尚未完成"
        hint "Give points to every line in `errors`, or return the evaluation to the unit."
            "请为errors所列各项评定复核得分，或将自评退回单位。"
    /// A report cannot be written by the template of its year.
    UNFIT_TEMPLATE = CONFLICT "unfit-template"
        title "The report cannot be written by its template" "无法按报告模板生成报告"
        hint "Have the finance bureau correct the report template of the fiscal year, or go back to the built-in one (PUT …/report-template)."
            "请联系财政局更正该年度的报告模板（PUT …/report-template），或恢复使用内置模板。"
    /// The resource is not what the client thought.
    PRECONDITION_FAILED = PRECONDITION_FAILED "precondition-failed"
        title "The resource has changed meanwhile" "资源已被更新，前提条件不成立"
        hint "Read it again, repeat the change on the new version, and send its ETag in If-Match."
            "请重新读取最新内容，在其基础上修改，并在If-Match中携带新的ETag。"
    /// The body is too large.
    TOO_LARGE = PAYLOAD_TOO_LARGE "body-too-large"
        title "The body is too large" "请求体过大"
        hint "Send less at a time, or have the limit raised (JIXIAO_BODY_LIMIT, for imports JIXIAO_IMPORT_LIMIT)."
            "请分次提交，或由管理员调高上限（JIXIAO_BODY_LIMIT；批量导入为JIXIAO_IMPORT_LIMIT）。"
    /// The body is in a format that is not read.
    UNSUPPORTED_MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE "unsupported-media-type"
        title "The content type is not supported" "不支持的内容类型"
        hint "Send a content type that the detail names, as it is or in gzip."
            "请按说明所列的Content-Type提交（不压缩或以gzip压缩）。"
    /// JSON, but not what is expected.
    VALIDATION_FAILED = UNPROCESSABLE_ENTITY "validation-failed"
        title "The content is not acceptable" "填报内容不符合要求"
        hint "Correct every place listed in `errors` and send it again."
            "请逐项更正errors中列出的问题后重新提交。"
    /// A parameter that can be understood, but to which there is no answer.
    UNFIT_PARAMETER = UNPROCESSABLE_ENTITY "unfit-parameter"
        title "A parameter does not apply here" "请求参数不适用"
        hint "Give what the message in `errors` names."
            "请按errors中的说明更正参数。"
    /// Nothing of a file was stored, since rows of it are at fault.
    IMPORT_REFUSED = UNPROCESSABLE_ENTITY "import-refused"
        title "Nothing of the file was stored" "文件未导入"
        hint "Correct the rows in `errors` and send the file again; with mode=each the other rows are stored."
            "请更正errors所列各行后重新导入；如需先导入无误的行，请使用mode=each。"
    /// The key of another request.
    IDEMPOTENCY_KEY_REUSED = UNPROCESSABLE_ENTITY "idempotency-key-reused"
        title "The key was used for another request" "幂等键已用于其他请求"
        hint "Send each request with an Idempotency-Key of its own, and the same request with the same one."
            "不同的请求应使用不同的Idempotency-Key；重新提交同一请求时，内容应与首次一致。"
    /// More requests than are let through.
    RATE_LIMITED = TOO_MANY_REQUESTS "rate-limited"
        title "There are too many requests" "请求过于频繁"
        hint "Wait for the time in the Retry-After header; RateLimit says in every answer how much is left."
            "请按响应头Retry-After所示时间稍后重试；每次响应的RateLimit均列明剩余次数。"
    /// Too many attempts with a wrong token.
    LOCKED_OUT = TOO_MANY_REQUESTS "locked-out"
        title "The address is locked out" "该地址已被锁定"
        hint "Put the token right, and try again after the time in the Retry-After header."
            "请更正令牌，并按响应头Retry-After所示时间稍后重试。"
    /// A fault of the server.
    INTERNAL = INTERNAL_SERVER_ERROR "internal-error"
        title "The server failed" "服务器内部错误"
        hint "Try again later; if it stays, give the administrator the request_id."
            "请稍后重试；如仍出现，请将request_id提供给系统管理员。"
    /// A write that could not be made durable.
    NOT_SAVED = SERVICE_UNAVAILABLE "not-saved"
        title "The change could not be saved" "数据未能保存"
        hint "Read the resource to see its state, then try again; if it stays, tell the administrator that the disk fails, or a quota is used up."
            "请重新读取该资源确认其状态后再提交；如仍失败，请系统管理员检查磁盘是否故障、配额是否用尽。"
    /// The disk could not be read or written, and not for want of space.
    STORAGE_FAILED = SERVICE_UNAVAILABLE "storage-failed"
        title "The disk reports an error" "磁盘读写出错"
        hint "Nothing was changed. Tell the administrator: the disk fails, or a quota is used up; the system's log says which."
            "数据未作改动。请联系系统管理员查看系统日志，检查磁盘是否故障、配额是否用尽。"
    /// The disk takes no more.
    STORAGE_FULL = INSUFFICIENT_STORAGE "storage-full"
        title "The disk takes no more" "磁盘无法写入"
        hint "Nothing was changed; reading goes on. Tell the administrator to make room, and try again after the time in the Retry-After header."
            "数据未作改动，仍可查询。请联系系统管理员清理磁盘空间，并按响应头Retry-After所示时间稍后重试。"
    /// It took too long.
    TOO_SLOW = SERVICE_UNAVAILABLE "took-too-long"
        title "The request took too long" "请求处理超时"
        hint "A change may have been made or not: read the resource, or send the request again with its Idempotency-Key or If-Match."
            "改动可能已生效，也可能未生效：请重新查询该资源，或携带原Idempotency-Key或If-Match再次提交。"
    /// Too much to do at this moment.
    BUSY = SERVICE_UNAVAILABLE "busy"
        title "The server is busy" "服务器繁忙"
        hint "Try again after the time in the Retry-After header."
            "请按响应头Retry-After所示时间稍后重试。"
    /// The database does not answer.
    UNAVAILABLE = SERVICE_UNAVAILABLE "database-unavailable"
        title "The database does not answer" "数据库暂不可用"
        hint "Try again in a moment; if it stays, give the administrator the request_id."
            "请稍后重试；如仍出现，请将request_id提供给系统管理员。"
    /// The key of a token is not known, and the identity provider does not answer or was asked a moment ago.
    PROVIDER_UNAVAILABLE = SERVICE_UNAVAILABLE "identity-provider-unavailable"
        title "The keys of the identity provider cannot be had now" "暂时无法获取统一身份认证平台的密钥"
        hint "Try again after the time in the Retry-After header, or use a token that the finance bureau made."
            "请按响应头Retry-After所示时间稍后重试，或改用财政局签发的令牌。"
}

/// The stable name of a kind of problem.
#[derive(Debug)]
pub struct Slug(String);

impl PathParam for Slug {
    const NAME: &'static str = "slug";

    fn parse(text: &str) -> Result<Self, Text> {
        Ok(Self(text.to_owned()))
    }
}

/// The kinds of problems
///
/// Every `type` that an error can have, with its status and how to put it right. Needs no token.
#[utoipa::path(
    get,
    path = "/problems",
    operation_id = "list_problem_kinds",
    tag = "service",
    security(()),
    responses((status = 200, description = "All kinds", body = [Kind]), OpenErrors),
)]
pub async fn list() -> HttpResponse {
    HttpResponse::Ok().json(CATALOGUE)
}

/// One kind of problem
///
/// What the `type` of an error points to. Needs no token.
#[utoipa::path(
    get,
    path = "/problems/{slug}",
    operation_id = "get_problem_kind",
    tag = "service",
    security(()),
    params(("slug" = String, Path, description = "The stable name of the kind", example = "validation-failed")),
    responses((status = 200, description = "The kind", body = Kind), CommonErrors),
)]
pub async fn one(Path(slug): Path<Slug>) -> Result<web::Json<&'static Kind>, Problem> {
    CATALOGUE
        .iter()
        .find(|kind| kind.slug == slug.0)
        .map(|kind| web::Json(*kind))
        .ok_or_else(|| {
            Problem::not_found(
                format!("没有名为“{}”的错误类型。", slug.0),
                format!("There is no kind of problem named {:?}.", slug.0),
            )
        })
}

/// Adds the routes of the catalogue.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/problems").get(list))
        .service(resource("/problems/{slug}").get(one));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_slug_of_its_own() {
        let mut slugs: Vec<_> = CATALOGUE.iter().map(|kind| kind.slug).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), CATALOGUE.len());
    }
}
