//! docs/event-log.md shows every event, report, timer and note, as they are written.
#![allow(clippy::unwrap_used, reason = "a test that can't go on says so")]

use rea::journal::Note;
use rea_fsm::{EventKind, Operator, Report, TimerKey};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;

const DOCS: &str = include_str!("../docs/event-log.md");

/// The names that serde knows: it lists them when it meets another.
fn variants<T: DeserializeOwned>() -> BTreeSet<String> {
    let error = serde_json::from_str::<T>(r#"{"?":{}}"#).err().unwrap();
    let said = error.to_string();
    let known = said.split_once("expected").unwrap().1;
    known
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

/// The code in the first column of every table.
fn examples() -> Vec<Value> {
    DOCS.lines()
        .filter_map(|line| line.strip_prefix("| `{")?.split_once("}` |"))
        .map(|(example, _)| serde_json::from_str(&format!("{{{example}}}")).unwrap())
        .collect()
}

fn name(value: &Value) -> String {
    let first = value.as_object().and_then(|fields| fields.keys().next());
    first.map_or_else(|| value.as_str().unwrap().to_owned(), Clone::clone)
}

fn shown(path: &[&str]) -> BTreeSet<String> {
    examples()
        .iter()
        .filter_map(|example| path.iter().try_fold(example, |value, key| value.get(key)))
        .map(name)
        .collect()
}

#[test]
fn every_event_is_shown_and_parses() {
    for example in examples() {
        let is_event = serde_json::from_value::<EventKind>(example.clone()).is_ok();
        let is_note = serde_json::from_value::<Note>(example.clone()).is_ok();
        assert!(is_event != is_note, "{example}");
    }
    let tops = shown(&[]);
    assert!(tops.is_superset(&variants::<EventKind>()), "{tops:?}");
    assert!(tops.is_superset(&variants::<Note>()), "{tops:?}");
    assert_eq!(shown(&["operator"]), variants::<Operator>());
    assert_eq!(shown(&["child", "report"]), variants::<Report>());
}

#[test]
fn every_timer_and_state_is_named() {
    for timer in variants::<TimerKey>() {
        assert!(DOCS.contains(&format!("\"{timer}\"")), "{timer}");
    }
    for leaf in rea_fsm::Leaf::ALL {
        assert!(DOCS.contains(&format!("`{}`", leaf.name())), "{leaf}");
    }
}
