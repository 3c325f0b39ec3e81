//! The preferences in a request.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{
    answer::ContactPreferences,
    flag::{Preference, preferences},
    values::Values,
};
use crate::validation::{FieldError, InvalidInput};

/// All preferences, as the API wants them. The combined flag is computed, so it cannot contradict
/// the others.
///
/// A request that completes a reading is written with the members that the reading had, since a
/// service from before May 2026 knows three, and its contract forbids the other two.
///
/// ```
/// use crm_models::{ContactPreferencesRequest, Preference};
///
/// let preferences = ContactPreferencesRequest::receiving(&[Preference::Invoices]);
/// let written = serde_json::to_value(&preferences)?;
/// assert_eq!(written["invoiceNotification"], true);
/// assert_eq!(written["statementNotification"], false);
/// assert_eq!(written["invoiceStatementNotification"], false, "not both");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContactPreferencesRequest {
    /// The value of each. The combined one follows from the others.
    flags: Values<bool>,
    pub(super) written: Values<bool>,
}

macro_rules! getters {
    ($(
        $(#[$doc:meta])*
        $flag:ident $received:literal { $($name:literal),* }
            answered $field:ident $(or |$combined:ident| $absent:expr)?
            $(, set $setter:ident, get $getter:ident)?;
    )*) => {
        impl ContactPreferencesRequest {
            /// The independent flags, each by its place.
            #[deprecated(since = "0.2.0", note = "name what is received: `receiving`")]
            #[must_use]
            pub const fn new($($($setter: bool,)?)*) -> Self {
                let mut flags = Values::of(false);
                $($(flags.set(Preference::$flag, $setter);)?)*
                Self::combining(flags)
            }

            $($(
                #[doc = concat!("Whether ", $received, ".")]
                #[must_use]
                pub const fn $setter(&self) -> bool {
                    self.get(Preference::$flag)
                }
            )?)*
        }
    };
}

preferences!(getters);

impl ContactPreferencesRequest {
    /// Creates a request in which these are received and all others are not.
    #[must_use]
    pub fn receiving(received: &[Preference]) -> Self {
        let both = received.contains(&Preference::InvoicesAndStatements);
        Self::combining(Values::from_fn(|preference| {
            received.contains(&preference) || (both && preference.is_apart())
        }))
    }

    /// Creates a request of all members, with the combined flag computed.
    pub(super) const fn combining(mut flags: Values<bool>) -> Self {
        let combined = flags.get(Preference::Invoices) && flags.get(Preference::Statements);
        flags.set(Preference::InvoicesAndStatements, combined);
        Self { flags, written: Values::of(true) }
    }

    /// Whether this is received.
    #[must_use]
    pub const fn get(&self, preference: Preference) -> bool {
        self.flags.get(preference)
    }

    /// Returns whether this is received, or `None` where it is not written, in the form before May
    /// 2026.
    #[must_use]
    pub fn written(&self, preference: Preference) -> Option<bool> {
        self.written[preference].then(|| self.get(preference))
    }

    /// Whether a service that does not answer it takes it for this value all the same.
    #[must_use]
    pub fn is_implied(&self, preference: Preference) -> bool {
        preference.when_absent(self.invoices_and_statements()) == Some(self.get(preference))
    }

    /// Leaves out members, where the others say the same.
    pub(super) fn writing(self, written: Values<bool>) -> Option<Self> {
        let is_said = |preference| written[preference] || self.is_implied(preference);
        Preference::ALL.into_iter().all(is_said).then_some(Self { written, ..self })
    }

    /// Returns the combined flag: whether both invoices and statements are received.
    #[must_use]
    pub const fn invoices_and_statements(&self) -> bool {
        self.get(Preference::InvoicesAndStatements)
    }

    /// Whether invoices and statements differ, which three members cannot express.
    #[must_use]
    pub const fn is_apart(&self) -> bool {
        self.get(Preference::Invoices) != self.get(Preference::Statements)
    }

    /// Whether it is written in the form before May 2026, of three members.
    #[must_use]
    pub const fn is_of_three_flags(&self) -> bool {
        !self.written.get(Preference::Invoices)
    }

    /// Changes to the form before May 2026, in which only the first three members are written, so
    /// that invoices and statements have one value.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidInput`] when invoices and statements differ.
    pub fn legacy_three_flags(self) -> Result<Self, InvalidInput> {
        let first = Values::from_fn(|preference| preference.when_absent(false).is_none());
        self.writing(first).ok_or_else(|| {
            InvalidInput::from(FieldError::new(
                Preference::InvoicesAndStatements.path(),
                "legacy",
                "the three-flag form has one flag for invoices and statements, and none that came later",
            ))
        })
    }
}

impl From<ContactPreferencesRequest> for ContactPreferences {
    /// The flags as a service answers them that was sent this.
    fn from(asked: ContactPreferencesRequest) -> Self {
        Self::new(asked.flags, asked.written)
    }
}

impl From<&ContactPreferences> for ContactPreferencesRequest {
    /// The same flags, in the form in which they were read.
    fn from(answered: &ContactPreferences) -> Self {
        let flags = Values::from_fn(|preference| answered.get(preference));
        Self { written: answered.told, ..Self::combining(flags) }
    }
}

impl Serialize for ContactPreferencesRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = Values::from_fn(|preference| self.written(preference));
        written.write("ContactPreferencesRequest", serializer)
    }
}

/// The body of a request as it is read: nothing unknown, nothing null, and invoices and statements
/// both or neither.
impl<'de> Deserialize<'de> for ContactPreferencesRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let asked = Values::of_body(deserializer)?;
        let (flags, written) = asked.complete()?;
        let lacks = |preference: &Preference| written[*preference] && asked[*preference].is_none();
        if let Some(missing) = Preference::ALL.iter().find(|it| lacks(it)) {
            return Err(D::Error::missing_field(missing.api_name()));
        }
        let request = Self { written, ..Self::combining(flags) };
        if request.flags != flags {
            return Err(D::Error::custom(
                "invoiceStatementNotification contradicts invoiceNotification and \
                 statementNotification",
            ));
        }
        Ok(request)
    }
}
