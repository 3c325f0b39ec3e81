//! `crm consent seal`, `key` and `check --against`: what others can check, and with what.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use common::{Service, cut_off, stderr, stdout};
use rusqlite::Connection;
use serde_json::Value;

/// A service whose desk has a ledger with a wish and a key.
fn with_key() -> Service {
    let service = Service::start();
    service.ok("consent add 8185550142 --said STOP --at 2026-11-23T10:30:00Z");
    service.ok("consent key --new key.pem");
    service
}

fn in_home(service: &Service, name: &str) -> PathBuf {
    service.home.path().join(name)
}

fn ledger(service: &Service) -> Connection {
    let desks = in_home(service, ".local/share/crm/desks");
    let desk = fs::read_dir(desks).unwrap().next().unwrap().unwrap().path();
    Connection::open(desk.join("ledger.db")).unwrap()
}

/// Runs openssl in a folder; none where this machine has none.
fn openssl(folder: &Path, line: &str) -> Option<(bool, String)> {
    let words = shlex::split(line).unwrap();
    let Ok(ended) = Command::new("openssl").args(words).current_dir(folder).output() else {
        println!("skipped: this machine has no openssl");
        return None;
    };
    let said = [ended.stdout, ended.stderr].concat();
    Some((ended.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn a_seal_that_is_kept_elsewhere_shows_what_was_altered_and_cut_off() {
    let service = with_key();
    service.ok("consent add 8185550143 --said STOP");
    let seal = service.ok("consent seal --key key.pem");
    assert!(seal.starts_with("crm-consent seal 1\ntenant: "), "{seal}");
    fs::write(in_home(&service, "seal.txt"), &seal).unwrap();
    service.ok("consent add 8185550144 --said STOP");
    let checked = service.crm("consent check --against seal.txt").assert().code(0);
    assert!(stderr(&checked).contains("sealed: 3 records"), "{}", stderr(&checked));

    // Another seal of the same ledger, and the same once more.
    let told = service.json("consent seal --key key.pem");
    assert_eq!((&told["isNew"], &told["seal"]["records"]), (&true.into(), &5.into()));
    let again = service.crm("consent seal --key key.pem").assert().code(0);
    assert!(stderr(&again).contains("nothing has come in"), "{}", stderr(&again));

    let altered = seal.replace("records: 3", "records: 2");
    fs::write(in_home(&service, "altered.txt"), altered).unwrap();
    let told = service.crm("consent check --against altered.txt").assert().code(10);
    assert!(stdout(&told).contains("the seal was altered"), "{}", stdout(&told));
    let none = service.crm("consent check --against key.pem").assert().code(2);
    assert!(stderr(&none).contains("it is no seal"), "{}", stderr(&none));

    cut_off(&ledger(&service), 2);
    service.ok("consent check");
    let told = service.crm("consent check --against seal.txt").assert().code(10);
    assert!(stdout(&told).contains("record 3 and all that followed were cut off"));
    // Nor does a ledger that has the key no more know what it signed.
    ledger(&service).execute_batch("DELETE FROM records").unwrap();
    let told = service.crm("consent check --against seal.txt --output json").assert().code(10);
    let told: Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert!(told["sealFault"].as_str().unwrap().contains("does not know"), "{told}");
}

#[test]
fn a_key_hands_over_to_the_next_and_a_lost_one_is_told_by_each_check() {
    let service = with_key();
    let public = service.ok("consent key");
    assert!(public.starts_with("-----BEGIN PUBLIC KEY-----"), "{public}");
    fs::write(in_home(&service, "public.pem"), &public).unwrap();
    service.ok("consent seal --key key.pem --out first.txt");

    let unsaid = service.crm("consent key --new next.pem").assert().code(2);
    assert!(stderr(&unsaid).contains("--key"), "{}", stderr(&unsaid));
    assert!(!in_home(&service, "next.pem").exists());
    service.ok("consent key --new next.pem --key key.pem");
    let old = service.crm("consent seal --key key.pem").assert().code(2);
    assert!(stderr(&old).contains("the ledger is signed by"), "{}", stderr(&old));
    service.crm("consent key --new key.pem --key next.pem").assert().code(2);
    service.ok("consent seal --key next.pem");
    service.ok("consent check --against first.txt --public-key public.pem");
    let next = service.ok("consent key");
    fs::write(in_home(&service, "next-public.pem"), &next).unwrap();
    let other =
        service.crm("consent check --against first.txt --public-key next-public.pem").assert();
    assert!(stdout(&other.code(10)).contains("another key"));

    service.ok("consent key --new third.pem --old-is-lost 'the laptop was stolen'");
    let told = service.crm("consent check").assert().code(10);
    let note = stderr(&told);
    assert!(
        note.contains("to which none before has handed over (\"the laptop was stolen\")"),
        "{note}"
    );
    let told = service.crm("consent check --output json").assert().code(10);
    let told: Value = serde_json::from_str(&stdout(&told)).unwrap();
    assert_eq!(told["unsignedKeys"][0]["reason"], "the laptop was stolen");
    // What an earlier seal covers says nothing of it, what a later one covers somebody has noted.
    service.crm("consent check --against first.txt").assert().code(10);
    service.ok("consent seal --key third.pem --out third.txt");
    service.ok("consent check --against third.txt");

    // So does a proof, and a report.
    for line in ["consent prove 8185550142", "consent report --from 2026-01-01"] {
        let told = stderr(&service.crm(line).assert().code(10));
        assert!(told.contains("give it with --against"), "{line}: {told}");
        service.ok(&format!("{line} --against third.txt"));
        service.crm(&format!("{line} --against first.txt")).assert().code(10);
        let other = format!("{line} --against third.txt --public-key next-public.pem");
        let told = stderr(&service.crm(&other).assert().code(10));
        assert!(told.contains("another key"), "{line}: {told}");
    }

    let prove = "consent prove 8185550142 --against third.txt";
    let page = service.ok(&format!("{prove} --html proof.html --output json"));
    let told: Value = serde_json::from_str(&page).unwrap();
    let handed = told["keys"].as_array().unwrap().iter().map(|key| &key["handedOver"]);
    assert_eq!(handed.collect::<Vec<_>>(), [&Value::Null, &true.into(), &false.into()]);
    assert_eq!(told["seals"][1]["key"], told["keys"][2]["fingerprint"]);
    let page = fs::read_to_string(in_home(&service, "proof.html")).unwrap();
    for key in told["keys"].as_array().unwrap() {
        assert!(page.contains(key["fingerprint"].as_str().unwrap()), "{key}");
    }
    for part in ["no key before has handed over to it", "the laptop was stolen"] {
        assert!(page.contains(part), "{part}");
    }
    let text = service.ok(prove);
    assert!(text.contains("to which none before has handed over (\"the laptop"), "{text}");
    let keys = service.json("consent key");
    assert_eq!(keys.as_array().unwrap().len(), 3);
    assert_eq!(keys[2]["lost"], "the laptop was stolen");
}

#[cfg(unix)]
#[test]
fn a_private_key_is_for_its_owner_alone_and_is_never_shown() {
    use std::os::unix::fs::PermissionsExt;

    let service = with_key();
    let path = in_home(&service, "key.pem");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(&path).unwrap();
    let secret = secret.lines().nth(1).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    let open = service.crm("consent seal --key key.pem").assert().code(2);
    assert!(stderr(&open).contains("chmod 600"), "{}", stderr(&open));
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    fs::write(in_home(&service, "none.pem"), secret).unwrap();
    fs::set_permissions(in_home(&service, "none.pem"), PermissionsExt::from_mode(0o600)).unwrap();
    let none = service.crm("consent seal --key none.pem").assert().code(2);
    for ended in [open, none, service.crm("-vv consent seal --key key.pem").assert().code(0)] {
        assert!(!(stdout(&ended) + &stderr(&ended)).contains(secret));
    }
}

#[test]
fn where_key_and_authority_are_is_said_once_in_a_profile() {
    let service = with_key();
    let connection = service.sandbox.connection().clone();
    let add = format!(
        "profile add live --tenant {} --api-url {} --auth-url {} --seal-key key.pem \
         --time-authority http://127.0.0.1:1/tsr",
        connection.tenant, connection.api_url, connection.auth_url
    );
    service.ok(&add);
    service.ok("--profile live consent seal --without-stamp");
    let down = service.crm("--profile live consent seal").assert().code(5);
    let told = stderr(&down);
    assert!(told.contains("http://127.0.0.1:1/tsr gave no time stamp"), "{told}");
    // The seal is there all the same.
    assert!(stdout(&down).starts_with("crm-consent seal 1"), "{}", stdout(&down));
    let profile = service.json("profile show live");
    assert!(profile["sealKey"].as_str().unwrap().ends_with("/key.pem"), "{profile}");
}

#[test]
fn a_file_that_is_there_is_never_replaced_by_a_seal() {
    let service = with_key();
    fs::create_dir(in_home(&service, "elsewhere")).unwrap();
    service.ok("consent seal --key key.pem --out elsewhere");
    let first = fs::read_to_string(in_home(&service, "elsewhere/seal-2.txt")).unwrap();
    // The same once more, as by a job that was repeated.
    service.ok("consent seal --key key.pem --out elsewhere");
    service.ok("consent add 8185550143 --said STOP");
    service.ok("consent seal --key key.pem --out elsewhere");
    assert!(in_home(&service, "elsewhere/seal-4.txt").exists());
    let there = service.crm("consent seal --key key.pem --out elsewhere/seal-2.txt").assert();
    assert!(stderr(&there.code(2)).contains("is there already"));
    let kept = fs::read_to_string(in_home(&service, "elsewhere/seal-2.txt")).unwrap();
    assert_eq!(kept, first);
}

/// What an authority does.
#[derive(Debug, Clone, Copy)]
enum Answers {
    Stamp,
    OtherNonce,
    OtherImprint,
    Refusal,
    Page,
    Fault,
    Nothing,
}

/// An authority for time stamps on this machine, over `openssl ts`.
struct Authority {
    folder: tempfile::TempDir,
    url: String,
    answers: Arc<Mutex<Answers>>,
    /// The head of each request.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Authority {
    /// None where this machine has no openssl.
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        file("ext", "extendedKeyUsage = critical,timeStamping\n");
        file(
            "ts.cnf",
            "[tsa]\ndefault_tsa = t\n[t]\nserial = serial\nsigner_cert = tsa.pem\nsigner_key = tsa.key\n\
             certs = ca.pem\ndefault_policy = 1.2.3.4.1\ndigests = sha256\nsigner_digest = sha256\n",
        );
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        for line in [
            &format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=root -days 2"),
            &format!("req {key} -keyout tsa.key -out tsa.csr -subj /CN=stamps"),
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext \
             -out tsa.pem",
        ] {
            let (done, said) = openssl(folder.path(), line)?;
            assert!(done, "{line}: {said}");
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/tsr", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(Answers::Stamp));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (set, seen) = (Arc::clone(&answers), Arc::clone(&heads));
        let home = folder.path().to_owned();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = BufReader::new(connection.unwrap());
                let (head, query) = read(&mut connection);
                seen.lock().unwrap().push(head);
                let answer = answer(*set.lock().unwrap(), &home, query);
                let _ = connection.get_mut().write_all(&answer);
            }
        });
        Some(Self { folder, url, answers, heads })
    }

    fn does(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
    }
}

/// The head of a request and its body.
fn read(connection: &mut impl BufRead) -> (String, Vec<u8>) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        connection.read_line(&mut head).unwrap();
    }
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    connection.read_exact(&mut body).unwrap();
    (head, body)
}

fn answer(answers: Answers, folder: &Path, mut query: Vec<u8>) -> Vec<u8> {
    let of = |status: u16, kind: &str, body: &[u8]| {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n"
        );
        [head.as_bytes(), body].concat()
    };
    match answers {
        Answers::Stamp => {}
        // The digest's last byte, the nonce's, and the kind of the digest.
        Answers::OtherImprint => query[55] ^= 1,
        Answers::OtherNonce => query[65] ^= 1,
        Answers::Refusal => query[19] = 2,
        Answers::Page => return of(200, "text/html", b"<html>Welcome</html>"),
        Answers::Fault => return of(503, "text/plain", b"later"),
        Answers::Nothing => return Vec::new(),
    }
    fs::write(folder.join("query.tsq"), query).unwrap();
    let reply = "ts -reply -config ts.cnf -queryfile query.tsq -out reply.tsr";
    openssl(folder, reply).unwrap();
    of(200, "application/timestamp-reply", &fs::read(folder.join("reply.tsr")).unwrap())
}

#[test]
fn an_authority_stamps_a_seal_and_openssl_accepts_it() {
    let service = with_key();
    let Some(authority) = Authority::start() else { return };
    let seal = format!("consent seal --key key.pem --authority {}", authority.url);
    let told = service.crm(&format!("{seal} --out seal.txt")).assert().code(0);
    assert!(stderr(&told).contains("saw it at 20"), "{}", stderr(&told));
    // Seal and stamp are files that need nothing else.
    let root = authority.folder.path().join("ca.pem");
    let verify = format!("ts -verify -data seal.txt -in seal.tsr -CAfile {}", root.display());
    let (accepted, said) = openssl(service.home.path(), &verify).unwrap();
    assert!(accepted, "{said}");
    let text = fs::read_to_string(in_home(&service, "seal.txt")).unwrap();
    fs::write(in_home(&service, "seal.txt"), text.replace("records: 2", "records: 3")).unwrap();
    assert!(!openssl(service.home.path(), &verify).unwrap().0);

    // No credentials leave to it, and it is not asked twice.
    let again = service.json(&seal);
    assert_eq!(
        (&again["isNew"], &again["stamp"]["authority"]),
        (&false.into(), &authority.url.into())
    );
    let heads = authority.heads.lock().unwrap();
    assert_eq!(heads.len(), 1, "{heads:?}");
    let connection = service.sandbox.connection();
    for secret in [&connection.client_id, &connection.client_secret, &connection.app_key] {
        assert!(!heads[0].contains(&secret.to_ascii_lowercase()), "{}", heads[0]);
    }
    assert!(heads[0].contains("content-type: application/timestamp-query"), "{}", heads[0]);
    assert!(!heads[0].contains("authorization"), "{}", heads[0]);
    service.ok("consent check");
}

#[test]
fn what_an_authority_does_wrong_is_told_and_the_seal_stays() {
    let service = with_key();
    let Some(authority) = Authority::start() else { return };
    let seal = format!("consent seal --key key.pem --authority {}", authority.url);
    for (answers, code, told) in [
        (Answers::OtherNonce, 5, "its nonce is not the one that was sent"),
        (Answers::OtherImprint, 5, "the stamp is of another digest"),
        (Answers::Refusal, 3, "the authority refuses"),
        (Answers::Page, 5, "`text/html`, which is no time stamp"),
        (Answers::Fault, 5, "it answers with status 503"),
        (Answers::Nothing, 5, "gave no time stamp"),
    ] {
        authority.does(answers);
        let ended = service.crm(&seal).assert().code(code);
        assert!(stderr(&ended).contains(told), "{answers:?}: {}", stderr(&ended));
        assert!(stdout(&ended).contains("\nrecords: 2\n"), "{answers:?}: {}", stdout(&ended));
    }
    // A program reads one answer.
    let ended = service.crm(&format!("{seal} --output json")).assert().code(5);
    let told: Value = serde_json::from_str(&stdout(&ended)).unwrap();
    assert_eq!(told["error"]["kind"], "unreachable", "{told}");
    authority.does(Answers::Stamp);
    let told = service.json(&seal);
    assert_eq!((&told["isNew"], told["stamp"].is_object()), (&false.into(), true), "{told}");

    let plain = service.crm("consent seal --key key.pem --authority time.example").assert().code(0);
    assert!(stderr(&plain).contains("saw it at"), "it has a stamp: {}", stderr(&plain));
    service.ok("consent add 8185550143 --said STOP");
    let plain = "consent seal --key key.pem --authority http://time.example/tsr";
    let refused = service.crm(plain).assert().code(2);
    assert!(stderr(&refused).contains("must start with https://"), "{}", stderr(&refused));
}

#[cfg(unix)]
#[test]
fn a_stranger_checks_a_seal_by_the_lines_of_the_book() {
    let service = with_key();
    if openssl(service.home.path(), "version").is_none() {
        return;
    }
    service.ok("consent seal --key key.pem --out seal.txt");
    fs::write(in_home(&service, "public.pem"), service.ok("consent key")).unwrap();
    let chapter = include_str!("../../../docs/src/consent.md");
    let (_, section) = chapter.split_once("\n## A seal by hand\n").unwrap();
    let block = section.split("```").nth(1).unwrap().strip_prefix("sh\n").unwrap();
    let run = || {
        let mut shell = Command::new("sh");
        let shell = shell.current_dir(service.home.path()).args(["-euc", block]).output().unwrap();
        let said = [shell.stdout, shell.stderr].concat();
        (shell.status.success(), String::from_utf8(said).unwrap())
    };
    let (holds, said) = run();
    assert!(holds, "{said}");
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], "Signature Verified Successfully");
    assert_eq!(lines[1], lines[2], "another key");
    assert_eq!(lines[3], "Hash Algorithm: sha256");

    let text = fs::read_to_string(in_home(&service, "seal.txt")).unwrap();
    fs::write(in_home(&service, "seal.txt"), text.replace("records: 2", "records: 3")).unwrap();
    assert!(!run().0, "an altered seal holds");
}

/// The lines for a shell on a page, as a browser copies them.
fn printed(page: &str) -> Vec<String> {
    let blocks =
        page.split("<pre><code>").skip(1).map(|block| block.split("</code>").next().unwrap());
    let read = |block: &str| {
        block
            .replace("&gt;", ">")
            .replace("&lt;", "<")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
    };
    blocks.map(read).collect()
}

#[test]
fn the_lines_of_a_proof_check_its_record_its_seal_and_its_time_stamp_as_they_are_printed() {
    let service = with_key();
    let Some(authority) = Authority::start() else { return };
    for tool in ["jq", "sha256sum"] {
        if Command::new(tool).arg("--version").output().is_err() {
            println!("skipped: this machine has no {tool}");
            return;
        }
    }
    service.ok(&format!("consent seal --key key.pem --authority {}", authority.url));
    service.ok("consent add 8185550143 --said STOP");
    service.ok("consent seal --key key.pem");
    let told = service.ok("consent prove 8185550142 --html 'Ada'\"'\"'s proof.html' --output json");
    let told: Value = serde_json::from_str(&told).unwrap();
    let page = fs::read_to_string(in_home(&service, "Ada's proof.html")).unwrap();
    fs::copy(authority.folder.path().join("ca.pem"), in_home(&service, "root.pem")).unwrap();

    let blocks = printed(&page);
    let [record, first, stamp, second, check] = blocks.as_slice() else { panic!("{blocks:?}") };
    let run = |lines: &str| {
        let shell =
            Command::new("sh").args(["-euc", lines]).current_dir(service.home.path()).output();
        let shell = shell.unwrap();
        let said = String::from_utf8([shell.stdout, shell.stderr].concat()).unwrap();
        assert!(shell.status.success(), "{lines}: {said}");
        said
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of_record = run(record);
    for made in ["hash", "commitment"].map(|name| text(&told["records"][0][name])) {
        assert!(of_record.contains(&made), "{made} in {of_record}");
    }
    for (block, seal) in [(first, &told["seals"][0]), (second, &told["seals"][1])] {
        let said = run(block);
        assert!(
            said.contains("Verified Successfully") && said.contains(&text(&seal["key"])),
            "{said}"
        );
    }
    let said = run(stamp);
    assert!(said.contains("Verification: OK") && said.contains("Time stamp:"), "{said}");
    let words = shlex::split(check).unwrap();
    service.ok(&words.iter().map(String::as_str).skip(1).collect::<Vec<_>>());

    // A word of the seal that is another one, and the same lines say so.
    let file = in_home(&service, "Ada's proof.html.json");
    let json = fs::read_to_string(&file).unwrap();
    fs::write(&file, json.replace("\\nrecords: 2\\n", "\\nrecords: 9\\n")).unwrap();
    for block in [first, stamp] {
        let shell =
            Command::new("sh").args(["-euc", block]).current_dir(service.home.path()).output();
        assert!(!shell.unwrap().status.success(), "{block}");
    }
}
