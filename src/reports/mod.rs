//! What is read and signed of a unit's year: all that is known of it at one address, in the form that the client asks for.

pub mod county;
mod county_page;
pub mod format;
pub mod handlers;
pub mod model;
mod page;
mod unit_page;
