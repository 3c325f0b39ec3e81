//! Change sets: `crm snapshot`, `audit`, `plan`, `opt-out`, `show`, `drop`, `approve`, `report`, `apply`, `status`, `undo`,
//! `results`, `verify`, `backup`, `names`. One file a command, `rows` and `summary` are for several of
//! them.

pub(super) mod apply;
pub(super) mod approve;
pub(super) mod audit;
pub(super) mod backup;
mod caution;
mod decided;
pub(super) mod drop;
pub(super) mod known;
mod line;
pub(super) mod names;
pub(super) mod opt_out;
pub(super) mod out;
pub(super) mod owner_names;
pub(super) mod plan;
pub(super) mod report;
pub(super) mod results;
mod review;
mod rows;
mod select;
pub(super) mod show;
pub(super) mod snapshot;
mod stale;
pub(super) mod status;
pub(super) mod summary;
mod template;
pub(super) mod undo;
pub(super) mod verify;
