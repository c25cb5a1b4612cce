//! The properties on random inputs.

use crate::clients::conversation;
use crate::texts::{damage, damaged, message, value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;
use std::fmt;

const FAILURES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/proptest-regressions/byte_streams.txt"
);

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(FAILURES))),
        ..ProptestConfig::default()
    }
}

/// An input that a failure shows as text.
#[derive(Clone)]
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "b\"{}\"", self.0.escape_ascii())
    }
}

fn any_bytes(length_max: usize) -> impl Strategy<Value = Input> {
    vec(any::<u8>(), 0..length_max).prop_map(Input)
}

/// A stream of lines as they come, cut anywhere.
fn line_stream() -> impl Strategy<Value = Input> {
    let line = prop_oneof![
        3 => message().prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..40),
        2 => vec(select(b"{}\"\\:,i d\r\n".to_vec()), 0..30),
        1 => (any::<u8>(), prop_oneof![0_usize..6_000, 30_000_usize..60_000])
            .prop_map(|(byte, length)| vec![byte; length]),
    ];
    let ending = select(vec!["\n", "\n", "\r\n", "\n\n", ""]);
    vec((line, ending), 0..6).prop_map(|lines| {
        let whole = lines
            .into_iter()
            .flat_map(|(line, ending)| [line, ending.as_bytes().to_vec()]);
        Input(whole.flatten().collect())
    })
}

fn words(numbers: &[u64]) -> String {
    let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    words.join(" ")
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn lines(
        limit in prop_oneof![0_u64..20, 20_u64..600, Just(5_000), Just(40_000)],
        sizes in vec(prop_oneof![4 => 0_u64..50, 1 => 0_u64..20_000], 0..5),
        stream in line_stream(),
    ) {
        let head = words(&[vec![limit], sizes].concat());
        crate::lines::check(&[head.as_bytes(), b"\n", &stream.0].concat());
    }

    #[test]
    fn an_envelope_of_any_bytes(line in any_bytes(80)) {
        crate::envelope::check(&line.0);
    }

    #[test]
    fn an_envelope_of_any_json(line in value(), damages in damage()) {
        crate::envelope::check(line.as_bytes());
        crate::envelope::check(&damaged(line.into_bytes(), &damages));
    }

    #[test]
    fn an_envelope_of_any_message(line in message(), damages in damage()) {
        crate::envelope::check(line.as_bytes());
        crate::envelope::check(&damaged(line.into_bytes(), &damages));
    }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn a_request_state(
        numbers in vec(prop_oneof![0_u64..5, any::<u64>()], 5),
        about in vec(prop_oneof!["[a-z/_]{0,12}", "[^\n]{0,8}"], 2),
        arguments in value(),
        alterations in vec(any::<u8>().prop_filter("no line break", |byte| *byte != b'\n'), 0..12),
        made_up in prop_oneof!["[0-9a-f]{112}", "[0-9a-fA-F]{0,120}", "[^\n]{0,40}"],
    ) {
        let head = words(&numbers);
        let lines = [head.as_bytes(), about[0].as_bytes(), about[1].as_bytes(), arguments.as_bytes(),
            &alterations, made_up.as_bytes()];
        crate::request_state::check(&lines.join(&b'\n'));
    }

    #[test]
    fn a_request_state_of_any_bytes(input in any_bytes(200)) {
        crate::request_state::check(&input.0);
    }
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn a_conversation(input in conversation().prop_map(Input)) {
        crate::era::check(&input.0);
    }

    #[test]
    fn a_conversation_of_any_bytes(input in any_bytes(300)) {
        crate::era::check(&input.0);
    }
}
