//! The event log: everything that the machines were told, written before it is acted on.
//!
//! ```text
//! engine ── append_input, append_note ──▶ batch ── commit ──▶ one write(2) ──▶ page cache
//!                                                   │
//!                                                   └──▶ keeper: fsync, next file, deletion
//! file ── lines ── chain ── parse ──▶ Entry ──▶ replay
//! ```
//!
//! [`mod@format`] says what stands in a file, `encode` writes it, [`writer`] decides what happens
//! when it can't be written, [`sink`] is where bytes go, `directory` the real files and their
//! keeper, [`reader`] the way back, `upcast` what older formats are turned into.
//!
//! # Invariants
//! - What was acted on was committed before, or lies in a gap that the log itself reports.
//! - Nothing is ever written behind a torn line.
//! - A reader never alters a log.
//!
//! # Absent on purpose
//! Arguments and results of calls; signatures (the chain proves damage, not malice); any way to
//! go on from an old session's log: a new gateway starts with empty machines and its own log.

mod chain;
mod directory;
mod encode;
mod file_lock;
pub mod format;
mod names;
pub mod reader;
pub mod sink;
mod status;
mod tail;
mod upcast;
pub mod writer;

pub use chain::Chain;
pub use directory::Limits;
pub use format::{
    Annotated, Continues, FORMAT, Gap, Header, Hex64, Note, RULES, SNAPSHOT_EVERY, Snapshots,
    machine_seed,
};
pub use names::{FileName, is_being_written};
pub use reader::{
    Ending, Entry, Input, LogFiles, MemoryFiles, NamedBytes, Noted, ReadError, Reader, Source, Torn,
};
pub use sink::{Memory, MemoryHandle, Sink};
pub use status::{Health, HealthState, Mode, NotLogged};
pub use tail::{Tail, tail_of_newest};
pub use writer::{About, Journal};
