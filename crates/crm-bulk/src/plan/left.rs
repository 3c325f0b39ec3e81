//! Addresses of a domain that a clean-up moves, and that it leaves where they are.

use crm_mirror::{MirrorError, OwnerId, Snapshot};
use crm_models::{Contact, ContactMethod};

use crate::error::BulkError;

/// How many of each kind are named.
const NAMED: usize = 5;

/// What has one of the domains and is not changed.
#[derive(Debug, Default)]
pub(super) struct Left {
    people: Those,
    numbers: Those,
    unreadable: Those,
}

/// How many there are of a kind, and the first.
#[derive(Debug, Default)]
struct Those {
    all: u64,
    first: Vec<String>,
}

impl Those {
    fn add(
        &mut self,
        named: impl FnOnce() -> Result<String, MirrorError>,
    ) -> Result<(), BulkError> {
        self.all += 1;
        if self.first.len() < NAMED {
            self.first.push(named()?);
        }
        Ok(())
    }

    /// What is said of them, if there are any.
    fn told(&self, one: &str, many: &str, to_do: &str) -> Option<String> {
        let more = self.all.saturating_sub(self.first.len() as u64);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (what, are) = if self.all == 1 {
            (one, "has a domain that is replaced and is not changed")
        } else {
            (many, "have a domain that is replaced and are not changed")
        };
        (self.all > 0)
            .then(|| format!("{} {what} {are}: {}{more}. {to_do}", self.all, self.first.join(", ")))
    }
}

impl Left {
    pub(super) fn add_contact(
        &mut self,
        snapshot: &Snapshot,
        owner: OwnerId,
        contact: &Contact,
    ) -> Result<(), BulkError> {
        let kind =
            if contact.contact_type.is_phone() { &mut self.numbers } else { &mut self.unreadable };
        kind.add(|| {
            let name = snapshot.owner(owner)?.map(|owner| owner.display_name());
            let name = name.filter(|name| !name.is_empty());
            let of = name.map(|name| format!("{name}, ")).unwrap_or_default();
            Ok(format!("{of}{owner}, contact {}", contact.id))
        })
    }

    pub(super) fn add_method(
        &mut self,
        snapshot: &Snapshot,
        method: &ContactMethod,
    ) -> Result<(), BulkError> {
        self.people.add(|| {
            let name = snapshot.person(method.contact_id)?.and_then(|person| person.name);
            let of = name.map(|name| format!("{name}, ")).unwrap_or_default();
            Ok(format!("{of}person {}, method {}", method.contact_id, method.id))
        })
    }

    /// One sentence for each kind; `knows_people`: they were looked at.
    pub(super) fn notes(&self, knows_people: bool) -> Vec<String> {
        let unseen = "The addresses of people were not looked at, since the mirror has none; this plan \
                      changes contacts of customers and locations alone.";
        let people = if knows_people {
            self.people.told(
                "address of a person",
                "addresses of people",
                "A plan changes contacts of customers and locations alone: `crm contact-methods update` \
                 changes these.",
            )
        } else {
            Some(unseen.to_owned())
        };
        let numbers = self.numbers.told(
            "address under a telephone's type",
            "addresses under a telephone's type",
            "`crm audit --rule email-in-phone --fix` gives these the type Email; plan again then.",
        );
        let unreadable = self.unreadable.told(
            "address that cannot be read, or of another type,",
            "addresses that cannot be read, or of another type,",
            "Look at these.",
        );
        [people, numbers, unreadable].into_iter().flatten().collect()
    }
}
