//! What a ledger had in it, signed: to be kept elsewhere.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use crm_mirror::Site;
use serde::{Serialize, Serializer};

use crate::{
    hash::Sha,
    key::{PublicKey, SealingKey},
    ledger::Head,
};

/// How many records a ledger had and the hash of the last of them, signed.
///
/// It is a small text, which [`Display`](fmt::Display) writes and [`FromStr`] reads: a line for each
/// member, and a last one with the signature over those before it. Kept where nobody who can write
/// the ledger can write too, it shows that nothing up to there was altered or cut off. It does not
/// show when that was: whoever has the key can sign again, with any time.
///
/// ```
/// use crm_consent::{Ledger, Said, Seal, SealingKey, Wish};
/// use crm_mirror::Site;
/// use crm_models::TenantId;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("ledger.db");
/// let site = Site::new(TenantId::new(1_001)?, "https://api.servicetitan.io");
/// let mut ledger = Ledger::open_or_create(path, &site)?;
/// let key = SealingKey::generate()?;
/// ledger.begin_key(&key.public())?;
/// ledger.add(&Said::new("(818) 555-0142", Wish::Out).words("STOP"))?;
/// let kept = ledger.seal(&key)?.seal.to_string();
///
/// let seal: Seal = kept.parse()?;
/// assert!(ledger.fault_of(&seal, None)?.is_none());
/// assert!(ledger.check(Some(&seal.head))?.fault.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seal {
    /// Of which account the ledger is.
    pub site: Site,
    /// How many records it had, and the hash of the last one.
    pub head: Head,
    /// When it was signed, by the clock of the machine.
    pub at: String,
    /// By which user of the system.
    pub by: String,
    /// The fingerprint of the key.
    pub key: Sha,
    /// The fingerprint of the key that signs from then on, where this hands over to it.
    pub next: Option<Sha>,
    signature: [u8; 64],
}

/// The first line, by which a seal is known.
const FIRST: &str = "crm-consent seal 1";

impl Seal {
    /// Signs.
    pub(crate) fn sign(
        key: &SealingKey,
        next: Option<Sha>,
        site: Site,
        head: Head,
        at: &str,
        by: &str,
    ) -> Self {
        let mut seal = Self {
            site,
            head,
            at: at.to_owned(),
            // A line of its own could say something else.
            by: by.replace(char::is_control, " "),
            key: key.public().fingerprint(),
            next,
            signature: [0; 64],
        };
        seal.signature = key.sign(&seal.signed());
        seal
    }

    /// Returns the text that is signed: the lines before the last.
    #[must_use]
    pub fn signed(&self) -> String {
        let Self { site, head, at, by, key, next, .. } = self;
        let next = next.map(|next| format!("next: {next}\n")).unwrap_or_default();
        format!(
            "{FIRST}\ntenant: {}\nhost: {}\nrecords: {}\nhead: {}\nat: {at}\nby: {by}\nkey: {key}\n{next}",
            site.tenant(),
            site.environment(),
            head.count,
            head.hash,
        )
    }

    /// Returns the signature in Base64.
    #[must_use]
    pub fn signature(&self) -> String {
        BASE64_STANDARD.encode(self.signature)
    }

    /// Returns whether this key signed it.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.key == key.fingerprint() && key.signed(&self.signed(), &self.signature)
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}signature: {}", self.signed(), self.signature())
    }
}

/// With the names of its lines.
impl Serialize for Seal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Lines<'a> {
            tenant: i64,
            host: &'a str,
            records: u64,
            head: String,
            at: &'a str,
            by: &'a str,
            key: String,
            next: Option<String>,
            signature: String,
        }
        let lines = Lines {
            tenant: self.site.tenant().get(),
            host: self.site.environment(),
            records: self.head.count,
            head: self.head.hash.to_string(),
            at: &self.at,
            by: &self.by,
            key: self.key.to_string(),
            next: self.next.map(|next| next.to_string()),
            signature: self.signature(),
        };
        lines.serialize(serializer)
    }
}

/// A text that is no seal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no seal: {0}")]
pub struct InvalidSeal(String);

impl FromStr for Seal {
    type Err = InvalidSeal;

    fn from_str(text: &str) -> Result<Self, InvalidSeal> {
        let mut lines = text.trim().lines().peekable();
        if lines.next() != Some(FIRST) {
            return Err(InvalidSeal(format!("it does not begin with `{FIRST}`")));
        }
        let mut is_next = |name: &str| {
            let has_name = |line: &&str| line.split_once(": ").is_some_and(|(is, _)| is == name);
            let line = lines.next_if(has_name)?;
            line.split_once(": ").map(|(_, value)| value)
        };
        let wrong = |name| InvalidSeal(format!("the line `{name}` is missing or cannot be read"));
        let mut line = |name| is_next(name).ok_or_else(|| wrong(name));
        let tenant = line("tenant")?.parse().map_err(|_| wrong("tenant"))?;
        let site = Site::new(tenant, line("host")?);
        let count = line("records")?.parse().map_err(|_| wrong("records"))?;
        let hash = line("head")?.parse().map_err(|_| wrong("head"))?;
        let (at, by) = (line("at")?.to_owned(), line("by")?.to_owned());
        let key = line("key")?.parse().map_err(|_| wrong("key"))?;
        let next = is_next("next").map(str::parse).transpose().map_err(|_| wrong("next"))?;
        let signature = is_next("signature").and_then(|text| BASE64_STANDARD.decode(text).ok());
        let signature = signature.and_then(|bytes| bytes.try_into().ok());
        let signature = signature.ok_or_else(|| wrong("signature"))?;
        if let Some(more) = lines.next() {
            return Err(InvalidSeal(format!("`{more}` is no line of it")));
        }
        Ok(Self { site, head: Head { count, hash }, at, by, key, next, signature })
    }
}

#[cfg(test)]
mod tests {
    use crm_models::TenantId;

    use super::*;

    fn seal(next: Option<Sha>) -> (Seal, SealingKey) {
        let key = SealingKey::generate().unwrap();
        let site = Site::new(TenantId::new(7).unwrap(), "https://api.example.com");
        let head = Head { count: 3, hash: Sha::of(b"3") };
        let seal = Seal::sign(&key, next, site, head, "2026-11-29T12:00:00Z", "da\nkey: x");
        (seal, key)
    }

    #[test]
    fn a_seal_is_read_as_it_is_written_and_any_change_of_it_is_noticed() {
        for next in [None, Some(Sha::of(b"next"))] {
            let (seal, key) = seal(next);
            let text = seal.to_string();
            let read: Seal = text.parse().unwrap();
            assert_eq!(read, seal);
            assert!(read.is_signed_by(&key.public()));
            // As a mail may bring it.
            assert_eq!(text.replace('\n', "\r\n").parse::<Seal>().unwrap(), seal);

            // The end of the last line says nothing.
            for at in 0..text.len() - 1 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1;
                let changed = String::from_utf8(bytes).unwrap().parse::<Seal>();
                let holds = changed.is_ok_and(|seal| seal.is_signed_by(&key.public()));
                assert!(!holds, "byte {at}");
            }
            for lines in 0..text.lines().count() {
                let cut: Vec<_> = text.lines().take(lines).collect();
                assert!(cut.join("\n").parse::<Seal>().is_err());
            }
            assert!(format!("{text}more: x").parse::<Seal>().is_err());
        }
    }

    #[test]
    fn another_key_did_not_sign_it() {
        let (seal, _) = seal(None);
        assert!(!seal.is_signed_by(&SealingKey::generate().unwrap().public()));
    }
}
