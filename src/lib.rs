//! Jixiao (绩效): the yearly performance self-evaluation of budget units, as a JSON API.
//!
//! The core, which knows neither HTTP nor a database: [`scoring`] and [`checks`] (and [`fault`], what is wrong with a
//! document).
//! A room per resource: [`units`], [`fiscal_years`], [`schemes`], [`evaluations`], [`special_funds`], [`tokens`]; [`rankings`]
//! and [`trends`] answer over many, [`reports`] put a unit's year together to be read and [`documents`] to be signed, [`events`] tell what has changed, [`webhooks`] send it on and [`audit`] tells by whom,
//! [`imports`] take many at once and [`exports`] give them; [`idempotency`] does once what is sent twice; [`identity`] knows
//! those who sign in elsewhere. For the operator: [`backup`] and [`integrity`].
//! What the rooms stand on: [`db`], [`http`], [`codes`], [`json`], [`render`]; [`telemetry`] tells how they are. [`app`] joins them; `main.rs` is the command line.

pub mod app;
pub mod audit;
pub mod backup;
pub mod checks;
pub mod codes;
pub mod config;
pub mod db;
pub mod demo;
pub mod documents;
pub mod evaluations;
pub mod events;
pub mod exports;
pub mod fault;
pub mod fiscal_years;
pub mod forms;
pub mod health;
pub mod http;
pub mod idempotency;
pub mod identity;
pub mod imports;
pub mod integrity;
pub mod json;
pub mod preview;
pub mod rankings;
pub mod render;
pub mod reports;
pub mod schemes;
pub mod scoring;
pub mod settings;
pub mod special_funds;
pub mod table_preview;
pub mod telemetry;
pub mod tokens;
pub mod trends;
pub mod units;
pub mod webhooks;
