//! Lists in pages: `?limit=&cursor=&order=`; the answer has `next_cursor` and a `Link` to the next page.
//!
//! A list is ordered by the key that its items are addressed by, and a cursor is the key of the last item of the page
//! before. So a page is one step into an index, a cursor needs no state, and an item that is added or deleted meanwhile
//! makes no other one appear twice or be left out.

use std::fmt;

use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{Number, PartialSchema, ToSchema};

use crate::fault::LANGUAGES;

/// How many items a page has at most: 1 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u8);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl Limit {
    /// The number.
    pub fn get(self) -> i64 {
        i64::from(self.0)
    }

    /// What to ask the database for: one more than the page holds tells whether there is a next one.
    pub fn and_one(self) -> i64 {
        i64::from(self.0) + 1
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse() {
            Ok(limit @ 1..=200) if text.bytes().all(|b| b.is_ascii_digit()) => Ok(Self(limit)),
            _ => Err(de::Error::custom(format!(
                "每页条数应为1至200的整数。{LANGUAGES}limit is a whole number from 1 to 200"
            ))),
        }
    }
}

impl PartialSchema for Limit {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Integer))
            .minimum(Some(Number::Int(1)))
            .maximum(Some(Number::Int(200)))
            .default(Some(50.into()))
            .into()
    }
}

impl ToSchema for Limit {}

/// Which way a list goes along its key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// From the least key.
    #[default]
    Asc,
    /// From the greatest key.
    Desc,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// What to send as `cursor` for the next page; `null` on the last.
    #[schema(example = json!(null))]
    pub next_cursor: Option<String>,
}

impl<T: Serialize> Page<T> {
    /// Makes a page of rows of which [`Limit::and_one`] were asked for; `key` is what the list is ordered by.
    pub fn new<R>(
        mut rows: Vec<R>,
        limit: Limit,
        key: impl Fn(&R) -> &dyn fmt::Display,
        show: impl Fn(R) -> T,
    ) -> Self {
        let size = usize::from(limit.0);
        let more = rows.len() > size;
        rows.truncate(size);
        let next_cursor = rows.last().filter(|_| more).map(|last| key(last).to_string());
        Self {
            items: rows.into_iter().map(show).collect(),
            next_cursor,
        }
    }

    /// The page as an answer, with a `Link` to the next.
    pub fn respond(self, request: &HttpRequest) -> HttpResponse {
        self.begin(request).json(self)
    }

    /// Begins an answer that holds the page, with a `Link` to the next.
    pub fn begin(&self, request: &HttpRequest) -> HttpResponseBuilder {
        let mut response = HttpResponse::Ok();
        if let Some(next) = self.next(request) {
            response.insert_header((LINK, next));
        }
        response
    }

    /// The value of the `Link` to the next page, if there is one.
    pub fn next(&self, request: &HttpRequest) -> Option<String> {
        let cursor = self.next_cursor.as_ref()?;
        Some(next_link(request, "cursor", cursor))
    }
}

/// The value of a `Link` to the next page: this request with another value for the parameter that says where to go on.
pub fn next_link(request: &HttpRequest, parameter: &str, value: impl fmt::Display) -> String {
    format!(
        "<{}{}>; rel=\"next\"",
        request.path(),
        query_with(request, parameter, value)
    )
}

/// The query of this request with another value for a parameter, as a relative address.
pub fn query_with(request: &HttpRequest, parameter: &str, value: impl fmt::Display) -> String {
    let named = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| name == parameter);
    let others = request
        .query_string()
        .split('&')
        .filter(|pair| !pair.is_empty() && !named(pair));
    let query: Vec<String> = others
        .map(str::to_owned)
        .chain([format!("{parameter}={value}")])
        .collect();
    format!("?{}", query.join("&"))
}

/// Puts a boxed query in order and on its page: only keys after `cursor`, and one more than the page holds.
#[macro_export]
macro_rules! paged {
    ($query:expr, $key:expr, $order:expr, $cursor:expr, $limit:expr) => {{
        let mut query = $query.limit($limit.and_one());
        query = match ($order, $cursor) {
            ($crate::http::page::Order::Asc, Some(after)) => query.filter($key.gt(after)),
            ($crate::http::page::Order::Desc, Some(after)) => query.filter($key.lt(after)),
            (_, None) => query,
        };
        match $order {
            $crate::http::page::Order::Asc => query.order($key.asc()),
            $crate::http::page::Order::Desc => query.order($key.desc()),
        }
    }};
}
