//! What is asked while it is not known yet what servers have.

use super::*;
use rea_fsm::Leaf;

const RESOURCES: &str = r#"{"resources":{"subscribe":true}}"#;

/// Has resources, of which it lists one, and says so after so long.
fn library(after_ms: u64, uri: &'static str) -> Birth {
    Scripted::prompt()
        .on_any(move |asked| match asked.method.as_str() {
            "initialize" => Some(vec![asked.result(
                after_ms,
                &format!(
                    r#"{{"protocolVersion":"2025-11-25","capabilities":{RESOURCES},"serverInfo":{{"name":"s","version":"1"}}}}"#
                ),
            )]),
            "resources/list" => Some(vec![asked.result(
                0,
                &format!(r#"{{"resources":[{{"uri":"{uri}","name":"n"}}]}}"#),
            )]),
            "resources/read" => Some(vec![asked.result(0, r#"{"contents":[]}"#)]),
            "resources/subscribe" => Some(vec![asked.result(0, "{}")]),
            _ => empty_list(asked),
        })
        .birth()
}

fn two(first_ms: u64, second_ms: u64) -> Sim {
    gateway(2, move |server| {
        if server.0 == 0 {
            library(first_ms, "x://a")
        } else {
            library(second_ms, "x://b")
        }
    })
}

const READ: &str = r#"{"uri":"x://a"}"#;

#[test]
fn a_request_that_several_servers_may_be_for_waits_until_they_have_said_what_they_have() {
    let mut sim = two(300, 600);
    says(
        &mut sim,
        &[&initialize("{}"), &request(1, "resources/read", READ)],
    );
    sim.run_to(200);
    assert!(!is_answered(&mut sim, 1));
    sim.run_to(1_500);
    assert_eq!(answer(&mut sim, 1)["result"], json!({"contents":[]}));
    assert_eq!(read(&mut sim, 0, "resources/read").len(), 1);
    assert!(read(&mut sim, 1, "resources/read").is_empty());
}

#[test]
fn a_subscription_and_a_completion_wait_too() {
    let mut sim = two(300, 300);
    let reference =
        r#"{"ref":{"type":"ref/resource","uri":"x://a"},"argument":{"name":"n","value":""}}"#;
    says(
        &mut sim,
        &[
            &initialize("{}"),
            &request(1, "resources/subscribe", READ),
            &request(2, "completion/complete", reference),
        ],
    );
    sim.run_to(1_500);
    assert_eq!(answer(&mut sim, 1)["result"], json!({}));
    assert_eq!(read(&mut sim, 0, "resources/subscribe").len(), 1);
    assert_eq!(read(&mut sim, 0, "completion/complete").len(), 1);
    assert!(read(&mut sim, 1, "resources/subscribe").is_empty());
}

#[test]
fn a_stream_is_opened_when_it_is_known_whose_its_resources_are() {
    let mut sim = two(300, 300);
    let listen = r#""notifications":{"resourceSubscriptions":["x://a"]}"#;
    says(&mut sim, &[&modern(7, "subscriptions/listen", listen)]);
    assert!(told(&mut sim, "notifications/subscriptions/acknowledged").is_empty());
    sim.run_to(1_500);
    let opened = told(&mut sim, "notifications/subscriptions/acknowledged");
    assert_eq!(opened.len(), 1);
    assert_eq!(
        opened[0]["params"]["notifications"],
        json!({"resourceSubscriptions":["x://a"]})
    );
    assert_eq!(read(&mut sim, 0, "resources/subscribe").len(), 1);
}

#[test]
fn nobody_waits_longer_than_for_a_list() {
    let mut sim = two(300, 15_000);
    says(
        &mut sim,
        &[
            &initialize("{}"),
            &request(1, "resources/read", r#"{"uri":"x://nobody/lists"}"#),
        ],
    );
    sim.run_to(1_900);
    assert!(!is_answered(&mut sim, 1));
    sim.run_to(2_500);
    assert_eq!(
        answer(&mut sim, 1)["result"],
        json!({"contents":[]}),
        "the one that is known to have resources has it"
    );
}

#[test]
fn what_waits_can_be_given_up() {
    let mut sim = two(300, 300);
    let listen = r#""notifications":{"resourceSubscriptions":["x://a"]}"#;
    says(
        &mut sim,
        &[
            &modern(1, "resources/read", r#""uri":"x://a""#),
            &modern(7, "subscriptions/listen", listen),
            &notification("notifications/cancelled", r#"{"requestId":1}"#),
            &notification("notifications/cancelled", r#"{"requestId":7}"#),
        ],
    );
    sim.run_to(3_000);
    assert!(sim.heard().is_empty(), "{:?}", sim.heard());
    assert!(read(&mut sim, 0, "resources/read").is_empty());
    assert!(read(&mut sim, 0, "resources/subscribe").is_empty());
}

#[test]
fn what_waits_is_answered_when_the_gateway_ends() {
    let mut sim = two(15_000, 15_000);
    says(
        &mut sim,
        &[&initialize("{}"), &request(1, "resources/read", READ)],
    );
    sim.happens(simulation::world::Waiting::Signalled);
    sim.run_to(5_000);
    assert!(answer(&mut sim, 1)["error"].is_object());
}

#[test]
fn a_server_that_never_comes_is_nobody_elses_rival() {
    let mut sim = session(2, |server| {
        if server.0 == 0 {
            library(0, "x://a")
        } else {
            Birth::Fails {
                after_ms: 0,
                failure: rea_fsm::SpawnFailure::Blocked(rea_fsm::BlockReason::Untrusted),
            }
        }
    });
    assert_eq!(sim.leaf(1), Leaf::Blocked);
    says(
        &mut sim,
        &[&request(
            1,
            "resources/read",
            r#"{"uri":"x://nobody/lists"}"#,
        )],
    );
    assert_eq!(answer(&mut sim, 1)["result"], json!({"contents":[]}));
}

#[test]
fn a_resource_of_a_server_that_does_not_tell_of_changes_is_left_out_of_a_stream() {
    let mut sim = gateway(1, |_| {
        legacy(r#"{"resources":{}}"#, |asked| match asked.method.as_str() {
            "resources/list" => {
                vec![asked.result(0, r#"{"resources":[{"uri":"x://a","name":"n"}]}"#)]
            }
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&modern(1, "resources/list", "")]);
    sim.run_to(500);
    let listen = r#""notifications":{"toolsListChanged":true,"resourceSubscriptions":["x://a"]}"#;
    says(&mut sim, &[&modern(7, "subscriptions/listen", listen)]);
    let opened = told(&mut sim, "notifications/subscriptions/acknowledged");
    assert_eq!(
        opened[0]["params"]["notifications"],
        json!({"toolsListChanged":true})
    );
    assert!(read(&mut sim, 0, "resources/subscribe").is_empty());
}

const STATE: &str = r#""name":"a__t","requestState":"theirs""#;

/// One server that is spoken to so.
fn one(protocol: Protocol, birth: impl Fn() -> Birth + 'static) -> Sim {
    let mut spec = ServerSpec::named("a");
    spec.tuning.protocol = protocol;
    Sim::new(Setup::of(vec![spec]), Box::new(move |_, _| birth()))
}

fn tool_of_a_stateless_one() -> Birth {
    stateless(r#"{"tools":{}}"#, |asked| {
        empty_list(asked).unwrap_or_else(|| vec![asked.result(0, r#"{"content":[]}"#)])
    })
}

#[test]
fn a_state_goes_to_a_server_without_sessions_before_it_is_there() {
    for protocol in [Protocol::Modern, Protocol::Auto] {
        let mut sim = one(protocol, tool_of_a_stateless_one);
        says(&mut sim, &[&modern(1, "tools/call", STATE)]);
        sim.run_to(1_500);
        assert!(answer(&mut sim, 1)["result"]["content"].is_array());
        let call = sim.calls_read_by(0).remove(0);
        assert!(call.contains(r#""requestState":"theirs""#), "{call}");
    }
}

#[test]
fn a_state_that_is_nobodys_is_refused_before_its_server_is_there() {
    for protocol in [Protocol::Legacy, Protocol::Auto] {
        let mut sim = one(protocol, good);
        says(&mut sim, &[&modern(1, "tools/call", STATE)]);
        sim.run_to(1_500);
        let error = &answer(&mut sim, 1)["error"];
        assert_eq!(error["code"], -32_602);
        assert!(error["message"].to_string().contains("not given out"));
        assert!(sim.calls_read_by(0).is_empty());
    }
}

#[test]
fn a_state_of_which_nobody_knows_whose_it_is_is_refused_with_the_truth() {
    let mut sim = one(Protocol::Auto, || Birth::NeverKnown);
    says(&mut sim, &[&modern(1, "tools/call", STATE)]);
    sim.run_to(2_500);
    let error = &answer(&mut sim, 1)["error"];
    assert_eq!(error["code"], -32_000);
    assert!(error["message"].to_string().contains("still starting"));
    let mut sim = one(Protocol::Auto, || Birth::Fails {
        after_ms: 0,
        failure: rea_fsm::SpawnFailure::Blocked(rea_fsm::BlockReason::Untrusted),
    });
    says(&mut sim, &[&modern(1, "tools/call", STATE)]);
    sim.run_to(2_500);
    let failure = &answer(&mut sim, 1)["result"]["_meta"]["rea/failure"];
    assert_eq!(failure["reason"], "blocked");
}

/// What the server `a` was told in its handshake that the client can do.
fn told_at_its_start(sim: &mut Sim) -> Vec<Value> {
    let opened = read(sim, 0, "initialize");
    let opened = opened.iter().map(|line| {
        let line: Value = serde_json::from_str(line).expect("it is JSON");
        line["params"]["capabilities"].clone()
    });
    opened.collect()
}

fn bytes(sim: &mut Sim, at: u64, bytes: &str) {
    sim.run_to(at);
    sim.happens(simulation::world::Waiting::Client(
        bytes.as_bytes().to_vec(),
    ));
}

#[test]
fn servers_are_told_what_the_client_can_do_however_it_begins() {
    let hello = format!("{}\n", initialize(r#"{"sampling":{}}"#));
    let ping = format!("{}\n", request(9, "ping", "{}"));
    let other = modern(8, "server/discover", "").replace("2026-07-28", "2099-01-01");
    let unmarked = request(7, "server/discover", "{}");
    for before in [
        "",
        &hello[..40],
        &ping,
        "\n",
        "rubbish\n",
        &format!("{other}\n"),
        &format!("{unmarked}\n"),
        &format!("{}\n", notification("notifications/initialized", "{}")),
    ] {
        let mut sim = gateway(1, |_| good());
        if !before.is_empty() {
            bytes(&mut sim, 500, before);
        }
        let rest = hello.strip_prefix(before).unwrap_or(&hello);
        bytes(&mut sim, 1_400, rest);
        sim.run_to(2_000);
        let told = told_at_its_start(&mut sim);
        let expected = if before.is_empty() {
            "{}"
        } else {
            r#"{"sampling":{}}"#
        };
        let expected: Value = serde_json::from_str(expected).expect("it is JSON");
        assert_eq!(told, [expected], "{before:?}");
    }
}

#[test]
fn a_client_that_never_says_who_it_is_gets_its_servers_all_the_same() {
    let mut sim = gateway(1, |_| good());
    bytes(&mut sim, 500, &format!("{}\n", request(9, "ping", "{}")));
    sim.run_to(1_450);
    assert_eq!(sim.leaf(0), Leaf::Idle);
    sim.run_to(2_000);
    assert_eq!(told_at_its_start(&mut sim), [json!({})]);
}

#[test]
fn a_request_for_a_server_starts_it_whoever_asks() {
    for asked in [
        request(1, "tools/call", r#"{"name":"a__t"}"#),
        modern(1, "tools/call", r#""name":"a__t""#),
        request(1, "tools/list", "{}"),
    ] {
        let mut sim = gateway(1, |_| good());
        says(&mut sim, &[&asked]);
        sim.run_to(300);
        assert!(is_answered(&mut sim, 1), "{asked}");
    }
}
