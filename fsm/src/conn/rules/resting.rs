//! No process and none on its way: not started, waiting out a pause or a lock, blocked.

use super::{Conn, State, Turn, Why, closed_clean, connect};
use crate::event::{EventKind, Operator};
use crate::id::TimerKey;
use statig::Outcome::{self, Super, Transition};

pub(super) fn idle(_: &mut Conn, event: &EventKind) -> Outcome<State> {
    match event {
        EventKind::Operator(operator) => match operator {
            Operator::Start {} => Transition(connect(Why::Cold)),
            Operator::Stop { .. } => Transition(closed_clean()),
            Operator::Retry {} | Operator::Restart { .. } | Operator::Configure { .. } => Super,
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

pub(super) fn backoff(conn: &mut Conn, event: &EventKind) -> Outcome<State> {
    match event {
        EventKind::Operator(operator) => match operator {
            Operator::Retry {} => Transition(connect(Why::Restart)),
            Operator::Restart { .. } => Transition(forgiven(conn)),
            Operator::Stop { .. } => Transition(closed_clean()),
            Operator::Start {} | Operator::Configure { .. } => Super,
        },
        EventKind::Timer {
            key: TimerKey::Backoff,
        } => Transition(connect(Why::Restart)),
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

pub(super) fn blocked(conn: &mut Conn, event: &EventKind) -> Outcome<State> {
    match event {
        EventKind::Operator(operator) => match operator {
            Operator::Retry {} | Operator::Restart { .. } => Transition(forgiven(conn)),
            Operator::Configure { tuning } => {
                conn.tuning = (**tuning).clone();
                Transition(forgiven(conn))
            }
            Operator::Stop { .. } => Transition(closed_clean()),
            Operator::Start {} => Super,
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

pub(super) fn flap_locked(
    conn: &mut Conn,
    event: &EventKind,
    turn: &mut Turn<'_>,
) -> Outcome<State> {
    match event {
        EventKind::Operator(operator) => match operator {
            Operator::Retry {} => Transition(lock_probe(conn, turn)),
            Operator::Restart { .. } => Transition(forgiven(conn)),
            Operator::Stop { .. } => Transition(closed_clean()),
            Operator::Start {} | Operator::Configure { .. } => Super,
        },
        EventKind::Timer {
            key: TimerKey::Lock,
        } => Transition(lock_probe(conn, turn)),
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

/// Exactly one try, which counts as a restart.
fn lock_probe(conn: &mut Conn, turn: &Turn<'_>) -> State {
    conn.restarts.record(turn.at, &conn.tuning);
    connect(Why::LockProbe)
}

/// Somebody has changed something: what happened before says nothing any more.
fn forgiven(conn: &mut Conn) -> State {
    conn.restarts.forgive();
    connect(Why::Operator)
}
