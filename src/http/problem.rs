//! The one error type: an RFC 9457 problem, in both languages.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use diesel::result::{DatabaseErrorKind, Error};
use serde::Serialize;
use utoipa::ToSchema;

use super::contract::MORE_FAULTS;
use super::kinds::{self, Kind};
use super::language::Language;
use super::middleware::{current_language, current_request, current_trace_id, without_token};
use crate::codes::{FiscalYear, UnitCode};
use crate::db::trouble::{self, Trouble};
use crate::fault::{Fault, Text};
use crate::scoring::text::SchemeId;

/// Why a request failed. Handlers return it with `?`; the client sees `application/problem+json`.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: &'static Kind,
    detail: Text,
    errors: Vec<At>,
    standing: Option<Standing>,
    headers: Vec<(header::HeaderName, String)>,
    cause: Cause,
}

/// The internal reason: logged with the request id, never sent.
#[derive(Debug)]
enum Cause {
    None,
    Message(String),
    Database(Error),
}

/// Where something stands in its life, for a client that wanted what cannot be done there.
#[derive(Debug)]
struct Standing {
    state: &'static str,
    allowed: Vec<&'static str>,
}

/// One thing at fault, and where in the request it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProblemError)]
pub struct At {
    /// JSON Pointer to the value at fault in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/name")]
    pub pointer: Option<String>,
    /// The query or path parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// The header at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// What a reason for it is filed under, where it is a finding of a cross-check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The row at fault, where a file of many was sent: the line, or the row as spreadsheets number it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub row: Option<u64>,
    /// The column at fault in that row, as the file names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub column: Option<String>,
    /// What stands there, shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub value: Option<String>,
    /// A stable word for programs.
    #[schema(value_type = String, example = "missing_field")]
    pub code: Cow<'static, str>,
    /// What is wrong, in the language that `Accept-Language` prefers; in English where it says nothing.
    pub detail: String,
    /// What is wrong, in Chinese.
    pub detail_zh: String,
    /// What is wrong, in English, where `detail` is in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail_en: Option<String>,
    /// What to do about it, in the language of `detail`, where a file of many was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub hint: Option<String>,
    /// What to do about it, in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub hint_zh: Option<String>,
    /// What to do about it, in English, where `hint` is in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub hint_en: Option<String>,
}

impl At {
    /// A fault that is nowhere in the request.
    pub fn new(code: impl Into<Cow<'static, str>>, text: Text) -> Self {
        Self {
            pointer: None,
            parameter: None,
            header: None,
            key: None,
            row: None,
            column: None,
            value: None,
            code: code.into(),
            detail: text.en.into_owned(),
            detail_zh: text.zh.into_owned(),
            detail_en: None,
            hint: None,
            hint_zh: None,
            hint_en: None,
        }
    }

    /// A fault in a row of a file: its column and value, its place and code, what is wrong and what to do about it.
    pub fn in_row(
        row: u64,
        (column, value): (String, Option<String>),
        (pointer, code): (String, String),
        text: Text,
        remedy: Text,
    ) -> Self {
        Self {
            pointer: Some(pointer),
            row: Some(row),
            column: Some(column).filter(|column| !column.is_empty()),
            value,
            hint: Some(remedy.en.into_owned()),
            hint_zh: Some(remedy.zh.into_owned()),
            ..Self::new(code, text)
        }
    }

    /// A fault of the value at `pointer` in the body.
    pub fn body(pointer: impl Into<String>, code: &'static str, text: Text) -> Self {
        Self {
            pointer: Some(pointer.into()),
            ..Self::new(code, text)
        }
    }

    /// A fault of the query or path parameter `name`.
    pub fn parameter(name: impl Into<String>, code: &'static str, text: Text) -> Self {
        Self {
            parameter: Some(name.into()),
            ..Self::new(code, text)
        }
    }

    /// A fault of the header `name`.
    pub fn header(name: impl Into<String>, code: &'static str, text: Text) -> Self {
        Self {
            header: Some(name.into()),
            ..Self::new(code, text)
        }
    }
}

impl At {
    /// The same, as a finding that a reason can be filed for under `key`.
    #[must_use]
    pub fn keyed(self, key: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            ..self
        }
    }

    /// The same, told in Chinese first.
    fn in_chinese(&self) -> Self {
        Self {
            detail: self.detail_zh.clone(),
            detail_en: Some(self.detail.clone()),
            hint: self.hint_zh.clone(),
            hint_en: self.hint.clone(),
            ..self.clone()
        }
    }
}

impl From<Fault> for At {
    fn from(fault: Fault) -> Self {
        Self {
            pointer: Some(fault.pointer),
            ..Self::new(fault.code, fault.text)
        }
    }
}

/// A problem as it is sent (RFC 9457). Members without a value are left out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Body<'a> {
    /// Which kind of problem: a relative address that answers with an explanation.
    #[serde(rename = "type")]
    #[schema(example = "/problems/validation-failed")]
    kind: String,
    /// The kind in words, in the language that `Accept-Language` prefers; in English where it says nothing.
    title: &'a str,
    /// The kind in words, in Chinese.
    title_zh: &'a str,
    /// The kind in words, in English, where `title` is in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    title_en: Option<&'a str>,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// What is wrong this time, in the language of `title`.
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    /// What is wrong this time, in Chinese.
    #[serde(skip_serializing_if = "str::is_empty")]
    detail_zh: &'a str,
    /// What is wrong this time, in English, where `detail` is in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    detail_en: Option<&'a str>,
    /// How to put it right, in the language of `title`.
    hint: &'a str,
    /// How to put it right, in Chinese.
    hint_zh: &'a str,
    /// How to put it right, in English, where `hint` is in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    hint_en: Option<&'a str>,
    /// The path that was requested.
    #[serde(skip_serializing_if = "String::is_empty")]
    instance: String,
    /// The id of the request, the same as in `X-Request-Id` and in the server's log.
    #[serde(skip_serializing_if = "String::is_empty")]
    request_id: String,
    /// The state that does not allow it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    state: Option<&'a str>,
    /// What can be done in that state by this token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    allowed: Option<&'a [&'static str]>,
    /// Every single thing at fault, and where it is.
    #[serde(skip_serializing_if = "<[At]>::is_empty")]
    errors: &'a [At],
}

impl Problem {
    /// A problem of `kind`, with what is wrong this time.
    pub fn new(kind: &'static Kind, zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: Text::new(zh, en),
            errors: Vec::new(),
            standing: None,
            headers: Vec::new(),
            cause: Cause::None,
        }))
    }

    /// 422: the content has these faults.
    pub fn invalid(faults: Vec<impl Into<At>>) -> Self {
        let errors: Vec<At> = faults.into_iter().map(Into::into).collect();
        let (count, more) = match errors.iter().any(|error| error.code == MORE_FAULTS) {
            true => (errors.len() - 1, true),
            false => (errors.len(), false),
        };
        Self::new(
            &kinds::VALIDATION_FAILED,
            match more {
                true => format!("发现的问题超过{count}处。"),
                false => format!("共发现{count}处问题。"),
            },
            match (count, more) {
                (_, true) => format!("There are more than {count} faults."),
                (1, false) => "There is 1 fault.".to_owned(),
                _ => format!("There are {count} faults."),
            },
        )
        .with_errors(errors)
    }

    /// 400: these parameters or headers are at fault.
    pub fn invalid_parameters(errors: Vec<At>) -> Self {
        let count = errors.len();
        Self::new(
            &kinds::INVALID_PARAMETER,
            format!("共有{count}个参数有误。"),
            match count {
                1 => "1 parameter is at fault.".to_owned(),
                _ => format!("{count} parameters are at fault."),
            },
        )
        .with_errors(errors)
    }

    /// 422: these parameters can be understood, but there is no answer to them.
    pub fn unfit_parameters(errors: Vec<At>) -> Self {
        Self::new(
            &kinds::UNFIT_PARAMETER,
            "请求参数格式正确，但无法据此作答。",
            "The parameters are well written, but there is no answer to them.",
        )
        .with_errors(errors)
    }

    /// 400: the query parameter `name` is needed.
    pub fn missing_parameter(name: &'static str) -> Self {
        Self::invalid_parameters(vec![At::parameter(
            name,
            "missing_parameter",
            Text::new(
                format!("缺少参数“{name}”。"),
                format!("the parameter \"{name}\" is missing"),
            ),
        )])
    }

    /// 404: the address is right, the resource does not exist.
    pub fn not_found(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&kinds::NOT_FOUND, zh, en)
    }

    /// 409: something with the same key exists.
    pub fn already_exists(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&kinds::ALREADY_EXISTS, zh, en)
    }

    /// 404: no unit has this code.
    pub fn no_unit(code: &UnitCode) -> Self {
        Self::not_found(format!("单位{code}不存在。"), format!("There is no unit {code}."))
    }

    /// 404: the fiscal year is not set up.
    pub fn no_year(year: FiscalYear) -> Self {
        Self::not_found(
            format!("{year}年度尚未设置。"),
            format!("Fiscal year {year} is not set up."),
        )
    }

    /// 404: no scheme has this id.
    pub fn no_scheme(id: &SchemeId) -> Self {
        Self::not_found(
            format!("评分标准{id}不存在。"),
            format!("There is no scoring scheme {id}."),
        )
    }

    /// Lets a deletion pass if nothing refers to the resource. Of each kind of row: its code, how many there are, and
    /// what they are called in Chinese (with the measure word) and in English.
    ///
    /// # Errors
    /// 409 with each kind that refers to it.
    pub fn if_referenced(by: &[(&'static str, i64, &str, &str)]) -> Result<(), Self> {
        let errors: Vec<At> = by
            .iter()
            .filter(|(_, count, ..)| *count > 0)
            .map(|(code, count, zh, en)| At::new(*code, Text::new(format!("{count}{zh}"), format!("{count} {en}"))))
            .collect();
        if errors.is_empty() {
            return Ok(());
        }
        let zh: Vec<_> = errors.iter().map(|error| error.detail_zh.as_str()).collect();
        let en: Vec<_> = errors.iter().map(|error| error.detail.as_str()).collect();
        Err(Self::referenced(
            format!("仍被{}引用。", zh.join("、")),
            format!("It is referred to by {}.", en.join(", ")),
        )
        .with_errors(errors))
    }

    /// 409: what others refer to is not deleted.
    pub fn referenced(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&kinds::REFERENCED, zh, en)
    }

    /// 409: it never changes.
    pub fn read_only(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&kinds::READ_ONLY, zh, en)
    }

    /// 409: the import is going on.
    pub fn import_running(id: &str) -> Self {
        Self::new(
            &kinds::IMPORT_RUNNING,
            format!("批量导入{id}正在进行。"),
            format!("Import {id} is going on."),
        )
        .with_header(header::RETRY_AFTER, "1")
    }

    /// 409: the fiscal year is closed.
    pub fn closed(year: impl fmt::Display) -> Self {
        Self::new(
            &kinds::CLOSED,
            format!("{year}年度填报已关闭。"),
            format!("Fiscal year {year} is closed."),
        )
    }

    /// 409: the unit does not file for the year, and why.
    pub fn unit_not_valid(refusal: Text) -> Self {
        let at = At::parameter("year", "outside_validity", refusal.clone());
        Self::new(&kinds::UNIT_NOT_VALID, refusal.zh, refusal.en).with_errors([at])
    }

    /// 412: the resource is not what the client thought.
    pub fn precondition_failed(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&kinds::PRECONDITION_FAILED, zh, en)
    }

    /// 401: no token, or one that is not known.
    pub fn unauthorized(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&kinds::UNAUTHORIZED, zh, en).with_header(header::WWW_AUTHENTICATE, "Bearer realm=\"jixiao\"")
    }

    /// 403: the token may not do this.
    pub fn forbidden(zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&kinds::FORBIDDEN, zh, en)
    }

    /// 405: the address takes only the methods in `allow`.
    pub fn method_not_allowed(method: &Method, allow: &str) -> Self {
        Self::new(
            &kinds::METHOD_NOT_ALLOWED,
            format!("该地址不支持{method}，可用方法：{allow}。"),
            format!("{method} is not allowed here; {allow} are."),
        )
        .with_header(header::ALLOW, allow)
    }

    /// 503: too much to do; try again in a second.
    pub fn busy() -> Self {
        Self::new(
            &kinds::BUSY,
            "当前请求过多，本次请求未处理。",
            "There is too much to do at the moment; nothing was done.",
        )
        .with_header(header::RETRY_AFTER, "1")
    }

    /// 503: the database does not answer. `cause` is logged, not sent.
    pub fn unavailable(cause: impl Into<String>) -> Self {
        Self::new(&kinds::UNAVAILABLE, "", "")
            .with_header(header::RETRY_AFTER, "5")
            .with_cause(Cause::Message(cause.into()))
    }

    /// 503: the connection to the database was lost while a change was committed. `cause` is logged, not sent.
    pub fn in_doubt(cause: impl Into<String>) -> Self {
        Self::new(
            &kinds::UNAVAILABLE,
            "保存时与数据库的连接中断，本次修改是否已保存尚不能确定。请重新读取后再提交；带幂等键的请求可原样重发。",
            "The connection to the database was lost while the change was saved, and it is not known whether it is. Read again before \
             you repeat it; a request with an Idempotency-Key can be sent again as it is.",
        )
        .with_header(header::RETRY_AFTER, "5")
        .with_cause(Cause::Message(cause.into()))
    }

    /// 503: it was not done in its time, and may be done yet.
    pub fn too_slow() -> Self {
        Self::new(&kinds::TOO_SLOW, "", "").with_header(header::RETRY_AFTER, "5")
    }

    /// 507: the disk takes no more. `cause` is logged, not sent.
    pub fn storage_full(cause: impl Into<String>) -> Self {
        Self::new(&kinds::STORAGE_FULL, "", "")
            .with_header(header::RETRY_AFTER, "30")
            .with_cause(Cause::Message(cause.into()))
    }

    /// 503: the disk fails, and nothing was changed. `cause` is logged, not sent.
    pub fn storage_failed(cause: impl Into<String>) -> Self {
        Self::new(&kinds::STORAGE_FAILED, "", "")
            .with_header(header::RETRY_AFTER, "30")
            .with_cause(Cause::Message(cause.into()))
    }

    /// What a file that cannot be worked on means: 507 if there is no room for it, else 500.
    pub fn of_file(what: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let cause = format!("{what}: {error}");
        match error.kind() {
            StorageFull | FileTooLarge | QuotaExceeded => Self::storage_full(cause),
            _ => Self::internal(cause),
        }
    }

    /// 503: the key of a token is not known, and the identity provider does not answer or was asked a moment ago. Why is in the log.
    pub fn provider_unavailable(again_in: Duration) -> Self {
        Self::new(&kinds::PROVIDER_UNAVAILABLE, "", "")
            .with_header(header::RETRY_AFTER, again_in.as_secs().max(1).to_string())
    }

    /// 503: it is not known whether a write was made durable. `cause` is logged, not sent.
    pub fn not_saved(cause: impl Into<String>) -> Self {
        Self::new(&kinds::NOT_SAVED, "", "")
            .with_header(header::RETRY_AFTER, "30")
            .with_cause(Cause::Message(cause.into()))
    }

    /// 500: a fault of the server. `cause` is logged, not sent.
    pub fn internal(cause: impl Into<String>) -> Self {
        Self::new(&kinds::INTERNAL, "", "").with_cause(Cause::Message(cause.into()))
    }

    /// The same problem, naming these places too.
    #[must_use]
    pub fn with_errors(mut self, errors: impl IntoIterator<Item = At>) -> Self {
        self.0.errors.extend(errors);
        self
    }

    /// The same problem, saying in which state it is and what can be done there.
    #[must_use]
    pub fn in_state(mut self, state: &'static str, allowed: Vec<&'static str>) -> Self {
        self.0.standing = Some(Standing { state, allowed });
        self
    }

    /// The same problem, sent with this header.
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    fn with_cause(mut self, cause: Cause) -> Self {
        self.0.cause = cause;
        self
    }

    /// Whether it comes from what was asked, and not from the server or the database.
    pub fn is_of_the_request(&self) -> bool {
        !self.0.kind.status.is_server_error() && self.cause().is_none()
    }

    /// The places at fault, for who had this problem with one row of many: each that it names, or the problem itself.
    pub fn into_faults(self) -> Vec<Fault> {
        let Inner {
            kind, detail, errors, ..
        } = *self.0;
        if errors.is_empty() {
            return vec![Fault {
                pointer: String::new(),
                code: kind.slug,
                text: detail,
            }];
        }
        let fault = |error: At| Fault {
            pointer: error
                .pointer
                .or(error.parameter.map(|name| format!("/{name}")))
                .unwrap_or_default(),
            code: match error.code {
                Cow::Borrowed(code) => code,
                // Only rows of files have codes that are not the program's own.
                Cow::Owned(_) => kind.slug,
            },
            text: Text::new(error.detail_zh, error.detail),
        };
        errors.into_iter().map(fault).collect()
    }

    /// Which kind of problem it is.
    pub fn kind(&self) -> &'static Kind {
        self.0.kind
    }

    /// What is wrong, thing by thing, for the command line.
    pub fn in_english(&self) -> String {
        let details: Vec<_> = self.0.errors.iter().map(|error| error.detail.as_str()).collect();
        match details.is_empty() {
            true => self.to_string(),
            false => details.join("; "),
        }
    }

    /// What the database said, where the problem comes from there.
    pub fn cause(&self) -> Option<&Error> {
        match &self.0.cause {
            Cause::Database(error) => Some(error),
            _ => None,
        }
    }
}

/// What the database says, as a client may see it: the two engines word it differently, and SQLite
/// does not name the constraint, so a store that knows better says so before it comes to this.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let problem = match &error {
            Error::NotFound => Self::new(&kinds::NOT_FOUND, "", ""),
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::already_exists(
                "编码、名称或统一社会信用代码与已有记录重复。",
                "A code or name that must be unique is taken by another record.",
            ),
            Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => Self::referenced(
                "所涉及的数据正被其他记录引用，或其引用的记录已不存在。",
                "Other records refer to it, or what it refers to is gone.",
            ),
            Error::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::busy(),
            Error::DatabaseError(_, information) if information.message().contains("database is locked") => {
                Self::busy()
            }
            error => match trouble::of(error) {
                Some(Trouble::Full) => Self::storage_full(""),
                Some(Trouble::Disk) => Self::storage_failed(""),
                Some(Trouble::Gone) => Self::unavailable(""),
                None => Self::new(&kinds::INTERNAL, "", ""),
            },
        };
        problem.with_cause(Cause::Database(error))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.kind.title)?;
        if !self.0.detail.en.is_empty() {
            write!(f, ": {}", self.0.detail.en)?;
        }
        match &self.0.cause {
            Cause::None => Ok(()),
            Cause::Message(message) => write!(f, " ({message})"),
            Cause::Database(error) => write!(f, " ({error})"),
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.kind.status
    }

    fn error_response(&self) -> HttpResponse {
        let (id, path) = current_request();
        let Inner {
            kind,
            detail,
            errors,
            standing,
            headers,
            ..
        } = &*self.0;
        let trace_id = || current_trace_id();
        match kind.status {
            StatusCode::INTERNAL_SERVER_ERROR => {
                tracing::error!(
                    request_id = id,
                    trace_id = trace_id(),
                    path = &*without_token(&path),
                    problem = %self,
                    "request failed"
                );
            }
            // A line for each would be work of its own where there is too much of it; the access log has them.
            _ if std::ptr::eq(*kind, &kinds::BUSY) => {}
            status if status.is_server_error() => {
                tracing::warn!(
                    request_id = id,
                    trace_id = trace_id(),
                    path = &*without_token(&path),
                    problem = %self,
                    "request failed"
                );
            }
            _ => {}
        }
        let mut response = HttpResponse::build(kind.status);
        for header in headers {
            response.insert_header((header.0.clone(), header.1.as_str()));
        }
        let language = current_language();
        response
            .insert_header((header::CONTENT_TYPE, "application/problem+json"))
            .insert_header((header::CONTENT_LANGUAGE, language.tag()))
            .append_header((header::VARY, "accept-language"));
        let english = Body {
            kind: format!("/problems/{}", kind.slug),
            title: kind.title,
            title_zh: kind.title_zh,
            title_en: None,
            status: kind.status.as_u16(),
            detail: &detail.en,
            detail_zh: &detail.zh,
            detail_en: None,
            hint: kind.hint,
            hint_zh: kind.hint_zh,
            hint_en: None,
            instance: path,
            request_id: id,
            state: standing.as_ref().map(|standing| standing.state),
            allowed: standing.as_ref().map(|standing| standing.allowed.as_slice()),
            errors,
        };
        match language {
            Language::English => response.json(english),
            Language::Chinese => response.json(Body {
                title: kind.title_zh,
                title_en: Some(kind.title),
                detail: &detail.zh,
                detail_en: Some(&*detail.en).filter(|detail| !detail.is_empty()),
                hint: kind.hint_zh,
                hint_en: Some(kind.hint),
                errors: &errors.iter().map(At::in_chinese).collect::<Vec<_>>(),
                ..english
            }),
        }
    }
}
