//! The restart budget: how often, how soon, and when no more.
//!
//! The budget is a window of time and never a flag: restarts within it are counted, whatever
//! happened between them, so that the first death after a long good time restarts at once and a
//! server that dies again and again is locked, for longer each time.

use crate::digest::mix;
use crate::id::{Generation, Millis};
use crate::tuning::Tuning;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The restarts that count, and the locks in a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarts {
    /// When each happened, oldest first; never more than the budget needs.
    pub(crate) ring: Vec<Millis>,
    pub(crate) locks: u32,
    pub(crate) last_lock_ms: Millis,
}

/// What the budget says about a server whose slot is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Restart now.
    Now,
    /// Restart after a pause.
    After { until: Millis },
    /// Lock it.
    Lock { until: Millis, locks: u32 },
}

impl Restarts {
    /// How many restarts count as of the last decision.
    pub fn counted(&self) -> u32 {
        u32::try_from(self.ring.len()).unwrap_or(u32::MAX)
    }

    /// How many locks there were in a row.
    pub const fn locks(&self) -> u32 {
        self.locks
    }

    /// Decides about a server whose process has gone, and records the decision.
    pub(crate) fn decide(
        &mut self,
        at: Millis,
        generation: Option<Generation>,
        tuning: &Tuning,
        jitter_seed: u64,
    ) -> Next {
        self.forget(at, tuning);
        let recent = self.counted();
        if recent >= tuning.restart_intensity {
            return self.lock(at, generation, tuning, jitter_seed);
        }
        self.record(at, tuning);
        match recent.checked_sub(1) {
            None => Next::Now,
            Some(doublings) => {
                let pause = doubled(tuning.backoff_base_ms, doublings).min(tuning.backoff_max_ms);
                Next::After {
                    until: at.plus(pause),
                }
            }
        }
    }

    /// Locks, for twice as long as the time before, a little more or less so that many locked
    /// servers do not wake at the same moment.
    pub(crate) fn lock(
        &mut self,
        at: Millis,
        generation: Option<Generation>,
        tuning: &Tuning,
        jitter_seed: u64,
    ) -> Next {
        let base = doubled(tuning.lock_base_ms, self.locks).min(tuning.lock_max_ms);
        let drawn = mix(
            jitter_seed,
            generation.map_or(0, |generation| u64::from(generation.0)),
        );
        let per_mille = drawn % (JITTER_PER_MILLE_MAX + 1);
        let length = Millis(
            base.0
                .saturating_add(base.0.saturating_mul(per_mille) / 1_000),
        );
        self.locks = self.locks.saturating_add(1);
        self.last_lock_ms = length;
        Next::Lock {
            until: at.plus(length),
            locks: self.locks,
        }
    }

    /// Records a restart that nobody had to decide about: the probe at the end of a lock.
    pub(crate) fn record(&mut self, at: Millis, tuning: &Tuning) {
        let capacity = tuning.restart_intensity.max(1) as usize;
        while self.ring.len() >= capacity {
            self.ring.remove(0);
        }
        self.ring.push(at);
    }

    /// Forgives everything.
    pub(crate) fn forgive(&mut self) {
        *self = Self::default();
    }

    /// How long it has to be connected before everything is forgiven.
    pub(crate) fn stable_ms(&self, tuning: &Tuning) -> Millis {
        tuning
            .stable_ms
            .max(Millis(self.last_lock_ms.0.saturating_mul(2)))
    }

    fn forget(&mut self, at: Millis, tuning: &Tuning) {
        let memory = tuning.restart_memory_ms();
        self.ring.retain(|restart| at.since(*restart) < memory);
    }
}

const JITTER_PER_MILLE_MAX: u64 = 200;

fn doubled(base: Millis, times: u32) -> Millis {
    Millis(
        base.0
            .saturating_mul(1_u64.checked_shl(times).unwrap_or(u64::MAX)),
    )
}
