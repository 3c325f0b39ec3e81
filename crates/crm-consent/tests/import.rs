//! Lists come in as they are, whole or not at all, and once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use common::{ledger, list};
use crm_bulk::{Input, List, ListOptions};
use crm_consent::{ConsentError, Import, Imported, Ledger, Scope, Verdict, Wish};

fn import(ledger: &mut Ledger, name: &str, text: &str) -> Result<Imported, ConsentError> {
    ledger.import(&mut list(name, text)?, &Import::new())
}

fn last(ledger: &Ledger, value: &str) -> Option<Wish> {
    ledger.status(value, Scope::Marketing).unwrap().wish
}

type Format<'a> = (&'a str, &'a str, Option<&'a str>, &'a [Verdict], Option<&'a str>);

/// Each documented format: the file's name, its text, its tool, the verdicts of its values, and when
/// the first was received.
const FORMATS: [Format<'_>; 12] = {
    use Verdict::{In, Neither, Out, Unreadable};
    [
        (
            "unsubscribed_members_export_1.csv",
            "Email Address,First Name,Last Name,OPTIN_TIME,CONFIRM_TIME,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,LEID,EUID,TAGS\n\
             ada@site.example,Ada,B,2025-01-02 03:04:05,2025-01-02 03:04:05,2026-11-23 10:30:00,May,NORMAL,1,a1,\n",
            Some("Mailchimp audience export"),
            &[Out],
            Some("2026-11-23T10:30:00"),
        ),
        (
            "consents.csv",
            "contact_id,correlation_id,sender_id,status,source,date_of_consent\n\
             +18185550142,c1,s1,opt-out,opt-out-message,2026-11-23T10:30:00Z\n\
             +18185550143,c2,s1,opt-in,website,2026-11-23T10:30:00Z\n\
             +18185550144,c3,s1,perhaps,website,2026-11-23T10:30:00Z\n",
            Some("Twilio Consent API"),
            &[Out, In, Unreadable],
            Some("2026-11-23T10:30:00+00:00"),
        ),
        (
            "telnyx.csv",
            "created_at,from,to,keyword,messaging_profile_id\n\
             2026-11-23T10:30:00Z,+18005550100,+18185550142,STOP,p1\n\
             2026-11-23T10:30:00Z,+18005550100,+18185550143,START,p1\n",
            Some("Telnyx opt-outs"),
            &[Out, In],
            Some("2026-11-23T10:30:00+00:00"),
        ),
        (
            "mailup.csv",
            "Phone Number;OptOut_Date;optout_type\n8185550142;20261122T111244;SMS\n",
            Some("MailUp"),
            &[Out],
            Some("2026-11-22T11:12:44"),
        ),
        (
            "suppressions.csv",
            "email,created,reason,status\nada@site.example,1795446300,550 no such user,5.1.1\n",
            Some("SendGrid suppressions"),
            &[],
            None,
        ),
        (
            "cordial.csv",
            "channels.email.address,channels.email.subscribeStatus\n\
             ada@site.example,unsubscribed\nbo@site.example,subscribed\ncy@site.example,none\n",
            Some("Cordial"),
            &[Out, In, Unreadable],
            None,
        ),
        (
            "callpotential.csv",
            "Phone Number,Date Excluded,Location,Excluded By\n8185550142,11/23/2026,Store 4,dana\n",
            Some("CallPotential"),
            &[Out],
            Some("2026-11-23"),
        ),
        (
            "clubos.csv",
            "Opt-Out Type,Email,Mobile Phone,Opt-Out Date,Opt-Out By\n\
             Marketing,ada@site.example,8185550142,11/23/2026,dana\n",
            Some("Club OS"),
            &[Out, Out],
            Some("2026-11-23"),
        ),
        (
            "klaviyo.csv",
            "Email,Phone Number,Email Marketing Consent,SMS Marketing Consent\n\
             ada@site.example,8185550142,NEVER SUBSCRIBED,UNSUBSCRIBED\n",
            None,
            &[Neither, Out],
            None,
        ),
        (
            "highlevel.csv",
            "Name,Phone,Email,DND\nAda,8185550142,ada@site.example,true\n\
             Bo,8185550143,bo@site.example,false\n",
            None,
            &[Out, Out, In, In],
            None,
        ),
        ("screen.csv", "Customer Name,Reason,Date Added\nAda,asked,2026-11-23\n", None, &[], None),
        ("calls.csv", "caller,agent\nAda,dana\n", None, &[], None),
    ]
};

#[test]
fn each_documented_format_is_read_as_it_is_or_refused() {
    for (name, text, tool, verdicts, received) in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = ledger(&folder);
        if verdicts.is_empty() {
            assert!(import(&mut ledger, name, text).is_err(), "{name}");
            assert_eq!(ledger.head().unwrap().count, 0, "{name}");
            continue;
        }
        assert_eq!(list(name, text).unwrap().tool(), tool, "{name}");
        let imported = import(&mut ledger, name, text).unwrap();
        let found: Vec<_> = imported.rows.iter().map(|row| row.verdict).collect();
        assert_eq!(found, verdicts, "{name}");
        let first = ledger.standing(Wish::Out, Scope::Marketing).unwrap();
        assert_eq!(first[0].received.as_deref(), received, "{name}");
        assert_eq!(first[0].import, Some(imported.import), "{name}");
        assert!(ledger.check(None).unwrap().fault.is_none());
    }
}

#[test]
fn a_list_of_addresses_that_bounced_is_of_opt_outs_only_by_somebodys_word() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let (name, text, ..) = FORMATS[4];
    let error = import(&mut ledger, name, text).unwrap_err();
    assert!(error.to_string().contains("email: addresses"), "{error}");
    let says = Import::new().says(Wish::Out);
    let imported = ledger.import(&mut list(name, text).unwrap(), &says).unwrap();
    assert_eq!(imported.new, 1);
    assert_eq!(last(&ledger, "ada@site.example"), Some(Wish::Out));
}

#[test]
fn the_same_file_adds_nothing_and_an_overlapping_one_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let header = "phone,status,received\n";
    let row = |n: u32| format!("818555{n:04},STOP,2026-11-23\n");
    let rows = |of: std::ops::Range<u32>| header.to_owned() + &of.map(row).collect::<String>();

    let first = import(&mut ledger, "a.csv", &rows(0..100)).unwrap();
    assert_eq!((first.new, first.known, first.is_known), (100, 0, false));
    let count = ledger.head().unwrap().count;
    let same = import(&mut ledger, "copy of a.csv", &rows(0..100)).unwrap();
    assert_eq!((same.new, same.known, same.is_known, same.import), (0, 100, true, first.import));
    assert_eq!(ledger.head().unwrap().count, count);

    let second = import(&mut ledger, "b.csv", &rows(50..150)).unwrap();
    assert_eq!((second.new, second.known), (50, 50));
    assert_eq!(ledger.status("818-555-0075", Scope::Marketing).unwrap().heard.len(), 1);
    assert_eq!(ledger.standing(Wish::Out, Scope::Marketing).unwrap().len(), 150);

    // The wrong file is taken back; what another one says too stands.
    ledger.retract(first.import, "the wrong file").unwrap();
    assert_eq!(last(&ledger, "818-555-0001"), None);
    assert_eq!(last(&ledger, "818-555-0075"), Some(Wish::Out));
    assert_eq!(last(&ledger, "818-555-0149"), Some(Wish::Out));
    let wish = ledger.status("818-555-0149", Scope::Marketing).unwrap().decided_by.unwrap();
    assert!(matches!(ledger.retract(wish, "one"), Err(ConsentError::OfImport { .. })));
    // It was the right one after all.
    assert_eq!(import(&mut ledger, "a.csv", &rows(0..100)).unwrap().new, 50);
    assert_eq!(last(&ledger, "818-555-0001"), Some(Wish::Out));
    assert!(ledger.check(None).unwrap().fault.is_none());
}

#[test]
fn rows_that_cannot_be_read_are_all_in_the_mend_file_and_the_others_are_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let text = "phone,status\n8185550142,STOP\nfront desk,STOP\n8185550144,perhaps\n8185550145,STOP,more\n";
    let mend = folder.path().join("mend.csv");
    let how = Import::new().mend_file(&mend);
    let imported = ledger.import(&mut list("a.csv", text).unwrap(), &how).unwrap();
    assert_eq!((imported.new, imported.invalid.unwrap().rows), (1, 3));
    let mended = std::fs::read_to_string(&mend).unwrap();
    assert_eq!(mended.lines().count(), 4, "{mended}");
    assert!(mended.contains("front desk") && mended.contains("perhaps"), "{mended}");
    // Mended, it comes in as a list of its own.
    let mended = mended.replace("front desk", "8185550143").replace("perhaps", "STOP");
    let mended: Vec<_> = mended.lines().filter(|line| !line.contains("8185550145")).collect();
    let again = import(&mut ledger, "mend.csv", &mended.join("\n")).unwrap();
    assert_eq!((again.new, again.invalid.is_none()), (2, true), "{:?}", again.rows);
}

#[test]
fn columns_that_no_header_tells_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let text = "who,says\n8185550142,gone\n8185550143,STOP\n";
    assert!(import(&mut ledger, "a.csv", text).is_err());
    let map = [
        (crm_bulk::MappedRole::Phone, "who".to_owned()),
        (crm_bulk::MappedRole::Status, "says".to_owned()),
    ];
    let input = Input::csv("a.csv", text.as_bytes());
    let mut list = List::read(input, &ListOptions::new().map(map)).unwrap();
    let imported = ledger.import(&mut list, &Import::new()).unwrap();
    assert_eq!((imported.new, imported.invalid.unwrap().rows), (1, 1));
}

/// Files of every shape with any mixture of statuses: nobody is out against the status of a row, and
/// nobody who asked for it is missed without being told.
#[test]
fn in_any_mixture_nobody_is_opted_out_against_a_status_and_nobody_is_missed() {
    const FILES: u64 = 150;
    let words = [
        ("STOP", Some(Wish::Out)),
        ("opt-out", Some(Wish::Out)),
        ("Unsubscribed", Some(Wish::Out)),
        ("START", Some(Wish::In)),
        ("subscribed", Some(Wish::In)),
        ("", None),
        ("pending", None),
        ("cleaned", None),
        ("who knows", None),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let mut random = fastrand::Rng::with_seed(29);
    let mut number = 0_u32;
    for file in 0..FILES {
        let mut text = String::from(
            ["phone,status\n", "status;Mobile Phone\n", "Status\tphone\n"][file as usize % 3],
        );
        let mut expected = BTreeMap::new();
        for _ in 0..random.usize(1..30) {
            let (word, wish) = words[random.usize(0..words.len())];
            let of = format!("818{:03}{:04}", 200 + number / 10_000, number % 10_000);
            number += 1;
            text += &match file % 3 {
                0 => format!("{of},{word}\n"),
                1 => format!("{word};{of}\n"),
                _ => format!("{word}\t{of}\n"),
            };
            expected.insert(of, (word, wish));
        }
        let imported = match import(&mut ledger, &format!("{file}.csv"), &text) {
            Ok(imported) => imported,
            // Where no cell says anything, nobody is missed by refusing it.
            Err(error) => {
                assert!(expected.values().all(|(_, wish)| wish.is_none()), "{text}: {error}");
                continue;
            }
        };
        let unreadable = imported.invalid.map_or(0, |invalid| invalid.rows);
        let unknown = expected.values().filter(|(word, _)| *word == "who knows").count();
        assert_eq!(unreadable, unknown as u64, "{text}");
        for (of, (word, wish)) in expected {
            // Without a time nobody is written to again.
            let expected = wish.filter(|wish| *wish == Wish::Out);
            assert_eq!(last(&ledger, &of), expected, "{of} {word}");
        }
    }
}
