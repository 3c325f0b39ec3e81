//! How the bytes of a file become text.

use std::io::{self, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

/// How many bytes a byte order mark has at most.
const MARK: usize = 3;
/// How many bytes are decoded at once.
const BLOCK: usize = 16 * 1_024;

/// The bytes of an input as UTF-8 without a byte order mark, decoded from the encoding that its
/// mark shows, otherwise from the one that was asked for. UTF-8 is handed on unchanged, including
/// wrong bytes: the row that has them is wrong, not the file.
pub(super) struct Text {
    reader: Box<dyn Read + Send>,
    decoder: Option<Decoding>,
    /// Bytes that are already read and have to be handed out: the beginning, or decoded text.
    ready: io::Cursor<Vec<u8>>,
    needs_mark: bool,
}

struct Decoding {
    decoder: Decoder,
    encoding: &'static Encoding,
    ended: bool,
}

impl Text {
    /// Reads the beginning.
    pub(super) fn new(
        mut reader: Box<dyn Read + Send>,
        asked: Option<&'static Encoding>,
    ) -> io::Result<Self> {
        let mut head = Vec::with_capacity(MARK);
        reader.by_ref().take(MARK as u64).read_to_end(&mut head)?;
        let mark = Encoding::for_bom(&head);
        let encoding = mark.map(|(encoding, _)| encoding).or(asked).unwrap_or(UTF_8);
        let rest = head.split_off(mark.map_or(0, |(_, length)| length));
        Ok(if encoding == UTF_8 {
            Self {
                reader,
                decoder: None,
                ready: io::Cursor::new(rest),
                needs_mark: asked.is_some_and(|asked| asked != UTF_8),
            }
        } else {
            Self {
                reader: Box::new(io::Cursor::new(rest).chain(reader)),
                decoder: Some(Decoding {
                    decoder: encoding.new_decoder_without_bom_handling(),
                    encoding,
                    ended: false,
                }),
                ready: io::Cursor::default(),
                needs_mark: true,
            }
        })
    }

    /// Whether rows given back in UTF-8 need a mark, because the same options would otherwise read
    /// them differently.
    pub(super) fn needs_mark(&self) -> bool {
        self.needs_mark
    }
}

impl Decoding {
    /// Decodes the next bytes; empty at the end.
    fn next(&mut self, reader: &mut impl Read) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; BLOCK];
        while !self.ended {
            let read = reader.read(&mut bytes)?;
            self.ended = read == 0;
            let room = self.decoder.max_utf8_buffer_length_without_replacement(read);
            let mut text = vec![0; room.unwrap_or(BLOCK)];
            let (result, _, written) = self.decoder.decode_to_utf8_without_replacement(
                &bytes[..read],
                &mut text,
                self.ended,
            );
            match result {
                DecoderResult::Malformed(..) => {
                    let why = format!("is not {} text", self.encoding.name());
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
                DecoderResult::InputEmpty | DecoderResult::OutputFull => text.truncate(written),
            }
            if !text.is_empty() {
                return Ok(text);
            }
        }
        Ok(Vec::new())
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.ready.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(decoding) = &mut self.decoder else {
                return self.reader.read(buffer);
            };
            let text = decoding.next(&mut self.reader)?;
            if text.is_empty() {
                return Ok(0);
            }
            self.ready = io::Cursor::new(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

    use super::*;

    fn read(bytes: &[u8], asked: Option<&'static Encoding>) -> io::Result<(Vec<u8>, bool)> {
        let mut text = Text::new(Box::new(io::Cursor::new(bytes.to_vec())), asked)?;
        let mut read = Vec::new();
        text.read_to_end(&mut read)?;
        Ok((read, text.needs_mark()))
    }

    /// As UTF-16 with its mark.
    fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let units = format!("\u{feff}{text}");
        units.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn a_mark_tells_the_encoding_and_goes_before_what_was_asked_for() {
        let text = "Zoë,\u{1f600}\r\n".repeat(5_000);
        let marked = format!("\u{feff}{text}").into_bytes();
        for bytes in
            [marked.clone(), utf_16(&text, u16::to_le_bytes), utf_16(&text, u16::to_be_bytes)]
        {
            for asked in [None, Some(WINDOWS_1252)] {
                let (read, needs_mark) = read(&bytes, asked).unwrap();
                assert!(read == text.as_bytes());
                assert_eq!(needs_mark, bytes != marked || asked.is_some());
            }
        }
        assert_eq!(read(b"", None).unwrap(), (Vec::new(), false));
        assert_eq!(read(b"a", None).unwrap(), (b"a".to_vec(), false));
    }

    #[test]
    fn another_encoding_is_read_when_it_is_asked_for() {
        let (text, needs_mark) = read(b"Zo\xeb \x80", Some(WINDOWS_1252)).unwrap();
        assert_eq!(text, "Zoë €".as_bytes());
        assert!(needs_mark);
        assert_eq!(read(b"Zo\xeb", None).unwrap().0, b"Zo\xeb");
        assert_eq!(read(b"a\0", Some(UTF_16LE)).unwrap().0, b"a");
    }

    #[test]
    fn what_the_encoding_does_not_have_is_refused() {
        let lone = [0xd8, 0x00, 0x00, 0x41];
        let error = read(&lone, Some(UTF_16BE)).unwrap_err();
        assert_eq!(error.to_string(), "is not UTF-16BE text");
    }
}
