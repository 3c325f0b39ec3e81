//! Change sets: plan, apply, resume and undo thousands of contact changes.

mod apply;
mod change;
mod clean_up;
mod clock;
mod database;
mod error;
mod input;
mod opt_out;
mod plan;
mod present;
mod report;
mod results;
mod set;
mod site;
mod snapshot;
mod target;
mod undo;
mod wanted;

pub use apply::{Apply, Event, Finished, OnDrift, StopReason};
pub use change::{
    Action, Change, ChangeId, Image, MemberChange, MethodImage, Outcome, State, UnknownState,
};
pub use clean_up::CleanUp;
pub use error::BulkError;
pub use input::{BadCell, Input, InputFormat, InvalidRows};
pub use opt_out::OptOut;
pub use plan::{Plan, PlanSummary};
pub use results::ResultRows;
pub use set::{ChangeSet, Selection, SetInfo, SetKind, Totals};
pub use site::Site;
pub use snapshot::{Coverage, Snapshot};
pub use target::{OwnerId, Target};
pub use undo::UndoSummary;
pub use wanted::Wanted;
