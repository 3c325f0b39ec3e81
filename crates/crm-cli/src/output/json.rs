//! JSON as text. Invisible characters are escaped in it: for a program that is the same text, and a
//! person who reads it, on a terminal or elsewhere, sees what is there.

use std::{borrow::Cow, io};

use crm_bulk::replace_unseen;
use serde::Serialize;
use serde_json::Value;

/// A value on one line, even if the service wrote it over several: within JSON text a line break is
/// only white space, never part of a string.
pub(super) fn line(value: &impl Serialize) -> io::Result<String> {
    let text = serde_json::to_string(value)?.replace(['\n', '\r'], " ");
    Ok(escaped(&text).into_owned())
}

/// The member and the column that says of which profile something is.
pub(super) const PROFILE: &str = "profile";

/// A value on one line with the profile that it is of as its first member; what is no object becomes a
/// member `value` beside it.
pub(super) fn of_profile(line: &str, profile: &str) -> String {
    let member = format!("\"{PROFILE}\":{}", Value::from(profile));
    let member = escaped(&member);
    match line.strip_prefix('{') {
        Some("}") => format!("{{{member}}}"),
        Some(members) => format!("{{{member},{members}"),
        None => format!("{{{member},\"value\":{line}}}"),
    }
}

/// A value over several lines.
pub(super) fn pretty(value: &impl Serialize) -> io::Result<String> {
    Ok(escaped(&serde_json::to_string_pretty(value)?).into_owned())
}

/// JSON text with the same meaning, with every invisible character escaped. All of them are within
/// strings, except the white space between values.
pub(crate) fn escaped(json: &str) -> Cow<'_, str> {
    replace_unseen(json, |c| match c {
        '\n' | '\r' | '\t' => c.to_string(),
        c => {
            let units = c.encode_utf16(&mut [0; 2]).to_vec();
            let escapes = units.iter().map(|unit| format!("\\u{unit:04x}"));
            escapes.collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unseen_characters_are_escaped_without_loss() {
        let value = json!({"memo": "a\u{202e}b\u{1b}c\u{7f}\u{2028}\u{e0041}", "ok": "é\n"});
        for text in [line(&value).unwrap(), pretty(&value).unwrap()] {
            assert!(text.contains(r"a\u202eb\u001bc\u007f\u2028\udb40\udc41"), "{text}");
            assert!(text.contains('é'), "{text}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn a_member_is_added_to_any_value() {
        for (line, wanted) in [
            (r#"{"a":1}"#, r#"{"profile":"west","a":1}"#),
            ("{}", r#"{"profile":"west"}"#),
            ("[1]", r#"{"profile":"west","value":[1]}"#),
        ] {
            assert_eq!(of_profile(line, "west"), wanted);
        }
    }

    #[test]
    fn white_space_between_values_stays() {
        let text = "{\r\n\t\"a\": \"\u{feff}\"\n}";
        assert_eq!(escaped(text), "{\r\n\t\"a\": \"\\ufeff\"\n}");
    }
}
