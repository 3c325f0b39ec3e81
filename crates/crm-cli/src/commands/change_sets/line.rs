//! How a change reads: whose contact it is and which, with the ids after that; below it, what
//! changes.

use crm_bulk::{Action, Change, Named, visible};
use unicode_width::UnicodeWidthStr;

/// How wide a line gets, unless one of its parts alone is wider.
const WIDTH: usize = 80;
/// What is between the parts of a line.
const BETWEEN: &str = " · ";
/// How far what belongs to a line stands to the right of it.
pub(super) const INDENT: &str = "    ";

/// Which contact a change is about, for people: `before` begins the first line, and where one is not
/// enough the next are indented.
pub(super) fn about(before: &str, change: &Change, named: Option<&Named>) -> Vec<String> {
    let named = named.map(ToString::to_string).filter(|named| !named.is_empty());
    let value = change.value().map(|value| match change.contact_type() {
        Some(kind) => format!("{} {value}", in_words(kind.as_str())),
        None => value.to_owned(),
    });
    let parts = named.into_iter().chain(value).chain([change.target.to_string()]);
    let mut lines = Vec::new();
    let (mut line, mut is_begun) = (before.to_owned(), false);
    for part in parts {
        let part = visible(&part).into_owned();
        if is_begun && line.width() + BETWEEN.width() + part.width() > WIDTH {
            lines.push(std::mem::replace(&mut line, indented(before)));
        } else if is_begun {
            line += BETWEEN;
        }
        line += &part;
        is_begun = true;
    }
    lines.push(line);
    lines
}

/// What belongs to a line that begins so.
pub(super) fn indented(before: &str) -> String {
    let own = before.len() - before.trim_start().len();
    format!("{:own$}{INDENT}", "")
}

/// `MobilePhone` as `mobile phone`; what the contract does not know as it is.
fn in_words(kind: &str) -> String {
    match kind {
        "MobilePhone" => "mobile phone".to_owned(),
        "Phone" | "Email" | "Fax" => kind.to_lowercase(),
        other => other.to_owned(),
    }
}

/// What a change does.
pub(super) fn difference(change: &Change) -> String {
    let members: Vec<_> = change
        .members()
        .iter()
        .map(|member| {
            let after = shown(member.after.as_deref().unwrap_or_default());
            match &member.before {
                Some(old) if !old.is_empty() => format!("{}: {old} → {after}", member.field),
                _ => format!("{}: {after}", member.field),
            }
        })
        .collect();
    let members = members.join("; ");
    match &change.action {
        Action::Delete(None) => "delete".to_owned(),
        Action::Delete(Some(needed)) => {
            format!("delete, only while contact {} is the same and stays", needed.contact)
        }
        Action::Create(_) => format!("create {members}"),
        _ => members,
    }
}

fn shown(new: &str) -> &str {
    match new {
        "" => "(removed)",
        new => new,
    }
}
