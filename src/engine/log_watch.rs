//! Says when the log can't be written, and when it can again: once each.

use crate::journal::{Health, HealthState};
use tracing::{error, warn};

/// What has been said of the log.
#[derive(Debug, Default)]
pub(super) struct LogWatch {
    told: Told,
    unsynced_told: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Told {
    #[default]
    Writing,
    Gap,
}

impl LogWatch {
    /// Takes note of how the log is.
    pub(super) fn look(&mut self, health: Health) {
        match (&health.state, self.told) {
            (HealthState::Gap { first, reason, .. }, Told::Writing) => {
                self.told = Told::Gap;
                error!(
                    event = "gateway.log_gap",
                    first, reason, "the event log can't be written; free the disk"
                );
            }
            (HealthState::Ok, Told::Gap) => {
                self.told = Told::Writing;
                warn!(
                    event = "gateway.log_resumed",
                    "the event log is written again; a record in it says what is missing"
                );
            }
            (HealthState::Gap { .. }, Told::Gap)
            | (HealthState::Ok, Told::Writing)
            | (HealthState::Off, Told::Writing | Told::Gap) => {}
        }
        if health.sync_failure != self.unsynced_told {
            if let Some(reason) = &health.sync_failure {
                error!(
                    event = "gateway.log_unsynced",
                    reason, "the event log may not survive a loss of power"
                );
            }
            self.unsynced_told = health.sync_failure;
        }
    }
}
