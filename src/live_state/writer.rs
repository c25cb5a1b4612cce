//! Writes state files, on a thread of its own, in the role that the locks give it.
//!
//! ```text
//!            serve.lock is free                      the file of the lock is gone
//!  Guest ─────────────────────────▶ Owner ────────────────────────────────────────▶ Guest
//!  sessions/<id>/state.json         serve.state.json
//! ```

use super::life::hold;
use super::session::{Session, folder_of};
use super::{GUEST_FILE, LOCK_FILE, LiveState, STATE_FILE, Uptime};
use crate::config::state_dir::{StateDir, private_file, replace};
use camino::Utf8Path;
use jiff::SignedDuration;
use rustix::fs::OFlags;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// How often a guest asks whether the owner has gone, and how long a write that failed waits.
const RETRY_EVERY: Duration = Duration::from_secs(2);

/// How often files were written, for metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Successfully.
    pub written: AtomicU64,
    /// Not.
    pub failed: AtomicU64,
}

/// Whose file is written.
enum Role {
    /// The folder's, as long as this is held.
    Owner(File),
    /// One's own.
    Guest,
}

/// A state, and when it was handed over.
struct Taken {
    state: Box<LiveState>,
    at: Instant,
}

impl Taken {
    fn now(state: Box<LiveState>) -> Self {
        Self {
            state,
            at: Instant::now(),
        }
    }

    /// It may have waited, for the disk or for the lock: it is dated when it is written, or whoever
    /// reads it would take what is long ago for what has just been.
    fn as_of_now(&self) -> LiveState {
        let mut state = (*self.state).clone();
        let waited = SignedDuration::try_from(self.at.elapsed()).unwrap_or_default();
        if let Ok(dated) = state.updated_at.checked_add(waited) {
            state.updated_at = dated;
        }
        state.updated_at_uptime = Uptime::now();
        state
    }
}

/// Whether the newest state is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Yes,
    No,
}

/// Whether this gateway owns the folder's state file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claimed {
    Now,
    Before,
    No,
}

/// What has been said of a role or of a failure; each is said once.
#[derive(Default)]
struct Told {
    yielded: bool,
    failed: bool,
}

pub(super) struct Writer {
    state_dir: StateDir,
    session_id: String,
    session: Option<Session>,
    role: Role,
    counts: Arc<Counts>,
    told: Told,
}

impl Writer {
    pub(super) fn new(state_dir: &StateDir, session_id: &str, counts: Arc<Counts>) -> Self {
        Self {
            state_dir: state_dir.clone(),
            session_id: session_id.to_owned(),
            session: None,
            role: Role::Guest,
            counts,
            told: Told::default(),
        }
    }

    /// The session's place among the others; taken again if somebody took it away.
    fn session(&mut self) -> io::Result<&Session> {
        let session = match self.session.take() {
            Some(session) if !session.is_lost() => session,
            Some(_) | None => Session::begin(&self.state_dir, &self.session_id)?,
        };
        Ok(self.session.insert(session))
    }

    /// Writes what arrives until nobody sends any more.
    pub(super) fn run(mut self, states: &Receiver<Box<LiveState>>) {
        let Ok(mut newest) = states.recv().map(Taken::now) else {
            return;
        };
        let mut written = Written::No;
        loop {
            if self.claim() == Claimed::Now || written == Written::No {
                written = self.write(&newest);
            }
            let next_attempt = Instant::now() + RETRY_EVERY;
            loop {
                let arrived = match (&self.role, written) {
                    (Role::Owner(_), Written::Yes) => {
                        states.recv().map_err(|_| RecvTimeoutError::Disconnected)
                    }
                    (Role::Owner(_) | Role::Guest, Written::Yes | Written::No) => {
                        states.recv_timeout(next_attempt.saturating_duration_since(Instant::now()))
                    }
                };
                match arrived {
                    Ok(state) => {
                        newest = Taken::now(state);
                        written = self.write(&newest);
                    }
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        }
    }

    /// Becomes the owner if nobody is.
    fn claim(&mut self) -> Claimed {
        if let Role::Owner(_) = self.role {
            return Claimed::Before;
        }
        let lock_file = self.state_dir.path().join(LOCK_FILE);
        match lock(&lock_file) {
            Ok(held) => {
                self.role = Role::Owner(held);
                if self.told.yielded || is_of_a_dead(self.state_dir.path(), &self.session_id) {
                    info!(
                        event = "live_state.reclaimed",
                        "this gateway owns {STATE_FILE} now: the one before has gone"
                    );
                }
                self.told.yielded = false;
                Claimed::Now
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if !self.told.yielded {
                    self.told.yielded = true;
                    info!(
                        event = "live_state.yielded",
                        "another gateway of this folder owns {STATE_FILE}; this one is seen through {}",
                        folder_of(self.state_dir.path(), &self.session_id).join(GUEST_FILE)
                    );
                }
                Claimed::No
            }
            Err(error) => {
                self.failed(&lock_file, &error);
                Claimed::No
            }
        }
    }

    fn write(&mut self, taken: &Taken) -> Written {
        let state = &taken.as_of_now();
        // Texts, numbers and lists of them: there is nothing that JSON can't say.
        let Ok(mut text) = serde_json::to_vec_pretty(state) else {
            return Written::Yes;
        };
        text.push(b'\n');
        // Somebody who deletes the file of the lock lets another gateway own the next one.
        if let Role::Owner(held) = &self.role
            && held.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
        {
            self.role = Role::Guest;
            self.claim();
        }
        let folder = match self.session() {
            Ok(session) => session.folder().to_owned(),
            Err(error) => {
                let folder = folder_of(self.state_dir.path(), &self.session_id);
                self.failed(&folder, &error);
                return Written::No;
            }
        };
        let own = folder.join(GUEST_FILE);
        let path = match self.role {
            Role::Owner(_) => self.state_dir.path().join(STATE_FILE),
            Role::Guest => own.clone(),
        };
        match replace(&path, &folder, &text) {
            Ok(()) => {
                self.counts.written.fetch_add(1, Ordering::Relaxed);
                if path != own {
                    // What the owner says stands in one place alone.
                    let _ = fs::remove_file(own);
                }
                if self.told.failed {
                    self.told.failed = false;
                    info!(event = "live_state.resumed", "{path} is written again");
                }
                Written::Yes
            }
            Err(error) => {
                self.failed(&path, &error);
                Written::No
            }
        }
    }

    fn failed(&mut self, path: &Utf8Path, error: &io::Error) {
        self.counts.failed.fetch_add(1, Ordering::Relaxed);
        if !self.told.failed {
            self.told.failed = true;
            warn!(
                event = "live_state.write_failed",
                "{path} can't be written: {error}; `rea status` shows an older state until it can"
            );
        }
    }
}

fn lock(path: &Utf8Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = private_file()
        .write(true)
        .create(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    hold(&file)?;
    Ok(file)
}

/// Whether the state that lies there is of another gateway, which did not close it.
fn is_of_a_dead(folder: &Utf8Path, session_id: &str) -> bool {
    super::read::load(&folder.join(STATE_FILE))
        .is_ok_and(|state| state.closed_at.is_none() && state.session_id != session_id)
}
