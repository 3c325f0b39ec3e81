//! What a person wishes.

/// What a row says about a number or an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wish {
    /// To receive no marketing.
    Out,
    /// To receive marketing.
    In,
    /// No wish: the status is blank, pending, or that of an address that does not work.
    Neither,
    /// The list has no column for it, so the command alone says what is meant.
    Unsaid,
}

/// What several columns say together; `None` if they contradict each other.
pub(super) fn together(wishes: impl IntoIterator<Item = Wish>) -> Option<Wish> {
    let mut all = Wish::Neither;
    for wish in wishes {
        match (all, wish) {
            (Wish::Out, Wish::In) | (Wish::In, Wish::Out) => return None,
            (_, Wish::Out | Wish::In) => all = wish,
            _ => {}
        }
    }
    Some(all)
}
