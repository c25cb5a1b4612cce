//! Answers on their way to the client: the id is the client's own again, and nothing else changes.

use super::*;

#[test]
fn every_form_of_an_id_comes_back_as_it_was_written() {
    for id in [
        "1",
        "0",
        "-7",
        "-0",
        "1.5",
        "1.0",
        "1e3",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "123456789012345678901234567890",
        "\"\"",
        "\"1\"",
        "\"a b\"",
        "\"\\u0061\"",
        "\"\\ud800\"",
        "\"é\\\"\\\\\"",
    ] {
        let mut sim = ready(Chunks::Whole, |id| {
            vec![say(
                0,
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
            )]
        });
        sim.says(&[&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"a__work"}}}}"#
        )]);
        sim.run_to(2_000);
        let expected = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
        assert_eq!(sim.heard().last(), Some(&expected));
    }
}

/// Ids that a reader of numbers would take for one.
#[test]
fn ids_that_differ_in_form_alone_are_different_calls() {
    let mut sim = ready(Chunks::Whole, |id| {
        vec![say(
            0,
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
        )]
    });
    let ids = [
        "1",
        "1.0",
        "\"1\"",
        "1e0",
        "9007199254740992",
        "9007199254740993",
    ];
    for id in ids {
        sim.says(&[&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"a__work"}}}}"#
        )]);
    }
    sim.run_to(2_000);
    let heard = sim.heard();
    for id in ids {
        let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
        let count = heard.iter().filter(|line| **line == answer).count();
        assert_eq!(count, 1, "{id}: {heard:?}");
    }
}

#[test]
fn results_of_any_shape_pass() {
    for result in [
        "{}",
        "null",
        "true",
        "[]",
        "7",
        "\"text\"",
        // What typed readers refuse: an unknown kind of content, a result type of one's own,
        // members of other results.
        r#"{"content":[{"type":"hologram","data":1e400}],"isError":false}"#,
        r#"{"resultType":"x-custom","content":[]}"#,
        r#"{"content":[],"action":"accept","messages":[],"tools":[]}"#,
        r#"{"content":[{"type":"text","text":"x","annotations":{"new":1},"_meta":{"k":[]}}],"structuredContent":{"b":1,"a":2},"_meta":{"x/y":null}}"#,
        r#"{"content":"no list","isError":"no bool"}"#,
        r#"{"isError":true,"content":[{"type":"text","text":"Not connected"}]}"#,
    ] {
        assert_hears(&format!(r#"{{"jsonrpc":"2.0","id":ID,"result":{result}}}"#));
    }
}

#[test]
fn errors_keep_code_data_and_everything_else() {
    for error in [
        r#"{"code":-32602,"message":"Invalid params"}"#,
        r#"{"code":-32001,"message":"theirs, not ours","data":{"x":[1e400]}}"#,
        r#"{"data":null,"message":"","code":0}"#,
        r#"{"code":123456789,"message":"\ud800","data":"text","extra":{"k":1,"k":2}}"#,
        r#"{"code":-32042,"message":"needs a visit","data":{"elicitations":[{"mode":"url"}]}}"#,
    ] {
        assert_hears(&format!(r#"{{"jsonrpc":"2.0","id":ID,"error":{error}}}"#));
    }
}

#[test]
fn members_that_nobody_knows_pass_in_their_order() {
    assert_hears(r#"{"result":{"x":1},"future":{"a":1.0},"jsonrpc":"2.0","id":ID}"#);
    assert_hears(r#"{"error":{"code":1,"message":"m"},"id":ID,"_meta":{},"jsonrpc":"2.0"}"#);
}

#[test]
fn whitespace_of_the_envelope_stays() {
    assert_hears("{ \"jsonrpc\" : \"2.0\" ,\t\"id\" : ID , \"result\" : { \"x\" : 1 } }");
}

#[test]
fn escapes_in_the_names_of_members_stay() {
    assert_hears(r#"{"jsonrpc":"2.0","\u0069d":ID,"r\u0065sult":{"x":1}}"#);
}

#[test]
fn an_answer_that_arrives_byte_by_byte_is_the_same_answer() {
    for seed in 0..20 {
        let answer = r#"{"jsonrpc":"2.0","id":"mine","result":{"x":"é😀\ud800","y":[1e400 ]}}"#;
        let mut setup = Setup::of(vec![ServerSpec::named("a")]);
        setup.chunks = Chunks::AtAnyByte;
        setup.world_seed = seed;
        let mut sim = Sim::new(
            setup,
            Box::new(move |_, _| {
                Scripted::prompt()
                    .on_call(move |asked| vec![say(0, answer.replace("\"mine\"", &asked.id))])
                    .birth()
            }),
        );
        sim.says(&[INITIALIZE]);
        sim.run_to(1_000);
        sim.says(&[
            r#"{"jsonrpc":"2.0","id":"mine","method":"tools/call","params":{"name":"a__work"}}"#,
        ]);
        sim.run_to(2_000);
        assert_eq!(sim.heard().last().map(String::as_str), Some(answer));
    }
}

/// The last line of a process that dies has no newline.
#[test]
fn an_answer_without_a_newline_at_the_end_of_output_is_an_answer() {
    let mut sim = ready(Chunks::Whole, |id| {
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
        vec![
            Does {
                after_ms: 0,
                what: simulation::child::What::Say(line.into_bytes()),
            },
            simulation::child::die(0, rea_fsm::ExitStatus::Code(0)),
        ]
    });
    sim.says(&[
        r#"{"jsonrpc":"2.0","id":"mine","method":"tools/call","params":{"name":"a__work"}}"#,
    ]);
    sim.run_to(1_100);
    let expected = r#"{"jsonrpc":"2.0","id":"mine","result":{}}"#;
    assert_eq!(sim.heard().last().map(String::as_str), Some(expected));
}
