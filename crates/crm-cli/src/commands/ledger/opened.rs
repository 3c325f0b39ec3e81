//! The ledger of a desk.

use std::path::PathBuf;

use crm_consent::Ledger;
use crm_values::PhoneReader;

use crate::{
    commands::args::NumberArgs,
    desk::{Desk, Whereabouts},
    error::CliError,
};

/// Opens the ledger of a desk, which is begun if need be.
pub(in crate::commands) fn begin(desk: &Desk, numbers: &NumberArgs) -> Result<Ledger, CliError> {
    let ledger = Ledger::open_or_create(desk.ledger(), &desk.card().site())?;
    Ok(ledger.numbers(numbers.reader(desk.region())))
}

/// Opens the ledger of a desk, if there is one.
pub(in crate::commands) fn open(desk: &Desk) -> Result<Option<Ledger>, CliError> {
    let file = desk.ledger();
    let is_there = file.exists();
    let ledger = is_there.then(|| Ledger::open(file, &desk.card().site())).transpose()?;
    // As the numbers of the mirror and of the lists are read.
    Ok(ledger.map(|ledger| ledger.numbers(PhoneReader::new(desk.region()))))
}

/// Opens the ledger of an account that has one.
pub(in crate::commands) fn existing(place: &Whereabouts) -> Result<Ledger, CliError> {
    let ledger = place.existing()?.map(open).transpose()?.flatten();
    ledger.ok_or_else(|| {
        let folder = place.folder().map(PathBuf::from).unwrap_or_default();
        CliError::Usage(format!(
            "this account has no consent ledger in {}: `crm consent import` or `add` begins one",
            folder.display()
        ))
    })
}
