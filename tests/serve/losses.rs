//! Calls that are lost with their server.

use crate::support::{Project, processes, until};
use serde_json::json;

const LONG: u64 = 60_000;

#[test]
fn a_lost_call_may_have_run_and_is_not_sent_again() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    let id = gateway.ask_call("one__slow", &json!({ "ms": LONG }));
    until("the call begins", || project.calls("one").len() == 1);
    processes::kill(gateway.server("one.calls"));
    let answer = gateway.answer(id);
    assert_eq!(answer.fact("executed"), "maybe");
    assert_eq!(answer.fact("reason"), "transport_lost");
    let text = answer.text();
    assert!(text.contains("may have been executed"), "{text}");
    assert!(text.contains("signal 9"), "{text}");

    gateway.call("one__echo", &json!({}));
    assert_eq!(project.calls("one"), ["slow", "echo"]);
    gateway.finish();
    project.assert_replays();
}

/// The first call kills its server, the second is answered.
const DIES_ONCE: &str = r#"
while read -r line; do
    greet "$line" && continue
    echo call >> once.calls
    [ "$(wc -l < once.calls)" -ge 2 ] || kill -9 $$
    answer "$line" "$done"
done"#;

#[test]
fn a_call_that_may_be_repeated_is_repeated_and_answered() {
    for retry in ["idempotent", "read_only"] {
        let project = Project::new().script(
            "once",
            DIES_ONCE,
            &format!("tools: {{t: {{retry: {retry}}}}}"),
        );
        let mut gateway = project.serve();
        let answer = gateway.call("once__t", &json!({}));
        assert!(answer.is_the_servers(), "{answer:?}");
        assert_eq!(answer.text(), "done");
        assert_eq!(project.calls("once"), ["call", "call"], "{retry}");
        gateway.finish();
        project.assert_replays();
    }
}

#[test]
fn a_servers_own_hint_counts_only_if_it_is_trusted() {
    const HINTING: &str = r#"
while read -r line; do
    case $line in *'"tools/list"'*)
        answer "$line" '{"tools":[{"name":"t","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}]}'
        continue ;;
    esac
    greet "$line" && continue
    echo call >> once.calls
    [ "$(wc -l < once.calls)" -ge 2 ] || kill -9 $$
    answer "$line" "$done"
done"#;
    for (trust, calls) in [("true", 2), ("false", 1)] {
        let more = format!("trust_annotations: {trust}");
        let project = Project::new().script("once", HINTING, &more);
        let mut gateway = project.serve();
        assert_eq!(gateway.tools(), ["once__t"]);
        let answer = gateway.call("once__t", &json!({}));
        assert_eq!(answer.is_the_servers(), calls == 2, "{answer:?}");
        assert_eq!(project.calls("once").len(), calls, "trusted: {trust}");
        gateway.finish();
    }
}

#[test]
fn an_error_reply_is_passed_on_and_disturbs_nothing() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    let server = gateway.server("one.calls");
    for _ in 0..10 {
        let answer = gateway.call("one__fail", &json!({}));
        assert_eq!(answer.0["error"]["code"], json!(-32602));
        assert!(answer.text().starts_with("Not connected"), "{answer:?}");
    }
    assert_eq!(gateway.call("one__echo", &json!({})).text(), "{}");
    assert_eq!(gateway.server("one.calls"), server);
    gateway.finish();
    project.assert_replays();
}

#[test]
fn a_server_that_keeps_dying_is_locked_and_recovers_by_itself() {
    let project = Project::new().demo("good").demo_with(
        "flap",
        &["--flap", "2", "--count-file", "starts"],
        // Deaths on a loaded machine are further apart.
        "restart_window: 3s, lock_base: 3s",
    );
    let mut gateway = project.serve();
    let answer = gateway.call("flap__echo", &json!({}));
    assert_eq!(answer.fact("reason"), "flap_locked");
    assert_eq!(answer.fact("executed"), "no");
    assert_eq!(answer.fact("state"), "flap_locked");
    let retry_at = answer.fact("retry_at");
    assert!(answer.text().contains(retry_at), "{answer:?}");
    assert!(gateway.call("good__echo", &json!({})).is_the_servers());

    until("it recovers", || {
        gateway.call("flap__echo", &json!({})).is_the_servers()
    });
    gateway.finish();
    let starts = std::fs::read_to_string(project.root.join("starts")).unwrap();
    assert_eq!(starts.lines().count(), 3, "no start while it was locked");
    assert!(project.log().contains(r#""state":"flap_locked""#));
    project.assert_replays();
}

#[test]
fn a_lost_call_carries_the_servers_last_words() {
    let project = Project::new().script(
        "sad",
        "while read -r line; do greet \"$line\" || { echo 'disk is full' >&2; exit 4; }; done",
        "",
    );
    let mut gateway = project.serve();
    let answer = gateway.call("sad__t", &json!({}));
    assert!(answer.text().contains("disk is full"), "{answer:?}");
    assert!(answer.text().contains('4'), "{answer:?}");
    gateway.finish();
}

#[test]
fn one_servers_death_is_not_the_others() {
    let project = Project::new().demo("one").demo("two");
    let mut gateway = project.serve();
    let slow = gateway.ask_call("two__slow", &json!({ "ms": 300 }));
    assert_eq!(
        gateway.call("one__crash", &json!({})).fact("executed"),
        "maybe"
    );
    assert_eq!(gateway.answer(slow).text(), "done");
    assert_eq!(project.calls("two"), ["slow"]);
    gateway.finish();
}

#[test]
fn one_servers_noise_is_never_anothers_loss() {
    let project = Project::new()
        .script(
            "spew",
            "yes noise >&2 & while read -r line; do greet \"$line\"; done; kill $!",
            "",
        )
        .script(
            "noisy",
            "i=0; while [ $i -lt 100 ]; do i=$((i+1)); echo \"line $i\" >&2; done; while read -r line; do greet \"$line\"; done",
            "",
        )
        .script(
            "dies",
            "i=0; while [ $i -lt 1500 ]; do i=$((i+1)); echo \"line $i\" >&2; done; echo the reason >&2; exit 3",
            "",
        );
    let mut gateway = project.serve();
    gateway.tools();
    let text = |name: &str| {
        let files = project.state_files("logs");
        let found = files
            .into_iter()
            .find(|(path, _)| path.as_str().contains(&format!("/{name}.")));
        found.map(|(_, text)| text).unwrap_or_default()
    };
    until("the reason is there", || {
        text("dies").contains("the reason")
    });
    until("every line is there", || {
        text("noisy").contains("line 100\n")
    });
    for number in 1..=100 {
        assert!(
            text("noisy").contains(&format!("line {number}\n")),
            "{number}"
        );
    }
    assert!(text("dies").contains("line 1500\n"));
}
