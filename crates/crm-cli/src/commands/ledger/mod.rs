//! The consent ledger of a desk, as the commands know it that plan and send changes.

mod applied;
mod asked;
mod guard;
mod late;
mod left_behind;
mod on_page;
mod opened;
mod retracted;
mod sets;
mod taking;

pub(super) use self::{
    applied::note_applied,
    asked::{asked_by, others_in_words},
    guard::{OverrideArgs, note_created},
    late::{
        left_out_of_account, turned_off_late, values_changed, values_changed_of_account, were_late,
    },
    left_behind::left_behind,
    on_page::on_page,
    opened::{begin, existing, is_there, may_be_written, of_account, open, sound},
    retracted::{done_for, taken_back},
    sets::{LedgerSets, due, is_of_ledger, open_sets, why_passed_over},
    taking::{take, told},
};
