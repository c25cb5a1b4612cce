//! What servers ask of a client with a session.

use super::*;
use simulation::child::die;

const TOOLS: &str = r#"{"tools":{}}"#;

/// Asks this when it is called, and answers the call with what it is told.
fn curious(line: &'static str) -> Birth {
    let call = std::cell::RefCell::new(String::new());
    legacy(TOOLS, move |asked| match asked.method.as_str() {
        "tools/call" => {
            call.replace(asked.id.clone());
            vec![say(0, line)]
        }
        "" => {
            let text = serde_json::to_string(&asked.line).expect("text");
            let id = call.borrow();
            vec![say(
                0,
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[],"told":{text}}}}}"#),
            )]
        }
        _ => empty_list(asked).unwrap_or_default(),
    })
}

const CALL: &str = r#"{"name":"a__t"}"#;

fn asked_id(sim: &mut Sim, method: &str) -> Value {
    let asked = told(sim, method);
    assert_eq!(asked.len(), 1, "{:?}", sim.heard());
    asked[0]["id"].clone()
}

#[test]
fn a_question_and_its_answer_pass_as_they_stand() {
    let mut sim = session(1, |_| {
        curious(
            r#"{ "params":{"x":1e400,"m":"\ud800"}, "id":"q\u0031", "method":"elicitation/create","jsonrpc":"2.0"}"#,
        )
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    assert_eq!(
        sim.heard().last().map(String::as_str),
        Some(
            r#"{ "params":{"x":1e400,"m":"\ud800"}, "id":1, "method":"elicitation/create","jsonrpc":"2.0"}"#
        )
    );
    says(
        &mut sim,
        &[r#"{"result":{"action":"accept","content":{"n":1e400}}, "id":1,"jsonrpc":"2.0"}"#],
    );
    let read = sim.read_by(0);
    assert_eq!(
        read.last().map(String::as_str),
        Some(
            r#"{"result":{"action":"accept","content":{"n":1e400}}, "id":"q\u0031","jsonrpc":"2.0"}"#
        )
    );
    assert!(is_answered(&mut sim, 1));
}

#[test]
fn two_servers_may_ask_with_the_same_id() {
    let mut sim = session(2, |_| {
        curious(r#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#)
    });
    says(
        &mut sim,
        &[
            &request(1, "tools/call", CALL),
            &request(2, "tools/call", r#"{"name":"b__t"}"#),
        ],
    );
    let asked = told(&mut sim, "roots/list");
    assert_eq!(asked.len(), 2);
    assert_ne!(asked[0]["id"], asked[1]["id"]);
    for question in asked.iter().rev() {
        let id = &question["id"];
        says(
            &mut sim,
            &[&format!(
                r#"{{"jsonrpc":"2.0","id":{id},"result":{{"n":{id}}}}}"#
            )],
        );
    }
    let first = answer(&mut sim, 1)["result"]["told"].to_string();
    let second = answer(&mut sim, 2)["result"]["told"].to_string();
    assert!(
        first.contains(&format!("\\\"n\\\":{}", asked[0]["id"])),
        "{first}"
    );
    assert!(
        second.contains(&format!("\\\"n\\\":{}", asked[1]["id"])),
        "{second}"
    );
}

#[test]
fn an_error_of_the_client_reaches_the_server() {
    let mut sim = session(1, |_| {
        curious(r#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{}}"#)
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let id = asked_id(&mut sim, "sampling/createMessage");
    says(
        &mut sim,
        &[&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-1,"message":"user said no","data":1e400}}}}"#
        )],
    );
    let read = sim.read_by(0);
    let last = read.last().expect("something");
    assert!(
        last.contains(r#""id":7,"error":{"code":-1,"message":"user said no","data":1e400}"#),
        "{last}"
    );
}

#[test]
fn an_answer_to_nothing_reaches_nobody() {
    let mut sim = session(1, |_| {
        curious(r#"{"jsonrpc":"2.0","id":7,"method":"roots/list"}"#)
    });
    let before = sim.read_by(0).len();
    says(
        &mut sim,
        &[
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":"1","result":{}}"#,
        ],
    );
    assert_eq!(sim.read_by(0).len(), before);
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let id = asked_id(&mut sim, "roots/list");
    let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
    says(&mut sim, &[&line, &line]);
    let answers = sim.read_by(0).len() - before;
    assert_eq!(answers, 2, "the call, and one answer");
}

#[test]
fn a_client_that_can_not_is_not_asked() {
    let mut sim = gateway(1, |_| {
        curious(r#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage"}"#)
    });
    says(&mut sim, &[&initialize(r#"{"roots":{}}"#)]);
    sim.run_to(500);
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    assert!(told(&mut sim, "sampling/createMessage").is_empty());
    let read = sim.read_by(0);
    let last = read.last().expect("something");
    assert!(
        last.contains(r#""id":7,"error":{"code":-32601"#) && last.contains("sampling"),
        "{last}"
    );
}

#[test]
fn servers_are_told_what_the_client_can_do() {
    let mut sim = gateway(1, |_| curious(""));
    let capabilities = r#"{"roots":{"listChanged":true},"new":{"x":1e400}}"#;
    says(&mut sim, &[&initialize(capabilities)]);
    sim.run_to(500);
    let read = read(&mut sim, 0, "initialize");
    assert!(
        read[0].contains(&format!(r#""capabilities":{capabilities}"#)),
        "{}",
        read[0]
    );
}

#[test]
fn a_server_that_takes_its_question_back_is_passed_on() {
    let mut sim = session(1, |_| {
        legacy(TOOLS, |asked| match asked.method.as_str() {
            "tools/call" => vec![
                say(0, r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#),
                say(
                    10,
                    notification("notifications/cancelled", r#"{"requestId":"q"}"#),
                ),
            ],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let at = sim.now + 100;
    sim.run_to(at);
    let id = asked_id(&mut sim, "roots/list");
    let cancelled = told(&mut sim, "notifications/cancelled");
    assert_eq!(cancelled.len(), 1);
    assert_eq!(cancelled[0]["params"]["requestId"], id);
}

#[test]
fn a_death_takes_its_questions_back() {
    let mut sim = session(1, |_| {
        legacy(TOOLS, |asked| match asked.method.as_str() {
            "tools/call" => vec![
                say(0, r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#),
                die(10, rea_fsm::ExitStatus::Code(1)),
            ],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let at = sim.now + 1_000;
    sim.run_to(at);
    let id = asked_id(&mut sim, "roots/list");
    assert_eq!(
        told(&mut sim, "notifications/cancelled")[0]["params"]["requestId"],
        id
    );
    let before = sim.read_by(0).len();
    says(
        &mut sim,
        &[&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)],
    );
    assert_eq!(
        sim.read_by(0).len(),
        before,
        "the next process has asked nothing"
    );
}

#[test]
fn a_question_that_nobody_answers_is_refused_in_time() {
    let mut sim = session(1, |_| {
        curious(r#"{"jsonrpc":"2.0","id":7,"method":"roots/list"}"#)
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let at = sim.now + 700_000;
    sim.run_to(at);
    let read = sim.read_by(0);
    assert!(
        read.iter()
            .any(|line| line.contains(r#""id":7,"error":{"code":-32001"#)),
        "{read:?}"
    );
    assert_eq!(told(&mut sim, "notifications/cancelled").len(), 1);
}

#[test]
fn progress_of_an_answer_reaches_the_one_server_that_asked() {
    let mut sim = session(2, |_| {
        curious(
            r#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{"_meta":{"progressToken":"t"}}}"#,
        )
    });
    says(&mut sim, &[&request(1, "tools/call", r#"{"name":"b__t"}"#)]);
    let asked = told(&mut sim, "sampling/createMessage");
    let token = &asked[0]["params"]["_meta"]["progressToken"];
    assert_eq!(token, &asked[0]["id"]);
    says(
        &mut sim,
        &[&notification(
            "notifications/progress",
            &format!(r#"{{"progress":1e400,"progressToken":{token}}}"#),
        )],
    );
    assert_eq!(
        read(&mut sim, 1, "notifications/progress"),
        [notification(
            "notifications/progress",
            r#"{"progress":1e400,"progressToken":"t"}"#
        )]
    );
    assert!(read(&mut sim, 0, "notifications/progress").is_empty());
}

#[test]
fn a_flood_of_questions_is_bounded() {
    let mut sim = session(1, |_| {
        legacy(TOOLS, |asked| match asked.method.as_str() {
            "tools/call" => (0..200)
                .map(|id| {
                    say(
                        0,
                        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"roots/list"}}"#),
                    )
                })
                .collect(),
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    assert_eq!(told(&mut sim, "roots/list").len(), 64);
    let refused = sim.read_by(0);
    let refused = refused
        .iter()
        .filter(|line| line.contains("too many requests"));
    assert_eq!(refused.count(), 136);
}

#[test]
fn a_client_with_tasks_is_asked_for_them() {
    let mut sim = gateway(1, |_| {
        curious(r#"{"jsonrpc":"2.0","id":7,"method":"tasks/get","params":{"taskId":"t"}}"#)
    });
    says(&mut sim, &[&initialize(r#"{"tasks":{}}"#)]);
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    assert_eq!(told(&mut sim, "tasks/get").len(), 1);
}
