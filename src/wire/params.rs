//! The few members of params that routing needs, found in the same pass as the envelope.
//!
//! A member that routing depends on and that is written twice is refused when it is asked for:
//! the server might read the other value. All other duplicates are payload.

use std::borrow::Cow;

use super::raw::Raw;
use super::scan::{Fault, Scanner};

/// The params of a request or notification.
#[derive(Clone, Copy, Debug)]
pub struct Params<'a> {
    raw: Raw<'a>,
    name: Slot<'a>,
    meta: Slot<'a>,
    meta_progress_token: Slot<'a>,
    progress_token: Slot<'a>,
    request_id: Slot<'a>,
    cursor: Slot<'a>,
    uri: Slot<'a>,
    request_state: Slot<'a>,
    input_responses: Slot<'a>,
    task: Slot<'a>,
    meta_version: Slot<'a>,
}

/// A string as written and as meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<'a> {
    /// As written, quotes included, with its place in the line.
    pub raw: Raw<'a>,
    /// As meant.
    pub decoded: Cow<'a, str>,
}

/// Why a member of params can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// It is written twice, so that readers differ on its value.
    #[error("`{0}` is written twice in params; write it once")]
    Duplicate(&'static str),
    /// It is of another kind than its meaning needs.
    #[error("`{member}` in params must be {expected}")]
    WrongKind {
        /// Its name.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

impl<'a> Params<'a> {
    /// Reads a value of any kind; one that is no object has no members.
    pub(super) fn read(scanner: &mut Scanner<'a>) -> Result<Self, Fault> {
        let mut params = Self {
            raw: Raw::new("", 0),
            name: Slot::Absent,
            meta: Slot::Absent,
            meta_progress_token: Slot::Absent,
            progress_token: Slot::Absent,
            request_id: Slot::Absent,
            cursor: Slot::Absent,
            uri: Slot::Absent,
            request_state: Slot::Absent,
            input_responses: Slot::Absent,
            task: Slot::Absent,
            meta_version: Slot::Absent,
        };
        params.raw = if scanner.peek() == Some(b'{') {
            scanner.object(|scanner, key| {
                if key == "_meta" {
                    let meta = params.read_meta(scanner)?;
                    params.meta.put(meta);
                    return Ok(());
                }
                let value = scanner.value()?;
                match key {
                    "name" => params.name.put(value),
                    "progressToken" => params.progress_token.put(value),
                    "requestId" => params.request_id.put(value),
                    "cursor" => params.cursor.put(value),
                    "uri" => params.uri.put(value),
                    "requestState" => params.request_state.put(value),
                    "task" => params.task.put(value),
                    "inputResponses" => params.input_responses.put(value),
                    _ => {}
                }
                Ok(())
            })?
        } else {
            scanner.value()?
        };
        Ok(params)
    }

    fn read_meta(&mut self, scanner: &mut Scanner<'a>) -> Result<Raw<'a>, Fault> {
        if scanner.peek() != Some(b'{') {
            return scanner.value();
        }
        scanner.object(|scanner, key| {
            let value = scanner.value()?;
            match key {
                "progressToken" => self.meta_progress_token.put(value),
                "io.modelcontextprotocol/protocolVersion" => self.meta_version.put(value),
                _ => {}
            }
            Ok(())
        })
    }

    /// All of it as written.
    pub fn raw(&self) -> Raw<'a> {
        self.raw
    }

    /// `name`: of a tool or a prompt.
    ///
    /// # Errors
    /// It is written twice or of the wrong kind.
    pub fn name(&self) -> Result<Option<Text<'a>>, MemberError> {
        text(self.name, "name")
    }

    /// `cursor`: of a list request.
    ///
    /// # Errors
    /// It is written twice or of the wrong kind.
    pub fn cursor(&self) -> Result<Option<Text<'a>>, MemberError> {
        text(self.cursor, "cursor")
    }

    /// `uri`: of a resource.
    ///
    /// # Errors
    /// It is written twice or of the wrong kind.
    pub fn uri(&self) -> Result<Option<Text<'a>>, MemberError> {
        text(self.uri, "uri")
    }

    /// `requestState`: what a call that is repeated with answers brings back.
    ///
    /// # Errors
    /// It is written twice or of the wrong kind.
    pub fn request_state(&self) -> Result<Option<Text<'a>>, MemberError> {
        text(self.request_state, "requestState")
    }

    /// `inputResponses`: the answers that such a call brings along, an object.
    ///
    /// # Errors
    /// It is written twice or of the wrong kind.
    pub fn input_responses(&self) -> Result<Option<Raw<'a>>, MemberError> {
        let member = "inputResponses";
        match self
            .input_responses
            .get()
            .map_err(|WrittenTwice| MemberError::Duplicate(member))?
        {
            None => Ok(None),
            Some(raw) if raw.is_object() => Ok(Some(raw)),
            Some(_) => Err(MemberError::WrongKind {
                member,
                expected: "an object",
            }),
        }
    }

    /// Whether the request is to be carried out as a task.
    pub fn wants_task(&self) -> bool {
        match self.task {
            Slot::Absent => false,
            Slot::Once(_) | Slot::Twice => true,
        }
    }

    /// `_meta`, if it is an object that is written once.
    pub fn meta(&self) -> Option<Raw<'a>> {
        self.meta.get().ok().flatten().filter(|raw| raw.is_object())
    }

    /// The revision of the protocol that stands in `_meta`: a request of the era without a
    /// handshake has one.
    ///
    /// # Errors
    /// It is written twice or of the wrong kind.
    pub fn version(&self) -> Result<Option<Text<'a>>, MemberError> {
        text(
            self.meta_version,
            "_meta[\"io.modelcontextprotocol/protocolVersion\"]",
        )
    }

    /// A string member that only one method has.
    ///
    /// # Errors
    /// It is written twice or of the wrong kind.
    pub fn other(&self, member: &'static str) -> Result<Option<Text<'a>>, MemberError> {
        let mut slot = Slot::Absent;
        for (key, value) in self.raw.members() {
            if key == member {
                slot.put(value);
            }
        }
        text(slot, member)
    }

    /// `_meta.progressToken`: under which the sender of a request wants to hear of its progress.
    ///
    /// # Errors
    /// It is written twice or of the wrong kind.
    pub fn wanted_progress_token(&self) -> Result<Option<Raw<'a>>, MemberError> {
        self.meta
            .get()
            .map_err(|WrittenTwice| MemberError::Duplicate("_meta"))?;
        token(self.meta_progress_token, "_meta.progressToken")
    }

    /// `progressToken`: whose progress a notification tells.
    ///
    /// # Errors
    /// It is written twice or of the wrong kind.
    pub fn progress_token(&self) -> Result<Option<Raw<'a>>, MemberError> {
        token(self.progress_token, "progressToken")
    }

    /// `requestId`: which request a notification cancels.
    ///
    /// # Errors
    /// It is written twice or of the wrong kind.
    pub fn request_id(&self) -> Result<Option<Raw<'a>>, MemberError> {
        token(self.request_id, "requestId")
    }
}

fn text<'a>(slot: Slot<'a>, member: &'static str) -> Result<Option<Text<'a>>, MemberError> {
    let Some(raw) = slot
        .get()
        .map_err(|WrittenTwice| MemberError::Duplicate(member))?
    else {
        return Ok(None);
    };
    let decoded = raw.as_str().ok_or(MemberError::WrongKind {
        member,
        expected: "a string of valid characters",
    })?;
    Ok(Some(Text { raw, decoded }))
}

fn token<'a>(slot: Slot<'a>, member: &'static str) -> Result<Option<Raw<'a>>, MemberError> {
    match slot
        .get()
        .map_err(|WrittenTwice| MemberError::Duplicate(member))?
    {
        None => Ok(None),
        Some(raw) if raw.is_string_or_number() => Ok(Some(raw)),
        Some(_) => Err(MemberError::WrongKind {
            member,
            expected: "a string or a number",
        }),
    }
}

/// How often a member was met.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Slot<'a> {
    /// Never.
    #[default]
    Absent,
    /// Once, with this value.
    Once(Raw<'a>),
    /// More than once.
    Twice,
}

impl<'a> Slot<'a> {
    pub(super) fn put(&mut self, value: Raw<'a>) {
        *self = match self {
            Self::Absent => Self::Once(value),
            Self::Once(_) | Self::Twice => Self::Twice,
        };
    }

    /// The value, or that there is none.
    pub(super) fn get(self) -> Result<Option<Raw<'a>>, WrittenTwice> {
        match self {
            Self::Absent => Ok(None),
            Self::Once(raw) => Ok(Some(raw)),
            Self::Twice => Err(WrittenTwice),
        }
    }
}

/// Which value counts depends on the reader.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrittenTwice;
