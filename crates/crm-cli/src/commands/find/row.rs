//! What was found as it is shown.

use crm_contacts::Unseen;
use crm_mirror::{By, Hit, PersonHit};
use crm_models::{
    Contact, ContactMethod, ContactMethodId, ContactOwner, ContactPreferences, OwnerDetails,
    Person, PersonId, Preference,
};
use serde::Serialize;

use super::app::App;
use crate::{commands::related::Related, output::Record};

/// The kind of owner that people of Contacts v2 are.
const PERSON: &str = "person";
/// By what it was found where the service was asked.
const LIVE: &str = "live";

/// Below what a hit stands before people, who are told that once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Below {
    /// It is the first of its text, among several.
    Nothing,
    /// Its text has been told, or is the only one.
    #[default]
    Text,
    /// Its owner has been told too.
    Owner,
}

/// A hit as it is shown.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    text: String,
    /// By what it was found; none where nothing was.
    by: Option<&'static str>,
    /// `customer`, `location` or `person`.
    owner_kind: Option<&'static str>,
    owner_id: Option<i64>,
    owner_name: Option<String>,
    owner_town: Option<String>,
    owner_address: Option<String>,
    owner_active: Option<bool>,
    merged_to_id: Option<i64>,
    contact_id: Option<i64>,
    #[serde(rename = "type")]
    contact_type: Option<String>,
    value: Option<String>,
    memo: Option<String>,
    preferences: Option<ContactPreferences>,
    do_not_text: Option<bool>,
    /// How many contacts of other owners have the same number or address.
    shared_with: Option<u64>,
    #[serde(flatten)]
    person: PersonRow,
    /// Its address in the vendor's application.
    pub(super) url: Option<String>,
    /// What the service could not be asked, or did not say; none where it was not asked.
    unseen: Option<Vec<&'static str>>,
    #[serde(skip)]
    pub(super) below: Below,
}

/// What a hit has if it is a person.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct PersonRow {
    person_id: Option<PersonId>,
    person_title: Option<String>,
    method_id: Option<ContactMethodId>,
    /// Nothing: not read.
    relationships: Option<Vec<Related>>,
}

impl Row {
    /// Nothing that was found, with what was not seen where the service was asked.
    pub(super) fn nobody(text: &str, unseen: Option<&[Unseen]>) -> Self {
        Self {
            text: text.to_owned(),
            unseen: unseen.map(|unseen| unseen.iter().map(Unseen::name).collect()),
            ..Self::default()
        }
    }

    /// What was looked for.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// A contact of the mirror.
    pub(super) fn of(text: &str, by: By, hit: Hit) -> Self {
        let Hit { owner, details, contact, shared, .. } = hit;
        let details = details.as_ref();
        Self {
            by: Some(by.name()),
            owner_kind: Some(owner.kind()),
            owner_id: Some(owner.get()),
            owner_name: details.map(crm_mirror::KnownOwner::display_name),
            owner_town: details.and_then(|owner| known(owner.town())),
            owner_address: details.and_then(|owner| known(&owner.address.to_string())),
            owner_active: details.map(|owner| owner.active),
            merged_to_id: details.and_then(|owner| owner.merged_to).map(|to| to.get()),
            shared_with: Some(shared),
            ..Self::nobody(text, None)
        }
        .with(contact)
    }

    /// A contact of a customer or a location that the service told, which `shared` contacts of others
    /// have too.
    pub(super) fn told<D: OwnerDetails>(
        text: &str,
        owner: &D,
        contact: Option<Contact>,
        shared: u64,
        unseen: &[Unseen],
    ) -> Self
    where
        D::Id: ContactOwner,
    {
        Self {
            by: Some(LIVE),
            owner_kind: Some(D::Id::NOUN),
            owner_id: Some(owner.id().get()),
            owner_name: Some(owner.display_name().into_owned()),
            owner_town: known(&owner.address().city),
            owner_address: known(&owner.address().to_string()),
            owner_active: Some(owner.is_active()),
            merged_to_id: owner.merged_to().map(ContactOwner::get),
            shared_with: contact.is_some().then_some(shared),
            ..Self::nobody(text, Some(unseen))
        }
        .with(contact)
    }

    fn with(self, contact: Option<Contact>) -> Self {
        let Some(contact) = contact else { return self };
        Self {
            contact_id: Some(contact.id.get()),
            do_not_text: contact.do_not_text(),
            preferences: contact.preferences,
            contact_type: Some(contact.contact_type.as_str().to_owned()),
            memo: contact.memo,
            value: Some(contact.value),
            ..self
        }
    }

    /// A person of the mirror.
    pub(super) fn of_person(
        text: &str,
        by: By,
        hit: PersonHit,
        related: Option<Vec<Related>>,
    ) -> Self {
        let PersonHit { id, person, method, .. } = hit;
        let (name, title) =
            person.as_ref().map(|one| (one.name.clone(), one.title.clone())).unzip();
        Self {
            by: Some(by.name()),
            owner_kind: Some(PERSON),
            owner_name: name.flatten(),
            owner_active: person.map(|person| !person.is_archived),
            person: PersonRow {
                person_id: Some(id),
                person_title: title.flatten(),
                relationships: related,
                ..PersonRow::default()
            },
            ..Self::nobody(text, None)
        }
        .with_method(method)
    }

    /// A person that the service told.
    pub(super) fn told_person(
        text: &str,
        person: &Person,
        method: ContactMethod,
        related: Vec<Related>,
        unseen: &[Unseen],
    ) -> Self {
        Self {
            by: Some(LIVE),
            owner_kind: Some(PERSON),
            owner_name: person.name.clone(),
            owner_active: Some(!person.is_archived),
            person: PersonRow {
                person_id: Some(person.id),
                person_title: person.title.clone(),
                relationships: Some(related),
                ..PersonRow::default()
            },
            ..Self::nobody(text, Some(unseen))
        }
        .with_method(Some(method))
    }

    fn with_method(mut self, method: Option<ContactMethod>) -> Self {
        let Some(method) = method else { return self };
        self.person.method_id = Some(method.id);
        self.contact_type = Some(method.contact_type.as_str().to_owned());
        self.value = Some(method.value);
        self.memo = method.memo;
        self
    }

    /// Its customer's or location's address in the vendor's application: the form says nothing of
    /// people.
    pub(super) fn url_in(&self, app: &App) -> Option<String> {
        Some(app.url(self.owner_kind?, self.owner_id?))
    }

    /// A person as people read it.
    fn person_lines(&self, id: PersonId) -> Vec<String> {
        let PersonRow { person_title, method_id, relationships, .. } = &self.person;
        let name = [self.owner_name.as_deref(), person_title.as_deref()];
        let name: Vec<_> = name.into_iter().flatten().filter(|text| !text.is_empty()).collect();
        let mut person = if name.is_empty() {
            format!("person {id}")
        } else {
            format!("{} (person {id})", name.join(", "))
        };
        if self.owner_active == Some(false) {
            person.push_str(", archived");
        }
        let mut lines = vec![person];
        lines.push(match (method_id, &self.contact_type, &self.value) {
            (Some(method), Some(kind), Some(value)) => {
                let memo = self.memo.as_deref().filter(|memo| !memo.is_empty());
                let memo = memo.map(|memo| format!(", {memo}")).unwrap_or_default();
                format!("  {kind} {value}{memo} (contact method {method})")
            }
            _ => "  no contact methods".to_owned(),
        });
        match relationships.as_deref() {
            None => lines.push("  relationships not read (--relationships)".to_owned()),
            Some([]) => lines.push("  belongs to nobody".to_owned()),
            Some(related) => {
                lines.extend(related.iter().map(|one| format!("  belongs to {}", one.words())));
            }
        }
        lines
    }

    /// Whether another one is of the same customer, location or person.
    pub(super) fn is_of_owner_of(&self, other: &Self) -> bool {
        let owner = |row: &Self| (row.owner_kind, row.owner_id, row.person.person_id);
        owner(self) == owner(other)
    }

    /// As people read it, below what they have read before.
    fn lines(&self) -> Vec<String> {
        let mut lines = self.all_lines();
        match self.below {
            Below::Nothing => lines.insert(0, format!("== {} ==", self.text)),
            Below::Text => {}
            Below::Owner => drop(lines.drain(..1 + usize::from(self.url.is_some()))),
        }
        lines
    }

    /// With whose it is.
    fn all_lines(&self) -> Vec<String> {
        if let Some(person) = self.person.person_id {
            return self.person_lines(person);
        }
        let place = [&self.owner_name, &self.owner_town];
        let place: Vec<_> = place.into_iter().flatten().map(String::as_str).collect();
        let (Some(of), Some(id)) = (self.owner_kind, self.owner_id) else {
            return vec![format!("{}: nothing found", self.text)];
        };
        let owner = format!("{of} {id}");
        let mut owner =
            if place.is_empty() { owner } else { format!("{} ({owner})", place.join(", ")) };
        match (self.owner_active, self.merged_to_id) {
            (_, Some(to)) => owner.push_str(&format!(", merged into {of} {to}")),
            (Some(false), None) => owner.push_str(", deactivated"),
            _ => {}
        }
        let mut lines = vec![owner];
        lines.extend(self.url.as_ref().map(|url| format!("  {url}")));
        let (Some(id), Some(kind), Some(value)) =
            (self.contact_id, &self.contact_type, &self.value)
        else {
            lines.push(match self.by {
                Some(LIVE) => "  none of its contacts has it".to_owned(),
                _ => "  no contacts".to_owned(),
            });
            return lines;
        };
        let memo = self.memo.as_deref().filter(|memo| !memo.is_empty());
        let memo = memo.map(|memo| format!(", {memo}")).unwrap_or_default();
        lines.push(format!("  {kind} {value}{memo} (contact {id})"));
        lines.push(match &self.preferences {
            None => "  preferences not known".to_owned(),
            Some(preferences) => {
                let flags = Preference::SETTABLE.map(|flag| {
                    let state = if preferences.get(flag) { "on" } else { "off" };
                    format!("{}: {state}", flag.words())
                });
                format!("  {}", flags.join(", "))
            }
        });
        if self.do_not_text == Some(true) {
            lines.push("  do not text".to_owned());
        }
        match self.shared_with {
            None | Some(0) => {}
            Some(1) => lines.push("  1 contact of another owner has the same".to_owned()),
            Some(n) => lines.push(format!("  {n} contacts of other owners have the same")),
        }
        lines
    }
}

/// A text that says something.
fn known(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

impl Record for Row {
    fn members() -> Vec<&'static str> {
        let mut members = vec![
            "text",
            "by",
            "ownerKind",
            "ownerId",
            "ownerName",
            "ownerTown",
            "ownerAddress",
            "ownerActive",
            "mergedToId",
            "contactId",
            "type",
            "value",
            "memo",
        ];
        members.extend(Preference::ALL.map(Preference::path));
        members.extend(["doNotText", "sharedWith"]);
        members.extend(["personId", "personTitle", "methodId", "relationships"]);
        members.extend(["url", "unseen"]);
        members
    }

    fn table() -> Vec<(&'static str, &'static str)> {
        vec![
            ("ownerKind", "OF"),
            ("ownerId", "ID"),
            ("ownerName", "NAME"),
            ("ownerTown", "TOWN"),
            ("contactId", "CONTACT"),
            ("value", "VALUE"),
        ]
    }

    const LINES: Option<fn(&Self) -> Vec<String>> = Some(Self::lines);
}
