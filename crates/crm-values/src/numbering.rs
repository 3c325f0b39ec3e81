//! How the numbers of each country are built.
//!
//! It is a part of libphonenumber's data (Apache License 2.0), copied into a table of which only the
//! lines that are asked for are read. The library itself unpacks the data of all countries at the first
//! number: a process takes longer for that than to find a number among a million.

use std::sync::OnceLock;

use phonenumber::metadata::DATABASE;
use regex::{Regex, RegexBuilder};

/// A line for each country, of which the one that is mainly meant by a country code comes first: the
/// code, the region, the trunk prefix, the international prefix, the lengths of whole numbers, those
/// of local numbers, and how a whole number begins.
const COUNTRIES: &str = include_str!("countries.tsv");

/// The country code of the United States, Canada and their neighbours, whose numbers have ten
/// digits and are stored without it.
pub(crate) const NORTH_AMERICA: u16 = 1;

/// By country code, of three digits at most.
const CODES: usize = 1_000;

/// How a country's numbers are built.
pub(crate) struct Numbering {
    region: &'static str,
    code: u16,
    trunk_prefix: Option<&'static str>,
    international_prefix: Pattern,
    lengths: Vec<usize>,
    local_lengths: Vec<usize>,
    beginning: Pattern,
}

/// With what digits begin. It is made when it is first asked: of libphonenumber's own patterns a
/// hundred are kept, which all look for a place in the text; as many digits of many countries come by,
/// they grow to 60 MB, and those beyond a hundred are made anew each time.
struct Pattern {
    text: &'static str,
    made: OnceLock<Option<Regex>>,
}

impl Pattern {
    fn new(text: &'static str) -> Self {
        Self { text, made: OnceLock::new() }
    }

    /// How many of the digits it is; `None` if they begin with something else.
    fn begins(&self, digits: &str) -> Option<usize> {
        let pattern = self.made.get_or_init(|| beginning(self.text)).as_ref()?;
        pattern.find(digits).map(|found| found.end())
    }
}

impl Numbering {
    /// The countries that share a country code.
    pub(crate) fn of_code(code: u16) -> &'static [Self] {
        static BY_CODE: [OnceLock<Vec<Numbering>>; CODES] = [const { OnceLock::new() }; CODES];
        let Some(countries) = BY_CODE.get(usize::from(code)) else {
            return &[];
        };
        countries.get_or_init(|| {
            let own = format!("{code}\t");
            COUNTRIES
                .lines()
                .filter(|line| line.starts_with(&own))
                .filter_map(Self::of_line)
                .collect()
        })
    }

    /// The country of a region, which an ISO 3166 code names.
    pub(crate) fn of_region(region: &str) -> Option<&'static Self> {
        let mut lines = COUNTRIES.lines().map(|line| line.split('\t'));
        let code = lines.find_map(|mut cells| {
            let code = cells.next()?;
            cells.next().filter(|named| *named == region).map(|_| code)
        });
        Self::of_code(code?.parse().ok()?).iter().find(|country| country.region == region)
    }

    fn of_line(line: &'static str) -> Option<Self> {
        let mut cells = line.split('\t');
        let mut cell = || cells.next();
        Some(Self {
            code: cell()?.parse().ok()?,
            region: cell()?,
            trunk_prefix: cell().filter(|prefix| !prefix.is_empty()),
            international_prefix: Pattern::new(cell()?),
            lengths: lengths(cell()?),
            local_lengths: lengths(cell()?),
            beginning: Pattern::new(cell()?),
        })
    }

    pub(crate) fn country_code(&self) -> u16 {
        self.code
    }

    /// The prefix dialled before a number within the country, or `None` if there is none.
    pub(crate) fn trunk_prefix(&self) -> Option<&'static str> {
        self.trunk_prefix
    }

    /// If `digits` begin the way a call abroad does, returns what follows.
    pub(crate) fn without_international_prefix<'t>(&self, digits: &'t str) -> Option<&'t str> {
        let is_any = !self.international_prefix.text.is_empty();
        let prefix = is_any.then(|| self.international_prefix.begins(digits))??;
        Some(&digits[prefix..])
    }

    /// Whether a national number can be one of this country, including its area code: it has the
    /// length of some type of number and begins like one. Whether it is assigned to anybody is not
    /// checked: numbers reserved for fiction are not, and pass.
    pub(crate) fn is_whole(&self, national: &str) -> bool {
        // Canada has a few seven-digit numbers, 310-xxxx; all others with seven digits are local.
        let is_local = self.code == NORTH_AMERICA && self.is_local(national);
        let has_length = self.lengths.contains(&national.len());
        !is_local && has_length && self.beginning.begins(national).is_some()
    }

    /// Whether a number of this length can be dialled only within its area.
    pub(crate) fn is_local(&self, national: &str) -> bool {
        self.local_lengths.contains(&national.len())
    }
}

fn lengths(cell: &str) -> Vec<usize> {
    cell.split(',').filter_map(|length| length.parse().ok()).collect()
}

/// Whether a national number is of some type of a country with this code. The types say more of the
/// digits than [`Numbering::is_whole`] asks.
///
/// Their patterns become one, made at the first number of each code. Asked one by one, those of the
/// 25 countries of North America take up to 0.1 ms a number: libphonenumber keeps a hundred compiled
/// patterns, fewer than these countries have, and compiles the rest anew each time.
pub(crate) fn is_assigned(code: u16, national: &str) -> bool {
    static PATTERNS: [OnceLock<Option<Regex>>; CODES] = [const { OnceLock::new() }; CODES];
    let Some(pattern) = PATTERNS.get(usize::from(code)) else {
        return false;
    };
    let pattern = pattern.get_or_init(|| {
        let countries = DATABASE.by_code(&code).unwrap_or_default();
        let types = countries.into_iter().flat_map(data::types);
        let patterns: Vec<_> = types.map(|kind| kind.national_number().as_str()).collect();
        beginning(&format!("(?:{})$", patterns.join("|")))
    });
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(national))
}

/// A pattern of ASCII digits at the beginning of a text, as libphonenumber writes them.
fn beginning(pattern: &str) -> Option<Regex> {
    let pattern = format!("^(?:{pattern})");
    RegexBuilder::new(&pattern).ignore_whitespace(true).unicode(false).build().ok()
}

/// libphonenumber's data of all countries.
mod data {
    use phonenumber::{Metadata, Type, metadata::Descriptor};

    /// The number types that state their lengths; the general type does not.
    const TYPES: [Type; 10] = [
        Type::FixedLine,
        Type::Mobile,
        Type::TollFree,
        Type::PremiumRate,
        Type::SharedCost,
        Type::PersonalNumber,
        Type::Voip,
        Type::Pager,
        Type::Uan,
        Type::Voicemail,
    ];

    pub(super) fn types(country: &Metadata) -> impl Iterator<Item = &Descriptor> {
        TYPES.iter().filter_map(|kind| country.descriptors().get(*kind))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use phonenumber::{Metadata, metadata::Descriptor};

    use super::*;

    /// The line of a country.
    fn line(country: &Metadata) -> String {
        let joined = |of: fn(&Descriptor) -> &[u16]| {
            let lengths: BTreeSet<u16> = data::types(country).flat_map(of).copied().collect();
            lengths.iter().map(u16::to_string).collect::<Vec<_>>().join(",")
        };
        let pattern = |text: &str| text.split_whitespace().collect::<String>();
        let cells = [
            country.country_code().to_string(),
            country.id().to_owned(),
            country.national_prefix().unwrap_or_default().to_owned(),
            country.international_prefix().map(|it| pattern(it.as_str())).unwrap_or_default(),
            joined(Descriptor::possible_length),
            joined(Descriptor::possible_local_length),
            pattern(country.descriptors().general().national_number().as_str()),
        ];
        cells.join("\t") + "\n"
    }

    /// With `UPDATE_COUNTRIES=1` it writes the table anew.
    #[test]
    fn the_table_of_countries_has_what_libphonenumber_has() {
        let of_code = |code| DATABASE.by_code(&code).unwrap_or_default();
        let lines: String = (0..1_100).flat_map(of_code).map(line).collect();
        if std::env::var_os("UPDATE_COUNTRIES").is_some() {
            std::fs::write("src/countries.tsv", &lines).unwrap();
        }
        assert!(lines == COUNTRIES, "write it anew with UPDATE_COUNTRIES=1");
    }

    #[test]
    fn numbers_begin_as_libphonenumber_says_in_every_country() {
        let mut whole = 0;
        for code in 0..1_100 {
            let theirs = DATABASE.by_code(&code).unwrap_or_default();
            assert_eq!(Numbering::of_code(code).len(), theirs.len(), "+{code}");
            for (country, theirs) in Numbering::of_code(code).iter().zip(theirs) {
                let general = theirs.descriptors().general().national_number();
                for number in (0..400_u64).map(|n| (n * 25_000_003).to_string()) {
                    let begins = general.find(&number).is_some_and(|found| found.start() == 0);
                    assert_eq!(
                        country.beginning.begins(&number).is_some(),
                        begins,
                        "+{code} {number}"
                    );
                    whole += usize::from(begins);
                    let prefix = theirs.international_prefix().and_then(|it| it.find(&number));
                    let behind = prefix.filter(|it| it.start() == 0).map(|it| &number[it.end()..]);
                    assert_eq!(country.without_international_prefix(&number), behind, "+{code}");
                }
                // All that are of no region have one name.
                let of_region = Numbering::of_region(theirs.id()).map(Numbering::country_code);
                assert!(theirs.id() == "001" || of_region == Some(code), "{}", theirs.id());
            }
        }
        assert!(whole > 1_000);
    }
}
