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
use crm_models::{Contact, ContactPreferences, ContactType, Preference, Timestamp};
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

    /// Only contacts of customers, or only of locations
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
}

impl From<OwnerId> for Kind {
    fn from(owner: OwnerId) -> Self {
        match owner {
            OwnerId::Customer(_) => Self::Customer,
            OwnerId::Location(_) => Self::Location,
        }
    }
}

/// A contact with whose it is. What a plan reads has the names that it reads.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    owner_kind: &'static str,
    owner_id: i64,
    owner_name: Option<&'a str>,
    owner_town: Option<&'a str>,
    owner_address: Option<&'a str>,
    owner_active: Option<bool>,
    customer_id: Option<i64>,
    location_id: Option<i64>,
    contact_id: i64,
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
        let written = match until_signal(on_thread(file, write)).await? {
            Ok(written) => count(written, "contact"),
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        if self.out.is_none() {
            output.has_header();
        }
        note(match &self.out {
            Some(out) => format!("{written} written to {}", out.display()),
            None => written,
        });
        Ok(Status::Done)
    }
}

impl Sheet {
    /// Writes the sheet to a file, or to stdout; answers how many contacts are in it.
    fn write_to(&self, out: Option<&Path>, mirror: &Mirror) -> Result<u64, CliError> {
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
    ) -> Result<u64, CliError> {
        mirror.complete_at()?;
        let (mut lines, mut written) = (Lines::new(out, self.form).of(self.profile.clone()), 0);
        mirror.for_each_in_order(|owner, known, contacts| {
            let whose = known.as_ref().map(Whose::of);
            for contact in contacts.iter().filter(|contact| self.has(owner, contact)) {
                let line = Line::of(owner, whose.as_ref(), contact);
                lines.push(&self.selection, &line).map_err(&unwritten)?;
                written += 1;
                self.progress.advance(1);
            }
            Ok::<_, CliError>(())
        })?;
        lines.finish(&self.selection).map_err(&unwritten)?;
        Ok(written)
    }

    fn has(&self, owner: OwnerId, contact: &Contact) -> bool {
        self.of.is_none_or(|kind| kind == Kind::from(owner))
            && self.contact_type.as_ref().is_none_or(|kind| *kind == contact.contact_type)
            && self.changed_since.is_none_or(|since| contact.modified_on >= since)
    }
}

/// An owner as every one of its lines shows it.
struct Whose {
    name: String,
    town: String,
    address: String,
    active: bool,
}

impl Whose {
    fn of(known: &KnownOwner) -> Self {
        Self {
            name: known.display_name(),
            town: known.town().to_owned(),
            address: known.address.to_string(),
            active: known.active,
        }
    }
}

impl<'a> Line<'a> {
    fn of(owner: OwnerId, whose: Option<&'a Whose>, contact: &'a Contact) -> Self {
        let known = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        Self {
            owner_kind: owner.kind(),
            owner_id: owner.get(),
            owner_name: whose.and_then(|whose| known(&whose.name)),
            owner_town: whose.and_then(|whose| known(&whose.town)),
            owner_address: whose.and_then(|whose| known(&whose.address)),
            owner_active: whose.map(|whose| whose.active),
            customer_id: owner.customer().map(Into::into),
            location_id: owner.location().map(Into::into),
            contact_id: contact.id.get(),
            contact_type: contact.contact_type.as_str(),
            value: &contact.value,
            memo: contact.memo.as_deref(),
            preferences: contact.preferences.as_ref(),
            do_not_text: contact.do_not_text(),
            modified_on: contact.modified_on,
        }
    }
}
