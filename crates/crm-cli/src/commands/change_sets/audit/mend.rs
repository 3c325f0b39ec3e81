//! What the rules propose, as rows of a plan.

use crm_audit::{Examined, Mending, Proposal};
use crm_bulk::{Input, Row};
use crm_values::{NewValues, PhoneReader};
use futures_util::stream;
use tokio::sync::mpsc;

/// The rows of an owner, one for each contact that is to be changed, with what the rules say of it.
pub(super) fn rows(examined: &Examined) -> impl Iterator<Item = Row> {
    let owner = examined.owner;
    examined.proposals().into_values().map(move |Proposal { contact, mending, why, .. }| {
        let row = match mending {
            Mending::Update(change) => Row::rewrite(owner, contact, change),
            Mending::Delete { same_as } => Row::delete(owner, contact).same_as(same_as),
        };
        row.why(why)
    })
}

/// The rows as the input of a plan.
pub(super) fn input(arriving: mpsc::Receiver<Row>) -> Input {
    let rows = stream::unfold(arriving, |mut arriving| async {
        arriving.recv().await.map(|row| (row, arriving))
    });
    Input::from_stream("crm audit", rows)
}

/// How the values of the rows are read: as the audit has read them.
pub(super) fn values(reader: PhoneReader) -> NewValues {
    NewValues::new(reader)
}
