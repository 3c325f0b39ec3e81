//! Telephone numbers: every example of libphonenumber's data, and texts that are no number.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crm_values::{
    DATA, Extensions, InvalidValue, Needle, NewValues, PhoneReader, Readings, Traces, is_assigned,
};
use phonenumber::{Mode, Type, country, metadata::DATABASE};
use proptest::prelude::*;

fn reader(region: &str) -> PhoneReader {
    PhoneReader::new(region.parse().unwrap())
}

/// A number of the library's data: its region, country code and digits within the country.
struct Example {
    region: Option<String>,
    code: u16,
    national: String,
}

fn examples() -> Vec<Example> {
    let types = [
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
    let mut examples = Vec::new();
    for code in 1..1000_u16 {
        for meta in DATABASE.by_code(&code).unwrap_or_default() {
            let numbers = types.iter().filter_map(|kind| meta.descriptors().get(*kind)?.example());
            let region = meta.id().parse::<country::Id>().ok();
            examples.extend(numbers.map(|national| Example {
                region: region.map(|_| meta.id().to_owned()),
                code,
                national: national.to_owned(),
            }));
        }
    }
    examples
}

/// The ways to write an example, each with the reader for it.
fn spellings(example: &Example) -> Vec<(PhoneReader, String)> {
    let Example { region, code, national } = example;
    let mut ways = vec![(reader("US"), format!("+{code}{national}"))];
    let Some(region) = region else {
        return ways;
    };
    let home = reader(region);
    ways.push((home, national.clone()));
    ways.push((home, format!("+{code} {national}")));
    let meta = DATABASE.by_id(region.as_str()).unwrap();
    if let Some(prefix) = meta.national_prefix() {
        ways.push((home, format!("{prefix} {national}")));
    }
    let id = region.parse().unwrap();
    if let Ok(parsed) = phonenumber::parse(None, format!("+{code}{national}"))
        && parsed.country().id() == Some(id)
        && parsed.national().to_string() == *national
    {
        for mode in [Mode::International, Mode::National] {
            ways.push((home, parsed.format().mode(mode).to_string()));
        }
    }
    ways
}

#[test]
fn no_example_of_the_library_is_read_as_another_number_and_hardly_any_is_refused() {
    let (mut right, mut refused) = (0, Vec::new());
    for example in examples() {
        let key = format!("{}{}", example.code, example.national);
        for (reader, text) in spellings(&example) {
            match reader.phone(&text) {
                Ok(number) => {
                    assert_eq!(number.key(), key, "{text} in {}", reader.region());
                    right += 1;
                    let stored = Readings::of(number.stored(), reader).unwrap();
                    let keys = [Some(stored.key()), stored.otherwise()];
                    assert!(keys.contains(&Some(&key)), "{text} is lost when stored");
                }
                Err(why) => refused.push(format!("{text} in {}: {why}", reader.region())),
            }
        }
    }
    assert!(right > 6_000, "{right}");
    assert!(refused.len() < 25, "{}", refused.join("\n"));
}

#[test]
fn a_number_is_read_however_it_is_written() {
    for (region, text, key, stored) in [
        ("US", "(818) 555-0142", "18185550142", "8185550142"),
        ("US", "+1 818.555.0142", "18185550142", "8185550142"),
        ("US", "1-818-555-0142", "18185550142", "8185550142"),
        ("US", "(+1) 818 555 0142", "18185550142", "8185550142"),
        ("US", "818/555-0142", "18185550142", "8185550142"),
        ("US", "８１８－５５５－０１４２", "18185550142", "8185550142"),
        ("US", "٨١٨ ٥٥٥ ٠١٤٢", "18185550142", "8185550142"),
        ("US", "818\u{a0}555\u{2011}0142", "18185550142", "8185550142"),
        ("US", "+44 (0)20 7946 0958", "442079460958", "442079460958"),
        ("US", "011 44 20 7946 0958", "442079460958", "442079460958"),
        ("US", "011 44 (0)20 7946 0958", "442079460958", "442079460958"),
        ("US", "0044 20 7946 0958", "442079460958", "442079460958"),
        ("US", "0044 (0)20 7946 0958", "442079460958", "442079460958"),
        ("US", "+49 1512 3456789", "4915123456789", "4915123456789"),
        ("US", "+39 (0)6 1234 5678", "390612345678", "390612345678"),
        ("US", "+33 1 99 00 12 34", "33199001234", "33199001234"),
        ("GB", "020 7946 0958", "442079460958", "02079460958"),
        ("GB", "+44 20 7946 0958", "442079460958", "02079460958"),
        ("GB", "(0)20 7946 0958", "442079460958", "02079460958"),
        ("GB", "07700 900123", "447700900123", "07700900123"),
        ("GB", "01632 960001", "441632960001", "01632960001"),
        ("AU", "0491 570 156", "61491570156", "0491570156"),
        ("DE", "030/23125 042", "493023125042", "03023125042"),
        ("RU", "8 800 555-35-35", "78005553535", "78005553535"),
        ("CN", "138 1234 5678", "8613812345678", "13812345678"),
        ("CA", "+1 818 555 0142", "18185550142", "8185550142"),
    ] {
        let number = reader(region).phone(text);
        let number = number.unwrap_or_else(|why| panic!("{text} in {region}: {why}"));
        assert_eq!((number.key(), number.stored()), (key, stored), "{text} in {region}");
        assert_eq!(number.extension(), None, "{text}");
    }
}

#[test]
fn an_extension_is_split_off_and_kept_apart() {
    for (text, extension) in [
        ("818-555-0142 ext. 7", "7"),
        ("818-555-0142 Ext 12", "12"),
        ("818-555-0142 extension: 12", "12"),
        ("818-555-0142x12", "12"),
        ("818-555-0142 ｘ１２", "12"),
        ("818-555-0142 #12", "12"),
        ("818-555-0142 ext #12", "12"),
        ("818-555-0142 (ext. 12)", "12"),
        ("+18185550142;ext=12", "12"),
        ("8185550142,,12", "12"),
    ] {
        let number = PhoneReader::default().phone(text);
        let number = number.unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(number.key(), "18185550142", "{text}");
        assert_eq!(number.extension(), Some(extension), "{text}");
    }
}

#[test]
fn what_is_not_surely_one_whole_number_is_refused_with_the_reason() {
    use InvalidValue::*;
    let us = PhoneReader::default().region();
    for (text, refusal) in [
        ("  ", Empty),
        ("118185550142", NotOfRegion(us)),
        ("213-555-0177²", Character('²')),
        ("818-555-014②", Character('②')),
        ("(212) 2OO-0000", Letters),
        ("818-555-O142", Letters),
        ("212 200 1111 / 212 200 2222", Several),
        ("818-555-0142, 818-555-0143", Several),
        ("818-555-0142; 818-555-0143", Several),
        ("818-555-0142\n818-555-0143", Several),
        ("818-555-0142 +1 818-555-0143", Several),
        ("818-555-0142 or 818-555-0143", Letters),
        ("818-555-0142 ext 818-555-0143", Several),
        ("12", NotOfRegion(us)),
        ("0000000000", NotOfRegion(us)),
        ("1234567890", NotOfRegion(us)),
        ("555-0142", NoAreaCode),
        ("+1 555-0142", NoAreaCode),
        ("\u{202D}8185550142\u{202C}", Invisible),
        ("818\u{200B}5550142", Invisible),
        ("=\"08155550142\"", Formula),
        ("'+18185550142", Apostrophe),
        ("8am-5pm", Letters),
        ("818-555-0142 8am-5pm", Letters),
        ("Ana 818-555-0142", Letters),
        ("Unit 4 818-555-0142", Letters),
        ("4 818-555-0142", NotOfRegion(us)),
        ("*12", Character('*')),
        ("818-555-0142*12", Character('*')),
        ("/12", Character('/')),
        ("818-555-0142/12", Character('/')),
        ("555-0142 / 555-0199", Several),
        ("818-555-0142~12", Character('~')),
        ("818-555-0142 x", NoExtension),
        ("x12", NoDigits),
        ("818-555-0142, 12", Character(',')),
        ("(818 555-0142", Character('(')),
        ("818) 555-0142", Character(')')),
        ("00", NotOfRegion(us)),
        ("011", NotOfRegion(us)),
        ("(0)", NotOfRegion(us)),
        ("+", NoDigits),
        ("+0818 5550142", NoSuchCountry),
        ("+49 030 23125042", NotOfCountry(49)),
        ("+44 020 7946 0958", NotOfCountry(44)),
        ("442079460958", NotOfRegion(us)),
        ("8185550142.0", Amount),
        ("8.18555E+09", Amount),
        ("#REF!", SpreadsheetError),
        ("#N/A", SpreadsheetError),
        ("ada@site.example", LooksLikeAddress),
        (r#"["8185550142"]"#, NotText),
        ("818555014212", NotOfRegion(us)),
        ("1-800-FLOWERS", Letters),
    ] {
        let read = PhoneReader::default().phone(text);
        assert_eq!(read.map(|number| number.key().to_owned()), Err(refusal), "{text}");
    }
}

#[test]
fn letters_stand_for_digits_only_where_they_end_a_number() {
    let vanity = PhoneReader::default().vanity(true);
    for (text, stored, extension) in [
        ("1-800-FLOWERS", "8003569377", None),
        ("206-555-help", "2065554357", None),
        ("1 800 FLOWERS ext. 7", "8003569377", Some("7")),
        ("818-555-0142", "8185550142", None),
        ("818-555-0142 x12", "8185550142", Some("12")),
    ] {
        let number = vanity.phone(text).unwrap();
        assert_eq!((number.stored(), number.extension()), (stored, extension), "{text}");
    }
    for text in [
        "8am-5pm",
        "Ana 818-555-0142",
        "Ana 555-0142",
        "555-0142 Ana",
        "FLOWERS",
        "818-555-0142 8am-5pm",
    ] {
        assert!(vanity.phone(text).is_err(), "{text}");
    }
}

#[test]
fn digits_alone_have_a_reading_of_the_region_and_one_with_a_country_code() {
    for (region, text, key, otherwise) in [
        ("US", "6561234567", "16561234567", Some("6561234567")),
        ("US", "656-123-4567", "16561234567", None),
        ("US", "+65 6123 4567", "6561234567", None),
        ("US", "442079460958", "442079460958", None),
        ("GB", "02079460958", "442079460958", None),
        ("GB", "442079460958", "442079460958", None),
    ] {
        let readings = Readings::of(text, reader(region)).unwrap();
        assert_eq!((readings.key(), readings.otherwise()), (key, otherwise), "{text}");
    }
    let singapore = PhoneReader::default().phone("+65 6123 4567").unwrap();
    assert!(singapore.is_ambiguous());
    let london = PhoneReader::default().phone("+44 20 7946 0958").unwrap();
    assert!(!london.is_ambiguous());
}

#[test]
fn a_text_that_cannot_be_read_speaks_of_the_numbers_and_addresses_in_it() {
    for (text, key, speaks) in [
        ("Ana 818-555-0142", "18185550142", true),
        ("818-555-0142*12", "18185550142", true),
        ("818555014212", "18185550142", true),
        ("212 200 1111 / 212 200 2222", "12122002222", true),
        ("02079460958", "442079460958", true),
        ("ada@si\u{200B}te.example", "ada@site.example", true),
        ("'ada@site.example", "ada@site.example", true),
        ("mailto:Ada@Site.example", "ada@site.example", true),
        ("mailto:ada@site.example?subject=stop", "ada@site.example", true),
        ("ada＠site.example", "ada@site.example", true),
        ("*ada@site.example!", "ada@site.example", true),
        ("Ada <ada@site.example>; Bob", "ada@site.example", true),
        ("555-0142", "18185550142", false),
        ("front desk", "18185550142", false),
        ("bada@site.example", "ada@site.example", false),
    ] {
        assert_eq!(Traces::of(text).speaks_of(key), speaks, "{text}: {key}");
        assert_eq!(Needle::of(key).is_in(text), speaks, "{text}: {key}");
    }
}

/// What is written around the digits of a number without making another one of it.
fn decorated() -> impl Strategy<Value = (String, String)> {
    let area = prop::sample::select(vec!["201", "212", "323", "415", "818", "949"]);
    let lead = prop::sample::select(vec!["", "1-", "+1 ", "1", " ", "+1", "011 1 ", "001"]);
    let mark = || prop::sample::select(vec!["-", " ", ".", "", "\u{a0}", "\u{2013}"]);
    let tail = prop::sample::select(vec!["", " x12", " ext. 5", "#3", ",,12", " ", "\t"]);
    (lead, area, mark(), 200_u32..999, mark(), 0_u32..9999, tail).prop_map(
        |(lead, area, first, exchange, second, line, tail)| {
            let key = format!("1{area}{exchange}{line:04}");
            let text = format!("{lead}{area}{first}{exchange}{second}{line:04}{tail}");
            (text, key)
        },
    )
}

/// Texts in which a number or an address is, or almost.
fn near() -> impl Strategy<Value = (String, &'static str)> {
    let values = vec![
        ("818-555-0142", "18185550142"),
        ("+1 (818) 555 0142", "18185550142"),
        ("\u{FF18}18\u{2013}555\u{2013}0142", "18185550142"),
        ("020 7946 0958", "442079460958"),
        ("Ada.B+c@Site.example", "ada.b+c@site.example"),
        ("J\u{F6}rg@B\u{FC}cher.example", "j\u{F6}rg@xn--bcher-kva.example"),
        ("ada.b+c\u{FF20}site.example", "ada.b+c@site.example"),
        ("x", "x"),
    ];
    let values = prop::sample::select(values);
    let around = || "[-a-c0-9 @.,;<>'\"\u{200B}\u{0}\n\u{E9}\u{661}]{0,4}";
    (around(), values, around(), 0..40_usize).prop_map(|(before, (text, key), behind, cut)| {
        let mut text = format!("{before}{text}{behind}");
        if let Some((at, _)) = text.char_indices().nth(cut) {
            text.remove(at);
        }
        (text, key)
    })
}

proptest! {
    #[test]
    fn a_glance_says_what_all_traces_say((text, key) in near()) {
        prop_assert_eq!(Needle::of(key).is_in(&text), Traces::of(&text).speaks_of(key), "{:?}", text);
    }

    #[test]
    fn decoration_does_not_change_the_number((text, key) in decorated()) {
        let number = PhoneReader::default().phone(&text).unwrap();
        prop_assert_eq!(number.key(), &key, "{}", text);
        let stored = Readings::of(number.stored(), PhoneReader::default()).unwrap();
        prop_assert_eq!(stored.key(), &key, "{}", text);
    }

    #[test]
    fn what_is_accepted_has_the_digits_of_the_text(text in "[-0-9+()./ xX#*~,;a-e²]{5,22}") {
        for region in ["US", "GB", "DE", "AR"] {
            let Ok(number) = reader(region).phone(&text) else {
                continue;
            };
            prop_assert!(!text.contains(['*', '~', '²', 'a', 'b', 'c', 'd']), "{}", text);
            let typed = crm_values::digits(&text);
            let typed = typed.strip_suffix(number.extension().unwrap_or_default()).unwrap();
            // Only prefixes differ: a trunk or international one goes, a country code comes.
            let national = &number.key()[1..];
            let dropped = (0..=2).find(|at| typed.ends_with(&national[*at..]));
            let is_zero_left_out = text.contains("(0)");
            prop_assert!(dropped.is_some() || is_zero_left_out, "{} in {}", text, region);
        }
    }
}

#[test]
fn the_data_are_those_that_are_named_beside_keys() {
    let lock = include_str!("../../../Cargo.lock");
    let mut packages = lock.split("name = \"phonenumber\"\nversion = \"");
    let data = packages.nth(1).and_then(|rest| rest.split(['+', '"']).nth(1));
    assert!(DATA.ends_with(&format!("libphonenumber {}", data.unwrap())), "{DATA}");
}

#[test]
fn what_becomes_of_an_extension_is_for_the_user_to_say() {
    let read = |extensions| NewValues::default().extensions(extensions).phone("818-555-0142x7");
    assert_eq!(read(Extensions::Refuse), Err(InvalidValue::Extension));
    for (extensions, value, extension) in [
        (Extensions::Memo, "8185550142", Some("7")),
        (Extensions::Drop, "8185550142", None),
        (Extensions::Send, "8185550142 ext. 7", None),
    ] {
        let read = read(extensions).unwrap();
        assert_eq!((read.value(), read.extension()), (value, extension), "{extensions:?}");
    }
}

#[test]
fn what_libphonenumber_calls_valid_is_assigned_and_nothing_else_is() {
    let mut both = [0, 0];
    for (country, length) in [
        ("1", 10),
        ("44", 10),
        ("49", 10),
        ("33", 9),
        ("61", 9),
        ("39", 10),
        ("52", 10),
        ("800", 8),
    ] {
        // A step without a factor in common visits digits of every kind.
        for at in 0..400_u64 {
            let national = (at * 7_368_787_123 + 2_012_345_678) % 10_u64.pow(length);
            let key = format!("{country}{national:0length$}", length = length as usize);
            let number = phonenumber::parse(None, format!("+{key}"));
            let Some(number) =
                number.ok().filter(|it| it.national().to_string().len() == length as usize)
            else {
                continue;
            };
            // The library also takes what only begins like a premium-rate number of Italy.
            let begins_like_one = key.starts_with("3989") && !is_assigned(&key);
            let is_valid = phonenumber::is_valid(&number) && !begins_like_one;
            assert_eq!(is_assigned(&key), is_valid, "+{key}");
            both[usize::from(is_valid)] += 1;
        }
    }
    assert!(both.iter().all(|seen| *seen > 200), "{both:?}");
    for none in ["", "0", "1", "999", "18185550142 "] {
        assert!(!is_assigned(none), "{none:?}");
    }
}

#[test]
fn a_number_has_the_same_key_when_it_is_looked_for_and_when_it_is_stored() {
    let reader = PhoneReader::default();
    for start in 0..1_000 {
        for rest in ["5550142", "0000000", "9999999"] {
            let national = format!("{start:03}{rest}");
            let (area, local) = national.split_at(3);
            for text in [
                format!("({area}) {}-{}", &local[..3], &local[3..]),
                format!("1-{area}-{local}"),
                format!("+1 {area} {local}"),
            ] {
                let stored = reader.phone(&text).map(|phone| phone.key().to_owned());
                let found = Readings::of(&text, reader).map(|found| found.key().to_owned());
                assert_eq!(found, stored, "{text}");
            }
        }
    }
}
