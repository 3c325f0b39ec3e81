//! The cells of a row, taken from a record while it is serialized.
//!
//! A tree of values in between would cost more than everything else that an export of CSV does with
//! a record.

use std::{
    fmt::{self, Display, Write as _},
    ops::Range,
};

use serde::{
    Serialize, Serializer,
    ser::{self, Impossible, SerializeMap, SerializeStruct},
};
use serde_json::Value;

/// The selected members at or below a place in a record.
#[derive(Debug, Default)]
pub(super) struct Tree {
    name: String,
    /// The columns that show what is here.
    columns: Vec<usize>,
    below: Vec<Tree>,
}

impl Tree {
    /// The tree of these dotted paths, whose columns are in their order.
    pub(super) fn of(paths: &[String]) -> Self {
        let mut tree = Self::default();
        for (column, path) in paths.iter().enumerate() {
            let mut place = &mut tree;
            for name in path.split('.') {
                let known = place.below.iter().position(|below| below.name == name);
                let at = known.unwrap_or(place.below.len());
                if known.is_none() {
                    place.below.push(Self { name: name.to_owned(), ..Self::default() });
                }
                place = &mut place.below[at];
            }
            place.columns.push(column);
        }
        tree
    }
}

/// The texts of a row's cells. A row takes the place of the one before.
#[derive(Debug, Default)]
pub(super) struct Cells {
    texts: String,
    cells: Vec<Cell>,
}

#[derive(Debug, Clone, Default)]
struct Cell {
    range: Range<usize>,
    is_text: bool,
}

impl Cells {
    /// Takes the selected members of a record; a member that it does not have is empty.
    pub(super) fn fill(
        &mut self,
        tree: &Tree,
        columns: usize,
        record: &impl Serialize,
    ) -> serde_json::Result<()> {
        self.clear(columns);
        if record.serialize(Place { tree, cells: self }).is_ok() {
            return Ok(());
        }
        self.clear(columns);
        let value = serde_json::to_value(record)?;
        self.take(tree, &value);
        Ok(())
    }

    /// Each cell, and whether it is a text.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        self.cells.iter().map(|cell| (&self.texts[cell.range.clone()], cell.is_text))
    }

    fn clear(&mut self, columns: usize) {
        self.texts.clear();
        self.cells.clear();
        self.cells.resize(columns, Cell::default());
    }

    fn put(&mut self, tree: &Tree, text: impl Display, is_text: bool) {
        if tree.columns.is_empty() {
            return;
        }
        let start = self.texts.len();
        // Writing to a text does not fail.
        let _ = write!(self.texts, "{text}");
        let cell = Cell { range: start..self.texts.len(), is_text };
        for column in &tree.columns {
            self.cells[*column] = cell.clone();
        }
    }

    /// As serialization does it, for a record with a part that is not a plain value.
    fn take(&mut self, tree: &Tree, value: &Value) {
        match value {
            Value::Null => {}
            Value::String(text) => self.put(tree, text, true),
            other => self.put(tree, other, false),
        }
        for below in &tree.below {
            if let Some(value) = value.get(&below.name) {
                self.take(below, value);
            }
        }
    }
}

/// A place in a record, to which the serializer has come.
struct Place<'a> {
    tree: &'a Tree,
    cells: &'a mut Cells,
}

/// What stands at a place has no text of its own: it is taken by [`Cells::take`].
#[derive(Debug, thiserror::Error)]
#[error("not a plain value")]
struct NotPlain;

impl ser::Error for NotPlain {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

/// Writes the methods for values of one kind.
macro_rules! plain {
    ($($method:ident: $type:ty, $is_text:literal;)*) => {$(
        fn $method(self, value: $type) -> Result<(), NotPlain> {
            self.cells.put(self.tree, value, $is_text);
            Ok(())
        }
    )*};
}

/// Writes the methods for values that are not plain.
macro_rules! not_plain {
    ($($method:ident($($type:ty),*) -> $result:ty;)*) => {$(
        fn $method(self, $(_: $type),*) -> Result<$result, NotPlain> {
            Err(NotPlain)
        }
    )*};
}

impl<'a> Serializer for Place<'a> {
    type Ok = ();
    type Error = NotPlain;
    type SerializeSeq = Impossible<(), NotPlain>;
    type SerializeTuple = Impossible<(), NotPlain>;
    type SerializeTupleStruct = Impossible<(), NotPlain>;
    type SerializeTupleVariant = Impossible<(), NotPlain>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Impossible<(), NotPlain>;

    plain! {
        serialize_bool: bool, false;
        serialize_i8: i8, false;
        serialize_i16: i16, false;
        serialize_i32: i32, false;
        serialize_i64: i64, false;
        serialize_u8: u8, false;
        serialize_u16: u16, false;
        serialize_u32: u32, false;
        serialize_u64: u64, false;
        serialize_char: char, true;
        serialize_str: &str, true;
    }

    not_plain! {
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeTupleVariant;
        serialize_struct_variant(&'static str, u32, &'static str, usize)
            -> Self::SerializeStructVariant;
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), NotPlain> {
        self.cells.put(self.tree, value, true);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), NotPlain> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotPlain> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NotPlain> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), NotPlain> {
        Ok(())
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), NotPlain> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NotPlain> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), NotPlain> {
        Err(NotPlain)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'a>, NotPlain> {
        // A column that shows members together shows them as JSON.
        if self.tree.columns.is_empty() {
            Ok(Members { place: self, next: 0, key: String::new() })
        } else {
            Err(NotPlain)
        }
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Members<'a>, NotPlain> {
        // So serde_json names what it wants to be serialized by itself alone: JSON as it was.
        if name.starts_with('$') { Err(NotPlain) } else { self.serialize_map(None) }
    }
}

/// The members of a place.
struct Members<'a> {
    place: Place<'a>,
    /// Where in the tree the next member probably is: they mostly come in the order of the columns.
    next: usize,
    key: String,
}

impl Members<'_> {
    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), NotPlain> {
        let below = &self.place.tree.below;
        let is_it = |at: &usize| below.get(*at).is_some_and(|tree| tree.name == name);
        let found = Some(self.next).filter(is_it).or_else(|| (0..below.len()).find(is_it));
        match found {
            None => Ok(()),
            Some(at) => {
                self.next = at + 1;
                value.serialize(Place { tree: &below[at], cells: &mut *self.place.cells })
            }
        }
    }
}

impl SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = NotPlain;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), NotPlain> {
        self.member(name, value)
    }

    fn end(self) -> Result<(), NotPlain> {
        Ok(())
    }
}

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = NotPlain;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotPlain> {
        self.key.clear();
        write!(self.key, "{}", Name(key)).map_err(|_| NotPlain)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotPlain> {
        let key = std::mem::take(&mut self.key);
        let taken = self.member(&key, value);
        self.key = key;
        taken
    }

    fn end(self) -> Result<(), NotPlain> {
        Ok(())
    }
}

/// The text of a key: serde writes plain values to a formatter.
struct Name<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Display for Name<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use crm_models::{ExportedContact, LocationId};
    use serde_json::json;

    use super::{super::record::Record, *};

    /// What a tree of values shows: the cells as they are to be.
    fn by_value(paths: &[String], record: &impl Serialize) -> Vec<(String, bool)> {
        let record = serde_json::to_value(record).unwrap();
        let cell = |path: &String| {
            let found = path.split('.').try_fold(&record, |value, name| value.get(name));
            match found.unwrap_or(&Value::Null) {
                Value::Null => (String::new(), false),
                Value::String(text) => (text.clone(), true),
                other => (other.to_string(), false),
            }
        };
        paths.iter().map(cell).collect()
    }

    fn assert_same(paths: &[&str], record: &impl Serialize) {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        let mut cells = Cells::default();
        cells.fill(&Tree::of(&paths), paths.len(), record).unwrap();
        let found: Vec<_> = cells.iter().map(|(text, is)| (text.to_owned(), is)).collect();
        assert_eq!(found, by_value(&paths, record), "{paths:?}");
    }

    #[test]
    fn a_row_has_what_a_tree_of_values_would_give_it() {
        let members = ExportedContact::<LocationId>::members();
        let mut backwards = members.clone();
        backwards.reverse();
        let whole = ["id", "preferences", "preferences.marketingUpdatesEnabled", "id", "unknown.a"];
        for contact in [
            json!({"id": 3001, "locationId": 2001, "type": "MobilePhone", "value": "=1+1",
                "memo": "Line\nbreak, \"quoted\"", "active": true,
                "phoneSettings": {"phoneNumber": "8185550142", "doNotText": false},
                "modifiedOn": "2026-05-27T16:04:11.4827193Z", "createdOn": "2025-11-02T09:15:00Z",
                "preferences": {"jobRemindersEnabled": true, "marketingUpdatesEnabled": false,
                    "invoiceStatementNotification": false, "invoiceNotification": true,
                    "statementNotification": false}}),
            json!({"id": 3002, "locationId": 2001, "type": "Telex", "value": "", "memo": null,
                "active": false, "modifiedOn": "0001-01-01T00:00:00Z", "preferences": null}),
        ] {
            let contact: ExportedContact<LocationId> = serde_json::from_value(contact).unwrap();
            for paths in [&members[..], &backwards, &whole] {
                assert_same(paths, &contact);
            }
        }
    }

    #[test]
    fn what_is_not_plain_is_shown_as_json() {
        #[derive(Serialize)]
        struct Odd {
            list: Vec<u8>,
            float: f64,
            raw: Box<serde_json::value::RawValue>,
            pair: (bool, char),
        }
        let raw = serde_json::value::RawValue::from_string(r#"{"b": 1, "a": [null]}"#.to_owned());
        let odd = Odd { list: vec![1], float: 1e21, raw: raw.unwrap(), pair: (true, 'é') };
        assert_same(&["list", "float", "raw", "raw.a", "pair", "list.0"], &odd);
        assert_same(&["b", "a"], &odd.raw);
    }
}
