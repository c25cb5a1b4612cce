//! Says when the log can't be written, and when it can again: once each.

use crate::journal::{Health, HealthState};
use tracing::{error, warn};

/// What has been said of the log.
#[derive(Debug, Default)]
pub(super) struct LogWatch {
    said: Said,
    unsynced_told: Option<String>,
}

/// Whether there was something to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Now,
    Nothing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Said {
    #[default]
    Writing,
    Gap,
}

impl LogWatch {
    /// Takes note of how the log is.
    pub(super) fn look(&mut self, health: Health) -> Told {
        let mut told = Told::Nothing;
        match (&health.state, self.said) {
            (HealthState::Gap { first, reason, .. }, Said::Writing) => {
                self.said = Said::Gap;
                told = Told::Now;
                error!(
                    event = "gateway.log_gap",
                    first, reason, "the event log can't be written; free the disk"
                );
            }
            (HealthState::Ok, Said::Gap) => {
                self.said = Said::Writing;
                told = Told::Now;
                warn!(
                    event = "gateway.log_resumed",
                    "the event log is written again; a record in it says what is missing"
                );
            }
            (HealthState::Gap { .. }, Said::Gap)
            | (HealthState::Ok, Said::Writing)
            | (HealthState::Off, Said::Writing | Said::Gap) => {}
        }
        if health.sync_failure != self.unsynced_told {
            if let Some(reason) = &health.sync_failure {
                error!(
                    event = "gateway.log_unsynced",
                    reason, "the event log may not survive a loss of power"
                );
            }
            self.unsynced_told = health.sync_failure;
            told = Told::Now;
        }
        told
    }
}
