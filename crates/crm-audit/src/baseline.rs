//! What was found before and is accepted for now.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, BufRead},
};

use crm_mirror::OwnerId;
use crm_models::ContactId;

use crate::finding::Finding;

/// The findings that somebody accepts for now, so that a job of every night fails for new ones alone.
///
/// As a text it is a line for each, of the rule, the owner's kind, and the ids of owner and contact;
/// it contains no numbers and addresses. A contact that has the same fault with another value is not
/// new. Lines that begin with `#` are notes.
///
/// ```
/// use crm_audit::Baseline;
///
/// let accepted = Baseline::read("# since June\nstale customer 1001 4119\n".as_bytes())?;
/// assert_eq!(accepted.len(), 1);
/// let wrong = Baseline::read("stale customer 1001".as_bytes()).unwrap_err();
/// assert!(wrong.to_string().contains("line 1"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Baseline(HashSet<u64>);

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    ///
    /// A failure to read, or one of kind [`InvalidData`](io::ErrorKind::InvalidData) that names the
    /// line that is none..
    pub fn read(text: impl BufRead) -> io::Result<Self> {
        let mut known = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line = line?;
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if !is_entry(line) {
                let why = format!("line {}: not `RULE customer|location OWNER CONTACT`", at + 1);
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
            known.0.insert(hash(line));
        }
        Ok(known)
    }

    /// Returns the line of a finding.
    #[must_use]
    pub fn line(owner: OwnerId, finding: &Finding) -> String {
        format!("{} {owner} {}", finding.rule, finding.contact)
    }

    /// Whether a finding is accepted.
    #[must_use]
    pub fn contains(&self, owner: OwnerId, finding: &Finding) -> bool {
        !self.0.is_empty() && self.0.contains(&hash(&Self::line(owner, finding)))
    }

    /// Returns how many findings are accepted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is accepted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_entry(line: &str) -> bool {
    let words: Vec<_> = line.split(' ').collect();
    let [rule, kind, owner, contact] = words[..] else {
        return false;
    };
    // A rule may have another name in another version.
    let is_name = rule.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    let owner = owner.parse().ok().and_then(|id| OwnerId::new(kind, id));
    is_name && owner.is_some() && contact.parse::<ContactId>().is_ok()
}

/// Eight bytes in place of a line of forty: a tenant may have a million findings.
fn hash(line: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}
