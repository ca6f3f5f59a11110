//! The OpenAPI document, and the pages that show it. They need no internet.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use utoipa_swagger_ui::Config;

use super::middleware::unknown_route;
use super::problem::Problem;
use super::resource::resource;

/// The OpenAPI document as it is sent.
#[derive(Debug, Clone)]
pub struct Document(pub Bytes);

/// Adds the routes of the documentation.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(resource("/openapi.json").get(document))
        .service(resource("/").get(to_the_pages))
        .service(resource("/docs").get(to_the_pages))
        .service(resource("/docs/{file:.*}").get(page));
}

async fn document(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(document.0.clone())
}

async fn to_the_pages() -> HttpResponse {
    HttpResponse::TemporaryRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

async fn page(file: web::Path<String>) -> Result<HttpResponse, Problem> {
    let config = Arc::new(Config::from("/openapi.json"));
    let found = utoipa_swagger_ui::serve(&file, config).map_err(|error| Problem::internal(error.to_string()))?;
    let file = found.ok_or_else(unknown_route)?;
    Ok(HttpResponse::Ok()
        .content_type(file.content_type)
        .body(file.bytes.into_owned()))
}
