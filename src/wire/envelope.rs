//! One JSON-RPC message, read no deeper than routing needs.
//!
//! Values that are not needed are skipped as text: numbers of any size, lone surrogates, duplicate
//! keys inside payloads and any depth of nesting pass. Keys are compared as decoded, so that a
//! key written with escapes is the same key. A duplicate key in the envelope itself is refused,
//! because two readers could take two different values for the one that counts.

use serde::Deserialize;
use serde::de::{self, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// A message's parts; ranges are bytes of its line.
#[derive(Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Wants an answer.
    Request(Request<'a>),
    /// Wants none.
    Notification(Notification<'a>),
    /// Is one.
    Response(Response<'a>),
}

/// A request.
#[derive(Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The id's text, as it stands.
    pub id: &'a str,
    /// Where the id stands.
    pub id_at: Range<usize>,
    /// The method, decoded.
    pub method: Cow<'a, str>,
    /// The parameters' text, if there are any.
    pub params: Option<&'a str>,
    /// Where they stand.
    pub params_at: Range<usize>,
}

/// A notification.
#[derive(Debug, PartialEq, Eq)]
pub struct Notification<'a> {
    /// The method, decoded.
    pub method: Cow<'a, str>,
    /// The parameters' text, if there are any.
    pub params: Option<&'a str>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// The id's text, as it stands.
    pub id: &'a str,
    /// Where the id stands.
    pub id_at: Range<usize>,
    /// What it says.
    pub outcome: Outcome<'a>,
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// A result, as text.
    Result(&'a str),
    /// An error.
    Error {
        /// Its code; zero if it has none.
        code: i64,
    },
}

/// Why a line is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A stray print, most likely.
    #[error("the line is not JSON")]
    NotJson,
    /// Not text at all.
    #[error("the line is not UTF-8 text")]
    NotText,
    /// An array of messages.
    #[error("batches are not part of this protocol: send one message a line")]
    Batch,
    /// JSON, but no message.
    #[error(
        "the line is JSON but no JSON-RPC message: expected an object with `method`, or with `id` and `result` or `error`"
    )]
    NotAMessage,
    /// The id is neither a string nor a number.
    #[error("the id must be a string or a number")]
    BadId,
    /// Two readers could read two messages.
    #[error("the key `{0}` stands twice, so that it is not clear which value counts")]
    Duplicate(&'static str),
}

/// Reads one line, without its newline.
///
/// # Errors
/// The line is not a message; see [`ParseError`].
pub fn parse(line: &[u8]) -> Result<Message<'_>, ParseError> {
    let text = std::str::from_utf8(line).map_err(|_| ParseError::NotText)?;
    if memchr::memchr(0, line).is_some() {
        return Err(ParseError::NotText);
    }
    match text.trim_start().as_bytes().first() {
        Some(b'{') => {}
        Some(b'[') => {
            return Err(if serde_json::from_str::<IgnoredAny>(text).is_ok() {
                ParseError::Batch
            } else {
                ParseError::NotJson
            });
        }
        Some(_) | None => {
            return Err(if serde_json::from_str::<IgnoredAny>(text).is_ok() {
                ParseError::NotAMessage
            } else {
                ParseError::NotJson
            });
        }
    }
    let fields: Fields<'_> = serde_json::from_str(text).map_err(|_| ParseError::NotJson)?;
    fields.into_message(text)
}

impl<'a> Fields<'a> {
    fn into_message(self, text: &'a str) -> Result<Message<'a>, ParseError> {
        if let Some(key) = self.duplicate {
            return Err(ParseError::Duplicate(key));
        }
        let id = match self.id {
            Some(id) if !matches!(id.get().as_bytes().first(), Some(b'"' | b'-' | b'0'..=b'9')) => {
                return Err(ParseError::BadId);
            }
            id => id.map(RawValue::get),
        };
        let params = self.params.map(RawValue::get);
        match (self.method, id) {
            (Some(method), Some(id)) => Ok(Message::Request(Request {
                id,
                id_at: range_in(text, id),
                method: decode(method.get()).ok_or(ParseError::NotAMessage)?,
                params,
                params_at: params.map_or(0..0, |params| range_in(text, params)),
            })),
            (Some(method), None) => Ok(Message::Notification(Notification {
                method: decode(method.get()).ok_or(ParseError::NotAMessage)?,
                params,
            })),
            (None, Some(id)) => {
                let outcome = match (self.result, self.error) {
                    (Some(result), None) => Outcome::Result(result.get()),
                    (None, Some(error)) => Outcome::Error {
                        code: error_code(error.get()),
                    },
                    (Some(_), Some(_)) | (None, None) => return Err(ParseError::NotAMessage),
                };
                Ok(Message::Response(Response {
                    id,
                    id_at: range_in(text, id),
                    outcome,
                }))
            }
            (None, None) => Err(ParseError::NotAMessage),
        }
    }
}

/// Where a part of a text stands in it.
pub fn range_in(text: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    start..start + part.len()
}

/// The decoded text of a JSON string; `None` if it is no string, or no text when decoded.
pub fn decode(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str::<String>(json).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

fn error_code(error: &str) -> i64 {
    let [code] = members(error, ["code"]).unwrap_or_default();
    code.and_then(|code| code.parse().ok()).unwrap_or(0)
}

/// The texts of some members of an object.
///
/// # Errors
/// It is no object, or one of the members stands in it twice.
pub fn members<'a, const N: usize>(
    object: &'a str,
    keys: [&'static str; N],
) -> Result<[Option<&'a str>; N], ParseError> {
    let mut deserializer = serde_json::Deserializer::from_str(object);
    let picked = de::Deserializer::deserialize_map(&mut deserializer, Pick { keys })
        .map_err(|_| ParseError::NotAMessage)?;
    match picked.duplicate {
        Some(key) => Err(ParseError::Duplicate(key)),
        None => Ok(picked.values),
    }
}

/// Whether a tool's result says of itself that it is an error.
pub fn is_error(result: &str) -> bool {
    members(result, ["isError"]).is_ok_and(|[flag]| flag == Some("true"))
}

struct Picked<'a, const N: usize> {
    values: [Option<&'a str>; N],
    duplicate: Option<&'static str>,
}

struct Pick<const N: usize> {
    keys: [&'static str; N],
}

impl<'de, const N: usize> Visitor<'de> for Pick<N> {
    type Value = Picked<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut picked = Picked {
            values: [None; N],
            duplicate: None,
        };
        while let Some(Key(key)) = map.next_key()? {
            match self.keys.iter().position(|wanted| *wanted == key) {
                Some(index) => {
                    let value: &'de RawValue = map.next_value()?;
                    if picked.values[index].replace(value.get()).is_some() {
                        picked.duplicate = Some(self.keys[index]);
                    }
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(picked)
    }
}

/// A key, decoded; borrowed where it has no escapes. A key that is no text when decoded (a lone
/// surrogate) is none of those that are looked for.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_bytes<E: de::Error>(self, key: &'de [u8]) -> Result<Key<'de>, E> {
                Ok(Key(String::from_utf8_lossy(key)))
            }
            fn visit_bytes<E: de::Error>(self, key: &[u8]) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(String::from_utf8_lossy(key).into_owned())))
            }
            fn visit_borrowed_str<E: de::Error>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }
            fn visit_str<E: de::Error>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_bytes(KeyVisitor)
    }
}

#[derive(Default)]
struct Fields<'a> {
    id: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
    duplicate: Option<&'static str>,
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some(Key(key)) = map.next_key()? {
                    let (name, place) = match key.as_ref() {
                        "id" => ("id", &mut fields.id),
                        "method" => ("method", &mut fields.method),
                        "params" => ("params", &mut fields.params),
                        "result" => ("result", &mut fields.result),
                        "error" => ("error", &mut fields.error),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    if place.replace(map.next_value()?).is_some() {
                        fields.duplicate = Some(name);
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}
