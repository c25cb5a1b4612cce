//! A server without sessions answers a call with questions, and the client has a session.

use super::*;

const TOOLS: &str = r#"{"tools":{},"prompts":{}}"#;

const WANTS: &str = r#"{"resultType":"input_required","inputRequests":{"who":{"method":"elicitation/create","params":{"message":"\ud800","n":1e400}},"where":{"method":"roots/list"}},"requestState":"st\u0061te"}"#;

/// Wants to know something first, then repeats what it was told.
fn curious(wants: &'static str) -> Birth {
    stateless(TOOLS, move |asked| {
        if let Some(list) = empty_list(asked) {
            return list;
        }
        match asked.method.as_str() {
            "tools/call" | "prompts/get" if !asked.line.contains("requestState") => {
                vec![asked.result(0, wants)]
            }
            "tools/call" | "prompts/get" => {
                let told = serde_json::to_string(&asked.line).expect("text");
                let result = format!(r#"{{"resultType":"complete","content":[],"told":{told}}}"#);
                vec![asked.result(0, &result)]
            }
            _ => Vec::new(),
        }
    })
}

const CALL: &str = r#"{"name":"a__t","arguments":{"x":1e400}}"#;

fn reply(sim: &mut Sim, method: &str, result: &str) {
    let id = told(sim, method).last().expect("asked")["id"].clone();
    says(
        sim,
        &[&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#
        )],
    );
}

#[test]
fn the_client_is_asked_and_the_call_repeated_with_its_answers() {
    let mut sim = session(1, |_| curious(WANTS));
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    assert!(!is_answered(&mut sim, 1));
    let asked = sim.heard();
    let line = asked
        .iter()
        .find(|line| line.contains("elicitation/create"))
        .expect("asked");
    assert!(
        line.contains(r#""params":{"message":"\ud800","n":1e400}"#),
        "{line}"
    );
    reply(
        &mut sim,
        "elicitation/create",
        r#"{"action":"accept","k":1e400}"#,
    );
    assert!(!is_answered(&mut sim, 1), "one answer is missing");
    reply(&mut sim, "roots/list", r#"{"roots":[]}"#);
    assert!(is_answered(&mut sim, 1));
    let calls = sim.calls_read_by(0);
    assert_eq!(calls.len(), 2, "as often as the server wanted");
    for part in [
        r#""inputResponses":{"who":{"action":"accept","k":1e400},"where":{"roots":[]}}"#,
        r#""requestState":"st\u0061te""#,
        r#""arguments":{"x":1e400}"#,
        r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#,
    ] {
        assert!(calls[1].contains(part), "{part} in {}", calls[1]);
    }
}

#[test]
fn a_state_without_questions_is_brought_back_at_once() {
    let mut sim = session(1, |_| {
        curious(r#"{"resultType":"input_required","requestState":"s"}"#)
    });
    says(
        &mut sim,
        &[&request(1, "prompts/get", r#"{"name":"a__p"}"#)],
    );
    assert!(is_answered(&mut sim, 1));
}

/// A repeated key has as many meanings as there are parsers.
#[test]
fn each_round_brings_back_its_own_state_alone() {
    let mut sim = session(1, |_| {
        stateless(TOOLS, |asked| {
            match asked.method.as_str() {
            "tools/call" if asked.line.contains("\"second\"") => {
                vec![asked.result(0, r#"{"resultType":"complete","content":[]}"#)]
            }
            "tools/call" if asked.line.contains("\"first\"") => vec![asked.result(
                0,
                r#"{"resultType":"input_required","requestState":"second"}"#,
            )],
            "tools/call" => vec![asked.result(
                0,
                r#"{"resultType":"input_required","inputRequests":{"r":{"method":"roots/list"}},"requestState":"first"}"#,
            )],
            _ => empty_list(asked).unwrap_or_default(),
        }
        })
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    reply(&mut sim, "roots/list", r#"{"roots":[]}"#);
    assert!(is_answered(&mut sim, 1));
    let last = sim.calls_read_by(0).pop().expect("a call");
    assert!(last.contains(r#""requestState":"second""#), "{last}");
    assert!(
        !last.contains("first") && !last.contains("inputResponses"),
        "{last}"
    );
}

fn failure(sim: &mut Sim, id: u32) -> String {
    let failed = answer(sim, id);
    assert_eq!(failed["result"]["isError"], true, "{failed}");
    failed["result"]["content"][0]["text"]
        .as_str()
        .expect("text")
        .to_owned()
}

#[test]
fn what_the_client_can_not_answer_fails_the_call_in_words() {
    let mut sim = gateway(1, |_| curious(WANTS));
    says(&mut sim, &[&initialize(r#"{"roots":{}}"#)]);
    sim.run_to(500);
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    assert!(failure(&mut sim, 1).contains("`elicitation`"));
    assert!(
        told(&mut sim, "roots/list").is_empty(),
        "nothing is asked in vain"
    );
}

#[test]
fn a_client_that_refuses_fails_the_call_and_is_asked_no_more() {
    let mut sim = session(1, |_| curious(WANTS));
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let id = told(&mut sim, "elicitation/create")[0]["id"].clone();
    says(
        &mut sim,
        &[&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-1,"message":"no"}}}}"#
        )],
    );
    assert!(failure(&mut sim, 1).contains("did not answer"));
    assert_eq!(
        told(&mut sim, "notifications/cancelled").len(),
        1,
        "the other question"
    );
}

#[test]
fn a_server_that_never_has_enough_is_stopped() {
    let mut sim = session(1, |_| {
        stateless(TOOLS, |asked| match asked.method.as_str() {
            "tools/call" => {
                vec![asked.result(0, r#"{"resultType":"input_required","requestState":"s"}"#)]
            }
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let at = sim.now + 1_000;
    sim.run_to(at);
    assert!(failure(&mut sim, 1).contains("16 times"));
    assert_eq!(sim.calls_read_by(0).len(), 17);
}

#[test]
fn a_call_that_is_given_up_takes_its_questions_back() {
    let mut sim = session(1, |_| curious(WANTS));
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    says(
        &mut sim,
        &[&notification(
            "notifications/cancelled",
            r#"{"requestId":1}"#,
        )],
    );
    assert_eq!(told(&mut sim, "notifications/cancelled").len(), 2);
    assert!(!is_answered(&mut sim, 1));
    reply(&mut sim, "roots/list", r#"{"roots":[]}"#);
    assert_eq!(sim.calls_read_by(0).len(), 1);
}

#[test]
fn questions_that_nobody_answers_fail_the_call_in_time() {
    let mut sim = session(1, |_| curious(WANTS));
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let at = sim.now + 700_000;
    sim.run_to(at);
    assert!(failure(&mut sim, 1).contains("in time"));
}

#[test]
fn a_method_that_no_answer_may_ask_for_is_refused() {
    let mut sim = session(1, |_| {
        curious(r#"{"resultType":"input_required","inputRequests":{"x":{"method":"tools/call"}}}"#)
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    assert!(failure(&mut sim, 1).contains("`tools/call`"));
    assert!(told(&mut sim, "tools/call").is_empty());
}
