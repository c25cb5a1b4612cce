//! Processes and pipes: the hands of the gateway. It knows no MCP and decides nothing.
//!
//! ```text
//!  spawner thread (one a server, for ever): fork, exec, wait for the leader's death
//!        │ Started, LeaderDied                                   stdin ◀── Outbox (staged, batched)
//!        ▼                                                       stdout ──▶ reader task ──▶ Output
//!  one channel of TransportEvent ──▶ Pool ──▶ reports            stderr ──▶ its own file, own thread
//! ```
//!
//! Invariants: at most one process for each server; a process group is killed before its leader is
//! reaped, so that no signal can reach a recycled number; `Exited` is the last report of a
//! generation and comes after everything that it wrote. Every buffer is bounded: a server that
//! writes faster than it is read is held back by its own pipe.

mod outbox;
mod pool;
mod process;
mod signals;
mod spawner;
mod stderr_file;
mod stdio;
mod sys;

pub use pool::{Pool, ProcessReport, Reading, ReportKind};
pub use signals::listen_for_signals;
pub use spawner::ChildCommand;
pub use stderr_file::{LineFilter, StderrFiles, file_name as stderr_file_name};
pub use stdio::{ClientOutput, Unread, start_input};
pub use sys::keep_inherited_descriptors;

use rea_fsm::{ExitStatus, Generation};
use std::io;

/// The place of a server in the pool.
pub type PoolIndex = u32;

/// How many events may wait for the loop. With chunks of at most [`CHUNK_BYTES`] this bounds the
/// memory that unread output takes.
pub const EVENTS_MAX: usize = 256;
/// The largest piece that is read at once.
pub const CHUNK_BYTES: usize = 64 << 10;

/// Something that happened to a process, to the client's pipes or to the gateway itself.
#[derive(Debug)]
pub enum TransportEvent {
    /// A signal asks the gateway to end.
    Signalled,
    /// The client's next bytes.
    ClientInput(Vec<u8>),
    /// The client's input has ended.
    ClientInputEnded,
    /// The thread that writes to the client has written so much, or found that nobody reads.
    ClientWritten(Result<usize, Unread>),
    /// A process was started.
    Started(PoolIndex, Generation, spawner::Started),
    /// A process was not started.
    NotStarted(PoolIndex, Generation, io::Error),
    /// A process's next output.
    Output(PoolIndex, Generation, Vec<u8>),
    /// A process's output has ended.
    OutputEnded(PoolIndex, Generation),
    /// A process is dead and not yet reaped.
    LeaderDied(PoolIndex, Generation, ExitStatus),
    /// Nobody waits any longer for the rest of a dead process's output.
    OutputGivenUp(PoolIndex, Generation),
}
