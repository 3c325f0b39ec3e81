//! Whose history is asked for.

use crm_mirror::{By, Mirror, OwnerId};
use crm_models::PersonId;
use crm_values::{InvalidValue, PhoneReader, Readings};

use crate::{
    commands::args::tell_assumed,
    desk::{Desk, OfOwner, Sought, Subject},
    error::CliError,
    output::{crm, note},
};

/// The kinds of owners.
const KINDS: [&str; 4] = ["customer", "location", "person", "booking"];

/// How many owners or numbers that may be meant are told.
const TOLD: usize = 20;

/// How many contacts are looked through for an owner's name, or the last digits of a number.
const HITS: usize = 1_000;

/// Reads what a person typed: an owner, a number or an address, or an owner's name. In place of the
/// subject there are words about a name that nobody has.
pub(super) fn read(
    desk: &Desk,
    text: &str,
    contact: Option<String>,
    reader: PhoneReader,
) -> Result<Result<Subject, String>, CliError> {
    if let Some(owner) = owner(text) {
        return Ok(Ok(Subject::Owner(OfOwner { contact, ..owner? })));
    }
    let sought = match Sought::read(text, reader) {
        Err(InvalidValue::NoAreaCode) => by_last_digits(desk, text, reader),
        // What has no letter is no name.
        Err(invalid) if !text.contains(char::is_alphabetic) => Err(CliError::Usage(format!(
            "`{text}` is neither a number or address ({invalid}) nor an owner such as customer:ID"
        ))),
        Err(_) => return named(desk, text, contact),
        Ok(sought) => {
            tell_assumed(text, reader);
            Ok(sought)
        }
    };
    match contact {
        Some(_) => Err(CliError::Usage(format!(
            "`{text}` is no owner: write it as customer:ID or location:ID"
        ))),
        None => Ok(Ok(Subject::Value(sought?))),
    }
}

/// The only number in the mirror that ends so.
fn by_last_digits(desk: &Desk, text: &str, reader: PhoneReader) -> Result<Sought, CliError> {
    let file = desk.mirror();
    if !file.exists() {
        return Err(CliError::Usage(format!(
            "`{text}` has no area code, and there is no mirror to look the whole number up in: \
             `crm mirror update`"
        )));
    }
    let found = Mirror::open(&file)?.find(text, HITS)?;
    let found = found.map_err(|short| CliError::Usage(short.to_string()))?;
    let of_contacts = found.hits.into_iter().filter_map(|hit| Some(hit.contact?.value));
    let of_people = found.people.into_iter().filter_map(|hit| Some(hit.method?.value));
    let is_number = matches!(found.by, By::LastDigits | By::Value);
    let values = of_contacts.chain(of_people).filter(|_| is_number);
    let keys = values.filter_map(|value| Some(Readings::of(&value, reader).ok()?.key().to_owned()));
    let mut numbers: Vec<_> = keys.map(|key| format!("+{key}")).collect();
    numbers.sort();
    numbers.dedup();
    match &numbers[..] {
        [] => Err(CliError::Usage(format!(
            "`{text}` has no area code, and no number in the mirror ends so: give the whole number"
        ))),
        [number] => {
            note(format!("{text} is {number}: no other number in the mirror ends so"));
            Sought::read(number, reader).map_err(|invalid| CliError::Usage(invalid.to_string()))
        }
        _ => {
            for number in numbers.iter().take(TOLD) {
                note(format!("{} history {number}", crm()));
            }
            let is_cut = numbers.len() > TOLD || found.more;
            let many = if is_cut { "more numbers than these" } else { "these" };
            Err(CliError::Usage(format!("`{text}` may be any of {many}: give the whole number")))
        }
    }
}

/// The owner that a text names by its kind and its id, if it does.
fn owner(text: &str) -> Option<Result<OfOwner, CliError>> {
    let (kind, id) = text.split_once(':')?;
    let kind = KINDS.into_iter().find(|known| known.eq_ignore_ascii_case(kind.trim()))?;
    let id = id.trim();
    let is_id = match kind {
        "person" => id.parse::<PersonId>().is_ok(),
        _ => id.parse::<i64>().is_ok_and(|id| id > 0),
    };
    Some(if is_id {
        Ok(OfOwner { kind: kind.to_owned(), id: id.to_owned(), contact: None })
    } else {
        Err(CliError::Usage(format!("`{text}` has no id of a {kind}")))
    })
}

/// The only owner that has this name in the mirror.
fn named(
    desk: &Desk,
    name: &str,
    contact: Option<String>,
) -> Result<Result<Subject, String>, CliError> {
    let file = desk.mirror();
    if !file.exists() {
        return Err(CliError::Usage(format!(
            "`{name}` is no owner such as customer:ID, and there is no mirror to look the name up in: \
             `crm mirror update`"
        )));
    }
    let found = Mirror::open(&file)?.find(name, HITS)?;
    let found = found.map_err(|short| CliError::Usage(short.to_string()))?;
    let words: Vec<_> = name.split_whitespace().map(str::to_lowercase).collect();
    let mut owners = Vec::<(OwnerId, String, String)>::new();
    for hit in found.hits {
        // Memos and values speak of others too.
        let Some(details) = hit.details else { continue };
        let called = details.display_name();
        let has_it = words.iter().all(|word| called.to_lowercase().contains(word));
        if has_it && owners.iter().all(|(owner, ..)| *owner != hit.owner) {
            owners.push((hit.owner, called, details.town().to_owned()));
        }
    }
    let is_exact = |called: &String| called.to_lowercase() == words.join(" ");
    let mut exact = owners.iter().filter(|(_, called, _)| is_exact(called));
    let only = match (exact.next(), exact.next(), &owners[..]) {
        (Some(one), None, _) | (None, _, [one]) => Some(one),
        _ => None,
    };
    if let Some((owner, called, town)) = only {
        note(format!("{}:{} is {called}, {town}", owner.kind(), owner.get()));
        let (kind, id) = (owner.kind().to_owned(), owner.get().to_string());
        return Ok(Ok(Subject::Owner(OfOwner { kind, id, contact })));
    }
    if owners.is_empty() {
        return Ok(Err(format!(
            "no owner in the mirror is called `{name}`, and it is no number, no address and no owner \
             such as customer:ID"
        )));
    }
    for (owner, called, town) in owners.iter().take(TOLD) {
        note(format!("{} history {}:{}  # {called}, {town}", crm(), owner.kind(), owner.get()));
    }
    let many = if owners.len() > TOLD || found.more { "more owners than these" } else { "these" };
    Err(CliError::Usage(format!("`{name}` may be any of {many}: give one as it is written here")))
}
