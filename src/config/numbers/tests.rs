use super::*;
use crate::config::yaml::{Node, Value};

fn node(text: &str) -> Node {
    Node {
        at: Position::new(1, 1),
        value: Value::Plain(text.to_owned()),
    }
}

fn read(key: &str, text: &str) -> Result<u64, String> {
    let mut problems = Vec::new();
    let value = number(&node(text), key, row(key), &mut problems);
    value.ok_or_else(|| problems.remove(0).kind.to_string())
}

fn written_as(pairs: &[(&'static str, u64)]) -> Written {
    let numbered = pairs.iter().enumerate();
    numbered
        .map(|(line, &(key, value))| (key, (value, Position::new(line + 1, 1))))
        .collect()
}

fn resolve(own: &Written, defaults: &Written, fallbacks: &Fallbacks) -> (Numbers, Vec<String>) {
    let mut problems = Vec::new();
    let numbers = Sources {
        own,
        defaults,
        fallbacks,
    }
    .resolve(&Written::new(), &mut problems);
    (
        numbers,
        problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.at, problem.kind))
            .collect(),
    )
}

fn nothing() -> Written {
    Written::new()
}

#[test]
fn every_row_is_possible_and_unique() {
    let mut keys: Vec<&str> = ROWS.iter().chain(GATEWAY_ROWS).map(|row| row.key).collect();
    for row in ROWS.iter().chain(GATEWAY_ROWS) {
        let off = row.unit == Unit::DurationOrOff && row.default == 0;
        assert!(
            off || (row.min..=row.max).contains(&row.default),
            "{}",
            row.key
        );
        assert!(
            row.unit != Unit::Count || u32::try_from(row.max).is_ok(),
            "{}",
            row.key
        );
    }
    keys.sort_unstable();
    assert!(keys.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn the_defaults_keep_every_promise() {
    let (numbers, problems) = resolve(&nothing(), &nothing(), &Fallbacks::default());
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(
        (numbers.restart_intensity, numbers.restart_window_ms),
        (1, 30_000)
    );
    assert_eq!(
        (numbers.lock_base_ms, numbers.lock_max_ms),
        (30_000, 300_000)
    );
    assert_eq!(
        (numbers.handshake_timeout_ms, numbers.call_timeout_ms),
        (20_000, 60_000)
    );
    assert_eq!(
        (numbers.call_hard_cap_ms, numbers.heartbeat_ms),
        (3_600_000, 0)
    );
    assert_eq!(
        (numbers.in_flight_max, numbers.in_flight_bytes_max),
        (1_024, 64 << 20)
    );
}

/// Each key with a value of its own must arrive in a field of its own.
#[test]
fn every_row_reaches_its_field() {
    for row in ROWS {
        let changed = if row.default == row.max {
            row.min
        } else {
            row.max
        };
        let own = BTreeMap::from([(row.key, (changed, Position::new(1, 1)))]);
        let (numbers, _) = resolve(&own, &nothing(), &Fallbacks::default());
        let (plain, _) = resolve(&nothing(), &nothing(), &Fallbacks::default());
        assert_ne!(numbers, plain, "{}", row.key);
    }
}

#[test]
fn durations_are_written_in_units_or_seconds() {
    for (text, expected) in [
        ("30s", 30_000),
        ("250ms", 250),
        ("5m", 300_000),
        ("1h", 3_600_000),
        ("45", 45_000),
        ("1.5", 1_500),
        ("1.5s", 1_500),
        ("0.25m", 15_000),
        ("2 s", 2_000),
    ] {
        assert_eq!(read("call_timeout", text), Ok(expected), "{text}");
    }
}

#[test]
fn anything_else_is_no_duration() {
    for text in [
        "soon",
        "30 seconds",
        "-1s",
        "1e3",
        "1.5ms",
        "1.2.3",
        ".5",
        "5.",
        "s",
        "99999999999999999999",
        "off",
        "１",
    ] {
        assert_eq!(
            read("call_timeout", text),
            Err(format!(
                "call_timeout: \"{text}\" is not a duration: write 30s, 250ms, 5m, 1h or a plain number of seconds"
            ))
        );
    }
}

#[test]
fn sizes_and_counts() {
    assert_eq!(read("in_flight_bytes_max", "128MiB"), Ok(128 << 20));
    assert_eq!(read("in_flight_bytes_max", "1048576"), Ok(1 << 20));
    assert_eq!(read("queue_max", "0"), Ok(0));
    assert_eq!(
        read("in_flight_bytes_max", "64MB"),
        Err("in_flight_bytes_max: \"64MB\" is not a size: write 512KiB, 64MiB, 1GiB or a plain number of bytes".into())
    );
    assert_eq!(
        read("queue_max", "1.0"),
        Err("queue_max: \"1.0\" is not a whole number".into())
    );
}

#[test]
fn bounds_are_told_in_the_same_units() {
    assert_eq!(
        read("term_grace", "2m"),
        Err("term_grace: 2m is out of range: expected 1ms to 1m".into())
    );
    assert_eq!(
        read("restart_intensity", "0"),
        Err("restart_intensity: 0 is out of range: expected 1 to 100".into())
    );
}

#[test]
fn a_heartbeat_may_be_off() {
    assert_eq!(read("heartbeat", "off"), Ok(0));
    assert_eq!(read("heartbeat", "0"), Ok(0));
    assert_eq!(
        read("heartbeat", "10ms"),
        Err("heartbeat: 10ms is out of range: expected 1s to 24h".into())
    );
}

#[test]
fn the_server_wins_over_the_defaults_and_they_over_the_environment() {
    let environment = |name: &str| match name {
        "MCP_TOOL_TIMEOUT" => Some("7000".to_owned()),
        "MCP_TIMEOUT" => Some("8000".to_owned()),
        _ => None,
    };
    let (fallbacks, bad) = Fallbacks::from_environment(&environment);
    assert_eq!(bad, []);
    let timeouts = |own: &[(&'static str, u64)], defaults: &[(&'static str, u64)]| {
        let (numbers, _) = resolve(
            &written_as(own),
            &written_as(defaults),
            &fallbacks.for_launcher(),
        );
        (numbers.call_timeout_ms, numbers.handshake_timeout_ms)
    };
    assert_eq!(timeouts(&[], &[]), (7_000, 8_000));
    assert_eq!(timeouts(&[], &[(CALL_TIMEOUT, 5_000)]), (5_000, 8_000));
    assert_eq!(
        timeouts(
            &[(CALL_TIMEOUT, 1_000), (HANDSHAKE, 2_000)],
            &[(CALL_TIMEOUT, 5_000)]
        ),
        (1_000, 2_000)
    );
}

#[test]
fn a_launcher_has_longer_for_its_handshake_unless_somebody_said_otherwise() {
    let handshake = |own: &[(&'static str, u64)]| {
        let launcher = Fallbacks::default().for_launcher();
        resolve(&written_as(own), &nothing(), &launcher)
            .0
            .handshake_timeout_ms
    };
    assert_eq!(handshake(&[]), 60_000);
    assert_eq!(handshake(&[(HANDSHAKE, 5_000)]), 5_000);
}

#[test]
fn a_variable_gives_way_to_the_hard_cap() {
    let environment = |name: &str| (name == "MCP_TOOL_TIMEOUT").then(|| "86400000".to_owned());
    let (fallbacks, _) = Fallbacks::from_environment(&environment);
    let (numbers, problems) = resolve(&nothing(), &nothing(), &fallbacks);
    assert_eq!((numbers.call_timeout_ms, problems), (3_600_000, Vec::new()));
}

#[test]
fn a_variable_that_is_no_number_is_left_out_and_told() {
    let environment = |name: &str| (name == "MCP_TIMEOUT").then(|| "30s".to_owned());
    let (fallbacks, bad) = Fallbacks::from_environment(&environment);
    assert_eq!(fallbacks, Fallbacks::default());
    assert_eq!(
        bad,
        [BadVariable {
            name: "MCP_TIMEOUT",
            expected: "milliseconds, 100 to 3600000".to_owned()
        }]
    );
}

#[test]
fn a_lock_shorter_than_the_window_is_refused_where_it_was_written() {
    let defaults = written_as(&[("queue_max", 1), ("restart_window", 60_000)]);
    let own = written_as(&[("lock_base", 10_000)]);
    let (_, problems) = resolve(&own, &defaults, &Fallbacks::default());
    assert_eq!(
        problems,
        [
            "1:1: restart_window (1m) must not be greater than lock_base (10s): \
          a lock that ends inside the restart window would let a crash loop go on"
        ]
    );
    let (_, problems) = resolve(&nothing(), &defaults, &Fallbacks::default());
    assert!(
        problems[0]
            .starts_with("2:1: restart_window (1m) must not be greater than lock_base (30s)")
    );
}

#[test]
fn every_pair_that_must_be_in_order_is_checked() {
    for (own, expected) in [
        (
            &[("lock_base", 600_000)],
            "lock_base (10m) must not be greater than lock_max (5m)",
        ),
        (
            &[("breaker_max", 10)],
            "breaker_base (30s) must not be greater than breaker_max (10ms)",
        ),
        (&[("call_hard_cap", 1_000)], ""),
        (
            &[("call_timeout", 7_200_000)],
            "call_timeout (2h) must not be greater than call_hard_cap (1h)",
        ),
        (
            &[("heartbeat", 1_000)],
            "liveness_timeout (5s) must not be greater than heartbeat (1s)",
        ),
        (
            &[("in_flight_bytes_max", 1 << 20)],
            "line_max_bytes (32MiB) must not be greater than in_flight_bytes_max (1MiB)",
        ),
    ] {
        let (_, problems) = resolve(&written_as(own), &nothing(), &Fallbacks::default());
        assert_eq!(
            problems.len(),
            usize::from(!expected.is_empty()),
            "{own:?}: {problems:?}"
        );
        assert!(
            problems.iter().all(|problem| problem.contains(expected)),
            "{problems:?}"
        );
    }
}
