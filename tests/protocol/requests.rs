//! Requests beside `tools/call` reach the one server that they are for.

use super::*;

const ALL: &str =
    r#"{"tools":{},"prompts":{},"resources":{"subscribe":true},"completions":{},"tasks":{}}"#;

/// Has one prompt, one resource and a template, and repeats what it reads.
fn echo(uri: &'static str) -> Birth {
    legacy(ALL, move |asked| {
        let result = match asked.method.as_str() {
            "resources/list" => format!(r#"{{"resources":[{{"uri":"{uri}","name":"n"}}]}}"#),
            "resources/templates/list" => {
                r#"{"resourceTemplates":[{"uriTemplate":"note://{name}","name":"t"}]}"#.to_owned()
            }
            _ => match empty_list(asked) {
                Some(list) => return list,
                None => r#"{"ok":1.0 }"#.to_owned(),
            },
        };
        vec![asked.result(0, &result)]
    })
}

fn reaches(line: &str, server: u32, method: &str) -> String {
    let mut sim = session(2, |server| {
        echo(if server.0 == 0 { "x://a" } else { "x://b" })
    });
    says(&mut sim, &[line]);
    let mut lines = read(&mut sim, server, method);
    assert_eq!(lines.len(), 1, "{:?}", sim.heard());
    assert_eq!(
        sim.heard().last().map(String::as_str),
        Some(r#"{"jsonrpc":"2.0","id":1,"result":{"ok":1.0 }}"#)
    );
    lines.remove(0)
}

#[test]
fn a_prompt_goes_to_the_server_whose_name_stands_in_front() {
    let line = request(
        1,
        "prompts/get",
        r#"{"arguments":{"n":1e400},"name":"b__greet"}"#,
    );
    let read = reaches(&line, 1, "prompts/get");
    assert!(
        read.contains(r#""params":{"arguments":{"n":1e400},"name":"greet"}"#),
        "{read}"
    );
}

#[test]
fn a_resource_goes_to_whoever_has_listed_it() {
    let line = request(1, "resources/read", r#"{"uri":"x://b","k":[1, 2]}"#);
    let read = reaches(&line, 1, "resources/read");
    assert!(
        read.contains(r#""params":{"uri":"x://b","k":[1, 2]}"#),
        "{read}"
    );
    let line = request(1, "resources/read", r#"{"uri":"rea://a/x://b"}"#);
    let read = reaches(&line, 0, "resources/read");
    assert!(read.contains(r#""uri":"x://b""#), "{read}");
}

#[test]
fn completion_goes_where_its_reference_leads() {
    let line = request(
        1,
        "completion/complete",
        r#"{"ref":{"type":"ref/prompt","name":"b__greet"},"argument":{"name":"n","value":"v"}}"#,
    );
    let read = reaches(&line, 1, "completion/complete");
    assert!(
        read.contains(r#""ref":{"type":"ref/prompt","name":"greet"}"#),
        "{read}"
    );
    let line = request(
        1,
        "completion/complete",
        r#"{"ref":{"uri":"x://a","type":"ref/resource"},"argument":{"name":"n","value":"v"}}"#,
    );
    reaches(&line, 0, "completion/complete");
}

#[test]
fn an_ambiguous_uri_is_refused_with_the_ways_to_say_it() {
    let mut sim = session(2, |_| echo("x://same"));
    says(
        &mut sim,
        &[&request(1, "resources/read", r#"{"uri":"note://x"}"#)],
    );
    let error = &answer(&mut sim, 1)["error"];
    assert_eq!(error["code"], -32_602);
    let text = error["message"].as_str().expect("text");
    assert!(
        text.contains("rea://a/note://x") && text.contains("rea://b/note://x"),
        "{text}"
    );
}

#[test]
fn a_template_leads_to_its_server() {
    let mut sim = session(2, |server| match server {
        ServerId(0) => echo("x://a"),
        _ => legacy(r#"{"resources":{}}"#, |asked| {
            empty_list(asked).unwrap_or_default()
        }),
    });
    says(
        &mut sim,
        &[&request(1, "resources/read", r#"{"uri":"note://x"}"#)],
    );
    assert_eq!(read(&mut sim, 0, "resources/read").len(), 1);
}

#[test]
fn requests_without_a_name_say_what_is_missing() {
    let mut sim = session(1, |_| echo("x://a"));
    for (id, method) in (1..).zip(["prompts/get", "resources/read", "completion/complete"]) {
        says(&mut sim, &[&request(id, method, "{}")]);
        let error = &answer(&mut sim, id)["error"];
        assert_eq!(error["code"], -32_602, "{method}");
    }
    says(
        &mut sim,
        &[&request(9, "prompts/get", r#"{"name":"nowhere"}"#)],
    );
    let text = answer(&mut sim, 9)["error"]["message"].to_string();
    assert!(
        text.contains("prompt name") && text.contains("<server>__<prompt>"),
        "{text}"
    );
}

#[test]
fn a_read_that_was_lost_is_sent_again_and_a_tool_call_is_not() {
    let mut sim = session(1, |_| {
        let life = std::cell::Cell::new(0);
        legacy(ALL, move |asked| match asked.method.as_str() {
            "prompts/get" | "tools/call" if life.get() == 0 => {
                life.set(1);
                vec![simulation::child::die(0, rea_fsm::ExitStatus::Code(1))]
            }
            _ => empty_list(asked).unwrap_or_else(|| vec![asked.result(0, "{}")]),
        })
    });
    says(
        &mut sim,
        &[&request(1, "prompts/get", r#"{"name":"a__p"}"#)],
    );
    sim.run_to(3_000);
    // The second process dies of it too; then it has been sent twice, and no more.
    assert_eq!(read(&mut sim, 0, "prompts/get").len(), 2);
    let error = answer(&mut sim, 1);
    assert_eq!(error["error"]["code"], -32_000, "{error}");
    assert_eq!(error["error"]["data"]["executed"], "maybe");
    assert_eq!(error["error"]["data"]["server"], "a");
}

#[test]
fn watched_resources_are_watched_again_after_a_restart() {
    let mut sim = session(1, |_| {
        legacy(ALL, |asked| match asked.method.as_str() {
            "tools/call" => vec![simulation::child::die(0, rea_fsm::ExitStatus::Code(1))],
            _ => empty_list(asked).unwrap_or_else(|| vec![asked.result(0, "{}")]),
        })
    });
    says(
        &mut sim,
        &[
            &request(1, "resources/subscribe", r#"{"uri":"x://a"}"#),
            &request(2, "resources/subscribe", r#"{"uri":"x://b"}"#),
            &request(3, "resources/unsubscribe", r#"{"uri":"x://b"}"#),
        ],
    );
    assert_eq!(answer(&mut sim, 1)["result"], json!({}));
    says(&mut sim, &[&request(4, "tools/call", r#"{"name":"a__t"}"#)]);
    sim.run_to(3_000);
    let subscriptions = read(&mut sim, 0, "resources/subscribe");
    assert_eq!(subscriptions.len(), 3, "{subscriptions:?}");
    assert!(subscriptions[2].contains("x://a"));
}

#[test]
fn a_subscription_that_its_server_refused_is_not_made_again() {
    let mut sim = session(1, |_| {
        legacy(ALL, |asked| match asked.method.as_str() {
            "tools/call" => vec![simulation::child::die(0, rea_fsm::ExitStatus::Code(1))],
            "resources/subscribe" => vec![asked.error(0, r#"{"code":-32002,"message":"no"}"#)],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    let subscribe = request(1, "resources/subscribe", r#"{"uri":"x://a"}"#);
    says(&mut sim, &[&subscribe]);
    assert_eq!(answer(&mut sim, 1)["error"]["code"], -32_002);
    says(&mut sim, &[&request(2, "tools/call", r#"{"name":"a__t"}"#)]);
    sim.run_to(3_000);
    assert_eq!(read(&mut sim, 0, "resources/subscribe").len(), 1);
}
