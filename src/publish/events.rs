//! The machine's log events as log lines, under the reference's event names.

use crate::publish::words;
use rea_fsm::LogEvent;
use tracing::{error, info, warn};

/// Writes one log line for an event of one server, which is spoken to in this revision as far as is
/// known.
pub fn log(server: &str, event: &LogEvent, protocol_version: Option<&str>) {
    match event {
        LogEvent::ConnectAttempt { generation } => info!(
            event = "downstream.connect_attempt",
            server_name = server,
            generation = generation.0,
            "starting"
        ),
        LogEvent::Connected { generation } => info!(
            event = "downstream.connected",
            server_name = server,
            generation = generation.0,
            protocol_version,
            "ready"
        ),
        LogEvent::Reconnected { generation } => info!(
            event = "downstream.reconnected",
            server_name = server,
            generation = generation.0,
            protocol_version,
            "ready again"
        ),
        LogEvent::ConnectFailed { error } => warn!(
            event = "downstream.connect_failed",
            server_name = server,
            "failed to connect: {}",
            words::last_error(error)
        ),
        LogEvent::ChildDied { generation, status } => warn!(
            event = "downstream.child_died",
            server_name = server,
            generation = generation.0,
            "child process exited unexpectedly: {}",
            words::exit_status(*status)
        ),
        LogEvent::TransportError { error } => warn!(
            event = "downstream.transport_error",
            server_name = server,
            "{}",
            words::last_error(error)
        ),
        LogEvent::ReconnectAttempt { restarts } => warn!(
            event = "downstream.reconnect_attempt",
            server_name = server,
            restarts_in_window = restarts,
            "restarting"
        ),
        LogEvent::RespawnRefusedFlap { until, locks } => error!(
            event = "downstream.respawn_refused_flap",
            server_name = server,
            until_ms = until.0,
            locks,
            "it keeps dying: locked until {until} after the start of this session"
        ),
        LogEvent::Blocked { reason } => error!(
            event = "downstream.blocked",
            server_name = server,
            "will not be started: {}; change that, {}",
            words::block_reason(reason),
            words::THEN_RESTART
        ),
        LogEvent::Unkillable { generation } => error!(
            event = "downstream.unkillable",
            server_name = server,
            generation = generation.0,
            "KILL did not end the process; it is not replaced while it lives"
        ),
        LogEvent::Orphaned { generation } => error!(
            event = "downstream.orphaned",
            server_name = server,
            generation = generation.0,
            "the process could not be ended before the gateway"
        ),
        LogEvent::CircuitOpen { retry_at } => warn!(
            event = "circuit.open",
            server_name = server,
            retry_at_ms = retry_at.0,
            "too many calls in a row failed"
        ),
        LogEvent::CircuitHalfOpen => info!(
            event = "circuit.half_open",
            server_name = server,
            "one call may try again"
        ),
        LogEvent::CircuitClosed => {
            info!(
                event = "circuit.closed",
                server_name = server,
                "calls pass again"
            );
        }
        LogEvent::SessionBlocker { failures } => error!(
            event = "session_blocker",
            server_name = server,
            failures,
            "this server has been in trouble for long; somebody should look"
        ),
    }
}
