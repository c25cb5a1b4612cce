//! One look tells what each server is doing, and why.

use super::shown::{DEGRADED, NOT_RUNNING, UNHEALTHY, WELL, json, rea, server, table};
use crate::support::{Project, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::fs;

#[test]
fn without_a_gateway_nothing_is_running() {
    let project = Project::new().demo("one");
    project.write_registry();
    let (code, shown) = table(&project);
    assert_eq!(code, NOT_RUNNING);
    assert_eq!(
        shown,
        format!(
            "No gateway is running, and none has run yet, in {}\n",
            project.root
        )
    );
    let (code, status) = json(&project);
    assert_eq!(code, NOT_RUNNING);
    assert_eq!(status["verdict"], "not_running");
    assert_eq!(status["serve"]["running"], json!(false));
    assert_eq!(status["audit"]["present"], json!(false));
    assert!(
        !project.state().join("sessions").exists(),
        "looking makes nothing"
    );
}

#[test]
fn a_server_that_is_well_is_shown_so() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    gateway.tools();
    until("it is well", || json(&project).0 == WELL);
    let (_, status) = json(&project);
    let one = server(&status, "one");
    assert_eq!(one["state"], "ready");
    assert_eq!(one["connected"], json!(true));
    assert_eq!(one["connection_state"], "ok");
    assert_eq!(one["generation"], json!(1));
    assert_eq!(one["era"], "legacy");
    assert_eq!(one["tools_count"], json!(4));
    assert_eq!(one["pid"], json!(gateway.server("demo-server")));
    assert_eq!(status["serve"]["pid"], json!(gateway.pid()));
    assert_eq!(status["audit"]["tail_hash_looks_valid"], json!(true));
    let (code, shown) = table(&project);
    assert_eq!(code, WELL);
    let row: Vec<&str> = shown
        .lines()
        .find(|line| line.starts_with("one"))
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(row[..2], ["one", "ready"]);
    assert_eq!(row[4..], ["closed", "0", "0", "4", "legacy"]);
    gateway.finish();
}

#[test]
fn calls_under_way_are_counted() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    gateway.tools();
    until("it is well", || json(&project).0 == WELL);
    let call = gateway.ask_call("one__slow", &json!({"ms": 20_000}));
    let in_flight = || server(&json(&project).1, "one")["in_flight"].clone();
    until("it is in flight", || in_flight() == json!(1));
    gateway.notify("notifications/cancelled", &json!({"requestId": call}));
    until("it is not any more", || in_flight() == json!(0));
}

#[test]
fn each_way_to_break_is_told_apart() {
    let project = Project::new()
        .demo("well")
        .server("gone", &["no-such-command"], "")
        .server("dies", &["sh", "-c", "exit 3"], "")
        .server("hangs", &["sleep", "60"], "")
        .server("unset", &["cat"], "env: {A: '${REA_TEST_NOT_SET}'}")
        .server("no-such-folder-with-a-long-name", &["cat"], "cwd: nowhere")
        .script(
            "banner",
            "echo hello; echo world; while read -r line; do greet \"$line\" || answer \"$line\" \"$done\"; done",
            "",
        )
        .with_defaults("lock_max: 60s");
    let mut gateway = project.serve();
    gateway.call("well__echo", &json!({}));
    let state = |name: &str| server(&json(&project).1, name)["state"].clone();
    until("it is locked", || state("dies") == "flap_locked");
    until("it is ready", || state("banner") == "ready");
    let (code, status) = json(&project);
    assert_eq!(code, UNHEALTHY);
    assert_eq!(server(&status, "gone")["state"], "blocked");
    assert_eq!(server(&status, "unset")["state"], "blocked");
    assert_eq!(server(&status, "hangs")["state"], "connecting");
    assert_eq!(server(&status, "hangs")["health"], "degraded");
    let banner = &server(&status, "banner")["complaints"][0];
    assert_eq!(banner["event"], "downstream.stray_output");
    assert_eq!(banner["count"], json!(2));
    let (_, shown) = table(&project);
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "\"no-such-command\" was not found in PATH",
        "child process exited unexpectedly: exit code 3",
        "next try in",
        "missing env: REA_TEST_NOT_SET",
        "nowhere",
        "no message; such lines were skipped (2 times)",
    ] {
        assert!(shown.contains(said), "{said:?}: {shown}");
    }
}

#[test]
fn a_gateway_that_is_stopped_is_not_taken_for_a_working_one() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    gateway.tools();
    until("it is well", || json(&project).0 == WELL);
    gateway.signal(Signal::STOP);
    until("it is seen", || json(&project).0 == UNHEALTHY);
    let (_, status) = json(&project);
    assert_eq!(status["serve"]["suspended"], json!(true));
    assert!(
        table(&project)
            .1
            .contains("SUSPENDED: its process is stopped")
    );
    gateway.signal(Signal::CONT);
    until("it goes on", || json(&project).0 == WELL);
    gateway.finish();
}

#[test]
fn a_server_that_is_in_trouble_for_long_calls_for_somebody() {
    let project = Project::new()
        .server("dies", &["sh", "-c", "exit 3"], "")
        .with_defaults("blocker_not_ready: 1s");
    let _gateway = project.serve();
    let blocked = || server(&json(&project).1, "dies")["session_blocker_emitted"].clone();
    until("somebody is called for", || blocked() == json!(true));
    assert!(
        table(&project)
            .1
            .contains("SESSION_BLOCKER: it has been in trouble for long")
    );
}

/// The table as a whole, with what differs from run to run taken out.
#[test]
fn the_table_is_what_the_documentation_shows() {
    let project = Project::new().demo("good").server(
        "dies",
        &["sh", "-c", "exit 3"],
        "lock_base: 30s, lock_max: 300s",
    );
    let mut gateway = project.serve();
    gateway.tools();
    until("it is locked", || {
        server(&json(&project).1, "dies")["state"] == "flap_locked"
            && server(&json(&project).1, "good")["state"] == "ready"
    });
    let (_, shown) = table(&project);
    let session = json(&project).1["serve"]["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = shown
        .replace(&session, "SESSION")
        .replace(project.root.as_str(), "/project")
        .replace(&gateway.pid().to_string(), "PID");
    // Numbers of seconds differ, and so does the room that they take.
    let steady = |text: &str| {
        let line = |line: &str| {
            let line = line.split(" at 20").next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            let words = words.iter().enumerate().map(|(at, word)| {
                let unit = words.get(at + 1).copied().unwrap_or_default();
                let is_count = word.bytes().all(|byte| byte.is_ascii_digit());
                if is_count && matches!(unit, "s" | "s,") {
                    "N"
                } else {
                    word
                }
            });
            words.collect::<Vec<_>>().join(" ")
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    let expected = "rea VERSION, running for N s, process PID, session SESSION
/project

SERVER  STATE         SINCE  CIRCUIT   CALLS RESTARTS TOOLS ERA
good    ready           N s  closed        0        0     4 legacy
dies    locked          N s  closed        0        1     - legacy
    child process exited unexpectedly: exit code 3
    next try in N s,
    → Read what it wrote to its standard error, if it did:
    /project/.rea/logs/dies.SESSION.log"
        .replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert_eq!(steady(&shown), steady(&expected), "{shown}");
}

#[test]
fn a_server_that_is_starting_is_degraded() {
    let project = Project::new().server("hangs", &["sleep", "60"], "");
    let _gateway = project.serve();
    until("it is starting", || json(&project).0 == DEGRADED);
}

#[test]
fn what_a_gateway_left_can_be_read_and_says_how_it_ended() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    gateway.tools();
    gateway.finish();
    let (code, status) = json(&project);
    assert_eq!(code, NOT_RUNNING);
    assert_eq!(status["serve"]["crashed"], json!(false));
    assert!(status["serve"]["closed_at"].is_string());
    assert_eq!(server(&status, "one")["state"], "closed");
    assert!(table(&project).1.contains("The last one ended"));
    let left = fs::read_dir(project.state().join("sessions")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [".turn"], "a clean end leaves no folder");

    let mut gateway = project.serve();
    gateway.tools();
    until("it is well", || json(&project).0 == WELL);
    let pid = Pid::from_raw(i32::try_from(gateway.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    gateway.wait();
    let (code, status) = json(&project);
    assert_eq!(code, NOT_RUNNING);
    assert_eq!(status["serve"]["crashed"], json!(true));
    assert_eq!(server(&status, "one")["state"], "ready", "as it was last");
    assert!(table(&project).1.contains("killed or crashed"));
}

#[test]
fn a_file_that_is_no_state_is_said_to_be_none() {
    let project = Project::new().demo("one");
    project.write_registry();
    for text in [
        "",
        "{\"session_id\":",
        "{\"session_id\":\"x\"}",
        "\u{1b}[2J",
    ] {
        fs::write(project.state().join("serve.state.json"), text).unwrap();
        let output = rea(&project, &["status"]);
        assert_eq!(output.status.code(), Some(NOT_RUNNING));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("is no state file of this version"), "{said}");
        assert_eq!(json(&project).0, NOT_RUNNING);
    }
}

#[test]
fn text_from_a_state_file_can_not_steer_a_terminal() {
    let project = Project::new().demo("one");
    project.serve().finish();
    let file = project.state().join("serve.state.json");
    let mut state: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let hostile = "\u{1b}[2J\u{1b}]0;title\u{7}a\r\nb\u{202e}c\u{200b}";
    state["session_id"] = json!(hostile);
    state["version"] = json!(hostile);
    state["log"] = json!({"state": "gap", "bytes": 0, "file": 1, "gaps": 1, "reason": hostile});
    for name in ["name", "last_error"] {
        state["downstreams"][0][name] = json!(hostile);
    }
    state["downstreams"][0]["complaints"] =
        json!([{"event": hostile, "count": 1, "text": hostile}]);
    fs::write(&file, state.to_string()).unwrap();
    let (_, shown) = table(&project);
    for harmful in ['\u{202e}', '\u{200b}'] {
        assert!(!shown.contains(harmful), "{shown:?}");
    }
    assert!(shown.contains("?[2J"), "{shown:?}");
}

#[test]
fn a_server_that_answers_under_wrong_ids_is_named() {
    let project = Project::new().script(
        "one",
        "while read -r line; do greet \"$line\" || printf '{\"jsonrpc\":\"2.0\",\"id\":\"another\",\"result\":{}}\\n'; done",
        "",
    );
    let mut gateway = project.serve();
    gateway.tools();
    gateway.ask_call("one__t", &json!({}));
    let complaints = || server(&json(&project).1, "one")["complaints"].clone();
    until("it is named", || {
        complaints()[0]["event"] == "downstream.unawaited_answer"
    });
}

#[test]
fn what_the_registry_says_beside_is_shown() {
    let project = Project::new()
        .demo("one")
        .server("off", &["cat"], "enabled: false");
    let mut gateway = project.serve();
    gateway.tools();
    assert!(
        table(&project)
            .1
            .contains("Not enabled in the registry: off")
    );
    gateway.finish();
    fs::write(
        project.state().join("registry.yaml"),
        "version: \"1\"\nserver: []\n",
    )
    .unwrap();
    let (code, shown) = table(&project);
    assert_eq!(code, NOT_RUNNING);
    assert!(shown.contains("The registry can't be used"), "{shown}");
    assert!(shown.contains("registry.yaml:2:1:"), "{shown}");
}
