//! Every number that a person may change: one row each, with key, unit, bounds and default.
//!
//! A number of a server comes from the first of: the server's own entry, the registry's `defaults`, the environment
//! (two of them have a variable), what this kind of server is known to need, the row's default.
//!
//! Invariant: a key that can be written is a row, and a row is a field, so nothing can be read and then not arrive. Take
//! [`Numbers`] apart without `..` where it is used, and a new row can't be forgotten there either.

#[cfg(test)]
mod page;
mod parse;
mod table;

use std::collections::BTreeMap;

use super::TextLookup;
use super::decode::Fields;
use super::problem::{Position, Problem, ProblemKind};
pub(super) use parse::{number, show};
pub(super) use table::{GATEWAY_ROWS, ROTATE_BYTES, ROWS, Row, TOTAL_BYTES, row};
pub use table::{GatewayNumbers, Numbers};
use table::{SECOND, Unit};

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

/// The keys of a server's numbers.
pub fn server_keys() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|row| row.key)
}

/// A server's number as somebody wrote it: milliseconds, bytes or a count. `None` if there is no
/// such key.
pub fn read_as_written(key: &str, text: &str) -> Option<Result<u64, ProblemKind>> {
    let row = ROWS.iter().find(|row| row.key == key)?;
    Some(parse::read(text, key, *row))
}

#[cfg(test)]
mod tests;
