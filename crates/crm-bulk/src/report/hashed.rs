//! A file that is written and digested at once.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

/// Computes the SHA-256 of all that is written.
#[derive(Debug)]
pub struct Hashed<W> {
    out: W,
    hash: Sha256,
}

impl<W: Write> Hashed<W> {
    /// Writes to this.
    #[must_use]
    pub fn new(out: W) -> Self {
        Self { out, hash: Sha256::new() }
    }

    /// Returns what was written to, and the SHA-256 in hexadecimal digits.
    ///
    /// # Errors
    ///
    /// A failure to write.
    pub fn finish(mut self) -> io::Result<(W, String)> {
        self.out.flush()?;
        Ok((self.out, hex::encode(self.hash.finalize())))
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
