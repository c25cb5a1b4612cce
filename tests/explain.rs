//! `rea explain` as a person runs it: real gateways over servers that break, and what is said.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod journal_support;
mod support;

use camino::Utf8PathBuf;
use regex::Regex;
use serde_json::{Value, json};
use std::fs;
use support::{Project, REA, processes, until};

/// Locked for longer than a test takes.
const LOCKED_FOR_LONG: &str = "restart_window: 30s, lock_base: 30s";

fn rea(project: &Project, arguments: &[&str]) -> (i32, String, String) {
    let output = std::process::Command::new(REA)
        .arg("explain")
        .args(arguments)
        .args(["--root", project.root.as_str()])
        .env_remove("REA_ROOT")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

fn explain(project: &Project, server: &str) -> String {
    let (code, told, error) = rea(project, &[server]);
    assert_eq!((code, error.as_str()), (0, ""));
    normalised(project, &told)
}

/// Without what differs from run to run.
fn normalised(project: &Project, told: &str) -> String {
    let told = told.replace(project.root.as_str(), "ROOT");
    [
        (r"\d{4}-\d\d-\d\d", "DAY"),
        (r"\d\d:\d\d:\d\d\.\d{3}", "TIME"),
        (r"seq \d+ to \d+", "seq N to N"),
        (r"seq \d+ +", "seq N  "),
        (r"Process \d+", "Process P"),
        (r"session \w+", "session S"),
        (r"(\w+)\.\w+\.log", "$1.S.log"),
        (r"looked in: [^;]+;", "looked in: PATH;"),
    ]
    .into_iter()
    .fold(told, |told, (what, by)| {
        let what = Regex::new(what).unwrap();
        what.replace_all(&told, by).into_owned()
    })
}

fn wait_for_log(project: &Project, part: &str) {
    until(part, || project.log().contains(part));
}

const KILLED: &str = "\
DAY
  TIME  seq N  It became ready (generation 1), with 4 tools.
  TIME  seq N  2 calls were answered (seq N to N).
  TIME  seq N  The process (generation 1) ended: signal 9 (KILL). It is started again at once (restart 1 of 1).
  TIME  seq N  Process P was started (generation 2).
  TIME  seq N  It became ready (generation 2), with 4 tools.
  TIME  seq N  1 call was answered.
";

#[test]
fn a_server_that_was_killed_is_told_of_and_of_its_return() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    for _ in 0..2 {
        gateway.call("one__echo", &json!({}));
    }
    let pid = gateway.server("one.calls");
    processes::kill(pid);
    gateway.next_server("one.calls", pid);
    gateway.call("one__echo", &json!({}));
    assert_eq!(
        explain(&project, "one"),
        format!(
            "\
Server `one` in session S. Times are UTC.

{KILLED}
Now:   Since TIME it is ready; calls are passed on. Its circuit is closed.
Next:  Nothing is in the way: it is kept running, and started again if it ends.
"
        )
    );
    gateway.finish();
    assert_eq!(
        explain(&project, "one"),
        format!(
            "\
Server `one` in session S. Times are UTC.
This gateway has ended: it was stopped at TIME.

{KILLED}  TIME  seq N  The gateway began to end: the client's input has ended.
  TIME  seq N  The gateway began to end, and stopped it. Its process is being ended.
  TIME  seq N  The process (generation 2) ended: exit code 0.

Now:   Since TIME it is stopped. Before the gateway stopped it, since TIME, it was ready; calls are passed on. Its circuit is closed.
Next:  It is started again with the next gateway, which its client starts.
"
        )
    );
}

#[test]
fn a_healthy_server_is_told_how_it_became_so() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    for _ in 0..1_100 {
        gateway.call("one__echo", &json!({}));
    }
    let told = explain(&project, "one");
    let parts = [
        "  The gateway began to keep it running.\n",
        "  Process P was started (generation 1).\n",
        "  It became ready (generation 1), with 4 tools.\n",
        "  1,100 calls were answered (seq N to N).\n",
    ];
    let mut rest = told.as_str();
    for part in parts {
        rest = rest
            .split_once(part)
            .unwrap_or_else(|| panic!("{part} in {told}"))
            .1;
    }
    gateway.finish();
}

#[test]
fn a_server_that_exits_at_once_is_locked_and_its_last_words_are_shown() {
    let project = Project::new().script(
        "one",
        "echo 'no such database: \u{1b}[2J' >&2; exit 4",
        LOCKED_FOR_LONG,
    );
    let mut gateway = project.serve();
    gateway.call("one__t", &json!({}));
    until("its words are kept", || {
        let kept = project.state_files("logs");
        kept.first()
            .is_some_and(|(_, text)| text.lines().count() == 2)
    });
    assert_eq!(
        explain(&project, "one"),
        "\
Server `one` in session S. Times are UTC.

DAY
  TIME  seq N  The gateway began to keep it running.
  TIME  seq N  Process P was started (generation 1).
  TIME  seq N  The process (generation 1) ended before it was ready: exit code 4. It is started again at once (restart 1 of 1).
  TIME  seq N  Process P was started (generation 2).
  TIME  seq N  The process (generation 2) ended before it was ready: exit code 4. Its restarts are used up: it is locked until TIME. 1 call was refused because it is locked.

Now:   Since TIME it is locked, because it failed too often; calls fail at once. Its circuit is closed. Last error: child process exited unexpectedly: exit code 4.
Next:  It is tried once more at TIME; if that fails, it is locked again.
       Read what it wrote to its standard error: ROOT/.rea/logs/one.S.log
Its last words on standard error:
  | no such database: \\u{1b}[2J
  | no such database: \\u{1b}[2J
"
    );
    let (code, object, _) = rea(&project, &["one", "--json"]);
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!(code, 0);
    assert_eq!(object["server"], "one");
    assert_eq!(object["live"], true);
    assert_eq!(object["state"], "flap_locked");
    assert_eq!(object["left_out"], 0);
    let links = object["links"].as_array().unwrap();
    let states: Vec<_> = links.iter().map(|link| &link["state_after"]).collect();
    assert_eq!(
        states,
        [
            "connecting",
            "connecting",
            "connecting",
            "connecting",
            "flap_locked"
        ]
    );
    assert_eq!(links[4]["at"], object["since"]);
    let iso = Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$").unwrap();
    assert!(iso.is_match(links[0]["at"].as_str().unwrap()), "{object}");
    assert_eq!(links[0]["seq"], 1);
    assert_eq!(object["next"].as_array().unwrap().len(), 2);
    assert_eq!(object["last_words"][0], "no such database: \\u{1b}[2J");
    gateway.finish();
    let told = explain(&project, "one");
    assert!(
        told.contains("it was locked, because it failed too often"),
        "{told}"
    );
    assert!(told.contains("standard error: ROOT/.rea/logs/one.S.log"));
}

#[test]
fn a_missing_variable_is_named_with_the_place_to_set_it() {
    let project =
        Project::new().demo_with("one", &[], "env: {TOKEN: '${A_TOKEN_THAT_NOBODY_SET}'}");
    let mut gateway = project.serve();
    gateway.call("one__echo", &json!({}));
    assert_eq!(
        explain(&project, "one"),
        "\
Server `one` in session S. Times are UTC.

DAY
  TIME  seq N  The gateway began to keep it running.
  TIME  seq N  It could not be started: missing env: A_TOKEN_THAT_NOBODY_SET; set it where the gateway is started. It is blocked: it is not tried again until somebody changes something.
  TIME  seq N  1 call was refused because it is blocked.

Now:   Since TIME it is blocked, calls fail at once: missing env: A_TOKEN_THAT_NOBODY_SET; set it where the gateway is started. Its circuit is closed.
Next:  Nothing happens by itself: it is tried again when the gateway is started anew.
       Set A_TOKEN_THAT_NOBODY_SET where the gateway is started; then start the gateway anew (reconnect it in its client).
"
    );
    gateway.finish();
}

#[test]
fn a_command_that_does_not_exist_is_told_with_where_it_was_looked_for() {
    let project = Project::new().server("one", &["no-such-program-anywhere"], "");
    let gateway = project.serve();
    wait_for_log(&project, r#""state":"blocked""#);
    let told = explain(&project, "one");
    for part in [
        "  It could not be started: \"no-such-program-anywhere\" was not found in PATH, looked in: PATH;",
        "\nNow:   Since TIME it is blocked, calls fail at once: \"no-such-program-anywhere\" was not found",
        "\n       Install its command, or write the command's full path into its entry of the registry;",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    gateway.finish();
}

#[test]
fn a_server_that_hangs_in_its_handshake_is_told_step_by_step() {
    let project = Project::new()
        .with_defaults("handshake_timeout: 1s, queue_timeout: 15s")
        .script(
            "one",
            "while read -r line; do :; done; sleep 60",
            // On a loaded machine, TERM may take its time.
            &format!("{LOCKED_FOR_LONG}, term_grace: 10s"),
        );
    let mut gateway = project.serve();
    wait_for_log(&project, "spawn_ok");
    let told = explain(&project, "one");
    for part in [
        "\nNow:   Since TIME it is being started; calls wait for it. So far, it has not answered `initialize`.",
        "\nNext:  If it is not ready by TIME, its process is ended,",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    gateway.call("one__t", &json!({}));
    assert_eq!(
        explain(&project, "one"),
        "\
Server `one` in session S. Times are UTC.

DAY
  TIME  seq N  The gateway began to keep it running.
  TIME  seq N  Process P was started (generation 1).
  TIME  seq N  It was not ready within 1 s: it has not answered `initialize`. Its process is being ended.
  TIME  seq N  It did not end: TERM was sent to it.
  TIME  seq N  The process (generation 1) ended before it was ready: signal 15 (TERM). It is started again at once (restart 1 of 1).
  TIME  seq N  Process P was started (generation 2).
  TIME  seq N  It was not ready within 1 s: it has not answered `initialize`. Its process is being ended.
  TIME  seq N  It did not end: TERM was sent to it.
  TIME  seq N  The process (generation 2) ended before it was ready: signal 15 (TERM). Its restarts are used up: it is locked until TIME. 1 call was refused because it is locked.

Now:   Since TIME it is locked, because it failed too often; calls fail at once. Its circuit is closed. Last error: the handshake, or the first list, took too long.
Next:  It is tried once more at TIME; if that fails, it is locked again.
       If it only needs longer to start, raise `handshake_timeout` in the registry. If it never answers, its command may be no MCP server over standard input and output.
       It has written nothing to its standard error; run its command by hand to see what it does.
"
    );
    gateway.finish();
}

#[test]
fn a_server_that_never_answers_calls_has_its_circuit_opened() {
    let project = Project::new()
        .with_defaults("call_timeout: 50ms, call_hard_cap: 200ms, breaker_threshold: 2")
        .script("one", r#"while read -r line; do greet "$line"; done"#, "");
    let mut gateway = project.serve();
    for _ in 0..4 {
        gateway.call("one__t", &json!({}));
    }
    let told = explain(&project, "one");
    for part in [
        "  It became ready (generation 1), with 1 tool.\n",
        "  1 call was not answered within the hard limit of calls.\n",
        "  1 call was not answered within the hard limit of calls. After 2 failures in a row the circuit opens: calls are refused until TIME.\n",
        "  2 calls were refused because the circuit is open (seq N to N).\n",
        "\nNow:   Since TIME it is ready, but too many calls in a row failed, and they are refused. Its circuit is open until TIME: calls were not answered in time. Last error: a call took longer than its hard cap.\n",
        "\nNext:  One call is let through from TIME on: its answer closes the circuit, its failure opens it for longer.\n       If its calls need longer, raise `call_hard_cap` in the registry.\n",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    // Killed, so that nobody has written the end of the log.
    drop(gateway);
    let told = explain(&project, "one");
    for part in [
        "\nThis gateway has ended without being stopped: it was killed, or the machine went down. Its last record is of TIME.\n",
        "\nNow:   At the end, since TIME, it was ready, but too many calls",
        "\nNext:  It is started again with the next gateway, which its client starts.\n",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn a_server_that_loses_calls_and_keeps_dying_is_told_in_a_dozen_links() {
    let project = Project::new()
        .with_defaults("restart_intensity: 20, backoff_base: 1ms, backoff_max: 1ms")
        .demo("one");
    let mut gateway = project.serve();
    for _ in 0..8 {
        gateway.call("one__crash", &json!({}));
        gateway.call("one__echo", &json!({}));
    }
    let (code, object, _) = rea(&project, &["one", "--json"]);
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!((code, object["links"].as_array().unwrap().len()), (0, 12));
    assert!(object["left_out"].as_u64().unwrap() > 0, "{object}");
    let told = explain(&project, "one");
    assert!(told.contains(" more left out here\n"), "{told}");
    assert!(
        told.contains("ended: exit code 3. 1 call was lost with its process. It is started again at TIME (restart 8 of 20)."),
        "{told}"
    );
    gateway.finish();
}

#[test]
fn a_server_that_the_log_does_not_know_is_an_error_that_names_the_others() {
    let project = Project::new().demo("one").demo("two");
    project.serve().finish();
    let (code, told, error) = rea(&project, &["tow\u{1b}"]);
    assert_eq!((code, told.as_str()), (2, ""));
    assert_eq!(
        error,
        "rea explain: the log knows no server `tow\\u{1b}`; it knows one, two\n"
    );
}

#[test]
fn without_a_log_it_is_said_what_writes_one() {
    let project = Project::new();
    let (code, _, error) = rea(&project, &["one"]);
    assert_eq!(code, 2);
    let root = &project.root;
    assert_eq!(
        error,
        format!(
            "rea explain: there is no event log in {root}/.rea/events yet; `rea serve` writes one \
             there, unless `journal: off` is set\n"
        )
    );
}

/// The newest log's file.
fn log_file(project: &Project) -> Utf8PathBuf {
    let mut logs = project.state_files("events");
    logs.retain(|(path, _)| path.extension() == Some("jsonl"));
    logs.pop().unwrap().0
}

#[test]
fn a_log_may_be_named_by_its_file_or_its_folder() {
    let project = Project::new().demo("one");
    project.serve().finish();
    let (code, told, _) = rea(&project, &["one"]);
    assert_eq!(code, 0);
    let file = log_file(&project);
    for log in [file.as_path(), file.parent().unwrap()] {
        let named = rea(&Project::new(), &["one", log.as_str()]);
        assert_eq!(named, (0, told.clone(), String::new()));
    }
}

#[test]
fn of_a_damaged_log_what_is_proven_is_told() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    gateway.call("one__echo", &json!({}));
    gateway.finish();
    let file = log_file(&project);
    let log = fs::read(&file).unwrap();

    let mut corrupt = log.clone();
    let last_line = corrupt.len() - 20;
    corrupt[last_line] ^= 1;
    fs::write(&file, &corrupt).unwrap();
    let (code, told, error) = rea(&project, &["one"]);
    assert_eq!(code, 3);
    assert!(
        told.contains("The log can be followed up to record "),
        "{told}"
    );
    assert!(told.contains("1 call was answered."), "{told}");
    assert!(error.contains(" is corrupt at line "), "{error}");

    let otherwise = journal_support::forged(&log, |_, body| {
        body.replace("\"state\":\"closed\"", "\"state\":\"stuck\"")
    });
    fs::write(&file, otherwise).unwrap();
    let (code, told, error) = rea(&project, &["one"]);
    assert_eq!(code, 1);
    assert!(
        told.contains("The gateway began to end, and stopped it."),
        "{told}"
    );
    assert!(error.contains("diverged at record "), "{error}");

    fs::write(&file, "no log\n").unwrap();
    let (code, told, error) = rea(&project, &["one", file.as_str()]);
    assert_eq!((code, told.as_str()), (2, ""));
    assert!(error.contains("is not an event log"), "{error}");
}

/// Whatever happens to servers, every one of them can be told of.
#[test]
fn random_worlds_are_explained() {
    for seed in 0..30 {
        let project = Project::new();
        let mut rig = journal_support::Rig::new(seed, u64::MAX);
        rig.run(600).unwrap();
        let file = project.base().join("log.jsonl");
        fs::write(&file, rig.close().files().remove(0)).unwrap();
        for server in journal_support::SERVERS {
            let (code, object, error) = rea(&project, &[server, file.as_str(), "--json"]);
            assert_eq!((code, error.as_str()), (0, ""), "{seed}");
            let object: Value = serde_json::from_str(&object).unwrap();
            let links = object["links"].as_array().unwrap();
            assert!((1..=12).contains(&links.len()), "{object}");
            for text in links.iter().map(|link| link["text"].as_str().unwrap()) {
                assert!(text.ends_with('.') && !text.contains(".."), "{text}");
            }
            let seqs: Vec<_> = links.iter().map(|link| link["seq"].as_u64()).collect();
            assert!(seqs.is_sorted(), "{object}");
            let (_, told, _) = rea(&project, &[server, file.as_str()]);
            assert!(
                told.contains("\nNow:   ") && told.contains("\nNext:  "),
                "{told}"
            );
        }
    }
}
