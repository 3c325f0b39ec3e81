//! Members that several requests and filters share, written once.

use serde::{Deserialize, Deserializer};

/// Setters of optional members: the type is what the setter takes.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, $name: $type) -> Self {
            self.$name = Some($name.into());
            self
        }
    )*};
}

/// `type`, `value` and `memo` of an update in which absent members are kept: setters, getters
/// and rules.
macro_rules! contact_members {
    () => {
        $crate::members::setters! {
            /// Sets the kind.
            contact_type: $crate::ContactType;
            /// Sets the number or address.
            value: impl Into<String>;
            /// Sets the memo. An empty one clears it; that it does so is not documented.
            memo: impl Into<String>;
        }

        /// Lets a type pass validation that the contract does not know, and any value with it.
        pub fn allow_unknown_type(mut self) -> Self {
            self.unknown_type_allowed = true;
            self
        }

        /// The kind, if it changes.
        #[must_use]
        pub fn get_contact_type(&self) -> Option<&$crate::ContactType> {
            self.contact_type.as_ref()
        }

        /// The number or address, if it changes.
        #[must_use]
        pub fn get_value(&self) -> Option<&str> {
            self.value.as_deref()
        }

        /// The memo, if it changes; an empty one clears it.
        #[must_use]
        pub fn get_memo(&self) -> Option<&str> {
            self.memo.as_deref()
        }

        fn rules(&self) -> $crate::validation::Rules {
            let mut rules = $crate::validation::Rules::default();
            if self.is_empty() {
                rules.nothing_to_change();
            }
            if let Some(contact_type) = &self.contact_type {
                rules.contact_type(contact_type, self.unknown_type_allowed);
            }
            match (&self.contact_type, &self.value) {
                (Some(contact_type), Some(value)) => rules.value(contact_type, value),
                (None, Some(value)) if self.unknown_type_allowed => rules.any_value(value),
                (None, Some(value)) => rules.value_of_known_type(value),
                (_, None) => {}
            }
            rules.memo(self.memo.as_deref());
            rules
        }
    };
}

/// What a change of `type`, `value` and `memo` is to a contact that was read.
macro_rules! contact_change {
    () => {
        /// Leaves out what a contact with these members has already. Values are compared as by
        /// `ContactType::same_value`; an empty memo and none are the same.
        fn leave_out(
            &mut self,
            contact_type: &$crate::ContactType,
            value: &str,
            memo: Option<&str>,
        ) {
            let becomes = self.contact_type.as_ref().unwrap_or(contact_type);
            self.value.take_if(|new| becomes.same_value(new, value));
            self.contact_type.take_if(|new| new == contact_type);
            self.memo.take_if(|new| $crate::text::is_same(Some(new), memo));
        }

        /// Adds what a value or a type is judged with: the other one of the two, which the contact
        /// has already.
        fn complete(&mut self, contact_type: &$crate::ContactType, value: &str) {
            match (&self.contact_type, &self.value) {
                (None, Some(_)) => {
                    self.contact_type = Some(contact_type.clone());
                    self.unknown_type_allowed = true;
                }
                (Some(_), None) => self.value = Some(value.to_owned()),
                _ => {}
            }
        }

        /// Lets any value pass to a contact that is and stays of a type that the contract does not
        /// know.
        fn suiting(mut self, contact_type: &$crate::ContactType) -> Self {
            let stays = self.contact_type.is_none();
            self.unknown_type_allowed |=
                stays && matches!(contact_type, $crate::ContactType::Other(_));
            self
        }
    };
}

pub(crate) use contact_change;
pub(crate) use contact_members;
pub(crate) use setters;

/// Reads a member that may be absent but not null, as in the body of a PATCH.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}
