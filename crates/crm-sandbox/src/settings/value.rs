//! The kinds of values that settings take.

use strum::{IntoStaticStr, VariantArray};

/// A value of a setting: read from text and written as text.
pub(super) trait Value: Sized {
    /// Says what the setting takes, for people.
    fn kind() -> String;
    fn from_text(text: &str) -> Option<Self>;
    fn to_text(&self) -> String;
}

macro_rules! values {
    ($( $(#[$meta:meta])* $type:ty: $kind:literal, $from_text:expr, $to_text:expr; )+) => {$(
        $(#[$meta])*
        impl Value for $type {
            fn kind() -> String {
                $kind.to_owned()
            }

            fn from_text(text: &str) -> Option<Self> {
                let from_text: fn(&str) -> Option<Self> = $from_text;
                from_text(text)
            }

            fn to_text(&self) -> String {
                let to_text: fn(&Self) -> String = $to_text;
                to_text(self)
            }
        }
    )+};
}

values! {
    bool: "on|off", read_switch, |on| if *on { "on" } else { "off" }.to_owned();
    u32: "a number", |text| text.parse().ok(), u32::to_string;
    u16: "a 4xx status",
        |text| text.parse().ok().filter(|status| (400..500).contains(status)),
        u16::to_string;
    String: "text", |text| Some(text.to_owned()), String::clone;
}

/// Reads a switch; the words of programs mean the same as those of people.
fn read_switch(text: &str) -> Option<bool> {
    match text {
        "on" | "true" => Some(true),
        "off" | "false" => Some(false),
        _ => None,
    }
}

/// Makes enumerations of words to choose from: the names of their variants in kebab case.
macro_rules! choices {
    ($( $(#[$meta:meta])* $name:ident { $($variants:tt)+ } )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
        #[strum(serialize_all = "kebab-case")]
        #[non_exhaustive]
        pub enum $name { $($variants)+ }

        impl Value for $name {
            fn kind() -> String {
                Self::VARIANTS.iter().map(<&str>::from).collect::<Vec<_>>().join("|")
            }

            fn from_text(text: &str) -> Option<Self> {
                Self::VARIANTS.iter().copied().find(|variant| <&str>::from(variant) == text)
            }

            fn to_text(&self) -> String {
                <&str>::from(self).to_owned()
            }
        }
    )+};
}

choices! {
    /// The form of errors that the gateway before the API makes.
    GatewayErrors {
        /// The API's problem object.
        Problem,
        /// `statusCode` and `message`.
        Gateway,
    }
    /// What happens to names that a schema does not know.
    Unknown {
        /// They are ignored.
        Ignore,
        /// The request is answered 400.
        Refuse,
    }
    /// How names are compared.
    Letters {
        /// Letter by letter.
        Exact,
        /// In any letter case.
        AnyCase,
    }
    /// Under which keys a problem files its reasons.
    ErrorKeys {
        /// The member's name, after those of the objects around it: `value`.
        Member,
        /// The same as a JSON path: `$.value`.
        Path,
        /// The same in PascalCase: `Value`.
        PascalCase,
        /// Numbers from 0, which name nothing.
        Position,
    }
    /// Which types a contact may have whose type the contract calls text.
    OpenTypes {
        /// The documented four.
        Known,
        /// Any text.
        Any,
    }
    /// What happens to page numbers and sizes out of bounds.
    PageBounds {
        /// The request is answered 400.
        Refuse,
        /// They are moved to the nearest bound.
        Clamp,
    }
    /// The form of `phoneSettings` in answers.
    PhoneSettingsForm {
        /// An object for phones and mobile phones, null for the rest.
        Nested,
        /// An empty object, its members beside it.
        Flat,
        /// An object for every type, as the published contract says.
        AsDocumented,
    }
    /// How phone and fax numbers are kept.
    PhoneValues {
        /// Digits only, without the leading 1 of eleven.
        Digits,
        /// As they were sent.
        Verbatim,
    }
    /// The generation of the preferences object.
    PreferenceMembers {
        /// The present five flags.
        Five,
        /// The first three flags alone.
        Three,
    }
    /// Which invoice flag wins.
    PreferenceConflict {
        /// The two specific flags.
        Specific,
        /// The combined flag.
        Combined,
    }
    /// What happens to a null where the schema forbids it.
    NullMembers {
        /// The request is answered 400.
        Refuse,
        /// It keeps the present value.
        Keep,
    }
    /// What a memo set to the empty string becomes.
    EmptyMemo {
        /// No memo.
        Null,
        /// An empty memo.
        Keep,
    }
    /// What an update without members does to `modifiedOn`.
    EmptyUpdate {
        /// Nothing.
        Keep,
        /// It moves to the present.
        Touch,
    }
    /// What the update of a booking contact answers.
    BookingAnswer {
        /// `type`, `value` and `memo`, as the published contract says.
        Request,
        /// The whole contact.
        Full,
        /// Only those of the three that were sent.
        Sent,
    }
    /// How a booking contact without a memo shows it.
    BookingMemo {
        /// As empty text: the published contract forbids null.
        Empty,
        /// As null.
        Null,
    }
    /// What happens when a person that does not exist is replaced.
    ReplaceUnknown {
        /// It creates the person.
        Create,
        /// It is answered 404.
        Refuse,
    }
    /// What happens to members that an update leaves out.
    AbsentMembers {
        /// They keep their values.
        Keep,
        /// They are cleared.
        Clear,
    }
    /// When an export answer repeats the record before it.
    Repeats {
        /// While recent changes are included.
        Recent,
        /// Always.
        Always,
        /// Never.
        Never,
    }
}
