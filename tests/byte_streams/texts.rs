//! JSON as hostile senders write it, messages made of it, and damage to what was whole.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

fn space() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 1 => "[ \t]{1,3}"]
}

fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => "[a-zA-Z0-9 _./{}\\[\\]:,]{0,6}",
        2 => "[\u{80}-\u{10ffff}]",
        2 => select(vec![r#"\""#, r"\\", r"\/", r"\n", r"\b"]).prop_map(str::to_owned),
        2 => "\\\\u[0-9a-fA-F]{4}",
        2 => select(vec![r"\ud800", r"\udc00", r"\ud83d\ude00", r"\u0000"]).prop_map(str::to_owned),
        1 => select(vec!["\u{7f}", "\u{2028}", "\u{feff}"]).prop_map(str::to_owned),
    ];
    vec(piece, 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "-?(0|[1-9][0-9]{0,3})",
        2 => "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
    ]
}

/// A key that somebody looks for, each character plain or escaped.
fn known_key() -> impl Strategy<Value = String> {
    let names = vec![
        "jsonrpc",
        "id",
        "method",
        "params",
        "result",
        "error",
        "name",
        "_meta",
        "progressToken",
        "requestId",
        "cursor",
        "uri",
        "requestState",
        "inputResponses",
        "task",
        "level",
        "isError",
        "resultType",
        "code",
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
    ];
    (select(names), any::<u64>()).prop_map(|(name, escaped)| {
        let characters = name.chars().enumerate().map(|(at, character)| {
            if (escaped >> (at % 64)).trailing_zeros() >= 3 {
                format!("\\u{:04x}", u32::from(character))
            } else {
                character.to_string()
            }
        });
        format!("\"{}\"", characters.collect::<String>())
    })
}

fn member(value: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let key = prop_oneof![3 => known_key(), 1 => string()];
    (space(), key, space(), space(), value, space())
        .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"))
}

fn object_of(member: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (vec(member, 0..6), space())
        .prop_map(|(members, space)| format!("{{{space}{}}}", members.join(",")))
}

fn object() -> impl Strategy<Value = String> {
    object_of(member(value()))
}

/// With a `_meta` that has members, more often than not.
fn params() -> impl Strategy<Value = String> {
    let meta = object().prop_map(|meta| format!("\"_meta\":{meta}"));
    object_of(prop_oneof![3 => member(value()), 1 => meta])
}

/// Containers within each other, as deep as this or deeper.
fn deep() -> impl Strategy<Value = String> {
    (
        select(vec![3_usize, 200, 1020, 1023, 1024, 1030]),
        select(vec!["[", r#"{"a":"#]),
    )
        .prop_map(|(depth, opening)| {
            let closing = if opening == "[" { "]" } else { "}" };
            format!("{}1{}", opening.repeat(depth), closing.repeat(depth))
        })
}

/// The text of some value.
pub(crate) fn value() -> BoxedStrategy<String> {
    let literals = [
        "null",
        "true",
        "false",
        "{}",
        "[]",
        r#""2.0""#,
        r#""2026-07-28""#,
    ];
    let leaf = prop_oneof![
        4 => string(),
        4 => number(),
        4 => select(literals.to_vec()).prop_map(str::to_owned),
    ];
    let nested = leaf.prop_recursive(4, 32, 5, |inner| {
        let element = (space(), inner.clone(), space()).prop_map(|(a, value, b)| a + &value + &b);
        prop_oneof![
            vec(element, 0..5).prop_map(|all| format!("[{}]", all.join(","))),
            object_of(member(inner.boxed())),
        ]
    });
    prop_oneof![100 => nested, 1 => deep()].boxed()
}

/// A message, or nearly one: members of the envelope and others, in any order, now and then twice.
pub(crate) fn message() -> impl Strategy<Value = String> {
    let written = |key: &'static str, value: BoxedStrategy<String>| {
        (space(), value).prop_map(move |(space, value)| format!("\"{key}\":{space}{value}"))
    };
    let version = prop_oneof![30 => Just(r#""2.0""#.to_owned()), 1 => value()].boxed();
    let id = prop_oneof![8 => number(), 8 => string(), 1 => value()].boxed();
    let method = prop_oneof![8 => Just(r#""tools/call""#.to_owned()), 1 => string(), 1 => value()];
    let params = prop_oneof![8 => params(), 1 => value()].boxed();
    let payload = || prop_oneof![3 => object(), 1 => value()].boxed();
    let kind = prop_oneof![
        4 => (written("method", method.boxed()), written("params", params))
            .prop_map(|(method, params)| format!("{method},{params}")),
        1 => written("result", payload()),
        1 => written("error", payload()),
    ];
    let other = prop_oneof![4 => Just(None), 1 => (known_key(), value()).prop_map(Some)];
    let other = other.prop_map(|other| other.map(|(key, value)| format!("{key}:{value}")));
    let members = (
        written("jsonrpc", version).prop_map(Some),
        proptest::option::weighted(0.8, written("id", id)),
        kind.prop_map(Some),
        other,
    );
    let members = members.prop_map(|(version, id, kind, other)| [version, id, kind, other]);
    (members.prop_shuffle(), space(), space()).prop_map(|(members, a, b)| {
        let members: Vec<String> = members.into_iter().flatten().collect();
        format!("{a}{{{}}}{b}", members.join(","))
    })
}

/// What becomes of a text on its way.
#[derive(Clone, Debug)]
pub(crate) enum Damage {
    Replaced(Index, u8),
    Inserted(Index, u8),
    Cut(Index),
    Doubled(Index, Index),
}

pub(crate) fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let byte = || prop_oneof![select(b"\"\\{}[],:0-.eE\t\r\0 ut\n".to_vec()), any::<u8>()];
    let one = prop_oneof![
        3 => (any::<Index>(), byte()).prop_map(|(at, byte)| Damage::Replaced(at, byte)),
        3 => (any::<Index>(), byte()).prop_map(|(at, byte)| Damage::Inserted(at, byte)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Doubled(from, to)),
    ];
    vec(one, 0..4)
}

pub(crate) fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let length = bytes.len();
        match damage {
            Damage::Replaced(at, byte) if length > 0 => bytes[at.index(length)] = *byte,
            Damage::Replaced(_, byte) => bytes.push(*byte),
            Damage::Inserted(at, byte) => bytes.insert(at.index(length + 1), *byte),
            Damage::Cut(at) => bytes.truncate(at.index(length + 1)),
            Damage::Doubled(from, to) => {
                let (from, to) = (from.index(length + 1), to.index(length + 1));
                let piece = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}
