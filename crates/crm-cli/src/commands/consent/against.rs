//! What was kept elsewhere, against which a ledger is held.

use std::{fs, path::PathBuf};

use clap::Args;
use crm_consent::{Checked, Head, Ledger, PublicKey, Seal, SealFault, Sha};

use crate::{
    error::CliError,
    exit::Exit,
    output::{count, note},
};

/// A seal, or what a check printed.
#[derive(Debug, Args)]
pub(super) struct AgainstArgs {
    /// The file of a seal, or a count and a hash that an earlier check printed, as in 1200:9f86d081…
    #[arg(long, value_name = "SEAL|COUNT:HASH", value_parser = against)]
    against: Option<Against>,

    /// The public key of the seal (PEM), which was kept elsewhere too; otherwise the ledger knows it
    #[arg(long, value_name = "FILE", requires = "against")]
    public_key: Option<PathBuf>,
}

#[derive(Debug, Clone)]
enum Against {
    Seal(PathBuf),
    Head(Head),
}

fn against(text: &str) -> Result<Against, String> {
    let count = text.split_once(':').map(|(count, _)| count.trim());
    let is_head = count.is_some_and(|count| count.bytes().all(|byte| byte.is_ascii_digit()));
    if is_head { head(text).map(Against::Head) } else { Ok(Against::Seal(text.into())) }
}

fn head(text: &str) -> Result<Head, String> {
    let wrong = || "write it as a check prints it, as in 1200:9f86d081…".to_owned();
    let (count, hash) = text.split_once(':').ok_or_else(wrong)?;
    let hash = hash.parse::<Sha>().map_err(|error| error.to_string())?;
    Ok(Head { count: count.trim().parse().map_err(|_| wrong())?, hash })
}

/// What was kept elsewhere says this of the ledger.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// How long the ledger was then; none where a seal says nothing of it.
    pub(super) head: Option<Head>,
    /// Why the seal says nothing.
    pub(super) seal_fault: Option<SealFault>,
}

impl AgainstArgs {
    /// Reads what was kept, tells of a seal what it says, and whether it is of this ledger.
    pub(super) fn kept(&self, ledger: &Ledger) -> Result<Kept, CliError> {
        let path = match &self.against {
            None => return Ok(Kept::default()),
            Some(Against::Head(head)) => return Ok(Kept { head: Some(*head), seal_fault: None }),
            Some(Against::Seal(path)) => path,
        };
        let text = fs::read_to_string(path).map_err(CliError::unread(path))?;
        let seal = text.parse::<Seal>();
        let seal = seal.map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))?;
        let seal_fault = ledger.fault_of(&seal, self.public_key()?.as_ref())?;
        // What is not of this ledger says nothing about it.
        if seal_fault.is_some() {
            return Ok(Kept { head: None, seal_fault });
        }
        let Seal { head, at, by, key, .. } = seal;
        let records = count(head.count, "record");
        note(format!("sealed: {records}, on {at} by {by}, as it says; key {key}"));
        Ok(Kept { head: Some(head), seal_fault })
    }

    fn public_key(&self) -> Result<Option<PublicKey>, CliError> {
        let Some(path) = &self.public_key else {
            return Ok(None);
        };
        let pem = fs::read_to_string(path).map_err(CliError::unread(path))?;
        let key = PublicKey::from_pem(&pem);
        key.map(Some).map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))
    }
}

impl Kept {
    /// Refuses a seal that says nothing of the ledger.
    pub(super) fn of_ledger(self) -> Result<Self, CliError> {
        match self.seal_fault {
            None => Ok(self),
            Some(fault) => {
                Err(CliError::CheckFailed { summary: fault.to_string(), exit: Exit::Consent })
            }
        }
    }

    /// How many keys sign to which none before has handed over, and that what was kept does not cover:
    /// whoever kept that could have seen the others.
    pub(super) fn unnoticed(&self, checked: &Checked) -> usize {
        let noticed = self.head.map_or(0, |head| head.count);
        checked.unsigned_keys.iter().filter(|key| key.record > noticed).count()
    }
}
