//! Requests that are done once, however often they are sent: `Idempotency-Key`
//! (draft-ietf-httpapi-idempotency-key-header), for each POST that changes something.

pub mod answer;
pub mod once;
mod store;
