//! The bounded machines that are explored to closure. Times are scaled down so that the order in
//! which they end stays as it is by default, and small enough for the space to close.

use super::bounds::{Clocks, ENDLESS, Left, ListingPlan};
use rea_fsm::{
    Asks, EventKind, Generation, Listing, Millis, Offer, Operator, Protocol, ProtocolVersion,
    Report, Ticket, Tuning,
};

/// A machine and a world that together have finitely many situations.
pub(crate) struct Space {
    pub(crate) name: &'static str,
    pub(crate) tuning: Tuning,
    pub(crate) left: Left,
    /// What happens before everything that can happen.
    pub(crate) prelude: Vec<EventKind>,
}

const TIMEOUT: Millis = Millis(3);
const DRAIN: Millis = Millis(2);

/// Short times; a lock below five has no jitter, so that generations do not matter.
fn scaled() -> Tuning {
    Tuning {
        protocol: Protocol::Auto,
        restart_intensity: 1,
        restart_window_ms: Millis(4),
        backoff_base_ms: Millis(1),
        backoff_max_ms: Millis(2),
        lock_base_ms: Millis(4),
        lock_max_ms: Millis(4),
        stable_ms: Millis(4),
        handshake_ms: Millis(3),
        probe_ms: Millis(2),
        list_ms: Millis(2),
        list_gap_ms: Millis(1),
        pong_ms: Millis(2),
        heartbeat_ms: Millis::ZERO,
        call_cap_ms: Millis(5),
        linger_ms: Millis(1),
        term_ms: Millis(1),
        kill_ms: Millis(1),
        give_up_ms: Millis(1),
        kill_again_ms: Millis(2),
        queue_max: 2,
        queue_ms: Millis(3),
        in_flight_max: 2,
        held_bytes_max: 2,
        breaker_faults: 2,
        breaker_base_ms: Millis(4),
        breaker_max_ms: Millis(8),
        breaker_probes: 1,
        blocker_failures: 3,
        blocker_window_ms: Millis(20),
        blocker_unready_ms: Millis(6),
        blocker_rearm_ms: Millis(6),
        known_version: None,
        questions_max: 2,
        question_ms: Millis(3),
        gather_ms: Millis(1),
    }
}

/// The connection with its breaker kept closed: one unsafe and one safe call, one of each thing
/// that an operator may ask for.
pub(crate) fn conn() -> Space {
    Space {
        name: "conn",
        tuning: Tuning {
            breaker_faults: u32::MAX,
            ..scaled()
        },
        left: Left {
            unsafe_calls: 1,
            safe_calls: 1,
            cancels: 1,
            retries: 1,
            stops: 1,
            io_errors: 1,
            blocker: Clocks::Stand,
            ..Left::nothing(TIMEOUT, DRAIN)
        },
        prelude: Vec::new(),
    }
}

/// The same connection with lists of tools, one safe call, and an operator's restart in the place
/// of a stop.
pub(crate) fn restart() -> Space {
    Space {
        name: "restart",
        left: Left {
            safe_calls: 1,
            retries: 1,
            restarts: 1,
            listing: ListingPlan::Maybe,
            blocker: Clocks::Stand,
            ..Left::nothing(TIMEOUT, DRAIN)
        },
        ..conn()
    }
}

/// The breaker and the blocker over a connection that knows one protocol and few things to do:
/// calls come for ever, one at a time.
pub(crate) fn breaker() -> Space {
    Space {
        name: "breaker",
        tuning: Tuning {
            protocol: Protocol::Legacy,
            ..scaled()
        },
        left: Left {
            unsafe_calls: ENDLESS,
            open_max: 1,
            ..Left::nothing(TIMEOUT, DRAIN)
        },
        prelude: Vec::new(),
    }
}

/// Everything together: one call and one stop.
pub(crate) fn product() -> Space {
    Space {
        name: "product",
        tuning: scaled(),
        left: Left {
            safe_calls: 1,
            stops: 1,
            ..Left::nothing(TIMEOUT, DRAIN)
        },
        prelude: Vec::new(),
    }
}

/// What a connected server asks: two calls in whose answers it can, one of which may run twice,
/// two questions, one death and one stop.
pub(crate) fn questions() -> Space {
    let legacy = Offer {
        version: ProtocolVersion::V2025_11_25,
        listing: Listing::Nothing,
        digest: 0,
    };
    let report = |report| EventKind::Child {
        generation: Generation(1),
        report,
    };
    Space {
        name: "questions",
        tuning: Tuning {
            protocol: Protocol::Legacy,
            breaker_faults: u32::MAX,
            ..scaled()
        },
        left: Left {
            unsafe_calls: 1,
            safe_calls: 1,
            questions: 2,
            withdrawals: 1,
            deaths: 1,
            stops: 1,
            asks: &[Asks::InAnswers],
            blocker: Clocks::Stand,
            ..Left::nothing(TIMEOUT, DRAIN)
        },
        prelude: vec![
            EventKind::Operator(Operator::Start {}),
            EventKind::SlotGranted { ticket: Ticket(1) },
            report(Report::SpawnOk { pid: 7 }),
            report(Report::InitOk { offer: legacy }),
        ],
    }
}

/// The same with more of everything, for nights.
pub(crate) fn larger() -> [Space; 2] {
    let (conn, product) = (conn(), product());
    [
        Space {
            name: "conn, larger",
            left: Left {
                restarts: 1,
                listing: ListingPlan::Maybe,
                ..conn.left
            },
            ..conn
        },
        Space {
            name: "product, larger",
            left: Left {
                safe_calls: 2,
                retries: 1,
                open_max: 1,
                ..product.left
            },
            ..product
        },
    ]
}
