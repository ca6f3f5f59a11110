//! Scoring schemes (评分标准): those that come with the program, and a county's own.

pub mod handlers;
pub mod library;
pub mod model;
pub mod store;
