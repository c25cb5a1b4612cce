//! The disk and the clock are against it: nothing that is shown is false, and no call is held up.

use super::shown::{FROZEN, NOT_RUNNING, UNHEALTHY, WELL, json, rea, server, table};
use crate::support::{Preload, Project, until};
use serde_json::json;
use std::fs;

#[test]
fn a_disk_that_hangs_holds_up_no_call_and_no_end() {
    for part in [".atomicwrite", "serve.lock", "/logs/"] {
        let project = Project::new().script(
            "one",
            "echo words >&2; while read -r line; do greet \"$line\" || answer \"$line\" \"$done\"; done",
            "",
        );
        let mut command = project.command();
        let disk = Preload::before(&project, &mut command);
        disk.say(&format!("hang {part}\n"));
        let mut gateway = project.start_as(command);
        gateway.hello();
        for _ in 0..3 {
            let answer = gateway.call("one__t", &json!({}));
            assert_eq!(answer.text(), "done", "while {part} hangs");
        }
        gateway.end_input();
        assert!(gateway.wait().success(), "while {part} hangs");
    }
}

#[test]
fn a_disk_that_hangs_for_a_while_has_the_newest_state_afterwards() {
    let project = Project::new().demo("one");
    let mut command = project.command();
    let disk = Preload::before(&project, &mut command);
    let mut gateway = project.start_as(command);
    gateway.hello();
    gateway.tools();
    until("it is well", || json(&project).0 == WELL);
    disk.say("hang .atomicwrite\n");
    gateway.call("one__crash", &json!({}));
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    disk.say("");
    until("the second process is shown", || {
        server(&json(&project).1, "one")["generation"] == json!(2)
    });
}

#[test]
fn b24_a_change_that_could_not_be_written_is_written_when_it_can_be() {
    for rule in ["full .atomicwrite\n", "fail .atomicwrite\n"] {
        let project = Project::new().demo("one");
        let mut command = project.command();
        let disk = Preload::before(&project, &mut command);
        let mut gateway = project.start_as(command);
        gateway.hello();
        gateway.tools();
        until("it is well", || json(&project).0 == WELL);
        disk.say(rule);
        gateway.call("one__crash", &json!({}));
        assert!(gateway.call("one__echo", &json!({})).is_the_servers());
        until("the failure is told", || {
            project.stderr().contains("live_state.write_failed")
        });
        let generation = || server(&json(&project).1, "one")["generation"].clone();
        assert_eq!(generation(), json!(1), "an older state, whole");
        disk.say("");
        until("the second process is shown", || generation() == json!(2));
        gateway.finish();
        assert_eq!(
            project.stderr().matches("live_state.write_failed").count(),
            1
        );
        assert!(project.stderr().contains("live_state.resumed"));
    }
}

#[test]
fn a_gateway_that_has_no_place_to_be_seen_serves_all_the_same() {
    let project = Project::new().demo("one");
    project.write_registry();
    fs::write(project.state().join("sessions"), "").unwrap();
    let mut gateway = project.serve();
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    gateway.finish();
    assert!(project.stderr().contains("live_state.write_failed"));
    assert_eq!(json(&project).0, NOT_RUNNING);
}

#[test]
fn a_log_that_can_not_be_written_is_told() {
    let project = Project::new().demo("one");
    let mut command = project.command();
    let disk = Preload::before(&project, &mut command);
    let mut gateway = project.start_as(command);
    gateway.hello();
    gateway.tools();
    until("it is well", || json(&project).0 == WELL);
    disk.say("full /events/\n");
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    until("it is told", || json(&project).0 == UNHEALTHY);
    let log = &json(&project).1["serve"]["log"];
    assert_eq!(
        (&log["state"], &log["reason"]),
        (&json!("gap"), &json!("ENOSPC"))
    );
    assert!(
        table(&project)
            .1
            .contains("THE EVENT LOG CAN'T BE WRITTEN (ENOSPC)")
    );
}

#[test]
fn a_gateway_whose_state_can_not_be_written_is_not_taken_for_well_or_for_gone() {
    let project = Project::new().demo("one");
    let mut command = project.command();
    let disk = Preload::before(&project, &mut command);
    disk.say("full .atomicwrite\nfull /events/\n");
    let mut gateway = project.start_as(command);
    gateway.hello();
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    // In its first moments it may only be slow.
    until("it is told", || {
        let (code, status) = json(&project);
        assert_ne!(code, WELL);
        assert_ne!(code, NOT_RUNNING, "{status:#}");
        code == UNHEALTHY
    });
    let shown = table(&project)
        .1
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(shown.contains("has not written its state"), "{shown}");
    disk.say("");
    until("it is seen", || json(&project).0 == WELL);
}

#[test]
fn a_switch_that_can_not_be_looked_for_refuses_calls() {
    let project = Project::new().demo("one");
    let mut command = project.command();
    let disk = Preload::before(&project, &mut command);
    let mut gateway = project.start_as(command);
    gateway.hello();
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    disk.say("fail .rea/HALT\n");
    let refused = gateway.call("one__echo", &json!({}));
    assert_eq!(refused.fact("reason"), "halted");
    assert!(
        refused.text().contains("can't be looked for"),
        "{refused:?}"
    );
    disk.say("");
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    fs::create_dir(project.state().join("HALT")).unwrap();
    assert_eq!(
        gateway.call("one__echo", &json!({})).fact("reason"),
        "halted"
    );
    assert_eq!(json(&project).0, FROZEN);
    assert_eq!(
        rea(&project, &["unfreeze"]).status.code(),
        Some(1),
        "a folder is taken away by hand"
    );
}

#[test]
fn b37_a_clock_that_is_set_back_lengthens_no_lock() {
    let project = Project::new().server("dies", &["sh", "-c", "exit 3"], "lock_base: 1500ms");
    let mut command = project.command();
    let clock = Preload::before(&project, &mut command);
    let mut gateway = project.start_as(command);
    gateway.hello();
    let dies = || server(&json(&project).1, "dies");
    until("it is locked", || dies()["state"] == "flap_locked");
    let (generation, locked) = (dies()["generation"].clone(), dies());
    clock.say("clock -3600\n");
    until("it is tried again", || dies()["generation"] != generation);
    let (before, after) = (&locked["since"], &dies()["since"]);
    assert!(
        before.as_str().unwrap() < after.as_str().unwrap(),
        "times of one session go on: {before}, {after}"
    );
    let (_, shown) = table(&project);
    assert!(!shown.contains(" h"), "nothing is an hour old: {shown}");
}

#[test]
fn b27_nothing_but_protocol_is_written_to_standard_output() {
    // Whatever it hears there the harness takes apart as JSON-RPC.
    let project = Project::new()
        .demo("one")
        .server("gone", &["no-such-command"], "")
        .script("loud", "echo hello; exit 3", "");
    project.write_registry();
    fs::write(project.state().join("policy.yaml"), "profile: x\n").unwrap();
    rea(&project, &["freeze", "--reason", "x"]);
    let mut command = project.command();
    command
        .env("REA_LOG_LEVEL", "debug")
        .env("REA_METRICS_PORT", "0");
    let mut gateway = project.start_as(command);
    gateway.hello();
    gateway.tools();
    gateway.call("one__echo", &json!({}));
    gateway.call("__rea__health", &json!({}));
    gateway.end_input();
    assert!(gateway.wait().success());
    let heard = gateway.rest().to_vec();
    assert!(
        heard.iter().all(|message| message["jsonrpc"] == "2.0"),
        "{heard:?}"
    );
    assert!(project.stderr().lines().count() > 5);
}

#[test]
fn b28_the_end_of_input_ends_the_gateway() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    gateway.call("one__echo", &json!({}));
    gateway.end_input();
    assert!(gateway.wait().success());
    project.assert_nothing_is_left();
}
