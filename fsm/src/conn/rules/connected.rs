//! A handshaken process: serving, or serving under suspicion.

use super::{Conn, State, TeardownStep, Then, Turn, Why, arrival};
use crate::conn::relay::{Future, Suspicion};
use crate::conn::{Pipe, Place};
use crate::decision::Ignored;
use crate::effect::LogEvent;
use crate::event::{EventKind, Operator, Report};
use crate::id::{Millis, TimerKey};
use crate::view::LastError;
use statig::Outcome::{self, Handled, Super, Transition};

pub(super) fn ready(conn: &mut Conn, event: &EventKind, turn: &mut Turn<'_>) -> Outcome<State> {
    match event {
        EventKind::Child {
            report: Report::IoErr { kind },
            ..
        } => {
            let error = LastError::Io { kind: *kind };
            conn.last_error = Some(error.clone());
            turn.log(LogEvent::TransportError { error });
            suspected(turn)
        }
        EventKind::Child {
            report: Report::Pong {} | Report::Alive {},
            ..
        } => Super,
        EventKind::Timer {
            key: TimerKey::Call(call),
        } => match conn.call_limit(*call, turn) {
            Suspicion::Raised => suspected(turn),
            Suspicion::None => Handled,
        },
        EventKind::Timer {
            key: TimerKey::Heartbeat,
        } => match heartbeat(conn, turn) {
            Suspicion::Raised => suspected(turn),
            Suspicion::None => Handled,
        },
        EventKind::Operator(_)
        | EventKind::SlotGranted { .. }
        | EventKind::Child { .. }
        | EventKind::Submit { .. }
        | EventKind::Cancel { .. }
        | EventKind::Timer { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. }
        | EventKind::Overslept { .. } => connected(conn, event, turn),
    }
}

/// Looks whether the server has been silent for too long, and sees to it that somebody looks again.
fn heartbeat(conn: &mut Conn, turn: &mut Turn<'_>) -> Suspicion {
    let length = conn.tuning.heartbeat_ms;
    if length == Millis::ZERO {
        return Suspicion::None;
    }
    let due = conn.heard_at.plus(length);
    if due > turn.at {
        conn.timers.arm(TimerKey::Heartbeat, due, turn.effects);
        Suspicion::None
    } else {
        conn.arm(TimerKey::Heartbeat, length, turn);
        Suspicion::Raised
    }
}

/// Whether silence is watched may have changed.
fn watch_silence(conn: &mut Conn, turn: &mut Turn<'_>) {
    let length = conn.tuning.heartbeat_ms;
    match conn.timers.due(TimerKey::Heartbeat) {
        Some(_) if length == Millis::ZERO => conn.disarm(TimerKey::Heartbeat, turn),
        None if length > Millis::ZERO => conn.arm(TimerKey::Heartbeat, length, turn),
        Some(_) | None => {}
    }
}

fn suspected(turn: &Turn<'_>) -> Outcome<State> {
    Transition(State::Suspect { ping_at: turn.at })
}

pub(super) fn suspect(
    conn: &mut Conn,
    ping_at: Millis,
    event: &EventKind,
    turn: &mut Turn<'_>,
) -> Outcome<State> {
    match event {
        EventKind::Timer {
            key: TimerKey::Pong,
        } => match last_witness(conn, ping_at, turn.at).max(still_asking(conn, turn)) {
            Some(due) => {
                conn.timers.arm(TimerKey::Pong, due, turn.effects);
                Handled
            }
            None => unresponsive(conn, turn),
        },
        EventKind::Timer {
            key: TimerKey::Call(call),
        } => {
            conn.call_limit(*call, turn);
            Handled
        }
        EventKind::Timer {
            key: TimerKey::Heartbeat,
        } => {
            heartbeat(conn, turn);
            Handled
        }
        EventKind::Child {
            report: Report::Pong {} | Report::Alive {},
            ..
        } => {
            conn.heard_at = turn.at;
            Transition(State::Ready)
        }
        EventKind::Child {
            report:
                Report::Reply { .. }
                | Report::Progress { .. }
                | Report::Asked { .. }
                | Report::Withdrew { .. }
                | Report::Listed { .. }
                | Report::ListErr {}
                | Report::ListChanged {},
            ..
        } => {
            if connected(conn, event, turn) == Super {
                super::root::root(conn, event, turn);
            }
            // Any valid message is proof of life, also one that nobody waits for any more.
            turn.ignored = None;
            conn.heard_at = turn.at;
            Transition(State::Ready)
        }
        EventKind::Operator(_)
        | EventKind::SlotGranted { .. }
        | EventKind::Child { .. }
        | EventKind::Submit { .. }
        | EventKind::Cancel { .. }
        | EventKind::Timer { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. }
        | EventKind::Overslept { .. } => connected(conn, event, turn),
    }
}

/// When the last call is due that may still speak for the server: one that was sent before the
/// probe and is inside its deadline. A call sent later does not keep a hung server alive.
fn last_witness(conn: &Conn, ping_at: Millis, now: Millis) -> Option<Millis> {
    conn.calls
        .iter()
        .filter_map(|(_, call)| match call.place {
            Place::Sent { at } if at <= ping_at => Some(call.due),
            Place::Sent { .. } | Place::Overdue { .. } | Place::Queued => None,
        })
        .filter(|due| *due > now)
        .max()
}

/// When to look again at a server that waits for a person: soon, because it has to say something
/// when it has been answered.
fn still_asking(conn: &Conn, turn: &Turn<'_>) -> Option<Millis> {
    let soon = turn.at.plus(conn.tuning.pong_ms);
    turn.asked_until.map(|until| until.min(soon))
}

fn unresponsive(conn: &mut Conn, turn: &mut Turn<'_>) -> Outcome<State> {
    conn.last_error = Some(LastError::Unresponsive);
    turn.log(LogEvent::TransportError {
        error: LastError::Unresponsive,
    });
    Transition(State::Reaping {
        then: Then::Restart,
        step: TeardownStep::StdinClosed,
    })
}

/// What both connected states have in common.
fn connected(conn: &mut Conn, event: &EventKind, turn: &mut Turn<'_>) -> Outcome<State> {
    match event {
        EventKind::Operator(operator) => match operator {
            Operator::Stop { drain } => Transition(conn.stop(*drain, turn)),
            Operator::Restart { drain_ms } => Transition(replace(conn, *drain_ms, turn)),
            Operator::Configure { tuning } => {
                conn.tuning = (**tuning).clone();
                watch_silence(conn, turn);
                Handled
            }
            Operator::Start {} | Operator::Retry {} => Super,
        },
        EventKind::Submit { .. } => {
            if let Some(arrival) = arrival(event) {
                conn.send_now(arrival, turn);
            }
            Handled
        }
        EventKind::Child { report, .. } => reported(conn, report, turn),
        EventKind::Timer {
            key: TimerKey::Stable,
        } => {
            conn.restarts.forgive();
            Handled
        }
        EventKind::Timer {
            key: TimerKey::List,
        } => {
            conn.list_timer(turn);
            Handled
        }
        EventKind::SlotGranted { .. }
        | EventKind::Cancel { .. }
        | EventKind::Timer { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. }
        | EventKind::Overslept { .. } => Super,
    }
}

/// Replaces the process because somebody asked for it: no death, so no budget.
fn replace(conn: &mut Conn, drain_ms: Millis, turn: &mut Turn<'_>) -> State {
    conn.restarts.forgive();
    let step = if drain_ms > Millis::ZERO && conn.calls.in_flight() > 0 {
        conn.arm(TimerKey::Teardown, drain_ms, turn);
        TeardownStep::Draining
    } else {
        TeardownStep::StdinClosed
    };
    State::Reaping {
        then: Then::Again(Why::Operator),
        step,
    }
}

fn reported(conn: &mut Conn, report: &Report, turn: &mut Turn<'_>) -> Outcome<State> {
    match report {
        Report::Listed {
            digest,
            count,
            missing,
        } => {
            conn.listed(*digest, *count, *missing, turn);
            Handled
        }
        Report::ListErr {} => {
            conn.not_listed(turn);
            Handled
        }
        Report::ListChanged {} => {
            conn.list_changed(turn);
            Handled
        }
        Report::StdoutEof {} => Transition(lost(conn, LastError::OutputClosed, turn)),
        Report::StdinBroken {} => {
            conn.input = Pipe::Closed;
            Transition(lost(conn, LastError::InputBroken, turn))
        }
        Report::Exited { status, unread } => {
            conn.died(*status, turn);
            conn.exited(*status, unread, Future::Restart, turn);
            Transition(conn.after_slot_free(turn))
        }
        Report::IoErr { .. } => turn.ignore(Ignored::AlreadySuspected),
        Report::SpawnOk { .. }
        | Report::SpawnFailed { .. }
        | Report::ProbeModern { .. }
        | Report::ProbeLegacy {}
        | Report::InitOk { .. }
        | Report::HandshakeErr { .. }
        | Report::Pong {}
        | Report::Alive {}
        | Report::Reply { .. }
        | Report::Progress { .. }
        | Report::Asked { .. }
        | Report::Withdrew { .. } => Super,
    }
}

/// A pipe has ended. In most deaths the exit follows at once and says more.
fn lost(conn: &mut Conn, error: LastError, turn: &mut Turn<'_>) -> State {
    conn.last_error = Some(error.clone());
    turn.log(LogEvent::TransportError { error });
    State::Reaping {
        then: Then::Restart,
        step: TeardownStep::Lingering,
    }
}
