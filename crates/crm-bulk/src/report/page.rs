//! What every page begins with, also those that other crates of this workspace make.

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use super::{hashed::Hashed, markup::foreign, section::Section, words::time};

const STYLE: &str = include_str!("page.css");

/// What is at the beginning of each page, by which it can be told from other files.
pub const MARK: &str = "<meta name=\"generator\" content=\"crm\">";

/// The page down to its heading. The body stays open: [`end`] ends it.
#[must_use]
pub fn begin(title: &str) -> Markup {
    html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            (PreEscaped(MARK))
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
