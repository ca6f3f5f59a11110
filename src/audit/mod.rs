//! The audit trail (审计轨迹): who changed what, when, from where, by which request, with what was there before and after; and
//! whether anyone has tampered with it.

pub mod handlers;
pub mod model;
pub mod store;
pub mod verify;
