//! Servers that ask too much, too often, or for nothing.

use super::*;
use simulation::child::die;

const TOOLS: &str = r#"{"tools":{}}"#;

const CALL: &str = r#"{"name":"a__t"}"#;

/// Asks when it is called.
fn asking(does: impl Fn(&Asked) -> Vec<Does> + 'static) -> Birth {
    legacy(TOOLS, move |asked| match asked.method.as_str() {
        "tools/call" => does(asked),
        _ => empty_list(asked).unwrap_or_default(),
    })
}

fn sampling(id: &str, filler: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"sampling/createMessage","params":{{"x":"{filler}"}}}}"#
    )
}

/// Wants this to know before it answers, each time anew.
fn wanting(wants: impl Into<String>) -> Birth {
    let wants = wants.into();
    stateless(TOOLS, move |asked| match asked.method.as_str() {
        "tools/call" => vec![asked.result(0, &wants)],
        _ => empty_list(asked).unwrap_or_default(),
    })
}

/// Such a server's call fails in these words, and nothing is asked.
fn fails(wants: &str, words: &str) {
    let wants = wants.to_owned();
    let mut sim = beside_a_good_one(move || wanting(wants.as_str()));
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let at = sim.now + 1_000;
    sim.run_to(at);
    let failed = answer(&mut sim, 1);
    let facts = &failed["result"]["_meta"]["rea/failure"];
    assert_eq!(
        (&facts["server"], &facts["reason"]),
        (&json!("a"), &json!("input_required"))
    );
    let text = failed["result"]["content"][0]["text"].to_string();
    assert!(text.contains(words), "{words} in {text}");
    for method in ["roots/list", "sampling/createMessage", "elicitation/create"] {
        assert!(
            told(&mut sim, method).is_empty(),
            "{method} is asked in vain"
        );
    }
    assert_good_one_is_undisturbed(&mut sim, 9);
}

#[test]
fn open_questions_have_only_so_many_bytes() {
    let mut sim = beside_a_good_one(|| {
        let filler = "x".repeat(10 << 20);
        asking(move |_| {
            ["1", "2"]
                .map(|id| say(0, sampling(id, &filler)))
                .into_iter()
                .collect()
        })
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let asked = told(&mut sim, "sampling/createMessage");
    assert_eq!(asked.len(), 1, "two have more than 16 MiB");
    let refused = sim.read_by(0).pop().expect("an answer");
    assert!(
        refused.contains(r#""id":2,"error":{"code":-32000"#),
        "{refused}"
    );
    assert_good_one_is_undisturbed(&mut sim, 9);

    // An answer makes room.
    let id = &asked[0]["id"];
    says(
        &mut sim,
        &[
            &format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
            &request(2, "tools/call", CALL),
        ],
    );
    assert_eq!(told(&mut sim, "sampling/createMessage").len(), 2);
}

#[test]
fn ten_thousand_questions_are_sixty_four_and_the_rest_is_refused() {
    let mut sim = beside_a_good_one(|| {
        asking(|_| {
            let ids = 0..10_000;
            ids.map(|id| say(0, sampling(&id.to_string(), "")))
                .collect()
        })
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    assert_eq!(told(&mut sim, "sampling/createMessage").len(), 64);
    assert_eq!(sim.downstream(0).questions().open().count(), 64);
    assert_good_one_is_undisturbed(&mut sim, 9);
    // Nobody answers: at the end of their time they are refused too.
    let at = sim.now + 700_000;
    sim.run_to(at);
    assert_eq!(sim.downstream(0).questions().open().count(), 0);
    let withdrawn = told(&mut sim, "notifications/cancelled").len();
    assert_eq!(withdrawn, 64);
}

#[test]
fn every_request_of_a_server_is_answered_also_in_a_flood() {
    let mut sim = beside_a_good_one(|| {
        asking(|_| {
            let ids = 0..10_000;
            ids.map(|id| say(0, sampling(&id.to_string(), "")))
                .collect()
        })
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let read = sim.read_by(0);
    let refused = read.iter().filter(|line| line.contains(r#""error":"#));
    assert_eq!(refused.count(), 10_000 - 64);
}

#[test]
fn a_question_of_a_call_that_was_given_up_may_still_be_answered() {
    let mut sim = beside_a_good_one(|| {
        asking(|_| {
            vec![say(
                0,
                r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#,
            )]
        })
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    says(
        &mut sim,
        &[&notification(
            "notifications/cancelled",
            r#"{"requestId":1}"#,
        )],
    );
    assert_eq!(read(&mut sim, 0, "notifications/cancelled").len(), 1);
    let id = &told(&mut sim, "roots/list")[0]["id"];
    let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"roots":[]}}}}"#);
    says(&mut sim, &[&answer, &answer]);
    let read = sim.read_by(0);
    let answers = read.iter().filter(|line| line.contains(r#""id":"q""#));
    assert_eq!(
        answers.count(),
        1,
        "only its server knows whether it still wants to know"
    );
    assert!(!is_answered(&mut sim, 1));
    assert_good_one_is_undisturbed(&mut sim, 9);
}

#[test]
fn a_server_that_wants_nothing_is_asked_so_often_and_no_more() {
    for wants in [
        r#"{"resultType":"input_required"}"#,
        r#"{"resultType":"input_required","inputRequests":{}}"#,
        r#"{"resultType":"input_required","inputRequests":{},"requestState":"s"}"#,
        r#"{"resultType":"input_required","inputRequests":null,"requestState":7}"#,
        r#"{"resultType":"input_required","inputRequests":["roots/list"]}"#,
    ] {
        fails(wants, "16 times");
    }
}

#[test]
fn questions_without_a_known_method_fail_the_call_before_anything_is_asked() {
    for (question, words) in [
        (r#"{"method":"ping"}"#, "`ping`"),
        (r#"{"method":"x/unknown","params":{}}"#, "`x/unknown`"),
        ("{}", "``"),
        ("null", "``"),
        (r#"{"method":7}"#, "``"),
    ] {
        let wants = format!(
            r#"{{"resultType":"input_required","inputRequests":{{"first":{{"method":"roots/list"}},"second":{question}}}}}"#
        );
        fails(&wants, words);
    }
}

#[test]
fn ten_thousand_questions_in_an_answer_fail_the_call() {
    let questions: Vec<String> = (0..10_000)
        .map(|number| format!(r#""q{number}":{{"method":"roots/list"}}"#))
        .collect();
    let wants = format!(
        r#"{{"resultType":"input_required","inputRequests":{{{}}}}}"#,
        questions.join(",")
    );
    fails(&wants, "10000 things at once");
}

#[test]
fn of_two_questions_under_one_key_none_stays_open() {
    let mut sim = beside_a_good_one(|| {
        wanting(
            r#"{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"},"\u006b":{"method":"roots/list"}}}"#,
        )
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let asked = told(&mut sim, "roots/list");
    let id = &asked[0]["id"];
    says(
        &mut sim,
        &[&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)],
    );
    let calls = sim.calls_read_by(0);
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].matches(r#""k":"#).count(), 1, "{}", calls[1]);
    let taken_back = told(&mut sim, "notifications/cancelled").len();
    assert_eq!(asked.len() - 1 - taken_back, 0, "{asked:?}");
}

#[test]
fn a_server_that_dies_while_its_client_is_asked_gets_the_call_when_it_is_back() {
    let mut sim = beside_a_good_one(|| {
        stateless(TOOLS, |asked| {
            match asked.method.as_str() {
            "tools/call" if asked.line.contains("inputResponses") => {
                vec![asked.result(0, r#"{"resultType":"complete","content":[]}"#)]
            }
            "tools/call" => vec![
                asked.result(
                    0,
                    r#"{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}}}"#,
                ),
                die(10, rea_fsm::ExitStatus::Code(1)),
            ],
            _ => empty_list(asked).unwrap_or_default(),
        }
        })
    });
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    let at = sim.now + 2;
    sim.run_to(at);
    let id = &told(&mut sim, "roots/list")[0]["id"];
    says(
        &mut sim,
        &[&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)],
    );
    let at = sim.now + 1_000;
    sim.run_to(at);
    assert_eq!(answer(&mut sim, 1)["result"]["resultType"], "complete");
    assert_eq!(sim.calls_read_by(0).len(), 2);
    assert_good_one_is_undisturbed(&mut sim, 9);
}

#[test]
fn a_server_with_a_session_that_only_looks_as_if_it_wanted_to_know_is_called_once() {
    let odd = r#"{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}},"x":1e400}"#;
    let mut sim = beside_a_good_one(move || asking(move |asked| vec![asked.result(0, odd)]));
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    assert_eq!(
        sim.heard().last(),
        Some(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{odd}}}"#)),
        "its result passes as it stands"
    );
    assert_eq!(sim.calls_read_by(0).len(), 1);
    assert!(told(&mut sim, "roots/list").is_empty());
    assert_good_one_is_undisturbed(&mut sim, 9);
}

#[test]
fn what_servers_want_back_has_only_so_many_bytes() {
    let state = "x".repeat(10 << 20);
    let mut sim = beside_a_good_one(move || {
        wanting(format!(
            r#"{{"resultType":"input_required","inputRequests":{{"k":{{"method":"roots/list"}}}},"requestState":"{state}"}}"#
        ))
    });
    let calls: Vec<String> = (1..=7).map(|id| request(id, "tools/call", CALL)).collect();
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    says(&mut sim, &calls);
    assert_eq!(told(&mut sim, "roots/list").len(), 6, "64 MiB");
    let failed = answer(&mut sim, 7);
    let text = failed["result"]["content"][0]["text"].to_string();
    assert!(text.contains("too many calls wait"), "{text}");
    assert_good_one_is_undisturbed(&mut sim, 9);
}

/// A server that gives back whatever it reads, as `cat` does.
#[test]
fn what_only_servers_answer_is_refused_and_not_asked_of_the_client() {
    for method in [
        "initialize",
        "server/discover",
        "tools/list",
        "tools/call",
        "prompts/get",
        "resources/read",
        "resources/subscribe",
        "completion/complete",
        "logging/setLevel",
        "subscriptions/listen",
        // The client has not said that it has tasks.
        "tasks/get",
    ] {
        let mut sim = beside_a_good_one(move || {
            asking(move |_| {
                vec![say(
                    0,
                    format!(r#"{{"jsonrpc":"2.0","id":"q","method":"{method}","params":{{}}}}"#),
                )]
            })
        });
        says(&mut sim, &[&request(1, "tools/call", CALL)]);
        assert!(told(&mut sim, method).is_empty(), "{method}");
        let refused = sim.read_by(0).pop().expect("an answer");
        assert!(
            refused.contains(r#""id":"q","error":{"code":-32601"#),
            "{method}: {refused}"
        );
        assert_good_one_is_undisturbed(&mut sim, 9);
    }
}
