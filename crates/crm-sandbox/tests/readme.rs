//! The README's tables of settings and faults are those of the code.

use crm_sandbox::{Fault, Settings};

const README: &str = include_str!("../README.md");

fn must_have(row: &str) {
    assert!(README.contains(row), "README.md lacks the row\n{row}");
}

#[test]
fn the_readme_lists_every_setting_as_it_is() {
    for setting in Settings::default().table() {
        must_have(&format!(
            "| `{}` | {} | `{}` | {} |",
            setting.name,
            setting.kind.replace('|', ", "),
            setting.default,
            setting.description
        ));
    }
}

#[test]
fn the_readme_lists_every_fault_as_it_is() {
    for fault in Fault::table() {
        let members: Vec<_> = fault.members.iter().map(|name| format!("`{name}`")).collect();
        must_have(&format!(
            "| `{}` | {} | {} |",
            fault.name,
            members.join(", "),
            fault.description
        ));
    }
}
