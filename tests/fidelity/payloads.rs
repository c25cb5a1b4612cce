//! Arguments, results and the data of errors: the same bytes on the other side.

use super::*;

#[test]
fn numbers_keep_their_form() {
    for number in [
        "0",
        "-0",
        "-0.0",
        "1.0",
        "1.10",
        "1e400",
        "-1E+400",
        "1e-400",
        "0.1e1",
        "123456789012345678901234567890",
        "9007199254740993",
        "18446744073709551616",
        "3.14159265358979323846264338327950288",
    ] {
        assert_passes(&format!(r#"{{"x":{number}}}"#));
    }
}

#[test]
fn keys_keep_their_order() {
    assert_passes(r#"{"z":1,"a":2,"m":{"y":1,"b":2},"10":1,"9":2}"#);
}

#[test]
fn keys_that_stand_twice_stay_so() {
    assert_passes(r#"{"k":1,"k":2,"":3,"":4,"o":{"k":1,"k":1}}"#);
}

#[test]
fn escapes_stay_as_they_were_written() {
    assert_passes(r#"{"\u0061":"\u00e9 é \/ / \n \t \\ \" \u2028 \u0000 \ud83d\ude00 😀"}"#);
}

#[test]
fn a_lone_surrogate_passes() {
    assert_passes(r#"{"x":"\ud800","y":"\udc00\ud800","\udfff":1}"#);
}

#[test]
fn whitespace_stays() {
    assert_passes("{ \"x\" :\t[ 1 ,2, { } ,[ ] ] ,  \"y\":  null }");
}

#[test]
fn names_of_the_envelope_mean_nothing_inside_a_payload() {
    assert_passes(
        r#"{"id":7,"jsonrpc":"1.0","method":"initialize","params":{"name":"b__x"},"result":1,"error":{},"name":"a__work","arguments":{"name":"a__other"}}"#,
    );
}

#[test]
fn text_that_looks_like_structure_is_text() {
    assert_passes(r#"{"x":"}]\"},{\"id\":9,","y":"{[","z":"\\"}"#);
}

#[test]
fn deep_payloads_pass() {
    let depth = 100;
    assert_passes(&format!(
        r#"{{"x":{}{}}}"#,
        "[".repeat(depth),
        "]".repeat(depth)
    ));
}

#[test]
fn separators_that_some_take_for_newlines_pass() {
    assert_passes("{\"x\":\"\u{2028} \u{2029} \u{85} \u{feff} \u{7f}\"}");
}

#[test]
fn large_payloads_pass() {
    let filler = "x".repeat(17 << 20);
    let reply = format!(r#"{{"jsonrpc":"2.0","id":ID,"result":{{"x":"{filler}"}}}}"#);
    // Not with `assert_eq`, which would print it.
    assert!(heard_by_client(&reply) == reply.replace("ID", "\"mine\""));
    let call = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a__work","arguments":{{"x":"{filler}"}}}}}}"#
    );
    let read = read_by_server(&call);
    assert!(read.ends_with(&format!(r#""arguments":{{"x":"{filler}"}}}}}}"#)));
}
