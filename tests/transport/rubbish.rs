//! Servers and clients that write what nobody asked for, and readers that do not read.

use crate::support::{Gateway, Project, Streams, processes};
use serde_json::json;
use std::os::fd::AsFd;

#[test]
fn rubbish_between_messages_disturbs_nothing() {
    let project = Project::new().script(
        "noisy",
        r#"
echo 'Welcome to my server!'
while read -r line; do
    printf 'debug: %s\n\n   \n{"half": \n[1,2]\n42\nnull\n{"jsonrpc":"2.0","id":987654,"result":{}}\n' "$line"
    greet "$line" || answer "$line" "$done"
done"#,
        "",
    );
    let mut gateway = project.serve();
    let pid = gateway.server("noisy.sh");
    for _ in 0..20 {
        assert_eq!(gateway.call("noisy__t", &json!({})).text(), "done");
    }
    assert_eq!(gateway.server("noisy.sh"), pid);
    gateway.finish();
    project.assert_replays();
}

#[test]
fn a_flood_on_one_servers_output_holds_nobody_else() {
    let project = Project::new().demo("one").script(
        "flood",
        r#"
while read -r line; do
    greet "$line" && continue
    yes 'this is no message of any protocol that anybody has heard of' | head -c 20000000; echo
    answer "$line" "$done"
done"#,
        "",
    );
    let mut gateway = project.serve();
    let flood = gateway.ask_call("flood__t", &json!({}));
    for _ in 0..20 {
        assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    }
    assert_eq!(gateway.answer(flood).text(), "done");
    gateway.finish();
}

#[test]
fn a_line_over_the_limit_costs_its_call_only() {
    let project = Project::new().with("line_max_bytes: 64KiB").script(
        "long",
        r#"
count=0
while read -r line; do
    greet "$line" && continue
    count=$((count + 1))
    long=$(yes | tr -d '\n' | head -c 100000)
    case $count in
    1) echo "$long"; answer "$line" "$done" ;;
    2) answer "$line" "{\"content\":[{\"type\":\"text\",\"text\":\"$long\"}]}" ;;
    3) answer "$line" "$done" ;;
    esac
done"#,
        "",
    );
    let mut gateway = project.serve();
    let pid = gateway.server("long.sh");
    let answer = gateway.call("long__t", &json!({}));
    assert_eq!(
        answer.text(),
        "done",
        "a long line that is no answer is skipped"
    );
    let answer = gateway.call("long__t", &json!({}));
    assert_eq!(answer.fact("executed"), "yes");
    assert_eq!(answer.fact("reason"), "oversized_answer");
    assert_eq!(gateway.call("long__t", &json!({})).text(), "done");
    assert_eq!(gateway.server("long.sh"), pid);
    gateway.finish();
    project.assert_replays();
}

#[test]
fn a_clients_line_over_the_limit_is_refused_and_the_next_is_heard() {
    let project = Project::new().with("line_max_bytes: 64KiB").demo("one");
    let mut gateway = project.serve();
    let long = "x".repeat(200_000);
    let answer = gateway.call("one__echo", &json!({ "long": long }));
    assert_eq!(answer.0["error"]["code"], json!(-32005));
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    assert_eq!(project.calls("one"), ["echo"]);
    gateway.finish();
}

#[test]
fn a_clients_rubbish_is_answered_with_an_error() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    let texts: [(&[u8], i64); 6] = [
        (b"hello", -32700),
        (b"{\"jsonrpc\":", -32700),
        (b"\xff\xfe", -32700),
        (b"[]", -32600),
        (b"42", -32600),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"ping\"}",
            -32600,
        ),
    ];
    for (count, (text, code)) in texts.into_iter().enumerate() {
        gateway.send_bytes(text);
        gateway.send_bytes(b"\n");
        // An answer of ours after it says that it was heard.
        gateway.request("ping", &json!({}));
        let errors: Vec<_> = gateway
            .heard
            .iter()
            .filter(|message| !message["error"].is_null())
            .collect();
        assert_eq!(
            errors.len(),
            count + 1,
            "{:?}",
            String::from_utf8_lossy(text)
        );
        assert_eq!(
            errors[count]["error"]["code"],
            json!(code),
            "{:?}",
            String::from_utf8_lossy(text)
        );
        assert!(errors[count]["id"].is_null());
    }
    gateway.finish();
}

#[test]
fn a_flood_on_standard_error_holds_no_call_and_is_bounded() {
    let project = Project::new().script(
        "chatty",
        r#"
while read -r line; do
    greet "$line" && continue
    yes 'and another thing that nobody will ever read in their whole life' | head -c 30000000 >&2
    printf '%0100000d' 7 >&2
    answer "$line" "$done"
done"#,
        "",
    );
    let mut gateway = project.serve();
    assert_eq!(gateway.call("chatty__t", &json!({})).text(), "done");
    gateway.finish();
    let kept: usize = project
        .state_files("logs")
        .iter()
        .map(|(_, text)| text.len())
        .sum();
    assert!(
        kept < 25_000_000,
        "{kept} bytes of one server's words are kept"
    );
}

#[test]
fn a_gateway_whose_own_standard_error_is_full_goes_on() {
    let project = Project::new()
        .demo("one")
        .with_defaults("restart_intensity: 100, backoff_base: 1ms, backoff_max: 1ms");
    project.write_registry();
    let (unread, full) = std::io::pipe().unwrap();
    fill(&full);
    let mut command = project.command();
    command.env("REA_LOG_LEVEL", "debug");
    let streams = Streams {
        stderr: Some(full.into()),
        ..Streams::default()
    };
    let mut gateway = Gateway::start(&project, command, streams);
    gateway.hello();
    for _ in 0..10 {
        assert!(gateway.call("one__echo", &json!({})).is_the_servers());
        let pid = gateway.server("one.calls");
        processes::kill(pid);
        gateway.next_server("one.calls", pid);
    }
    gateway.finish();
    drop(unread);
}

/// Writes until nothing more fits; the pipe blocks again afterwards.
fn fill(pipe: &impl AsFd) {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let flags = fcntl_getfl(pipe).unwrap();
    fcntl_setfl(pipe, flags | OFlags::NONBLOCK).unwrap();
    while rustix::io::write(pipe, &[b'.'; 4096]).is_ok() {}
    while rustix::io::write(pipe, b".").is_ok() {}
    fcntl_setfl(pipe, flags).unwrap();
}

#[test]
fn a_gateway_whose_standard_error_is_closed_goes_on() {
    let project = Project::new().demo("one");
    project.write_registry();
    let (gone, broken) = std::io::pipe().unwrap();
    drop(gone);
    let streams = Streams {
        stderr: Some(broken.into()),
        ..Streams::default()
    };
    let mut gateway = Gateway::start(&project, project.command(), streams);
    gateway.hello();
    assert_eq!(
        gateway.call("one__crash", &json!({})).fact("executed"),
        "maybe"
    );
    assert!(gateway.call("one__echo", &json!({})).is_the_servers());
    gateway.finish();
}
