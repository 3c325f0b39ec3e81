//! The flags as the API answers them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    flag::{Preference, preferences},
    values::Values,
};

macro_rules! answer {
    ($(
        $(#[$doc:meta])*
        $flag:ident $received:literal { $($name:literal),* }
            answered $field:ident $(or |$combined:ident| $absent:expr)?
            $(, set $setter:ident, get $getter:ident)?;
    )*) => {
        /// The flags as the API answers them.
        ///
        /// Invoices and statements came apart in May 2026: where both are absent, they are taken
        /// from the combined flag, and [`derived`](Self::derived) says so. They are written with
        /// the members that were read, so that a contact that was stored is the same when it is
        /// read again, and a service of three flags is known by its answers. A contact without this
        /// object has unknown preferences.
        ///
        /// In a test they are made from a request:
        ///
        /// ```
        /// use crm_models::{ContactPreferences, ContactPreferencesRequest, Preference};
        ///
        /// let request = ContactPreferencesRequest::receiving(&[Preference::Invoices]);
        /// let answered = ContactPreferences::from(request);
        /// assert!(answered.invoice_notification && !answered.invoice_statement_notification);
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub struct ContactPreferences {
            $($(#[$doc])* pub $field: bool,)*
            /// Whether the service answered it.
            pub(super) told: Values<bool>,
        }

        impl ContactPreferences {
            pub(super) fn new(flags: Values<bool>, told: Values<bool>) -> Self {
                Self { $($field: flags[Preference::$flag],)* told }
            }

            /// Whether this is received.
            #[must_use]
            pub const fn get(&self, preference: Preference) -> bool {
                match preference { $(Preference::$flag => self.$field,)* }
            }
        }
    };
}

preferences!(answer);

impl ContactPreferences {
    /// Creates flags from a state that was kept elsewhere: which are received, and whether
    /// invoices and statements are [derived](Self::derived).
    #[must_use]
    pub fn of(is_received: impl FnMut(Preference) -> bool, derived: bool) -> Self {
        let is_told = |flag: Preference| !(derived && flag.is_apart());
        Self::new(Values::from_fn(is_received), Values::from_fn(is_told))
    }

    /// Creates flags from what a service answered of each, as it was kept elsewhere: the reverse of
    /// [`answered`](Self::answered). Returns `None` if one is missing that every service answers.
    ///
    /// ```
    /// use crm_models::{ContactPreferences, Preference};
    ///
    /// let three = |flag: Preference| (!flag.is_apart()).then_some(flag.is_combined());
    /// let flags = ContactPreferences::from_answers(three).unwrap();
    /// assert!(flags.derived() && flags.invoice_notification);
    /// assert_eq!(flags.answered(Preference::Invoices), None);
    /// assert_eq!(ContactPreferences::from_answers(|_| None), None);
    /// ```
    pub fn from_answers(answered: impl FnMut(Preference) -> Option<bool>) -> Option<Self> {
        let (flags, told) = Values::from_fn(answered).complete::<serde::de::value::Error>().ok()?;
        Some(Self::new(flags, told))
    }

    /// Returns whether this is received, or `None` where the service does not answer it.
    #[must_use]
    pub fn answered(&self, preference: Preference) -> Option<bool> {
        self.told[preference].then(|| self.get(preference))
    }

    /// Whether the service knows three flags: invoices and statements were absent and follow the
    /// combined flag.
    #[must_use]
    pub const fn derived(&self) -> bool {
        !self.told.get(Preference::Invoices)
    }
}

impl Serialize for ContactPreferences {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let answered = Values::from_fn(|preference| self.answered(preference));
        answered.write("ContactPreferences", serializer)
    }
}

impl<'de> Deserialize<'de> for ContactPreferences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let answered = Values::of_answer(deserializer)?;
        let (flags, told) = answered.complete()?;
        Ok(Self::new(flags, told))
    }
}
