//! Clients that answer what they were not asked, and leave what they were.

use super::*;
use rea_fsm::Leaf;
use simulation::world::Waiting;

const TOOLS: &str = r#"{"tools":{}}"#;

const CALL: &str = r#""name":"a__t","arguments":{"x":1}"#;

/// Asks the client when it is called, and tells it what it was told.
fn curious() -> Birth {
    let calls = std::cell::RefCell::new(Vec::new());
    legacy(TOOLS, move |asked| match asked.method.as_str() {
        "tools/call" => {
            let mut calls = calls.borrow_mut();
            calls.push(asked.id.clone());
            let number = calls.len();
            vec![say(
                0,
                format!(r#"{{"jsonrpc":"2.0","id":"q{number}","method":"roots/list"}}"#),
            )]
        }
        // An answer: to the call that it was asked for.
        "" => {
            let number = asked.id.trim_matches(['"', 'q']);
            let number: usize = number.parse().expect("its own id");
            let told = serde_json::to_string(&asked.line).expect("text");
            let id = &calls.borrow()[number - 1];
            let result = format!(r#"{{"content":[],"told":{told}}}"#);
            vec![say(
                0,
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#),
            )]
        }
        _ => empty_list(asked).unwrap_or_default(),
    })
}

/// A session without sessions: `a` asks, `b` is good.
fn modern_ready() -> Sim {
    let mut sim = gateway(2, |server| if server.0 == 0 { curious() } else { good() });
    says(&mut sim, &[&modern(900, "tools/list", "")]);
    sim.run_to(500);
    sim
}

fn repeated(id: u32, name: &str, given: &Value, answers: &str) -> String {
    let state = &given["result"]["requestState"];
    let members = format!(
        r#""name":"{name}","arguments":{{"x":1}},"inputResponses":{answers},"requestState":{state}"#
    );
    modern(id, "tools/call", &members)
}

/// What the server has been told, by call.
fn told_to(answer: &Value) -> String {
    answer["result"]["told"].to_string()
}

#[test]
fn an_answer_to_another_calls_question_is_taken_for_nothing() {
    let mut sim = modern_ready();
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let first = answer(&mut sim, 1);
    says(&mut sim, &[&modern(2, "tools/call", CALL)]);
    let second = answer(&mut sim, 2);
    let questions = &second["result"]["inputRequests"];
    assert!(questions["question-2"].is_object(), "{second}");

    let read_before = sim.read_by(0).len();
    says(
        &mut sim,
        &[&repeated(
            3,
            "a__t",
            &first,
            r#"{"question-2":{"from":"the first"}}"#,
        )],
    );
    assert_eq!(sim.read_by(0).len(), read_before, "nobody is told anything");
    let again = answer(&mut sim, 3);
    assert!(again["result"]["inputRequests"]["question-1"].is_object());

    says(
        &mut sim,
        &[
            &repeated(4, "a__t", &second, r#"{"question-2":{"n":2}}"#),
            &repeated(5, "a__t", &again, r#"{"question-1":{"n":1}}"#),
        ],
    );
    for (id, n) in [(4, 2), (5, 1)] {
        let told = told_to(&answer(&mut sim, id));
        assert!(told.contains(&format!(r#"\"n\":{n}"#)), "{told}");
    }
    assert_eq!(sim.calls_read_by(0).len(), 2);
}

#[test]
fn keys_that_were_not_asked_are_passed_over() {
    let mut sim = modern_ready();
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let given = answer(&mut sim, 1);
    let answers = r#"{"":{},"question-":{},"question-x":{},"question--1":{},"question-99999999999999999999":{},"question-7":{},"question-1":{"n":1}}"#;
    says(&mut sim, &[&repeated(2, "a__t", &given, answers)]);
    let told = told_to(&answer(&mut sim, 2));
    assert!(told.contains(r#"\"n\":1"#), "{told}");
    let answers = sim.read_by(0);
    let answers = answers.iter().filter(|line| line.contains(r#""result":"#));
    assert_eq!(answers.count(), 1);
}

#[test]
fn a_state_is_of_one_server_and_one_request() {
    let mut sim = modern_ready();
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let given = answer(&mut sim, 1);
    let answers = r#"{"question-1":{}}"#;
    let state = &given["result"]["requestState"];
    for (id, line) in [
        (2, repeated(2, "b__t", &given, answers)),
        (3, repeated(3, "a__other", &given, answers)),
        (
            4,
            modern(
                4,
                "prompts/get",
                &format!(r#"{CALL},"requestState":{state}"#),
            ),
        ),
    ] {
        says(&mut sim, &[&line]);
        assert_eq!(answer(&mut sim, id)["error"]["code"], -32_602, "{line}");
    }
    assert!(sim.calls_read_by(1).is_empty());
    says(&mut sim, &[&repeated(5, "a__t", &given, answers)]);
    assert!(
        answer(&mut sim, 5)["result"].is_object(),
        "nothing has used it up"
    );
}

#[test]
fn a_state_of_a_call_that_has_ended_resumes_nothing() {
    let mut sim = modern_ready();
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let given = answer(&mut sim, 1);
    let answers = r#"{"question-1":{}}"#;
    says(&mut sim, &[&repeated(2, "a__t", &given, answers)]);
    assert!(answer(&mut sim, 2)["result"].is_object());
    says(&mut sim, &[&repeated(3, "a__t", &given, answers)]);
    let refused = answer(&mut sim, 3);
    assert_eq!(refused["error"]["code"], -32_602, "{refused}");
    assert!(
        refused["error"]["message"]
            .to_string()
            .contains("used before")
    );
    assert_eq!(sim.calls_read_by(0).len(), 1);
}

#[test]
fn a_state_of_a_server_without_sessions_reaches_it_while_it_starts_anew() {
    let mut sim = gateway(1, |_| {
        stateless(TOOLS, |asked| {
            match asked.method.as_str() {
            "tools/call" if asked.line.contains("requestState") => {
                vec![asked.result(0, r#"{"resultType":"complete","content":[]}"#)]
            }
            "tools/call" => vec![
                asked.result(
                    0,
                    r#"{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}},"requestState":"theirs"}"#,
                ),
                simulation::child::die(0, rea_fsm::ExitStatus::Code(1)),
            ],
            _ => empty_list(asked).unwrap_or_default(),
        }
        })
    });
    says(&mut sim, &[&modern(900, "tools/list", "")]);
    sim.run_to(500);
    sim.says(&[&modern(1, "tools/call", CALL)]);
    while sim.leaf(0) != Leaf::Connecting {
        let at = sim.now + 1;
        sim.run_to(at);
        assert!(at < 2_000, "it starts anew");
    }
    let given = answer(&mut sim, 1);
    sim.says(&[&repeated(2, "a__t", &given, r#"{"k":{"roots":[]}}"#)]);
    let at = sim.now + 1_000;
    sim.run_to(at);
    assert_eq!(answer(&mut sim, 2)["result"]["resultType"], "complete");
}

#[test]
fn an_answer_that_is_no_message_of_the_protocol_leaves_the_question_open() {
    let mut sim = beside_a_good_one(curious);
    says(&mut sim, &[&request(1, "tools/call", r#"{"name":"a__t"}"#)]);
    let id = told(&mut sim, "roots/list")[0]["id"].clone();
    for wrong in [
        format!(r#"{{"jsonrpc":"2.0","id":{id}}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}},"error":{{}}}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":"{id}","result":{{}}}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":{id}.0,"result":{{}}}}"#),
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":4711,"result":{}}"#.to_owned(),
    ] {
        let before = sim.read_by(0).len();
        says(&mut sim, &[&wrong]);
        assert_eq!(sim.read_by(0).len(), before, "{wrong}");
    }
    let right = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
    says(&mut sim, &[&right, &right]);
    assert!(is_answered(&mut sim, 1));
    assert_good_one_is_undisturbed(&mut sim, 9);
}

#[test]
fn giving_up_what_was_never_asked_is_nothing() {
    let mut sim = beside_a_good_one(curious);
    let before = sim.read_by(0).len() + sim.read_by(1).len();
    for params in [
        r#"{"requestId":4711}"#,
        r#"{"requestId":"0"}"#,
        r#"{"requestId":null}"#,
        "{}",
        "[]",
    ] {
        says(
            &mut sim,
            &[&notification("notifications/cancelled", params)],
        );
    }
    assert_eq!(sim.read_by(0).len() + sim.read_by(1).len(), before);
    assert_good_one_is_undisturbed(&mut sim, 9);
}

fn ends_in_time(mut sim: Sim) {
    let left_at = sim.now;
    sim.happens(Waiting::ClientEnded);
    let left = sim.run_out(left_at + 10_000);
    assert_eq!(left.orphans, [] as [ServerId; 0]);
    assert!(left.leaves.iter().all(|leaf| *leaf == Leaf::Closed));
    for machine in left.replayed.machines.values() {
        assert_eq!(machine.questions().open().count(), 0);
        assert_eq!(machine.questions().held().count(), 0);
    }
}

#[test]
fn a_client_that_leaves_with_a_question_open_leaves_nothing_behind() {
    let mut sim = beside_a_good_one(curious);
    says(&mut sim, &[&request(1, "tools/call", r#"{"name":"a__t"}"#)]);
    assert_eq!(told(&mut sim, "roots/list").len(), 1);
    ends_in_time(sim);
}

#[test]
fn a_client_that_leaves_with_a_call_held_leaves_nothing_behind() {
    let mut sim = modern_ready();
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    assert_eq!(sim.downstream(0).questions().held().count(), 1);
    ends_in_time(sim);
}

#[test]
fn a_client_that_leaves_in_the_middle_of_an_exchange_leaves_nothing_behind() {
    let mut sim = session(1, |_| {
        stateless(TOOLS, |asked| match asked.method.as_str() {
            "tools/call" => vec![asked.result(
                0,
                r#"{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}}}"#,
            )],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&request(1, "tools/call", r#"{"name":"a__t"}"#)]);
    assert_eq!(told(&mut sim, "roots/list").len(), 1);
    ends_in_time(sim);
}

#[test]
fn a_reply_that_can_not_be_read_is_not_answered_under_an_id_of_the_clients_own() {
    let mut sim = beside_a_good_one(curious);
    says(&mut sim, &[&request(1, "tools/call", r#"{"name":"a__t"}"#)]);
    for line in [
        r#"{"jsonrpc":"2.0","id":1,"result":1,"result":2}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#,
        r#"{"jsonrpc":"1.0","id":1,"result":{}}"#,
    ] {
        says(&mut sim, &[line]);
        assert!(!is_answered(&mut sim, 1), "{line}");
        let refused = heard(&mut sim).pop().expect("a line");
        assert_eq!(refused["id"], Value::Null, "{line}");
        assert_eq!(refused["error"]["code"], -32_600, "{line}");
    }
}

#[test]
fn a_client_that_has_said_nothing_is_asked_nothing() {
    let mut sim = gateway(1, |_| {
        let ask = |method| format!(r#"{{"jsonrpc":"2.0","id":"{method}","method":"{method}"}}"#);
        legacy(TOOLS, move |asked| match asked.method.as_str() {
            "tools/list" => vec![
                asked.result(0, r#"{"tools":[]}"#),
                say(0, ask("roots/list")),
                say(0, ask("x/unknown")),
                say(0, notification("notifications/x", "{}")),
            ],
            _ => Vec::new(),
        })
    });
    sim.run_to(5_000);
    assert_eq!(sim.leaf(0), Leaf::Ready);
    assert_eq!(sim.heard(), [] as [String; 0]);
    let read = sim.read_by(0);
    for method in ["roots/list", "x/unknown"] {
        let refused = format!(r#""id":"{method}","error":{{"code":-32601"#);
        assert!(read.iter().any(|line| line.contains(&refused)), "{read:?}");
    }
}
