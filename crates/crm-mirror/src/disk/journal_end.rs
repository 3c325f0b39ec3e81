//! Whether the journal of a database still holds all that was committed.
//!
//! Each frame of a journal has a checksum over all that is before it. When the programs that had a
//! database open were killed, the next one takes the first frame that does not fit for the end, so
//! a journal that was cut short or damaged looks like one in which less was committed. But its
//! index lies there as well, and says how many frames were committed: until somebody opens the
//! database, who makes it anew. The format of both: <https://sqlite.org/walformat.html>.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use super::journal::{index, journal};

/// Whether the journal of a database ends before what its index says was committed. Only for a
/// database to which this process has [no connection](super::file_id::unconnected): to close its
/// index drops the locks on it.
///
/// An index that says nothing proves nothing: one that is cut, is being written, or is of another
/// journal. After a failure of power it may be newer than the journal, for it is never synced: ask
/// only where the machine was not started again since.
pub fn has_lost_commits(database: &Path) -> io::Result<bool> {
    let Some(known) = Known::read(database)? else {
        return Ok(false);
    };
    let has_lost = !known.is_all_in(BufReader::new(File::open(journal(database))?))?;
    // Whoever begins the journal anew says so in the index first.
    Ok(has_lost && Known::read(database)? == Some(known))
}

/// What the index knows of the journal.
#[derive(PartialEq)]
struct Known {
    /// How many frames are committed.
    frames: u32,
    /// What tells this journal from those before it.
    salts: [u8; 8],
}

type Checksum = [u32; 2];

impl Known {
    /// Reads the header, which is there twice: a writer that was killed within leaves two that
    /// differ.
    fn read(database: &Path) -> io::Result<Option<Self>> {
        let mut header = [[0; 48]; 2];
        let read = File::open(index(database))
            .and_then(|mut index| index.read_exact(header.as_flattened_mut()));
        match read {
            Err(e)
                if [io::ErrorKind::NotFound, io::ErrorKind::UnexpectedEof].contains(&e.kind()) =>
            {
                return Ok(None);
            }
            read => read?,
        }
        let [first, second] = header;
        let (content, sum) = first.split_at(40);
        let is_sound = first == second
            && checksum(content, [0; 2], u32::from_ne_bytes) == sums(sum, u32::from_ne_bytes);
        let frames = u32::from_ne_bytes(part(content, 16));
        Ok((is_sound && frames > 0).then(|| Self { frames, salts: part(content, 32) }))
    }

    /// Whether the journal has as many sound frames. One of other salts was begun anew and says
    /// nothing.
    fn is_all_in(&self, mut journal: impl Read) -> io::Result<bool> {
        let mut header = [0; 32];
        if !fills(&mut journal, &mut header)? {
            return Ok(false);
        }
        // The last bit of the first number tells in which order the bytes are summed up.
        let order = match header[3] & 1 {
            0 => u32::from_le_bytes,
            _ => u32::from_be_bytes,
        };
        let (content, sum) = header.split_at(24);
        let mut sum_so_far = checksum(content, [0; 2], order);
        if sum_so_far != sums(sum, u32::from_be_bytes) {
            return Ok(false);
        }
        if part(content, 16) != self.salts {
            return Ok(true);
        }
        let page = u32::from_be_bytes(part(content, 8)) as usize;
        let mut frame = vec![0; 24 + page];
        for _ in 0..self.frames {
            if !fills(&mut journal, &mut frame)? {
                return Ok(false);
            }
            let (header, page) = frame.split_at(24);
            sum_so_far = checksum(page, checksum(&header[..8], sum_so_far, order), order);
            let is_sound = part(header, 8) == self.salts
                && sums(&header[16..], u32::from_be_bytes) == sum_so_far;
            if !is_sound {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether there was enough to fill this.
fn fills(journal: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match journal.read_exact(bytes) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

/// SQLite's checksum, continued over these bytes.
fn checksum(
    bytes: &[u8],
    [mut first, mut second]: Checksum,
    order: fn([u8; 4]) -> u32,
) -> Checksum {
    for pair in bytes.chunks_exact(8) {
        first = first.wrapping_add(order(part(pair, 0))).wrapping_add(second);
        second = second.wrapping_add(order(part(pair, 4))).wrapping_add(first);
    }
    [first, second]
}

fn sums(bytes: &[u8], order: fn([u8; 4]) -> u32) -> Checksum {
    [order(part(bytes, 0)), order(part(bytes, 4))]
}

/// So many bytes from this place on, which are there.
fn part<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    std::array::from_fn(|place| bytes[from + place])
}
