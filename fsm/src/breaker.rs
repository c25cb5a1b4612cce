//! The circuit breaker: are this server's answers good? Whether there is a process is another
//! question and another machine.
//!
//! ```text
//!            faults in a row                its own timer, or a new generation
//!  Closed ────────────────────▶ Open ──────────────────────────────────▶ HalfOpen
//!    ▲                            ▲                                        │  │
//!    │                            └───────────── a probe's fault ──────────┘  │
//!    └───────────────────────────────────────── a probe's answer ─────────────┘
//! ```
//! Invariant: an outcome counts only in the epoch that admitted its call; each arrow begins a
//! new epoch. Local refusals never arrive here as faults.

use crate::conn::Tally;
use crate::effect::{Effect, LogEvent, Refusal};
use crate::id::{Epoch, Millis, TimerKey};
use crate::tuning::Tuning;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The circuit's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    /// Calls pass.
    Closed {
        /// Faults since the last answer.
        faults: u32,
    },
    /// Calls are refused.
    Open {
        /// Until then.
        until: Millis,
        /// What the last fault was.
        cause: FaultCause,
    },
    /// A few calls try whether it works again.
    HalfOpen {
        /// How many are under way.
        probes: u32,
    },
}

/// What opened the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCause {
    /// A call took longer than its hard cap.
    Timeout,
    /// The process went away with calls in flight.
    TransportLost,
}

/// The breaker of one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    circuit: Circuit,
    epoch: Epoch,
    /// Openings since the circuit was last closed: what the pause doubles with.
    opens_in_a_row: u32,
    open_transitions: u32,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            circuit: Circuit::Closed { faults: 0 },
            epoch: Epoch::default(),
            opens_in_a_row: 0,
            open_transitions: 0,
        }
    }
}

impl Breaker {
    /// The circuit's state.
    pub const fn circuit(&self) -> Circuit {
        self.circuit
    }

    /// The epoch that calls are admitted in now.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How often it has opened.
    pub const fn open_transitions(&self) -> u32 {
        self.open_transitions
    }

    pub(crate) const fn due(&self) -> Option<Millis> {
        match self.circuit {
            Circuit::Open { until, .. } => Some(until),
            Circuit::Closed { .. } | Circuit::HalfOpen { .. } => None,
        }
    }

    /// Lets a call through, taking a probe's place if the circuit is half open.
    pub(crate) fn admit(&mut self, tuning: &Tuning) -> Result<(), Refusal> {
        match &mut self.circuit {
            Circuit::Closed { .. } => Ok(()),
            Circuit::Open { until, .. } => Err(Refusal::CircuitOpen { retry_at: *until }),
            Circuit::HalfOpen { probes } if *probes < tuning.breaker_probes => {
                *probes += 1;
                Ok(())
            }
            Circuit::HalfOpen { .. } => Err(Refusal::CircuitProbing),
        }
    }

    /// Takes in what became of calls of the current epoch. A fault outweighs an answer of the
    /// same moment: only one of them can have come from a server that is still there.
    pub(crate) fn settle(
        &mut self,
        tally: Tally,
        at: Millis,
        tuning: &Tuning,
        effects: &mut Vec<Effect>,
    ) -> Opened {
        let new_faults = tally.timeouts.saturating_add(tally.losses);
        match &mut self.circuit {
            Circuit::Closed { faults } => {
                if tally.answers > 0 {
                    *faults = 0;
                }
                *faults = faults.saturating_add(new_faults);
                // Other numbers are no fault: they count with the next one.
                if new_faults == 0 || *faults < tuning.breaker_faults {
                    return Opened::No;
                }
            }
            Circuit::HalfOpen { probes } => {
                *probes = probes.saturating_sub(tally.neutral);
                if new_faults == 0 {
                    if tally.answers > 0 {
                        self.change(Circuit::Closed { faults: 0 });
                        self.opens_in_a_row = 0;
                        effects.push(Effect::Log(LogEvent::CircuitClosed));
                    }
                    return Opened::No;
                }
            }
            Circuit::Open { .. } => return Opened::No,
        }
        let cause = if tally.losses > 0 {
            FaultCause::TransportLost
        } else {
            FaultCause::Timeout
        };
        self.open(cause, at, tuning, effects);
        Opened::Yes
    }

    fn open(&mut self, cause: FaultCause, at: Millis, tuning: &Tuning, effects: &mut Vec<Effect>) {
        let doubled = 1_u64.checked_shl(self.opens_in_a_row).unwrap_or(u64::MAX);
        let pause = Millis(tuning.breaker_base_ms.0.saturating_mul(doubled));
        let until = at.plus(pause.min(tuning.breaker_max_ms));
        self.opens_in_a_row = self.opens_in_a_row.saturating_add(1);
        self.open_transitions = self.open_transitions.saturating_add(1);
        self.change(Circuit::Open { until, cause });
        effects.push(Effect::Arm {
            key: TimerKey::Breaker,
            due: until,
        });
        effects.push(Effect::Log(LogEvent::CircuitOpen { retry_at: until }));
    }

    /// The pause is over.
    pub(crate) fn on_timer(&mut self, effects: &mut Vec<Effect>) {
        self.change(Circuit::HalfOpen { probes: 0 });
        effects.push(Effect::Log(LogEvent::CircuitHalfOpen));
    }

    /// A new process is ready: if the old one's death opened the circuit, the reason is gone.
    pub(crate) fn on_ready(&mut self, effects: &mut Vec<Effect>) {
        if let Circuit::Open {
            cause: FaultCause::TransportLost,
            ..
        } = self.circuit
        {
            effects.push(Effect::Disarm {
                key: TimerKey::Breaker,
            });
            self.on_timer(effects);
        }
    }

    /// A server that is gone for good has no circuit.
    pub(crate) fn retire(&mut self, effects: &mut Vec<Effect>) {
        if self.due().is_some() {
            effects.push(Effect::Disarm {
                key: TimerKey::Breaker,
            });
        }
        self.change(Circuit::Closed { faults: 0 });
    }

    fn change(&mut self, circuit: Circuit) {
        self.circuit = circuit;
        self.epoch = Epoch(self.epoch.0.wrapping_add(1));
    }
}

/// Whether the circuit opened just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    Yes,
    No,
}
