//! Files that are no text, whatever their names say.

/// How other kinds of files begin, and what to do about each.
const KINDS: [(&[u8], &str); 4] = [
    (b"\x1f\x8b", "is compressed with gzip: unpack it first"),
    (b"PK\x03\x04", "is a workbook, or another zip archive: save its sheet as CSV, or unpack it"),
    (b"\xd0\xcf\x11\xe0", "is a workbook of an older Excel: save its sheet as CSV"),
    (b"%PDF-", "is a PDF: get the list as CSV"),
];
/// How web pages begin, as a site sends one to whoever is not signed in.
const PAGES: [&[u8]; 2] = [b"<!doctype html", b"<html"];

/// Why a file that begins so, as UTF-8 unless its mark or somebody said otherwise, is no text with
/// rows.
pub(super) fn no_text(head: &[u8]) -> Option<&'static str> {
    if let Some((_, what)) = KINDS.iter().find(|(begins, _)| head.starts_with(begins)) {
        return Some(what);
    }
    let text = head.trim_ascii_start();
    let begins =
        |page: &&[u8]| text.get(..page.len()).is_some_and(|t| t.eq_ignore_ascii_case(page));
    if PAGES.iter().any(begins) {
        return Some("is a web page: get the list as CSV");
    }
    let (even, odd) = (zeros(head, 0), zeros(head, 1));
    // A letter of most scripts that lists are written in has one zero byte.
    let is_wide = |many: usize, few: usize| many * 4 > head.len() && few * 8 < many;
    if is_wide(odd, even) {
        Some("is UTF-16 without the mark that says so: give --encoding utf-16le")
    } else if is_wide(even, odd) {
        Some("is UTF-16 without the mark that says so: give --encoding utf-16be")
    } else {
        let control = |byte: &&u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
        let controls = head.iter().filter(control).count();
        (controls * 20 > head.len()).then_some("is no text: it may be an archive or a picture")
    }
}

/// How many of the bytes at even or odd places are zero.
fn zeros(head: &[u8], from: usize) -> usize {
    head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_kinds_of_files_are_told_apart_from_text() {
        let wide = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            "phone,status\n8185550142,STOP\n".encode_utf16().flat_map(bytes).collect()
        };
        let mut seed = 7_u32;
        let noise = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed.to_be_bytes()[0]
        });
        let noise: Vec<u8> = noise.take(4_096).collect();
        for (head, told) in [
            (&b"\x1f\x8b\x08rest"[..], "gzip"),
            (b"PK\x03\x04rest", "workbook"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1", "older Excel"),
            (b"%PDF-1.7\n", "PDF"),
            (b"\n<!DOCTYPE html><html>", "web page"),
            (&wide(u16::to_le_bytes), "utf-16le"),
            (&wide(u16::to_be_bytes), "utf-16be"),
            (&noise, "no text"),
        ] {
            let what = no_text(head).unwrap();
            assert!(what.contains(told), "{told}: {what}");
        }
        for text in [
            "",
            "a",
            "phone\n8185550142\n",
            "id,memo\n1,a\0b and more text behind it\n",
            "Zo\u{eb}\n",
        ] {
            assert_eq!(no_text(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(no_text(b"8185550142,Ren\xe9e\n"), None, "another encoding, told row by row");
    }
}
