//! One pass over JSON text that checks it and says where values begin and end.
//!
//! It accepts exactly the grammar of RFC 8259, whatever the values are (`1e400`, a lone surrogate,
//! thirty digits), so that payloads which a typed parser would refuse or alter still pass. The
//! one restriction: only blank and tab count as white space, since a line holds no line break.
//!
//! Nesting is tracked in a fixed bit set, not on the call stack: hostile depth costs nothing.

use std::borrow::Cow;

use super::raw::Raw;

/// Values nested deeper than this are refused. Far above what real messages need, and near what
/// common parsers of servers and clients stand.
pub(super) const MAX_DEPTH: usize = 1024;

/// How far a string is searched word by word before the vectorised search pays for its start.
const SHORT_STRING_WORDS: usize = 4;

/// Why a text can't be read as one JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It breaks the grammar at this byte.
    Syntax {
        /// Offset into the scanned text.
        at: usize,
    },
    /// It nests deeper than [`MAX_DEPTH`].
    TooDeep,
}

/// A read position in a text.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    /// Next byte to read.
    at: usize,
    /// Where `text` begins in the line, so that spans refer to the line.
    base: usize,
    /// Containers entered through [`Scanner::object`] and not yet left.
    depth: usize,
    /// Whether the text has bytes below blank; without any, strings need no check for them.
    has_controls: bool,
}

impl<'a> Scanner<'a> {
    /// At the start of a text that begins `base` bytes into its line.
    pub(super) fn new(text: &'a str, base: usize) -> Self {
        Self {
            text,
            at: 0,
            base,
            depth: 0,
            has_controls: has_controls(text.as_bytes()),
        }
    }

    /// At the start of a text that was scanned before.
    pub(super) fn revisit(text: &'a str, base: usize) -> Self {
        Self {
            text,
            at: 0,
            base,
            depth: 0,
            has_controls: false,
        }
    }

    /// Whether any byte of the text is below blank.
    pub(super) fn has_controls(&self) -> bool {
        self.has_controls
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn syntax(&self) -> Fault {
        Fault::Syntax { at: self.at }
    }

    fn since(&self, start: usize) -> Raw<'a> {
        Raw::new(
            self.text.get(start..self.at).unwrap_or_default(),
            self.base + start,
        )
    }

    /// The next byte after white space, not consumed.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        match self.bytes().get(self.at) {
            Some(b' ' | b'\t') => self.peek_past_blanks(),
            other => other.copied(),
        }
    }

    #[cold]
    fn peek_past_blanks(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t') = self.bytes().get(self.at) {
            self.at += 1;
        }
        self.bytes().get(self.at).copied()
    }

    /// Consumes `byte` after white space, or is a fault.
    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    /// Consumes `byte` after white space if it is next.
    #[inline]
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.syntax()),
        }
    }

    /// Walks the members of an object. `member` gets each decoded key and must consume its value.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<(), Fault>,
    ) -> Result<Raw<'a>, Fault> {
        self.expect(b'{')?;
        let start = self.at - 1;
        self.depth += 1;
        if !self.eat(b'}') {
            loop {
                let key = self.key()?;
                member(self, &key)?;
                if self.eat(b'}') {
                    break;
                }
                self.expect(b',')?;
            }
        }
        self.depth -= 1;
        Ok(self.since(start))
    }

    /// A key and its colon. A key that has no decoded form (a lone surrogate) stays as written:
    /// it holds a backslash then, and equals no name that anybody looks for.
    #[inline]
    pub(super) fn key(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.expect(b'"')?;
        let start = self.at;
        let has_escapes = self.rest_of_string()?;
        let key = self.text.get(start..self.at - 1).unwrap_or_default();
        let key = if has_escapes {
            self.since(start - 1).as_str().unwrap_or(Cow::Borrowed(key))
        } else {
            Cow::Borrowed(key)
        };
        self.expect(b':')?;
        Ok(key)
    }

    /// Steps over one value of any kind.
    #[inline]
    pub(super) fn value(&mut self) -> Result<Raw<'a>, Fault> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'{' | b'[') => self.container()?,
            _ => self.scalar()?,
        }
        Ok(self.since(start))
    }

    /// A container at the current byte, with everything inside.
    fn container(&mut self) -> Result<(), Fault> {
        let mut open = OpenContainers::default();
        'value: loop {
            match self.peek() {
                Some(kind @ (b'{' | b'[')) => {
                    if self.depth + open.depth == MAX_DEPTH {
                        return Err(Fault::TooDeep);
                    }
                    self.at += 1;
                    open.push(kind == b'{');
                    if self.eat(open.closer()) {
                        open.pop();
                    } else {
                        if open.is_object() {
                            self.key_unread()?;
                        }
                        continue 'value;
                    }
                }
                _ => self.scalar()?,
            }
            // A value has ended: close what ends with it, or go on to the next one.
            loop {
                if open.depth == 0 {
                    return Ok(());
                }
                if self.eat(b',') {
                    if open.is_object() {
                        self.key_unread()?;
                    }
                    continue 'value;
                }
                self.expect(open.closer())?;
                open.pop();
            }
        }
    }

    #[inline]
    fn key_unread(&mut self) -> Result<(), Fault> {
        self.expect(b'"')?;
        self.rest_of_string()?;
        self.expect(b':')
    }

    #[inline]
    fn scalar(&mut self) -> Result<(), Fault> {
        match self.bytes().get(self.at) {
            Some(b'"') => {
                self.at += 1;
                self.rest_of_string().map(|_| ())
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(self.syntax()),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Fault> {
        if self.bytes()[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    fn number(&mut self) -> Result<(), Fault> {
        if self.bytes().get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        if self.bytes().get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes().get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes().get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes().get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.bytes().get(self.at) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.syntax())
        } else {
            Ok(())
        }
    }

    /// A string after its opening quote; says whether it holds escapes.
    #[inline]
    fn rest_of_string(&mut self) -> Result<bool, Fault> {
        let start = self.at;
        let mut has_escapes = false;
        loop {
            let Some(distance) = quote_or_backslash(&self.bytes()[self.at..]) else {
                self.at = self.bytes().len();
                return Err(self.syntax());
            };
            self.at += distance;
            if self.bytes()[self.at] == b'"' {
                break;
            }
            has_escapes = true;
            self.escape()?;
        }
        if self.has_controls {
            let inside = &self.bytes()[start..self.at];
            if let Some(distance) = inside.iter().position(|byte| *byte < b' ') {
                return Err(Fault::Syntax {
                    at: start + distance,
                });
            }
        }
        self.at += 1;
        Ok(has_escapes)
    }

    /// A backslash and what it escapes.
    fn escape(&mut self) -> Result<(), Fault> {
        let after = &self.bytes()[self.at + 1..];
        let length = match after {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|hex| hex.is_ascii_hexdigit()) => 6,
            _ => return Err(self.syntax()),
        };
        self.at += length;
        Ok(())
    }
}

/// Distance to the next quote or backslash.
#[inline]
fn quote_or_backslash(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    const QUOTES: u64 = ONES * 0x22;
    const BACKSLASHES: u64 = ONES * 0x5c;
    // Lowest set high bit marks the first zero byte of the word; bits above it may lie.
    const fn zero_bytes(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & (ONES << 7)
    }
    let mut rest = bytes;
    for index in 0..SHORT_STRING_WORDS {
        let Some((word, after)) = rest.split_first_chunk::<8>() else {
            break;
        };
        let word = u64::from_le_bytes(*word);
        let found = zero_bytes(word ^ QUOTES) | zero_bytes(word ^ BACKSLASHES);
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
        rest = after;
    }
    let searched = bytes.len() - rest.len();
    memchr::memchr2(b'"', b'\\', rest).map(|distance| searched + distance)
}

/// Whether any byte is below blank. Without an early exit, so that the compiler vectorises it.
fn has_controls(bytes: &[u8]) -> bool {
    let lowest = bytes.iter().fold(u8::MAX, |lowest, byte| lowest.min(*byte));
    lowest < b' '
}

/// Which of the open containers are objects: one bit each.
#[derive(Default)]
struct OpenContainers {
    objects: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl OpenContainers {
    #[inline]
    fn push(&mut self, is_object: bool) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        self.objects[word] = self.objects[word] & !(1 << bit) | (u64::from(is_object) << bit);
        self.depth += 1;
    }

    #[inline]
    fn pop(&mut self) {
        self.depth -= 1;
    }

    #[inline]
    fn is_object(&self) -> bool {
        let innermost = self.depth - 1;
        self.objects[innermost / 64] >> (innermost % 64) & 1 == 1
    }

    #[inline]
    fn closer(&self) -> u8 {
        if self.is_object() { b'}' } else { b']' }
    }
}
