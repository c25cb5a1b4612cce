//! `.rea/HALT`: while it is there, no call is passed on. Its text is the reason.
//!
//! Invariant: only "there is no such file" lets calls through. Whatever else is found, or keeps one from
//! looking, refuses them: a switch that is off because it could not be read is none.

use super::state_dir::{private_file, replace};
use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::OFlags;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;

/// The file's name.
pub const HALT_FILE: &str = "HALT";

/// No reason is longer; of a longer text the head counts.
pub const REASON_BYTES_MAX: usize = 1_024;

/// Whether calls are passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// They are.
    Absent,
    /// Somebody has frozen the gateway.
    Present {
        /// What the file says; empty if it says nothing.
        reason: String,
    },
    /// Nobody can tell, so they are not.
    Unknown {
        /// What the system said.
        error: String,
    },
}

/// Looks once.
pub fn check(path: &Utf8Path) -> Halt {
    // A pipe in its place must not keep anybody waiting, and a link could be made to lead anywhere.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path);
    match opened {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Halt::Absent,
        Err(error) => Halt::Unknown {
            error: error.to_string(),
        },
        Ok(file) if file.metadata().is_ok_and(|metadata| metadata.is_dir()) => Halt::Unknown {
            error: "it is a folder".to_owned(),
        },
        Ok(file) => {
            let mut text = Vec::new();
            // It is there, whether it can be read or not.
            let _ = file.take(REASON_BYTES_MAX as u64).read_to_end(&mut text);
            Halt::Present {
                reason: String::from_utf8_lossy(&text).trim().to_owned(),
            }
        }
    }
}

/// Looks in each of these folders, once each, until it is found.
pub fn check_all<'a>(folders: impl IntoIterator<Item = &'a Utf8PathBuf>) -> Halt {
    let found = folders
        .into_iter()
        .map(|folder| check(&folder.join(HALT_FILE)));
    let mut halted = found.filter(|halt| *halt != Halt::Absent);
    halted.next().unwrap_or(Halt::Absent)
}

/// A reason that can't be written.
#[derive(Debug, thiserror::Error)]
pub enum FreezeError {
    /// Nothing is said.
    #[error("the reason is empty; say why, for whoever is refused: --reason \"…\"")]
    Empty,
    /// Too much is said.
    #[error(
        "the reason has {bytes} bytes; at most {REASON_BYTES_MAX} are shown, so say it shorter"
    )]
    TooLong {
        /// How much.
        bytes: usize,
    },
    /// The file can't be written or removed.
    #[error("{path} can't be changed")]
    File {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Freezes the gateways of this state folder.
///
/// # Errors
/// There is no reason, it is too long, or there can be no file.
pub fn freeze(folder: &Utf8Path, reason: &str) -> Result<Frozen, FreezeError> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(FreezeError::Empty);
    }
    if reason.len() > REASON_BYTES_MAX {
        return Err(FreezeError::TooLong {
            bytes: reason.len(),
        });
    }
    let path = folder.join(HALT_FILE);
    if replace(&path, folder, format!("{reason}\n").as_bytes()).is_ok() {
        return Ok(Frozen::WithReason);
    }
    // On a full disk there is often room for a file with nothing in it, and that is enough.
    match private_file().write(true).create(true).open(&path) {
        Ok(_) => Ok(Frozen::WithoutReason),
        Err(source) => Err(FreezeError::File { path, source }),
    }
}

/// What whoever is refused is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frozen {
    /// Why.
    WithReason,
    /// Nothing: there was no room for the reason.
    WithoutReason,
}

/// Lets calls through again; tells whether they were not.
///
/// # Errors
/// The file is there and can't be removed.
pub fn unfreeze(folder: &Utf8Path) -> Result<Unfrozen, FreezeError> {
    let path = folder.join(HALT_FILE);
    match fs::remove_file(&path) {
        Ok(()) => Ok(Unfrozen::Now),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Unfrozen::Before),
        Err(source) => Err(FreezeError::File { path, source }),
    }
}

/// Whether there was anything to lift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfrozen {
    /// Calls were refused and are not any more.
    Now,
    /// Nothing was frozen.
    Before,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("text");
        (folder, path)
    }

    fn present(reason: &str) -> Halt {
        Halt::Present {
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn what_is_frozen_stays_so_until_it_is_lifted() {
        let (_guard, folder) = folder();
        let file = folder.join(HALT_FILE);
        assert_eq!(check(&file), Halt::Absent);
        freeze(&folder, " an incident \n").expect("it can be written");
        assert_eq!(check(&file), present("an incident"));
        freeze(&folder, "another").expect("it can be written again");
        assert_eq!(check(&file), present("another"));
        assert_eq!(unfreeze(&folder).expect("it is there"), Unfrozen::Now);
        assert_eq!(check(&file), Halt::Absent);
        assert_eq!(unfreeze(&folder).expect("it is gone"), Unfrozen::Before);
        assert_eq!(fs::read_dir(folder).expect("a folder").count(), 0);
    }

    #[test]
    fn a_file_that_says_nothing_halts_too() {
        let (_guard, folder) = folder();
        let file = folder.join(HALT_FILE);
        fs::write(&file, "").expect("a file");
        assert_eq!(check(&file), present(""));
        fs::write(&file, [0xff, b'x', 0xfe]).expect("a file");
        assert!(matches!(check(&file), Halt::Present { .. }));
        fs::write(&file, "x".repeat(5_000)).expect("a file");
        assert_eq!(check(&file), present(&"x".repeat(REASON_BYTES_MAX)));
    }

    #[test]
    fn whatever_else_is_found_halts() {
        let (_guard, folder) = folder();
        let file = folder.join(HALT_FILE);
        symlink(folder.join("nowhere"), &file).expect("a link");
        assert!(matches!(check(&file), Halt::Unknown { .. }), "a link");
        fs::remove_file(&file).expect("the link");
        fs::create_dir(&file).expect("a folder");
        assert!(matches!(check(&file), Halt::Unknown { .. }), "a folder");
        assert!(
            matches!(check(&file.join("x").join("y")), Halt::Absent),
            "no file below a folder that is not there"
        );
        let below_a_file = folder.join("file");
        fs::write(&below_a_file, "").expect("a file");
        let halt = check(&below_a_file.join(HALT_FILE));
        assert!(matches!(halt, Halt::Unknown { .. }), "{halt:?}");
    }

    #[test]
    fn a_pipe_in_its_place_keeps_nobody_waiting() {
        let (_guard, folder) = folder();
        let file = folder.join(HALT_FILE);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            file.as_std_path(),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .expect("a pipe");
        assert_eq!(check(&file), present(""));
    }

    #[test]
    fn a_reason_is_needed_and_a_short_one() {
        let (_guard, folder) = folder();
        assert!(matches!(freeze(&folder, " \n"), Err(FreezeError::Empty)));
        let long = "x".repeat(REASON_BYTES_MAX + 1);
        let error = freeze(&folder, &long).expect_err("it is too long");
        assert_eq!(
            error.to_string(),
            "the reason has 1025 bytes; at most 1024 are shown, so say it shorter"
        );
        assert_eq!(check(&folder.join(HALT_FILE)), Halt::Absent);
    }
}
