//! How a number is written and shown.

use super::super::decode::text;
use super::super::problem::{Problem, ProblemKind};
use super::super::yaml::Node;
use super::table::{GIB, HOUR, KIB, MIB, MINUTE, Row, SECOND, Unit};

const DURATIONS: [(&str, u64); 4] = [("ms", 1), ("s", SECOND), ("m", MINUTE), ("h", HOUR)];
const BYTES: [(&str, u64); 3] = [("KiB", KIB), ("MiB", MIB), ("GiB", GIB)];

/// Reads the number of a row; `key` is the name that was written.
pub(in super::super) fn number(
    node: &Node,
    key: &str,
    row: Row,
    problems: &mut Vec<Problem>,
) -> Option<u64> {
    let found = text(node, key, problems)?;
    read(found, key, row)
        .map_err(|kind| problems.push(Problem { at: node.at, kind }))
        .ok()
}

/// The same, wherever it is written.
pub(super) fn read(found: &str, key: &str, row: Row) -> Result<u64, ProblemKind> {
    let value = value(found, row.unit).ok_or_else(|| ProblemKind::BadNumber {
        key: key.to_owned(),
        expected: expected(row.unit),
        found: found.to_owned(),
    })?;
    let off = row.unit == Unit::DurationOrOff && value == 0;
    if !off && !(row.min..=row.max).contains(&value) {
        return Err(ProblemKind::OutOfRange {
            key: key.to_owned(),
            found: show(row.unit, value),
            min: show(row.unit, row.min),
            max: show(row.unit, row.max),
        });
    }
    Ok(value)
}

fn expected(unit: Unit) -> &'static str {
    match unit {
        Unit::Duration => "a duration: write 30s, 250ms, 5m, 1h or a plain number of seconds",
        Unit::DurationOrOff => {
            "a duration: write 30s, 250ms, 5m, 1h, a plain number of seconds, or off"
        }
        Unit::Count => "a whole number",
        Unit::Bytes => "a size: write 512KiB, 64MiB, 1GiB or a plain number of bytes",
    }
}

fn value(text: &str, unit: Unit) -> Option<u64> {
    match unit {
        Unit::Count => digits(text),
        Unit::Bytes => scaled(text, &BYTES, 1),
        Unit::DurationOrOff if text == "off" => Some(0),
        Unit::Duration | Unit::DurationOrOff => scaled(text, &DURATIONS, SECOND),
    }
}

/// A decimal number and its unit; what is not a whole number of the smallest unit is refused.
fn scaled(text: &str, units: &[(&str, u64)], unit_without_name: u64) -> Option<u64> {
    let (number, name) = text.split_at(
        text.trim_end_matches(|c: char| c.is_ascii_alphabetic())
            .len(),
    );
    let scale = match name {
        "" => unit_without_name,
        _ => units.iter().find(|(known, _)| *known == name)?.1,
    };
    let (whole, fraction) = match number.trim_end().split_once('.') {
        Some((whole, fraction)) => (digits(whole)?, Some(fraction)),
        None => (digits(number.trim_end())?, None),
    };
    let part = match fraction {
        None => 0,
        Some(fraction) => {
            let parts = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            let product = digits(fraction)?.checked_mul(scale)?;
            (product % parts == 0).then_some(product / parts)?
        }
    };
    whole.checked_mul(scale)?.checked_add(part)
}

fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// A value in the largest unit that divides it.
pub(in super::super) fn show(unit: Unit, value: u64) -> String {
    let largest = |units: &[(&str, u64)]| {
        let fitting = units
            .iter()
            .rev()
            .find(|(_, scale)| value > 0 && value.is_multiple_of(*scale));
        fitting.map(|(name, scale)| format!("{}{name}", value / scale))
    };
    match unit {
        Unit::Count => value.to_string(),
        Unit::Bytes => largest(&BYTES).unwrap_or_else(|| format!("{value} bytes")),
        Unit::Duration => largest(&DURATIONS).unwrap_or_else(|| format!("{value}s")),
        Unit::DurationOrOff => largest(&DURATIONS).unwrap_or_else(|| "off".to_owned()),
    }
}
