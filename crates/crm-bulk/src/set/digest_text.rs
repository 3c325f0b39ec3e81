//! What a digest is over: a change as a text. The rules are those of `digest.md`.

use std::io::Write;

use crm_models::{Contact, Preference, Timestamp};

use super::{
    action::Action,
    image::{Image, MethodImage},
    state::State,
    target::Target,
    wanted::Wanted,
};

pub(super) fn of(
    verdict: State,
    target: &Target,
    action: &Action,
    before: Option<&Image>,
) -> Vec<u8> {
    let mut lines = Lines(Vec::with_capacity(1_024));
    lines.word("verdict", verdict.as_str());
    lines.target(target, action);
    lines.word("action", action.name());
    match action {
        Action::Update(wanted) | Action::Create(wanted) => lines.wanted(wanted),
        Action::Delete(None) => {}
        Action::Delete(Some(stand_in)) => {
            lines.text(&format!("needs contact {}", stand_in.contact), &stand_in.value);
        }
        Action::MethodPreferences(wanted) => {
            for (name, on) in wanted {
                lines.preference("set", name, Some(*on));
            }
        }
    }
    match before {
        Some(Image::Contact(contact)) => lines.contact(contact),
        Some(Image::Method(method)) => lines.method(method),
        None => {}
    }
    lines.0
}

/// Most of a line is put together without formatting, which would cost more than the hash: the
/// text of each change is made when it is planned, checked and loaded.
struct Lines(Vec<u8>);

impl Lines {
    fn add(&mut self, words: &[&str]) {
        let words = words.iter();
        words.for_each(|word| self.0.extend_from_slice(word.as_bytes()));
    }

    fn line(&mut self, words: &[&str]) {
        self.add(words);
        self.0.push(b'\n');
    }

    fn word(&mut self, name: &str, word: &str) {
        self.line(&[name, " ", word]);
    }

    fn time(&mut self, name: &str, time: Timestamp) {
        // Writing to memory cannot fail.
        let _ = writeln!(self.0, "{name} {time}");
    }

    fn number(&mut self, number: i64) {
        // A whole number is JSON as well, which takes less than formatting it.
        let _ = serde_json::to_writer(&mut self.0, &number);
    }

    fn flag(&mut self, name: &str, member: &str, on: bool) {
        self.line(&[name, member, " ", json(Some(on))]);
    }

    fn text(&mut self, name: &str, value: &str) {
        self.add(&[name, " "]);
        self.quoted(value);
        self.line(&[]);
    }

    /// A text in double quotes, so that it cannot end its line.
    fn quoted(&mut self, text: &str) {
        // A text is always JSON.
        let _ = serde_json::to_writer(&mut self.0, text);
    }

    fn target(&mut self, target: &Target, action: &Action) {
        match target {
            Target::Contact { owner, contact } => {
                self.add(&["target ", owner.kind(), " "]);
                self.number(owner.get());
                let known = contact.filter(|_| !matches!(action, Action::Create(_)));
                if let Some(contact) = known {
                    self.add(&[" contact "]);
                    self.number(contact.get());
                }
                self.line(&[]);
            }
            Target::Method { person, method } => {
                let _ = writeln!(self.0, "target person {person} method {method}");
            }
        }
    }

    // Taken apart, so that a new member cannot be forgotten.
    fn wanted(&mut self, wanted: &Wanted) {
        let Wanted { change, cleared_by, extension, refused, combined, carrier, exact } = wanted;
        if let Some(contact_type) = change.get_contact_type() {
            self.text("set type", contact_type.as_str());
        }
        if let Some(value) = change.get_value() {
            self.text("set value", value);
        }
        if let Some(memo) = change.get_memo() {
            self.text("set memo", memo);
        }
        for flag in Preference::ALL {
            let on =
                if flag.is_combined() { *combined } else { change.get_preferences().get(flag) };
            if let Some(on) = on {
                self.flag("set preferences.", flag.api_name(), on);
            }
        }
        if let Some(word) = cleared_by {
            self.text("set memo unless", word);
        }
        if let Some(extension) = extension {
            self.text("set extension", extension);
        }
        if let Some(why) = refused {
            self.text("set refused", why);
        }
        if let Some(carrier) = carrier {
            self.text("needs type", carrier.contact_type.as_str());
            self.text("needs value", &carrier.value);
            self.text("needs memo", &carrier.memo);
        }
        if *exact {
            self.line(&["set exactly"]);
        }
    }

    fn contact(&mut self, contact: &Contact) {
        self.add(&["was id "]);
        self.number(contact.id.get());
        self.line(&[]);
        self.text("was type", contact.contact_type.as_str());
        self.text("was value", &contact.value);
        if let Some(memo) = &contact.memo {
            self.text("was memo", memo);
        }
        if let Some(settings) = &contact.phone_settings {
            if let Some(number) = &settings.phone_number {
                self.text("was phoneSettings.phoneNumber", number);
            }
            if let Some(refused) = settings.do_not_text {
                self.flag("was phoneSettings.", "doNotText", refused);
            }
        }
        self.time("was modifiedOn", contact.modified_on);
        if let Some(created) = contact.created_on {
            self.time("was createdOn", created);
        }
        for flag in Preference::ALL {
            if let Some(on) = contact.preferences.and_then(|flags| flags.answered(flag)) {
                self.flag("was preferences.", flag.api_name(), on);
            }
        }
    }

    fn method(&mut self, method: &MethodImage) {
        self.text("was type", method.contact_type.as_str());
        self.text("was value", &method.value);
        for (name, flag) in &method.preferences {
            self.preference("was", name, *flag);
        }
    }

    fn preference(&mut self, word: &str, name: &str, flag: Option<bool>) {
        self.add(&[word, " preference "]);
        self.quoted(name);
        self.line(&[" ", json(flag)]);
    }
}

fn json(flag: Option<bool>) -> &'static str {
    match flag {
        Some(true) => "true",
        Some(false) => "false",
        None => "null",
    }
}
