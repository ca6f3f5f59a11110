//! The service as its users meet it: over HTTP, on both databases, and as a process.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped here fails its test")]

mod access;
mod architecture;
mod audit;
mod cases;
mod changes;
mod checks;
mod citizen;
mod claims;
mod contradictions;
mod evaluations;
mod events;
mod exports;
mod fiscal_years;
mod http;
mod imports;
mod limits;
mod preview;
mod process;
mod rankings;
mod readme;
mod roll_over;
mod scheme_change;
mod schemes;
mod special_funds;
mod support;
mod tokens;
mod units;
mod what_if;
mod workflow;
mod writes;
mod years;
