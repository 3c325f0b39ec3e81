//! The kinds of values that settings take.

/// A value of a setting: read from text and written as text.
pub(super) trait Value: Sized {
    /// What it takes, for people.
    const KIND: &'static str;
    fn from_text(text: &str) -> Option<Self>;
    fn to_text(&self) -> String;
}

impl Value for bool {
    const KIND: &'static str = "on|off";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "on" | "true" => Some(true),
            "off" | "false" => Some(false),
            _ => None,
        }
    }

    fn to_text(&self) -> String {
        if *self { "on" } else { "off" }.to_owned()
    }
}

impl Value for u32 {
    const KIND: &'static str = "a number";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

/// A status of the 4xx class.
impl Value for u16 {
    const KIND: &'static str = "a 4xx status";

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().filter(|status| (400..500).contains(status))
    }

    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl Value for String {
    const KIND: &'static str = "text";

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn to_text(&self) -> String {
        self.clone()
    }
}

macro_rules! choices {
    ($( $(#[$meta:meta])* $name:ident {
        $(#[$first_meta:meta])* $first:ident = $first_text:literal,
        $( $(#[$variant_meta:meta])* $variant:ident = $text:literal, )+
    } )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $name {
            $(#[$first_meta])* $first,
            $( $(#[$variant_meta])* $variant, )+
        }

        impl Value for $name {
            const KIND: &'static str = concat!($first_text, $("|", $text),+);

            fn from_text(text: &str) -> Option<Self> {
                match text {
                    $first_text => Some(Self::$first),
                    $( $text => Some(Self::$variant), )+
                    _ => None,
                }
            }

            fn to_text(&self) -> String {
                match self {
                    Self::$first => $first_text,
                    $( Self::$variant => $text, )+
                }
                .to_owned()
            }
        }
    )+};
}

choices! {
    /// The form of errors that the gateway before the API makes.
    GatewayErrors {
        /// The API's problem object.
        Problem = "problem",
        /// `statusCode` and `message`.
        Gateway = "gateway",
    }
    /// What happens to names that a schema does not know.
    Unknown {
        /// They are ignored.
        Ignore = "ignore",
        /// The request is answered 400.
        Refuse = "refuse",
    }
    /// How names are compared.
    Letters {
        /// Letter by letter.
        Exact = "exact",
        /// In any letter case.
        AnyCase = "any-case",
    }
    /// Under which keys a problem files its reasons.
    ErrorKeys {
        /// The member's name, after those of the objects around it: `value`.
        Member = "member",
        /// The same as a JSON path: `$.value`.
        Path = "path",
        /// The same in PascalCase: `Value`.
        PascalCase = "pascal-case",
        /// Numbers from 0, which name nothing.
        Position = "position",
    }
    /// Which types a contact may have whose type the contract calls text.
    OpenTypes {
        /// The documented four.
        Known = "known",
        /// Any text.
        Any = "any",
    }
    /// What happens to page numbers and sizes out of bounds.
    PageBounds {
        /// The request is answered 400.
        Refuse = "refuse",
        /// They are moved to the nearest bound.
        Clamp = "clamp",
    }
    /// The form of `phoneSettings` in answers.
    PhoneSettingsForm {
        /// An object for phones and mobile phones, null for the rest.
        Nested = "nested",
        /// An empty object, its members beside it.
        Flat = "flat",
        /// An object for every type, as the published contract says.
        AsDocumented = "as-documented",
    }
    /// How phone and fax numbers are kept.
    PhoneValues {
        /// Digits only, without the leading 1 of eleven.
        Digits = "digits",
        /// As they were sent.
        Verbatim = "verbatim",
    }
    /// The generation of the preferences object.
    PreferenceMembers {
        /// The present five flags.
        Five = "five",
        /// The first three flags alone.
        Three = "three",
    }
    /// Which invoice flag wins.
    PreferenceConflict {
        /// The two specific flags.
        Specific = "specific",
        /// The combined flag.
        Combined = "combined",
    }
    /// What happens to a null where the schema forbids it.
    NullMembers {
        /// The request is answered 400.
        Refuse = "refuse",
        /// It keeps the present value.
        Keep = "keep",
    }
    /// What a memo set to the empty string becomes.
    EmptyMemo {
        /// No memo.
        Null = "null",
        /// An empty memo.
        Keep = "keep",
    }
    /// What an update without members does to `modifiedOn`.
    EmptyUpdate {
        /// Nothing.
        Keep = "keep",
        /// It moves to the present.
        Touch = "touch",
    }
    /// What the update of a booking contact answers.
    BookingAnswer {
        /// `type`, `value` and `memo`, as the published contract says.
        Request = "request",
        /// The whole contact.
        Full = "full",
        /// Only those of the three that were sent.
        Sent = "sent",
    }
    /// How a booking contact without a memo shows it.
    BookingMemo {
        /// As empty text: the published contract forbids null.
        Empty = "empty",
        /// As null.
        Null = "null",
    }
    /// What happens when a person that does not exist is replaced.
    ReplaceUnknown {
        /// It creates the person.
        Create = "create",
        /// It is answered 404.
        Refuse = "refuse",
    }
    /// What happens to members that an update leaves out.
    AbsentMembers {
        /// They keep their values.
        Keep = "keep",
        /// They are cleared.
        Clear = "clear",
    }
    /// When an export answer repeats the record before it.
    Repeats {
        /// While recent changes are included.
        Recent = "recent",
        /// Always.
        Always = "always",
        /// Never.
        Never = "never",
    }
}
