//! Progress and cancellation.

use super::*;

const CALL: &str = r#"{"jsonrpc":"2.0","id":"mine","method":"tools/call","params":{"name":"a__work","_meta":{"progressToken":"t"}}}"#;

#[test]
fn progress_passes_as_it_stands_in_its_order_and_before_the_answer() {
    let progress = [
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":1}}"#,
        r#"{ "params" : {"total":1e400,"progress":0.10,"progressToken":"t","new":{"k":1,"k":2}}, "method":"notifications/progress", "jsonrpc":"2.0" , "x":null}"#,
        r#"{"jsonrpc":"2.0","method":"notifications\/progress","params":{"progressToken":"t","message":"\ud800 \u0061"}}"#,
    ];
    let mut sim = ready(Chunks::Whole, move |id| {
        let mut does: Vec<Does> = progress.iter().map(|line| say(0, line)).collect();
        does.push(say(
            0,
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
        ));
        does
    });
    sim.says(&[CALL]);
    sim.run_to(2_000);
    let heard = sim.heard();
    assert_eq!(heard[1..4], progress);
    assert_eq!(heard[4], r#"{"jsonrpc":"2.0","id":"mine","result":{}}"#);
    assert_eq!(heard.len(), 5);
}

#[test]
fn every_form_of_a_progress_token_finds_its_client() {
    for token in [
        "7",
        "\"t\"",
        "18446744073709551615",
        "\"\\u0074 x\"",
        "-1",
        "1.5",
    ] {
        let progress = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":1}}}}"#
        );
        let line = progress.clone();
        let mut sim = ready(Chunks::Whole, move |_| vec![say(0, &line)]);
        sim.says(&[&CALL.replace("\"t\"", token)]);
        sim.run_to(2_000);
        assert_eq!(sim.heard().last(), Some(&progress), "{token}");
    }
}

/// Two servers' tokens may be alike.
#[test]
fn progress_with_a_token_that_nobody_gave_is_kept_from_the_client() {
    let mut sim = ready(Chunks::Whole, |_| {
        vec![say(
            0,
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"other","progress":1}}"#,
        )]
    });
    sim.says(&[CALL]);
    sim.run_to(2_000);
    assert_eq!(sim.heard().len(), 1, "{:?}", sim.heard());
}

#[test]
fn a_cancellation_carries_the_id_that_its_server_knows() {
    for id in ["1", "\"x\"", "-1.50", "18446744073709551616", "\"\\u0061\""] {
        let mut sim = ready(Chunks::Whole, |_| Vec::new());
        sim.says(&[
            &CALL.replace("\"mine\"", id),
            &format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id},"reason":"r"}}}}"#
            ),
        ]);
        let read = sim.read_by(0);
        let [.., call, cancel] = &read[..] else {
            panic!("{read:?}");
        };
        let call: serde_json::Value = serde_json::from_str(call).expect("it is JSON");
        let cancel: serde_json::Value = serde_json::from_str(cancel).expect("it is JSON");
        assert_eq!(cancel["method"], "notifications/cancelled", "{id}");
        assert_eq!(cancel["params"]["requestId"], call["id"], "{id}");
    }
}

#[test]
fn a_cancellation_passes_as_it_stands_but_for_its_id() {
    let mut sim = ready(Chunks::Whole, |_| Vec::new());
    let cancel = r#"{ "params":{"reason":"\ud800","_meta":{"k":1e400},"requestId" : "mine","x":[1,{"k":1,"k":2}]},"method":"notifications\/cancelled", "jsonrpc":"2.0"}"#;
    sim.says(&[CALL, cancel]);
    let read = sim.read_by(0);
    let [.., call, cancelled] = &read[..] else {
        panic!("{read:?}");
    };
    let call: serde_json::Value = serde_json::from_str(call).expect("it is JSON");
    let id = call["id"].to_string();
    assert_eq!(*cancelled, cancel.replace("\"mine\"", &id));
}

#[test]
fn a_server_takes_its_question_back_in_its_own_words() {
    let cancel = r#"{ "params":{"reason":"\ud800","requestId" : "q","_meta":{"k":1e400}},"method":"notifications\/cancelled", "jsonrpc":"2.0"}"#;
    let mut sim = ready(Chunks::Whole, move |_| {
        let question = r#"{"jsonrpc":"2.0","id":"q","method":"unknown/question"}"#;
        vec![say(0, question), say(1, cancel)]
    });
    sim.says(&[CALL]);
    sim.run_to(2_000);
    let heard = sim.heard();
    assert_eq!(
        heard[1],
        r#"{"jsonrpc":"2.0","id":1,"method":"unknown/question"}"#
    );
    assert_eq!(heard[2], cancel.replace("\"q\"", "1"));
    assert_eq!(heard.len(), 3);
}
