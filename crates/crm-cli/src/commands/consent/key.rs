//! `crm consent key`: who signs the ledger.

use clap::Args;
use crm_consent::{KnownKey, Ledger};
use serde::Serialize;

use super::key_place::{KeyArgs, KeyPlace};
use crate::{
    error::CliError,
    globals::Format,
    output::{Output, note, records},
    settings::Target,
    status::Status,
};

/// Show the public key by which a seal can be checked, or have another key sign from now on
///
/// With --new the private key is made, unless the file is there, as `openssl genpkey -algorithm
/// ed25519` makes it. Keep it where few can read it, and a copy of it. The ledger notes the public
/// key; one that signs already hands over to the next, which it signs, so give both: --key OLD --new
/// NEW. With --output json or csv the answer has all keys that the ledger had.
///
///   crm consent key --new ~/.keys/ledger.pem
///   crm consent key > public.pem
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct KeyCommand {
    /// Have the key in this file sign from now on, or a new one in the keychain
    #[arg(long, value_name = "FILE|keychain")]
    pub(super) new: Option<KeyPlace>,

    #[command(flatten)]
    old: KeyArgs,

    /// The key that signs so far is lost and cannot hand over. The reason is recorded, and each check,
    /// proof and report tells it with code 10, unless it is held --against a seal that was kept elsewhere
    /// and covers that record
    #[arg(long, value_name = "REASON", requires = "new", conflicts_with = "key")]
    old_is_lost: Option<String>,
}

/// A key of the ledger.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    record: u64,
    since: String,
    fingerprint: String,
    pem: String,
    lost: Option<String>,
}

records! {
    Shown { "record", "since", "fingerprint", "pem", "lost" }
}

impl From<KnownKey> for Shown {
    fn from(known: KnownKey) -> Self {
        let KnownKey { record, since, key, lost, .. } = known;
        let (fingerprint, pem) = (key.fingerprint().to_string(), key.to_pem());
        Self { record, since, fingerprint, pem, lost }
    }
}

impl KeyCommand {
    pub(crate) fn run(
        self,
        mut ledger: Ledger,
        target: &Target,
        output: &Output,
    ) -> Result<Status, CliError> {
        match &self.new {
            Some(new) => self.begin(new, &mut ledger, target, output)?,
            None => show(&ledger, output)?,
        }
        Ok(Status::Done)
    }

    fn begin(
        &self,
        new: &KeyPlace,
        ledger: &mut Ledger,
        target: &Target,
        output: &Output,
    ) -> Result<(), CliError> {
        let has_key = !ledger.signing_keys()?.is_empty();
        // Before another one is made.
        let old = match &self.old_is_lost {
            None if has_key => Some(self.old.read(ledger, target)?),
            _ => None,
        };
        let public = new.read_or_make()?.public();
        if let Some(known) = ledger.signing_keys()?.iter().find(|known| known.key == public) {
            return Err(CliError::Usage(format!(
                "the key in {new} is the ledger's already, by record {}: name another file",
                known.record
            )));
        }
        let record = match (&old, &self.old_is_lost) {
            (Some(old), _) => ledger.hand_over(old, &public)?,
            (None, Some(reason)) => ledger.replace_lost_key(&public, reason)?,
            (None, None) => ledger.begin_key(&public)?,
        };
        note(format!(
            "the key is in {new}: keep a copy of it, and say where it is with --key, or with `seal_key` \
             in the profile"
        ));
        let what = format!("key {}, record {record}", public.fingerprint());
        Ok(output.done("signs from now on", &what)?)
    }
}

fn show(ledger: &Ledger, output: &Output) -> Result<(), CliError> {
    let keys = ledger.signing_keys()?;
    if output.format() != Format::Table {
        return Ok(output.records::<Shown>()?.all(keys.into_iter().map(Shown::from))?);
    }
    let KnownKey { record, since, key, .. } =
        keys.last().ok_or(crm_consent::ConsentError::NoKey)?;
    note(format!("signs since {since}, record {record}; SHA-256 {}", key.fingerprint()));
    Ok(output.text(key.to_pem().trim_end())?)
}
