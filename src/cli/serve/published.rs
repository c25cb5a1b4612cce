//! The live state of the run: what has changed is published when it is time.

use super::world::RealWorld;
use crate::engine::Changes;
use crate::gateway::Gateway;
use crate::live_state::{Counts, Publisher, Schedule};
use rea_fsm::Millis;
use std::sync::Arc;

/// What is published of the run, and when.
pub(super) struct Published {
    publisher: Publisher,
    schedule: Schedule,
}

impl Published {
    pub(super) fn new(publisher: Publisher) -> Self {
        Self {
            publisher,
            schedule: Schedule::default(),
        }
    }

    /// How often it was published.
    pub(super) fn counts(&self) -> Arc<Counts> {
        self.publisher.counts()
    }

    /// When there is something to publish next.
    pub(super) fn next_due(&self) -> Millis {
        self.schedule.due()
    }

    /// Publishes what has changed, if it is time.
    pub(super) fn look(&mut self, gateway: &mut Gateway<RealWorld>) {
        let now = gateway.now();
        match gateway.take_changes() {
            Changes::Visible => self.schedule.changed(),
            Changes::Numbers => self.schedule.sampled(),
            Changes::None => {}
        }
        if !self.schedule.is_due(now) {
            return;
        }
        let state = gateway.live_state();
        match self.publisher.publish(Box::new(state)) {
            Ok(()) => self.schedule.published(now),
            Err(_) => self.schedule.refused(now),
        }
    }

    /// The last thing that is published: every server has ended.
    pub(super) fn finish(self, gateway: &mut Gateway<RealWorld>) {
        let mut state = gateway.live_state();
        state.closed_at = Some(state.updated_at);
        self.publisher.finish(Box::new(state));
    }
}
