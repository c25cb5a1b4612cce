//! The files that people write: read with a bound, and what is said when one can't be used.

use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};

use super::problem::Problem;

/// These files are written by people; a larger one is a mistake.
const BYTES_MAX: u64 = 1 << 20;

/// Why a file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It can't be read.
    #[error("{path} can't be read")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Too large.
    #[error("{path} is larger than 1 MiB: a file that people write is smaller than that")]
    TooLarge {
        /// The file.
        path: Utf8PathBuf,
    },
    /// Not text.
    #[error("{path}:{line}: this is not UTF-8 text")]
    NotUtf8 {
        /// The file.
        path: Utf8PathBuf,
        /// The first line that isn't.
        line: usize,
    },
    /// It says something that can't be done.
    #[error("{}", listing(path, problems))]
    Invalid {
        /// The file.
        path: Utf8PathBuf,
        /// Every problem, in the order of the file; at least one.
        problems: Vec<Problem>,
    },
}

/// A file's text; `None` if there is no such file.
pub(super) fn read(path: &Utf8Path) -> Result<Option<String>, FileError> {
    let path = path.to_owned();
    let mut bytes = Vec::new();
    let outcome = std::fs::File::open(&path)
        .and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes));
    match outcome {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(FileError::Unreadable { path, source }),
    }
    if bytes.len() as u64 > BYTES_MAX {
        return Err(FileError::TooLarge { path });
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + memchr::memchr_iter(b'\n', valid).count();
        FileError::NotUtf8 { path, line }
    })
}

/// One line for each problem, so that editors can jump to them.
fn listing(path: &Utf8Path, problems: &[Problem]) -> String {
    const SHOWN_MAX: usize = 20;
    let mut lines: Vec<String> = problems
        .iter()
        .take(SHOWN_MAX)
        .map(|problem| format!("{path}:{}: {}", problem.at, problem.kind))
        .collect();
    if problems.len() > SHOWN_MAX {
        lines.push(format!("… and {} more", problems.len() - SHOWN_MAX));
    }
    lines.join("\n")
}
