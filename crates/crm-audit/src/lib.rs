#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_debug_implementations)]

mod across;
mod audit;
mod baseline;
mod fault;
mod finding;
mod flags;
mod memo;
mod owners;
mod record;
mod repeats;
mod rule;
mod summary;
mod thresholds;
mod value;
mod words;

pub use self::{
    audit::Audit,
    baseline::Baseline,
    finding::{Examined, Finding, Mending, Proposal},
    owners::Owners,
    rule::{Certainty, Rule, Rules, UnknownRule},
    summary::Summary,
    thresholds::Thresholds,
};
