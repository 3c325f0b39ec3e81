//! `crm audit`: what is wrong with the contacts, and a set that mends it.

mod entry;
mod explain;
mod findings;
mod mend;
mod page;
mod thresholds;
mod topic;

use std::{
    fs,
    io::{self, BufReader},
    path::{Path, PathBuf},
};

use clap::Args;
use crm_audit::{Audit, Baseline, Examined, Owners, Rule, Rules, Summary};
use crm_bulk::{AtomicWriter, ChangeSet, Plan, Snapshot};
use tokio::sync::mpsc;

use self::{findings::Findings, topic::Topic};
use super::{
    known,
    out::Out,
    owner_names::NameArgs,
    rows::told,
    snapshot::Need,
    summary::{self, name},
};
use crate::{
    commands::{
        args::{NumberArgs, whole},
        file_arg::OverwriteArgs,
    },
    error::CliError,
    output::{count, note, quoted},
    session::Session,
    signal::until_signal,
    status::Status,
};

/// How many owners with findings may wait to be written.
const AHEAD: usize = 64;

/// Find what is wrong with the contacts, and plan what mends it
///
/// Named rules look at every contact of a snapshot. Most only tell. Four also propose a change:
/// numbers as digits, the type of addresses, a combined flag that contradicts its two, and the
/// deletion of exact duplicates of one owner. No contact is changed: --fix writes a change set, to be
/// looked at, applied and undone like any other.
///
/// The table counts by rule. --output csv or json lists the contacts, each with what was found and as
/// it should be; `crm plan` takes these rows. They contain numbers, addresses and memos.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_long_help = explain::help())]
pub(crate) struct AuditCommand {
    #[command(subcommand)]
    topic: Option<Topic>,

    /// Only these rules; they are listed at the end of the long help
    #[arg(long, value_name = "RULE,RULE", value_delimiter = ',', conflicts_with = "except")]
    rule: Vec<Rule>,

    /// All rules but these
    #[arg(long, value_name = "RULE,RULE", value_delimiter = ',')]
    except: Vec<Rule>,

    /// From when on something is told, and more words for the lists, instead of the desk's audit.toml;
    /// `crm audit thresholds` writes such a file
    #[arg(long, value_name = "FILE")]
    thresholds: Option<PathBuf>,

    /// Write what the rules propose as a change set: to this file, or without one into the desk
    #[arg(long, visible_alias = "to", value_name = "SET", num_args = 0..=1)]
    fix: Option<Option<PathBuf>>,

    /// Audit this snapshot, brought up to date, instead of the desk's mirror
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,

    /// Audit the mirror or the snapshot as it is, without a call
    #[arg(long)]
    offline: bool,

    /// Findings that are accepted for now: they are counted, and are not new
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Accept all that is found now: write it to this file
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,

    /// Write a page with the figures as bars, and examples of each rule, to this file. An earlier page
    /// of an audit is replaced
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    #[command(flatten)]
    overwrite: OverwriteArgs,

    /// How many examples of each rule to show
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = whole(0_usize, None))]
    sample: usize,

    /// Exit with 0 when nothing new is found, 2 when something is, 1 on any error
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,

    #[command(flatten)]
    numbers: NumberArgs,

    #[command(flatten)]
    names: NameArgs,
}

impl AuditCommand {
    /// What is asked instead of an audit, which takes no account.
    pub(crate) fn topic(&self) -> Option<&Topic> {
        self.topic.as_ref()
    }

    pub(crate) async fn run(self, session: &Session<'_>) -> Result<Status, CliError> {
        session.tell_target();
        let thresholds = thresholds::read(session, self.thresholds.as_deref())?;
        let baseline = self.baseline.as_deref().map(read_baseline).transpose()?;
        let accepted = self.write_baseline.as_deref().map(|path| self.begin_baseline(path));
        let accepted = accepted.transpose()?;
        if let Some(path) = &self.html {
            self.overwrite.spare_page(page::KIND, path, None)?;
        }
        let audit = Audit::new().rules(self.rules()).thresholds(thresholds);
        let mut findings =
            Findings::new(session.output, baseline.unwrap_or_default(), accepted, self.sample)?;
        if self.html.is_some() {
            findings = findings.for_page();
        }
        let desk = || session.desk("--fix FILE");
        let set = self.fix.as_ref().map(|named| {
            Out::of(named.as_deref(), desk, "audit", None, session.siblings.as_deref())
        });
        let set = set.transpose()?;
        let audited = self.audit(session, audit, &mut findings, set.as_ref().map(Out::path));
        let summary = match until_signal(audited).await? {
            Ok(summary) => summary,
            Err(signal) => return Ok(Status::Stopped(signal, None)),
        };
        if let Some(path) = &self.html {
            page::write(path, &session.site(), &summary, &findings)?;
        }
        let new = findings.finish(&summary)?;
        note(format!(
            "{} of {} as of {}: {}, {new} new",
            count(summary.contacts, "contact"),
            count(summary.owners, "owner"),
            summary.known_at,
            count(summary.findings(), "finding"),
        ));
        if let Some(set) = &set {
            let opened = ChangeSet::open(set.path())?;
            let (changes, set) = (opened.totals()?.all(), quoted(&name(set.path())));
            note(match changes {
                0 => format!("nothing of it can be mended by a rule: {set} has no changes"),
                _ => format!("{} in {set}: `crm show {set}` lists them", count(changes, "change")),
            });
            let planned = summary::Summary::of(&opened, 0)?;
            let planned = planned.needs_approval(session.requires_approval());
            planned.next_lines().into_iter().for_each(note);
        }
        Ok(if self.detailed_exitcode && new > 0 { Status::ChangesPlanned } else { Status::Done })
    }

    fn begin_baseline(&self, path: &Path) -> Result<(PathBuf, AtomicWriter), CliError> {
        self.overwrite.spare(path)?;
        let file = AtomicWriter::create(path).map_err(CliError::unwritten(path))?;
        Ok((path.to_owned(), file))
    }

    fn rules(&self) -> Rules {
        if self.rule.is_empty() {
            self.except.iter().fold(Rules::ALL, |rules, rule| rules.without(*rule))
        } else {
            Rules::only(self.rule.iter().copied())
        }
    }

    /// Brings the snapshot up to date, audits it, and makes the set that was asked for meanwhile.
    async fn audit(
        &self,
        session: &Session<'_>,
        audit: Audit,
        findings: &mut Findings<'_>,
        set: Option<&Path>,
    ) -> Result<Summary, CliError> {
        let file = self.snapshot.as_deref();
        let reader = self.numbers.reader(session.region()?);
        let known = if self.offline {
            known::as_it_is(session, file, reader.region()).await?
        } else {
            // Whatever its age: what a set has mended since is not to be found again.
            known::fresh(session, file, Need::Owners, reader.region()).await?
        };
        let snapshot = &known.snapshot;
        // By any rules: nothing is proposed for those who left.
        let audit = self.with_owners(audit, snapshot)?;
        let again = || Snapshot::open(snapshot.path());
        let Some(set) = set else {
            return examine(audit, again()?, findings, None).await;
        };
        let (rows, arriving) = mpsc::channel(AHEAD);
        let plan = Plan::new(session.site()).snapshot(again()?).values(mend::values(reader));
        let plan = plan.from_snapshot(mend::input(arriving), set);
        let plan = async { plan.await.map_err(told) };
        let examined = examine(audit, again()?, findings, Some(rows));
        let (summary, _) = tokio::try_join!(examined, plan)?;
        self.names.find(session, Some(snapshot.path()), self.offline, set).await;
        Ok(summary)
    }

    /// Lets the audit know which customers and locations are in use, and whose locations are whose,
    /// and tells which rules are left out where the mirror does not.
    fn with_owners(&self, audit: Audit, mirror: &Snapshot) -> Result<Audit, CliError> {
        let rules = Owners::answerable(mirror, self.rules())?;
        let missing: Vec<_> = self.rules().iter().filter(|rule| !rules.contains(*rule)).collect();
        if !missing.is_empty() {
            let missing: Vec<_> = missing.into_iter().map(Rule::name).collect();
            note(format!(
                "left out: {}; the mirror does not have the customers and locations that they ask \
                 for (`crm mirror status` says why)",
                missing.join(", ")
            ));
        }
        Ok(audit.rules(rules).owners(Owners::of(mirror)?))
    }
}

/// Audits a snapshot on a thread of its own, and hands on what is found.
async fn examine(
    audit: Audit,
    snapshot: Snapshot,
    findings: &mut Findings<'_>,
    rows: Option<mpsc::Sender<crm_bulk::Row>>,
) -> Result<Summary, CliError> {
    let (sender, mut found) = mpsc::channel::<Examined>(AHEAD);
    let audited = tokio::task::spawn_blocking(move || {
        // Nobody waits for it any more, as after a signal.
        let gone = || CliError::io("the audit", io::ErrorKind::BrokenPipe.into());
        audit.run(&snapshot, |examined| sender.blocking_send(examined).map_err(|_| gone()))
    });
    while let Some(examined) = found.recv().await {
        findings.add(&examined)?;
        for row in rows.iter().flat_map(|_| mend::rows(&examined)) {
            // A plan that ended has said why.
            if let Some(rows) = &rows
                && rows.send(row).await.is_err()
            {
                break;
            }
        }
    }
    audited.await.map_err(|error| CliError::io("the audit", io::Error::other(error)))?
}

fn read_baseline(path: &Path) -> Result<Baseline, CliError> {
    let file = fs::File::open(path).map_err(CliError::unread(path))?;
    Baseline::read(BufReader::new(file)).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => CliError::Usage(format!("{}: {error}", path.display())),
        _ => CliError::unread(path)(error),
    })
}
