//! Servers without sessions.

use super::*;

const ALL: &str =
    r#"{"tools":{"listChanged":true},"resources":{"subscribe":true,"listChanged":true}}"#;

fn library() -> Birth {
    stateless(ALL, |asked| match asked.method.as_str() {
        "tools/list" => vec![asked.result(
            0,
            r#"{"resultType":"complete","tools":[{"name":"t"}],"ttlMs":0,"cacheScope":"private"}"#,
        )],
        "resources/list" => {
            vec![asked.result(0, r#"{"resources":[{"uri":"x://one","name":"n"}]}"#)]
        }
        "subscriptions/listen" | "notifications/cancelled" => Vec::new(),
        _ => empty_list(asked)
            .unwrap_or_else(|| vec![asked.result(0, r#"{"resultType":"complete","x":1e400}"#)]),
    })
}

#[test]
fn it_is_found_out_by_asking_and_never_initialized() {
    let mut sim = session(1, |_| library());
    assert_eq!(read(&mut sim, 0, "server/discover").len(), 1);
    assert!(read(&mut sim, 0, "initialize").is_empty());
    assert!(read(&mut sim, 0, "notifications/initialized").is_empty());
    let view = sim.downstream(0).view().era;
    assert_eq!(view.version(), Some(rea_fsm::ProtocolVersion::V2026_07_28));
}

#[test]
fn every_request_says_what_it_is() {
    let mut sim = session(1, |_| library());
    says(
        &mut sim,
        &[&request(
            1,
            "tools/call",
            r#"{"_meta":{"progressToken":1},"name":"a__t"}"#,
        )],
    );
    for method in ["server/discover", "tools/list", "tools/call"] {
        let line = read(&mut sim, 0, method).remove(0);
        assert!(
            line.contains(r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#),
            "{line}"
        );
        assert!(
            line.contains(&format!(
                r#""io.modelcontextprotocol/clientCapabilities":{EVERYTHING}"#
            )),
            "{line}"
        );
    }
    let call = sim.calls_read_by(0).remove(0);
    assert!(call.contains(r#""progressToken":1},"name":"t""#), "{call}");
    assert_eq!(
        sim.heard().last().map(String::as_str),
        Some(r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","x":1e400}}"#)
    );
}

#[test]
fn a_client_without_a_session_speaks_for_itself() {
    let mut sim = gateway(1, |_| library());
    says(&mut sim, &[&modern(900, "server/discover", "")]);
    sim.run_to(500);
    says(
        &mut sim,
        &[&modern(
            1,
            "tools/call",
            r#""name":"a__t","requestState":"theirs""#,
        )],
    );
    let call = sim.calls_read_by(0).remove(0);
    assert_eq!(call.matches("protocolVersion").count(), 1, "{call}");
    assert!(call.contains(r#""requestState":"theirs""#), "{call}");
}

#[test]
fn the_state_of_a_gateway_behind_this_one_passes() {
    let mut sim = gateway(1, |_| library());
    says(&mut sim, &[&modern(900, "server/discover", "")]);
    sim.run_to(500);
    let theirs = r#""requestState":"rea1.0123456789abcdef.00""#;
    says(
        &mut sim,
        &[&modern(
            1,
            "tools/call",
            &format!(r#""name":"a__t",{theirs}"#),
        )],
    );
    let call = sim.calls_read_by(0).remove(0);
    assert!(call.contains(theirs), "{call}");
}

#[test]
fn changes_of_its_lists_are_listened_for_and_told() {
    let mut sim = session(1, |_| {
        let listings = std::cell::Cell::new(0);
        stateless(ALL, move |asked| match asked.method.as_str() {
            "tools/list" => {
                listings.set(listings.get() + 1);
                let tools = format!(r#"{{"tools":[{{"name":"t{}"}}]}}"#, listings.get());
                vec![asked.result(0, &tools)]
            }
            "tools/call" => vec![
                asked.result(0, r#"{"resultType":"complete"}"#),
                say(
                    0,
                    notification(
                        "notifications/tools/list_changed",
                        r#"{"_meta":{"io.modelcontextprotocol/subscriptionId":1}}"#,
                    ),
                ),
            ],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    let listened = read(&mut sim, 0, "subscriptions/listen");
    assert_eq!(listened.len(), 1);
    assert!(
        listened[0]
            .contains(r#""notifications":{"toolsListChanged":true,"resourcesListChanged":true}"#),
        "{listened:?}"
    );
    says(
        &mut sim,
        &[
            &request(1, "tools/list", "{}"),
            &request(2, "tools/call", r#"{"name":"a__t1"}"#),
        ],
    );
    let at = sim.now + 3_000;
    sim.run_to(at);
    let changes = told(&mut sim, "notifications/tools/list_changed");
    assert_eq!(changes.len(), 1);
    assert!(
        changes[0].get("params").is_none(),
        "the stream is ours, not the client's"
    );
}

#[test]
fn a_subscription_of_a_session_becomes_a_stream() {
    let mut sim = session(1, |_| library());
    says(
        &mut sim,
        &[
            &request(1, "resources/subscribe", r#"{"uri":"x://one"}"#),
            &request(2, "resources/unsubscribe", r#"{"uri":"x://one"}"#),
        ],
    );
    assert_eq!(answer(&mut sim, 1)["result"], json!({}));
    assert_eq!(answer(&mut sim, 2)["result"], json!({}));
    let streams = read(&mut sim, 0, "subscriptions/listen");
    assert!(
        streams[1].contains(r#""resourceSubscriptions":["x://one"]"#),
        "{streams:?}"
    );
    assert!(read(&mut sim, 0, "resources/subscribe").is_empty());
    assert_eq!(read(&mut sim, 0, "notifications/cancelled").len(), 1);
}

#[test]
fn a_subscription_waits_until_it_is_known_how_its_server_is_spoken_to() {
    let mut sim = gateway(1, |_| library());
    says(
        &mut sim,
        &[
            &initialize(EVERYTHING),
            &request(1, "resources/subscribe", r#"{"uri":"x://one"}"#),
        ],
    );
    sim.run_to(500);
    assert_eq!(answer(&mut sim, 1)["result"], json!({}));
    let streams = read(&mut sim, 0, "subscriptions/listen");
    let watched = r#""resourceSubscriptions":["x://one"]"#;
    let count = streams.iter().filter(|line| line.contains(watched)).count();
    assert_eq!(count, 1, "{streams:?}");
    assert!(read(&mut sim, 0, "resources/subscribe").is_empty());
}

#[test]
fn the_level_stands_in_every_request() {
    let mut sim = session(1, |_| library());
    says(
        &mut sim,
        &[
            &request(1, "logging/setLevel", r#"{"level":"error"}"#),
            &request(2, "tools/call", r#"{"name":"a__t"}"#),
        ],
    );
    assert!(read(&mut sim, 0, "logging/setLevel").is_empty());
    let call = sim.calls_read_by(0).remove(0);
    assert!(
        call.contains(r#""io.modelcontextprotocol/logLevel":"error""#),
        "{call}"
    );
}

#[test]
fn it_is_asked_whether_it_lives_in_its_own_way() {
    let mut sim = session(1, |_| {
        stateless(ALL, |asked| match asked.method.as_str() {
            // It breaks a framing rule, which raises suspicion.
            "tools/call" => vec![say(0, b"\xff")],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&request(1, "tools/call", r#"{"name":"a__t"}"#)]);
    let at = sim.now + 100;
    sim.run_to(at);
    assert!(read(&mut sim, 0, "ping").is_empty());
    assert_eq!(read(&mut sim, 0, "server/discover").len(), 2);
    assert_eq!(sim.leaf(0), rea_fsm::Leaf::Ready);
}

#[test]
fn a_server_that_answers_nothing_to_discovery_is_spoken_to_with_a_session() {
    let mut sim = gateway(1, |_| {
        legacy(r#"{"tools":{}}"#, |asked| {
            empty_list(asked).unwrap_or_default()
        })
    });
    says(&mut sim, &[&initialize("{}")]);
    sim.run_to(5_000);
    assert_eq!(read(&mut sim, 0, "initialize").len(), 1);
    assert_eq!(sim.leaf(0), rea_fsm::Leaf::Ready);
}

/// Ends every stream after so long, by answering its request with `END` or by taking it back.
fn hangs_up(after_ms: u64, end: &'static str) -> Birth {
    stateless(ALL, move |asked| match asked.method.as_str() {
        "subscriptions/listen" => vec![say(after_ms, end.replace("ID", &asked.id))],
        "notifications/cancelled" => Vec::new(),
        _ => empty_list(asked).unwrap_or_default(),
    })
}

const ENDS: [&str; 3] = [
    r#"{"jsonrpc":"2.0","id":ID,"result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":ID}}}"#,
    r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32603,"message":"no more"}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":ID}}"#,
];

#[test]
fn a_stream_that_its_server_ends_is_opened_again_and_what_it_tells_of_is_asked_for() {
    for end in ENDS {
        let mut sim = session(1, |_| hangs_up(100_000, end));
        says(
            &mut sim,
            &[&request(1, "resources/subscribe", r#"{"uri":"x://one"}"#)],
        );
        assert_eq!(read(&mut sim, 0, "subscriptions/listen").len(), 2);
        assert_eq!(read(&mut sim, 0, "tools/list").len(), 1);
        sim.run_to(100_900);
        assert_eq!(read(&mut sim, 0, "subscriptions/listen").len(), 2, "{end}");
        sim.run_to(103_000);
        let streams = read(&mut sim, 0, "subscriptions/listen");
        assert_eq!(streams.len(), 4, "{end}");
        let again = streams[2..].concat();
        assert!(again.contains("toolsListChanged"), "{again}");
        assert!(again.contains("x://one"), "{again}");
        for list in ["tools/list", "resources/list"] {
            assert_eq!(read(&mut sim, 0, list).len(), 2, "{end}: {list}");
        }
        sim.run_to(203_000);
        let count = read(&mut sim, 0, "subscriptions/listen").len();
        assert_eq!(count, 6, "{end}: and again");
    }
}

#[test]
fn a_server_that_ends_streams_at_once_is_asked_ever_more_rarely() {
    for end in ENDS {
        let mut sim = session(1, |_| hangs_up(0, end));
        sim.run_to(600_000);
        let streams = read(&mut sim, 0, "subscriptions/listen").len();
        assert!((10..=20).contains(&streams), "{end}: {streams}");
        let lists = read(&mut sim, 0, "tools/list").len();
        assert!(lists <= streams, "{end}: {lists}");
        assert_eq!(sim.leaf(0), rea_fsm::Leaf::Ready);
    }
}

#[test]
fn a_server_that_knows_no_streams_is_not_asked_again() {
    let end = r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32601,"message":"what?"}}"#;
    let mut sim = session(1, |_| hangs_up(0, end));
    sim.run_to(600_000);
    assert_eq!(read(&mut sim, 0, "subscriptions/listen").len(), 1);
}

#[test]
fn a_change_of_a_resource_passes_as_it_stands_but_for_its_stream() {
    let updated = |id: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/resources/updated", "params":{{"uri":"x:\/\/one","n":1e400,"_meta":{{"k":"\ud800","io.modelcontextprotocol/subscriptionId":{id}}}}}}}"#
        )
    };
    let birth = move || {
        stateless(ALL, move |asked| match asked.method.as_str() {
            "subscriptions/listen" if asked.line.contains("x://one") => {
                vec![say(5, updated(&asked.id))]
            }
            _ => empty_list(asked).unwrap_or_default(),
        })
    };
    let mut sim = gateway(1, move |_| birth());
    says(&mut sim, &[&modern(900, "server/discover", "")]);
    sim.run_to(500);
    let wanted = r#""notifications":{"resourceSubscriptions":["x://one"]}"#;
    says(&mut sim, &[&modern(7, "subscriptions/listen", wanted)]);
    assert_eq!(sim.heard().last(), Some(&updated("7")));

    let mut sim = session(1, move |_| birth());
    let subscribe = request(1, "resources/subscribe", r#"{"uri":"x://one"}"#);
    says(&mut sim, &[&subscribe]);
    let on_none = updated("7").replace(r#","io.modelcontextprotocol/subscriptionId":7"#, "");
    assert_eq!(sim.heard().last(), Some(&on_none));
}
