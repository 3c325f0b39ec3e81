//! A contact as a row. JSON would take three times the space.

use crm_models::{
    Contact, ContactId, ContactPreferences, ContactType, PhoneSettings, Preference, Timestamp,
};
use crm_values::PhoneReader;
use rusqlite::{
    Row, ToSql,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};

use super::text::folded;
use crate::{database::Database, error::MirrorError, keys::Keys, owner::OwnerId};

columns! {
    /// The columns that a contact is read from.
    pub(super) struct ContactColumns {
        owner, contact_id, kind, flags, value, memo, modified_on, created_on, texting, json,
    }
}

/// The bit behind those of the preferences: invoices and statements follow the combined flag.
const DERIVED: i64 = 1 << 32;
/// Of how many flags nothing more is said. Of each later one a bit says that the service told it: a
/// row that is older than the flag says nothing of it.
const FIRST: usize = 5;

const TOLD: i64 = 1;
const DO_NOT_TEXT: i64 = 2;
const WITH_NUMBER: i64 = 4;

/// The number of an owner.
pub(super) fn owner_code(owner: OwnerId) -> i64 {
    match owner {
        OwnerId::Customer(id) => id.get(),
        OwnerId::Location(id) => -id.get(),
    }
}

/// The owner of a number.
pub(super) fn owner_of(code: i64) -> Option<OwnerId> {
    let kind = if code < 0 { "location" } else { "customer" };
    OwnerId::new(kind, code.checked_abs()?)
}

/// A time in 100 ns, if it is no more precise.
pub(super) fn ticks(time: Timestamp) -> Option<i64> {
    let nanoseconds = time.as_nanoseconds();
    (nanoseconds % 100 == 0).then(|| i64::try_from(nanoseconds / 100).ok())?
}

/// A time in 100 ns, which is as precise as the service writes one.
pub(super) fn whole_ticks(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanoseconds().div_euclid(100)).unwrap_or_default()
}

pub(super) fn time_of(ticks: i64) -> Option<Timestamp> {
    Timestamp::from_nanoseconds(i128::from(ticks) * 100)
}

/// The kind of a contact, as a number where it is a known one.
pub(super) enum Kind<'a> {
    Known(i64),
    Other(&'a str),
}

impl Kind<'_> {
    pub(super) fn of(kind: &ContactType) -> Kind<'_> {
        let place = ContactType::KNOWN.iter().position(|known| known == kind);
        match place.and_then(|place| i64::try_from(place + 1).ok()) {
            Some(code) => Kind::Known(code),
            None => Kind::Other(kind.as_str()),
        }
    }
}

impl ToSql for Kind<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Known(code) => code.to_sql(),
            Self::Other(text) => text.to_sql(),
        }
    }
}

/// A [`ContactType`] of a column.
pub(super) struct ReadKind(pub(super) ContactType);

impl FromSql for ReadKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        if let ValueRef::Integer(code) = value {
            let known = usize::try_from(code - 1).ok().and_then(|at| ContactType::KNOWN.get(at));
            let known = known.ok_or(rusqlite::types::FromSqlError::OutOfRange(code))?;
            return Ok(Self(known.clone()));
        }
        value.as_str().map(|text| Self(text.into()))
    }
}

/// A key in a column. Numbers are numbers there, which takes half the space.
pub(super) struct Key<'a>(pub(super) &'a str);

impl Key<'_> {
    /// The number that it is. One with a leading 0 would not come back as it was.
    pub(super) fn number(&self) -> Option<i64> {
        let is_number = self.0.bytes().all(|b| b.is_ascii_digit()) && !self.0.starts_with('0');
        is_number.then(|| self.0.parse().ok())?
    }
}

impl ToSql for Key<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.number() {
            Some(number) => Ok(number.into()),
            None => self.0.to_sql(),
        }
    }
}

/// A [`Key`] of a column.
pub(super) struct ReadKey(pub(super) String);

impl FromSql for ReadKey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(number) => Ok(Self(number.to_string())),
            text => text.as_str().map(|text| Self(text.to_owned())),
        }
    }
}

/// How many columns a contact has besides the id of its row.
const COLUMNS: usize = 14;

/// A contact, ready to be stored.
pub(super) struct ContactRow<'a> {
    owner: i64,
    active: bool,
    contact: &'a Contact,
    keys: Keys,
    lean: Lean,
    folded: Option<String>,
    json: Option<String>,
}

/// The members that are numbers in the row.
#[derive(Debug, Clone, Copy)]
struct Lean {
    flags: Option<i64>,
    modified_on: Option<i64>,
    created_on: Option<i64>,
    texting: Option<i64>,
}

impl Lean {
    fn of(contact: &Contact) -> Self {
        let flags = contact.preferences.as_ref().map(|preferences| {
            let on = Preference::ALL.iter().enumerate().filter(|(_, flag)| preferences.get(**flag));
            let derived = if preferences.derived() { DERIVED } else { 0 };
            let flags = on.fold(derived, |flags, (bit, _)| flags | 1 << bit);
            let later = Preference::ALL.iter().enumerate().skip(FIRST);
            let told = later.filter(|(_, flag)| preferences.answered(**flag).is_some());
            told.fold(flags, |flags, (bit, _)| flags | DERIVED << bit)
        });
        let created_on =
            contact.created_on.map(|at| if at.is_unknown() { Some(0) } else { ticks(at) });
        let texting = contact.phone_settings.as_ref().map(|settings| {
            let told =
                settings.do_not_text.map_or(0, |not| TOLD | if not { DO_NOT_TEXT } else { 0 });
            told | if settings.phone_number.is_some() { WITH_NUMBER } else { 0 }
        });
        Self {
            flags,
            modified_on: ticks(contact.modified_on),
            created_on: created_on.flatten(),
            texting,
        }
    }

    /// The contact that the row says, if it says one.
    fn contact(
        self,
        id: ContactId,
        kind: ContactType,
        value: String,
        memo: Option<String>,
    ) -> Option<Contact> {
        let mut contact = Contact::new(id, kind, value, time_of(self.modified_on?)?);
        contact.memo = memo;
        contact.created_on = match self.created_on {
            None => None,
            Some(0) => Some(year_one()?),
            Some(ticks) => Some(time_of(ticks)?),
        };
        if let Some(flags) = self.flags {
            let answered = |flag: Preference| {
                let bit = Preference::ALL.iter().position(|one| *one == flag)?;
                let is_told = if bit < FIRST {
                    flags & DERIVED == 0 || !flag.is_apart()
                } else {
                    flags & DERIVED << bit != 0
                };
                is_told.then_some(flags & 1 << bit != 0)
            };
            contact.preferences = Some(ContactPreferences::from_answers(answered)?);
        }
        contact.phone_settings = self.texting.map(|texting| {
            let mut settings = PhoneSettings::default();
            settings.do_not_text = (texting & TOLD != 0).then_some(texting & DO_NOT_TEXT != 0);
            settings.phone_number = (texting & WITH_NUMBER != 0).then(|| contact.value.clone());
            settings
        });
        Some(contact)
    }
}

/// What the service writes for a time that it does not know.
fn year_one() -> Option<Timestamp> {
    /// Seconds between the years 1 and 1970.
    const SECONDS: i128 = 62_135_596_800;
    Timestamp::from_nanoseconds(-SECONDS * 1_000_000_000)
}

impl<'a> ContactRow<'a> {
    pub(super) fn of(
        owner: i64,
        contact: &'a Contact,
        active: bool,
        reader: PhoneReader,
    ) -> Result<Self, serde_json::Error> {
        let lean = Lean::of(contact);
        let Contact { id, contact_type, value, memo, .. } = contact;
        let again = lean.contact(*id, contact_type.clone(), value.clone(), memo.clone());
        let json = if again.as_ref() == Some(contact) {
            None
        } else {
            Some(serde_json::to_string(contact)?)
        };
        let keys = Keys::of(value, reader);
        let folded = folded(&[value, "\n", memo.as_deref().unwrap_or_default()]);
        Ok(Self { owner, active, contact, keys, lean, folded, json })
    }

    /// Stores it as a new row, or in place of the row with this id.
    pub(super) fn write(&self, database: &Database, row: Option<i64>) -> Result<(), MirrorError> {
        let sql = match row {
            None => {
                "INSERT INTO contacts (owner, contact_id, active, kind, flags, key, otherwise,
                     value, memo, modified_on, created_on, texting, folded, json)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
            }
            Some(_) => {
                "UPDATE contacts SET (owner, contact_id, active, kind, flags, key, otherwise,
                     value, memo, modified_on, created_on, texting, folded, json)
                 = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) WHERE id = ?15"
            }
        };
        self.with_columns(row, |values| {
            let used = if row.is_some() { values } else { &values[..COLUMNS] };
            database.execute(sql, used).map(drop)
        })
    }

    /// Whether the row with this id says the same already.
    pub(super) fn is_at(&self, database: &Database, row: i64) -> Result<bool, MirrorError> {
        let sql = "SELECT 1 FROM contacts WHERE id = ?15
            AND (owner, contact_id, active, kind, flags, key, otherwise,
                 value, memo, modified_on, created_on, texting, folded, json)
            IS (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
        self.with_columns(Some(row), |values| Ok(database.value::<i64>(sql, values)?.is_some()))
    }

    /// Hands all columns and the row's id to `each`.
    fn with_columns<R>(&self, row: Option<i64>, each: impl FnOnce(&[&dyn ToSql]) -> R) -> R {
        let Self { owner, active, contact, keys, lean, folded, json } = self;
        let (key, otherwise) = key_columns(keys, &contact.value);
        each(&[
            owner,
            &contact.id.get(),
            active,
            &Kind::of(&contact.contact_type),
            &lean.flags,
            &key,
            &otherwise,
            &contact.value,
            &contact.memo,
            &lean.modified_on,
            &lean.created_on,
            &lean.texting,
            folded,
            json,
            &row,
        ])
    }
}

/// The columns of keys: the first one only where it is not the value itself.
pub(super) fn key_columns<'a>(keys: &'a Keys, value: &str) -> (Option<Key<'a>>, Option<Key<'a>>) {
    let key = Some(Key(&keys.key)).filter(|key| key.0 != value || key.number().is_some());
    (key, keys.otherwise.as_deref().map(Key))
}

impl ContactColumns {
    /// Reads a contact and whose it is; `None` if the row says none.
    pub(super) fn read(&self, row: &Row<'_>) -> rusqlite::Result<Option<(OwnerId, Contact)>> {
        let Some(owner) = owner_of(row.get(self.owner)?) else {
            return Ok(None);
        };
        if let Some(json) = row.get::<_, Option<String>>(self.json)? {
            return Ok(serde_json::from_str(&json).ok().map(|contact| (owner, contact)));
        }
        let lean = Lean {
            flags: row.get(self.flags)?,
            modified_on: row.get(self.modified_on)?,
            created_on: row.get(self.created_on)?,
            texting: row.get(self.texting)?,
        };
        let ReadKind(kind) = row.get(self.kind)?;
        let Ok(id) = ContactId::new(row.get(self.contact_id)?) else {
            return Ok(None);
        };
        let contact = lean.contact(id, kind, row.get(self.value)?, row.get(self.memo)?);
        Ok(contact.map(|contact| (owner, contact)))
    }
}
