//! The findings as one page for people.

use std::{io::Write, path::Path};

use crm_audit::Summary;
use crm_bulk::{AtomicWriter, Site, page};
use maud::{Markup, html};

use super::findings::{Example, Findings, certainty};
use crate::{
    error::CliError,
    output::{count, crm},
};

/// What it is, by which an earlier one is known.
pub(super) const KIND: &str = "audit";

/// Writes the page: how much each rule found, as bars, and under it what the rules mean, with the
/// examples that there are.
pub(super) fn write(
    path: &Path,
    site: &Site,
    summary: &Summary,
    findings: &Findings<'_>,
) -> Result<(), CliError> {
    let found: Vec<_> = summary.by_rule().filter(|(_, found)| *found > 0).collect();
    let most = found.iter().map(|(_, found)| *found).max().unwrap_or(1);
    let body = html! {
        (page::begin(KIND, "What is wrong with the contacts"))
        dl {
            dt { "Tenant" } dd { (site.tenant()) }
            dt { "Server" } dd { (page::foreign(site.environment())) }
            dt { "Contacts as of" } dd { (page::time(summary.known_at)) }
            dt { "Contacts" } dd { (count(summary.contacts, "contact")) " of " (count(summary.owners, "owner")) }
            dt { "Findings" } dd { (summary.findings()) }
            dt { "To be mended" } dd { (count(summary.proposals, "contact")) ", by what the rules propose" }
        }
        h2 { "By rule" }
        @if found.is_empty() { p { "Nothing was found." } }
        @else {
            table {
                thead { tr { th { "Rule" } th { "Found" } th { "New" } th { "Certainty" } th { "Means" } } }
                tbody {
                    @for (rule, found) in &found {
                        tr {
                            td data-label="Rule" { code { (rule) } }
                            td data-label="Found" {
                                (found)
                                span.bar style={ "width:" (found * 100 / most) "%" } {}
                            }
                            td data-label="New" { (findings.told(*rule).new) }
                            td data-label="Certainty" { (certainty(*rule)) }
                            td data-label="Means" {
                                (rule.title())
                                @if rule.writes() { " " small { "A change is proposed." } }
                            }
                        }
                    }
                }
            }
        }
        @for (rule, found) in &found {
            @let examples = findings.told(*rule).examples;
            h2 { (rule.title()) " " small { code { (rule) } } }
            p { (prose(rule.meaning())) }
            @if (examples.len() as u64) < *found {
                p.note {
                    "The first " (examples.len()) " of " (found) " are shown here. "
                    code { (crm()) " audit --rule " (rule) " --output csv" } " lists all."
                }
            }
            table.even {
                thead { tr { th { "Contact" } th { "Found" } } }
                tbody {
                    @for Example { named, place, detail } in examples {
                        tr {
                            td data-label="Contact" {
                                @if let Some(named) = named { b { (page::foreign(named)) } br; }
                                small { (place) }
                            }
                            td data-label="Found" {
                                @if !detail.is_empty() { (page::foreign(detail)) }
                            }
                        }
                    }
                }
            }
        }
        (page::end())
    };
    let unwritten = CliError::unwritten(path);
    let mut file = AtomicWriter::create(path).map_err(&unwritten)?;
    file.write_all(body.into_string().as_bytes()).map_err(&unwritten)?;
    file.finish().map_err(&unwritten)
}

/// A text in which what is between backticks is code.
fn prose(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
