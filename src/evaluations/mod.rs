//! A unit's year (部门整体支出绩效自评): what is filed and the score that follows; what is submitted, frozen and reviewed.

pub mod cache;
pub mod checks;
pub mod filing;
pub mod handlers;
pub mod history;
pub mod locks;
pub mod model;
pub mod part_handlers;
pub mod parts;
pub mod review;
pub mod scheme_change;
pub mod scores;
pub mod standings;
pub mod store;
pub mod submission_store;
pub mod submissions;
pub mod transitions;
pub mod what_if;
pub mod workflow;
pub mod yearly;
