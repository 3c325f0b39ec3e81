//! `crm export`: a whole feed, batch by batch, that can be stopped at any moment.
//!
//! The order is what makes it safe: the batch is written, flushed and synced to the disk, and
//! only then the state file takes the token behind it, together with the length of the file.
//! Whoever is killed in between writes the same batch again, after cutting off what it had. A
//! run that comes to its end says so in the state: behind it others may write to the file.

mod destination;
mod state;

use std::{convert::Infallible, future, path::PathBuf, pin::pin, str::FromStr, time::Duration};

use clap::{Args, ValueEnum};
use crm_contacts::{ContactsError, FeedOperation, POLLING_INTERVAL};
use crm_models::{ContinuationToken, CustomerId, ExportBatch, ExportFrom, LocationId};
use futures_util::{StreamExt, TryStreamExt, stream::LocalBoxStream};

use self::{
    destination::Destination,
    state::{Form, State},
};
use crate::{
    commands::{args::whole, file_arg::keep_apart, times::time},
    error::CliError,
    globals::Format,
    output::{LineFormat, Lines, Output, Record, Selection, count, note},
    progress::Progress,
    session::{Guarded, Session},
    signal::signal,
    status::Status,
};

/// Pull a whole feed, deleted contacts too, and continue where it ended
///
/// Writes NDJSON, or CSV with --output csv. Repeats are normal: treat the records as upserts by
/// owner and id, and `active` = false as a deletion. A change shows up about 15 minutes after
/// it was made. A record that cannot be read is set aside and told on stderr, and the export goes
/// on.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Whose contacts
    feed: Feed,

    #[command(flatten)]
    how: ExportArgs,
}

/// From where and to where a feed is exported.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Start here: a time of modification, such as 2026-11-01 or 7d, or the token with which an
    /// export ended
    #[arg(long, value_name = "TIME|TOKEN")]
    from: Option<Start>,

    /// Keep the position in this file, from which the next run continues
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    /// Write to this file instead of stdout; with --state it is appended to
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Wait for further changes at the end, until Ctrl-C
    #[arg(long)]
    follow: bool,

    /// How long to wait for further changes each time
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = POLLING_INTERVAL.as_secs(),
        value_parser = whole(1_u64, None),
        requires = "follow"
    )]
    interval: u64,

    /// Show changes at once, at the price of more repeats
    #[arg(long)]
    recent: bool,
}

/// The feeds that there are.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Feed {
    LocationContacts,
    CustomerContacts,
}

/// Where an export starts.
#[derive(Debug, Clone)]
struct Start(ExportFrom);

impl FromStr for Start {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(match time(text) {
            Ok(time) => ExportFrom::Time(time),
            Err(_) => ExportFrom::Token(ContinuationToken::new(text)),
        }))
    }
}

/// A feed of the service that commands use.
type FeedOf<F> = crm_contacts::Export<Guarded, F>;
type Batches<'a, R> = LocalBoxStream<'a, Result<ExportBatch<R>, ContactsError>>;

impl Export {
    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        let (service, how) = (&session.service, self.how);
        match self.feed {
            Feed::LocationContacts => {
                how.run(session, "location-contacts", service.export::<LocationId>()).await
            }
            Feed::CustomerContacts => {
                how.run(session, "customer-contacts", service.export::<CustomerId>()).await
            }
        }
    }
}

impl ExportArgs {
    /// Exports a feed, which has this name in its state. Without a choice of members, JSON is as the
    /// service wrote it, with those that are new to us: an export is the copy that others work on,
    /// and what it left out would be missed much later.
    pub(super) async fn run<F: FeedOperation<Record: Record>>(
        self,
        session: &Session<'_>,
        name: &str,
        feed: FeedOf<F>,
    ) -> Result<Status, CliError> {
        let output = session.output;
        let wait = self.follow.then(|| Duration::from_secs(self.interval));
        // Ctrl-C is waited for where the batches are taken.
        let never = future::pending;
        if output.format() != Format::Csv && output.fields().is_none() {
            let batches = |feed: FeedOf<F>| match wait {
                Some(wait) => feed.follow_with_json(wait, never()).boxed_local(),
                None => feed.batches_with_json().boxed_local(),
            };
            return self.write(session, name, feed, batches).await;
        }
        let batches = |feed: FeedOf<F>| match wait {
            Some(wait) => feed.follow(wait, never()).boxed_local(),
            None => feed.batches().boxed_local(),
        };
        self.write(session, name, feed, batches).await
    }

    /// Writes the records of a feed, batch by batch.
    async fn write<'a, F: FeedOperation, R: Record>(
        self,
        session: &'a Session<'_>,
        name: &str,
        feed: FeedOf<F>,
        batches: impl FnOnce(FeedOf<F>) -> Batches<'a, R>,
    ) -> Result<Status, CliError> {
        let selection = Selection::of::<R>(session.output.fields())?;
        let mut position = Position::open(&self, name, session)?;
        let mut lines = Lines::new(
            position.destination.writer()?,
            match session.output.format() {
                Format::Csv => session.output.csv(position.destination.is_empty()?),
                _ => LineFormat::Ndjson,
            },
        );
        let from = match position.token() {
            Some(token) => ExportFrom::Token(token.clone()),
            None => self.from.clone().map_or(ExportFrom::Beginning, |Start(from)| from),
        };
        let mut feed = feed.from(from).set_aside();
        if self.recent {
            feed = feed.include_recent_changes();
        }
        let mut batches = batches(feed);
        let mut stop = pin!(signal()?);
        let progress = Progress::new("records");
        let (mut records, mut set_aside) = (0, 0);
        let ended = loop {
            let batch = tokio::select! {
                biased;
                signal = &mut stop => break Ok(Some(signal)),
                batch = batches.try_next() => batch,
            };
            let batch = match batch {
                Ok(Some(batch)) => batch,
                Ok(None) => break Ok(None),
                Err(error) => break Err(error),
            };
            for record in &batch.data {
                lines.push(&selection, record)?;
            }
            lines.flush()?;
            // Before the token that passes them is kept.
            for record in &batch.unreadable {
                note(format!("not written, since it cannot be read: {record}"));
            }
            set_aside += batch.unreadable.len();
            position.reached(batch.continue_from)?;
            records += batch.data.len();
            progress.advance(batch.data.len());
        };
        drop(progress);
        if ended.is_ok() {
            lines.finish(&selection)?;
        }
        // However it ended, all that is written is whole.
        position.close()?;
        let stopped = ended?;
        let records = count(records as u64, "record");
        let set_aside = match set_aside {
            0 => String::new(),
            _ => format!(", {set_aside} more cannot be read"),
        };
        note(format!("{records}{set_aside}, {}", position.goes_on()));
        Ok(match stopped {
            Some(signal) if !self.follow => Status::Stopped(signal, None),
            _ => Status::Done,
        })
    }
}

impl Form {
    fn of(output: &Output) -> Self {
        let format = match output.format() {
            Format::Csv => "csv",
            _ => "ndjson",
        };
        Self { format: format.to_owned(), fields: output.fields().map(<[_]>::to_vec) }
    }
}

/// How far an export has come, in memory and in the state file.
struct Position {
    destination: Destination,
    state: State,
    file: Option<PathBuf>,
}

impl Position {
    fn open(export: &ExportArgs, name: &str, session: &Session<'_>) -> Result<Self, CliError> {
        if let (Some(state), Some(out)) = (&export.state, &export.out) {
            // Version 0.1 wrote the new state under the second name; what it left must not be mixed.
            for file in [state, &state.with_added_extension("new")] {
                keep_apart(out, file, "where --state is written")?;
            }
        }
        let form = Form::of(session.output);
        let mut state = State::new(name, &session.host, session.tenant(), form);
        // First, since another export may be at work: only behind its lock is its state the last.
        let mut destination = Destination::open(export.out.as_deref())?;
        let known = match &export.state {
            Some(file) => State::load(file)?,
            None => None,
        };
        state.token = match known {
            Some(known) => {
                known.check_belongs_to(&state)?;
                let mark = known.out.as_ref();
                if destination.goes_on(mark)? {
                    known.check_form(&state)?;
                }
                destination.resume(mark, known.open)?;
                known.token
            }
            None => {
                destination.begin()?;
                None
            }
        };
        state.open = true;
        let mut position = Self { destination, state, file: export.state.clone() };
        // From here on a killed run is known to have begun.
        position.save()?;
        Ok(position)
    }

    fn token(&self) -> Option<&ContinuationToken> {
        self.state.token.as_ref()
    }

    /// Everything before this token is written.
    fn reached(&mut self, token: Option<ContinuationToken>) -> Result<(), CliError> {
        self.state.token = token.or(self.state.token.take());
        if self.file.is_some() {
            self.destination.sync()?;
        }
        self.save()
    }

    /// The run ends: nothing is written after the mark.
    fn close(&mut self) -> Result<(), CliError> {
        self.state.open = false;
        if self.file.is_some() {
            self.destination.sync()?;
        }
        self.save()
    }

    fn save(&mut self) -> Result<(), CliError> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        self.state.out = self.destination.mark()?;
        self.state.save(file)
    }

    /// How the next export continues from here.
    fn goes_on(&self) -> String {
        match (&self.file, self.token()) {
            (Some(file), _) => format!("the next run continues from {}", file.display()),
            (None, Some(token)) => format!("continue with --from {token}"),
            (None, None) => "the feed gave no token to continue from".to_owned(),
        }
    }
}
