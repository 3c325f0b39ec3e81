//! People in a mirror, however the lists change while they are read.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use crm_contacts::ContactsService;
use crm_models::{ContactMethod, Person, PersonId, TenantId};
use crm_transport::{
    Delivery, MockTransport, Request, Response, TransportError, TransportErrorKind,
};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::{
    MirrorError, Site,
    mirror::{Feed, Mirror},
};

/// What the service has and does.
#[derive(Default)]
struct Lists {
    people: BTreeMap<String, Value>,
    methods: BTreeMap<String, Value>,
    /// Each request that came.
    asked: Vec<String>,
    /// After how many more requests for people no answer comes.
    left: Option<usize>,
    /// What happens before the request of a list with this number, counted from 1 for each update.
    meanwhile: HashMap<usize, Meanwhile>,
    status: Option<u16>,
    /// Neither orders nor selects, as a service that does not know how.
    is_simple: bool,
    page_size: usize,
}

type Meanwhile = Box<dyn FnOnce(&mut Lists) + Send>;

impl Lists {
    fn person(&mut self, n: u32, name: &str, at: &str) {
        let id = guid(n);
        let person = json!({
            "id": id, "referenceId": null, "name": name, "title": "Owner", "isArchived": false,
            "createdOn": created(n), "createdBy": 7, "modifiedOn": at, "modifiedBy": 8,
        });
        self.people.insert(id, person);
    }

    fn method(&mut self, n: u32, of: u32, kind: &str, value: &str) {
        let id = guid(n);
        let method = json!({
            "id": id, "contactId": guid(of), "referenceId": "R-1", "type": kind, "value": value,
            "memo": null, "createdOn": created(n), "createdBy": 7, "modifiedOn": created(n),
            "modifiedBy": 8,
        });
        self.methods.insert(id, method);
    }

    /// As many people as these, changed in the order of their numbers.
    fn crowd(&mut self, people: std::ops::Range<u32>) {
        for n in people {
            self.person(n, &format!("Person {n}"), &created(n));
        }
    }

    fn answer(&mut self, request: &Request) -> Option<(u16, Value)> {
        let uri = request.uri();
        self.asked.push(uri.to_string());
        if uri.path().contains("/export/") {
            return Some((200, json!({"hasMore": false, "continueFrom": "x", "data": []})));
        }
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        let number = self.asked.iter().filter(|uri| !uri.contains("/export/")).count();
        if let Some(meanwhile) = self.meanwhile.remove(&number) {
            meanwhile(self);
        }
        if let Some(status) = self.status {
            return Some((status, json!({"title": "no scope", "status": status})));
        }
        let query: HashMap<_, _> = form_urlencoded(uri.query().unwrap_or_default());
        let all = match uri.path().rsplit('/').next() {
            Some("contacts") => &self.people,
            Some("contact-methods") => &self.methods,
            id => {
                let found = id.and_then(|id| self.people.get(id).or(self.methods.get(id)));
                let gone = || (404, json!({"title": "gone", "status": 404}));
                return Some(found.map_or_else(gone, |found| (200, found.clone())));
            }
        };
        let mut records: Vec<_> = all.values().cloned().collect();
        if !self.is_simple {
            let (field, bound) = match query["sort"].as_str() {
                "+ModifiedOn" => ("modifiedOn", "modifiedOnOrAfter"),
                "+CreatedOn" => ("createdOn", "createdOnOrAfter"),
                other => panic!("an order that nobody asks for: {other}"),
            };
            let time = |record: &Value| {
                record[field].as_str().unwrap().parse::<crm_models::Timestamp>().unwrap()
            };
            let from = query.get(bound).map(|from| from.parse().unwrap());
            records.retain(|record| from.is_none_or(|from| time(record) >= from));
            records.sort_by_key(|record| (time(record), record["id"].to_string()));
        }
        let page: usize = query["page"].parse().unwrap();
        assert_eq!(query["pageSize"], "5000");
        let start = (page - 1) * self.page_size;
        let has_more = records.len() > start + self.page_size;
        let data: Vec<_> = records.into_iter().skip(start).take(self.page_size).collect();
        Some((200, json!({"page": page, "pageSize": 5_000, "hasMore": has_more, "data": data})))
    }
}

fn form_urlencoded(query: &str) -> HashMap<String, String> {
    let decoded = |text: &str| text.replace("%2B", "+").replace("%3A", ":");
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}

/// The id with this number; their order is not that of the numbers.
fn guid(n: u32) -> String {
    format!("{:08x}-0000-4000-8000-{n:012x}", n.wrapping_mul(2_654_435_761))
}

fn id(n: u32) -> PersonId {
    guid(n).parse().unwrap()
}

/// Three an hour.
fn created(n: u32) -> String {
    format!("2026-05-{:02}T{:02}:{}2:11.4827193Z", 1 + n / 72, n / 3 % 24, n % 3 * 2)
}

struct File {
    folder: tempfile::TempDir,
    lists: Arc<Mutex<Lists>>,
    site: Site,
}

impl File {
    fn new() -> Self {
        let site = Site::new(TenantId::new(1_001).unwrap(), "https://api.example");
        let lists = Lists { page_size: 3, ..Lists::default() };
        let folder = tempfile::tempdir().unwrap();
        Self { folder, lists: Arc::new(Mutex::new(lists)), site }
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("mirror")
    }

    fn service(&self) -> ContactsService<MockTransport> {
        let mut transport = MockTransport::new();
        let lists = Arc::clone(&self.lists);
        transport.expect_send().returning(move |request: Request| {
            let Some((status, body)) = lists.lock().unwrap().answer(&request) else {
                let killed = TransportErrorKind::Other;
                return Err(TransportError::new(killed, Delivery::NotExecuted));
            };
            let mut response = Response::new(Bytes::from(body.to_string()));
            *response.status_mut() = status.try_into().unwrap();
            Ok(response)
        });
        ContactsService::new(transport, TenantId::new(1_001).unwrap())
    }

    async fn update(&self) -> Result<Mirror, MirrorError> {
        self.lists().asked.clear();
        let mut mirror = Mirror::open_or_create(self.path(), &self.site)?;
        mirror.update(&self.service(), &self.site, |_| {}).await?;
        Ok(mirror)
    }

    async fn sweep(&self) -> Result<Mirror, MirrorError> {
        self.lists().asked.clear();
        let mut mirror = Mirror::open_or_create(self.path(), &self.site)?;
        mirror.update_and_sweep(&self.service(), &self.site, |_| {}).await?;
        Ok(mirror)
    }

    /// The calls of the last update, without those of feeds.
    fn calls(&self) -> Vec<String> {
        let calls = self.lists().asked.clone();
        calls.into_iter().filter(|uri| !uri.contains("/export/")).collect()
    }

    /// Whether the mirror has exactly what the service has.
    fn assert_same(&self, mirror: &Mirror) {
        let told: Vec<Person> = values(&self.lists().people);
        let mut known = mirror.people("ORDER BY guid", []).unwrap();
        known.sort_by_key(|person| person.id);
        assert_eq!(known, told);
        let told: Vec<ContactMethod> = values(&self.lists().methods);
        let mut known = mirror.methods("", []).unwrap();
        known.sort_by_key(|method| method.id);
        assert_eq!(known, told);
        let coverage = mirror.coverage().unwrap();
        let counted = (coverage.people.known, coverage.people.methods);
        assert_eq!(counted, (self.lists().people.len() as u64, told.len() as u64));
    }
}

fn values<R: serde::de::DeserializeOwned>(all: &BTreeMap<String, Value>) -> Vec<R> {
    all.values().map(|record| serde_json::from_value(record.clone()).unwrap()).collect()
}

#[tokio::test]
async fn people_and_their_methods_are_kept_as_the_service_told_them() {
    let file = File::new();
    file.lists().crowd(1..11);
    let odd = json!({"createdOn": "0001-01-01T00:00:00Z", "name": null, "title": "Süd",
        "isArchived": true, "referenceId": "4711"});
    for (member, value) in odd.as_object().unwrap() {
        file.lists().people.get_mut(&guid(4)).unwrap()[member] = value.clone();
    }
    file.lists().method(20, 1, "MobilePhone", "(818) 555-0142");
    file.lists().method(21, 1, "Email", "Dana@Site.example");
    file.lists().method(22, 2, "Telex", "abc");
    let mirror = file.update().await.unwrap();
    file.assert_same(&mirror);
    assert!(mirror.people_known_at().unwrap().is_some());
    assert_eq!(mirror.methods_of(id(1)).unwrap().len(), 2);
    assert!(mirror.person(id(4)).unwrap().unwrap().is_archived);
    assert_eq!(mirror.person(id(99)).unwrap(), None);
    let people = mirror.coverage().unwrap().people;
    assert_eq!((people.archived, people.with_phone, people.with_both), (1, 1, 1));
}

#[tokio::test]
async fn an_update_asks_only_for_what_changed_and_for_a_quarter_of_an_hour_before() {
    let file = File::new();
    file.lists().page_size = 100;
    file.lists().crowd(0..40);
    file.update().await.unwrap();
    file.lists().person(2, "Dana Okafor", "2026-05-01T14:00:00Z");
    let mirror = file.update().await.unwrap();
    let calls = file.calls();
    assert_eq!(calls.len(), 2, "{calls:?}");
    // The last change was at two minutes past one.
    assert!(calls[0].contains("modifiedOnOrAfter=2026-05-01T12%3A47%3A11.4827193Z"), "{calls:?}");
    assert!(calls[0].contains("sort=%2BModifiedOn"), "{calls:?}");
    file.assert_same(&mirror);
    // A change that bears an earlier time than another that was seen.
    file.lists().person(50, "Late", "2026-05-01T13:50:00Z");
    file.assert_same(&file.update().await.unwrap());
}

#[tokio::test]
async fn a_change_of_the_far_future_hides_no_other() {
    let file = File::new();
    file.lists().person(1, "Tomorrow", "9999-12-31T23:59:59Z");
    file.update().await.unwrap();
    let now = crate::clock::now().to_string();
    file.lists().person(2, "Today", &now);
    file.assert_same(&file.update().await.unwrap());
}

#[tokio::test]
async fn nothing_is_missed_whatever_happens_between_the_pages_of_a_first_load() {
    let mut random = Rng::with_seed(11);
    for round in 0..20 {
        let file = File::new();
        file.lists().crowd(0..30);
        // Some changed at the same second, which have more than one page.
        for n in 0..random.u32(0..12) {
            let at = format!("2026-05-01T04:12:05.{n:03}Z");
            file.lists().person(n, "All at once", &at);
        }
        for number in 1..10 {
            let (n, new) = (random.u32(12..30), random.u32(40..60));
            let what = random.u8(0..3);
            let meanwhile = move |lists: &mut Lists| match what {
                0 => drop(lists.people.remove(&guid(n))),
                1 if lists.people.contains_key(&guid(n)) => {
                    lists.person(n, "Changed", &format!("2026-05-02T00:00:{number:02}Z"));
                }
                _ => lists.person(new, "New", &format!("2026-05-02T00:00:{number:02}Z")),
            };
            if random.bool() {
                file.lists().meanwhile.insert(number, Box::new(meanwhile));
            }
        }
        let mirror = file.update().await.unwrap();
        let told: Vec<Person> = values(&file.lists().people);
        for person in told {
            assert_eq!(mirror.person(person.id).unwrap(), Some(person), "round {round}");
        }
        // And what is gone is found out.
        file.assert_same(&file.sweep().await.unwrap());
    }
}

#[tokio::test]
async fn a_killed_first_load_goes_on_at_its_page() {
    let file = File::new();
    file.lists().crowd(0..10);
    // More than a page within one second.
    for n in 10..20 {
        file.lists().person(n, "All at once", "2026-05-09T00:00:00.5Z");
    }
    for n in 20..26 {
        file.lists().method(n, 1, "Email", &format!("dana{n}@site.example"));
    }
    let mut calls = Vec::new();
    let is_known = || Mirror::open(file.path()).unwrap().people_known_at().unwrap().is_some();
    loop {
        file.lists().left = Some(2);
        let error = file.update().await.unwrap_err();
        assert!(matches!(error, MirrorError::Contacts(_)), "{error}");
        let mut answered = file.calls();
        answered.truncate(2);
        calls.extend(answered);
        if is_known() {
            break;
        }
    }
    // Pages within one second were counted, so the sweep comes at once, and as a whole.
    file.lists().left = None;
    calls.extend(file.update().await.map(|_| file.calls()).unwrap());
    file.assert_same(&Mirror::open(file.path()).unwrap());
    let mut of_first_load: Vec<_> =
        calls.into_iter().filter(|call| call.contains("ModifiedOn")).collect();
    let asked = of_first_load.len();
    of_first_load.dedup();
    assert!(asked - of_first_load.len() <= 1, "no page is read twice: {of_first_load:?}");
}

#[tokio::test]
async fn a_sweep_removes_what_is_gone_and_nothing_when_it_is_killed() {
    let file = File::new();
    file.lists().crowd(0..20);
    file.lists().method(30, 1, "Phone", "8185550142");
    file.lists().method(31, 2, "Phone", "8185550143");
    file.update().await.unwrap();
    file.lists().people.remove(&guid(7));
    file.lists().methods.remove(&guid(31));
    // An update does not notice, and none is due.
    let mirror = file.update().await.unwrap();
    assert_eq!(file.calls().len(), 2, "{:?}", file.calls());
    assert!(mirror.person(id(7)).unwrap().is_some());
    for left in 2..10 {
        file.lists().left = Some(left);
        assert!(file.sweep().await.is_err());
        let mirror = Mirror::open(file.path()).unwrap();
        assert!(
            mirror.person(id(7)).unwrap().is_some() && mirror.person(id(19)).unwrap().is_some()
        );
    }
    file.lists().left = None;
    let mirror = file.sweep().await.unwrap();
    file.assert_same(&mirror);
    assert!(file.calls().iter().all(|call| call.contains("page=1")), "nobody is asked for alone");
    // It is due again a day later.
    let yesterday = "2026-05-27T16:04:11Z";
    mirror.set_swept_at(Feed::People, yesterday).unwrap();
    file.lists().people.remove(&guid(8));
    let mirror = file.update().await.unwrap();
    file.assert_same(&mirror);
    let swept = mirror.feeds().unwrap().into_iter().filter_map(|feed| feed.swept_at);
    assert!(swept.clone().count() == 2 && swept.min().unwrap() > yesterday.parse().unwrap());
    file.update().await.unwrap();
    assert_eq!(file.calls().len(), 2);
}

#[tokio::test]
async fn what_counted_pages_did_not_show_is_asked_for_before_it_is_removed() {
    let file = File::new();
    file.lists().is_simple = true;
    file.lists().crowd(0..20);
    file.update().await.unwrap();
    // One that is on a page before moves those behind it.
    let mut ids: Vec<_> = file.lists().people.keys().cloned().collect();
    ids.sort();
    let (first, moved) = (ids[0].clone(), ids[3].clone());
    let remove = move |lists: &mut Lists| drop(lists.people.remove(&first));
    // Behind the changes and the first page of the sweep.
    let before = file.update().await.map(|_| file.calls().len()).unwrap();
    file.lists().meanwhile.insert(before / 2 + 3, Box::new(remove));
    file.lists().people.get_mut(&ids[5]).unwrap()["title"] = json!("Another");
    file.lists().people.remove(&ids[9]);
    let mirror = file.sweep().await.unwrap();
    assert!(mirror.person(moved.parse().unwrap()).unwrap().is_some());
    assert_eq!(mirror.person(ids[9].parse().unwrap()).unwrap(), None);
    assert!(file.calls().iter().any(|call| call.ends_with(&ids[9])), "{:?}", file.calls());
    // A list that is empty all at once empties no mirror.
    let people = std::mem::take(&mut file.lists().people);
    file.lists().meanwhile.insert(4, Box::new(move |lists| lists.people = people));
    let known = mirror.coverage().unwrap().people.known;
    let mirror = file.sweep().await.unwrap();
    assert_eq!(mirror.coverage().unwrap().people.known, known);
}

#[tokio::test]
async fn without_their_scope_people_are_told_of_and_stop_nothing() {
    let file = File::new();
    file.lists().status = Some(403);
    file.lists().crowd(0..5);
    let mirror = file.update().await.unwrap();
    assert_eq!(mirror.people_known_at().unwrap(), None);
    let refused = mirror.feeds().unwrap().into_iter().filter(|feed| feed.refused.is_some());
    assert_eq!(
        refused.map(|feed| feed.feed).collect::<Vec<_>>(),
        [Feed::People, Feed::ContactMethods]
    );
    assert_eq!(file.calls().len(), 2);
    file.lists().status = None;
    let mirror = file.update().await.unwrap();
    assert!(mirror.people_known_at().unwrap().is_some());
    file.assert_same(&mirror);
    // The scope is taken away again, or the list: what is known stays, and is not called fresh.
    for status in [403, 404, 400] {
        file.lists().status = Some(status);
        let mirror = file.update().await.unwrap();
        assert_eq!(mirror.people_known_at().unwrap(), None, "{status}");
        file.assert_same(&mirror);
    }
    // So does a service whose lists are of another form.
    file.lists().status = Some(200);
    assert_eq!(file.update().await.unwrap().people_known_at().unwrap(), None);
    // Another failure is one.
    for status in [401, 409, 500] {
        file.lists().status = Some(status);
        assert!(file.update().await.is_err(), "{status}");
    }
}

#[tokio::test]
async fn a_tenant_without_people_costs_a_call_for_each_list() {
    let file = File::new();
    for _ in 0..2 {
        let mirror = file.update().await.unwrap();
        assert!(mirror.people_known_at().unwrap().is_some());
    }
    assert!(file.calls().len() <= 4, "{:?}", file.calls());
    file.lists().crowd(0..4);
    file.assert_same(&file.update().await.unwrap());
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_kept_until_it_can_or_is_gone() {
    let file = File::new();
    file.lists().crowd(0..7);
    file.update().await.unwrap();
    for (n, at) in [(3, "2026-05-02T00:00:00Z"), (9, "2026-05-02T00:00:01Z")] {
        file.lists().person(n, "Odd", at);
        file.lists().people.get_mut(&guid(n)).unwrap()["isArchived"] = json!("maybe");
    }
    let mirror = file.sweep().await.unwrap();
    assert_eq!(mirror.unreadable().unwrap().len(), 2);
    assert!(mirror.person(id(3)).unwrap().is_some(), "what was known stays");
    file.lists().person(3, "Mended", "2026-05-02T00:00:02Z");
    file.lists().people.remove(&guid(9));
    let mirror = file.sweep().await.unwrap();
    assert!(mirror.unreadable().unwrap().is_empty());
    file.assert_same(&mirror);
}

#[tokio::test]
async fn people_are_found_by_their_names_numbers_and_addresses() {
    let file = File::new();
    for (n, name) in [(1, "Zoë Müller"), (2, "Dana Whitfield"), (3, "Nobody's Uncle")] {
        file.lists().person(n, name, &created(n));
    }
    file.lists().method(10, 1, "Phone", "8185550142");
    file.lists().method(11, 2, "MobilePhone", "(818) 555-0142");
    file.lists().method(12, 2, "Email", "Dana.Whitfield@Site.example");
    // Of somebody whom the list of people does not tell.
    file.lists().method(13, 4, "Email", "office@site.example");
    file.update().await.unwrap();
    // What came once the indexes were made is found as well, and what is gone no longer.
    file.lists().method(14, 3, "Phone", "8185550177");
    file.lists().person(5, "Östra Gone", &created(5));
    file.update().await.unwrap();
    file.lists().people.remove(&guid(5));
    file.lists().person(3, "Somebody's Uncle", &created(6));
    let mirror = file.sweep().await.unwrap();
    let found = |text: &str| {
        let found = mirror.find(text, 50).unwrap().unwrap();
        assert!(found.hits.is_empty() && !found.more);
        let hits = found.people.into_iter().map(|hit| {
            let name = hit.person.and_then(|person| person.name).unwrap_or_default();
            (name, hit.method.map(|method| method.value).unwrap_or_default())
        });
        let mut hits: Vec<_> = hits.collect();
        hits.sort();
        let hits = hits.iter().map(|(name, value)| format!("{name}: {value}"));
        hits.collect::<Vec<_>>().join(", ")
    };
    let both = "Dana Whitfield: (818) 555-0142, Zoë Müller: 8185550142";
    assert_eq!(found("+1 818 555 0142 ext. 7"), both);
    assert_eq!(found("555-0142"), both);
    let dana = "Dana Whitfield: (818) 555-0142, Dana Whitfield: Dana.Whitfield@Site.example";
    assert_eq!(found("whitfield"), dana);
    assert_eq!(found("dana.whitfield@site.example"), "Dana Whitfield: Dana.Whitfield@Site.example");
    assert!(found("@site.example").contains(": office@site.example"));
    assert_eq!(found("zoe muller owner"), "Zoë Müller: 8185550142");
    assert_eq!(found("somebody's uncle"), "Somebody's Uncle: 8185550177");
    for gone in ["nobody's uncle", "ostra", "2065550000"] {
        assert_eq!(found(gone), "", "{gone}");
    }
    let one = mirror.find("8185550142", 1).unwrap().unwrap();
    assert_eq!((one.people.len(), one.more), (1, true));
}

#[tokio::test]
async fn each_look_up_goes_by_an_index() {
    let file = File::new();
    file.update().await.unwrap();
    // Explaining alone does not notice what the update made on a connection of its own.
    let mirror = Mirror::open(file.path()).unwrap();
    for (table, condition, index) in [
        ("methods", "coalesce(key, value) = ?1", "methods_by_key"),
        ("methods", "otherwise = ?1 AND otherwise IS NOT NULL", "methods_otherwise"),
        ("methods", "key % 10000000 = ?1 AND typeof(key) = 'integer'", "methods_by_tail"),
        (
            "methods",
            "substr(coalesce(key, value), instr(coalesce(key, value), '@') + 1) = ?1
             AND instr(coalesce(key, value), '@') > 0",
            "methods_by_domain",
        ),
        ("methods", "person = ?1", "methods_by_person"),
        ("methods", "guid = ?1", "methods_by_id"),
        ("people", "guid = ?1", "people_by_id"),
    ] {
        let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {condition}");
        let plan = mirror.database.rows(&sql, [1], |row| row.get::<_, String>("detail")).unwrap();
        assert!(plan[0].contains(&format!("SEARCH {table} USING INDEX {index}")), "{plan:?}");
    }
}

#[tokio::test]
async fn the_keys_of_methods_follow_the_region() {
    let file = File::new();
    file.lists().method(1, 2, "Phone", "020 7946 0142");
    let mirror = file.update().await.unwrap();
    let key = |mirror: &Mirror| {
        let mut key = None;
        mirror
            .for_each_method(|_, keys| {
                key = Some(keys.key);
                Ok::<_, MirrorError>(())
            })
            .unwrap();
        key.unwrap()
    };
    assert_ne!(key(&mirror), "442079460142");
    mirror.read_by("GB".parse().unwrap()).unwrap();
    assert_eq!(key(&mirror), "442079460142");
}
