//! The program `crm`, which does what needs a tenant's desk as a child of the worker.

use std::{
    collections::BTreeMap,
    fs, io,
    num::NonZeroU32,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    time::{Instant, timeout},
};

use crate::{
    accounts::{NoAccount, Variables},
    desk::{DeskTask, Rows},
    desk_jobs::BegunAtDesk,
    jobs::Ended,
};

/// The file by which a volume is known; its text is the name.
const MARK: &str = ".crm-home";
/// What the child has of the worker's own environment: by what programs, files, certificates and proxies
/// are found. The rest may have secrets of other tenants.
const INHERITED: [&str; 17] = [
    "PATH",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "CRM_ALLOW_HTTP",
];
/// How much of an answer is kept; one that is longer is not read as JSON.
const MOST_KEPT: usize = 1 << 20;

/// The program `crm`, with the home volumes that are mounted here.
///
/// A desk lies on its tenant's volume, in a folder named as `crm` names it, so a folder of desks that `crm`
/// made can become a volume. A volume says its own name in a file `.crm-home`: where that is missing or
/// says another, nothing is mounted, and no desk is begun in the empty place. Settings for all desks of
/// a volume, such as a key that signs ledgers, go into `config/crm/config.toml` on it.
///
/// ```no_run
/// use async_trait::async_trait;
/// use crm_fleet::{CrmProgram, NoAccount, Site, Variables};
///
/// /// Each tenant's secret is a file; id and key are those of the application.
/// #[derive(Debug)]
/// struct Files;
///
/// #[async_trait]
/// impl Variables for Files {
///     async fn variables(&self, site: &Site) -> Result<Vec<(&'static str, String)>, NoAccount> {
///         let secret = std::fs::read_to_string(format!("/run/secrets/{}", site.tenant()))
///             .map_err(|error| NoAccount { reason: error.to_string(), passes: false })?;
///         Ok(vec![
///             ("CRM_AUTH_URL", "https://auth.servicetitan.io".to_owned()),
///             ("CRM_CLIENT_ID", "contacts".to_owned()),
///             ("CRM_CLIENT_SECRET", secret),
///             ("CRM_APP_KEY", "ak1".to_owned()),
///         ])
///     }
/// }
///
/// let crm = CrmProgram::new("/usr/local/bin/crm", Files).home("main", "/srv/desks");
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct CrmProgram {
    program: PathBuf,
    variables: Arc<dyn Variables>,
    homes: BTreeMap<String, PathBuf>,
    rate: Option<NonZeroU32>,
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) ended: Ended,
    /// What came of it, for people.
    pub(crate) summary: Option<String>,
}

impl CrmProgram {
    /// Names the program, and where it gets credentials. It has to have the feature `fleet` to plan.
    pub fn new(program: impl Into<PathBuf>, variables: impl Variables + 'static) -> Self {
        let (program, variables) = (program.into(), Arc::new(variables));
        Self { program, variables, homes: BTreeMap::new(), rate: None }
    }

    /// Adds a volume and where it is mounted, an absolute path.
    pub fn home(mut self, name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        self.homes.insert(name.into(), path.into());
        self
    }

    /// How many calls a second it makes at most; without it as many as `crm` makes.
    pub fn calls_per_second(mut self, calls: NonZeroU32) -> Self {
        self.rate = Some(calls);
        self
    }

    /// The names of the volumes.
    pub(crate) fn homes(&self) -> Vec<String> {
        self.homes.keys().cloned().collect()
    }

    /// Looks whether all volumes are there.
    ///
    /// # Errors
    ///
    /// What is wrong with the first one that is not, for people.
    pub fn check(&self) -> Result<(), String> {
        self.homes.iter().try_for_each(|(name, path)| mounted(name, path))
    }

    /// Does a job until it is over, or this completes: then the program is asked to end, which it does
    /// once what is in flight is finished, and is killed if it takes longer than the grace.
    pub(crate) async fn run(
        &self,
        job: &BegunAtDesk,
        server: &str,
        stop: impl Future<Output = ()>,
        grace: Duration,
    ) -> Ran {
        let not_begun = |ended| Ran { ended, summary: None };
        let Some(home) = self.homes.get(&job.home) else {
            let reason = format!("this worker has no volume {:?}", job.home);
            return not_begun(Ended::Later(reason));
        };
        if let Err(reason) = mounted(&job.home, home) {
            return not_begun(Ended::Later(reason));
        }
        let variables = match self.variables.variables(&job.site).await {
            Ok(variables) => variables,
            Err(NoAccount { reason, passes: true }) => return not_begun(Ended::Later(reason)),
            Err(NoAccount { reason, passes: false }) => return not_begun(Ended::Held(reason)),
        };
        let mut command = self.command(job, home, server);
        let child = command.envs(variables).spawn();
        // It has the credentials.
        drop(command);
        match child {
            Err(error) => {
                let program = self.program.display();
                not_begun(Ended::Held(format!("{program} cannot be started: {error}")))
            }
            Ok(child) => attend(child, job, stop, grace).await,
        }
    }

    fn command(&self, job: &BegunAtDesk, home: &Path, server: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments(&job.task))
            .args(self.rate.map(|rate| format!("--rate={rate}")))
            .env_clear()
            .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            // A worker that is killed takes it along.
            .env("CRM_END_WITH_READER", "1")
            .env("CRM_DESKS", home)
            // Not that of whoever runs the worker.
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("CRM_TENANT", job.site.tenant().to_string())
            .env("CRM_API_URL", job.site.environment())
            .current_dir(home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if matches!(job.task, DeskTask::Plan(_)) {
            command.env("CRM_FLEET_URL", server);
        }
        command
    }
}

/// Whether the volume of this name is mounted there.
fn mounted(name: &str, path: &Path) -> Result<(), String> {
    let mark = path.join(MARK);
    let (path, mark_name) = (path.display(), mark.display());
    match fs::read_to_string(&mark) {
        Ok(text) if text.trim() == name => Ok(()),
        Ok(text) => {
            let other: String = text.trim().chars().take(64).collect();
            Err(format!("{path} is the volume {other:?}, not {name:?}, as {mark_name} says"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(format!(
            "the volume {name:?} is not mounted at {path}: a volume has a file {mark_name} with its name"
        )),
        Err(error) => Err(format!("{mark_name} cannot be read: {error}")),
    }
}

/// What the program is asked to do.
fn arguments(task: &DeskTask) -> Vec<String> {
    let words: &[&str] = match task {
        DeskTask::Mirror => &["mirror", "update"],
        // Whoever submits the job has decided that it is to be sent.
        DeskTask::Consent => &["consent", "run", "--yes"],
        DeskTask::Plan(_) => &["plan", "-"],
    };
    let mut arguments: Vec<_> = words.iter().copied().map(str::to_owned).collect();
    if let DeskTask::Plan(Rows { set, is_ndjson, select_by_value, skip_invalid, .. }) = task {
        arguments.push(format!("--push={set}"));
        let options = [
            ("--ndjson", is_ndjson),
            ("--select-by-value", select_by_value),
            ("--skip-invalid", skip_invalid),
        ];
        let given = options.iter().filter(|(_, is_set)| **is_set);
        arguments.extend(given.map(|(name, _)| (*name).to_owned()));
    }
    arguments.push("--output=json".to_owned());
    arguments
}

/// Hands the program its input, and waits for its end.
async fn attend(
    mut child: Child,
    job: &BegunAtDesk,
    stop: impl Future<Output = ()>,
    grace: Duration,
) -> Ran {
    let begun = Instant::now();
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let input = match &job.task {
        DeskTask::Plan(rows) => &rows.text[..],
        DeskTask::Mirror | DeskTask::Consent => &[],
    };
    let feed = async {
        if let Some(mut stdin) = stdin {
            // One that wants no more of it says why by its end.
            let _ = stdin.write_all(input).await;
        }
    };
    let mut was_asked = false;
    let wait = async {
        tokio::select! {
            status = child.wait() => status,
            () = stop => {
                was_asked = true;
                ask_to_end(&mut child);
                match timeout(grace, child.wait()).await {
                    Ok(status) => status,
                    Err(_) => {
                        let killed = child.kill().await;
                        killed.and(child.wait().await)
                    }
                }
            }
        }
    };
    let (status, (), answer, _) = tokio::join!(wait, feed, read(stdout), read(stderr));
    let status = match status {
        Ok(status) => status,
        Err(error) => {
            let reason = format!("what became of `crm` is not known: {error}");
            return Ran { ended: Ended::Held(reason), summary: None };
        }
    };
    let answer = answer.and_then(|answer| serde_json::from_slice(&answer).ok());
    let answer: Value = answer.unwrap_or_default();
    let ran =
        Ran { ended: ended(status, was_asked, &answer), summary: summary(&job.task, &answer) };
    // Not what it wrote: that may have values of contacts.
    tracing::info!(
        ended = ran.ended.as_str(),
        code = status.code(),
        kind = answer["error"]["kind"].as_str(),
        seconds = begun.elapsed().as_secs(),
        "crm ended"
    );
    ran
}

/// Reads an output to its end; `None` if there is more of it than is kept.
async fn read(output: Option<impl AsyncRead + Unpin>) -> Option<Vec<u8>> {
    let mut output = output?;
    let mut kept = Vec::new();
    (&mut output).take(MOST_KEPT as u64).read_to_end(&mut kept).await.ok()?;
    // A full pipe would keep the program.
    let more = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
    (more.ok()? == 0).then_some(kept)
}

/// Has the program end once what is in flight is finished.
#[cfg(unix)]
fn ask_to_end(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process};

    let id = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    if let Some(id) = id {
        // It may have ended just now.
        let _ = kill_process(id, Signal::TERM);
    }
}

/// Ends the program: other systems have no such request.
#[cfg(not(unix))]
fn ask_to_end(child: &mut Child) {
    let _ = child.start_kill();
}

/// What the end of the program means for the job, by the table of exit codes in the book.
fn ended(status: ExitStatus, was_asked: bool, answer: &Value) -> Ended {
    const DONE: i32 = 0;
    const UNREACHABLE: i32 = 5;

    let told = reason(answer);
    match status.code() {
        Some(DONE) => Ended::Done,
        Some(UNREACHABLE) => {
            Ended::Later(told.unwrap_or_else(|| "the service cannot be reached".to_owned()))
        }
        _ if was_asked && (is_interrupted(status) || status.code().is_none()) => Ended::Yields,
        _ if is_interrupted(status) => Ended::Later("crm was interrupted".to_owned()),
        Some(code) => Ended::Held(match told {
            Some(told) => format!("crm ended with {code}: {told}"),
            None => format!("crm ended with {code}"),
        }),
        None => Ended::Held(format!("crm was killed: {status}")),
    }
}

/// Whether somebody asked the program to end, as a shell or as the system says it.
fn is_interrupted(status: ExitStatus) -> bool {
    #[cfg(unix)]
    let by_signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let by_signal = None;
    matches!((status.code(), by_signal), (Some(130 | 143), _) | (_, Some(2 | 15)))
}

/// Why the program did not do all, as it said.
fn reason(answer: &Value) -> Option<String> {
    let error = answer["error"]["message"].as_str();
    let held = || answer["sets"].as_array()?.iter().find_map(|set| set["held"].as_str());
    let outcome = || answer["outcome"].as_str();
    error.or_else(held).or_else(outcome).map(str::to_owned)
}

/// What came of it, in numbers alone.
fn summary(task: &DeskTask, answer: &Value) -> Option<String> {
    let count = |value: &Value| value.as_u64();
    match task {
        DeskTask::Mirror => {
            let (contacts, owners) = (count(&answer["contacts"])?, count(&answer["owners"])?);
            let of = if owners == 1 { "customer or location" } else { "customers and locations" };
            Some(format!("{} of {owners} {of}", counted(contacts, "contact")))
        }
        DeskTask::Consent => {
            let outcome = answer["outcome"].as_str()?;
            let sets = answer["sets"].as_array().map_or(0, |sets| sets.len() as u64);
            let due = &answer["due"];
            let left = count(&due["open"]).zip(count(&due["cannotBeSet"]));
            let left = left.map(|(open, cannot)| format!(", {} due", open + cannot));
            let late = count(&due["late"]).filter(|late| *late > 0);
            let late = late.map(|late| format!(", {late} late")).unwrap_or_default();
            Some(format!("{outcome}: {}{}{late}", counted(sets, "set"), left.unwrap_or_default()))
        }
        DeskTask::Plan(_) => Some(counted(count(&answer["open"])?, "change")),
    }
}

/// A number of things, for people.
fn counted(number: u64, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use serde_json::json;

    use super::*;

    #[test]
    fn exit_codes_say_what_comes_again_and_what_waits_for_a_person() {
        let of =
            |code: i32, was_asked| ended(ExitStatus::from_raw(code << 8), was_asked, &json!({}));
        assert_eq!(of(0, false), Ended::Done);
        assert_eq!(of(0, true), Ended::Done, "it was over before it was asked");
        assert_eq!(of(5, false).as_str(), "later");
        for code in [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 101] {
            assert_eq!(of(code, false).as_str(), "held", "{code}");
        }
        for code in [130, 143] {
            assert_eq!(of(code, true), Ended::Yields);
            assert_eq!(of(code, false).as_str(), "later");
        }
        let by_signal =
            |signal, was_asked| ended(ExitStatus::from_raw(signal), was_asked, &json!({}));
        assert_eq!(by_signal(15, true), Ended::Yields);
        assert_eq!(by_signal(9, true), Ended::Yields, "it took longer than its grace");
        assert_eq!(by_signal(15, false).as_str(), "later");
        assert_eq!(by_signal(9, false).as_str(), "held");
    }

    #[test]
    fn what_the_program_says_is_kept_for_people() {
        let held = json!({"outcome": "held", "sets": [{"held": null}, {"held": "12 changes, too many"}],
            "due": {"open": 12, "cannotBeSet": 1, "lookAt": 0, "late": 2}});
        assert_eq!(reason(&held).unwrap(), "12 changes, too many");
        let told = summary(&DeskTask::Consent, &held).unwrap();
        assert_eq!(told, "held: 2 sets, 13 due, 2 late");
        let one = json!({"outcome": "done", "sets": [{}], "due": {"open": 0, "cannotBeSet": 0}});
        assert_eq!(summary(&DeskTask::Consent, &one).unwrap(), "done: 1 set, 0 due");
        let failed = json!({"error": {"kind": "local", "message": "no room"}});
        assert_eq!(reason(&failed).unwrap(), "no room");
        assert_eq!(summary(&DeskTask::Mirror, &failed), None);
    }

    #[test]
    fn a_volume_is_known_by_what_it_says_of_itself() {
        let folder = tempfile::tempdir().unwrap();
        let told = |name: &str| mounted(name, folder.path()).unwrap_err();
        assert!(told("main").contains("is not mounted"), "{}", told("main"));
        fs::write(folder.path().join(MARK), "main\n").unwrap();
        assert_eq!(mounted("main", folder.path()), Ok(()));
        assert!(told("west").contains("is the volume \"main\""), "{}", told("west"));
    }

    #[test]
    fn nothing_of_a_list_is_in_arguments_but_its_name_on_the_server() {
        let rows = Rows::csv("june", "location_id,memo\n1,secret\n").select_by_value();
        let arguments = arguments(&DeskTask::Plan(rows.clone())).join(" ");
        assert_eq!(arguments, "plan - --push=june --select-by-value --output=json");
        assert!(!format!("{rows:?}").contains("secret"));
    }
}
