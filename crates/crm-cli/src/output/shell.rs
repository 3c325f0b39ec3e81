//! Words that a shell takes as they are, and the commands that are advised.

use std::{fmt::Write as _, sync::RwLock};

use crm_bulk::{replace_unseen, visible};

/// The options that choose the account, as this command was given them, and those that choose it
/// together with the others of which the same is asked.
static ACCOUNT: RwLock<[String; 2]> = RwLock::new([String::new(), String::new()]);

/// Has every command that is advised from here on name the same account by these options, and the
/// same accounts where it is [for all](crm_for_all).
pub(crate) fn advise_with(options: String, for_all: String) {
    if let Ok(mut account) = ACCOUNT.write() {
        *account = [options, for_all];
    }
}

/// How a command begins that is advised: pasted as it is, it reaches the account of this one. Sets
/// of one name may be in the desks of several accounts.
pub(crate) fn crm() -> String {
    with(|[options, _]| format!("crm{options}"))
}

/// How a command begins that can do the same for all accounts of this one.
pub(crate) fn crm_for_all() -> String {
    with(|[_, for_all]| format!("crm{for_all}"))
}

/// Whether these are several.
pub(crate) fn is_for_several() -> bool {
    with(|[options, for_all]| options != for_all)
}

fn with<R>(read: impl FnOnce(&[String; 2]) -> R) -> R {
    read(&ACCOUNT.read().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// A text in which every command, written as `` `crm …` ``, names the account: libraries do not know
/// the options. A command that names it already is left as it is.
pub(crate) fn advice(text: &str) -> String {
    with(|[options, for_all]| naming(text, options, for_all))
}

fn naming(text: &str, options: &str, for_all: &str) -> String {
    let mut parts = text.split("`crm ");
    let mut named = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_named = [options, for_all].iter().any(|options| {
            !options.is_empty() && part.starts_with(&format!("{} ", options.trim_start()))
        });
        let _ = write!(named, "`crm{} {part}", if is_named { "" } else { options });
    }
    named
}

/// ` --name=value` for a shell.
pub(crate) fn option(name: &str, value: &str) -> String {
    format!(" --{name}={}", quoted(value))
}

/// A word for a shell, also one with unseen characters, which a terminal would not show.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    if visible(word) == word {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let word = word.replace('\\', r"\\").replace('\'', r"\'");
    let word = replace_unseen(&word, |c| format!("\\U{:08x}", u32::from(c)));
    format!("$'{word}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_its_account_once() {
        let (one, all) = (" --profile=b", " --profile=a,b");
        for (text, named) in [
            (
                "see `crm show x` and `crm plan`",
                "see `crm --profile=b show x` and `crm --profile=b plan`",
            ),
            ("`crm --profile=b show x` lists them", "`crm --profile=b show x` lists them"),
            ("`crm --profile=a,b apply x`", "`crm --profile=a,b apply x`"),
            ("`crm --profile=bob show x`", "`crm --profile=b --profile=bob show x`"),
        ] {
            assert_eq!(naming(text, one, all), named);
            assert_eq!(naming(text, "", ""), text);
        }
    }

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it_otherwise() {
        for (word, quoted_as) in [
            ("8185550142", "8185550142"),
            ("ada@site.example", "ada@site.example"),
            ("", "''"),
            ("Gate code", "'Gate code'"),
            ("Ada's; rm -rf $HOME", r"'Ada'\''s; rm -rf $HOME'"),
            ("a\\\u{202e}'b", r"$'a\\\U0000202e\'b'"),
        ] {
            assert_eq!(quoted(word), quoted_as);
        }
    }
}
