//! What no error text may show, and how it is removed from one.

use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use memchr::memmem;
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use crate::message::Response;

/// Shorter values are not looked for: they occur in other words too.
const SHORTEST: usize = 8;

/// What replaces a secret in a text.
const PLACEHOLDER: &str = "[secret]";

/// The secrets that a call was made with: access token, client secret and app key.
///
/// A refusal may quote what it was sent, so the auth layer passes them up with each answer that is
/// not a success, in its extensions. Whoever shows a text of such an answer (a title, a trace id,
/// an excerpt) passes it through [`scrub`](Self::scrub) first. The errors of this crate are already
/// scrubbed.
///
/// `Debug` shows nothing. Clones share the values, which are wiped with the last of them.
///
/// ```
/// use crm_transport::Secrets;
///
/// let secrets = Secrets::new(["tok/en-12345"]);
/// let shown = secrets.scrub("refused: Bearer tok%2Fen-12345, trace 00-1");
/// assert_eq!(shown, "refused: Bearer [secret], trace 00-1");
/// ```
#[derive(Clone, Default)]
pub struct Secrets(Arc<[SecretString]>);

impl Secrets {
    /// Creates the secrets from these values; those of fewer than eight characters are left out,
    /// since they would be found in any text.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let values = values.into_iter().map(|value| value.into().into());
        let long = |value: &SecretString| value.expose_secret().chars().count() >= SHORTEST;
        Self(values.filter(long).collect())
    }

    /// Returns the secrets that the request of an answer was made with, if the answer is a refusal.
    #[must_use]
    pub fn of(response: &Response) -> Option<&Self> {
        response.extensions().get()
    }

    /// Returns the text with `[secret]` in place of each secret: literally, or with any of its
    /// characters escaped as in a URL (RFC 3986, section 2.1), in JSON (RFC 8259, section 7) or in
    /// HTML, or in Base64 of either alphabet (RFC 4648), alone or as part of something longer, or as
    /// bytes in hexadecimal.
    #[must_use]
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut found = Vec::new();
        let mut plain = Plain::of(text);
        for _ in 0..=NESTED {
            for secret in &*self.0 {
                plain.find(secret.expose_secret().as_bytes(), &mut found);
            }
            if !plain.unescape() {
                break;
            }
        }
        replace(text, found)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

/// How many levels of escapes are undone: a gateway's JSON may hold a URL that holds the JSON of
/// another.
const NESTED: usize = 3;

/// A text without its escapes, and the position of each of its bytes in the original text.
struct Plain {
    bytes: Vec<u8>,
    /// One more than the bytes: the end of the text.
    places: Vec<usize>,
}

impl Plain {
    fn of(text: &str) -> Self {
        Self { bytes: text.into(), places: (0..=text.len()).collect() }
    }

    /// Adds the positions of a secret, literally, in Base64 or in hexadecimal.
    fn find(&self, secret: &[u8], found: &mut Vec<Range<usize>>) {
        let mut add = |range: Range<usize>| {
            found.push(self.places[range.start]..self.places[range.end]);
        };
        for start in memmem::find_iter(&self.bytes, secret) {
            add(start..start + secret.len());
        }
        let hex =
            Zeroizing::new(secret.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        for start in memmem::find_iter(&self.bytes.to_ascii_lowercase(), hex.as_bytes()) {
            add(start..start + hex.len());
        }
        let standard: Vec<u8> = self.bytes.iter().copied().map(standard_alphabet).collect();
        for core in base64_cores(secret) {
            for start in memmem::find_iter(&standard, core.as_bytes()) {
                // What surrounds it shares bytes with the secret's first and last.
                let before = standard[..start].iter().rev().take_while(|b| is_base64(**b));
                let after = standard[start..].iter().take_while(|b| is_base64(**b));
                add(start - before.count()..start + after.count());
            }
        }
    }

    /// Undoes one level of escapes. Returns whether there were any.
    fn unescape(&mut self) -> bool {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut places = Vec::with_capacity(self.places.len());
        let mut at = 0;
        while at < self.bytes.len() {
            let rest = &self.bytes[at..];
            let (character, length) = escaped(rest).unwrap_or_else(|| (Escaped::Byte(rest[0]), 1));
            let mut utf8 = [0; 4];
            let plain = match character {
                Escaped::Byte(byte) => {
                    utf8[0] = byte;
                    &utf8[..1]
                }
                Escaped::Character(character) => character.encode_utf8(&mut utf8).as_bytes(),
            };
            bytes.extend_from_slice(plain);
            places.extend(plain.iter().map(|_| self.places[at]));
            at += length;
        }
        places.push(self.places[at]);
        let is_changed = bytes.len() < self.bytes.len();
        *self = Self { bytes, places };
        is_changed
    }
}

/// What an escape stands for.
enum Escaped {
    Byte(u8),
    Character(char),
}

/// Returns the escape that a text begins with, and its length.
fn escaped(text: &[u8]) -> Option<(Escaped, usize)> {
    let hex = |digits: Range<usize>| {
        let digits = text.get(digits)?;
        let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
        let digits = str::from_utf8(digits).ok().filter(|_| is_hex)?;
        u32::from_str_radix(digits, 16).ok()
    };
    match text {
        [b'%', ..] => Some((Escaped::Byte(u8::try_from(hex(1..3)?).ok()?), 3)),
        [b'\\', b'u', ..] => Some((Escaped::Character(char::from_u32(hex(2..6)?)?), 6)),
        [b'\\', plain @ (b'"' | b'\\' | b'/'), ..] => Some((Escaped::Byte(*plain), 2)),
        [b'&', ..] => entity(text),
        _ => None,
    }
}

/// Returns the entity of HTML that a text begins with, by number or by one of the names that
/// escaping uses, and its length.
fn entity(text: &[u8]) -> Option<(Escaped, usize)> {
    /// No entity that stands for a character is longer.
    const LONGEST: usize = 12;
    let end = text.iter().take(LONGEST).position(|byte| *byte == b';')?;
    let plain = match &text[1..end] {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => return None,
    };
    Some((Escaped::Character(plain), end + 1))
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    let digits = str::from_utf8(digits).ok()?;
    char::from_u32(u32::from_str_radix(digits, radix).ok()?)
}

/// The part of the Base64 of anything containing these bytes that depends on them alone: by where
/// they begin in a group of three bytes, without the characters that they share with others.
fn base64_cores(secret: &[u8]) -> [Zeroizing<String>; 3] {
    [0, 1, 2].map(|before: usize| {
        let bytes = Zeroizing::new([&[0; 2][..before], secret].concat());
        let encoded = Zeroizing::new(BASE64_STANDARD_NO_PAD.encode(&*bytes));
        let own = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
        Zeroizing::new(encoded[own].to_owned())
    })
}

/// Maps the two alphabets of RFC 4648 to the one of section 4.
fn standard_alphabet(byte: u8) -> u8 {
    match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Returns the text with a placeholder for each of these ranges, which may overlap.
fn replace(text: &str, mut found: Vec<Range<usize>>) -> Cow<'_, str> {
    if found.is_empty() {
        return text.into();
    }
    found.sort_by_key(|range| range.start);
    let mut scrubbed = String::with_capacity(text.len());
    let mut end = 0;
    for range in found {
        if range.start >= end {
            scrubbed.push_str(&text[end..range.start]);
            scrubbed.push_str(PLACEHOLDER);
        }
        end = end.max(range.end);
    }
    scrubbed.push_str(&text[end..]);
    scrubbed.into()
}
