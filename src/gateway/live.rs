//! What is published of the run and of its servers.

use super::client::Client;
use crate::engine::{Engine, World};
use crate::journal::{Health, HealthState};
use crate::live_state::{
    Complaint, DownstreamState, LiveState, LogState, LogStatus, Now, Uptime, wall,
};
use crate::protocol::version;
use jiff::Timestamp;

/// What never changes in a run.
pub struct Run {
    /// Names it.
    pub session_id: String,
    /// The wall clock at the log's zero.
    pub began: Timestamp,
    /// The gateway's process.
    pub pid: u32,
    /// Where metrics are served.
    pub metrics_port: Option<u16>,
    /// The gateway's version.
    pub version: &'static str,
    /// The file that a server's standard error goes to, by the server's name.
    pub stderr_file: Box<dyn Fn(&str) -> String>,
}

pub(super) fn state<W: World>(engine: &mut Engine<W>, client: &Client) -> LiveState {
    let run = &client.run;
    LiveState {
        session_id: run.session_id.clone(),
        started_at: client.began,
        metrics_port: run.metrics_port,
        downstreams: downstreams(engine, client),
        updated_at: wall(client.began, engine.now()),
        updated_at_uptime: Uptime::now(),
        owner_pid: run.pid,
        version: run.version.to_owned(),
        closed_at: None,
        log: log(engine.log_health()),
    }
}

/// Every server, in the registry's order.
pub(super) fn downstreams<W: World>(engine: &Engine<W>, client: &Client) -> Vec<DownstreamState> {
    let servers = engine.servers();
    let shown = servers.map(|(id, name, downstream)| {
        let conn = downstream.conn();
        let complaints = engine.complaints(id).iter();
        let now = Now {
            pid: engine.pid(id),
            stderr_file: (client.run.stderr_file)(name),
            in_flight: conn.calls().in_flight(),
            queue: conn.calls().queued(),
            protocol_version: conn.era().version().map(version::name),
            complaints: complaints
                .map(|(fault, count)| Complaint {
                    event: fault.event().to_owned(),
                    count,
                    text: fault.words().to_owned(),
                })
                .collect(),
        };
        DownstreamState::of(name, downstream.view(), now, client.began, &client.redact)
    });
    shown.collect()
}

pub(super) fn log(health: Health) -> LogState {
    let Health {
        state,
        bytes,
        records: _,
        files,
        gaps,
        sync_failure,
    } = health;
    let (state, reason) = match (state, sync_failure) {
        (HealthState::Gap { reason, .. }, _) => (LogStatus::Gap, Some(reason)),
        (HealthState::Off, _) => (LogStatus::Off, None),
        (HealthState::Ok, Some(reason)) => (LogStatus::Unsynced, Some(reason)),
        (HealthState::Ok, None) => (LogStatus::Ok, None),
    };
    LogState {
        state,
        bytes,
        file: files,
        gaps,
        reason,
    }
}
