//! Records and requests as members: a name and a text each.

use crm_models::{ContactType, Timestamp};

use super::difference::Difference;

/// A record whose members can be changed, as texts.
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
    /// The members that can be changed, in the API's words and in the order in which differences are
    /// told. Everywhere else a member is its place in here.
    const MEMBERS: &'static [&'static str];

    /// How many of the first members tell the record from another one with the same id: an answer
    /// in which one of these is neither as before nor as asked is about something else.
    const IDENTITY: usize;

    /// The text of a member; none where it is absent or not known.
    fn text(&self, member: usize) -> Option<&str>;

    /// The kind of number or address that a member is; none for any other text.
    fn value_type(&self, _member: usize) -> Option<&ContactType> {
        None
    }

    /// Whether the member is as asked, however the service writes it. An empty text and none are the
    /// same to the API.
    fn has(&self, member: usize, asked: &str) -> bool {
        let has = self.text(member).unwrap_or_default();
        match self.value_type(member) {
            Some(of) => of.same_value(asked, has),
            None => has == asked,
        }
    }

    /// Whether the service knows this member. One that it does not know is no difference.
    fn knows(&self, _member: usize) -> bool {
        true
    }

    /// When the record was last changed, where that is known.
    fn modified_on(&self) -> Option<Timestamp>;

    /// Adds what an answer need not tell: a member that was not asked for is as it was before.
    fn complete(&mut self, _before: &Self, _is_asked: impl Fn(usize) -> bool) {}

    /// What changed between two states of a record, member by member.
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

/// What a request asks of the members of a record.
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
    /// What the request is about.
    type Record: Record;

    /// The text that a member shall have, empty to have none; `None` where it is not named.
    fn asks(&self, member: usize) -> Option<&str>;

    /// Whether what is asked of a member cannot be met by a service that does not know it.
    fn insists_on(&self, _member: usize) -> bool {
        false
    }

    /// Where a record is not what was asked for: what was asked as `before`, what the record has as
    /// `after`. Values are compared as by
    /// [`ContactType::same_value`](crm_models::ContactType::same_value), since the service may write
    /// them in its own way. Of a number of letters, as in `1-800-FLOWERS`, the digits alone differ.
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

    /// Whether an answer is the record as asked: in what the request names, and otherwise in what
    /// tells the record as it was `before` from others. An answer for the right id with another
    /// number is somebody else's, or tells of a change that nobody has looked at.
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

/// The members that a record has otherwise than asked, with what was asked.
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
