//! Which changes of a set are meant.

use std::str::FromStr;

use clap::Args;
use crm_bulk::{OwnerId, Selection, State};

use crate::commands::args::narrow;

#[derive(Debug, Args)]
pub(super) struct SelectArgs {
    /// Only changes of which this holds: state=STATE, verdict=STATE (what the plan said) or
    /// action=update, create, delete or method-preferences; several values with commas between; or
    /// has=caution (something to look at before it is sent; what was sent keeps it) or has=stored-as
    /// (the service stored the value otherwise than it was sent). Given several times, all must hold
    #[arg(long = "where", value_name = "WHAT=VALUE")]
    conditions: Vec<Condition>,

    /// Only changes to contacts of this owner, as in --owner 'customer 1001'
    #[arg(long, value_name = "OWNER", value_parser = owner)]
    owner: Option<OwnerId>,

    /// Only changes with this text in the owner's name or town, or in the number, address or memo
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
}

/// One condition of `--where`.
#[derive(Debug, Clone)]
enum Condition {
    States(Vec<State>),
    Verdicts(Vec<State>),
    Actions(Vec<String>),
    HasCaution,
    IsStoredOtherwise,
}

const ACTIONS: [&str; 4] = ["update", "create", "delete", "method-preferences"];

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (what, values) = text.split_once('=').ok_or("write it as state=failed")?;
        let values = || values.split(',').map(str::trim);
        let states = || {
            let states = values().map(|value| value.parse::<State>().map_err(|e| e.to_string()));
            states.collect::<Result<Vec<_>, _>>()
        };
        match what.trim() {
            "state" => states().map(Self::States),
            "verdict" => states().map(Self::Verdicts),
            "action" => match values().find(|value| !ACTIONS.contains(value)) {
                Some(other) => Err(format!("`{other}` is no action: name {}", ACTIONS.join(", "))),
                None => Ok(Self::Actions(values().map(str::to_owned).collect())),
            },
            "has" => match values().collect::<Vec<_>>()[..] {
                ["caution"] => Ok(Self::HasCaution),
                ["stored-as"] => Ok(Self::IsStoredOtherwise),
                _ => Err("write it as has=caution or has=stored-as".to_owned()),
            },
            other => Err(format!("`{other}` is not known: name state, verdict, action or has")),
        }
    }
}

fn owner(text: &str) -> Result<OwnerId, String> {
    let how = "write it as 'customer 1001' or 'location 2001'";
    let (kind, id) = text.trim().split_once([' ', ':', '=']).ok_or(how)?;
    let id = id.trim().parse().map_err(|_| how)?;
    OwnerId::new(&kind.to_lowercase(), id).ok_or_else(|| how.to_owned())
}

impl SelectArgs {
    /// Whether anything is asked for.
    pub(super) fn is_any(&self) -> bool {
        !self.conditions.is_empty() || self.owner.is_some() || self.text.is_some()
    }

    /// Whether changes with a caution are asked for.
    pub(super) fn asks_for_cautions(&self) -> bool {
        self.conditions.iter().any(|condition| matches!(condition, Condition::HasCaution))
    }

    /// Narrows a selection, in which these states are asked for already.
    pub(super) fn narrow(&self, states: Vec<State>) -> Result<Selection, String> {
        let (mut states, mut verdicts, mut actions) =
            (Values(states), Values(vec![]), Values(vec![]));
        let (mut has_caution, mut is_stored_otherwise) = (false, false);
        for condition in &self.conditions {
            match condition {
                Condition::States(named) => states.also(named)?,
                Condition::Verdicts(named) => verdicts.also(named)?,
                Condition::Actions(named) => actions.also(named)?,
                Condition::HasCaution => has_caution = true,
                Condition::IsStoredOtherwise => is_stored_otherwise = true,
            }
        }
        let selection = Selection::states(states.0).verdicts(verdicts.0).actions(actions.0);
        let selection = narrow!(
            selection,
            cautioned() if has_caution,
            stored_otherwise() if is_stored_otherwise,
        );
        Ok(narrow!(selection, owner(self.owner), text(self.text.as_deref())))
    }
}

/// Values of which one has to be so; none: any.
struct Values<V>(Vec<V>);

impl<V: PartialEq + Clone> Values<V> {
    /// Leaves those that are also among these.
    fn also(&mut self, named: &[V]) -> Result<(), String> {
        if self.0.is_empty() {
            self.0 = named.to_vec();
        } else {
            self.0.retain(|value| named.contains(value));
        }
        if self.0.is_empty() {
            return Err("no change can be all that --where and --state ask for".to_owned());
        }
        Ok(())
    }
}
