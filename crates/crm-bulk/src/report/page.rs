//! What every page begins with, also those that other crates of this workspace make.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::set::SetInfo;

pub use super::{hashed::Hashed, markup::foreign, section::Section, words::time};

const STYLE: &str = include_str!("page.css");

/// A page about a change set.
pub const SET: &str = "set";

/// What is at the beginning of each page of a kind, by which it can be told from other files.
#[must_use]
pub fn mark(kind: &str) -> String {
    format!("<meta name=\"generator\" content=\"crm {kind}\">")
}

/// By what the page of a set says which set it is about. No foreign text can look like it: on a page
/// none has a quotation mark.
#[must_use]
pub fn stated(set: &SetInfo) -> String {
    format!("data-set=\"{}\"", identity(set))
}

/// What remains the same whatever is decided about a set and done of it, and differs from set to set. Its
/// digest does not: it is another one once a change was dropped.
pub(super) fn identity(set: &SetInfo) -> String {
    let never_change = serde_json::json!([
        set.site.tenant().get(),
        set.site.environment(),
        set.kind.as_str(),
        set.created_at.map(|at| at.to_string()),
        set.known_at.map(|at| at.to_string()),
        set.planned_by,
        set.source,
        set.undo_of,
    ]);
    hex::encode(Sha256::digest(never_change.to_string()))
}

/// The page of a kind down to its heading. The body stays open: [`end`] ends it.
#[must_use]
pub fn begin(kind: &str, title: &str) -> Markup {
    html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            (PreEscaped(mark(kind)))
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (title) }
            style { (PreEscaped(STYLE)) }
        }
        (PreEscaped("<body>"))
        h1 { (title) }
    }
}

/// What a page says last.
#[must_use]
pub fn end() -> Markup {
    html! {
        footer {
            p {
                "Numbers and addresses on this page are personal data: keep it as you keep your \
                 customers' files."
            }
        }
        (PreEscaped("</body></html>\n"))
    }
}
