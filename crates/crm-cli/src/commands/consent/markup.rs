//! What the pages about wishes have in common.

use crm_bulk::page::{foreign, time};
use crm_consent::PolicyUsed;
use maud::{Markup, html};

/// The policies by which last days were counted.
pub(super) fn policies(policies: &[PolicyUsed]) -> Markup {
    html! {
        ul {
            @for policy in policies {
                li {
                    (foreign(&policy.name))
                    @match (policy.record, &policy.at, &policy.by) {
                        (Some(record), Some(since), Some(by)) => {
                            ", since " (at(since)) ", set by " (foreign(by)) " (record " (record) ")"
                        }
                        _ => ", the default",
                    }
                    br; small { "SHA-256 of its text " code { (policy.sha256) } }
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
