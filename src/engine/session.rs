//! One life of one server, as a conversation: what we asked, what it says, its tools.
//!
//! It turns lines into what they mean, and effects into lines. Invariant: a session belongs to one
//! generation; beginning another forgets everything but the tools.

use crate::protocol::downstream::{self, ListedTool};
use crate::protocol::downstream_id::DownstreamId;
use crate::protocol::{client, names};
use crate::wire::envelope::{self, Message, Notification, Outcome, ParseError, Request, Response};
use crate::wire::jsonrpc::{self, Code};
use crate::wire::line::LineSplitter;
use rea_fsm::{CallId, Generation, HandshakeFailure, IoErrorKind, ReplyKind, Report};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

pub use crate::protocol::downstream::ListedTool as Tool;

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
    /// A call has made progress.
    Progress { call: CallId },
    /// Something to write back that the machine need not know about.
    Answer(Vec<u8>),
    /// A valid message that nobody waits for.
    Other,
    /// No message at all: a banner, a stray print.
    Garbage,
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
    pages: Vec<ListedTool>,
    cursors: BTreeSet<String>,
    list_bytes: usize,
    tools: Vec<ListedTool>,
    /// Which call a progress token stands for.
    tokens: BTreeMap<Vec<u8>, CallId>,
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
        *self = Self::new(&self.server, self.splitter.bytes_max());
        self.generation = Some(generation);
        self.tools = tools;
    }

    pub(super) fn tools(&self) -> &[ListedTool] {
        &self.tools
    }

    fn ask(&mut self, what: Asked) -> u64 {
        // A newer question of the same kind replaces an unanswered one: a late answer to the old
        // one is proof of life and nothing else.
        self.asked.retain(|_, asked| *asked != what);
        let own = self.next_own;
        self.next_own += 1;
        self.asked.insert(own, what);
        DownstreamId::Own(own).number()
    }

    pub(super) fn probe(&mut self) -> Vec<u8> {
        downstream::discover(self.ask(Asked::Discover))
    }

    pub(super) fn initialize(&mut self) -> Vec<u8> {
        let id = self.ask(Asked::Initialize);
        downstream::initialize(id, &self.server)
    }

    pub(super) fn initialized(&self) -> Vec<u8> {
        downstream::initialized()
    }

    pub(super) fn ping(&mut self) -> Vec<u8> {
        downstream::ping(self.ask(Asked::Ping))
    }

    pub(super) fn list(&mut self) -> Vec<u8> {
        self.pages.clear();
        self.cursors.clear();
        self.list_bytes = 0;
        downstream::list_tools(self.ask(Asked::List), None)
    }

    pub(super) fn cancel(&self, call: CallId) -> Vec<u8> {
        downstream::cancelled(DownstreamId::Call(call).number())
    }

    pub(super) fn sent(&mut self, call: CallId, progress_token: Option<&[u8]>) {
        if let Some(token) = progress_token {
            self.tokens.insert(token.to_vec(), call);
        }
    }

    pub(super) fn settled(&mut self, progress_token: Option<&[u8]>) {
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
            Err(ParseError::NotText) => Heard::Report(Report::IoErr {
                kind: IoErrorKind::InvalidText,
            }),
            Err(
                ParseError::NotJson
                | ParseError::Batch
                | ParseError::NotAMessage
                | ParseError::BadId
                | ParseError::Duplicate(_),
            ) => Heard::Garbage,
        }
    }

    /// The call that a line over the limit would have answered, as far as its beginning tells.
    pub(super) fn owner_of_oversized(head: &[u8]) -> Option<CallId> {
        let head = String::from_utf8_lossy(head);
        let mut rest = head.trim_start().strip_prefix('{')?;
        loop {
            let (key, value) = rest.trim_start().split_once(':')?;
            let value = value.trim_start();
            let end = value.find([',', '}'])?;
            match key.trim() {
                "\"id\"" => {
                    return match DownstreamId::parse(value[..end].trim())? {
                        DownstreamId::Call(call) => Some(call),
                        DownstreamId::Own(_) => None,
                    };
                }
                "\"jsonrpc\"" => rest = &value[end + 1..],
                _ => return None,
            }
        }
    }

    fn notification(&self, notification: &Notification<'_>) -> Heard {
        match notification.method.as_ref() {
            "notifications/progress" => {
                let token = client::progress_token(notification.params);
                match token.and_then(|token| self.tokens.get(token.as_bytes())) {
                    Some(call) => Heard::Progress { call: *call },
                    None => Heard::Other,
                }
            }
            "notifications/tools/list_changed" => Heard::Report(Report::ListChanged {}),
            _ => Heard::Other,
        }
    }

    fn response(&mut self, response: &Response<'_>) -> Heard {
        match DownstreamId::parse(response.id) {
            Some(DownstreamId::Call(call)) => {
                let kind = match response.outcome {
                    Outcome::Result(result) => ReplyKind::Ok {
                        is_error: envelope::is_error(result),
                    },
                    Outcome::Error { code } => ReplyKind::RpcError { code },
                };
                Heard::Reply {
                    call,
                    kind,
                    id_at: response.id_at.clone(),
                }
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
            (Asked::Initialize, Outcome::Result(result)) => {
                Heard::Report(match downstream::offer(result) {
                    Ok(offer) => Report::InitOk { offer },
                    Err(failure) => Report::HandshakeErr { failure },
                })
            }
            (Asked::Initialize, Outcome::Error { code }) => Heard::Report(Report::HandshakeErr {
                failure: HandshakeFailure::Rpc { code: *code },
            }),
            // The modern era is asked for and not spoken yet: whoever answers is taken for what
            // the fallback finds it to be.
            (Asked::Discover, Outcome::Result(_) | Outcome::Error { .. }) => {
                Heard::Report(Report::ProbeLegacy {})
            }
            (Asked::Ping, Outcome::Result(_) | Outcome::Error { .. }) => {
                Heard::Report(Report::Pong {})
            }
            (Asked::List, Outcome::Result(result)) => self.listed(result),
            (Asked::List, Outcome::Error { .. }) => Heard::Report(Report::ListErr {}),
        }
    }

    /// Takes a page in; asks for the next one, or reports the whole list. A cursor that comes back
    /// ends the list: it would go on for ever.
    fn listed(&mut self, result: &str) -> Heard {
        let server = &self.server;
        let Ok(page) = downstream::page(result, |tool| names::shown(server, tool)) else {
            return Heard::Report(Report::ListErr {});
        };
        self.list_bytes += result.len();
        if self.list_bytes > LIST_BYTES_MAX || self.cursors.len() >= LIST_PAGES_MAX {
            self.pages.clear();
            return Heard::Report(Report::ListErr {});
        }
        self.pages.extend(page.tools);
        if let Some(cursor) = page.next_cursor
            && self.cursors.insert(cursor.clone())
        {
            return Heard::Answer(downstream::list_tools(self.ask(Asked::List), Some(&cursor)));
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

/// The answer to a server's own request: we live, and offered it nothing else.
fn answer(request: &Request<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match request.method.as_ref() {
        "ping" => client::pong(request.id, &mut out),
        _ => jsonrpc::error(
            request.id,
            Code::MethodNotFound,
            "this client has not declared the capability for that request",
            &mut out,
        ),
    }
    out
}
