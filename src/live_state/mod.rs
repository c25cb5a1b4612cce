//! What every server is doing, on disk: for `rea status`, for scripts, and for whoever looks after a
//! crash.
//!
//! ```text
//!  loop: Schedule (when) ─ LiveState (what) ─▶ Publisher ═▶ thread: Writer ─ role ─▶ serve.state.json
//!                                                                             └────▶ sessions/<id>/state.json
//!  rea status: read ◀── both, and the locks that say who lives
//! ```
//!
//! `.rea/serve.lock` is held by the one gateway of a folder that owns `serve.state.json`; the others
//! are guests, each with a file of its own, until the owner goes. `.rea/sessions/<id>.lock` is held by
//! every gateway as long as it lives: whether a state is of somebody who lives is asked of that lock,
//! never of a number of a process.
//!
//! Invariants: a state file is replaced whole; every change is published or still scheduled; a disk
//! that hangs holds up nothing but this module's thread. Nobody writes a file of a gateway that lives
//! but that gateway.

mod life;
mod publisher;
mod read;
mod schedule;
mod session;
mod snapshot;
mod uptime;
mod writer;

pub use publisher::{LastState, Publisher};
pub use read::{Found, Liveness, ReadState, Seen, read};
pub use schedule::{BEAT_MS, Schedule};
pub use snapshot::{
    CircuitState, Complaint, DownstreamState, Era, LiveState, LogState, LogStatus, Now, wall,
};
pub use uptime::Uptime;
pub use writer::Counts;

/// The state file of the gateway that owns it.
pub const STATE_FILE: &str = "serve.state.json";
/// Held by that gateway.
const LOCK_FILE: &str = "serve.lock";
/// Below it, one folder for each gateway.
pub const SESSIONS_FOLDER: &str = "sessions";
/// A guest's state, in its own folder.
const GUEST_FILE: &str = "state.json";
