//! The flags as the API answers them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{ContactPreferences, ContactPreferencesRequest, Preference, values::Values};

impl ContactPreferences {
    /// Whether this is received; none where the service does not tell.
    #[must_use]
    pub fn told(&self, preference: Preference) -> Option<bool> {
        let is_told = !(self.derived && preference.is_apart());
        is_told.then(|| self.get(preference))
    }
}

impl Serialize for ContactPreferences {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let told = Values::from_fn(|preference| self.told(preference));
        told.write("ContactPreferences", serializer)
    }
}

impl<'de> Deserialize<'de> for ContactPreferences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let told = Values::read(deserializer, false)?;
        let mut flags = Values::of(false);
        let mut derived = true;
        for preference in Preference::ALL {
            let combined = told[Preference::InvoicesAndStatements];
            let on = match told[preference] {
                None if preference.is_apart() => combined,
                on => {
                    // With one of the two the service knows both.
                    derived &= !preference.is_apart();
                    on
                }
            };
            let missing = || D::Error::missing_field(preference.api_name());
            flags.set(preference, on.ok_or_else(missing)?);
        }
        Ok(Self::new(flags, derived))
    }
}

impl From<ContactPreferencesRequest> for ContactPreferences {
    /// The flags as a service answers them that was sent this.
    fn from(asked: ContactPreferencesRequest) -> Self {
        Self::new(asked.flags(), asked.is_of_three_flags())
    }
}
