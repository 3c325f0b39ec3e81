//! A cassette is read or refused with a line that it has; what was read can be replayed.
#![no_main]

use crm_transport::{
    Request, Transport,
    cassette::{CassetteError, Matching, Replayer},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Replayer::read(bytes, Matching::Strict) {
        Ok(replayer) => {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            let answer = runtime.expect("a runtime").block_on(replayer.send(Request::default()));
            assert!(answer.is_err() || replayer.remaining() < lines(bytes));
        }
        Err(CassetteError::Line { line, .. }) => assert!(line <= lines(bytes)),
        Err(error) => panic!("memory can be read: {error}"),
    }
});

fn lines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count()
}
