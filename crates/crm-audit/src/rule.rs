//! The rules: what each is called and what it means.

use std::{fmt, str::FromStr};

/// How certain it is that a finding of a rule is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
#[non_exhaustive]
pub enum Certainty {
    /// It follows from the record alone.
    Certain,
    /// It is a fault nearly always.
    Likely,
    /// It is worth a look: only a person can say.
    Possible,
}

/// The table of rules. An entry is the variant with its name, whether it writes or tells, how
/// certain it is, what it finds in one line, what it means, and examples.
macro_rules! rules {
    ($(
        $(#[$doc:meta])*
        $rule:ident $name:literal $effect:ident $certainty:ident
            $title:literal $meaning:literal [$($example:literal),*];
    )*) => {
        /// A rule: one kind of fault that an audit looks for.
        ///
        /// ```
        /// use crm_audit::{Certainty, Rule};
        ///
        /// let rule: Rule = "spelling".parse()?;
        /// assert!(rule.writes() && rule.certainty() == Certainty::Certain);
        /// assert!(!Rule::Shared.writes(), "partners share a number");
        /// # Ok::<(), crm_audit::UnknownRule>(())
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])* $rule,)*
        }

        impl Rule {
            /// All rules: first those that may write.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$rule),*];

            /// Returns the name, as in `crm audit --rule NAME`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$rule => $name,)* }
            }

            /// Returns what it finds, in one line.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$rule => $title,)* }
            }

            /// Returns what a finding means, when it is none, and what mends it.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$rule => $meaning,)* }
            }

            /// Returns how certain its findings are.
            #[must_use]
            pub const fn certainty(self) -> Certainty {
                match self { $(Self::$rule => Certainty::$certainty,)* }
            }

            /// Returns examples of what it finds, and where it writes, of what that becomes.
            #[must_use]
            pub const fn examples(self) -> &'static [&'static str] {
                match self { $(Self::$rule => &[$($example),*],)* }
            }

            /// Whether its findings come with proposals. The others only tell.
            #[must_use]
            pub const fn writes(self) -> bool {
                match self { $(Self::$rule => effect!($effect),)* }
            }
        }
    };
}

macro_rules! effect {
    (writes) => {
        true
    };
    (tells) => {
        false
    };
}

rules! {
    /// A number that is not stored as digits.
    Spelling "spelling" writes Certain
        "a number is not stored as digits"
        "The service stores digits, and searches by them. The same number as digits is proposed, \
         unless that would lose something: an extension, or the + without which the digits are \
         another number."
        ["(818) 555-0142 → 8185550142", "+1 818.555.0142 → 8185550142"];

    /// An e-mail address among the numbers.
    EmailInPhone "email-in-phone" writes Certain
        "a valid e-mail address has a telephone's type"
        "Nobody can be called or texted there, and no e-mail is sent to it. The type Email is \
         proposed; the address stays."
        ["Phone ada@site.example → Email ada@site.example"];

    /// A combined flag that contradicts the two that it combines.
    CombinedFlag "combined-flag" writes Certain
        "the combined flag contradicts invoices and statements"
        "invoiceStatementNotification is true only when invoices and statements both are. Sending \
         the two as they are has the service compute it anew."
        ["invoices on, statements off, combined on → combined off"];

    /// The same contact twice.
    Duplicate "duplicate" writes Certain
        "an owner has the same contact twice"
        "Same owner, type, number or address, and extension; memos alike or one of them empty; the \
         flags and do-not-text known and equal. The oldest stays and takes over the memo if it has \
         none; the others are proposed for deletion. Where the flags differ it is `repeated`: to \
         delete one could take back an opt-out."
        ["customer 1001 has 8185550142 as MobilePhone twice → the newer one is deleted"];

    /// A value that stands for none.
    Placeholder "placeholder" tells Certain
        "the value stands for none"
        "Somebody had to fill the field in. The list is kept here, and `placeholders` of a file of \
         thresholds adds to it."
        ["(123) 456-7890", "000-000-0000", "noemail@example.com"];

    /// A number reserved for fiction.
    Fictional "fictional" tells Certain
        "the number is reserved for fiction: 555-0100 to 555-0199"
        "In North America nobody can have these numbers, in any area."
        ["(818) 555-0142"];

    /// A value that cannot be read.
    Malformed "malformed" tells Certain
        "the value is neither a number nor an address of its type"
        "Too few or too many digits, letters, no area code, no domain. An extension that was stored \
         with a number looks like this too: its digits follow those of the number."
        ["818-555", "call Ana", "ada@site"];

    /// A number in a range that is not given out.
    Unassigned "unassigned" tells Certain
        "the number is in a range that its country does not give out"
        "It has the right number of digits, but for example an area code that does not exist. The \
         data are those of libphonenumber; a new range may be missing from them."
        ["(211) 200-1111"];

    /// Several values in one field.
    TwoValues "two-values" tells Certain
        "the field holds more than one value"
        "Each needs a contact of its own. Which flags the second one gets, only a person can say."
        ["818-200-1111 / 818-200-2222", "ada@site.example; bo@site.example"];

    /// A number with the type of an address.
    WrongType "wrong-type" tells Certain
        "a telephone number has the type Email"
        "Whether it is a landline, a mobile telephone or a fax, only a person can say."
        ["Email 8182001111"];

    /// A contact that an owner has twice, but not alike.
    Repeated "repeated" tells Likely
        "an owner has the same number or address twice, but not alike"
        "The type, the flags, do-not-text or the memo differ, or the flags are not known. The older \
         one is named. Nothing is proposed, since merging the two could take back an opt-out."
        ["Phone 8182001111 with marketing, MobilePhone 8182001111 without"];

    /// A value that several owners have.
    Shared "shared" tells Possible
        "many customers have the same number or address"
        "Partners, property managers and landlords share numbers; so do records that somebody \
         copied. A location counts as its customer where that is known. Nothing is proposed. \
         Threshold: `shared-by`."
        ["8182001111 is a contact of 12 customers"];

    /// A contact whose flags are not known.
    UnknownFlags "unknown-flags" tells Certain
        "the service does not say what the contact receives"
        "Unknown is not off: set the flags, or leave it to those who send."
        ["preferences: null"];

    /// A contact that its location has and its customer has not.
    LocationOnly "location-only" tells Possible
        "the location has the contact, its customer does not"
        "The service copies contacts when a location is made, and later ones stay where they were \
         entered. Opt-outs reach both only if both are known."
        ["location 55021 has 8182001111, customer 1001 does not"];

    /// A contact that its customer has and none of the locations has.
    CustomerOnly "customer-only" tells Possible
        "the customer has the contact, none of its locations does"
        "As with `location-only`. Customers without a location with contacts are passed over."
        ["customer 1001 has 8182001111, its locations do not"];

    /// A contact of an owner that is no longer in use.
    InactiveOwner "inactive-owner" tells Certain
        "the customer or location is deactivated or was merged into another"
        "Its contacts are still there and may still be written to. Rules that write propose nothing \
         for them."
        ["customer 1001 was merged into customer 1002"];

    /// A memo with a number or an address in it.
    MemoValue "memo-value" tells Possible
        "the memo holds a number or an address"
        "No search and no opt-out finds it there. It may need a contact of its own."
        ["memo: or call Bo, 818-200-2222"];

    /// A memo that asks not to be contacted.
    MemoWish "memo-wish" tells Likely
        "the memo asks not to be called, texted or written to"
        "What a person wrote down is not a flag: whoever sends does not see it. See whether the \
         flags say the same. Threshold: `wishes` adds words."
        ["memo: DO NOT CALL before noon", "memo: no texts pls"];

    /// A record that nobody has changed for long.
    Stale "stale" tells Possible
        "nobody has changed the record for years"
        "People move and numbers are given to others. Threshold: `stale-after-days`."
        ["last changed 2016-03-01"];

    /// An address that was made to be thrown away.
    ThrowAway "throw-away" tells Likely
        "the e-mail address is of a service for addresses to throw away"
        "Nobody reads them after an hour. The list is small and our own, and `throw-away-domains` of \
         a file of thresholds adds to it."
        ["someone@mailinator.com"];
}

impl Rule {
    /// Whether it asks what is known of [owners](crate::Owners) beside their contacts.
    #[must_use]
    pub const fn needs_owners(self) -> bool {
        matches!(self, Self::LocationOnly | Self::CustomerOnly | Self::InactiveOwner)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The error for a text that names no [`Rule`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule `{0}`; `crm audit --help` lists them")]
pub struct UnknownRule(String);

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        let mut rules = Self::ALL.into_iter();
        rules.find(|rule| rule.name() == text).ok_or_else(|| UnknownRule(text.to_owned()))
    }
}

/// A set of rules.
///
/// ```
/// use crm_audit::{Rule, Rules};
///
/// let rules = Rules::ALL.without(Rule::Stale);
/// assert!(rules.contains(Rule::Spelling) && !rules.contains(Rule::Stale));
/// assert_eq!(Rules::only([Rule::Spelling, Rule::Duplicate]).iter().count(), 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Rules([bool; Rule::ALL.len()]);

impl Rules {
    /// All rules.
    pub const ALL: Self = Self([true; Rule::ALL.len()]);

    /// These rules and no others.
    pub fn only(rules: impl IntoIterator<Item = Rule>) -> Self {
        let mut only = Self([false; Rule::ALL.len()]);
        rules.into_iter().for_each(|rule| only.0[rule as usize] = true);
        only
    }

    /// The same rules but for this one.
    pub fn without(mut self, rule: Rule) -> Self {
        self.0[rule as usize] = false;
        self
    }

    /// Whether this rule is one of them.
    #[must_use]
    pub fn contains(self, rule: Rule) -> bool {
        self.0[rule as usize]
    }

    /// Returns the rules in the order of [`Rule::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Rule> {
        Rule::ALL.into_iter().filter(move |rule| self.contains(*rule))
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::ALL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_in_the_readme_and_has_a_name_of_its_own() {
        let readme = include_str!("../README.md");
        for rule in Rule::ALL {
            assert_eq!(rule.name().parse(), Ok(rule));
            let writes = if rule.writes() { "yes" } else { "" };
            let row = format!("| `{rule}` | {} | {writes} |", rule.title());
            assert!(readme.contains(&row), "the README lacks: {row}");
            assert!(!rule.meaning().is_empty() && !rule.examples().is_empty(), "{rule}");
        }
        let writes = Rule::ALL.map(Rule::writes);
        assert!(writes.is_sorted_by(|one, other| one >= other), "those that write come first");
    }
}
