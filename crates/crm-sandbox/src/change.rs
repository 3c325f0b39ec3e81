//! The change of a contact, whether it is one of a location, a customer, a booking or a person.

use crate::{
    body::Member,
    contact_type::{self, ContactType},
    problem::Problem,
    settings::Settings,
};

/// What an update changes.
pub(crate) struct Change {
    pub(crate) contact_type: Option<ContactType>,
    pub(crate) value: Option<String>,
    pub(crate) memo: Option<String>,
}

impl Change {
    /// Checks the members of an update as far as that is possible without the contact: the rules for
    /// values come before its lookup.
    pub(crate) fn new(
        contact_type: Member<ContactType>,
        value: Member<String>,
        memo: Member<String>,
        settings: &Settings,
    ) -> Result<Self, Problem> {
        let change = Self {
            contact_type: contact_type.not_null("type", settings)?,
            value: value.not_null("value", settings)?,
            memo: memo.not_null("memo", settings)?,
        };
        match (change.contact_type, &change.value) {
            (Some(contact_type), Some(value)) => drop(contact_type.value(value, settings)?),
            (None, Some(value)) => contact_type::check_blank(value, settings)?,
            (_, None) => {}
        }
        Ok(change)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.contact_type.is_none() && self.value.is_none() && self.memo.is_none()
    }

    /// Applies the change to the type, the value and the memo of a contact. A value that does not fit
    /// the type that results is refused; a stored type that is unknown has no rules.
    pub(crate) fn apply(
        self,
        (stored_type, stored_value, stored_memo): (&mut String, &mut String, &mut Option<String>),
        settings: &Settings,
    ) -> Result<(), Problem> {
        if self.contact_type.is_some() || self.value.is_some() {
            let value = self.value.unwrap_or_else(|| stored_value.clone());
            match self.contact_type.or_else(|| ContactType::stored(stored_type)) {
                Some(contact_type) => {
                    *stored_value = contact_type.value(&value, settings)?;
                    *stored_type = contact_type.as_str().to_owned();
                }
                None => *stored_value = value,
            }
        }
        if self.memo.is_some() {
            *stored_memo = settings.memo(self.memo);
        }
        Ok(())
    }
}
