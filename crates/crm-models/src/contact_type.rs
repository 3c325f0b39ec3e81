//! The kinds of numbers and addresses.

use crate::{email, phone, text::wire_text};

/// The contract's `ContactType`. Texts outside the contract are kept, and refused when they are to
/// be sent, unless they are [tolerated](crate::Tolerance::AnyType).
///
/// On the wire the names are PascalCase and case-sensitive: `phone` is an
/// [`Other`](Self::Other).
///
/// ```
/// use crm_models::ContactType;
///
/// assert_eq!(ContactType::from("MobilePhone"), ContactType::MobilePhone);
/// assert_eq!(ContactType::from("Messenger").as_str(), "Messenger");
/// assert!(ContactType::Phone.same_value("(818) 555-0142", "+1 818 555 0142"));
/// assert!(ContactType::Email.same_value("Dana@Site.example", "dana@site.example"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ContactType {
    /// A landline.
    Phone,
    /// A mobile telephone.
    MobilePhone,
    /// An e-mail address.
    Email,
    /// A fax number.
    Fax,
    /// A type that this version does not know, as the service wrote it.
    ///
    /// A later version may know it, and then it is no longer `Other`. So compare
    /// [`as_str`](Self::as_str) instead of matching it, and make it with [`From`].
    Other(String),
}

impl ContactType {
    /// The types of the published contract.
    pub const KNOWN: [Self; 4] = [Self::Phone, Self::MobilePhone, Self::Email, Self::Fax];

    /// Returns the text on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone => "Phone",
            Self::MobilePhone => "MobilePhone",
            Self::Email => "Email",
            Self::Fax => "Fax",
            Self::Other(text) => text,
        }
    }

    /// Whether the value is a telephone number: landline, mobile or fax.
    #[must_use]
    pub fn is_phone(&self) -> bool {
        matches!(self, Self::Phone | Self::MobilePhone | Self::Fax)
    }

    /// Returns what a search for a value compares, however the value is written: [`phone::key`] of
    /// a number, [`email::key`] of an address. For a type outside the contract the value shows
    /// which of the two it is; a text without digits is its own key.
    ///
    /// ```
    /// use crm_models::ContactType;
    ///
    /// assert_eq!(ContactType::Phone.key("(818) 555-0142 ext. 7"), "8185550142");
    /// assert_eq!(ContactType::from("Pager").key("(818) 555-0142"), "8185550142");
    /// ```
    #[must_use]
    pub fn key(&self, value: &str) -> String {
        match self {
            Self::Email => email::key(value),
            _ if value.contains('@') => email::key(value),
            Self::Phone | Self::MobilePhone | Self::Fax => phone::key(value),
            Self::Other(_) => match phone::key(value) {
                key if key.is_empty() => value.to_owned(),
                key => key,
            },
        }
    }

    /// Whether two values mean the same number or address. Numbers are compared by all their
    /// digits, including those of an extension, addresses without case, and anything else as it is
    /// written. So is a number with letters and fewer than seven digits, not counting a leading 1,
    /// because the letters distinguish it, as in `1-800-FLOWERS`. A service that keeps only digits
    /// has another value then.
    #[must_use]
    pub fn same_value(&self, one: &str, other: &str) -> bool {
        one == other
            || match self {
                Self::Phone | Self::MobilePhone | Self::Fax => phone::is_same(one, other),
                Self::Email => email::key(one) == email::key(other),
                Self::Other(_) => false,
            }
    }

    /// Whether `answered` may be the value that a service stored when it was sent `asked`: the same
    /// by [`same_value`](Self::same_value), or the digits alone of a number with letters.
    ///
    /// ```
    /// use crm_models::ContactType;
    ///
    /// assert!(ContactType::Phone.is_echo("1-800-FLOWERS", "1800"));
    /// assert!(!ContactType::Phone.is_echo("(818) 555-0142", "8185550143"));
    /// ```
    #[must_use]
    pub fn is_echo(&self, asked: &str, answered: &str) -> bool {
        self.same_value(asked, answered) || (self.is_phone() && phone::is_echo(asked, answered))
    }

    fn known(text: &str) -> Option<Self> {
        Self::KNOWN.into_iter().find(|known| known.as_str() == text)
    }
}

impl From<&str> for ContactType {
    fn from(text: &str) -> Self {
        Self::known(text).unwrap_or_else(|| Self::Other(text.to_owned()))
    }
}

wire_text!(ContactType, "a contact type", as_str);
