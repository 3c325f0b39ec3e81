//! Records as columns: a contact in its members, of which most take a byte or none.

use std::{collections::BTreeMap, sync::LazyLock};

use crm_mirror::columns;
use crm_models::{Contact, ContactId, ContactPreferences, PhoneSettings, Preference};
use rusqlite::types::{Value, ValueRef};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::codes::{self, unreadable, unwritable};
use crate::{
    set::{Action, Carrier, Image, MethodImage, Target, Wanted},
    store::cell::Cells,
};

/// A record as the columns from `contact_type` to `extra`.
pub(super) struct Record<'a> {
    contact_type: ValueRef<'a>,
    value: ValueRef<'a>,
    memo: ValueRef<'a>,
    flags: Option<i64>,
    phone: Option<i64>,
    modified_on: Value,
    created_on: Value,
    extra: Option<String>,
}

columns! {
    /// These columns.
    pub(super) struct RecordColumns {
        contact_type, value, memo, flags, phone, modified_on, created_on, extra,
    }
}

/// What has no column of its own.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Extra {
    /// Where it is not the id of the change's record.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<ContactId>,
    /// Where it is not the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
    /// Of a contact method.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    preferences: BTreeMap<String, Option<bool>>,
    /// Members that this version does not know.
    #[serde(flatten)]
    unknown: Map<String, serde_json::Value>,
}

impl<'a> Record<'a> {
    pub(super) fn of(image: &'a Image, target: &Target) -> rusqlite::Result<Self> {
        Self::with(image, target, Map::new())
    }

    /// With members that this version does not know.
    pub(super) fn with(
        image: &'a Image,
        target: &Target,
        unknown: Map<String, serde_json::Value>,
    ) -> rusqlite::Result<Self> {
        let mut record = Self {
            contact_type: codes::contact_type(image.contact_type()),
            value: image.value().into(),
            memo: ValueRef::Null,
            flags: None,
            phone: None,
            modified_on: Value::Null,
            created_on: Value::Null,
            extra: None,
        };
        let mut extra = Extra { unknown, ..Extra::default() };
        match image {
            Image::Contact(contact) => {
                record.memo = ValueRef::from(contact.memo.as_deref());
                record.flags = contact.preferences.as_ref().map(flags);
                record.phone = contact.phone_settings.as_ref().map(|settings| {
                    let number = settings.phone_number.as_deref();
                    let is_other = number.is_some_and(|number| number != contact.value);
                    extra.phone_number = number.filter(|_| is_other).map(str::to_owned);
                    phone(settings, is_other)
                });
                record.modified_on = codes::time(contact.modified_on);
                record.created_on = codes::time_of_creation(contact);
                extra.id = Some(contact.id).filter(|id| target.contact() != Some(*id));
            }
            Image::Method(method) => extra.preferences.clone_from(&method.preferences),
        }
        if extra.is_some() {
            record.extra = Some(serde_json::to_string(&extra).map_err(unwritable)?);
        }
        Ok(record)
    }

    pub(super) fn columns(&self) -> [ValueRef<'_>; 8] {
        [
            self.contact_type,
            self.value,
            self.memo,
            number_or_null(self.flags),
            number_or_null(self.phone),
            (&self.modified_on).into(),
            (&self.created_on).into(),
            ValueRef::from(self.extra.as_deref()),
        ]
    }
}

impl Extra {
    fn is_some(&self) -> bool {
        self.id.is_some()
            || self.phone_number.is_some()
            || !self.preferences.is_empty()
            || !self.unknown.is_empty()
    }
}

pub(super) fn number_or_null(number: Option<i64>) -> ValueRef<'static> {
    number.map_or(ValueRef::Null, ValueRef::Integer)
}

/// Reads the record that the plan saw.
pub(super) fn read(
    row: &(impl Cells + ?Sized),
    at: &RecordColumns,
    target: &Target,
) -> rusqlite::Result<Option<Image>> {
    let Some(value) = row.get(at.value)? else {
        return Ok(None);
    };
    let contact_type = codes::read_contact_type(row.get_ref(at.contact_type)?)
        .ok_or_else(|| unreadable(at.contact_type, "no such type"))?;
    let extra = row.get_ref(at.extra)?.as_str_or_null()?;
    let extra = extra.map(serde_json::from_str::<Extra>).transpose();
    let extra = extra.map_err(|e| unreadable(at.extra, e))?.unwrap_or_default();
    let Target::Contact { contact: id, .. } = target else {
        let preferences = extra.preferences;
        return Ok(Some(MethodImage { contact_type, value, preferences }.into()));
    };
    let id = extra.id.or(*id).ok_or_else(|| unreadable(at.extra, "no id"))?;
    let time = |column| -> rusqlite::Result<_> { Ok(codes::read_time(row.get_ref(column)?)) };
    let modified_on = time(at.modified_on)?;
    let modified_on = modified_on.ok_or_else(|| unreadable(at.modified_on, "no time"))?;
    let mut contact = Contact::new(id, contact_type, value, modified_on);
    contact.memo = row.get(at.memo)?;
    let phone: Option<i64> = row.get(at.phone)?;
    contact.phone_settings =
        phone.map(|phone| read_phone(phone, &contact.value, extra.phone_number));
    contact.created_on = codes::read_time_of_creation(row.get_ref(at.created_on)?, modified_on);
    let flags: Option<i64> = row.get(at.flags)?;
    let flags = flags.map(|bits| read_flags(bits).ok_or_else(|| unreadable(at.flags, "no flags")));
    contact.preferences = flags.transpose()?;
    Ok(Some(contact.into()))
}

/// How many flags have their bits: those that are on; behind them, in a record those of which the
/// service told otherwise than of the first five, in a wish those that it names.
const ROOM: usize = 8;
const _: () = assert!(Preference::ALL.len() <= ROOM, "the files of change sets have no more bits");
/// Of how many flags a record says where the service did not tell them. Of the later ones it says
/// where it did: a file that is older than they are is not told anything of them.
const FIRST: usize = 5;
/// That a wish counts letter by letter, behind the flags and those that are named.
const EXACT: i64 = 1 << (2 * ROOM);
/// What is set in a wish that names a flag to set.
pub(super) const NAMED_FLAGS: i64 = {
    let mut all = 0;
    let mut place = 0;
    while place < Preference::ALL.len() {
        if !Preference::ALL[place].is_combined() {
            all |= 1 << (ROOM + place);
        }
        place += 1;
    }
    all
};

/// One bit for each of which this holds.
fn bits(holds: impl Fn(Preference) -> bool) -> i64 {
    let held = Preference::ALL.into_iter().filter(|flag| holds(*flag));
    held.fold(0, |bits, flag| bits | bit(flag))
}

fn is_on(bits: i64, flag: Preference) -> bool {
    bits & bit(flag) != 0
}

fn bit(flag: Preference) -> i64 {
    1 << flag as u8
}

fn flags(flags: &ContactPreferences) -> i64 {
    let told_otherwise = bits(|flag| flags.answered(flag).is_some() != is_first(flag));
    bits(|flag| flags.get(flag)) | told_otherwise << ROOM
}

fn read_flags(bits: i64) -> Option<ContactPreferences> {
    let is_told = |flag| is_on(bits >> ROOM, flag) != is_first(flag);
    ContactPreferences::from_answers(|flag| is_told(flag).then(|| is_on(bits, flag)))
}

fn is_first(flag: Preference) -> bool {
    (flag as usize) < FIRST
}

/// Whether the number is there and as the value, and what is told of text messages.
fn phone(settings: &PhoneSettings, is_other: bool) -> i64 {
    let number = match settings.phone_number {
        Some(_) if is_other => 6,
        Some(_) => 0,
        None => 3,
    };
    number + settings.do_not_text.map_or(0, |refused| 1 + i64::from(refused))
}

fn read_phone(code: i64, value: &str, other: Option<String>) -> PhoneSettings {
    let mut settings = PhoneSettings::default();
    settings.phone_number = match code / 3 {
        0 => Some(value.to_owned()),
        1 => None,
        _ => other,
    };
    settings.do_not_text = match code % 3 {
        1 => Some(false),
        2 => Some(true),
        _ => None,
    };
    settings
}

/// What is wanted, as the columns from `wanted_type` to `wanted_more`.
pub(super) struct Wish<'a> {
    contact_type: ValueRef<'a>,
    value: ValueRef<'a>,
    memo: ValueRef<'a>,
    flags: Option<i64>,
    more: Option<String>,
}

/// What has no column of its own.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct More {
    #[serde(skip_serializing_if = "Option::is_none")]
    cleared_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<Carrier>,
}

impl<'a> Wish<'a> {
    pub(super) fn of(action: &'a Action) -> rusqlite::Result<Self> {
        let nothing = ValueRef::Null;
        let none =
            Self { contact_type: nothing, value: nothing, memo: nothing, flags: None, more: None };
        match action {
            Action::Update(wanted) | Action::Create(wanted) => none.with(wanted),
            Action::Delete(None) => Ok(none),
            Action::Delete(Some(stand_in)) => {
                let more = serde_json::to_string(stand_in).map_err(unwritable)?;
                Ok(Self { more: Some(more), ..none })
            }
            Action::MethodPreferences(wanted) if wanted.is_empty() => Ok(none),
            Action::MethodPreferences(wanted) => {
                let more = serde_json::to_string(wanted).map_err(unwritable)?;
                Ok(Self { more: Some(more), ..none })
            }
        }
    }

    // Taken apart, so that a new member cannot be forgotten.
    fn with(mut self, wanted: &'a Wanted) -> rusqlite::Result<Self> {
        let Wanted { change, cleared_by, extension, refused, combined, carrier, exact } = wanted;
        let flags = |flag: Preference| {
            if flag.is_combined() { *combined } else { change.get_preferences().get(flag) }
        };
        let on = bits(|flag| flags(flag) == Some(true));
        let named = bits(|flag| flags(flag).is_some()) << ROOM;
        let all = on | named | if *exact { EXACT } else { 0 };
        self.contact_type = change.get_contact_type().map_or(ValueRef::Null, codes::contact_type);
        self.value = ValueRef::from(change.get_value());
        self.memo = ValueRef::from(change.get_memo());
        self.flags = Some(all).filter(|all| *all != 0);
        let more = More {
            cleared_by: cleared_by.clone(),
            extension: extension.clone(),
            refused: refused.clone(),
            carrier: carrier.clone(),
        };
        if more != More::default() {
            self.more = Some(serde_json::to_string(&more).map_err(unwritable)?);
        }
        Ok(self)
    }

    pub(super) fn columns(&self) -> [ValueRef<'_>; 5] {
        [
            self.contact_type,
            self.value,
            self.memo,
            number_or_null(self.flags),
            ValueRef::from(self.more.as_deref()),
        ]
    }
}

/// The condition on an update that it turns this flag on where the service tells that it is off.
pub(super) fn turns_on(flag: Preference) -> String {
    let (bit, named) = (bit(flag), bit(flag) << ROOM);
    format!(
        "action = {} AND flags & {bit} = 0 AND wanted_flags & {bit} <> 0
             AND wanted_flags & {named} <> 0",
        codes::UPDATE
    )
}

/// The condition on an update that it names flags where the service tells none.
pub(super) fn sets_unknown_flags() -> String {
    format!(
        "action = {} AND value IS NOT NULL AND flags IS NULL AND wanted_flags & {NAMED_FLAGS} <> 0",
        codes::UPDATE
    )
}

/// How the service stored the value that a change sent, if not letter by letter; in this language what
/// [`Change::stored`](crate::Change::stored) says.
pub(crate) static STORED_AS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "CASE WHEN after ->> '$.value' <> wanted_value
            AND (coalesce(wanted_flags, 0) & {EXACT} <> 0
                OR coalesce(found ->> '$.value', value) IS NOT after ->> '$.value')
         THEN after ->> '$.value' END"
    )
});

/// The condition on a change that it asks for something: a reversal that is not possible does not.
pub(super) fn asks_for_something() -> String {
    format!(
        "(action = {} OR wanted_type IS NOT NULL OR wanted_value IS NOT NULL
            OR wanted_memo IS NOT NULL OR wanted_more IS NOT NULL OR wanted_flags <> {EXACT})",
        codes::DELETE
    )
}

columns! {
    /// These columns, and that of the action.
    pub(super) struct WishColumns {
        action, wanted_type, wanted_value, wanted_memo, wanted_flags, wanted_more,
    }
}

/// Reads what is to be done.
pub(super) fn read_action(
    row: &(impl Cells + ?Sized),
    at: &WishColumns,
) -> rusqlite::Result<Action> {
    let more = row.get_ref(at.wanted_more)?.as_str_or_null()?.unwrap_or("{}");
    let wanted = || read_wanted(row, at, more);
    Ok(match row.get(at.action)? {
        codes::UPDATE => Action::Update(wanted()?),
        codes::CREATE => Action::Create(wanted()?),
        codes::DELETE if more == "{}" => Action::Delete(None),
        codes::DELETE => {
            let stand_in = serde_json::from_str(more).map_err(|e| unreadable(at.wanted_more, e))?;
            Action::Delete(Some(stand_in))
        }
        codes::METHOD_PREFERENCES => {
            let wanted = serde_json::from_str(more).map_err(|e| unreadable(at.wanted_more, e))?;
            Action::MethodPreferences(wanted)
        }
        _ => return Err(unreadable(at.action, "no such action")),
    })
}

fn read_wanted(
    row: &(impl Cells + ?Sized),
    at: &WishColumns,
    more: &str,
) -> rusqlite::Result<Wanted> {
    let mut change = crm_models::ContactChange::new();
    if let Some(contact_type) = codes::read_contact_type(row.get_ref(at.wanted_type)?) {
        change = change.contact_type(contact_type);
    }
    if let Some(value) = row.get_ref(at.wanted_value)?.as_str_or_null()? {
        change = change.value(value);
    }
    if let Some(memo) = row.get_ref(at.wanted_memo)?.as_str_or_null()? {
        change = change.memo(memo);
    }
    let all = row.get::<Option<i64>>(at.wanted_flags)?.unwrap_or_default();
    let flag = |flag| is_on(all >> ROOM, flag).then(|| is_on(all, flag));
    let flags = Preference::SETTABLE.into_iter();
    let flags = flags.filter_map(|name| Some((name, flag(name)?))).collect();
    let mut wanted = Wanted::of(change.preferences(flags));
    wanted.combined = flag(Preference::InvoicesAndStatements);
    wanted.exact = all & EXACT != 0;
    if more != "{}" {
        let more: More = serde_json::from_str(more).map_err(|e| unreadable(at.wanted_more, e))?;
        wanted.cleared_by = more.cleared_by;
        wanted.extension = more.extension;
        wanted.refused = more.refused;
        wanted.carrier = more.carrier;
    }
    Ok(wanted)
}

/// The record as an answer showed it, as the columns `after` and `after_modified_on`.
pub(super) struct Answered {
    pub(super) after: Option<String>,
    pub(super) modified_on: Value,
}

/// What an update is expected to leave: the members that it names, and the rest as it was. It is
/// part of the file's format, as the view `records` is, which does the same.
fn expected(before: &Image, action: &Action) -> Option<Contact> {
    let (Some(before), Action::Update(wanted)) = (before.as_contact(), action) else {
        return None;
    };
    let mut contact = before.clone();
    if let Some(contact_type) = wanted.change.get_contact_type() {
        contact.contact_type = contact_type.clone();
    }
    if let Some(value) = wanted.change.get_value() {
        let of_value = |number: &mut String| {
            if *number == before.value {
                value.clone_into(number);
            }
        };
        let settings = contact.phone_settings.as_mut();
        settings.and_then(|settings| settings.phone_number.as_mut()).map(of_value);
        value.clone_into(&mut contact.value);
    }
    if let Some(memo) = wanted.change.get_memo() {
        contact.memo = Some(memo.to_owned()).filter(|memo| !memo.is_empty());
    }
    let named = wanted.change.get_preferences();
    if let (Some(flags), false) = (before.preferences, named.is_empty()) {
        let becomes = |flag| named.get(flag).unwrap_or(flags.get(flag));
        let both = becomes(Preference::Invoices) && becomes(Preference::Statements);
        // A service of three flags tells the two by the combined one.
        let becomes = |flag: Preference| match flag {
            _ if flag.is_combined() || (flags.derived() && flag.is_apart()) => both,
            _ => becomes(flag),
        };
        let answered = |flag| flags.answered(flag).map(|_| becomes(flag));
        contact.preferences = ContactPreferences::from_answers(answered);
    }
    Some(contact)
}

impl Answered {
    /// `before`: the record as the plan saw it, if it was still so just before the write.
    pub(super) fn of(
        after: Option<&Image>,
        before: Option<&Image>,
        action: &Action,
    ) -> serde_json::Result<Self> {
        let Some(after) = after else {
            return Ok(Self { after: None, modified_on: Value::Null });
        };
        let expected = before.and_then(|before| expected(before, action));
        let (Some(mut expected), Image::Contact(contact)) = (expected, after) else {
            let after = Some(serde_json::to_string(after)?);
            return Ok(Self { after, modified_on: Value::Null });
        };
        expected.modified_on = contact.modified_on;
        let modified_on = codes::time(contact.modified_on);
        if expected == **contact {
            return Ok(Self { after: None, modified_on });
        }
        let mut others = members(contact)?;
        let known = members(&expected)?;
        others.retain(|name, value| known.get(name) != Some(value));
        Ok(Self { after: Some(serde_json::to_string(&others)?), modified_on })
    }
}

/// Reads the record as an answer showed it.
pub(super) fn read_after(
    row: &(impl Cells + ?Sized),
    [after_at, modified_on_at]: [usize; 2],
    target: &Target,
    before: Option<&Image>,
    action: &Action,
) -> rusqlite::Result<Option<Image>> {
    let after = row.get_ref(after_at)?.as_str_or_null()?;
    let Some(modified_on) = codes::read_time(row.get_ref(modified_on_at)?) else {
        let after = after.map(|json| Image::from_file(target, json)).transpose();
        return after.map_err(|e| unreadable(after_at, e));
    };
    let expected = before.and_then(|before| expected(before, action));
    let mut expected = expected.ok_or_else(|| unreadable(after_at, "no record before"))?;
    expected.modified_on = modified_on;
    let Some(others) = after else {
        return Ok(Some(expected.into()));
    };
    let patched = || -> serde_json::Result<Contact> {
        let mut all = members(&expected)?;
        all.extend(serde_json::from_str::<Map<_, _>>(others)?);
        serde_json::from_value(all.into())
    };
    Ok(Some(patched().map_err(|e| unreadable(after_at, e))?.into()))
}

fn members(contact: &Contact) -> serde_json::Result<Map<String, serde_json::Value>> {
    match serde_json::to_value(contact)? {
        serde_json::Value::Object(members) => Ok(members),
        _ => Ok(Map::new()),
    }
}

#[cfg(test)]
mod tests {
    use crm_models::{ContactChange, ContactType, PreferenceChange};
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        set::{Change, Outcome, StandIn, State},
        store::file::{
            change_set::ChangeSet,
            changes::Selection,
            draft::Planned,
            progress::{self, Known},
            test_sets,
            totals::Moves,
        },
    };

    const TEXTS: [&str; 9] = [
        "",
        "8185550142",
        "0042",
        "12345678901234567890123",
        "a 'b' \"c\"\n",
        "Gate ☎ 4411",
        "1e3",
        " ",
        "null",
    ];
    const TIMES: [&str; 5] = [
        "0001-01-01T00:00:00Z",
        "2026-05-27T16:04:11.4827193Z",
        "2026-05-27T16:04:11.482719312Z",
        "9999-12-31T23:59:59.999999999Z",
        "2024-02-01T00:00:00Z",
    ];

    fn one_of<T: Copy, const N: usize>(random: &mut fastrand::Rng, all: [T; N]) -> T {
        all[random.usize(..N)]
    }

    fn contact(random: &mut fastrand::Rng, id: i64) -> Contact {
        let types = ["Phone", "MobilePhone", "Email", "Fax", "Pager", "7", ""];
        let time = |random: &mut fastrand::Rng| one_of(random, TIMES).parse().unwrap();
        let value = one_of(random, TEXTS);
        let modified_on = time(random);
        let kind = ContactType::from(one_of(random, types));
        let mut contact = Contact::new(id.try_into().unwrap(), kind, value, modified_on);
        contact.memo = random.bool().then(|| one_of(random, TEXTS).to_owned());
        contact.created_on = match random.u8(..3) {
            0 => None,
            1 => Some(contact.modified_on),
            _ => Some(time(random)),
        };
        let number = if random.bool() { value } else { one_of(random, TEXTS) };
        let mut settings = PhoneSettings::default();
        settings.phone_number = random.bool().then(|| number.to_owned());
        settings.do_not_text = one_of(random, [None, Some(false), Some(true)]);
        contact.phone_settings = Some(settings).filter(|it| *it != PhoneSettings::default());
        contact.preferences = random.bool().then(|| {
            let (all, derived) = (random.u8(..), random.bool());
            let on = |flag: Preference| all >> (flag as u8) & 1 == 1;
            let combined = on(Preference::InvoicesAndStatements);
            let three = |flag: Preference| if flag.is_apart() { combined } else { on(flag) };
            ContactPreferences::of(|flag| if derived { three(flag) } else { on(flag) }, derived)
        });
        contact
    }

    fn wish(random: &mut fastrand::Rng) -> Wanted {
        let mut change = ContactChange::new();
        if random.bool() {
            change = change.contact_type(one_of(random, ["Fax", "Pager"]).into());
        }
        if random.bool() {
            change = change.value(one_of(random, TEXTS));
        }
        if random.bool() {
            change = change.memo(one_of(random, TEXTS));
        }
        let mut flags = PreferenceChange::new();
        for flag in Preference::SETTABLE {
            if random.bool() {
                flags = flags.set(flag, random.bool());
            }
        }
        let mut text = || random.bool().then(|| one_of(random, TEXTS).to_owned());
        Wanted {
            cleared_by: text(),
            extension: text(),
            refused: text(),
            combined: one_of(random, [None, Some(false), Some(true)]),
            carrier: random.bool().then(|| Carrier {
                contact_type: one_of(random, ["Fax", "7"]).into(),
                value: one_of(random, TEXTS).to_owned(),
                memo: one_of(random, TEXTS).to_owned(),
            }),
            exact: random.bool(),
            change: change.preferences(flags),
        }
    }

    /// Sets with a change each that was planned, claimed on another record, or answered in any way.
    #[test]
    fn whatever_a_change_says_comes_back_from_the_file_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.crm");
        let mut random = fastrand::Rng::with_seed(4_411);
        let draft = test_sets::draft(&path);
        let mut expected = Vec::new();
        for id in 1..=2_000 {
            let known = if random.u8(..8) == 0 { 77 } else { id };
            let contact = contact(&mut random, known);
            let action = match random.u8(..4) {
                0 => Action::Create(wish(&mut random)),
                1 => Action::Delete(random.bool().then(|| StandIn {
                    contact: (id + 1).try_into().unwrap(),
                    value: one_of(&mut random, TEXTS).to_owned(),
                })),
                _ => Action::Update(wish(&mut random)),
            };
            let target = test_sets::contact(id, Some(id));
            let before = Some(Image::from(contact));
            let why = random.bool().then(|| one_of(&mut random, TEXTS).to_owned());
            let outcome = Outcome { message: why.clone(), ..Outcome::new(State::Planned) };
            let planned = Planned {
                row: None,
                target,
                action: &action,
                before: before.clone(),
                outcome: outcome.clone(),
            };
            draft.add_change(&planned).unwrap();
            let id = crate::set::ChangeId(id);
            let outcome = Outcome::new(State::Planned);
            let after = None;
            let (row, caution) = (None, None);
            let change = Change { id, row, target, action, why, caution, before, after, outcome };
            expected.push(change);
        }
        draft.finish().unwrap();
        let set = ChangeSet::open(&path).unwrap();
        let all =
            || -> Vec<Change> { set.changes(&Selection::all()).map(Result::unwrap).collect() };
        assert_same(&all(), &expected);
        let (moves, known) = (Moves::default(), Known::default());
        set.database.connection.execute_batch("BEGIN").unwrap();
        for change in &mut expected {
            let id = change.id.0;
            change.outcome = Outcome::new(State::Done);
            change.outcome.at = Some(one_of(&mut random, TIMES).parse().unwrap());
            let made =
                change.before.as_ref().and_then(|before| super::expected(before, &change.action));
            let mut after = match made {
                Some(made) if random.bool() => made,
                _ => contact(&mut random, id),
            };
            if random.bool() {
                after.memo = Some("else".to_owned());
            }
            change.after = Some(after.into());
            let moved = progress::settle(&set.database, &known, change).unwrap().unwrap();
            moves.add(change, moved);
        }
        moves.write(&set.database).unwrap();
        known.write(&set.database).unwrap();
        set.database.connection.execute_batch("COMMIT").unwrap();
        assert_same(&all(), &expected);
        set.digest().unwrap();
        let shown = "SELECT before, after, wanted FROM changes ORDER BY id";
        let shown = set.database.rows(shown, [], |row| {
            let json = |name| -> rusqlite::Result<Value> {
                let text: Option<String> = row.get(name)?;
                Ok(text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap()))
            };
            Ok([json("before")?, json("after")?, json("wanted")?])
        });
        for (change, [before, after, wanted]) in expected.iter().zip(shown.unwrap()) {
            let images = [(&change.before, before), (&change.after, after)];
            for (image, shown) in images {
                let image = without_nulls(json!(image));
                assert_eq!(without_nulls(shown), image, "{change:?}");
            }
            let action = match &change.action {
                Action::Update(wanted) | Action::Create(wanted) => json!(wanted),
                action => json!(action.stand_in()),
            };
            assert_eq!(wanted, action);
        }
    }

    fn assert_same(read: &[Change], expected: &[Change]) {
        let differing = read.iter().zip(expected).find(|(read, expected)| read != expected);
        assert!(differing.is_none(), "{differing:#?}");
        assert_eq!(read.len(), expected.len());
    }

    /// A view for people leaves out what is not there.
    fn without_nulls(mut json: Value) -> Value {
        if let Value::Object(members) = &mut json {
            members.retain(|_, value| !value.is_null());
        }
        json
    }
}
