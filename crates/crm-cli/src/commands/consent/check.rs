//! `crm consent check`: whether the ledger is what was written.

use std::{fs, path::PathBuf};

use clap::Args;
use crm_consent::{Checked, Fault, Head, Ledger, PublicKey, Seal, Sha, UnsignedKey};
use serde::Serialize;

use crate::{
    error::CliError,
    globals::Format,
    output::{Output, count, note},
    status::Status,
};

/// Check that no record was altered, removed, moved or cut off
///
/// Names the first that was, with code 10. A ledger that was cut or written anew as a whole, its own
/// note of its end included, is seen only against a seal, or a count and a hash, that were kept
/// elsewhere. A seal is checked first: whether it is of this ledger, and of a key that the ledger
/// knows or that is given. Whoever has the key can sign again: when a seal was there shows only its
/// time stamp, which `openssl ts -verify` checks.
///
/// The code is 10 too where a key signs to which the one before has not handed over (`crm consent key
/// --old-is-lost`): a forger can do that. A seal or a count that was kept elsewhere and covers its
/// record shows that somebody has taken note of it; then the key is told, and the code is 0.
#[derive(Debug, Args)]
pub(crate) struct CheckCommand {
    /// The file of a seal, or a count and a hash that an earlier check printed, as in 1200:9f86d081…
    #[arg(long, value_name = "SEAL|COUNT:HASH", value_parser = against)]
    against: Option<Against>,

    /// The public key of the seal (PEM), which was kept elsewhere too; otherwise the ledger knows it
    #[arg(long, value_name = "FILE", requires = "against")]
    public_key: Option<PathBuf>,
}

/// What was kept elsewhere.
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    sound: u64,
    hash: String,
    /// How many records the last seal in the ledger is over.
    sealed: u64,
    unsigned_keys: Vec<UnsignedKey>,
    /// Of these, how many come after what was kept elsewhere: nobody has taken note of them.
    unnoticed_keys: usize,
    /// Why the seal that was kept says nothing.
    seal_fault: Option<String>,
    fault: Option<String>,
    record: Option<u64>,
}

impl CheckCommand {
    pub(crate) fn run(self, ledger: &Ledger, output: &Output) -> Result<Status, CliError> {
        let seal = self.seal()?;
        let seal_fault = match &seal {
            Some(seal) => ledger.fault_of(seal, self.public_key()?.as_ref())?,
            None => None,
        };
        let against = match (&self.against, &seal) {
            (Some(Against::Head(head)), _) => Some(*head),
            // What is not of this ledger says nothing about it.
            (_, Some(seal)) if seal_fault.is_none() => Some(seal.head),
            _ => None,
        };
        let checked = ledger.check(against.as_ref())?;
        let answer = Answer {
            sound: checked.sound,
            hash: checked.hash.to_string(),
            sealed: checked.sealed,
            unnoticed_keys: unnoticed(&checked, against.as_ref()),
            unsigned_keys: checked.unsigned_keys.clone(),
            seal_fault: seal_fault.map(|fault| fault.to_string()),
            fault: checked.fault.map(|fault| fault.to_string()),
            record: checked.fault.and_then(|fault| fault.record()),
        };
        if let (Some(seal), None) = (&seal, &answer.seal_fault) {
            let Seal { head, at, by, key, .. } = seal;
            let records = count(head.count, "record");
            note(format!("sealed: {records}, on {at} by {by}, as it says; key {key}"));
        }
        match output.format() {
            Format::Table => show(&answer, &checked, output)?,
            _ => output.value(&answer)?,
        }
        let is_sound =
            answer.fault.is_none() && answer.seal_fault.is_none() && answer.unnoticed_keys == 0;
        Ok(if is_sound { Status::Done } else { Status::Consent })
    }

    fn seal(&self) -> Result<Option<Seal>, CliError> {
        let Some(Against::Seal(path)) = &self.against else {
            return Ok(None);
        };
        let text = fs::read_to_string(path).map_err(CliError::unread(path))?;
        let seal = text.parse();
        seal.map(Some).map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))
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

/// How many keys sign to which none before has handed over, and that what was kept elsewhere does not
/// cover: whoever kept that could have seen the others.
fn unnoticed(checked: &Checked, against: Option<&Head>) -> usize {
    let noticed = against.map_or(0, |kept| kept.count);
    checked.unsigned_keys.iter().filter(|key| key.record > noticed).count()
}

/// That nothing is wrong, in words.
pub(super) fn all_sound(records: u64) -> String {
    match records {
        1 => "1 record, as it was written".to_owned(),
        _ => format!("{records} records, all as they were written"),
    }
}

fn show(answer: &Answer, checked: &Checked, output: &Output) -> Result<(), CliError> {
    let Answer { sound, hash, sealed, seal_fault, fault, .. } = answer;
    for UnsignedKey { record, fingerprint, reason, .. } in &checked.unsigned_keys {
        note(format!(
            "by record {record} another key signs, {fingerprint}, to which none before has handed over \
             (\"{reason}\"): anybody who can write the ledger can have done that"
        ));
    }
    if answer.unnoticed_keys > 0 {
        note(
            "if that was you, keep a seal of the new key elsewhere and check --against it: what it \
             covers you have taken note of",
        );
    }
    if *sealed > 0 {
        note(format!("the last seal in the ledger is over {}", count(*sealed, "record")));
    }
    let told = match fault {
        None => format!("{}\n{sound}:{hash}", all_sound(*sound)),
        Some(fault) => match (checked.fault, sound) {
            (Some(Fault::Rewritten(_)), _) | (_, 0) => fault.clone(),
            (_, 1) => format!("{fault}; the first record is as it was written"),
            _ => format!("{fault}; the first {sound} records are as they were written"),
        },
    };
    let told = match seal_fault {
        None => told,
        Some(seal_fault) => format!("{seal_fault}\n{told}"),
    };
    Ok(output.text(&told)?)
}
