//! Whether the service lives, and whether it can work.

use actix_web::HttpResponse;
use actix_web::web::{Data, ServiceConfig};
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::Db;
use crate::db::schema::scoring_schemes;
use crate::http::problem::Problem;
use crate::http::resource::resource;
use crate::http::responses::{CommonErrors, OpenErrors};

/// Adds the routes.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/health/live").get(live))
        .service(resource("/health/ready").get(ready));
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    #[schema(value_type = String, example = "ok")]
    status: &'static str,
    /// The version of the program.
    #[schema(value_type = String, example = "0.1.0")]
    version: &'static str,
}

const OK: Health = Health {
    status: "ok",
    version: env!("CARGO_PKG_VERSION"),
};

/// Does the service live?
///
/// Answers as long as the process does. Needs no token.
#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "health_live",
    tag = "service",
    security(()),
    responses((status = 200, description = "It does", body = Health), OpenErrors),
)]
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(OK)
}

/// Can the service work?
///
/// Answers when the database does. Needs no token.
#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "health_ready",
    tag = "service",
    security(()),
    responses((status = 200, description = "It can", body = Health), CommonErrors),
)]
pub async fn ready(db: Data<Db>) -> Result<HttpResponse, Problem> {
    db.primary()
        .read(|conn| {
            scoring_schemes::table
                .select(scoring_schemes::id)
                .first::<String>(conn)
                .optional()
                .map_err(|error| Problem::unavailable(error.to_string()))
        })
        .await?;
    Ok(HttpResponse::Ok().json(OK))
}
