//! What was approved, as one number.

use std::{fmt, str::FromStr};

use crm_mirror::Site;
use sha2::{Digest as _, Sha256};

use super::{action::Action, digest_text, image::Image, state::State, target::Target};

/// The digest of a change set: a SHA-256 over everything that a person approves. That is the
/// tenant, the API host, and for each change in order the plan's verdict, the record, the action,
/// what is wanted and the record as the plan saw it. What a run writes afterwards is not part of
/// it, so a set keeps its digest for life.
///
/// [`ChangeSet::digest`](crate::ChangeSet::digest) computes it from the file, and
/// [`Apply::expect`](crate::Apply::expect) binds a run to it. The digest that a file stores
/// protects against accidents; only one that was kept elsewhere protects against people who can
/// write the file.
///
#[doc = include_str!("digest.md")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

/// How many hexadecimal digits of a digest are shown to people, and needed at least.
const SHORT: usize = 16;
/// How many it has.
const LONG: usize = 64;

impl Digest {
    /// Returns the first 16 hexadecimal digits: enough for people to compare.
    #[must_use]
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(SHORT);
        text
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn of(text: &[u8]) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// All digits, without the cost of formatting: a large set has a million of these.
    fn digits(&self) -> [u8; LONG] {
        let mut digits = [0; LONG];
        // It fails only for a length that does not fit.
        let _ = hex::encode_to_slice(self.0, &mut digits);
        digits
    }
}

/// All 64 digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.digits()))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A digest as a person passes it on: in full, or its first digits, at least 16.
///
/// ```
/// use crm_bulk::ExpectedDigest;
///
/// assert!("3f786850e387550f".parse::<ExpectedDigest>().is_ok());
/// assert!("3f786850".parse::<ExpectedDigest>().is_err(), "too short to tell sets apart");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedDigest(String);

impl ExpectedDigest {
    /// Returns whether this is the given digest, or its beginning.
    #[must_use]
    pub fn admits(&self, digest: &Digest) -> bool {
        digest.to_string().starts_with(&self.0)
    }
}

impl fmt::Display for ExpectedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Digest> for ExpectedDigest {
    fn from(digest: Digest) -> Self {
        Self(digest.to_string())
    }
}

/// The error returned for a text that is neither a digest nor the beginning of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest has 16 to 64 hexadecimal digits")]
pub struct InvalidDigest;

/// All 64 digits, as the file keeps it.
impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidDigest)?;
        Ok(Self(bytes))
    }
}

impl FromStr for ExpectedDigest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let is_digest = (SHORT..=LONG).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_digest { Ok(Self(text.to_ascii_lowercase())) } else { Err(InvalidDigest) }
    }
}

/// The digest of a set in the making, change by change.
#[derive(Debug)]
pub(crate) struct SetDigest {
    hash: Sha256,
    changes: u64,
}

impl SetDigest {
    pub(crate) fn of(site: &Site) -> Self {
        let (tenant, host) = (site.tenant(), site.environment());
        Self {
            hash: Sha256::new_with_prefix(format!(
                "crm change set 1\ntenant {tenant}\nhost {host}\n"
            )),
            changes: 0,
        }
    }

    pub(crate) fn add(&mut self, change: &Digest) {
        self.hash.update(change.digits());
        self.hash.update("\n");
        self.changes += 1;
    }

    pub(crate) fn finish(mut self) -> Digest {
        self.hash.update(format!("changes {}\n", self.changes));
        Digest(self.hash.finalize().into())
    }
}

/// The digest of one change as it was planned.
pub(crate) fn of_change(
    verdict: State,
    target: &Target,
    action: &Action,
    before: Option<&Image>,
) -> Digest {
    Digest::of(&digest_text::of(verdict, target, action, before))
}

#[cfg(test)]
mod tests {
    use crm_models::{
        Contact, ContactChange, ContactPreferencesRequest, Preference, PreferenceChange,
    };
    use serde_json::json;

    use super::{super::digest_text::of as text, *};
    use crate::set::{Carrier, Wanted};

    fn utf8(text: Vec<u8>) -> String {
        String::from_utf8(text).unwrap()
    }

    fn target() -> Target {
        Target::Contact {
            owner: crm_models::LocationId::new(2_001).unwrap().into(),
            contact: Some(3_001.try_into().unwrap()),
        }
    }

    fn before() -> Image {
        let contact: Contact = serde_json::from_value(json!({
            "id": 3001, "type": "MobilePhone", "value": "(818) 555-0142",
            "memo": "Gate code 4411",
            "phoneSettings": { "phoneNumber": "8185550142", "doNotText": false },
            "modifiedOn": "2026-11-20T08:30:00Z", "createdOn": "2024-02-01T00:00:00Z",
            "preferences": {
                "jobRemindersEnabled": true, "marketingUpdatesEnabled": true,
                "invoiceStatementNotification": false,
                "invoiceNotification": true, "statementNotification": false,
            },
        }))
        .unwrap();
        contact.into()
    }

    fn opt_out() -> Action {
        let no_marketing = PreferenceChange::new().marketing_updates(false);
        Action::Update(Wanted::of(ContactChange::new().preferences(no_marketing)))
    }

    #[test]
    fn the_text_of_a_change_is_the_documented_one_and_its_digest_never_changes() {
        let (action, before) = (opt_out(), before());
        let text = utf8(text(State::Planned, &target(), &action, Some(&before)));
        let documented = include_str!("digest.md")
            .lines()
            .skip_while(|line| !line.starts_with("verdict "))
            .take_while(|line| !line.starts_with("```"));
        assert_eq!(text.lines().collect::<Vec<_>>(), documented.collect::<Vec<_>>());
        let change = of_change(State::Planned, &target(), &action, Some(&before));
        assert_eq!(
            change.to_string(),
            "16fb8c2de50891479480736d241b447644bad058e5b7f399ae72172146e735ce"
        );
        let site = Site::new(1_001.try_into().unwrap(), "https://api.servicetitan.io");
        let mut set = SetDigest::of(&site);
        set.add(&change);
        set.add(&change);
        assert_eq!(
            set.finish().to_string(),
            "1da843cca52a34e95b2e3c0003285c518b5bf0632b0dd3d36f95df1fb1801507"
        );
    }

    #[test]
    fn a_text_cannot_pass_for_another_member() {
        let wanted = |memo: &str| Action::Update(Wanted::of(ContactChange::new().memo(memo)));
        let text = utf8(text(State::Planned, &target(), &wanted("a\"\nset value \"b\""), None));
        assert!(text.ends_with("set memo \"a\\\"\\nset value \\\"b\\\"\"\n"), "{text}");
    }

    #[test]
    fn every_member_of_a_wish_counts() {
        let digest =
            |wanted: Wanted| of_change(State::Planned, &target(), &Action::Update(wanted), None);
        let none = Wanted::default;
        let change = ContactChange::new;
        let flags = Preference::SETTABLE.map(|flag| {
            let flag = PreferenceChange::new().set(flag, true);
            Wanted::of(change().preferences(flag))
        });
        let others = [
            none(),
            Wanted::of(change().contact_type("Fax".into())),
            Wanted::of(change().value("1")),
            Wanted::of(change().memo("1")),
            Wanted { cleared_by: Some("1".to_owned()), ..none() },
            Wanted { extension: Some("1".to_owned()), ..none() },
            Wanted { refused: Some("1".to_owned()), ..none() },
            Wanted { combined: Some(true), ..none() },
            Wanted { exact: true, ..none() },
        ];
        let carriers = ["111", "112", "121", "211"].map(|texts| {
            let [contact_type, value, memo] = [0, 1, 2].map(|at| texts[at..=at].to_owned());
            let carrier = Carrier { contact_type: contact_type.as_str().into(), value, memo };
            Wanted { carrier: Some(carrier), ..none() }
        });
        let all = [&flags[..], &others, &carriers].concat();
        let digests: std::collections::HashSet<_> = all.iter().cloned().map(digest).collect();
        assert_eq!(digests.len(), all.len());
    }

    #[test]
    fn a_creation_keeps_its_digest_when_it_receives_an_id() {
        let create = Action::Create(Wanted::default());
        let owner = crm_models::LocationId::new(2_001).unwrap().into();
        let contact = None;
        let unborn = Target::Contact { owner, contact };
        let digest = |target| of_change(State::Planned, target, &create, None);
        assert_eq!(digest(&unborn), digest(&target()));
    }

    #[test]
    fn flags_that_the_service_did_not_tell_are_not_approved() {
        let mut contact = before();
        let whole = of_change(State::Planned, &target(), &opt_out(), Some(&contact));
        if let Image::Contact(contact) = &mut contact {
            let flags = ContactPreferencesRequest::receiving(&[Preference::InvoicesAndStatements]);
            contact.preferences = Some(flags.legacy_three_flags().unwrap().into());
        }
        let three = utf8(text(State::Planned, &target(), &opt_out(), Some(&contact)));
        assert!(!three.contains("invoiceNotification"), "{three}");
        assert_ne!(Digest::of(three.as_bytes()), whole);
    }

    #[test]
    fn a_digest_is_expected_whole_or_by_its_first_digits() {
        let digest = Digest::of(b"x");
        let admits = |text: &str| text.parse::<ExpectedDigest>().map(|it| it.admits(&digest));
        assert_eq!(admits(&digest.to_string()), Ok(true));
        assert_eq!(admits(&digest.short().to_uppercase()), Ok(true));
        assert_eq!(admits(&"0".repeat(16)), Ok(false));
        assert_eq!(admits(&digest.short()[1..]), Err(InvalidDigest));
        assert_eq!(admits("digest3f786850e3"), Err(InvalidDigest));
    }
}
