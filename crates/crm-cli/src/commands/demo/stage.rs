//! Where the demo is played: a sandbox, a folder, and this program as the command of each step.

use std::{
    env,
    fs::File,
    io::{self, Read, Seek, Write},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use crm_sandbox::{Connection, FaultPlan, Sandbox, Seed, StoredContact};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{
    error::CliError,
    exit::Exit,
    output::{count, lines, quoted},
};

/// A step that takes longer does not go as told.
const LONGEST: Duration = Duration::from_secs(60);
/// How often the sandbox is asked whether the moment of an interruption has come.
const LOOK: Duration = Duration::from_millis(5);
/// How much of a line is shown.
const WIDTH: usize = 110;
/// Where a command looks for what belongs to its user: all of it is the folder of the demo.
const PLACES: [&str; 11] = [
    "HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "TMPDIR",
    "TMP",
    "TEMP",
];

/// One command, as a user types it.
pub(super) struct Step {
    /// What it is for.
    why: &'static str,
    words: &'static [&'static str],
    /// The file that its answer goes to.
    into: Option<&'static str>,
    /// How many lines of the answer are shown.
    lines: usize,
}

impl Step {
    pub(super) const fn new(why: &'static str, words: &'static [&'static str]) -> Self {
        Self { why, words, into: None, lines: 12 }
    }

    /// Writes the answer to a file, as `>` does.
    pub(super) const fn into(self, file: &'static str) -> Self {
        Self { into: Some(file), ..self }
    }

    /// Shows this many lines of the answer.
    pub(super) const fn showing(self, lines: usize) -> Self {
        Self { lines, ..self }
    }

    /// The command line for a shell.
    fn line(&self) -> String {
        let words: String = self.words.iter().map(|word| format!(" {}", quoted(word))).collect();
        let into = self.into.map(|file| format!(" > {file}")).unwrap_or_default();
        format!("crm{words}{into}")
    }

    fn failed(&self, why: impl std::fmt::Display) -> CliError {
        not_as_told(format!("`{}` {why}", self.line()))
    }
}

/// The error of a demo that went otherwise.
pub(super) fn not_as_told(summary: impl std::fmt::Display) -> CliError {
    let summary = format!("the demo did not go as told: {summary}");
    CliError::CheckFailed { summary, exit: Exit::Local }
}

/// Where the demo is played.
pub(super) struct Stage {
    folder: TempDir,
    sandbox: Sandbox,
    program: PathBuf,
    pace: Duration,
    /// How many steps were shown.
    shown: usize,
    /// The command that runs now.
    running: Option<Child>,
}

impl Stage {
    /// Serves a sandbox with contacts to mend, and makes the folder.
    pub(super) async fn set_up(pace: Duration) -> Result<Self, CliError> {
        let program = env::current_exe()
            .map_err(|error| CliError::io("cannot find out where this program is", error))?;
        let folder = tempfile::Builder::new()
            .prefix("crm-demo-")
            .tempdir()
            .map_err(|error| CliError::io("cannot make a folder for the demo", error))?;
        let sandbox = Sandbox::builder().seed(Seed::Untidy).start().await?;
        // What was undone is then as it was to the letter.
        sandbox.set("phone-values", "verbatim")?;
        Ok(Self { folder, sandbox, program, pace, shown: 0, running: None })
    }

    /// Shows a line of the story.
    pub(super) fn say(&self, text: &str) -> io::Result<()> {
        writeln!(anstream::stdout(), "{text}")
    }

    /// Where the sandbox answers.
    pub(super) fn connection(&self) -> &Connection {
        self.sandbox.connection()
    }

    /// Shows a step, runs its command to the end, and shows the answer.
    pub(super) async fn play(&mut self, step: &Step) -> Result<(), CliError> {
        let mut answer = self.begin(step).await?;
        let ended = match timeout(LONGEST, self.end()).await {
            Ok(ended) => ended?,
            Err(_) => return Err(step.failed("does not come to its end")),
        };
        self.show(step, &mut answer)?;
        if ended.is_none_or(|status| !status.success()) {
            return Err(step.failed(describe(ended)));
        }
        Ok(())
    }

    /// Shows a step and kills its command as soon as these faults have met that many of its requests.
    pub(super) async fn cut_off(
        &mut self,
        step: &Step,
        faults: FaultPlan,
        requests: usize,
    ) -> Result<(), CliError> {
        self.sandbox.inject(faults);
        let mut answer = self.begin(step).await?;
        let ended = match timeout(LONGEST, self.end_or_met(requests)).await {
            Ok(ended) => ended?,
            Err(_) => return Err(step.failed("does not come to the point where it is killed")),
        };
        self.kill().await?;
        self.sandbox.inject(FaultPlan::new());
        self.show(step, &mut answer)?;
        match ended {
            None => Ok(()),
            ended => Err(step.failed(format!("{}, before it could be killed", describe(ended)))),
        }
    }

    /// The writes that reached the sandbox, as method and path.
    pub(super) fn writes(&self) -> Vec<String> {
        let log = self.sandbox.log().into_iter();
        let writes = log.filter(|request| request.method != "GET" && request.operation != "Token");
        writes.map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    /// The contacts as people know them: without ids and times, which a contact that is created anew
    /// gets from the service.
    pub(super) fn contacts(&self) -> Result<Vec<StoredContact>, CliError> {
        let of_locations = self.sandbox.location_contacts()?.into_iter();
        let all = of_locations.chain(self.sandbox.customer_contacts()?);
        let mut contacts: Vec<_> = all
            .filter(|contact| contact.active)
            .map(|mut contact| {
                contact.id = 0;
                contact.created_on.clear();
                contact.modified_on.clear();
                contact
            })
            .collect();
        contacts.sort_by_cached_key(|contact| {
            let StoredContact { owner_id, contact_type, value, memo, .. } = contact.clone();
            (owner_id, contact_type, value, memo)
        });
        Ok(contacts)
    }

    /// Ends what still runs, and removes the folder unless it is to be kept.
    pub(super) async fn clear(mut self, keep: bool) -> Result<(), CliError> {
        self.kill().await?;
        self.sandbox.stop().await;
        if keep {
            let kept = self.folder.keep();
            writeln!(io::stdout(), "\nThe files are in {}", kept.display())?;
            return Ok(());
        }
        let path = self.folder.path().to_owned();
        let removed = self.folder.close();
        removed.map_err(|error| CliError::io(format!("cannot remove {}", path.display()), error))
    }

    /// Shows a step and starts its command; what this tells goes to the file that is returned.
    async fn begin(&mut self, step: &Step) -> Result<File, CliError> {
        sleep(self.pace).await;
        self.shown += 1;
        let (bold, cyan) = (Style::new().bold(), AnsiColor::Cyan.on_default());
        self.say(&format!("\n{bold}{}. {}{bold:#}", self.shown, step.why))?;
        self.say(&format!("{cyan}$ {}{cyan:#}", step.line()))?;

        let start = |error| CliError::io(format!("cannot run `{}`", step.line()), error);
        // One file for both streams keeps the order of their lines, and no full pipe holds a command.
        let told = tempfile::tempfile_in(&self.folder).map_err(start)?;
        let answer = match step.into {
            Some(file) => File::create(self.folder.path().join(file)).map_err(start)?,
            None => told.try_clone().map_err(start)?,
        };
        let child = self
            .command()
            .args(step.words)
            .stdin(Stdio::null())
            .stdout(answer)
            .stderr(told.try_clone().map_err(start)?)
            .spawn()
            .map_err(start)?;
        self.running = Some(child);
        Ok(told)
    }

    /// This program with the sandbox as its account, and nothing else of its user.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().current_dir(&self.folder).kill_on_drop(true);
        // Without the first there are no sockets on Windows.
        let kept = ["SystemRoot", "TZ"].map(|name| (name, env::var_os(name)));
        command.envs(kept.into_iter().filter_map(|(name, value)| Some((name, value?))));
        command.envs(PLACES.map(|name| (name, self.folder.path())));
        let Connection { api_url, auth_url, tenant, client_id, client_secret, app_key, .. } =
            self.connection().clone();
        command.envs([
            ("CRM_API_URL", api_url),
            ("CRM_AUTH_URL", auth_url),
            ("CRM_TENANT", tenant.to_string()),
            ("CRM_CLIENT_ID", client_id),
            ("CRM_CLIENT_SECRET", client_secret),
            ("CRM_APP_KEY", app_key),
        ]);
        command
    }

    /// Waits for the end of the command that runs.
    async fn end(&mut self) -> Result<Option<ExitStatus>, CliError> {
        let Some(child) = &mut self.running else { return Ok(None) };
        let status = child.wait().await.map_err(|e| CliError::io("cannot wait for crm", e))?;
        self.running = None;
        Ok(Some(status))
    }

    /// Waits until faults have met that many requests; how the command ended, if it did before.
    async fn end_or_met(&mut self, requests: usize) -> Result<Option<ExitStatus>, CliError> {
        loop {
            let log = self.sandbox.log();
            if log.iter().filter(|request| request.fault.is_some()).count() >= requests {
                return Ok(None);
            }
            if let Ok(ended) = timeout(LOOK, self.end()).await {
                return ended;
            }
        }
    }

    /// Kills the command that runs, if one does, and waits until it is gone.
    async fn kill(&mut self) -> Result<(), CliError> {
        if let Some(mut child) = self.running.take() {
            child.kill().await.map_err(|error| CliError::io("cannot end crm", error))?;
        }
        Ok(())
    }

    /// Shows what a command told, shortened where it is long.
    fn show(&self, step: &Step, answer: &mut File) -> Result<(), CliError> {
        let mut told = Vec::new();
        let read = answer.rewind().and_then(|()| answer.read_to_end(&mut told));
        read.map_err(|error| {
            CliError::io(format!("cannot read what `{}` told", step.line()), error)
        })?;
        let told = lines(&String::from_utf8_lossy(&told));
        let mut rest = told.lines();
        let mut out = io::stdout();
        for line in rest.by_ref().take(step.lines) {
            writeln!(out, "{}", shortened(line))?;
        }
        match rest.count() {
            0 => Ok(()),
            more => Ok(writeln!(out, "… and {}", count(more as u64, "more line"))?),
        }
    }
}

/// How a command ended, in words.
fn describe(ended: Option<ExitStatus>) -> String {
    ended.map_or_else(|| "was not started".to_owned(), |status| format!("ended with {status}"))
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_is_typed() {
        let step = Step::new("", &["find", "(818) 555-0161"]).into("found.txt");
        assert_eq!(step.line(), "crm find '(818) 555-0161' > found.txt");
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        assert_eq!(shortened(&"é".repeat(WIDTH)), "é".repeat(WIDTH));
        assert_eq!(shortened(&"é".repeat(WIDTH + 1)), format!("{}…", "é".repeat(WIDTH)));
    }
}
