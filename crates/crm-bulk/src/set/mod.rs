//! What a change set says, whatever it is kept in: its changes, their records and their fate.

mod action;
mod carrier;
pub(crate) mod caution;
mod change;
mod decision;
mod digest;
mod digest_text;
mod image;
mod info;
mod named;
mod named_owner;
mod outcome;
mod reverse_set;
mod stand_in;
mod state;
mod target;
mod wanted;

pub use self::{
    action::Action,
    carrier::Carrier,
    change::{Change, ChangeId, Stored},
    decision::{Decision, DecisionKind, Remark},
    digest::{Digest, ExpectedDigest, InvalidDigest},
    image::{Image, MethodImage, speaks_of_marketing},
    info::{ListTotals, Moved, SetInfo, SetKind, Totals},
    named::Named,
    named_owner::NamedOwner,
    outcome::Outcome,
    reverse_set::ReverseSet,
    stand_in::StandIn,
    state::{State, UnknownState},
    target::Target,
    wanted::Wanted,
};
pub(crate) use self::{
    decision::Who,
    digest::{SetDigest, of_change},
    outcome::NO_SUCH_VALUE,
    stand_in::{Lacks, memo},
    target::PERSON,
    wanted::on_off,
};
