//! Finding somebody by a number, an address, a name or a part of one.

use std::collections::HashSet;

use crm_models::{Contact, ContactId, ContactMethod};
use crm_values::{digits, without_scheme};
use rusqlite::{Params, Row, ToSql, params};

use super::{
    file::Mirror,
    look_up::Known,
    owners::KnownOwner,
    people::PersonHit,
    row::{ContactColumns, Key, ReadKey, owner_code, owner_of},
    stage::Stage,
    text::fold,
};
use crate::{
    error::MirrorError,
    keys::{Keys, is_unreadable, local_digits},
    owner::OwnerId,
};

/// The fewest characters of a text that are looked for.
const LEAST: usize = 3;
/// The digits of a number within its area.
const LOCAL: usize = 7;

/// By what somebody was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum By {
    /// By a whole number or address.
    Value,
    /// By the last seven digits of a number, which has no area code or another one.
    LastDigits,
    /// By the domain of an address, or the part before the `@`.
    PartOfAddress,
    /// By a part of a name, an address, a memo or a value.
    Text,
}

impl By {
    /// Returns its name: `last-digits`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::LastDigits => "last-digits",
            Self::PartOfAddress => "part-of-address",
            Self::Text => "text",
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// By what it was found.
    pub by: By,
    /// The contacts and owners, as many as were asked for.
    pub hits: Vec<Hit>,
    /// The people and their numbers and addresses, as many as were asked for.
    pub people: Vec<PersonHit>,
    /// Whether there are more of the one or the other.
    pub more: bool,
}

/// A contact that was found, or an owner without contacts.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// Whose contact it is.
    pub owner: OwnerId,
    /// The owner itself, if its feed has told it.
    pub details: Option<KnownOwner>,
    /// The contact; `None` for an owner that has none.
    pub contact: Option<Contact>,
    /// How many contacts of other owners have the same number or address.
    pub shared: u64,
}

/// A text for which nothing is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give at least three characters of a number, an address, a name or a memo")]
pub struct TooShort;

columns! {
    /// What a contact is compared by, behind its own columns.
    struct KeyColumn { read_key }
}

/// A contact that matches, or an owner without contacts.
struct Match {
    owner: OwnerId,
    /// The contact, and by what it is compared.
    contact: Option<(Contact, String)>,
}

impl Match {
    fn id(&self) -> (OwnerId, Option<ContactId>) {
        (self.owner, self.contact.as_ref().map(|(contact, _)| contact.id))
    }
}

/// What has a number or an address.
struct Matches {
    contacts: Vec<Match>,
    methods: Vec<ContactMethod>,
}

impl Matches {
    fn is_empty(&self) -> bool {
        self.contacts.is_empty() && self.methods.is_empty()
    }

    fn extend(&mut self, others: Self) {
        self.contacts.extend(others.contacts);
        self.methods.extend(others.methods);
    }
}

/// What the index is asked for a word: its first and its last three characters, none of a shorter
/// word. Each entry between them, as LIKE would ask for, has a list of its own to be read, and most of
/// what these two find has the word: all are looked at again.
fn entries(word: &str) -> Vec<String> {
    let characters: Vec<char> = word.chars().collect();
    let (Some(first), Some(last)) = (characters.first_chunk(), characters.last_chunk()) else {
        return Vec::new();
    };
    let quoted = |entry: &[char; LEAST]| {
        format!("\"{}\"", entry.iter().collect::<String>().replace('"', "\"\""))
    };
    let mut entries = vec![quoted(first), quoted(last)];
    entries.dedup();
    entries
}

impl Mirror {
    /// Finds existing contacts and their owners, and people and their contact methods, by a number
    /// or address, however it is written, or by a part of a name, a title, an address, a memo or a
    /// value, without regard to case and diacritics. At most `limit` of each are returned.
    ///
    /// A whole number or address is compared by its reading. If nobody has it, the last seven
    /// digits of a number are compared. A text with an `@` is looked for in e-mail addresses: one
    /// that begins with it is a domain, any other is how an address begins. Of a text with several
    /// words all must be in the same place.
    ///
    /// ```no_run
    /// # use crm_mirror::{Mirror, MirrorError};
    /// # fn example(mirror: &Mirror) -> Result<(), MirrorError> {
    /// if let Ok(found) = mirror.find("(818) 555-0142", 50)? {
    ///     for hit in found.hits {
    ///         let name = hit.details.map(|owner| owner.display_name());
    ///         println!("{}: {}", hit.owner, name.unwrap_or_default());
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`TooShort`], inside, for fewer than three characters; [`MirrorError::Incomplete`] until the
    /// mirror is complete, or a failure to read.
    pub fn find(&self, text: &str, limit: usize) -> Result<Result<Found, TooShort>, MirrorError> {
        self.database.at_once(|| self.look_for(text, limit))
    }

    fn look_for(&self, text: &str, limit: usize) -> Result<Result<Found, TooShort>, MirrorError> {
        self.complete_at()?;
        self.read_as_keyed()?;
        let text = without_scheme(text);
        let text = text.trim();
        if text.chars().count() < LEAST {
            return Ok(Err(TooShort));
        }
        if text.contains(['@', '＠']) {
            return Ok(Ok(self.find_address(text, limit)?));
        }
        if let Some(found) = self.find_number(text, limit)? {
            return Ok(Ok(found));
        }
        self.find_text(text, limit)
    }

    fn find_address(&self, text: &str, limit: usize) -> Result<Found, MirrorError> {
        if let Ok(keys) = Keys::listed(text, self.reader.get()) {
            let matches = self.matching("coalesce(key, value) = ?1", [&Key(&keys.key)], limit)?;
            if !matches.is_empty() {
                return self.found(By::Value, matches, limit);
            }
        }
        let text = fold(text).replace('＠', "@");
        let matches = match text.strip_prefix('@') {
            Some(domain) => self.matching(
                "substr(coalesce(key, value), instr(coalesce(key, value), '@') + 1) = ?1
                 AND instr(coalesce(key, value), '@') > 0",
                [&domain],
                limit,
            )?,
            // All texts that begin so: no character is greater than the last one.
            None => self.matching(
                "coalesce(key, value) >= ?1 AND coalesce(key, value) < ?1 || char(1114111)",
                [&text],
                limit,
            )?,
        };
        self.found(By::PartOfAddress, matches, limit)
    }

    /// Finds a number by its reading or its last digits; `None` if the text is none.
    fn find_number(&self, text: &str, limit: usize) -> Result<Option<Found>, MirrorError> {
        let digits = digits(text);
        if digits.len() < LOCAL {
            return Ok(None);
        }
        let Ok(keys) = Keys::listed(text, self.reader.get()) else {
            return Ok(None);
        };
        if !is_unreadable(&keys.key) {
            let (key, otherwise) = (Key(&keys.key), keys.otherwise.as_deref().map(Key));
            // What is looked for, and what is there, may be read in two ways.
            let mut matches = self.matching("coalesce(key, value) = ?1", [&key], limit)?;
            let second = "otherwise = ?1 AND otherwise IS NOT NULL";
            matches.extend(self.matching(second, [&key], limit)?);
            if let Some(otherwise) = &otherwise {
                let same = "coalesce(key, value) = ?1";
                matches.extend(self.matching(same, [otherwise], limit)?);
            }
            if !matches.is_empty() {
                return self.found(By::Value, matches, limit).map(Some);
            }
        }
        let tail = &digits[digits.len() - LOCAL..];
        let Ok(number) = tail.parse::<i64>() else {
            return Ok(None);
        };
        let same = "key % 10000000 = ?1 AND typeof(key) = 'integer'";
        let mut matches = self.matching(same, [&number], limit)?;
        // Local numbers that are stored as such.
        let local =
            local_digits(&keys.key).map_or_else(|| format!("  {tail}"), |_| keys.key.clone());
        matches.extend(self.matching("coalesce(key, value) = ?1", [&local], limit)?);
        self.found(By::LastDigits, matches, limit).map(Some)
    }

    fn find_text(&self, text: &str, limit: usize) -> Result<Result<Found, TooShort>, MirrorError> {
        let text = fold(text);
        let mut words: Vec<&str> = text.split_whitespace().collect();
        words.dedup();
        // The index knows every three characters; shorter words are looked at in what it finds.
        let indexed: Vec<String> = words.iter().flat_map(|word| entries(word)).collect();
        if indexed.is_empty() {
            return Ok(Err(TooShort));
        }
        let indexed = indexed.join(" AND ");
        let mut hits = Vec::new();
        let mut seen = HashSet::new();
        // A mirror of contacts alone has no index of owners.
        let named = if self.is_staged(Stage::Owners)? {
            Vec::new()
        } else {
            self.texts("owner_text", &indexed, &words, limit)?
        };
        for owner in named {
            let Some(owner) = owner_of(owner) else {
                continue;
            };
            let condition = "WHERE owner = ?1 AND active ORDER BY contact_id";
            let contacts = self.matches(condition, [owner_code(owner)])?;
            if contacts.is_empty() {
                hits.push(Match { owner, contact: None });
            }
            for contact in contacts {
                seen.insert(contact.id());
                hits.push(contact);
            }
            if hits.len() > limit {
                break;
            }
        }
        // Most time goes into an index whose answers nobody would see.
        let values = if hits.len() > limit {
            Vec::new()
        } else {
            self.texts("contact_text", &indexed, &words, limit)?
        };
        for id in values {
            if hits.len() > limit {
                break;
            }
            for contact in self.matches("WHERE id = ?1 AND active", [id])? {
                if seen.insert(contact.id()) {
                    hits.push(contact);
                }
            }
        }
        let more = hits.len() > limit;
        hits.truncate(limit);
        let hits = self.hits(hits)?;
        let (mut people, mut more_people) = (Vec::new(), false);
        if !self.is_staged(Stage::People)? {
            let named = self.texts("person_text", &indexed, &words, limit)?;
            let methods = || self.texts("method_text", &indexed, &words, limit);
            (people, more_people) = self.people_of(named, methods, limit)?;
        }
        Ok(Ok(Found { by: By::Text, hits, people, more: more || more_people }))
    }

    /// The rows of an index whose text has all words, one more than the limit.
    fn texts(
        &self,
        index: &str,
        indexed: &str,
        words: &[&str],
        limit: usize,
    ) -> Result<Vec<i64>, MirrorError> {
        let sql = format!("SELECT rowid AS row, text FROM {index} WHERE {index} MATCH ?");
        let database = &self.database;
        let read = || {
            let mut query = database.connection.prepare_cached(&sql)?;
            let (row_at, text_at) = (query.column_index("row")?, query.column_index("text")?);
            let mut rows = query.query([indexed])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let text = fold(row.get_ref(text_at)?.as_str()?);
                // The index knows nothing of what is between its entries.
                if words.iter().all(|word| text.contains(word)) {
                    found.push(row.get(row_at)?);
                }
                if found.len() > limit {
                    break;
                }
            }
            Ok(found)
        };
        database.check(read())
    }

    /// The existing contacts, and the contact methods, that a condition with one value selects, one
    /// more than the limit of each.
    fn matching(
        &self,
        condition: &str,
        [value]: [&dyn ToSql; 1],
        limit: usize,
    ) -> Result<Matches, MirrorError> {
        let limit = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let values = params![value, limit];
        let contacts = self.matches(&format!("WHERE {condition} AND active LIMIT ?2"), values)?;
        let methods = if self.is_staged(Stage::People)? {
            // They have no indexes yet.
            Vec::new()
        } else {
            self.methods(&format!("WHERE {condition} LIMIT ?2"), values)?
        };
        Ok(Matches { contacts, methods })
    }

    /// The contacts that a condition selects.
    fn matches(&self, condition: &str, values: impl Params) -> Result<Vec<Match>, MirrorError> {
        let sql = format!(
            "SELECT {}, coalesce(key, value) AS read_key FROM contacts {condition}",
            ContactColumns::NAMES
        );
        let at = const { ContactColumns::in_order(0) };
        let key_at = const { KeyColumn::in_order(ContactColumns::COUNT) };
        let row = |row: &Row<'_>| Ok((at.read(row)?, row.get(key_at.read_key)?));
        let found = self.database.rows(&sql, values, row)?;
        let matched = found.into_iter().map(|(contact, ReadKey(key))| {
            let (owner, Known { contact }) = self.known(contact)?;
            Ok(Match { owner, contact: Some((contact, key)) })
        });
        matched.collect()
    }

    fn found(&self, by: By, matches: Matches, limit: usize) -> Result<Found, MirrorError> {
        let Matches { mut contacts, methods } = matches;
        contacts.sort_by_key(Match::id);
        contacts.dedup_by_key(|contact| contact.id());
        let more = contacts.len() > limit;
        contacts.truncate(limit);
        let hits = self.hits(contacts)?;
        let (people, more_people) = self.people_with(methods, limit)?;
        Ok(Found { by, hits, people, more: more || more_people })
    }

    /// What is told of these contacts. Those of one owner follow each other.
    fn hits(&self, matches: Vec<Match>) -> Result<Vec<Hit>, MirrorError> {
        let mut hits: Vec<Hit> = Vec::with_capacity(matches.len());
        for Match { owner, contact } in matches {
            let details = match hits.last() {
                Some(last) if last.owner == owner => last.details.clone(),
                _ => self.owner(owner)?,
            };
            let shared = match &contact {
                Some((_, key)) => self.shared(owner, key)?,
                None => 0,
            };
            hits.push(Hit { owner, details, contact: contact.map(|(contact, _)| contact), shared });
        }
        Ok(hits)
    }

    /// How many contacts of other owners have the same number or address. By the key that the file
    /// has: to read a number anew takes longer than to count.
    fn shared(&self, owner: OwnerId, key: &str) -> Result<u64, MirrorError> {
        let sql = "SELECT count(*) FROM contacts
            WHERE coalesce(key, value) = ?1 AND active AND owner <> ?2";
        let count = self.database.value(sql, params![Key(key), owner_code(owner)])?;
        Ok(count.unwrap_or_default())
    }
}
