//! Records and requests as lists of members, each a name and a text.

use crm_models::{ContactType, Timestamp};

use super::difference::Difference;

/// A record whose members can be read as texts, so that any two states of it can be compared.
///
/// ```
/// use crm_contacts::{Record, models::Contact};
///
/// let before: Contact = serde_json::from_str(
///     r#"{"id": 1, "type": "Email", "value": "a@site.example", "modifiedOn": "2026-01-01T00:00:00Z"}"#,
/// )?;
/// let mut after = before.clone();
/// after.memo = Some("Office".to_owned());
///
/// let changed = before.differences_to(&after);
/// assert_eq!(changed[0].field, "memo");
/// assert_eq!((changed[0].before.as_deref(), changed[0].after.as_deref()), (None, Some("Office")));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Record: Clone + Send + Sync {
    /// The API's names of the members that can be changed, in the order in which differences are
    /// reported. Everywhere else a member is given by its index in this list.
    const MEMBERS: &'static [&'static str];

    /// The number of leading members that distinguish the record from another one with the same id.
    /// An answer in which one of these is neither what it was nor what was asked is about something
    /// else.
    const IDENTITY: usize;

    /// Returns the text of a member, or `None` where it is absent or not known.
    fn text(&self, member: usize) -> Option<&str>;

    /// Returns the kind of number or address that the member `value` is, or `None` for any other text.
    fn contact_type(&self) -> Option<&ContactType> {
        None
    }

    /// Whether the member has the value that was asked for, however the service writes it. To the
    /// API an empty text is the same as none.
    fn has(&self, member: usize, asked: &str) -> bool {
        let has = self.text(member).unwrap_or_default();
        match self.contact_type() {
            Some(of) if Self::MEMBERS[member] == "value" => of.same_value(asked, has),
            _ => has == asked,
        }
    }

    /// Whether the service knows this member. One that it does not know never counts as a
    /// difference.
    fn knows(&self, _member: usize) -> bool {
        true
    }

    /// Returns the time of the last change of the record, where it is known.
    fn modified_on(&self) -> Option<Timestamp>;

    /// Fills in what an answer may leave out: a member that was not asked for keeps its value.
    fn complete(&mut self, _before: &Self, _is_asked: impl Fn(usize) -> bool) {}

    /// Returns what changed between this state of the record and a later one, member by member.
    #[must_use]
    fn differences_to(&self, after: &Self) -> Vec<Difference> {
        let members = Self::MEMBERS.iter().enumerate();
        members
            .filter(|(member, _)| self.knows(*member) && after.knows(*member))
            .map(|(member, name)| (name, self.text(member), after.text(member)))
            .filter(|(_, before, after)| before != after)
            .map(|(name, before, after)| Difference::new(*name, before, after))
            .collect()
    }
}

/// A request that asks something of the members of a record.
///
/// ```
/// use crm_contacts::{Asks, models::{Contact, UpdateContactRequest}};
///
/// let answer: Contact = serde_json::from_str(r#"{
///     "id": 71204, "type": "MobilePhone", "value": "8185550142", "memo": "Gate 2",
///     "modifiedOn": "2026-05-27T16:04:11.4827193Z"
/// }"#)?;
/// let request = UpdateContactRequest::new().value("(818) 555-0142").memo("Gate 3");
/// let differing = request.unmet_by(&answer);
/// assert_eq!(differing.len(), 1);
/// assert_eq!(differing[0].field, "memo");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Asks {
    /// The kind of record that the request is about.
    type Record: Record;

    /// Returns the text that a member is to have, empty to clear it, or `None` where the request
    /// does not name it.
    fn asks(&self, member: usize) -> Option<&str>;

    /// Whether a service that does not know the member cannot do what is asked of it.
    fn insists_on(&self, _member: usize) -> bool {
        false
    }

    /// Returns where a record is not what was asked for, with what was asked as `before` and what
    /// the record has as `after`. Values are compared by
    /// [`ContactType::same_value`](crm_models::ContactType::same_value), since the service may
    /// write them in its own way. A number with letters, like `1-800-FLOWERS`, differs from its
    /// digits alone.
    #[must_use]
    fn unmet_by(&self, record: &Self::Record) -> Vec<Difference> {
        let given = |text: &&str| !text.is_empty();
        unmet(self, record)
            .map(|(member, asked)| {
                let name = Self::Record::MEMBERS[member];
                let has = record.text(member).filter(given);
                Difference::new(name, Some(asked).filter(given), has)
            })
            .collect()
    }

    /// Whether a record is what was asked for.
    #[must_use]
    fn is_met_by(&self, record: &Self::Record) -> bool {
        unmet(self, record).next().is_none()
    }

    /// Whether an answer is the record that was asked for: in the members that the request names,
    /// and otherwise in those that distinguish the record, as it was `before`, from others. An
    /// answer with the right id and another number is about somebody else, or shows a change that
    /// nobody has seen.
    #[must_use]
    fn is_echoed_by(&self, answer: &Self::Record, before: Option<&Self::Record>) -> bool {
        let keeps = |before: &Self::Record| {
            let mut kept =
                (0..Self::Record::IDENTITY).filter(|member| self.asks(*member).is_none());
            kept.all(|member| answer.has(member, before.text(member).unwrap_or_default()))
        };
        self.is_met_by(answer) && before.is_none_or(keeps)
    }
}

/// The members in which a record is not what was asked for, with what was asked.
fn unmet<'a, A: Asks + ?Sized>(
    request: &'a A,
    record: &'a A::Record,
) -> impl Iterator<Item = (usize, &'a str)> {
    (0..A::Record::MEMBERS.len()).filter_map(|member| Some((member, request.asks(member)?))).filter(
        |(member, asked)| {
            let counts = record.knows(*member) || request.insists_on(*member);
            counts && !record.has(*member, asked)
        },
    )
}
