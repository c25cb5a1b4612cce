//! The real files, and the thread that does to them whatever may take long.
//!
//! The caller's thread writes and cuts. The *keeper* makes files, brings them to the disk,
//! deletes old ones and looks whether they are still there. It ends with the journal.
//!
//! Invariants: at most one request of each kind is under way, so both channels are bounded by
//! construction; a file is locked before anybody writes to it and until the session ends; only
//! files that could be locked are deleted, so never a live session's.

use super::file_lock;
use super::names::FileName;
use super::sink::Sink;
use camino::{Utf8Path, Utf8PathBuf};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::task::Poll;
use std::time::{Duration, Instant};

const SYNC_EVERY: Duration = Duration::from_millis(250);
/// A disk that hangs must not keep the gateway from ending.
const FINISH_WITHIN: Duration = Duration::from_secs(5);

/// How much may lie on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A file that has grown to this many bytes is followed by another.
    pub file_bytes: u64,
    /// All logs of one directory together.
    pub total_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 64 << 20,
            total_bytes: 512 << 20,
        }
    }
}

/// What the keeper is asked for.
enum Ask {
    Sync,
    NextFile(u32),
    Finish(Sender<io::Result<()>>),
}

/// What the keeper has to say.
enum Tell {
    Made(io::Result<File>),
    SyncFailed(io::Error),
    Vanished,
}

/// The files of one session.
pub(super) struct Directory {
    file: Option<File>,
    keeper: Option<Sender<Ask>>,
    tells: Receiver<Tell>,
    is_file_asked_for: bool,
    made: Option<io::Result<File>>,
    sync_failure: Option<io::Error>,
    /// Set by the writer when there is something to sync, cleared by the keeper before it does.
    is_dirty: Arc<AtomicBool>,
}

impl Directory {
    /// Makes the first file, on the caller's thread, and starts the keeper.
    pub(super) fn open(directory: &Utf8Path, first: FileName, limits: Limits) -> Self {
        let (asks, asked) = channel();
        let (telling, tells) = channel();
        let is_dirty = Arc::new(AtomicBool::new(false));
        let mut keeper = Keeper {
            directory: directory.to_owned(),
            first,
            limits,
            held: Vec::new(),
            tells: telling,
            is_dirty: Arc::clone(&is_dirty),
        };
        let made = keeper.make(1);
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || keeper.run(&asked));
        Self {
            file: None,
            keeper: thread.is_ok().then_some(asks),
            tells,
            is_file_asked_for: false,
            made: Some(made),
            sync_failure: None,
            is_dirty,
        }
    }

    fn listen(&mut self) {
        for tell in self.tells.try_iter() {
            match tell {
                Tell::Made(made) => {
                    self.is_file_asked_for = false;
                    self.made = Some(made);
                }
                Tell::SyncFailed(error) => self.sync_failure = Some(error),
                Tell::Vanished => self.file = None,
            }
        }
    }

    fn ask(&mut self, ask: Ask) -> io::Result<()> {
        let gone = || io::Error::other("the thread that keeps the log's files is gone");
        self.keeper
            .as_ref()
            .ok_or_else(gone)?
            .send(ask)
            .map_err(|_| gone())
    }
}

impl Sink for Directory {
    fn is_open(&self) -> bool {
        self.file.is_some()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.listen();
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        let written = file.write(bytes)?;
        if !self.is_dirty.swap(true, Ordering::AcqRel)
            && let Err(error) = self.ask(Ask::Sync)
        {
            self.sync_failure = Some(error);
        }
        Ok(written)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        let file = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        file.set_len(length)
    }

    fn next_file(&mut self, number: u32) -> Poll<io::Result<()>> {
        self.listen();
        match self.made.take() {
            Some(Ok(file)) => {
                self.file = Some(file);
                Poll::Ready(Ok(()))
            }
            Some(Err(error)) => Poll::Ready(Err(error)),
            None if self.is_file_asked_for => Poll::Pending,
            None => match self.ask(Ask::NextFile(number)) {
                Ok(()) => {
                    self.is_file_asked_for = true;
                    Poll::Pending
                }
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }

    fn sync_failure(&mut self) -> Option<io::Error> {
        self.listen();
        self.sync_failure.take()
    }

    fn finish(&mut self) -> io::Result<()> {
        let (answer, answered) = channel();
        self.ask(Ask::Finish(answer))?;
        answered
            .recv_timeout(FINISH_WITHIN)
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}

struct Keeper {
    directory: Utf8PathBuf,
    first: FileName,
    limits: Limits,
    /// Every file of this session, so that each stays locked; at most as many as the limits
    /// leave in place.
    held: Vec<(FileName, File)>,
    tells: Sender<Tell>,
    is_dirty: Arc<AtomicBool>,
}

impl Keeper {
    fn run(mut self, asked: &Receiver<Ask>) {
        let mut sync_due: Option<Instant> = None;
        let mut synced = Instant::now();
        loop {
            let ask = match sync_due {
                None => asked.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => asked.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            match ask {
                Ok(Ask::Sync) => {
                    sync_due = Some((synced + SYNC_EVERY).max(Instant::now()));
                }
                Ok(Ask::NextFile(number)) => {
                    let made = self.make(number);
                    self.tell(Tell::Made(made));
                }
                Ok(Ask::Finish(answer)) => {
                    // Nobody is left to hear it if the wait was given up.
                    let _ = answer.send(self.sync());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {
                    sync_due = None;
                    self.is_dirty.store(false, Ordering::Release);
                    if let Err(error) = self.sync() {
                        self.tell(Tell::SyncFailed(error));
                    }
                    synced = Instant::now();
                    self.look_after_current();
                }
                Err(RecvTimeoutError::Disconnected) => {
                    // The journal is gone without a close; nobody is left to tell.
                    let _ = self.sync();
                    return;
                }
            }
        }
    }

    fn tell(&self, tell: Tell) {
        // The journal may be gone already.
        let _ = self.tells.send(tell);
    }

    /// The writer may still be in the file before the newest.
    fn sync(&self) -> io::Result<()> {
        for (_, file) in self.held.iter().rev().take(2) {
            file.sync_data()?;
        }
        Ok(())
    }

    /// A deleted file takes bytes as before, and nobody would ever read them.
    fn look_after_current(&mut self) {
        let is_gone = |(_, file): &(FileName, File)| {
            file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
        };
        if self.held.last().is_some_and(is_gone) {
            self.held.pop();
            self.tell(Tell::Vanished);
        }
    }

    fn make(&mut self, number: u32) -> io::Result<File> {
        let mut builder = DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)?;
        self.delete_old();
        let name = self.first.numbered(number);
        let path = self.directory.join(name.to_string());
        let (file, to_write) = match create(&path) {
            Ok(made) => made,
            Err(error) => {
                // Half made is not made: the next attempt has the same name.
                if error.kind() != io::ErrorKind::AlreadyExists {
                    let _ = std::fs::remove_file(&path);
                }
                return Err(error);
            }
        };
        self.held.push((name, file));
        if let Ok(directory) = File::open(&self.directory) {
            // Some file systems sync no directories; the file itself is synced in any case.
            let _ = directory.sync_all();
        }
        Ok(to_write)
    }

    /// Makes room for one more file, oldest first. What can't be deleted is left: the next file
    /// matters more.
    fn delete_old(&mut self) {
        let Ok(found) = FileName::list(&self.directory) else {
            return;
        };
        let mut total: u64 = found.iter().map(|(_, bytes)| bytes).sum();
        let room = self
            .limits
            .total_bytes
            .saturating_sub(self.limits.file_bytes);
        let newest = self.held.last().map(|(name, _)| name.clone());
        for (name, bytes) in found {
            if total <= room {
                return;
            }
            if Some(&name) != newest.as_ref() && self.delete(&name) {
                total = total.saturating_sub(bytes);
            }
        }
    }

    fn delete(&mut self, name: &FileName) -> bool {
        let path = self.directory.join(name.to_string());
        if name.same_session(&self.first) {
            self.held.retain(|(held, _)| held != name);
            return std::fs::remove_file(path).is_ok();
        }
        File::open(&path)
            .is_ok_and(|file| file_lock::hold(&file).is_ok() && std::fs::remove_file(&path).is_ok())
    }
}

/// Makes and locks a file. Somebody who deletes old files, or looks whether this one is live,
/// may hold it for a moment just after it came to be.
fn create(path: &Utf8Path) -> io::Result<(File, File)> {
    let file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    // A file system without locks: then nobody can lock it for deletion either.
    let _ = file_lock::hold_patiently(&file);
    if file.metadata()?.nlink() == 0 {
        return Err(io::ErrorKind::NotFound.into());
    }
    let to_write = file.try_clone()?;
    Ok((file, to_write))
}
