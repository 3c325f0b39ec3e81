//! `crm audit explain`: what a rule means.

use clap::Subcommand;
use crm_audit::Rule;
use serde::Serialize;

use super::findings::certainty;
use crate::{error::CliError, output::Output, status::Status};

/// What is asked about the rules.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditTopic {
    /// Say what rules mean, how certain they are, and what they propose
    Explain {
        /// The rules; without them all
        #[arg(value_name = "RULE")]
        rules: Vec<Rule>,
    },
}

/// The rules to be explained.
#[derive(Debug)]
pub(crate) struct Explanation(Vec<Rule>);

/// A rule, for programs.
#[derive(Serialize)]
struct Explained {
    rule: &'static str,
    title: &'static str,
    certainty: &'static str,
    proposes: bool,
    meaning: &'static str,
    examples: &'static [&'static str],
}

impl AuditTopic {
    pub(super) fn explanation(&self) -> Explanation {
        let Self::Explain { rules } = self;
        Explanation(if rules.is_empty() { Rule::ALL.to_vec() } else { rules.clone() })
    }
}

impl Explanation {
    pub(crate) fn write(&self, output: &Output) -> Result<Status, CliError> {
        let written = if output.is_json() {
            let explained: Vec<_> = self.0.iter().map(|rule| explained(*rule)).collect();
            output.value(&explained)
        } else {
            let texts: Vec<_> = self.0.iter().map(|rule| text(*rule)).collect();
            output.text(&texts.join("\n\n"))
        };
        written.map_err(|error| CliError::io("cannot write the answer", error))?;
        Ok(Status::Done)
    }
}

fn explained(rule: Rule) -> Explained {
    Explained {
        rule: rule.name(),
        title: rule.title(),
        certainty: certainty(rule),
        proposes: rule.writes(),
        meaning: rule.meaning(),
        examples: rule.examples(),
    }
}

fn text(rule: Rule) -> String {
    let effect = if rule.writes() { "proposes a change" } else { "only tells" };
    let examples = rule.examples().iter().map(|example| format!("\n  {example}"));
    format!(
        "{rule}: {}\n{}\nA finding is {}; the rule {effect}. For example:{}",
        rule.title(),
        rule.meaning(),
        certainty(rule),
        examples.collect::<String>()
    )
}

/// The rules, for the end of the long help.
pub(super) fn help() -> String {
    let lines = Rule::ALL.map(|rule| {
        let mark = if rule.writes() { "*" } else { " " };
        format!("  {mark} {:15} {}\n", rule.name(), rule.title())
    });
    format!(
        "Rules (* proposes changes); `crm audit explain RULE` says what one means:\n{}",
        lines.concat()
    )
}
