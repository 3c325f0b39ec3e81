//! The example payloads beside the tests.

use std::{fs, path::PathBuf};

/// The folder of all examples.
pub fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "examples"].iter().collect()
}

/// The text of one example.
pub fn example(name: &str) -> String {
    let path = folder().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
