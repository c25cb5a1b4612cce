//! What must hold for any bytes and any message, checked on random ones.

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use super::envelope::Seeming;
use super::envelope::{Message, parse};
use super::line::{Line, LineSplitter};
use super::raw::Raw;
use super::request_id::Id;
use super::splice::{Edit, splice};

const FAILURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/wire.txt");

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(FAILURES))),
        ..ProptestConfig::default()
    }
}

/// Lines as a consumer would keep them.
fn lines(max_line_bytes: usize, chunks: &[&[u8]]) -> Vec<(Vec<u8>, u64, Option<String>)> {
    let mut splitter = LineSplitter::new(max_line_bytes);
    let mut found = Vec::new();
    let mut take = |line: Line<'_>| {
        found.push(match line {
            Line::Text(text) => (text.to_vec(), text.len() as u64, None),
            Line::Oversized(line) => {
                let id = line.id.map(|id| id.to_string());
                (line.head.to_vec(), line.bytes, Some(id.unwrap_or_default()))
            }
        });
    };
    for chunk in chunks {
        splitter.push(chunk, &mut take);
    }
    splitter.finish(&mut take);
    found
}

/// White space as senders write it.
fn blanks() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => "[ \t]{1,3}"]
}

/// A string's JSON text, each character plain or escaped.
fn string_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9_ {}\\[\\]:,]",
        1 => "[\u{80}-\u{d7ff}]",
        1 => Just("😀".to_owned()),
        1 => any::<u16>().prop_map(|unit| format!("\\u{unit:04x}")),
        1 => proptest::sample::select(vec!["\\\"", "\\\\", "\\/", "\\n", "\\b"]).prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// A key that no reader takes for one of the envelope.
fn unknown_key() -> impl Strategy<Value = String> {
    string_text().prop_map(|text| format!("\"x{}", &text[1..]))
}

fn number_text() -> impl Strategy<Value = String> {
    "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?"
}

/// Any JSON value, as somebody might write it.
fn value_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        string_text(),
        number_text(),
        proptest::sample::select(vec!["true", "false", "null"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let element = (blanks(), inner.clone(), blanks()).prop_map(|(a, v, b)| a + &v + &b);
        prop_oneof![
            proptest::collection::vec(element, 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            proptest::collection::vec(member(string_text(), inner), 0..4)
                .prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

fn member(
    key: impl Strategy<Value = String>,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    (blanks(), key, blanks(), blanks(), value, blanks())
        .prop_map(|(a, key, b, c, value, d)| format!("{a}{key}{b}:{c}{value}{d}"))
}

/// A known key with each character plain or escaped.
fn written(name: &'static str) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::bool::weighted(0.1), name.len()).prop_map(move |escaped| {
        let characters = name.chars().zip(escaped).map(|(character, escaped)| {
            if escaped {
                format!("\\u{:04x}", u32::from(character))
            } else {
                character.to_string()
            }
        });
        format!("\"{}\"", characters.collect::<String>())
    })
}

/// A call in three parts with an id before and a name after the second: the line is
/// `0 id 1 name 2` or, the other way round, `0 name 1 id 2`.
#[derive(Clone, Debug)]
struct Call {
    parts: [String; 3],
    id: String,
    name: String,
    id_first: bool,
}

impl Call {
    fn line(&self, id: &str, name: &str) -> String {
        let [a, b, c] = &self.parts;
        let (first, second) = if self.id_first {
            (id, name)
        } else {
            (name, id)
        };
        format!("{a}{first}{b}{second}{c}")
    }
}

fn call() -> impl Strategy<Value = Call> {
    let unknown = || {
        proptest::collection::vec(member(unknown_key(), value_text()), 0..3).prop_map(|all| {
            all.into_iter()
                .fold(String::new(), |joined, member| joined + &member + ",")
        })
    };
    let id = prop_oneof![string_text(), number_text()];
    let name = "[a-z_]{0,8}".prop_map(|name| format!("\"{name}\\u0041\""));
    (
        (id, name, any::<bool>()),
        (
            written("id"),
            written("name"),
            written("params"),
            written("method"),
        ),
        (unknown(), unknown(), unknown(), unknown()),
        (blanks(), blanks(), blanks()),
    )
        .prop_map(|((id, name, id_first), keys, extras, (a, b, c))| {
            let (id_key, name_key, params_key, method_key) = keys;
            let (before, inside, after, end) = extras;
            let head = format!("{a}{{{before}\"jsonrpc\":\"2.0\",{method_key}:{b}\"tools/call\",");
            let parts = if id_first {
                [
                    format!("{head}{id_key}:{c}"),
                    format!("{a},{params_key}:{{{inside}{name_key}:{b}"),
                    format!("{c},{after}\"arguments\":{{}}}},{end}\"z\":0}}{a}"),
                ]
            } else {
                [
                    format!("{head}{params_key}:{c}{{{inside}{name_key}:{b}"),
                    format!("{c},{after}\"arguments\":{{}}}},{end}{id_key}:{a}"),
                    format!("{b}}}{c}"),
                ]
            };
            Call {
                parts,
                id,
                name,
                id_first,
            }
        })
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn any_chunks_of_a_stream_give_the_same_lines(
        stream in proptest::collection::vec(
            prop_oneof![6 => proptest::sample::select(b"{\"id\":17,\\x}".to_vec()), 1 => Just(b'\n'), 1 => Just(b'\r')],
            0..200,
        ),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
        max_line_bytes in 0_usize..40,
    ) {
        let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        at.extend([0, stream.len()]);
        at.sort_unstable();
        let chunks: Vec<_> = at.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        prop_assert_eq!(lines(max_line_bytes, &chunks), lines(max_line_bytes, &[&stream]));
    }

    #[test]
    fn a_call_survives_its_rewriting_but_for_what_is_rewritten(call in call()) {
        let line = call.line(&call.id, &call.name);
        let Ok(Message::Request(request)) = parse(line.as_bytes()) else {
            return Err(TestCaseError::fail(format!("no request: {:?}", parse(line.as_bytes()))));
        };
        prop_assert_eq!(request.id.raw().text(), &call.id);
        let name = request.params.expect("params").name().expect("once").expect("there");
        prop_assert_eq!(name.raw.text(), &call.name);

        let mut out = Vec::new();
        splice(line.as_bytes(), &mut [], &mut out).expect("no edits");
        prop_assert_eq!(&out, line.as_bytes(), "without edits nothing changes");

        out.clear();
        let edits = &mut [Edit::replace(name.raw, b"\"t\""), Edit::replace(request.id.raw(), b"42")];
        splice(line.as_bytes(), edits, &mut out).expect("edits of this line");
        prop_assert_eq!(String::from_utf8(out).expect("text"), call.line("42", "\"t\""));
    }

    #[test]
    fn the_outline_of_a_line_finds_the_id_that_the_parser_finds(
        call in call(),
        chunk_bytes in 1_usize..50,
    ) {
        let line = call.line(&call.id, &call.name);
        let mut splitter = LineSplitter::new(8);
        for chunk in line.as_bytes().chunks(chunk_bytes) {
            splitter.push(chunk, |_| {});
        }
        let mut found = None;
        splitter.finish(|line| {
            if let Line::Oversized(line) = line {
                found = line.id.map(|id| (id.to_string(), line.kind));
            }
        });
        prop_assert_eq!(found, Some((call.id, Seeming::Call)));
    }

    #[test]
    fn a_reply_survives_and_goes_back_under_the_callers_id(
        payload in value_text(),
        id in prop_oneof![string_text(), number_text()],
        blank in blanks(),
    ) {
        let line = format!(r#"{{"result":{blank}{payload}{blank},"jsonrpc":"2.0","id":8{blank}}}"#);
        let Ok(Message::Response(response)) = parse(line.as_bytes()) else {
            return Err(TestCaseError::fail(line));
        };
        let mut out = Vec::new();
        let raw = response.id.map(Id::raw).expect("an id");
        splice(line.as_bytes(), &mut [Edit::replace(raw, id.as_bytes())], &mut out).expect("fits");
        let expected = format!(r#"{{"result":{blank}{payload}{blank},"jsonrpc":"2.0","id":{id}{blank}}}"#);
        prop_assert_eq!(String::from_utf8(out).expect("text"), expected);
    }
}

proptest! {
    #![proptest_config(config(4096))]

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse(&bytes);
    }

    /// Near misses reach further than noise.
    #[test]
    fn no_damage_to_a_message_makes_the_parser_panic_or_accept_what_a_strict_reader_refuses(
        at in any::<proptest::sample::Index>(),
        byte in prop_oneof![any::<u8>(), proptest::sample::select(b"\"\\{}[],:0-.eE\t ut".to_vec())],
        insert in any::<bool>(),
        cut in any::<proptest::sample::Index>(),
    ) {
        let whole = br#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":"\u0041","v":[1.5e3,{"a":true}],"_meta":{}}}"#;
        let mut line = whole.to_vec();
        let at = at.index(line.len());
        if insert {
            line.insert(at, byte);
        } else {
            line[at] = byte;
        }
        let accepted = parse(&line).is_ok();
        let _ = parse(&line[..cut.index(line.len())]);
        prop_assert!(!accepted || serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok());
    }

    #[test]
    fn a_text_is_a_value_exactly_if_another_parser_says_so(
        text in prop_oneof![value_text(), "[\\[\\]{}:,\"\\\\0-9.eEtrufalsn -]{0,12}"],
    ) {
        let known = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        let surrounded = text.trim_matches([' ', '\t']);
        prop_assert_eq!(Raw::parse(&text).map(Raw::text), known.then_some(surrounded));
    }
}
