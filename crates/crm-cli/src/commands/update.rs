//! What became of an update, shown alike for every kind of record.

use crm_contacts::{ContactsError, Difference, Updated};
use serde::Serialize;

use crate::{
    error::CliError,
    output::{Output, Record, Records},
    report,
    write_guard::Withheld,
};

/// Shows what an update of `subject` changed; of a dry run, what it would change.
pub(super) fn show<R: Record, A: crm_contacts::Record + Serialize>(
    output: &Output,
    records: Records<'_, R>,
    subject: &str,
    planned: &[Difference],
    updated: Result<Updated<A>, ContactsError>,
) -> Result<(), CliError> {
    match updated.map_err(CliError::from) {
        Ok(updated) => records.updated(subject, &updated.differences(), &updated.after),
        Err(error) => match error.withheld() {
            Some(Withheld::DryRun(request)) => report::dry_run(subject, planned, request, output),
            _ => Err(error),
        },
    }
}
