//! Calls on their way to a server: the id and the tool's name are replaced where they stand, and
//! nothing else.

use super::*;

#[test]
fn arguments_that_are_absent_stay_so() {
    assert_reads(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a__work"}}"#,
        r#"{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"work"}}"#,
    );
}

#[test]
fn arguments_that_are_no_object_are_the_servers_affair() {
    for arguments in ["null", "[]", "[1,2]", "7", "\"x\""] {
        assert_reads(
            &format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a__work","arguments":{arguments}}}}}"#
            ),
            &format!(
                r#"{{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{{"name":"work","arguments":{arguments}}}}}"#
            ),
        );
    }
}

#[test]
fn members_that_nobody_knows_pass_in_their_order() {
    assert_reads(
        r#"{"future":[1],"params":{"task":{"ttl":1e3},"name":"a__work","_meta":{"io.example/x":{"y":1.0}},"arguments":{},"extra":null},"method":"tools/call","trace":"t","id":"x","jsonrpc":"2.0"}"#,
        r#"{"future":[1],"params":{"task":{"ttl":1e3},"name":"work","_meta":{"io.example/x":{"y":1.0}},"arguments":{},"extra":null},"method":"tools/call","trace":"t","id":ID,"jsonrpc":"2.0"}"#,
    );
}

#[test]
fn whitespace_of_the_envelope_stays() {
    assert_reads(
        "{ \"jsonrpc\" : \"2.0\" ,\t\"id\" : 1 , \"method\" :\"tools/call\", \"params\" : { \"name\" : \"a__work\" , \"arguments\" : { } } }",
        "{ \"jsonrpc\" : \"2.0\" ,\t\"id\" : ID , \"method\" :\"tools/call\", \"params\" : { \"name\" : \"work\" , \"arguments\" : { } } }",
    );
}

#[test]
fn escapes_in_the_names_of_members_stay() {
    assert_reads(
        r#"{"jsonrpc":"2.0","\u0069d":1,"method":"tools/call","params":{"n\u0061me":"a__work","arguments":{}}}"#,
        r#"{"jsonrpc":"2.0","\u0069d":ID,"method":"tools/call","params":{"n\u0061me":"work","arguments":{}}}"#,
    );
}

#[test]
fn a_name_written_with_escapes_is_read_for_what_it_says() {
    let read = read_by_server(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\u0061_\u005fwo\/rk é\"","arguments":{}}}"#,
    );
    let read: serde_json::Value = serde_json::from_str(&read).expect("it is JSON");
    assert_eq!(read["params"]["name"], "wo/rk é\"");
}

#[test]
fn the_clients_progress_token_is_the_one_that_the_server_sees() {
    for token in ["\"t\"", "7", "18446744073709551615", "\"\\u0074\"", "-1"] {
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a__work","_meta":{{"x":1,"progressToken":{token}}}}}}}"#
        );
        let read = call
            .replace("a__work", "work")
            .replace("\"id\":1,", "\"id\":ID,");
        assert_reads(&call, &read);
    }
}

#[test]
fn a_call_that_arrives_in_pieces_is_the_same_call() {
    let call = "{\"jsonrpc\":\"2.0\",\"id\":\"é\",\"method\":\"tools/call\",\"params\":{\"name\":\"a__work\",\"arguments\":{\"x\":\"é😀\"}}}\n";
    let whole = read_by_server(call.trim_end());
    for cut in 1..call.len() {
        let mut sim = ready(Chunks::Whole, |_| Vec::new());
        let (first, rest) = call.as_bytes().split_at(cut);
        for piece in [first, rest] {
            sim.happens(simulation::world::Waiting::Client(piece.to_vec()));
        }
        assert_eq!(sim.calls_read_by(0), [whole.as_str()], "cut at {cut}");
    }
}

#[test]
fn calls_of_one_piece_are_calls_of_their_own() {
    let mut sim = ready(Chunks::Whole, |_| Vec::new());
    let call = |number: u32| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a__work","arguments":{{"x":{number}}}}}}}"#
        )
    };
    sim.says(&[&call(1), &call(2), &call(3)]);
    let read = sim.calls_read_by(0);
    assert_eq!(read.len(), 3);
    for (line, number) in read.iter().zip(1..) {
        assert!(
            line.ends_with(&format!(r#""arguments":{{"x":{number}}}}}}}"#)),
            "{line}"
        );
    }
}
