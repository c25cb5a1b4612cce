//! Servers that misbehave as no client would stand it: through the gateway the others are as they
//! were, the client hears so much and no more, memory stays bounded, and the log names the server.

use crate::support::{Gateway, Project, processes, until};
use serde_json::json;
use std::time::{Duration, Instant};

/// More than the gateway needs with two servers, and far less than what the bad ones write.
const MEMORY_KIB_MAX: u64 = 150_000;

/// The lines of the log about a server, of one kind of event.
fn said(project: &Project, event: &str, server: &str) -> usize {
    let (event, server) = (format!("\"{event}\""), format!("\"{server}\""));
    let about = |line: &&str| line.contains(&event) && line.contains(&server);
    project.stderr().lines().filter(about).count()
}

fn told(gateway: &Gateway<'_>, method: &str) -> usize {
    let heard = gateway.heard.iter();
    heard.filter(|line| line["method"] == json!(method)).count()
}

fn assert_good_one_answers(gateway: &mut Gateway<'_>) {
    for n in 0..20 {
        let answer = gateway.call("good__echo", &json!({ "n": n }));
        assert_eq!(answer.text(), format!(r#"{{"n":{n}}}"#));
    }
}

#[test]
fn a_flood_of_notifications_is_thinned_and_nobody_elses() {
    let project = Project::new().demo("good").script(
        "flood",
        r#"
line='{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"water"}}'
while read -r asked; do
    greet "$asked" && continue
    yes "$line" | head -n 500000
    answer "$asked" "$done"
done"#,
        "",
    );
    let began = Instant::now();
    let mut gateway = project.serve();
    let flood = gateway.ask_call("flood__t", &json!({}));
    assert_good_one_answers(&mut gateway);
    assert_eq!(gateway.answer(flood).text(), "done", "no answer is dropped");
    let passed = told(&gateway, "notifications/message");
    let most = 5_000 + usize::try_from(began.elapsed().as_millis()).unwrap();
    assert!(passed <= most, "{passed} of at most {most}");
    assert!(passed >= 5_000, "{passed}: a burst passes");
    let memory = processes::peak_kib(gateway.pid());
    assert!(memory < MEMORY_KIB_MAX, "{memory} KiB");
    assert_eq!(said(&project, "downstream.flood", "flood"), 1);
    assert_eq!(said(&project, "downstream.flood", "good"), 0);
    gateway.finish();
    project.assert_replays();
}

#[test]
fn a_list_that_never_ends_is_given_up_and_holds_nobody_up() {
    let project = Project::new().demo("good").script(
        "endless",
        r#"
page=0
while read -r asked; do
    case $asked in
    *'"tools/list"'*)
        page=$((page + 1))
        answer "$asked" "{\"tools\":[{\"name\":\"t$page\"}],\"nextCursor\":\"$page\"}" ;;
    *) greet "$asked" || answer "$asked" "$done" ;;
    esac
done"#,
        "",
    );
    let mut gateway = project.serve();
    assert_good_one_answers(&mut gateway);
    until("the list is given up", || {
        said(&project, "downstream.endless_list", "endless") == 1
    });
    let tools = gateway.tools();
    assert!(
        tools.iter().all(|tool| tool.starts_with("good__")),
        "{tools:?}"
    );
    let answer = gateway.call("endless__t1", &json!({}));
    assert_eq!(answer.text(), "done", "its calls are served all the same");
    gateway.finish();
    project.assert_replays();
}

#[test]
fn a_list_that_changes_ten_times_a_second_is_asked_for_once_a_second() {
    const SECONDS: u64 = 3;
    let project = Project::new().demo("good").script(
        "restless",
        r#"
lists=0
while read -r asked; do
    case $asked in
    *'"tools/list"'*)
        lists=$((lists + 1)); echo list >> restless.calls
        answer "$asked" "{\"tools\":[{\"name\":\"t$lists\"}]}" ;;
    *'"tools/call"'*)
        answer "$asked" "$done"
        (while sleep 0.1; do echo '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'; done) & ;;
    *) greet "$asked" ;;
    esac
done
kill $!"#,
        "",
    );
    let mut gateway = project.serve();
    gateway.tools();
    gateway.call("restless__t1", &json!({}));
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(SECONDS) {
        assert_good_one_answers(&mut gateway);
    }
    let most = usize::try_from(began.elapsed().as_secs()).unwrap() + 2;
    let lists = project.calls("restless").len();
    assert!((2..=most + 1).contains(&lists), "{lists} lists");
    let changes = told(&gateway, "notifications/tools/list_changed");
    assert!(
        (1..=most).contains(&changes),
        "the client was told {changes} times"
    );
    gateway.finish();
    project.assert_replays();
}

#[test]
fn a_server_that_asks_and_does_not_read_takes_no_memory_and_is_restarted() {
    let project = Project::new().demo("good").script(
        "deaf",
        r#"
long=$(yes x | head -n 100000 | tr -d '\n')
while read -r asked; do
    greet "$asked" && continue
    answer "$asked" "$done"
    yes "{\"jsonrpc\":\"2.0\",\"id\":\"$long\",\"method\":\"ping\"}" | head -n 4000
    sleep 60
done"#,
        "",
    );
    let mut gateway = project.serve();
    gateway.hello();
    gateway.tools();
    let first = gateway.server("deaf");
    assert_eq!(gateway.call("deaf__t", &json!({})).text(), "done");
    assert_good_one_answers(&mut gateway);
    // Who does not read what it has asked for is not kept.
    gateway.next_server("deaf", first);
    assert_good_one_answers(&mut gateway);
    let memory = processes::peak_kib(gateway.pid());
    assert!(memory < MEMORY_KIB_MAX, "{memory} KiB");
    gateway.finish();
}
