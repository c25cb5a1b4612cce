//! Calls that take long, and servers that do not answer.

use crate::support::{Project, processes, until};
use rustix::process::Signal;
use serde_json::json;

#[test]
fn a_server_that_hangs_is_replaced_and_its_call_is_answered() {
    let project = Project::new()
        .with_defaults("call_timeout: 200ms, liveness_timeout: 200ms")
        .demo("one");
    let mut gateway = project.serve();
    gateway.call("one__echo", &json!({}));
    let pid = gateway.server("one.calls");
    processes::signal(pid, Signal::STOP);
    let answer = gateway.call("one__echo", &json!({}));
    assert!(!answer.is_the_servers(), "{answer:?}");
    gateway.next_server("one.calls", pid);
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    gateway.finish();
    project.assert_replays();
}

/// Answers a call only after it was asked whether it lives.
const PONDERING: &str = r#"
held=
while read -r line; do
    if greet "$line"; then
        case $line in *'"ping"'*) [ -z "$held" ] || answer "$held" "$done"; held= ;; esac
    else
        held=$line
    fi
done"#;

#[test]
fn a_call_over_its_deadline_goes_on_while_its_server_lives() {
    let project =
        Project::new()
            .with_defaults("call_timeout: 100ms")
            .script("pondering", PONDERING, "");
    let mut gateway = project.serve();
    let pid = gateway.server("pondering.sh");
    let answer = gateway.call("pondering__t", &json!({}));
    assert_eq!(answer.text(), "done");
    assert_eq!(gateway.server("pondering.sh"), pid);
    gateway.finish();
    project.assert_replays();
}

/// Lives, and never answers a call.
const FORGETFUL: &str = r#"while read -r line; do greet "$line"; done"#;

#[test]
fn no_call_outlasts_the_hard_cap() {
    let project = Project::new()
        .with_defaults("call_timeout: 50ms, call_hard_cap: 400ms")
        .script("forgetful", FORGETFUL, "");
    let mut gateway = project.serve();
    let answer = gateway.call("forgetful__t", &json!({}));
    assert_eq!(answer.fact("reason"), "timeout");
    assert_eq!(answer.fact("executed"), "maybe");
    gateway.finish();
    project.assert_replays();
}

#[test]
fn a_server_that_never_shakes_hands_is_given_up_and_its_calls_are_answered() {
    let project = Project::new()
        .with_defaults("handshake_timeout: 200ms, queue_timeout: 15s")
        .script(
            "mute",
            "while read -r line; do :; done",
            "restart_window: 30s, lock_base: 30s",
        );
    let mut gateway = project.serve();
    let answer = gateway.call("mute__t", &json!({}));
    assert_eq!(answer.fact("executed"), "no");
    until("it is locked", || {
        project.log().contains(r#""state":"flap_locked""#)
    });
    gateway.finish();
    project.assert_replays();
}

#[test]
fn calls_that_come_while_a_server_starts_wait_for_it() {
    let project = Project::new().script(
        "late",
        "sleep 0.3; while read -r line; do greet \"$line\" || answer \"$line\" \"$done\"; done",
        "",
    );
    let mut gateway = project.serve();
    let ids: Vec<_> = (0..5)
        .map(|_| gateway.ask_call("late__t", &json!({})))
        .collect();
    for id in ids {
        assert_eq!(gateway.answer(id).text(), "done");
    }
    gateway.finish();
}

#[test]
fn more_calls_than_may_wait_are_refused_at_once() {
    let project = Project::new().with_defaults("queue_max: 2").script(
        "mute",
        "while read -r line; do :; done",
        "",
    );
    let mut gateway = project.serve();
    for _ in 0..2 {
        gateway.ask_call("mute__t", &json!({}));
    }
    let answer = gateway.call("mute__t", &json!({}));
    assert_eq!(answer.fact("reason"), "queue_full");
    assert_eq!(answer.fact("executed"), "no");
    gateway.finish();
}
