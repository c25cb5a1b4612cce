//! What a look comes to, for scripts.

use super::Report;
use crate::config::halt::Halt;
use crate::live_state::{CircuitState, DownstreamState, Liveness, LogStatus, Seen};
use rea_fsm::Health;
use serde::Serialize;
use std::process::ExitCode;
use std::time::Duration;

/// What a gateway needs at most to write its first state, on a slow disk.
pub(super) const A_MOMENT: Duration = Duration::from_secs(5);

/// What a look comes to, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every server is well.
    Well,
    /// Calls wait somewhere.
    Degraded,
    /// Calls fail somewhere, or somebody should look.
    Unhealthy,
    /// Every call is refused.
    Frozen,
    /// Nobody is there.
    NotRunning,
}

impl Verdict {
    pub(super) fn of(report: &Report) -> Self {
        let unseen = report.found.unseen.iter().map(|age| of_unseen(*age));
        let Some(worst) = report.running().map(of_gateway).chain(unseen).max() else {
            return Self::NotRunning;
        };
        match report.halt {
            Halt::Present { .. } | Halt::Unknown { .. } => Self::Frozen,
            Halt::Absent => worst,
        }
    }

    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::NotRunning => 3,
            Self::Degraded => 4,
            Self::Unhealthy => 5,
            Self::Frozen => 6,
        }
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        Self::from(verdict.code())
    }
}

/// A gateway writes its state before it does anything else.
fn of_unseen(age: Duration) -> Verdict {
    if age > A_MOMENT {
        Verdict::Unhealthy
    } else {
        Verdict::Degraded
    }
}

fn of_gateway(seen: &Seen) -> Verdict {
    match seen.liveness {
        Liveness::Suspended | Liveness::Silent => return Verdict::Unhealthy,
        Liveness::Running | Liveness::Closed | Liveness::Crashed => {}
    }
    let servers = seen.state.downstreams.iter().map(of_server).max();
    let log = match seen.state.log.state {
        LogStatus::Ok | LogStatus::Off => Verdict::Well,
        LogStatus::Unsynced => Verdict::Degraded,
        LogStatus::Gap => Verdict::Unhealthy,
    };
    servers.unwrap_or(Verdict::Well).max(log)
}

pub(super) fn of_server(server: &DownstreamState) -> Verdict {
    let circuit = match server.circuit_state {
        CircuitState::Closed => Verdict::Well,
        CircuitState::HalfOpen => Verdict::Degraded,
        CircuitState::Open => Verdict::Unhealthy,
    };
    let health = match server.health {
        Health::Healthy => Verdict::Well,
        Health::Degraded => Verdict::Degraded,
        Health::Unhealthy => Verdict::Unhealthy,
    };
    // It was called for once; who is well again needs nobody.
    let is_well = circuit == Verdict::Well && health == Verdict::Well;
    let blocker = if server.session_blocker_emitted && !is_well {
        Verdict::Unhealthy
    } else {
        Verdict::Well
    };
    circuit.max(health).max(blocker)
}
