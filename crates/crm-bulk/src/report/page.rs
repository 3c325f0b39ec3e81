//! What every page begins with, also those that other crates of this workspace make.

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use super::{hashed::Hashed, markup::foreign, section::Section, words::time};

const STYLE: &str = include_str!("page.css");

/// A page about a change set.
pub const SET: &str = "set";

/// What is at the beginning of each page of a kind, by which it can be told from other files.
#[must_use]
pub fn mark(kind: &str) -> String {
    format!("<meta name=\"generator\" content=\"crm {kind}\">")
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
