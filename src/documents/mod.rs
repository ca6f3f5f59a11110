//! The self-evaluation report (自评报告) as a document that people sign: its words, its template, and how it is set.

pub mod docx;
pub mod figures;
pub mod fonts;
pub mod handlers;
pub mod layout;
pub mod manuscript;
pub mod model;
pub mod narrative;
pub mod pdf;
pub mod store;
pub mod template;
