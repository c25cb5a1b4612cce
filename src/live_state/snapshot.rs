//! The content of a state file: the fields of the original gateway under their names, and ours.
//!
//! Times are the log's: the wall clock when the session began and the time that has passed since. A
//! clock that is set moves none of them against each other.

use jiff::{SignedDuration, Timestamp};
use rea_fsm::{
    Circuit, ConnectionState, Era as CoreEra, Health, Leaf, Millis, ProtocolVersion, View,
};
use serde::{Deserialize, Serialize};

use crate::publish::advice::{self, Around, Stderr};
use crate::publish::redact::{bounded, printable};
use crate::publish::words;

use super::Uptime;

/// An error's text is no longer, the mark of a cut aside.
pub(super) const ERROR_BYTES_MAX: usize = 4_096;

/// Everything that is published of one gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveState {
    /// Names the run of the gateway.
    pub session_id: String,
    /// When it began.
    pub started_at: Timestamp,
    /// Where metrics are served, on the loopback interface.
    pub metrics_port: Option<u16>,
    /// The servers, in the registry's order.
    pub downstreams: Vec<DownstreamState>,
    /// When this was so.
    pub updated_at: Timestamp,
    /// The same by a clock that nobody sets.
    pub updated_at_uptime: Uptime,
    /// The gateway's process; for people. Whether it lives is asked of its lock.
    pub owner_pid: u32,
    /// The gateway's version.
    pub version: String,
    /// When it ended; absent while it runs, and for ever if it was killed.
    pub closed_at: Option<Timestamp>,
    /// How its event log is.
    pub log: LogState,
}

/// How the event log is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogState {
    /// Whether it can be written.
    pub state: LogStatus,
    /// How many bytes this session has written.
    pub bytes: u64,
    /// The number of the file that is written to.
    pub file: u32,
    /// How often it could not be written.
    pub gaps: u64,
    /// Why records are missing at the moment, or why what is written may not survive a loss of power.
    pub reason: Option<String>,
}

/// Whether the log can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStatus {
    /// It is written.
    Ok,
    /// It can't be written: records are being lost.
    Gap,
    /// It is written, but can't be brought to the disk.
    Unsynced,
    /// It is not wanted.
    Off,
}

/// Everything that is published of one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DownstreamState {
    /// Its name in the registry.
    pub name: String,
    /// Whether a process is there that finished its handshake.
    pub connected: bool,
    /// Whether it is there for calls: they are answered, or wait and will be. With an open circuit
    /// they are refused all the same.
    pub healthy: bool,
    /// The circuit breaker.
    pub circuit_state: CircuitState,
    /// When calls are tried again, if they are refused until then.
    pub retry_at: Option<Timestamp>,
    /// The last thing that went wrong and was not followed by an answer.
    pub last_error: Option<String>,
    /// How many tools it has, while it is connected.
    pub tools_count: Option<u32>,
    /// How often the circuit has opened.
    pub open_transitions: u32,
    /// Whether a person has been called for.
    pub session_blocker_emitted: bool,
    /// Whether a connection ever stood, and stands.
    pub connection_state: ConnectionState,
    /// The machine's state, as in the log.
    pub state: Leaf,
    /// The state in one word: `degraded` is healthy, but not as it should be.
    pub health: Health,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// Which of its processes this is; the first is 1. None before the first.
    pub generation: Option<u64>,
    /// The process, while there is one.
    pub pid: Option<u32>,
    /// How many restarts count against the budget.
    pub restarts_in_window: u32,
    /// Until when it is locked after dying too often.
    pub locked_until: Option<Timestamp>,
    /// Calls that were sent and not answered, when this was written.
    pub in_flight: u32,
    /// Calls that wait to be sent, when this was written.
    pub queue: u32,
    /// The era of the protocol that it speaks, as far as is known.
    pub era: Option<Era>,
    /// The protocol's revision that it is spoken to in.
    pub protocol_version: Option<String>,
    /// What it did that no server should.
    pub complaints: Vec<Complaint>,
    /// What happens next by itself, then what a person can do.
    pub next: Vec<String>,
}

/// The circuit breaker's state under the names of the original gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CircuitState {
    /// Calls pass.
    Closed,
    /// Calls are refused.
    Open,
    /// One call tries whether it works again.
    HalfOpen,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Era {
    /// With a handshake and a session.
    Legacy,
    /// Each request speaks for itself.
    Modern,
}

/// Something that a server did and no server should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// The name of the log line that tells of it.
    pub event: String,
    /// How often.
    pub count: u64,
    /// What it is, in words.
    pub text: String,
}

/// What a server's view leaves out, because it changes with every call or is no decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The process, while there is one.
    pub pid: Option<u32>,
    /// Where its standard error goes.
    pub stderr_file: String,
    /// Calls that were sent and not answered.
    pub in_flight: u32,
    /// Calls that wait to be sent.
    pub queue: u32,
    /// The protocol's revision by its name.
    pub protocol_version: Option<&'static str>,
    /// What it did that no server should.
    pub complaints: Vec<Complaint>,
}

impl DownstreamState {
    /// What is published of a server. `redact` takes secrets out of text.
    pub fn of(
        name: &str,
        view: &View,
        now: Now,
        began: Timestamp,
        redact: &dyn Fn(&str) -> String,
    ) -> Self {
        let error = view.last_error.as_ref().map(words::last_error);
        let retry_at = view.retry_at_ms.map(|at| wall(began, at));
        let around = Around {
            wall: &|at| format!("{:.0}", wall(began, at)),
            due: None,
            stderr: Stderr::PerhapsIn(&now.stderr_file),
        };
        let next = advice::next(view, &around);
        let shown = |text: &str| bounded(&printable(&redact(text)), ERROR_BYTES_MAX).into_owned();
        Self {
            name: name.to_owned(),
            connected: view.connected,
            healthy: view.health != Health::Unhealthy,
            circuit_state: match view.circuit {
                Circuit::Closed { .. } => CircuitState::Closed,
                Circuit::Open { .. } => CircuitState::Open,
                Circuit::HalfOpen { .. } => CircuitState::HalfOpen,
            },
            retry_at,
            last_error: error.map(|text| shown(&text)),
            tools_count: view.tools_count,
            open_transitions: view.open_transitions,
            session_blocker_emitted: view.session_blocker_emitted,
            connection_state: view.connection_state,
            state: view.state,
            health: view.health,
            since: wall(began, view.since_ms),
            generation: view.generation.map(|generation| u64::from(generation.0)),
            pid: now.pid,
            restarts_in_window: view.restarts_in_window,
            locked_until: retry_at.filter(|_| view.state == Leaf::FlapLocked),
            in_flight: now.in_flight,
            queue: now.queue,
            era: era(view.era),
            protocol_version: now.protocol_version.map(str::to_owned),
            complaints: now.complaints,
            next: next.iter().map(|text| shown(text)).collect(),
        }
    }
}

fn era(era: CoreEra) -> Option<Era> {
    match era {
        CoreEra::Unknown => None,
        CoreEra::DiedProbed => Some(Era::Legacy),
        CoreEra::Known(
            ProtocolVersion::V2024_11_05
            | ProtocolVersion::V2025_03_26
            | ProtocolVersion::V2025_06_18
            | ProtocolVersion::V2025_11_25,
        ) => Some(Era::Legacy),
        CoreEra::Known(ProtocolVersion::V2026_07_28) => Some(Era::Modern),
    }
}

/// The wall clock at a time of the log.
pub fn wall(began: Timestamp, at: Millis) -> Timestamp {
    let length = SignedDuration::from_millis(i64::try_from(at.0).unwrap_or(i64::MAX));
    began.checked_add(length).unwrap_or(Timestamp::MAX)
}
