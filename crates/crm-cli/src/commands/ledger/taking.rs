//! What a list brings into the ledger.

use crm_bulk::{Input, List, ListOptions};
use crm_consent::{Import, Imported, Verdict, Wish};

use super::opened::open;
use crate::{desk::Desk, error::CliError, output::note};

/// Takes the wishes of a list into the ledger of a desk that has one; returns what came in.
pub(in crate::commands) fn take(
    desk: &Desk,
    list: Input,
    options: &ListOptions,
    says: Wish,
) -> Result<Option<Imported>, CliError> {
    let Some(mut ledger) = open(desk)? else {
        return Ok(None);
    };
    let mut list = List::read(list, options)?;
    let imported = ledger.import(&mut list, &Import::new().says(says))?;
    note(format!("consent ledger: {}", told(list.name(), &imported)));
    Ok(Some(imported))
}

/// What came of a list, in one line.
pub(in crate::commands) fn told(name: &str, imported: &Imported) -> String {
    let Imported { import, new, known, rows, .. } = imported;
    let of = |verdict| rows.iter().filter(|row| row.verdict == verdict).count();
    let (out, into) = (of(Verdict::Out), of(Verdict::In));
    let (neither, unread) = (of(Verdict::Neither), of(Verdict::Unreadable));
    let before = if imported.is_known { ", which has been taken before" } else { "" };
    if rows.is_empty() {
        return format!(
            "{name}: a header and no rows, so nothing is taken; import {import}{before}"
        );
    }
    format!(
        "{name}: {out} out, {into} in, {neither} neither, {unread} cannot be read; {new} new, {known} \
         known; import {import}{before}"
    )
}
