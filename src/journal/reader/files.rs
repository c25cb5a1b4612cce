//! Which files make up a log.

use super::ReadError;
use crate::journal::names::FileName;
use camino::{Utf8Path, Utf8PathBuf};
use std::fs::File;
use std::io::{Cursor, Read};

/// The name and the bytes of a file.
pub type NamedBytes = (String, Box<dyn Read + Send>);

/// The files of one session, in order.
pub trait Source: Send {
    /// The next one; none after the last.
    ///
    /// # Errors
    /// It is there and can't be read.
    fn next_file(&mut self) -> Result<Option<NamedBytes>, ReadError>;
}

/// Files on the disk, found one after the other, so that a file that is begun while the one
/// before is read belongs to the log too.
pub struct LogFiles {
    next: Option<Utf8PathBuf>,
    directory: Utf8PathBuf,
    last: Option<FileName>,
}

impl LogFiles {
    /// The log that begins with this file, or the newest of this directory.
    ///
    /// # Errors
    /// There is none.
    pub fn find(path: &Utf8Path) -> Result<Self, ReadError> {
        if path.is_dir() {
            return Self::newest(path);
        }
        if let Err(error) = path.metadata() {
            return Err(ReadError::NotFound {
                path: path.to_string(),
                error,
            });
        }
        Ok(Self {
            next: Some(path.to_owned()),
            directory: path.parent().unwrap_or(Utf8Path::new("")).to_owned(),
            last: path.file_name().and_then(FileName::parse),
        })
    }

    fn newest(directory: &Utf8Path) -> Result<Self, ReadError> {
        let first = FileName::newest(directory).map_err(|error| ReadError::Io {
            file: directory.to_string(),
            error,
        })?;
        let Some(first) = first else {
            return Err(ReadError::NoLogs {
                directory: directory.to_string(),
            });
        };
        Ok(Self {
            next: Some(directory.join(first.to_string())),
            directory: directory.to_owned(),
            last: Some(first),
        })
    }

    /// The log of a session in this directory; none if it has written none.
    pub fn of_session(directory: &Utf8Path, session: &str) -> Option<Self> {
        let found = list(directory).ok()?;
        let first = found.into_iter().find(|name| name.session == session)?;
        Some(Self {
            next: Some(directory.join(first.to_string())),
            directory: directory.to_owned(),
            last: Some(first),
        })
    }

    /// The file that is read first.
    pub fn first_path(&self) -> Option<&Utf8Path> {
        self.next.as_deref()
    }

    fn next_path(&mut self) -> Result<Option<Utf8PathBuf>, ReadError> {
        if let Some(first) = self.next.take() {
            return Ok(Some(first));
        }
        let Some(last) = &self.last else {
            return Ok(None);
        };
        let directory = if self.directory.as_str().is_empty() {
            Utf8Path::new(".")
        } else {
            &self.directory
        };
        let next = list(directory)?
            .into_iter()
            .find(|name| name.same_session(last) && name.number > last.number);
        Ok(next.map(|next| {
            let path = self.directory.join(next.to_string());
            self.last = Some(next);
            path
        }))
    }
}

fn list(directory: &Utf8Path) -> Result<Vec<FileName>, ReadError> {
    let found = FileName::list(directory).map_err(|error| ReadError::Io {
        file: directory.to_string(),
        error,
    })?;
    Ok(found.into_iter().map(|(name, _)| name).collect())
}

impl Source for LogFiles {
    fn next_file(&mut self) -> Result<Option<NamedBytes>, ReadError> {
        let Some(path) = self.next_path()? else {
            return Ok(None);
        };
        match File::open(&path) {
            Ok(file) => Ok(Some((path.to_string(), Box::new(file)))),
            Err(error) => Err(ReadError::Io {
                file: path.to_string(),
                error,
            }),
        }
    }
}

/// Files in memory.
pub struct MemoryFiles(std::vec::IntoIter<(String, Vec<u8>)>);

impl MemoryFiles {
    /// The files with their names.
    pub fn new(files: Vec<(String, Vec<u8>)>) -> Self {
        Self(files.into_iter())
    }

    /// Files that are called by their number, from one on.
    pub fn numbered(files: Vec<Vec<u8>>) -> Self {
        let named = files
            .into_iter()
            .zip(1..)
            .map(|(bytes, number)| (format!("{number}.jsonl"), bytes));
        Self::new(named.collect())
    }
}

impl Source for MemoryFiles {
    fn next_file(&mut self) -> Result<Option<NamedBytes>, ReadError> {
        Ok(self
            .0
            .next()
            .map(|(name, bytes)| -> NamedBytes { (name, Box::new(Cursor::new(bytes))) }))
    }
}
