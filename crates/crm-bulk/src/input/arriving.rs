//! Text that comes when it comes: from a pipe, a terminal or a network.

use std::{
    io::{self, Cursor, Read},
    thread,
};

use futures_core::future::BoxFuture;
use futures_util::FutureExt;
use tokio::sync::mpsc;

/// How much is read at once.
const BLOCK: usize = 64 * 1_024;
/// How many blocks may have arrived before they are asked for.
const BLOCKS_AHEAD: usize = 4;

/// What has been read, why no more can be, or nothing at the end. Without that last word it was cut
/// off.
type Arrived = Option<io::Result<Vec<u8>>>;

/// Reads on a thread of its own. The text arrives in the reader that is returned as long as the
/// future is polled.
///
/// Nothing can end a read that waits for a text that does not come, so nobody may wait for that
/// thread: it is left alone. Once the future is dropped the text is cut off, and whoever reads it
/// can go.
pub(super) fn apart(mut reader: Box<dyn Read + Send>) -> (ArrivingText, BoxFuture<'static, ()>) {
    let (read, mut blocks) = mpsc::channel::<Arrived>(1);
    // If there is no thread, the channel closes, and the text is cut off.
    let _ = thread::Builder::new().name("crm-bulk-input".to_owned()).spawn(move || {
        loop {
            let block = next_block(&mut reader);
            let is_last = !matches!(block, Some(Ok(_)));
            if read.blocking_send(block).is_err() || is_last {
                return;
            }
        }
    });
    let (sender, arriving) = mpsc::channel(BLOCKS_AHEAD);
    let feed = async move {
        while let Some(block) = blocks.recv().await {
            if sender.send(block).await.is_err() {
                return;
            }
        }
    };
    (ArrivingText { arriving, block: Cursor::default(), has_ended: false }, feed.boxed())
}

fn next_block(reader: &mut impl Read) -> Arrived {
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block) {
            Ok(0) => return None,
            Ok(length) => {
                block.truncate(length);
                return Some(Ok(block));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Some(Err(error)),
        }
    }
}

/// The text, for a thread that may wait.
pub(super) struct ArrivingText {
    arriving: mpsc::Receiver<Arrived>,
    block: Cursor<Vec<u8>>,
    has_ended: bool,
}

impl Read for ArrivingText {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.block.read(buffer)?;
            if length > 0 || buffer.is_empty() || self.has_ended {
                return Ok(length);
            }
            match self.arriving.blocking_recv() {
                Some(Some(block)) => self.block = Cursor::new(block?),
                Some(None) => self.has_ended = true,
                None => return Err(io::Error::other("it was cut off")),
            }
        }
    }
}
