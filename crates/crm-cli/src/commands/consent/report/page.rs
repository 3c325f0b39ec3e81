//! A report as one page.

use crm_bulk::page::{self, Section, foreign, time};
use crm_consent::{Act, ImportTold, SealTold, Source};
use maud::{Markup, html};

use super::counted::{Document, Earlier, Open, Punctual};
use crate::{
    commands::consent::{
        check::all_sound,
        markup::{at, key, policies, which_decides},
    },
    desk::SetTold,
    output::{count, crm},
};

/// What it is, by which an earlier one is known.
pub(super) const KIND: &str = "wishes";

/// The file beside the page.
pub(super) struct Beside {
    pub(super) name: String,
    pub(super) lines: u64,
    /// In hexadecimal digits.
    pub(super) sha256: String,
}

const IMPORTS: [&str; 2] = [
    "<table><thead><tr><th>List<th>Came in<th>Rows<th>New<th>Known<th>SHA-256</thead><tbody>",
    "</tbody></table>",
];
const SETS: [&str; 2] = [
    "<table><thead><tr><th>Set<th>Turned off<th>Undone<th>Applied by</thead><tbody>",
    "</tbody></table>",
];
const LIST: [&str; 2] = ["<ul>", "</ul>"];

/// The whole page.
pub(super) fn page(told: &Document, beside: &Beside) -> Markup {
    let ledger = &told.ledger;
    let rest = html! { "All are in " code { (foreign(&beside.name)) } "." };
    html! {
        (page::begin(KIND, "Wishes and what was done about them"))
        p {
            "From " b { (ledger.period.from) } " to " b { (ledger.period.to) }
            ", both days included, for tenant " (told.made.tenant)
            ". Wishes, lists and what was said of them are those that were taken into the ledger on these \
             days, whenever they were received."
            @if let Some(sentence) = told.other_days() { " Here " (sentence) "." }
        }
        @if let Some(fault) = &told.fault {
            p.note {
                b.bad { "The ledger was tampered with: " (fault) ". " }
                "What this page says of it is not proved."
            }
        }
        (tiles(told))
        (head(told))
        h2 { "Where wishes came from" }
        (sources(&ledger.sources))
        (section("Lists", IMPORTS, &ledger.imports, import, &rest))
        h2 { "What was turned off, and when" }
        (punctual(&told.turned_off, Some(&told.earlier)))
        @if told.other_kinds != Punctual::default() {
            h3 { "Kinds of messages other than marketing" }
            (punctual(&told.other_kinds, None))
        }
        (section("Sets that turned marketing off", SETS, &told.sets, set, &rest))
        h2 { "What is open" }
        (open(told.open.as_ref()))
        (section("What was taken back, done against a wish or removed", LIST, &ledger.acts, act, &rest))
        (rules(told))
        (section("Seals", LIST, &ledger.seals, seal, &rest))
        (section("Keys", LIST, &ledger.keys, key, &rest))
        h2 { "What this does not cover" }
        ul {
            li { "Whether a number takes text messages, and customers' own mail flags: no operation of the contacts API sets them." }
            li { "What other systems sent: they know of a wish by the list of " code { (crm()) " consent export" } " alone." }
            @for missing in &told.missing { li { (foreign(missing)) } }
        }
        h2 { "Who says so" }
        p {
            "The ledger, a file of whoever runs the program, and the change sets beside it. Its records are \
             chained; at the end of the chain stand, to be kept elsewhere:"
        }
        p { code { (ledger.head.count) ":" (ledger.head.hash) } }
        p {
            "All entries are in the file " code { (foreign(&beside.name)) } ", in " (beside.lines)
            @if beside.lines == 1 { " line" } @else { " lines" }
            " of CSV after the line of names. Its SHA-256 is " code { (beside.sha256) } "; " code { "sha256sum" }
            " prints the same for as long as nobody has changed it. What was done about one number, "
            code { (crm()) " consent prove" } " tells."
        }
        (page::end())
    }
}

/// A table or a list, of which a page shows what it has room for.
fn section<T>(
    heading: &'static str,
    around: [&'static str; 2],
    items: &[T],
    show: impl Fn(&T) -> Markup,
    rest: &Markup,
) -> Markup {
    let mut section = Section::new(heading, around);
    items.iter().for_each(|item| section.add(|| show(item)));
    section.markup(rest)
}

fn tiles(told: &Document) -> Markup {
    let sources = &told.ledger.sources;
    let off = |of: fn(&Punctual) -> u64| of(&told.turned_off) + of(&told.other_kinds);
    let sum = |of: fn(&Source) -> u64| sources.iter().map(of).sum::<u64>();
    let late_open = told.open.as_ref().map_or(0, |open| open.late);
    let all = [
        (late_open, "still on, too late", "bad"),
        (off(|off| off.late), "turned off late, or never", "bad"),
        (off(|off| off.not_shown), "off, in time not shown", "bad"),
        (told.earlier.late, "late after an earlier wish", "wait"),
        (off(|off| off.in_time), "turned off in time", "done"),
        (off(|off| off.wish_undated), "off, wish without a date", "wait"),
        (sum(|source| source.out), "wishes to be left alone", ""),
        (sum(|source| source.into), "wishes to be written to", ""),
    ];
    html! {
        ul.tiles {
            @for (count, word, class) in all {
                @if count > 0 || class.is_empty() { li { b class=(class) { (count) } (word) } }
            }
        }
    }
}

fn head(told: &Document) -> Markup {
    html! {
        dl {
            (told.made.markup())
            dt { "Ledger" }
            dd {
                @if told.fault.is_none() {
                    (all_sound(told.sound))
                } @else {
                    (count(told.sound, "record")) " before the fault"
                }
            }
        }
    }
}

fn sources(sources: &[Source]) -> Markup {
    html! {
        @if sources.is_empty() { p { "No wish was taken in." } }
        @else {
            table {
                thead { tr { th { "Source" } th { "Out" } th { "In" } th { "Not honoured" } } }
                tbody {
                    @for Source { source, out, into, not_honoured, .. } in sources {
                        tr {
                            td data-label="Source" { (foreign(source)) }
                            td data-label="Out" { (out) }
                            td data-label="In" { (into) }
                            td data-label="Not honoured" { (not_honoured) }
                        }
                    }
                }
            }
            p { small { "Not honoured are wishes to be written to that lack their time or their words." } }
        }
    }
}

fn import(told: &ImportTold) -> Markup {
    html! {
        tr {
            td data-label="List" {
                (foreign(&told.file)) br; small { "record " (told.record) }
                @if let Some(by) = told.retracted_by { br; b.bad { "taken back by record " (by) } }
            }
            td data-label="Came in" { (at(&told.at)) br; small { "by " (foreign(&told.by)) } }
            td data-label="Rows" {
                (told.rows)
                @if told.unreadable > 0 { br; small.bad { (told.unreadable) " cannot be read" } }
            }
            td data-label="New" { (told.out) " out, " (told.into) " in" }
            td data-label="Known" { (told.again) }
            td data-label="SHA-256" { small { code { (told.sha256) } } }
        }
    }
}

fn punctual(off: &Punctual, earlier: Option<&Earlier>) -> Markup {
    let earlier = earlier.filter(|earlier| earlier.late > 0);
    html! {
        ul {
            li { (count(off.in_time, "copy")) " of numbers and addresses by their last day." }
            li {
                (off.late) " later"
                @if off.late > 0 {
                    ": "
                    @for (index, (words, count)) in off.ranges().enumerate() {
                        @if index > 0 { ", " }
                        (count) " by " (words)
                    }
                    "; the latest by " (off.most_days_late) " days"
                }
                "."
            }
            @if off.not_shown > 0 {
                li {
                    (count(off.not_shown, "copy")) " first seen off or gone after the last day: that it was \
                     off in time is not shown."
                }
            }
            @if off.wish_undated > 0 {
                li {
                    (count(off.wish_undated, "copy")) " for wishes of which nobody knows when they were \
                     received, so neither whether that was in time."
                }
            }
            @if off.late_until_gone > 0 {
                li {
                    (off.late_until_gone) " of the late ones were never turned off: they received marketing \
                     until they were deleted or got another number or address."
                }
            }
            @if let Some(earlier) = earlier {
                li {
                    (count(earlier.late, "copy")) " received marketing, or may have, beyond the last day of a \
                     wish to be left alone that a later wish to be written to has ended; the latest by "
                    (count(u64::from(earlier.most_days_late), "day")) ". Nothing has to be done about them now, and they change no exit code."
                    @if earlier.not_shown > 0 {
                        " Of " (earlier.not_shown) " it is only not shown that they received none."
                    }
                }
            }
            @if off.policies_differ > 0 {
                li {
                    b.bad { (off.policies_differ) " of these have two last days: " }
                    "the policy in force at the wish and that of today differ, and the earlier one \
                     decides. Both are in the file below, as " code { "lastDay" } " and "
                    code { "otherLastDay" } "."
                }
            }
            @if off.taken_back > 0 {
                li {
                    (count(off.taken_back, "copy")) " for wishes that were taken back since. Nobody had \
                     asked for it, so their time is not judged."
                }
            }
            @if off.without_wish > 0 {
                li { (count(off.without_wish, "copy")) " for which no wish was known by then." }
            }
            @if off.value_unknown > 0 {
                li {
                    (count(off.value_unknown, "copy")) " by single writes, of contacts whose number or \
                     address is not known here."
                }
            }
        }
    }
}

fn set(told: &SetTold) -> Markup {
    html! {
        tr {
            td data-label="Set" { (foreign(&told.name)) }
            td data-label="Turned off" { (told.turned_off) }
            td data-label="Undone" { @if told.undone > 0 { b.bad { (told.undone) } } @else { "0" } }
            td data-label="Applied by" { (foreign(&told.applied_by.join(", "))) }
        }
    }
}

fn open(open: Option<&Open>) -> Markup {
    html! {
        p {
            @match open {
                None => "Not known: there is no mirror.",
                Some(Open { known_at, is_behind, copies, late, cannot_be_set, most_days_late, policies_differ, look_at, .. }) => {
                    (count(*copies, "copy")) @if *copies == 1 { " still receives, or may receive, what it" } @else { " still receive, or may receive, what they" }
                    " must not, by the mirror"
                    @if let Some(at) = known_at { " of " (time(*at)) }
                    "; " (late) " of them late"
                    @if *late > 0 { ", the latest by " (most_days_late) @if *most_days_late == 1 { " day" } @else { " days" } }
                    ". "
                    @if *cannot_be_set > 0 { b.bad { (cannot_be_set) " of them cannot be set. " } }
                    @if *policies_differ > 0 {
                        b.bad { "Of " (policies_differ) " another policy gives a later last day. " }
                    }
                    @if *is_behind {
                        b { "Something was sent since, so some of it may be done. " }
                    }
                    @if *look_at > 0 {
                        "A person has to look at " (look_at) " more, whose numbers may be ones that are out. "
                    }
                    "Each is a line " code { "due" } " of the file below; " code { (crm()) " consent due" } " lists them."
                }
            }
        }
    }
}

fn act(act: &Act) -> Markup {
    let what = match act.kind.as_str() {
        "retraction" => "Taken back",
        "override" => "Marketing was turned on against it",
        "redaction" => "Personal data was removed",
        other => other,
    };
    html! {
        li {
            (what)
            @if let Some(of) = act.of { ": record " (of) }
            @if let Some(target) = &act.target { ", for " (foreign(target)) }
            ", on " (at(&act.at)) " by " (foreign(&act.by))
            @if let Some(reason) = &act.reason { ": “" (foreign(reason)) "”" }
            " (record " (act.record) ")"
        }
    }
}

fn rules(told: &Document) -> Markup {
    html! {
        h2 { "By which rules" }
        (which_decides())
        (policies(&told.ledger.policies))
    }
}

fn seal(seal: &SealTold) -> Markup {
    html! {
        li {
            (at(&seal.at)) " by " (foreign(&seal.by)) ", over " (seal.head.count) " records, "
            @match &seal.stamped {
                Some(stamped) => { "time stamp of " (at(stamped)) }
                None => "without a time stamp",
            }
            " (record " (seal.record) ")" br; small {
                "Head " code { (seal.head.hash) } ", key " code { (seal.key) }
            }
        }
    }
}
