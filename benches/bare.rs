//! The yardstick of `benches/http/run.sh`: an actix server whose one handler answers a small constant JSON document.
//!
//! `cargo run --release --example bare -- 127.0.0.1:9000` serves until it is killed; without an address it ends at once.

use actix_web::{App, HttpResponse, HttpServer, web};

async fn constant() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(r#"{"code":"219001","name":"衡山县开云镇人民政府","kind":"town"}"#)
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().find(|argument| argument.contains(':'));
    let Some(address) = address else {
        return Ok(());
    };
    HttpServer::new(|| App::new().route("/", web::get().to(constant)))
        .workers(2)
        .bind(address)?
        .run()
        .await
}
