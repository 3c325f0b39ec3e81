//! A part of a page that shows what fits and counts the rest.

use maud::{Markup, PreEscaped, html};

/// How long the list of a section gets: with the few sections of a page, it stays below a megabyte,
/// which any device opens at once.
pub(super) const BYTES: usize = 192 * 1024;

/// A list with its heading.
#[derive(Debug)]
pub struct Section {
    heading: &'static str,
    /// What comes before the list and after it.
    around: [&'static str; 2],
    list: String,
    shown: u64,
    all: u64,
    is_full: bool,
}

impl Section {
    /// Begins a list; `around` is what stands before its items and after them.
    #[must_use]
    pub fn new(heading: &'static str, around: [&'static str; 2]) -> Self {
        Self { heading, around, list: String::new(), shown: 0, all: 0, is_full: false }
    }

    /// Adds an item, shown if it still fits. From the first that does not, none is shown, so that
    /// those which are come first in the input, too.
    pub fn add(&mut self, item: impl FnOnce() -> Markup) {
        self.all += 1;
        if self.is_full {
            return;
        }
        let item = item().into_string();
        self.is_full = self.shown > 0 && self.list.len() + item.len() > BYTES;
        if !self.is_full {
            self.list.push_str(&item);
            self.shown += 1;
        }
    }

    /// Whether there are no items.
    pub(super) fn is_empty(&self) -> bool {
        self.all == 0
    }

    /// Whether items are only counted from here on.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Says how many items there are, for a list that was left when it was full.
    pub(super) fn set_all(&mut self, all: u64) {
        self.all = all;
    }

    /// The section, unless it is empty; `rest` says where all items are.
    #[must_use]
    pub fn markup(&self, rest: &Markup) -> Markup {
        let [before, after] = self.around.map(|html| PreEscaped(html.to_owned()));
        html! {
            @if self.all > 0 {
                h2 { (self.heading) }
                @if self.shown < self.all {
                    p.note { "The first " (self.shown) " of " (self.all) " are shown here. " (rest) }
                }
                (before) (PreEscaped(&self.list)) (after)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_shows_what_fits_and_counts_all() {
        let mut section = Section::new("Rows", ["<ul>", "</ul>"]);
        let rest = html! { "All are elsewhere." };
        assert_eq!(section.markup(&rest).into_string(), "");
        section.add(|| html! { li { "first" } });
        let whole = "<h2>Rows</h2><ul><li>first</li></ul>";
        assert_eq!(section.markup(&rest).into_string(), whole);
        for _ in 0..10 {
            section.add(|| html! { li { ("x".repeat(BYTES / 4)) } });
        }
        // A short one that would fit is not taken before longer ones.
        section.add(|| html! { li { "last" } });
        let page = section.markup(&rest).into_string();
        assert!(
            page.contains("The first 4 of 12 are shown here. All are elsewhere."),
            "{page:.200}"
        );
        assert!(page.len() < BYTES + 200 && !page.contains("last"));
    }
}
