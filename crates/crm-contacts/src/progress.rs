//! Recognising a list or a feed that never ends.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

/// Watches whether a list or a feed makes progress, from its answers.
///
/// It is for code that walks a list by itself: the [lists](crate::List) and
/// [exports](crate::Export) of this crate watch their own. A page may show single records once
/// more, since records move while a list is walked, and a batch of a feed may be empty. But the
/// same page again and again, alone or in turn with others, never ends, and neither do answers
/// without a record. The memory that it takes does not grow with the list.
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
    /// The page with which the next ones are compared.
    checkpoint: Option<u64>,
    /// After this many pages the checkpoint moves, twice as many each time, as in Brent's algorithm
    /// ("An improved Monte Carlo factorization algorithm", BIT 20, 1980). So it enters every cycle,
    /// and stays there long enough to see it come round.
    window: u64,
    since: u64,
    repeats: u32,
}

/// How a list or a feed makes no progress, although it says that there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stall {
    /// This many answers in a row contained no record.
    Empty(u32),
    /// The same records come again and again.
    Repeats,
    /// A batch of a feed has no token for the next one, or the token that it was asked for with.
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

/// A page that comes again once may have been moved by records that were added before it.
const MOST_REPEATS: u32 = 2;

impl Progress {
    /// Watches a list with numbered pages, where nothing explains an empty page before the last.
    /// Three in a row are reported.
    #[must_use]
    pub fn of_list() -> Self {
        Self::new(3)
    }

    /// Watches an export feed, which may have long stretches without a record.
    #[must_use]
    pub fn of_feed() -> Self {
        Self::new(100)
    }

    fn new(most_empty: u32) -> Self {
        Self { most_empty, empty: 0, checkpoint: None, window: 1, since: 0, repeats: 0 }
    }

    /// Notes an answer that says that there is more, by a number for each of its records.
    ///
    /// # Errors
    ///
    /// Returns how it makes no progress, once that is certain.
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

/// Returns a number that distinguishes an id from others.
pub(crate) fn key_of(id: &impl Hash) -> u64 {
    let mut hash = Fold::default();
    id.hash(&mut hash);
    hash.finish()
}

/// A hash of one multiplication a number, since a page may have 5,000 records. Collisions need not
/// be hard to find: they would only end a list that the service makes up itself.
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
        // 2^64 divided by the golden ratio, whose multiples spread evenly (Knuth, volume 3, 6.4).
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
