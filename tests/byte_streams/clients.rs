//! What clients of either era write, well and badly, as inputs of a conversation.

use crate::texts::{damage, damaged, message, value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (1_u32..30).prop_map(|id| id.to_string()),
        1 => "\"[a-z]{0,3}\"",
        1 => value(),
    ]
}

fn revision() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(r#""2026-07-28""#.to_owned()),
        1 => select(vec![r#""2025-11-25""#, r#""2025-06-18""#, r#""1900-01-01""#, "7", "null"])
            .prop_map(str::to_owned),
    ]
}

fn capabilities() -> impl Strategy<Value = String> {
    let declared = [
        r#"{"elicitation":{},"sampling":{},"roots":{}}"#,
        r#"{"elicitation":{}}"#,
        "{}",
        "[]",
    ];
    prop_oneof![6 => select(declared.to_vec()).prop_map(str::to_owned), 1 => value()]
}

/// Members of `_meta`, of which some make a request one that speaks for itself.
fn meta() -> impl Strategy<Value = String> {
    let version = revision()
        .prop_map(|version| format!("\"io.modelcontextprotocol/protocolVersion\":{version}"));
    let can = capabilities()
        .prop_map(|can| format!("\"io.modelcontextprotocol/clientCapabilities\":{can}"));
    let speaks = (version, can).prop_map(|(version, can)| format!("{version},{can}"));
    let others = select(vec![
        r#""progressToken":"p""#,
        r#""io.modelcontextprotocol/logLevel":"debug""#,
        r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#,
    ]);
    let others = others.prop_map(str::to_owned);
    (
        proptest::option::weighted(0.6, speaks),
        proptest::option::weighted(0.3, others),
    )
        .prop_map(|(speaks, others)| {
            let members: Vec<String> = speaks.into_iter().chain(others).collect();
            format!("\"_meta\":{{{}}}", members.join(","))
        })
}

fn members() -> impl Strategy<Value = String> {
    let known = select(vec![
        r#""name":"a__work""#,
        r#""name":"a__ask""#,
        r#""name":"a__ask","inputResponses":{"question-1":{}},"requestState":"@state@""#,
        r#""name":"a__ask","requestState":"@state@0""#,
        r#""name":"a__die""#,
        r#""name":"a__tell""#,
        r#""name":"a__never""#,
        r#""name":"b__ask""#,
        r#""name":"b__ask","inputResponses":{"k":{}},"requestState":"@state@""#,
        r#""name":"b__work","arguments":{"x":1e400}"#,
        r#""name":"c__work""#,
        r#""uri":"x://one""#,
        r#""uri":"z://two""#,
        r#""level":"info""#,
        r#""cursor":"c""#,
        r#""taskId":"t""#,
        r#""notifications":{"toolsListChanged":true,"resourceSubscriptions":["x://one","z://two"]}"#,
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => value().prop_map(|any| format!("\"x\":{any}"))]
}

fn method() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => Just("tools/call".to_owned()),
        6 => select(vec![
            "ping",
            "server/discover",
            "tools/list",
            "prompts/list",
            "resources/list",
            "resources/read",
            "resources/subscribe",
            "resources/unsubscribe",
            "prompts/get",
            "completion/complete",
            "tasks/get",
            "tasks/list",
            "logging/setLevel",
            "subscriptions/listen",
            "initialize",
        ]).prop_map(str::to_owned),
        1 => "[a-z]{1,4}/[a-z]{1,4}",
    ]
}

fn line() -> impl Strategy<Value = String> {
    let request = (id(), method(), meta(), members()).prop_map(|(id, method, meta, members)| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{meta},{members}}}}}"#
        )
    });
    let handshake = (id(), revision(), capabilities()).prop_map(|(id, version, can)| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"initialize","params":{{"protocolVersion":{version},"capabilities":{can}}}}}"#
        )
    });
    let fixed = select(vec![
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":@question@}}"#,
        r#"{"jsonrpc":"2.0","id":@question@,"result":{"action":"accept"}}"#,
        r#"{"jsonrpc":"2.0","id":@question@,"error":{"code":-1,"message":"no"}}"#,
        "@wait 30@",
        "@wait 3000@",
        "@wait 70000@",
    ]);
    let cancel = id().prop_map(|id| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
        )
    });
    prop_oneof![
        8 => request,
        2 => handshake,
        5 => fixed.prop_map(str::to_owned),
        1 => cancel,
        1 => message(),
    ]
}

/// A whole input of a conversation.
pub(crate) fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let damaged_line = prop_oneof![6 => Just(Vec::new()), 1 => damage()];
    let line =
        (line(), damaged_line).prop_map(|(line, damages)| damaged(line.into_bytes(), &damages));
    let ending = prop_oneof![6 => Just(0), 1 => Just(1), 1 => Just(2)];
    let sizes =
        prop_oneof![3 => Just(String::new()), 1 => (1_u32..300).prop_map(|size| size.to_string())];
    let head = (0_u32..30, ending, sizes);
    (head, vec(line, 0..14)).prop_map(|((gap_ms, ending, sizes), lines)| {
        let head = format!("{gap_ms} {ending} {sizes}\n").into_bytes();
        [head, lines.join(&b'\n')].concat()
    })
}
