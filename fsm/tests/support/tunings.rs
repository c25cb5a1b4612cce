//! Numbers under which random runs take place: small bounds, so that they are met.

use rea_fsm::{Millis, Protocol, Tuning};

/// The defaults with bounds that a short run can reach.
fn small() -> Tuning {
    Tuning {
        queue_max: 3,
        in_flight_max: 4,
        held_bytes_max: 6,
        handshake_ms: Millis(20_000),
        call_cap_ms: Millis(40_000),
        questions_max: 3,
        question_ms: Millis(8_000),
        ..Tuning::default()
    }
}

/// Each with the name under which a failure is told.
pub(crate) fn all() -> [(&'static str, Tuning); 6] {
    [
        ("defaults, small bounds", small()),
        (
            "intensity 3, breaker 2, modern, heartbeat",
            Tuning {
                restart_intensity: 3,
                breaker_faults: 2,
                protocol: Protocol::Modern,
                heartbeat_ms: Millis(3_000),
                ..small()
            },
        ),
        (
            "legacy, breaker 2, short lives",
            Tuning {
                protocol: Protocol::Legacy,
                breaker_faults: 2,
                stable_ms: Millis(1_500),
                restart_window_ms: Millis(2_000),
                lock_base_ms: Millis(2_000),
                lock_max_ms: Millis(16_000),
                handshake_ms: Millis(3_000),
                breaker_base_ms: Millis(4_000),
                ..small()
            },
        ),
        (
            "intensity 3, legacy, short calls",
            Tuning {
                restart_intensity: 3,
                protocol: Protocol::Legacy,
                breaker_faults: 2,
                call_cap_ms: Millis(2_500),
                questions_max: 1,
                pong_ms: Millis(1_000),
                blocker_rearm_ms: Millis(20_000),
                ..small()
            },
        ),
        (
            "auto, heartbeat, two half-open probes, quick blocker",
            Tuning {
                heartbeat_ms: Millis(2_000),
                breaker_faults: 2,
                breaker_probes: 2,
                breaker_base_ms: Millis(1_000),
                blocker_rearm_ms: Millis(5_000),
                blocker_unready_ms: Millis(8_000),
                call_cap_ms: Millis(11_000),
                question_ms: Millis(2_000),
                ..small()
            },
        ),
        (
            "no restarts at all",
            Tuning {
                restart_intensity: 0,
                breaker_faults: 1,
                ..small()
            },
        ),
    ]
}
