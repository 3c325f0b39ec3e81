//! A table with one value for each preference.

use std::{fmt, ops::Index};

use serde::{
    Deserializer, Serializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor},
    ser::SerializeStruct,
};

use super::flag::Preference;

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

    /// Reads an object with the API's names. In a body that somebody sends, which is read `exact`,
    /// null and unknown members are errors. An answer may have both.
    pub(super) fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        exact: bool,
    ) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader { exact })
    }
}

struct Reader {
    exact: bool,
}

impl<'de> Visitor<'de> for Reader {
    type Value = Values<Option<bool>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the preferences of a contact")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut flags, mut seen) = (Values::of(None), Values::of(false));
        while let Some(member) = members.next_key_seed(Member { exact: self.exact })? {
            let Some(preference) = member else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            if seen.get(preference) {
                return Err(A::Error::duplicate_field(preference.api_name()));
            }
            seen.set(preference, true);
            flags.set(
                preference,
                if self.exact { Some(members.next_value()?) } else { members.next_value()? },
            );
        }
        Ok(flags)
    }
}

/// Reads the name of a member, as `None` where it is not known and need not be.
struct Member {
    exact: bool,
}

impl<'de> DeserializeSeed<'de> for Member {
    type Value = Option<Preference>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Member {
    type Value = Option<Preference>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a preference")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let mut known = Preference::ALL.into_iter();
        match known.find(|preference| preference.api_name() == name) {
            None if self.exact => Err(E::unknown_field(name, &API_NAMES)),
            preference => Ok(preference),
        }
    }
}

const API_NAMES: [&str; Preference::ALL.len()] = {
    let mut names = [""; Preference::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = Preference::ALL[at].api_name();
        at += 1;
    }
    names
};
