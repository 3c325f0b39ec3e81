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
        /// They are the API's problem object.
        Problem,
        /// They are an object of `statusCode` and `message`.
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
        /// Names are the same letter by letter.
        Exact,
        /// Names are the same in any letter case.
        AnyCase,
    }
    /// The keys under which a problem files its reasons.
    ErrorKeys {
        /// The key is the name of the member, `value`, after the names of the objects around it.
        Member,
        /// The key is the same as a JSON path: `$.value`.
        Path,
        /// The key is the same in PascalCase: `Value`.
        PascalCase,
        /// The keys are numbers from 0, which name nothing.
        Position,
    }
    /// What types a contact may have, where the contract calls its type text.
    OpenTypes {
        /// Only the documented four are taken.
        Known,
        /// Any text is taken.
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
        /// It is an object for phones and mobile phones, and null for the rest.
        Nested,
        /// It is an empty object for phones and mobile phones, whose members stand beside it.
        Flat,
        /// It is an object for every type, as the published contract says.
        AsDocumented,
    }
    /// How phone and fax numbers are kept.
    PhoneValues {
        /// Only the digits are kept, without the leading 1 of eleven.
        Digits,
        /// They are kept as they were sent.
        Verbatim,
    }
    /// How customers are found by a telephone number.
    PhoneFilter {
        /// By the text of a contact as it is stored.
        Exact,
        /// By its digits, without the leading 1 of eleven.
        Digits,
    }
    /// The generation of the preferences object.
    PreferenceMembers {
        /// It has the present five flags.
        Five,
        /// It has the first three flags alone.
        Three,
    }
    /// Which of the flags for invoices and statements wins where they contradict each other.
    PreferenceConflict {
        /// The two specific flags win.
        Specific,
        /// The combined flag wins.
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
        /// The contact has no memo.
        Null,
        /// The contact has an empty memo.
        Keep,
    }
    /// What an update without members does to `modifiedOn`.
    EmptyUpdate {
        /// It does not move.
        Keep,
        /// It moves to the present.
        Touch,
    }
    /// What the update of a booking contact answers.
    BookingAnswer {
        /// It answers `type`, `value` and `memo`, as the published contract says.
        Request,
        /// It answers the whole contact.
        Full,
        /// It answers only those of the three that were sent.
        Sent,
    }
    /// How a booking contact without a memo shows it.
    BookingMemo {
        /// It is empty text, since the published contract forbids null.
        Empty,
        /// It is null.
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
        /// It repeats the record while recent changes are included.
        Recent,
        /// It always repeats the record.
        Always,
        /// It never repeats the record.
        Never,
    }
}
