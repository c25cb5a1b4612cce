//! Clients without a session.

use super::*;

const ALL: &str = r#"{"tools":{},"prompts":{},"resources":{"subscribe":true},"logging":{}}"#;

fn library() -> Birth {
    legacy(ALL, |asked| match asked.method.as_str() {
        "tools/list" => vec![asked.result(0, r#"{"tools":[{"name":"t"}]}"#)],
        "resources/list" => {
            vec![asked.result(0, r#"{"resources":[{"uri":"x://one","name":"n"}]}"#)]
        }
        "tools/call" => vec![
            say(
                0,
                notification("notifications/resources/updated", r#"{"uri":"x://one"}"#),
            ),
            say(
                0,
                notification("notifications/message", r#"{"level":"info","data":"x"}"#),
            ),
            asked.result(0, "{ }"),
        ],
        _ => empty_list(asked)
            .unwrap_or_else(|| vec![asked.result(0, r#"{"contents":[],"x":1e400}"#)]),
    })
}

fn ready() -> Sim {
    let mut sim = gateway(1, |_| library());
    says(&mut sim, &[&modern(900, "server/discover", "")]);
    sim.run_to(500);
    sim
}

#[test]
fn discovery_is_answered_at_once() {
    let mut sim = gateway(1, |_| Birth::NeverKnown);
    says(&mut sim, &[&modern(1, "server/discover", "")]);
    let result = &answer(&mut sim, 1)["result"];
    assert_eq!(result["resultType"], "complete");
    assert_eq!(result["supportedVersions"][0], "2026-07-28");
    assert_eq!(
        result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "rea"
    );
}

#[test]
fn another_revision_is_refused_with_those_that_are_spoken() {
    let mut sim = gateway(1, |_| library());
    says(
        &mut sim,
        &[&modern(1, "tools/list", "").replace("2026-07-28", "1900-01-01")],
    );
    let error = &answer(&mut sim, 1)["error"];
    assert_eq!(error["code"], -32_022);
    assert_eq!(
        error["data"],
        json!({"supported":["2026-07-28"],"requested":"1900-01-01"})
    );
}

#[test]
fn a_request_that_does_not_say_what_its_client_can_do_is_refused() {
    let mut sim = gateway(1, |_| library());
    says(
        &mut sim,
        &[&request(
            1,
            "tools/list",
            r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#,
        )],
    );
    let error = &answer(&mut sim, 1)["error"];
    assert_eq!(error["code"], -32_602);
    assert!(error["message"].to_string().contains("clientCapabilities"));
}

#[test]
fn lists_and_reads_say_how_long_they_hold() {
    let mut sim = ready();
    says(
        &mut sim,
        &[
            &modern(1, "tools/list", ""),
            &modern(2, "resources/read", r#""uri":"x://one""#),
            &modern(3, "tools/call", r#""name":"a__t""#),
        ],
    );
    let lines = sim.heard();
    assert!(lines.contains(
        &r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":[{"name":"a__t"}]}}"#.to_owned()
    ));
    assert!(lines.contains(
        &r#"{"jsonrpc":"2.0","id":2,"result":{"resultType":"complete","ttlMs":0,"cacheScope":"private","contents":[],"x":1e400}}"#.to_owned()
    ));
    assert!(
        lines.contains(
            &r#"{"jsonrpc":"2.0","id":3,"result":{"resultType":"complete" }}"#.to_owned()
        )
    );
}

#[test]
fn nothing_is_told_that_was_not_asked_for() {
    let mut sim = ready();
    says(&mut sim, &[&modern(1, "tools/call", r#""name":"a__t""#)]);
    assert!(told(&mut sim, "notifications/resources/updated").is_empty());
    assert!(told(&mut sim, "notifications/message").is_empty());
    let loud = modern(2, "tools/call", r#""name":"a__t""#).replacen(
        r#""_meta":{"#,
        r#""_meta":{"io.modelcontextprotocol/logLevel":"info","#,
        1,
    );
    says(&mut sim, &[&loud]);
    assert_eq!(told(&mut sim, "notifications/message").len(), 1);
}

#[test]
fn a_stream_tells_what_it_was_opened_for() {
    let mut sim = ready();
    says(
        &mut sim,
        &[
            &modern(
                7,
                "subscriptions/listen",
                r#""notifications":{"resourceSubscriptions":["x://one","unknown scheme"],"toolsListChanged":true}"#,
            ),
            &modern(1, "tools/call", r#""name":"a__t""#),
        ],
    );
    let opened = told(&mut sim, "notifications/subscriptions/acknowledged");
    assert_eq!(opened.len(), 1);
    assert_eq!(
        opened[0]["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        7
    );
    let subscribed = read(&mut sim, 0, "resources/subscribe");
    assert!(subscribed[0].contains("x://one"), "{subscribed:?}");
    let updated = told(&mut sim, "notifications/resources/updated");
    assert_eq!(updated.len(), 1);
    assert_eq!(
        updated[0]["params"],
        json!({"_meta":{"io.modelcontextprotocol/subscriptionId":7},"uri":"x://one"})
    );
    assert!(!is_answered(&mut sim, 7), "the stream is open");
    says(
        &mut sim,
        &[
            &notification("notifications/cancelled", r#"{"requestId":7}"#),
            &modern(2, "tools/call", r#""name":"a__t""#),
        ],
    );
    assert_eq!(
        told(&mut sim, "notifications/resources/updated").len(),
        1,
        "and closed"
    );
    assert!(!read(&mut sim, 0, "resources/unsubscribe").is_empty());
}

#[test]
fn a_stream_ends_with_the_gateway() {
    let mut sim = ready();
    says(
        &mut sim,
        &[&modern(7, "subscriptions/listen", r#""notifications":{}"#)],
    );
    sim.happens(simulation::world::Waiting::Signalled);
    let at = sim.now + 5_000;
    sim.run_to(at);
    assert_eq!(
        answer(&mut sim, 7)["result"],
        json!({"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":7}})
    );
}

#[test]
fn a_stream_that_says_nothing_of_what_it_wants_is_refused() {
    let mut sim = ready();
    says(&mut sim, &[&modern(7, "subscriptions/listen", "")]);
    assert_eq!(answer(&mut sim, 7)["error"]["code"], -32_602);
}

#[test]
fn a_client_that_falls_back_to_a_session_gets_one() {
    let mut sim = gateway(1, |_| library());
    says(
        &mut sim,
        &[&modern(1, "server/discover", ""), &initialize("{}")],
    );
    assert_eq!(
        answer(&mut sim, 0)["result"]["protocolVersion"],
        "2025-11-25"
    );
    sim.run_to(500);
    says(&mut sim, &[&request(2, "tools/list", "{}")]);
    assert!(answer(&mut sim, 2)["result"].get("ttlMs").is_none());
}

#[test]
fn a_refused_call_says_of_what_kind_its_result_is() {
    let mut sim = gateway(1, |_| Birth::Fails {
        after_ms: 0,
        failure: rea_fsm::SpawnFailure::Blocked(rea_fsm::BlockReason::Untrusted),
    });
    says(&mut sim, &[&modern(900, "server/discover", "")]);
    sim.run_to(500);
    says(&mut sim, &[&modern(1, "tools/call", r#""name":"a__t""#)]);
    let result = &answer(&mut sim, 1)["result"];
    assert_eq!(result["resultType"], "complete");
    assert_eq!(result["_meta"]["rea/failure"]["reason"], "blocked");
}

/// A call that wants to hear so much.
fn loud(id: u32, level: &str) -> String {
    let said = format!(r#""_meta":{{"io.modelcontextprotocol/logLevel":"{level}","#);
    modern(id, "tools/call", r#""name":"a__t""#).replacen(r#""_meta":{"#, &said, 1)
}

#[test]
fn a_server_with_a_session_is_told_to_be_as_loud_as_a_request_wants_it() {
    let mut sim = ready();
    says(&mut sim, &[&modern(1, "tools/call", r#""name":"a__t""#)]);
    assert!(read(&mut sim, 0, "logging/setLevel").is_empty());
    for (id, level, told) in [
        (2, "error", 1),
        (3, "critical", 1),
        (4, "error", 1),
        (5, "debug", 2),
        (6, "info", 2),
    ] {
        says(&mut sim, &[&loud(id, level)]);
        let levels = read(&mut sim, 0, "logging/setLevel");
        assert_eq!(levels.len(), told, "{level}");
    }
    let levels = read(&mut sim, 0, "logging/setLevel");
    assert!(levels[0].contains(r#""level":"error""#), "{levels:?}");
    assert!(levels[1].contains(r#""level":"debug""#), "{levels:?}");
    let lines = sim.read_by(0);
    let debug = lines.iter().position(|line| line.contains("debug"));
    let next = debug.and_then(|at| lines.get(at + 1)).expect("a call");
    assert!(next.contains("tools/call"), "{next}");
    assert_eq!(
        told(&mut sim, "notifications/message").len(),
        2,
        "info is told to whoever wants to hear it"
    );
}

#[test]
fn only_a_server_that_can_is_told_to_be_loud_and_a_new_process_anew() {
    let mut sim = gateway(2, |server| {
        if server.0 == 0 {
            legacy(ALL, |asked| match asked.method.as_str() {
                "tools/call" => vec![simulation::child::die(0, rea_fsm::ExitStatus::Code(1))],
                _ => empty_list(asked).unwrap_or_else(|| vec![asked.result(0, "{}")]),
            })
        } else {
            good()
        }
    });
    says(&mut sim, &[&modern(900, "server/discover", "")]);
    sim.run_to(500);
    says(&mut sim, &[&loud(1, "info").replace("a__t", "b__t")]);
    assert!(read(&mut sim, 1, "logging/setLevel").is_empty());
    for id in [2, 3] {
        says(&mut sim, &[&loud(id, "info")]);
        let at = sim.now + 20_000;
        sim.run_to(at);
    }
    assert_eq!(read(&mut sim, 0, "logging/setLevel").len(), 2);
}

#[test]
fn a_session_says_itself_how_loud_servers_are() {
    let mut sim = session(1, |_| library());
    says(&mut sim, &[&loud(1, "debug")]);
    assert!(read(&mut sim, 0, "logging/setLevel").is_empty());
}
