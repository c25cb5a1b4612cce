//! One JSON-RPC message, read no further than routing needs.
//!
//! The whole line is checked to be one JSON object, so that nothing malformed is passed on; of its
//! content only the envelope is understood. Names are compared decoded (`"\u0069d"` is `id`).
//!
//! Invariant: what is read here is what every other reader of the line sees. A member of the
//! envelope that is written twice, or a line break inside the line (some readers take a bare
//! carriage return for the end of a message, and would see other messages than we do), is refused.
//!
//! Absent on purpose: any judgement of params and results. `serde_json` is not used because its
//! typed parser refuses payloads that are legal, and a second pass would be needed for the spans.

use std::borrow::Cow;

use super::params::{Params, Slot, WrittenTwice};
use super::raw::Raw;
use super::request_id::{Id, RequestId};
use super::scan::{Fault, MAX_DEPTH, Scanner};

/// A message, borrowing from its line.
#[derive(Clone, Debug)]
pub enum Message<'a> {
    /// Asks for a reply.
    Request(Request<'a>),
    /// Asks for none.
    Notification(Notification<'a>),
    /// The reply to a request.
    Response(Response<'a>),
}

/// A message with `method` and `id`.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Its id.
    pub id: Id<'a>,
    /// Its method, decoded.
    pub method: Cow<'a, str>,
    /// Its params, if it has any.
    pub params: Option<Params<'a>>,
}

/// A message with `method` and no `id`.
#[derive(Clone, Debug)]
pub struct Notification<'a> {
    /// Its method, decoded.
    pub method: Cow<'a, str>,
    /// Its params, if it has any.
    pub params: Option<Params<'a>>,
}

/// A message with `result` or `error`.
#[derive(Clone, Debug)]
pub struct Response<'a> {
    /// Which request it answers. Only an error may have none: the sender could not read the id.
    pub id: Option<Id<'a>>,
    /// What it says.
    pub outcome: Outcome<'a>,
}

/// What a response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// The request was carried out.
    Result {
        /// The result as written.
        raw: Raw<'a>,
        /// Whether it has `isError: true` at its top level, as a failed tool's result has.
        is_error: bool,
        /// Its `resultType`, which every result of the era without a handshake has.
        result_type: Option<Raw<'a>>,
    },
    /// The request was refused.
    Error {
        /// The error object as written.
        raw: Raw<'a>,
        /// Its code. `None` if it is missing or no integer.
        code: Option<i64>,
    },
}

/// Which kind of message a line that can't be taken seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeming {
    /// It has a `method`: with an id a request, without one a notification.
    Call,
    /// It has none, or answers something: a response, if it is a message at all.
    Reply,
}

/// Why a line is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing but white space. It asks for no answer.
    #[error("the line is blank")]
    Blank,
    /// Bytes that are no UTF-8.
    #[error("not UTF-8 from byte {at} on; a message is UTF-8 text")]
    NotUtf8 {
        /// Offset of the first such byte.
        at: usize,
    },
    /// A NUL byte.
    #[error("a NUL at byte {at}; a message is JSON text without control bytes")]
    Nul {
        /// Its offset.
        at: usize,
    },
    /// A carriage return or line feed inside the line.
    #[error("a line break at byte {at}; a message is one line without line breaks")]
    EmbeddedNewline {
        /// Its offset.
        at: usize,
    },
    /// Not one JSON value.
    #[error("not JSON from byte {at} on")]
    NotJson {
        /// Offset of the first byte that doesn't fit.
        at: usize,
    },
    /// Nested deeper than any real message.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// A JSON array: a JSON-RPC batch.
    #[error("a batch; send each message on a line of its own")]
    Batch,
    /// JSON of another kind than an object.
    #[error("a JSON value that is no object; a message is an object")]
    NotAnObject,
    /// A member of the envelope written twice, so that readers differ on what is said.
    #[error("`{member}` is written twice; write it once")]
    Duplicate {
        /// Its name.
        member: &'static str,
        /// What the message seems to be.
        seeming: Seeming,
        /// The message's id, if that is certain.
        id: Option<RequestId>,
    },
    /// An object, but no JSON-RPC 2.0 message.
    #[error("no JSON-RPC 2.0 message: {reason}")]
    InvalidRequest {
        /// What is wrong with it.
        reason: InvalidEnvelope,
        /// What the message seems to be.
        seeming: Seeming,
        /// The message's id, if that is certain.
        id: Option<RequestId>,
    },
}

/// What is wrong with an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEnvelope {
    /// Another `jsonrpc` than 2.0, or none.
    #[error("`jsonrpc` must be \"2.0\"")]
    Version,
    /// An id that is neither string nor number.
    #[error("`id` must be a string or a number")]
    Id,
    /// A method that is no string.
    #[error("`method` must be a string")]
    Method,
    /// More than one of `method`, `result`, `error`.
    #[error("only one of `method`, `result` and `error` may be present")]
    Ambiguous,
    /// None of them.
    #[error("one of `method`, `result` and `error` must be present")]
    Empty,
    /// A result that answers nothing.
    #[error("a result needs the `id` of its request")]
    ResultWithoutId,
}

impl ParseError {
    /// What the message that was refused seems to be, if it is one at all.
    pub fn seeming(&self) -> Option<Seeming> {
        match self {
            Self::Duplicate { seeming, .. } | Self::InvalidRequest { seeming, .. } => {
                Some(*seeming)
            }
            Self::Blank
            | Self::NotUtf8 { .. }
            | Self::Nul { .. }
            | Self::EmbeddedNewline { .. }
            | Self::NotJson { .. }
            | Self::TooDeep
            | Self::Batch
            | Self::NotAnObject => None,
        }
    }

    /// The id of the message that was refused, if that is certain.
    pub fn id(&self) -> Option<&RequestId> {
        match self {
            Self::Duplicate { id, .. } | Self::InvalidRequest { id, .. } => id.as_ref(),
            Self::Blank
            | Self::NotUtf8 { .. }
            | Self::Nul { .. }
            | Self::EmbeddedNewline { .. }
            | Self::NotJson { .. }
            | Self::TooDeep
            | Self::Batch
            | Self::NotAnObject => None,
        }
    }
}

/// Reads one line, without its line break.
///
/// # Errors
/// The line is no message that every reader takes for the same one.
pub fn parse(line: &[u8]) -> Result<Message<'_>, ParseError> {
    let text = std::str::from_utf8(line).map_err(|error| ParseError::NotUtf8 {
        at: error.valid_up_to(),
    })?;
    let mut scanner = Scanner::new(text, 0);
    if scanner.has_controls() {
        refuse_nul_and_newline(line)?;
    }
    match scanner.peek() {
        Some(b'{') => {
            let mut envelope = Envelope::default();
            envelope
                .read(&mut scanner)
                .and_then(|()| scanner.end())
                .map_err(ParseError::from)?;
            envelope.into_message()
        }
        None => Err(ParseError::Blank),
        Some(first) => {
            scanner.value().and_then(|_| scanner.end())?;
            Err(if first == b'[' {
                ParseError::Batch
            } else {
                ParseError::NotAnObject
            })
        }
    }
}

impl From<Fault> for ParseError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Syntax { at } => Self::NotJson { at },
            Fault::TooDeep => Self::TooDeep,
        }
    }
}

#[cold]
fn refuse_nul_and_newline(line: &[u8]) -> Result<(), ParseError> {
    if let Some(at) = memchr::memchr(0, line) {
        return Err(ParseError::Nul { at });
    }
    match memchr::memchr2(b'\n', b'\r', line) {
        Some(at) => Err(ParseError::EmbeddedNewline { at }),
        None => Ok(()),
    }
}

/// The members of an envelope as they were met.
#[derive(Default)]
struct Envelope<'a> {
    jsonrpc: Slot<'a>,
    id: Slot<'a>,
    method: Slot<'a>,
    params: Slot<'a>,
    params_read: Option<Params<'a>>,
    result: Slot<'a>,
    is_error: bool,
    result_type: Option<Raw<'a>>,
    error: Slot<'a>,
    code: Slot<'a>,
}

impl<'a> Envelope<'a> {
    fn read(&mut self, scanner: &mut Scanner<'a>) -> Result<(), Fault> {
        scanner.object(|scanner, key| {
            match key {
                "jsonrpc" => self.jsonrpc.put(scanner.value()?),
                "id" => self.id.put(scanner.value()?),
                "method" => self.method.put(scanner.value()?),
                "params" => {
                    let params = Params::read(scanner)?;
                    self.params.put(params.raw());
                    self.params_read = Some(params);
                }
                "result" => {
                    let result = self.read_result(scanner)?;
                    self.result.put(result);
                }
                "error" => {
                    let error = self.read_error(scanner)?;
                    self.error.put(error);
                }
                _ => drop(scanner.value()?),
            }
            Ok(())
        })?;
        Ok(())
    }

    fn read_result(&mut self, scanner: &mut Scanner<'a>) -> Result<Raw<'a>, Fault> {
        if scanner.peek() != Some(b'{') {
            return scanner.value();
        }
        scanner.object(|scanner, key| {
            let value = scanner.value()?;
            // Of duplicates the last counts, as it does for the client.
            match key {
                "isError" => self.is_error = value.as_bool() == Some(true),
                "resultType" => self.result_type = Some(value),
                _ => {}
            }
            Ok(())
        })
    }

    fn read_error(&mut self, scanner: &mut Scanner<'a>) -> Result<Raw<'a>, Fault> {
        if scanner.peek() != Some(b'{') {
            return scanner.value();
        }
        scanner.object(|scanner, key| {
            let value = scanner.value()?;
            if key == "code" {
                self.code.put(value);
            }
            Ok(())
        })
    }

    fn into_message(self) -> Result<Message<'a>, ParseError> {
        let known_id = || match self.id {
            Slot::Once(raw) => Id::new(raw).map(Id::to_owned),
            Slot::Absent | Slot::Twice => None,
        };
        let seeming = match (self.method, self.result, self.error) {
            (Slot::Once(_) | Slot::Twice, Slot::Absent, Slot::Absent) => Seeming::Call,
            (_, _, _) => Seeming::Reply,
        };
        let duplicate = |member| ParseError::Duplicate {
            member,
            seeming,
            id: known_id(),
        };
        let invalid = |reason| ParseError::InvalidRequest {
            reason,
            seeming,
            id: known_id(),
        };
        let once = |slot: Slot<'a>, member| slot.get().map_err(|WrittenTwice| duplicate(member));

        let version = once(self.jsonrpc, "jsonrpc")?;
        let id = once(self.id, "id")?;
        let method = once(self.method, "method")?;
        let result = once(self.result, "result")?;
        let error = once(self.error, "error")?;
        once(self.params, "params")?;

        if version.and_then(Raw::as_str).as_deref() != Some("2.0") {
            return Err(invalid(InvalidEnvelope::Version));
        }
        let id = match id {
            None => None,
            // The answer to a message that its receiver could not read.
            Some(raw) if raw.is_null() && error.is_some() => None,
            Some(raw) => Some(Id::new(raw).ok_or_else(|| invalid(InvalidEnvelope::Id))?),
        };
        match (method, result, error) {
            (Some(method), None, None) => {
                let method = method
                    .as_str()
                    .ok_or_else(|| invalid(InvalidEnvelope::Method))?;
                let params = self.params_read;
                Ok(match id {
                    Some(id) => Message::Request(Request { id, method, params }),
                    None => Message::Notification(Notification { method, params }),
                })
            }
            (None, Some(raw), None) => {
                let id = id.ok_or_else(|| invalid(InvalidEnvelope::ResultWithoutId))?;
                Ok(Message::Response(Response {
                    id: Some(id),
                    outcome: Outcome::Result {
                        raw,
                        is_error: self.is_error,
                        result_type: self.result_type,
                    },
                }))
            }
            (None, None, Some(raw)) => Ok(Message::Response(Response {
                id,
                outcome: Outcome::Error {
                    raw,
                    code: self.code.get().ok().flatten().and_then(Raw::as_i64),
                },
            })),
            (None, None, None) => Err(invalid(InvalidEnvelope::Empty)),
            (_, _, _) => Err(invalid(InvalidEnvelope::Ambiguous)),
        }
    }
}

#[cfg(test)]
mod tests;
