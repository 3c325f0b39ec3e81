//! The consent ledger: who said stop, when and in which words, for years.
//!
//! A wish to be left alone comes in by a file, a call, a reply STOP, and stands until its person says
//! otherwise. This crate keeps wishes in one SQLite file to which records are only added, each
//! chained to the one before, answers whether somebody may be written to, and tells by when a wish
//! has to be so, by rules that are data.
//!
//! When not to use this crate: to turn marketing off once for a list, take
//! [`OptOut`](crm_bulk::OptOut) alone. It is no legal advice, and no operation of the contacts API
//! sets whether a number takes text messages, nor a customer's own mail flags.
//!
//! # A first program
//!
//! ```
//! use crm_consent::{ConsentError, Ledger, Said, Scope, Wish};
//! use crm_mirror::Site;
//! use crm_models::TenantId;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("ledger.db");
//! let site = Site::new(TenantId::new(1_001)?, "https://api.servicetitan.io");
//! let mut ledger = Ledger::open_or_create(path, &site)?;
//! let said = Said::new("(818) 555-0142", Wish::Out).words("STOP").received("2026-11-23T10:30:00Z");
//! ledger.add(&said)?;
//!
//! let standing = ledger.status("+1 818-555-0142", Scope::Marketing)?;
//! assert!(!standing.may());
//! assert!(ledger.check(None)?.fault.is_none());
//! # Ok(())
//! # }
//! ```
//!
//! # Map
//!
//! | You want to | Take |
//! |---|---|
//! | take a wish | [`Ledger::add`], [`Said`] |
//! | take a list of them | [`Ledger::import`], [`Import`], [`Judged`] |
//! | take the wrong list back | [`Ledger::retract`] |
//! | know what was done for it | [`Ledger::retractions`] |
//! | know whether somebody may be written to | [`Ledger::status`], [`Standing::may`] |
//! | have all who may not | [`Ledger::standing`] |
//! | know what has to be done by when | [`Ledger::due`], [`Policy`] |
//! | plan all that is not yet so | [`Reach`] |
//! | turn nothing on against a wish | [`Guard`], [`Overridden`] |
//! | show what was said and what counts | [`Ledger::proof`], [`Proof`] |
//! | tell an auditor what came in | [`Ledger::report`], [`Report`] |
//! | know whether a copy was in time | [`Clocks::judge`], [`Lateness`], [`Clock`] |
//! | know since when a contact is a copy | [`Ledger::values_changed`] |
//! | know whose values were ever out | [`Ledger::ever_out`] |
//! | know that nothing was changed | [`Ledger::check`], [`Head`] |
//! | show that to others | [`Ledger::seal`], [`Seal`], [`SealingKey`], [`PublicKey`] |
//! | show since when it is so | [`StampQuery`], [`Ledger::keep_stamp`] |
//! | remove personal data | [`Ledger::redact`], [`Redact`] |
//!
//! # What is safe
//!
//! - A record is on the disk before it is reported, an import is there as a whole or not at all, and
//!   whoever adds waits for another one that does.
//! - A record that was altered, removed, moved or cut off is named by [`Ledger::check`]. Whoever can
//!   write the file can also write all of it anew: only a [`Head`] or a [`Seal`] that is kept elsewhere
//!   shows that. Whoever has the key can sign again: only a time stamp proves a time.
//! - A wish that is there is not taken again, and one that came with two imports stands until both
//!   are taken back.
//! - Where it is not known which of two wishes came last, the one to be left alone decides.
//!
//! # The file
//!
//! Any SQLite tool can read it.
//!
//! ```sql
#![doc = include_str!("schema.sql")]
//! ```
//!
//! A hash is SHA-256 over fields that are written as netstrings, `4:wish,`, and `~,` where there is
//! none: the text `crm-consent record 1`, `previous` in hexadecimal digits, then `kind`, `at`, `by`,
//! `subject`, `digest`, `otherwise`, `facts` and `commitment`. A commitment is one over
//! `crm-consent personal 1`, `salt` and `personal`; a digest is HMAC-SHA-256 of the key of a number
//! or an address with the key that the table `meta` has.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(missing_debug_implementations)]

mod check;
mod clock;
mod copies;
mod due;
mod error;
mod fault;
mod guard;
mod hash;
mod import;
mod key;
mod lateness;
mod ledger;
mod overridden;
mod policies;
mod policy;
mod proof;
mod reach;
mod record;
mod redact;
mod report;
mod seal;
mod sealing;
mod signatures;
mod stamp;
mod standing;
mod taken_back;
mod taking;
mod wish;

pub use check::Checked;
pub use clock::{Clock, Clocks, Counted};
pub use crm_bulk::{Input, List, ListOptions};
pub use due::{Due, DueKind, ValuesChanged};
pub use error::ConsentError;
pub use fault::Fault;
pub use guard::Guard;
pub use hash::{InvalidSha, Sha};
pub use import::{Import, Imported, Judged, Verdict};
pub use key::{InvalidKey, PublicKey, SealingKey};
pub use lateness::{
    Arrival, Breach, CopyVerdict, Effect, Fact, JudgedPreference, Judgement, Lateness, TurnedOff,
};
pub use ledger::{Head, Ledger};
pub use overridden::Overridden;
pub use policies::PolicyUsed;
pub use policy::{DayOff, Policy};
pub use proof::{Act, Came, Proof, Proved, Ruling, ShownKey, ShownSeal, ShownStamp, Written};
pub use reach::{RECORD, Reach, Reached, SOURCE, note_applied};
pub use redact::{Redact, Redacted};
pub use report::{Days, ImportTold, Report, SealTold, Source};
pub use seal::{InvalidSeal, Seal};
pub use sealing::{KnownKey, SealFault, Sealed, Stamped};
pub use signatures::UnsignedKey;
pub use stamp::{InvalidStamp, StampQuery};
pub use standing::{EverOut, Heard, Standing};
pub use taken_back::{Retraction, Retractions};
pub use taking::{Said, Taken};
pub use wish::{Scope, Wish};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
