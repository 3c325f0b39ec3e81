//! The table of settings.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]

use crm_sandbox::Settings;

#[test]
fn every_setting_takes_its_own_default_and_every_word_of_its_kind() {
    let mut settings = Settings::default();
    for setting in Settings::default().table() {
        for word in setting.kind.split('|').filter(|_| setting.kind.contains('|')) {
            settings.set(setting.name, word).unwrap();
            let now = settings.table().into_iter().find(|now| now.name == setting.name).unwrap();
            assert_eq!(now.value, word, "{setting}");
        }
        settings.set(setting.name, &setting.default).unwrap();
        assert_eq!(setting.value, setting.default);
        assert!(setting.description.ends_with('.'), "{setting}");
    }
    assert_eq!(settings, Settings::default());
}

#[test]
fn a_refused_value_names_what_the_setting_takes() {
    let refusal = Settings::default().set("phone-values", "words").unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "setting \"phone-values\" takes digits|verbatim, not \"words\""
    );
}
