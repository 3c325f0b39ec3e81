//! What a row says about the wish of its person.

use std::sync::LazyLock;

use crm_values::is_invisible;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{
    channels::Channels,
    labels::is_label,
    parts::Parts,
    polarity::Polarity,
    vocabulary::{Way, is_about, is_known, is_no_message, spelled, way},
    wish::{Wish, together},
    words::words,
};

/// A column that says what people wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) channels: Channels,
    /// Whether its header has a word that is not known: nobody can say what the wish is about.
    pub(super) is_vague: bool,
    /// Whether it has no header: nobody can say what yes and no below it mean.
    pub(super) is_unnamed: bool,
    /// What `yes` means by the header; `None` where it says nothing.
    yes: Option<Wish>,
    /// Whether its cells are what people sent: YES is a consent there.
    are_replies: bool,
    /// Whether its header has a word of being left alone.
    names_out: bool,
}

/// Words of which one is in the header of a column of what people sent.
const REPLIES: [&str; 5] = ["keyword", "reply", "replies", "response", "respons"];

/// Texts without case, blanks and punctuation.
const OUT: [&str; 19] = [
    "optout",
    "optedout",
    "out",
    "unsubscribed",
    "unsubscribe",
    "stop",
    "stopall",
    "end",
    "cancel",
    "quit",
    "arret",
    "revoke",
    "revoked",
    "dnc",
    "dnd",
    "donotcontact",
    "suppressed",
    "complaint",
    "complained",
];
const IN: [&str; 8] =
    ["optin", "optedin", "in", "subscribed", "subscribe", "start", "unstop", "resubscribed"];
const NEITHER: [&str; 8] = [
    "",
    "neversubscribed",
    "nonsubscribed",
    "notsubscribed",
    "pending",
    "bounced",
    "cleaned",
    "unconfirmed",
];
/// What a consent that was asked for is: yes and no of it, and nothing of being left alone.
const GIVEN: [&str; 6] = ["granted", "given", "allowed", "permitted", "agreed", "accepted"];
const DENIED: [&str; 10] = [
    "denied",
    "declined",
    "refused",
    "rejected",
    "withdrawn",
    "withheld",
    "notgranted",
    "notgiven",
    "notallowed",
    "notpermitted",
];
const YES: [&str; 13] =
    ["yes", "true", "1", "y", "on", "x", "✓", "✔", "☑", "oui", "si", "ja", "sim"];
const NO: [&str; 8] = ["no", "false", "0", "n", "off", "non", "nein", "nao"];

/// Headers of a column whose cells alone say which wish it is.
const NAMES: [&str; 3] = ["status", "opted", "opt"];
/// Headers of a column of yes and no that may say whether somebody receives messages, besides ways.
const BARE: [&str; 7] =
    ["phone", "contact", "contactable", "message", "promotion", "communication", "flag"];

/// Parts of words that refer to nothing but a consent.
const TELLING: [&str; 8] =
    ["subscri", "optin", "optout", "optedin", "optedout", "stop", "dnc", "donot"];

/// Parts of words of which a remark about a wish has one; hardly any other cell of a list has.
static REMARKED: LazyLock<Parts> = LazyLock::new(|| {
    Parts::of(&[
        "opt",
        "sub",
        "stop",
        "dn",
        "d.n",
        "not",
        "don",
        "consent",
        "suppress",
        "marketing",
    ])
});
/// How many bytes a remark has at most that is the word of a wish and no more.
const LONGEST_REMARK: usize = 40;

/// Whether a column has no header, or the one that a list without a header gives it.
fn has_no_name(header: &str) -> bool {
    let number = header.trim().strip_prefix("column_");
    header.trim().is_empty() || number.is_some_and(|number| number.parse::<u16>().is_ok())
}

/// Whether a header with this word and a no may speak of messages.
fn is_reach(word: &str) -> bool {
    const REACHES: [&str; 4] = ["stop", "contact", "marketing", "disturb"];
    REACHES.contains(&word) || way(word).is_some_and(|way| way != Way::Elsewhere)
}

/// A word as it is compared: letters and digits in lower case, or a sign if it is alone.
fn squeezed(text: &str) -> String {
    // Without accents: `ARRÊT` is `ARRET`.
    let text: String = if text.is_ascii() { text.to_owned() } else { text.nfkd().collect() };
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    let letters: String = letters.flat_map(char::to_lowercase).collect();
    if letters.is_empty() { text.trim().trim_matches('-').to_owned() } else { letters }
}

/// Whether the signs of a text change nothing of what its word says. A sign that is alone is the word.
fn is_plain(text: &str) -> bool {
    const QUOTES: &str = "'\"`´‘’“”«»";
    const DASHES: &str = "-_‐‑‒–—―−";
    let is_of_word = |c: char| {
        c.is_alphanumeric() || c.is_whitespace() || is_combining_mark(c) || is_invisible(c)
    };
    let is_plain = |c: char| is_of_word(c) || ".,".contains(c) || DASHES.contains(c);
    let text = text.trim_matches(|c: char| c.is_whitespace() || QUOTES.contains(c));
    text.trim_end_matches('!').chars().all(is_plain) || !text.contains(char::is_alphanumeric)
}

/// What the cells under one header have shown so far of being a status.
#[derive(Debug)]
pub(super) struct Flags {
    /// Whether the header ends in `status`.
    is_called_so: bool,
    has_cells: bool,
    /// Whether all are flags rather than values, yes and no among them.
    all: bool,
    /// Whether all are words of consents, more than yes or no.
    all_words: bool,
    /// Whether one says that somebody wishes marketing, or none, and cannot mean anything else.
    tells: bool,
}

impl Flags {
    pub(super) fn under(header: &str) -> Self {
        let is_called_so = words(header).last().is_some_and(|last| last == "status");
        Self { is_called_so, has_cells: false, all: true, all_words: true, tells: false }
    }

    /// Looks at one more cell that is not blank.
    pub(super) fn add(&mut self, cell: &str) {
        self.has_cells = true;
        // Under most headers the first cell settles it, and a list has millions of cells.
        if !self.all && (self.tells || !self.is_called_so) {
            return;
        }
        let text = squeezed(cell);
        let is = |lists: &[&[&str]]| lists.iter().any(|words| words.contains(&text.as_str()));
        let is_word = is(&[&OUT, &IN, &NEITHER]);
        let is_flag = is_word || is(&[&YES, &NO, &GIVEN, &DENIED]);
        self.all &= is_flag;
        self.all_words &= is_word;
        self.tells |= is_flag && TELLING.iter().any(|part| text.contains(part));
    }

    /// Whether all cells are blank.
    pub(super) fn are_blank(&self) -> bool {
        !self.has_cells
    }

    /// Whether all cells are flags: such a column is not read for numbers or addresses.
    pub(super) fn are_all(&self) -> bool {
        self.has_cells && self.all
    }
}

impl Status {
    /// The keyword that somebody sent.
    pub(super) const KEYWORD: Self = Self {
        channels: Channels::ALL,
        is_vague: false,
        is_unnamed: false,
        yes: None,
        are_replies: true,
        names_out: false,
    };

    /// Returns the status that a header names, if it is the header of one.
    pub(super) fn of(header: &str) -> Option<Self> {
        let words = spelled(header);
        if words.last().is_some_and(|last| is_about(last))
            || words.iter().any(|word| word == "date" || word == "reason")
        {
            return None;
        }
        let polarity = Polarity::of(header);
        let of_wish = polarity.names_wish && polarity.is_unclear;
        let is_called_so = matches!(words.as_slice(), [sole] if NAMES.contains(&sole.as_str()));
        let is_status = polarity.sure.is_some() || of_wish || is_called_so;
        is_status.then(|| Self::named(&words, polarity, polarity.sure))
    }

    /// Returns the status if the cells under a header are those of one, though the header alone
    /// does not say so. Under a header that ends in `status`, it is enough that one word cannot
    /// mean anything else, or that all are words of consents, or blank. Under any other header, all cells
    /// must be such words or yes and no, and either one of them cannot mean anything else or the
    /// header can be read so. A header with words that are not known says nothing.
    pub(super) fn shown(header: &str, cells: &Flags) -> Option<Self> {
        let words = spelled(header);
        let polarity = Polarity::of(header);
        // `SMS: no` is no consent, and `SMS: yes` may say many things.
        let is_way =
            |word: &str| matches!(way(word), Some(Way::Texts | Way::Calls | Way::Addresses));
        let is_bare = |word: &String| is_way(word) || BARE.contains(&word.as_str());
        let says_nothing = polarity.sure.is_none() && polarity.of_flags.is_none();
        if has_no_name(header) && cells.are_all() && !cells.tells {
            let status = Self::named(&words, polarity, None);
            return Some(Self { is_vague: true, is_unnamed: true, ..status });
        }
        let are_bare = !words.is_empty() && words != ["flag"] && words.iter().all(is_bare);
        if are_bare && says_nothing && cells.are_all() {
            // What somebody sent answers anything: `no` is no wish.
            let are_replies = words.iter().all(|word| ["message", "text"].contains(&word.as_str()));
            let yes = (!are_replies).then_some(Wish::In);
            let status = Self::named(&words, polarity, yes);
            return Some(Self { is_vague: !cells.tells, are_replies, ..status });
        }
        let status = Self::named(&words, polarity, polarity.of_flags);
        let (yes, is_clear) = (polarity.of_flags, !status.is_vague);
        // `Asked to stop` and `Ask not to call` have a word that is not known, and may be wishes.
        let asks = yes == Some(Wish::Out) && words.iter().any(|word| is_reach(word));
        let is_status = if cells.is_called_so {
            let is_clear = is_clear && (cells.all_words || (yes.is_some() && cells.are_all()));
            cells.tells || is_clear
        } else {
            let is_header = (yes.is_some() && is_clear) || asks || polarity.is_unclear;
            cells.are_all() && (cells.tells || is_header)
        };
        is_status.then_some(status)
    }

    /// The same, of what nobody can say what it is about.
    pub(super) fn vague(self) -> Self {
        Self { is_vague: true, ..self }
    }

    /// The status of a column that the user says is one.
    pub(super) fn said(header: &str) -> Self {
        let polarity = Polarity::of(header);
        let yes = polarity.sure.or(polarity.of_flags);
        let status = Self::named(&spelled(header), polarity, yes);
        Self { is_vague: false, ..status }
    }

    fn named(words: &[String], polarity: Polarity, yes: Option<Wish>) -> Self {
        let channels = Channels::of_words(words);
        // Whatever else it says, it is about nothing that is in a list.
        let is_elsewhere = channels == Channels::ELSEWHERE;
        let are_known = words.iter().all(|word| is_known(word) || is_label(word));
        let is_vague = !is_elsewhere && (!are_known || polarity.is_unclear || is_no_message(words));
        let are_replies = words.iter().any(|word| REPLIES.contains(&word.as_str()));
        let names_out = polarity.names_out;
        Self { channels, is_vague, is_unnamed: false, yes, are_replies, names_out }
    }

    /// What a reason says of a wish: nothing, unless it is such a word and no more, or one as in
    /// `DND: no`.
    pub(super) fn in_reason(cell: &str) -> Option<Wish> {
        const BOUNCES: [&str; 3] = ["bounce", "hardbounce", "softbounce"];
        if BOUNCES.contains(&squeezed(cell).as_str()) {
            return Some(Wish::Neither);
        }
        let (status, text) = match cell.split_once([':', '=']) {
            Some((header, text)) => (Self::of(header)?, text),
            None => (Self::KEYWORD, cell),
        };
        let is_word = squeezed(text) != "yes" || status.yes.is_some();
        status.read(text).filter(|_| is_word && !squeezed(text).is_empty())
    }

    /// What a cell says that is to decide; `None` if it is not known, or has a sign that may change what
    /// its word says, as in `opted out?`.
    pub(super) fn stated(self, cell: &str) -> Option<Wish> {
        self.read(cell).filter(|_| is_plain(cell))
    }

    /// What the word of a cell says, whatever signs it has; `None` if it is not known.
    pub(super) fn read(self, cell: &str) -> Option<Wish> {
        let text = squeezed(cell);
        let is = |words: &[&str]| words.contains(&text.as_str());
        let opposite = |wish| match wish {
            Wish::Out => Wish::In,
            _ => Wish::Out,
        };
        if is(&NEITHER) {
            Some(Wish::Neither)
        } else if is(&OUT) {
            Some(Wish::Out)
        } else if is(&IN) {
            Some(Wish::In)
        } else if is(&YES) {
            // As a keyword that somebody sent, YES is a consent.
            self.yes.or((self.are_replies && text == "yes").then_some(Wish::In))
        } else if is(&NO) {
            self.yes.map(opposite)
        } else if is(&GIVEN) {
            // Of an opt-out that was granted or denied, nobody knows what was asked.
            self.yes.filter(|yes| *yes == Wish::In)
        } else if is(&DENIED) {
            self.yes.filter(|yes| *yes == Wish::In).map(opposite)
        } else {
            None
        }
    }

    /// Whether a cell is yes or no and nobody can say which wish that is.
    pub(super) fn is_open(self, cell: &str) -> bool {
        let text = squeezed(cell);
        let flags: [&[&str]; 4] = [&YES, &NO, &GIVEN, &DENIED];
        flags.iter().any(|all| all.contains(&text.as_str())) && self.read(cell).is_none()
    }

    /// Whether a cell that is not known, as a date, stands below a header that speaks of being left
    /// alone.
    pub(super) fn may_be_out(self, cell: &str) -> bool {
        let text = squeezed(cell);
        let is_flag = YES.contains(&text.as_str()) || NO.contains(&text.as_str());
        self.names_out && !is_flag && self.read(cell).is_none()
    }

    /// What several columns of one row say together of a value that is reached by `of`, and whether it
    /// is out by some of texts and calls alone: marketing of a number is one flag, so out counts for
    /// it. `None` if they contradict each other.
    pub(super) fn together(said: &[(Self, Wish)], of: Channels) -> Option<(Wish, bool)> {
        let by = |channel| {
            let said = said.iter().filter(move |(status, _)| status.channels.meet(channel));
            together(said.map(|(_, wish)| *wish))
        };
        let all = of.each().map(by).collect::<Option<Vec<_>>>()?;
        let has = |wish| all.contains(&wish);
        Some(match (has(Wish::Out), has(Wish::In)) {
            (true, is_in) => (Wish::Out, is_in),
            (false, true) => (Wish::In, false),
            (false, false) => (Wish::Neither, false),
        })
    }

    /// What a cell that holds anything says of a value that is reached by `of`: out where a part of it
    /// cannot mean anything else, in where all of it cannot.
    pub(super) fn in_remark(cell: &str, of: Channels) -> Option<Wish> {
        let letters = cell.to_ascii_lowercase();
        if cell.is_ascii() && !REMARKED.are_in(&letters) {
            return None;
        }
        let is = |wish| move |text: &str| Self::remarked(text, of) == Some(wish);
        if cell.split([',', ';', '|']).any(is(Wish::Out)) {
            Some(Wish::Out)
        } else {
            is(Wish::In)(cell).then_some(Wish::In)
        }
    }

    fn remarked(text: &str, of: Channels) -> Option<Wish> {
        if text.len() > LONGEST_REMARK {
            return None;
        }
        let squeezed = squeezed(text);
        let tells = TELLING.iter().any(|part| squeezed.contains(part));
        match Self::in_reason(text) {
            Some(Wish::Neither) => return None,
            Some(wish) if tells => return Some(wish),
            _ => {}
        }
        // As in `do not call` and `opted out of SMS`.
        let words = spelled(text);
        let is_meant = Channels::of_words(&words).meet(of);
        let is_clear = is_meant && words.iter().all(|word| is_known(word) && !is_about(word));
        Polarity::of(text).sure.filter(|_| is_clear)
    }
}

impl Wish {
    /// Reads the keyword that somebody sent, such as `STOP` or `Start`; `None` if it is not known.
    ///
    /// ```
    /// use crm_bulk::Wish;
    ///
    /// assert_eq!(Wish::of_keyword("stop."), Some(Wish::Out));
    /// assert_eq!(Wish::of_keyword("stop?"), None);
    /// assert_eq!(Wish::of_keyword("who is this?"), None);
    /// ```
    #[must_use]
    pub fn of_keyword(text: &str) -> Option<Self> {
        Status::KEYWORD.stated(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str, cell: &str) -> Option<Wish> {
        Status::of(header)?.read(cell)
    }

    #[test]
    fn the_header_says_what_yes_means() {
        use Wish::*;
        for (header, cell, wish) in [
            ("status", "opt-out", Out),
            ("Status", "Opted Out", Out),
            ("STATUS", "UNSUBSCRIBED", Out),
            ("status", "opt-in", In),
            ("status", "SUBSCRIBED", In),
            ("status", "NEVER SUBSCRIBED", Neither),
            ("status", "cleaned", Neither),
            ("status", "", Neither),
            ("status", " - ", Neither),
            ("status", "ＳＴＯＰ", Out),
            ("status", "Arrêt", Out),
            ("DND", "✓", Out),
            ("Consent withdrawn", "yes", Out),
            ("DND", "No", In),
            ("DND", "yes", Out),
            ("Opted Out", "no", In),
            ("Unsubscribed", "FALSE", In),
            ("Unsubscribed", "1", Out),
            ("Do Not Call", "TRUE", Out),
            ("HasOptedOutOfEmail", "true", Out),
            ("doNotEmail", "false", In),
            ("Consent", "yes", In),
            ("Accepts Marketing", "no", Out),
            ("Opt-In", "Y", In),
            ("channels.email.subscribeStatus", "unsubscribed", Out),
            ("Email Marketing Consent", "SUBSCRIBED", In),
        ] {
            assert_eq!(read(header, cell), Some(wish), "{header}: {cell}");
        }
        for (header, cell) in [
            ("status", "active"),
            ("status", "?"),
            ("DND", "✗"),
            ("status", "1"),
            ("status", "no"),
            ("DND", "maybe"),
        ] {
            assert!(Status::of(header).is_some());
            assert_eq!(read(header, cell), None, "{header}: {cell}");
        }
        for header in [
            "OptOut_Date",
            "Opt-Out Type",
            "Opt-Out By",
            "date_of_consent",
            "UNSUB_TIME",
            "UNSUB_REASON",
            "UNSUB_CAMPAIGN_ID",
            "Phone",
            "Contact Status",
            "Keywords",
            "optoutdate",
            "Do Not Fold",
        ] {
            assert_eq!(Status::of(header), None, "{header}");
        }
    }

    #[test]
    fn a_status_with_a_sign_that_may_change_it_is_not_known() {
        for (header, cell) in [
            ("Status", "Opted Out."),
            ("Status", "'Opted Out'"),
            ("Status", "\u{201c}STOP!\u{201d}"),
            ("Status", "Opted\u{200b} Out"),
            ("Status", "opt\u{2011}out \u{2013}"),
            ("Status", "D.N.C."),
            ("Status", "ARRE\u{302}T"),
            ("DND", " yes, "),
            ("DND", "\u{2713}"),
        ] {
            let status = Status::of(header).unwrap();
            assert_eq!(status.stated(cell), Some(Wish::Out), "{header}: {cell}");
        }
        for (header, cell) in [
            ("Status", "opted out?"),
            ("Status", "?opted out"),
            ("Status", "Opted out (?)"),
            ("Status", "(opted out)"),
            ("Status", "!opted out"),
            ("Status", "\u{2260} opted out"),
            ("Status", "<> STOP"),
            ("Status", "~~opted out~~"),
            ("Status", "opted out*"),
            ("Status", "opted out/"),
            ("Status", "opted out \u{21a9}"),
            ("Status", "\u{274c} opted out"),
            ("Status", "\u{274c} subscribed"),
            ("Status", "never subscribed?"),
            ("DND", "yes?"),
            ("DND", "1?"),
            ("DND", "(x)"),
            ("Consent", "yes?"),
        ] {
            let status = Status::of(header).unwrap();
            assert_eq!(status.stated(cell), None, "{header}: {cell}");
            // Beside a status that says otherwise it counts all the same.
            assert!(status.read(cell).is_some(), "{header}: {cell}");
        }
    }

    #[test]
    fn yes_and_no_that_somebody_sent_answer_anything() {
        for header in ["Message", "Text", "Texts"] {
            let status = shown(header, &["STOP", "no", "yes"]).unwrap();
            assert_eq!(status.read("STOP"), Some(Wish::Out), "{header}");
            for answer in ["no", "y", "1", "off"] {
                assert_eq!(status.read(answer), None, "{header}: {answer}");
            }
        }
        let unnamed = shown("", &["Unsubscribed", "no"]).unwrap();
        assert_eq!((unnamed.read("Unsubscribed"), unnamed.read("no")), (Some(Wish::Out), None));
        assert_eq!(shown("SMS", &["Unsubscribed", "no"]).unwrap().read("no"), Some(Wish::Out));
    }

    fn shown(header: &str, cells: &[&str]) -> Option<Status> {
        let mut flags = Flags::under(header);
        cells.iter().for_each(|cell| flags.add(cell));
        Status::shown(header, &flags)
    }

    #[test]
    fn cells_that_speak_of_consents_make_a_status_of_their_column() {
        for (header, cells, out) in [
            ("Email status", &["Unsubscribed", "Active"][..], "Unsubscribed"),
            ("Type", &["optout", "optin"], "optout"),
            ("Email Marketing", &["NEVER SUBSCRIBED", "UNSUBSCRIBED"], "UNSUBSCRIBED"),
            ("Action", &["STOP", "START"], "STOP"),
            ("Newsletter", &["yes", "no"], "no"),
            ("Blocked", &["TRUE", "FALSE"], "TRUE"),
            ("No Email", &["x"], "x"),
            ("Contact status", &["pending", "bounced"], "unsubscribed"),
            ("Pool status", &["subscribed"], "unsubscribed"),
            ("Contact status", &[], "unsubscribed"),
        ] {
            let status = shown(header, cells).unwrap();
            assert_eq!(status.read(out), Some(Wish::Out), "{header}");
        }
        for (header, cells) in
            [("", &["yes", "no"][..]), ("column_2", &["x"]), ("column_3", &["0", "1"])]
        {
            let status = shown(header, cells).unwrap();
            assert!(status.is_unnamed && status.is_vague && status.is_open(cells[0]), "{header}");
        }
        for (header, cells) in [
            ("Direction", &["in", "out"][..]),
            ("Job status", &["pending", "done"]),
            ("Job status", &["start", "end"]),
            ("Job status", &[]),
            ("Membership cancelled", &["yes", "no"]),
            ("Has Mobile", &["yes", "no"]),
            ("Email verification status", &["yes", "no"]),
            ("Notes", &["unsubscribed in May", "stop"]),
            ("Newsletter", &["May 2026"]),
            ("Stop", &[]),
            ("#", &["0", "1"]),
        ] {
            assert_eq!(shown(header, cells), None, "{header}");
        }
    }

    #[test]
    fn a_reason_speaks_of_a_wish_only_if_it_is_the_word_of_one() {
        use Wish::*;
        for (reason, wish) in [
            ("subscribed", Some(In)),
            ("START", Some(In)),
            ("DND: no", Some(In)),
            ("DND = yes", Some(Out)),
            ("STOP", Some(Out)),
            ("never subscribed", Some(Neither)),
            ("Bounced", Some(Neither)),
            ("Hard bounce", Some(Neither)),
            ("", None),
            ("yes", None),
            ("no", None),
            ("2", None),
            ("550: no such user", None),
            ("asked to stop", None),
        ] {
            assert_eq!(Status::in_reason(reason), wish, "{reason}");
        }
    }

    #[test]
    fn texts_and_calls_are_no_contradiction_and_out_of_one_is_out() {
        use Wish::{In, Out};
        let said = |said: &[(&str, &str)]| {
            let read = said.iter().map(|(header, cell)| {
                let status = Status::of(header).unwrap();
                (status, status.read(cell).unwrap())
            });
            Status::together(&read.collect::<Vec<_>>(), Channels::NUMBERS)
        };
        let (text, call) = ("Do not text", "Do not call");
        for (row, together) in [
            (&[(text, "yes"), (call, "no")][..], Some((Out, true))),
            (&[(text, "no"), (call, "yes")], Some((Out, true))),
            (&[(text, "no"), (call, "no")], Some((In, false))),
            (&[(text, "yes"), (call, "")], Some((Out, false))),
            (&[(text, "yes"), ("Status", "subscribed")], None),
            (&[(text, "yes"), ("SMS consent", "yes")], None),
            (&[("Status", "unsubscribed"), (text, "yes")], Some((Out, false))),
        ] {
            assert_eq!(said(row), together, "{row:?}");
        }
    }
}
