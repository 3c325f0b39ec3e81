//! What a proof says, as data: the ledger's own, each copy with what became of it, and what is not
//! covered.

use crm_bulk::Site;
use crm_consent::{
    Checked, Clock, Clocks, ConsentError, CopyVerdict, Effect, Fact, Heard, JudgedPreference,
    Lateness, Ledger, PolicyUsed, Proof, Scope, Wish, Written,
};
use crm_mirror::Feed;
use crm_models::{ContactPreferences, Preference, Timestamp};
use serde::Serialize;

use super::judged::{after_taken_back, capital, sentence as says};
use crate::{
    commands::consent::{against::Kept, made::Made},
    desk::{Event, Place, Places},
    output::count,
};

/// How many records after the first one a proof carries by itself.
const CHAIN: u64 = 1_000;

/// All that a proof says.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Document {
    /// The number or address as it was asked for.
    pub(super) asked: String,
    #[serde(flatten)]
    pub(super) made: Made,
    #[serde(flatten)]
    pub(super) proof: Proof,
    /// By when the wish to be left alone had to be heeded where a copy was there already.
    pub(super) clock: Option<Clock>,
    /// The same for what a wish for all kinds of messages turns off besides marketing.
    pub(super) clock_of_all_kinds: Option<Clock>,
    pub(super) check: Check,
    pub(super) copies: Vec<Copy>,
    /// When the mirror was read, in which copies are found.
    pub(super) mirror_known_at: Option<Timestamp>,
    pub(super) not_covered: Vec<String>,
    /// The records from the first of these on to the end, without what is personal.
    pub(super) chain: Vec<Written>,
    /// How many records are not in it.
    pub(super) chain_left_out: u64,
}

/// Whether the ledger is what was written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Check {
    pub(super) sound: u64,
    pub(super) fault: Option<String>,
    /// How many keys sign to which none has handed over, and of which nobody has taken note.
    pub(super) unnoticed_keys: usize,
}

/// A copy of the number or address, and what became of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Copy {
    pub(super) owner_kind: String,
    pub(super) owner_id: String,
    pub(super) owner_name: Option<String>,
    pub(super) contact_id: String,
    pub(super) value: Option<String>,
    pub(super) created: Option<String>,
    pub(super) do_not_text: Option<bool>,
    /// What tells whether marketing was off in time; none where nobody wished to be left alone.
    pub(super) clock: Option<Clock>,
    #[serde(flatten)]
    pub(super) judged: Lateness,
    pub(super) says: String,
    /// What became of the other preferences that a wish for all kinds of messages turns off.
    pub(super) other_kinds: Vec<OfKind>,
    pub(super) events: Vec<Event>,
    pub(super) now: Option<Now>,
}

/// What became of a preference of a copy that is not of marketing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfKind {
    pub(super) preference: &'static str,
    pub(super) clock: Option<Clock>,
    #[serde(flatten)]
    pub(super) judged: Lateness,
    pub(super) says: String,
}

/// What the service said of a copy when it was asked for the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Now {
    pub(super) at: Timestamp,
    pub(super) found: Found,
    pub(super) detail: Option<String>,
    /// What a contact receives.
    #[serde(skip)]
    pub(super) flags: Option<ContactPreferences>,
}

/// What a copy was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Found {
    NoMarketing,
    Marketing,
    /// Its flags are not told.
    NotTold,
    AnotherValue,
    Gone,
    Unread,
}

impl Document {
    pub(super) fn of(
        asked: String,
        site: &Site,
        ledger: &Ledger,
        kept: &Kept,
        (mut places, now): (Places, Vec<Option<Now>>),
        with_chain: bool,
    ) -> Result<Self, ConsentError> {
        let made = Made::now(site);
        let made_at = made.made_at;
        let (checked, proof) = (ledger.check(kept.head.as_ref())?, ledger.proof(&asked)?);
        let clocks = ledger.clocks()?;
        let clock = |scope| clocks.of((&asked, scope), None, &made_at.to_string());
        let (marketing, all_kinds) = (clock(Scope::Marketing)?, clock(Scope::All)?);
        let taken_back = clocks.taken_back(&asked, &made_at.to_string())?;
        let mut copies = Vec::new();
        for (place, now) in std::mem::take(&mut places.places).into_iter().zip(now) {
            copies.push(Copy::of(place, now, (&clocks, taken_back), &asked, made_at)?);
        }
        let mut document = Self {
            asked,
            made,
            clock: marketing.filter(|_| proof.marketing.wish == Some(Wish::Out)),
            clock_of_all_kinds: all_kinds.filter(|_| proof.all_kinds.wish == Some(Wish::Out)),
            check: Check::of(&checked, kept),
            copies,
            mirror_known_at: places.known_at,
            not_covered: Vec::new(),
            chain: Vec::new(),
            chain_left_out: 0,
            proof,
        };
        document.follow_chain(ledger, with_chain)?;
        document.not_covered = document.not_covered_by(&places);
        Ok(document)
    }

    /// Puts the records in that lead from the first one to the end, unless they are too many.
    fn follow_chain(&mut self, ledger: &Ledger, with_chain: bool) -> Result<(), ConsentError> {
        let Some(first) = self.proof.records.first().map(|record| record.number) else {
            return Ok(());
        };
        let links = (self.proof.head.count + 1).saturating_sub(first);
        if links > CHAIN && !with_chain {
            self.chain_left_out = links;
            return Ok(());
        }
        ledger.for_each_from(first, |record| {
            self.chain.push(record);
            Ok(())
        })
    }

    /// Whether there is a wish at all.
    pub(super) fn has_wishes(&self) -> bool {
        !self.proof.wishes.is_empty() || !self.proof.may_be.is_empty()
    }

    /// Whether it shows something that speaks against whoever had to heed the wish.
    pub(super) fn is_bad(&self) -> bool {
        self.check.is_bad() || self.copies.iter().any(Copy::is_late)
    }

    /// By when the wishes that count had to be heeded, each once, with the messages that it is about where
    /// there are two.
    pub(super) fn clocks(&self) -> Vec<(&'static str, &Clock)> {
        let marketing = self.clock.as_ref();
        let is_other = |clock: &&Clock| marketing.is_none_or(|first| first.record != clock.record);
        match (marketing, self.clock_of_all_kinds.as_ref().filter(is_other)) {
            (Some(marketing), Some(other)) => {
                vec![(" for marketing", marketing), (" for other kinds of messages", other)]
            }
            (None, Some(other)) => vec![(" for kinds of messages other than marketing", other)],
            (marketing, None) => marketing.map(|clock| ("", clock)).into_iter().collect(),
        }
    }

    /// The zone of a day or a time that says none: that of the policy by which the wish was taken in.
    pub(super) fn zone_of(&self, heard: &Heard) -> &str {
        let was_there =
            |policy: &&PolicyUsed| policy.record.is_none_or(|record| record < heard.record);
        let policy = self.proof.policies.iter().rfind(was_there);
        policy.map_or("a zone that is not known", |policy| &policy.time_zone)
    }

    /// Which of the records that decide no seal is over yet, where the ledger has seals.
    pub(super) fn unsealed(&self) -> Option<String> {
        let over = self.proof.seals.last()?.head.count;
        let records = match self.proof.unsealed.as_slice() {
            [] => return None,
            [one] => format!("record {one}"),
            all => {
                let all: Vec<_> = all.iter().map(u64::to_string).collect();
                format!("records {}", all.join(", "))
            }
        };
        let count = self.proof.head.count;
        Some(format!("No seal covers {records} yet; the last is over {over} of {count} records."))
    }

    /// How many copies could not be read back.
    pub(super) fn unread(&self) -> u64 {
        let now = self.copies.iter().filter_map(|copy| copy.now.as_ref());
        now.filter(|now| now.found == Found::Unread).count() as u64
    }

    /// How many copies have this verdict for some kind of messages.
    pub(super) fn copies_that(&self, are: CopyVerdict) -> usize {
        let is = |copy: &&Copy| copy.judged().any(|judged| judged.now.verdict == are);
        self.copies.iter().filter(is).count()
    }

    /// How many copies were late in a time that a wish to be written to has ended.
    pub(super) fn late_earlier(&self) -> usize {
        let is = |copy: &&Copy| copy.judged().any(|judged| !judged.earlier.is_empty());
        self.copies.iter().filter(is).count()
    }

    fn not_covered_by(&self, places: &Places) -> Vec<String> {
        let mut told = vec![
            format!(
                "Whether a number takes text messages (doNotText). No operation of the contacts API \
                 sets it; a person has to. {}",
                self.do_not_text()
            ),
            "A customer's own mail flags (doNotMail, doNotService), which no operation of the \
             contacts API sets."
                .to_owned(),
            "Invoices and statements, unless the policy names them: a wish, even one for all kinds \
             of messages, does not turn them off."
                .to_owned(),
            "What other systems send. A dialer or a mailer knows of the wish by the list of `crm \
             consent export` alone."
                .to_owned(),
            "Contacts of bookings, which have no marketing flag.".to_owned(),
        ];
        if self.proof.all_kinds.wish == Some(Wish::Out) {
            told.push(
                "Messages other than marketing to numbers and addresses of people: what their other \
                 preferences mean is not documented, so no wish turns them off."
                    .to_owned(),
            );
        }
        let undated = self.copies_that(CopyVerdict::WishUndated) as u64;
        if undated > 0 {
            told.push(format!(
                "Whether {} turned off in time: nobody knows when the wish was received.",
                if undated == 1 {
                    "1 copy was".to_owned()
                } else {
                    format!("{undated} copies were")
                }
            ));
        }
        match places.known_at {
            Some(at) => told.push(format!(
                "Copies that were created after {}, when the contacts were last read.",
                crm_bulk::page::time(at)
            )),
            None => told.push(
                "Copies that no change set has met: the contacts have not been read to their end \
                 (`crm mirror update`)."
                    .to_owned(),
            ),
        }
        for state in &places.feeds {
            let name = what(state.feed);
            match (&state.refused, state.complete_at) {
                (Some(why), _) => told.push(format!("{name}: the service refuses them: {why}")),
                (None, None) => told.push(format!("{name}, which have never been read.")),
                (None, Some(at)) if state.feed == Feed::ContactMethods => told.push(format!(
                    "{name} that were added after {}. What a person receives is known where a change \
                     set or `--verify` asked.",
                    crm_bulk::page::time(at)
                )),
                _ => {}
            }
        }
        if places.unreadable > 0 {
            let records = count(places.unreadable, "record");
            told.push(format!("{records} of the service that cannot be read."));
        }
        if places.mentions > 0 {
            let contacts = count(places.mentions, "contact");
            told.push(format!("{contacts} that have it in their notes alone."));
        }
        if self.copies.iter().all(|copy| copy.now.is_none()) && !self.copies.is_empty() {
            told.push(
                "What the service says now: it was not asked. `crm consent prove --verify` asks it."
                    .to_owned(),
            );
        }
        told.extend(places.missing.iter().map(|missing| sentence(missing)));
        told
    }

    fn do_not_text(&self) -> String {
        let told = |wanted| self.copies.iter().filter(|copy| copy.do_not_text == wanted).count();
        match (told(Some(true)), told(Some(false)), told(None)) {
            (_, _, all) if all == self.copies.len() => "No copy tells it.".to_owned(),
            (on, off, unknown) => format!(
                "Copies that say that it takes none: {on}; that it takes them: {off}; that do not \
                 tell: {unknown}."
            ),
        }
    }
}

impl Check {
    fn of(checked: &Checked, kept: &Kept) -> Self {
        let fault = checked.fault.map(|fault| fault.to_string());
        Self { sound: checked.sound, fault, unnoticed_keys: kept.unnoticed(checked) }
    }

    fn is_bad(&self) -> bool {
        self.fault.is_some() || self.unnoticed_keys > 0
    }
}

impl Copy {
    fn of(
        place: Place,
        now: Option<Now>,
        (clocks, taken_back): (&Clocks<'_>, Option<u64>),
        asked: &str,
        at: Timestamp,
    ) -> Result<Self, ConsentError> {
        let is_person = place.owner_kind == "person";
        let facts = |preference| {
            let mut facts = place.facts.of(preference);
            facts.extend(now.as_ref().and_then(|now| now.fact(preference)));
            (!is_person || preference == Preference::MarketingUpdates).then_some(facts)
        };
        let mut judged = clocks.judge(asked, facts, at)?.into_iter();
        let marketing = judged.next().unwrap_or_else(|| unreachable!("marketing is judged first"));
        let effect =
            facts(Preference::MarketingUpdates).and_then(|facts| Some(facts.last()?.effect));
        let taken_back = taken_back.map(|record| after_taken_back(record, effect));
        let says_of_marketing = taken_back.flatten().unwrap_or_else(|| says(&marketing));
        let judged_marketing = marketing.lateness;
        Ok(Self {
            says: says_of_marketing,
            other_kinds: judged.map(OfKind::of).collect(),
            owner_kind: place.owner_kind,
            owner_id: place.owner_id,
            owner_name: place.owner_name,
            contact_id: place.contact_id,
            value: place.value,
            created: place.created,
            do_not_text: place.do_not_text,
            clock: judged_marketing.now.clock.clone(),
            judged: judged_marketing,
            events: place.events,
            now,
        })
    }

    /// What became of it, kind by kind of messages.
    pub(super) fn judged(&self) -> impl Iterator<Item = &Lateness> {
        std::iter::once(&self.judged).chain(self.other_kinds.iter().map(|of| &of.judged))
    }

    /// The same in sentences.
    pub(super) fn sentences(&self) -> impl Iterator<Item = &str> {
        let others = self.other_kinds.iter().map(|of| of.says.as_str());
        std::iter::once(self.says.as_str()).chain(others)
    }

    /// Whether it speaks against whoever had to heed the wishes that count.
    pub(super) fn is_late(&self) -> bool {
        self.judged().any(Lateness::is_late)
    }

    /// Whose it is, for people.
    pub(super) fn place(&self) -> String {
        let kind = match self.owner_kind.as_str() {
            "customer" => "Customer",
            "location" => "Location",
            "person" => "Person",
            other => other,
        };
        let id = format!("{kind} {}, contact {}", self.owner_id, self.contact_id);
        match &self.owner_name {
            Some(name) => format!("{name} ({id})"),
            None => id,
        }
    }
}

impl OfKind {
    fn of(judged: JudgedPreference) -> Self {
        let says = says(&judged);
        let JudgedPreference { preference, lateness: judged, .. } = judged;
        let preference = preference.option();
        Self { preference, clock: judged.now.clock.clone(), judged, says }
    }
}

impl Now {
    fn fact(&self, preference: Preference) -> Option<Fact> {
        let is_marketing = preference == Preference::MarketingUpdates;
        let is_on = match self.found {
            Found::Marketing if is_marketing => Some(true),
            Found::NoMarketing if is_marketing => Some(false),
            _ => self.flags.map(|flags| flags.get(preference)),
        };
        let effect = match (self.found, is_on) {
            (Found::Unread, _) => return None,
            (Found::Gone | Found::AnotherValue, _) => Effect::Gone,
            (_, Some(true)) => Effect::On,
            (_, Some(false)) => Effect::Off,
            (_, None) => Effect::Unknown,
        };
        Some(Fact { at: self.at, effect, is_exact: false })
    }

    /// In one sentence.
    pub(super) fn says(&self) -> String {
        let at = crm_bulk::page::time(self.at);
        let found = match self.found {
            Found::NoMarketing => "it receives no marketing",
            Found::Marketing => "it receives marketing",
            Found::NotTold => "the service does not say whether it receives marketing",
            Found::AnotherValue => "it has another number or address now",
            Found::Gone => "it is no longer there",
            Found::Unread => "it could not be read",
        };
        match &self.detail {
            Some(detail) => format!("Asked on {at}: {found}: {detail}"),
            None => format!("Asked on {at}: {found}."),
        }
    }
}

/// What a feed tells of, for people.
fn what(feed: Feed) -> &'static str {
    match feed {
        Feed::CustomerContacts => "Contacts of customers",
        Feed::LocationContacts => "Contacts of locations",
        Feed::Customers => "The names of customers",
        Feed::Locations => "The names of locations",
        Feed::People => "The names of people",
        Feed::ContactMethods => "Numbers and addresses of people",
        other => other.name(),
    }
}

/// A note of the command as a sentence.
fn sentence(text: &str) -> String {
    format!("{}.", capital(text).trim_end_matches('.'))
}
