//! What the client is answered without any server.

use super::*;
use crate::simulation::script::Manner;
use crate::simulation::world::Waiting;

fn code(sim: &mut Sim, id: &str) -> i64 {
    answer(sim, id)["error"]["code"]
        .as_i64()
        .expect("it is an error")
}

#[test]
fn initialize_is_answered_before_any_server_is_up() {
    let mut sim = gateway(2, |_, _| Birth::NeverKnown);
    sim.says(&[INITIALIZE]);
    let result = &answer(&mut sim, "0")["result"];
    assert_eq!(result["protocolVersion"], "2025-06-18");
    assert_eq!(result["capabilities"]["tools"]["listChanged"], true);
    assert_eq!(sim.now, 0);
}

#[test]
fn b13_a_mute_server_delays_nobodys_initialize() {
    let mut sim = gateway(2, |server, _| match server {
        ServerId(0) => Scripted::prompt().handshake(Manner::Never).birth(),
        _ => Scripted::prompt().birth(),
    });
    sim.says(&[INITIALIZE]);
    assert_eq!(answers(&mut sim, "0").len(), 1);
    sim.run_to(100);
    sim.says(&[&call("1", "b__work")]);
    assert_eq!(text(&answer(&mut sim, "1")), "done");
}

#[test]
fn an_unknown_revision_is_answered_with_our_newest() {
    let mut sim = gateway(1, |_, _| Scripted::prompt().birth());
    sim.says(&[
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2099-01-01"}}"#,
    ]);
    assert_eq!(
        answer(&mut sim, "0")["result"]["protocolVersion"],
        "2025-11-25"
    );
}

#[test]
fn a_ping_is_answered() {
    let mut sim = gateway(1, |_, _| Scripted::prompt().birth());
    sim.says(&[r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#]);
    assert_eq!(answer(&mut sim, "\"p\"")["result"], serde_json::json!({}));
}

#[test]
fn an_unknown_method_is_refused_at_once() {
    let mut sim = gateway(1, |_, _| Birth::NeverKnown);
    sim.says(&[
        r#"{"jsonrpc":"2.0","id":1,"method":"no/such/method"}"#,
        r#"{"jsonrpc":"2.0","method":"no/such/notification"}"#,
    ]);
    assert_eq!(code(&mut sim, "1"), -32_601);
    assert_eq!(sim.heard().len(), 1, "a notification is not answered");
}

#[test]
fn what_is_no_json_is_refused_and_the_stream_goes_on() {
    let mut sim = gateway(1, |_, _| Scripted::prompt().birth());
    sim.says(&["{\"id\":", r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#]);
    assert_eq!(code(&mut sim, "null"), -32_700);
    assert_eq!(answers(&mut sim, "2").len(), 1);
}

#[test]
fn text_that_is_none_is_refused() {
    let mut sim = gateway(1, |_, _| Scripted::prompt().birth());
    sim.happens(Waiting::Client(b"{\"id\":\"\xff\"}\n".to_vec()));
    assert_eq!(code(&mut sim, "null"), -32_700);
}

#[test]
fn a_batch_is_refused() {
    let mut sim = gateway(1, |_, _| Scripted::prompt().birth());
    sim.says(&[r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#]);
    assert_eq!(code(&mut sim, "null"), -32_600);
}

#[test]
fn a_key_that_stands_twice_in_the_envelope_is_refused() {
    let mut sim = gateway(1, |_, _| Scripted::prompt().birth());
    sim.says(&[r#"{"jsonrpc":"2.0","id":1,"method":"ping","\u0069d":2}"#]);
    assert_eq!(code(&mut sim, "null"), -32_600);
}

#[test]
fn a_line_over_the_limit_is_refused_and_the_stream_goes_on() {
    let mut setup = Setup::of(vec![ServerSpec::named("a")]);
    setup.line_bytes_max = 100;
    let mut sim = Sim::new(setup, Box::new(|_, _| Scripted::prompt().birth()));
    let long = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#,
        "x".repeat(100)
    );
    sim.says(&[&long, r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#]);
    // Its id stands at its beginning, and so its asker is not left waiting.
    assert_eq!(code(&mut sim, "1"), -32_005);
    assert_eq!(answers(&mut sim, "2").len(), 1);
}
