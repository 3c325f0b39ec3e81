//! What an audit proposes, done to a service and taken back: planted faults of every kind, on the
//! sandbox.
//!
//! ```text
//! CRM_MENDED_CUSTOMERS=25000 cargo test --release -p crm-tests --test mending -- --nocapture
//! ```
//!
//! Each customer has four contacts, two of its own and two of its location.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../crates/crm-audit/tests/tenant/mod.rs"]
#[allow(dead_code, reason = "the sandbox is asked, not its feeds")]
mod tenant;

use std::{
    collections::{BTreeSet, HashSet},
    path::Path,
    sync::Mutex,
    time::Instant,
};

use async_trait::async_trait;
use crm_audit::{Audit, Examined, Mending, Owners, Rule, Summary};
use crm_bulk::{Apply, ChangeSet, Input, Plan, Row, Selection, Site, Snapshot, State};
use crm_contacts::ContactsService;
use crm_mirror::MirrorError;
use crm_models::TenantId;
use crm_sandbox::{NewContact, Sandbox, Seed, StoredContact, StoredPreferences};
use crm_transport::{
    Account, Auth, Request, ReqwestTransport, Response, RetryPolicy, Transport, TransportError,
    TransportExt,
};
use futures_util::{TryStreamExt, stream};
use serde_json::Value;
use tenant::{Planted, Tenant, Told, place};

/// A service that has combined flags which contradict their two until they are sent anew. The sandbox
/// computes them always.
struct Contradicting<T> {
    service: T,
    /// `customers` or `locations`, and the contact.
    contacts: Mutex<HashSet<(&'static str, i64)>>,
}

impl<T> Contradicting<T> {
    /// Turns the combined flag of each of these contacts around, wherever it is in an answer.
    fn contradict(&self, owners: &'static str, answer: &mut Value) {
        match answer {
            Value::Array(items) => items.iter_mut().for_each(|it| self.contradict(owners, it)),
            Value::Object(members) => {
                let id = members.get("id").and_then(Value::as_i64);
                let is_so = |id| self.contacts.lock().unwrap().contains(&(owners, id));
                if id.is_some_and(is_so) {
                    let flag = &mut members["preferences"]["invoiceStatementNotification"];
                    *flag = (!flag.as_bool().unwrap()).into();
                }
                members.get_mut("data").into_iter().for_each(|data| self.contradict(owners, data));
            }
            _ => {}
        }
    }
}

#[async_trait]
impl<T: Transport> Transport for Contradicting<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = request.uri().path().to_owned();
        let owners = if path.contains("/customers") { "customers" } else { "locations" };
        let is_patch = request.method() == "PATCH";
        let mut answer = self.service.send(request).await?;
        if is_patch {
            let id = path.rsplit('/').next().unwrap().parse().unwrap();
            self.contacts.lock().unwrap().remove(&(owners, id));
        }
        if path.contains("/contacts")
            && let Ok(mut body) = serde_json::from_slice(answer.body())
        {
            self.contradict(owners, &mut body);
            *answer.body_mut() = serde_json::to_vec(&body).unwrap().into();
        }
        Ok(answer)
    }
}

/// A sandbox with the tenant's contacts, which stores values as they are sent: another one could not
/// take them back.
async fn sandbox(tenant: Tenant) -> Sandbox {
    let builder = Sandbox::builder().seed(Seed::Empty).set("rate-limit", "0").unwrap();
    let builder = builder.set("value-checks", "off").unwrap();
    let sandbox = builder.set("phone-values", "verbatim").unwrap().start().await.unwrap();
    for k in 1..=tenant.customers {
        let family = tenant.family(k);
        sandbox.add_customer(k, &format!("Customer {k}")).unwrap();
        sandbox.add_location(k, k, &format!("Location {k}")).unwrap();
        for told in family.customer {
            sandbox.add_contact(stored(NewContact::of_customer, k, told)).unwrap();
        }
        for told in family.location {
            sandbox.add_contact(stored(NewContact::of_location, k, told)).unwrap();
        }
    }
    sandbox
}

fn stored(of: fn(i64, String, String) -> NewContact, owner: i64, told: Told) -> NewContact {
    let mut contact = of(owner, told.kind.to_owned(), told.value).id(told.id);
    if let Some(memo) = told.memo {
        contact = contact.memo(memo);
    }
    if let Some([job_reminders, marketing_updates, _, invoices, statements]) = told.flags {
        let mut flags = StoredPreferences::all(false);
        (flags.job_reminders, flags.marketing_updates) = (job_reminders, marketing_updates);
        (flags.invoices, flags.statements) = (invoices, statements);
        contact = contact.preferences(flags);
    }
    contact.modified_on(told.modified)
}

/// All contacts that exist, but for what an undone deletion cannot bring back: ids and times.
fn contents(sandbox: &Sandbox) -> Vec<String> {
    let content = |kind: &str, contact: StoredContact| {
        let StoredContact { owner_id, contact_type, value, memo, preferences, .. } = contact;
        format!("{kind} {owner_id} {contact_type} {value} {memo:?} {preferences:?}")
    };
    let of = |kind, contacts: Vec<StoredContact>| {
        let existing = contacts.into_iter().filter(|contact| contact.active);
        existing.map(|contact| content(kind, contact)).collect::<Vec<_>>()
    };
    let mut all = of("customer", sandbox.customer_contacts().unwrap());
    all.extend(of("location", sandbox.location_contacts().unwrap()));
    all.sort_unstable();
    all
}

/// What is found in a mirror that is brought up to date, and the rows that mend it.
async fn audit<T: Transport>(
    service: &ContactsService<T>,
    site: &Site,
    mirror: &Path,
) -> (Summary, BTreeSet<Planted>, Vec<Row>) {
    let mut snapshot = Snapshot::open_or_create(mirror, site).unwrap();
    snapshot.update(service, site, |_| {}).await.unwrap();
    let audit = Audit::new().owners(Owners::of(&snapshot).unwrap());
    let (mut found, mut rows) = (BTreeSet::new(), Vec::new());
    let summary = audit.run(&snapshot, |examined: Examined| {
        let (kind, id) = place(examined.owner);
        found.extend(examined.findings.iter().map(|it| (it.rule, kind, id, it.contact.get())));
        rows.extend(examined.proposals().into_iter().map(|(contact, proposal)| {
            match proposal.mending {
                Mending::Update(change) => Row::rewrite(examined.owner, contact, change),
                Mending::Delete { same_as } => {
                    Row::delete(examined.owner, contact).same_as(same_as)
                }
            }
        }));
        Ok::<(), MirrorError>(())
    });
    (summary.unwrap(), found, rows)
}

/// Applies a set: each change is done, or was so already. Returns how many of each there are.
async fn apply<T: Transport>(service: &ContactsService<T>, site: &Site, set: &Path) -> [u64; 2] {
    let run = Apply::new(ChangeSet::open(set).unwrap()).run(service, site).unwrap();
    run.try_for_each(|_| async { Ok(()) }).await.unwrap();
    let totals = ChangeSet::open(set).unwrap().totals().unwrap();
    let counts = [State::Done, State::Already].map(|state| totals.in_state(state));
    assert_eq!(counts.iter().sum::<u64>(), totals.all(), "{totals:?}");
    counts
}

#[tokio::test]
async fn every_mending_is_done_found_no_more_and_taken_back() {
    let customers = std::env::var("CRM_MENDED_CUSTOMERS").ok().and_then(|n| n.parse().ok());
    let tenant = Tenant { customers: customers.unwrap_or(200) };
    let began = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let [mirror, set, back] = ["mirror", "mend.crm", "back.crm"].map(|it| folder.path().join(it));
    let sandbox = sandbox(tenant).await;
    let planted = tenant.planted();
    let of = |rule, all: &BTreeSet<Planted>| -> BTreeSet<_> {
        all.iter().filter(|it| it.0 == rule).copied().collect()
    };
    let contradict = |&(_, kind, _, contact): &Planted| {
        (if kind == "customer" { "customers" } else { "locations" }, contact)
    };
    let account = Account::of(sandbox.connection()).unwrap();
    // The standard stack without its limit, which would be what takes the time.
    let wire = ReqwestTransport::new(&account.environment).unwrap();
    let auth = Auth::new(wire.for_auth(&account.environment).unwrap(), account.credentials);
    let transport = Contradicting {
        service: wire.with_auth(auth).with_retry(RetryPolicy::default()),
        contacts: Mutex::new(of(Rule::CombinedFlag, &planted).iter().map(contradict).collect()),
    };
    let tenant_id = TenantId::new(account.tenant).unwrap();
    let site = Site::new(tenant_id, account.environment.api_url());
    let service = ContactsService::new(transport, tenant_id);
    let before = contents(&sandbox);

    let (_, found, rows) = audit(&service, &site, &mirror).await;
    let writes: Vec<_> = Rule::ALL.into_iter().filter(|rule| rule.writes()).collect();
    for rule in &writes {
        let planted = of(*rule, &planted);
        assert!(!planted.is_empty());
        assert_eq!(of(*rule, &found), planted, "{rule}");
    }
    let input = Input::from_stream("audit", stream::iter(rows));
    let plan = Plan::new(site.clone()).snapshot(Snapshot::open(&mirror).unwrap());
    plan.from_snapshot(input, &set).await.unwrap();

    let shared: BTreeSet<_> = of(Rule::Shared, &planted).iter().map(|it| (it.1, it.3)).collect();
    assert!(!shared.is_empty());
    let mut deleted = 0;
    for change in ChangeSet::open(&set).unwrap().changes(&Selection::all()) {
        let change = change.unwrap();
        if change.action.name() == "delete" {
            let (kind, contact) = (change.target.kind(), change.target.contact_text().unwrap());
            assert!(!shared.contains(&(kind, contact.parse().unwrap())), "{:?}", change.target);
            deleted += 1;
        }
    }
    assert_eq!(deleted, of(Rule::Duplicate, &planted).len());

    let [mended, already] = apply(&service, &site, &set).await;
    assert_eq!(already, 0);
    assert_ne!(contents(&sandbox), before);
    let (summary, found, rows) = audit(&service, &site, &mirror).await;
    for rule in writes {
        assert_eq!(summary.found(rule), 0, "{rule} is found again");
    }
    assert!(rows.is_empty());
    assert_eq!(of(Rule::Shared, &found), of(Rule::Shared, &planted));

    let undone = ChangeSet::open(&set).unwrap().undo(&back).await.unwrap();
    let [taken_back, already] = apply(&service, &site, &back).await;
    // Only the service could set these again.
    assert_eq!(already, of(Rule::CombinedFlag, &planted).len() as u64);
    assert!(contents(&sandbox) == before, "the contacts are not what they were: {undone:?}");
    println!(
        "{} contacts: {mended} changes, {deleted} of them deletions; {taken_back} taken back; {:.1?}",
        before.len(),
        began.elapsed(),
    );
}
