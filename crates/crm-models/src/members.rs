//! The members that several requests and filters share.

use serde::{Deserialize, Deserializer};

/// The setters of optional members. The type is what the setter takes.
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
            contact_type: $crate::contact_type::ContactType;
            /// Sets the number or address.
            value: impl Into<String>;
            /// Sets the memo. An empty one clears it; that it does so is not documented.
            memo: impl Into<String>;
        }

        /// Returns the kind, if it changes.
        #[must_use]
        pub fn get_contact_type(&self) -> Option<&$crate::contact_type::ContactType> {
            self.contact_type.as_ref()
        }

        /// Returns the number or address, if it changes.
        #[must_use]
        pub fn get_value(&self) -> Option<&str> {
            self.value.as_deref()
        }

        /// Returns the memo, if it changes. An empty one clears it.
        #[must_use]
        pub fn get_memo(&self) -> Option<&str> {
            self.memo.as_deref()
        }

        fn judge(&self, rules: &mut $crate::validation::Rules) {
            if self.is_empty() {
                rules.nothing_to_change();
            }
            if let Some(contact_type) = &self.contact_type {
                rules.contact_type(contact_type);
            }
            if let Some(value) = &self.value {
                rules.value(self.contact_type.as_ref(), value);
            }
            rules.memo(self.memo.as_deref());
        }
    };
}

/// How a change of `type`, `value` and `memo` compares with a contact that was read.
macro_rules! contact_change {
    () => {
        /// Leaves out what a contact with these members has already. Values are compared by
        /// `ContactType::same_value`; an empty memo is the same as none.
        fn leave_out(
            &mut self,
            contact_type: &$crate::contact_type::ContactType,
            value: &str,
            memo: Option<&str>,
        ) {
            let becomes = self.contact_type.as_ref().unwrap_or(contact_type);
            self.value.take_if(|new| becomes.same_value(new, value));
            self.contact_type.take_if(|new| new == contact_type);
            self.memo.take_if(|new| $crate::text::is_same(Some(new), memo));
        }

        /// [`check_with`](crate::CheckWith::check_with) of what is left of the change, with the
        /// value and the type that a contact with these has then. A type that the contact has
        /// already is tolerated.
        fn check_beside(
            mut self,
            contact_type: &$crate::contact_type::ContactType,
            value: &str,
            tolerance: $crate::validation::Tolerance,
        ) -> Result<(), $crate::validation::InvalidInput> {
            let tolerance = match (&self.contact_type, &self.value) {
                (None, Some(_)) => {
                    self.contact_type = Some(contact_type.clone());
                    tolerance.max($crate::validation::Tolerance::AnyType)
                }
                (Some(_), None) => {
                    self.value = Some(value.to_owned());
                    tolerance
                }
                _ => tolerance,
            };
            $crate::validation::CheckWith::check_with(&self, tolerance)
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
