//! What an owner has twice.

use std::collections::HashMap;

use crm_models::{Contact, ContactChange, ContactId};
use crm_values::PhoneReader;

use crate::{
    finding::{Finding, Mending, Proposal},
    record::Record,
    rule::Rule,
};

/// Hands what the contacts of one owner repeat to `found`.
pub(crate) fn examine(records: &[Record], reader: PhoneReader, mut found: impl FnMut(Finding)) {
    let mut same = HashMap::<(&str, Option<String>), Vec<&Contact>>::new();
    for record in records {
        if let Some(key) = record.comparable() {
            let extension = extension(&record.contact, reader);
            same.entry((key, extension)).or_default().push(&record.contact);
        }
    }
    for (_, mut contacts) in same.into_iter().filter(|(_, contacts)| contacts.len() > 1) {
        oldest_first(&mut contacts);
        compare(&contacts, &mut found);
    }
}

/// The extension of a number, which makes it another one. Digits alone have none.
fn extension(contact: &Contact, reader: PhoneReader) -> Option<String> {
    let value = &contact.value;
    if !contact.contact_type.is_phone() || value.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    reader.phone(value).ok()?.extension().map(str::to_owned)
}

/// By their times of creation where all are known, else by their ids, which only grow.
fn oldest_first(contacts: &mut [&Contact]) {
    let are_dated = contacts.iter().all(|contact| contact.created().is_some());
    contacts.sort_by_key(|contact| (contact.created().filter(|_| are_dated), contact.id));
}

/// A contact that stays, with the memo that it has when its duplicates are gone.
struct Kept<'a> {
    contact: &'a Contact,
    memo: &'a str,
}

/// Compares contacts of one value. Each is a duplicate of an older one that stays, repeats it
/// without being alike, or is the first.
fn compare(contacts: &[&Contact], found: &mut impl FnMut(Finding)) {
    let mut kept = Vec::<Kept<'_>>::new();
    for contact in contacts {
        let memo = memo(contact);
        let alike = kept.iter_mut().find(|kept| {
            is_alike(kept.contact, contact)
                && (memo.is_empty() || kept.memo.is_empty() || kept.memo == memo)
        });
        if let Some(kept) = alike {
            found(duplicate(kept, contact));
            continue;
        }
        if let Some(Kept { contact: older, .. }) = kept.first() {
            let detail = format!(
                "{}: as contact {}, but {}",
                contact.value,
                older.id,
                differs(older, contact)
            );
            let rule = Rule::Repeated;
            found(Finding { rule, contact: contact.id, detail, proposals: Vec::new() });
        }
        kept.push(Kept { contact, memo });
    }
}

/// The deletion of a duplicate, whose memo the one that stays takes over if it has none.
fn duplicate<'a>(kept: &mut Kept<'a>, contact: &'a Contact) -> Finding {
    let rule = Rule::Duplicate;
    let propose = |contact: ContactId, mending, what: String| {
        let why = format!("{rule}: {what}");
        Proposal { contact, mending, why }
    };
    let (gone, stays) = (contact.id, kept.contact.id);
    let what = format!("the same as contact {stays}, which stays");
    let mut proposals = vec![propose(gone, Mending::Delete { same_as: stays }, what)];
    if kept.memo.is_empty() && !memo(contact).is_empty() {
        kept.memo = memo(contact);
        let change = ContactChange::new().memo(kept.memo);
        let what = format!("takes over the memo of contact {gone}, which is the same and goes");
        proposals.push(propose(stays, Mending::Update(change), what));
    }
    let detail = format!("{}: contact {stays} is the same and stays", contact.value);
    Finding { rule, contact: gone, detail, proposals }
}

fn memo(contact: &Contact) -> &str {
    contact.memo.as_deref().unwrap_or_default().trim()
}

/// Whether one can go without a trace, but for its memo.
fn is_alike(one: &Contact, other: &Contact) -> bool {
    one.contact_type == other.contact_type
        && one.preferences.is_some()
        && one.preferences == other.preferences
        && one.do_not_text() == other.do_not_text()
}

/// What keeps two contacts of one value apart, in words.
fn differs(one: &Contact, other: &Contact) -> String {
    let unknown = one.preferences.is_none() || other.preferences.is_none();
    let differences = [
        (one.contact_type != other.contact_type, "the type differs"),
        (unknown, "the flags are not known"),
        (!unknown && one.preferences != other.preferences, "the flags differ"),
        (one.do_not_text() != other.do_not_text(), "do-not-text differs"),
        (memo(one) != memo(other), "the memo differs"),
    ];
    let differences: Vec<_> =
        differences.into_iter().filter(|(is_so, _)| *is_so).map(|(_, what)| what).collect();
    differences.join(", ")
}
