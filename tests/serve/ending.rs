//! When and how a gateway ends.

use crate::support::{Project, processes, until};
use rustix::process::Signal;
use serde_json::json;
use std::fmt::Write as _;
use std::time::Duration;

#[test]
fn requests_right_before_the_end_of_input_are_answered() {
    let project = Project::new().with("input_end_grace: 20s").demo("one");
    let mut gateway = project.start();
    let mut lines = String::new();
    for id in 1..=50 {
        let params = json!({ "name": "one__echo", "arguments": { "n": id } });
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        writeln!(lines, "{call}").unwrap();
    }
    // The last line needs no newline.
    gateway.send_bytes(lines.trim_end().as_bytes());
    gateway.end_input();
    for id in 1..=50 {
        let text = gateway.answer(id).text().to_owned();
        // More than may wait for a server that starts are refused at once; that is an answer too.
        assert!(
            text == format!(r#"{{"n":{id}}}"#) || text.contains("too many"),
            "{text}"
        );
    }
    gateway.finish();
    project.assert_replays();
}

#[test]
fn a_call_that_outlasts_the_end_of_input_is_answered_before_the_end() {
    let project = Project::new().with("input_end_grace: 50ms").demo("one");
    let mut gateway = project.serve();
    let id = gateway.ask_call("one__slow", &json!({ "ms": 60_000 }));
    until("the call begins", || project.calls("one").len() == 1);
    gateway.end_input();
    assert_eq!(gateway.answer(id).fact("executed"), "maybe");
    gateway.finish();
}

#[test]
fn signals_end_it_well() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let project = Project::new().demo("one").demo("two");
        let mut gateway = project.serve();
        gateway.call("one__echo", &json!({}));
        gateway.signal(signal);
        assert_eq!(gateway.wait().code(), Some(0), "{signal:?}");
        project.assert_nothing_is_left();
        project.assert_replays();
        assert!(project.log().contains(r#""note":{"closed""#), "{signal:?}");
    }
}

/// Ignores both the end of its input and TERM, and has a child that does so too.
const STUBBORN: &str = r#"
trap '' TERM INT HUP
sh -c 'trap "" TERM INT HUP; while :; do sleep 1; done' stubborn-grandchild &
while read -r line; do greet "$line" || answer "$line" "$done"; done
while :; do sleep 1; done"#;

#[test]
fn a_server_that_ignores_everything_ends_with_its_whole_group() {
    for signal in [Some(Signal::TERM), None] {
        let project = Project::new().script("stubborn", STUBBORN, "");
        let mut gateway = project.serve();
        gateway.call("stubborn__t", &json!({}));
        let server = gateway.server("stubborn.sh");
        let group = processes::group(server).unwrap();
        assert_eq!(group, server, "a group of its own");
        let grandchildren = processes::children(server);
        assert!(!grandchildren.is_empty());
        match signal {
            Some(signal) => gateway.signal(signal),
            None => gateway.end_input(),
        }
        assert_eq!(gateway.wait().code(), Some(0), "{}", project.stderr());
        project.assert_nothing_is_left();
        assert!(
            grandchildren
                .into_iter()
                .all(|pid| !processes::is_alive(pid))
        );
    }
}

#[test]
fn a_grandchild_ends_with_a_server_that_died_by_itself() {
    let project = Project::new().script("stubborn", STUBBORN, "");
    let gateway = project.serve();
    let server = gateway.server("stubborn.sh");
    until("the grandchild runs", || {
        !processes::children(server).is_empty()
    });
    let grandchildren = processes::children(server);
    processes::kill(server);
    gateway.next_server("stubborn.sh", server);
    for pid in grandchildren {
        assert!(!processes::is_alive(pid), "it outlived its group's leader");
    }
    gateway.finish();
}

#[test]
fn servers_die_with_a_killed_gateway() {
    let project = Project::new().demo("one").script("stubborn", STUBBORN, "");
    let mut gateway = project.serve();
    let servers = [gateway.server("one.calls"), gateway.server("stubborn.sh")];
    gateway.signal(Signal::KILL);
    gateway.wait();
    servers.into_iter().for_each(processes::wait_for_end);
    project.assert_replays();
}

#[test]
fn the_end_of_input_is_quick_where_nothing_is_to_wait_for() {
    let project = Project::new().demo("one").demo("two");
    let mut gateway = project.serve();
    gateway.call("one__echo", &json!({}));
    gateway.end_input();
    let (status, took) = gateway.wait_timed();
    assert_eq!(status.code(), Some(0));
    // Clients send TERM two seconds after they closed our input.
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_silent_client_gets_servers_too_and_they_end_well() {
    let project = Project::new().demo("one");
    let mut gateway = project.start();
    gateway.server("one.calls");
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.wait().code(), Some(0), "{}", project.stderr());
    project.assert_nothing_is_left();
}

#[test]
fn a_client_that_does_not_read_any_more_ends_it() {
    let project = Project::new().demo("one");
    project.write_registry();
    let (ours, theirs) = std::io::pipe().unwrap();
    let streams = crate::support::Streams {
        output: Some((theirs.into(), Box::new(std::io::empty()))),
        ..Default::default()
    };
    let mut gateway = crate::support::Gateway::start(&project, project.command(), streams);
    drop(ours);
    gateway.ask("ping", &json!({}));
    assert_eq!(gateway.wait().code(), Some(0), "{}", project.stderr());
    project.assert_nothing_is_left();
}

#[test]
fn a_signal_after_the_end_of_input_waits_for_nobody() {
    let body = STUBBORN.replacen("done\nwhile", "done\necho end > ended\nwhile", 1);
    let project = Project::new().script("stubborn", &body, "stdin_close_grace: 1m");
    let mut gateway = project.serve();
    gateway.call("stubborn__t", &json!({}));
    gateway.end_input();
    until("the server's input ends", || {
        project.root.join("ended").exists()
    });
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.wait().code(), Some(0), "{}", project.stderr());
    project.assert_nothing_is_left();
}

#[test]
fn an_output_that_is_gone_is_noticed_at_once_although_nothing_else_happens() {
    let project = Project::new().demo("one");
    project.write_registry();
    let (ours, theirs) = std::io::pipe().unwrap();
    let streams = crate::support::Streams {
        output: Some((theirs.into(), Box::new(std::io::empty()))),
        ..Default::default()
    };
    let mut gateway = crate::support::Gateway::start(&project, project.command(), streams);
    gateway.ask("ping", &json!({}));
    until("its server is ready", || {
        project.stderr().contains("downstream.connected")
    });
    drop(ours);
    gateway.ask("ping", &json!({}));
    assert_eq!(gateway.wait().code(), Some(0), "{}", project.stderr());
    project.assert_nothing_is_left();
    let why = r#""halt":{"reason":"nobody reads the client's output any more"}"#;
    assert!(project.log().contains(why), "{}", project.log());
}
