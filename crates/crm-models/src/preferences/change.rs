//! Changes of preferences.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{
    answer::ContactPreferences,
    flag::{Preference, preferences},
    request::ContactPreferencesRequest,
    values::Values,
};

/// A change of some preferences. The others are kept.
///
/// The combined flag cannot be set beside the two that it combines, because it is computed when the
/// change is applied. As JSON the flags have the API's names, and null and the combined flag are
/// refused.
///
/// ```
/// use crm_models::{
///     ContactPreferences, ContactPreferencesRequest, Preference, PreferenceChange,
/// };
///
/// let current = ContactPreferences::from(ContactPreferencesRequest::receiving(&Preference::ALL));
/// let change = PreferenceChange::new().marketing_updates(false);
/// let request = change.apply_to(Some(&current))?;
/// assert!(!request.marketing_updates() && request.invoices());
/// assert!(change.apply_to(None).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct PreferenceChange(Values<Option<bool>>);

macro_rules! setters {
    ($(
        $(#[$doc:meta])*
        $flag:ident $received:literal { $($name:literal),* }
            answered $field:ident $(or |$combined:ident| $absent:expr)?
            $(, set $setter:ident, get $getter:ident)?;
    )*) => {
        impl PreferenceChange {
            $($(
                #[doc = concat!("Sets whether ", $received, ".")]
                pub const fn $setter(self, on: bool) -> Self {
                    self.set(Preference::$flag, on)
                }

                #[doc = concat!("Whether ", $received, ", if that is set.")]
                #[must_use]
                pub const fn $getter(&self) -> Option<bool> {
                    self.get(Preference::$flag)
                }
            )?)*
        }
    };
}

preferences!(setters);

impl Default for PreferenceChange {
    fn default() -> Self {
        Self::new()
    }
}

impl PreferenceChange {
    /// Returns a change that sets nothing yet.
    pub const fn new() -> Self {
        Self(Values::of(None))
    }

    /// Returns a change that sets every preference alike.
    pub const fn all(on: bool) -> Self {
        let mut all = Self::new();
        let mut at = 0;
        while at < Preference::SETTABLE.len() {
            all = all.set(Preference::SETTABLE[at], on);
            at += 1;
        }
        all
    }

    /// Sets one preference. The combined one sets both that it combines.
    pub const fn set(mut self, preference: Preference, on: bool) -> Self {
        match preference {
            Preference::InvoicesAndStatements => self.invoices_and_statements(on),
            preference => {
                self.0.set(preference, Some(on));
                self
            }
        }
    }

    /// Returns the value of a preference, if it is set. The combined one never is.
    #[must_use]
    pub const fn get(&self, preference: Preference) -> Option<bool> {
        self.0.get(preference)
    }

    /// Sets invoices and statements alike.
    pub const fn invoices_and_statements(self, on: bool) -> Self {
        self.set(Preference::Invoices, on).set(Preference::Statements, on)
    }

    /// Returns the preferences that are set.
    pub fn iter(&self) -> impl Iterator<Item = (Preference, bool)> {
        let flags = self.0;
        Preference::SETTABLE
            .into_iter()
            .filter_map(move |preference| Some((preference, flags[preference]?)))
    }

    /// Sets every preference that is not set yet.
    ///
    /// ```
    /// use crm_models::PreferenceChange;
    ///
    /// let change = PreferenceChange::new().invoices(false).complete_with(true);
    /// assert!(change.is_complete());
    /// assert_eq!(change.get_invoices(), Some(false));
    /// ```
    pub fn complete_with(self, others: bool) -> Self {
        let flags = Preference::SETTABLE.into_iter();
        flags.map(|flag| (flag, self.get(flag).unwrap_or(others))).collect()
    }

    /// Returns the change that can be made to a contact with these preferences: where it tells none,
    /// every preference that is not set becomes `others`, since the API takes them only as a whole. A
    /// change that sets nothing stays so.
    ///
    /// ```
    /// use crm_models::PreferenceChange;
    ///
    /// let change = PreferenceChange::new().invoices(false);
    /// assert!(change.complete_for(None, true).apply_to(None)?.marketing_updates());
    /// assert!(PreferenceChange::new().complete_for(None, true).is_empty());
    /// # Ok::<(), crm_models::PreferencesError>(())
    /// ```
    pub fn complete_for(self, current: Option<&ContactPreferences>, others: bool) -> Self {
        if current.is_some() || self.is_empty() { self } else { self.complete_with(others) }
    }

    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::new()
    }

    /// Whether every preference is set, so that the present ones need not be known.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing().is_empty()
    }

    /// Returns all preferences: those set here, and the present ones for the rest, in the form in
    /// which the present ones were read.
    ///
    /// ```
    /// use crm_models::{
    ///     ContactPreferencesRequest, Preference, PreferenceChange, PreferencesError,
    /// };
    ///
    /// let both = ContactPreferencesRequest::receiving(&[Preference::InvoicesAndStatements]);
    /// let three = both.legacy_three_flags()?.into();
    /// let request = PreferenceChange::new().marketing_updates(false).apply_to(Some(&three))?;
    /// assert!(request.is_of_three_flags());
    ///
    /// let apart = PreferenceChange::new().invoices(false);
    /// assert_eq!(apart.apply_to(Some(&three)), Err(PreferencesError::Inseparable));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`PreferencesError::Unknown`] when the present ones are not known and not all are
    /// set, and [`PreferencesError::Inseparable`] when invoices and statements would differ and the
    /// present ones are of a service that knows three flags.
    pub fn apply_to(
        &self,
        current: Option<&ContactPreferences>,
    ) -> Result<ContactPreferencesRequest, PreferencesError> {
        let known = current.map(ContactPreferencesRequest::from);
        let now = |preference| known.as_ref().map(|known| known.get(preference));
        let mut flags = Values::of(false);
        for preference in Preference::SETTABLE {
            let Some(on) = self.get(preference).or_else(|| now(preference)) else {
                let flags = self.missing();
                return Err(PreferencesError::Unknown { flags });
            };
            flags.set(preference, on);
        }
        let request = ContactPreferencesRequest::combining(flags);
        match known {
            Some(known) => request.writing(known.written).ok_or(PreferencesError::Inseparable),
            None => Ok(request),
        }
    }

    /// Returns the change without the preferences that have their value already. Invoices and
    /// statements stay if both are set and the present combined flag contradicts them, since it is
    /// computed anew when they are sent.
    pub fn without_unchanged(self, current: &ContactPreferences) -> Self {
        let follows = current.invoice_notification && current.statement_notification;
        let computes = current.invoice_statement_notification != follows
            && self.get_invoices().and(self.get_statements()).is_some();
        Self(Values::from_fn(|preference| {
            let is_sent = |on| on != current.get(preference) || (computes && preference.is_apart());
            self.get(preference).filter(|on| is_sent(*on))
        }))
    }

    fn missing(&self) -> Vec<&'static str> {
        Preference::SETTABLE
            .into_iter()
            .filter(|preference| self.get(*preference).is_none())
            .map(Preference::api_name)
            .collect()
    }
}

impl FromIterator<(Preference, bool)> for PreferenceChange {
    fn from_iter<I: IntoIterator<Item = (Preference, bool)>>(set: I) -> Self {
        let set = set.into_iter();
        set.fold(Self::new(), |change, (preference, on)| change.set(preference, on))
    }
}

impl Serialize for PreferenceChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write("PreferenceChange", serializer)
    }
}

impl<'de> Deserialize<'de> for PreferenceChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let flags = Values::of_body(deserializer)?;
        match flags[Preference::InvoicesAndStatements] {
            None => Ok(Self(flags)),
            Some(_) => Err(D::Error::custom(
                "the combined flag cannot be set: give the two that it combines",
            )),
        }
    }
}

/// The error of a change of some preferences when the whole, which the API wants, cannot be
/// determined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PreferencesError {
    /// The present flags are not known.
    #[error(
        "the contact's present preferences are not known and the API takes them only as a whole; \
         give also {}", flags.join(", ")
    )]
    Unknown {
        /// The API's names of the flags that have to be given too.
        flags: Vec<&'static str>,
    },
    /// The service does not know every flag by itself, and would take one for another value:
    /// invoices and statements differ, for which it has one flag.
    #[error(
        "this service has fewer flags, and would take one of the change for another value: it has \
         a single flag for invoices and statements; set both alike"
    )]
    Inseparable,
}
