//! Secrets out of text, before it is shown, logged or written.
//!
//! ```text
//! text → spans of exact values (aho-corasick)                                ┐
//!      → spans of patterns (linear regexes)                                  ┼→ merged → `[REDACTED]` → cut to size
//!      → copies without escapes → spans of patterns, mapped back to the text ┘
//! ```
//!
//! Invariant: spans are found in the text as it came and merged before anything is replaced, so a value inside a larger
//! secret, or two that overlap, leave nothing of either. Text is cut only after that, so a cut never leaves the head of
//! a secret. Time is linear in the text.
//!
//! The limits: a secret that is split over two texts (two lines, two fields) is not seen, nor one in another encoding
//! than those of `unescape`, nor an exact value below four bytes, which would tear ordinary words apart, nor in a long
//! text what a pattern of a policy matches, if it is longer than the windows of `own` overlap.

mod own;
mod patterns;
mod unescape;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use aho_corasick::AhoCorasick;

use crate::config::policy::Pattern;
use crate::config::secret::Secret;
use own::Own;
use patterns::Patterns;

/// What stands where a secret was.
pub const REDACTED: &str = "[REDACTED]";
/// What follows text that was cut.
pub const TRUNCATED: &str = "…[truncated]";

const EXACT_BYTES_MIN: usize = 4;
/// One line of a secret that has several is a secret too, if it is long enough not to be a common word.
const SECRET_LINE_BYTES_MIN: usize = 8;
/// More than the least that any pattern needs to be seen, even if each of its characters is a `\u0067`.
const PATTERN_GUARD_BYTES: usize = 1 << 10;

/// Finds secrets in text. Built once for a set of values.
#[derive(Clone)]
pub struct Redactor {
    built_in: Patterns,
    /// Of the project's policy.
    own: Own,
    exact: Option<AhoCorasick>,
    longest_exact_bytes: usize,
}

/// The finders can't be built.
#[derive(Debug, thiserror::Error)]
pub enum RedactorError {
    /// The patterns.
    #[error("the patterns of secrets can't be compiled: {0}")]
    Patterns(#[from] Box<regex_automata::meta::BuildError>),
    /// The values.
    #[error("the secret values are too many or too long to search for: {0}")]
    Values(#[from] aho_corasick::BuildError),
}

impl Redactor {
    /// Knows the built-in patterns alone.
    ///
    /// # Errors
    /// The patterns can't be compiled.
    pub fn new() -> Result<Self, RedactorError> {
        Ok(Self {
            built_in: Patterns::compile()?,
            own: Own::default(),
            exact: None,
            longest_exact_bytes: 0,
        })
    }

    /// Knows these patterns beside the built-in ones. What one of them matches is taken as a whole.
    #[must_use]
    pub fn with_patterns(&self, patterns: &[Pattern]) -> Self {
        Self {
            own: Own::new(patterns),
            ..self.clone()
        }
    }

    /// Knows the patterns and these values, in each form in which they can turn up in text.
    ///
    /// # Errors
    /// The values are too many or too long to search for.
    pub fn with_secrets<'a>(
        &self,
        secrets: impl IntoIterator<Item = &'a Secret>,
    ) -> Result<Self, RedactorError> {
        let forms: BTreeSet<String> = secrets
            .into_iter()
            .flat_map(|secret| forms(secret.expose()))
            .collect();
        let longest_exact_bytes = forms.iter().map(String::len).max().unwrap_or(0);
        let exact = if forms.is_empty() {
            None
        } else {
            Some(AhoCorasick::new(&forms)?)
        };
        Ok(Self {
            exact,
            longest_exact_bytes,
            ..self.clone()
        })
    }

    /// The text without its secrets.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let spans = self.spans(text);
        if spans.is_empty() {
            Cow::Borrowed(text)
        } else {
            Cow::Owned(replace(text, &spans, text.len()))
        }
    }

    /// The text without its secrets, then cut to about `bytes_max`.
    ///
    /// Of a text much longer than that only the head is looked at, so the time is bounded too.
    pub fn redact_bounded(&self, text: &str, bytes_max: usize) -> String {
        let window = self.window_bytes(bytes_max);
        if text.len() <= window {
            return bounded(&self.redact(text), bytes_max).into_owned();
        }
        let head = &text[..floor_char_boundary(text, window)];
        // What begins in the last part of the head may go on behind it, unseen: that part is never shown.
        let shown = floor_char_boundary(head, window - self.guard_bytes());
        let mut redacted = replace(head, &self.spans(head), shown);
        redacted.truncate(floor_char_boundary(&redacted, bytes_max));
        redacted.push_str(TRUNCATED);
        redacted
    }

    /// How much of a text [`Self::redact_bounded`] looks at. A longer one need not be gathered in full.
    pub fn window_bytes(&self, bytes_max: usize) -> usize {
        bytes_max
            .saturating_mul(4)
            .saturating_add(self.guard_bytes())
    }

    fn guard_bytes(&self) -> usize {
        self.longest_exact_bytes.max(PATTERN_GUARD_BYTES)
    }

    /// Whether one of the values stands in the text.
    pub fn holds_value(&self, text: &str) -> bool {
        self.exact
            .as_ref()
            .is_some_and(|exact| exact.is_match(text))
    }

    /// Where secrets are: in order, apart from each other.
    pub fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let mut spans: Vec<Range<usize>> = self
            .exact
            .iter()
            .flat_map(|exact| exact.find_overlapping_iter(text))
            .map(|m| m.range())
            .collect();
        self.find_by_looks(text, &mut spans);
        unescape::each_copy(text, |copy, origin| {
            let mut found = Vec::new();
            self.find_by_looks(copy, &mut found);
            spans.extend(found.iter().map(|span| origin.of(span)));
        });
        spans.sort_unstable_by_key(|span| span.start);
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(spans.len());
        for span in spans {
            match merged.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => merged.push(span),
            }
        }
        merged
    }

    fn find_by_looks(&self, text: &str, spans: &mut Vec<Range<usize>>) {
        self.built_in.find(text, spans);
        self.own.find(text, spans);
    }
}

fn replace(text: &str, spans: &[Range<usize>], end: usize) -> String {
    let mut replaced = String::with_capacity(end);
    let mut from = 0;
    for span in spans.iter().take_while(|span| span.start < end) {
        replaced.push_str(&text[from..span.start]);
        replaced.push_str(REDACTED);
        from = span.end;
    }
    replaced.push_str(text.get(from..end).unwrap_or_default());
    replaced
}

/// The value, its lines, and what JSON and URLs make of them.
fn forms(value: &str) -> BTreeSet<String> {
    let lines = value
        .lines()
        .map(str::trim)
        .filter(|line| line.len() >= SECRET_LINE_BYTES_MIN);
    let mut forms = BTreeSet::new();
    for plain in std::iter::once(value).chain(lines) {
        let json = json_escaped(plain);
        forms.extend([
            // JSON inside JSON: a tool's result is often text that is JSON itself.
            json_escaped(&json),
            json_ascii_escaped(&json),
            json.replace('/', "\\/"),
            json,
            percent_encoded(plain, Hex::Upper, Space::Percent),
            percent_encoded(plain, Hex::Upper, Space::Plus),
            percent_encoded(plain, Hex::Lower, Space::Percent),
            plain.to_owned(),
        ]);
    }
    forms.retain(|form| form.len() >= EXACT_BYTES_MIN);
    if value.len() < EXACT_BYTES_MIN {
        BTreeSet::new()
    } else {
        forms
    }
}

fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// As Python writes it by default: everything beyond ASCII as UTF-16 escapes.
fn json_ascii_escaped(escaped: &str) -> String {
    let mut ascii = String::with_capacity(escaped.len());
    for character in escaped.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a String can't fail.
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}

#[derive(Clone, Copy)]
enum Hex {
    Upper,
    Lower,
}

#[derive(Clone, Copy)]
enum Space {
    Percent,
    Plus,
}

fn percent_encoded(text: &str, hex: Hex, space: Space) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match (byte, space, hex) {
            (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~', _, _) => {
                encoded.push(char::from(byte));
            }
            (b' ', Space::Plus, _) => encoded.push('+'),
            (_, _, Hex::Upper) => {
                let _ = write!(encoded, "%{byte:02X}");
            }
            (_, _, Hex::Lower) => {
                let _ = write!(encoded, "%{byte:02x}");
            }
        }
    }
    encoded
}

/// The redactor that everybody uses at the moment; it learns values as servers are configured.
///
/// A lock and not a message, because whoever starts a server must know that its values are known before it writes.
#[derive(Clone)]
pub struct SharedRedactor {
    current: Arc<RwLock<Arc<Redactor>>>,
}

impl SharedRedactor {
    /// Shares this one.
    pub fn new(redactor: Redactor) -> Self {
        Self {
            current: Arc::new(RwLock::new(Arc::new(redactor))),
        }
    }

    /// The one to use now.
    pub fn current(&self) -> Arc<Redactor> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another one in its place.
    pub fn replace(&self, redactor: Redactor) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(redactor);
    }
}

/// At most `bytes_max` bytes of the text, and a mark if that isn't all. For text without secrets: cutting first could
/// leave the head of one.
pub fn bounded(text: &str, bytes_max: usize) -> Cow<'_, str> {
    if text.len() <= bytes_max {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!(
        "{}{TRUNCATED}",
        &text[..floor_char_boundary(text, bytes_max)]
    ))
}

fn floor_char_boundary(text: &str, index: usize) -> usize {
    let index = index.min(text.len());
    (0..=index)
        .rev()
        .find(|&index| text.is_char_boundary(index))
        .unwrap_or(0)
}

/// One line that a terminal shows as it is: whatever could move the cursor, hide or reverse text becomes `?`.
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_steering) {
        Cow::Owned(
            text.chars()
                .map(|c| if is_steering(c) { '?' } else { c })
                .collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}

fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests;
