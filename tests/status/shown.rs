//! What the command shows, taken apart.

use crate::support::{Project, REA};
use serde_json::Value;
use std::process::{Command, Output};

/// What the exit codes mean.
pub(crate) const WELL: i32 = 0;
pub(crate) const NOT_RUNNING: i32 = 3;
pub(crate) const DEGRADED: i32 = 4;
pub(crate) const UNHEALTHY: i32 = 5;
pub(crate) const FROZEN: i32 = 6;

pub(crate) fn rea(project: &Project, arguments: &[&str]) -> Output {
    Command::new(REA)
        .args(arguments)
        .current_dir(&project.root)
        .env_remove("REA_ROOT")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The table, with its exit code. Nothing in it is wider than a terminal, or more than text.
pub(crate) fn table(project: &Project) -> (i32, String) {
    let output = rea(project, &["status"]);
    let shown = text(&output.stdout);
    for line in shown.lines() {
        assert!(line.chars().count() <= 80, "{line:?}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    (output.status.code().unwrap(), shown)
}

/// The JSON, with its exit code. It is as its schema says.
pub(crate) fn json(project: &Project) -> (i32, Value) {
    let output = rea(project, &["status", "--json"]);
    let status: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)));
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/status.schema.json")).unwrap();
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let problems: Vec<String> = validator
        .iter_errors(&status)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{problems:#?}\n{status:#}");
    (output.status.code().unwrap(), status)
}

/// One server of the JSON.
pub(crate) fn server(status: &Value, name: &str) -> Value {
    let servers = status["serve"]["downstreams"].as_array().cloned();
    servers
        .unwrap_or_default()
        .into_iter()
        .find(|server| server["name"] == name)
        .unwrap_or_else(|| panic!("no server {name} in {status:#}"))
}
