//! `crm mirror export`: all contacts with whose they are, as a sheet that can be edited and planned.

use std::{
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};
use crm_bulk::AtomicWriter;
use crm_mirror::{
    KnownOwner, Mirror, OwnerId,
    job::{Stop, on_thread},
};
use crm_models::{
    Contact, ContactMethod, ContactMethodId, ContactPreferences, ContactType, CustomerId, Person,
    PersonId, Preference, Timestamp,
};
use serde::Serialize;

use super::{
    args::contact_type,
    change_sets::{known::KnownArgs, snapshot::Need},
    file_arg::{OverwriteArgs, keep_apart},
    times::time,
};
use crate::{
    error::CliError,
    globals::Format,
    output::{LineFormat, Lines, Record, Selection, count, note},
    progress::Progress,
    session::Session,
    signal::until_signal,
    status::Status,
};

/// Write a sheet of all contacts, each with the name, town and address of whose it is
///
/// A location's contact has the customer of the location as ownerCustomerId. The contact methods of
/// people, which no plan reads, are not among the contacts: --of person writes them instead, by the ids
/// of the person and of the method.
///
/// CSV, or one JSON object a line with --output json. The mirror is brought up to date first, as `crm
/// plan` does it. Deleted contacts are left out. The sheet can be edited and given to `crm plan`, which
/// changes what was edited: a row that is as it was asks for nothing, an empty cell keeps what is there,
/// and `(clear)` removes a memo. Names and addresses are not read back.
///
///   crm mirror export --excel --out contacts.csv
///   crm mirror export --changed-since 7d --excel --out week.csv
///   crm plan contacts.csv
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ExportCommand {
    /// Write to this file instead of stdout; it is there as a whole or not at all
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    overwrite: OverwriteArgs,

    /// Only contacts changed at this time or later, for example 2026-11-01 or, for the last seven days,
    /// 7d
    #[arg(long, value_name = "TIME", value_parser = time)]
    changed_since: Option<Timestamp>,

    /// Only contacts of customers, only of locations, or the contact methods of people
    #[arg(long, value_name = "KIND")]
    of: Option<Kind>,

    /// Only contacts of this type
    #[arg(long = "type", value_name = "TYPE", ignore_case = true, value_parser = contact_type())]
    contact_type: Option<ContactType>,

    #[command(flatten)]
    known: KnownArgs,
}

/// A kind of owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    #[value(alias = "customers")]
    Customer,
    #[value(alias = "locations")]
    Location,
    #[value(alias = "people")]
    Person,
}

impl From<OwnerId> for Kind {
    fn from(owner: OwnerId) -> Self {
        match owner {
            OwnerId::Customer(_) => Self::Customer,
            OwnerId::Location(_) => Self::Location,
        }
    }
}

/// An id of a record.
#[derive(Serialize)]
#[serde(untagged)]
enum Id {
    Number(i64),
    Person(PersonId),
    Method(ContactMethodId),
}

/// A contact with whose it is. What a plan reads has the names that it reads.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    owner_kind: &'static str,
    owner_id: Id,
    owner_name: Option<&'a str>,
    owner_town: Option<&'a str>,
    owner_address: Option<&'a str>,
    owner_active: Option<bool>,
    /// The customer whose location it is, which a plan does not read.
    owner_customer_id: Option<i64>,
    customer_id: Option<i64>,
    location_id: Option<i64>,
    contact_id: Id,
    #[serde(rename = "type")]
    contact_type: &'a str,
    value: &'a str,
    memo: Option<&'a str>,
    preferences: Option<&'a ContactPreferences>,
    do_not_text: Option<bool>,
    modified_on: Timestamp,
}

impl Record for Line<'_> {
    fn members() -> Vec<&'static str> {
        let mut members = vec![
            "ownerKind",
            "ownerId",
            "ownerName",
            "ownerTown",
            "ownerAddress",
            "ownerActive",
            "ownerCustomerId",
            "customerId",
            "locationId",
            "contactId",
            "type",
            "value",
            "memo",
        ];
        members.extend(Preference::SETTABLE.map(Preference::path));
        members.extend(["doNotText", "modifiedOn"]);
        members
    }

    fn table() -> Vec<(&'static str, &'static str)> {
        Self::members().into_iter().map(|member| (member, member)).collect()
    }
}

/// Which contacts are written, and how.
struct Sheet {
    selection: Selection,
    form: LineFormat,
    /// Of which profile the lines on stdout are, where there are those of several.
    profile: Option<String>,
    changed_since: Option<Timestamp>,
    of: Option<Kind>,
    contact_type: Option<ContactType>,
    progress: Arc<Progress>,
}

impl ExportCommand {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        let output = session.output;
        let selection = Selection::of::<Line<'_>>(output.fields())?;
        if let Some(out) = &self.out {
            if let Some(mirror) = self.known.file(session)? {
                keep_apart(out, &mirror, "the mirror")?;
            }
            self.overwrite.spare(out)?;
        }
        session.tell_target();
        let known = self.known.of_all(session, Need::Owners, session.region()?);
        let known = match until_signal(known).await? {
            Ok(known) => known,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        let file = known.snapshot.path();
        let sheet = Sheet {
            selection,
            form: match output.format() {
                Format::Csv => output.csv(true),
                _ => LineFormat::Ndjson,
            },
            profile: output.profile().filter(|_| self.out.is_none()),
            changed_since: self.changed_since,
            of: self.of,
            contact_type: self.contact_type,
            progress: Arc::new(Progress::new("contacts")),
        };
        let out = self.out.clone();
        let write = move |mirror: &Path, stop: &Stop| {
            let mut mirror = Mirror::open(mirror)?;
            mirror.end_with(stop)?;
            sheet.write_to(out.as_deref(), &mirror)
        };
        let Written { lines, methods_left } = match until_signal(on_thread(file, write)).await? {
            Ok(written) => written,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        let written = match self.of {
            Some(Kind::Person) => count(lines, "contact method"),
            _ => count(lines, "contact"),
        };
        if self.out.is_none() {
            output.has_header();
        }
        note(match &self.out {
            Some(out) => format!("{written} written to {}", out.display()),
            None => written,
        });
        if methods_left > 0 {
            let methods = count(methods_left, "contact method");
            note(format!("without {methods} of people: --of person writes them"));
        }
        Ok(Status::Done)
    }
}

/// What is in a sheet, and what is not.
struct Written {
    lines: u64,
    /// How many contact methods of people are in the mirror where nobody asked for a kind of owner.
    methods_left: u64,
}

impl Sheet {
    /// Writes the sheet to a file, or to stdout.
    fn write_to(&self, out: Option<&Path>, mirror: &Mirror) -> Result<Written, CliError> {
        let Some(path) = out else {
            return self.write(BufWriter::new(io::stdout()), mirror, CliError::from);
        };
        let unwritten = CliError::unwritten(path);
        let mut file = AtomicWriter::create(path).map_err(&unwritten)?;
        let written = self.write(BufWriter::new(&mut file), mirror, &unwritten)?;
        file.finish().map_err(unwritten)?;
        Ok(written)
    }

    fn write(
        &self,
        out: impl Write,
        mirror: &Mirror,
        unwritten: impl Fn(io::Error) -> CliError,
    ) -> Result<Written, CliError> {
        mirror.complete_at()?;
        let (mut lines, mut written) = (Lines::new(out, self.form).of(self.profile.clone()), 0);
        let mut push = |line: &Line<'_>| {
            written += 1;
            self.progress.advance(1);
            lines.push(&self.selection, line).map_err(&unwritten)
        };
        if self.of == Some(Kind::Person) {
            mirror.for_each_method(|method, _| {
                if !self.has(&method.contact_type, method.modified_on) {
                    return Ok(());
                }
                let person = mirror.person(method.contact_id)?;
                push(&Line::of_method(person.as_ref(), &method))
            })?;
        } else {
            mirror.for_each_in_order(|owner, known, contacts| {
                if self.of.is_some_and(|kind| kind != Kind::from(owner)) {
                    return Ok(());
                }
                let whose = known.as_ref().map(Whose::of);
                let is_asked = |it: &&Contact| self.has(&it.contact_type, it.modified_on);
                let mut contacts = contacts.iter().filter(is_asked);
                contacts.try_for_each(|contact| push(&Line::of(owner, whose.as_ref(), contact)))
            })?;
        }
        lines.finish(&self.selection).map_err(&unwritten)?;
        let is_of_all = self.of.is_none();
        let methods_left = if is_of_all { mirror.coverage()?.people.methods } else { 0 };
        Ok(Written { lines: written, methods_left })
    }

    fn has(&self, contact_type: &ContactType, modified_on: Timestamp) -> bool {
        self.contact_type.as_ref().is_none_or(|kind| kind == contact_type)
            && self.changed_since.is_none_or(|since| modified_on >= since)
    }
}

/// An owner as every one of its lines shows it.
struct Whose {
    name: String,
    town: String,
    address: String,
    active: bool,
    customer: CustomerId,
}

impl Whose {
    fn of(known: &KnownOwner) -> Self {
        Self {
            name: known.display_name(),
            town: known.town().to_owned(),
            address: known.address.to_string(),
            active: known.active,
            customer: known.customer,
        }
    }
}

impl<'a> Line<'a> {
    fn of(owner: OwnerId, whose: Option<&'a Whose>, contact: &'a Contact) -> Self {
        let known = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        Self {
            owner_kind: owner.kind(),
            owner_id: Id::Number(owner.get()),
            owner_name: whose.and_then(|whose| known(&whose.name)),
            owner_town: whose.and_then(|whose| known(&whose.town)),
            owner_address: whose.and_then(|whose| known(&whose.address)),
            owner_active: whose.map(|whose| whose.active),
            owner_customer_id: match owner {
                OwnerId::Customer(id) => Some(id.get()),
                OwnerId::Location(_) => whose.map(|whose| whose.customer.get()),
            },
            customer_id: owner.customer().map(Into::into),
            location_id: owner.location().map(Into::into),
            contact_id: Id::Number(contact.id.get()),
            contact_type: contact.contact_type.as_str(),
            value: &contact.value,
            memo: contact.memo.as_deref(),
            preferences: contact.preferences.as_ref(),
            do_not_text: contact.do_not_text(),
            modified_on: contact.modified_on,
        }
    }

    fn of_method(person: Option<&'a Person>, method: &'a ContactMethod) -> Self {
        Self {
            owner_kind: "person",
            owner_id: Id::Person(method.contact_id),
            owner_name: person.and_then(|person| person.name.as_deref()),
            owner_town: None,
            owner_address: None,
            owner_active: person.map(|person| !person.is_archived),
            owner_customer_id: None,
            customer_id: None,
            location_id: None,
            contact_id: Id::Method(method.id),
            contact_type: method.contact_type.as_str(),
            value: &method.value,
            memo: method.memo.as_deref(),
            preferences: None,
            do_not_text: None,
            modified_on: method.modified_on,
        }
    }
}
