//! Credentials from a command: `credential_command` of a profile, as in aws, gh and docker.

use std::{
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{ChildStderr, Command},
    time::timeout,
};

use crate::{files, output::note};

/// More bytes than any credentials take.
const MOST_BYTES: u64 = 64 * 1024;

/// How long to wait for what the command said before it ended; a process that it left behind is not
/// waited for.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Why a command gave no credentials. No message shows what it wrote to stdout.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("credential_command is empty: give a program and its arguments")]
    Empty,

    #[error("`{0}` is neither an absolute path nor the name of a program on the PATH")]
    NotFound(String),

    #[error(
        "{} can be changed by others, so `{program}` is not started; run: chmod go-w {0}", path.display()
    )]
    OpenToOthers { program: String, path: PathBuf },

    #[error("`{program}` cannot be started")]
    Start { program: String, source: io::Error },

    #[error("the answer of `{program}` cannot be read")]
    Read { program: String, source: io::Error },

    #[error("`{program}` ended with {status}")]
    Failed { program: String, status: ExitStatus },

    #[error("`{program}` did not end within {} seconds", limit.as_secs())]
    TimedOut { program: String, limit: Duration },

    #[error("`{program}` answered more than {MOST_BYTES} bytes")]
    TooLong { program: String },
}

/// Runs the command without a shell, its stdin empty, `CRM_PROFILE` being the profile's name. What it
/// writes to stderr is shown; what it writes to stdout is the answer and never shown.
pub(super) async fn run(
    words: &[String],
    profile: &str,
    limit: Duration,
) -> Result<Vec<u8>, CommandError> {
    let [program, arguments @ ..] = words else {
        return Err(CommandError::Empty);
    };
    let of = || program.clone();
    let path = locate(program)?;
    // A script that an interpreter is to run matters as much as the interpreter.
    let scripts = arguments.iter().map(Path::new);
    let scripts = scripts.filter(|script| script.is_absolute() && script.is_file());
    for file in [&*path].into_iter().chain(scripts) {
        if let Some(path) = open_to_others(file) {
            return Err(CommandError::OpenToOthers { program: of(), path });
        }
    }
    let mut child = Command::new(path)
        .args(arguments)
        .env("CRM_PROFILE", profile)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| CommandError::Start { program: of(), source })?;
    let stdout = child.stdout.take();
    let said = child.stderr.take().map(|stderr| tokio::spawn(tell(stderr)));
    let ended = timeout(limit, async {
        let mut answer = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(MOST_BYTES + 1).read_to_end(&mut answer).await?;
        }
        // A command that continues to write is not waited for.
        if answer.len() as u64 > MOST_BYTES {
            return Ok((answer, None));
        }
        Ok((answer, Some(child.wait().await?)))
    });
    let ended = ended.await;
    if let Some(said) = said {
        let stop = said.abort_handle();
        let _ = timeout(LAST_WORDS, said).await;
        stop.abort();
    }
    match ended {
        Err(_) => Err(CommandError::TimedOut { program: of(), limit }),
        Ok(Err(source)) => Err(CommandError::Read { program: of(), source }),
        Ok(Ok((_, None))) => Err(CommandError::TooLong { program: of() }),
        Ok(Ok((answer, Some(status)))) if status.success() => Ok(answer),
        Ok(Ok((_, Some(status)))) => Err(CommandError::Failed { program: of(), status }),
    }
}

/// Shows what the command says, line by line, while it runs: it may ask a person for something.
async fn tell(stderr: ChildStderr) {
    let mut lines = BufReader::new(stderr.take(MOST_BYTES)).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        note(String::from_utf8_lossy(&line).trim_end());
    }
}

/// Finds the program. A path that depends on where the command is run, or such an entry of the
/// PATH, would be whatever is there.
fn locate(program: &str) -> Result<PathBuf, CommandError> {
    let path = Path::new(program);
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    let is_name = path.components().count() == 1 && path.file_name() == Some(path.as_os_str());
    let folders = std::env::var_os("PATH").filter(|_| is_name).unwrap_or_default();
    let mut found = std::env::split_paths(&folders)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program).with_extension(std::env::consts::EXE_EXTENSION))
        .filter(|path| path.is_file());
    let found = found.next();
    found.ok_or_else(|| CommandError::NotFound(program.to_owned()))
}

/// The first place that others may change, on the way to a link or on the way to its target.
fn open_to_others(file: &Path) -> Option<PathBuf> {
    let whole = file.canonicalize().ok();
    let open = files::open_to_others(file).map(Path::to_owned);
    open.or_else(|| files::open_to_others(&whole?).map(Path::to_owned))
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::{super::TIME_LIMIT, *};

    async fn shell(script: &str, limit: Duration) -> Result<Vec<u8>, CommandError> {
        let words = ["sh", "-c", script].map(str::to_owned);
        run(&words, "live", limit).await
    }

    #[tokio::test]
    async fn the_answer_is_what_the_command_writes_to_stdout() {
        let answer = shell("printf %s \"$CRM_PROFILE\"; echo told >&2; cat", TIME_LIMIT);
        assert_eq!(answer.await.unwrap(), b"live");
    }

    #[tokio::test]
    async fn a_command_is_bounded_in_time_and_in_what_it_says() {
        let slow = shell("exec sleep 60", Duration::from_millis(50)).await;
        assert!(matches!(slow, Err(CommandError::TimedOut { .. })), "{slow:?}");
        let long = shell("exec yes", TIME_LIMIT).await;
        assert!(matches!(long, Err(CommandError::TooLong { .. })), "{long:?}");
    }

    #[tokio::test]
    async fn a_process_that_is_left_behind_is_not_waited_for() {
        let script = "sleep 60 >/dev/null & echo '{}'";
        let answer = timeout(Duration::from_secs(20), shell(script, TIME_LIMIT)).await;
        assert_eq!(answer.unwrap().unwrap(), b"{}\n");
    }

    #[tokio::test]
    async fn a_command_that_others_may_change_is_not_started() {
        let home = tempfile::tempdir().unwrap();
        let script = home.path().join("helper");
        let started = home.path().join("started");
        fs::write(&script, format!("#!/bin/sh\ntouch {}", started.display())).unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        };
        let helper = script.display().to_string();
        for words in [vec![helper.clone()], vec!["sh".to_owned(), helper.clone()]] {
            for (folder, file, is_open) in
                [(0o755, 0o755, false), (0o755, 0o775, true), (0o777, 0o755, true)]
            {
                set(home.path(), folder);
                set(&script, file);
                let ended = run(&words, "live", TIME_LIMIT).await;
                let refused = matches!(ended, Err(CommandError::OpenToOthers { .. }));
                assert_eq!(refused, is_open, "{words:?} {folder:o} {file:o}: {ended:?}");
                assert_eq!(fs::remove_file(&started).is_err(), is_open, "{words:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_program_is_a_name_on_the_path_or_a_whole_path() {
        for program in ["./sh", "bin/sh", "..", "no-such-program-8471", ""] {
            let refused = run(&[program.to_owned()], "live", TIME_LIMIT).await;
            assert!(matches!(refused, Err(CommandError::NotFound(_))), "{program}: {refused:?}");
        }
        let empty = run(&[], "live", TIME_LIMIT).await;
        assert!(matches!(empty, Err(CommandError::Empty)), "{empty:?}");
    }
}
