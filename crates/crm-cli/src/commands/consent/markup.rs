//! What the pages about wishes have in common.

use crm_bulk::page::{foreign, time};
use crm_consent::{PolicyUsed, ShownKey};
use maud::{Markup, html};

use crate::output::count;

/// Which of several policies decides.
pub(super) fn which_decides() -> Markup {
    html! {
        p {
            "The last day of a copy is that of the policy that was in force when the wish was received \
             (or came into the ledger, where nobody knows when that was), or that of the policy in \
             force today, where it is earlier: no policy that comes later makes a wish less late. By \
             the same two it is decided whether a wish counts for all kinds of messages: it does if \
             one of them says so. Policies are what the owner of the ledger has set, or the default of \
             the program: no legal advice."
        }
    }
}

/// The policies by which last days were counted.
pub(super) fn policies(policies: &[PolicyUsed]) -> Markup {
    html! {
        ul {
            @for policy in policies {
                li {
                    b { (foreign(&policy.name)) }
                    @match (policy.record, &policy.at, &policy.by) {
                        (Some(record), Some(since), Some(by)) => {
                            ", since " (at(since)) ", set by " (foreign(by)) " (record " (record) ")"
                        }
                        _ => ", the default",
                    }
                    ": " (count(policy.business_days, "business day")) " in " (policy.time_zone)
                    ", without weekends and its holidays; for all kinds of messages from "
                    (policy.all_kinds_from) " on. As of " (policy.as_of) ", by"
                    ul { @for source in &policy.sources { li { (foreign(source)) } } }
                    details {
                        summary { "Its text, of which the SHA-256 is " code { (policy.sha256) } }
                        pre { @for line in policy.text.lines() { (foreign(line)) "\n" } }
                    }
                }
            }
        }
    }
}

/// A moment as it is kept, for people.
pub(super) fn at(text: &str) -> Markup {
    html! {
        @match text.parse() { Ok(at) => { (time(at)) } Err(_) => (foreign(text)), }
    }
}

/// A key that signs or did, and whether the one before has handed over to it.
pub(super) fn key(shown: &ShownKey) -> Markup {
    let ShownKey { record, since, by, fingerprint, handed_over, lost, .. } = shown;
    html! {
        li {
            code { (fingerprint) } ", signs since " (at(since)) ", set by " (foreign(by)) " (record "
            (record) "): "
            @match handed_over {
                None => "the first key of the ledger.",
                Some(true) => "the key before has signed that it hands over to this one.",
                Some(false) => {
                    b.bad { "no key before has handed over to it." }
                    " Anybody who could write the ledger could have had it sign."
                    @if let Some(reason) = lost { " The reason that was given: “" (foreign(reason)) "”" }
                }
            }
        }
    }
}
