//! A table with one value for each preference.

use std::{fmt, ops::Index};

use serde::{Deserialize, Deserializer, Serializer, de::Error, ser::SerializeStruct};

use super::flag::{Preference, preferences};
use crate::members::present;

/// A table with one value for each preference.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Values<T>([T; Preference::ALL.len()]);

impl<T: Copy> Values<T> {
    /// Creates a table with the same value for all.
    pub(super) const fn of(value: T) -> Self {
        Self([value; Preference::ALL.len()])
    }

    pub(super) const fn get(&self, preference: Preference) -> T {
        self.0[preference as usize]
    }

    pub(super) const fn set(&mut self, preference: Preference, value: T) {
        self.0[preference as usize] = value;
    }

    /// Creates a table with the value that the function gives for each.
    pub(super) fn from_fn(value: impl FnMut(Preference) -> T) -> Self {
        Self(Preference::ALL.map(value))
    }
}

impl<T> Index<Preference> for Values<T> {
    type Output = T;

    fn index(&self, preference: Preference) -> &T {
        &self.0[preference as usize]
    }
}

impl<T: fmt::Debug> fmt::Debug for Values<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Preference::ALL.into_iter().map(Preference::api_name);
        f.debug_map().entries(names.zip(&self.0)).finish()
    }
}

impl Values<Option<bool>> {
    /// Writes the values that are there as an object with the API's names.
    pub(super) fn write<S: Serializer>(
        &self,
        name: &'static str,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let count = self.0.iter().flatten().count();
        let mut object = serializer.serialize_struct(name, count)?;
        for preference in Preference::ALL {
            if let Some(on) = &self[preference] {
                object.serialize_field(preference.api_name(), on)?;
            }
        }
        object.end()
    }

    /// Returns the value of each, and whether it is there, since services may leave out those that
    /// came later. With one of invoices and statements a service knows both.
    pub(super) fn complete<E: Error>(&self) -> Result<(Values<bool>, Values<bool>), E> {
        let is_there = |preference: Preference| self[preference].is_some();
        let knows_apart = Preference::ALL.into_iter().any(|it| it.is_apart() && is_there(it));
        let combined = self[Preference::InvoicesAndStatements].unwrap_or_default();
        let mut flags = Values::of(false);
        for preference in Preference::ALL {
            let on = self[preference].or_else(|| preference.when_absent(combined));
            let missing = || E::missing_field(preference.api_name());
            flags.set(preference, on.ok_or_else(missing)?);
        }
        let there = |preference| is_there(preference) || (preference.is_apart() && knows_apart);
        Ok((flags, Values::from_fn(there)))
    }

    /// Reads an answer. It may have null, and members that are not known.
    pub(super) fn of_answer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Answer::deserialize(deserializer).map(Self::from)
    }

    /// Reads a body that somebody sends, in which null and unknown members are errors.
    pub(super) fn of_body<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Body::deserialize(deserializer).map(Self::from)
    }
}

/// The type of a member of an answer that every service gives, or that some leave out.
macro_rules! answered {
    () => { bool };
    ($combined:ident) => { Option<bool> };
}

// Serde's derive is inlined into the reading of a contact. A visitor by hand that looks the names up
// in the table takes half as many instructions again.
macro_rules! objects {
    ($(
        $(#[$doc:meta])*
        $flag:ident $received:literal { $api:literal, $($name:literal),* }
            answered $field:ident $(or |$combined:ident| $absent:expr)?
            $(, set $setter:ident, get $getter:ident)?;
    )*) => {
        #[derive(Deserialize)]
        struct Answer {
            $(#[serde(rename = $api)] $field: answered!($($combined)?),)*
        }

        #[derive(Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        struct Body {
            $(#[serde(rename = $api, deserialize_with = "present")] $field: Option<bool>,)*
        }

        impl From<Answer> for Values<Option<bool>> {
            fn from(answer: Answer) -> Self {
                Self([$(answer.$field.into()),*])
            }
        }

        impl From<Body> for Values<Option<bool>> {
            fn from(body: Body) -> Self {
                Self([$(body.$field),*])
            }
        }
    };
}

preferences!(objects);
