//! The lines on which records begin.

use std::{
    collections::VecDeque,
    io::{self, Read},
};

use csv::ByteRecord;

use super::quotes::Quotes;
use crate::{
    error::BulkError,
    input::dialect::{Dialect, LONGEST_ROW, TOO_LONG},
};

/// The place of a record.
pub(crate) struct Place {
    pub(crate) line: u64,
    /// The line on which a cell continues after its closing quote.
    pub(crate) stray: Option<u64>,
}

/// Reads the next record of CSV and returns its place; `None` at the end. A quoted cell that is
/// never closed ends the reading: it contains all rows after it. `name` is the input's, for errors.
pub(crate) fn next_record<R: Read>(
    reader: &mut csv::Reader<Lines<R>>,
    record: &mut ByteRecord,
    name: &str,
) -> Result<Option<Place>, BulkError> {
    let at = reader.position().byte();
    let more = reader.read_byte_record(record);
    let line = reader.get_mut().at(at);
    let refuse = |line: u64, why: &str| BulkError::Input {
        name: name.to_owned(),
        reason: format!("line {line}: {why}"),
    };
    let more = more.map_err(|e| refuse(line, &e.to_string()))?;
    match reader.get_ref().never_closed() {
        Some(line) => Err(refuse(line, "a quoted cell that begins here is never closed")),
        None => {
            let end = reader.position().byte();
            let stray = reader.get_mut().stray_before(end);
            Ok(more.then_some(Place { line, stray }))
        }
    }
}

/// A reader that notes where non-blank lines begin in what is read through it: a CSV reader takes
/// the second half of `\r\n` and blank lines for the beginning of the next record, and counts them
/// with it. It follows quoted cells too.
pub(crate) struct Lines<R> {
    reader: R,
    /// How many bytes were read.
    read: u64,
    line: u64,
    /// Whether the previous byte was `\r`, which ends a line, alone or with `\n` after it.
    after_return: bool,
    /// Whether the line has been blank so far.
    is_blank: bool,
    /// Offset and number of the lines that have not been asked for yet.
    begins: VecDeque<(u64, u64)>,
    quotes: Quotes,
    /// Offset and line of each text after a closing quote that has not been asked for yet.
    strays: VecDeque<(u64, u64)>,
    /// Whether everything was read.
    ended: bool,
    /// The offset at which the last row begins.
    row: u64,
}

impl<R> Lines<R> {
    pub(crate) fn new(reader: R, dialect: &Dialect) -> Self {
        Self {
            reader,
            read: 0,
            line: dialect.lines_before + 1,
            after_return: false,
            is_blank: true,
            begins: VecDeque::new(),
            quotes: Quotes::new(dialect),
            strays: VecDeque::new(),
            ended: false,
            row: 0,
        }
    }

    /// The line of the first thing at or after this offset. Offsets must not decrease.
    fn at(&mut self, offset: u64) -> u64 {
        while self.begins.front().is_some_and(|(at, _)| *at < offset) {
            self.begins.pop_front();
        }
        self.begins.front().map_or(self.line, |(_, line)| *line)
    }

    /// The line of the first text after a closing quote before this offset. Offsets must not
    /// decrease.
    fn stray_before(&mut self, offset: u64) -> Option<u64> {
        let mut first = None;
        while let Some(&(_, line)) = self.strays.front().filter(|(at, _)| *at < offset) {
            self.strays.pop_front();
            first = first.or(Some(line));
        }
        first
    }

    /// The line of the quoted cell with which the input ends.
    fn never_closed(&self) -> Option<u64> {
        self.quotes.open().filter(|_| self.ended)
    }

    fn note(&mut self, bytes: &[u8]) {
        for (at, byte) in bytes.iter().enumerate() {
            if self.is_blank && !matches!(byte, b'\r' | b'\n') {
                self.begins.push_back((self.read + at as u64, self.line));
                self.is_blank = false;
            }
            if self.quotes.follow(*byte, self.line) {
                self.strays.push_back((self.read + at as u64, self.line));
            }
            if *byte == b'\r' || (*byte == b'\n' && !self.after_return) {
                self.line += 1;
                self.is_blank = true;
            }
            if matches!(byte, b'\r' | b'\n') && self.quotes.open().is_none() {
                self.row = self.read + at as u64;
            }
            self.after_return = *byte == b'\r';
        }
        self.read += bytes.len() as u64;
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.note(&buffer[..read]);
        self.ended |= read == 0;
        if self.read - self.row > LONGEST_ROW as u64 {
            let why = self.quotes.open().map_or_else(String::new, |line| {
                format!("; the quoted cell that begins on line {line} may not be closed")
            });
            return Err(io::Error::other(format!("{TOO_LONG}{why}")));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let some = buffer.len().min(1);
            self.0.read(&mut buffer[..some])
        }
    }

    fn lines(reader: impl Read) -> Vec<u64> {
        let mut csv = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(Lines::new(reader, &Dialect::default()));
        let (mut record, mut lines) = (ByteRecord::new(), Vec::new());
        while let Some(place) = next_record(&mut csv, &mut record, "test").unwrap() {
            lines.push(place.line);
        }
        lines
    }

    #[test]
    fn a_record_is_on_the_line_where_its_text_begins() {
        let text = "a,b\n\"1\nx\n\ny\",2\n\n\n3,4\n , \n5,\"6\n\"\n7,8";
        let (windows, mac) = (text.replace('\n', "\r\n"), text.replace('\n', "\r"));
        for text in [text, &windows, &mac] {
            assert_eq!(lines(text.as_bytes()), [1, 2, 8, 9, 10, 12], "{text:?}");
            assert_eq!(lines(Slowly(text.as_bytes())), lines(text.as_bytes()));
        }
        assert_eq!(lines("\r\n\r\na\r\nb\r\n".as_bytes()), [3, 4]);
    }
}
