//! Numbers to try, as the registry writes them. The log has them under the machine's own names.

use crate::config::numbers;
use crate::replay::{WhatIf, WhatIfError};

/// The registry's names of numbers that are recorded, and the log's. The deadline of a call is not
/// among them: each call is recorded with its own.
const NAMES: &[(&str, &str)] = &[
    ("restart_intensity", "restart_intensity"),
    ("restart_window", "restart_window_ms"),
    ("backoff_base", "backoff_base_ms"),
    ("backoff_max", "backoff_max_ms"),
    ("lock_base", "lock_base_ms"),
    ("lock_max", "lock_max_ms"),
    ("stable", "stable_ms"),
    ("handshake_timeout", "handshake_ms"),
    ("list_timeout", "list_ms"),
    ("call_hard_cap", "call_cap_ms"),
    ("liveness_timeout", "pong_ms"),
    ("heartbeat", "heartbeat_ms"),
    ("stdin_close_grace", "term_ms"),
    ("term_grace", "kill_ms"),
    ("kill_grace", "give_up_ms"),
    ("queue_max", "queue_max"),
    ("queue_timeout", "queue_ms"),
    ("in_flight_max", "in_flight_max"),
    ("in_flight_bytes_max", "held_bytes_max"),
    ("breaker_threshold", "breaker_faults"),
    ("breaker_base", "breaker_base_ms"),
    ("breaker_max", "breaker_max_ms"),
    ("half_open_max", "breaker_probes"),
    ("blocker_threshold", "blocker_failures"),
    ("blocker_window", "blocker_window_ms"),
    ("blocker_not_ready", "blocker_unready_ms"),
    ("blocker_rearm", "blocker_rearm_ms"),
    ("questions_max", "questions_max"),
    ("question_timeout", "question_ms"),
];

/// Reads pairs of the form `KEY=VALUE` with names of either kind; none if there are no pairs.
pub(super) fn parse(pairs: &[String]) -> Result<Option<WhatIf>, WhatIfError> {
    let recorded = pairs
        .iter()
        .map(|pair| as_recorded(pair))
        .collect::<Result<Vec<_>, _>>()?;
    WhatIf::parse(&recorded).map_err(|error| match error {
        WhatIfError::UnknownKey { key, known } => {
            let ours: Vec<&str> = NAMES.iter().map(|(ours, _)| *ours).collect();
            let known = format!("{}; in the log they are called {known}", ours.join(", "));
            WhatIfError::UnknownKey { key, known }
        }
        WhatIfError::NoPair { .. }
        | WhatIfError::Unreadable { .. }
        | WhatIfError::BadValue { .. }
        | WhatIfError::Refused { .. } => error,
    })
}

fn as_recorded(pair: &str) -> Result<String, WhatIfError> {
    let Some((key, text)) = pair.split_once('=') else {
        return Ok(pair.to_owned());
    };
    let Some((ours, recorded)) = NAMES.iter().find(|(ours, _)| *ours == key) else {
        return Ok(pair.to_owned());
    };
    match numbers::read_as_written(ours, text) {
        Some(Ok(number)) => Ok(format!("{recorded}={number}")),
        Some(Err(problem)) => Err(WhatIfError::Unreadable {
            detail: problem.to_string(),
        }),
        None => Ok(pair.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_the_registry_that_is_recorded_has_a_name_in_the_log() {
        let mut keys: Vec<_> = numbers::server_keys().collect();
        keys.retain(|key| *key != "call_timeout");
        let ours: Vec<_> = NAMES.iter().map(|(ours, _)| *ours).collect();
        assert_eq!(ours, keys);
        for (_, recorded) in NAMES {
            assert!(
                WhatIf::parse(&[format!("{recorded}=1")]).is_ok(),
                "{recorded}"
            );
        }
    }

    #[test]
    fn values_are_written_as_in_the_registry() {
        for (pair, recorded) in [
            ("lock_base=5s", "lock_base_ms=5000"),
            ("heartbeat=off", "heartbeat_ms=0"),
            ("in_flight_bytes_max=1MiB", "held_bytes_max=1048576"),
            ("restart_intensity=3", "restart_intensity=3"),
            ("lock_base_ms=5", "lock_base_ms=5"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(as_recorded(pair).unwrap(), recorded);
        }
        assert_eq!(
            as_recorded("lock_base=soon").unwrap_err().to_string(),
            "lock_base: \"soon\" is not a duration: write 30s, 250ms, 5m, 1h or a plain number of seconds"
        );
    }
}
