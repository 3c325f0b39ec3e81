//! Updates: what is asked for, made on the record as it is, and shown alike for every kind of
//! record.

use clap::Args;
use crm_contacts::{ContactsError, Difference, Updated};
use crm_models::{CheckWith, ContactType, Tolerance};
use crm_values::{NewValue, Region};
use serde::Serialize;

use super::args::{ValueArgs, text};
use crate::{
    error::CliError,
    output::{Record, Records},
    session::Session,
    write_guard::Planned,
};

/// Makes an update of `subject`, and shows what it changed; a dry run shows what it would change.
pub(super) async fn make<R: Record, A: crm_contacts::Record + Serialize>(
    session: &Session<'_>,
    records: Records<'_, R>,
    subject: String,
    differences: Vec<Difference>,
    update: impl Future<Output = Result<Updated<A>, ContactsError>>,
) -> Result<(), CliError> {
    session.service.transport().announce(Planned { subject: subject.clone(), differences });
    let updated = update.await?;
    Ok(records.updated(&subject, &updated.differences(), &updated.after)?)
}

/// Refuses, before anything is read, what no record could become. Whether a value fits its type is
/// known after the read only.
pub(super) fn check_typed(change: &impl CheckWith) -> Result<(), CliError> {
    Ok(change.check_with(Tolerance::AnyType).map_err(ContactsError::from)?)
}

/// A new value and memo of a record that has both.
#[derive(Debug, Args)]
pub(crate) struct Texts {
    /// The new telephone number or address
    #[arg(long, allow_hyphen_values = true)]
    value: Option<String>,

    /// The new note
    #[arg(
        long,
        allow_hyphen_values = true,
        value_parser = text,
        conflicts_with = "clear_memo"
    )]
    memo: Option<String>,

    /// Remove the note
    #[arg(long)]
    clear_memo: bool,

    #[command(flatten)]
    values: ValueArgs,
}

impl Texts {
    /// Value and memo as they were typed. The API clears a memo that is empty.
    pub(super) fn typed(&self) -> (Option<String>, Option<String>) {
        let memo = if self.clear_memo { Some(String::new()) } else { self.memo.clone() };
        (self.value.clone(), memo)
    }

    /// Value and memo to send to a record that has these, and whose value is to be of this kind. The
    /// value that it has already need not be right: it stays. An extension is added to the memo that
    /// is named or kept.
    pub(super) fn beside(
        &self,
        desk: Region,
        kind: &ContactType,
        value: &str,
        memo: Option<&str>,
    ) -> Result<(Option<String>, Option<String>), CliError> {
        let (typed, named) = self.typed();
        let read = match typed {
            None => return Ok((None, named)),
            Some(text) if text == value => NewValue::kept(&text),
            Some(text) => self.values.read(desk, kind, &text)?,
        };
        Ok((Some(read.value().to_owned()), read.memo_to_send(named.as_deref(), memo)))
    }
}
