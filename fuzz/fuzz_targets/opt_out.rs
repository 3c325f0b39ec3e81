//! A list of opt-outs of any bytes is planned or reported; a set that is written can be opened,
//! and the wrong entries can be fed in again.
#![no_main]

use crm_bulk::{OptOut, Snapshot};
use crm_fuzz::{block_on, empty, path};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (contacts, site) = empty();
    let known = path("contacts.db");
    if !known.exists() {
        let mut snapshot = Snapshot::open_or_create(&known, &site).expect("a snapshot");
        block_on(snapshot.update(&contacts, &site, |_| ())).expect("no contacts");
    }
    crm_fuzz::plan(bytes, async |list, set, wrong| {
        let snapshot = Snapshot::open(&known)?;
        let opt_out = OptOut::new(site.clone(), snapshot).without_people();
        let opt_out = opt_out.skip_invalid().mend_file(wrong);
        opt_out.plan(&contacts, list, set).await
    });
});
