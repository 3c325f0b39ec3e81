//! What was found, on its way to those who read it.

use std::{fmt, io::Write, path::PathBuf};

use crm_audit::{Baseline, Examined, Finding, Rule, Summary};
use crm_bulk::{AtomicWriter, NamedOwner, visible};
use serde::Serialize;

use super::entry::Entry;
use crate::{
    error::CliError,
    globals::Format,
    output::{Output, Records, records},
};

/// A rule with what it found, for people.
#[derive(Serialize)]
struct Counted {
    rule: &'static str,
    found: u64,
    new: u64,
    certainty: &'static str,
    proposes: &'static str,
    means: &'static str,
}

records! {
    Counted {
        "rule" => "RULE", "found" => "FOUND", "new" => "NEW", "certainty" => "CERTAINTY",
        "proposes" => "PROPOSES", "means" => "MEANS",
    }
}

/// How many examples of a rule a page shows: with twenty rules it stays a page.
const ON_PAGE: usize = 50;

/// What is told of a rule.
pub(super) struct Told<'a> {
    /// How many of its findings are not in the baseline.
    pub(super) new: u64,
    /// The first findings.
    pub(super) examples: &'a [Example],
}

/// One finding of a rule, for people.
pub(super) struct Example {
    /// The owner's name and town, if they are known.
    pub(super) named: Option<String>,
    /// The ids.
    pub(super) place: String,
    /// What is so, beyond the rule's own words.
    pub(super) detail: String,
}

impl Example {
    fn of(examined: &Examined, finding: &Finding) -> Self {
        let named = examined.details.as_ref().map(|details| NamedOwner::known(details).to_string());
        Self {
            named: named.filter(|named| !named.is_empty()),
            place: format!("{}, contact {}", examined.owner, finding.contact),
            detail: finding.detail.clone(),
        }
    }
}

/// On one line, in the order of `crm show`.
impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { named, place, detail } = self;
        if let Some(named) = named {
            write!(f, "{named} · ")?;
        }
        f.write_str(place)?;
        if detail.is_empty() { Ok(()) } else { write!(f, ": {detail}") }
    }
}

/// Takes findings one owner after the other: writes them for programs, and counts them for people.
pub(super) struct Findings<'a> {
    output: &'a Output,
    /// None for people, who read counts at the end.
    entries: Option<Records<'a, Entry>>,
    baseline: Baseline,
    accepted: Option<(PathBuf, AtomicWriter)>,
    sample: usize,
    /// How many examples a page shows.
    on_page: usize,
    new: [u64; Rule::ALL.len()],
    examples: [Vec<Example>; Rule::ALL.len()],
}

impl<'a> Findings<'a> {
    pub(super) fn new(
        output: &'a Output,
        baseline: Baseline,
        accepted: Option<(PathBuf, AtomicWriter)>,
        sample: usize,
    ) -> Result<Self, CliError> {
        let entries = match output.format() {
            Format::Table => None,
            _ => Some(output.records::<Entry>()?),
        };
        let (new, examples) = ([0; Rule::ALL.len()], Rule::ALL.map(|_| Vec::new()));
        Ok(Self { output, entries, baseline, accepted, sample, on_page: 0, new, examples })
    }

    /// Keeps as many examples as a page shows.
    pub(super) fn for_page(self) -> Self {
        Self { on_page: ON_PAGE, ..self }
    }

    /// What is told of a rule.
    pub(super) fn told(&self, rule: Rule) -> Told<'_> {
        Told { new: self.new[rule as usize], examples: &self.examples[rule as usize] }
    }

    /// Adds what was found at one owner.
    pub(super) fn add(&mut self, examined: &Examined) -> Result<(), CliError> {
        for finding in &examined.findings {
            let place = finding.rule as usize;
            self.new[place] += u64::from(!self.baseline.contains(examined.owner, finding));
            if self.examples[place].len() < self.sample.max(self.on_page) {
                self.examples[place].push(Example::of(examined, finding));
            }
            if let Some((path, file)) = &mut self.accepted {
                let line = Baseline::line(examined.owner, finding);
                writeln!(file, "{line}").map_err(CliError::unwritten(path))?;
            }
        }
        self.write_entries(examined)
    }

    fn write_entries(&mut self, examined: &Examined) -> Result<(), CliError> {
        let Some(entries) = &mut self.entries else {
            return Ok(());
        };
        let proposals = examined.proposals();
        for contact in &examined.contacts {
            let of_contact = || examined.findings.iter().filter(|it| it.contact == contact.id);
            let proposal = proposals.get(&contact.id);
            if proposal.is_none() && of_contact().next().is_none() {
                continue;
            }
            let is_new = of_contact().any(|it| !self.baseline.contains(examined.owner, it));
            entries
                .push(&Entry::of(examined, contact, proposal, is_new))
                .map_err(|error| CliError::io("cannot write the answer", error))?;
        }
        Ok(())
    }

    /// Writes what each rule found, and in one line which rules found nothing.
    fn table(&self, summary: &Summary) -> Result<(), CliError> {
        let (found, nothing): (Vec<_>, Vec<_>) =
            summary.by_rule().partition(|(_, found)| *found > 0);
        let counted: Vec<_> = found
            .into_iter()
            .map(|(rule, found)| Counted {
                rule: rule.name(),
                found,
                new: self.new[rule as usize],
                certainty: certainty(rule),
                proposes: if rule.writes() { "yes" } else { "" },
                means: rule.title(),
            })
            .collect();
        let records = self.output.records::<Counted>()?;
        if !counted.is_empty() {
            records.all(counted)?;
        }
        if !nothing.is_empty() {
            let rules: Vec<_> = nothing.into_iter().map(|(rule, _)| rule.name()).collect();
            self.output.text(&format!("nothing found: {}", rules.join(", ")))?;
        }
        Ok(())
    }

    /// Writes what comes last; returns how many findings are new.
    pub(super) fn finish(self, summary: &Summary) -> Result<u64, CliError> {
        let unwritten = |error| CliError::io("cannot write the answer", error);
        match self.entries {
            Some(entries) => entries.finish().map_err(unwritten)?,
            None => {
                self.table(summary)?;
                for (rule, _) in summary.by_rule() {
                    for example in self.examples[rule as usize].iter().take(self.sample) {
                        let line = format!("{rule}: {}", visible(&example.to_string()));
                        self.output.text(&line).map_err(unwritten)?;
                    }
                }
            }
        }
        if let Some((path, file)) = self.accepted {
            file.finish().map_err(CliError::unwritten(&path))?;
        }
        Ok(self.new.iter().sum())
    }
}

/// How certain a rule is, in a word.
pub(super) fn certainty(rule: Rule) -> &'static str {
    <&str>::from(rule.certainty())
}
