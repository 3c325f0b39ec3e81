//! What people decide about a set once it is planned.

use crm_models::Timestamp;
use strum::{Display, EnumString, IntoStaticStr};

use super::{change::Change, digest::Digest};
use crate::system_user::system_user;

/// What a person says about a decision. Nobody checks it: what is known of who decided is the
/// user of the system, which is kept beside it.
///
/// ```
/// use crm_bulk::Remark;
///
/// let remark = Remark::new().by("Dana Whitfield").reason("they called and want to keep it");
/// # let _ = remark;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct Remark {
    pub(crate) by: Option<String>,
    pub(crate) reason: Option<String>,
}

impl Remark {
    /// Says nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names who decided.
    pub fn by(mut self, name: impl Into<String>) -> Self {
        self.by = Some(name.into());
        self
    }

    /// Gives the reason.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}

/// A decision about a set, as the set keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// What was decided.
    pub kind: DecisionKind,
    /// When.
    pub at: Timestamp,
    /// The user of the system whose process did it.
    pub user: String,
    /// Who decided, as somebody said.
    pub said: Option<String>,
    /// The reason, as somebody said; of a run, what was chosen for it beyond what is usual.
    pub reason: Option<String>,
    /// The digest of the set from then on: an approval is of this one alone.
    pub digest: Digest,
    /// How many changes it is about.
    pub changes: u64,
}

/// What can be decided about a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum DecisionKind {
    /// Changes were taken out of the set.
    Dropped,
    /// The set was approved as it is.
    Approved,
    /// A run began to send what was open.
    Applied,
}

/// Who decides something.
pub(crate) struct Who {
    /// The user of the system.
    pub(crate) user: String,
    /// As somebody said.
    pub(crate) said: Option<String>,
}

impl Who {
    /// Whoever says this.
    pub(crate) fn of(remark: &Remark) -> Self {
        Self { user: system_user(), said: remark.by.clone() }
    }

    fn name(&self) -> String {
        let Self { user, said } = self;
        match said {
            Some(said) => format!("{user} (said: {said})"),
            None => user.clone(),
        }
    }

    /// What a change says of it that they take out.
    pub(crate) fn dropped(&self, at: Timestamp, reason: Option<&str>) -> String {
        let reason = reason.map(|why| format!(": {why}")).unwrap_or_default();
        format!("dropped {at} by {}{reason}", self.name())
    }
}

impl Decision {
    fn decided_by(&self) -> Who {
        Who { user: self.user.clone(), said: self.said.clone() }
    }

    /// Returns who decided: the user of the system, and the name that was given.
    ///
    /// Both may hold unseen characters: see [`visible`](crate::visible).
    #[must_use]
    pub fn who(&self) -> String {
        self.decided_by().name()
    }

    /// Returns whether this decision took a change out of its set.
    #[must_use]
    pub fn took_out(&self, change: &Change) -> bool {
        let words = || self.decided_by().dropped(self.at, self.reason.as_deref());
        let message = change.outcome.message.as_deref();
        self.kind == DecisionKind::Dropped && message.is_some_and(|it| it.ends_with(&words()))
    }
}
