//! Marketing is not turned on against a wish.

use std::{
    collections::BTreeSet,
    fmt::Display,
    sync::{Arc, Mutex},
};

use crm_bulk::{Action, Change, Image, Proposal, Verdict, speaks_of_marketing};
use crm_mirror::{keys::Keys, lock::lock};
use crm_models::Preference;

use crate::{
    copies::Out,
    error::ConsentError,
    ledger::Ledger,
    overridden::OverrideFacts,
    record::{Kind, Personal},
    standing::{Heard, Standing, last},
    wish::{Scope, Wish},
};

/// Judges what a change leaves behind: a number or an address that is out by its last wish shall not
/// begin to receive marketing.
///
/// A changed value counts, and so do a record that is created and one that is created again.
///
/// ```no_run
/// use crm_bulk::{Apply, ChangeSet};
/// use crm_consent::{Guard, Ledger};
///
/// fn guarded(set: ChangeSet, ledger: Ledger) -> Apply {
///     let guard = Guard::new(ledger);
///     Apply::new(set).before(move |proposal| std::future::ready(guard.judge(&proposal)))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Guard {
    inner: Arc<Mutex<Inner>>,
    /// Why marketing is turned on all the same.
    overridden: Option<String>,
    /// Whether nothing is turned off that no wish asks for.
    only_wished: bool,
}

#[derive(Debug)]
struct Inner {
    ledger: Ledger,
    /// The wishes that were overridden, each with the record for which it was: a change may be judged
    /// several times.
    recorded: BTreeSet<(u64, String)>,
}

impl Guard {
    /// Creates the guard of a ledger.
    #[must_use]
    pub fn new(ledger: Ledger) -> Self {
        let inner = Inner { ledger, recorded: BTreeSet::new() };
        Self { inner: Arc::new(Mutex::new(inner)), overridden: None, only_wished: false }
    }

    /// Lets marketing be turned on against a wish, for this reason. Each time is a record of the
    /// ledger, which is on the disk before the change is sent.
    #[must_use]
    pub fn overridden(mut self, reason: impl Into<String>) -> Self {
        self.overridden = Some(reason.into());
        self
    }

    /// Holds what no wish asks for any longer, since it was taken back, another one came, or the policy
    /// that holds now does not turn that off: for the sets of [`Reach`](crate::Reach), which may be
    /// carried out days after they were planned.
    #[must_use]
    pub fn only_wished(mut self) -> Self {
        self.only_wished = true;
        self
    }

    /// Judges a change that is about to be sent.
    #[must_use]
    pub fn judge(&self, proposal: &Proposal) -> Verdict {
        if self.only_wished {
            match lock(&self.inner).ledger.holds(proposal) {
                Ok(None) => {}
                Ok(Some(why)) => return Verdict::Hold(held(why)),
                Err(error) => return Verdict::Hold(held(unasked(&error))),
            }
        }
        let reader = lock(&self.inner).ledger.reader;
        let Some(after) = proposal.begins_marketing(reader) else {
            return Verdict::Send;
        };
        match self.admit(None, after, &proposal.change.target.to_string()) {
            Ok(None) => Verdict::Send,
            Ok(Some(why)) => Verdict::Hold(held(why)),
            // Not to know is no consent.
            Err(error) => Verdict::Hold(held(unasked(&error))),
        }
    }

    /// Judges a value that is to receive marketing, of a record of which `before` is the one that
    /// received it so far. Returns why it shall not, and records it where that is overridden.
    ///
    /// # Errors
    ///
    /// Returns errors for a ledger that cannot be read or written.
    pub fn admit(
        &self,
        before: Option<&str>,
        after: &str,
        target: &str,
    ) -> Result<Option<String>, ConsentError> {
        let mut inner = lock(&self.inner);
        let Some(wish) = against(&inner.ledger, before, after)? else {
            return Ok(None);
        };
        let Some(reason) = &self.overridden else {
            return Ok(Some(turns_on(&wish)));
        };
        let record = wish.record;
        let overridden = (record, target.to_owned());
        if !inner.recorded.contains(&overridden) {
            inner.ledger.record_override(record, after, target, reason)?;
            inner.recorded.insert(overridden);
        }
        Ok(None)
    }

    /// Returns whether it has let something be turned on against a wish.
    #[must_use]
    pub fn has_overridden(&self) -> bool {
        !lock(&self.inner).recorded.is_empty()
    }

    /// Returns the record against which a change of a plan would turn marketing on, by what the plan
    /// saw.
    ///
    /// # Errors
    ///
    /// Returns errors for a ledger that cannot be read.
    pub fn planned(&self, change: &Change) -> Result<Option<u64>, ConsentError> {
        Ok(self.wish_against(change)?.map(|wish| wish.record))
    }

    /// Returns why a change of a plan is to be held: it would turn marketing on against a wish, by what
    /// the plan saw, or the ledger cannot be asked.
    #[must_use]
    pub fn why_held(&self, change: &Change) -> Option<String> {
        match self.wish_against(change) {
            Ok(wish) => wish.map(|wish| held(turns_on(&wish))),
            Err(error) => Some(held(unasked(&error))),
        }
    }

    fn wish_against(&self, change: &Change) -> Result<Option<Heard>, ConsentError> {
        let current = change.before.as_ref();
        let before = current.and_then(receiving);
        let (value, on) = match &change.action {
            Action::Update(wanted) | Action::Create(wanted) => {
                let wanted = &wanted.change;
                let flag = wanted.get_preferences().get_marketing_updates();
                let value = wanted.get_value().or_else(|| change.value());
                (value, flag.unwrap_or(before.is_some()))
            }
            Action::MethodPreferences(wanted) => {
                let on = wanted.iter().any(|(name, on)| *on && speaks_of_marketing(name));
                (change.value(), on)
            }
            _ => (None, false),
        };
        match value.filter(|_| on) {
            Some(value) => against(&lock(&self.inner).ledger, before, value),
            None => Ok(None),
        }
    }
}

/// The preferences that a change turns off, by the contact as it is now.
fn turned_off(proposal: &Proposal) -> Vec<Preference> {
    let Action::Update(wanted) = &proposal.change.action else {
        return Vec::new();
    };
    let flags = wanted.change.get_preferences();
    let now = proposal.current.as_ref().and_then(Image::as_contact);
    let now = now.and_then(|contact| contact.preferences);
    // Where they are not known, all are sent, and what the others become was said for the plan: if
    // they are on, those that are off were planned for the wish.
    let others_are_on = flags.iter().any(|(_, on)| on);
    let is_turned_off = |flag| now.map_or(others_are_on, |now| now.get(flag));
    let off = flags.iter().filter(|(_, on)| !on).map(|(flag, _)| flag);
    off.filter(|flag| is_turned_off(*flag)).collect()
}

/// Why a change was not sent, in the words of its outcome.
fn held(why: impl Display) -> String {
    format!("held by the consent ledger: {why}")
}

/// What speaks against turning marketing on.
fn turns_on(wish: &Heard) -> String {
    format!(
        "it would turn marketing on against {}; who wishes to be written to by now is taken in by \
         `crm consent add --wish in`, and --override-consent REASON turns it on until the next `crm \
         consent run`, and is recorded",
        wish.told()
    )
}

fn unasked(error: &ConsentError) -> String {
    format!("it cannot be asked: {error}")
}

/// The wish that stands against marketing for a value, unless its record receives it already.
fn against(
    ledger: &Ledger,
    before: Option<&str>,
    after: &str,
) -> Result<Option<Heard>, ConsentError> {
    let keys = |text| Keys::of(text, ledger.reader);
    // Most changes keep the value letter by letter, and numbers take time to read.
    if before.is_some_and(|before| before == after || keys(before) == keys(after)) {
        return Ok(None);
    }
    match ledger.status(after, Scope::Marketing) {
        Ok(Standing { wish: Some(Wish::Out), decided_by, heard, .. }) => {
            Ok(heard.into_iter().find(|heard| Some(heard.record) == decided_by))
        }
        Ok(standing) => Ok(standing.may_be.into_iter().next()),
        // No wish can be of what is neither a number nor an address.
        Err(ConsentError::Value(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The value of a record, if it receives marketing.
fn receiving(image: &Image) -> Option<&str> {
    image.receives_marketing().then(|| image.value())
}

impl Ledger {
    /// Why a change that a wish once asked for is not sent: by the wishes and the policy as they are
    /// now.
    fn holds(&self, proposal: &Proposal) -> Result<Option<String>, ConsentError> {
        let policies = self.policies()?;
        let value = proposal.change.value().unwrap_or_default();
        let heard = self.of_key(&self.keys(value).key)?;
        let Some((_, out)) = Out::of(&heard, &policies) else {
            let why = match (last(&heard, Scope::Marketing, &policies), heard.last()) {
                (Some(later), _) => format!("by now {} counts", later.told()),
                (None, Some(gone)) => format!("{} was taken back", gone.told()),
                (None, None) => "it has no wish that asks for it".to_owned(),
            };
            return Ok(Some(why));
        };
        if matches!(proposal.change.action, Action::MethodPreferences(_)) {
            let why = "no wish asks for no marketing any longer";
            return Ok((!out.is_of_marketing()).then(|| why.to_owned()));
        }
        let off = out.turns_off(&policies.today().policy);
        let unasked: Vec<_> = turned_off(proposal)
            .into_iter()
            .filter(|flag| off.iter().all(|(wanted, _)| wanted != flag))
            .map(Preference::option)
            .collect();
        Ok((!unasked.is_empty()).then(|| {
            format!(
                "by the wishes and the policy that hold now, {} stays on: `crm consent plan` plans it \
                 anew",
                unasked.join(", ")
            )
        }))
    }

    /// Records that marketing was turned on against a wish.
    fn record_override(
        &self,
        wish: u64,
        value: &str,
        target: &str,
        reason: &str,
    ) -> Result<u64, ConsentError> {
        let facts = OverrideFacts { target: target.to_owned() };
        let personal = Personal {
            reason: Some(reason.to_owned()),
            ..Personal::of(value, Keys::of(value, self.reader))
        };
        self.adding(|adding| adding.add_of_value(Kind::Override, Some(wish), &facts, &personal))
    }
}
