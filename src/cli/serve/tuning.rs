//! The registry's numbers as the machine takes them.

use crate::config::numbers::Numbers;
use crate::config::server::{self, Server};
use rea_fsm::{Millis, Protocol, ProtocolVersion, Tuning};

/// The machine's numbers. Every field of both is named, so that a number which is added on one
/// side can't be forgotten on the other.
pub(super) fn of(server: &Server, known_version: Option<ProtocolVersion>) -> Tuning {
    let Numbers {
        restart_intensity,
        restart_window_ms,
        backoff_base_ms,
        backoff_max_ms,
        lock_base_ms,
        lock_max_ms,
        stable_ms,
        handshake_timeout_ms,
        list_timeout_ms,
        call_timeout_ms: _,
        call_hard_cap_ms,
        liveness_timeout_ms,
        heartbeat_ms,
        stdin_close_grace_ms,
        term_grace_ms,
        kill_grace_ms,
        queue_max,
        queue_timeout_ms,
        in_flight_max,
        in_flight_bytes_max,
        breaker_threshold,
        breaker_base_ms,
        breaker_max_ms,
        half_open_max,
        blocker_threshold,
        blocker_window_ms,
        blocker_not_ready_ms,
        blocker_rearm_ms,
        questions_max,
        question_timeout_ms,
    } = server.numbers;
    let unconfigured = Tuning::default();
    Tuning {
        protocol: match server.protocol {
            server::Protocol::Auto => Protocol::Auto,
            server::Protocol::Legacy => Protocol::Legacy,
            server::Protocol::Modern => Protocol::Modern,
        },
        restart_intensity,
        restart_window_ms: Millis(restart_window_ms),
        backoff_base_ms: Millis(backoff_base_ms),
        backoff_max_ms: Millis(backoff_max_ms),
        lock_base_ms: Millis(lock_base_ms),
        lock_max_ms: Millis(lock_max_ms),
        stable_ms: Millis(stable_ms),
        handshake_ms: Millis(handshake_timeout_ms),
        probe_ms: unconfigured.probe_ms,
        list_ms: Millis(list_timeout_ms),
        list_gap_ms: unconfigured.list_gap_ms,
        pong_ms: Millis(liveness_timeout_ms),
        heartbeat_ms: Millis(heartbeat_ms),
        call_cap_ms: Millis(call_hard_cap_ms),
        linger_ms: unconfigured.linger_ms,
        term_ms: Millis(stdin_close_grace_ms),
        kill_ms: Millis(term_grace_ms),
        give_up_ms: Millis(kill_grace_ms),
        kill_again_ms: unconfigured.kill_again_ms,
        queue_max,
        queue_ms: Millis(queue_timeout_ms),
        in_flight_max,
        held_bytes_max: in_flight_bytes_max,
        breaker_faults: breaker_threshold,
        breaker_base_ms: Millis(breaker_base_ms),
        breaker_max_ms: Millis(breaker_max_ms),
        breaker_probes: half_open_max,
        blocker_failures: blocker_threshold,
        blocker_window_ms: Millis(blocker_window_ms),
        blocker_unready_ms: Millis(blocker_not_ready_ms),
        blocker_rearm_ms: Millis(blocker_rearm_ms),
        known_version,
        questions_max,
        question_ms: Millis(question_timeout_ms),
    }
}
