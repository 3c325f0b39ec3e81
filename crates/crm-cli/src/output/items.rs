//! JSON values that are written unchanged.

use std::io::{self, BufWriter, Stdout, Write};

use serde_json::value::RawValue;

use super::{answer::Output, json};
use crate::globals::Format;

/// Writes JSON values to stdout unchanged: one a line for `ndjson`, otherwise an array.
pub(crate) struct Items<'a> {
    output: &'a Output,
    out: BufWriter<Stdout>,
}

impl Output {
    /// Prepares to write JSON values unchanged.
    pub(crate) fn items(&self) -> Items<'_> {
        Items { output: self, out: BufWriter::new(io::stdout()) }
    }
}

impl Items<'_> {
    pub(crate) fn push(&mut self, item: &RawValue) -> io::Result<()> {
        let item = json::line(&item)?;
        if self.output.format() == Format::Ndjson {
            return writeln!(self.out, "{item}");
        }
        self.output.separate(&mut self.out)?;
        self.out.write_all(item.as_bytes())
    }

    /// Ends a list that an error follows: in JSON the error becomes its last item.
    pub(crate) fn interrupt(mut self) -> io::Result<()> {
        self.out.flush()
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        match self.output.format() {
            Format::Ndjson => self.out.flush(),
            _ => self.output.end(&mut self.out),
        }
    }
}
