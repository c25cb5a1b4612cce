//! What leaving one state and entering another asks for: one function of source and target.
//!
//! Handlers change data and name the next state; nothing else in this crate emits the effects
//! that belong to a state as such. Invariant: a timer that only one state waits for is disarmed
//! when that state is left.

use super::{Conn, ListState, Phase, Pipe, Remains, State, TeardownStep, Then, Turn, Why};
use crate::decision::Ignored;
use crate::effect::{Effect, LogEvent, Refusal, Signal};
use crate::id::{Generation, Ticket, TimerKey};
use crate::tuning::Protocol;
use crate::view::LastError;

impl Conn {
    pub(super) fn enter(&mut self, source: &State, target: &State, turn: &mut Turn<'_>) {
        if turn.ignored == Some(Ignored::Restored) {
            return;
        }
        if source.leaf() != target.leaf() {
            self.since = turn.at;
        }
        self.leave(source, target, turn);
        match target {
            State::Idle => {}
            State::Connecting { phase, why } => self.enter_phase(source, *phase, *why, turn),
            State::Ready => self.enter_ready(source, turn),
            State::Suspect { .. } => {
                self.write(|generation| Effect::Ping { generation }, turn);
                self.arm(TimerKey::Pong, self.tuning.pong_ms, turn);
            }
            State::Backoff { until } => {
                turn.log(LogEvent::ReconnectAttempt {
                    restarts: self.restarts.counted(),
                });
                self.timers.arm(TimerKey::Backoff, *until, turn.effects);
            }
            State::Reaping { step, .. } | State::Terminating { step } => {
                if matches!(target, State::Terminating { .. }) {
                    self.fail_queue(&Refusal::Closing, turn);
                }
                self.enter_teardown(source, *step, turn);
            }
            State::Stuck => {
                if let Some(generation) = self.generation {
                    turn.log(LogEvent::Unkillable { generation });
                }
                self.last_error = Some(LastError::Unkillable);
                // What is lost because somebody asked for another process is no fault.
                if !asked_for(source) {
                    self.count_loss(turn);
                }
                self.lose_in_flight(None, turn);
                self.fail_queue(&Refusal::Unkillable, turn);
                self.arm(TimerKey::Teardown, self.tuning.kill_again_ms, turn);
            }
            State::Blocked { reason } => {
                turn.log(LogEvent::Blocked {
                    reason: reason.clone(),
                });
                self.fail_queue(&Refusal::Blocked(reason.clone()), turn);
            }
            State::FlapLocked { until, locks } => {
                turn.log(LogEvent::RespawnRefusedFlap {
                    until: *until,
                    locks: *locks,
                });
                self.fail_queue(&Refusal::FlapLocked { retry_at: *until }, turn);
                self.timers.arm(TimerKey::Lock, *until, turn.effects);
            }
            State::Draining => self.fail_queue(&Refusal::Closing, turn),
            State::Closed { remains } => {
                self.lose_in_flight(self.last_exit, turn);
                self.fail_queue(&Refusal::Closing, turn);
                if let (Remains::Orphan, Some(generation)) = (remains, self.generation) {
                    turn.log(LogEvent::Orphaned { generation });
                }
            }
        }
    }

    /// Takes back what the source alone was waiting for.
    fn leave(&mut self, source: &State, target: &State, turn: &mut Turn<'_>) {
        match source {
            State::Idle | State::Blocked { .. } | State::Closed { .. } => {}
            State::Connecting { .. } => {
                self.disarm(TimerKey::Probe, turn);
                if !matches!(target, State::Connecting { .. }) {
                    self.disarm(TimerKey::Handshake, turn);
                    turn.effects.push(Effect::ReleaseSlot {
                        ticket: self.ticket,
                    });
                }
            }
            State::Ready | State::Suspect { .. } => {
                self.disarm(TimerKey::Pong, turn);
                if !matches!(target, State::Ready | State::Suspect { .. }) {
                    for key in [TimerKey::Stable, TimerKey::Heartbeat, TimerKey::List] {
                        self.disarm(key, turn);
                    }
                    self.forget_listing();
                }
            }
            State::Backoff { .. } => self.disarm(TimerKey::Backoff, turn),
            State::FlapLocked { .. } => self.disarm(TimerKey::Lock, turn),
            State::Draining => self.disarm(TimerKey::Drain, turn),
            State::Reaping { .. } | State::Stuck | State::Terminating { .. } => {
                let goes_on = matches!(
                    (source, target),
                    (
                        State::Reaping { step: from, .. },
                        State::Reaping { step: to, .. } | State::Terminating { step: to }
                    ) if from == to
                );
                if !goes_on {
                    self.disarm(TimerKey::Teardown, turn);
                }
            }
        }
    }

    fn enter_phase(&mut self, source: &State, phase: Phase, why: Why, turn: &mut Turn<'_>) {
        match phase {
            Phase::Waiting => {
                // It waits already; only what it is for has changed.
                if let State::Connecting {
                    phase: Phase::Waiting,
                    ..
                } = source
                {
                    return;
                }
                // A connection that failed without spending budget asks anew: the old slot is
                // given back first, so that nobody holds two.
                if matches!(source, State::Connecting { .. }) {
                    turn.effects.push(Effect::ReleaseSlot {
                        ticket: self.ticket,
                    });
                }
                self.ticket = Ticket(self.ticket.0.wrapping_add(1));
                turn.effects.push(Effect::AcquireSlot {
                    ticket: self.ticket,
                });
                self.arm(TimerKey::Handshake, self.tuning.handshake_ms, turn);
                let came_from_backoff = matches!(source, State::Backoff { .. });
                if why == Why::Restart && !came_from_backoff {
                    turn.log(LogEvent::ReconnectAttempt {
                        restarts: self.restarts.counted(),
                    });
                }
            }
            Phase::Spawning => {
                let generation = Generation(self.generation.map_or(1, |last| last.0 + 1));
                self.generation = Some(generation);
                self.forget_listing();
                turn.log(LogEvent::ConnectAttempt { generation });
                turn.effects.push(Effect::Spawn { generation });
                self.arm(TimerKey::Handshake, self.tuning.handshake_ms, turn);
            }
            Phase::Probing => {
                self.write(|generation| Effect::WriteProbe { generation }, turn);
                if self.tuning.protocol == Protocol::Auto {
                    self.arm(TimerKey::Probe, self.tuning.probe_ms, turn);
                }
            }
            Phase::Initializing => {
                self.write(|generation| Effect::WriteInit { generation }, turn);
            }
            Phase::Listing => self.write(|generation| Effect::WriteList { generation }, turn),
        }
    }

    fn enter_ready(&mut self, source: &State, turn: &mut Turn<'_>) {
        if matches!(source, State::Suspect { .. }) {
            return;
        }
        let Some(generation) = self.generation else {
            return;
        };
        turn.log(if self.connections == 0 {
            LogEvent::Connected { generation }
        } else {
            LogEvent::Reconnected { generation }
        });
        self.connections = self.connections.saturating_add(1);
        self.last_error = None;
        self.heard_at = turn.at;
        self.arm(
            TimerKey::Stable,
            self.restarts.stable_ms(&self.tuning),
            turn,
        );
        if self.tuning.heartbeat_ms.0 > 0 {
            self.arm(TimerKey::Heartbeat, self.tuning.heartbeat_ms, turn);
        }
        if self.list != ListState::Settled {
            self.arm(TimerKey::List, self.tuning.list_gap_ms, turn);
        }
        self.flush_queue(turn);
    }

    fn enter_teardown(&mut self, source: &State, step: TeardownStep, turn: &mut Turn<'_>) {
        let came_from = match source {
            State::Reaping { step, .. } | State::Terminating { step } => Some(*step),
            State::Idle
            | State::Connecting { .. }
            | State::Ready
            | State::Suspect { .. }
            | State::Backoff { .. }
            | State::Stuck
            | State::Blocked { .. }
            | State::FlapLocked { .. }
            | State::Draining
            | State::Closed { .. } => None,
        };
        if came_from == Some(step) {
            return;
        }
        match step {
            // Whoever stops waits for the acknowledgement no longer than would still leave time
            // to see the process die.
            TeardownStep::AwaitingSpawn => {
                self.arm(
                    TimerKey::Teardown,
                    self.tuning.term_ms.plus(self.tuning.kill_ms),
                    turn,
                );
            }
            // The one who asked for the replacement has armed the end of the drain.
            TeardownStep::Draining => {}
            TeardownStep::Lingering => {
                self.arm(TimerKey::Teardown, self.tuning.linger_ms, turn);
            }
            TeardownStep::StdinClosed => {
                self.close_stdin(turn);
                self.arm(TimerKey::Teardown, self.tuning.term_ms, turn);
            }
            TeardownStep::TermSent => {
                self.signal(Signal::Term, turn);
                self.arm(TimerKey::Teardown, self.tuning.kill_ms, turn);
            }
            TeardownStep::KillSent => {
                self.close_stdin(turn);
                self.signal(Signal::Kill, turn);
                self.arm(TimerKey::Teardown, self.tuning.give_up_ms, turn);
            }
        }
    }

    /// Writes to the current generation, if there is one that can be written to.
    pub(super) fn write(&mut self, effect: impl FnOnce(Generation) -> Effect, turn: &mut Turn<'_>) {
        if let (Some(generation), Pipe::Open) = (self.generation, self.input) {
            turn.effects.push(effect(generation));
        }
    }

    pub(super) fn close_stdin(&mut self, turn: &mut Turn<'_>) {
        self.write(|generation| Effect::CloseStdin { generation }, turn);
        self.input = Pipe::Closed;
    }

    pub(super) fn signal(&mut self, signal: Signal, turn: &mut Turn<'_>) {
        if let Some(generation) = self.generation {
            turn.effects
                .push(Effect::SignalGroup { generation, signal });
        }
    }
}

/// Whether the process was being ended because somebody has asked for another one.
fn asked_for(source: &State) -> bool {
    let then = Then::Again(Why::Operator);
    matches!(source, State::Reaping { then: follows, .. } if *follows == then)
}
