//! What a gateway writes, where, and who may read it.

use crate::support::{Gateway, Project, REA, Streams};
use camino::Utf8Path;
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

fn mode(path: &Utf8Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Utf8Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn folders_and_files_are_the_owners_alone() {
    let project = Project::new().script(
        "one",
        "echo words >&2; while read -r line; do greet \"$line\" || answer \"$line\" \"$done\"; done",
        "",
    );
    let mut gateway = project.serve();
    gateway.call("one__t", &json!({}));
    gateway.finish();
    assert_eq!(mode(&project.state()), 0o700);
    for folder in ["events", "logs"] {
        assert_eq!(mode(&project.state().join(folder)), 0o700, "{folder}");
        let files = project.state_files(folder);
        assert!(!files.is_empty(), "{folder}");
        for (file, _) in files {
            assert_eq!(mode(&file), 0o600, "{file}");
        }
    }
    assert_eq!(mode(&project.state().join(".gitignore")), 0o600);
}

#[test]
fn only_the_configuration_belongs_into_version_control() {
    let project = Project::new().demo("one");
    project.serve().finish();
    let ignored = project.state().join(".gitignore");
    let text = fs::read_to_string(&ignored).unwrap();
    let mut rules = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(rules.next(), Some("*"));
    assert!(rules.any(|rule| rule == "!registry.yaml"), "{text}");

    fs::write(&ignored, "mine\n").unwrap();
    project.serve().finish();
    assert_eq!(
        fs::read_to_string(&ignored).unwrap(),
        "mine\n",
        "what a person wrote stays"
    );
}

#[test]
fn a_project_that_can_not_be_written_has_its_state_with_the_user() {
    const NOBODY: u32 = 65_534;
    let base = Project::new();
    let binary = base.base().join("rea");
    fs::copy(REA, &binary).unwrap();
    let project = base.server("one", &[binary.as_str(), "demo-server"], "");
    project.write_registry();
    let user = project.base().join("user");
    fs::create_dir(&user).unwrap();
    set_mode(project.base(), 0o755);
    set_mode(&user, 0o777);
    set_mode(&project.state(), 0o555);
    let with_user = |mut command: Command| {
        command.env("XDG_STATE_HOME", &user);
        // Nothing keeps root from writing.
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY);
        }
        command
    };
    let mut command = Command::new(&binary);
    command
        .arg("serve")
        .current_dir(&project.root)
        .env_remove("REA_ROOT");
    let mut gateway = Gateway::start(&project, with_user(command), Streams::default());
    gateway.hello();
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    gateway.finish();
    assert!(!project.state().join("events").exists());
    let said = project.stderr().matches("gateway.state_elsewhere").count();
    assert_eq!(said, 1, "{}", project.stderr());

    let mut replay = Command::new(&binary);
    replay
        .args(["replay", "--root", project.root.as_str()])
        .env_remove("REA_ROOT");
    let status = with_user(replay).output().unwrap().status;
    assert_eq!(status.code(), Some(0));
    set_mode(&project.state(), 0o755);
}

#[test]
fn a_log_that_can_not_be_written_stops_no_call() {
    let project = Project::new()
        .with("journal: {dir: file/below}")
        .demo("one");
    fs::write(project.root.join("file"), "").unwrap();
    let mut gateway = project.serve();
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    gateway.finish();
    let said = project.stderr().matches("gateway.log_gap").count();
    assert_eq!(said, 1, "{}", project.stderr());
}

#[test]
fn a_log_that_is_required_and_can_not_be_written_refuses_calls() {
    let project = Project::new()
        .with("journal: {mode: required, dir: file/below}")
        .demo("one");
    fs::write(project.root.join("file"), "").unwrap();
    let mut gateway = project.serve();
    let answer = gateway.call("one__echo", &json!({}));
    assert_eq!(answer.fact("reason"), "not_logged");
    assert_eq!(answer.fact("executed"), "no");
    assert!(project.calls("one").is_empty());
    gateway.end_input();
    assert_eq!(
        gateway.wait().code(),
        Some(1),
        "the log that was required is not there"
    );
    project.assert_nothing_is_left();
}

#[test]
fn a_log_that_is_not_wanted_is_not_written() {
    let project = Project::new().with("journal: off").demo("one");
    let mut gateway = project.serve();
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    gateway.finish();
    assert!(project.state_files("events").is_empty());
}

#[test]
fn two_gateways_of_one_project_have_logs_of_their_own() {
    let project = Project::new().demo("one");
    let mut first = project.serve();
    let mut second = project.serve();
    assert!(first.call("one__echo", &json!({})).is_the_servers());
    assert!(second.call("one__echo", &json!({})).is_the_servers());
    // Nothing of the other's may be left while both are there, so each ends by itself first.
    for gateway in [&mut first, &mut second] {
        gateway.end_input();
        assert_eq!(gateway.wait().code(), Some(0));
    }
    let logs = project.state_files("events");
    let count = logs
        .iter()
        .filter(|(path, _)| path.extension() == Some("jsonl"))
        .count();
    assert_eq!(count, 2);
    for (path, _) in logs
        .iter()
        .filter(|(path, _)| path.extension() == Some("jsonl"))
    {
        let replay = Command::new(REA)
            .args(["replay", path.as_str()])
            .output()
            .unwrap();
        assert_eq!(replay.status.code(), Some(0), "{path}");
    }
}
