//! What the name of a list says of the people in it.

use std::path::Path;

use super::{
    polarity::Polarity,
    vocabulary::{Way, spelled, way},
    wish::Wish,
};

/// Words of lists of people who wish neither.
const NEITHER: [&str; 3] = ["nonsubscribed", "cleaned", "bounced"];
/// Words by themselves, where a name is no header that says what `yes` means.
const OUT: [&str; 4] = ["donot", "revoked", "suppression", "blacklist"];
const IN: [&str; 4] = ["resubscribed", "resubscribe", "whitelist", "allowlist"];
/// Words before what somebody may be reached by.
const LETS: [&str; 8] = ["do", "ok", "okay", "can", "allow", "allowed", "permission", "permitted"];

/// The name of the file of a list.
pub(super) fn file_name(name: &str) -> String {
    let file = Path::new(name).file_name().unwrap_or_default();
    file.to_string_lossy().into_owned()
}

/// Whether a list's name says that it is one of other people than those who wish this: of some tools
/// nothing else shows it. One that can be read both ways, as `dnc removed`, does.
pub(crate) fn is_named_against(name: &str, wish: Wish) -> bool {
    let file = file_name(name);
    let name = file.rsplit_once('.').map_or(&*file, |(stem, _)| stem);
    let words = spelled(name);
    let has = |of: &[&str]| words.iter().any(|word| of.contains(&word.as_str()));
    let reaches =
        |word: &str| word == "contact" || way(word).is_some_and(|of| of != Way::Elsewhere);
    let lets = |pair: &[String]| match pair {
        [word, next, ..] if LETS.contains(&word.as_str()) => {
            reaches(next) || (next == "to" && pair.get(2).is_some_and(|word| reaches(word)))
        }
        _ => false,
    };
    let Polarity { sure, is_unclear, names_wish, .. } = Polarity::of(name);
    let of_name = if has(&NEITHER) || (names_wish && is_unclear) {
        Some(Wish::Neither)
    } else if sure.is_some() {
        sure
    } else if has(&IN) || (0..words.len()).any(|at| lets(&words[at..])) {
        Some(Wish::In)
    } else {
        has(&OUT).then_some(Wish::Out)
    };
    let of_command = if wish == Wish::In { Wish::In } else { Wish::Out };
    of_name.is_some_and(|of_name| of_name != of_command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_speaks_against_a_wish_or_says_nothing_of_it() {
        for (against_out, against_in, names) in [
            (
                true,
                false,
                "subscribed_members_export_1.csv|resubscribed.csv|Subscribers 2026.csv|opt-ins.csv|\
                 sms_opted_in.csv|not-opted-out.csv|NotOptedOut.csv|not_unsubscribed_members.csv|\
                 do_call_list.csv|Do Call.csv|ok to text.csv|can-email.csv|consented.csv|\
                 /data/unsubscribed/subscribed.csv",
            ),
            (
                false,
                true,
                "unsubscribed_members_export_1.csv|OptOuts.csv|do-not-call.csv|suppression list.csv|\
                 DNC.csv|D.N.C. list.csv|not opted in.csv|no_consent.csv|revoked.csv|\
                 consent withdrawn.csv|do not contact.csv|don't text.csv|unsubs 2026-11.csv",
            ),
            (
                true,
                true,
                "cleaned_members_export_1.csv|nonsubscribed_1.csv|bounced.csv|dnc removed.csv|\
                 non_dnc.csv|not on dnc.csv|dnc-scrubbed.csv|without opt-outs.csv|no opt outs.csv",
            ),
            (
                false,
                false,
                "customers.csv|list.csv|calls in May.csv|email list.csv|newsletter.csv|todo.csv|\
                 do later.csv|status.csv|opt_in_out.csv|stdin",
            ),
        ] {
            for name in names.split('|') {
                let found = [Wish::Out, Wish::In].map(|wish| is_named_against(name, wish));
                assert_eq!(found, [against_out, against_in], "{name}");
            }
        }
    }
}
