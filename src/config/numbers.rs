//! Every number that a person may change: one row each, with key, unit, bounds and default.
//!
//! A number of a server comes from the first of: the server's own entry, the registry's `defaults`, the environment
//! (two of them have a variable), what this kind of server is known to need, the row's default.
//!
//! Invariant: a key that can be written is a row, and a row is a field, so nothing can be read and then not arrive. Take
//! [`Numbers`] apart without `..` where it is used, and a new row can't be forgotten there either.

mod parse;

use std::collections::BTreeMap;

use super::TextLookup;
use super::decode::Fields;
use super::problem::{Position, Problem, ProblemKind};
pub(super) use parse::{number, show};

/// How a number is written and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
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
pub(super) struct Row {
    pub(super) key: &'static str,
    pub(super) unit: Unit,
    pub(super) default: u64,
    pub(super) min: u64,
    pub(super) max: u64,
}

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

macro_rules! numbers {
    (
        $(#[$struct_doc:meta])* $name:ident, $rows:ident:
        $( $(#[$doc:meta])* $field:ident: $type:ty = $key:literal $unit:ident, $default:expr, $min:expr, $max:expr; )*
    ) => {
        $(#[$struct_doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $( $(#[$doc])* pub $field: $type, )* }

        pub(super) const $rows: &[Row] = &[
            $( Row { key: $key, unit: Unit::$unit, default: $default, min: $min, max: $max } ),*
        ];

        impl $name {
            fn from_values(value_of: impl Fn(&'static str) -> u64) -> Self {
                Self { $( $field: Narrow::narrow(value_of($key)), )* }
            }
        }
    };
}

numbers! {
    /// The numbers of one server, resolved.
    Numbers, ROWS:
    /// Restarts allowed within the window.
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
    /// How long a suspected server has to answer.
    liveness_timeout_ms: u64 = "liveness_timeout" Duration, 5 * SECOND, 10, 10 * MINUTE;
    /// How often an idle server is asked; 0 is never.
    heartbeat_ms: u64 = "heartbeat" DurationOrOff, 0, SECOND, DAY;
    /// From closing stdin to TERM.
    stdin_close_grace_ms: u64 = "stdin_close_grace" Duration, 2 * SECOND, 1, MINUTE;
    /// From TERM to KILL.
    term_grace_ms: u64 = "term_grace" Duration, 2 * SECOND, 1, MINUTE;
    /// From KILL to giving up.
    kill_grace_ms: u64 = "kill_grace" Duration, 2 * SECOND, 100, MINUTE;
    /// Calls that may wait.
    queue_max: u32 = "queue_max" Count, 32, 0, 100_000;
    /// How long one may wait, if its deadline isn't earlier.
    queue_timeout_ms: u64 = "queue_timeout" Duration, 10 * SECOND, 10, HOUR;
    /// Calls that may be with the server.
    in_flight_max: u32 = "in_flight_max" Count, 1_024, 1, 100_000;
    /// Bytes that may wait to be written to the server.
    in_flight_bytes_max: u64 = "in_flight_bytes_max" Bytes, 64 * MIB, 64 * KIB, 4 * GIB;
    /// Consecutive faults that open the breaker.
    breaker_threshold: u32 = "breaker_threshold" Count, 5, 1, 1_000_000;
    /// The first opening of a series.
    breaker_base_ms: u64 = "breaker_base" Duration, 30 * SECOND, 10, DAY;
    /// No opening is longer.
    breaker_max_ms: u64 = "breaker_max" Duration, 300 * SECOND, 10, DAY;
    /// Calls that a half-open breaker lets through at once.
    half_open_max: u32 = "half_open_max" Count, 1, 1, 1_000;
    /// Openings or locks within the window that block the session.
    blocker_threshold: u32 = "blocker_threshold" Count, 3, 1, 1_000;
    /// How long one counts.
    blocker_window_ms: u64 = "blocker_window" Duration, 10 * MINUTE, SECOND, DAY;
    /// Continuously not ready for so long blocks the session too.
    blocker_not_ready_ms: u64 = "blocker_not_ready" Duration, MINUTE, SECOND, DAY;
    /// Continuously ready for so long ends the episode.
    blocker_rearm_ms: u64 = "blocker_rearm" Duration, 10 * MINUTE, SECOND, DAY;
}

numbers! {
    /// The numbers of the gateway itself, resolved.
    GatewayNumbers, GATEWAY_ROWS:
    /// Servers that may be starting at once.
    spawn_slots: u32 = "spawn_slots" Count, 4, 1, 256;
    /// How long the tool list waits for servers that are still starting.
    list_budget_ms: u64 = "list_budget" Duration, 2 * SECOND, 0, MINUTE;
    /// The longest line taken from a server or a client.
    line_max_bytes: u64 = "line_max_bytes" Bytes, 32 * MIB, 64 * KIB, GIB;
    /// Bytes that may wait to be written to the client.
    client_output_bytes_max: u64 = "client_output_bytes_max" Bytes, 64 * MIB, 64 * KIB, 4 * GIB;
    /// What accepted calls have after the end of the client's input.
    input_end_grace_ms: u64 = "input_end_grace" Duration, 1_500, 0, HOUR;
    /// What calls in flight have after a signal to stop.
    stop_drain_ms: u64 = "stop_drain" Duration, SECOND, 0, HOUR;
}

pub(super) const ROTATE_BYTES: Row = Row {
    key: "rotate_bytes",
    unit: Unit::Bytes,
    default: 64 * MIB,
    min: 64 * KIB,
    max: 64 * GIB,
};
pub(super) const TOTAL_BYTES: Row = Row {
    key: "total_bytes",
    unit: Unit::Bytes,
    default: 512 * MIB,
    min: 64 * KIB,
    max: 1024 * GIB,
};

/// A launcher that installs first gets this handshake, if nobody said anything.
pub(super) const LAUNCHER_HANDSHAKE_MS: u64 = 60 * SECOND;
pub(super) const HANDSHAKE: &str = "handshake_timeout";
pub(super) const CALL_TIMEOUT: &str = "call_timeout";
pub(super) const CALL_HARD_CAP: &str = "call_hard_cap";
/// The short name of [`CALL_TIMEOUT`], as other clients' files have it.
pub(super) const TIMEOUT: &str = "timeout";

/// Which pairs must be in order, and the promise that would break.
const ORDERED: &[(&str, &str, &str)] = &[
    (
        "restart_window",
        "lock_base",
        "a lock that ends inside the restart window would let a crash loop go on",
    ),
    ("backoff_base", "backoff_max", "pauses only grow"),
    ("lock_base", "lock_max", "locks only grow"),
    ("breaker_base", "breaker_max", "pauses only grow"),
    (CALL_TIMEOUT, CALL_HARD_CAP, "a call ends at the hard cap"),
    (
        "liveness_timeout",
        "heartbeat",
        "a server must be able to answer before it is asked again",
    ),
];
const LINE_MAX: &str = "line_max_bytes";

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

/// Numbers that somebody wrote down, each with its place.
pub(super) type Written = BTreeMap<&'static str, (u64, Position)>;

/// Takes the numbers of `rows` out of a map.
pub(super) fn written(fields: &Fields<'_>, rows: &[Row], problems: &mut Vec<Problem>) -> Written {
    let mut found = Written::new();
    for row in rows {
        if let Some(node) = fields.get(row.key)
            && let Some(value) = number(node, row.key, *row, problems)
        {
            found.insert(row.key, (value, node.at));
        }
    }
    found
}

/// As [`written`], with `timeout` as another name of `call_timeout`.
pub(super) fn written_for_server(fields: &Fields<'_>, problems: &mut Vec<Problem>) -> Written {
    let mut found = written(fields, ROWS, problems);
    if let Some(node) = fields.get(TIMEOUT) {
        if fields.get(CALL_TIMEOUT).is_some() {
            problems.push(Problem {
                at: node.at,
                kind: ProblemKind::TimeoutTwice,
            });
        } else if let Some(value) = number(node, TIMEOUT, row(CALL_TIMEOUT), problems) {
            found.insert(CALL_TIMEOUT, (value, node.at));
        }
    }
    found
}

/// The rules of a key of [`ROWS`].
pub(super) fn row(key: &str) -> Row {
    const NONE: Row = Row {
        key: "",
        unit: Unit::Count,
        default: 0,
        min: 0,
        max: 0,
    };
    ROWS.iter()
        .chain(GATEWAY_ROWS)
        .copied()
        .find(|row| row.key == key)
        .unwrap_or(NONE)
}

/// What numbers are when no file says anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fallbacks(BTreeMap<&'static str, u64>);

/// A variable with a number that can't be used; it is left out of account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadVariable {
    /// The variable.
    pub name: &'static str,
    /// What it may be.
    pub expected: String,
}

impl Fallbacks {
    /// The variables that MCP clients know, in milliseconds.
    pub(super) fn from_environment(environment: TextLookup<'_>) -> (Self, Vec<BadVariable>) {
        let mut fallbacks = Self::default();
        let mut bad = Vec::new();
        for (name, key) in [
            ("MCP_TOOL_TIMEOUT", CALL_TIMEOUT),
            ("MCP_TIMEOUT", HANDSHAKE),
        ] {
            let Some(text) = environment(name).filter(|text| !text.is_empty()) else {
                continue;
            };
            let Row { min, max, .. } = row(key);
            match text.trim().parse::<u64>() {
                Ok(value) if (min..=max).contains(&value) => {
                    fallbacks.0.insert(key, value);
                }
                _ => bad.push(BadVariable {
                    name,
                    expected: format!("milliseconds, {min} to {max}"),
                }),
            }
        }
        (fallbacks, bad)
    }

    /// The same for a server that may install something first.
    pub(super) fn for_launcher(&self) -> Self {
        let mut fallbacks = self.clone();
        fallbacks
            .0
            .entry(HANDSHAKE)
            .or_insert(LAUNCHER_HANDSHAKE_MS);
        fallbacks
    }
}

/// Where a server's numbers come from, the first that has one wins.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) own: &'a Written,
    pub(super) defaults: &'a Written,
    pub(super) fallbacks: &'a Fallbacks,
}

impl Sources<'_> {
    fn place(&self, key: &str) -> Option<Position> {
        self.own
            .get(key)
            .or_else(|| self.defaults.get(key))
            .map(|&(_, at)| at)
    }

    pub(super) fn value(&self, key: &str) -> u64 {
        if let Some(&(value, _)) = self.own.get(key).or_else(|| self.defaults.get(key)) {
            return value;
        }
        let value = self
            .fallbacks
            .0
            .get(key)
            .copied()
            .unwrap_or_else(|| row(key).default);
        // Nobody wrote this one into the file, so it gives way to the cap that somebody did write.
        if key == CALL_TIMEOUT {
            value.min(self.value(CALL_HARD_CAP))
        } else {
            value
        }
    }

    /// The numbers, checked against each other and against the gateway's longest line.
    pub(super) fn resolve(&self, gateway: &Written, problems: &mut Vec<Problem>) -> Numbers {
        for &(smaller, greater, why) in ORDERED {
            let (low, high) = (self.value(smaller), self.value(greater));
            let off = row(greater).unit == Unit::DurationOrOff && high == 0;
            if low > high && !off {
                problems.extend(self.out_of_order((smaller, low), (greater, high), why));
            }
        }
        let bytes = "in_flight_bytes_max";
        let why = "a line that is accepted must fit";
        problems.extend(line_fits(
            gateway,
            (bytes, self.value(bytes)),
            self.place(bytes),
            why,
        ));
        Numbers::from_values(|key| self.value(key))
    }

    /// The server's own line is pointed at before the defaults': it is the one to change.
    fn out_of_order(
        &self,
        smaller: (&'static str, u64),
        greater: (&'static str, u64),
        why: &'static str,
    ) -> Option<Problem> {
        let of = |written: &Written, key: &str| written.get(key).map(|&(_, at)| at);
        let at = of(self.own, smaller.0)
            .or_else(|| of(self.own, greater.0))
            .or_else(|| of(self.defaults, smaller.0))
            .or_else(|| of(self.defaults, greater.0))?;
        Some(Problem {
            at,
            kind: order(smaller, greater, why),
        })
    }
}

/// The gateway's own numbers, checked.
pub(super) fn gateway(written: &Written, problems: &mut Vec<Problem>) -> GatewayNumbers {
    let value = |key| {
        written
            .get(key)
            .map_or_else(|| row(key).default, |&(value, _)| value)
    };
    let output = "client_output_bytes_max";
    let place = written.get(output).map(|&(_, at)| at);
    let why = "a line that is accepted must fit";
    problems.extend(line_fits(written, (output, value(output)), place, why));
    GatewayNumbers::from_values(value)
}

fn line_fits(
    gateway: &Written,
    greater: (&'static str, u64),
    place: Option<Position>,
    why: &'static str,
) -> Option<Problem> {
    let written = gateway.get(LINE_MAX);
    let line = written.map_or_else(|| row(LINE_MAX).default, |&(value, _)| value);
    let at = place.or(written.map(|&(_, at)| at))?;
    (line > greater.1).then(|| Problem {
        at,
        kind: order((LINE_MAX, line), greater, why),
    })
}

pub(super) fn order(
    smaller: (&str, u64),
    greater: (&'static str, u64),
    why: &'static str,
) -> ProblemKind {
    let shown = |key: &str, value: u64| {
        let unit = match key {
            "rotate_bytes" | "total_bytes" => Unit::Bytes,
            TIMEOUT => Unit::Duration,
            _ => row(key).unit,
        };
        show(unit, value)
    };
    ProblemKind::Order {
        smaller: smaller.0.to_owned(),
        smaller_value: shown(smaller.0, smaller.1),
        greater: greater.0,
        greater_value: shown(greater.0, greater.1),
        why,
    }
}

#[cfg(test)]
mod tests;
