//! A proof as one page, for somebody who asks what was done about a number.

use crm_bulk::page::{self, foreign};
use crm_consent::{
    Act, Came, Clock, CopyVerdict, Heard, Lateness, Proved, Ruling, ShownSeal, Wish,
};
use maud::{Markup, html};

use super::{
    by_hand,
    judged::arrival,
    told::{Copy, Document},
};
use crate::{
    commands::consent::{
        check::all_sound,
        markup::{at, key, policies, which_decides},
    },
    desk::Event,
    output::{count, crm},
};

/// What it is, by which an earlier one is known.
pub(super) const KIND: &str = "proof";

/// What is beside the page.
pub(super) struct Beside {
    pub(super) name: String,
    /// In hexadecimal digits.
    pub(super) sha256: String,
}

/// The whole page.
pub(super) fn page(told: &Document, beside: Option<&Beside>) -> Markup {
    html! {
        (page::begin(KIND, "What was wished, and what was done"))
        (in_short(told))
        (tiles(told))
        (head(told))
        h2 { "Who said what" }
        @if told.proof.wishes.is_empty() { p { "Nobody: the ledger has no wish of this number or address." } }
        @for wish in &told.proof.wishes { (wish_of(wish, told)) }
        @if !told.proof.may_be.is_empty() {
            h2 { "Who may be the same" }
            p {
                "These wishes are of numbers that may be this one: one of the two lacks its area code, \
                 or can be read in two ways. Only a person can say whether it is."
            }
            @for heard in &told.proof.may_be { (heard_of(heard, &[], told)) }
        }
        @if !told.proof.acts.is_empty() { (acts(&told.proof.acts)) }
        h2 { "What was done" }
        @if told.copies.is_empty() {
            p { "No customer, location or person that is known has it, or had it." }
        }
        @for copy in &told.copies { (copy_of(copy)) }
        h2 { "What this does not cover" }
        ul { @for sentence in &told.not_covered { li { (foreign(sentence)) } } }
        (rules(told))
        (chain(told))
        (by_hand(told, beside))
        (page::end())
    }
}

/// The answer in one paragraph; in two where another wish counts for other kinds of messages.
fn in_short(told: &Document) -> Markup {
    let (marketing, all_kinds) = (told.proof.marketing, told.proof.all_kinds);
    let differs = all_kinds.wish.is_some() && all_kinds.decided_by != marketing.decided_by;
    let messages = if differs { ", for marketing" } else { "" };
    html! {
        p {
            "About " b { (foreign(&told.asked)) } (messages) ": "
            (in_short_by(told, marketing, told.clock.as_ref()))
        }
        @if differs {
            p {
                "For other kinds of messages: "
                (in_short_by(told, all_kinds, told.clock_of_all_kinds.as_ref()))
            }
        }
        @for (_, clock) in told.clocks() {
            @if let Some(two_days) = clock.two_days() {
                p.note { b.bad { (two_days) } " The policies are below, under “By which rules”." }
            }
        }
        @if let Some(fault) = &told.check.fault {
            p.note {
                b.bad { "The ledger was tampered with: " (fault) ". " }
                "What this page says of it is not proved."
            }
        }
    }
}

fn in_short_by(told: &Document, ruling: Ruling, clock: Option<&Clock>) -> Markup {
    let decided = |wish: &&Proved| Some(wish.heard.record) == ruling.decided_by;
    let decides = told.proof.wishes.iter().find(decided).map(|wish| &wish.heard);
    html! {
        @match (ruling.wish, decides) {
            (Some(Wish::Out), Some(heard)) => {
                "the last wish that counts is to be " b { "left alone" } ", " (received(heard))
                " (record " (heard.record) ")."
            }
            (Some(Wish::In), Some(heard)) => {
                "the last wish that counts is to be " b { "written to" } ", " (received(heard))
                " (record " (heard.record) ")."
            }
            _ => { (without_wish(told)) }
        }
        @if let Some(clock) = clock {
            @let has = if clock.days_late(told.made.made_at) > 0 { "had" } else { "has" };
            @if Some(clock.record) == ruling.decided_by { " It " (has) }
            @else { " It was first said so in record " (clock.record) ", and " (has) }
            " to be heeded by "
            b { (clock.counted.last_day) } ": " (clock.counted.in_words()) "."
        }
    }
}

/// That no wish counts, and why, where there is one.
fn without_wish(told: &Document) -> String {
    let wishes = told.proof.wishes.as_slice();
    let are_taken_back = wishes.iter().all(|wish| wish.heard.retracted);
    let own = match wishes {
        [] if told.proof.may_be.is_empty() => return "no wish is recorded.".to_owned(),
        [] => "no wish of its own is recorded".to_owned(),
        [_] if are_taken_back => "the wish that is recorded was taken back".to_owned(),
        _ if are_taken_back => "the wishes that are recorded were taken back".to_owned(),
        [_] => "the wish that is recorded does not count".to_owned(),
        all => format!("none of the {} wishes that are recorded counts", all.len()),
    };
    if told.proof.may_be.is_empty() {
        format!("{own}, as told below.")
    } else {
        format!("{own}, but there is one of a number that may be the same.")
    }
}

fn received(heard: &Heard) -> Markup {
    html! {
        @match &heard.received {
            Some(received) => { "received " (moment_of(heard, received)) }
            None => { "of which nobody knows when it was received" }
        }
    }
}

/// When it was received, in the one form of all times where the time is known.
fn moment_of(heard: &Heard, received: &str) -> Markup {
    html! {
        @match &heard.received_between {
            Some([earliest, latest]) if earliest == latest => (at(earliest)),
            Some(_) => { "on " (foreign(received)) }
            None => (foreign(received)),
        }
    }
}

/// What may become of a copy, in words and with its class, the worst first.
const VERDICTS: [(CopyVerdict, &str, &str); 12] = [
    (CopyVerdict::Overdue, "still on, too late", "bad"),
    (CopyVerdict::Late, "turned off late", "bad"),
    (CopyVerdict::LateUntilGone, "late until they were gone", "bad"),
    (CopyVerdict::NotShown, "off, in time not shown", "bad"),
    (CopyVerdict::NotShownUntilGone, "gone, in time not shown", "bad"),
    (CopyVerdict::Unknown, "not known", "wait"),
    (CopyVerdict::Open, "still on, time is left", "wait"),
    (CopyVerdict::WishUndated, "off, wish without a date", "wait"),
    (CopyVerdict::InTime, "off in time", "done"),
    (CopyVerdict::BeforeTheWish, "off before the wish", "done"),
    (CopyVerdict::Gone, "no longer there", "done"),
    (CopyVerdict::NoWish, "without a wish that counts", "done"),
];

/// Counts each copy once, by the worst that became of it.
fn tiles(told: &Document) -> Markup {
    let worst = |copy: &Copy| {
        let place = |of: &Lateness| VERDICTS.iter().position(|(are, ..)| *are == of.now.verdict);
        copy.judged().filter_map(place).min()
    };
    let worst: Vec<_> = told.copies.iter().filter_map(worst).collect();
    let earlier = told.late_earlier();
    html! {
        ul.tiles {
            li { b { (told.copies.len()) } @if told.copies.len() == 1 { "copy found" } @else { "copies found" } }
            @for (place, (_, word, class)) in VERDICTS.iter().enumerate() {
                @let count = worst.iter().filter(|of| **of == place).count();
                @if count > 0 { li { b class=(class) { (count) } (word) } }
            }
            @if earlier > 0 { li { b.wait { (earlier) } "late after an earlier wish" } }
        }
    }
}

fn head(told: &Document) -> Markup {
    let proof = &told.proof;
    html! {
        dl {
            dt { "Asked for" } dd { (foreign(&told.asked)) }
            dt { "Read as" } dd { code { (foreign(&proof.key)) } }
            dt { "For marketing" } dd { (ruling(proof.marketing)) }
            dt { "For all kinds of messages" } dd { (ruling(proof.all_kinds)) }
            (told.made.markup())
            dt { "Ledger" }
            dd {
                @if told.check.fault.is_none() {
                    (all_sound(proof.head.count))
                } @else {
                    (count(told.check.sound, "record")) " as written, then a fault"
                }
            }
        }
    }
}

fn ruling(ruling: Ruling) -> Markup {
    html! {
        @match (ruling.wish, ruling.decided_by) {
            (Some(Wish::Out), Some(record)) => { "to be left alone, by record " (record) }
            (Some(Wish::In), Some(record)) => { "may be written to, by record " (record) }
            _ => "no wish that counts",
        }
    }
}

fn wish_of(Proved { heard, came, .. }: &Proved, told: &Document) -> Markup {
    let is_removed = heard.value.is_none();
    let counts = heard.honoured && !heard.retracted;
    html! {
        (heard_of(heard, came, told))
        @if is_removed {
            p.note {
                "What was personal in this record was removed from the ledger. The record is found by \
                 the keyed digest of the value, " code { (told.proof.digest) } ", which is still in it"
                @if counts { "; its wish still counts" } "."
            }
        }
    }
}

fn heard_of(heard: &Heard, came: &[Came], told: &Document) -> Markup {
    let wish = match heard.wish {
        Wish::Out => "To be left alone",
        Wish::In => "To be written to",
    };
    html! {
        h3 { (wish) ", record " (heard.record) }
        dl {
            @if let Some(value) = &heard.value { dt { "As it was given" } dd { (foreign(value)) } }
            @if let Some(key) = &heard.key { dt { "As it was read" } dd { code { (foreign(key)) } } }
            dt { "In the words" }
            dd {
                @match &heard.words {
                    Some(words) => { "“" (foreign(words)) "”" }
                    None if heard.value.is_none() => "what there was is removed",
                    None => "none are recorded",
                }
            }
            dt { "Received" }
            dd {
                @match (&heard.received, &heard.received_between) {
                    (None, _) => "nobody knows when",
                    (Some(received), Some([earliest, latest])) if earliest != latest => {
                        (foreign(received)) ", a day without a time, read as one of "
                        (told.zone_of(heard)) ": between " (at(earliest)) " and " (at(latest))
                    }
                    (Some(received), _) => {
                        (moment_of(heard, received)) ", in the ledger as “" (foreign(received)) "”"
                        @if !has_zone(received) {
                            ", a time without a zone, read as one of " (told.zone_of(heard))
                        }
                    }
                }
            }
            dt { "For" } dd { (heard.scope) @if heard.scope == crm_consent::Scope::All { " kinds of messages" } }
            @if let Some(place) = &heard.place { dt { "Where" } dd { (foreign(place)) } }
            @if let Some(by) = &heard.taken_by { dt { "Taken by" } dd { (foreign(by)) } }
            @for Came { import, row, file, sha256, tool, imported_at, imported_by, retracted_by, .. } in came {
                dt { "Came with the list" }
                dd {
                    (foreign(file))
                    @if let Some(row) = row { ", line " (row) }
                    @if let Some(tool) = tool { ", of " (foreign(tool)) }
                    ", import " (import) " on " (at(imported_at)) " by " (foreign(imported_by))
                    @if let Some(record) = retracted_by { ", " b.bad { "taken back by record " (record) } }
                    br; small { "SHA-256 of the file " code { (sha256) } }
                }
            }
            dt { "In the ledger since" } dd { (at(&heard.recorded_at)) ", by " (foreign(&heard.recorded_by)) }
            dt { "Counts" }
            dd {
                @if heard.retracted { b.bad { "no: it was taken back" } }
                @else if !heard.honoured { b.bad { "no: it lacks its time or its words" } }
                @else { "yes" }
            }
        }
    }
}

/// Whether a time says how far it is from that of Greenwich.
fn has_zone(received: &str) -> bool {
    received.parse::<jiff::Timestamp>().is_ok()
}

fn acts(acts: &[Act]) -> Markup {
    html! {
        h2 { "What was said of it since" }
        ul {
            @for Act { record, kind, at: when, by, of, reason, target, .. } in acts {
                li {
                    @match kind.as_str() {
                        "retraction" => { "Taken back" @if let Some(of) = of { ": record " (of) } }
                        "override" => {
                            b.bad { "Marketing was turned on against it" }
                            @if let Some(of) = of { ", record " (of) }
                            @if let Some(target) = target { ", for " (foreign(target)) }
                        }
                        "redaction" => { "Its value was removed" @if let Some(of) = of { ": record " (of) } }
                        kind => { (foreign(kind)) @if let Some(of) = of { ": record " (of) } }
                    }
                    ", on " (at(when)) " by " (foreign(by))
                    @if let Some(reason) = reason { ": “" (foreign(reason)) "”" }
                    " (record " (record) ")"
                }
            }
        }
    }
}

fn copy_of(copy: &Copy) -> Markup {
    let class = |judged: &Lateness| if judged.is_late() { "bad" } else { "" };
    let others = copy.other_kinds.iter().map(|of| (&of.judged, &of.says));
    let told = std::iter::once((&copy.judged, &copy.says)).chain(others);
    let value = copy.value.as_deref().unwrap_or_default();
    let is_traced = copy.events.iter().any(|event| event.trace_id.is_some());
    html! {
        h3 { (foreign(&copy.place())) }
        @for (judged, says) in told {
            p {
                b class=(class(judged)) { (foreign(says)) }
                @if let Some(clock) = &judged.now.clock {
                    @match judged.now.arrival.as_ref().filter(|_| clock.of_copy) {
                        Some(came) => {
                            " " (arrival(came, value)) " of record " (clock.record)
                            ", so it has a time of its own: " (clock.counted.in_words()) "."
                        }
                        None => { " Its time is that of the wish of record " (clock.record) "." }
                    }
                }
            }
        }
        @if let Some(now) = &copy.now { p { (foreign(&now.says())) } }
        p {
            small {
                @if let Some(value) = &copy.value { "Written as " (foreign(value)) ". " }
                @if let Some(created) = &copy.created { "Created on " (at(created)) ". " }
            }
        }
        @if copy.events.is_empty() { p { "Nothing was done to it from here." } }
        @else {
            table {
                thead {
                    tr {
                        th { "When" } th { "Change" } th { "By" } th { "Through" } th { "Outcome" }
                        @if is_traced { th { "Trace id" } }
                    }
                }
                tbody { @for event in &copy.events { (event_of(event, is_traced)) } }
            }
        }
    }
}

fn event_of(event: &Event, is_traced: bool) -> Markup {
    let Event {
        by, planned_by, action, change, state, through, trace_id, undone, read_back, ..
    } = event;
    html! {
        tr {
            td data-label="When" {
                @match (&event.at, event.found_at()) {
                    (Some(when), _) => { (at(when)) }
                    (None, Some(found)) => { "found on " (at(found)) }
                    (None, None) => {}
                }
            }
            td data-label="Change" {
                @match action.as_str() { "create" => "Created: ", "delete" => "Deleted: ", _ => "" }
                (foreign(change))
            }
            td data-label="By" {
                @if let Some(by) = by { (foreign(by)) }
                @if let Some(planned_by) = planned_by {
                    @if by.is_some() { br; }
                    small { "planned by " (foreign(planned_by)) }
                }
            }
            td data-label="Through" { (foreign(through)) }
            td data-label="Outcome" {
                @match state.as_str() {
                    "already" => "was so already",
                    "planned" => "planned, not applied",
                    state => (foreign(state)),
                }
                @if *undone == Some(true) { br; b.bad { "undone" } }
                @if let Some(found) = read_back {
                    br; b.bad { "read back on " (page::time(found.at)) ": " (foreign(&found.found)) }
                }
            }
            @if is_traced {
                td data-label="Trace id" { @if let Some(id) = trace_id { (foreign(id)) } }
            }
        }
    }
}

fn rules(told: &Document) -> Markup {
    html! {
        h2 { "By which rules" }
        (which_decides())
        (policies(&told.proof.policies))
    }
}

fn chain(told: &Document) -> Markup {
    let proof = &told.proof;
    html! {
        h2 { "Who says so, and how firmly" }
        p {
            "The ledger of tenant " (told.made.tenant) " says so, a file of whoever runs the program, and the \
             change sets beside it. Records are only added to the ledger, each with the hash of the one \
             before in its own; none can be altered, removed or moved without changing the last hash. \
             Whoever holds the file could have written all of it anew, unless this count and this hash \
             were kept elsewhere at the time:"
        }
        p { code { (proof.head.count) ":" (proof.head.hash) } }
        @if proof.seals.is_empty() {
            p {
                "Nobody has signed that: the ledger has no seal. " code { (crm()) " consent seal" }
                " makes one, to be kept elsewhere."
            }
        } @else {
            p {
                (covered(told)) " A seal \
                 shows what was in the ledger when it was made, to whoever was given it then. Whoever \
                 has the key can sign again, with any time; only the time stamp of an authority proves \
                 a time."
            }
            ul { @for shown in &proof.seals { (seal(shown)) } }
        }
        @if !proof.keys.is_empty() {
            h3 { "Which keys signed" }
            p {
                "A key is named by its fingerprint, the SHA-256 of the public key. Compare it with the one \
                 that you were given elsewhere: this page comes from whoever holds the ledger."
            }
            ul { @for shown in &proof.keys { (key(shown)) } }
        }
        p {
            "Names of users are those of the operating system. Who “took” a wish, and what somebody is \
             said to have said, nobody has checked."
        }
        table.even {
            thead { tr { th { "Record" } th { "What it is" } th { "Hash, and commitment to what is personal" } } }
            tbody {
                @for record in &proof.records {
                    tr {
                        td data-label="Record" { (record.number) }
                        td data-label="What it is" { (foreign(&record.kind)) }
                        td data-label="Hash" {
                            code { (record.hash) }
                            @if let Some(commitment) = &record.commitment { br; small { code { (commitment) } } }
                        }
                    }
                }
            }
        }
    }
}

/// What the seals of a proof are over.
fn covered(told: &Document) -> String {
    match (told.unsealed(), told.proof.seals.len()) {
        (Some(unsealed), _) => unsealed,
        (None, 1) => "This seal is over all wishes above, and all that decides about them.".to_owned(),
        _ => {
            "These seals sign it: the first one over all wishes above, and the last one, over all that \
             decides about them.".to_owned()
        }
    }
}

fn seal(shown: &ShownSeal) -> Markup {
    let ShownSeal { record, head, at: when, by, key, signature, stamp, .. } = shown;
    html! {
        li {
            "Signed on " (at(when)) " by " (foreign(by)) ", over " (count(head.count, "record")) " (record "
            (record) "); "
            @match stamp {
                Some(stamp) => {
                    "seen by " (foreign(&stamp.authority)) " on " (at(&stamp.time)) ", as its time stamp says"
                }
                None => "without a time stamp",
            }
            br; small {
                "Head " code { (head.hash) } ", key " code { (key) } ", signature "
                code { (signature) }
            }
        }
    }
}

fn by_hand(told: &Document, beside: Option<&Beside>) -> Markup {
    let name = beside.map_or("proof.json", |beside| beside.name.as_str());
    html! {
        h2 { "How to check it without us" }
        @if let Some(Beside { name, sha256 }) = beside {
            p {
                "All of this is also in the file " code { (foreign(name)) } ", with the text that each \
                 hash is over. The file's SHA-256 is " code { (sha256) } "; " code { "sha256sum" }
                " prints the same for as long as nobody has changed it. A list that was kept is the one \
                 that came in, if it makes the SHA-256 above of that."
            }
        }
        p {
            "The lines below need that file, " code { "jq" } ", " code { "sha256sum" } " and "
            code { "openssl" } ", in a shell in its folder."
        }
        @if let Some(first) = told.proof.records.first() {
            p {
                "The hash of a record, here of record " (first.number) ", and the commitment that \
                 stands in it, of the very words and the number; " code { "1" } " in place of " code { "0" }
                " is the next one:"
            }
            (lines(&by_hand::record(first, name)))
        }
        p {
            @if told.chain_left_out == 0 {
                "The same for each of " code { ".chain" } ": the hash of each stands at the beginning of \
                 the next one's text, up to the last one, which is the hash above. So these records are \
                 in that chain; the book has the loop."
            } @else {
                "That these records are in the chain up to the hash above takes the "
                (told.chain_left_out) " records that follow the first of them, which are not in this \
                 file: " code { (crm()) " consent prove --with-chain" } " puts them in."
            }
        }
        @for (place, seal) in told.proof.seals.iter().enumerate() {
            @if seal.public_key.is_some() {
                p {
                    "The signature of the seal in record " (seal.record) ". The last line prints the \
                     fingerprint of the key, "  code { (seal.key) } ":"
                }
                (lines(&by_hand::signature(place, name)))
            }
            @if let Some(stamp) = &seal.stamp {
                p {
                    "Its time stamp, with " code { "root.pem" } ", the root certificate that "
                    (foreign(&stamp.authority)) " publishes:"
                }
                (lines(&by_hand::stamp(place, name)))
            }
        }
        p { "With the ledger itself:" }
        (lines(&format!(
            "{} consent check --against {}:{}",
            crm(),
            told.proof.head.count,
            told.proof.head.hash
        )))
    }
}

/// Lines for a shell.
fn lines(text: &str) -> Markup {
    html! { pre { code { (text) } } }
}
