//! What nobody decided is not written: a row counts for the channel that it names, on the day of its own
//! wish, and one of which it is not certain what it means counts for nothing and is told.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{ledger, list};
use std::io::Cursor;

use crm_bulk::{Input, List, ListOptions, ListRow, MappedRole, Wish as Listed};
use crm_consent::{ConsentError, Import, Verdict, Wish};

/// What an import says of each value, in short: `in` is recorded, `in!` is honoured.
fn imported(text: &str, how: &Import) -> Result<String, ConsentError> {
    let folder = tempfile::tempdir().unwrap();
    let imported = ledger(&folder).import(&mut list("a.csv", text)?, how)?;
    let rows = imported.rows.iter().map(|row| match row.verdict {
        Verdict::Out => "out",
        Verdict::In if row.reason.contains("not honoured") => "in",
        Verdict::In => "in!",
        Verdict::Neither => "neither",
        _ => "bad",
    });
    Ok(rows.collect::<Vec<_>>().join(" "))
}

/// The same of a list by its reading alone, which takes no ledger.
fn read(text: &str) -> String {
    let mut list = list("a.csv", text).unwrap();
    if !list.has_status() {
        return "refused".to_owned();
    }
    let mut told = Vec::new();
    let each = |_, row: Result<ListRow, String>| {
        match row {
            Ok(ListRow { values, words, .. }) => {
                told.extend(values.iter().map(|value| match value.wish {
                    Listed::Out => "out",
                    Listed::In if value.received.is_none() || words.is_none() => "in",
                    Listed::In => "in!",
                    _ => "neither",
                }))
            }
            Err(_) => told.push("bad"),
        }
        Ok::<_, ConsentError>(())
    };
    list.each_row(None, each).unwrap();
    told.join(" ")
}

/// The row of a number and an address, `{n}` and `{e}`, below a header.
fn text(header: &str, row: &str) -> String {
    let row = row.replace("{n}", "8185550142").replace("{e}", "ada@site.example");
    format!("{header}\n{row}\n")
}

fn expect(header: &str, row: &str, expected: &str) {
    assert_eq!(read(&text(header, row)), expected, "{header}: {row}");
}

/// That an import says the same as the reading.
fn expect_imported(header: &str, row: &str, expected: &str) {
    expect(header, row, expected);
    let found = imported(&text(header, row), &Import::new());
    let found = found.unwrap_or_else(|error| match error {
        ConsentError::Unsaid { .. } => "refused".to_owned(),
        error => panic!("{header}: {row}: {error}"),
    });
    assert_eq!(found, expected, "{header}: {row}");
}

#[test]
fn a_row_counts_for_the_channel_that_it_names() {
    let headers = [
        "Channel",
        "channels",
        "Type",
        "Medium",
        "Platform",
        "Communication Type",
        "Message Type",
        "message_channel",
        "List",
        "Opt-Out Type",
        "Last opt-out channel",
        "Channel Type",
        "channel_name",
        "Comm Type",
    ];
    for (of, cells) in [
        ([true, false], "sms|SMS|Text|text message|phone|voice|Call|Phone call|MMS|texts"),
        ([false, true], "email|E-Mail|eMail|emails|Marketing email"),
        ([true, true], "both|All|SMS & Email|email/sms|phone and e-mail|all channels"),
        ([false, false], "post|Direct Mail|push|WhatsApp|fax|Postal|postal mail|Push & Post"),
    ] {
        for (header, cell) in headers.iter().flat_map(|h| cells.split('|').map(move |c| (h, c))) {
            for (status, verdict) in [("subscribed", "in!"), ("unsubscribed", "out")] {
                let expected = of.map(|is_meant| if is_meant { verdict } else { "neither" });
                let row = format!("{{n}},{{e}},{cell},{status},2026-11-01");
                expect(&format!("Phone,Email,{header},Status,Date"), &row, &expected.join(" "));
            }
        }
    }
    let unknown = ["owl", "mail", "No SMS", "all but SMS", "none", "SMS or owl", "?"];
    for (header, cell) in headers.iter().flat_map(|h| unknown.map(|c| (h, c))) {
        for status in ["subscribed", "unsubscribed"] {
            // That the column is one of channels another row shows.
            let row = format!("{{n}},{{e}},{cell},{status},2026-11-01\n,bo@site.example,sms,,");
            expect(&format!("Phone,Email,{header},Status,Date"), &row, "bad neither");
        }
    }
}

#[test]
fn a_row_that_may_be_about_one_channel_alone_is_to_be_mended_where_that_matters() {
    for header in [
        "Contact Method",
        "contactMethod",
        "Method",
        "Contact Type",
        "Event Type",
        "Contact Via",
        "Marketing Channel",
        "Audience",
        "Notes",
        "x",
    ] {
        let columns = format!("Phone,Email,{header},Status,Date");
        expect(&columns, "{n},{e},sms,subscribed,2026-11-01", "bad");
        expect(&columns, "{n},{e},Email,unsubscribed,2026-11-01", "bad");
        expect(&columns, "{n},{e},sms,out,\n8185550143,,owl,out,", "bad out");
        expect(
            &columns,
            "{n},,sms,out,\n,{e},email,out,\n,b@site.example,sms,,",
            "out out neither",
        );
        expect(&columns, "{n},{e},sms and email,out,", "out out");
        expect(&columns, "{n},{e},owl,out,\n8185550143,,texted him,out,", "out out out");
        let text = text(&columns, "{n},{e},sms,out,2026-11-01");
        for (role, expected) in [
            (MappedRole::Channel, [Listed::Out, Listed::Neither]),
            (MappedRole::Reason, [Listed::Out; 2]),
        ] {
            let options = ListOptions::new().map([(role, header.to_owned())]);
            let mut list =
                List::read(Input::csv("a.csv", Cursor::new(text.clone())), &options).unwrap();
            let each = |_, row: Result<ListRow, String>| {
                let wishes: Vec<_> = row.unwrap().values.iter().map(|value| value.wish).collect();
                assert_eq!(wishes, expected, "{header}: {role:?}");
                Ok::<_, ConsentError>(())
            };
            list.each_row(None, each).unwrap();
        }
    }
}

#[test]
fn how_somebody_likes_to_be_reached_or_came_says_nothing_of_the_wish() {
    for header in [
        "Preferred Channel",
        "Preferred Contact Method",
        "Preference",
        "contactPreference",
        "Lead Channel",
        "Lead Source",
        "Customer Type",
        "Best way to reach",
        "Last activity",
        "utm_medium",
        "Opt-out method",
        "Phone Type",
    ] {
        let columns = format!("Phone,Email,{header},Status,Date");
        for cell in ["sms", "Email", "phone", "Text message", "Service", "post"] {
            expect(&columns, &format!("{{n}},{{e}},{cell},unsubscribed,2026-11-01"), "out out");
            expect(&columns, &format!("{{n}},{{e}},{cell},subscribed,2026-11-01"), "in! in!");
        }
        expect(&columns, "{n},{e},do not call,subscribed,2026-11-01", "bad");
        expect(&columns, "{n},,No SMS,subscribed,2026-11-01", "bad");
    }
}

#[test]
fn a_status_counts_for_the_number_or_address_whose_label_it_has() {
    let two = "Phone 1,DNC 1,Phone 2,DNC 2";
    let home = "Home Phone,Home Phone DNC,Mobile Phone,Mobile DNC";
    let dates = "Phone 1,DNC 1,DNC Date 1,Phone 2,DNC 2,DNC Date 2";
    for (header, row, expected) in [
        (two, "{n},yes,8185550143,no", "out in"),
        (two, "{n},no,8185550143,yes", "in out"),
        (two, "{n},yes,8185550143,", "out neither"),
        (two, "{n},,8185550143,yes", "neither out"),
        (two, "{n},yes,,", "out"),
        // A stop of a number that the row does not have.
        (two, "{n},no,,yes", "bad"),
        (two, "{n},yes,,yes", "bad"),
        (home, "{n},yes,8185550143,no", "out in"),
        (home, "{n},no,8185550143,yes", "in out"),
        (home, "{n},,8185550143,x", "neither out"),
        ("Phone1,Phone1 Opt-Out,Phone2,Phone2 Opt-Out", "{n},N,8185550143,Y", "in out"),
        ("phone,phone_dnc,phone_2,phone_2_dnc", "{n},0,8185550143,1", "in out"),
        ("Phone,Phone.1,DNC,DNC.1", "{n},8185550143,no,yes", "in out"),
        ("Phone,Phone 2,DNC 1,DNC 2", "{n},8185550143,yes,no", "out in"),
        ("Cell,Work Phone,Mobile Opt Out,Business Opt Out", "{n},8185550143,no,yes", "in out"),
        ("Phone (home),Phone (work),DNC (home),DNC (work)", "{n},8185550143,x,", "out neither"),
        ("Email,Email 2,Email 2 Opt Out", "{e},bo@site.example,yes", "neither out"),
        ("Email,Email 2,Email 2 Opt Out,Status", "{e},bo@site.example,yes,in", "bad"),
        ("Phone 1,Email 1,Phone 2,Opt Out 1", "{n},{e},8185550143,yes", "out out neither"),
        // Without a label it counts for all.
        ("Phone 1,Phone 2,DNC", "{n},8185550143,yes", "out out"),
        ("Phone 1,Phone 2,DNC,DNC 2", "{n},8185550143,no,yes", "in out"),
        ("Phone,Mobile Phone,Opt Out,Mobile Opt Out", "{n},8185550143,yes,no", "bad"),
        ("Phone,Mobile Phone,Opt Out,Mobile Opt Out", "{n},8185550143,yes,", "out out"),
        ("Phone,Mobile Opt Out", "{n},yes", "out"),
        // No value has the label.
        ("Phone 1,Phone 2,DNC 3", "{n},8185550143,yes", "refused"),
        ("Home Phone,Work Phone,Mobile Opt Out", "{n},8185550143,yes", "refused"),
        ("Phone 1,Phone 2,DNC 3,Status", "{n},8185550143,yes,in", "bad"),
        ("Phone 1,Phone 2,DNC 3,Status", "{n},8185550143,yes,out", "out out"),
        ("Phone 1,Phone 2,DNC 3,Status", "{n},8185550143,no,in", "in in"),
        // Two of one name: which is of which nobody can say.
        ("Phone,DNC,Phone,DNC", "{n},yes,8185550143,no", "bad"),
        ("Phone,DNC,Phone,DNC", "{n},yes,8185550143,", "bad"),
        ("Phone,DNC,Phone,DNC", "{n},yes,8185550143,yes", "out out"),
        // The date of one is not that of another.
        (dates, "{n},no,,8185550143,yes,2026-11-01", "in out"),
        (dates, "{n},,2026-11-01,8185550143,no,", "bad"),
    ] {
        expect(header, row, expected);
    }
}

#[test]
fn rows_below_a_title_are_not_read_as_a_list_without_a_header() {
    for text in [
        "Do not call as of 2026-11-23 10:30\nPhone,Opted Out\n8185550142,No\n",
        "by ada@site.example,\n,\nEmail,Unsubscribed\nbo@site.example,No\n",
        "Phone Numbers,\nPhone,Opted Out\n8185550142,No\n",
    ] {
        let error = list("a.csv", text).unwrap_err().to_string();
        assert!(error.contains("looks like its header"), "{error}");
    }
    for text in ["8185550142,Ada\nphone,email\n", "Phone\n8185550142\n8185550143\n"] {
        assert!(list("a.csv", text).is_ok(), "{text}");
    }
}

#[test]
fn a_column_of_kinds_of_contacts_is_none_of_channels() {
    for (header, row, expected) in [
        ("Type,Value,Status", "Phone,{n},unsubscribed", "out"),
        ("Type,Value,Status", "MobilePhone,{n},unsubscribed", "out"),
        ("Type,Value,Status", "Email,{e},unsubscribed", "out"),
        ("Type,Value,Status", "Fax,{n},unsubscribed", "out"),
        ("Phone,Email,Type,Status", "{n},{e},Mobile,unsubscribed", "out out"),
        ("Phone,Email,Type,Status", "{n},{e},Service,unsubscribed", "out out"),
        ("Phone,Email,Type,Status", "{n},,VoIP,unsubscribed\n,{e},Mobile,unsubscribed", "out out"),
        ("Phone,Email,Phone Type,Status", "{n},{e},SMS,unsubscribed", "out out"),
        ("Phone,Email,Customer Type,Status", "{n},{e},Residential,unsubscribed", "out out"),
        ("Phone,Email,List,Status", "{n},{e},VIP,unsubscribed", "out out"),
        ("Phone,Email,Opt-out method,Status", "{n},{e},text,unsubscribed", "out out"),
        ("Phone,Email,Source,Status", "{n},{e},sms,unsubscribed", "out out"),
    ] {
        expect(header, row, expected);
    }
}

/// How people and programs write these words as one name.
fn spellings(words: &str) -> Vec<String> {
    let words: Vec<_> = words.split(' ').collect();
    let title = |word: &&str| word[..1].to_uppercase() + &word[1..];
    let titles: Vec<_> = words.iter().map(title).collect();
    let camel = words[0].to_owned() + &titles[1..].concat();
    vec![
        words.join(" "),
        words.join("_"),
        words.join("-"),
        words.concat(),
        words.join("_").to_uppercase(),
        titles.join(" "),
        titles.concat(),
        camel,
        words[0].to_uppercase() + &titles[1..].concat(),
    ]
}

#[test]
fn a_status_counts_for_its_channel_however_it_is_spelled() {
    for (names, [yes, no], of) in [
        ("sms opt out|text opt out|do not text|sms unsubscribed", ["out", "in"], "N"),
        ("do not call|phone opt out|call opted out|voice opt out", ["out", "in"], "N"),
        ("sms opt in|text consent|accepts sms marketing|mobile opted in", ["in!", "out"], "N"),
        ("email opt out|do not email|has opted out of email", ["out", "in"], "E"),
        ("e mail opt out|unsubscribed from all email", ["out", "in"], "E"),
        ("email opt in|email consent|accepts email marketing", ["in!", "out"], "E"),
        ("opted out|do not contact|unsubscribed", ["out", "in"], "both"),
        ("opt in (sms)", ["in!", "out"], "N"),
        ("opt out (email)", ["out", "in"], "E"),
        ("opt out (postal)", ["", ""], ""),
        ("opted in|accepts marketing|marketing consent", ["in!", "out"], "both"),
        ("postal opt out|push opt out|whats app opt out|fax opt out|mail opt out", ["", ""], ""),
        ("do not mail|direct mail opt out|do not service|letters opt out", ["", ""], ""),
        ("postal opt in|push opt in|whats app consent|accepts mail", ["", ""], ""),
        ("do not fold|loyalty program|pool service", ["", ""], ""),
    ] {
        for header in names.split('|').flat_map(spellings) {
            for (cell, verdict) in [("yes", yes), ("no", no)] {
                let expected = match of {
                    "N" => format!("{verdict} neither"),
                    "E" => format!("neither {verdict}"),
                    "both" => format!("{verdict} {verdict}"),
                    _ => "refused".to_owned(),
                };
                let columns = format!("Phone,Email,{header},Date");
                expect(&columns, &format!("{{n}},{{e}},{cell},2026-11-01"), &expected);
                // Beside a status of its own it changes nothing, whatever it says.
                if of.is_empty() {
                    let columns = format!("Phone,Email,{header},Status,Date");
                    for (status, verdict) in [("subscribed", "in!"), ("unsubscribed", "out")] {
                        let row = format!("{{n}},{{e}},{cell},{status},2026-11-01");
                        expect(&columns, &row, &format!("{verdict} {verdict}"));
                    }
                }
            }
        }
    }
}

#[test]
fn a_column_of_another_channel_is_told_as_one() {
    let header = "Phone,Email,Fax Opt Out,Postal Opt Out,Pool Opt Out,Notes,Status";
    let read = list("a.csv", &text(header, "{n},{e},yes,yes,,x,unsubscribed")).unwrap();
    let unread = read.unread_columns();
    let unread: Vec<_> =
        unread.iter().map(|(column, why)| (&**column, why.contains("another channel"))).collect();
    assert_eq!(unread, [("Notes", false), ("Fax Opt Out", true), ("Postal Opt Out", true)]);
    let vague = read.columns().into_iter().find(|(column, _)| column == "Pool Opt Out").unwrap();
    assert_eq!(vague.1, "a wish, of what is not known");
    let read = list("a.csv", &text("Fax,Fax Opt Out", "{n},yes")).unwrap();
    assert!(read.has_status() && read.unread_columns().is_empty());
}

#[test]
fn a_wish_of_what_nobody_knows_makes_none_and_is_not_missed() {
    for (header, row, expected) in [
        ("Phone,Pool Opt Out,Date", "{n},yes,2026-11-01", "refused"),
        ("Phone,Photo shoot consent,Date", "{n},yes,2026-11-01", "refused"),
        ("Phone,Acme Opt Out,Status,Date", "{n},yes,,2026-11-01", "bad"),
        ("Phone,Acme Opt Out,Status,Date", "{n},yes,subscribed,2026-11-01", "bad"),
        ("Phone,Acme Opt Out,Status,Date", "{n},yes,unsubscribed,2026-11-01", "out"),
        ("Phone,Acme Opt Out,Status,Date", "{n},no,unsubscribed,2026-11-01", "out"),
        ("Phone,Acme Opt Out,Status,Date", "{n},no,subscribed,2026-11-01", "in!"),
        ("Phone,Acme Opt Out,Status,Date", "{n},no,,2026-11-01", "neither"),
        ("Phone,Acme Opt In,Status,Date", "{n},yes,,2026-11-01", "neither"),
        ("Phone,Previous status,Status,Date", "{n},unsubscribed,subscribed,2026-11-01", "bad"),
        ("Phone,Comments,Status,Date", "{n},STOP,subscribed,2026-11-01", "bad"),
        ("Phone,Comments,Status,Date", "{n},unsubscribed,,2026-11-01", "bad"),
        ("Phone,Reason,Status,Date", "{n},STOP,subscribed,2026-11-01", "bad"),
        ("Phone,Comments,Status,Date", "{n},subscribed,unsubscribed,2026-11-01", "out"),
        ("Phone,Email,Notes,Status,Date", "{n},{e},do not call,in,2026-11-01", "bad"),
        ("Phone,Notes,Status,Date", "{n},opt out SMS,in,2026-11-01", "bad"),
        ("Phone,Notes,Status,Date", "{n},opted out of e-mail,in,2026-11-01", "in!"),
        ("Phone,Tags,Status,Date", "{n},vip; unsubscribed,in,2026-11-01", "bad"),
        ("Phone,SMS,Status,Date", "{n},no,in,2026-11-01", "bad"),
        ("Phone,SMS,Status,Date", "{n},yes,in,2026-11-01", "in!"),
        ("Phone,SMS,Status,Date", "{n},yes,,2026-11-01", "neither"),
        ("Phone,SMS,Date", "{n},no,2026-11-01", "refused"),
        ("Phone,Comments,Status,Date", "{n},asked to stop,subscribed,2026-11-01", "bad"),
        ("Phone,Membership cancelled,Status", "{n},yes,unsubscribed", "out"),
        ("Phone,Membership cancelled", "{n},yes", "refused"),
        ("Phone,Job status", "{n},start", "refused"),
        ("Phone,Not opted out,Date", "{n},yes,2026-11-01", "in!"),
        ("Phone,Acme Opt Out,Status", "{n},2026-11-01,subscribed", "bad"),
        ("Phone,Acme Opt Out,Status", "{n},2026-11-01,", "bad"),
        ("Phone,Suppressed Until,Status", "{n},2026-12-24,subscribed", "bad"),
        ("Phone,Cancelled", "{n},yes", "refused"),
        ("Phone,Cancelled,Status", "{n},yes,subscribed", "bad"),
        ("Phone,Cancelled,Status", "{n},no,subscribed", "bad"),
        ("Phone,Membership cancelled,Status", "{n},yes,subscribed", "in"),
        ("Phone,Asked to stop,Status", "{n},yes,subscribed", "bad"),
        ("Phone,Ask not to call,Status", "{n},yes,subscribed", "bad"),
        ("Email,Emails,Status", "{e},no,subscribed", "bad"),
        ("Phone,Contact?,Status", "{n},no,subscribed", "bad"),
        ("Phone,Contactable,Status", "{n},no,subscribed", "bad"),
        ("Phone,Text Y/N,Status", "{n},N,subscribed", "bad"),
        ("Phone,Flag,Status", "{n},no,subscribed", "in"),
        ("Phone,Suppression Type,Status", "{n},Unsubscribe,subscribed", "bad"),
        ("Phone,List,Status", "{n},DNC,subscribed", "bad"),
        ("Phone,Type,Status", "{n},SMS opt-out,subscribed", "bad"),
        ("Phone,Type,Status", "{n},SMS opt-out,", "bad"),
        ("Phone,Type,Status", "{n},STOP,subscribed", "bad"),
        ("Phone,Revocation Date,Status", "{n},2026-11-01,subscribed", "bad"),
        ("Phone,Withdrawal Date,Status", "{n},2026-11-01,subscribed", "bad"),
        ("Phone,Stop Date,Status", "{n},2026-11-01,subscribed", "bad"),
        ("Phone,Declined Date,Status", "{n},2026-11-01,subscribed", "in"),
        ("Phone,D.N.C.", "{n},Y", "out"),
        ("Phone,D.N.C.,Status", "{n},Y,subscribed", "bad"),
        ("Phone,DNC Scrubbed,Status", "{n},Yes,subscribed", "bad"),
        ("Phone,OPT_OUT_IND", "{n},Y", "out"),
        // The number of another column, of which nothing else is known.
        ("Mobile,Home,Mobile DNC,Home DNC", "{n},8185550143,yes,no", "bad"),
    ] {
        expect_imported(header, row, expected);
    }
}

#[test]
fn a_date_is_that_of_its_own_wish() {
    let hub_spot = "Email,Unsubscribed from all email,Opt-out date";
    let both = "Email,Status,Opt-in date,Opt-out date";
    for (header, row, expected) in [
        (hub_spot, "{e},false,2026-11-01", "bad"),
        (hub_spot, "{e},true,2026-11-01", "out"),
        (hub_spot, "{e},,2026-11-01", "bad"),
        (hub_spot, "{e},,", "neither"),
        (both, "{e},subscribed,2026-11-01,", "in!"),
        (both, "{e},subscribed,,2026-11-01", "bad"),
        (both, "{e},subscribed,2026-11-02,2026-11-01", "in!"),
        (both, "{e},subscribed,2026-11-01,2026-11-02", "bad"),
        (both, "{e},subscribed,2026-11-01,2026-11-01", "bad"),
        (both, "{e},unsubscribed,2026-11-01,2026-11-02", "out"),
        (both, "{e},unsubscribed,2026-11-03,2026-11-02", "out"),
        (both, "{e},unsubscribed,2026-11-03,", "out"),
        (both, "{e},pending,2026-11-03,", "neither"),
        (both, "{e},pending,,2026-11-03", "bad"),
        ("Email,Status,Date", "{e},subscribed,2026-11-01", "in!"),
        ("Email,Status,Date,Unsubscribed on", "{e},subscribed,2026-11-03,2026-11-01", "in!"),
        ("Email,Status,Date,Unsubscribed on", "{e},subscribed,2026-11-01,2026-11-03", "bad"),
        ("Email,Status,SMS opt-in date", "{e},subscribed,2026-11-01", "in"),
        ("Email,Status,Date,Last opt-out date", "{e},subscribed,2026-11-01,2026-11-03", "bad"),
        ("Email,Status,Postal opt-in date", "{e},subscribed,2026-11-01", "in"),
        ("Email,Status,Pool opt-in date", "{e},subscribed,2026-11-01", "in"),
        ("Email,Status,SMS opt-out date", "{e},,2026-11-01", "neither"),
        ("Email,Status,optoutdate", "{e},subscribed,2026-11-01", "bad"),
        ("Email,Status,OPTIN_TIME", "{e},subscribed,2026-11-01 10:00:00", "in!"),
    ] {
        expect_imported(header, row, expected);
    }
}

#[test]
fn the_date_of_a_wish_is_the_plainest_of_its_own_and_others_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    for (header, row, received, told) in [
        ("Email,Status,Opt-in date,Opt-out date", "{e},in,2026-11-02,2026-11-01", "2026-11-02", ""),
        (
            "Email,Status,Opt-in date,Opt-out date",
            "{e},out,2026-11-04,2026-11-03",
            "2026-11-03",
            "though `Opt-in date` has a later date",
        ),
        (
            "Email,Unsubscribed from all email,Unsubscribed from all email date",
            "{e},true,2026-11-05",
            "2026-11-05",
            "",
        ),
        (
            "Email,Status,Date,Received",
            "{e},out,2026-11-01,2026-11-06",
            "2026-11-06",
            "of its dates",
        ),
        ("Email,Status,Received,Date", "{e},out,2026-11-07,2026-11-07", "2026-11-07", ""),
    ] {
        let imported =
            ledger.import(&mut list("a.csv", &text(header, row)).unwrap(), &Import::new());
        let row = imported.unwrap().rows.remove(0);
        assert!(row.reason.contains(told), "{header}: {row:?}");
        assert_eq!(row.reason == "by its status", told.is_empty(), "{header}: {row:?}");
        let heard = ledger.status("ada@site.example", crm_consent::Scope::Marketing).unwrap().heard;
        let heard = heard.iter().find(|heard| heard.received.as_deref() == Some(received));
        assert!(heard.is_some(), "{header}: {received}");
    }
}

#[test]
fn the_word_of_the_command_is_no_match_for_that_of_a_row() {
    let (out, into) = (Import::new().says(Wish::Out), Import::new().says(Wish::In));
    for (header, row, how, expected) in [
        ("Phone,Comments", "{n},subscribed", &out, "bad"),
        ("Phone,Comments", "{n},Opted in", &out, "bad"),
        ("Phone,Comments", "{n},likes us", &out, "out"),
        ("Phone,Notes,Date", "{n},STOP,2026-11-01", &into, "bad"),
        ("Phone,Opt-out date", "{n},2026-11-01", &out, "out"),
        ("Phone,Opt-out date,Date", "{n},2026-11-01,2026-11-01", &into, "bad"),
        ("Phone,Pool opt in", "{n},yes", &out, "bad"),
        ("Phone,Pool opt in", "{n},no", &out, "out"),
        ("Phone,Email,Channel", "{n},{e},sms", &out, "out neither"),
        ("Phone,Email,Channel", "{n},{e},owl", &out, "bad"),
        ("Phone,Email,Channel", "{n},,email", &out, "bad"),
        ("Phone,Opt-in date", "{n},2026-11-01", &out, "bad"),
        ("Phone,Opt-in date,Opt-out date", "{n},2026-11-01,2026-11-02", &out, "out"),
        ("Phone,Opt-in date,Opt-out date", "{n},,2026-11-02", &into, "bad"),
        ("Phone,Keyword", "{n},START", &out, "bad"),
        ("Phone,Keyword", "{n},STOP", &out, "out"),
        ("Phone,Event", "{n},group_resubscribe", &out, "bad"),
        ("Phone,Action", "{n},Delete", &out, "bad"),
        ("Phone,Change", "{n},D", &out, "bad"),
        ("Phone,Change", "{n},D", &into, "bad"),
        ("Phone,Change", "{n},A", &out, "out"),
        ("Phone,Opt-Out Reason", "{n},never subscribed", &out, "out"),
        ("Phone,Opt-Out Reason", "{n},Not Subscribed", &out, "out"),
        ("Phone,Opt-Out Reason", "{n},cleaned", &out, "out"),
        ("Phone,Opt-Out Reason", "{n},bounced", &out, "neither"),
        ("Phone,Opt-Out Reason,Opt-Out Date", "{n},bounced,2026-11-01", &out, "out"),
        ("Phone,Opt-Out Reason", "{n},never subscribed", &into, "neither"),
        ("Phone,Notes", "{n},Not subscribed", &into, "bad"),
        ("Phone,Postal Opt Out", "{n},no", &out, "out"),
        // Without a header too.
        ("8185550143,STOP", "{n},", &into, "bad in"),
        ("Phone,Email,Type,Channel", "{n},{e},SMS,Email", &out, "bad"),
        ("Phone,Agent Phone", "{n},8185550143", &out, "bad"),
        ("Phone,DNC Removed", "{n},yes", &into, "bad"),
        ("Phone,DNC Removed", "{n},no", &into, "bad"),
        ("Phone,Not blocked", "{n},no", &into, "bad"),
        ("Phone,Removed", "{n},yes", &out, "bad"),
    ] {
        assert_eq!(imported(&text(header, row), how).unwrap(), expected, "{header}: {row}");
    }
}

#[test]
fn a_no_to_opting_out_is_no_wish_to_be_written_to() {
    let states =
        ["Pending", "never subscribed", "Unconfirmed", "Bounced", "Cleaned", "Not Subscribed"];
    for state in states {
        for (header, no) in [("Unsubscribed", "No"), ("Opt Out", "0"), ("DND", "FALSE")] {
            let columns = format!("Phone,Status,{header},Date");
            expect(&columns, &format!("{{n}},{state},{no},2026-11-01"), "neither");
            expect(&columns, &format!("{{n}},{state},yes,2026-11-01"), "out");
        }
    }
    for (header, row, expected) in [
        ("Phone,DNC,Date Added", "{n},No,2026-11-01", "in"),
        ("Phone,DNC,Consent Date", "{n},No,2026-11-01", "in"),
        ("Phone,DNC,Opt-in Date", "{n},No,2026-11-01", "in!"),
        ("Phone,DNC,Status,Date", "{n},No,Subscribed,2026-11-01", "in!"),
        ("Email,Email Opt Out,Email Opt Out Date", "{e},No,2026-11-01", "bad"),
    ] {
        expect_imported(header, row, expected);
    }
}

#[test]
fn who_asks_to_be_left_alone_beside_another_status_is_not_missed() {
    let asks = "Do Not Call|DO NOT CALL|Do Not Text|DNC requested|dnc - do not call|remove from list|\
        opted-out 3/1|Unsubscribe me|stop texting|vip; unsubscribed|DNC; vip|Not opted in|\
        no longer subscribed|Stop please|\"STOP\nSent from my iPhone\"";
    for ask in asks.split('|') {
        for header in ["Reason", "Notes", "Disposition", "Tags", "Reply"] {
            let columns = format!("Phone,{header},Status,Date");
            for (status, expected) in [("Opted In", "bad"), ("", "bad"), ("Opted Out", "out")] {
                let row = format!("{{n}},{ask},{status},2026-11-01");
                let found = read(&text(&columns, &row));
                // A column of nothing but such words may be one of statuses.
                let is_as_good = found == "out" && status.is_empty();
                assert!(found == expected || is_as_good, "{header}: {ask}, {status}: {found}");
            }
        }
    }
    for (header, row, expected) in [
        ("Phone,Status,Marked as Spam,Date", "{n},Subscribed,Yes,2026-11-01", "bad"),
        ("Phone,Status,Complaint,Date", "{n},Subscribed,Yes,2026-11-01", "bad"),
        ("Phone,Status,Complaint,Date", "{n},Subscribed,no cooling,2026-11-01", "in!"),
        ("Phone,Status,Reason", "{n},,Complaint", "bad"),
        ("Phone,Status,Message,Date", "{n},in,Reply STOP to opt out,2026-11-01", "in!"),
        ("Phone,Reply,Status", "{n},QUIT,Opted in", "bad"),
        ("Phone,Message Body,Status", "{n},end,", "bad"),
        ("Phone,SMS Status,Status", "{n},Stopped,Opted in", "bad"),
        ("Phone,SMS Status,Status", "{n},Delivered,Opted in", "in"),
        ("Phone,Notes,Status", "{n},D.N.C. per owner,Opted in", "bad"),
        ("Phone,Notes,Status", "{n},No texts!,Opted in", "bad"),
        ("Phone,Notes,Status", "{n},never call again,Opted in", "bad"),
        // What the row says of its number explains what is in its remarks.
        ("Phone,Email,SMS Opt Out,Reason", "{n},{e},yes,STOP", "out neither"),
    ] {
        expect(header, row, expected);
    }
}

#[test]
fn a_stop_of_what_the_row_does_not_have_is_told() {
    for (header, row, expected) in [
        ("Phone,Email,Channel,Status", "{n},,email,Opted Out", "bad"),
        ("Phone,Email,Channel,Status", "{n},,email,Opted In", "neither"),
        ("Phone,Email,Channel,Status", "{n},,post,Opted Out", "neither"),
        ("Phone,Email,Email Opt Out", "{n},,Yes", "bad"),
        ("Phone,Email Opt Out", "{n},Yes", "neither"),
        ("Email,Phone,Email Status,Opt-Out Date", "{e},{n},Unsubscribed,2026-11-01", "out neither"),
        ("Area Code,Number,Status", "818,5550142,Opted Out", "bad"),
        ("Phone,Status", "555-0142,Opted Out", "bad"),
        ("Phone,Name,Status", "{n},Ada", "bad"),
        ("Phone,Status,Name", "{n},Opted Out", "out"),
    ] {
        expect(header, row, expected);
    }
}

#[test]
fn why_a_value_is_neither_is_the_one_reason_that_is_true() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = ledger(&folder);
    for (header, row, why) in [
        ("Phone,Status", "{n},", "its status is blank"),
        ("Phone,Status", "{n},pending", "its status is no wish"),
        ("Phone,Channel,Status", "{n},email,Opted In", "another channel"),
        (
            "Phone,Email Opt Out",
            "{n},No",
            "no status of the row is about its channel: `Email Opt Out` is about e-mail, and this is a number",
        ),
    ] {
        let list = &mut list("a.csv", &text(header, row)).unwrap();
        let row = ledger.import(list, &Import::new()).unwrap().rows.remove(0);
        assert_eq!(row.verdict, Verdict::Neither);
        assert!(row.reason.contains(why), "{header}: {}", row.reason);
    }
}

#[test]
fn a_street_is_told_not_to_be_read_and_beside_addresses_it_is_one_to_be_mended() {
    let header = "Phone,Address,Status";
    let streets = list("a.csv", &text(header, "{n},12 Main St,unsubscribed")).unwrap();
    let unread: Vec<_> = streets.unread_columns().into_iter().map(|(column, _)| column).collect();
    assert_eq!(unread, ["Address"]);
    expect(header, "{n},12 Main St,unsubscribed", "out");
    expect(header, "{n},{e},unsubscribed\n8185550143,12 Main St,unsubscribed", "out out bad");
}

#[test]
fn a_permission_is_a_consent_and_what_may_be_one_is_no_opt_out() {
    for header in
        ["Permission", "Marketing permission", "Permission status", "consent", "Email consent"]
    {
        let header = format!("Email,{header}");
        for (cell, said) in [
            ("granted", "in"),
            ("Given", "in"),
            ("yes", "in"),
            ("denied", "out"),
            ("Not granted", "out"),
            ("declined", "out"),
            ("revoked", "out"),
            ("withdrawn", "out"),
            ("no", "out"),
        ] {
            expect(&header, &format!("{{e}},{cell}"), said);
        }
    }
    // Of an opt-out nobody knows what was granted.
    expect("Email,Opt out", "{e},granted", "bad");
    expect("Email,Opt out", "{e},denied", "bad");
    // What was allowed or accepted is not known: such a column makes no wish, and none against it.
    for header in ["Allowed", "Permitted", "Is accepted", "OK"] {
        let (header, how) = (format!("Email,{header}"), Import::new().says(Wish::Out));
        for (cell, said) in [("yes", "bad"), ("granted", "bad"), ("no", "out"), ("denied", "out")] {
            let row = format!("{{e}},{cell}");
            assert_eq!(imported(&text(&header, &row), &how).unwrap(), said, "{header}: {row}");
        }
    }
    // Neither is about messages.
    for header in ["Building permission", "Email status", "Estimate status"] {
        let header = format!("Email,{header}");
        let found = imported(&text(&header, "{e},accepted"), &Import::new().says(Wish::Out));
        assert_eq!(found.unwrap(), "out", "{header}");
    }
}
