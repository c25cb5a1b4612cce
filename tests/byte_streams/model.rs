//! What a line is, told from what another reader of JSON says of it: the rules of
//! [`rea::wire::envelope`] once more, for whole texts and without spans.

#![allow(
    dead_code,
    reason = "each of the programs that share this uses a part of it"
)]

use crate::json::{self, Member, members, named, string, value};

/// Nested deeper than this, a line is refused.
const DEPTH_MAX: usize = 1024;
pub(crate) const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
pub(crate) const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// A message, its values as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    Request {
        id: &'a str,
        method: String,
        params: Option<&'a str>,
    },
    Notification {
        method: String,
        params: Option<&'a str>,
    },
    Result {
        id: &'a str,
        result: &'a str,
    },
    Error {
        id: Option<&'a str>,
        error: &'a str,
    },
}

/// Why a line is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused<'a> {
    NotUtf8,
    Nul,
    EmbeddedNewline,
    Blank,
    NotJson,
    TooDeep,
    Batch,
    NotAnObject,
    Duplicate {
        member: &'static str,
        id: Option<&'a str>,
    },
    Invalid {
        reason: Invalid,
        id: Option<&'a str>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    Version,
    Id,
    Method,
    Ambiguous,
    Empty,
    ResultWithoutId,
}

impl<'a> Refused<'a> {
    /// The id that the refusal has to be sent under.
    pub(crate) fn id(self) -> Option<&'a str> {
        match self {
            Self::Duplicate { id, .. } | Self::Invalid { id, .. } => id,
            Self::NotUtf8
            | Self::Nul
            | Self::EmbeddedNewline
            | Self::Blank
            | Self::NotJson
            | Self::TooDeep
            | Self::Batch
            | Self::NotAnObject => None,
        }
    }
}

/// What a line says.
pub(crate) fn read(line: &[u8]) -> Result<Said<'_>, Refused<'_>> {
    let text = std::str::from_utf8(line).map_err(|_| Refused::NotUtf8)?;
    if text.contains('\0') {
        return Err(Refused::Nul);
    }
    if text.contains(['\n', '\r']) {
        return Err(Refused::EmbeddedNewline);
    }
    if text.trim_matches([' ', '\t']).is_empty() {
        return Err(Refused::Blank);
    }
    let whole = value(text).ok_or(Refused::NotJson)?;
    if json::depth(whole) > DEPTH_MAX {
        return Err(Refused::TooDeep);
    }
    match (members(whole), whole.starts_with('[')) {
        (Some(members), _) => message(&members),
        (None, true) => Err(Refused::Batch),
        (None, false) => Err(Refused::NotAnObject),
    }
}

fn message<'a>(members: &[Member<'a>]) -> Result<Said<'a>, Refused<'a>> {
    let is_id = |id: &&str| json::is_string_or_number(id);
    let known_id = match named(members, "id").as_slice() {
        [id] => Some(*id).filter(is_id),
        _ => None,
    };
    let once = |member: &'static str| match named(members, member).as_slice() {
        [] => Ok(None),
        [value] => Ok(Some(*value)),
        _ => Err(Refused::Duplicate {
            member,
            id: known_id,
        }),
    };
    let invalid = |reason| Refused::Invalid {
        reason,
        id: known_id,
    };
    let version = once("jsonrpc")?;
    let id = once("id")?;
    let method = once("method")?;
    let result = once("result")?;
    let error = once("error")?;
    let params = once("params")?;
    if version.and_then(string).as_deref() != Some("2.0") {
        return Err(invalid(Invalid::Version));
    }
    let is_answer_to_the_unreadable = id == Some("null") && error.is_some();
    let id = id.filter(|_| !is_answer_to_the_unreadable);
    if id.is_some_and(|id| !is_id(&id)) {
        return Err(invalid(Invalid::Id));
    }
    match (method, result, error) {
        (Some(method), None, None) => {
            let method = string(method).ok_or_else(|| invalid(Invalid::Method))?;
            Ok(match id {
                Some(id) => Said::Request { id, method, params },
                None => Said::Notification { method, params },
            })
        }
        (None, Some(result), None) => {
            let id = id.ok_or_else(|| invalid(Invalid::ResultWithoutId))?;
            Ok(Said::Result { id, result })
        }
        (None, None, Some(error)) => Ok(Said::Error { id, error }),
        (None, None, None) => Err(invalid(Invalid::Empty)),
        (_, _, _) => Err(invalid(Invalid::Ambiguous)),
    }
}

/// A member that somebody depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Needed<T> {
    Absent,
    There(T),
    Twice,
    WrongKind,
}

fn needed<'a, T>(values: &[&'a str], reads: impl FnOnce(&'a str) -> Option<T>) -> Needed<T> {
    match values {
        [] => Needed::Absent,
        [value] => reads(value).map_or(Needed::WrongKind, Needed::There),
        _ => Needed::Twice,
    }
}

/// A string of params, as meant.
pub(crate) fn text(params: &str, name: &str) -> Needed<String> {
    needed(&named(&members(params).unwrap_or_default(), name), string)
}

/// An id or progress token in params, as written.
pub(crate) fn token<'a>(params: &'a str, name: &str) -> Needed<&'a str> {
    let members = members(params).unwrap_or_default();
    needed(&named(&members, name), |value| {
        json::is_string_or_number(value).then_some(value)
    })
}

/// An object in params, as written.
pub(crate) fn object<'a>(params: &'a str, name: &str) -> Needed<&'a str> {
    let members = members(params).unwrap_or_default();
    needed(&named(&members, name), |value| {
        value.starts_with('{').then_some(value)
    })
}

/// The revision that a request says it is of, wherever in its params' `_meta` that stands.
pub(crate) fn version(params: &str) -> Needed<String> {
    let params = members(params).unwrap_or_default();
    let metas = named(&params, "_meta");
    let all = metas.into_iter().filter_map(members).flatten();
    let all: Vec<Member<'_>> = all.collect();
    needed(&named(&all, META_VERSION), string)
}

/// The last of a member, as readers that allow duplicates take it.
pub(crate) fn last<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    named(&members(object)?, name).pop()
}
