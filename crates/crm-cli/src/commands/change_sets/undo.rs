//! `crm undo`: the reverse of a change set.

use std::path::PathBuf;

use clap::Args;
use crm_bulk::ChangeSet;

use super::Summary;
use crate::{
    error::CliError,
    interrupt,
    output::{Output, note},
};

/// Write the change set that restores what was there before. Nothing is sent: look at it and
/// apply it like any other; what others changed meanwhile is set aside then.
#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The change set to take back
    set: PathBuf,

    /// The change set to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Undo {
    pub(crate) async fn run(self, output: &Output) -> Result<(), CliError> {
        let undo = async { Ok(ChangeSet::open(&self.set)?.undo(&self.out)?) };
        let undone = interrupt::until_signal(undo).await?;
        if undone.unresolved > 0 {
            note(format!(
                "of {} changes it is not known whether they were carried out, so they are not \
                 all taken back: crm apply {} reads them back (and sends what is open); then \
                 write the undo again",
                undone.unresolved,
                self.set.display()
            ));
        }
        if undone.set_aside > 0 {
            note(format!(
                "{} changes may have been carried out, but their contacts are neither as before \
                 nor as wanted, so they are left alone: look at the contacts: crm show {} --state \
                 drifted",
                undone.set_aside,
                self.set.display()
            ));
        }
        if undone.impossible > 0 {
            note(format!(
                "{} changes cannot be taken back: crm show {} --state failed",
                undone.impossible,
                self.out.display()
            ));
        }
        Summary::of(&ChangeSet::open(&self.out)?, 10)?.write(output)
    }
}
