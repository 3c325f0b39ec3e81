//! One change of a set: what is wanted, what was there before, and what became of it.

use std::{collections::BTreeMap, fmt, str::FromStr};

use crm_contacts::Difference;
use crm_models::{Contact, ContactType, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Target, Wanted, wanted::on_off};

/// The number of a change within its set. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ChangeId(pub(crate) i64);

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One change of a set.
///
/// [`Debug`] and [`Serialize`] output contains numbers, addresses and memos.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Change {
    /// The number of the change within the set.
    pub id: ChangeId,
    /// The row of the input that asks for it; `None` when no single row does.
    pub row: Option<u64>,
    /// The record to change.
    #[serde(flatten)]
    pub target: Target,
    /// The action to carry out.
    #[serde(flatten)]
    pub action: Action,
    /// The record just before the write, or as the plan saw it.
    pub before: Option<Image>,
    /// The record as the API returned it after the write; `None` before the write and for a
    /// deletion.
    pub after: Option<Image>,
    /// How far it is.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The action to carry out on a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", content = "wanted", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// Changes members of a contact.
    Update(Wanted),
    /// Creates a contact, then sets its preferences if any are wanted.
    Create(Wanted),
    /// Deletes a contact.
    Delete,
    /// Sets preferences of a person's contact method, by name.
    MethodPreferences(BTreeMap<String, bool>),
}

impl Action {
    /// Returns `update`, `create`, `delete` or `method-preferences`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Update(_) => "update",
            Self::Create(_) => "create",
            Self::Delete => "delete",
            Self::MethodPreferences(_) => "method-preferences",
        }
    }

    /// Returns what is wanted, in the form in which the file stores it.
    pub(crate) fn wanted_json(&self) -> serde_json::Result<Option<String>> {
        match self {
            Self::Update(wanted) | Self::Create(wanted) => serde_json::to_string(wanted).map(Some),
            Self::MethodPreferences(wanted) => serde_json::to_string(wanted).map(Some),
            Self::Delete => Ok(None),
        }
    }

    pub(crate) fn from_file(name: &str, wanted: Option<&str>) -> serde_json::Result<Option<Self>> {
        let wanted = wanted.unwrap_or("{}");
        Ok(Some(match name {
            "update" => Self::Update(serde_json::from_str(wanted)?),
            "create" => Self::Create(serde_json::from_str(wanted)?),
            "delete" => Self::Delete,
            "method-preferences" => Self::MethodPreferences(serde_json::from_str(wanted)?),
            _ => return Ok(None),
        }))
    }
}

/// The state of a record at one point in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Image {
    /// A contact of a location or a customer, in the API's form.
    Contact(Box<Contact>),
    /// A person's contact method.
    Method(MethodImage),
}

/// A person's contact method and its preferences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MethodImage {
    /// The contact type.
    #[serde(rename = "type")]
    pub contact_type: ContactType,
    /// The number or address.
    pub value: String,
    /// The preferences by name; `None` means that a preference is not set.
    pub preferences: BTreeMap<String, Option<bool>>,
}

impl Image {
    /// Returns the contact, unless this is a contact method.
    #[must_use]
    pub fn as_contact(&self) -> Option<&Contact> {
        match self {
            Self::Contact(contact) => Some(contact),
            Self::Method(_) => None,
        }
    }

    /// Returns the contact method, unless this is a contact.
    #[must_use]
    pub fn as_method(&self) -> Option<&MethodImage> {
        match self {
            Self::Contact(_) => None,
            Self::Method(method) => Some(method),
        }
    }

    /// The contact type.
    #[must_use]
    pub fn contact_type(&self) -> &ContactType {
        match self {
            Self::Contact(contact) => &contact.contact_type,
            Self::Method(method) => &method.contact_type,
        }
    }

    /// The number or address.
    #[must_use]
    pub fn value(&self) -> &str {
        match self {
            Self::Contact(contact) => &contact.value,
            Self::Method(method) => &method.value,
        }
    }

    pub(crate) fn from_file(target: &Target, json: &str) -> serde_json::Result<Self> {
        match target {
            Target::Contact { .. } => serde_json::from_str(json).map(Self::Contact),
            Target::Method { .. } => serde_json::from_str(json).map(Self::Method),
        }
    }
}

impl From<MethodImage> for Image {
    fn from(method: MethodImage) -> Self {
        Self::Method(method)
    }
}

impl From<Contact> for Image {
    fn from(contact: Contact) -> Self {
        Self::Contact(Box::new(contact))
    }
}

/// How far a change has got.
///
/// | State | Meaning | Applying the set again |
/// |---|---|---|
/// | planned | waits | sends it |
/// | already | the record is so already | skips it |
/// | in-flight | may have been sent | reads the record, then decides |
/// | done | the API answered with success | skips it |
/// | failed | was refused, or done otherwise than asked | skips it, unless told to retry |
/// | unknown | the answer is lost and reading back did not tell | reads the record, then decides |
/// | drifted | the record is not what the plan saw | skips it |
/// | not-found | there is no such record | skips it |
/// | conflict | two rows ask different things of one record, or one asks to create what is there otherwise | skips it |
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum State {
    /// The change is waiting to be sent.
    Planned,
    /// The record is already as wanted; nothing was sent.
    Already,
    /// The change may have been sent; its answer is not known yet.
    InFlight,
    /// The change was carried out.
    Done,
    /// The change was refused, or carried out other than as asked; the message says which.
    Failed,
    /// It is not known whether the change was carried out.
    Unknown,
    /// The change was set aside: the record is not what the plan saw.
    Drifted,
    /// There is no such record to change.
    NotFound,
    /// The change was set aside: rows of the input contradict each other, or one creates a number
    /// or address that the owner already has with other members.
    Conflict,
}

impl State {
    /// All states, in the order of a report.
    pub const ALL: [Self; 9] = [
        Self::Planned,
        Self::InFlight,
        Self::Unknown,
        Self::Done,
        Self::Already,
        Self::Failed,
        Self::Drifted,
        Self::NotFound,
        Self::Conflict,
    ];

    /// Returns the name used in the file and in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Already => "already",
            Self::InFlight => "in-flight",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Drifted => "drifted",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
        }
    }

    /// Whether applying the set still has to look at the change.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Planned | Self::InFlight | Self::Unknown)
    }

    /// Whether a request of the change may have been carried out without this being known.
    pub(crate) fn may_be_sent(self) -> bool {
        matches!(self, Self::InFlight | Self::Unknown)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The error returned for a text that does not name a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a state of a change")]
pub struct UnknownState(String);

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState(text.to_owned()))
    }
}

/// What became of a change, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Outcome {
    /// How far it is.
    pub state: State,
    /// What happened, in words for people; it never contains a number, an address or a memo.
    pub message: Option<String>,
    /// What the API reported about single members, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_errors: Option<String>,
    /// The vendor's trace id, if the answer had one.
    pub trace_id: Option<String>,
    /// The HTTP status of the last answer that was a refusal.
    pub http_status: Option<u16>,
    /// When the state was reached; `None` for a state that the plan decided.
    pub at: Option<Timestamp>,
    /// How many times the change was handed to the transport.
    pub attempts: u32,
}

impl Outcome {
    /// Creates an outcome with this state and no further details.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self {
            state,
            message: None,
            field_errors: None,
            trace_id: None,
            http_status: None,
            at: None,
            attempts: 0,
        }
    }

    pub(crate) fn because(state: State, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..Self::new(state) }
    }
}

impl Change {
    /// Returns what the change makes different, member by member in words for people, for example
    /// `marketing` from `on` to `off`; empty for a deletion. Another way to write the same number
    /// or address is not a difference, unless the change is to be made letter by letter.
    #[must_use]
    pub fn members(&self) -> Vec<Difference> {
        let before = self.before.as_ref();
        match &self.action {
            Action::Update(wanted) | Action::Create(wanted) => {
                let present = before.and_then(Image::as_contact);
                let mut members = wanted.differences(present);
                if let Some(present) = present
                    && !wanted.exact
                {
                    let kind = wanted.change.get_contact_type();
                    let kind = kind.unwrap_or(&present.contact_type);
                    members.retain(|member| {
                        let after = member.after.as_deref().unwrap_or_default();
                        member.field != "value" || !kind.same_value(after, &present.value)
                    });
                }
                members
            }
            Action::Delete => Vec::new(),
            Action::MethodPreferences(wanted) => {
                let present = before.and_then(Image::as_method);
                let old = |name: &str| *present?.preferences.get(name)?;
                wanted
                    .iter()
                    .filter(|(name, on)| old(name) != Some(**on))
                    .map(|(name, on)| {
                        Difference::new(name.clone(), old(name).map(on_off), Some(on_off(*on)))
                    })
                    .collect()
            }
        }
    }
}
