//! `crm consent check`: whether the ledger is what was written.

use clap::Args;
use crm_consent::{Checked, Fault, Ledger, UnsignedKey};
use serde::Serialize;

use super::against::AgainstArgs;
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
    #[command(flatten)]
    against: AgainstArgs,
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
        let kept = self.against.kept(ledger)?;
        let checked = ledger.check(kept.head.as_ref())?;
        let answer = Answer {
            sound: checked.sound,
            hash: checked.hash.to_string(),
            sealed: checked.sealed,
            unnoticed_keys: kept.unnoticed(&checked),
            unsigned_keys: checked.unsigned_keys.clone(),
            seal_fault: kept.seal_fault.map(|fault| fault.to_string()),
            fault: checked.fault.map(|fault| fault.to_string()),
            record: checked.fault.and_then(|fault| fault.record()),
        };
        match output.format() {
            Format::Table => show(&answer, &checked, output)?,
            _ => output.value(&answer)?,
        }
        let is_sound =
            answer.fault.is_none() && answer.seal_fault.is_none() && answer.unnoticed_keys == 0;
        Ok(if is_sound { Status::Done } else { Status::Consent })
    }
}

/// What ends code 10 for a key to which none has handed over.
pub(super) const TAKE_NOTE: &str = "if that was you, keep a seal of the new key elsewhere and give it with \
                                    --against: what it covers you have taken note of";

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
        note(TAKE_NOTE);
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
