//! A secret is shown nowhere: not in a file, a log, a metric, a table, an explanation or a health answer.

use super::shown::{json, rea};
use crate::support::{Gateway, Project, until};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

const VALUE: &str = "the-value-of-a-variable-9f3a";

fn looks() -> String {
    // Not in one piece, or whoever looks for secrets in repositories finds this one.
    ["sk", "-", "abcdefghijklmnopqrstuvwxyz0123456789"].concat()
}

/// Says both wherever a server can say anything.
fn talkative(project: Project) -> Project {
    let body = r#"
echo "stderr $API_KEY @" >&2
echo "stray $API_KEY @"
while read -r line; do
    case $line in
    *'"tools/list"'*) answer "$line" '{"tools":[{"name":"t","inputSchema":{"type":"object"}},{"name":"@","inputSchema":{"type":"object"}}]}' ;;
    *'"name":"error"'*) id=${line##*\"id\":}; id=${id%%[,\}]*}; printf '{"jsonrpc":"2.0","id":%s,"error":{"code":1,"message":"error %s @"}}\n' "$id" "$API_KEY" ;;
    *'"name":"say"'*) answer "$line" "{\"content\":[{\"type\":\"text\",\"text\":\"say $API_KEY @\"}]}" ;;
    *'"name":"lines"'*) answer "$line" '{"content":[{"type":"text","text":"first\n@\tsecond\t@ postgres:\/\/u:hunter2xx\u0040h"}]}' ;;
    *'"tools/call"'*) echo "exit $API_KEY @" >&2; exit 5 ;;
    *) greet "$line" ;;
    esac
done"#;
    project.script(
        "one",
        &body.replace('@', &looks()),
        "env: {API_KEY: '${SOURCE}'}, restart_window: 60s, lock_base: 60s, lock_max: 300s",
    )
}

fn serve<'a>(project: &'a Project, more: &[(&str, &str)]) -> Gateway<'a> {
    let mut command = project.command();
    command.env("SOURCE", VALUE).env("REA_LOG_LEVEL", "trace");
    command.envs(more.iter().copied());
    let mut gateway = project.start_as(command);
    gateway.hello();
    gateway
}

fn metrics(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.contains("rea_downstream_calls_total"), "{text}");
    text
}

/// Every file below a folder, with its text.
fn files(folder: &camino::Utf8Path, found: &mut Vec<(String, String)>) {
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.is_dir() {
            files(&path, found);
        } else {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            found.push((path.into_string(), text));
        }
    }
}

#[test]
fn a_secret_that_a_server_says_is_shown_nowhere() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let number = port.local_addr().unwrap().port();
    drop(port);
    let project = talkative(Project::new());
    project.write_registry();
    let policy = "gateway: {health: {expose_diagnostics: true}}\n";
    fs::write(project.state().join("policy.yaml"), policy).unwrap();
    let mut gateway = serve(&project, &[("REA_METRICS_PORT", &number.to_string())]);
    gateway.tools();
    // Its own answers are the client's, and pass as they are.
    let said = gateway.call("one__error", &json!({}));
    assert!(said.text().contains(VALUE), "{said:?}");
    gateway.call(&format!("one__{}", looks()), &json!({}));
    gateway.call("one__t", &json!({}));
    until("it is down", || {
        json(&project).1["serve"]["downstreams"][0]["state"] == "flap_locked"
    });
    let mut texts = vec![("metrics".to_owned(), metrics(number))];
    let lost = gateway.call("one__t", &json!({}));
    texts.push(("refusal".to_owned(), lost.0.to_string()));
    let health = gateway.call("__rea__health", &json!({}));
    assert!(health.text().contains("exit code 5"), "{health:?}");
    texts.push(("health".to_owned(), health.0.to_string()));
    rea(
        &project,
        &["freeze", "--reason", &format!("{VALUE} {}", looks())],
    );
    let frozen = gateway.call("one__t", &json!({}));
    assert!(
        frozen.text().contains("Kill switch active: [REDACTED]"),
        "{frozen:?}"
    );
    texts.push(("frozen".to_owned(), frozen.0.to_string()));
    rea(&project, &["unfreeze"]);
    for command in [
        &["status"][..],
        &["status", "--json"],
        &["explain", "one"],
        &["explain", "one", "--json"],
        &["replay"],
        &["replay", "--json"],
    ] {
        let output = rea(&project, command);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!text.is_empty());
        texts.push((command.join(" "), text));
    }
    gateway.finish();
    texts.push(("standard error".to_owned(), project.stderr()));
    files(&project.state(), &mut texts);
    let mut kept_names = 0;
    for (place, text) in texts {
        assert!(!text.contains(VALUE), "the value in {place}:\n{text}");
        // What a tool is called the next session has to know.
        if place.contains("/catalogue/") {
            kept_names += text.matches(&looks()).count();
        } else {
            assert!(
                !text.contains(&looks()),
                "the look of one in {place}:\n{text}"
            );
        }
    }
    assert!(kept_names > 0, "the catalogue keeps a tool's name as it is");
}

/// Lines are cut before they are written, and what a cut leaves of a secret looks like none.
#[test]
fn a_secret_across_the_cut_of_a_long_line_leaves_nothing_in_the_file() {
    let secret = ["sk", "-ant-", &"Aa1Bb2Cc3Dd4".repeat(8)].concat();
    let body = format!(
        "for room in 16300 16330 16360 16380 16384; do printf \"%${{room}}s\" . | tr ' ' '.' >&2; echo '{secret} end' >&2; done\n\
         printf '%70000s' . | tr ' ' '.' >&2; echo '{secret}' >&2\n\
         echo 'last line' >&2\n\
         while read -r line; do greet \"$line\"; done"
    );
    let project = Project::new().script("one", &body, "");
    project.write_registry();
    let mut gateway = project.serve();
    gateway.hello();
    until("all is written", || {
        let files = project.state_files("logs");
        files.iter().any(|(_, text)| text.contains("last line"))
    });
    gateway.finish();
    for (path, text) in project.state_files("logs") {
        assert!(!text.contains("sk-"), "{path}");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7, "{path}");
        assert!(lines.iter().all(|line| line.len() < 16_500), "{path}");
        assert!(lines[0].ends_with(".[REDACTED] end"), "{path}");
        assert!(lines[5].ends_with("…[truncated]"), "{path}");
    }
}

#[test]
fn a_project_says_what_else_is_secret() {
    let project = Project::new().script(
        "one",
        "while read -r line; do greet \"$line\" || { echo 'last words: CUST-12345678' >&2; exit 5; }; done",
        "",
    );
    project.write_registry();
    let policy = "redact: {patterns: [{name: customer, regex: 'CUST-[0-9]{8}'}]}\n";
    fs::write(project.state().join("policy.yaml"), policy).unwrap();
    let mut gateway = project.serve();
    let lost = gateway.call("one__t", &json!({}));
    assert!(lost.text().contains("last words: [REDACTED]"), "{lost:?}");
    gateway.finish();
    for (path, text) in project.state_files("logs") {
        assert!(!text.contains("CUST-"), "{path}: {text}");
    }
}

#[test]
fn arguments_and_results_are_looked_through_where_the_policy_says_so() {
    let project = talkative(Project::new()).demo("echo");
    project.write_registry();
    let policy = "redact: {arguments: true, results: true}\n";
    fs::write(project.state().join("policy.yaml"), policy).unwrap();
    let mut gateway = serve(&project, &[]);
    let echoed = gateway.call("echo__echo", &json!({"a": looks(), "b": "plain"}));
    let arguments: Value = serde_json::from_str(echoed.text()).unwrap();
    assert_eq!(arguments, json!({"a": "[REDACTED]", "b": "plain"}));
    // What JSON escapes stands right before the secret, or is in it.
    let escaped = json!({
        "a": format!("first\n{}", looks()),
        "b": format!("x\t{}\n", looks()),
        "c": format!("{{\"k\":\"x\\n{}\"}}", looks()),
        "d": r"postgres:\/\/u:hunter2xx@h",
    });
    let echoed = gateway.call("echo__echo", &escaped);
    let arguments: Value = serde_json::from_str(echoed.text()).unwrap();
    assert_eq!(
        arguments,
        json!({
            "a": "first\n[REDACTED]",
            "b": "x\t[REDACTED]\n",
            "c": "{\"k\":\"x\\n[REDACTED]\"}",
            "d": r"postgres:\/\/u:[REDACTED]@h",
        })
    );
    let said = gateway.call("one__say", &json!({}));
    assert_eq!(said.text(), "say [REDACTED] [REDACTED]");
    let lines = gateway.call("one__lines", &json!({}));
    assert_eq!(
        lines.text(),
        "first\n[REDACTED]\tsecond\t[REDACTED] postgres://u:[REDACTED]@h"
    );
    let error = gateway.call("one__error", &json!({}));
    assert_eq!(error.text(), "error [REDACTED] [REDACTED]");
}

#[test]
fn a_policy_with_a_mistake_is_told_and_nothing_is_served() {
    let project = Project::new().demo("one");
    project.write_registry();
    for (policy, told) in [
        (
            "redact:\n  patterns:\n    - {name: backwards, regex: '(a)\\1'}\n",
            "backwards",
        ),
        ("version: \"1\"\nredacted: {}\n", "policy.yaml:2:"),
    ] {
        fs::write(project.state().join("policy.yaml"), policy).unwrap();
        let output = rea(&project, &["serve"]);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(told), "{said}");
    }
}

/// The whole of what the reference's own tool writes.
#[test]
fn a_policy_of_the_reference_is_taken_as_it_is() {
    let project = Project::new().demo("one");
    project.write_registry();
    let policy = "version: \"1\"\nprofile: bst-internal\ninstalled_by: me\nautonomy_level: L1\nmax_autonomy_level: L2\n\
        promotion_requires_human_approval: true\nblock_ai_attribution: true\nblocked_paths: [.env, secrets/]\n\
        notification_channel: \"\"\nreview: {codex_required: true}\n";
    fs::write(project.state().join("policy.yaml"), policy).unwrap();
    let mut gateway = project.serve();
    let health = gateway.call("__rea__health", &json!({}));
    let told = &health.0["result"]["structuredContent"]["policy"];
    assert_eq!(told["profile"], "bst-internal");
    assert_eq!(told["blocked_paths_count"], json!(2));
    let (_, status) = json(&project);
    assert_eq!(status["policy"]["autonomy_level"], "L1");
    assert_eq!(status["policy"]["codex_required"], json!(true));
    gateway.finish();
    assert_eq!(project.stderr().matches("policy.warning").count(), 1);
}

#[test]
fn without_a_policy_the_health_tool_tells_that_something_is_wrong_and_not_why() {
    let project = Project::new().server("gone", &["no-such-command"], "");
    let mut gateway = project.serve();
    until("it is blocked", || {
        json(&project).1["serve"]["downstreams"][0]["state"] == "blocked"
    });
    let health = gateway.call("__rea__health", &json!({}));
    let told = &health.0["result"]["structuredContent"];
    let server = &told["downstreams"][0];
    assert_eq!(server["state"], "blocked");
    assert_eq!(
        (&server["last_error"], &server["next"]),
        (&Value::Null, &json!([]))
    );
    assert!(!health.text().contains("no-such-command"), "{health:?}");
    let hint = told["gateway"]["diagnostics"].as_str().unwrap();
    assert!(hint.contains("expose_diagnostics"), "{hint}");
}
