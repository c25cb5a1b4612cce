//! Why a log can't be read on.

use crate::journal::{FORMAT, RULES};
use std::io;

/// Why a log can't be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is nothing at that path.
    #[error("there is no event log at {path}: {error}")]
    NotFound {
        /// What was asked for.
        path: String,
        /// The system's words.
        error: io::Error,
    },
    /// The directory holds no log.
    #[error(
        "there is no event log in {directory} yet; `rea serve` writes one there, \
         unless `journal: off` is set"
    )]
    NoLogs {
        /// Where was looked.
        directory: String,
    },
    /// It is something else.
    #[error("{file} is not an event log: its first line should begin with {{\"format\":")]
    NotALog {
        /// Which file.
        file: String,
    },
    /// A newer program wrote it.
    #[error(
        "{file} was written in format {format}, and this program reads formats up to {FORMAT}; \
         use the `rea` that wrote it, or a newer one"
    )]
    NewerFormat {
        /// Which file.
        file: String,
        /// Its format.
        format: u32,
    },
    /// A newer program wrote it, about things that this one does not know.
    #[error(
        "{file} was written under rules {rules}, and this program knows rules up to {RULES}; \
         use the `rea` that wrote it, or a newer one"
    )]
    NewerRules {
        /// Which file.
        file: String,
        /// Its rules.
        rules: u32,
    },
    /// A whole line is not what was written.
    #[error("{file} is corrupt at line {line}, byte {offset}: {detail}")]
    Corrupt {
        /// Which file.
        file: String,
        /// Counted from one.
        line: u64,
        /// Where the line begins.
        offset: u64,
        /// What is wrong.
        detail: String,
    },
    /// The system can't read it.
    #[error("{file} can't be read: {error}")]
    Io {
        /// Which file.
        file: String,
        /// The system's words.
        error: io::Error,
    },
    /// Reading went on after an error.
    #[error("nothing can be read after an error")]
    Ended,
}
