//! The bytes of what a server asks its client, while the machine decides what becomes of it.

use crate::wire::envelope::Request;
use crate::wire::request_id::RequestId;
use crate::wire::splice::{Edit, splice};
use rea_fsm::QuestionId;
use std::collections::BTreeMap;
use std::ops::Range;

/// All open questions of one server have no more bytes than this.
const BYTES_MAX: usize = 16 << 20;

/// A question as its server put it.
#[derive(Clone, Debug)]
pub struct Question {
    /// Its line.
    pub line: Vec<u8>,
    /// What it asks for.
    pub method: String,
    own_id: RequestId,
}

/// A client's answer to a question.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// A response of the client's, and where its id stands.
    Line(&'a [u8], (usize, usize)),
    /// A result that came along with something else: JSON text.
    Result(&'a str),
}

/// The open questions of one server's process. Numbers go on from one process to the next.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: BTreeMap<QuestionId, Question>,
    last: u64,
    bytes: usize,
}

impl Questions {
    /// Forgets what the process before has asked.
    pub(super) fn forget(&mut self) {
        self.open.clear();
        self.bytes = 0;
    }

    /// Takes a question in. `None` if there is no room for it.
    pub(super) fn put(&mut self, request: &Request<'_>, line: &[u8]) -> Option<QuestionId> {
        if self.bytes + line.len() > BYTES_MAX {
            return None;
        }
        self.bytes += line.len();
        self.last += 1;
        let id = QuestionId(self.last);
        let question = Question {
            line: line.to_vec(),
            method: request.method.clone().into_owned(),
            own_id: request.id.to_owned(),
        };
        self.open.insert(id, question);
        Some(id)
    }

    pub(super) fn get(&self, id: QuestionId) -> Option<&Question> {
        self.open.get(&id)
    }

    pub(super) fn take(&mut self, id: QuestionId) -> Option<Question> {
        let question = self.open.remove(&id)?;
        self.bytes -= question.line.len();
        Some(question)
    }

    /// The open question that its server knows under this id; of several the latest.
    pub(super) fn known_as(&self, own_id: &RequestId) -> Option<QuestionId> {
        let mut open = self.open.iter().rev();
        let (id, _) = open.find(|(_, question)| question.own_id == *own_id)?;
        Some(*id)
    }
}

impl Question {
    /// The id that its server waits for.
    pub(super) const fn own_id(&self) -> &RequestId {
        &self.own_id
    }

    /// The line with which its server is answered.
    pub(super) fn answered(&self, answer: Answer<'_>) -> Vec<u8> {
        let id = self.own_id.as_str();
        let mut line = Vec::new();
        match answer {
            Answer::Line(text, (start, end)) => {
                let edit = Edit {
                    span: Range { start, end },
                    with: id.as_bytes(),
                };
                // The span was found in this line.
                if splice(text, &mut [edit], &mut line).is_err() {
                    debug_assert!(false, "the id's place is not in its line");
                }
            }
            Answer::Result(result) => {
                let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
                line.extend_from_slice(text.as_bytes());
            }
        }
        line
    }
}
