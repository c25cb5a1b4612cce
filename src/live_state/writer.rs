//! Writes state files, on a thread of its own, in the role that the locks give it.
//!
//! ```text
//!            serve.lock is free                      the file of the lock is gone
//!  Guest ─────────────────────────▶ Owner ────────────────────────────────────────▶ Guest
//!  sessions/<id>/state.json         serve.state.json
//! ```

use super::life::hold;
use super::{GUEST_FILE, LOCK_FILE, LiveState, STATE_FILE};
use crate::config::state_dir::{private_file, replace};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::{SignedDuration, Timestamp};
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
        let date = |at: Timestamp| at.checked_add(waited).unwrap_or(at);
        state.updated_at = date(state.updated_at);
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
    folder: Utf8PathBuf,
    own_folder: Utf8PathBuf,
    role: Role,
    counts: Arc<Counts>,
    told: Told,
}

impl Writer {
    pub(super) fn new(folder: &Utf8Path, own_folder: &Utf8Path, counts: Arc<Counts>) -> Self {
        Self {
            folder: folder.to_owned(),
            own_folder: own_folder.to_owned(),
            role: Role::Guest,
            counts,
            told: Told::default(),
        }
    }

    /// Writes what arrives until nobody sends any more.
    pub(super) fn run(mut self, states: &Receiver<Box<LiveState>>) {
        let Ok(mut newest) = states.recv().map(Taken::now) else {
            return;
        };
        let mut written = Written::No;
        loop {
            if self.claim(&newest.state.session_id) == Claimed::Now || written == Written::No {
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
    fn claim(&mut self, session_id: &str) -> Claimed {
        if let Role::Owner(_) = self.role {
            return Claimed::Before;
        }
        match lock(&self.folder.join(LOCK_FILE)) {
            Ok(held) => {
                self.role = Role::Owner(held);
                if self.told.yielded || is_of_a_dead(&self.folder, session_id) {
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
                        self.own_folder.join(GUEST_FILE)
                    );
                }
                Claimed::No
            }
            Err(error) => {
                self.failed(&self.folder.join(LOCK_FILE), &error);
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
            self.claim(&state.session_id);
        }
        let own = self.own_folder.join(GUEST_FILE);
        let path = match self.role {
            Role::Owner(_) => self.folder.join(STATE_FILE),
            Role::Guest => own.clone(),
        };
        match replace(&path, &self.own_folder, &text) {
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
