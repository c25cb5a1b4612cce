//! Ids of requests: JSON text that is given back exactly as it came.

use std::fmt;

use serde::{Serialize, Serializer};

use super::raw::Raw;

/// An id as it stands in a line: a string or a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id<'a>(Raw<'a>);

impl<'a> Id<'a> {
    /// The value as an id, if it is of a kind that an id may be.
    pub(super) fn new(raw: Raw<'a>) -> Option<Self> {
        raw.is_string_or_number().then_some(Self(raw))
    }

    /// The id as written, with its place in the line.
    pub fn raw(self) -> Raw<'a> {
        self.0
    }

    /// A copy that outlives the line.
    pub fn to_owned(self) -> RequestId {
        RequestId(self.0.text().into())
    }
}

/// The JSON text of an id or progress token, kept as its sender wrote it: `7`, `7.0` and `"7"` are
/// three ids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(Box<str>);

impl RequestId {
    /// The id of an answer to something whose id can't be known.
    pub fn null() -> Self {
        Self("null".into())
    }

    /// An id's text, if it is one: a string or a number.
    pub fn from_json(text: &str) -> Option<Self> {
        let raw = Raw::parse(text).filter(|raw| raw.is_string_or_number())?;
        Some(Self(raw.text().into()))
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Written as it is.
impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Raw::new(&self.0, 0).serialize(serializer)
    }
}

impl From<u64> for RequestId {
    fn from(number: u64) -> Self {
        Self(number.to_string().into())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
