//! What one row asks for.

use crm_mirror::OwnerId;
use crm_models::{
    Check, ContactChange, ContactId, ContactType, CustomerId, FieldError, LocationId, Preference,
};
use crm_values::{NewValues, check_cell};

use super::{
    cells::Cells,
    columns::{Column, SAY_BY_VALUE},
    dialect::Dialect,
    value::read_value,
};
use crate::{
    error::{BadCell, Counted},
    set::{Action, StandIn, Wanted},
};

/// A row that is valid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RowRequest {
    pub(crate) select: Select,
    pub(crate) action: Action,
    /// Why, for people.
    pub(crate) why: Option<String>,
    /// What is wrong with the row unless the contact that it names already has these values.
    pub(crate) doubts: Vec<BadCell>,
}

/// Which contacts a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Select {
    /// A contact that exists.
    Contact(OwnerId, ContactId),
    /// A new contact of this owner.
    New(OwnerId),
    /// All contacts with this number or address, of this owner if the row names one.
    Value(String, Option<OwnerId>),
}

impl RowRequest {
    /// Reads the cells of a row, or says what is wrong with each.
    pub(crate) fn read(
        line: u64,
        cells: &Cells<'_>,
        dialect: &Dialect,
        values: NewValues,
    ) -> Result<Self, Vec<BadCell>> {
        let mut reader =
            Reader { line, cells, dialect, values, bad: Vec::new(), doubts: Vec::new() };
        let request = reader.request();
        match request {
            Some(request) if reader.bad.is_empty() => Ok(request),
            request => {
                let doubts = request.map(|request| request.doubts);
                reader.bad.extend(doubts.into_iter().flatten());
                Err(reader.bad)
            }
        }
    }
}

/// Why a combined flag is refused: it is not known which of the two it would change.
pub(crate) const COMBINED: &str =
    "is what the API computes of invoices and statements: change those two";

struct Reader<'a> {
    line: u64,
    cells: &'a Cells<'a>,
    dialect: &'a Dialect,
    values: NewValues,
    bad: Vec<BadCell>,
    /// What is wrong unless it is so already.
    doubts: Vec<BadCell>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Update,
    /// An update letter by letter.
    Rewrite,
    Create,
    Delete,
}

impl Reader<'_> {
    /// The request; `None` or an entry in `bad` means that the row is wrong.
    fn request(&mut self) -> Option<RowRequest> {
        let verb = self.verb();
        let owner = self.owner();
        let contact = self.number(Column::ContactId, |text| text.parse::<ContactId>().ok());
        let select = self.select(verb, owner, contact);
        let value = match select {
            Some(Select::Value(..)) => Column::NewValue,
            _ => Column::Value,
        };
        let mut wanted = self.wanted(value);
        if verb != Verb::Delete {
            self.read_value(value, &mut wanted);
            self.check_memo();
            self.read_combined(&mut wanted);
        }
        let action = match verb {
            Verb::Update => self.update(wanted),
            Verb::Rewrite => self.update(Wanted { exact: true, ..wanted }),
            Verb::Create => self.create(wanted),
            Verb::Delete => self.delete(&wanted, contact),
        };
        if verb != Verb::Delete && self.cells.get(Column::SameAs).is_some() {
            self.refuse(Column::SameAs, "is for rows that delete");
        }
        // What the contact already has need not be right, because nothing is sent then.
        let updates = matches!(verb, Verb::Update | Verb::Rewrite);
        if !updates || !matches!(select, Some(Select::Contact(..))) {
            self.bad.append(&mut self.doubts);
        }
        let why = self.cells.get(Column::Why).map(str::to_owned);
        Some(RowRequest { select: select?, action, why, doubts: std::mem::take(&mut self.doubts) })
    }

    /// Refuses what a spreadsheet put in place of a memo.
    fn check_memo(&mut self) {
        let memo = self.cells.get(Column::Memo).unwrap_or_default();
        if let Err(refusal) = check_cell(memo) {
            self.doubt(Some(Column::Memo), &refusal.to_string());
        }
    }

    /// Replaces the value that was typed with the one that will be stored.
    fn read_value(&mut self, column: Column, wanted: &mut Wanted) {
        let Some(typed) = wanted.change.get_value() else {
            return;
        };
        match read_value(self.values, wanted.change.get_contact_type(), typed) {
            Ok(read) => {
                wanted.extension = read.extension().map(str::to_owned);
                wanted.change = wanted.change.clone().value(read.value());
            }
            Err(refusal) => {
                wanted.refused = Some(refusal.to_string());
                self.doubt(Some(column), &refusal.to_string());
            }
        }
    }

    /// Keeps a combined flag that does not follow from the two that the row wants: only the contact
    /// can tell whether somebody edited it.
    fn read_combined(&mut self, wanted: &mut Wanted) {
        let column = Column::Flag(Preference::InvoicesAndStatements);
        let Some(combined) = self.flag(column) else {
            return;
        };
        let flags = wanted.change.get_preferences();
        let both = flags.get_invoices().zip(flags.get_statements());
        if both.is_some_and(|(invoices, statements)| (invoices && statements) == combined) {
            return;
        }
        wanted.combined = Some(combined);
        self.doubt(Some(column), COMBINED);
    }

    fn verb(&mut self) -> Verb {
        let text = self.cells.get(Column::Action).unwrap_or("update");
        let verbs = [
            ("update", Verb::Update),
            ("rewrite", Verb::Rewrite),
            ("create", Verb::Create),
            ("delete", Verb::Delete),
        ];
        match verbs.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)) {
            Some((_, verb)) => *verb,
            None => {
                self.refuse(Column::Action, "must be update, rewrite, create or delete");
                Verb::Update
            }
        }
    }

    fn owner(&mut self) -> Option<OwnerId> {
        let location = self.number(Column::LocationId, |text| text.parse::<LocationId>().ok());
        let customer = self.number(Column::CustomerId, |text| text.parse::<CustomerId>().ok());
        match (location, customer) {
            (Some(_), Some(_)) => {
                self.refuse(
                    Column::CustomerId,
                    "a row has a location_id or a customer_id, not both",
                );
                None
            }
            (Some(location), None) => Some(location.into()),
            (None, customer) => customer.map(OwnerId::from),
        }
    }

    fn select(
        &mut self,
        verb: Verb,
        owner: Option<OwnerId>,
        contact: Option<ContactId>,
    ) -> Option<Select> {
        let named = |column| self.cells.get(column).is_some();
        // An owner that is named but wrong was refused already.
        let owner_wrong =
            owner.is_none() && (named(Column::LocationId) || named(Column::CustomerId));
        let contact_wrong = contact.is_none() && named(Column::ContactId);
        if owner_wrong || contact_wrong {
            return None;
        }
        let by_value = self.by_value(contact.is_some())?;
        match (verb, owner, contact) {
            (Verb::Create, _, None) if by_value == Some(true) => {
                self.refuse(
                    Column::Select,
                    "a contact to create is not there yet: leave this empty",
                );
                None
            }
            (Verb::Create, _, Some(_)) => {
                self.refuse(Column::ContactId, "a contact to create has no contact_id yet");
                None
            }
            (Verb::Create, Some(owner), None) => Some(Select::New(owner)),
            (_, Some(owner), Some(contact)) => Some(Select::Contact(owner, contact)),
            (Verb::Create, None, None) | (_, None, Some(_)) => {
                self.refuse(Column::LocationId, "name the owner: location_id or customer_id");
                None
            }
            (_, owner, None) => {
                let selects = by_value.unwrap_or(self.dialect.by_value);
                let Some(value) = self.cells.get(Column::Value).filter(|_| selects) else {
                    let reason = if selects {
                        "give the value whose contacts are meant".to_owned()
                    } else {
                        format!(
                            "name the contact: its owner and its contact_id; to change every \
                             contact with a value, {SAY_BY_VALUE}"
                        )
                    };
                    let column = if selects { Column::Value } else { Column::ContactId };
                    self.refuse(column, &reason);
                    return None;
                };
                if value.chars().all(|c| !c.is_alphanumeric()) {
                    self.refuse(Column::Value, "is neither a number nor an address");
                    return None;
                }
                Some(Select::Value(value.to_owned(), owner))
            }
        }
    }

    /// What the row itself says about selecting by value; `None` when what it says is wrong.
    #[expect(clippy::option_option, reason = "wrong, silent, or yes or no")]
    fn by_value(&mut self, names_contact: bool) -> Option<Option<bool>> {
        let Some(text) = self.cells.get(Column::Select) else {
            return Some(None);
        };
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        if is("contact") {
            return Some(Some(false));
        }
        if !is("value") {
            self.refuse(Column::Select, "must be contact or value");
            return None;
        }
        if names_contact {
            let reason = "a row that selects by value has no contact_id";
            self.refuse(Column::Select, reason);
            return None;
        }
        Some(Some(true))
    }

    /// What is wanted, with the new number or address from this column.
    fn wanted(&mut self, value: Column) -> Wanted {
        if value == Column::Value && self.cells.get(Column::NewValue).is_some() {
            let reason = "is for rows that select by value; here give the new one as value";
            self.refuse(Column::NewValue, reason);
        }
        let mut change = ContactChange::new();
        if let Some(contact_type) = self.contact_type() {
            change = change.contact_type(contact_type);
        }
        if let Some(value) = self.text(value) {
            change = change.value(value);
        }
        if let Some(memo) = self.memo() {
            change = change.memo(memo);
        }
        let flags = Preference::SETTABLE.into_iter();
        let flags = flags.filter_map(|flag| Some((flag, self.flag(Column::Flag(flag))?)));
        let change = change.preferences(flags.collect());
        Wanted {
            cleared_by: self.clears_memo().then(|| self.dialect.clear.clone()),
            ..Wanted::of(change)
        }
    }

    fn update(&mut self, wanted: Wanted) -> Action {
        if let Err(invalid) = wanted.change_of(None).check() {
            self.refuse_members(&invalid.fields, wanted.refused.is_some());
        }
        Action::Update(wanted)
    }

    fn create(&mut self, wanted: Wanted) -> Action {
        match wanted.creation() {
            Some(request) => {
                if let Err(invalid) = request.check() {
                    self.refuse_members(&invalid.fields, wanted.refused.is_some());
                }
            }
            None => {
                for column in [Column::Type, Column::Value] {
                    if self.cells.get(column).is_none() {
                        self.refuse(column, "a contact to create needs type and value");
                    }
                }
            }
        }
        Action::Create(wanted)
    }

    fn delete(&mut self, wanted: &Wanted, contact: Option<ContactId>) -> Action {
        let change = &wanted.change;
        let members = change.get_preferences().is_empty()
            && change.get_contact_type().is_none()
            && change.get_memo().is_none();
        if !members || self.cells.get(Column::NewValue).is_some() {
            let reason = "a row that deletes names the contact and nothing to change";
            self.refuse(Column::Action, reason);
        }
        let same_as = self.number(Column::SameAs, |text| text.parse::<ContactId>().ok());
        if same_as.is_some() && (contact.is_none() || contact == same_as) {
            self.refuse(Column::SameAs, "names another contact than the row's contact_id");
        }
        Action::Delete(same_as.map(StandIn::unseen))
    }

    /// The contract's spelling of a type in any case; the row's own for a type that it does not
    /// know.
    fn contact_type(&self) -> Option<ContactType> {
        let text = self.cells.get(Column::Type)?;
        let mut known = ContactType::KNOWN.into_iter();
        let known = known.find(|known| known.as_str().eq_ignore_ascii_case(text));
        Some(known.unwrap_or_else(|| text.into()))
    }

    fn text(&mut self, column: Column) -> Option<String> {
        let text = self.cells.get(column)?;
        if text == self.dialect.clear {
            self.refuse(column, "cannot be cleared, only the memo can");
            return None;
        }
        Some(text.to_owned())
    }

    fn clears_memo(&self) -> bool {
        self.cells.get(Column::Memo) == Some(&self.dialect.clear)
    }

    fn memo(&self) -> Option<String> {
        let text = self.cells.get(Column::Memo)?;
        Some(if self.clears_memo() { "" } else { text }.to_owned())
    }

    fn flag(&mut self, column: Column) -> Option<bool> {
        let text = self.cells.get(column)?;
        let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is(["on", "true", "yes", "1"]) {
            Some(true)
        } else if is(["off", "false", "no", "0"]) {
            Some(false)
        } else {
            self.refuse(column, "must be on or off");
            None
        }
    }

    fn number<N>(&mut self, column: Column, parse: impl Fn(&str) -> Option<N>) -> Option<N> {
        let text = self.cells.get(column)?;
        let number = parse(text);
        if number.is_none() {
            self.refuse(column, "must be a positive whole number");
        }
        number
    }

    /// Refuses what the API would refuse, a value that was not refused before. That nothing is left
    /// to change is no fault of its own in a row with other faults.
    fn refuse_members(&mut self, fields: &[FieldError], value_is_refused: bool) {
        let faulty = !(self.bad.is_empty() && self.doubts.is_empty());
        for field in fields {
            match Column::named(&field.field) {
                None if faulty && field.field.is_empty() => {}
                None => self.add(None, &field.message),
                Some(Column::Value) if value_is_refused => {}
                column => self.doubt(column, &field.message),
            }
        }
    }

    fn doubt(&mut self, column: Option<Column>, reason: &str) {
        let doubt = self.bad_cell(column, reason);
        self.doubts.push(doubt);
    }

    fn refuse(&mut self, column: Column, reason: &str) {
        self.add(Some(column), reason);
    }

    fn add(&mut self, column: Option<Column>, reason: &str) {
        let bad = self.bad_cell(column, reason);
        self.bad.push(bad);
    }

    fn bad_cell(&self, column: Option<Column>, reason: &str) -> BadCell {
        let value = column.and_then(|column| self.cells.get(column));
        BadCell {
            line: self.line,
            counted: Counted::Lines,
            column: column.map_or("", Column::name).to_owned(),
            value: value.unwrap_or_default().to_owned(),
            reason: reason.to_owned(),
            personal: column.is_some_and(Column::is_personal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cells: &[(Column, &'static str)]) -> Result<RowRequest, Vec<BadCell>> {
        read_with(cells, &Dialect::default())
    }

    fn read_with(
        cells: &[(Column, &'static str)],
        dialect: &Dialect,
    ) -> Result<RowRequest, Vec<BadCell>> {
        let mut row = Cells::default();
        for (column, text) in cells {
            row.set(*column, *text);
        }
        RowRequest::read(7, &row, dialect, NewValues::default())
    }

    const BY_VALUE: (Column, &str) = (Column::Select, "Value");

    #[test]
    fn a_row_selects_by_value_only_when_somebody_says_so() {
        use Column::*;
        let by_value = Dialect { by_value: true, ..Dialect::default() };
        let owner = (LocationId, "5");
        for row in [
            &[(Value, "8185550142"), (Memo, "x")][..],
            &[(Value, "8185550142"), (Action, "delete")],
            &[owner, (Value, "8185550142"), (Memo, "x")],
        ] {
            let bad = read(row).unwrap_err();
            assert_eq!(bad[0].column, "contact_id");
            assert!(bad[0].reason.contains("column `select`"), "{bad:?}");
            let said = [&[BY_VALUE], row].concat();
            for all in [read(&said), read_with(row, &by_value)] {
                assert!(matches!(all.unwrap().select, super::Select::Value(..)));
            }
            let contact = [&[(Select, "contact")], row].concat();
            read_with(&contact, &by_value).unwrap_err();
        }
        let one = [owner, (ContactId, "9"), (Value, "8185550142")];
        let one = read_with(&one, &by_value).unwrap();
        assert!(matches!(one.select, super::Select::Contact(..)));
        for wrong in [
            &[BY_VALUE, owner, (ContactId, "9"), (Memo, "x")][..],
            &[(Select, "all"), (Value, "8185550142"), (Memo, "x")],
            &[BY_VALUE, owner, (Action, "create"), (Type, "Fax"), (Value, "8185550142")],
        ] {
            assert_eq!(read(wrong).unwrap_err()[0].column, "select");
        }
    }

    #[test]
    fn a_row_names_one_contact_or_selects_all_with_a_value() {
        use Column::*;
        let one = read(&[(LocationId, " 5 "), (ContactId, "9"), (Memo, "(clear)")]).unwrap();
        let location = crm_models::LocationId::new(5).unwrap().into();
        assert_eq!(one.select, super::Select::Contact(location, 9.try_into().unwrap()));
        let cleared = Wanted {
            cleared_by: Some("(clear)".to_owned()),
            ..Wanted::of(ContactChange::new().clear_memo())
        };
        assert_eq!(one.action, crate::Action::Update(cleared));

        let all =
            read(&[BY_VALUE, (Value, "+1 (818) 555-0142"), (Flag(Preference::Invoices), "NO")])
                .unwrap();
        assert_eq!(all.select, super::Select::Value("+1 (818) 555-0142".to_owned(), None));
        let all = read(&[BY_VALUE, (Value, "Dana@Site.example"), (Action, "DELETE")]).unwrap();
        assert_eq!(all.select, super::Select::Value("Dana@Site.example".to_owned(), None));
        assert_eq!(all.action, crate::Action::Delete(None));

        // What is there may be damaged already: mended or deleted it is told by what it is.
        let gone =
            [(LocationId, "5"), (ContactId, "9"), (Value, "8185550142.0"), (Action, "delete")];
        assert_eq!(read(&gone).unwrap().action, crate::Action::Delete(None));
        let mends = [BY_VALUE, (Value, "8185550142.0"), (NewValue, "8185550142")];
        let all = read(&mends).unwrap();
        assert_eq!(all.select, super::Select::Value("8185550142.0".to_owned(), None));
    }

    #[test]
    fn a_combined_flag_that_does_not_follow_is_wrong_unless_the_contact_has_it() {
        use Column::*;
        let update = [(LocationId, "5"), (ContactId, "9"), (Memo, "x")];
        let all = [BY_VALUE, (Value, "8185550142"), (Memo, "x")];
        for (flags, follows) in [
            (&[(Flag(Preference::InvoicesAndStatements), "on")][..], false),
            (
                &[
                    (Flag(Preference::InvoicesAndStatements), "on"),
                    (Flag(Preference::Invoices), "on"),
                ],
                false,
            ),
            (
                &[
                    (Flag(Preference::InvoicesAndStatements), "on"),
                    (Flag(Preference::Invoices), "on"),
                    (Flag(Preference::Statements), "off"),
                ],
                false,
            ),
            (
                &[
                    (Flag(Preference::InvoicesAndStatements), "off"),
                    (Flag(Preference::Invoices), "on"),
                    (Flag(Preference::Statements), "off"),
                ],
                true,
            ),
        ] {
            let one = read(&[&update[..], flags].concat()).unwrap();
            assert_eq!(one.doubts.is_empty(), follows, "{flags:?}");
            assert_eq!(read(&[&all[..], flags].concat()).is_ok(), follows, "{flags:?}");
        }
    }

    #[test]
    fn a_value_is_read_as_it_will_be_stored_and_one_that_must_not_be_is_told() {
        use Column::*;
        let update = [(LocationId, "5"), (ContactId, "9")];
        let create = [(LocationId, "5"), (Action, "create"), (Type, "Phone")];
        let select = [BY_VALUE, (Value, "8185550142")];
        for (typed, stored) in [
            ("+1 (818) 555-0177", Some("8185550177")),
            ("8185550142.0", None),
            ("213-555-0177²", None),
            ("818-555-0142 ext 12", None),
            ("#N/A", None),
        ] {
            let updates = read(&[&update[..], &[(Value, typed)]].concat()).unwrap();
            let crate::Action::Update(wanted) = &updates.action else {
                panic!("{updates:?}");
            };
            // The contact may have it already.
            assert_eq!(!updates.doubts.is_empty(), stored.is_none(), "{typed}");
            assert_eq!(wanted.refused.is_some(), stored.is_none(), "{typed}");
            let value = wanted.change.get_value();
            assert_eq!(value, Some(stored.unwrap_or(typed)));
            for (cells, column) in [(&create[..], Value), (&select[..], NewValue)] {
                let read = read(&[cells, &[(column, typed)]].concat());
                assert_eq!(read.is_ok(), stored.is_some(), "{typed}");
            }
        }
    }

    #[test]
    fn a_wrong_row_says_which_column_is_wrong() {
        use Column::*;
        let contact = [(LocationId, "5"), (ContactId, "9")];
        for (cells, wrong) in [
            (&[(Memo, "x")][..], "contact_id"),
            (&[(CustomerId, "6"), (Memo, "x")], "customer_id"),
            (&[(Action, "merge"), (Memo, "x")], "action"),
            (&[(Action, "create"), (Memo, "x")], "contact_id"),
            (&[(Action, "delete"), (Memo, "x")], "action"),
            (&[(Value, "(clear)")], "value"),
            (&[(Select, "some"), (Memo, "x")], "select"),
            (&[(NewValue, "8185550142")], "new_value"),
            (&[(Flag(Preference::Statements), "maybe")], "statements"),
            (&[(SameAs, "7"), (Memo, "x")], "same_as"),
            (&[(Action, "delete"), (SameAs, "9")], "same_as"),
            (&[(Action, "delete"), (SameAs, "none")], "same_as"),
            (&[], ""),
        ] {
            let with_contact = wrong != "contact_id" || cells[0].0 == Action;
            let contact = if with_contact { &contact[..] } else { &[] };
            let bad = read(&[contact, cells].concat()).unwrap_err();
            assert_eq!(bad[0].column, wrong, "{bad:?}");
            assert_eq!(bad[0].line, 7);
        }
        // The contact may be of that type already.
        let in_doubt = read(&[&contact[..], &[(Type, "Pager")]].concat()).unwrap();
        assert_eq!(in_doubt.doubts[0].column, "type");
    }
}
