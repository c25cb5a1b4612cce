//! A process that is being ended so that another can follow, and one that does not end.

use super::{Conn, State, TeardownStep, Then, Turn, Why, first_step};
use crate::conn::relay::Future;
use crate::conn::{Pipe, Remains};
use crate::decision::Ignored;
use crate::effect::Signal;
use crate::event::{EventKind, Operator, Report};
use crate::id::{Millis, TimerKey};
use statig::Outcome::{self, Handled, Super, Transition};

pub(super) fn reaping(
    conn: &mut Conn,
    then: &Then,
    step: TeardownStep,
    event: &EventKind,
    turn: &mut Turn<'_>,
) -> Outcome<State> {
    let go = |step| {
        Transition(State::Reaping {
            then: then.clone(),
            step,
        })
    };
    match event {
        EventKind::Operator(operator) => match operator {
            Operator::Stop { drain } => Transition(match step {
                TeardownStep::Draining => {
                    conn.timers.disarm(TimerKey::Teardown, turn.effects);
                    conn.stop(*drain, turn)
                }
                TeardownStep::AwaitingSpawn => State::Terminating { step },
                TeardownStep::Lingering
                | TeardownStep::StdinClosed
                | TeardownStep::TermSent
                | TeardownStep::KillSent => State::Terminating {
                    step: step.max(first_step(*drain)),
                },
            }),
            Operator::Restart { drain_ms } => {
                let step = hurried(conn, step, *drain_ms, turn);
                Transition(repaired(conn, step))
            }
            Operator::Retry {} if blocks(then) => Transition(repaired(conn, step)),
            Operator::Configure { tuning } if blocks(then) => {
                conn.tuning = (**tuning).clone();
                Transition(repaired(conn, step))
            }
            Operator::Start {} | Operator::Retry {} | Operator::Configure { .. } => Super,
        },
        EventKind::Child { report, .. } => match report {
            Report::SpawnOk { .. } if step == TeardownStep::AwaitingSpawn => {
                conn.input = Pipe::Open;
                go(TeardownStep::StdinClosed)
            }
            Report::SpawnFailed { failure } if step == TeardownStep::AwaitingSpawn => {
                Transition(conn.spawn_failed(failure, then.clone(), turn))
            }
            Report::Exited { status, unread } => {
                if step == TeardownStep::Lingering {
                    conn.died(*status, turn);
                }
                conn.exited(*status, unread, Future::Restart, turn);
                // What was lost because somebody asked for another process says nothing about it.
                if *then == Then::Again(Why::Operator) {
                    turn.tally.losses = 0;
                }
                Transition(conn.next(then.clone(), turn))
            }
            Report::StdoutEof {} | Report::StdinBroken {} if step == TeardownStep::Draining => {
                go(TeardownStep::StdinClosed)
            }
            Report::Reply { call, reply, .. } => {
                conn.reply(*call, *reply, turn);
                drained(conn, step, go)
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
            | Report::Progress { .. }
            | Report::Asked { .. }
            | Report::Withdrew { .. } => Super,
        },
        EventKind::Cancel { call } => {
            conn.cancel(*call, turn);
            drained(conn, step, go)
        }
        EventKind::Timer {
            key: TimerKey::Call(call),
        } => {
            conn.call_limit(*call, turn);
            drained(conn, step, go)
        }
        EventKind::Timer {
            key: TimerKey::Teardown,
        } => match after(step) {
            Some(next) => go(next),
            None => Transition(State::Stuck),
        },
        EventKind::SlotGranted { .. }
        | EventKind::Submit { .. }
        | EventKind::Timer { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. }
        | EventKind::Overslept { .. } => Super,
    }
}

const fn blocks(then: &Then) -> bool {
    match then {
        Then::Block(_) => true,
        Then::Restart | Then::LockAgain | Then::Again(_) => false,
    }
}

/// Whoever asks again may want it sooner, and never gets it later.
fn hurried(
    conn: &mut Conn,
    step: TeardownStep,
    drain_ms: Millis,
    turn: &mut Turn<'_>,
) -> TeardownStep {
    match step {
        TeardownStep::Draining if drain_ms == Millis::ZERO => TeardownStep::StdinClosed,
        TeardownStep::Draining => {
            let due = turn.at.plus(drain_ms);
            if conn
                .timers
                .due(TimerKey::Teardown)
                .is_none_or(|old| due < old)
            {
                conn.timers.arm(TimerKey::Teardown, due, turn.effects);
            }
            step
        }
        TeardownStep::AwaitingSpawn
        | TeardownStep::Lingering
        | TeardownStep::StdinClosed
        | TeardownStep::TermSent
        | TeardownStep::KillSent => step,
    }
}

/// Somebody has changed something: what the process was ended for says nothing any more.
fn repaired(conn: &mut Conn, step: TeardownStep) -> State {
    conn.restarts.forgive();
    State::Reaping {
        then: Then::Again(Why::Operator),
        step,
    }
}

/// The last call in flight is answered: there is nothing left to wait for.
fn drained(
    conn: &Conn,
    step: TeardownStep,
    go: impl FnOnce(TeardownStep) -> Outcome<State>,
) -> Outcome<State> {
    if step == TeardownStep::Draining && conn.calls.in_flight() == 0 {
        go(TeardownStep::StdinClosed)
    } else {
        Handled
    }
}

/// The step that follows when a step's time is over; `None`: nothing more can be done.
pub(super) const fn after(step: TeardownStep) -> Option<TeardownStep> {
    match step {
        TeardownStep::Draining | TeardownStep::Lingering => Some(TeardownStep::StdinClosed),
        TeardownStep::StdinClosed => Some(TeardownStep::TermSent),
        TeardownStep::TermSent => Some(TeardownStep::KillSent),
        TeardownStep::AwaitingSpawn | TeardownStep::KillSent => None,
    }
}

pub(super) fn stuck(conn: &mut Conn, event: &EventKind, turn: &mut Turn<'_>) -> Outcome<State> {
    match event {
        EventKind::Operator(operator) => match operator {
            Operator::Stop { .. } => Transition(State::Closed {
                remains: Remains::Orphan,
            }),
            Operator::Retry {} | Operator::Restart { .. } => turn.ignore(Ignored::Unkillable),
            Operator::Start {} | Operator::Configure { .. } => Super,
        },
        EventKind::Child { report, .. } => match report {
            Report::SpawnOk { .. } => {
                conn.signal(Signal::Kill, turn);
                Handled
            }
            Report::SpawnFailed { failure } => {
                Transition(conn.spawn_failed(failure, Then::Restart, turn))
            }
            Report::Exited { status, unread } => {
                conn.exited(*status, unread, Future::Restart, turn);
                Transition(conn.after_slot_free(turn))
            }
            Report::ProbeModern { .. }
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
        } => {
            conn.signal(Signal::Kill, turn);
            conn.arm(TimerKey::Teardown, conn.tuning.kill_again_ms, turn);
            Handled
        }
        EventKind::SlotGranted { .. }
        | EventKind::Submit { .. }
        | EventKind::Cancel { .. }
        | EventKind::Timer { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. }
        | EventKind::Overslept { .. } => Super,
    }
}
