//! The session blocker: has this server been in trouble for so long that a person should look?
//!
//! It fires once an episode: after so many openings and locks within a window, or after so long
//! without being ready; and may fire again only after a long time of being ready. It decides
//! nothing but that people are told.

use crate::conn::Leaf;
use crate::effect::{Effect, LogEvent};
use crate::id::{Millis, TimerKey};
use crate::tuning::Tuning;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The blocker of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// When the circuit opened or the server was locked; at most as many as are needed to fire.
    failures: Vec<Millis>,
    fired: bool,
    unready_due: Option<Millis>,
    rearm_due: Option<Millis>,
}

/// How a state looks to the blocker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Never started, or stopping: nobody waits for it.
    Away,
    Unready,
    Ready,
}

fn look(leaf: Leaf) -> Look {
    match leaf {
        Leaf::Idle | Leaf::Draining | Leaf::Terminating | Leaf::Closed => Look::Away,
        Leaf::Ready | Leaf::Suspect => Look::Ready,
        Leaf::Connecting
        | Leaf::Backoff
        | Leaf::Reaping
        | Leaf::Stuck
        | Leaf::Blocked
        | Leaf::FlapLocked => Look::Unready,
    }
}

impl Blocker {
    /// Whether it has fired in this episode.
    pub const fn has_fired(&self) -> bool {
        self.fired
    }

    pub(crate) const fn unready_due(&self) -> Option<Millis> {
        self.unready_due
    }

    pub(crate) const fn rearm_due(&self) -> Option<Millis> {
        self.rearm_due
    }

    /// Follows the connection from one state to the next.
    pub(crate) fn follow(
        &mut self,
        from: Leaf,
        to: Leaf,
        at: Millis,
        tuning: &Tuning,
        effects: &mut Vec<Effect>,
    ) {
        if look(from) == look(to) {
            return;
        }
        self.disarm(effects);
        match look(to) {
            Look::Away => {}
            Look::Unready if self.fired => {}
            Look::Unready => {
                let due = at.plus(tuning.blocker_unready_ms);
                self.unready_due = Some(due);
                effects.push(Effect::Arm {
                    key: TimerKey::Unready,
                    due,
                });
            }
            Look::Ready if self.fired => {
                let due = at.plus(tuning.blocker_rearm_ms);
                self.rearm_due = Some(due);
                effects.push(Effect::Arm {
                    key: TimerKey::Rearm,
                    due,
                });
            }
            Look::Ready => {}
        }
    }

    fn disarm(&mut self, effects: &mut Vec<Effect>) {
        if self.unready_due.take().is_some() {
            effects.push(Effect::Disarm {
                key: TimerKey::Unready,
            });
        }
        if self.rearm_due.take().is_some() {
            effects.push(Effect::Disarm {
                key: TimerKey::Rearm,
            });
        }
    }

    /// The circuit opened, or the server was locked.
    pub(crate) fn count_failure(
        &mut self,
        at: Millis,
        leaf: Leaf,
        tuning: &Tuning,
        effects: &mut Vec<Effect>,
    ) {
        // Zero would be met before anything has failed.
        let needed = (tuning.blocker_failures as usize).max(1);
        self.failures
            .retain(|failure| at.since(*failure) < tuning.blocker_window_ms);
        if self.failures.len() >= needed {
            self.failures.remove(0);
        }
        self.failures.push(at);
        if self.failures.len() >= needed {
            self.fire(at, leaf, tuning, effects);
        }
    }

    pub(crate) fn on_unready(
        &mut self,
        at: Millis,
        leaf: Leaf,
        tuning: &Tuning,
        effects: &mut Vec<Effect>,
    ) {
        self.fire(at, leaf, tuning, effects);
    }

    pub(crate) fn on_rearm(&mut self) {
        self.rearm_due = None;
        self.fired = false;
        self.failures.clear();
    }

    fn fire(&mut self, at: Millis, leaf: Leaf, tuning: &Tuning, effects: &mut Vec<Effect>) {
        if self.fired {
            return;
        }
        self.fired = true;
        self.disarm(effects);
        if look(leaf) == Look::Ready {
            let due = at.plus(tuning.blocker_rearm_ms);
            self.rearm_due = Some(due);
            effects.push(Effect::Arm {
                key: TimerKey::Rearm,
                due,
            });
        }
        let failures = u32::try_from(self.failures.len()).unwrap_or(u32::MAX);
        effects.push(Effect::Log(LogEvent::SessionBlocker { failures }));
    }
}
