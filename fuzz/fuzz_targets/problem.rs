//! An error body of any form is a problem that can be shown and asked about.
#![no_main]

use crm_models::Problem;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (status, body) = input;
    let problem = Problem::read(status, body);
    assert!(!problem.to_string().contains('\n'), "one line: {problem}");
    let _ = (problem.speaks_of_maintenance(), problem.is_no_route());
});
