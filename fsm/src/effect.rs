//! What to do: every output of the machine, as plain data.
//!
//! Whoever executes these decides nothing. A call is named by its id; its bytes are held outside.

use crate::event::{BlockReason, ExitStatus, ReplyKind};
use crate::id::{CallId, Generation, Millis, QuestionId, Ticket, TimerKey};
use crate::view::LastError;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Ask the engine for a spawn slot. Asking again with the same ticket changes nothing.
    AcquireSlot {
        /// Names this request.
        ticket: Ticket,
    },
    /// Give the slot back, or take the request for it back.
    ReleaseSlot {
        /// Names the request.
        ticket: Ticket,
    },
    /// Start the process; report [`SpawnOk`](crate::Report::SpawnOk) or
    /// [`SpawnFailed`](crate::Report::SpawnFailed).
    Spawn {
        /// The new life.
        generation: Generation,
    },
    /// Ask the new process what it is (`server/discover`).
    WriteProbe {
        /// Whom.
        generation: Generation,
    },
    /// Begin the legacy handshake (`initialize`).
    WriteInit {
        /// With whom.
        generation: Generation,
    },
    /// End the legacy handshake (`notifications/initialized`).
    WriteInitialized {
        /// With whom.
        generation: Generation,
    },
    /// Ask for the whole list of tools.
    WriteList {
        /// Whom.
        generation: Generation,
    },
    /// Write a call's message.
    Send {
        /// To whom.
        generation: Generation,
        /// Which call.
        call: CallId,
    },
    /// Tell the server that a call was given up.
    SendCancel {
        /// Whom.
        generation: Generation,
        /// Which call.
        call: CallId,
    },
    /// Ask whether the server lives.
    Ping {
        /// Whom.
        generation: Generation,
    },
    /// Close the process's standard input.
    CloseStdin {
        /// Whose.
        generation: Generation,
    },
    /// Signal the process and all of its group.
    SignalGroup {
        /// Whom.
        generation: Generation,
        /// With what.
        signal: Signal,
    },
    /// Report the timer at `due`; replaces an earlier due time of the same key.
    Arm {
        /// Which timer.
        key: TimerKey,
        /// When, on the log's clock.
        due: Millis,
    },
    /// Forget the timer. Too late is harmless.
    Disarm {
        /// Which timer.
        key: TimerKey,
    },
    /// Answer the client's call.
    Complete {
        /// Which call.
        call: CallId,
        /// With what.
        verdict: Verdict,
        /// Whether the server has executed it.
        executed: Executed,
    },
    /// Put a question to the client.
    Ask {
        /// Which question.
        question: QuestionId,
    },
    /// Tell the client that a question needs no answer any more.
    Withdraw {
        /// Which question.
        question: QuestionId,
    },
    /// Pass the client's answer on.
    Answer {
        /// To whom.
        generation: Generation,
        /// To which question.
        question: QuestionId,
    },
    /// Tell the server that its question finds no answer.
    RefuseQuestion {
        /// Whom.
        generation: Generation,
        /// Which question.
        question: QuestionId,
        /// Why.
        why: Unasked,
    },
    /// Answer a call with questions; the client repeats it with the answers.
    Offer {
        /// Which call.
        call: CallId,
        /// How often that has happened to this call, this time included.
        round: u32,
        /// Which questions, ascending.
        questions: Vec<QuestionId>,
    },
    /// Keep the server's answer to a held call until its client is there again.
    Keep {
        /// Which call.
        call: CallId,
    },
    /// The server's tools are not what they were.
    CatalogueChanged {
        /// Whose list it is.
        generation: Generation,
    },
    /// Something that people are shown has changed.
    Publish,
    /// Tell people.
    Log(LogEvent),
}

/// Why a question finds no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unasked {
    /// Too many are open.
    TooMany,
    /// The client can be asked in answers only, and no call of it is under way.
    Nobody,
    /// It has not answered in time.
    Unanswered,
}

/// A signal to a process group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Please end.
    Term,
    /// End.
    Kill,
}

/// Whether a server has executed a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Executed {
    /// Provably not.
    No,
    /// Nobody can know.
    Maybe,
    /// It has answered.
    Yes,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The server has answered; the interpreter holds the bytes.
    Replied(ReplyKind),
    /// We did not pass it on.
    Refused(Refusal),
    /// It has taken too long.
    TimedOut,
    /// The client gave it up.
    Cancelled,
    /// The process went away under it.
    TransportLost {
        /// How, if the process is known to be gone.
        status: Option<ExitStatus>,
    },
}

/// Why a call was not passed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The server was never started.
    NotStarted,
    /// Nothing automatic helps.
    Blocked(BlockReason),
    /// It died too often.
    FlapLocked {
        /// When it is tried again.
        retry_at: Millis,
    },
    /// Its last process can't be ended.
    Unkillable,
    /// Too many calls already wait for it.
    QueueFull,
    /// Too much is in flight already.
    Overloaded,
    /// Too many calls in a row have failed.
    CircuitOpen {
        /// When one is let through again.
        retry_at: Millis,
    },
    /// The one call that may try the server is under way.
    CircuitProbing,
    /// The gateway is stopping.
    Closing,
}

/// What people are told. The names in the log are the reference's, with dots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogEvent {
    /// `downstream.connect_attempt`
    ConnectAttempt {
        /// The life that begins.
        generation: Generation,
    },
    /// `downstream.connected`: the first time.
    Connected {
        /// The life that is ready.
        generation: Generation,
    },
    /// `downstream.reconnected`: after a loss.
    Reconnected {
        /// The life that is ready.
        generation: Generation,
    },
    /// `downstream.connect_failed`
    ConnectFailed {
        /// Why.
        error: LastError,
    },
    /// `downstream.child_died`
    ChildDied {
        /// The life that ended.
        generation: Generation,
        /// How.
        status: ExitStatus,
    },
    /// `downstream.transport_error`
    TransportError {
        /// What was seen.
        error: LastError,
    },
    /// `downstream.reconnect_attempt`
    ReconnectAttempt {
        /// How many restarts lie in the window, this one included.
        restarts: u32,
    },
    /// `downstream.respawn_refused_flap`
    RespawnRefusedFlap {
        /// When it is tried again.
        until: Millis,
        /// How many locks in a row, this one included.
        locks: u32,
    },
    /// `downstream.blocked`
    Blocked {
        /// Why.
        reason: BlockReason,
    },
    /// `downstream.unkillable`
    Unkillable {
        /// The life that does not end.
        generation: Generation,
    },
    /// `downstream.orphaned`
    Orphaned {
        /// The life that was left.
        generation: Generation,
    },
    /// `circuit.open`
    CircuitOpen {
        /// When one call is let through.
        retry_at: Millis,
    },
    /// `circuit.half_open`
    CircuitHalfOpen,
    /// `circuit.closed`
    CircuitClosed,
    /// `session_blocker`
    SessionBlocker {
        /// How many opens and locks lie in the window.
        failures: u32,
    },
}
