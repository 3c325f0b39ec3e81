//! Rows of any bytes are planned or reported; a set that is written can be opened, and the
//! wrong rows can be fed in again.
#![no_main]

use crm_bulk::Plan;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (contacts, site) = crm_fuzz::empty();
    crm_fuzz::plan(bytes, async |rows, set, wrong| {
        let plan = Plan::new(site.clone()).skip_invalid().mend_file(wrong);
        plan.from_api(&contacts, rows, set).await
    });
});
