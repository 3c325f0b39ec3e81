//! A list of opt-outs of any bytes is planned or reported; a set that is written can be opened,
//! and each entry is found nowhere or wrong.
#![no_main]

use std::{fs, io::Cursor};

use crm_bulk::{BulkError, ChangeSet, Input, OptOut, Snapshot};
use crm_fuzz::{block_on, empty, path};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // The first byte tells the format: `c` for CSV, anything else for NDJSON.
    let Some((format, list)) = input.split_first() else {
        return;
    };
    let (contacts, site) = empty();
    let (set, wrong, known) = (path("list.crm"), path("wrong.csv"), path("contacts.db"));
    let is_new = !known.exists();
    let mut snapshot = Snapshot::open_or_create(&known, &site).expect("a snapshot");
    if is_new {
        block_on(snapshot.update(&contacts, &site, |_| ())).expect("no contacts");
    }
    let _ = fs::remove_file(&set);
    let _ = fs::remove_file(&wrong);
    let reader = Cursor::new(list.to_vec());
    let list = match format {
        b'c' => Input::csv("list", reader),
        _ => Input::ndjson("list", reader),
    };
    let opt_out = OptOut::new(site, snapshot).without_people();
    let opt_out = opt_out.skip_invalid().mend_file(&wrong);
    match block_on(opt_out.plan(&contacts, list, &set)) {
        Ok(summary) => {
            ChangeSet::open(&set).expect("a set that was written opens");
            assert_eq!(summary.invalid_rows() > 0, wrong.exists());
        }
        Err(BulkError::Database { .. }) => panic!("a list never breaks the set"),
        Err(_) => assert!(!set.exists(), "a plan that failed leaves no set"),
    }
});
