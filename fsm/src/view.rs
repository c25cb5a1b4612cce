//! What people are shown, as a function of the state. No flag is stored for show.

use crate::blocker::Blocker;
use crate::breaker::{Breaker, Circuit};
use crate::conn::{Conn, Era, Leaf, State, Why};
use crate::event::{ExitStatus, HandshakeFailure, IoErrorKind, SpawnFailure};
use crate::id::{Generation, Millis};
use serde::{Deserialize, Serialize};

/// Everything about one server that people are shown and that changes only with an event.
/// The numbers of calls queued and in flight are sampled instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    /// The state's name.
    pub state: Leaf,
    /// When that state was entered.
    pub since_ms: Millis,
    /// The state in one word.
    pub health: Health,
    /// Whether a process is there that finished its handshake.
    pub connected: bool,
    /// Whether it ever was, and is.
    pub connection_state: ConnectionState,
    /// The circuit breaker's state.
    pub circuit: Circuit,
    /// When the next try is, if calls are refused until then.
    pub retry_at_ms: Option<Millis>,
    /// The last thing that went wrong and was not followed by an answer.
    pub last_error: Option<LastError>,
    /// How many tools there are, while it is connected and serves.
    pub tools_count: Option<u32>,
    /// How often the circuit has opened.
    pub open_transitions: u32,
    /// Whether a person has been called for.
    pub session_blocker_emitted: bool,
    /// The current or last process's generation.
    pub generation: Option<Generation>,
    /// How many restarts count against the budget.
    pub restarts_in_window: u32,
    /// Which era of the protocol it speaks.
    pub era: Era,
}

/// A state in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Calls are answered.
    Healthy,
    /// Calls wait, or are answered under suspicion.
    Degraded,
    /// Calls fail at once.
    Unhealthy,
}

/// Whether a connection ever stood, and stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// Never tried to the end.
    Never,
    /// It stands.
    Ok,
    /// It was lost, or could not be made.
    Errored,
}

/// The last thing that went wrong. Its words are made at the edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LastError {
    /// The process ended by itself.
    ChildDied {
        /// How.
        status: ExitStatus,
    },
    /// There was no process to begin with.
    SpawnFailed {
        /// Why.
        failure: SpawnFailure,
    },
    /// The handshake was refused.
    Handshake {
        /// Why.
        failure: HandshakeFailure,
    },
    /// The handshake took too long.
    HandshakeTimedOut,
    /// The liveness probe found no answer.
    Unresponsive,
    /// Its standard output ended.
    OutputClosed,
    /// Its standard input can't be written.
    InputBroken,
    /// It broke the framing rules.
    Io {
        /// How.
        kind: IoErrorKind,
    },
    /// A call took longer than the hard cap.
    CallTimedOut,
    /// KILL did not end it.
    Unkillable,
}

impl Leaf {
    /// Whether a handshaken process is there.
    pub const fn is_connected(self) -> bool {
        match self {
            Self::Ready | Self::Suspect | Self::Draining => true,
            Self::Idle
            | Self::Connecting
            | Self::Backoff
            | Self::Reaping
            | Self::Stuck
            | Self::Blocked
            | Self::FlapLocked
            | Self::Terminating
            | Self::Closed => false,
        }
    }
}

fn health(state: &State) -> Health {
    match state {
        State::Ready => Health::Healthy,
        State::Connecting {
            why: Why::LockProbe,
            ..
        }
        | State::Idle
        | State::Stuck
        | State::Blocked { .. }
        | State::FlapLocked { .. }
        | State::Draining
        | State::Terminating { .. }
        | State::Closed { .. } => Health::Unhealthy,
        State::Connecting {
            why: Why::Cold | Why::Restart | Why::Operator,
            ..
        }
        | State::Backoff { .. }
        | State::Reaping { .. }
        | State::Suspect { .. } => Health::Degraded,
    }
}

fn connection_state(state: &State, conn: &Conn) -> ConnectionState {
    if state.leaf().is_connected() {
        ConnectionState::Ok
    } else if conn.connections == 0 && conn.last_error.is_none() {
        ConnectionState::Never
    } else {
        ConnectionState::Errored
    }
}

fn retry_at(state: &State, circuit: Circuit) -> Option<Millis> {
    match state {
        State::FlapLocked { until, .. } | State::Backoff { until } => Some(*until),
        State::Idle
        | State::Connecting { .. }
        | State::Ready
        | State::Suspect { .. }
        | State::Reaping { .. }
        | State::Stuck
        | State::Blocked { .. }
        | State::Draining
        | State::Terminating { .. }
        | State::Closed { .. } => match circuit {
            Circuit::Open { until, .. } => Some(until),
            Circuit::Closed { .. } | Circuit::HalfOpen { .. } => None,
        },
    }
}

impl View {
    pub(crate) fn of(state: &State, conn: &Conn, breaker: &Breaker, blocker: &Blocker) -> Self {
        let health = health(state);
        let circuit = breaker.circuit();
        let connected = state.leaf().is_connected();
        let shows_tools = connected && health != Health::Unhealthy;
        Self {
            state: state.leaf(),
            since_ms: conn.since,
            health,
            connected,
            connection_state: connection_state(state, conn),
            circuit,
            retry_at_ms: retry_at(state, circuit),
            last_error: conn.last_error.clone(),
            tools_count: conn
                .catalogue
                .filter(|_| shows_tools)
                .map(|catalogue| catalogue.count),
            open_transitions: breaker.open_transitions(),
            session_blocker_emitted: blocker.has_fired(),
            generation: conn.generation,
            restarts_in_window: conn.restarts.counted(),
            era: conn.era,
        }
    }
}
