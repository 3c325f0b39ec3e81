//! From when on something is told: the file that is named, else the one of the desk.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use crm_audit::Thresholds;

use crate::{
    commands::file_arg,
    error::CliError,
    globals::Globals,
    output::{Output, note},
    session::{self, Session},
    status::Status,
};

/// The file with the defaults of all thresholds, and what each means.
const DEFAULTS: &str = include_str!("thresholds.toml");

/// What is said where there is no desk to write them to.
const INSTEAD: &str = "FILE";

/// Those of the file that is named, else of the desk, else the defaults.
pub(super) fn read(session: &Session<'_>, named: Option<&Path>) -> Result<Thresholds, CliError> {
    if let Some(file) = named {
        return read_file(file);
    }
    let desk = session.existing_desk()?;
    let Some(file) = desk.map(|desk| desk.thresholds()).filter(|file| file.exists()) else {
        return Ok(Thresholds::default());
    };
    note(format!("thresholds of {}", file.display()));
    read_file(&file)
}

fn read_file(path: &Path) -> Result<Thresholds, CliError> {
    let text = String::from_utf8(file_arg::read(path)?);
    let text = text.map_err(|_| CliError::Usage(format!("{}: is not UTF-8", path.display())))?;
    toml::from_str(&text).map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))
}

/// Writes the defaults to a file that is not there yet: the one that is named, else that of the desk.
pub(super) fn write(
    named: Option<&Path>,
    globals: &Globals,
    output: &Output,
) -> Result<Status, CliError> {
    let file: PathBuf = match named {
        Some(file) => file.to_owned(),
        None => session::desk(globals, INSTEAD)?.desk()?.thresholds(),
    };
    let written = File::create_new(&file).and_then(|mut out| out.write_all(DEFAULTS.as_bytes()));
    written.map_err(CliError::unwritten(&file))?;
    output.done("written", &file.display().to_string())?;
    Ok(Status::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_every_threshold_with_its_default() {
        let written: toml::Table = toml::from_str(DEFAULTS).unwrap();
        assert_eq!(written, toml::Table::try_from(Thresholds::default()).unwrap());
    }
}
