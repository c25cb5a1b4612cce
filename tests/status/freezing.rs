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
