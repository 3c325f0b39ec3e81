//! The consent ledger of a desk, as the commands know it that plan and send changes.

mod applied;
mod asked;
mod guard;
mod late;
mod opened;
mod retracted;
mod sets;
mod taking;

pub(super) use self::{
    applied::note_applied,
    asked::asked_by,
    guard::{OverrideArgs, note_created},
    late::{turned_off_late, values_changed, values_changed_of_account},
    opened::{begin, existing, is_there, may_be_written, of_account, open, sound},
    retracted::{done_for, on_page, taken_back},
    sets::{LedgerSets, due, open_sets, why_passed_over},
    taking::{take, told},
};
