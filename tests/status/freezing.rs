//! `rea freeze` and `rea unfreeze`.

use super::shown::{FROZEN, WELL, json, rea, table};
use crate::support::{Project, until};
use serde_json::json;

fn said(project: &Project, arguments: &[&str]) -> (Option<i32>, String) {
    let output = rea(project, arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn a_frozen_gateway_refuses_every_call_until_it_is_unfrozen() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    let slow = gateway.ask_call("one__slow", &json!({"ms": 500}));

    let (code, text) = said(&project, &["freeze", "--reason", "an incident"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("frozen: every call is refused"), "{text}");
    let refused = gateway.call("one__echo", &json!({}));
    assert_eq!(refused.fact("reason"), "halted");
    assert!(refused.text().contains("an incident"), "{refused:?}");
    assert!(gateway.answer(slow).is_the_servers(), "it was under way");
    assert_eq!(project.calls("one"), ["echo", "slow"]);
    let (code, status) = json(&project);
    assert_eq!(code, FROZEN);
    assert_eq!(status["policy"]["halt_active"], json!(true));
    assert_eq!(status["policy"]["halt_reason"], "an incident");
    assert!(
        table(&project)
            .1
            .contains("FROZEN: every call is refused: an incident.")
    );

    assert_eq!(said(&project, &["unfreeze"]).0, Some(0));
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    until("it is well", || json(&project).0 == WELL);
    gateway.finish();
    let (_, rows, _) = project.replay();
    assert!(rows.contains("refused: halted"), "{rows}");
}

#[test]
fn an_explanation_says_that_calls_are_refused() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    gateway.call("one__echo", &json!({}));
    said(&project, &["freeze", "--reason", "an incident"]);
    let (code, text) = said(&project, &["explain", "one"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("FROZEN: every call is refused"), "{text}");
    assert!(text.contains("an incident"), "{text}");
    said(&project, &["unfreeze"]);
    assert!(!said(&project, &["explain", "one"]).1.contains("FROZEN"));
    gateway.finish();
}

/// The state folder can be another one the next time; a switch that was thrown stays thrown.
#[test]
fn a_switch_that_was_thrown_in_the_users_folder_counts_in_the_projects_too() {
    let project = Project::new().demo("one");
    project.write_registry();
    let state = project.base().join("state");
    let with_state = |command: &mut std::process::Command| {
        command.env("XDG_STATE_HOME", &state);
    };
    let digest = blake3::hash(project.root.as_str().as_bytes()).to_hex();
    let folder = state.join("rea").join(&digest.as_str()[..32]);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("HALT"), "from before").unwrap();
    let mut command = project.command();
    with_state(&mut command);
    let mut gateway = project.start_as(command);
    gateway.hello();
    let refused = gateway.call("one__echo", &json!({}));
    assert_eq!(refused.fact("reason"), "halted");
    let mut unfreeze = std::process::Command::new(crate::support::REA);
    unfreeze.arg("unfreeze").current_dir(&project.root);
    with_state(&mut unfreeze);
    assert!(unfreeze.output().unwrap().status.success());
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    gateway.finish();
}

#[test]
fn a_gateway_that_starts_frozen_says_so() {
    let project = Project::new().demo("one");
    project.write_registry();
    assert_eq!(said(&project, &["freeze", "--reason", "x"]).0, Some(0));
    let mut gateway = project.serve();
    let refused = gateway.call("one__echo", &json!({}));
    assert_eq!(refused.fact("reason"), "halted");
    gateway.finish();
    assert!(project.stderr().contains("halt.acknowledged_at_startup"));
}

#[test]
fn what_can_not_be_frozen_is_said() {
    let project = Project::new().demo("one");
    let (code, text) = said(&project, &["freeze", "--reason", "x"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("say which project"), "{text}");
    project.write_registry();
    let (code, text) = said(&project, &["freeze"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("--reason"), "{text}");
    let (code, text) = said(&project, &["freeze", "--reason", ""]);
    assert_eq!(code, Some(1));
    assert!(text.contains("the reason is empty"), "{text}");
    let (code, text) = said(&project, &["unfreeze"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("was not frozen"), "{text}");
}
