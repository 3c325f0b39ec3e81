//! The kinds of contacts and what their values look like.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};
use utoipa::ToSchema;

use crate::{
    problem::Problem,
    settings::{OpenTypes, PhoneValues, Settings},
};

/// The kind of a contact, in the letters of the contract: anything else is refused with 400.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, Serialize, Deserialize, ToSchema,
)]
pub(crate) enum ContactType {
    Phone,
    MobilePhone,
    Email,
    Fax,
}

/// The reason why a value of spaces is refused, whatever its type.
const BLANK: &str = "it must not be blank";

impl ContactType {
    /// Reads a stored type; the store may hold types that are unknown here.
    pub(crate) fn stored(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns the value of a contact whose type is sent as text; no rules apply if that type is
    /// not a documented one and any type is accepted.
    pub(crate) fn open_value(
        kind: &str,
        value: &str,
        settings: &Settings,
    ) -> Result<String, Problem> {
        match (Self::stored(kind), settings.booking_types) {
            (Some(kind), _) => kind.value(value, settings),
            (None, OpenTypes::Known) => {
                Err(Problem::field("type", "it is not Phone, MobilePhone, Email or Fax"))
            }
            (None, OpenTypes::Any) => check_blank(value, settings).map(|()| value.to_owned()),
        }
    }

    /// Returns the value as the store keeps it. How the real service checks and normalises values
    /// is not documented.
    pub(crate) fn value(self, value: &str, settings: &Settings) -> Result<String, Problem> {
        if settings.value_checks
            && let Some(reason) = self.objection(value)
        {
            return Err(Problem::field("value", reason));
        }
        Ok(match (self, settings.phone_values) {
            (Self::Email, _) | (_, PhoneValues::Verbatim) => value.to_owned(),
            (Self::Phone | Self::MobilePhone | Self::Fax, PhoneValues::Digits) => digits(value),
        })
    }

    fn objection(self, value: &str) -> Option<&'static str> {
        if value.trim().is_empty() {
            return Some(BLANK);
        }
        match self {
            Self::Email => match value.trim().split_once('@') {
                Some((name, domain))
                    if !name.is_empty() && !domain.is_empty() && !domain.contains('@') =>
                {
                    None
                }
                _ => Some("an e-mail address has text on both sides of one @"),
            },
            Self::Phone | Self::MobilePhone | Self::Fax => {
                let has_digit = value.bytes().any(|b| b.is_ascii_digit());
                (!has_digit).then_some("a number has at least one digit")
            }
        }
    }
}

/// Refuses a blank value, which no type may have.
pub(crate) fn check_blank(value: &str, settings: &Settings) -> Result<(), Problem> {
    if settings.value_checks && value.trim().is_empty() {
        return Err(Problem::field("value", BLANK));
    }
    Ok(())
}

/// Returns the digits of a number, without the leading 1 of eleven. That is the
/// country code of North America.
pub(crate) fn digits(value: &str) -> String {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    match digits.strip_prefix('1') {
        Some(national) if national.len() == 10 => national.to_owned(),
        _ => digits,
    }
}
