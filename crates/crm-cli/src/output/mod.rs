//! How answers are written: as a table for people, or as JSON, NDJSON or CSV for programs.
//!
//! Lists are written item by item, so their length does not matter.

mod answer;
mod cells;
mod differences;
mod json;
mod lines;
mod people;
mod record;
mod records;
mod selection;
mod shell;
mod table;

pub(crate) use answer::{NoSuchForm, Output};
pub(crate) use json::escaped;
pub(crate) use lines::{LineFormat, Lines};
pub(crate) use people::{confirm, count, failure, lines, moment, note, on_terminal, received};
pub(crate) use record::{Record, records};
pub(crate) use records::{Records, described};
pub(crate) use selection::{Selection, UnknownField};
pub(crate) use shell::{advice, advise_with, crm, crm_for_all, is_for_several, option, quoted};
