//! Ids, tokens and notifications that mean nothing, or something else than they seem to.

use super::*;
use rea_fsm::Leaf;

const ALL: &str = r#"{"tools":{},"logging":{},"resources":{"subscribe":true}}"#;

const CALL: &str = r#"{"name":"a__t","_meta":{"progressToken":"mine"}}"#;

/// Says these lines when it is called, answers half a second later, and has then these to say.
fn saying(lines: &[&str], afterwards: &[&str]) -> impl Fn() -> Birth + 'static {
    let own = |lines: &[&str]| -> Vec<String> { lines.iter().map(ToString::to_string).collect() };
    let (lines, afterwards) = (own(lines), own(afterwards));
    move || {
        let (lines, afterwards) = (lines.clone(), afterwards.clone());
        legacy(ALL, move |asked| match asked.method.as_str() {
            "tools/call" => {
                let before = lines.iter().map(|line| say(0, line));
                let answer = asked.result(500, r#"{"content":[]}"#);
                let after = afterwards.iter().map(|line| say(500, line));
                before.chain([answer]).chain(after).collect()
            }
            "resources/subscribe" => vec![asked.result(0, "{}")],
            _ => empty_list(asked).unwrap_or_default(),
        })
    }
}

/// Calls `a`, and looks at the client and at `b` when everything has been said.
fn called(lines: &[&str], afterwards: &[&str]) -> Sim {
    let mut sim = beside_a_good_one(saying(lines, afterwards));
    says(&mut sim, &[&request(1, "tools/call", CALL)]);
    assert!(!is_answered(&mut sim, 1), "its answer comes later");
    let at = sim.now + 1_000;
    sim.run_to(at);
    let result = &answer(&mut sim, 1)["result"];
    assert_eq!(*result, json!({"content":[]}));
    assert_eq!(sim.leaf(0), Leaf::Ready);
    assert_good_one_is_undisturbed(&mut sim, 9);
    sim
}

/// What the client has heard beside answers.
fn unasked(sim: &mut Sim) -> Vec<Value> {
    let mut heard = heard(sim);
    heard.retain(|line| line.get("method").is_some());
    heard
}

#[test]
fn two_questions_with_one_id_are_two_questions() {
    let ask = r#"{"jsonrpc":"2.0","id":"same","method":"roots/list"}"#;
    let mut sim = called(&[ask, ask], &[]);
    let asked = told(&mut sim, "roots/list");
    assert_eq!(asked.len(), 2);
    for (question, n) in asked.iter().zip([1, 2]) {
        let id = &question["id"];
        let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"n":{n}}}}}"#);
        says(&mut sim, &[&answer, &answer]);
    }
    let read = sim.read_by(0);
    assert_eq!(
        read[read.len() - 2..],
        [1, 2].map(|n| format!(r#"{{"jsonrpc":"2.0","id":"same","result":{{"n":{n}}}}}"#))
    );
}

#[test]
fn a_request_whose_id_is_none_is_no_message() {
    for id in ["null", "true", "[1]", r#"{"id":1}"#] {
        let ask = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"roots/list"}}"#);
        let mut sim = called(&[&ask], &[]);
        assert_eq!(unasked(&mut sim), [] as [Value; 0], "{id}");
    }
}

#[test]
fn an_id_of_any_form_is_given_back_as_it_was_written() {
    for id in [
        "1.50",
        "-7",
        "1e2",
        "123456789012345678901234567890",
        r#""\u0071""#,
    ] {
        let ask = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"roots/list"}}"#);
        let mut sim = called(&[&ask], &[]);
        let question = &told(&mut sim, "roots/list")[0]["id"];
        let answer = format!(r#"{{"jsonrpc":"2.0","id":{question},"result":{{}}}}"#);
        says(&mut sim, &[&answer]);
        assert_eq!(
            sim.read_by(0).pop(),
            Some(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#))
        );
    }
}

#[test]
fn a_request_that_can_not_be_read_ends_no_call() {
    // 2 is the id under which the server knows the call: servers count for themselves.
    for line in [
        r#"{"jsonrpc":"1.0","id":2,"method":"roots/list"}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":7}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"roots/list","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"roots/list","params":{},"params":{}}"#,
    ] {
        let mut sim = called(&[line], &[]);
        assert_eq!(unasked(&mut sim), [] as [Value; 0], "{line}");
    }
}

#[test]
fn progress_under_an_unknown_token_reaches_nobody() {
    let lines = ["0", r#""other""#, "null", "[]", r#""min\u0065x""#].map(|token| {
        let params = format!(r#"{{"progressToken":{token},"progress":1}}"#);
        notification("notifications/progress", &params)
    });
    let lines = lines.each_ref().map(String::as_str);
    let mut sim = called(&lines, &[]);
    assert_eq!(unasked(&mut sim), [] as [Value; 0]);
    let mut sim = called(
        &[r#"{"jsonrpc":"2.0","method":"notifications/progress"}"#],
        &[],
    );
    assert_eq!(unasked(&mut sim), [] as [Value; 0]);
}

#[test]
fn progress_after_the_answer_reaches_nobody() {
    let progress = notification(
        "notifications/progress",
        r#"{"progressToken":"mine","progress":1}"#,
    );
    let mut sim = called(&[&progress], &[&progress]);
    assert_eq!(told(&mut sim, "notifications/progress").len(), 1);
}

#[test]
fn progress_under_another_servers_token_reaches_nobody() {
    let mut sim = session(2, |server| match server.0 {
        0 => legacy(ALL, |asked| match asked.method.as_str() {
            "tools/call" => vec![asked.result(10_000, "{}")],
            _ => empty_list(asked).unwrap_or_default(),
        }),
        _ => saying(
            &[&notification(
                "notifications/progress",
                r#"{"progressToken":"mine","progress":1}"#,
            )],
            &[],
        )(),
    });
    says(
        &mut sim,
        &[
            &request(1, "tools/call", CALL),
            &request(2, "tools/call", r#"{"name":"b__t"}"#),
        ],
    );
    assert_eq!(unasked(&mut sim), [] as [Value; 0]);
}

#[test]
fn a_server_that_takes_back_what_it_never_asked_takes_nothing() {
    // Its own call's id, and the gateway's own, among them.
    let lines = ["0", "1", "2", r#""2""#, "null", "{}"].map(|id| {
        notification(
            "notifications/cancelled",
            &format!(r#"{{"requestId":{id}}}"#),
        )
    });
    let lines = lines.each_ref().map(String::as_str);
    let mut sim = called(&lines, &lines);
    assert_eq!(unasked(&mut sim), [] as [Value; 0]);
}

#[test]
fn a_server_can_not_take_back_another_servers_question() {
    let ask = r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#;
    let back = notification("notifications/cancelled", r#"{"requestId":"q"}"#);
    let mut sim = session(2, move |server| match server.0 {
        0 => saying(&[ask], &[])(),
        _ => saying(&[&back], &[])(),
    });
    says(
        &mut sim,
        &[
            &request(1, "tools/call", CALL),
            &request(2, "tools/call", r#"{"name":"b__t"}"#),
        ],
    );
    assert_eq!(told(&mut sim, "roots/list").len(), 1);
    assert!(told(&mut sim, "notifications/cancelled").is_empty());
}

#[test]
fn messages_below_the_clients_level_reach_it_never_however_many() {
    let mut sim = beside_a_good_one(|| {
        legacy(ALL, |asked| match asked.method.as_str() {
            "tools/call" => {
                let line = |level| {
                    let params = format!(r#"{{"level":"{level}","data":"x"}}"#);
                    say(0, notification("notifications/message", &params))
                };
                let quiet = (0..10_000).map(|_| line("debug"));
                [line("error")]
                    .into_iter()
                    .chain(quiet)
                    .chain([asked.result(0, r#"{"content":[]}"#)])
                    .collect()
            }
            _ => empty_list(asked).unwrap_or_else(|| vec![asked.result(0, "{}")]),
        })
    });
    says(
        &mut sim,
        &[
            &request(1, "logging/setLevel", r#"{"level":"error"}"#),
            &request(2, "tools/call", CALL),
        ],
    );
    assert!(is_answered(&mut sim, 2));
    let messages = told(&mut sim, "notifications/message");
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["params"]["level"], "error");
    assert_good_one_is_undisturbed(&mut sim, 9);
}

#[test]
fn an_update_that_nobody_watches_reaches_no_stream() {
    let updated = |uri: &str| {
        notification(
            "notifications/resources/updated",
            &format!(r#"{{"uri":{uri}}}"#),
        )
    };
    let lines = [
        updated(r#""x://other""#),
        updated("7"),
        updated(r#""x://one""#),
    ];
    let lines = lines.each_ref().map(String::as_str);
    let birth = saying(&lines, &[]);
    let mut sim = gateway(1, move |_| birth());
    let stream = r#""notifications":{"resourceSubscriptions":["x://one"]}"#;
    says(&mut sim, &[&modern(900, "tools/list", "")]);
    sim.run_to(500);
    says(
        &mut sim,
        &[
            &modern(7, "subscriptions/listen", stream),
            &modern(1, "tools/call", r#""name":"a__t""#),
        ],
    );
    let told = told(&mut sim, "notifications/resources/updated");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["params"]["uri"], "x://one");
}

#[test]
fn an_update_without_a_uri_reaches_nobody() {
    for params in ["{}", r#"{"uri":7}"#, "[]", "null"] {
        let line = notification("notifications/resources/updated", params);
        let mut sim = called(&[&line], &[]);
        assert_eq!(unasked(&mut sim), [] as [Value; 0], "{params}");
    }
}
