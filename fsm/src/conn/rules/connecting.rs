//! A process on its way: for a slot, for its start, for its handshake, for its list.

use super::{Conn, Phase, State, TeardownStep, Then, Turn, Why, closed_clean, connect, first_step};
use crate::conn::relay::Future;
use crate::conn::{Era, ListState, Pipe};
use crate::effect::{Effect, LogEvent};
use crate::event::{BlockReason, EventKind, HandshakeFailure, Listing, Offer, Operator, Report};
use crate::id::TimerKey;
use crate::tuning::Protocol;
use crate::view::LastError;
use statig::Outcome::{self, Handled, Super, Transition};

pub(super) fn connecting(
    conn: &mut Conn,
    phase: Phase,
    why: Why,
    event: &EventKind,
    turn: &mut Turn<'_>,
) -> Outcome<State> {
    match event {
        EventKind::Operator(operator) => operator_says(conn, phase, operator),
        EventKind::SlotGranted { ticket } if phase == Phase::Waiting && *ticket == conn.ticket => {
            Transition(State::Connecting {
                phase: Phase::Spawning,
                why,
            })
        }
        EventKind::Child { report, .. } => reported(conn, phase, why, report, turn),
        EventKind::Timer { key } => timer_fired(conn, phase, why, *key, turn),
        EventKind::SlotGranted { .. }
        | EventKind::Submit { .. }
        | EventKind::Cancel { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. }
        | EventKind::Overslept { .. } => Super,
    }
}

fn operator_says(conn: &mut Conn, phase: Phase, operator: &Operator) -> Outcome<State> {
    match (operator, phase) {
        (Operator::Stop { .. }, Phase::Waiting) => Transition(closed_clean()),
        (Operator::Stop { .. }, Phase::Spawning) => Transition(State::Terminating {
            step: TeardownStep::AwaitingSpawn,
        }),
        (Operator::Stop { drain }, Phase::Probing | Phase::Initializing | Phase::Listing) => {
            Transition(State::Terminating {
                step: first_step(*drain),
            })
        }
        (Operator::Restart { .. }, Phase::Waiting) => {
            conn.restarts.forgive();
            Transition(connect(Why::Operator))
        }
        (
            Operator::Restart { .. },
            Phase::Spawning | Phase::Probing | Phase::Initializing | Phase::Listing,
        ) => {
            conn.restarts.forgive();
            let step = if phase == Phase::Spawning {
                TeardownStep::AwaitingSpawn
            } else {
                TeardownStep::StdinClosed
            };
            Transition(State::Reaping {
                then: Then::Again(Why::Operator),
                step,
            })
        }
        (Operator::Start {} | Operator::Retry {} | Operator::Configure { .. }, _) => Super,
    }
}

fn reported(
    conn: &mut Conn,
    phase: Phase,
    why: Why,
    report: &Report,
    turn: &mut Turn<'_>,
) -> Outcome<State> {
    let go = |phase| Transition(State::Connecting { phase, why });
    match report {
        Report::SpawnOk { .. } if phase == Phase::Spawning => {
            conn.input = Pipe::Open;
            go(first_phase(conn))
        }
        Report::SpawnFailed { failure } if phase == Phase::Spawning => {
            let then = after_failure(why);
            Transition(conn.spawn_failed(failure, then, turn))
        }
        Report::ProbeModern { offer } if matches!(phase, Phase::Probing | Phase::Initializing) => {
            Transition(shake_hands(conn, why, *offer, turn))
        }
        Report::ProbeLegacy {} if phase == Phase::Probing => match conn.tuning.protocol {
            Protocol::Modern => refused(conn, why, HandshakeFailure::Unsupported, turn),
            Protocol::Auto | Protocol::Legacy => go(Phase::Initializing),
        },
        Report::InitOk { offer } if phase == Phase::Initializing => {
            conn.write(|generation| Effect::WriteInitialized { generation }, turn);
            Transition(shake_hands(conn, why, *offer, turn))
        }
        Report::HandshakeErr { failure }
            if matches!(phase, Phase::Probing | Phase::Initializing) =>
        {
            refused(conn, why, *failure, turn)
        }
        Report::Listed {
            digest,
            count,
            missing,
        } if phase == Phase::Listing => {
            conn.take_catalogue(*digest, *count, turn);
            conn.first_listed(*missing);
            Transition(State::Ready)
        }
        Report::ListErr {} if phase == Phase::Listing => {
            conn.tell_offer(turn);
            conn.first_listed(1);
            Transition(State::Ready)
        }
        Report::ListChanged {} if phase == Phase::Listing => {
            conn.list = ListState::Wanted;
            Handled
        }
        Report::StdoutEof {} => ended(conn, phase, why, LastError::OutputClosed, turn),
        Report::StdinBroken {} => {
            conn.input = Pipe::Closed;
            ended(conn, phase, why, LastError::InputBroken, turn)
        }
        Report::Exited { status, unread } if phase != Phase::Waiting => {
            let then = after_end(conn, phase, why);
            conn.died(*status, turn);
            conn.exited(*status, unread, Future::Restart, turn);
            Transition(conn.next(then, turn))
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
        | Report::Exited { .. }
        | Report::IoErr { .. }
        | Report::Pong {}
        | Report::Alive {}
        | Report::Reply { .. }
        | Report::Progress { .. }
        | Report::Asked { .. }
        | Report::Withdrew { .. } => Super,
    }
}

/// The era decides how a new process is spoken to.
fn first_phase(conn: &Conn) -> Phase {
    match conn.tuning.protocol {
        Protocol::Legacy => Phase::Initializing,
        Protocol::Modern => Phase::Probing,
        Protocol::Auto => match conn.era {
            Era::Unknown => Phase::Probing,
            Era::DiedProbed => Phase::Initializing,
            Era::Known(version) if version.is_modern() => Phase::Probing,
            Era::Known(_) => Phase::Initializing,
        },
    }
}

/// The process has said what it is. What follows is its list, if it has one.
fn shake_hands(conn: &mut Conn, why: Why, offer: Offer, turn: &mut Turn<'_>) -> State {
    conn.era = Era::Known(offer.version);
    conn.offered(offer.digest);
    match offer.listing {
        Listing::Tools => State::Connecting {
            phase: Phase::Listing,
            why,
        },
        Listing::Nothing => {
            conn.take_catalogue(0, 0, turn);
            State::Ready
        }
    }
}

fn refused(
    conn: &mut Conn,
    why: Why,
    failure: HandshakeFailure,
    turn: &mut Turn<'_>,
) -> Outcome<State> {
    let then = match failure {
        HandshakeFailure::Unsupported => Then::Block(BlockReason::ProtocolUnsupported),
        HandshakeFailure::Rpc { .. } | HandshakeFailure::Malformed => after_failure(why),
    };
    forget_era(conn);
    fail(
        conn,
        then,
        TeardownStep::StdinClosed,
        LastError::Handshake { failure },
        turn,
    )
}

/// The process's pipes ended before it was ready; its exit is likely to follow.
fn ended(
    conn: &mut Conn,
    phase: Phase,
    why: Why,
    error: LastError,
    turn: &mut Turn<'_>,
) -> Outcome<State> {
    match phase {
        Phase::Waiting => Super,
        Phase::Spawning => {
            let then = after_failure(why);
            fail(conn, then, TeardownStep::AwaitingSpawn, error, turn)
        }
        Phase::Probing | Phase::Initializing | Phase::Listing => {
            let then = after_end(conn, phase, why);
            fail(conn, then, TeardownStep::Lingering, error, turn)
        }
    }
}

fn fail(
    conn: &mut Conn,
    then: Then,
    step: TeardownStep,
    error: LastError,
    turn: &mut Turn<'_>,
) -> Outcome<State> {
    conn.last_error = Some(error.clone());
    turn.log(LogEvent::ConnectFailed { error });
    Transition(State::Reaping { then, step })
}

fn timer_fired(
    conn: &mut Conn,
    phase: Phase,
    why: Why,
    key: TimerKey,
    turn: &mut Turn<'_>,
) -> Outcome<State> {
    match (key, phase) {
        (TimerKey::Handshake, Phase::Waiting) => {
            // The wait for a slot is not this server's failure. Asking again is harmless, and
            // repairs an engine that forgot.
            turn.effects.push(Effect::AcquireSlot {
                ticket: conn.ticket,
            });
            conn.arm(TimerKey::Handshake, conn.tuning.handshake_ms, turn);
            Handled
        }
        (TimerKey::Handshake, Phase::Spawning) => {
            let then = after_failure(why);
            let error = LastError::HandshakeTimedOut;
            fail(conn, then, TeardownStep::AwaitingSpawn, error, turn)
        }
        (TimerKey::Handshake, Phase::Probing | Phase::Initializing | Phase::Listing) => {
            let then = after_failure(why);
            forget_era(conn);
            fail(
                conn,
                then,
                TeardownStep::StdinClosed,
                LastError::HandshakeTimedOut,
                turn,
            )
        }
        (TimerKey::Probe, Phase::Probing) => Transition(State::Connecting {
            phase: Phase::Initializing,
            why,
        }),
        (
            TimerKey::Probe
            | TimerKey::Backoff
            | TimerKey::Lock
            | TimerKey::Pong
            | TimerKey::Heartbeat
            | TimerKey::Stable
            | TimerKey::Teardown
            | TimerKey::Drain
            | TimerKey::List
            | TimerKey::Breaker
            | TimerKey::Unready
            | TimerKey::Rearm
            | TimerKey::Call(_)
            | TimerKey::Question(_)
            | TimerKey::Held(_)
            | TimerKey::Gather,
            _,
        ) => Super,
    }
}

/// What a failed connection costs: its restart, or the flap lock's one try.
const fn after_failure(why: Why) -> Then {
    match why {
        Why::LockProbe => Then::LockAgain,
        Why::Cold | Why::Restart | Why::Operator => Then::Restart,
    }
}

/// As [`after_failure`], but a server that dies of being asked for its era has told it, and that
/// costs nothing. It is asked only while nothing is known, so this can't go on for ever.
fn after_end(conn: &mut Conn, phase: Phase, why: Why) -> Then {
    let was_asked = phase == Phase::Probing && conn.tuning.protocol == Protocol::Auto;
    if was_asked && conn.era == Era::Unknown {
        conn.era = Era::DiedProbed;
        return Then::Again(why);
    }
    forget_era(conn);
    after_failure(why)
}

/// A remembered era that fails is found out anew. One that was learnt from a death is kept: it
/// was not the handshake that taught it.
fn forget_era(conn: &mut Conn) {
    conn.era = match conn.era {
        Era::Unknown | Era::Known(_) => Era::Unknown,
        Era::DiedProbed => Era::DiedProbed,
    };
}
