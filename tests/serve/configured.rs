//! Registries with mistakes, and how the project's folder is found.

use crate::support::{Gateway, Project, Streams};
use serde_json::json;
use std::fs;
use std::process::{Command, Output, Stdio};

fn failed(project: &Project) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = project.command().stdin(Stdio::null()).output().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(stdout.is_empty(), "only protocol goes to standard output");
    String::from_utf8(stderr).unwrap()
}

fn failed_with(registry: &str) -> String {
    let project = Project::new();
    fs::create_dir(project.state()).unwrap();
    fs::write(project.state().join("registry.yaml"), registry).unwrap();
    failed(&project)
}

#[test]
fn without_a_registry_it_is_said_how_one_is_made() {
    let text = failed(&Project::new());
    assert!(text.contains(".rea/registry.yaml"), "{text}");
    assert!(
        text.contains("servers:") && text.contains("command:"),
        "{text}"
    );
}

#[test]
fn an_unknown_key_names_file_and_line() {
    let text = failed_with("version: \"1\"\nservers:\n  - name: a\n    comand: x\n");
    assert!(text.contains("registry.yaml:4:"), "{text}");
    assert!(
        text.contains("comand") && text.contains("command"),
        "{text}"
    );
}

#[test]
fn every_mistake_is_named_at_once() {
    let text =
        failed_with("version: \"2\"\nservers:\n  - {name: a__b, command: x}\n  - {name: c}\n");
    for line in [1, 3, 4] {
        assert!(
            text.contains(&format!("registry.yaml:{line}:")),
            "{line} in {text}"
        );
    }
}

#[test]
fn what_is_no_yaml_names_file_and_line() {
    let text = failed_with("version: \"1\"\nservers: [\n");
    assert!(text.contains("registry.yaml:"), "{text}");
}

#[test]
fn no_servers_is_a_gateway_without_tools() {
    let project = Project::new();
    fs::create_dir(project.state()).unwrap();
    fs::write(
        project.state().join("registry.yaml"),
        "version: \"1\"\nservers: []\n",
    )
    .unwrap();
    let mut gateway = Gateway::start(&project, project.command(), Streams::default());
    gateway.hello();
    assert!(gateway.tools().is_empty());
    gateway.finish();
    assert!(project.stderr().contains("No downstream servers"));
}

#[test]
fn a_command_that_does_not_exist_blocks_its_server_only() {
    let project = Project::new()
        .demo("good")
        .server("lost", &["no-such-program-anywhere"], "");
    let mut gateway = project.serve();
    let answer = gateway.call("lost__t", &json!({}));
    assert_eq!(answer.fact("reason"), "blocked");
    assert_eq!(answer.fact("executed"), "no");
    assert!(
        answer.text().contains("no-such-program-anywhere"),
        "{answer:?}"
    );
    assert!(answer.text().contains("PATH"), "{answer:?}");
    assert!(gateway.call("good__echo", &json!({})).is_the_servers());
    gateway.finish();
    project.assert_replays();
}

#[test]
fn a_missing_variable_blocks_its_server_only_and_is_named() {
    let project = Project::new().demo("good").demo_with(
        "poor",
        &[],
        "env: {TOKEN: '${A_TOKEN_THAT_NOBODY_SET}'}",
    );
    let mut gateway = project.serve();
    let answer = gateway.call("poor__echo", &json!({}));
    assert_eq!(answer.fact("reason"), "blocked");
    assert!(
        answer.text().contains("A_TOKEN_THAT_NOBODY_SET"),
        "{answer:?}"
    );
    assert!(gateway.call("good__echo", &json!({})).is_the_servers());
    assert!(project.calls("poor").is_empty());
    gateway.finish();
}

#[test]
fn a_missing_folder_blocks_its_server_only() {
    let project = Project::new()
        .demo("good")
        .demo_with("lost", &[], "cwd: nowhere");
    let mut gateway = project.serve();
    let answer = gateway.call("lost__echo", &json!({}));
    assert_eq!(answer.fact("reason"), "blocked");
    assert!(answer.text().contains("nowhere"), "{answer:?}");
    assert!(gateway.call("good__echo", &json!({})).is_the_servers());
    gateway.finish();
}

/// A gateway whose working directory is not the project's folder.
fn serves_the_project(project: &Project, arrange: impl FnOnce(&mut Command)) {
    let mut command = project.command();
    arrange(&mut command);
    let mut gateway = project.start_as(command);
    gateway.hello();
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    gateway.finish();
    assert!(project.state().join("events").is_dir());
}

#[test]
fn the_projects_folder_is_an_option() {
    let project = Project::new().demo("one");
    serves_the_project(&project, |command| {
        // The option wins over the variable.
        command
            .current_dir(project.base())
            .env("REA_ROOT", "/nowhere")
            .args(["--root", project.root.as_str()]);
    });
}

#[test]
fn the_projects_folder_is_a_variable() {
    let project = Project::new().demo("one");
    serves_the_project(&project, |command| {
        command
            .current_dir(project.base())
            .env("REA_ROOT", &project.root);
    });
}

#[test]
fn the_projects_folder_is_the_nearest_one_upward() {
    let project = Project::new().demo("one");
    let deep = project.root.join("a/b/c");
    fs::create_dir_all(&deep).unwrap();
    serves_the_project(&project, |command| {
        command.current_dir(&deep);
    });
}

#[test]
fn a_folder_that_does_not_exist_is_an_error_that_names_it() {
    let project = Project::new();
    let output = project
        .command()
        .args(["--root", "gone"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("--root") && text.contains("gone"), "{text}");
    let reason = "No such file or directory";
    assert_eq!(text.matches(reason).count(), 1, "said once: {text}");
}
