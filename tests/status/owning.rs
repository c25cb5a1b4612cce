//! Several gateways in one folder: one owns the state file, and who lives is never mistaken.

use super::shown::{NOT_RUNNING, WELL, json, table};
use crate::support::{Gateway, Project, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

fn owner(project: &Project) -> Value {
    json(project).1["serve"]["pid"].clone()
}

fn kill(mut gateway: Gateway<'_>) {
    let pid = Pid::from_raw(i32::try_from(gateway.pid()).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    gateway.wait();
}

/// Ends one of several cleanly.
fn end(mut gateway: Gateway<'_>) {
    gateway.end_input();
    assert!(gateway.wait().success());
}

/// What lies in the state folder that is neither a file nor a folder of ours.
fn strays(project: &Project) -> Vec<String> {
    let known = [
        "catalogue",
        "events",
        "logs",
        "sessions",
        ".gitignore",
        "registry.yaml",
        "serve.lock",
        "serve.state.json",
    ];
    let names = project.state().read_dir_utf8().unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().to_owned());
    names
        .filter(|name| !known.contains(&name.as_str()))
        .collect()
}

#[test]
fn two_gateways_are_both_seen_and_the_second_takes_over() {
    let project = Project::new().demo("one");
    let mut first = project.serve();
    first.tools();
    until("the first is well", || json(&project).0 == WELL);
    let mut second = project.serve();
    second.tools();
    until("both are seen", || {
        json(&project).1["others"][0]["pid"] == json!(second.pid())
    });
    assert_eq!(owner(&project), json!(first.pid()));
    assert!(table(&project).1.contains("Also running here:"));
    let second_pid = json!(second.pid());
    end(first);
    until("the second is shown", || owner(&project) == second_pid);
    until("the second owns the file", || {
        let text = fs::read_to_string(project.state().join("serve.state.json")).unwrap();
        let state: Value = serde_json::from_str(&text).unwrap();
        state["owner_pid"] == second_pid
    });
    assert_eq!(json(&project).0, WELL);
    second.finish();
    assert_eq!(json(&project).0, NOT_RUNNING);
}

/// The reference's fault: a lock by a number of a process that is gone, or is another's by now.
#[test]
fn b21_b22_b23_a_lock_file_that_is_left_behind_keeps_nobody_from_publishing() {
    let project = Project::new().demo("one");
    project.write_registry();
    for content in ["", "1 0000\n", &format!("{} x\n", std::process::id())] {
        fs::write(project.state().join("serve.lock"), content).unwrap();
        fs::write(project.state().join("serve.state.json.lock"), content).unwrap();
        let mut gateway = project.serve();
        gateway.tools();
        until("it is well", || json(&project).0 == WELL);
        assert_eq!(owner(&project), json!(gateway.pid()));
        kill(gateway);
        let (code, status) = json(&project);
        assert_eq!(
            (code, &status["serve"]["running"]),
            (NOT_RUNNING, &json!(false))
        );
    }
}

#[test]
fn b25_the_last_state_stays_for_whoever_looks_after_a_death() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    gateway.tools();
    gateway.finish();
    let file = project.state().join("serve.state.json");
    assert!(file.exists());
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(strays(&project), [""; 0]);
}

#[test]
fn b26_the_second_of_two_does_not_take_the_firsts_file_away() {
    let project = Project::new().demo("one");
    let mut first = project.serve();
    first.tools();
    until("the first is well", || json(&project).0 == WELL);
    let mut second = project.serve();
    second.tools();
    let session = second.pid();
    end(second);
    let (code, status) = json(&project);
    assert_eq!(code, WELL);
    assert_eq!(status["serve"]["pid"], json!(first.pid()));
    assert_ne!(status["serve"]["pid"], json!(session));
    assert_eq!(status["others"], json!([]));
}

#[test]
fn the_next_one_clears_away_what_the_dead_left_and_nothing_of_the_living() {
    let project = Project::new().demo("one");
    let mut killed = project.serve();
    killed.tools();
    kill(killed);
    let mut living = project.serve();
    living.tools();
    until("it is well", || json(&project).0 == WELL);
    let sessions = project.state().join("sessions");
    fs::create_dir_all(sessions.join("without-a-lock").join(".atomicwrite1")).unwrap();
    fs::write(sessions.join("without-a-folder.lock"), "").unwrap();
    let mut next = project.serve();
    next.tools();
    until("both are seen", || {
        json(&project).1["others"][0]["pid"] == json!(next.pid())
    });
    assert_eq!(owner(&project), json!(living.pid()));
    let mut left: Vec<String> = sessions
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_owned())
        .filter(|name| name != ".turn")
        .collect();
    left.sort();
    let status = json(&project).1;
    let mut expected: Vec<String> = [&status["serve"], &status["others"][0]]
        .iter()
        .map(|gateway| gateway["session_id"].as_str().unwrap().to_owned())
        .flat_map(|id| [format!("{id}.lock"), id])
        .collect();
    expected.sort();
    assert_eq!(left, expected);
}

#[test]
fn a_link_in_the_files_place_is_replaced_and_not_followed() {
    let project = Project::new().demo("one");
    project.write_registry();
    let elsewhere = project.base().join("elsewhere");
    fs::write(&elsewhere, "mine").unwrap();
    symlink(&elsewhere, project.state().join("serve.state.json")).unwrap();
    let mut gateway = project.serve();
    gateway.tools();
    until("it is well", || json(&project).0 == WELL);
    gateway.finish();
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
    let file = project.state().join("serve.state.json");
    assert!(fs::symlink_metadata(file).unwrap().is_file());
}

#[test]
fn a_lock_that_can_not_be_taken_is_said_and_the_gateway_is_seen_all_the_same() {
    let project = Project::new().demo("one");
    project.write_registry();
    let elsewhere = project.base().join("elsewhere");
    symlink(&elsewhere, project.state().join("serve.lock")).unwrap();
    let mut gateway = project.serve();
    gateway.tools();
    until("it is well", || json(&project).0 == WELL);
    assert_eq!(owner(&project), json!(gateway.pid()));
    gateway.finish();
    assert!(!elsewhere.exists());
    assert!(project.stderr().contains("live_state.write_failed"));
}

#[test]
fn whoever_cleans_the_folder_up_takes_nobody_out_of_sight() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    gateway.tools();
    until("it is well", || json(&project).0 == WELL);
    for name in ["sessions", "serve.lock", "serve.state.json"] {
        let path = project.state().join(name);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }
    gateway.call("one__crash", &json!({}));
    until("it is seen again", || {
        owner(&project) == json!(gateway.pid())
    });
    until("it is well again", || json(&project).0 == WELL);
    gateway.finish();
    assert_eq!(json(&project).0, NOT_RUNNING);
}

#[test]
fn a_pipe_in_the_files_place_keeps_nobody_waiting() {
    let project = Project::new().demo("one");
    project.write_registry();
    let file = project.state().join("serve.state.json");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        file.as_std_path(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert_eq!(json(&project).0, NOT_RUNNING);
    let mut gateway = project.serve();
    gateway.tools();
    until("it is well", || json(&project).0 == WELL);
    gateway.finish();
}

#[test]
fn a_gateway_that_can_not_take_its_place_at_once_takes_it_later() {
    let project = Project::new().demo("one");
    project.write_registry();
    fs::write(project.state().join("sessions"), "").unwrap();
    let mut gateway = project.serve();
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    assert_eq!(json(&project).0, NOT_RUNNING);
    fs::remove_file(project.state().join("sessions")).unwrap();
    until("it is seen", || json(&project).0 == WELL);
    gateway.finish();
}
