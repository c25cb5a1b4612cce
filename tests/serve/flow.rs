//! One gateway, two servers, from the first word to the replay.

use crate::support::{Project, processes};
use rustix::process::Signal;
use serde_json::json;

#[test]
fn two_servers_are_one_and_a_killed_one_comes_back() {
    let project = Project::new().demo("one").demo("two");
    let mut gateway = project.serve();
    let tools = gateway.tools();
    for name in ["one__echo", "one__slow", "two__echo", "two__slow"] {
        assert!(tools.iter().any(|tool| tool == name), "{name} in {tools:?}");
    }
    for server in ["one", "two"] {
        let answer = gateway.call(&format!("{server}__echo"), &json!({ "to": server }));
        assert_eq!(answer.text(), format!(r#"{{"to":"{server}"}}"#));
    }

    let first = gateway.server("one.calls");
    processes::kill(first);
    gateway.next_server("one.calls", first);
    let answer = gateway.call("one__echo", &json!({ "again": true }));
    assert_eq!(answer.text(), r#"{"again":true}"#);
    assert_eq!(project.calls("one"), ["echo", "echo"]);
    assert_eq!(project.calls("two"), ["echo"]);

    gateway.signal(Signal::TERM);
    assert_eq!(gateway.wait().code(), Some(0), "{}", project.stderr());
    project.assert_nothing_is_left();
    project.assert_replays();
}

#[test]
fn a_killed_server_is_never_doubled() {
    let project = Project::new().demo("one");
    let gateway = project.serve();
    let first = gateway.server("one.calls");
    processes::kill(first);
    gateway.next_server("one.calls", first);
    let running = processes::children(gateway.pid());
    assert_eq!(running.len(), 1, "{running:?}");
    gateway.finish();
}

#[test]
fn a_server_that_is_not_enabled_is_not_started() {
    let project = Project::new()
        .demo("one")
        .demo_with("two", &[], "enabled: false");
    let mut gateway = project.serve();
    assert!(gateway.tools().iter().all(|tool| tool.starts_with("one__")));
    assert_eq!(gateway.find_server("two.calls"), None);
    gateway.finish();
}

#[test]
fn the_list_waits_for_servers_that_are_starting() {
    let project = Project::new().script(
        "late",
        "sleep 0.3; while read -r line; do greet \"$line\"; done",
        "",
    );
    let mut gateway = project.serve();
    assert_eq!(gateway.tools(), ["late__t"]);
    gateway.finish();
}

#[test]
fn a_server_that_never_comes_does_not_hold_the_list_of_the_others() {
    let project = Project::new()
        .with("list_budget: 300ms")
        .demo("one")
        .script("mute", "while read -r line; do :; done", "");
    let mut gateway = project.serve();
    gateway.server("one.calls");
    // The list that was asked for first may have come before the good server had one.
    crate::support::until("the good server's tools", || {
        gateway.tools().iter().any(|tool| tool == "one__echo")
    });
    gateway.finish();
}

#[test]
fn the_log_says_in_which_revision_a_server_is_spoken_to() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    gateway.finish();
    let log = project.stderr();
    let mut connected = log
        .lines()
        .filter(|line| line.contains(r#""event":"downstream.connected""#));
    let line = connected.next().expect("it was connected");
    assert!(
        line.contains(r#""protocol_version":"2025-11-25""#),
        "{line}"
    );
}
