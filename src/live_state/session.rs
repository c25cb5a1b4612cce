//! One gateway's folder below `.rea/sessions/`: the lock that says that it lives, and the files that it
//! has not finished writing.

use super::{GUEST_FILE, SESSIONS_FOLDER};
use crate::config::state_dir::{StateDir, private_file};
use crate::file_lock;
use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::OFlags;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::time::Duration;

const LOCK: &str = "lock";
/// Whoever has just made its folder needs a moment to lock it.
const UNLOCKED_FOR: Duration = Duration::from_mins(1);
/// So many others may clean up at the very moment that a session begins.
const ATTEMPTS: u32 = 10;

/// A gateway's place among the others of its folder, held as long as it lives.
#[derive(Debug)]
pub struct Session {
    folder: Utf8PathBuf,
    _lock: File,
}

impl Session {
    /// Takes its place, and clears away what those left who were killed.
    ///
    /// # Errors
    /// The folder can't be made.
    pub fn begin(state_dir: &StateDir, id: &str) -> io::Result<Self> {
        let sessions = state_dir.subfolder(SESSIONS_FOLDER)?;
        clear_away(&sessions);
        let folder = sessions.join(id);
        for _ in 1..ATTEMPTS {
            if let Some(lock) = take(&folder)? {
                return Ok(Self {
                    folder,
                    _lock: lock,
                });
            }
        }
        Err(io::Error::other(format!(
            "{folder} is taken away by somebody"
        )))
    }

    /// Takes the folder away, unless there is something in it to read.
    pub(super) fn leave(&self) {
        if !self.folder.join(GUEST_FILE).exists() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    /// Where its own files are.
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }
}

/// Makes and locks the folder; nothing if somebody took it for one that was left behind.
fn take(folder: &Utf8Path) -> io::Result<Option<File>> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let lock = private_file()
        .write(true)
        .create(true)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(folder.join(LOCK));
    let lock = match lock {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file_lock::hold_patiently(&lock) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
        // A file system without locks: then nobody can take it for one that was left behind either.
        Err(_) => return Ok(Some(lock)),
    }
    Ok((lock.metadata()?.nlink() > 0).then_some(lock))
}

/// Whether the gateway of this session lives.
pub(super) fn is_alive(sessions: &Utf8Path, id: &str) -> bool {
    file_lock::is_held(&sessions.join(id).join(LOCK))
}

/// Deletes the folders of gateways that live no more. What can't be deleted stays.
pub(super) fn clear_away(sessions: &Utf8Path) {
    let Ok(entries) = sessions.read_dir_utf8() else {
        return;
    };
    for entry in entries.flatten() {
        let folder = entry.path();
        let Ok(lock) = File::open(folder.join(LOCK)) else {
            if is_old(folder) {
                let _ = fs::remove_dir_all(folder);
            }
            continue;
        };
        if file_lock::hold(&lock).is_ok() {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn is_old(folder: &Utf8Path) -> bool {
    let modified = fs::symlink_metadata(folder).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > UNLOCKED_FOR))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::root::{ChosenBy, Root};

    fn state_dir(folder: &tempfile::TempDir) -> StateDir {
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("text");
        let root = Root {
            path,
            chosen_by: ChosenBy::WorkingDirectory,
        };
        StateDir::open(&root, &|_| None).expect("a folder").0
    }

    #[test]
    fn a_session_lives_as_long_as_it_is_held() {
        let folder = tempfile::tempdir().expect("a folder");
        let state_dir = state_dir(&folder);
        let sessions = state_dir.path().join(SESSIONS_FOLDER);
        let session = Session::begin(&state_dir, "one").expect("a session");
        assert!(is_alive(&sessions, "one"));
        assert!(!is_alive(&sessions, "two"));
        drop(session);
        assert!(!is_alive(&sessions, "one"));
        assert!(sessions.join("one").exists(), "what it left can be read");
    }

    #[test]
    fn the_next_one_clears_away_the_dead_and_leaves_the_living() {
        let folder = tempfile::tempdir().expect("a folder");
        let state_dir = state_dir(&folder);
        let sessions = state_dir.path().join(SESSIONS_FOLDER);
        let living = Session::begin(&state_dir, "living").expect("a session");
        let dead = Session::begin(&state_dir, "dead").expect("a session");
        fs::create_dir(dead.folder().join(".atomicwrite1")).expect("half a write");
        drop(dead);
        let just_made = sessions.join("just-made");
        fs::create_dir(&just_made).expect("a folder");
        let _next = Session::begin(&state_dir, "next").expect("a session");
        assert!(living.folder().exists() && just_made.exists());
        assert!(!sessions.join("dead").exists());
    }

    #[test]
    fn a_link_in_the_locks_place_is_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let state_dir = state_dir(&folder);
        let session = state_dir.path().join(SESSIONS_FOLDER).join("one");
        fs::create_dir_all(&session).expect("a folder");
        let elsewhere = folder.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, session.join(LOCK)).expect("a link");
        Session::begin(&state_dir, "one").expect_err("it is no file of ours");
        assert!(!elsewhere.exists());
    }
}
