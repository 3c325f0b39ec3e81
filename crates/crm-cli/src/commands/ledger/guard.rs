//! Nothing turns marketing on against a wish of the ledger, unless somebody says so.

use std::{fs, path::Path};

use clap::Args;
use crm_bulk::{Apply, ChangeSet, Selection, Target, UndoTerms, speaks_of_marketing};
use crm_consent::Guard;
use crm_models::{Contact, ContactChange, MethodPreference};

use super::opened::open;
use crate::{
    commands::args::MethodArgs,
    desk::Desk,
    error::CliError,
    output::{count, note},
    session::Session,
};

/// Whether marketing may be turned on against a wish.
#[derive(Debug, Default, Args)]
pub(crate) struct OverrideArgs {
    /// Turn marketing on also for numbers and addresses whose last wish in the consent ledger is to be
    /// left alone; the reason is recorded there. The wish stands: the next `crm consent run` turns it
    /// off again. Where somebody wishes to be written to, take that in instead, with `crm consent add
    /// --wish in`
    #[arg(long, value_name = "REASON")]
    override_consent: Option<String>,
}

impl OverrideArgs {
    /// The guard of a desk that has a ledger, which records nothing while nothing is sent.
    fn guard(&self, desk: Option<&Desk>) -> Result<Option<Guard>, CliError> {
        let ledger = desk.map(open).transpose()?.flatten();
        Ok(ledger.map(|ledger| {
            let guard = Guard::new(ledger);
            match &self.override_consent {
                Some(reason) => guard.overridden(reason),
                None => guard,
            }
        }))
    }

    /// Has a run ask the ledger of a desk about each change; of a set of the ledger also whether its
    /// wish still stands.
    pub(in crate::commands) fn of_run(
        &self,
        apply: Apply,
        desk: Option<&Desk>,
        is_dry: bool,
        is_of_ledger: bool,
    ) -> Result<Apply, CliError> {
        let guard = self.guard(desk)?;
        let guard = guard.map(|guard| if is_of_ledger { guard.only_wished() } else { guard });
        if guard.is_some() && self.override_consent.is_some() {
            note(LASTS);
        }
        Ok(match guard {
            // What is not sent is not recorded as sent.
            Some(_) if is_dry && self.override_consent.is_some() => apply,
            Some(guard) => apply.before(move |proposal| std::future::ready(guard.judge(&proposal))),
            None => apply,
        })
    }

    /// Has an undo hold what would turn marketing on against a wish, unless that is overridden.
    pub(in crate::commands) fn of_undo(
        &self,
        desk: Option<&Desk>,
        terms: UndoTerms,
    ) -> Result<UndoTerms, CliError> {
        let guard = self.guard(desk)?.filter(|_| self.override_consent.is_none());
        Ok(match guard {
            Some(guard) => terms.hold(move |change| guard.why_held(change)),
            None => terms,
        })
    }

    /// Refuses a set that would turn marketing on against a wish, and removes it.
    pub(in crate::commands) fn of_set(
        &self,
        desk: Option<&Desk>,
        path: &Path,
    ) -> Result<(), CliError> {
        let Some(guard) = self.guard(desk)? else {
            return Ok(());
        };
        let set = ChangeSet::open(path)?;
        let (mut against, mut first) = (0_u64, None);
        for change in set.changes(&Selection::all()) {
            let change = change?;
            if !change.outcome.state.is_open() {
                continue;
            }
            if let Some(record) = guard.planned(&change)? {
                against += 1;
                first.get_or_insert_with(|| format!("{}, record {record}", change.target));
            }
        }
        let Some(first) = first else {
            return Ok(());
        };
        let told = format!(
            "{} would turn marketing on against wishes in the consent ledger; the first: {first}",
            count(against, "change")
        );
        if self.override_consent.is_some() {
            note(format!("{told}; say --override-consent to `crm apply` as well"));
            return Ok(());
        }
        drop(set);
        fs::remove_file(path).map_err(CliError::unwritten(path))?;
        Err(CliError::AgainstWish(format!(
            "{told}; nothing was planned: take them out, or say --override-consent REASON"
        )))
    }

    /// Refuses a single change that would turn marketing on against a wish.
    pub(in crate::commands) fn of_update(
        &self,
        session: &Session<'_>,
        before: &Contact,
        change: &ContactChange,
        target: &str,
    ) -> Result<(), CliError> {
        let was_on = before.preferences.is_some_and(|flags| flags.marketing_updates_enabled);
        let on = change.get_preferences().get_marketing_updates().unwrap_or(was_on);
        if !on {
            return Ok(());
        }
        let Some(guard) = self.of_single(session)? else {
            return Ok(());
        };
        let value = change.get_value().unwrap_or(&before.value);
        admit(&guard, was_on.then_some(&before.value), value, target)
    }

    /// Refuses a preference of a contact method that would turn marketing on against a wish.
    pub(in crate::commands) async fn of_preference(
        &self,
        session: &Session<'_>,
        of: &MethodArgs,
        before: &MethodPreference,
        value: &str,
    ) -> Result<(), CliError> {
        let on = speaks_of_marketing(&before.name) && !value.trim().eq_ignore_ascii_case("false");
        if !on {
            return Ok(());
        }
        let Some(guard) = self.of_single(session)? else {
            return Ok(());
        };
        let was_on = before.as_bool() == Some(true);
        let value = of.handle(&session.service).get().await?.value;
        admit(&guard, was_on.then_some(&value), &value, &method(of))
    }

    /// Refuses another value for a contact method that receives marketing, if a wish stands against
    /// it. What it receives takes a call, which is made only where there is a ledger.
    pub(in crate::commands) async fn of_method(
        &self,
        session: &Session<'_>,
        of: &MethodArgs,
        before: &str,
        after: &str,
    ) -> Result<(), CliError> {
        if before == after {
            return Ok(());
        }
        let Some(guard) = self.of_single(session)? else {
            return Ok(());
        };
        let preferences = of.handle(&session.service).preferences().await?;
        let mut marketing = preferences.iter().filter(|it| speaks_of_marketing(&it.name));
        if marketing.any(|it| it.as_bool() == Some(true)) {
            admit(&guard, Some(before), after, &method(of))?;
        }
        Ok(())
    }

    /// The guard of a single write, if there is a ledger to ask.
    fn of_single(&self, session: &Session<'_>) -> Result<Option<Guard>, CliError> {
        // What is not sent is not recorded as sent.
        let transport = session.service.transport();
        let is_sent = !transport.is_dry() && !transport.is_read_only();
        if self.override_consent.is_some() && !is_sent {
            return Ok(None);
        }
        self.guard(session.existing_desk()?)
    }
}

/// Refuses what the guard does not admit, and says how long it lasts what somebody had it admit.
fn admit(guard: &Guard, before: Option<&str>, after: &str, target: &str) -> Result<(), CliError> {
    if let Some(why) = guard.admit(before, after, target)? {
        return Err(CliError::AgainstWish(format!("{target}: {why}")));
    }
    if guard.has_overridden() {
        note(LASTS);
    }
    Ok(())
}

/// What a decision against a wish is worth.
const LASTS: &str = "the wish stands, so the next `crm consent run` turns off again what this turns on; \
                     where somebody wishes to be written to, `crm consent add NUMBER|ADDRESS --wish in` \
                     keeps it on";

/// What a contact method is called in the ledger, as in the changes of sets.
fn method(of: &MethodArgs) -> String {
    Target::Method { person: of.person, method: of.method }.to_string()
}

/// Says of a record that is to be created if a wish stands against its value: what it receives then
/// is for the service to say, and nothing in the request.
pub(in crate::commands) fn note_created(
    session: &Session<'_>,
    value: &str,
) -> Result<(), CliError> {
    let guard = OverrideArgs::default().of_single(session)?;
    if let Some(guard) = guard
        && guard.admit(None, value, "a new record")?.is_some()
    {
        note(
            "a wish of the consent ledger stands against this value: `crm consent run` turns off what \
             the service lets the new record receive",
        );
    }
    Ok(())
}
