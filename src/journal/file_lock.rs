//! Locks on the log's files, which say that a session still writes them. The kernel gives them back when
//! the process ends, however it ends.
//!
//! Invariant: a locked file is never replaced, or two could hold "it" at once.

use camino::Utf8Path;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::time::Duration;

/// Whoever only looks holds a lock for a moment.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(2);
/// So often a file has to be found held.
const LOOKS: u32 = 5;

/// Holds a file until every handle of it is closed.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] if somebody else holds it; another kind if the file system knows no
/// locks.
pub(super) fn hold(file: &File) -> io::Result<()> {
    Ok(flock(file, FlockOperation::NonBlockingLockExclusive)?)
}

/// As [`hold`], and outlasts whoever only looks.
///
/// # Errors
/// As for [`hold`].
pub(super) fn hold_patiently(file: &File) -> io::Result<()> {
    for _ in 1..ATTEMPTS {
        match hold(file) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            held => return held,
        }
    }
    hold(file)
}

/// Whether a process that lives holds the file at this path.
pub(super) fn is_held(path: &Utf8Path) -> bool {
    // What is no file must not keep anybody waiting.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = open(path.as_std_path(), flags, Mode::empty()) else {
        return false;
    };
    // Only that it is held says that somebody lives; a file system without locks says nothing. Whoever
    // has just been forked by the last holder still has it for a moment, and would be taken for it.
    for _ in 0..LOOKS {
        if flock(&file, FlockOperation::NonBlockingLockShared) != Err(Errno::WOULDBLOCK) {
            return false;
        }
        std::thread::sleep(PAUSE * 5);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;

    #[test]
    fn a_file_is_held_until_its_last_handle_is_closed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::from_path_buf(folder.path().join("lock")).expect("text");
        assert!(
            !is_held(&path),
            "a file that is not there is held by nobody"
        );
        let file = File::create(&path).expect("a file");
        hold(&file).expect("nobody holds it");
        assert!(is_held(&path));
        let other = File::open(&path).expect("the file");
        let error = hold_patiently(&other).expect_err("it is held");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let second_handle = file.try_clone().expect("a handle");
        drop(file);
        assert!(is_held(&path));
        drop(second_handle);
        assert!(!is_held(&path));
    }

    #[test]
    fn whoever_only_looks_keeps_nobody_from_holding() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Utf8PathBuf::from_path_buf(folder.path().join("lock")).expect("text");
        let file = File::create(&path).expect("a file");
        let looking = {
            let file = File::open(&path).expect("the file");
            flock(&file, FlockOperation::LockShared).expect("nobody holds it");
            std::thread::spawn(move || {
                std::thread::sleep(PAUSE * 5);
                drop(file);
            })
        };
        hold_patiently(&file).expect("the one who looks is gone soon");
        looking.join().expect("no panic");
    }
}
