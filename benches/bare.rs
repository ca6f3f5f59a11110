//! The yardstick of `benches/http/run.sh`: an actix server whose handler answers a small constant JSON document, or at `/21000` as
//! many bytes, which tells what sending them costs.
//!
//! `cargo run --release --example bare -- 127.0.0.1:9000` serves until it is killed; without an address it ends at once.

use actix_web::web::{self, Bytes, Path};
use actix_web::{App, HttpResponse, HttpServer};

async fn constant() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(r#"{"code":"219001","name":"衡山县开云镇人民政府","kind":"town"}"#)
}

async fn of_length(length: Path<usize>) -> HttpResponse {
    static SPACES: [u8; 1 << 16] = [b' '; 1 << 16];
    let length = length.into_inner().min(SPACES.len());
    HttpResponse::Ok()
        .content_type("application/json")
        .body(Bytes::from_static(&SPACES[..length]))
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().find(|argument| argument.contains(':'));
    let Some(address) = address else {
        return Ok(());
    };
    let app = || {
        App::new()
            .route("/", web::get().to(constant))
            .route("/{length}", web::get().to(of_length))
    };
    HttpServer::new(app).workers(2).bind(address)?.run().await
}
