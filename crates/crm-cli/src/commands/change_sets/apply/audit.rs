//! `crm apply --audit`: one line for each write.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use crm_bulk::{State, Written};
use crm_models::TenantId;
use serde::Serialize;

use crate::{
    commands::{change_sets::summary::name, file_arg::keep_apart},
    error::CliError,
    files,
};

/// One line of the audit.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AuditLine<'a> {
    at: String,
    tenant: TenantId,
    set: &'a str,
    change: String,
    row: Option<u64>,
    record: String,
    action: &'static str,
    preference: Option<&'a str>,
    state: State,
    http_status: Option<u16>,
    trace_id: Option<&'a str>,
    /// Whether the answer was not seen, and the record was read back instead.
    read_back: bool,
}

/// The file with one line for each write.
pub(super) struct Audit {
    file: File,
    path: PathBuf,
    tenant: TenantId,
    set: String,
}

impl Audit {
    pub(super) fn open(path: &Path, tenant: TenantId, set: &Path) -> Result<Self, CliError> {
        keep_apart(path, set, "the change set")?;
        let file = files::private().append(true).open(path).map_err(CliError::unwritten(path))?;
        Ok(Self { file, path: path.to_owned(), tenant, set: name(set) })
    }

    pub(super) fn write(&mut self, written: &Written) -> Result<(), CliError> {
        let line = AuditLine {
            at: written.at.to_string(),
            tenant: self.tenant,
            set: &self.set,
            change: written.change.to_string(),
            row: written.row,
            record: written.target.to_string(),
            action: written.action,
            preference: written.preference.as_deref(),
            state: written.state,
            http_status: written.http_status,
            trace_id: written.trace_id.as_deref(),
            read_back: written.read_back,
        };
        let written = serde_json::to_vec(&line).map_err(Into::into).and_then(|mut line| {
            line.push(b'\n');
            self.file.write_all(&line)
        });
        written.map_err(CliError::unwritten(&self.path))
    }
}
