//! Lists come in as they are, whole or not at all, and once.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

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
            "Phone Number;OptOut_Date;optout_type\n8185550142;20261122T111244;2\n",
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
            "Name,Location,Opt-Out Type,Email,Mobile Phone,Opt-Out Date,Opt-Out By\n\
             Ada,Store 4,Text,ada@site.example,8185550142,11/23/2026,dana\n",
            Some("Club OS"),
            &[Neither, Out],
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

/// The columns of each documented format of which nothing is read.
const UNREAD: [(&str, &[&str]); 10] = [
    (
        "unsubscribed_members_export_1.csv",
        &["First Name", "Last Name", "OPTIN_TIME", "CONFIRM_TIME", "LEID", "EUID", "TAGS"],
    ),
    ("consents.csv", &["correlation_id", "sender_id"]),
    ("telnyx.csv", &["from", "messaging_profile_id"]),
    ("mailup.csv", &[]),
    ("suppressions.csv", &["status"]),
    ("cordial.csv", &[]),
    ("callpotential.csv", &[]),
    ("clubos.csv", &["Name", "Location"]),
    ("klaviyo.csv", &[]),
    ("highlevel.csv", &["Name"]),
];

#[test]
fn each_column_of_a_documented_format_is_read_or_told_not_to_be() {
    for (name, unread) in UNREAD {
        let (_, text, ..) = FORMATS.iter().find(|(known, ..)| *known == name).unwrap();
        let header = text.lines().next().unwrap();
        for text in [*text, &format!("{header}\n")] {
            let list = list(name, text).unwrap();
            let not_read: Vec<_> =
                list.unread_columns().into_iter().map(|(column, _)| column).collect();
            assert_eq!(not_read, *unread, "{name}");
            let read = list.columns().into_iter().map(|(column, _)| column);
            let mut told: Vec<_> = read.chain(not_read).collect();
            let mut all: Vec<_> = header.split([',', ';']).collect();
            told.sort();
            all.sort_unstable();
            assert_eq!(told, all, "{name}");
        }
    }
}

#[test]
fn where_a_wish_was_said_who_took_it_and_its_words_are_kept() {
    for (name, words, place, taken_by) in [
        ("consents.csv", "status: opt-out", Some("opt-out-message"), Some("lee")),
        ("mailup.csv", "optout_type: 2", None, Some("lee")),
        ("callpotential.csv", "", Some("Store 4"), Some("dana")),
        ("clubos.csv", "Opt-Out Type: Text", None, Some("dana")),
        ("unsubscribed_members_export_1.csv", "UNSUB_REASON: NORMAL", Some("May"), Some("lee")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = ledger(&folder);
        let (_, text, ..) = FORMATS.iter().find(|(known, ..)| *known == name).unwrap();
        ledger.import(&mut list(name, text).unwrap(), &Import::new().taken_by("lee")).unwrap();
        let first = ledger.standing(Wish::Out, Scope::Marketing).unwrap().remove(0);
        assert_eq!(first.words.as_deref().unwrap_or_default(), words, "{name}");
        assert_eq!(
            (first.place.as_deref(), first.taken_by.as_deref()),
            (place, taken_by),
            "{name}"
        );
    }
}

#[test]
fn what_somebody_sent_is_kept_beside_the_status_of_the_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let text = "Phone,Status,SMS Reply,Message Id,Notes\n\
                8185550141,Opted Out,Stop texting me,m-1,angry\n\
                8185550142,Opted Out,STOP,m-2,\n";
    let mut list = list("replies.csv", text).unwrap();
    let columns = list.columns();
    let holds = columns.iter().find(|(header, _)| header == "SMS Reply").map(|(_, holds)| *holds);
    assert_eq!(holds, Some("what was said"), "{columns:?}");
    ledger.import(&mut list, &Import::new()).unwrap();
    let heard = ledger.standing(Wish::Out, Scope::Marketing).unwrap();
    let words: Vec<_> = heard.iter().filter_map(|heard| heard.words.as_deref()).collect();
    assert_eq!(
        words,
        ["Status: Opted Out; SMS Reply: Stop texting me", "Status: Opted Out; SMS Reply: STOP"]
    );
}

#[test]
fn a_row_about_texts_says_nothing_of_an_address_nor_one_about_mails_of_a_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let text = "Opt-Out Type,Email,Mobile Phone,Opt-Out Date,Opt-Out By\n\
                SMS,a@site.example,8185550141,11/23/2026,dana\n\
                Email,b@site.example,8185550142,11/23/2026,dana\n\
                Text/Email,c@site.example,8185550143,11/23/2026,dana\n\
                ,d@site.example,8185550144,11/23/2026,dana\n\
                Carrier pigeon,e@site.example,8185550145,11/23/2026,dana\n\
                Mail,f@site.example,8185550146,11/23/2026,dana\n";
    let imported = import(&mut ledger, "clubos.csv", text).unwrap();
    for (values, out) in [
        (["8185550141", "b@site.example"], true),
        (["8185550142", "a@site.example"], false),
        (["8185550143", "c@site.example"], true),
        (["8185550144", "d@site.example"], true),
        (["8185550145", "e@site.example"], false),
        (["8185550146", "f@site.example"], false),
    ] {
        for value in values {
            assert_eq!(last(&ledger, value), out.then_some(Wish::Out), "{value}");
        }
    }
    let told = imported.rows.iter().find(|row| row.row == 6).unwrap();
    assert!(told.reason.contains("names no channel that is known"), "{told:?}");
    let other = imported.rows.iter().find(|row| row.verdict == Verdict::Neither).unwrap();
    assert!(other.reason.contains("about another channel"), "{other:?}");
}

#[test]
fn a_list_with_a_header_alone_says_nothing_and_one_with_nothing_is_no_list() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    for text in ["phone,status\n", "phone\n", "Phone Number;OptOut_Date;optout_type\n"] {
        let imported = import(&mut ledger, "today.csv", text).unwrap();
        assert!(imported.rows.is_empty() && imported.new == 0, "{text}");
    }
    for text in ["", "\n\n", ",,\n"] {
        for how in [Import::new(), Import::new().says(Wish::Out)] {
            let error = ledger.import(&mut list("today.csv", text).unwrap(), &how).unwrap_err();
            assert!(error.to_string().contains("the list is empty"), "{error}");
        }
    }
}

#[test]
fn what_the_name_of_a_list_speaks_against_is_known() {
    use crm_bulk::Wish::{In, Out};
    for (name, out, into) in [
        ("cleaned_members_1.csv", true, true),
        ("subscribed_members_1.csv", true, false),
        ("unsubscribed_members_1.csv", false, true),
        ("not-opted-out.csv", true, false),
        ("list.csv", false, false),
    ] {
        let list = list(name, "phone,status\n8185550142,STOP\n").unwrap();
        assert_eq!((list.is_named_against(Out), list.is_named_against(In)), (out, into), "{name}");
    }
}

#[test]
fn an_opt_in_that_does_not_count_is_told_so_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let text = "phone,status\n8185550142,subscribed\n";
    for already in [false, true] {
        let imported = import(&mut ledger, "a.csv", text).unwrap();
        let reason = &imported.rows[0].reason;
        assert!(reason.contains("not honoured"), "{reason}");
        assert_eq!(reason.contains("already"), already, "{reason}");
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

/// What an import with these options says of the rows of a list: for each the verdict and the reason.
fn verdicts(name: &str, text: &str, how: &Import) -> Result<Vec<(Verdict, String)>, ConsentError> {
    let folder = tempfile::tempdir().unwrap();
    let imported = ledger(&folder).import(&mut list(name, text)?, how)?;
    Ok(imported.rows.into_iter().map(|row| (row.verdict, row.reason.into_owned())).collect())
}

#[test]
fn only_the_documented_beginning_of_a_name_says_that_all_rows_are_out() {
    let header = "Email Address,First Name,UNSUB_TIME,LEID,EUID";
    let text = format!("{header}\nada@site.example,Ada,2026-11-23 10:30:00,1,a1\n");
    let told = verdicts("unsubscribed_members_1.csv", &text, &Import::new()).unwrap();
    assert_eq!(told[0].0, Verdict::Out);
    assert!(told[0].1.contains("its name begins with"), "{told:?}");
    for (name, text) in [
        ("audience without unsubscribed.csv", &*text),
        ("not_unsubscribed_members.csv", &text),
        ("subscribed and unsubscribed.csv", &text),
        ("unsubscribed.csv", &text),
        ("unsubscribed_members_1.csv", "Email Address,First Name\nada@site.example,Ada\n"),
        ("unsubscribed_members_1.csv", "phone\n8185550142\n"),
    ] {
        let refused = verdicts(name, text, &Import::new());
        assert!(matches!(refused, Err(ConsentError::Unsaid { .. })), "{name}: {refused:?}");
    }
}

#[test]
fn a_list_that_lacks_columns_of_a_tool_is_not_taken_for_one_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    for (header, row) in [
        ("from,to,keyword", "+18185550142,+18005550100,STOP"),
        ("created_at,from,to,keyword", "2026-11-23,+18185550142,+18005550100,STOP"),
        ("contact_id,date_of_consent", "8185550142,2026-11-23"),
        ("Phone,OptOut_Date", "8185550142,2026-11-23"),
        ("Phone,Date Excluded,Excluded By", "8185550142,2026-11-23,dana"),
        ("Mobile Phone,Opt-Out Date,Opt-Out By", "8185550142,2026-11-23,dana"),
        ("Customer Name,Reason,Date Added,Email", "Ada,asked,2026-11-23,ada@site.example"),
    ] {
        let text = format!("{header}\n{row}\n");
        assert!(import(&mut ledger, "a.csv", &text).is_err(), "{header}");
        assert_eq!(ledger.head().unwrap().count, 0, "{header}");
    }
}

#[test]
fn a_sign_that_may_change_a_row_opts_nobody_out() {
    use Verdict::{In, Neither, Out, Unreadable};
    let says = Import::new().says(Wish::Out);
    for (text, verdict) in [
        ("phone,status\n8185550142,opted out?\n", Unreadable),
        ("phone,status\n8185550142,~opted out~\n", Unreadable),
        ("phone,status\n8185550142,\"'Opted-out.'\"\n", Out),
        ("phone,message\n8185550143,STOP\n8185550142,no\n", Unreadable),
        // Nobody can say what yes and no mean without a header, where no status decides.
        ("8185550142,yes\n8185550143,no\n", Unreadable),
        ("phone,\n8185550142,no\n8185550143,yes\n", Unreadable),
        ("phone,status,\n8185550142,opt-out,no\n", Out),
        ("phone,status,\n8185550142,opt-in,yes\n", In),
        ("phone,status,\n8185550142,pending,x\n", Neither),
        ("phone,opted out,notes\n8185550142,yes,START\n", Unreadable),
        ("phone,opted out,notes\n8185550142,yes,no longer opted out\n", Unreadable),
        ("phone,opted out,notes\n8185550142,yes,water won't stop running\n", Out),
    ] {
        let told = verdicts("a.csv", text, &says).unwrap();
        assert!(told.iter().any(|row| row.0 == verdict), "{text}: {told:?}");
        let is_out = told.iter().filter(|row| row.0 == Out).count();
        assert_eq!(
            is_out,
            usize::from(verdict == Out || text.contains("STOP")),
            "{text}: {told:?}"
        );
    }
}

#[test]
fn a_reason_that_is_the_word_of_another_wish_opts_nobody_out() {
    use Verdict::{Neither, Out, Unreadable};
    let says = Import::new().says(Wish::Out);
    for (reason, verdict) in [
        ("subscribed", Unreadable),
        ("START", Unreadable),
        ("DND: no", Unreadable),
        ("never subscribed", Out),
        ("Bounced", Neither),
        ("STOP", Out),
        ("asked for it", Out),
        ("", Out),
    ] {
        let text = format!("phone,reason\n8185550142,{reason}\n");
        let told = verdicts("a.csv", &text, &says).unwrap();
        assert_eq!(told[0].0, verdict, "{reason}: {told:?}");
        if verdict == Out {
            assert_eq!(told[0].1, "as --says out says of all its rows", "{reason}");
        }
        let text = format!("Phone Number;OptOut_Date;optout_type\n8185550142;20261122;{reason}\n");
        let told = verdicts("mailup.csv", &text, &Import::new()).unwrap();
        // Who opted out on a day did so, whatever became of the address.
        let verdict = if verdict == Neither { Out } else { verdict };
        assert_eq!(told[0].0, verdict, "{reason}: {told:?}");
        assert!(!told[0].1.contains("status") || verdict != Out, "{told:?}");
    }
    let told = verdicts("a.csv", "phone,reason\n8185550142,STOP\n", &says.says(Wish::In)).unwrap();
    assert_eq!(told[0].0, Unreadable, "{told:?}");
    // What looks like SendGrid's and has statuses of people says it by them.
    let text = "email,created,reason,status\nada@site.example,1795446300,x,subscribed\n\
                bo@site.example,1795446300,x,unsubscribed\n";
    let told = verdicts("a.csv", text, &Import::new().says(Wish::Out)).unwrap();
    assert_eq!((told[0].0, told[1].0), (Verdict::In, Out));
}

#[test]
fn of_two_dates_the_one_that_speaks_of_the_wish_counts_and_two_alike_must_agree() {
    let folder = tempfile::tempdir().unwrap();
    for (header, dates, received) in [
        ("date,Opt-Out Date", "2026-11-01,2026-11-20", Some("2026-11-20")),
        ("Opt-Out Date,Date Added", "2026-11-20,2026-11-01", Some("2026-11-20")),
        ("Date Added,Opt-Out Date", "2026-11-20,", Some("2026-11-20")),
        ("Opted Out Date,Note", "2026-11-20,x", Some("2026-11-20")),
        ("SMS Opt-Out Date,Email Opt-Out Date", "2026-11-20,2026-11-01", Some("2026-11-20")),
        ("Unsub Time,Opt-Out Date", "2026-11-20 10:30,2026-11-20", Some("2026-11-20T10:30:00")),
        ("Unsub Time,Opt-Out Date", "2026-11-20 10:30,2026-11-01", None),
        ("date,Opt-Out Date", "2026-11-01,2026-11-20 10:30 CET", None),
    ] {
        let mut ledger = ledger(&folder);
        let text = format!("phone,status,{header}\n8185550142,STOP,{dates}\n");
        let imported = import(&mut ledger, "a.csv", &text).unwrap();
        assert_eq!(imported.invalid.is_none(), received.is_some(), "{text}");
        if let Some(received) = received {
            let first = ledger.standing(Wish::Out, Scope::Marketing).unwrap().remove(0);
            assert_eq!(first.received.as_deref(), Some(received), "{text}");
            ledger.retract(imported.import, "one after the other").unwrap();
        }
    }
}

#[test]
fn the_dates_of_sendgrid_and_klaviyo_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let text = "email,created\nada@site.example,1795446300\n";
    let how = Import::new().says(Wish::Out);
    ledger.import(&mut list("suppressions.csv", text).unwrap(), &how).unwrap();
    let text = "Email,Phone Number,Email Marketing Consent,Email Marketing Consent Timestamp,\
                SMS Marketing Consent,SMS Marketing Consent Timestamp\n\
                bo@site.example,8185550142,UNSUBSCRIBED,2026-11-01 10:00:00,UNSUBSCRIBED,\
                2026-11-20 11:00:00\n";
    import(&mut ledger, "klaviyo.csv", text).unwrap();
    for (value, received) in [
        ("ada@site.example", "2026-11-23T15:05:00+00:00"),
        ("bo@site.example", "2026-11-01T10:00:00"),
        ("8185550142", "2026-11-20T11:00:00"),
    ] {
        let heard = ledger.status(value, Scope::Marketing).unwrap().heard;
        assert_eq!(heard[0].received.as_deref(), Some(received), "{value}");
    }
}

#[test]
fn a_wish_of_the_day_after_tomorrow_is_none() {
    let of = |hours: i64| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
        let text = format!("phone,status,received\n8185550142,STOP,{at}\n");
        verdicts("a.csv", &text, &Import::new()).unwrap().remove(0)
    };
    assert_eq!(of(20).0, Verdict::Out);
    let (verdict, reason) = of(26);
    assert_eq!(verdict, Verdict::Unreadable);
    assert!(reason.contains("not a date on which a wish can have come in"), "{reason}");
}

#[test]
fn no_file_but_one_of_rows_to_mend_is_replaced_by_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let text = "phone,status\n8185550142,STOP\nfront desk,STOP\n";
    let path = folder.path().join("list.csv");
    std::fs::write(&path, text).unwrap();
    let other = folder.path().join("other.csv");
    std::fs::write(&other, "name\nAda\n").unwrap();
    for mend in [&path, &other] {
        let mut list = List::read(Input::open(&path).unwrap(), &ListOptions::new()).unwrap();
        let before = std::fs::read(mend).unwrap();
        let refused = ledger.import(&mut list, &Import::new().mend_file(mend));
        assert!(refused.unwrap_err().to_string().contains("name another file"));
        assert_eq!(std::fs::read(mend).unwrap(), before);
        assert_eq!(ledger.head().unwrap().count, 0);
    }
    let mend = folder.path().join("mend.csv");
    for _ in 0..2 {
        let mut list = List::read(Input::open(&path).unwrap(), &ListOptions::new()).unwrap();
        ledger.import(&mut list, &Import::new().mend_file(&mend)).unwrap();
    }
}

#[test]
fn texts_and_calls_of_one_number_are_no_contradiction() {
    let text = "phone,Do not text,Do not call\n8185550142,yes,no\n";
    let told = verdicts("a.csv", text, &Import::new()).unwrap();
    assert_eq!(told[0].0, Verdict::Out);
    assert!(told[0].1.contains("of texts and calls one is out"), "{told:?}");
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

    // A column that is named as something else is not missing, but no longer one of numbers.
    let map = [(crm_bulk::MappedRole::Status, "Phone".to_owned())];
    let input = Input::csv("a.csv", "Phone,Note\n8185550142,x\n".as_bytes());
    let error = List::read(input, &ListOptions::new().map(map)).unwrap_err().to_string();
    assert!(error.contains("--map says that `Phone` holds the status"), "{error}");
}

/// What a row wishes of one of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Out,
    In,
    Neither,
    /// Its status is no word that is known.
    Unknown,
}

/// Words for a status, as the documented tools and people write them.
const STATUSES: [(&str, Means); 24] = [
    ("STOP", Means::Out),
    ("stopall", Means::Out),
    ("END", Means::Out),
    ("Quit", Means::Out),
    ("ARRET", Means::Out),
    ("revoke", Means::Out),
    ("opt-out", Means::Out),
    ("Opted Out", Means::Out),
    ("opt_out", Means::Out),
    ("Unsubscribed", Means::Out),
    ("DNC", Means::Out),
    ("complaint", Means::Out),
    ("START", Means::In),
    ("UNSTOP", Means::In),
    ("opt-in", Means::In),
    ("Opted In", Means::In),
    ("subscribed", Means::In),
    ("", Means::Neither),
    ("never subscribed", Means::Neither),
    ("Pending", Means::Neither),
    ("cleaned", Means::Neither),
    ("bounced", Means::Neither),
    ("who knows", Means::Unknown),
    ("5", Means::Unknown),
];

/// A file that a tool could have written, and what each of its lines wishes of which value.
struct Mixed {
    name: String,
    text: String,
    /// What its rows mean where nothing in it says that.
    says: Option<Wish>,
    expected: Vec<(u64, String, Means)>,
}

/// Writes files of all documented shapes. No value is ever in two rows.
struct Writer {
    random: fastrand::Rng,
    next: u32,
}

impl Writer {
    fn number(&mut self) -> String {
        self.next += 1;
        let of = self.next;
        // No range of numbers that nobody has.
        let (area, exchange) =
            (["213", "310", "415", "818"][of as usize / 7_000_000], of / 10_000 % 700);
        let (exchange, line) = (200 + exchange, of % 10_000);
        match self.random.u8(0..4) {
            0 => format!("{area}{exchange:03}{line:04}"),
            1 => format!("({area}) {exchange:03}-{line:04}"),
            2 => format!("+1 {area} {exchange:03} {line:04}"),
            _ => format!("1-{area}-{exchange:03}-{line:04}"),
        }
    }

    fn address(&mut self) -> String {
        self.next += 1;
        format!("person.{}@site.example", self.next)
    }

    fn status(&mut self) -> (&'static str, Means) {
        STATUSES[self.random.usize(0..STATUSES.len())]
    }

    fn moment(&mut self) -> String {
        let (month, day) = (self.random.u8(1..=10), self.random.u8(13..=28));
        let (hour, minute) = (self.random.u8(0..24), self.random.u8(0..60));
        format!("2026-{month:02}-{day:02} {hour:02}:{minute:02}:00")
    }

    fn file(&mut self, at: u64) -> Mixed {
        let mut file = Mixed {
            name: format!("{at}.csv"),
            text: String::new(),
            says: None,
            expected: Vec::new(),
        };
        let kind = self.random.u8(0..14);
        let header = match kind {
            0 => {
                file.name = format!("unsubscribed_{at}.csv");
                "Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,UNSUB_TIME,UNSUB_REASON,LEID,EUID"
            }
            1 => {
                file.name = format!("subscribed_{at}.csv");
                "Email Address,First Name,OPTIN_TIME,CONFIRM_TIME,LEID,EUID,TAGS"
            }
            2 => "contact_id,correlation_id,sender_id,status,source,date_of_consent",
            3 => "created_at,from,to,keyword,messaging_profile_id",
            4 => "Phone Number;OptOut_Date;optout_type",
            5 => {
                // An address that bounces is opted out only by somebody's word.
                file.says = at.is_multiple_of(2).then_some(Wish::Out);
                "email,created,reason,status"
            }
            6 => "channels.email.address,channels.email.subscribeStatus",
            7 => "Phone Number,Date Excluded,Location,Excluded By",
            8 => "Opt-Out Type,Email,Mobile Phone,Opt-Out Date,Opt-Out By",
            9 => "Email,Phone Number,Email Marketing Consent,SMS Marketing Consent",
            10 => "Name,Phone,Email,DND",
            11 => "phone,status",
            12 => "status;Mobile Phone;received",
            _ => "Phone\tHasOptedOutOfSms",
        };
        file.text = format!("{header}\n");
        let by_word = file.says.map_or(Means::Neither, |_| Means::Out);
        for row in 0..self.random.u64(1..25) {
            let line = row + 2;
            let (status, means) = self.status();
            let moment = self.moment();
            let (number, address) = (self.number(), self.address());
            let mut expect =
                |value: &str, means| file.expected.push((line, value.to_owned(), means));
            let text = match kind {
                0 => {
                    expect(&address, Means::Out);
                    format!("{address},Ada,{moment},{moment},{moment},NORMAL,{row},a{row}")
                }
                1 => {
                    expect(&address, Means::In);
                    format!("{address},Ada,{moment},{moment},{row},a{row},")
                }
                2 => {
                    expect(&number, means);
                    format!("{number},c{row},s1,{status},website,{}Z", moment.replace(' ', "T"))
                }
                3 => {
                    expect(&number, means);
                    format!("{}Z,+18005550100,{number},{status},p1", moment.replace(' ', "T"))
                }
                4 => {
                    expect(&number, Means::Out);
                    let moment: String = moment.replace(' ', "T").replace(['-', ':'], "");
                    format!("{number};{moment};SMS")
                }
                5 => {
                    expect(&address, by_word);
                    format!("{address},{},550 no such user,5.1.1", 1_795_000_000 + row)
                }
                6 => {
                    expect(&address, means);
                    format!("{address},{status}")
                }
                7 => {
                    expect(&number, Means::Out);
                    format!(
                        "{number},{},Store 4,dana",
                        self.random.u8(13..28).to_string() + "/10/2026"
                    )
                }
                8 => {
                    let (kind, of_number, of_address) = [
                        ("Marketing", Means::Out, Means::Out),
                        ("Text", Means::Out, Means::Neither),
                        ("E-mail", Means::Neither, Means::Out),
                        ("5", Means::Unknown, Means::Unknown),
                    ][self.random.usize(0..4)];
                    let mut expect =
                        |value: &str, means| file.expected.push((line, value.to_owned(), means));
                    expect(&number, of_number);
                    expect(&address, of_address);
                    format!("{kind},{address},{number},10/{}/2026,dana", self.random.u8(13..28))
                }
                9 => {
                    let (other, of_number) = self.status();
                    expect(&address, means);
                    expect(&number, of_number);
                    format!("{address},{number},{status},{other}")
                }
                10 => {
                    let (dnd, means) = self.flag();
                    expect(&number, means);
                    expect(&address, means);
                    format!("Ada,{number},{address},{dnd}")
                }
                11 => {
                    expect(&number, means);
                    format!("{number},{status}")
                }
                12 => {
                    expect(&number, means);
                    format!("{status};{number};{moment}")
                }
                _ => {
                    let (flag, means) = self.flag();
                    expect(&number, means);
                    format!("{number}\t{flag}")
                }
            };
            file.text += &format!("{text}\n");
        }
        file
    }

    /// Of a column whose yes means out.
    fn flag(&mut self) -> (&'static str, Means) {
        const FLAGS: [(&str, Means); 9] = [
            ("true", Means::Out),
            ("Yes", Means::Out),
            ("1", Means::Out),
            ("false", Means::In),
            ("no", Means::In),
            ("0", Means::In),
            ("", Means::Neither),
            ("perhaps", Means::Unknown),
            ("7", Means::Unknown),
        ];
        FLAGS[self.random.usize(0..FLAGS.len())]
    }
}

/// Files of every documented shape with any mixture of statuses: nobody is out against the status of
/// a row, and nobody who asked for it is missed without being told. `CRM_CONSENT_FILES` says how many;
/// they are 150 unless said otherwise.
#[test]
fn in_any_mixture_nobody_is_opted_out_against_a_status_and_nobody_is_missed() {
    let files: u64 = std::env::var("CRM_CONSENT_FILES").map_or(150, |files| files.parse().unwrap());
    let mut writer = Writer { random: fastrand::Rng::with_seed(29), next: 0 };
    let (mut taken, mut told, mut refused, mut rows) = (0, 0, 0, 0);
    let mut folder = tempfile::tempdir().unwrap();
    let mut into = ledger(&folder);
    for at in 0..files {
        if at % 500 == 499 {
            assert!(into.check(None).unwrap().fault.is_none());
            folder = tempfile::tempdir().unwrap();
            into = ledger(&folder);
        }
        let Mixed { name, text, says, expected } = writer.file(at);
        rows += expected.len();
        let mut how = Import::new();
        if let Some(says) = says {
            how = how.says(says);
        }
        let list = list(&name, &text);
        let imported = match list.and_then(|mut list| into.import(&mut list, &how)) {
            Ok(imported) => imported,
            Err(error) => {
                // Who is asked what it means is told. Where a cell says out, no file is refused.
                let says_out = expected.iter().any(|(_, _, means)| *means == Means::Out);
                assert!(!says_out, "{text}\n{error}");
                refused += 1;
                continue;
            }
        };
        for (line, value, means) in expected {
            let is_out = last(&into, &value) == Some(Wish::Out);
            let mut judged = imported.rows.iter();
            let is_told = judged.any(|row| row.row == line && row.verdict == Verdict::Unreadable);
            match means {
                Means::Out => {
                    assert!(is_out || is_told, "{value} of line {line} is missed in\n{text}");
                    taken += u64::from(is_out);
                    told += u64::from(!is_out);
                }
                _ => assert!(!is_out, "{value} of line {line} is out against {means:?} in\n{text}"),
            }
            assert!(means != Means::Unknown || is_told, "{value} of line {line} in\n{text}");
        }
    }
    assert!(
        taken > 20 * told && refused < files / 4,
        "{taken} taken, {told} told, {refused} refused"
    );
    println!(
        "{files} files, {rows} values: {taken} out, {told} told to be mended, {refused} refused"
    );
}

#[test]
fn a_list_of_which_nothing_can_be_read_is_told_so_before_what_it_means() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let mut told = |bytes: &[u8]| {
        let input = Input::csv("a.csv", std::io::Cursor::new(bytes.to_vec()));
        let list = List::read(input, &ListOptions::new());
        let imported = ledger.import(&mut list.unwrap(), &Import::new());
        imported.unwrap_err().to_string()
    };
    assert_eq!(told(b""), "a.csv: nothing can be read: the list is empty");
    let latin = told(b"8185550142,Ren\xe9e\n8185550143,Zo\xeb\n");
    assert!(latin.contains("nothing can be read") && latin.contains("--encoding"), "{latin}");
    let bare = told(b"8185550142\n8185550143\n");
    assert!(bare.contains("no column says who opted out or in (value: numbers)"), "{bare}");
}

#[test]
fn numbers_below_the_name_of_a_channel_are_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    let rows = "EMAIL,SMS,EMAIL_BLACKLISTED,SMS_BLACKLISTED\n\
                ada@site.example,8185550142,Yes,No\nbo@site.example,8185550143,No,Yes\n";
    import(&mut ledger, "brevo.csv", rows).unwrap();
    for (value, wish) in [
        ("ada@site.example", Wish::Out),
        ("8185550142", Wish::In),
        ("bo@site.example", Wish::In),
        ("8185550143", Wish::Out),
    ] {
        let heard = ledger.status(value, Scope::Marketing).unwrap().heard;
        assert_eq!(heard.iter().map(|heard| heard.wish).collect::<Vec<_>>(), [wish], "{value}");
    }
}
