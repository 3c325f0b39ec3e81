//! `crm find`: who has a number, an address or a name.

use clap::Args;
use crm_mirror::{By, Hit, PersonHit};
use crm_models::{ContactMethodId, ContactPreferences, PersonId, Preference};
use serde::Serialize;

use super::{
    age::tell_age,
    file_arg,
    mirror::In,
    related::{self, Related},
};
use crate::{
    error::CliError,
    globals::Globals,
    output::{Output, Record, note},
    session::Session,
    signal::until_signal,
    status::Status,
};

/// Find out who has a number, an address or a name
///
/// From a mirror, without a call. A number is found however it is written, also by its last seven
/// digits; an address also by its domain (@site.example) or its beginning (dana@); anything else in
/// names, addresses, memos and values, without regard to case and accents. People are found too; what
/// they belong to is asked of the service with --relationships. Ends with code 9 if nothing is found.
///
///   crm find '(818) 555-0142'
///   crm find --mirror mirror.db --output csv - < numbers.txt
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Find {
    /// What to look for, each on its own; `-` reads one from each line of stdin
    #[arg(required = true, value_name = "NUMBER|ADDRESS|TEXT")]
    texts: Vec<String>,

    #[command(flatten)]
    mirror: In,

    /// Ask the service what people who are found belong to, with a call for each
    #[arg(long)]
    relationships: bool,

    /// At most this many contacts and this many people for each
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u16,
}

impl Find {
    /// Whether it takes a session.
    pub(crate) fn asks(&self, globals: &Globals) -> bool {
        self.relationships || self.mirror.is_made(globals)
    }

    pub(crate) async fn run(
        self,
        globals: &Globals,
        session: Option<&Session<'_>>,
        output: &Output,
    ) -> Result<Status, CliError> {
        let mut records = output.records::<Row>()?;
        let texts = self.texts()?;
        let known = match until_signal(self.mirror.open(globals, session)).await? {
            Ok(known) => known,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        let mirror = &known.snapshot;
        tell_age("the mirror", mirror)?;
        let (mut is_anything, is_alone) = (false, texts.len() == 1);
        for text in texts {
            let found = match mirror.find(&text, self.limit.into())? {
                Ok(found) => found,
                // Among many, one that is too short stops no other.
                Err(short) if is_alone => return Err(CliError::Usage(short.to_string())),
                Err(short) => {
                    note(format!("{text}: {short}"));
                    continue;
                }
            };
            if found.hits.is_empty() && found.people.is_empty() {
                note(format!("{text}: nothing found"));
            }
            for hit in found.hits {
                is_anything = true;
                records.push(&Row::of(&text, found.by, hit))?;
            }
            let (mut last, mut related) = (None, None);
            for hit in found.people {
                is_anything = true;
                if let Some(session) = session.filter(|_| self.relationships)
                    && last.replace(hit.id) != Some(hit.id)
                {
                    // One after the other of a person's methods needs one call.
                    related = Some(related::related(session, mirror, hit.id).await?);
                }
                records.push(&Row::of_person(&text, found.by, hit, related.clone()))?;
            }
            if found.more {
                note(format!("{text}: there are more than {}; give more of it", self.limit));
            }
        }
        records.finish()?;
        Ok(if is_anything { Status::Done } else { Status::NothingFound })
    }

    fn texts(&self) -> Result<Vec<String>, CliError> {
        let mut texts = Vec::new();
        for text in &self.texts {
            if text != "-" {
                texts.push(text.clone());
                continue;
            }
            let read = file_arg::read("-".as_ref())?;
            let lines = String::from_utf8_lossy(&read);
            let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
            texts.extend(lines.map(str::to_owned));
        }
        Ok(texts)
    }
}

/// A hit as it is shown.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    text: String,
    by: &'static str,
    /// `customer`, `location` or `person`.
    owner_kind: &'static str,
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
    shared_with: u64,
    #[serde(flatten)]
    person: PersonRow,
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
    fn of(text: &str, by: By, hit: Hit) -> Self {
        let Hit { owner, details, contact, shared, .. } = hit;
        let known = |text: String| Some(text).filter(|text| !text.is_empty());
        let details = details.as_ref();
        Self {
            text: text.to_owned(),
            by: by.name(),
            owner_kind: owner.kind(),
            owner_id: Some(owner.get()),
            owner_name: details.map(crm_mirror::KnownOwner::display_name),
            owner_town: details.and_then(|owner| known(owner.town().to_owned())),
            owner_address: details.and_then(|owner| known(owner.address.to_string())),
            owner_active: details.map(|owner| owner.active),
            merged_to_id: details.and_then(|owner| owner.merged_to).map(|to| to.get()),
            contact_id: contact.as_ref().map(|contact| contact.id.get()),
            do_not_text: contact.as_ref().and_then(|contact| contact.do_not_text()),
            preferences: contact.as_ref().and_then(|contact| contact.preferences),
            contact_type: contact.as_ref().map(|contact| contact.contact_type.as_str().to_owned()),
            memo: contact.as_ref().and_then(|contact| contact.memo.clone()),
            value: contact.map(|contact| contact.value),
            shared_with: shared,
            person: PersonRow::default(),
        }
    }

    fn of_person(text: &str, by: By, hit: PersonHit, related: Option<Vec<Related>>) -> Self {
        let PersonHit { id, person, method, .. } = hit;
        let method_id = method.as_ref().map(|method| method.id);
        let contact_type = method.as_ref().map(|method| method.contact_type.as_str().to_owned());
        let (value, memo) = method.map(|method| (method.value, method.memo)).unzip();
        let owner_active = person.as_ref().map(|person| !person.is_archived);
        let (owner_name, person_title) = person.map(|person| (person.name, person.title)).unzip();
        Self {
            text: text.to_owned(),
            by: by.name(),
            owner_kind: "person",
            owner_name: owner_name.flatten(),
            owner_active,
            contact_type,
            value,
            memo: memo.flatten(),
            person: PersonRow {
                person_id: Some(id),
                person_title: person_title.flatten(),
                method_id,
                relationships: related,
            },
            ..Self::default()
        }
    }

    /// A person as people read it.
    fn person_lines(&self, id: PersonId) -> Vec<String> {
        let PersonRow { person_title, method_id, relationships, .. } = &self.person;
        let name = [self.owner_name.as_deref(), person_title.as_deref()];
        let name: Vec<_> = name.into_iter().flatten().filter(|text| !text.is_empty()).collect();
        let mut person = match name.is_empty() {
            true => format!("person {id}"),
            false => format!("{} (person {id})", name.join(", ")),
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

    /// As people read it.
    fn lines(&self) -> Vec<String> {
        if let Some(person) = self.person.person_id {
            return self.person_lines(person);
        }
        let place = [&self.owner_name, &self.owner_town];
        let place: Vec<_> = place.into_iter().flatten().map(String::as_str).collect();
        let id = self.owner_id.unwrap_or_default();
        let owner = format!("{} {id}", self.owner_kind);
        let mut owner = match place.is_empty() {
            true => owner,
            false => format!("{} ({owner})", place.join(", ")),
        };
        match (self.owner_active, self.merged_to_id) {
            (_, Some(to)) => owner.push_str(&format!(", merged into {} {to}", self.owner_kind)),
            (Some(false), None) => owner.push_str(", deactivated"),
            _ => {}
        }
        let (Some(id), Some(kind), Some(value)) =
            (self.contact_id, &self.contact_type, &self.value)
        else {
            return vec![owner, "  no contacts".to_owned()];
        };
        let memo = self.memo.as_deref().filter(|memo| !memo.is_empty());
        let memo = memo.map(|memo| format!(", {memo}")).unwrap_or_default();
        let mut lines = vec![owner, format!("  {kind} {value}{memo} (contact {id})")];
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
            0 => {}
            1 => lines.push("  1 contact of another owner has the same".to_owned()),
            n => lines.push(format!("  {n} contacts of other owners have the same")),
        }
        lines
    }
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
