//! To which of several numbers or addresses a column belongs: `Mobile DNC` to `Mobile Phone`.

use std::collections::BTreeSet;

use super::{
    channels::Channels,
    vocabulary::{is_about, spelled},
};

/// Words by which a number or an address is told from others, each with the one that stands for it.
const LABELS: [(&str, &str); 24] = [
    ("mobile", MOBILE),
    ("mobilephone", MOBILE),
    ("cell", MOBILE),
    ("cellphone", MOBILE),
    ("landline", LANDLINE),
    ("home", "home"),
    ("house", "home"),
    ("residence", "home"),
    ("work", "work"),
    ("office", "work"),
    ("business", "work"),
    ("main", "main"),
    ("primary", "main"),
    ("secondary", "secondary"),
    ("alternate", "alternate"),
    ("alternative", "alternate"),
    ("alt", "alternate"),
    ("personal", "personal"),
    ("daytime", "daytime"),
    ("evening", "evening"),
    ("other", "other"),
    ("first", FIRST),
    ("second", SECOND),
    ("third", THIRD),
];
/// What a telephone is: without a number that is called so, it stands for any.
const MOBILE: &str = "mobile";
const LANDLINE: &str = "landline";
/// `First Opt-Out Date` is of no first number where none is called so.
const FIRST: &str = "first";
const SECOND: &str = "second";
const THIRD: &str = "third";
/// Words that say nothing of what is labelled.
const SILENT: [&str; 6] = ["number", "no", "num", "nr", "nbr", "value"];

/// Whether a word may tell a number or an address from others.
pub(super) fn is_label(word: &str) -> bool {
    label(word).is_some()
}

fn label(word: &str) -> Option<&'static str> {
    LABELS.iter().find(|(known, _)| *known == word).map(|(_, label)| *label)
}

fn is_kind(label: &str) -> bool {
    [MOBILE, LANDLINE].contains(&label)
}

fn is_ordinal(label: &str) -> bool {
    [FIRST, SECOND, THIRD].contains(&label)
}

fn is_digits(label: &str) -> bool {
    label.starts_with(|c: char| c.is_ascii_digit())
}

/// A header by what it has in common with others, and by what it is told from them.
#[derive(Debug)]
struct Labelled {
    header: String,
    channels: Channels,
    base: Vec<String>,
    labels: BTreeSet<String>,
    /// Whether it is the first by being the only one of several without a digit.
    is_first: bool,
}

impl Labelled {
    fn of((header, channels): (String, Channels)) -> Self {
        let mut base = Vec::new();
        let digits = header.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty());
        let digits: Vec<_> = digits.map(|run| run.trim_start_matches('0')).collect();
        // `Owner 1 Phone 2` is not the second of all.
        let mut labels: BTreeSet<_> =
            (!digits.is_empty()).then(|| digits.join(".")).into_iter().collect();
        for word in spelled(&header) {
            match label(&word) {
                Some(label) => {
                    labels.insert(label.to_owned());
                    base.extend(is_kind(label).then(|| "phone".to_owned()));
                }
                None if SILENT.contains(&word.as_str()) => {}
                None => base.push(word),
            }
        }
        Self { header, channels, base, labels, is_first: false }
    }

    /// Several of one table: beside `Phone 2`, `Phone` is the first.
    fn all(columns: Vec<(String, Channels)>) -> Vec<Self> {
        let mut all: Vec<_> = columns.into_iter().map(Self::of).collect();
        let is_first = |one: &Self| {
            let mut others = all.iter().filter(|other| other.base == one.base);
            let has_digits = |other: &Self| other.labels.iter().any(|label| is_digits(label));
            let is_one = |other: &Self| other.labels.contains("1");
            one.labels.is_empty() && others.clone().any(has_digits) && !others.any(is_one)
        };
        let first: Vec<_> = all.iter().map(is_first).collect();
        for (one, is_first) in all.iter_mut().zip(first) {
            one.is_first = is_first;
            one.labels.extend(is_first.then(|| "1".to_owned()));
        }
        all
    }
}

/// Of which of the values of a row a column speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Of {
    /// Of all that its channels reach.
    Any,
    /// Of those with these headers.
    Only(BTreeSet<String>),
    /// Of one that nobody can name: no value has its label.
    Unknown,
}

impl Of {
    /// Whether it speaks of the value in this column.
    pub(super) fn includes(&self, column: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(columns) => columns.contains(column),
            Self::Unknown => false,
        }
    }
}

/// The numbers and addresses of a list by their headers, with the channels that reach each.
pub(super) struct Values(Vec<Labelled>);

impl Values {
    pub(super) fn of(columns: Vec<(String, Channels)>) -> Self {
        Self(Labelled::all(columns))
    }

    /// Of which of them columns of one kind speak, as their statuses: each with its channels.
    pub(super) fn meant(&self, columns: Vec<(String, Channels)>) -> Vec<(String, Of)> {
        let all = Labelled::all(columns);
        let of = |one: &Labelled| match self.labelled(one) {
            Of::Any if one.labels.is_empty() => self.beside(one, &all),
            of => of,
        };
        all.iter().map(|one| (one.header.clone(), of(one))).collect()
    }

    /// The values without a label, if another column says the same of one that has a label.
    fn beside(&self, one: &Labelled, all: &[Labelled]) -> Of {
        let is_like = |other: &&Labelled| other.base == one.base && !other.labels.is_empty();
        let mut others = all.iter().filter(is_like);
        let is_paired = others.any(|other| matches!(self.labelled(other), Of::Only(_)));
        let bare = self.with(one, |value| value.labels.is_empty());
        if is_paired && !bare.is_empty() { Of::Only(bare) } else { Of::Any }
    }

    fn labelled(&self, one: &Labelled) -> Of {
        let met: Vec<_> = self.met(one).collect();
        let is_shared = |label: &String| met.iter().any(|value| value.labels.contains(label));
        // `Opt Out Other` may have nothing to do with another number.
        let is_other = |label: &str| is_about(label) || is_ordinal(label);
        let labels: Vec<_> =
            one.labels.iter().filter(|label| !is_other(label) || is_shared(label)).collect();
        if labels.is_empty() || met.is_empty() {
            return Of::Any;
        }
        let fitting =
            self.with(one, |value| labels.iter().all(|label| value.labels.contains(*label)));
        if !fitting.is_empty() {
            return Of::Only(fitting);
        }
        match met.as_slice() {
            _ if one.is_first => Of::Any,
            // Nothing tells the only number from others.
            [sole] => {
                let has = |is: fn(&str) -> bool| sole.labels.iter().any(|label| is(label));
                let is_other = |label: &&String| match label.as_str() {
                    label if is_digits(label) => has(is_digits),
                    label => !is_kind(label) || has(|label| !is_digits(label)),
                };
                if labels.iter().any(is_other) { Of::Unknown } else { Of::Any }
            }
            _ => Of::Unknown,
        }
    }

    fn with(&self, one: &Labelled, is: impl Fn(&Labelled) -> bool) -> BTreeSet<String> {
        self.met(one).filter(|value| is(value)).map(|value| value.header.clone()).collect()
    }

    /// Those that are reached by a channel of a column.
    fn met(&self, one: &Labelled) -> impl Iterator<Item = &Labelled> {
        self.0.iter().filter(|value| value.channels.meet(one.channels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of which values each status speaks: `*` for all, `?` for one that nobody can name.
    fn meant(values: &str, statuses: &str) -> String {
        let columns = |headers: &str, channels: fn(&str) -> Channels| {
            let headers = headers.split(',');
            headers.map(|header| (header.to_owned(), channels(header))).collect()
        };
        let of_value = |header: &str| Channels::of_value(header, !header.contains("mail"));
        let of_status = |header: &str| Channels::of_words(&spelled(header));
        let values = Values::of(columns(values, of_value));
        let meant = values.meant(columns(statuses, of_status)).into_iter();
        let told = meant.map(|(_, of)| match of {
            Of::Any => "*".to_owned(),
            Of::Unknown => "?".to_owned(),
            Of::Only(columns) => columns.into_iter().collect::<Vec<_>>().join("+"),
        });
        told.collect::<Vec<_>>().join(",")
    }

    #[test]
    fn a_column_is_of_the_value_whose_label_it_has() {
        for (values, statuses, told) in [
            ("Phone 1,Phone 2", "DNC 1,DNC 2", "Phone 1,Phone 2"),
            ("Phone1,Phone2", "Phone1 Opt-Out,Phone2 Opt-Out", "Phone1,Phone2"),
            ("phone_1,phone_02", "phone_01_dnc,phone_2_dnc", "phone_1,phone_02"),
            ("Home Phone,Mobile Phone", "Home Phone DNC,Mobile DNC", "Home Phone,Mobile Phone"),
            ("Home Phone,Cell", "Home DNC,Mobile Opt Out", "Home Phone,Cell"),
            ("Work Phone,Home Phone", "Business DNC,Residence DNC", "Work Phone,Home Phone"),
            ("Phone (home),Phone (work)", "DNC (work),DNC", "Phone (work),*"),
            ("Phone,Phone 2,Phone 3", "DNC 1,DNC 2,DNC 3", "Phone,Phone 2,Phone 3"),
            ("Phone 1,Phone 2", "DNC,DNC 2", "Phone 1,Phone 2"),
            ("Phone,Phone.1", "DNC,DNC.1", "Phone,Phone.1"),
            ("Phone,Other Phone", "Phone DNC,Other Phone DNC", "Phone,Other Phone"),
            ("Phone,Mobile Phone", "Phone Opt Out,Mobile Opt Out", "Phone,Mobile Phone"),
            ("Email,Email 2", "Email 2 Opt Out", "Email 2"),
            ("Phone 1,Email 1,Phone 2,Email 2", "Status 2", "Email 2+Phone 2"),
            ("Phone 1,Email 1,Phone 2,Email 2", "DNC 2,Email 2 Opt Out", "Phone 2,Email 2"),
            ("Home Phone 1,Home Phone 2", "Home DNC", "Home Phone 1+Home Phone 2"),
            ("2nd Phone,Phone", "2nd Phone DNC,Phone DNC", "2nd Phone,Phone"),
            ("Phone 1,Phone 10", "DNC 10", "Phone 10"),
            ("Owner 1 Phone 1,Owner 1 Phone 2", "Owner 1 Phone 2 DNC", "Owner 1 Phone 2"),
            ("Owner 1 Phone 1,Owner 1 Phone 2", "Phone 1 DNC", "?"),
            ("First Phone,Second Phone", "First DNC,Second DNC", "First Phone,Second Phone"),
            ("Phone 1,Phone 2", "First Opt Out", "*"),
            // Without a label it counts for all.
            ("Phone 1,Phone 2", "DNC", "*"),
            ("Home Phone,Mobile Phone,Email", "Opt Out,Do Not Call", "*,*"),
            ("Phone,Phone 2", "Opt Out,Phone 2 Opt Out", "*,Phone 2"),
            ("Phone", "Mobile Opt Out,DNC 1,Opt Out Other", "*,*,*"),
            ("Phone 1", "Mobile opt in", "*"),
            ("Phone", "Email 2 Opt Out", "*"),
            // No value has the label.
            ("Phone 1,Phone 2", "DNC 3", "?"),
            ("Phone 1", "DNC 2", "?"),
            ("Home Phone,Work Phone", "Mobile Opt Out", "?"),
            ("Home Phone", "Mobile Opt Out", "?"),
            ("Phone 1,Phone 2", "Mobile Opt Out", "?"),
            ("Phone", "Home DNC", "?"),
            ("Phone 1,Phone 2", "Home Phone 1 DNC", "?"),
        ] {
            assert_eq!(meant(values, statuses), told, "{values}: {statuses}");
        }
    }
}
