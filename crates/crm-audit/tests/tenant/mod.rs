//! A tenant with planted faults: a mirror is filled from it without a network, and each fault is
//! known.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use bytes::Bytes;
use crm_audit::Rule;
use crm_contacts::ContactsService;
use crm_mirror::{OwnerId, Site, Snapshot};
use crm_models::TenantId;
use crm_transport::{MockTransport, Request, Response};

/// A finding that is to be made: rule, owner's kind and number, contact.
pub type Planted = (Rule, &'static str, i64, i64);

/// How many customers stand between two with the same fault.
const APART: i64 = 50;
/// How many customers share a planted number.
const PARTNERS: i64 = 4;
/// How many customers a batch of a feed holds.
const BATCH: i64 = 1_000;

/// A tenant of this many customers. Each has one location of the same number, and both have the same
/// number and address.
#[derive(Debug, Clone, Copy)]
pub struct Tenant {
    pub customers: i64,
}

/// A contact, as the feeds tell it.
#[derive(Clone)]
pub struct Told {
    pub id: i64,
    pub kind: &'static str,
    pub value: String,
    pub memo: Option<String>,
    /// Job reminders, marketing, combined, invoices, statements.
    pub flags: Option<[bool; 5]>,
    pub modified: &'static str,
}

impl Told {
    fn json(&self, owner: &str, id: i64) -> String {
        let memo = self.memo.as_ref().map_or("null".to_owned(), |memo| format!("{memo:?}"));
        let settings = match self.kind {
            "Email" => "null".to_owned(),
            _ => format!(r#"{{"phoneNumber":{:?},"doNotText":false}}"#, self.value),
        };
        let flags = self.flags.map_or("null".to_owned(), |[jobs, marketing, both, invoices, statements]| {
            format!(
                r#"{{"jobRemindersEnabled":{jobs},"marketingUpdatesEnabled":{marketing},"invoiceStatementNotification":{both},"invoiceNotification":{invoices},"statementNotification":{statements}}}"#
            )
        });
        format!(
            r#"{{"{owner}":{id},"id":{},"type":"{}","value":{:?},"memo":{memo},"phoneSettings":{settings},"modifiedOn":"{}","createdOn":"2024-11-02T09:15:00Z","active":true,"preferences":{flags}}}"#,
            self.id, self.kind, self.value, self.modified,
        )
    }
}

/// The contacts of a customer and of its location, and what is wrong with them.
pub struct Family {
    pub customer: Vec<Told>,
    pub location: Vec<Told>,
    planted: Vec<Planted>,
}

/// Areas of North America.
const AREAS: [i64; 26] = [
    212, 213, 214, 302, 303, 305, 312, 313, 314, 404, 405, 412, 415, 503, 504, 512, 602, 612, 615,
    702, 713, 804, 813, 818, 904, 917,
];

/// The number or the address of a customer, or another one of it. There are 4.8 million of each.
fn value(kind: &str, customer: i64, another: usize) -> String {
    if kind == "Email" {
        return format!("person{customer}.{another}@mail{}.example", customer % 97);
    }
    // No exchange is 555 or ends in 11, which stands for services.
    let hundreds = [2, 3, 4, 6, 7, 8][usize::try_from(customer / 800_000 % 6).unwrap()];
    let exchange = hundreds * 100 + 20 + customer / 10_000 % 80;
    format!("{}{exchange}{:04}", AREAS[another], customer % 10_000)
}

impl Tenant {
    /// The contacts of a customer and of its location.
    pub fn family(self, k: i64) -> Family {
        let told = |id, kind| Told {
            id: 10 * k + id,
            kind,
            value: value(kind, k, 0),
            memo: Some("Front desk".to_owned()),
            flags: Some([true, k % 3 == 0, false, true, false]),
            modified: "2026-05-27T16:04:11.4827193Z",
        };
        let both = vec![told(1, "MobilePhone"), told(2, "Email")];
        let mut family = Family { customer: both.clone(), location: both, planted: Vec::new() };
        family.plant(k);
        family
    }

    /// What is to be found.
    pub fn planted(self) -> BTreeSet<Planted> {
        (1..=self.customers).flat_map(|k| self.family(k).planted).collect()
    }

    /// A mirror of it.
    pub async fn mirror(self, path: &Path) -> Snapshot {
        let site = Site::new(TenantId::new(1_001).unwrap(), "https://api.example");
        let mut transport = MockTransport::new();
        transport
            .expect_send()
            .returning(move |request| Ok(Response::new(Bytes::from(self.feed(&request)))));
        let service = ContactsService::new(transport, site.tenant());
        let mut snapshot = Snapshot::open_or_create(path, &site).unwrap();
        snapshot.update(&service, &site, |_| {}).await.unwrap();
        snapshot
    }

    /// One batch of an export feed, in an order that has nothing to do with that of the owners.
    fn feed(self, request: &Request) -> String {
        let target = request.uri().to_string();
        let token = target.split_once("from=").and_then(|(_, rest)| rest.split('&').next());
        let first = token.and_then(|token| token.parse().ok()).unwrap_or(0);
        let last = (first + BATCH).min(self.customers);
        let is_customers = target.contains("/customers");
        let is_of_contacts = target.contains("/contacts");
        let member = if is_customers { "customerId" } else { "locationId" };
        let mut json =
            format!(r#"{{"hasMore":{},"continueFrom":"{last}","data":["#, last < self.customers);
        let mut separator = "";
        for at in first..last {
            // A prime visits every customer once, unless it divides their number.
            let k = at * 612_361 % self.customers + 1;
            if !is_of_contacts {
                let _ = write!(json, "{separator}{}", owner(k, is_customers));
                separator = ",";
                continue;
            }
            let Family { customer, location, .. } = self.family(k);
            for told in if is_customers { customer } else { location } {
                let _ = write!(json, "{separator}{}", told.json(member, k));
                separator = ",";
            }
        }
        json + "]}"
    }
}

/// A customer, or its location, as a feed tells it.
fn owner(k: i64, is_customer: bool) -> String {
    let is_merged = is_customer && k % APART == 15;
    let merged_to = if is_merged { (k + 1).to_string() } else { "null".to_owned() };
    format!(
        r#"{{"id":{k},"customerId":{k},"name":"Customer {k}","active":{},"mergedToId":{merged_to},"address":{{"street":"{k} Pier Road","city":"San Pedro","state":"CA","zip":"90731","country":"USA"}},"modifiedOn":"2026-05-27T16:04:11Z"}}"#,
        !is_merged,
    )
}

impl Family {
    /// Changes the number, or the address, at the customer and at its location, where one rule is to
    /// find it.
    fn both(&mut self, k: i64, kind: &str, rules: &[Rule], change: impl Fn(&mut Told)) {
        for (noun, contacts) in [("customer", &mut self.customer), ("location", &mut self.location)]
        {
            let contact = contacts.iter_mut().find(|contact| contact.kind == kind).unwrap();
            change(contact);
            self.planted.extend(rules.iter().map(|rule| (*rule, noun, k, contact.id)));
        }
    }

    fn number(&mut self, k: i64, rule: Rule, change: impl Fn(&mut Told)) {
        self.both(k, "MobilePhone", &[rule], change);
    }

    /// Adds a contact to the customer that is like its number but for a change.
    fn again(&mut self, k: i64, rules: &[Rule], change: impl Fn(&mut Told)) {
        let mut told = self.customer[0].clone();
        told.id += 2;
        change(&mut told);
        self.planted.extend(rules.iter().map(|rule| (*rule, "customer", k, told.id)));
        self.customer.push(told);
    }

    fn plant(&mut self, k: i64) {
        let turn = k / APART;
        let [area, rest] = {
            let number = value("Phone", k, 0);
            [number[..3].to_owned(), number[3..].to_owned()]
        };
        let (exchange, line) = rest.split_at(3);
        match k % APART {
            1 => self.number(k, Rule::Spelling, |told| {
                told.value = match turn % 4 {
                    0 => format!("({area}) {exchange}-{line}"),
                    1 => format!("+1 {area}.{exchange}.{line}"),
                    2 => format!("1{area}{exchange}{line}"),
                    _ => format!(" {area}-{exchange}-{line} "),
                }
            }),
            2 => self.number(k, Rule::EmailInPhone, |told| told.value = value("Email", k, 1)),
            3 => self.number(k, Rule::CombinedFlag, |told| {
                let invoices = turn % 2 == 0;
                told.flags = Some([true, false, !invoices, invoices, invoices]);
            }),
            4 => self.again(k, &[Rule::Duplicate], |told| {
                if turn % 2 == 0 {
                    told.memo = None;
                }
            }),
            5 => {
                self.customer[0].memo = None;
                self.again(k, &[Rule::Duplicate, Rule::Spelling], |told| {
                    told.value = format!("({area}) {exchange}-{line}");
                });
            }
            6 if turn % 4 == 0 => {
                self.again(k, &[Rule::Repeated, Rule::UnknownFlags], |told| told.flags = None);
            }
            6 => self.again(k, &[Rule::Repeated], |told| match turn % 4 {
                1 => told.flags = Some([true, k % 3 != 0, false, true, false]),
                2 => told.memo = Some("Back door".to_owned()),
                _ => told.kind = "Fax",
            }),
            7 => self.number(k, Rule::Placeholder, |told| told.value = "(123) 456-7890".to_owned()),
            8 => self.both(k, "Email", &[Rule::Placeholder], |told| {
                told.value = format!("NoEmail@mail{}.example", turn % 9);
            }),
            9 => self.number(k, Rule::Fictional, |told| {
                // Two customers at most have the same, up to 250,000 of them.
                let area = AREAS[usize::try_from(turn / 200 % 26).unwrap()];
                told.value = format!("{area}55501{:02}", turn / 2 % 100);
            }),
            10 => self.number(k, Rule::Malformed, |told| {
                told.value = match turn % 3 {
                    0 => format!("{exchange}-{line}"),
                    1 => format!("call Ana {k}"),
                    _ => format!("{area}{exchange}{line}12345{k}"),
                }
            }),
            11 => {
                self.number(k, Rule::Unassigned, |told| told.value = format!("211{exchange}{line}"))
            }
            12 => self.number(k, Rule::TwoValues, |told| {
                let another = value("Phone", k, 1);
                told.value = match turn % 2 {
                    0 => format!("{} / {another}", told.value),
                    _ => format!("{} {another}", told.value),
                };
            }),
            13 => {
                self.both(k, "Email", &[Rule::WrongType], |told| told.value = value("Phone", k, 1))
            }
            14 => self.number(k, Rule::UnknownFlags, |told| told.flags = None),
            15 => {
                let ids = self.customer.iter().map(|told| told.id);
                self.planted.extend(ids.map(|id| (Rule::InactiveOwner, "customer", k, id)));
            }
            16 => self.number(k, Rule::MemoValue, |told| {
                told.memo = Some(format!("or Bo, {}", value("Phone", k, 1)));
            }),
            17 => self.number(k, Rule::MemoWish, |told| {
                told.memo = Some("Please DON'T call before noon".to_owned());
            }),
            18 => self.number(k, Rule::Stale, |told| told.modified = "2016-03-01T00:00:00Z"),
            19 => self.both(k, "Email", &[Rule::ThrowAway], |told| {
                told.value = format!("someone{k}@mailinator.com");
            }),
            20 => {
                let told = Told {
                    id: 10 * k + 3,
                    value: value("Phone", k, 1),
                    ..self.location[0].clone()
                };
                self.planted.push((Rule::LocationOnly, "location", k, told.id));
                self.location.push(told);
            }
            21 => self.again(k, &[Rule::CustomerOnly], |told| told.value = value("Phone", k, 1)),
            // Partners: each has the number of the first of them.
            at if (30..30 + PARTNERS).contains(&at) => {
                let first = k - at + 30;
                self.number(k, Rule::Shared, |told| told.value = value("Phone", first, 0));
            }
            _ => {}
        }
    }
}

/// Where a finding is, to be compared with what was planted.
pub fn place(owner: OwnerId) -> (&'static str, i64) {
    (owner.kind(), owner.get())
}
