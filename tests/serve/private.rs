//! Secrets are in no log, no error and no file.

use crate::support::{Gateway, Project, processes};
use serde_json::json;
use std::fs;

const VALUE: &str = "the-value-of-a-variable-9f3a";
const LOOKS: &str = "sk-abcdefghijklmnopqrstuvwxyz0123456789";

/// Whatever the gateway has written since it began.
fn assert_nowhere(project: &Project, gateway: &mut Gateway<'_>) {
    gateway.end_input();
    assert_eq!(gateway.wait().code(), Some(0));
    let mut texts = vec![("standard error".to_owned(), project.stderr())];
    texts.push(("standard output".to_owned(), {
        gateway.rest();
        gateway.heard_lines.join("\n")
    }));
    for folder in ["", "events", "logs"] {
        for (path, text) in project.state_files(folder) {
            texts.push((path.into_string(), text));
        }
    }
    let (_, _, summary) = project.replay();
    texts.push(("replay".to_owned(), summary));
    for (place, text) in texts {
        for secret in [VALUE, LOOKS] {
            assert!(!text.contains(secret), "{secret} in {place}:\n{text}");
        }
    }
}

/// Says its secrets wherever it can, but for its answers, which are passed on as they are.
const TALKATIVE: &str = r#"
echo "my key is $API_KEY and @LOOKS@" >&2
echo "stray $API_KEY @LOOKS@"
while read -r line; do
    greet "$line" && continue
    echo "ending: $API_KEY, {\"token\":\"$API_KEY\"} and @LOOKS@" >&2
    exit 5
done"#;

fn talkative() -> Project {
    Project::new().script(
        "talkative",
        &TALKATIVE.replace("@LOOKS@", LOOKS),
        "env: {API_KEY: '${SOURCE}'}",
    )
}

#[test]
fn a_servers_secrets_reach_no_log_no_error_and_no_file() {
    let project = talkative();
    let mut command = project.command();
    command.env("SOURCE", VALUE).env("REA_LOG_LEVEL", "trace");
    let mut gateway = project.start_as(command);
    gateway.hello();
    let pid = gateway.server("talkative.sh");
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    assert!(
        String::from_utf8_lossy(&environment).contains(VALUE),
        "the server itself has it"
    );
    let answer = gateway.call("talkative__t", &json!({}));
    assert!(answer.text().contains("ending: [REDACTED]"), "{answer:?}");
    processes::wait_for_end(pid);
    assert_nowhere(&project, &mut gateway);
    let logs = project.state_files("logs");
    assert!(
        logs.iter()
            .any(|(_, text)| text.contains("my key is [REDACTED]")),
        "{logs:?}"
    );
}

#[test]
fn what_is_called_is_logged_without_its_arguments() {
    let project = Project::new().demo("one");
    let mut command = project.command();
    command.env("REA_LOG_LEVEL", "trace");
    let mut gateway = project.start_as(command);
    gateway.hello();
    // Answers belong to the client alone, so what is looked for is in none of them.
    assert!(
        gateway
            .call("one__fail", &json!({ "secret": VALUE, "key": LOOKS }))
            .0["error"]
            .is_object()
    );
    gateway.call("one__crash", &json!({ "secret": VALUE, "key": LOOKS }));
    assert_nowhere(&project, &mut gateway);
    assert!(project.log().contains(r#""tool":"fail""#));
}

#[test]
fn a_tools_name_that_looks_like_a_secret_is_redacted_in_the_log() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    gateway.call(&format!("one__{LOOKS}"), &json!({}));
    assert!(
        project.log().contains(r#""tool":"[REDACTED]""#),
        "{}",
        project.log()
    );
    assert_nowhere(&project, &mut gateway);
}

#[test]
fn a_secret_in_a_registry_with_mistakes_is_not_shown() {
    let project = Project::new();
    fs::create_dir(project.state()).unwrap();
    let registry = format!(
        "version: \"1\"\nservers:\n  - {{name: a, command: x, env: {{API_KEY: [\"{VALUE}\"]}}}}\n"
    );
    fs::write(project.state().join("registry.yaml"), registry).unwrap();
    let output = project
        .command()
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("registry.yaml:3:") && !text.contains(VALUE),
        "{text}"
    );
}
