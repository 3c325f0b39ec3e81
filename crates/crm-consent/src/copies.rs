//! The numbers and addresses that are out, and who has them by a mirror.
//!
//! They are joined by digests: a wish whose value was removed has nothing else, and a number takes
//! longer to read than to digest.

use std::{collections::HashMap, rc::Rc};

use crm_mirror::{
    Keyed as ContactKey, Mirror,
    keys::{Keys, is_unreadable, local_digits, local_key},
};
use crm_models::{ContactMethod, Preference};
use crm_values::Traces;

use crate::{
    clock::Running,
    error::ConsentError,
    hash::{Keyed, Sha},
    ledger::Ledger,
    policies::Policies,
    policy::Policy,
    standing::{Heard, LOCAL_DIGITS, last, runs},
    wish::{Scope, Wish},
};

/// A number or an address that is out.
#[derive(Debug)]
pub(crate) struct Out {
    /// The first wish for marketing that counts, and the one for all kinds of messages: the same where one
    /// wish counts for both.
    marketing: Option<Rc<First>>,
    all_kinds: Option<Rc<First>>,
    key: Option<Box<str>>,
    otherwise: Option<Sha>,
}

/// The first wish to be left alone of those that nobody took back in between.
#[derive(Debug)]
pub(crate) struct First {
    pub(crate) record: u64,
    /// As it was given; none where the record does not have it.
    pub(crate) value: Option<Box<str>>,
    pub(crate) received: Option<Box<str>>,
    pub(crate) running: Running,
}

impl First {
    fn of(heard: &Heard) -> Self {
        Self {
            record: heard.record,
            value: heard.value.as_deref().map(Into::into),
            received: heard.received.as_deref().map(Into::into),
            running: Running { begins: heard.begins(), latest: heard.latest() },
        }
    }
}

impl Out {
    /// By the wishes of one value, with its digest; none for one that is not out.
    pub(crate) fn of(heard: &[Heard], policies: &Policies) -> Option<(Sha, Self)> {
        let first = |scope| {
            last(heard, scope, policies).filter(|last| last.wish == Wish::Out)?;
            runs(heard, scope, policies).pop().map(|run| run.first)
        };
        let (marketing, all_kinds) = (first(Scope::Marketing), first(Scope::All));
        let heard = marketing.or(all_kinds)?;
        let marketing = marketing.map(|first| Rc::new(First::of(first)));
        let shared =
            |first: &Heard| marketing.clone().filter(|shared| shared.record == first.record);
        let all_kinds =
            all_kinds.map(|first| shared(first).unwrap_or_else(|| Rc::new(First::of(first))));
        let (key, otherwise) = (heard.key.as_deref().map(Into::into), heard.otherwise);
        Some((heard.digest, Self { marketing, all_kinds, key, otherwise }))
    }

    /// The wish that counts for these messages.
    fn first(&self, scope: Scope) -> Option<&Rc<First>> {
        match scope {
            Scope::Marketing => self.marketing.as_ref(),
            Scope::All => self.all_kinds.as_ref(),
        }
    }

    /// The record by which it is found in the order of the ledger.
    pub(crate) fn record(&self) -> u64 {
        self.wishes().map(|first| first.record).next().unwrap_or_default()
    }

    /// The wishes that count, each once; that for marketing is the first.
    pub(crate) fn wishes(&self) -> impl Iterator<Item = &First> {
        let other = self.all_kinds.as_deref().filter(|other| {
            self.marketing.as_ref().is_none_or(|first| first.record != other.record)
        });
        self.marketing.as_deref().into_iter().chain(other)
    }

    /// The preferences that have to be off, each with the wish that counts for it. Somebody who may get
    /// marketing by a later wish is out for the rest alone.
    pub(crate) fn turns_off(&self, policy: &Policy) -> Vec<(Preference, &First)> {
        let marketing = policy.turns_off(Scope::Marketing).iter().copied();
        let off = marketing.chain(policy.other_kinds());
        off.filter_map(|flag| Some((flag, &**self.first(Scope::of(flag))?))).collect()
    }

    /// Whether it is out for marketing, all that contact methods of people are asked for.
    pub(crate) fn is_of_marketing(&self) -> bool {
        self.marketing.is_some()
    }
}

/// The place of a value in [`Outs`].
type Place = u32;

/// All values that are out.
pub(crate) struct Outs {
    keyed: Keyed,
    all: Vec<Out>,
    by_digest: HashMap<Sha, Place>,
    /// By the digest of the second reading.
    otherwise: HashMap<Sha, Vec<Place>>,
    /// Whole numbers by their last digits, in order.
    endings: Vec<(u32, Place)>,
    /// Whether one lacks its area code, or may: that is not known of one without its value.
    has_local: bool,
}

/// How a value of the service is related to those that are out.
enum Found {
    Same(Place),
    /// It may be one of these: one side lacks its area code, or can be read in two ways.
    Near(Vec<Place>),
    None,
}

impl Outs {
    fn of(ledger: &Ledger, policies: &Policies) -> Result<Self, ConsentError> {
        let mut outs = Self {
            keyed: ledger.keyed.clone(),
            all: Vec::new(),
            by_digest: HashMap::new(),
            otherwise: HashMap::new(),
            endings: Vec::new(),
            has_local: false,
        };
        ledger.each_value(|heard| {
            if let Some((digest, out)) = Out::of(heard, policies) {
                outs.add(digest, out);
            }
        })?;
        outs.endings.sort_unstable();
        Ok(outs)
    }

    fn add(&mut self, digest: Sha, out: Out) {
        let Ok(place) = Place::try_from(self.all.len()) else { return };
        self.by_digest.insert(digest, place);
        if let Some(otherwise) = out.otherwise {
            self.otherwise.entry(otherwise).or_default().push(place);
        }
        let key = out.key.as_deref();
        self.has_local |= key.is_none_or(|key| local_digits(key).is_some());
        self.endings.extend(key.and_then(ending).map(|ending| (ending, place)));
        self.all.push(out);
    }

    fn find(&self, keys: &Keys) -> Found {
        if let Some(place) = self.with_key(&keys.key) {
            return Found::Same(place);
        }
        let mut near = Vec::new();
        if let Some(digits) = local_digits(&keys.key) {
            near.extend(self.ending_in(digits));
        } else if !is_unreadable(&keys.key) {
            if !self.otherwise.is_empty() {
                let same = self.otherwise.get(&self.keyed.digest(&keys.key));
                near.extend(same.into_iter().flatten());
            }
            near.extend(last_digits(&keys.key).and_then(|digits| self.local(digits)));
        }
        let texts = [Some(&keys.key), keys.otherwise.as_ref()].into_iter().flatten();
        for text in texts.filter(|text| is_unreadable(text) && local_digits(text).is_none()) {
            self.traced(&Traces::of(text), &mut near);
        }
        if let Some(key) = keys.otherwise.as_ref().filter(|key| !is_unreadable(key)) {
            near.extend(self.with_key(key));
        }
        near.sort_unstable();
        near.dedup();
        if near.is_empty() { Found::None } else { Found::Near(near) }
    }

    fn with_key(&self, key: &str) -> Option<Place> {
        self.by_digest.get(&self.keyed.digest(key)).copied()
    }

    /// The number without an area code that has these digits.
    fn local(&self, digits: &str) -> Option<Place> {
        self.has_local.then(|| self.with_key(&local_key(digits))).flatten()
    }

    /// The whole numbers that end so.
    fn ending_in(&self, digits: &str) -> impl Iterator<Item = Place> {
        let ending = digits.parse::<u32>().ok();
        let from = self.endings.partition_point(|(known, _)| Some(*known) < ending);
        let same = self.endings[from..].iter();
        same.take_while(move |(known, _)| Some(*known) == ending).map(|(_, place)| *place)
    }

    /// What may be named in a text.
    fn traced(&self, traces: &Traces, near: &mut Vec<Place>) {
        for name in traces.candidates() {
            if name.contains('@') {
                near.extend(self.with_key(name));
                continue;
            }
            near.extend(self.local(name));
            // Every longer candidate ends in one of these.
            if name.len() == LOCAL_DIGITS {
                near.extend(self.ending_in(name).filter(|place| {
                    let key = self.get(*place).key.as_deref();
                    key.is_some_and(|key| traces.speaks_of(key))
                }));
            }
        }
    }

    fn get(&self, place: Place) -> &Out {
        &self.all[place as usize]
    }
}

/// The last digits of a whole number.
fn last_digits(key: &str) -> Option<&str> {
    if key.contains('@') { None } else { key.get(key.len().checked_sub(LOCAL_DIGITS)?..) }
}

fn ending(key: &str) -> Option<u32> {
    if is_unreadable(key) { None } else { last_digits(key)?.parse().ok() }
}

/// Who has a number or an address that is out, or one that may be.
pub(crate) struct Copies {
    outs: Outs,
    /// Contacts by their places in the mirror, in the order of what is out.
    contacts: Vec<Copy<i64>>,
    methods: Vec<Copy<ContactMethod>>,
}

/// Who has what.
pub(crate) struct Copy<R> {
    out: Place,
    /// Whether it is the same number or address, or may be.
    pub(crate) is_same: bool,
    pub(crate) record: R,
}

impl Copies {
    /// Finds them in a mirror.
    pub(crate) fn of(
        ledger: &Ledger,
        policies: &Policies,
        mirror: &Mirror,
    ) -> Result<Self, ConsentError> {
        let outs = Outs::of(ledger, policies)?;
        let (mut contacts, mut methods) = (Vec::new(), Vec::new());
        if !outs.all.is_empty() {
            mirror.for_each_key(|ContactKey { id, keys }| {
                add(&outs, &keys, &mut contacts, || id);
                Ok::<_, ConsentError>(())
            })?;
            mirror.for_each_method(|method, keys| {
                add(&outs, &keys, &mut methods, || method.clone());
                Ok::<_, ConsentError>(())
            })?;
        }
        // The wishes in the order of the ledger, so that a set of them is.
        contacts.sort_by_key(|copy: &Copy<i64>| (outs.get(copy.out).record(), copy.record));
        methods.sort_by_key(|copy: &Copy<ContactMethod>| {
            (outs.get(copy.out).record(), copy.record.contact_id, copy.record.id)
        });
        Ok(Self { outs, contacts, methods })
    }

    pub(crate) fn contacts(&self) -> impl Iterator<Item = (&Out, &Copy<i64>)> {
        self.contacts.iter().map(|copy| (self.outs.get(copy.out), copy))
    }

    pub(crate) fn methods(&self) -> impl Iterator<Item = (&Out, &Copy<ContactMethod>)> {
        self.methods.iter().map(|copy| (self.outs.get(copy.out), copy))
    }
}

fn add<R>(outs: &Outs, keys: &Keys, copies: &mut Vec<Copy<R>>, record: impl Fn() -> R) {
    match outs.find(keys) {
        Found::Same(out) => copies.push(Copy { out, is_same: true, record: record() }),
        Found::Near(near) => {
            let near = near.into_iter();
            copies.extend(near.map(|out| Copy { out, is_same: false, record: record() }));
        }
        Found::None => {}
    }
}
