//! `crm location-contacts update`: the change that was asked for, and no more.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, builder::EnumValueParser};
use crm_contacts::RecordChange as _;
use crm_models::{Contact, ContactChange, ContactType, Preference, PreferenceChange, Timestamp};

use crate::{
    commands::{
        args::{ContactArgs, Switch, TypedOwner, contact_type, narrow},
        ledger::OverrideArgs,
        times::time,
        update::{self, Texts},
    },
    error::CliError,
    session::Session,
};

/// What to change; whatever is not given is kept.
#[derive(Debug, Args)]
pub(crate) struct Update<O: TypedOwner> {
    #[command(flatten)]
    of: ContactArgs<O>,

    /// The new kind of contact
    #[arg(long = "type", value_name = "TYPE", ignore_case = true, value_parser = contact_type())]
    contact_type: Option<ContactType>,

    #[command(flatten)]
    texts: Texts,

    #[command(flatten)]
    flags: Flags,

    /// What the flags become that are not given, where the service does not tell what the contact
    /// receives; without it such a change is refused
    #[arg(long, value_name = "ON|OFF")]
    unknown_flags: Option<Switch>,

    /// Change nothing if the contact was changed after this time: give its modifiedOn
    #[arg(long, value_name = "TIME", value_parser = time)]
    if_unmodified_since: Option<Timestamp>,

    #[command(flatten)]
    consent: OverrideArgs,
}

impl<O: TypedOwner> Update<O> {
    pub(super) async fn run(self, session: &Session<'_>) -> Result<(), CliError> {
        let Self {
            of,
            contact_type,
            texts,
            flags: Flags(named),
            unknown_flags,
            if_unmodified_since: since,
            consent,
        } = self;
        let change = |value: Option<String>, memo: Option<String>, flags| {
            narrow!(
                ContactChange::new().preferences(flags),
                contact_type(contact_type.clone()),
                value(value),
                memo(memo),
            )
        };
        let (value, memo) = texts.typed();
        update::check_typed(&change(value, memo.clone(), named))?;
        let records = session.output.records::<Contact>()?;
        let contacts = session.service.owner(of.owner);
        // What is shown and what is sent rest on one reading, which may not be old when it is sent.
        let reading = contacts.read(of.contact).await?;
        let before = &reading.record;
        let kind = contact_type.as_ref().unwrap_or(&before.contact_type);
        let (value, extended) =
            texts.beside(session.region()?, kind, &before.value, before.memo.as_deref())?;
        let flags = match unknown_flags {
            Some(others) => named.complete_for(before.preferences.as_ref(), others.into()),
            None => named,
        };
        // What was made of the present state must not replace what somebody writes meanwhile.
        let is_made = extended != memo || flags != named;
        let since = since.or(is_made.then_some(before.modified_on));
        let change = change(value, extended, flags);
        consent.of_update(session, before, &change, &of.to_string())?;
        let planned = change.would_change(before);
        let updated = contacts.update_from(reading, &change, since);
        update::make(session, records, of.to_string(), planned, updated).await
    }
}

/// A switch for each preference that can be set.
#[derive(Debug)]
struct Flags(PreferenceChange);

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        command.args(Preference::SETTABLE.map(|flag| {
            Arg::new(flag.option())
                .long(flag.option())
                .value_name("ON|OFF")
                .help(format!("Whether {}", flag.received()))
                .value_parser(EnumValueParser::<Switch>::new())
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(given: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |flag: Preference| {
            let switch: Option<&Switch> = given.get_one(flag.option());
            Some((flag, (*switch?).into()))
        };
        Ok(Self(Preference::SETTABLE.into_iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, given: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(given)?;
        Ok(())
    }
}
