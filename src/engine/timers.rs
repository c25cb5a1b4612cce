//! The due times of every machine's timers, in one order.
//!
//! Invariant: at most one due time for each server and key. Whether a firing counts is the
//! machine's decision; an entry that is gone from here too late does no harm.

use super::ServerId;
use rea_fsm::{Millis, TimerKey};
use std::collections::{BTreeMap, BTreeSet};

/// Armed timers, soonest first.
#[derive(Debug, Default)]
pub(super) struct Timers {
    order: BTreeSet<(Millis, ServerId, TimerKey)>,
    due: BTreeMap<(ServerId, TimerKey), Millis>,
}

impl Timers {
    /// Arms a timer, replacing its earlier due time.
    pub(super) fn arm(&mut self, server: ServerId, key: TimerKey, due: Millis) {
        if let Some(earlier) = self.due.insert((server, key), due) {
            self.order.remove(&(earlier, server, key));
        }
        self.order.insert((due, server, key));
    }

    /// Forgets a timer.
    pub(super) fn disarm(&mut self, server: ServerId, key: TimerKey) {
        if let Some(due) = self.due.remove(&(server, key)) {
            self.order.remove(&(due, server, key));
        }
    }

    /// When the next timer is due.
    pub(super) fn next_due(&self) -> Option<Millis> {
        self.order.first().map(|(due, _, _)| *due)
    }

    /// Whose timer is due next.
    pub(super) fn peek_due(&self, now: Millis) -> Option<ServerId> {
        let (due, server, _) = *self.order.first()?;
        (due <= now).then_some(server)
    }

    /// Takes out the next timer that is due.
    pub(super) fn pop_due(&mut self, now: Millis) -> Option<(ServerId, TimerKey)> {
        let (due, server, key) = *self.order.first()?;
        if due > now {
            return None;
        }
        self.order.pop_first();
        self.due.remove(&(server, key));
        Some((server, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arming_again_replaces_the_due_time() {
        let mut timers = Timers::default();
        timers.arm(ServerId(0), TimerKey::Pong, Millis(10));
        timers.arm(ServerId(0), TimerKey::Pong, Millis(30));
        timers.arm(ServerId(1), TimerKey::Pong, Millis(20));
        assert_eq!(timers.next_due(), Some(Millis(20)));
        assert_eq!(
            timers.pop_due(Millis(25)),
            Some((ServerId(1), TimerKey::Pong))
        );
        assert_eq!(timers.pop_due(Millis(25)), None);
        assert_eq!(
            timers.pop_due(Millis(30)),
            Some((ServerId(0), TimerKey::Pong))
        );
        assert_eq!(timers.next_due(), None);
    }

    #[test]
    fn a_disarmed_timer_does_not_fire() {
        let mut timers = Timers::default();
        timers.arm(ServerId(0), TimerKey::Lock, Millis(10));
        timers.disarm(ServerId(0), TimerKey::Lock);
        assert_eq!(timers.pop_due(Millis(10)), None);
    }
}
