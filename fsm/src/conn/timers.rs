//! The due times of the connection's own timers. A call's due time lives with the call.

use crate::effect::Effect;
use crate::id::{CONN_TIMERS, Millis, TimerKey};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Which timers are armed, and for when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timers {
    due: [Option<Millis>; CONN_TIMERS.len()],
}

impl Timers {
    /// When the timer is due, if it is armed.
    pub fn due(&self, key: TimerKey) -> Option<Millis> {
        key.conn_index().and_then(|index| self.due[index])
    }

    /// Every armed timer with its due time.
    pub fn armed(&self) -> impl Iterator<Item = (TimerKey, Millis)> + '_ {
        CONN_TIMERS
            .iter()
            .zip(self.due)
            .filter_map(|(key, due)| due.map(|due| (*key, due)))
    }

    pub(crate) fn arm(&mut self, key: TimerKey, due: Millis, effects: &mut Vec<Effect>) {
        if let Some(index) = key.conn_index() {
            self.due[index] = Some(due);
            effects.push(Effect::Arm { key, due });
        }
    }

    pub(crate) fn disarm(&mut self, key: TimerKey, effects: &mut Vec<Effect>) {
        if let Some(index) = key.conn_index()
            && self.due[index].take().is_some()
        {
            effects.push(Effect::Disarm { key });
        }
    }

    /// The timer fired: it is armed no more, and whoever holds it knows.
    pub(crate) fn consume(&mut self, key: TimerKey) {
        if let Some(index) = key.conn_index() {
            self.due[index] = None;
        }
    }
}
