//! Stopping. There is no way back, and nothing is started or sent any more.

use super::reaping::after;
use super::{Conn, State, TeardownStep, Turn, closed_clean};
use crate::conn::relay::Future;
use crate::conn::{Pipe, Remains};
use crate::decision::Ignored;
use crate::effect::Signal;
use crate::event::{Drain, EventKind, Operator, Report};
use crate::id::{Millis, TimerKey};
use statig::Outcome::{self, Handled, Super, Transition};

const TERMINATE: State = State::Terminating {
    step: TeardownStep::StdinClosed,
};

pub(super) fn draining(conn: &mut Conn, event: &EventKind, turn: &mut Turn<'_>) -> Outcome<State> {
    match event {
        EventKind::Operator(operator) => match operator {
            Operator::Stop { drain } => hurry(conn, *drain, turn),
            Operator::Start {} | Operator::Retry {} | Operator::Restart { .. } => {
                turn.ignore(Ignored::AlreadyStopping)
            }
            Operator::Configure { .. } => Super,
        },
        EventKind::Child { report, .. } => match report {
            Report::Reply { call, reply, .. } => {
                conn.reply(*call, *reply, turn);
                drained(conn)
            }
            Report::StdoutEof {} => Transition(TERMINATE),
            Report::StdinBroken {} => {
                conn.input = Pipe::Closed;
                Transition(TERMINATE)
            }
            Report::Exited { status, unread } => {
                conn.died(*status, turn);
                conn.exited(*status, unread, Future::None, turn);
                Transition(closed_clean())
            }
            Report::SpawnOk { .. }
            | Report::SpawnFailed { .. }
            | Report::ProbeModern { .. }
            | Report::ProbeLegacy {}
            | Report::InitOk { .. }
            | Report::HandshakeErr { .. }
            | Report::Listed { .. }
            | Report::ListErr {}
            | Report::ListChanged {}
            | Report::IoErr { .. }
            | Report::Pong {}
            | Report::Alive {}
            | Report::Progress { .. }
            | Report::Asked { .. }
            | Report::Withdrew { .. } => Super,
        },
        EventKind::Cancel { call } => {
            conn.cancel(*call, turn);
            drained(conn)
        }
        EventKind::Timer {
            key: TimerKey::Call(call),
        } => {
            conn.call_limit(*call, turn);
            drained(conn)
        }
        EventKind::Timer {
            key: TimerKey::Drain,
        } => Transition(TERMINATE),
        EventKind::SlotGranted { .. }
        | EventKind::Submit { .. }
        | EventKind::Timer { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. }
        | EventKind::Overslept { .. } => Super,
    }
}

/// A second stop can only make it faster.
fn hurry(conn: &mut Conn, drain: Drain, turn: &mut Turn<'_>) -> Outcome<State> {
    match drain {
        Drain::Now => Transition(State::Terminating {
            step: TeardownStep::KillSent,
        }),
        Drain::Within(Millis::ZERO) => Transition(TERMINATE),
        Drain::Within(length) => {
            let due = turn.at.plus(length);
            if conn
                .timers
                .due(TimerKey::Drain)
                .is_some_and(|armed| armed <= due)
            {
                return Super;
            }
            conn.timers.arm(TimerKey::Drain, due, turn.effects);
            Handled
        }
    }
}

fn drained(conn: &Conn) -> Outcome<State> {
    if conn.calls.in_flight() == 0 {
        Transition(TERMINATE)
    } else {
        Handled
    }
}

pub(super) fn terminating(
    conn: &mut Conn,
    step: TeardownStep,
    event: &EventKind,
    turn: &mut Turn<'_>,
) -> Outcome<State> {
    match event {
        EventKind::Operator(operator) => match operator {
            Operator::Stop { drain: Drain::Now } => match step {
                // A process that is not known yet is killed as soon as it is.
                TeardownStep::AwaitingSpawn | TeardownStep::KillSent => Super,
                TeardownStep::Draining
                | TeardownStep::Lingering
                | TeardownStep::StdinClosed
                | TeardownStep::TermSent => Transition(State::Terminating {
                    step: TeardownStep::KillSent,
                }),
            },
            Operator::Stop {
                drain: Drain::Within(_),
            }
            | Operator::Start {}
            | Operator::Retry {}
            | Operator::Restart { .. } => turn.ignore(Ignored::AlreadyStopping),
            Operator::Configure { .. } => Super,
        },
        EventKind::Child { report, .. } => match report {
            // It has done nothing for anybody yet, so there is nothing to let it finish.
            Report::SpawnOk { .. } if step == TeardownStep::AwaitingSpawn => {
                conn.input = Pipe::Open;
                Transition(State::Terminating {
                    step: TeardownStep::KillSent,
                })
            }
            Report::SpawnFailed { .. } if step == TeardownStep::AwaitingSpawn => {
                Transition(closed_clean())
            }
            Report::Exited { status, unread } => {
                conn.exited(*status, unread, Future::None, turn);
                Transition(closed_clean())
            }
            Report::SpawnOk { .. }
            | Report::SpawnFailed { .. }
            | Report::ProbeModern { .. }
            | Report::ProbeLegacy {}
            | Report::InitOk { .. }
            | Report::HandshakeErr { .. }
            | Report::Listed { .. }
            | Report::ListErr {}
            | Report::ListChanged {}
            | Report::StdoutEof {}
            | Report::StdinBroken {}
            | Report::IoErr { .. }
            | Report::Pong {}
            | Report::Alive {}
            | Report::Reply { .. }
            | Report::Progress { .. }
            | Report::Asked { .. }
            | Report::Withdrew { .. } => Super,
        },
        EventKind::Timer {
            key: TimerKey::Teardown,
        } => Transition(match after(step) {
            Some(next) => State::Terminating { step: next },
            None => State::Closed {
                remains: Remains::Orphan,
            },
        }),
        EventKind::SlotGranted { .. }
        | EventKind::Submit { .. }
        | EventKind::Cancel { .. }
        | EventKind::Timer { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. }
        | EventKind::Overslept { .. } => Super,
    }
}

pub(super) fn closed(conn: &mut Conn, event: &EventKind, turn: &mut Turn<'_>) -> Outcome<State> {
    match event {
        // A start that was given up on succeeds after all: it must not outlive the gateway.
        EventKind::Child {
            report: Report::SpawnOk { .. },
            ..
        } => {
            conn.signal(Signal::Kill, turn);
            Handled
        }
        EventKind::Operator(operator) => match operator {
            Operator::Start {}
            | Operator::Stop { .. }
            | Operator::Retry {}
            | Operator::Restart { .. } => turn.ignore(Ignored::AlreadyStopping),
            Operator::Configure { .. } => Super,
        },
        EventKind::SlotGranted { .. }
        | EventKind::Child { .. }
        | EventKind::Submit { .. }
        | EventKind::Cancel { .. }
        | EventKind::Timer { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. }
        | EventKind::Overslept { .. } => Super,
    }
}
