//! What is found of a folder's gateways. Reading alters nothing.

use super::session::{self, life};
use super::{BEAT_MS, GUEST_FILE, LiveState, SESSIONS_FOLDER, STATE_FILE};
use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::OFlags;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, SystemTime};

/// A state file is smaller: ten thousand servers with long errors.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// What taking the file over takes.
const TAKEOVER: Duration = Duration::from_millis(20);
const ATTEMPTS: u32 = 3;

/// Two signs of life may be late before somebody is told.
const SILENT_AFTER: Duration = Duration::from_millis(BEAT_MS.0 * 5 / 2);

/// What is found.
#[derive(Debug)]
pub struct Found {
    /// The gateway that owns the state file, or the last one that did.
    pub owner: Result<Option<Seen>, ReadState>,
    /// Others that live, each with a file of its own.
    pub guests: Vec<Seen>,
    /// For how long gateways live that have not written anything yet. More than a moment means that
    /// they can't.
    pub unseen: Vec<Duration>,
}

/// One gateway's state.
#[derive(Debug)]
pub struct Seen {
    /// What it has written.
    pub state: LiveState,
    /// Whether it lives.
    pub liveness: Liveness,
    /// How long ago it wrote that.
    pub age: Duration,
}

/// Whether a gateway lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It does.
    Running,
    /// It does, but has not written its state for longer than it ever takes.
    Silent,
    /// It does, but somebody has stopped its process: it does nothing until it is told to go on.
    Suspended,
    /// It has ended, and said so.
    Closed,
    /// It is gone without a word.
    Crashed,
}

impl Liveness {
    /// Whether there is a process.
    pub const fn is_alive(self) -> bool {
        match self {
            Self::Running | Self::Silent | Self::Suspended => true,
            Self::Closed | Self::Crashed => false,
        }
    }
}

/// Why a state file can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum ReadState {
    /// It can't be read.
    #[error("{path} can't be read: {source}")]
    Unreadable {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is none that this version knows.
    #[error(
        "{path} is no state file of this version of rea: {source}; it is written anew when `rea serve` runs here"
    )]
    Unknown {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// Looks for the gateways of a state folder.
pub fn read(folder: &Utf8Path) -> Found {
    let mut found = look(folder);
    for _ in 0..ATTEMPTS {
        let nobody_is_seen = !found.is_anybody_seen();
        if !(nobody_is_seen && found.unseen.iter().any(|age| *age > TAKEOVER)) {
            break;
        }
        // It may just be taking the file over, and stood in neither place when that was looked at.
        std::thread::sleep(TAKEOVER);
        found = look(folder);
    }
    found
}

impl Found {
    /// Whether a gateway lives, seen or not.
    pub fn is_anybody_alive(&self) -> bool {
        self.is_anybody_seen() || !self.unseen.is_empty()
    }

    fn is_anybody_seen(&self) -> bool {
        let owner = self.owner.as_ref().ok().and_then(Option::as_ref);
        owner.is_some_and(|seen| seen.liveness.is_alive()) || !self.guests.is_empty()
    }
}

fn look(folder: &Utf8Path) -> Found {
    let sessions = folder.join(SESSIONS_FOLDER);
    let owner = match see(&folder.join(STATE_FILE), &sessions) {
        Ok(seen) => Ok(Some(seen)),
        Err(ReadState::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(error) => Err(error),
    };
    let owner_id = match &owner {
        Ok(Some(seen)) => Some(seen.state.session_id.as_str()),
        Ok(None) | Err(_) => None,
    };
    let mut guests = Vec::new();
    let mut unseen = Vec::new();
    for id in session::list(&sessions) {
        if Some(id.as_str()) == owner_id || life(&sessions, &id).is_none() {
            continue;
        }
        match see(&sessions.join(&id).join(GUEST_FILE), &sessions) {
            Ok(seen) => guests.push(seen),
            Err(_) => unseen.push(session::age(&sessions, &id)),
        }
    }
    guests.sort_by_key(|seen| seen.state.started_at);
    Found {
        owner,
        guests,
        unseen,
    }
}

fn see(path: &Utf8Path, sessions: &Utf8Path) -> Result<Seen, ReadState> {
    let state = load(path)?;
    let written = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let by_date = || SystemTime::now().duration_since(written.ok()?).ok();
    let age = state
        .updated_at_uptime
        .age()
        .or_else(by_date)
        .unwrap_or_default();
    let liveness = match life(sessions, &state.session_id) {
        Some(process) if process.is_suspended() => Liveness::Suspended,
        Some(_) if age > SILENT_AFTER => Liveness::Silent,
        Some(_) => Liveness::Running,
        None if state.closed_at.is_some() => Liveness::Closed,
        None => Liveness::Crashed,
    };
    Ok(Seen {
        state,
        liveness,
        age,
    })
}

pub(super) fn load(path: &Utf8Path) -> Result<LiveState, ReadState> {
    let mut text = Vec::new();
    // A pipe in its place must not keep anybody waiting.
    let opened = File::options()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path);
    opened
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut text))
        .map_err(|source| ReadState::Unreadable {
            path: path.to_owned(),
            source,
        })?;
    serde_json::from_slice(&text).map_err(|source| ReadState::Unknown {
        path: path.to_owned(),
        source,
    })
}
