//! A server with sessions asks something while it works for a client without one.

use super::*;
use simulation::child::die;

const TOOLS: &str = r#"{"tools":{}}"#;

/// Asks so many questions one after the other, then answers the call with what it was told.
fn curious(questions: u32) -> Birth {
    let state = std::cell::RefCell::new((String::new(), 0, Vec::new()));
    let ask = |number: u32| {
        say(
            0,
            format!(
                r#"{{"jsonrpc":"2.0","id":"q{number}","method":"elicitation/create","params":{{"message":"\ud800","n":{number}}}}}"#
            ),
        )
    };
    legacy(TOOLS, move |asked| match asked.method.as_str() {
        "tools/call" => {
            state.replace((asked.id.clone(), 1, Vec::new()));
            vec![ask(1)]
        }
        "" => {
            let mut state = state.borrow_mut();
            state.2.push(asked.line.clone());
            if state.1 < questions {
                state.1 += 1;
                return vec![ask(state.1)];
            }
            let told = serde_json::to_string(&state.2).expect("text");
            let id = &state.0;
            vec![say(
                0,
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[],"told":{told}}}}}"#),
            )]
        }
        _ => empty_list(asked).unwrap_or_default(),
    })
}

const CALL: &str = r#""name":"a__t","arguments":{"x":1e400}"#;

fn ready(birth: impl Fn(ServerId) -> Birth + 'static) -> Sim {
    let mut sim = gateway(1, birth);
    says(&mut sim, &[&modern(900, "tools/list", "")]);
    sim.run_to(500);
    sim
}

fn repeated(id: u32, given: &Value, answers: &str) -> String {
    let state = &given["result"]["requestState"];
    let members = format!(r#"{CALL},"inputResponses":{answers},"requestState":{state}"#);
    modern(id, "tools/call", &members)
}

#[test]
fn the_question_comes_in_the_answer_and_the_repeated_call_goes_on() {
    let mut sim = ready(|_| curious(1));
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let given = answer(&mut sim, 1);
    assert_eq!(given["result"]["resultType"], "input_required");
    let questions = given["result"]["inputRequests"]
        .as_object()
        .expect("questions");
    assert_eq!(questions.len(), 1);
    let lines = sim.heard();
    let last = lines.last().expect("a line");
    assert!(
        last.contains(r#"{"method":"elicitation/create","params":{"message":"\ud800","n":1}}"#),
        "{last}"
    );
    assert!(
        told(&mut sim, "elicitation/create").is_empty(),
        "it is not asked directly"
    );

    says(
        &mut sim,
        &[&repeated(
            2,
            &given,
            r#"{"question-1":{"action":"accept","n":1e400}}"#,
        )],
    );
    let done = answer(&mut sim, 2);
    assert_eq!(done["result"]["resultType"], "complete");
    let told = sim.read_by(0).pop().expect("a line");
    assert_eq!(
        told,
        r#"{"jsonrpc":"2.0","id":"q1","result":{"action":"accept","n":1e400}}"#
    );
    assert_eq!(sim.calls_read_by(0).len(), 1, "the call ran once");
}

#[test]
fn every_further_question_goes_round_once_more() {
    let mut sim = ready(|_| curious(3));
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    for (id, question) in [(2, 1), (3, 2), (4, 3)] {
        let given = answer(&mut sim, id - 1);
        let key = format!("question-{question}");
        assert!(
            given["result"]["inputRequests"][&key].is_object(),
            "{given}"
        );
        says(
            &mut sim,
            &[&repeated(
                id,
                &given,
                &format!(r#"{{"{key}":{{"n":{question}}}}}"#),
            )],
        );
    }
    let done = answer(&mut sim, 4);
    assert_eq!(done["result"]["told"].as_array().map(Vec::len), Some(3));
    assert_eq!(sim.calls_read_by(0).len(), 1);
}

#[test]
fn questions_of_one_moment_come_in_one_answer() {
    let mut sim = ready(|_| {
        legacy(TOOLS, |asked| match asked.method.as_str() {
            "tools/call" => ["q", "r"]
                .map(|id| format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"roots/list"}}"#))
                .map(|line| say(0, line))
                .into(),
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let at = sim.now + 20;
    sim.run_to(at);
    let given = answer(&mut sim, 1);
    let asked = &given["result"]["inputRequests"];
    let keys: Vec<&String> = asked.as_object().expect("questions").keys().collect();
    assert_eq!(keys, ["question-1", "question-2"]);
}

fn refusal(sim: &mut Sim, id: u32) -> String {
    let refused = answer(sim, id);
    assert_eq!(refused["error"]["code"], -32_602, "{refused}");
    refused["error"]["message"]
        .as_str()
        .expect("text")
        .to_owned()
}

#[test]
fn a_state_counts_once() {
    let mut sim = ready(|_| curious(2));
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let given = answer(&mut sim, 1);
    let answers = r#"{"question-1":{}}"#;
    says(
        &mut sim,
        &[&repeated(2, &given, answers), &repeated(3, &given, answers)],
    );
    assert_eq!(
        answer(&mut sim, 2)["result"]["resultType"],
        "input_required"
    );
    assert!(refusal(&mut sim, 3).contains("used before"));
    assert_eq!(sim.calls_read_by(0).len(), 1);
}

#[test]
fn a_forged_altered_or_foreign_state_is_refused_in_words() {
    let mut sim = ready(|_| curious(1));
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let given = answer(&mut sim, 1);
    let state = given["result"]["requestState"].as_str().expect("a state");
    let altered = format!("{}x", &state[..state.len() - 1]);
    for (id, members, word) in [
        (
            2,
            format!(r#"{CALL},"requestState":"{altered}""#),
            "altered",
        ),
        (
            3,
            format!(r#"{CALL},"requestState":"rea1.00""#),
            "not given out",
        ),
        (
            4,
            format!(r#"{CALL},"requestState":"mine""#),
            "not given out",
        ),
        (
            5,
            format!(r#""name":"a__t","arguments":{{"x":2}},"requestState":"{state}""#),
            "another request",
        ),
        (6, format!(r#"{CALL},"requestState":7"#), "requestState"),
        (
            7,
            format!(r#"{CALL},"requestState":"{state}","inputResponses":[]"#),
            "inputResponses",
        ),
    ] {
        says(&mut sim, &[&modern(id, "tools/call", &members)]);
        let text = refusal(&mut sim, id);
        assert!(text.contains(word), "{word} in {text}");
    }
    // None of it has used the state up.
    says(&mut sim, &[&repeated(8, &given, r#"{"question-1":{}}"#)]);
    assert_eq!(answer(&mut sim, 8)["result"]["resultType"], "complete");
    assert_eq!(sim.calls_read_by(0).len(), 1);
}

#[test]
fn an_answer_that_is_none_is_refused_and_the_state_stays() {
    let mut sim = ready(|_| curious(1));
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let given = answer(&mut sim, 1);
    for (id, value) in [(2, "7"), (3, "null"), (4, r#""yes""#), (5, "[{}]")] {
        let answers = format!(r#"{{"question-1":{value}}}"#);
        says(&mut sim, &[&repeated(id, &given, &answers)]);
        let text = refusal(&mut sim, id);
        assert!(text.contains("question-1"), "{text}");
    }
    says(&mut sim, &[&repeated(6, &given, r#"{"question-1":{}}"#)]);
    assert_eq!(answer(&mut sim, 6)["result"]["resultType"], "complete");
}

#[test]
fn only_a_key_as_it_was_given_out_answers_its_question() {
    let mut sim = ready(|_| curious(1));
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    for (id, key) in [(2, "question-+1"), (3, "question-01"), (4, "Question-1")] {
        let given = answer(&mut sim, id - 1);
        let answers = format!(r#"{{"{key}":{{}}}}"#);
        says(&mut sim, &[&repeated(id, &given, &answers)]);
        let again = answer(&mut sim, id);
        let asked = &again["result"]["inputRequests"]["question-1"];
        assert!(asked.is_object(), "{key}: {again}");
    }
}

#[test]
fn a_state_expires_and_the_call_is_given_up_at_the_server() {
    // It does not go on without an answer.
    let mut sim = ready(|_| {
        legacy(TOOLS, |asked| match asked.method.as_str() {
            "tools/call" => vec![say(
                0,
                r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#,
            )],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let given = answer(&mut sim, 1);
    let at = sim.now + 700_000;
    sim.run_to(at);
    assert_eq!(read(&mut sim, 0, "notifications/cancelled").len(), 1);
    says(&mut sim, &[&repeated(2, &given, r#"{"question-1":{}}"#)]);
    assert!(refusal(&mut sim, 2).contains("expired"));
}

#[test]
fn a_question_that_was_not_answered_comes_again() {
    let mut sim = ready(|_| curious(1));
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let given = answer(&mut sim, 1);
    says(&mut sim, &[&repeated(2, &given, r#"{"other":{}}"#)]);
    let again = answer(&mut sim, 2);
    assert!(
        again["result"]["inputRequests"]["question-1"].is_object(),
        "{again}"
    );
    says(&mut sim, &[&repeated(3, &again, r#"{"question-1":{}}"#)]);
    assert_eq!(answer(&mut sim, 3)["result"]["resultType"], "complete");
}

#[test]
fn an_answer_that_came_meanwhile_waits_for_its_client() {
    let mut sim = ready(|_| {
        legacy(TOOLS, |asked| match asked.method.as_str() {
            "tools/call" => vec![
                say(0, r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#),
                asked.result(50, r#"{"content":[],"x":1e400}"#),
            ],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let given = answer(&mut sim, 1);
    let at = sim.now + 1_000;
    sim.run_to(at);
    says(
        &mut sim,
        &[&repeated(2, &given, r#"{"question-1":{"roots":[]}}"#)],
    );
    let last = sim.heard().pop().expect("a line");
    assert_eq!(
        last,
        r#"{"jsonrpc":"2.0","id":2,"result":{"resultType":"complete","content":[],"x":1e400}}"#
    );
}

#[test]
fn a_death_meanwhile_is_told_when_the_client_is_there_again() {
    let mut sim = ready(|_| {
        legacy(TOOLS, |asked| match asked.method.as_str() {
            "tools/call" => vec![
                say(0, r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#),
                die(50, rea_fsm::ExitStatus::Code(3)),
            ],
            _ => empty_list(asked).unwrap_or_default(),
        })
    });
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let given = answer(&mut sim, 1);
    let at = sim.now + 1_000;
    sim.run_to(at);
    says(&mut sim, &[&repeated(2, &given, r#"{"question-1":{}}"#)]);
    let lost = answer(&mut sim, 2);
    let facts = &lost["result"]["_meta"]["rea/failure"];
    assert_eq!(
        (&facts["reason"], &facts["executed"]),
        (&json!("transport_lost"), &json!("maybe"))
    );
    assert_eq!(sim.calls_read_by(0).len(), 1, "it is not run again");
}

#[test]
fn outside_of_a_call_nobody_can_be_asked() {
    let mut sim = ready(|_| {
        legacy(TOOLS, |asked| match asked.method.as_str() {
            "tools/list" => vec![
                asked.result(0, r#"{"tools":[]}"#),
                say(0, r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#),
                say(0, r#"{"jsonrpc":"2.0","id":"r","method":"other/question"}"#),
            ],
            _ => Vec::new(),
        })
    });
    let read = sim.read_by(0);
    for id in ["q", "r"] {
        let refused = format!(r#""id":"{id}","error":{{"code":-32601"#);
        assert!(
            read.iter().any(|line| line.contains(&refused)),
            "{id}: {read:?}"
        );
    }
}

/// Asks for the roots some time after each call, and answers the last with what it was told.
fn late_asker() -> Birth {
    let call = std::cell::RefCell::new(String::new());
    legacy(TOOLS, move |asked| match asked.method.as_str() {
        "tools/call" => {
            call.replace(asked.id.clone());
            vec![say(
                50,
                r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#,
            )]
        }
        "" => {
            let told = serde_json::to_string(&asked.line).expect("text");
            let id = call.borrow();
            vec![say(
                0,
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[],"told":{told}}}}}"#),
            )]
        }
        _ => empty_list(asked).unwrap_or_default(),
    })
}

#[test]
fn who_sent_the_call_is_asked_whatever_other_requests_say_of_their_sender() {
    let mut sim = ready(|_| late_asker());
    let other = modern(2, "tools/list", "").replace(EVERYTHING, "{}");
    says(&mut sim, &[&modern(1, "tools/call", CALL), &other]);
    let at = sim.now + 100;
    sim.run_to(at);
    let given = answer(&mut sim, 1);
    assert_eq!(given["result"]["resultType"], "input_required", "{given}");
}

#[test]
fn a_call_that_says_its_sender_cannot_answer_brings_no_question() {
    let mut sim = ready(|_| late_asker());
    let call = modern(1, "tools/call", CALL).replace(EVERYTHING, r#"{"sampling":{}}"#);
    says(&mut sim, &[&call, &modern(2, "tools/list", "")]);
    let at = sim.now + 100;
    sim.run_to(at);
    let done = answer(&mut sim, 1);
    let told = done["result"]["told"].as_str().expect("what it was told");
    assert!(told.contains("-32601") && told.contains("roots"), "{told}");
}

#[test]
fn a_call_that_its_client_has_left_is_not_asked_for_what_it_can_do() {
    let mut sim = ready(|_| {
        legacy(TOOLS, |asked| {
            let ask = |method: &str| {
                let line = format!(r#"{{"jsonrpc":"2.0","id":"q","method":"{method}"}}"#);
                vec![say(0, line)]
            };
            match asked.method.as_str() {
                "tools/call" if asked.line.contains("first") => ask("sampling/createMessage"),
                "tools/call" => ask("roots/list"),
                _ => empty_list(asked).unwrap_or_default(),
            }
        })
    });
    let call = |id, which: &str, capabilities| {
        let members = format!(r#""name":"a__t","arguments":{{"which":"{which}"}}"#);
        modern(id, "tools/call", &members).replace(EVERYTHING, capabilities)
    };
    for (id, which, capabilities) in [
        (1, "first", r#"{"sampling":{}}"#),
        (2, "second", r#"{"roots":{}}"#),
    ] {
        says(&mut sim, &[&call(id, which, capabilities)]);
        let at = sim.now + 20;
        sim.run_to(at);
        let given = answer(&mut sim, id);
        assert_eq!(given["result"]["resultType"], "input_required", "{given}");
    }
}

#[test]
fn progress_goes_on_under_the_token_of_the_repeated_call() {
    let mut sim = ready(|_| {
        legacy(TOOLS, |asked| {
            let progress = |step: u32| {
                let params = format!(r#"{{"progressToken":"first","progress":{step}}}"#);
                say(0, notification("notifications/progress", &params))
            };
            match asked.method.as_str() {
                "tools/call" => vec![
                    progress(1),
                    say(0, r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#),
                ],
                "" => vec![progress(2)],
                _ => empty_list(asked).unwrap_or_default(),
            }
        })
    });
    let call = modern(1, "tools/call", CALL).replacen(
        r#""_meta":{"#,
        r#""_meta":{"progressToken":"first","#,
        1,
    );
    says(&mut sim, &[&call]);
    let given = answer(&mut sim, 1);
    let again = repeated(2, &given, r#"{"question-1":{}}"#).replacen(
        r#""_meta":{"#,
        r#""_meta":{"progressToken":"second","#,
        1,
    );
    says(&mut sim, &[&again]);
    let progress = told(&mut sim, "notifications/progress");
    let tokens: Vec<&Value> = progress
        .iter()
        .map(|line| &line["params"]["progressToken"])
        .collect();
    assert_eq!(tokens, ["first", "second"]);
}

/// Asks while it completes; answers a call never.
fn completer() -> Birth {
    legacy(
        r#"{"tools":{},"prompts":{},"completions":{}}"#,
        |asked| match asked.method.as_str() {
            "completion/complete" => vec![
                say(0, r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#),
                asked.result(200, r#"{"completion":{"values":["x"]}}"#),
            ],
            "tools/call" | "" => Vec::new(),
            _ => empty_list(asked).unwrap_or_default(),
        },
    )
}

const COMPLETION: &str =
    r#""ref":{"type":"ref/prompt","name":"a__p"},"argument":{"name":"a","value":""}"#;

#[test]
fn a_completion_brings_no_question() {
    let mut sim = ready(|_| completer());
    says(&mut sim, &[&modern(1, "completion/complete", COMPLETION)]);
    sim.run_to(1_000);
    let result = &answer(&mut sim, 1)["result"];
    assert_eq!(result["completion"]["values"], json!(["x"]));
    let refused = sim.read_by(0).pop().expect("an answer");
    assert!(
        refused.contains(r#""id":"q","error":{"code":-32601"#),
        "{refused}"
    );
}

#[test]
fn beside_a_call_the_question_goes_to_that() {
    let mut sim = ready(|_| completer());
    says(
        &mut sim,
        &[
            &modern(1, "tools/call", CALL),
            &modern(2, "completion/complete", COMPLETION),
        ],
    );
    sim.run_to(1_000);
    assert_eq!(
        answer(&mut sim, 1)["result"]["resultType"],
        "input_required"
    );
    let result = &answer(&mut sim, 2)["result"];
    assert_eq!(result["completion"]["values"], json!(["x"]));
}

#[test]
fn the_log_of_it_replays() {
    let mut sim = ready(|_| curious(2));
    says(&mut sim, &[&modern(1, "tools/call", CALL)]);
    let given = answer(&mut sim, 1);
    says(&mut sim, &[&repeated(2, &given, r#"{"question-1":{}}"#)]);
    // The remainder checks the log: every decision is replayed from it.
    sim.happens(simulation::world::Waiting::ClientEnded);
    sim.run_out(100_000);
}
