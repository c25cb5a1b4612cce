//! What the engine can do to the world. The real world and the simulated one implement this.
//!
//! Invariant: what these methods are told is *staged*. Nothing leaves before
//! [`release`](World::release), which the turn calls after the log has been written. So the order
//! "log, then act" is kept in one place for everything.

use super::{Catalogue, ServerId};
use rea_fsm::{CallId, Generation, Millis, Signal, Verdict};

/// Whether calls may be passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// They may.
    Open,
    /// Somebody has frozen the gateway, or nobody can tell.
    Halted {
        /// Why, in words.
        reason: String,
    },
}

/// The effects on processes and on the client, as the engine stages them.
pub trait World {
    /// Start the server's process.
    fn spawn(&mut self, server: ServerId, generation: Generation);

    /// Write one line, without its newline, to the server's stdin. A call's line carries its id,
    /// so that its being read can be proven.
    fn write(
        &mut self,
        server: ServerId,
        generation: Generation,
        line: &[u8],
        call: Option<CallId>,
    );

    /// The call was answered: nobody will ask whether its line was read.
    fn settled(&mut self, server: ServerId, generation: Generation, call: CallId);

    /// Close the server's stdin, after what was written.
    fn close_stdin(&mut self, server: ServerId, generation: Generation);

    /// Signal the server's process group.
    fn signal_group(&mut self, server: ServerId, generation: Generation, signal: Signal);

    /// The buffer towards the client: whole lines, newlines included, in the order in which they
    /// are to arrive.
    fn client(&mut self, from: Option<ServerId>) -> &mut Vec<u8>;

    /// Keep what the server offers for the next session.
    fn remember(&mut self, server: ServerId, catalogue: Catalogue<'_>);

    /// A call has ended so, this long after it was taken in.
    fn call_ended(&mut self, server: ServerId, verdict: &Verdict, took_ms: Millis);

    /// Whether the server is not listened to, because too much of what it said waits for the client.
    fn is_held_back(&self, server: ServerId) -> bool;

    /// Whether calls may be passed on. Asked for each, at the moment when it would be; one answer holds for
    /// the turn.
    fn admission(&mut self) -> Admission;

    /// Everything staged happens now.
    fn release(&mut self);
}
