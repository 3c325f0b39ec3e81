//! Which wish of the ledger asks for a change.

use crm_bulk::{Change, State};
use crm_consent::{ConsentError, Heard, Ledger, Scope, Wish};

use super::late::turned_off;
use crate::{
    error::CliError,
    output::{count, moment, received},
};

/// The wish that asks for what a change turns off.
#[derive(Debug)]
pub(in crate::commands) struct Asked {
    /// The one that decides.
    pub(in crate::commands) wish: Heard,
    /// Those that came by another way and say the same: one of them decides once the first is taken back.
    pub(in crate::commands) others: Vec<Heard>,
}

/// The wish that asks for what a change turns off, if one stands: for marketing, or for the other kinds of
/// messages.
pub(in crate::commands) fn asked_by(
    ledger: &Ledger,
    change: &Change,
) -> Result<Option<Asked>, CliError> {
    let Some(value) = change.value() else {
        return Ok(None);
    };
    let off = turned_off(change);
    for scope in [Scope::Marketing, Scope::All] {
        if off.iter().any(|preference| Scope::of(*preference) == scope)
            && let Some(asked) = asked_for(ledger, value, scope)?
        {
            return Ok(Some(asked));
        }
    }
    Ok(None)
}

fn asked_for(ledger: &Ledger, value: &str, scope: Scope) -> Result<Option<Asked>, CliError> {
    let standing = match ledger.status(value, scope) {
        Ok(standing) if standing.wish == Some(Wish::Out) => standing,
        // No wish can be of what is neither a number nor an address.
        Ok(_) | Err(ConsentError::Value(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let (decides, others): (Vec<_>, Vec<_>) =
        standing.heard.into_iter().partition(|heard| Some(heard.record) == standing.decided_by);
    let Some(wish) = decides.into_iter().next() else {
        return Ok(None);
    };
    let says_so = |other: &Heard| {
        let came_with_it = other.import.is_some() && other.import == wish.import;
        other.wish == Wish::Out && other.honoured && !other.retracted && !came_with_it
    };
    let others = others.into_iter().filter(says_so).collect();
    Ok(Some(Asked { wish, others }))
}

/// What is said of a change that a person took out of a set although a wish asks for it.
pub(super) fn still_stands(ledger: &Ledger, change: &Change) -> Result<Option<String>, CliError> {
    if change.outcome.state != State::Dropped {
        return Ok(None);
    }
    let Some(Asked { wish, others }) = asked_by(ledger, change)? else {
        return Ok(None);
    };
    let others = others_in_words(&others).map(|others| format!(" {others}")).unwrap_or_default();
    Ok(Some(format!(
        "The wish stands all the same ({}), and the next `crm consent run` carries it out.{others}",
        in_words(&wish)
    )))
}

/// A sentence about the wishes that say the same as one that decides, if there are any.
pub(in crate::commands) fn others_in_words(others: &[Heard]) -> Option<String> {
    let first = others.first()?;
    let more = others.len() as u64 - 1;
    let more = (more > 0).then(|| format!(" and {}", count(more, "other")));
    Some(format!(
        "Another wish of the same number or address says so too and stands without it: {}{}.",
        in_words(first),
        more.unwrap_or_default()
    ))
}

/// Which wish it is, with its dates.
fn in_words(wish: &Heard) -> String {
    let Heard { record, recorded_at, recorded_by, .. } = wish;
    let (received, taken_in) = (received(wish), moment(recorded_at));
    format!("record {record}, {received}, taken in {taken_in} by {recorded_by}")
}
