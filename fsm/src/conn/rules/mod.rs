//! What each state does with each event. One file for each group of states that share a concern.
//!
//! A handler changes the connection's data, pushes effects about calls, and names the next state.
//! What it does not want goes to the superstate, and in the end to the root, which names the
//! reason why the event changes nothing. No arm is a wildcard: a new state or event does not
//! compile until somebody has decided what it means.

mod closing;
mod connected;
mod connecting;
mod reaping;
mod resting;
mod root;

use super::relay::Arrival;
use super::restart::Next;
use super::{Conn, Input, Phase, State, Superstate, TeardownStep, Then, Turn, Why};
use crate::effect::{LogEvent, Refusal};
use crate::event::{Drain, EventKind, ExitStatus, SpawnFailure};
use crate::id::{Millis, TimerKey};
use crate::view::LastError;
use statig::Outcome::{self, Handled, Transition};
use statig::blocking;

impl blocking::State<Conn> for State {
    fn call_handler(
        &mut self,
        conn: &mut Conn,
        input: &Input<'_>,
        turn: &mut Turn<'_>,
    ) -> Outcome<Self> {
        let event = match input {
            Input::Event(event) => *event,
            Input::Restore(state) => return Transition((*state).clone()),
        };
        match event {
            EventKind::Timer { key } => conn.timers.consume(*key),
            // Where the state refuses anyway, its reason says more than the circuit's.
            EventKind::Submit { call, .. } => {
                let refuses = matches!(self.superstate(), Some(Superstate::Refusing(_)));
                if !refuses && let Some(refusal) = turn.refusal.take() {
                    conn.turn_away(*call, refusal, turn);
                    return Handled;
                }
            }
            EventKind::Operator(_)
            | EventKind::SlotGranted { .. }
            | EventKind::Child { .. }
            | EventKind::Cancel { .. }
            | EventKind::Answered { .. }
            | EventKind::Resume { .. }
            | EventKind::Overslept { .. } => {}
        }
        match self {
            Self::Idle => resting::idle(conn, event),
            Self::Connecting { phase, why } => {
                connecting::connecting(conn, *phase, *why, event, turn)
            }
            Self::Ready => connected::ready(conn, event, turn),
            Self::Suspect { ping_at } => connected::suspect(conn, *ping_at, event, turn),
            Self::Backoff { .. } => resting::backoff(conn, event),
            Self::Reaping { then, step } => reaping::reaping(conn, then, *step, event, turn),
            Self::Stuck => reaping::stuck(conn, event, turn),
            Self::Blocked { .. } => resting::blocked(conn, event),
            Self::FlapLocked { .. } => resting::flap_locked(conn, event, turn),
            Self::Draining => closing::draining(conn, event, turn),
            Self::Terminating { step } => closing::terminating(conn, *step, event, turn),
            Self::Closed { .. } => closing::closed(conn, event, turn),
        }
    }

    fn superstate(&mut self) -> Option<Superstate> {
        Some(match self {
            Self::Ready | Self::Suspect { .. } => Superstate::Root,
            Self::Connecting { .. } | Self::Backoff { .. } | Self::Reaping { .. } => {
                Superstate::Degraded
            }
            Self::Idle => Superstate::Refusing(Refusal::NotStarted),
            Self::Stuck => Superstate::Refusing(Refusal::Unkillable),
            Self::Blocked { reason } => Superstate::Refusing(Refusal::Blocked(reason.clone())),
            Self::FlapLocked { until, .. } => {
                Superstate::Refusing(Refusal::FlapLocked { retry_at: *until })
            }
            Self::Draining | Self::Terminating { .. } | Self::Closed { .. } => {
                Superstate::Refusing(Refusal::Closing)
            }
        })
    }
}

impl blocking::Superstate<Conn> for Superstate {
    fn call_handler(
        &mut self,
        conn: &mut Conn,
        input: &Input<'_>,
        turn: &mut Turn<'_>,
    ) -> Outcome<State> {
        let event = match input {
            Input::Event(event) => *event,
            Input::Restore(state) => return Transition((*state).clone()),
        };
        match self {
            Self::Degraded => match arrival(event) {
                Some(arrival) => {
                    conn.enqueue(arrival, turn);
                    Handled
                }
                None => Outcome::Super,
            },
            Self::Refusing(refusal) => match arrival(event) {
                Some(arrival) => {
                    if turn.refusal.is_none() {
                        conn.refuse(arrival.id, refusal.clone(), turn);
                    } else {
                        conn.turn_away(arrival.id, refusal.clone(), turn);
                    }
                    Handled
                }
                None => Outcome::Super,
            },
            Self::Root => root::root(conn, event, turn),
        }
    }

    fn superstate(&mut self) -> Option<Self> {
        match self {
            Self::Degraded | Self::Refusing(_) => Some(Self::Root),
            Self::Root => None,
        }
    }
}

/// The call that an event brings, if it brings one.
fn arrival(event: &EventKind) -> Option<Arrival> {
    match event {
        EventKind::Submit {
            call,
            class,
            timeout_ms,
            bytes,
            asks: _,
        } => Some(Arrival {
            id: *call,
            class: *class,
            timeout_ms: *timeout_ms,
            bytes: *bytes,
        }),
        EventKind::Operator(_)
        | EventKind::SlotGranted { .. }
        | EventKind::Child { .. }
        | EventKind::Cancel { .. }
        | EventKind::Timer { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. }
        | EventKind::Overslept { .. } => None,
    }
}

fn connect(why: Why) -> State {
    State::Connecting {
        phase: Phase::Waiting,
        why,
    }
}

const fn closed_clean() -> State {
    State::Closed {
        remains: super::Remains::Nothing,
    }
}

/// The first step of ending a process that nobody waits for.
const fn first_step(drain: Drain) -> TeardownStep {
    match drain {
        Drain::Within(_) => TeardownStep::StdinClosed,
        Drain::Now => TeardownStep::KillSent,
    }
}

impl Conn {
    /// The one place that decides about restarts: the slot is free, nobody asked for it.
    fn after_slot_free(&mut self, turn: &mut Turn<'_>) -> State {
        let next = self
            .restarts
            .decide(turn.at, self.generation, &self.tuning, self.jitter_seed);
        Self::follow(next)
    }

    fn lock_again(&mut self, turn: &mut Turn<'_>) -> State {
        let next = self
            .restarts
            .lock(turn.at, self.generation, &self.tuning, self.jitter_seed);
        Self::follow(next)
    }

    fn follow(next: Next) -> State {
        match next {
            Next::Now => connect(Why::Restart),
            Next::After { until } => State::Backoff { until },
            Next::Lock { until, locks } => State::FlapLocked { until, locks },
        }
    }

    /// What a process was ended for happens now.
    fn next(&mut self, then: Then, turn: &mut Turn<'_>) -> State {
        match then {
            Then::Restart => self.after_slot_free(turn),
            Then::LockAgain => self.lock_again(turn),
            Then::Again(why) => connect(why),
            Then::Block(reason) => State::Blocked { reason },
        }
    }

    /// The process ended without being asked to.
    fn died(&mut self, status: ExitStatus, turn: &mut Turn<'_>) {
        if let Some(generation) = self.generation {
            turn.log(LogEvent::ChildDied { generation, status });
        }
        self.last_error = Some(LastError::ChildDied { status });
    }

    /// There is no process after all.
    fn spawn_failed(&mut self, failure: &SpawnFailure, then: Then, turn: &mut Turn<'_>) -> State {
        let error = LastError::SpawnFailed {
            failure: failure.clone(),
        };
        self.last_error = Some(error.clone());
        turn.log(LogEvent::ConnectFailed { error });
        match failure {
            SpawnFailure::Blocked(reason) => State::Blocked {
                reason: reason.clone(),
            },
            SpawnFailure::System { .. } => self.next(then, turn),
        }
    }

    /// Begins to stop: calls in flight get their time, then the process is asked to end.
    fn stop(&mut self, drain: Drain, turn: &mut Turn<'_>) -> State {
        match drain {
            Drain::Within(length) if length > Millis::ZERO && self.calls.in_flight() > 0 => {
                self.arm(TimerKey::Drain, length, turn);
                State::Draining
            }
            Drain::Within(_) | Drain::Now => State::Terminating {
                step: first_step(drain),
            },
        }
    }
}
