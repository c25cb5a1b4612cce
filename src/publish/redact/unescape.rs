//! Text as it is behind its escapes, and where each piece of it came from.
//!
//! A secret that stands right behind an escape looks like none: in `\nghp_…` the escape's letter joins the token. So what
//! has a look is also searched for in a copy in which the escapes of JSON, programming languages, addresses and terminals
//! are decoded, and what is found there is mapped back.
//!
//! Invariant: a span of the copy maps to whole escapes, so nothing of a secret is left, and no escape is cut. What is no
//! escape is copied as it is.

use std::ops::Range;

/// Text inside JSON inside JSON, and what a terminal's sequence in the latter takes.
const LEVELS_MAX: usize = 3;

const ESCAPE: u8 = 0x1b;
/// Stands for a terminal's sequence in the first copy that has it decoded, so that what is on its two sides is apart;
/// in the next copy it is gone, so that what a colour was put into is in one piece. No terminal knows it.
const SEQUENCE: &str = "\u{1b}\0";

/// The text with its escapes decoded again and again while that changes anything, each copy with the way back.
pub(super) fn each_copy(text: &str, mut see: impl FnMut(&str, &Origin)) {
    let mut origin = Origin::default();
    let mut last: Option<String> = None;
    while origin.levels.len() < LEVELS_MAX {
        let Some((copy, escapes)) = decoded(last.as_deref().unwrap_or(text)) else {
            return;
        };
        origin.levels.push(escapes);
        see(&copy, &origin);
        last = Some(copy);
    }
}

/// Where a copy came from, outermost escapes first.
#[derive(Default)]
pub(super) struct Origin {
    levels: Vec<Vec<Decoded>>,
}

/// An escape, and what became of it. What lies between two of them is the same in both texts.
struct Decoded {
    raw: Range<usize>,
    copy: Range<usize>,
}

impl Origin {
    /// What of the text a span of the copy, which is not empty, came from.
    pub(super) fn of(&self, span: &Range<usize>) -> Range<usize> {
        self.levels.iter().rev().fold(span.clone(), |span, level| {
            byte(level, span.start).start..byte(level, span.end.saturating_sub(1)).end
        })
    }
}

fn byte(level: &[Decoded], at: usize) -> Range<usize> {
    let begun = level.partition_point(|escape| escape.copy.start <= at);
    match begun.checked_sub(1).and_then(|last| level.get(last)) {
        None => at..at + 1,
        Some(escape) if at < escape.copy.end => escape.raw.clone(),
        Some(escape) => {
            let raw = escape.raw.end + (at - escape.copy.end);
            raw..raw + 1
        }
    }
}

/// One copy, or none if there is nothing to decode.
fn decoded(text: &str) -> Option<(String, Vec<Decoded>)> {
    let bytes = text.as_bytes();
    let (mut copy, mut escapes) = (String::new(), Vec::new());
    let (mut at, mut copied) = (0, 0);
    while let Some(next) = memchr::memchr3(b'\\', b'%', ESCAPE, &bytes[at..]) {
        at += next;
        let Some((length, meaning)) = escape(&bytes[at..]) else {
            at += 1;
            continue;
        };
        if escapes.is_empty() {
            copy.reserve(text.len());
        }
        copy.push_str(&text[copied..at]);
        let copy_start = copy.len();
        match meaning {
            Meaning::Character(character) => copy.push(character),
            Meaning::Sequence => copy.push_str(SEQUENCE),
            Meaning::Nothing => {}
        }
        copied = at + length;
        escapes.push(Decoded {
            raw: at..copied,
            copy: copy_start..copy.len(),
        });
        at = copied;
    }
    copy.push_str(&text[copied..]);
    (!escapes.is_empty()).then_some((copy, escapes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Character(char),
    /// Of a terminal.
    Sequence,
    Nothing,
}

/// How long the escape is that the bytes begin with, and what it means.
fn escape(bytes: &[u8]) -> Option<(usize, Meaning)> {
    if bytes.starts_with(SEQUENCE.as_bytes()) {
        return Some((SEQUENCE.len(), Meaning::Nothing));
    }
    let character = |length, character| Some((length, Meaning::Character(character)));
    match (bytes.first()?, bytes.get(1)?) {
        (&ESCAPE, _) => sequence(bytes).map(|length| (length, Meaning::Sequence)),
        (b'\\', b'n') => character(2, '\n'),
        (b'\\', b't') => character(2, '\t'),
        (b'\\', b'r') => character(2, '\r'),
        (b'\\', b'b') => character(2, '\u{8}'),
        (b'\\', b'f') => character(2, '\u{c}'),
        (b'\\', b'v') => character(2, '\u{b}'),
        (b'\\', b'a') => character(2, '\u{7}'),
        (b'\\', b'e') => character(2, '\u{1b}'),
        (b'\\', &same @ (b'"' | b'\'' | b'\\' | b'/')) => character(2, char::from(same)),
        (b'\\', b'u') => utf16(bytes).map(|(length, found)| (length, Meaning::Character(found))),
        _ => utf8(bytes).map(|(length, found)| (length, Meaning::Character(found))),
    }
}

/// `ESC [ 31 m`, and `ESC ( B`, which chooses letters.
fn sequence(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    let mut skip = |wanted: fn(&u8) -> bool| {
        let found = bytes[at..].iter().take_while(|byte| wanted(byte)).count();
        at += found;
        found
    };
    let is_control = bytes.get(1) == Some(&b'[');
    let before = if is_control {
        skip(|byte| *byte == b'[');
        skip(|byte| (0x30..=0x3f).contains(byte));
        skip(|byte| (0x20..=0x2f).contains(byte));
        1
    } else {
        skip(|byte| (0x20..=0x2f).contains(byte))
    };
    let end = bytes.get(at)?;
    let first = if is_control { 0x40 } else { 0x30 };
    (before > 0 && (first..=0x7e).contains(end)).then_some(at + 1)
}

/// `\u0067`, two of them for what is beyond 16 bits, and `\u{67}`.
fn utf16(bytes: &[u8]) -> Option<(usize, char)> {
    const BRACED_DIGITS_MAX: usize = 6;
    if bytes.get(2) == Some(&b'{') {
        let digits = bytes[3..]
            .iter()
            .take(BRACED_DIGITS_MAX + 1)
            .position(|byte| *byte == b'}')?;
        let found = char::from_u32(number(bytes.get(3..3 + digits)?, 16)?)?;
        return Some((3 + digits + 1, found));
    }
    let unit = |at: usize| match bytes.get(at..at + 2)? {
        b"\\u" => number(bytes.get(at + 2..at + 6)?, 16),
        _ => None,
    };
    let first = unit(0)?;
    if let Some(found) = char::from_u32(first) {
        return Some((6, found));
    }
    let pair = unit(6).and_then(|second| {
        let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
        char::decode_utf16(units).next()?.ok()
    });
    Some(pair.map_or((6, char::REPLACEMENT_CHARACTER), |found| (12, found)))
}

/// The character that one or several escaped bytes are; what is no UTF-8 is taken for Latin-1.
fn utf8(bytes: &[u8]) -> Option<(usize, char)> {
    let (length, first) = escaped_byte(bytes)?;
    let count = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Some((length, char::from(first))),
    };
    let mut found = [first, 0, 0, 0];
    let mut at = length;
    for place in &mut found[1..count] {
        let Some((length, next)) = escaped_byte(&bytes[at..]) else {
            return Some((length, char::from(first)));
        };
        *place = next;
        at += length;
    }
    let character = std::str::from_utf8(&found[..count])
        .ok()
        .and_then(|text| text.chars().next());
    Some(character.map_or((length, char::from(first)), |found| (at, found)))
}

/// `\x67`, `%67` or `\147`.
fn escaped_byte(bytes: &[u8]) -> Option<(usize, u8)> {
    let (length, found) = match (bytes.first()?, bytes.get(1)?) {
        (b'%', _) => (3, number(bytes.get(1..3)?, 16)?),
        (b'\\', b'x') => (4, number(bytes.get(2..4)?, 16)?),
        (b'\\', b'0'..=b'7') => {
            let digits = bytes[1..].iter().take(3);
            let digits = digits.take_while(|byte| (b'0'..=b'7').contains(byte));
            let length = 1 + digits.count();
            (length, number(&bytes[1..length], 8)?)
        }
        _ => return None,
    };
    Some((length, u8::try_from(found).ok()?))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |number: u32, digit| {
        number
            .checked_mul(radix)?
            .checked_add(char::from(*digit).to_digit(radix)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn copies(text: &str) -> Vec<String> {
        let mut copies = Vec::new();
        each_copy(text, |copy, _| copies.push(copy.to_owned()));
        copies
    }

    #[test]
    fn every_kind_of_escape_is_decoded() {
        for (text, expected) in [
            (r"a\nb\tc\rd\be\ff", "a\nb\tc\rd\u{8}e\u{c}f"),
            (r#"\"a\/b\'"#, "\"a/b'"),
            (r"\u0067hp\u00e9\ud83d\ude00", "ghpé😀"),
            (r"\u{67}hp\u{1F600}", "ghp😀"),
            (r"\ud83dx", "\u{fffd}x"),
            (r"\x67hp%67%5f\147", "ghpg_g"),
            (r"%C3%A9\xc3\xa9\303\251", "ééé"),
            (r"%E9x%c3x\xffx", "éxÃxÿx"),
        ] {
            assert_eq!(copies(text), [expected], "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in [
            "",
            "plain",
            "100% of it, 5 %",
            "%zz%4",
            r"\q\",
            r"\u12",
            r"\u{}",
            r"\u{1234567}",
            r"\x4",
            "\u{1b}",
            "\u{1b}[31",
            "\u{1b}Mx",
            "é€",
        ] {
            assert_eq!(copies(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn what_a_terminal_takes_parts_text_first_and_is_gone_then() {
        for sequence in ["\u{1b}[31m", "\u{1b}[m", "\u{1b}[38;5;1m", "\u{1b}(B"] {
            assert_eq!(
                copies(&format!("a{sequence}b")),
                [format!("a{SEQUENCE}b"), "ab".to_owned()]
            );
        }
        assert_eq!(
            copies(r"a\u001b[31mb"),
            ["a\u{1b}[31mb", &format!("a{SEQUENCE}b"), "ab"]
        );
    }

    #[test]
    fn escapes_inside_escapes_are_decoded_as_often_as_there_are_levels() {
        assert_eq!(copies(r"a\\nb"), [r"a\nb", "a\nb"]);
        assert_eq!(copies("a%255Cnb"), [r"a%5Cnb", r"a\nb", "a\nb"]);
        assert_eq!(
            copies(&"\\".repeat(16)),
            ["\\".repeat(8), "\\".repeat(4), "\\".repeat(2)]
        );
    }

    #[test]
    fn what_is_found_is_mapped_to_whole_escapes() {
        let text = "é\\\\u0067hp_\\\\n%25é\u{1b}[1mx";
        let mut found = Vec::new();
        each_copy(text, |copy, origin| {
            for wanted in ["ghp_", "\n%", "g", "éx", "é\u{1b}\0x", "x"] {
                let spans = copy.match_indices(wanted);
                found.extend(spans.map(|(at, part)| {
                    let raw = origin.of(&(at..at + part.len()));
                    (part.to_owned(), &text[raw])
                }));
            }
        });
        found.sort();
        found.dedup();
        let expected = [
            ("\n%", "\\\\n%25"),
            ("g", "\\\\u0067"),
            ("ghp_", "\\\\u0067hp_"),
            ("x", "x"),
            ("é\u{1b}\0x", "é\u{1b}[1mx"),
            ("éx", "é\u{1b}[1mx"),
        ];
        assert_eq!(found, expected.map(|(part, raw)| (part.to_owned(), raw)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_character_has_a_place_that_is_in_order_and_between_characters(
            text in r"([a-f0-9{}\[;é😀\\%\x1b\x00ux]|\\u00|%c3|\\xe2|\\ud83d){0,40}",
        ) {
            each_copy(&text, |copy, origin| {
                let mut end = 0;
                for (at, character) in copy.char_indices() {
                    let raw = origin.of(&(at..at + character.len_utf8()));
                    // The two characters that stand for a sequence share a place.
                    assert!(raw.start >= end || raw.end == end, "{text:?}");
                    assert!(text.get(raw.clone()).is_some_and(|part| !part.is_empty()), "{text:?}");
                    end = raw.end;
                }
            });
        }
    }
}
