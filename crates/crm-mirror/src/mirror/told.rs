//! How far an update is, for whoever waits for it.

use tokio::sync::mpsc;

/// What was read so far.
#[derive(Debug)]
pub(super) struct Told<'a> {
    read: u64,
    tell: &'a mpsc::Sender<u64>,
}

impl<'a> Told<'a> {
    pub(super) fn new(tell: &'a mpsc::Sender<u64>) -> Self {
        Self { read: 0, tell }
    }

    /// Tells that this many more records were read.
    pub(super) async fn advance(&mut self, records: usize) {
        self.read += records as u64;
        // Nobody may be listening any longer.
        let _ = self.tell.send(self.read).await;
    }
}
