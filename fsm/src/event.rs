//! What happened: every input of the machine. There is no other way in.

use crate::id::{CallId, Generation, Millis, QuestionId, Ticket, TimerKey};
use crate::tuning::Tuning;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// One input with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Milliseconds since the log began; never less than the event before.
    pub at_ms: Millis,
    /// What happened.
    pub kind: EventKind,
}

/// What happened. Reports of a process are under [`Child`](Self::Child), which is what lets one
/// gate reject whatever a dead generation still has to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Somebody who may decide says what to do.
    Operator(Operator),
    /// The engine has a spawn slot for this server.
    SlotGranted {
        /// The request that is answered.
        ticket: Ticket,
    },
    /// A process, or whoever was to start it, reports.
    Child {
        /// The life that the report is about.
        generation: Generation,
        /// The report.
        report: Report,
    },
    /// A client's call has arrived.
    Submit {
        /// Larger than that of every earlier call.
        call: CallId,
        /// Whether it may be repeated.
        class: CallClass,
        /// How long it may take before the server is asked whether it lives.
        timeout_ms: Millis,
        /// Size of the message.
        bytes: u64,
        /// How its client can be asked something while it is under way. `Directly` also if it can't:
        /// not every answer may hold a question.
        #[serde(default, skip_serializing_if = "Asks::is_directly")]
        asks: Asks,
    },
    /// The client has given a call up.
    Cancel {
        /// Which call.
        call: CallId,
    },
    /// The client has answered a question that it was asked by itself.
    Answered {
        /// Which question.
        question: QuestionId,
    },
    /// The client has repeated a call that was given back to it with questions.
    Resume {
        /// Which call.
        call: CallId,
        /// Which of its rounds.
        round: u32,
        /// The questions that it answers, ascending.
        answers: Vec<QuestionId>,
    },
    /// A timer fired.
    Timer {
        /// Which timer.
        key: TimerKey,
    },
    /// The loop woke up late (the machine slept, the process was stopped): servers had no chance
    /// to answer in that time.
    Overslept {
        /// How long servers may have had no chance: never shorter than the delay itself.
        late_ms: Millis,
    },
}

/// What an operator, or the gateway on one's behalf, asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Begin to keep this server running.
    Start {},
    /// End it for good.
    Stop {
        /// How much time calls in flight get.
        drain: Drain,
    },
    /// Try again now rather than when the lock or the pause ends.
    Retry {},
    /// Replace the process; past deaths are forgiven.
    Restart {
        /// How much time calls in flight get.
        drain_ms: Millis,
    },
    /// The server's numbers changed.
    Configure {
        /// The new ones.
        tuning: Box<Tuning>,
    },
}

/// How a stop treats the calls in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drain {
    /// They may finish within this time; then the polite shutdown begins.
    Within(Millis),
    /// KILL at once.
    Now,
}

/// Whether a call may be sent a second time when it is not known whether it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallClass {
    /// It changes nothing.
    ReadOnly,
    /// A second time changes nothing more.
    Idempotent,
    /// It must not run twice. What nobody vouched for is unsafe.
    Unsafe,
}

/// How a client can be asked something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// By a request of its own: the client has a session.
    #[default]
    Directly,
    /// In the answer to one of its calls, which it then repeats.
    InAnswers,
}

impl Asks {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde asks for"
    )]
    fn is_directly(&self) -> bool {
        *self == Self::Directly
    }
}

/// What a process, its pipes or its spawner report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// The process runs.
    SpawnOk {
        /// Its process id, which is its group's too.
        pid: u32,
    },
    /// There is no process.
    SpawnFailed {
        /// Why.
        failure: SpawnFailure,
    },
    /// `server/discover` was answered: a modern server.
    ProbeModern {
        /// What it offers.
        offer: Offer,
    },
    /// `server/discover` was answered with an error: a legacy server.
    ProbeLegacy {},
    /// `initialize` was answered.
    InitOk {
        /// What it offers.
        offer: Offer,
    },
    /// The handshake was answered with an error.
    HandshakeErr {
        /// What kind.
        failure: HandshakeFailure,
    },
    /// The server's lists have arrived, as far as they can be had.
    Listed {
        /// Digest over everything that it lists.
        digest: u64,
        /// How many tools there are.
        count: u32,
        /// How many of its lists could not be had; what was known of them stays.
        #[serde(default, skip_serializing_if = "is_zero_u32")]
        missing: u32,
    },
    /// Listing was answered with an error, or with something that is no list.
    ListErr {},
    /// The server says that its list changed.
    ListChanged {},
    /// Its standard output ended.
    StdoutEof {},
    /// Its standard input can't be written any more.
    StdinBroken {},
    /// The process is gone, its group killed, its output read to the end, its slot free.
    Exited {
        /// How it ended.
        status: ExitStatus,
        /// Calls whose line the process provably never read to its end, in ascending order.
        unread: Vec<CallId>,
    },
    /// Its output broke the framing rules.
    IoErr {
        /// How.
        kind: IoErrorKind,
    },
    /// The liveness probe was answered.
    Pong {},
    /// Any valid message; reported only while the server is under suspicion.
    Alive {},
    /// A call was answered.
    Reply {
        /// Which call.
        call: CallId,
        /// How.
        reply: ReplyKind,
        /// Size of the answer.
        bytes: u64,
    },
    /// A call reports progress.
    Progress {
        /// Which call.
        call: CallId,
    },
    /// The server asks the client something.
    Asked {
        /// Larger than that of every earlier question.
        question: QuestionId,
        /// How the client can be asked outside of its calls.
        asks: Asks,
    },
    /// The server takes a question back.
    Withdrew {
        /// Which question.
        question: QuestionId,
    },
}

/// What a server said about itself in its handshake, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Offer {
    /// The protocol's revision that was agreed on.
    pub version: ProtocolVersion,
    /// Whether there is anything to list.
    pub listing: Listing,
    /// Digest over everything that it said. Zero: not taken, as in logs of earlier builds.
    #[serde(default, skip_serializing_if = "is_zero_u64")]
    pub digest: u64,
}

// What earlier builds did not write is left out while it says nothing, so that logs keep their
// form.

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
const fn is_zero_u32(value: &u32) -> bool {
    *value == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
const fn is_zero_u64(value: &u64) -> bool {
    *value == 0
}

/// Whether a server has tools to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// It is listed before the server counts as ready.
    Tools,
    /// There is nothing to list.
    Nothing,
}

/// The protocol's revisions that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProtocolVersion {
    /// 2024-11-05
    #[serde(rename = "2024-11-05")]
    V2024_11_05,
    /// 2025-03-26
    #[serde(rename = "2025-03-26")]
    V2025_03_26,
    /// 2025-06-18
    #[serde(rename = "2025-06-18")]
    V2025_06_18,
    /// 2025-11-25, the newest of the legacy era
    #[serde(rename = "2025-11-25")]
    V2025_11_25,
    /// 2026-07-28, the first of the modern era
    #[serde(rename = "2026-07-28")]
    V2026_07_28,
}

/// How a call was answered. Every kind is proof of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyKind {
    /// With a result.
    Ok {
        /// The result's own `isError`.
        is_error: bool,
    },
    /// With a JSON-RPC error.
    RpcError {
        /// Its code.
        code: i64,
    },
    /// With a question back to the client.
    InputRequired,
}

/// Why there is no process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpawnFailure {
    /// Nothing automatic can help.
    Blocked(BlockReason),
    /// The system refused; it may not the next time.
    System {
        /// The system's error number.
        errno: i32,
    },
}

/// Why a server is not even tried until somebody changes something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockReason {
    /// Variables that its environment refers to are not set.
    MissingEnv {
        /// Their names, in the order of first use.
        names: Vec<String>,
    },
    /// A `${…}` template is malformed.
    BadTemplate {
        /// Where and how.
        detail: String,
    },
    /// There is no such program.
    CommandNotFound {
        /// What was looked for, and where.
        detail: String,
    },
    /// The program may not be run.
    NotExecutable {
        /// Which file.
        detail: String,
    },
    /// The working directory can't be entered.
    BadWorkingDirectory {
        /// Which folder.
        detail: String,
    },
    /// Its entry changed and nobody has approved that.
    Untrusted,
    /// It speaks no revision of the protocol that we do.
    ProtocolUnsupported,
}

/// Why a handshake was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandshakeFailure {
    /// The server and we share no revision of the protocol.
    Unsupported,
    /// A JSON-RPC error.
    Rpc {
        /// Its code.
        code: i64,
    },
    /// The answer was not what the protocol prescribes.
    Malformed,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitStatus {
    /// By itself.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

/// How a server broke the framing rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IoErrorKind {
    /// A line longer than the limit.
    OversizedLine,
    /// A line that is not UTF-8, or holds a NUL.
    InvalidText,
}
