//! Any JSON at all, written in any way.

use super::*;
use proptest::prelude::*;

fn space() -> impl Strategy<Value = String> {
    "[ \t]{0,2}"
}

fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9 _./{}\\[\\]:,]{0,6}",
        "[\u{80}-\u{10ffff}]",
        Just(r#"\""#.to_owned()),
        Just(r"\\".to_owned()),
        Just(r"\/".to_owned()),
        Just(r"\n".to_owned()),
        "\\\\u[0-9a-fA-F]{4}",
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn number() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?"
}

/// The text of some value.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        string(),
        number(),
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let padded = (space(), inner, space())
            .prop_map(|(a, value, b)| format!("{a}{value}{b}"))
            .boxed();
        // Keys of the envelope among them, and now and then the same key twice.
        let key = prop_oneof![
            4 => string(),
            1 => Just("\"id\"".to_owned()),
            1 => Just("\"name\"".to_owned()),
            1 => Just("\"k\"".to_owned()),
        ];
        let member =
            (key, space(), padded.clone()).prop_map(|(key, a, value)| format!("{key}{a}:{value}"));
        prop_oneof![
            proptest::collection::vec(padded, 0..5).prop_map(|all| format!("[{}]", all.join(","))),
            proptest::collection::vec(member, 0..5)
                .prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_is_sent_arrives(payload in json(), extra in json(), id in prop_oneof![string(), number()]) {
        let call = format!(
            r#"{{"x":{extra},"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"arguments":{payload},"name":"a__work","y":{extra}}}}}"#
        );
        let answer = format!(r#"{{"jsonrpc":"2.0","x":{extra},"result":{payload},"id":"#);
        let from_server = answer.clone();
        let mut sim = ready(Chunks::AtAnyByte, move |id| vec![say(0, format!("{from_server}{id}}}"))]);
        sim.says(&[&call]);
        sim.run_to(5_000);
        let read = sim.calls_read_by(0);
        prop_assert_eq!(read.len(), 1, "{}: {:?}", call, sim.heard());
        let (before, _) = call.split_once(&format!("\"id\":{id},\"method\"")).expect("it is there");
        let after = format!(
            r#","method":"tools/call","params":{{"arguments":{payload},"name":"work","y":{extra}}}}}"#
        );
        let wire_id = read[0]
            .strip_prefix(before)
            .and_then(|rest| rest.strip_prefix("\"id\":"))
            .and_then(|rest| rest.strip_suffix(after.as_str()));
        prop_assert!(wire_id.is_some_and(|id| id.parse::<u64>().is_ok()), "{}\n{}", call, read[0]);
        let heard = sim.heard();
        let expected = format!("{answer}{id}}}");
        prop_assert_eq!(heard.last(), Some(&expected));
    }
}
