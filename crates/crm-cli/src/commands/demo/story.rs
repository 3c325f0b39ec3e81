//! What the demo tells, step by step.

use std::{collections::BTreeSet, io};

use crm_sandbox::{Fault, FaultPlan, FaultRule};

use super::stage::{Stage, Step, not_as_told};
use crate::error::CliError;

/// From the first look to the approval.
const PREPARED: [Step; 6] = [
    Step::new(
        "Copy all contacts into a file on this machine, to search and plan in.",
        &["mirror", "update"],
    )
    .showing(3),
    Step::new(
        "Who has this number? The same contact is there twice, in two spellings.",
        &["find", "(818) 555-0161"],
    ),
    Step::new("What else is wrong? Twenty rules look at every contact.", &["audit"]).showing(14),
    Step::new(
        "Take what two of the rules propose as rows, to look at in a spreadsheet.",
        &["audit", "--rule", "spelling,duplicate", "--output", "csv"],
    )
    .into("mend.csv"),
    Step::new(
        "Plan the changes as a set. It shows each one; nothing is sent yet.",
        &["plan", "mend.csv", "--out", "mend.crm"],
    )
    .showing(16),
    Step::new(
        "Somebody approves the set, exactly as it is.",
        &["approve", "mend.crm", "--by", "Dana"],
    ),
];

/// The command that is interrupted: with two writes at once it is clear which are in flight then.
const INTERRUPTED: Step = Step::new(
    "Send the changes. In the middle the command is killed, as by a power cut.",
    &["apply", "mend.crm", "--require-approval", "--concurrency", "2"],
);

/// From the interruption to the results.
const CONTINUED: [Step; 3] = [
    Step::new(
        "What is known of each change: two were sent whose answers never came.",
        &["status", "mend.crm"],
    ),
    Step::new(
        "The same command continues. It reads back what became of those two, and repeats nothing.",
        &["apply", "mend.crm", "--require-approval"],
    ),
    Step::new(
        "The outcome of each change, as rows for a spreadsheet.",
        &["results", "mend.crm", "--by-contact"],
    ),
];

/// Everything back.
const UNDONE: [Step; 2] = [
    Step::new("Was it a mistake? Plan the reverse.", &["undo", "mend.crm", "--out", "back.crm"])
        .showing(16),
    Step::new("Send the reverse: every contact is as it was.", &["apply", "back.crm"]),
];

/// How many changes the set has.
const CHANGES: usize = 7;
/// How many of them are in flight when the command is killed.
const IN_FLIGHT: usize = 2;

/// Tells it all, and checks at the sandbox that it is true.
pub(super) async fn tell(stage: &mut Stage) -> Result<(), CliError> {
    begin(stage)?;
    let before = stage.contacts()?;
    for step in &PREPARED {
        stage.play(step).await?;
    }
    check(stage.writes().is_empty(), "something was sent before it was approved")?;

    stage.cut_off(&INTERRUPTED, interruption(), IN_FLIGHT).await?;
    stage.say("(killed)")?;
    for step in &CONTINUED {
        stage.play(step).await?;
    }
    let sent = stage.writes();
    let once = sent.iter().collect::<BTreeSet<_>>().len();
    check(
        (once, sent.len()) == (CHANGES, CHANGES),
        format!("these were sent: {}", sent.join(", ")),
    )?;

    for step in &UNDONE {
        stage.play(step).await?;
    }
    let other: Vec<_> = stage.contacts()?.into_iter().filter(|c| !before.contains(c)).collect();
    check(
        other.is_empty(),
        format!("after the undo these contacts are not as they were: {other:?}"),
    )?;
    Ok(end(stage)?)
}

fn begin(stage: &Stage) -> io::Result<()> {
    stage.say(&format!(
        "A whole job in a minute. The commands are real; the service is a local copy with invented data,\n\
         at {} as long as this lasts. Here they find it in their environment\n\
         (CRM_API_URL and others), elsewhere in the profile of an account.",
        stage.connection().api_url
    ))
}

fn end(stage: &Stage) -> io::Result<()> {
    stage.say(&format!(
        "\nAs told: the service was sent each of {CHANGES} changes once, in spite of the interruption, and \
         after the undo\nevery contact is as it was.\n\n\
         Go on without an account:  crm --sandbox audit\n\
         with your own account:     crm profile add --help"
    ))
}

/// The first two writes are answered; the next ones are carried out, and no answer comes.
fn interruption() -> FaultPlan {
    let silence = FaultRule::new(Fault::Delay { milliseconds: 3_600_000 }).times(0);
    FaultPlan::new().rule(silence.method("PATCH").nth(3))
}

fn check(holds: bool, otherwise: impl std::fmt::Display) -> Result<(), CliError> {
    if holds { Ok(()) } else { Err(not_as_told(otherwise)) }
}
