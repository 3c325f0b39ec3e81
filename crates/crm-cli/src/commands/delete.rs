//! Deletions: what goes is shown before, and how it comes back is told afterwards.

use std::{
    fmt::{self, Display},
    io,
};

use crm_contacts::ContactsError;

use crate::{
    desk::{Member, members},
    error::CliError,
    output::{Record, crm, described, note, option},
    session::Session,
};

/// A deletion of one record.
pub(super) struct Deletion<'a, R> {
    /// What it is, for people.
    pub(super) subject: String,
    pub(super) record: &'a R,
    /// What brings it back.
    pub(super) restore: Vec<Restore>,
}

impl<R: Record> Deletion<'_, R> {
    /// Shows the record, asks where there is somebody to ask, deletes it, and tells what would bring
    /// it back.
    pub(super) async fn run(
        self,
        session: &Session<'_>,
        delete: impl Future<Output = Result<(), ContactsError>>,
    ) -> Result<(), CliError> {
        note(format!("to be deleted: {}", self.subject));
        for line in described(self.record)? {
            note(format!("  {line}"));
        }
        session.service.transport().confirm_deletion(&self.subject)?;
        let record = serde_json::to_value(self.record).map_err(io::Error::from)?;
        let gone = members(&record).into_iter().map(Member::gone).collect();
        session.service.transport().announce_deletion(gone);
        delete.await?;
        session.output.done("deleted", &self.subject)?;
        note("to restore it (it gets a new id unless the command names one):");
        for command in self.restore {
            note(format!("  {}", command.0));
        }
        Ok(())
    }
}

/// A command line that a shell takes as it is.
pub(super) struct Restore(String);

impl Restore {
    /// The command with the words that need no quoting.
    pub(super) fn with(words: impl Display) -> Self {
        Self(format!("{} {words}", crm()))
    }

    /// An option, if there is something to give it.
    pub(super) fn option(mut self, name: &str, value: Option<impl fmt::Display>) -> Self {
        if let Some(value) = value {
            self.0 += &option(name, &value.to_string());
        }
        self
    }

    /// A switch of a preference.
    pub(super) fn switch(self, name: &str, is_on: bool) -> Self {
        self.option(name, Some(if is_on { "on" } else { "off" }))
    }
}
