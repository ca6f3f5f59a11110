//! JSON bodies: read straight into their type; when that fails, judged by the OpenAPI document, so that the client is
//! told of every fault at once.

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::{self, DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::contract::{Contract, escape};
use super::problem::Problem;
use super::{arrival, duplicates, kinds};
use crate::fault::{Fault, Text};
use crate::telemetry::timeline::{self, Stage};

/// The largest body that is read, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// The SHA-256 of a request's body as it was read, for who wants to know it.
#[derive(Debug, Default)]
pub struct BodyDigest(String);

impl BodyDigest {
    /// Has it made when the body is read. Extractors are all begun before a body is.
    pub fn want(request: &HttpRequest) {
        request.extensions_mut().insert(Self::default());
    }

    /// It, in hex; empty if no body was read.
    pub fn of(request: &HttpRequest) -> String {
        let extensions = request.extensions();
        extensions
            .get::<Self>()
            .map(|digest| digest.0.clone())
            .unwrap_or_default()
    }

    fn note(request: &HttpRequest, body: &[u8]) {
        if let Some(digest) = request.extensions_mut().get_mut::<Self>() {
            digest.0 = hex::encode(Sha256::digest(body));
        }
    }
}

/// A body of type `T` in JSON; boxed, since a sheet is some thousand bytes that would be moved at each step from here to
/// the database.
#[derive(Debug)]
pub struct Json<T>(pub Box<T>);

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let accepted = check_content(request, &["application/json"]);
        let body = read(request, payload);
        let contract = request.app_data::<Data<Contract>>().cloned();
        Box::pin(async move {
            accepted?;
            parse(&body.await?, contract.as_ref()).map(Json)
        })
    }
}

/// A body of type `T` in JSON, or none at all; `null` says as little as none.
#[derive(Debug)]
pub struct OptionalJson<T>(pub Option<T>);

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for OptionalJson<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let accepted = check_content(request, &["application/json"]);
        let body = read_any(request, payload);
        let contract = request.app_data::<Data<Contract>>().cloned();
        Box::pin(async move {
            let body = body.await?;
            if body.is_empty() {
                return Ok(Self(None));
            }
            accepted?;
            if body.trim_ascii() == b"null" {
                return Ok(Self(None));
            }
            parse(&body, contract.as_ref()).map(|body| Self(Some(*body)))
        })
    }
}

/// A change to a resource as a JSON Merge Patch (RFC 7396).
#[derive(Debug)]
pub struct MergePatch {
    patch: Value,
    limit: usize,
    contract: Option<Data<Contract>>,
}

impl FromRequest for MergePatch {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let accepted = check_content(request, &["application/merge-patch+json", "application/json"]);
        let body = read(request, payload);
        let limit = limit(request);
        let contract = request.app_data::<Data<Contract>>().cloned();
        Box::pin(async move {
            accepted?;
            let body = body.await?;
            let patch: Value = serde_json::from_slice(&body).map_err(|error| malformed(&error))?;
            let twice = duplicates::faults(&body);
            if !twice.is_empty() {
                return Err(Problem::invalid(twice));
            }
            if !patch.is_object() {
                return Err(Problem::invalid(vec![Fault::new(
                    "",
                    "wrong_type",
                    "合并补丁应为JSON对象。",
                    "a merge patch is a JSON object",
                )]));
            }
            Ok(Self { patch, limit, contract })
        })
    }
}

impl MergePatch {
    /// The document that results from `before`, read and judged like one that was PUT: it is no larger than one can be.
    ///
    /// # Errors
    /// 413 if it is too large; 422 with every fault of the result.
    pub fn apply<T: Serialize + DeserializeOwned + ToSchema>(&self, before: &T) -> Result<T, Problem> {
        let before = serde_json::to_value(before).map_err(|error| Problem::internal(error.to_string()))?;
        let mut document = before.clone();
        json_patch::merge(&mut document, &self.patch);
        let bytes = serde_json::to_vec(&document).map_err(|error| Problem::internal(error.to_string()))?;
        if bytes.len() > self.limit {
            return Err(Problem::new(
                &kinds::TOO_LARGE,
                format!("修改后的内容超过{}字节。", self.limit),
                format!("After the change it would be larger than {} bytes.", self.limit),
            ));
        }
        let mut faults = self.misnamed::<T>(&before);
        match judge(
            &bytes,
            &document,
            serde_json::from_slice(&bytes),
            self.contract.as_deref().map(AsRef::as_ref),
        ) {
            Ok(after) if faults.is_empty() => return Ok(after),
            Ok(_) => {}
            Err(more) => faults.extend(more),
        }
        faults.sort_by(|a, b| (&a.pointer, a.code).cmp(&(&b.pointer, b.code)));
        faults.dedup_by(|a, b| a.pointer == b.pointer && a.code == b.code);
        Err(Problem::invalid(faults))
    }

    /// Names in the patch that neither the schema nor the document has: to take them away by `null` leaves no trace in
    /// the result, but is a slip of the pen like any other unknown name.
    fn misnamed<T: ToSchema>(&self, before: &Value) -> Vec<Fault> {
        let faults = self
            .contract
            .as_ref()
            .map(|contract| contract.faults(&T::name(), &self.patch));
        faults
            .into_iter()
            .flatten()
            .filter(|fault| fault.code == "unknown_field" && before.pointer(&fault.pointer).is_none())
            .collect()
    }
}

/// The schema of a merge patch of `T`: each field may be left out, and `null` takes it away.
pub fn patch_schema<T: PartialSchema>() -> RefOr<Schema> {
    let RefOr::T(Schema::Object(mut object)) = T::schema() else {
        return T::schema();
    };
    object.required.clear();
    object.examples.clear();
    object.example = None;
    object.description =
        Some("A JSON Merge Patch (RFC 7396): what is left out stays, `null` takes a field away.".to_owned());
    for property in object.properties.values_mut() {
        // In a map too `null` takes an entry away, of whatever name.
        if let RefOr::T(Schema::Object(map)) = property
            && let Some(AdditionalProperties::RefOr(value)) = map.additional_properties.as_deref_mut()
        {
            *value = or_null(value.clone());
            map.property_names = None;
        }
        *property = or_null(property.clone());
    }
    Schema::Object(object).into()
}

fn or_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    AnyOfBuilder::new()
        .item(schema)
        .item(ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null)).build())
        .into()
}

/// Names the schema of a merge patch of a type, for the OpenAPI document.
#[macro_export]
macro_rules! patch_of {
    ($(#[$doc:meta])* $name:ident, $of:ty) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $crate::http::body::patch_schema::<$of>()
            }
        }

        impl utoipa::ToSchema for $name {
            fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
                <$of as utoipa::ToSchema>::schemas(schemas);
            }
        }
    };
}

/// Lets a body pass that is of an accepted type and, if it is compressed, in a way that is read here.
fn check_content(request: &HttpRequest, accepted: &[&str]) -> Result<(), Problem> {
    check_content_type(request, accepted)?;
    let Some(encoding) = request.headers().get(CONTENT_ENCODING) else {
        return Ok(());
    };
    let encoding = encoding.to_str().unwrap_or("?").trim();
    if ENCODINGS.iter().any(|known| encoding.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let given: String = encoding.chars().take(100).collect();
    Err(Problem::new(
        &kinds::UNSUPPORTED_MEDIA_TYPE,
        format!("不接受 Content-Encoding“{given}”，请求体可不压缩，或以gzip压缩。"),
        format!("Content-Encoding \"{given}\" is not read here; send the body as it is, or in gzip."),
    )
    .with_header(ACCEPT_ENCODING, "gzip"))
}

/// How a body may be encoded; what else there is would be taken for JSON as it stands.
const ENCODINGS: [&str; 2] = ["identity", "gzip"];

fn check_content_type(request: &HttpRequest, accepted: &[&str]) -> Result<(), Problem> {
    let given = request
        .headers()
        .get(CONTENT_TYPE)
        .map(|value| value.to_str().unwrap_or("?"));
    let essence = given
        .and_then(|given| given.split(';').next())
        .map(|essence| essence.trim().to_ascii_lowercase());
    if essence.as_deref().is_some_and(|essence| accepted.contains(&essence)) {
        return Ok(());
    }
    let accepted = accepted.join(", ");
    Err(match given {
        None => Problem::new(
            &kinds::UNSUPPORTED_MEDIA_TYPE,
            format!("缺少 Content-Type，应为 {accepted}。"),
            format!("Content-Type is missing; send {accepted}."),
        ),
        Some(given) => {
            let given: String = given.chars().take(100).collect();
            Problem::new(
                &kinds::UNSUPPORTED_MEDIA_TYPE,
                format!("不接受 Content-Type“{given}”，应为 {accepted}。"),
                format!("Content-Type \"{given}\" is not read here; send {accepted}."),
            )
        }
    })
}

fn limit(request: &HttpRequest) -> usize {
    request.app_data::<Data<BodyLimit>>().map_or(1 << 20, |limit| limit.0)
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A body, which must be there.
fn read(request: &HttpRequest, payload: &mut Payload) -> impl Future<Output = Result<Bytes, Problem>> + 'static {
    let body = read_any(request, payload);
    async move {
        let body = body.await?;
        if body.is_empty() {
            return Err(Problem::new(
                &kinds::MALFORMED_JSON,
                "请求体为空，应为JSON。",
                "The body is empty; send JSON.",
            ));
        }
        Ok(body)
    }
}

/// A body, perhaps an empty one.
fn read_any(request: &HttpRequest, payload: &mut Payload) -> impl Future<Output = Result<Bytes, Problem>> + 'static {
    let limit = limit(request);
    let body = Bytes::from_request(request, payload);
    let request = request.clone();
    async move {
        let receiving = timeline::lasting(Stage::Receive);
        let received = body.await;
        drop(receiving);
        let body = received.map_err(|error| match error.as_error::<PayloadError>() {
            Some(error) if arrival::is_late(error) => Problem::new(&kinds::REQUEST_TIMEOUT, "", ""),
            Some(PayloadError::Overflow) => Problem::new(
                &kinds::TOO_LARGE,
                format!("请求体超过{limit}字节。"),
                format!("The body is larger than {limit} bytes."),
            ),
            _ if error.as_response_error().status_code() == actix_web::http::StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(
                    &kinds::TOO_LARGE,
                    format!("请求体超过{limit}字节。"),
                    format!("The body is larger than {limit} bytes."),
                )
            }
            _ => Problem::new(
                &kinds::UNREADABLE_BODY,
                "请求体不完整，或其压缩编码无法读取。",
                "The body is incomplete, or its compression cannot be read.",
            ),
        })?;
        BodyDigest::note(&request, &body);
        // What Windows editors put before a text. RFC 8259 lets readers of JSON ignore it.
        Ok(match body.starts_with(BYTE_ORDER_MARK) {
            true => body.slice(BYTE_ORDER_MARK.len()..),
            false => body,
        })
    }
}

fn parse<T: DeserializeOwned + ToSchema>(bytes: &[u8], contract: Option<&Data<Contract>>) -> Result<Box<T>, Problem> {
    // Looked at as a whole, it is known to be text at once, and not anew for each of its texts.
    let read = match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(error) => Err(de::Error::custom(error)),
    };
    if read.is_ok() && contract.is_none_or(|contract| contract.arrays_are_lists(&T::name(), bytes)) {
        return read.map_err(|error| malformed(&error));
    }
    // What does not parse as JSON at all is a matter of syntax, not of its content.
    let document: Value = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    let read = read.map(|read: Box<T>| *read);
    judge(bytes, &document, read, contract.map(|contract| contract.as_ref()))
        .map(Box::new)
        .map_err(Problem::invalid)
}

/// What was read of a `document`, or every fault of it; `bytes` is what it was read from.
pub(crate) fn judge<T: DeserializeOwned + ToSchema>(
    bytes: &[u8],
    document: &Value,
    read: serde_json::Result<T>,
    contract: Option<&Contract>,
) -> Result<T, Vec<Fault>> {
    let mut faults = duplicates::faults(bytes);
    if faults.iter().any(duplicates::is_too_much) {
        return Err(faults);
    }
    faults.extend(
        contract
            .map(|contract| contract.faults(&T::name(), document))
            .unwrap_or_default(),
    );
    if !faults.is_empty() {
        return Err(faults);
    }
    let first = match read {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // The schema cannot say what is wrong. Read again, to learn where it is.
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let (pointer, error) = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => (String::new(), first),
        Err(error) => (error.path().iter().map(segment).collect(), error.into_inner()),
    };
    Err(vec![Fault {
        pointer,
        code: "invalid_value",
        text: Text::from_joined(&without_position(&error)),
    }])
}

fn segment(segment: &serde_path_to_error::Segment) -> String {
    match segment {
        serde_path_to_error::Segment::Seq { index } => format!("/{index}"),
        serde_path_to_error::Segment::Map { key } => format!("/{}", escape(key)),
        // A tagged variant is no step of its own in the document.
        serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => String::new(),
    }
}

/// serde_json ends its messages with " at line 1 column 20", which the pointer says better.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(end) if error.line() > 0 => message[..end].to_owned(),
        _ => message,
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let reason = without_position(error);
    Problem::new(
        &kinds::MALFORMED_JSON,
        format!("第{line}行第{column}列处JSON语法有误。"),
        format!("Line {line}, column {column}: {reason}."),
    )
}
