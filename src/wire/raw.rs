//! A piece of JSON text that was checked, and where it stands in its line.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::scan::Scanner;

/// One JSON value as it was written, without white space around it.
///
/// Only this module's parsers make one, so its text is known to be one well-formed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Raw<'a> {
    pub(super) fn new(text: &'a str, start: usize) -> Self {
        Self { text, start }
    }

    /// Checks a text of its own, spans counting from its first byte. `None` if it isn't exactly
    /// one JSON value.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(text, 0);
        let raw = scanner.value().ok()?;
        scanner.end().ok()?;
        Some(raw)
    }

    /// The value as written.
    pub fn text(self) -> &'a str {
        self.text
    }

    /// Where it stands in its line, in bytes.
    pub fn span(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// The same value with spans that count from its own first byte.
    #[must_use]
    pub fn rebased(self) -> Self {
        Self::new(self.text, 0)
    }

    /// A string's decoded content. `None` if it isn't a string, or has a lone surrogate, which no
    /// Rust string can hold.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let inner = self.text.strip_prefix('"')?.strip_suffix('"')?;
        if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
            return Some(Cow::Borrowed(inner));
        }
        serde_json::from_str(self.text).ok().map(Cow::Owned)
    }

    /// An integer that fits, written without fraction or exponent.
    pub fn as_i64(self) -> Option<i64> {
        self.text.parse().ok()
    }

    /// The literal, if it is one.
    pub fn as_bool(self) -> Option<bool> {
        self.text.parse().ok()
    }

    /// Whether it is the literal `null`.
    pub fn is_null(self) -> bool {
        self.text == "null"
    }

    /// Whether it is a string or a number: what an id, a progress token may be.
    pub fn is_string_or_number(self) -> bool {
        matches!(
            self.text.as_bytes().first(),
            Some(b'"' | b'-' | b'0'..=b'9')
        )
    }

    /// Whether it is an object.
    pub fn is_object(self) -> bool {
        self.text.starts_with('{')
    }

    /// Whether it is an array.
    pub fn is_array(self) -> bool {
        self.text.starts_with('[')
    }

    /// Whether it is a string.
    pub fn is_string(self) -> bool {
        self.text.starts_with('"')
    }

    /// An object's members in order, keys decoded, duplicates included. Nothing if it is no object.
    pub fn members(self) -> Members<'a> {
        Members(Items::new(self, b'{'))
    }

    /// The value of a member. Of duplicates the last, as JavaScript and Python read it.
    pub fn member(self, name: &str) -> Option<Raw<'a>> {
        self.members()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value)
            .last()
    }

    /// An array's elements. Nothing if it is no array.
    pub fn elements(self) -> Elements<'a> {
        Elements(Items::new(self, b'['))
    }
}

/// Written as it is.
impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.text).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// Iterates over an object's members.
#[derive(Clone, Debug)]
pub struct Members<'a>(Items<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Raw<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let scanner = self.0.next_item()?;
        let key = scanner.key().ok()?;
        Some((key, scanner.value().ok()?))
    }
}

/// Iterates over an array's elements.
#[derive(Clone, Debug)]
pub struct Elements<'a>(Items<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next_item()?.value().ok()
    }
}

/// What both iterators share: a position before the next item of a container.
#[derive(Clone, Debug)]
struct Items<'a> {
    scanner: Scanner<'a>,
    state: Position,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    BeforeFirst,
    AfterItem,
    End,
}

impl<'a> Items<'a> {
    fn new(container: Raw<'a>, opener: u8) -> Self {
        let mut scanner = Scanner::revisit(container.text, container.start);
        let state = if scanner.eat(opener) {
            Position::BeforeFirst
        } else {
            Position::End
        };
        Self { scanner, state }
    }

    /// The scanner in front of the next item, or `None` at the end.
    fn next_item(&mut self) -> Option<&mut Scanner<'a>> {
        match self.state {
            Position::BeforeFirst if matches!(self.scanner.peek(), Some(b'}' | b']') | None) => {
                self.state = Position::End;
            }
            Position::BeforeFirst => self.state = Position::AfterItem,
            Position::AfterItem if !self.scanner.eat(b',') => self.state = Position::End,
            Position::AfterItem | Position::End => {}
        }
        (self.state != Position::End).then_some(&mut self.scanner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order_with_decoded_keys_and_spans_into_the_line() {
        let line = r#"  {"\u0061":1 , "b" :[2, {}],"a":"x"}"#;
        let raw = Raw::parse(line).expect("valid");
        let members: Vec<_> = raw.members().collect();
        let keys: Vec<_> = members.iter().map(|(key, _)| key.as_ref()).collect();
        assert_eq!(keys, ["a", "b", "a"]);
        for (_, value) in &members {
            assert_eq!(&line[value.span()], value.text());
        }
        assert_eq!(
            raw.member("a").map(Raw::text),
            Some(r#""x""#),
            "the last one counts"
        );
    }

    #[test]
    fn elements_of_an_empty_array_and_members_of_another_kind_are_none() {
        assert_eq!(Raw::parse("[ ]").expect("valid").elements().count(), 0);
        assert_eq!(Raw::parse("{ }").expect("valid").members().count(), 0);
        assert_eq!(Raw::parse("[1]").expect("valid").members().count(), 0);
        assert_eq!(
            Raw::parse(r#"{"a":1}"#).expect("valid").elements().count(),
            0
        );
    }

    #[test]
    fn a_string_with_a_lone_surrogate_has_text_but_no_decoded_form() {
        let raw = Raw::parse(r#""\ud800""#).expect("valid JSON all the same");
        assert_eq!(raw.as_str(), None);
        assert_eq!(raw.text(), r#""\ud800""#);
        let pair = Raw::parse(r#""\ud83d\ude00""#).expect("valid");
        assert_eq!(pair.as_str().as_deref(), Some("😀"));
    }

    #[test]
    fn integers_are_read_only_when_written_as_integers() {
        let read = |text| Raw::parse(text).expect("valid").as_i64();
        assert_eq!(read("-32601"), Some(-32601));
        assert_eq!(read("1.0"), None);
        assert_eq!(read("1e2"), None);
        assert_eq!(read("9223372036854775808"), None);
    }
}
