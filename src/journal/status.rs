//! How much a log matters, how it is, and what its faults are called.

use rea_fsm::Millis;
use serde::{Deserialize, Serialize};
use std::io;

/// How much the log matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Everything is written; what can't be is missed and reported.
    #[default]
    On,
    /// Nothing is written.
    Off,
    /// As on, but calls are refused while nothing can be written.
    Required,
}

/// Records were lost, and the log is required: calls must be refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the event log can't be written ({reason}), and `journal: required` refuses calls until it can; \
     free the disk or set `journal.dir` to a place that can be written"
)]
pub struct NotLogged {
    /// The system's name of the error.
    pub reason: String,
}

/// How the log is, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Whether it can be written.
    pub state: HealthState,
    /// How many bytes this session has written.
    pub bytes: u64,
    /// How many records it has had, those that are missing included.
    pub records: u64,
    /// The number of the file that is written to.
    pub files: u32,
    /// How often it could not be written.
    pub gaps: u64,
    /// Why what was written may not survive a loss of power.
    pub sync_failure: Option<String>,
}

/// Whether the log can be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// It is.
    Ok,
    /// It can't be.
    Gap {
        /// Since when.
        since_ms: Millis,
        /// The first lost record's number.
        first: u64,
        /// The system's name of the error.
        reason: String,
    },
    /// It is not wanted.
    Off,
}

/// The name by which the system's manuals know an error.
pub(super) fn error_name(error: &io::Error) -> String {
    use rustix::io::Errno;
    let named = [
        (Errno::NOSPC, "ENOSPC"),
        (Errno::DQUOT, "EDQUOT"),
        (Errno::IO, "EIO"),
        (Errno::ROFS, "EROFS"),
        (Errno::ACCESS, "EACCES"),
        (Errno::PERM, "EPERM"),
        (Errno::NOENT, "ENOENT"),
        (Errno::NOTDIR, "ENOTDIR"),
        (Errno::EXIST, "EEXIST"),
        (Errno::FBIG, "EFBIG"),
        (Errno::MFILE, "EMFILE"),
        (Errno::NFILE, "ENFILE"),
    ];
    let errno = error.raw_os_error();
    let name = named
        .iter()
        .find(|(known, _)| errno == Some(known.raw_os_error()));
    match (name, errno) {
        (Some((_, name)), _) => (*name).to_owned(),
        (None, Some(errno)) => format!("errno {errno}"),
        (None, None) => error.kind().to_string(),
    }
}
