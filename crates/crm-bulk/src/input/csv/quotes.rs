//! Where quoted cells begin and end.

use crate::input::dialect::Dialect;

/// Follows the bytes of CSV as its reader does, which treats the end of the input as the end of a
/// quoted cell, whatever the cell has swallowed until then.
pub(super) struct Quotes {
    delimiter: u8,
    quote: u8,
    place: Place,
    /// The line on which the last quoted cell began.
    line: u64,
}

#[derive(Clone, Copy)]
enum Place {
    /// A cell begins here.
    Beginning,
    /// In a cell, where a quote is text.
    Bare,
    Quoted,
    /// After a quote in a quoted cell: its last, or the first half of one that is text.
    Closed,
}

impl Quotes {
    pub(super) fn new(dialect: &Dialect) -> Self {
        Self {
            delimiter: dialect.marks.delimiter,
            quote: dialect.marks.quote,
            place: Place::Beginning,
            line: dialect.lines_before + 1,
        }
    }

    /// Takes the next byte, which is on this line. Returns whether it is text after the quote that
    /// closed its cell: then a quote is missing somewhere, and rows may have become one.
    pub(super) fn follow(&mut self, byte: u8, line: u64) -> bool {
        let is_quote = byte == self.quote;
        let was_closed = matches!(self.place, Place::Closed);
        self.place = match self.place {
            Place::Quoted if is_quote => Place::Closed,
            Place::Quoted => Place::Quoted,
            Place::Closed if is_quote => Place::Quoted,
            Place::Beginning if is_quote => {
                self.line = line;
                Place::Quoted
            }
            _ if byte == self.delimiter || matches!(byte, b'\r' | b'\n') => Place::Beginning,
            _ => Place::Bare,
        };
        was_closed && matches!(self.place, Place::Bare)
    }

    /// The line of the quoted cell that is not closed yet.
    pub(super) fn open(&self) -> Option<u64> {
        matches!(self.place, Place::Quoted).then_some(self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the reader of CSV sees, told by what it makes of a further line.
    fn swallows_what_follows(text: &str) -> bool {
        let text = format!("{text}\nend");
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let last = reader.byte_records().last().unwrap().unwrap();
        last.iter().collect::<Vec<_>>() != [b"end"]
    }

    #[test]
    fn a_cell_is_open_exactly_when_the_reader_would_swallow_the_next_line() {
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            let longer = texts
                .iter()
                .flat_map(|text| ["a", ",", "\"", "\n", "\r"].map(|more| format!("{text}{more}")));
            texts = longer.collect();
            for text in &texts {
                let mut quotes = Quotes::new(&Dialect::default());
                for byte in text.bytes() {
                    quotes.follow(byte, 7);
                }
                assert_eq!(quotes.open().is_some(), swallows_what_follows(text), "{text:?}");
            }
        }
    }
}
