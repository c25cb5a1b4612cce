//! A call's bytes, from its submission to its answer. What becomes of it, the machine decides.

use super::front::{Reply, Unusable};
use crate::protocol::introduction::Introduction;
use crate::protocol::level::Level;
use crate::wire::request_id::RequestId;
use rea_fsm::{Asks, CallClass, CallId, Millis};
use std::rc::Rc;

/// A call on its way to a server.
pub struct Call {
    /// Larger than every earlier call's.
    pub id: CallId,
    /// Whether it may be repeated.
    pub class: CallClass,
    /// Its deadline.
    pub timeout_ms: Millis,
    /// What its client says of itself beside it. None: what it said for the session.
    pub introduction: Option<Rc<Introduction>>,
    /// What the log says of it.
    pub label: Label,
    /// The line for the server, without its newline.
    pub line: Vec<u8>,
    /// The client's progress token, as it stands in the line.
    pub progress_token: Option<RequestId>,
    /// Whether it begins or ends the watching of a resource.
    pub watch: Watch,
    /// How loud its server is to be meanwhile, if its client says so beside it.
    pub level: Option<Level>,
    /// When it was taken in.
    pub(super) taken_at: Millis,
    /// Whether its answer may hold a server's questions.
    pub carries: Carries,
    /// The server's answer, while its client is busy with the server's questions.
    kept: Option<Kept>,
}

/// What the log says of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// It calls this tool.
    Tool(Rc<str>),
    /// It is another request.
    Request(Rc<str>),
}

/// Whether a request begins or ends the watching of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// Neither.
    #[default]
    Neither,
    /// It begins it; of the resource that its server calls so.
    Begin(String),
    /// It ends it.
    End(String),
}

/// Whether the answer to a request may hold a server's questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Carries {
    /// It may hold the answer alone.
    #[default]
    Nothing,
    /// It may, if its client is to be asked in answers.
    Questions,
}

/// An answer that waits for its client.
enum Kept {
    Line {
        line: Vec<u8>,
        id_at: (usize, usize),
        untyped_at: Option<usize>,
    },
    Done,
    Unusable(Unusable),
}

impl Call {
    /// A call that has not been submitted.
    pub const fn new(
        id: CallId,
        class: CallClass,
        timeout_ms: Millis,
        introduction: Option<Rc<Introduction>>,
        label: Label,
        line: Vec<u8>,
    ) -> Self {
        Self {
            id,
            class,
            timeout_ms,
            introduction,
            label,
            line,
            progress_token: None,
            watch: Watch::Neither,
            level: None,
            taken_at: Millis::ZERO,
            carries: Carries::Nothing,
            kept: None,
        }
    }

    /// How its client is to be asked something.
    pub(super) const fn asks(&self) -> Asks {
        match self.introduction {
            Some(_) => Asks::InAnswers,
            None => Asks::Directly,
        }
    }

    /// Who can be asked something in its answer.
    pub(super) const fn carrier(&self) -> Option<&Rc<Introduction>> {
        match self.carries {
            Carries::Questions => self.introduction.as_ref(),
            Carries::Nothing => None,
        }
    }

    pub(super) fn keep(&mut self, reply: Option<Reply<'_>>, room: usize) {
        self.kept = reply.map(|reply| match reply {
            Reply::Line { line, .. } if line.len() > room => {
                Kept::Unusable(Unusable::Oversized { limit: room as u64 })
            }
            Reply::Line {
                line,
                id_at,
                untyped_at,
            } => Kept::Line {
                line: line.to_vec(),
                id_at,
                untyped_at,
            },
            Reply::Done => Kept::Done,
            Reply::Unusable(unusable) => Kept::Unusable(unusable),
        });
    }

    pub(super) fn kept(&self) -> Option<Reply<'_>> {
        self.kept.as_ref().map(|kept| match kept {
            Kept::Line {
                line,
                id_at,
                untyped_at,
            } => Reply::Line {
                line,
                id_at: *id_at,
                untyped_at: *untyped_at,
            },
            Kept::Done => Reply::Done,
            Kept::Unusable(unusable) => Reply::Unusable(*unusable),
        })
    }

    pub(super) fn kept_bytes(&self) -> usize {
        match &self.kept {
            Some(Kept::Line { line, .. }) => line.len(),
            Some(Kept::Done | Kept::Unusable(_)) | None => 0,
        }
    }
}
