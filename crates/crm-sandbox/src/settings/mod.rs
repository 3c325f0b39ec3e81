//! The settings of a sandbox: one typed table.
//!
//! A setting exists wherever the real service's behaviour is not documented or where a test needs a
//! different server. The default is the stricter reading.

use std::fmt;

mod value;

use value::Value;
pub use value::{
    AbsentMembers, BookingAnswer, BookingMemo, EmptyMemo, EmptyUpdate, ErrorKeys, GatewayErrors,
    Letters, NullMembers, OpenTypes, PageBounds, PhoneFilter, PhoneSettingsForm, PhoneValues,
    PreferenceConflict, PreferenceMembers, Repeats, ReplaceUnknown, Unknown,
};

/// The error of a setting that does not exist or does not take a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// No setting has this name.
    #[error("there is no setting {0:?}: see the list of settings")]
    Unknown(String),
    /// The setting does not take this value.
    #[error("setting {name:?} takes {kind}, not {value:?}")]
    Value {
        /// The setting's name.
        name: &'static str,
        /// The values that it takes.
        kind: String,
        /// The value that was given.
        value: String,
    },
}

/// One line of the table of settings.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// The setting's name, as `--set NAME=VALUE` takes it.
    pub name: &'static str,
    /// The values that the setting takes: `on|off`, `number`, `text` or the words to choose from.
    pub kind: String,
    /// The setting's default.
    pub default: String,
    /// The setting's current value.
    pub value: String,
    /// What the setting does.
    pub description: &'static str,
}

macro_rules! settings {
    ($( $(#[doc = $doc:literal])+ $field:ident, $name:literal: $kind:ty = $default:expr; )+) => {
        /// Every setting with its current value. A setting's name is that of its field with
        /// hyphens: `rate-limit`.
        ///
        /// ```
        /// use crm_sandbox::Settings;
        /// let mut settings = Settings::default();
        /// settings.set("rate-limit", "0")?;
        /// settings.set("phone-settings", "as-documented")?;
        /// assert_eq!(settings.rate_limit, 0);
        /// assert!(settings.set("rate-limit", "many").is_err());
        /// assert!(settings.set("speed", "9").is_err());
        /// # Ok::<(), crm_sandbox::SettingError>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Settings {
            $( $(#[doc = $doc])+ pub $field: $kind, )+
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $( $field: $default, )+ }
            }
        }

        impl Settings {
            /// Changes one setting.
            ///
            /// # Errors
            ///
            /// Returns [`SettingError`] when the setting does not exist or does not take the value;
            /// nothing is then changed.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), SettingError> {
                match name {
                    $( $name => self.$field = read($name, value)?, )+
                    _ => return Err(SettingError::Unknown(name.to_owned())),
                }
                Ok(())
            }

            /// Returns the table: name, kind, default, current value, what it does.
            #[must_use]
            pub fn table(&self) -> Vec<Setting> {
                let defaults = Self::default();
                vec![$( Setting {
                    name: $name,
                    kind: <$kind as Value>::kind(),
                    default: defaults.$field.to_text(),
                    value: self.$field.to_text(),
                    description: concat!($($doc),+).trim_ascii(),
                }, )+]
            }
        }
    };
}

settings! {
    /// Requests a tenant may send in any sliding second; 0 turns the limit off.
    rate_limit, "rate-limit": u32 = 60;
    /// A 429 carries `Retry-After`.
    retry_after, "retry-after": bool = true;
    /// The title of a 429 holds the seconds to wait.
    wait_in_title, "wait-in-title": bool = true;
    /// The form of 401, 429 and no-route answers: the API's problem or the gateway's own.
    gateway_errors, "gateway-errors": GatewayErrors = GatewayErrors::Problem;
    /// The keys in the `errors` of a problem: member names, JSON paths from `$`, member names in PascalCase, or positions.
    error_keys, "error-keys": ErrorKeys = ErrorKeys::Member;
    /// Times in answers end in `Z`; otherwise they have no zone.
    zone_in_times, "zone-in-times": bool = true;

    /// Seconds for which an access token is good.
    token_lifetime, "token-lifetime": u32 = 900;
    /// The token answer names the granted scopes.
    scope_in_token_answer, "scope-in-token-answer": bool = true;
    /// Scopes granted to new tokens, separated by spaces; `all` for every scope.
    scopes, "scopes": String = "all".to_owned();
    /// Status for a missing or wrong app key: 403 or 404.
    app_key_status, "app-key-status": u16 = 403;
    /// Status for a tenant that the token does not serve: 403 or 404.
    foreign_tenant_status, "foreign-tenant-status": u16 = 403;

    /// Longest query string in characters; 0 for no limit.
    query_limit, "query-limit": u32 = 2048;
    /// Status for a query string that is too long: 400 or 414.
    long_query_status, "long-query-status": u16 = 400;
    /// Most ids in `locationIds` and `customerIds`; 0 for no limit.
    id_list_limit, "id-list-limit": u32 = 0;
    /// What happens to query parameters that the operation does not know.
    unknown_query, "unknown-query": Unknown = Unknown::Ignore;
    /// Whether names of query parameters are known in any letter case.
    query_names, "query-names": Letters = Letters::Exact;
    /// What happens to members of a body that the schema does not know.
    unknown_members, "unknown-members": Unknown = Unknown::Refuse;
    /// What happens to `page` and `pageSize` out of bounds.
    page_bounds, "page-bounds": PageBounds = PageBounds::Refuse;

    /// The form of `phoneSettings`; as documented, every type of contact has one.
    phone_settings, "phone-settings": PhoneSettingsForm = PhoneSettingsForm::Nested;
    /// Phone and fax numbers are kept as digits or as they were sent.
    phone_values, "phone-values": PhoneValues = PhoneValues::Digits;
    /// How customers are found by `phone`: by the whole text of a contact, or by its digits.
    phone_filter, "phone-filter": PhoneFilter = PhoneFilter::Exact;
    /// Values are checked against their type.
    value_checks, "value-checks": bool = true;
    /// The members of `preferences`, in requests and answers; with three, the other two are unknown members.
    preference_members, "preference-members": PreferenceMembers = PreferenceMembers::Five;
    /// Which invoice flag wins when the combined and the two specific ones differ.
    preference_conflict, "preference-conflict": PreferenceConflict = PreferenceConflict::Specific;
    /// What happens to a null in an update whose schema forbids it.
    null_members, "null-members": NullMembers = NullMembers::Refuse;
    /// What a memo set to the empty string becomes.
    empty_memo, "empty-memo": EmptyMemo = EmptyMemo::Null;
    /// Whether an update without members moves `modifiedOn`.
    empty_update, "empty-update": EmptyUpdate = EmptyUpdate::Keep;
    /// A contact created on a location is copied to the location's customer.
    copy_to_customer, "copy-to-customer": bool = false;
    /// The seed holds one contact of a type outside the documented four.
    seed_unknown_type, "seed-unknown-type": bool = false;

    /// What the update of a booking contact answers: all members that its request may have, the full contact, or only the members that were sent.
    booking_update_answer, "booking-update-answer": BookingAnswer = BookingAnswer::Request;
    /// Types that a new booking contact may have: the documented four, or any text.
    booking_types, "booking-types": OpenTypes = OpenTypes::Known;
    /// The memo of a booking contact that has none: the documented text, or null.
    booking_memo, "booking-memo": BookingMemo = BookingMemo::Empty;

    /// What happens when a person that does not exist is replaced.
    replace_unknown_person, "replace-unknown-person": ReplaceUnknown = ReplaceUnknown::Create;
    /// What happens to members that an update of a person leaves out.
    absent_person_members, "absent-person-members": AbsentMembers = AbsentMembers::Keep;

    /// Seconds until a change shows up in an export feed.
    export_lag, "export-lag": u32 = 900;
    /// Records in one answer of an export feed.
    export_page_size, "export-page-size": u32 = 1000;
    /// When an answer of an export feed repeats the record before it.
    export_repeats, "export-repeats": Repeats = Repeats::Recent;

    /// Requests kept in the log; older ones are dropped.
    log_size, "log-size": u32 = 100_000;
    /// The log keeps queries and bodies, which may hold personal data.
    log_content, "log-content": bool = false;
    /// The admin endpoint under `/sandbox` answers.
    admin, "admin": bool = false;
}

impl Settings {
    /// Returns a memo as the store keeps it. What the real service does with an empty one is not
    /// documented.
    pub(crate) fn memo(&self, memo: Option<String>) -> Option<String> {
        memo.filter(|text| !text.is_empty() || self.empty_memo == EmptyMemo::Keep)
    }
}

fn read<V: Value>(name: &'static str, value: &str) -> Result<V, SettingError> {
    V::from_text(value.trim()).ok_or_else(|| SettingError::Value {
        name,
        kind: V::kind(),
        value: value.to_owned(),
    })
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}={} ({}; default {}): {}",
            self.name, self.value, self.kind, self.default, self.description
        )
    }
}
