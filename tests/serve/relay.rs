//! What is passed on is passed on as it is.

use crate::support::{Gateway, Project, until};
use serde_json::json;
use std::fs;

/// Keeps every line that it hears and answers calls with what lies in `result`.
const PARROT: &str = r#"
while IFS= read -r line; do
    printf '%s\n' "$line" >> heard
    greet "$line" || answer "$line" "$(cat result)"
done"#;

fn parrot(result: &str) -> Project {
    let project = Project::new().script("parrot", PARROT, "");
    fs::write(project.root.join("result"), result).unwrap();
    project
}

fn heard(project: &Project) -> String {
    fs::read_to_string(project.root.join("heard")).unwrap_or_default()
}

/// Every way in which a careless relay would change JSON.
const ODD: &str = r#"{ "z" : 1 , "a":[ ],"big":12345678901234567890123456789,"over":1e400,"tiny":1E-400,"same":1,"same":2,"esc":"\u00e9\/\ud83d\ude00\u0000","raw":"é😀","float":1.0,"neg":-0,  "exp":1E+2 , "nested":{"id":7,"name":"n","method":"m"}}"#;

fn line(gateway: &mut Gateway<'_>, id: &str) -> String {
    let looked_for: serde_json::Value = serde_json::from_str(id).unwrap();
    gateway.wait_for("the answer", |message| {
        (message["id"] == looked_for).then_some(())
    });
    gateway.heard_lines.last().unwrap().clone()
}

#[test]
fn a_call_reaches_its_server_byte_for_byte() {
    let project = parrot(r#"{"content":[]}"#);
    let mut gateway = project.serve();
    let call = |id: &str, name: &str| {
        format!(
            r#"{{ "params" :{{"arguments":{ODD}, "extra" : [1, 2 ],"name" :{name} }},"unknown":{ODD},  "id":{id} ,"method":"tools/call","jsonrpc":"2.0" }}"#
        )
    };
    gateway.send_bytes(format!("{}\n", call("77", r#""parrot__t""#)).as_bytes());
    line(&mut gateway, "77");
    let heard = heard(&project);
    let received = heard.lines().last().unwrap();
    let (_, from_id) = received.rsplit_once("\"id\":").unwrap();
    let (id, _) = from_id.split_once(' ').unwrap();
    assert_eq!(received, call(id, r#""t""#));
    gateway.finish();
}

#[test]
fn an_answer_reaches_the_client_byte_for_byte() {
    let project = parrot(ODD);
    let mut gateway = project.serve();
    gateway.ask_call("parrot__t", &json!({}));
    let answer = line(&mut gateway, "2");
    assert_eq!(
        answer,
        format!(r#"{{"jsonrpc":"2.0","id":2,"result":{ODD}}}"#)
    );
    gateway.finish();
}

#[test]
fn a_clients_ids_come_back_as_they_were_written() {
    let project = parrot(r#"{"content":[]}"#);
    let mut gateway = project.serve();
    let ids = [
        r#""text""#,
        r#""""#,
        r#""\u0061\/\"é""#,
        "0",
        "-5",
        "9007199254740993",
        r#""9007199254740993""#,
    ];
    for id in ids {
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"parrot__t"}}}}"#
        );
        gateway.send_bytes(format!("{call}\n").as_bytes());
        let answer = line(&mut gateway, id);
        assert_eq!(
            answer,
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[]}}}}"#)
        );
        gateway.send_bytes(
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"no\"}}\n").as_bytes(),
        );
        gateway.wait_for("an error", |message| {
            message["error"].is_object().then_some(())
        });
        let error = gateway.heard_lines.last().unwrap();
        assert!(error.contains(&format!("\"id\":{id},")), "{error}");
        gateway.heard.clear();
    }
    gateway.finish();
}

#[test]
fn a_tool_is_shown_as_its_server_wrote_it_but_for_its_name() {
    let project = Project::new().script(
        "odd",
        r#"
while read -r line; do
    case $line in
    *'"tools/list"'*) answer "$line" '{"tools":[ {"x" : 1e400,"name":"t" , "inputSchema":{ "type":"object" },"title":"\u00e9"}]}' ;;
    *) greet "$line" ;;
    esac
done"#,
        "",
    );
    let mut gateway = project.serve();
    gateway.ask("tools/list", &json!({}));
    let listed = line(&mut gateway, "2");
    let tool =
        r#"{"x" : 1e400,"name":"odd__t" , "inputSchema":{ "type":"object" },"title":"\u00e9"}"#;
    assert!(listed.contains(tool), "{listed}");
    gateway.finish();
}

#[test]
fn progress_reaches_the_client_under_its_own_token() {
    let project = Project::new().demo("one");
    let mut gateway = project.serve();
    for token in [json!("of-mine"), json!(7)] {
        let params = json!({
            "name": "one__slow", "arguments": { "ms": 1 }, "_meta": { "progressToken": token },
        });
        let id = gateway.ask("tools/call", &params);
        let told = gateway.wait_for("progress", |message| {
            (message["method"] == "notifications/progress").then(|| message["params"].clone())
        });
        assert_eq!(
            told,
            json!({ "progressToken": token, "progress": 1, "total": 2 })
        );
        assert_eq!(gateway.answer(id).text(), "done");
        gateway.heard.clear();
    }
    gateway.finish();
}

#[test]
fn a_cancelled_call_is_cancelled_at_its_server_and_not_answered() {
    let project = Project::new().script(
        "patient",
        r#"
while read -r line; do
    case $line in
    *'"notifications/cancelled"'*) printf '%s\n' "$line" >> cancelled; answer "$held" "$done" ;;
    *'"wait"'*) held=$line; echo call >> patient.calls ;;
    *) greet "$line" || answer "$line" "$done" ;;
    esac
done"#,
        "",
    );
    let mut gateway = project.serve();
    let id = gateway.ask_call("patient__t", &json!({ "kind": "wait" }));
    until("the call begins", || !project.calls("patient").is_empty());
    gateway.notify(
        "notifications/cancelled",
        &json!({ "requestId": id, "reason": "tired" }),
    );
    let cancelled = || fs::read_to_string(project.root.join("cancelled")).unwrap_or_default();
    until("its server hears of it", || cancelled().ends_with('\n'));
    assert!(cancelled().contains("requestId"), "{}", cancelled());
    assert_eq!(gateway.call("patient__t", &json!({})).text(), "done");
    let answered = gateway
        .heard
        .iter()
        .any(|message| message["id"] == json!(id));
    assert!(!answered, "{:?}", gateway.heard);
    gateway.finish();
    project.assert_replays();
}

#[test]
fn two_hundred_calls_pass_a_slow_one() {
    let project = Project::new().demo("slow").demo("quick");
    let mut gateway = project.serve();
    gateway.call("quick__echo", &json!({}));
    let slow = gateway.ask_call("slow__slow", &json!({ "ms": 60_000 }));
    until("the slow call begins", || project.calls("slow").len() == 1);
    let ids: Vec<_> = (0..200)
        .map(|n| (n, gateway.ask_call("quick__echo", &json!({ "n": n }))))
        .collect();
    for (n, id) in ids {
        assert_eq!(gateway.answer(id).text(), format!(r#"{{"n":{n}}}"#));
    }
    assert!(
        gateway
            .heard
            .iter()
            .all(|message| message["id"] != json!(slow))
    );
    gateway.signal(rustix::process::Signal::TERM);
    assert_eq!(gateway.answer(slow).fact("executed"), "maybe");
    assert_eq!(gateway.wait().code(), Some(0));
    project.assert_replays();
}

#[test]
fn the_gateway_itself_answers_what_needs_no_server() {
    let project = Project::new().script("mute", "while read -r line; do :; done", "");
    let mut gateway = project.start();
    assert_eq!(gateway.request("ping", &json!({})).result(), &json!({}));
    let hello = gateway.hello();
    assert_eq!(
        hello.result()["capabilities"]["tools"]["listChanged"],
        json!(true)
    );
    let answer = gateway.request("no/such/method", &json!({}));
    assert_eq!(answer.0["error"]["code"], json!(-32601));
    let answer = gateway.call("nobody__t", &json!({}));
    assert_eq!(answer.0["error"]["code"], json!(-32602));
    assert!(
        answer.text().contains("nobody") && answer.text().contains("mute"),
        "{answer:?}"
    );
    gateway.finish();
}

#[test]
fn a_version_that_is_known_is_spoken_and_another_is_answered_with_the_newest() {
    let project = Project::new().demo("one");
    for (wanted, spoken) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let mut gateway = project.start();
        let params = json!({
            "protocolVersion": wanted, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" },
        });
        let answer = gateway.request("initialize", &params);
        assert_eq!(answer.result()["protocolVersion"], json!(spoken));
        gateway.finish();
    }
}

#[test]
fn a_servers_own_requests_are_answered() {
    let project = Project::new().script(
        "curious",
        r#"
while read -r line; do
    case $line in
    *'"p-1"'* | *'"s-1"'*) printf '%s\n' "$line" >> replies ;;
    *) greet "$line" || {
        printf '{"jsonrpc":"2.0","id":"p-1","method":"ping"}\n'
        printf '{"jsonrpc":"2.0","id":"s-1","method":"sampling/createMessage","params":{}}\n'
        answer "$line" "$done"
    } ;;
    esac
done"#,
        "",
    );
    let mut gateway = project.serve();
    assert_eq!(gateway.call("curious__t", &json!({})).text(), "done");
    let replies = || fs::read_to_string(project.root.join("replies")).unwrap_or_default();
    until("both are answered", || replies().lines().count() == 2);
    let replies: Vec<serde_json::Value> = replies()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        replies[0],
        json!({ "jsonrpc": "2.0", "id": "p-1", "result": {} })
    );
    assert_eq!(replies[1]["error"]["code"], json!(-32601));
    gateway.finish();
}

#[test]
fn a_list_that_changes_is_told_and_shown() {
    let project = Project::new().script(
        "growing",
        r#"
name=one
while read -r line; do
    case $line in
    *'"tools/list"'*) answer "$line" "{\"tools\":[{\"name\":\"$name\",\"inputSchema\":{\"type\":\"object\"}}]}" ;;
    *) greet "$line" || {
        name=two
        printf '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n'
        answer "$line" "$done"
    } ;;
    esac
done"#,
        "",
    );
    let mut gateway = project.serve();
    assert_eq!(gateway.tools(), ["growing__one"]);
    gateway.call("growing__one", &json!({}));
    gateway.wait_for("the news", |message| {
        (message["method"] == "notifications/tools/list_changed").then_some(())
    });
    assert_eq!(gateway.tools(), ["growing__two"]);
    gateway.finish();
}
