//! The contact that stays where another one is deleted.

use crm_models::{Contact, ContactId, ContactType, Preference};
use serde::{Deserialize, Serialize};

use super::{outcome::Outcome, state::State};

/// The contact that stands in for one that is deleted: another one of the same owner, which is the
/// same and stays. Without it the deletion is [held](crate::State::Held).
///
/// [`Debug`] and [`Serialize`] output contains a number or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StandIn {
    /// The contact's id.
    pub contact: ContactId,
    /// The number or address that it has to have, as the plan saw it; empty before it was looked at.
    pub value: String,
}

impl StandIn {
    /// Names the contact, which is still to be looked at.
    pub(crate) fn unseen(contact: ContactId) -> Self {
        Self { contact, value: String::new() }
    }

    /// Compares the contact that is to stay with the one that is to go. It has the value that the plan
    /// saw, and beside it whatever the other one has.
    pub(crate) fn compare(&self, gone: &Contact, kept: Option<&Contact>) -> Result<(), Lacks> {
        let kept = kept.ok_or(Lacks::Contact)?;
        let of_gone = memo(gone);
        let members = [
            ("the type", has_type(kept, gone)),
            ("the number or address", kept.contact_type.same_value(&kept.value, &self.value)),
            ("the flags", has_flags(kept, gone)),
            // Only numbers have it.
            (
                "do-not-text",
                !kept.contact_type.is_phone() || kept.do_not_text() == gone.do_not_text(),
            ),
            ("the memo", of_gone.is_empty() || ["", of_gone].contains(&memo(kept))),
        ];
        let differ = members.into_iter().filter(|(_, is_so)| !is_so).map(|(name, _)| name);
        let differ: Vec<_> = differ.collect();
        if !differ.is_empty() {
            return Err(Lacks::Members(differ));
        }
        if memo(kept) != of_gone && !of_gone.is_empty() {
            return Err(Lacks::Memo);
        }
        Ok(())
    }
}

/// Why a contact does not stand in for the one that is to be deleted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lacks {
    /// The owner does not have it.
    Contact,
    /// These members are otherwise.
    Members(Vec<&'static str>),
    /// It has no memo, and the other one has: it may still take it over.
    Memo,
}

impl Lacks {
    /// Whether another change of the set may still see to it.
    pub(crate) fn is_memo(&self) -> bool {
        *self == Self::Memo
    }

    /// What becomes of the deletion. It names members, and no number, address or memo.
    pub(crate) fn outcome(&self, stand_in: &StandIn) -> Outcome {
        let contact = stand_in.contact;
        Outcome::because(
            State::Held,
            match self {
                Self::Contact => format!(
                    "contact {contact}, which was to stay in its place, is gone: this would be the \
                     last one"
                ),
                Self::Members(names) => format!(
                    "contact {contact}, which was to stay in its place, is not the same: {}",
                    names.join(", ")
                ),
                Self::Memo => format!(
                    "contact {contact}, which was to stay in its place, has not taken over the \
                     memo, which would get lost"
                ),
            },
        )
    }
}

/// The memo without the blanks around it, empty if there is none.
pub(crate) fn memo(contact: &Contact) -> &str {
    contact.memo.as_deref().unwrap_or_default().trim()
}

/// The same type; or that of an address, where an address was kept among the numbers.
fn has_type(kept: &Contact, gone: &Contact) -> bool {
    kept.contact_type == gone.contact_type
        || (kept.contact_type == ContactType::Email && gone.value.contains('@'))
}

/// The same flags, as far as they can be set: the service computes the combined one.
fn has_flags(kept: &Contact, gone: &Contact) -> bool {
    let flags = kept.preferences.zip(gone.preferences);
    flags.is_some_and(|(kept, gone)| {
        Preference::SETTABLE.into_iter().all(|flag| kept.get(flag) == gone.get(flag))
    })
}
