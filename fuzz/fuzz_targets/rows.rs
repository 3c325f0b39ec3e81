//! Rows of any bytes are planned or reported; a set that is written can be opened, and the
//! wrong rows can be fed in again.
#![no_main]

use std::{fs, io::Cursor};

use crm_bulk::{BulkError, ChangeSet, Input, Plan};
use crm_fuzz::{block_on, empty, path};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // The first byte tells the format: `c` for CSV, anything else for NDJSON.
    let Some((format, rows)) = input.split_first() else {
        return;
    };
    let (set, wrong) = (path("rows.crm"), path("wrong.csv"));
    let _ = fs::remove_file(&set);
    let _ = fs::remove_file(&wrong);
    let reader = Cursor::new(rows.to_vec());
    let rows = match format {
        b'c' => Input::csv("rows", reader),
        _ => Input::ndjson("rows", reader),
    };
    let (contacts, site) = empty();
    let plan = Plan::new(site).skip_invalid().mend_file(&wrong);
    match block_on(plan.from_api(&contacts, rows, &set)) {
        Ok(summary) => {
            ChangeSet::open(&set).expect("a set that was written opens");
            assert_eq!(summary.invalid_rows() > 0, wrong.exists());
        }
        Err(BulkError::Database { .. }) => panic!("rows never break the set"),
        Err(_) => assert!(!set.exists(), "a plan that failed leaves no set"),
    }
});
