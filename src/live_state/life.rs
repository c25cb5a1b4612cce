//! Locks that say that a process lives.
//!
//! Record locks, and not those of the log's files, which belong to an open file:
//! a process that was just forked has that open too until it becomes another program, and for that moment
//! a gateway that was killed would be taken for one that lives. A record lock belongs to one process, and
//! looking for it takes nothing. The price: a process that opens and closes the file again loses its lock,
//! so the file is opened once.

use camino::Utf8Path;
use rustix::fs::{FlockOperation, Mode, OFlags, fcntl_lock, open};
use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};
use std::fs::File;
use std::io;

/// Holds a file until it is closed, or the process ends.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] if another process holds it; another kind if the file system knows no
/// locks.
pub(super) fn hold(file: &File) -> io::Result<()> {
    match fcntl_lock(file, FlockOperation::NonBlockingLockExclusive) {
        // Which of the two it is, systems do not agree on.
        Err(rustix::io::Errno::ACCESS) => Err(io::ErrorKind::WouldBlock.into()),
        held => Ok(held?),
    }
}

/// The process that holds a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holder(Option<Pid>);

/// The other process that holds the file at this path.
pub(super) fn holder(path: &Utf8Path) -> Option<Holder> {
    // What is no file must not keep anybody waiting.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = open(path.as_std_path(), flags, Mode::empty()) else {
        return None;
    };
    // Only that it is held says that somebody lives; a file system without locks says nothing.
    let lock = fcntl_getlk(&file, &Flock::from(FlockType::WriteLock)).ok()??;
    Some(Holder(lock.pid))
}

impl Holder {
    /// Whether somebody has stopped the process, so that it does nothing until it is told to go on.
    /// Known on Linux alone, and of processes that are seen from here.
    pub(super) fn is_suspended(self) -> bool {
        let stat = self.0.and_then(|pid| {
            std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()
        });
        // The name in front may hold anything, closing parentheses included.
        let state = stat
            .as_deref()
            .and_then(|stat| stat.rsplit_once(") "))
            .and_then(|(_, rest)| rest.chars().next());
        matches!(state, Some('T' | 't'))
    }
}
