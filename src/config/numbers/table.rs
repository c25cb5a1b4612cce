//! The table itself: one row a number.
//!
//! A row makes the key that can be written and the field that is read, so neither can exist without the other.

/// How a number is written and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Unit {
    /// Milliseconds; written `30s`, `250ms`, `5m`, `1h` or as seconds.
    Duration,
    /// A duration, or `off` for 0.
    DurationOrOff,
    /// A whole number.
    Count,
    /// Bytes; written `64MiB`, `512KiB` or as bytes.
    Bytes,
}

/// One number's rules.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Row {
    pub(in super::super) key: &'static str,
    pub(in super::super) unit: Unit,
    pub(in super::super) default: u64,
    pub(in super::super) min: u64,
    pub(in super::super) max: u64,
    /// In words, for `docs/registry.md`.
    #[cfg(test)]
    pub(super) meaning: &'static str,
}

pub(super) const SECOND: u64 = 1_000;
pub(super) const MINUTE: u64 = 60 * SECOND;
pub(super) const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
pub(super) const KIB: u64 = 1 << 10;
pub(super) const MIB: u64 = 1 << 20;
pub(super) const GIB: u64 = 1 << 30;

macro_rules! numbers {
    (
        $(#[$struct_doc:meta])* $name:ident, $rows:ident:
        $( $(#[doc = $doc:literal])* $field:ident: $type:ty = $key:literal $unit:ident, $default:expr, $min:expr, $max:expr; )*
    ) => {
        $(#[$struct_doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $( $(#[doc = $doc])* pub $field: $type, )* }

        pub(in super::super) const $rows: &[Row] = &[
            $( Row {
                key: $key,
                unit: Unit::$unit,
                default: $default,
                min: $min,
                max: $max,
                #[cfg(test)]
                meaning: concat!($($doc),*),
            } ),*
        ];

        impl $name {
            pub(super) fn from_values(value_of: impl Fn(&'static str) -> u64) -> Self {
                Self { $( $field: Narrow::narrow(value_of($key)), )* }
            }
        }
    };
}

numbers! {
    /// The numbers of one server, resolved.
    Numbers, ROWS:
    /// Restarts allowed within `restart_window`.
    restart_intensity: u32 = "restart_intensity" Count, 1, 1, 100;
    /// How long a restart counts.
    restart_window_ms: u64 = "restart_window" Duration, 30 * SECOND, SECOND, HOUR;
    /// The pause before the second restart in a window; doubles with each further one.
    backoff_base_ms: u64 = "backoff_base" Duration, SECOND, 1, HOUR;
    /// No such pause is longer.
    backoff_max_ms: u64 = "backoff_max" Duration, 16 * SECOND, 1, HOUR;
    /// The first lock of a series.
    lock_base_ms: u64 = "lock_base" Duration, 30 * SECOND, SECOND, DAY;
    /// No lock is longer, jitter aside.
    lock_max_ms: u64 = "lock_max" Duration, 300 * SECOND, SECOND, DAY;
    /// Uptime after which restarts and locks are forgotten; at least twice the last lock.
    stable_ms: u64 = "stable" Duration, 30 * SECOND, SECOND, DAY;
    /// From the spawn until the server can be called.
    handshake_timeout_ms: u64 = "handshake_timeout" Duration, 20 * SECOND, 100, HOUR;
    /// How long one listing of the tools may take.
    list_timeout_ms: u64 = "list_timeout" Duration, 20 * SECOND, 100, HOUR;
    /// From a call's arrival, restarted by progress, until the server is probed.
    call_timeout_ms: u64 = "call_timeout" Duration, 60 * SECOND, 10, DAY;
    /// The end of a call whatever it reports.
    call_hard_cap_ms: u64 = "call_hard_cap" Duration, HOUR, 10, 7 * DAY;
    /// How long a server that is asked whether it lives has to answer.
    liveness_timeout_ms: u64 = "liveness_timeout" Duration, 5 * SECOND, 10, 10 * MINUTE;
    /// How often an idle server is asked; 0 is never.
    heartbeat_ms: u64 = "heartbeat" DurationOrOff, 0, SECOND, DAY;
    /// When a server is ended: from closing its standard input to TERM.
    stdin_close_grace_ms: u64 = "stdin_close_grace" Duration, 2 * SECOND, 1, MINUTE;
    /// From TERM to KILL.
    term_grace_ms: u64 = "term_grace" Duration, 2 * SECOND, 1, MINUTE;
    /// From KILL to giving up.
    kill_grace_ms: u64 = "kill_grace" Duration, 2 * SECOND, 100, MINUTE;
    /// Calls that may wait for a server that is starting.
    queue_max: u32 = "queue_max" Count, 32, 0, 100_000;
    /// How long one may wait, if its deadline isn't earlier.
    queue_timeout_ms: u64 = "queue_timeout" Duration, 10 * SECOND, 10, HOUR;
    /// Calls that may be with the server.
    in_flight_max: u32 = "in_flight_max" Count, 1_024, 1, 100_000;
    /// Bytes that may wait to be written to the server.
    in_flight_bytes_max: u64 = "in_flight_bytes_max" Bytes, 64 * MIB, 64 * KIB, 4 * GIB;
    /// Faults in a row after which calls are refused for a while (the circuit breaker opens).
    breaker_threshold: u32 = "breaker_threshold" Count, 5, 1, 1_000_000;
    /// How long they are refused at first; doubles with each further opening.
    breaker_base_ms: u64 = "breaker_base" Duration, 30 * SECOND, 10, DAY;
    /// No opening lasts longer.
    breaker_max_ms: u64 = "breaker_max" Duration, 300 * SECOND, 10, DAY;
    /// Calls that may try at once, when that time is over.
    half_open_max: u32 = "half_open_max" Count, 1, 1, 1_000;
    /// Openings and locks within `blocker_window` after which the log says that somebody should look.
    blocker_threshold: u32 = "blocker_threshold" Count, 3, 1, 1_000;
    /// How long one counts.
    blocker_window_ms: u64 = "blocker_window" Duration, 10 * MINUTE, SECOND, DAY;
    /// Not ready for so long without a break: the log says so too.
    blocker_not_ready_ms: u64 = "blocker_not_ready" Duration, MINUTE, SECOND, DAY;
    /// Ready for so long without a break, and it may say so again.
    blocker_rearm_ms: u64 = "blocker_rearm" Duration, 10 * MINUTE, SECOND, DAY;
    /// Questions of the server to the client that may be open.
    questions_max: u32 = "questions_max" Count, 64, 0, 10_000;
    /// How long the client has for one, and for repeating a call that is held for one.
    question_timeout_ms: u64 = "question_timeout" Duration, 10 * MINUTE, 100, DAY;
}

numbers! {
    /// The numbers of the gateway itself, resolved.
    GatewayNumbers, GATEWAY_ROWS:
    /// Servers that may be starting at once.
    spawn_slots: u32 = "spawn_slots" Count, 4, 1, 256;
    /// How long the tool list waits for servers that are still starting.
    list_budget_ms: u64 = "list_budget" Duration, 2 * SECOND, 0, MINUTE;
    /// How long what a server offers stays listed while it is down.
    list_keep_ms: u64 = "list_keep" Duration, 10 * MINUTE, 0, 7 * DAY;
    /// The longest line taken from a server or a client.
    line_max_bytes: u64 = "line_max_bytes" Bytes, 32 * MIB, 64 * KIB, GIB;
    /// Bytes that may wait to be written to the client.
    client_output_bytes_max: u64 = "client_output_bytes_max" Bytes, 64 * MIB, 64 * KIB, 4 * GIB;
    /// What accepted calls have after the end of the client's input.
    input_end_grace_ms: u64 = "input_end_grace" Duration, 1_500, 0, HOUR;
    /// What calls in flight have after a signal to stop.
    stop_drain_ms: u64 = "stop_drain" Duration, SECOND, 0, HOUR;
}

pub(in super::super) const ROTATE_BYTES: Row = Row {
    key: "rotate_bytes",
    unit: Unit::Bytes,
    default: 64 * MIB,
    min: 64 * KIB,
    max: 64 * GIB,
    #[cfg(test)]
    meaning: " The size at which a file is followed by the next.",
};
pub(in super::super) const TOTAL_BYTES: Row = Row {
    key: "total_bytes",
    unit: Unit::Bytes,
    default: 512 * MIB,
    min: 64 * KIB,
    max: 1024 * GIB,
    #[cfg(test)]
    meaning: " The size of all files together; the oldest are deleted.",
};

/// The rules of a key of [`ROWS`].
pub(in super::super) fn row(key: &str) -> Row {
    const NONE: Row = Row {
        key: "",
        unit: Unit::Count,
        default: 0,
        min: 0,
        max: 0,
        #[cfg(test)]
        meaning: "",
    };
    ROWS.iter()
        .chain(GATEWAY_ROWS)
        .copied()
        .find(|row| row.key == key)
        .unwrap_or(NONE)
}

trait Narrow {
    fn narrow(value: u64) -> Self;
}

impl Narrow for u64 {
    fn narrow(value: u64) -> Self {
        value
    }
}

impl Narrow for u32 {
    /// A row's upper bound is what keeps counts small; the test of the table checks it.
    fn narrow(value: u64) -> Self {
        Self::try_from(value).unwrap_or(Self::MAX)
    }
}
