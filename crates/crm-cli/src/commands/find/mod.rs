//! `crm find`: who has a number, an address or a name.

mod app;
mod live;
mod row;

use clap::Args;
use crm_values::PhoneReader;

use self::{
    app::App,
    row::{Below, Row},
};
use super::{
    args::{tell_assumed, whole},
    file_arg,
    mirror::In,
    related,
};
use crate::{
    error::CliError,
    globals::Globals,
    output::{Output, Records, note},
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
/// --live asks the service instead, for whole numbers and addresses: customers by number, people by
/// both, and the contacts of those and of their locations. It says what it cannot see.
///
/// What is not found is told in the answer too; in JSON and CSV its row has no `by`.
///
///   crm find '(818) 555-0142'
///   crm find --live '(818) 555-0142'
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

    /// Ask the service as it is now, not the mirror
    #[arg(long, conflicts_with_all = ["mirror", "relationships"])]
    live: bool,

    /// Show the address of each customer or location in the vendor's application, by the form that
    /// the profile has as `app`
    #[arg(long)]
    open: bool,

    /// At most this many contacts and this many people for each
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = whole(1_u16, None))]
    limit: u16,
}

impl Find {
    /// Whether it takes a session.
    pub(crate) fn asks(&self, globals: &Globals) -> bool {
        self.live || self.relationships || self.mirror.is_made(globals)
    }

    pub(crate) async fn run(
        self,
        globals: &Globals,
        session: Option<&Session<'_>>,
        output: &Output,
    ) -> Result<Status, CliError> {
        let app = if self.open { Some(App::of(globals)?) } else { None };
        let (records, texts) = (output.records::<Row>()?, self.texts()?);
        let is_several = texts.len() > 1;
        let mut shown = Shown { records, app, is_several, is_anything: false };
        let found = async {
            match session {
                Some(session) if self.live => self.ask(session, &texts, &mut shown).await,
                session => self.look(globals, session, &texts, &mut shown).await,
            }
        };
        if let Err(signal) = until_signal(found).await? {
            return Ok(Status::Stopped(signal, None));
        }
        shown.records.finish()?;
        Ok(if shown.is_anything { Status::Done } else { Status::NothingFound })
    }

    /// Looks into the mirror.
    async fn look(
        &self,
        globals: &Globals,
        session: Option<&Session<'_>>,
        texts: &[Text],
        shown: &mut Shown<'_>,
    ) -> Result<(), CliError> {
        let known = self.mirror.open(globals, session).await?;
        known.tell_age("the mirror")?;
        if known.snapshot.people_known_at()?.is_none() {
            note("people are not in the mirror, or not as of its age: see `crm mirror status`");
        }
        for sought in texts {
            let text = &sought.text;
            tell_assumed(text, PhoneReader::new(known.snapshot.region()));
            let found = match known.snapshot.find(text, self.limit.into())? {
                Ok(found) => found,
                Err(short) => {
                    shown.refuse(sought, texts, &short)?;
                    continue;
                }
            };
            let hits = found.hits.into_iter();
            let mut rows: Vec<_> = hits.map(|hit| Row::of(text, found.by, hit)).collect();
            let (mut last, mut related) = (None, None);
            for hit in found.people {
                if let Some(session) = session.filter(|_| self.relationships)
                    && last.replace(hit.id) != Some(hit.id)
                {
                    // One after the other of a person's methods needs one call.
                    related = Some(related::related(session, &known.snapshot, hit.id).await?);
                }
                rows.push(Row::of_person(text, found.by, hit, related.clone()));
            }
            shown.push(Row::nobody(text, None), rows, found.more, self.limit)?;
        }
        Ok(())
    }

    /// Asks the service.
    async fn ask(
        &self,
        session: &Session<'_>,
        texts: &[Text],
        shown: &mut Shown<'_>,
    ) -> Result<(), CliError> {
        session.tell_target();
        for one in texts {
            let text = &one.text;
            let sought = match live::Sought::read(text, session.region()?) {
                Ok(sought) => sought,
                Err(invalid) => {
                    shown.refuse(one, texts, &invalid)?;
                    continue;
                }
            };
            tell_assumed(text, PhoneReader::new(session.region()?));
            let answer = live::ask(session, text, &sought, self.limit.into()).await?;
            for unseen in &answer.unseen {
                note(format!("{text}: not seen: {unseen}"));
            }
            let nobody = Row::nobody(text, Some(&answer.unseen));
            shown.push(nobody, answer.rows, answer.more, self.limit)?;
        }
        Ok(())
    }

    fn texts(&self) -> Result<Vec<Text>, CliError> {
        let mut texts = Vec::new();
        for text in &self.texts {
            if text == "-" {
                texts.extend(lines(&file_arg::read("-".as_ref())?));
            } else {
                texts.push(Text { text: text.clone(), line: None });
            }
        }
        Ok(texts)
    }
}

/// What is looked for.
struct Text {
    text: String,
    /// In which line of stdin it is.
    line: Option<usize>,
}

/// What the lines of a file have. One that is no text is told, and stops no other.
fn lines(file: &[u8]) -> Vec<Text> {
    let file = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
    let mut texts = Vec::new();
    for (line, bytes) in (1..).zip(file.split(|byte| *byte == b'\n')) {
        match str::from_utf8(bytes).map(str::trim) {
            Ok("") => {}
            Ok(text) => texts.push(Text { text: text.to_owned(), line: Some(line) }),
            Err(_) => note(format!("line {line} is not UTF-8 text: not looked for")),
        }
    }
    if texts.is_empty() {
        note("stdin has nothing to look for");
    }
    texts
}

/// What is shown so far.
struct Shown<'a> {
    records: Records<'a, Row>,
    app: Option<App>,
    /// Whether several texts are looked for, each of which stands above what was found for it.
    is_several: bool,
    is_anything: bool,
}

impl Shown<'_> {
    /// Shows what was found, or that nobody was: also to programs, since what was not found is a part of
    /// the answer.
    fn push(
        &mut self,
        nobody: Row,
        rows: Vec<Row>,
        more: bool,
        limit: u16,
    ) -> Result<(), CliError> {
        let text = nobody.text().to_owned();
        if rows.is_empty() {
            self.records.push(&nobody)?;
        }
        let mut last = None::<Row>;
        for mut row in rows {
            self.is_anything = true;
            row.url = self.app.as_ref().and_then(|app| row.url_in(app));
            row.below = match &last {
                Some(last) if row.is_of_owner_of(last) => Below::Owner,
                None if self.is_several => Below::Nothing,
                _ => Below::Text,
            };
            self.records.push(&row)?;
            last = Some(row);
        }
        if more {
            note(format!("{text}: there are more than {limit}; give more of it"));
        }
        Ok(())
    }

    /// Tells why a text is not looked for. Among many it stops no other.
    fn refuse(
        &self,
        sought: &Text,
        texts: &[Text],
        why: &impl std::fmt::Display,
    ) -> Result<(), CliError> {
        let Text { text, line } = sought;
        match line {
            _ if texts.len() == 1 => return Err(CliError::Usage(why.to_string())),
            Some(line) => note(format!("line {line}, {text}: {why}")),
            None => note(format!("{text}: {why}")),
        }
        Ok(())
    }
}
