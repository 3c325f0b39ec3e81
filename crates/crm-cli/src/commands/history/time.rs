//! The time of which a history is asked for.

use crm_models::Timestamp;

use crate::output::moment;

/// The time that is asked for.
#[derive(Clone, Copy)]
pub(super) struct Time {
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
}

impl Time {
    fn is_limited(self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    pub(super) fn has(self, at: Option<Timestamp>) -> bool {
        self.since.is_none_or(|since| at.is_some_and(|at| at >= since))
            && self.until.is_none_or(|until| at.is_some_and(|at| at < until))
    }

    /// That nothing is known to have happened in it; `begins` is from when on something is known.
    pub(super) fn nothing_known(self, begins: Option<Timestamp>) -> String {
        let day = begins.map(|at| moment(&at.to_string())).unwrap_or_default();
        match begins {
            None if !self.is_limited() => "no change is recorded".to_owned(),
            Some(_) if !self.is_limited() => format!("no change is recorded since {day}"),
            Some(begins) if self.until.is_some_and(|until| until <= begins) => {
                format!("nothing is known of this time: what the desk knows begins {day}")
            }
            Some(begins) if self.since.is_none_or(|since| since < begins) => format!(
                "no change is recorded in this time, of which the desk knows only what came after \
                 {day}"
            ),
            _ => "no change is recorded in this time".to_owned(),
        }
    }

    /// What a record's own dates say of it, where only a part of all times is asked for.
    pub(super) fn told_by_dates(
        self,
        created: Option<Timestamp>,
        changed: Option<Timestamp>,
    ) -> Option<String> {
        let dates = [("created", created), ("last changed", changed)].into_iter();
        let dates = dates.filter(|(_, at)| at.is_some() && self.has(*at));
        let dates = dates.filter_map(|(what, at)| Some((what, moment(&at?.to_string()))));
        let dates: Vec<_> = dates.map(|(what, at)| format!("{what} {at}")).collect();
        let is_told = self.is_limited() && !dates.is_empty();
        is_told.then(|| format!("the service says that it was {}", dates.join(", ")))
    }
}
