//! Every row against the corpus, and what keeps the search fast.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use regex_syntax::hir::{Class, ClassBytes, Hir, HirKind};

use super::corpus::{HARMLESS, capitals, letters, named, tokens};
use super::*;

fn patterns() -> &'static Patterns {
    static PATTERNS: OnceLock<Patterns> = OnceLock::new();
    PATTERNS.get_or_init(|| Patterns::compile().unwrap())
}

fn found(text: &str) -> Vec<String> {
    let mut spans = Vec::new();
    patterns().find(text, &mut spans);
    spans
        .into_iter()
        .map(|span| text[span].to_owned())
        .collect()
}

/// The row that a text is found by.
fn row_of(text: &str) -> Option<&'static str> {
    let found = patterns().0.rows.find(text)?;
    let row = found.pattern().as_usize();
    let tokens = TOKENS.iter().map(|(name, ..)| *name);
    tokens.chain(NAMED.iter().map(|(name, _)| *name)).nth(row)
}

#[test]
fn every_token_is_found_as_a_whole_and_by_its_own_row() {
    for (name, secret) in tokens() {
        for text in [
            secret.clone(),
            format!("got {secret}; and more"),
            format!("[\"{secret}\"]"),
            format!("({secret})"),
        ] {
            assert_eq!(found(&text), [secret.as_str()], "{name}: {text}");
            assert_eq!(row_of(&text), Some(name), "{text}");
        }
    }
}

#[test]
fn every_named_value_is_found_without_its_name() {
    for (name, before, value, behind) in named() {
        let text = [before, &value, behind].concat();
        assert_eq!(found(&text), [value], "{name}: {text}");
        assert_eq!(row_of(&text), Some(name), "{text}");
    }
}

#[test]
fn every_row_is_in_the_corpus() {
    let tried: BTreeSet<&str> = tokens()
        .iter()
        .map(|(name, _)| *name)
        .chain(named().iter().map(|row| row.0))
        .collect();
    let rows: BTreeSet<&str> = TOKENS
        .iter()
        .map(|row| row.0)
        .chain(NAMED.iter().map(|row| row.0))
        .collect();
    assert_eq!(rows, tried);
    assert_eq!(
        rows.len(),
        TOKENS.len() + NAMED.len(),
        "a name is given twice"
    );
}

#[test]
fn passwords_of_addresses_and_signed_tokens_are_found() {
    let jwt = [
        "ey",
        "J",
        &letters(30),
        ".ey",
        "J",
        &letters(60),
        ".",
        &letters(43),
    ]
    .concat();
    assert_eq!(found(&format!("cookie={jwt};")), [jwt]);
    for (text, password) in [
        ("postgres://ada:hunter2@db:5432/x", "hunter2"),
        ("redis://:s3cr3t@cache/0", "s3cr3t"),
        ("https://user:p%40ss:w0rd$@host/", "p%40ss:w0rd$"),
        ("\"amqp://a.b:x@c,amqp://a.b:y@c\"", "x"),
    ] {
        assert_eq!(found(text)[0], password, "{text}");
    }
}

#[test]
fn what_is_too_short_hides_nothing_that_stands_in_it() {
    let key = ["AK", "IA", &capitals(16)].concat();
    for before in [
        "sk-ant-",
        "xapp-1-",
        "ya29.",
        "pypi-",
        "token: x-",
        "password:",
    ] {
        let found = found(&format!("{before}{key}"));
        assert!(
            found.iter().any(|secret| secret.ends_with(&key)),
            "{before}: {found:?}"
        );
    }
}

#[test]
fn harmless_text_is_left_alone() {
    for text in HARMLESS {
        assert_eq!(found(text), Vec::<String>::new(), "{text}");
    }
}

/// See the table's head for why.
#[test]
fn no_row_makes_a_text_slow() {
    let named = NAMED
        .iter()
        .map(|(name, row)| (*name, format!("{}{}", row.before, row.value)));
    let tokens = TOKENS
        .iter()
        .map(|(name, regex, _)| (*name, (*regex).to_owned()));
    for (name, regex) in tokens.chain(named) {
        let hir = regex_syntax::parse(&format!("(?-u){regex}")).unwrap();
        assert!(
            ends_early(&hir, Behind::Nothing),
            "{name}: something unbounded stands before something needed"
        );
        assert!(
            counts_words_alone(&hir),
            "{name}: counts characters between which other rows can begin"
        );
    }
    let address = regex_syntax::parse(&format!("(?-u){ADDRESS}")).unwrap();
    assert!(ends_early(&address, Behind::Nothing));
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    Needed,
}

fn ends_early(hir: &Hir, behind: Behind) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => true,
        HirKind::Capture(capture) => ends_early(&capture.sub, behind),
        HirKind::Alternation(choices) => choices.iter().all(|choice| ends_early(choice, behind)),
        HirKind::Repetition(repetition) => {
            (repetition.max.is_some() || behind == Behind::Nothing)
                && ends_early(&repetition.sub, Behind::Needed)
        }
        HirKind::Concat(parts) => {
            let mut behind = behind;
            parts.iter().rev().all(|part| {
                let ends = ends_early(part, behind);
                let is_needed = part.properties().minimum_len() != Some(0)
                    || matches!(part.kind(), HirKind::Look(_));
                if is_needed {
                    behind = Behind::Needed;
                }
                ends
            })
        }
    }
}

fn counts_words_alone(hir: &Hir) -> bool {
    const FEW: u32 = 9;
    match hir.kind() {
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => true,
        HirKind::Capture(capture) => counts_words_alone(&capture.sub),
        HirKind::Alternation(parts) | HirKind::Concat(parts) => {
            parts.iter().all(counts_words_alone)
        }
        HirKind::Repetition(repetition) => {
            let counted = repetition.max.unwrap_or(repetition.min) > FEW || repetition.min > FEW;
            !counted || is_word(&repetition.sub)
        }
    }
}

fn is_word(hir: &Hir) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let HirKind::Class(class) = hir.kind() else {
        return false;
    };
    let word_bytes = |class: &ClassBytes| {
        class
            .iter()
            .all(|range| (range.start()..=range.end()).all(word))
    };
    match class {
        Class::Bytes(class) => word_bytes(class),
        Class::Unicode(class) => class
            .to_byte_class()
            .is_some_and(|class| word_bytes(&class)),
    }
}
