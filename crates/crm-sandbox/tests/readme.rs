//! The README's table of settings is that of the code.

use crm_sandbox::Settings;

#[test]
fn the_readme_lists_every_setting_as_it_is() {
    let readme = include_str!("../README.md");
    for setting in Settings::default().table() {
        let row = format!(
            "| `{}` | {} | `{}` | {} |",
            setting.name,
            setting.kind.replace('|', ", "),
            setting.default,
            setting.description
        );
        assert!(readme.contains(&row), "README.md lacks the row\n{row}");
    }
}
