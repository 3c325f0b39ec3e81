//! The digests that chain the records.

use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha(pub(crate) [u8; 32]);

impl Sha {
    /// What stands before the first record.
    pub(crate) const NONE: Self = Self([0; 32]);

    /// The digest of a text or of the bytes of a file.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// Makes digests that only who has the key can make. What the key alone decides is computed once:
/// that is half of each.
#[derive(Clone)]
pub(crate) struct Keyed(Hmac<Sha256>);

impl Keyed {
    pub(crate) fn with(key: &[u8; 32]) -> Self {
        // HMAC fills a key up with zeros to the length of a block.
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(key);
        Self(Hmac::new(&block.into()))
    }

    pub(crate) fn digest(&self, text: &str) -> Sha {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        Sha(mac.finalize().into_bytes().into())
    }
}

/// Without the key.
impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyed")
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha({self})")
    }
}

/// A text that is not the 64 hexadecimal digits of a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is 64 hexadecimal digits")]
pub struct InvalidSha;

impl Serialize for Sha {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Sha {
    type Err = InvalidSha;

    fn from_str(text: &str) -> Result<Self, InvalidSha> {
        let bytes = hex::decode(text.trim()).map_err(|_| InvalidSha)?;
        bytes.try_into().map(Self).map_err(|_| InvalidSha)
    }
}

/// As many random bytes as a digest has.
pub(crate) fn random() -> Result<Sha, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(Sha(bytes))
}

/// Fields, each with its length before it, so that nothing can move from one field into the next:
/// `4:wish,`, and `~,` for one that is absent. These are netstrings, which a shell can write.
pub(crate) struct Fields(Vec<u8>);

impl Fields {
    /// Begins with what is digested and in which version.
    pub(crate) fn of(name: &str) -> Self {
        // Most records fit.
        Self(Vec::with_capacity(1_024)).and(name)
    }

    pub(crate) fn and(self, field: impl AsRef<[u8]>) -> Self {
        self.maybe(Some(field))
    }

    pub(crate) fn maybe(mut self, field: Option<impl AsRef<[u8]>>) -> Self {
        match field {
            None => self.0.extend_from_slice(b"~,"),
            Some(field) => {
                let field = field.as_ref();
                self.0.extend_from_slice(field.len().to_string().as_bytes());
                self.0.push(b':');
                self.0.extend_from_slice(field);
                self.0.push(b',');
            }
        }
        self
    }

    /// The SHA-256 over them.
    pub(crate) fn sha(&self) -> Sha {
        Sha::of(&self.0)
    }

    /// The text that the SHA-256 is over: all fields are texts.
    pub(crate) fn into_text(self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_told_apart_by_their_lengths() {
        let one = Fields::of("a").and("bc").sha();
        assert_eq!(one, Sha::of(b"1:a,2:bc,"));
        assert_ne!(one, Fields::of("ab").and("c").sha());
        assert_ne!(Fields::of("a").maybe(None::<&str>).sha(), Fields::of("a").and("~").sha());
    }

    #[test]
    fn a_keyed_digest_is_hmac() {
        // RFC 4231, test case 2, with its key filled up to the length of ours by zeros, which HMAC
        // does as well.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let keyed = Keyed::with(&key).digest("what do ya want for nothing?");
        let known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(keyed.to_string(), known);
        assert_eq!(known.parse(), Ok(keyed));
    }
}
