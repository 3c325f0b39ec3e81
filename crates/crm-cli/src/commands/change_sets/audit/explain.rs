//! `crm audit explain`: what a rule means.

use crm_audit::Rule;
use serde::Serialize;

use super::findings::certainty;
use crate::{error::CliError, output::Output, status::Status};

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

/// Says what these rules mean.
pub(super) fn write(rules: &[Rule], output: &Output) -> Result<Status, CliError> {
    let written = if output.is_json() {
        let explained: Vec<_> = rules.iter().map(|rule| explained(*rule)).collect();
        output.value(&explained)
    } else {
        let texts: Vec<_> = rules.iter().map(|rule| text(*rule)).collect();
        output.text(&texts.join("\n\n"))
    };
    written.map_err(|error| CliError::io("cannot write the answer", error))?;
    Ok(Status::Done)
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
