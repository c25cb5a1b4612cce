//! One gateway's place among the others of its folder: `.rea/sessions/<id>.lock`, which says that it lives,
//! and `.rea/sessions/<id>/`, where its own files are and what it has not finished writing.
//!
//! Invariants: nobody but the session holds its lock, not even to find out whether it lives, or for that
//! moment it would. Sessions are begun and cleared away one at a time; the folder is made after the lock and
//! taken away before it. So what has no lock that is held is of one that lives no more.

use super::life::{Holder, hold, holder};
use super::{GUEST_FILE, SESSIONS_FOLDER};
use crate::config::state_dir::{StateDir, private_file};
use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::OFlags;
use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::time::Duration;

const LOCK_SUFFIX: &str = ".lock";
/// Held by whoever begins or clears away.
const TURN: &str = ".turn";
const ATTEMPTS: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(2);

/// A gateway's place among the others of its folder, held as long as it lives.
#[derive(Debug)]
pub(super) struct Session {
    folder: Utf8PathBuf,
    lock: File,
}

impl Session {
    /// Takes its place, and clears away what those left who were killed.
    ///
    /// # Errors
    /// The lock or the folder can't be made.
    pub(super) fn begin(state_dir: &StateDir, id: &str) -> io::Result<Self> {
        let sessions = state_dir.subfolder(SESSIONS_FOLDER)?;
        let turn = take_turn(&sessions)?;
        clear_away(&sessions);
        let folder = sessions.join(id);
        let lock = open_lock(&lock_path(&sessions, id))?;
        match hold(&lock) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
            // A file system without locks: then nobody is seen to live, and nobody can be helped.
            Ok(()) | Err(_) => {}
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        drop(turn);
        Ok(Self { folder, lock })
    }

    /// Whether somebody has deleted the lock: then nobody sees that this session lives.
    pub(super) fn is_lost(&self) -> bool {
        self.lock
            .metadata()
            .is_ok_and(|metadata| metadata.nlink() == 0)
    }

    /// Where its own files are.
    pub(super) fn folder(&self) -> &Utf8Path {
        &self.folder
    }
}

/// Where a session's own files are.
pub(super) fn folder_of(state_dir: &Utf8Path, id: &str) -> Utf8PathBuf {
    state_dir.join(SESSIONS_FOLDER).join(id)
}

/// Gives up the place of a session that has ended, unless there is something in its folder to read.
pub(super) fn leave(state_dir: &Utf8Path, id: &str) {
    let sessions = state_dir.join(SESSIONS_FOLDER);
    let folder = sessions.join(id);
    if !folder.join(GUEST_FILE).exists() {
        take_away(&folder, &lock_path(&sessions, id));
    }
}

fn lock_path(sessions: &Utf8Path, id: &str) -> Utf8PathBuf {
    sessions.join(format!("{id}{LOCK_SUFFIX}"))
}

fn open_lock(path: &Utf8Path) -> io::Result<File> {
    private_file()
        .write(true)
        .create(true)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

/// Waits until nobody else begins or clears away.
fn take_turn(sessions: &Utf8Path) -> io::Result<File> {
    let turn = open_lock(&sessions.join(TURN))?;
    for _ in 0..ATTEMPTS {
        match hold(&turn) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Ok(()) | Err(_) => return Ok(turn),
        }
    }
    Err(io::Error::other(format!(
        "somebody holds {} and does not let go",
        sessions.join(TURN)
    )))
}

fn take_away(folder: &Utf8Path, lock: &Utf8Path) {
    // What can't be deleted stays, and its lock with it.
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {}
        Ok(()) | Err(_) => {
            let _ = fs::remove_file(lock);
        }
    }
}

/// The process of the gateway of this session, if it lives.
pub(super) fn life(sessions: &Utf8Path, id: &str) -> Option<Holder> {
    holder(&lock_path(sessions, id))
}

/// How long ago the session began.
pub(super) fn age(sessions: &Utf8Path, id: &str) -> Duration {
    let began = fs::metadata(lock_path(sessions, id)).and_then(|metadata| metadata.modified());
    began
        .ok()
        .and_then(|at| at.elapsed().ok())
        .unwrap_or_default()
}

/// Every session of which there is anything, alive or not.
pub(super) fn list(sessions: &Utf8Path) -> BTreeSet<String> {
    let entries = sessions.read_dir_utf8().into_iter().flatten().flatten();
    let names = entries.map(|entry| {
        let name = entry.file_name();
        name.strip_suffix(LOCK_SUFFIX).unwrap_or(name).to_owned()
    });
    names.filter(|name| name != TURN).collect()
}

/// Deletes what gateways left that live no more. What can't be deleted stays.
fn clear_away(sessions: &Utf8Path) {
    for id in list(sessions) {
        if life(sessions, &id).is_none() {
            take_away(&sessions.join(&id), &lock_path(sessions, &id));
        }
    }
}
