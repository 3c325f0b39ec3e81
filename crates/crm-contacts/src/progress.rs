//! Whether a list or a feed gets on, or says for ever that there is more.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

/// Whether a list or a feed gets on, seen from its answers. For code that walks one by itself: the
/// [lists](crate::List) and [exports](crate::Export) of this crate keep an eye on it already.
///
/// A page may show single records once more, since records move while a list is walked, and a batch
/// of a feed may be empty. But a page that comes again and again, alone or in turn with others, and
/// answers without a record have no end. It costs a few numbers of memory, however long the list is.
///
/// ```
/// use crm_contacts::{Progress, Stall};
///
/// let mut progress = Progress::of_list();
/// assert_eq!(progress.note([3001, 3002]), Ok(()));
/// assert_eq!(progress.note([3003]), Ok(()));
/// let mut endless = (0..9).map(|_| progress.note([3004, 3005]));
/// assert!(endless.any(|noted| noted == Err(Stall::Repeats)));
/// ```
#[derive(Debug, Clone)]
pub struct Progress {
    most_empty: u32,
    empty: u32,
    /// The page that the next ones are compared with.
    checkpoint: Option<u64>,
    /// After this many pages the checkpoint moves on: twice as many each time (the algorithm of Brent).
    /// So it gets into every cycle, and stays long enough to see it come round.
    window: u64,
    since: u64,
    repeats: u32,
}

/// Why a list or a feed does not get on, though it says that there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stall {
    /// So many answers one after another held no record.
    Empty(u32),
    /// The same records come again and again.
    Repeats,
    /// A batch of a feed has no token for the next, or that of its own.
    Token,
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(answers) => {
                write!(f, "{answers} answers in a row held no record")
            }
            Self::Repeats => f.write_str("the same records come again and again"),
            Self::Token => f.write_str("it gives no way to continue"),
        }
    }
}

/// A page that comes again once may be one that records moved through.
const MOST_REPEATS: u32 = 2;

impl Progress {
    /// Of a list with numbered pages, where nothing explains an empty page before the last.
    #[must_use]
    pub fn of_list() -> Self {
        Self::new(3)
    }

    /// Of an export feed, which may pass over long stretches without a record.
    #[must_use]
    pub fn of_feed() -> Self {
        Self::new(100)
    }

    fn new(most_empty: u32) -> Self {
        Self { most_empty, empty: 0, checkpoint: None, window: 1, since: 0, repeats: 0 }
    }

    /// Takes note of an answer that says that there is more, by a number for each of its records.
    ///
    /// # Errors
    ///
    /// How it does not get on, once that is sure.
    pub fn note(&mut self, records: impl IntoIterator<Item = u64>) -> Result<(), Stall> {
        let mut page = Fold::default();
        let mut count = 0_u64;
        for record in records {
            page.write_u64(record);
            count += 1;
        }
        match count {
            0 => self.note_empty(),
            count => self.note_page(page.finish() ^ count),
        }
    }

    fn note_empty(&mut self) -> Result<(), Stall> {
        self.empty += 1;
        if self.empty < self.most_empty { Ok(()) } else { Err(Stall::Empty(self.empty)) }
    }

    fn note_page(&mut self, page: u64) -> Result<(), Stall> {
        self.empty = 0;
        if self.checkpoint == Some(page) {
            self.since = 0;
            self.repeats += 1;
            return if self.repeats < MOST_REPEATS { Ok(()) } else { Err(Stall::Repeats) };
        }
        self.since += 1;
        if self.checkpoint.is_none() || self.since == self.window {
            self.checkpoint = Some(page);
            self.window = self.window.saturating_mul(2);
            self.since = 0;
            self.repeats = 0;
        }
        Ok(())
    }
}

/// A number that tells an id from others.
pub(crate) fn key_of(id: &impl Hash) -> u64 {
    let mut hash = Fold::default();
    id.hash(&mut hash);
    hash.finish()
}

/// One multiplication a number, since a page may have 5,000 records. Nobody gains by a collision.
#[derive(Default)]
struct Fold(u64);

impl Hasher for Fold {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut number = [0; 8];
            number[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(number));
        }
    }

    fn write_u64(&mut self, number: u64) {
        // The golden ratio, whose multiples spread evenly.
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
