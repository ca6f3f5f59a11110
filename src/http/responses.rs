//! What any operation can answer besides success, for the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use super::problem::Body;

/// The schema of a problem, under the name `Problem`.
pub struct ProblemSchema;

impl PartialSchema for ProblemSchema {
    fn schema() -> RefOr<utoipa::openapi::schema::Schema> {
        Ref::from_schema_name(<Body<'_> as ToSchema>::name()).into()
    }
}

fn problem(description: &str) -> RefOr<Response> {
    ResponseBuilder::new()
        .description(description)
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(ProblemSchema::schema())).build(),
        )
        .build()
        .into()
}

macro_rules! responses {
    ($($(#[$doc:meta])* $name:ident { $($status:literal $description:literal),* $(,)? })*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                [$(($status.to_owned(), problem($description))),*].into()
            }
        }
    )*};
}

responses! {
    /// What any operation can answer.
    CommonErrors {
        "400" "A parameter cannot be understood; `errors` names each",
        "401" "No token, or one that is not known or no more valid",
        "403" "The token may not do this",
        "404" "It does not exist",
        "406" "No representation of the answer is acceptable to the client",
        "429" "Too many requests, or too many attempts with a wrong token; try again after `Retry-After`",
        "500" "The server failed; nothing was changed",
        "507" "The disk takes no more; nothing was changed, try again after `Retry-After`",
        "503" "Too busy, took too long, or the database, its disk or the identity provider fails; try again after `Retry-After`",
    }
    /// What an operation can answer that needs no token, no parameter and no database.
    OpenErrors {
        "406" "No representation of the answer is acceptable to the client",
        "429" "Too many requests; try again after `Retry-After`",
        "503" "Too busy; try again after `Retry-After`",
    }
    /// What an operation with a body can answer besides.
    BodyErrors {
        "408" "The body did not arrive in time",
        "413" "The body is larger than the limit",
        "415" "The body is not JSON by its Content-Type",
        "422" "The content has faults; `errors` names every one with its JSON Pointer",
    }
    /// What an import can answer besides.
    ImportErrors {
        "408" "The file did not arrive in time",
        "409" "The import is going on, or there is another one of this id",
        "413" "The file is larger than the limit",
        "415" "The file is not NDJSON, CSV or XLSX by its Content-Type",
        "422" "Nothing was stored: `errors` names the first faults with row, column, value, fault and remedy",
    }
    /// What an operation can answer besides, of which a parameter may be well written and yet ask for what cannot be.
    UnfitParameter {
        "422" "A parameter does not fit the data, such as a template, by which nothing can be scored; `errors` names it",
    }
    /// What an operation can answer besides that writes by a county's template.
    TemplateErrors {
        "409" "The report cannot be written by the template of its year",
    }
    /// What an operation that changes something can answer besides.
    ChangeErrors {
        "409" "It contradicts the state of the data: taken, referred to, in use, closed",
        "412" "It is not in the version that `If-Match` names",
    }
}
