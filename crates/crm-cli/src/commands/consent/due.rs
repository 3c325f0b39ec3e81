//! `crm consent due`: what has to be done by when.

use clap::Args;
use crm_consent::{Due, Ledger};
use crm_mirror::Mirror;

use crate::{
    commands::age::{is_behind, tell_age},
    desk::Desk,
    error::CliError,
    output::{Output, count, note, records},
    status::Status,
};

/// List the contacts that receive marketing although their number or address is out
///
/// From the desk's mirror, without a call: bring it up to date first with `crm mirror update`. Each
/// has the last day in time, by the policy, and how many days it is late; a contact that was created
/// after the wish has a clock of its own. The code is 10 where one is late. The contact methods of
/// people are not covered: `crm opt-out` finds them.
#[derive(Debug, Args)]
pub(crate) struct DueCommand {}

records! {
    Due {
        "deadline" => "BY", "daysLate" => "LATE", "value" => "VALUE", "ownerKind" => "OF",
        "ownerId" => "ID", "contactId" => "CONTACT", "record" => "RECORD", "received",
        "isKnown", "created",
    }
}

impl DueCommand {
    pub(crate) fn run(
        self,
        ledger: &Ledger,
        desk: Option<&Desk>,
        output: &Output,
    ) -> Result<Status, CliError> {
        let records = output.records::<Due>()?;
        let desk = desk.filter(|desk| desk.mirror().exists()).ok_or_else(|| {
            CliError::Usage(
                "this account has no mirror yet: `crm mirror update` makes one".to_owned(),
            )
        })?;
        let mirror = Mirror::open(desk.mirror())?;
        tell_age("the mirror", &mirror, is_behind(desk, &mirror)?)?;
        let due = ledger.due(&mirror)?;
        let late = due.iter().filter(|due| due.days_late > 0).count() as u64;
        note(format!("{} due, {late} of them late", count(due.len() as u64, "contact")));
        records.all(due)?;
        Ok(if late > 0 { Status::Consent } else { Status::Done })
    }
}
