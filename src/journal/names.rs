//! How log files are called, and how anybody can tell that one is still being written.
//!
//! A gateway holds a lock on each file of its session until it ends. The lock is on the file
//! itself, which is never replaced; it goes when the process does, however it ends.

use super::file_lock;
use camino::Utf8Path;
use jiff::Timestamp;
use std::io;

const EXTENSION: &str = ".jsonl";

/// `<start, UTC>-<session>.<number>.jsonl`. Orders by start, then session, then number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileName {
    /// When the session began, to the second.
    pub began: String,
    /// The session.
    pub session: String,
    /// One for the first file of a session.
    pub number: u32,
}

impl FileName {
    /// The name of the first file of a session.
    pub fn first(began: Timestamp, session: &str) -> Self {
        Self {
            began: began.strftime("%Y%m%dT%H%M%SZ").to_string(),
            session: session.to_owned(),
            number: 1,
        }
    }

    /// The name of another file of the same session.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        Self {
            number,
            ..self.clone()
        }
    }

    /// Reads a file's name; none if it is not one of ours.
    pub fn parse(name: &str) -> Option<Self> {
        let (began, rest) = name.strip_suffix(EXTENSION)?.split_once('-')?;
        let (session, number) = rest.rsplit_once('.')?;
        let parsed = Self {
            began: began.to_owned(),
            session: session.to_owned(),
            number: number.parse().ok()?,
        };
        // One name for one file: `01` is not a second name of `1`.
        (parsed.to_string() == name && !session.is_empty()).then_some(parsed)
    }

    /// Whether both belong to one session.
    pub fn same_session(&self, other: &Self) -> bool {
        self.began == other.began && self.session == other.session
    }

    /// Every log file of a directory with its size, oldest first.
    ///
    /// # Errors
    /// The directory can't be read.
    pub(super) fn list(directory: &Utf8Path) -> io::Result<Vec<(Self, u64)>> {
        let mut found = Vec::new();
        for entry in directory.read_dir_utf8()? {
            let entry = entry?;
            // Gone between listing and asking, or no file: none of ours.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if let Some(name) = Self::parse(entry.file_name()).filter(|_| metadata.is_file()) {
                found.push((name, metadata.len()));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The first file of the session that was begun last; none if there is none. Names tell seconds: of
    /// sessions that began in the same one, the one that was written last.
    ///
    /// # Errors
    /// The directory can't be read.
    pub(super) fn newest(directory: &Utf8Path) -> io::Result<Option<Self>> {
        let found = Self::list(directory)?;
        let written = |name: &Self| {
            let metadata = directory.join(name.to_string()).metadata();
            metadata.and_then(|metadata| metadata.modified()).ok()
        };
        let Some(last) = found.last().map(|(name, _)| name.began.clone()) else {
            return Ok(None);
        };
        let of_that_second = found.iter().filter(|(name, _)| name.began == last);
        let newest = of_that_second.max_by_key(|(name, _)| (written(name), name.clone()));
        let newest = newest.map(|(name, _)| name.clone());
        let first = newest.and_then(|newest| {
            let mut files = found.into_iter().map(|(name, _)| name);
            files.find(|name| name.same_session(&newest))
        });
        Ok(first)
    }

    /// The last file of a session.
    ///
    /// # Errors
    /// The directory can't be read.
    pub(super) fn last_of(directory: &Utf8Path, first: &Self) -> io::Result<Option<Self>> {
        let found = Self::list(directory)?.into_iter().map(|(name, _)| name);
        Ok(found.filter(|name| name.same_session(first)).max())
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            began,
            session,
            number,
        } = self;
        write!(f, "{began}-{session}.{number}{EXTENSION}")
    }
}

/// Whether a gateway that still runs writes to this file's session.
pub fn is_being_written(path: &Utf8Path) -> bool {
    file_lock::is_held(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_it_was_written() {
        let began: Timestamp = "2026-03-01T12:34:56.789Z".parse().unwrap();
        let name = FileName::first(began, "a1b2").numbered(12);
        assert_eq!(name.to_string(), "20260301T123456Z-a1b2.12.jsonl");
        assert_eq!(FileName::parse(&name.to_string()), Some(name));
    }

    #[test]
    fn other_names_are_not_ours() {
        for name in [
            "notes.jsonl",
            "20260301T123456Z-a.01.jsonl",
            "20260301T123456Z-.1.jsonl",
            "20260301T123456Z-a.jsonl",
            "20260301T123456Z-a.1.json",
        ] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn the_tenth_file_comes_after_the_ninth() {
        let name = FileName::parse("20260301T123456Z-a.9.jsonl").unwrap();
        assert!(name < name.numbered(10));
    }

    #[test]
    fn of_sessions_that_began_in_one_second_the_newest_was_written_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = camino::Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("text");
        assert_eq!(FileName::newest(&path).expect("a folder"), None);
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_mins(1);
        // The older one sorts behind the newer.
        for (name, at) in [
            ("20260301T123455Z-ffff.1.jsonl", None),
            ("20260301T123456Z-bbbb.1.jsonl", Some(long_ago)),
            ("20260301T123456Z-aaaa.1.jsonl", None),
            ("20260301T123456Z-aaaa.2.jsonl", None),
        ] {
            let file = std::fs::File::create(path.join(name)).expect("a file");
            if let Some(at) = at {
                file.set_modified(at).expect("a date");
            }
        }
        let newest = FileName::newest(&path)
            .expect("a folder")
            .expect("a session");
        assert_eq!(newest.to_string(), "20260301T123456Z-aaaa.1.jsonl");
        let last = FileName::last_of(&path, &newest)
            .expect("a folder")
            .expect("a file");
        assert_eq!(last.number, 2);
    }
}
