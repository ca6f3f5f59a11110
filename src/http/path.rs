//! Parameters in the path.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::problem::{At, Problem};
use crate::codes::{Digest, FiscalYear, FundId, ImportId, Ordinal, TokenId, UnitCode, WebhookId};
use crate::fault::Text;
use crate::scoring::text::{Code, SchemeId};

/// What can stand in a path, under a name that is the same in all routes.
pub trait PathParam: Sized {
    /// The name between the braces of the route.
    const NAME: &'static str;

    /// Reads it, or says in both languages what is wrong with it.
    fn parse(text: &str) -> Result<Self, Text>;
}

macro_rules! path_params {
    ($($kind:ty: $name:literal,)*) => {$(
        impl PathParam for $kind {
            const NAME: &'static str = $name;

            fn parse(text: &str) -> Result<Self, Text> {
                Self::try_from(text.to_owned()).map_err(|message| Text::from_joined(&message))
            }
        }
    )*};
}

path_params! {
    UnitCode: "code",
    SchemeId: "id",
    FundId: "id",
    ImportId: "id",
    TokenId: "id",
    WebhookId: "id",
    Digest: "digest",
    Code: "check",
}

macro_rules! numbers {
    ($($kind:ty: $name:literal,)*) => {$(
        impl PathParam for $kind {
            const NAME: &'static str = $name;

            fn parse(text: &str) -> Result<Self, Text> {
                text.parse().map_err(|message: String| Text::from_joined(&message))
            }
        }
    )*};
}

numbers! {
    FiscalYear: "year",
    Ordinal: "number",
}

/// Extracts one path parameter or a tuple of them; those that are malformed are a 400 problem.
#[derive(Debug)]
pub struct Path<T>(pub T);

fn take<T: PathParam>(request: &HttpRequest, errors: &mut Vec<At>) -> Option<T> {
    let text = request.match_info().get(T::NAME).unwrap_or_default();
    T::parse(text)
        .map_err(|text| errors.push(At::parameter(T::NAME, "invalid_value", text)))
        .ok()
}

/// One path parameter or several.
pub trait PathParams: Sized {
    /// Reads them, or names every one that is malformed.
    fn from_path(request: &HttpRequest) -> Result<Self, Problem>;
}

impl<T: PathParam> PathParams for T {
    fn from_path(request: &HttpRequest) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        take(request, &mut errors).ok_or_else(|| Problem::invalid_parameters(errors))
    }
}

impl<A: PathParam, B: PathParam> PathParams for (A, B) {
    fn from_path(request: &HttpRequest) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        match (take(request, &mut errors), take(request, &mut errors)) {
            (Some(a), Some(b)) => Ok((a, b)),
            _ => Err(Problem::invalid_parameters(errors)),
        }
    }
}

impl<A: PathParam, B: PathParam, C: PathParam> PathParams for (A, B, C) {
    fn from_path(request: &HttpRequest) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        match (
            take(request, &mut errors),
            take(request, &mut errors),
            take(request, &mut errors),
        ) {
            (Some(a), Some(b), Some(c)) => Ok((a, b, c)),
            _ => Err(Problem::invalid_parameters(errors)),
        }
    }
}

impl<T: PathParams> FromRequest for Path<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(T::from_path(request).map(Self))
    }
}
