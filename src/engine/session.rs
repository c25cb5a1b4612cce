//! One life of one server, as a conversation: what we asked, what it says, its tools.
//!
//! It turns lines into what they mean, and effects into lines. Invariant: a session belongs to one
//! generation; beginning another forgets everything but the tools.

use crate::protocol::downstream_id::DownstreamId;
use crate::protocol::tool_page::{Tool, ToolPage};
use crate::protocol::{method, server_side};
use crate::wire::envelope::{self, Message, Notification, Outcome, ParseError, Request, Response};
use crate::wire::jsonrpc::{self, ErrorCode};
use crate::wire::line::LineSplitter;
use crate::wire::oversized::{Oversized, OversizedKind};
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use rea_fsm::{CallId, Generation, HandshakeFailure, IoErrorKind, ReplyKind, Report};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use tracing::warn;

/// A list of tools is given up when it has more pages or bytes than this; nobody could use it.
const LIST_PAGES_MAX: usize = 1_000;
const LIST_BYTES_MAX: usize = 64 << 20;

/// What a line means.
pub(super) enum Heard {
    /// Something for the machine.
    Report(Report),
    /// A call was answered.
    Reply {
        call: CallId,
        kind: ReplyKind,
        id_at: Range<usize>,
    },
    /// A call was answered with something that can't be passed on.
    Unusable { call: CallId },
    /// A call has made progress.
    Progress { call: CallId },
    /// Something to write back that the machine need not know about.
    Answer(Vec<u8>),
    /// A valid message that nobody waits for.
    Other,
    /// No message at all: a banner, a stray print.
    Garbage,
    /// A blank line.
    Nothing,
}

/// What the gateway asked of a server, beside calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Initialize,
    Discover,
    List,
    Ping,
}

/// The conversation with the current process.
pub(super) struct Session {
    server: String,
    pub(super) generation: Option<Generation>,
    pub(super) splitter: LineSplitter,
    asked: BTreeMap<u64, Asked>,
    next_own: u64,
    /// The pages of the listing under way, and the cursors that led to them.
    pages: Vec<Tool>,
    cursors: BTreeSet<String>,
    list_bytes: usize,
    tools: Vec<Tool>,
    /// Which call a progress token stands for.
    tokens: BTreeMap<RequestId, CallId>,
}

impl Session {
    pub(super) fn new(server: &str, line_bytes_max: usize) -> Self {
        Self {
            server: server.to_owned(),
            generation: None,
            splitter: LineSplitter::new(line_bytes_max),
            asked: BTreeMap::new(),
            next_own: 0,
            pages: Vec::new(),
            cursors: BTreeSet::new(),
            list_bytes: 0,
            tools: Vec::new(),
            tokens: BTreeMap::new(),
        }
    }

    pub(super) fn begin(&mut self, generation: Generation) {
        let tools = std::mem::take(&mut self.tools);
        *self = Self::new(&self.server, self.splitter.max_line_bytes());
        self.generation = Some(generation);
        self.tools = tools;
    }

    pub(super) fn tools(&self) -> &[Tool] {
        &self.tools
    }

    fn ask(&mut self, what: Asked) -> DownstreamId {
        // A newer question of the same kind replaces an unanswered one: a late answer to the old
        // one is proof of life and nothing else.
        self.asked.retain(|_, asked| *asked != what);
        let own = self.next_own;
        self.next_own += 1;
        self.asked.insert(own, what);
        DownstreamId::Own(own)
    }

    pub(super) fn probe(&mut self) -> Vec<u8> {
        let id = self.ask(Asked::Discover);
        line(|out| server_side::discover(out, id))
    }

    pub(super) fn initialize(&mut self) -> Vec<u8> {
        let id = self.ask(Asked::Initialize);
        line(|out| server_side::initialize(out, id, &self.server))
    }

    pub(super) fn ping(&mut self) -> Vec<u8> {
        let id = self.ask(Asked::Ping);
        line(|out| server_side::ping(out, id))
    }

    pub(super) fn list(&mut self) -> Vec<u8> {
        self.pages.clear();
        self.cursors.clear();
        self.list_bytes = 0;
        let id = self.ask(Asked::List);
        line(|out| server_side::tools_list(out, id, None))
    }

    pub(super) fn sent(&mut self, call: CallId, progress_token: Option<&RequestId>) {
        if let Some(token) = progress_token {
            self.tokens.insert(token.clone(), call);
        }
    }

    pub(super) fn settled(&mut self, progress_token: Option<&RequestId>) {
        if let Some(token) = progress_token {
            self.tokens.remove(token);
        }
    }

    /// What a line means. The line is complete and within the limit.
    pub(super) fn hear(&mut self, line: &[u8]) -> Heard {
        match envelope::parse(line) {
            Ok(Message::Response(response)) => self.response(&response),
            Ok(Message::Notification(notification)) => self.notification(&notification),
            Ok(Message::Request(request)) => Heard::Answer(answer(&request)),
            Err(error) => self.refused(&error),
        }
    }

    /// What a line over the limit means for whoever waits for it.
    pub(super) fn hear_oversized(&mut self, line: &Oversized<'_>) -> Heard {
        match (line.kind, &line.id) {
            (OversizedKind::Reply, Some(id)) => self.unusable(id),
            (OversizedKind::Reply, None) | (OversizedKind::Call, Some(_) | None) => Heard::Garbage,
        }
    }

    fn refused(&mut self, error: &ParseError) -> Heard {
        match error {
            ParseError::Blank => Heard::Nothing,
            ParseError::NotUtf8 { .. } | ParseError::Nul { .. } => Heard::Report(Report::IoErr {
                kind: IoErrorKind::InvalidText,
            }),
            ParseError::Duplicate { id: Some(id), .. }
            | ParseError::InvalidRequest { id: Some(id), .. } => self.unusable(id),
            ParseError::Duplicate { id: None, .. }
            | ParseError::InvalidRequest { id: None, .. }
            | ParseError::EmbeddedNewline { .. }
            | ParseError::NotJson { .. }
            | ParseError::TooDeep
            | ParseError::Batch
            | ParseError::NotAnObject => Heard::Garbage,
        }
    }

    /// A reply whose id is certain and whose content can't be taken: nobody waits for it in vain.
    fn unusable(&mut self, id: &RequestId) -> Heard {
        match Raw::parse(id.as_str()).and_then(DownstreamId::parse) {
            Some(DownstreamId::Call(call)) => Heard::Unusable { call },
            Some(DownstreamId::Own(own)) => match self.asked.remove(&own) {
                Some(Asked::Initialize) => Heard::Report(Report::HandshakeErr {
                    failure: HandshakeFailure::Malformed,
                }),
                Some(Asked::Discover) => Heard::Report(Report::ProbeLegacy {}),
                Some(Asked::List) => Heard::Report(Report::ListErr {}),
                Some(Asked::Ping) => Heard::Report(Report::Pong {}),
                None => Heard::Other,
            },
            None => Heard::Garbage,
        }
    }

    fn notification(&self, notification: &Notification<'_>) -> Heard {
        match notification.method.as_ref() {
            method::PROGRESS => {
                let token = notification
                    .params
                    .and_then(|params| params.progress_token().ok().flatten())
                    .and_then(|token| RequestId::from_json(token.text()));
                match token.and_then(|token| self.tokens.get(&token)) {
                    Some(call) => Heard::Progress { call: *call },
                    None => Heard::Other,
                }
            }
            method::TOOLS_LIST_CHANGED => Heard::Report(Report::ListChanged {}),
            _ => Heard::Other,
        }
    }

    fn response(&mut self, response: &Response<'_>) -> Heard {
        let Some(id) = response.id else {
            return Heard::Other;
        };
        match DownstreamId::parse(id.raw()) {
            Some(DownstreamId::Call(call)) => {
                let kind = match response.outcome {
                    Outcome::Result { is_error, .. } => ReplyKind::Ok { is_error },
                    Outcome::Error { code, .. } => ReplyKind::RpcError {
                        code: code.unwrap_or_default(),
                    },
                };
                let id_at = id.raw().span();
                Heard::Reply { call, kind, id_at }
            }
            Some(DownstreamId::Own(own)) => match self.asked.remove(&own) {
                Some(asked) => self.answered(asked, &response.outcome),
                None => Heard::Other,
            },
            None => Heard::Other,
        }
    }

    fn answered(&mut self, asked: Asked, outcome: &Outcome<'_>) -> Heard {
        match (asked, outcome) {
            (Asked::Initialize, Outcome::Result { raw, .. }) => {
                Heard::Report(match server_side::offer(*raw) {
                    Ok(offer) => Report::InitOk { offer },
                    Err(failure) => Report::HandshakeErr { failure },
                })
            }
            (Asked::Initialize, Outcome::Error { code, .. }) => {
                let code = code.unwrap_or_default();
                let failure = HandshakeFailure::Rpc { code };
                Heard::Report(Report::HandshakeErr { failure })
            }
            // The modern era is asked for and not spoken yet: whoever answers is taken for what
            // the fallback finds it to be.
            (Asked::Discover, Outcome::Result { .. } | Outcome::Error { .. }) => {
                Heard::Report(Report::ProbeLegacy {})
            }
            (Asked::Ping, Outcome::Result { .. } | Outcome::Error { .. }) => {
                Heard::Report(Report::Pong {})
            }
            (Asked::List, Outcome::Result { raw, .. }) => self.listed(*raw),
            (Asked::List, Outcome::Error { .. }) => Heard::Report(Report::ListErr {}),
        }
    }

    /// Takes a page in; asks for the next one, or reports the whole list. A cursor that comes back
    /// ends the list: it would go on for ever.
    fn listed(&mut self, result: Raw<'_>) -> Heard {
        let Ok(page) = ToolPage::parse(&self.server, result) else {
            return Heard::Report(Report::ListErr {});
        };
        if page.malformed > 0 {
            warn!(
                event = "downstream.malformed_tools",
                server_name = self.server,
                "left out {} tools that have no usable name",
                page.malformed
            );
        }
        self.list_bytes += result.text().len();
        if self.list_bytes > LIST_BYTES_MAX || self.cursors.len() >= LIST_PAGES_MAX {
            self.pages.clear();
            return Heard::Report(Report::ListErr {});
        }
        self.pages.extend(page.tools);
        if let Some(cursor) = page.next_cursor
            && self.cursors.insert(cursor.text().to_owned())
        {
            let id = self.ask(Asked::List);
            return Heard::Answer(line(|out| server_side::tools_list(out, id, Some(cursor))));
        }
        self.tools = std::mem::take(&mut self.pages);
        let mut hasher = blake3::Hasher::new();
        for tool in &self.tools {
            hasher.update(&tool.json);
            hasher.update(b"\n");
        }
        let mut head = [0; 8];
        head.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        let count = u32::try_from(self.tools.len()).unwrap_or(u32::MAX);
        Heard::Report(Report::Listed {
            digest: u64::from_le_bytes(head),
            count,
        })
    }
}

/// The line that ends the handshake.
pub(super) fn initialized() -> Vec<u8> {
    line(server_side::initialized)
}

/// The line that gives a call up.
pub(super) fn cancel(call: CallId) -> Vec<u8> {
    line(|out| server_side::cancelled(out, DownstreamId::Call(call)))
}

/// The answer to a server's own request: we live, and offered it nothing else.
fn answer(request: &Request<'_>) -> Vec<u8> {
    let id = request.id.to_owned();
    line(|out| match request.method.as_ref() {
        method::PING => jsonrpc::empty_result(out, &id),
        _ => jsonrpc::error(
            out,
            &id,
            ErrorCode::MethodNotFound,
            "this client has not declared the capability for that request",
            jsonrpc::NONE,
        ),
    })
}

fn line(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}
