//! Finds out whom a line belongs to that is too long to be kept.
//!
//! The bytes are followed as they come, and dropped. Only the members `id` and `method` of the
//! outermost object are looked at, wherever they stand: common servers write the id after the
//! result. Nothing is checked beyond that, since the line is passed to nobody.

use super::envelope::Seeming;
use super::request_id::RequestId;

/// How much of the line's begin is kept, to be shown in a log.
const HEAD_BYTES: usize = 4096;

/// The longest key or id that is looked at.
const MAX_CAPTURE_BYTES: usize = 512;

/// What is left of a line over the limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oversized<'a> {
    /// Its begin, at most 4 KiB; may be cut within a character.
    pub head: &'a [u8],
    /// How long it was, the `\n` not counted.
    pub bytes: u64,
    /// Its `id`, if there is exactly one.
    pub id: Option<RequestId>,
    /// Whether it asks for something or answers.
    pub kind: Seeming,
}

/// A line that is being dropped.
#[derive(Debug, Default)]
pub(super) struct OversizedLine {
    head: Vec<u8>,
    bytes: u64,
    depth: u64,
    text: InText,
    /// What the bytes at depth 1 belong to.
    role: Role,
    /// The key or value at depth 1 that is being read.
    capture: Capture,
    id: FoundId,
    has_method: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum InText {
    #[default]
    Outside,
    Inside,
    AfterBackslash,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Role {
    #[default]
    Key,
    ValueOfId,
    OtherValue,
}

#[derive(Debug, Default)]
enum FoundId {
    #[default]
    None,
    One(RequestId),
    Several,
}

/// The text of a key or an id, unless it is too long to be one that we know.
#[derive(Debug, Default)]
struct Capture {
    bytes: Vec<u8>,
    too_long: bool,
}

impl Capture {
    fn push(&mut self, byte: u8) {
        if self.bytes.len() < MAX_CAPTURE_BYTES {
            self.bytes.push(byte);
        } else {
            self.too_long = true;
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.too_long = false;
    }

    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes)
            .ok()
            .filter(|_| !self.too_long)
    }
}

impl OversizedLine {
    /// Follows the next bytes of the line.
    pub(super) fn feed(&mut self, part: &[u8]) {
        let head_room = HEAD_BYTES - self.head.len();
        self.head
            .extend_from_slice(&part[..part.len().min(head_room)]);
        self.bytes += part.len() as u64;

        let mut rest = part;
        while let Some((byte, after)) = rest.split_first() {
            // The long stretches: strings somewhere inside.
            if self.text == InText::Inside && self.depth != 1 {
                let Some(end) = memchr::memchr2(b'"', b'\\', rest) else {
                    return;
                };
                self.follow(rest[end]);
                rest = &rest[end + 1..];
            } else {
                self.follow(*byte);
                rest = after;
            }
        }
    }

    fn follow(&mut self, byte: u8) {
        match self.text {
            InText::Outside => return self.follow_outside(byte),
            InText::AfterBackslash => self.text = InText::Inside,
            InText::Inside if byte == b'\\' => self.text = InText::AfterBackslash,
            InText::Inside if byte == b'"' => self.text = InText::Outside,
            InText::Inside => {}
        }
        self.capture(byte);
    }

    fn follow_outside(&mut self, byte: u8) {
        match byte {
            b' ' | b'\t' | b'\r' => {}
            b',' if self.depth == 1 => {
                self.value_ends();
                self.role = Role::Key;
            }
            b':' if self.depth == 1 => self.key_ends(),
            b'}' | b']' => {
                if self.depth == 1 {
                    self.value_ends();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {
                self.capture(byte);
                match byte {
                    b'"' => self.text = InText::Inside,
                    b'{' | b'[' => self.depth += 1,
                    _ => {}
                }
            }
        }
    }

    fn capture(&mut self, byte: u8) {
        if self.depth == 1 && self.role != Role::OtherValue {
            self.capture.push(byte);
        }
    }

    fn key_ends(&mut self) {
        let key = self
            .capture
            .text()
            .and_then(|text| serde_json::from_str::<String>(text).ok());
        self.role = match key.as_deref() {
            Some("id") => Role::ValueOfId,
            Some("method") => {
                self.has_method = true;
                Role::OtherValue
            }
            Some(_) | None => Role::OtherValue,
        };
        self.capture.clear();
    }

    fn value_ends(&mut self) {
        if self.role == Role::ValueOfId {
            self.id = match (&self.id, self.capture.text().and_then(RequestId::from_json)) {
                (FoundId::None, Some(id)) => FoundId::One(id),
                (FoundId::None | FoundId::One(_) | FoundId::Several, _) => FoundId::Several,
            };
        }
        self.capture.clear();
    }

    /// The line has ended.
    pub(super) fn finish(&self) -> Oversized<'_> {
        Oversized {
            head: &self.head,
            bytes: self.bytes,
            id: match &self.id {
                FoundId::One(id) => Some(id.clone()),
                FoundId::None | FoundId::Several => None,
            },
            kind: if self.has_method {
                Seeming::Call
            } else {
                Seeming::Reply
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(line: &str) -> (Option<String>, Seeming) {
        let mut whole = OversizedLine::default();
        whole.feed(line.as_bytes());
        let mut bytewise = OversizedLine::default();
        for byte in line.as_bytes() {
            bytewise.feed(&[*byte]);
        }
        assert_eq!(
            whole.finish(),
            bytewise.finish(),
            "chunks make no difference"
        );
        let found = whole.finish();
        (found.id.map(|id| id.to_string()), found.kind)
    }

    #[test]
    fn only_the_outermost_id_counts() {
        let line = r#"{"result":{"id":1,"s":"\",\"id\":2"},"x":[{"id":3}], "\u0069d" : 4 }"#;
        assert_eq!(owner(line), (Some("4".into()), Seeming::Reply));
    }

    #[test]
    fn a_method_makes_it_a_call_of_the_other_side() {
        let line = r#"{"jsonrpc":"2.0","id":"x\"y","method":"sampling/createMessage","params":{}}"#;
        assert_eq!(owner(line), (Some(r#""x\"y""#.into()), Seeming::Call));
    }

    #[test]
    fn two_ids_an_endless_one_and_none_belong_to_nobody() {
        assert_eq!(owner(r#"{"id":1,"id":2}"#).0, None);
        assert_eq!(owner(&format!(r#"{{"id":"{}"}}"#, "x".repeat(600))).0, None);
        assert_eq!(owner(r#"{"id":null}"#).0, None);
        assert_eq!(owner("plain text, with: signs }}} [").0, None);
    }
}
