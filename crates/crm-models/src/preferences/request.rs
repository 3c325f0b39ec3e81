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
/// use crm_models::ContactPreferencesRequest;
///
/// let preferences = ContactPreferencesRequest::new(true, false, true, false);
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
    three: bool,
}

macro_rules! getters {
    ($(
        $(#[$doc:meta])*
        $flag:ident $received:literal { $($name:literal),* }
            answered $field:ident $(, set $setter:ident, get $getter:ident)?;
    )*) => {
        impl ContactPreferencesRequest {
            /// The independent flags, in the present form of five members.
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
    /// Creates a request of five members, with the combined flag computed.
    pub(super) const fn combining(mut flags: Values<bool>) -> Self {
        let combined = flags.get(Preference::Invoices) && flags.get(Preference::Statements);
        flags.set(Preference::InvoicesAndStatements, combined);
        Self { flags, three: false }
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
        let is_written = !(self.three && preference.is_apart());
        is_written.then(|| self.get(preference))
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
        self.three
    }

    /// Changes to the form before May 2026, in which only the first three members are written, so
    /// that invoices and statements have one value.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidInput`] when invoices and statements differ.
    pub fn legacy_three_flags(self) -> Result<Self, InvalidInput> {
        if self.is_apart() {
            return Err(InvalidInput::from(FieldError::new(
                Preference::InvoicesAndStatements.path(),
                "legacy",
                "the three-flag form cannot set invoices and statements apart",
            )));
        }
        Ok(Self { three: true, ..self })
    }
}

impl From<ContactPreferencesRequest> for ContactPreferences {
    /// The flags as a service answers them that was sent this.
    fn from(asked: ContactPreferencesRequest) -> Self {
        Self::new(asked.flags, asked.three)
    }
}

impl From<&ContactPreferences> for ContactPreferencesRequest {
    /// The same flags, in the form in which they were read.
    fn from(answered: &ContactPreferences) -> Self {
        let flags = Values::from_fn(|preference| answered.get(preference));
        Self { three: answered.derived, ..Self::combining(flags) }
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
        let asked = Values::read(deserializer, true)?;
        let is_absent = |preference: &Preference| asked[*preference].is_none();
        let apart = Preference::ALL.into_iter().filter(|it| it.is_apart());
        let three = apart.clone().all(|it| is_absent(&it));
        let mut needed = Preference::ALL.into_iter().filter(|it| !(three && it.is_apart()));
        if let Some(missing) = needed.find(is_absent) {
            return Err(D::Error::missing_field(missing.api_name()));
        }
        let combined = asked[Preference::InvoicesAndStatements].unwrap_or_default();
        let flags = Values::from_fn(|preference| asked[preference].unwrap_or(combined));
        let request = Self { three, ..Self::combining(flags) };
        if request.invoices_and_statements() != combined {
            return Err(D::Error::custom(
                "invoiceStatementNotification contradicts invoiceNotification and \
                 statementNotification",
            ));
        }
        Ok(request)
    }
}
