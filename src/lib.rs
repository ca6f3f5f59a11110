//! Jixiao (绩效): the yearly performance self-evaluation of budget units, as a JSON API.

pub mod fault;
pub mod render;
pub mod scoring;
