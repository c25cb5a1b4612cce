//! The rows of the transition table, as far as a name of a state and a name of an event tell them
//! apart, and the numbering of those names.

use rea_fsm::Leaf::{
    self, Backoff, Blocked, Closed, Connecting, Draining, FlapLocked, Idle, Ready, Reaping, Stuck,
    Suspect, Terminating,
};
use rea_fsm::{EventKind, Operator, Report, TimerKey};

/// Every kind of event, by name.
const KINDS: [&str; 47] = [
    "start",
    "stop",
    "retry",
    "restart",
    "configure",
    "slot_granted",
    "submit",
    "cancel",
    "overslept",
    "spawn_ok",
    "spawn_failed",
    "probe_modern",
    "probe_legacy",
    "init_ok",
    "handshake_err",
    "listed",
    "list_err",
    "list_changed",
    "stdout_eof",
    "stdin_broken",
    "exited",
    "io_err",
    "pong",
    "alive",
    "reply",
    "progress",
    "timer:handshake",
    "timer:probe",
    "timer:backoff",
    "timer:lock",
    "timer:pong",
    "timer:heartbeat",
    "timer:stable",
    "timer:teardown",
    "timer:drain",
    "timer:list",
    "timer:breaker",
    "timer:unready",
    "timer:rearm",
    "timer:call",
    "asked",
    "withdrew",
    "answered",
    "resume",
    "timer:question",
    "timer:held",
    "timer:gather",
];

/// The place of an event's name in the list of names.
pub(crate) const fn kind_index(kind: &EventKind) -> u16 {
    match kind {
        EventKind::Operator(operator) => match operator {
            Operator::Start {} => 0,
            Operator::Stop { .. } => 1,
            Operator::Retry {} => 2,
            Operator::Restart { .. } => 3,
            Operator::Configure { .. } => 4,
        },
        EventKind::SlotGranted { .. } => 5,
        EventKind::Submit { .. } => 6,
        EventKind::Cancel { .. } => 7,
        EventKind::Overslept { .. } => 8,
        EventKind::Child { report, .. } => match report {
            Report::SpawnOk { .. } => 9,
            Report::SpawnFailed { .. } => 10,
            Report::ProbeModern { .. } => 11,
            Report::ProbeLegacy {} => 12,
            Report::InitOk { .. } => 13,
            Report::HandshakeErr { .. } => 14,
            Report::Listed { .. } => 15,
            Report::ListErr {} => 16,
            Report::ListChanged {} => 17,
            Report::StdoutEof {} => 18,
            Report::StdinBroken {} => 19,
            Report::Exited { .. } => 20,
            Report::IoErr { .. } => 21,
            Report::Pong {} => 22,
            Report::Alive {} => 23,
            Report::Reply { .. } => 24,
            Report::Progress { .. } => 25,
            Report::Asked { .. } => 40,
            Report::Withdrew { .. } => 41,
        },
        EventKind::Timer { key } => match key {
            TimerKey::Handshake => 26,
            TimerKey::Probe => 27,
            TimerKey::Backoff => 28,
            TimerKey::Lock => 29,
            TimerKey::Pong => 30,
            TimerKey::Heartbeat => 31,
            TimerKey::Stable => 32,
            TimerKey::Teardown => 33,
            TimerKey::Drain => 34,
            TimerKey::List => 35,
            TimerKey::Breaker => 36,
            TimerKey::Unready => 37,
            TimerKey::Rearm => 38,
            TimerKey::Call(_) => 39,
            TimerKey::Question(_) => 44,
            TimerKey::Held(_) => 45,
            TimerKey::Gather => 46,
        },
        EventKind::Answered { .. } => 42,
        EventKind::Resume { .. } => 43,
    }
}

/// How many numbers there are for an event and whether it was ignored.
pub(crate) const PAIRS: usize = KINDS.len() * 2;

/// The number of an event and its outcome.
pub(crate) fn pair(kind: &EventKind, ignored: bool) -> usize {
    usize::from(kind_index(kind)) * 2 + usize::from(ignored)
}

pub(crate) fn pair_name(pair: usize) -> String {
    let outcome = if pair.is_multiple_of(2) {
        "acts"
    } else {
        "ignored"
    };
    format!("{} {outcome}", KINDS[pair / 2])
}

/// One row: from which states, by which event, to which states.
#[derive(Debug)]
pub(crate) struct Row(&'static [Leaf], u16, &'static [Leaf]);

impl Row {
    pub(crate) fn matches(&self, from: Leaf, kind: u16, to: Leaf) -> bool {
        self.1 == kind && self.0.contains(&from) && self.2.contains(&to)
    }
}

const STOP: u16 = 1;
const RETRY: u16 = 2;
const RESTART: u16 = 3;
const SUBMIT: u16 = 6;
const CANCEL: u16 = 7;
const EXITED: u16 = 20;
const CALL: u16 = 39;
const ASKED: u16 = 40;
const WITHDREW: u16 = 41;
const ANSWERED: u16 = 42;
const RESUME: u16 = 43;
const QUESTION: u16 = 44;
const HELD: u16 = 45;
const SLOT_FREE: &[Leaf] = &[Connecting, Backoff, FlapLocked];

/// The transition table's rows.
pub(crate) const ROWS: [Row; 120] = [
    Row(&[Idle], 0, &[Connecting]),
    Row(&[Idle], SUBMIT, &[Idle]),
    Row(&[Blocked], SUBMIT, &[Blocked]),
    Row(&[FlapLocked], SUBMIT, &[FlapLocked]),
    Row(&[Stuck], SUBMIT, &[Stuck]),
    Row(&[Idle], STOP, &[Closed]),
    Row(&[Blocked], STOP, &[Closed]),
    Row(&[FlapLocked], STOP, &[Closed]),
    Row(&[Backoff], STOP, &[Closed]),
    Row(&[Connecting], STOP, &[Closed]),
    Row(&[Connecting], 5, &[Connecting]),
    Row(&[Connecting], 9, &[Connecting]),
    Row(&[Connecting], 10, &[Blocked]),
    Row(&[Connecting], 10, SLOT_FREE),
    Row(&[Connecting], 11, &[Connecting, Ready]),
    Row(&[Connecting], 12, &[Connecting]),
    Row(&[Connecting], 27, &[Connecting]),
    Row(&[Connecting], 13, &[Ready]),
    Row(&[Connecting], 13, &[Connecting]),
    Row(&[Connecting], 15, &[Ready]),
    Row(&[Connecting], 16, &[Ready]),
    Row(&[Connecting], 14, &[Reaping]),
    Row(&[Connecting], 18, &[Reaping]),
    Row(&[Connecting], 19, &[Reaping]),
    Row(&[Connecting], 26, &[Reaping]),
    Row(&[Connecting], 26, &[Connecting]),
    Row(&[Connecting], EXITED, SLOT_FREE),
    Row(&[Connecting], STOP, &[Terminating]),
    Row(&[Connecting], RESTART, &[Reaping]),
    Row(&[Connecting], SUBMIT, &[Connecting]),
    Row(&[Backoff], SUBMIT, &[Backoff]),
    Row(&[Reaping], SUBMIT, &[Reaping]),
    Row(&[Backoff], 28, &[Connecting]),
    Row(&[Backoff], RETRY, &[Connecting]),
    Row(&[Backoff], RESTART, &[Connecting]),
    Row(&[Ready], SUBMIT, &[Ready]),
    Row(&[Suspect], SUBMIT, &[Suspect]),
    Row(&[Ready], 24, &[Ready]),
    Row(&[Suspect], 24, &[Ready]),
    Row(&[Draining], 24, &[Draining]),
    Row(&[Draining], 24, &[Terminating]),
    Row(&[Ready], 25, &[Ready]),
    Row(&[Suspect], 25, &[Ready]),
    Row(&[Draining], 25, &[Draining]),
    Row(&[Ready], 17, &[Ready]),
    Row(&[Ready], 15, &[Ready]),
    Row(&[Ready], 16, &[Ready]),
    Row(&[Ready], 35, &[Ready]),
    Row(&[Ready], 21, &[Suspect]),
    Row(&[Ready], CALL, &[Suspect]),
    Row(&[Ready], CALL, &[Ready]),
    Row(&[Ready], 31, &[Suspect]),
    Row(&[Suspect], CALL, &[Suspect]),
    Row(&[Draining], CALL, &[Draining, Terminating]),
    Row(&[Ready], 18, &[Reaping]),
    Row(&[Ready], 19, &[Reaping]),
    Row(&[Suspect], 18, &[Reaping]),
    Row(&[Ready], EXITED, SLOT_FREE),
    Row(&[Suspect], EXITED, SLOT_FREE),
    Row(&[Ready], RESTART, &[Reaping]),
    Row(&[Suspect], RESTART, &[Reaping]),
    Row(&[Ready], STOP, &[Draining]),
    Row(&[Ready], STOP, &[Terminating]),
    Row(&[Suspect], STOP, &[Draining, Terminating]),
    Row(&[Suspect], 22, &[Ready]),
    Row(&[Suspect], 23, &[Ready]),
    Row(&[Suspect], 30, &[Reaping]),
    Row(&[Suspect], 30, &[Suspect]),
    Row(
        &[Reaping],
        EXITED,
        &[Connecting, Backoff, FlapLocked, Blocked],
    ),
    Row(&[Reaping], 10, &[Connecting, Backoff, FlapLocked, Blocked]),
    Row(&[Reaping], 9, &[Reaping]),
    Row(&[Terminating], 9, &[Terminating]),
    Row(&[Reaping], 33, &[Reaping]),
    Row(&[Reaping], 33, &[Stuck]),
    Row(&[Stuck], 33, &[Stuck]),
    Row(&[Stuck], EXITED, SLOT_FREE),
    Row(&[Stuck], STOP, &[Closed]),
    Row(&[Reaping], STOP, &[Terminating, Draining]),
    Row(&[FlapLocked], 29, &[Connecting]),
    Row(&[FlapLocked], RETRY, &[Connecting]),
    Row(&[Blocked], RETRY, &[Connecting]),
    Row(&[Draining], 34, &[Terminating]),
    Row(&[Draining, Terminating], EXITED, &[Closed]),
    Row(&[Terminating], 33, &[Terminating]),
    Row(&[Terminating], 33, &[Closed]),
    Row(
        &[Ready, Connecting, Suspect, Reaping],
        CANCEL,
        &[Ready, Connecting, Suspect, Reaping],
    ),
    Row(&[Connecting], ASKED, &[Connecting]),
    Row(&[Ready], ASKED, &[Ready]),
    Row(&[Suspect], ASKED, &[Ready]),
    Row(&[Reaping], ASKED, &[Reaping]),
    Row(&[Draining], ASKED, &[Draining]),
    Row(&[Ready], WITHDREW, &[Ready]),
    Row(&[Suspect], WITHDREW, &[Ready]),
    Row(
        &[Ready, Suspect, Draining],
        ANSWERED,
        &[Ready, Suspect, Draining],
    ),
    Row(
        &[Ready, Suspect, Draining],
        RESUME,
        &[Ready, Suspect, Draining],
    ),
    Row(SLOT_FREE, RESUME, SLOT_FREE),
    Row(&[Ready], QUESTION, &[Ready]),
    Row(SLOT_FREE, HELD, SLOT_FREE),
    Row(
        &[Ready, Suspect, Draining],
        HELD,
        &[Ready, Suspect, Draining, Terminating],
    ),
    Row(&[Ready], 32, &[Ready]),
    Row(&[Suspect], 32, &[Suspect]),
    Row(&[Connecting], CALL, &[Connecting]),
    Row(&[Backoff], CALL, &[Backoff]),
    Row(&[Reaping], CALL, &[Reaping]),
    Row(&[Blocked], 4, &[Connecting]),
    Row(&[Draining], 18, &[Terminating]),
    Row(&[Draining], 19, &[Terminating]),
    Row(&[Draining], STOP, &[Terminating]),
    Row(&[Terminating], STOP, &[Terminating]),
    Row(&[Draining], SUBMIT, &[Draining]),
    Row(&[Terminating], SUBMIT, &[Terminating]),
    Row(&[Closed], SUBMIT, &[Closed]),
    Row(&[Terminating], 10, &[Closed]),
    Row(&[Suspect], 19, &[Reaping]),
    Row(&[Suspect], 17, &[Ready]),
    Row(&[Suspect], 15, &[Ready]),
    Row(&[Suspect], 16, &[Ready]),
    Row(&[Draining], CANCEL, &[Draining, Terminating]),
    Row(&[Terminating], CANCEL, &[Terminating]),
    Row(&[Backoff], CANCEL, &[Backoff]),
];
