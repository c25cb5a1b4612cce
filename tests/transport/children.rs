//! What a server's process inherits, and what is done to it.

use crate::support::{Project, eventually, processes, until};
use serde_json::json;
use std::fs;

/// Answers everything and lives on.
const PLAIN: &str = r#"while read -r line; do greet "$line" || answer "$line" "$done"; done"#;

#[test]
fn a_server_has_three_descriptors_and_no_more() {
    let project = Project::new().demo("one").demo("two").demo("three");
    let mut gateway = project.serve();
    for server in ["one", "two", "three"] {
        gateway.call(&format!("{server}__echo"), &json!({}));
        let pid = gateway.server(&format!("{server}.calls"));
        let numbers: Vec<_> = processes::descriptors(pid)
            .into_iter()
            .map(|(number, _)| number)
            .collect();
        assert_eq!(numbers, [0, 1, 2], "{server}");
    }
    gateway.finish();
}

#[test]
fn what_the_gateway_inherited_is_not_passed_on() {
    let project = Project::new().demo("one");
    project.write_registry();
    // The shell leaves descriptor 7 open for the gateway.
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", "exec 7</dev/null; exec \"$0\" serve"])
        .arg(crate::support::REA)
        .current_dir(&project.root);
    let mut gateway = project.start_as(command);
    gateway.hello();
    gateway.call("one__echo", &json!({}));
    assert!(
        processes::descriptors(gateway.pid())
            .iter()
            .any(|(number, _)| *number == 7)
    );
    let pid = gateway.server("one.calls");
    assert!(
        processes::descriptors(pid)
            .iter()
            .all(|(number, _)| *number < 3)
    );
    gateway.finish();
}

#[test]
fn a_server_has_only_the_variables_that_it_was_given() {
    let project = Project::new().script(
        "one",
        PLAIN,
        "env: {GIVEN: 'yes', FROM: 'x${SOURCE}y'}, env_passthrough: [PASSED]",
    );
    let mut command = project.command();
    command
        .env("SOURCE", "-")
        .env("PASSED", "on")
        .env("PRIVATE", "never");
    let mut gateway = project.start_as(command);
    gateway.hello();
    gateway.call("one__t", &json!({}));
    let pid = gateway.server("one.sh");
    let variables = fs::read(format!("/proc/{pid}/environ")).unwrap();
    let variables = String::from_utf8_lossy(&variables).into_owned();
    let has = |variable| variables.split('\0').any(|found| found == variable);
    assert!(
        has("GIVEN=yes") && has("FROM=x-y") && has("PASSED=on"),
        "{variables}"
    );
    assert!(!variables.contains("never"), "{variables}");
    gateway.finish();
}

#[test]
fn a_server_runs_in_the_folder_that_it_was_given() {
    let project = Project::new()
        .script("plain", PLAIN, "")
        .script("nested", PLAIN, "cwd: sub");
    fs::create_dir(project.root.join("sub")).unwrap();
    let gateway = project.serve();
    for (name, folder) in [
        ("plain", project.root.clone()),
        ("nested", project.root.join("sub")),
    ] {
        let pid = gateway.server(&format!("{name}.sh"));
        assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), folder);
    }
    gateway.finish();
}

#[test]
fn standard_error_goes_to_a_file_line_by_line() {
    let project = Project::new().script(
        "one",
        &format!("echo 'first words' >&2; printf 'no newline' >&2\n{PLAIN}"),
        "",
    );
    let mut gateway = project.serve();
    gateway.call("one__t", &json!({}));
    gateway.finish();
    let logs = project.state_files("logs");
    let text = &logs
        .iter()
        .find(|(path, _)| path.as_str().contains("one"))
        .unwrap()
        .1;
    assert!(text.contains("first words\n"), "{text:?}");
    assert!(text.contains("no newline"), "{text:?}");
}

#[test]
fn nothing_is_left_as_a_zombie() {
    let project = Project::new()
        .demo("one")
        .with_defaults("restart_intensity: 10, backoff_base: 1ms");
    let mut gateway = project.serve();
    for _ in 0..5 {
        gateway.call("one__crash", &json!({}));
    }
    gateway.call("one__echo", &json!({}));
    let zombies = || {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let stats = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
        let mark = format!(" Z {} ", gateway.pid());
        stats.filter(|stat| stat.contains(&mark)).count()
    };
    until("every dead server is reaped", || zombies() == 0);
    gateway.finish();
}

/// The group's leader ends, a member lives on and holds the pipes open.
#[test]
fn a_group_whose_leader_is_gone_is_ended_before_the_next_start() {
    let project = Project::new().script(
        "one",
        r#"
(trap '' TERM HUP; while :; do sleep 1; done) &
echo $! >> members
while read -r line; do greet "$line" || exit 3; done"#,
        "",
    );
    let mut gateway = project.serve();
    gateway.call("one__t", &json!({}));
    let second = eventually("the second start", || {
        let members = fs::read_to_string(project.root.join("members")).unwrap();
        (members.lines().count() == 2).then_some(members)
    });
    let first: u32 = second.lines().next().unwrap().parse().unwrap();
    assert!(
        !processes::is_alive(first),
        "a member of the first group lives beside the second"
    );
    gateway.finish();
}

#[test]
fn a_server_that_closes_its_output_and_lives_on_is_replaced() {
    let project = Project::new().script(
        "one",
        r#"
echo start >> starts
while read -r line; do
    greet "$line" && continue
    [ "$(wc -l < starts)" -ge 2 ] && { answer "$line" "$done"; continue; }
    exec >&-
    while :; do sleep 1; done
done"#,
        "tools: {t: {retry: idempotent}}",
    );
    let mut gateway = project.serve();
    assert_eq!(gateway.call("one__t", &json!({})).text(), "done");
    gateway.finish();
    project.assert_replays();
}
