//! What every kind of record shares when it is changed: its members as texts, where two records
//! differ, which request makes a change, and whether an answer is what was asked. There is no I/O.

mod difference;
mod kinds;
mod plan;
mod preview;
mod record;

pub use self::{
    difference::Difference,
    kinds::AnyRecord,
    plan::RecordChange,
    preview::Preview,
    record::{Asks, Record},
};
