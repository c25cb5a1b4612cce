//! The client's side: what it asks, what it is answered, which of its calls are under way.
//!
//! Invariants: the client is answered at once wherever no server is needed, whatever the servers
//! do; every request gets exactly one answer, but for calls that the client gave up; an unknown
//! name creates nothing.

use super::catalogue::Catalogue;
use super::errors;
use super::policy::CallPolicy;
use crate::engine::{Call, Ended, Engine, Front, Reply, ServerId, World};
use crate::journal::Note;
use crate::protocol::downstream_id::DownstreamId;
use crate::protocol::failure::{Failure, tool_failure};
use crate::protocol::relay::{call_to_server, reply_to_client};
use crate::protocol::tool_page::Tool;
use crate::protocol::{client_side, method, tool_name, version};
use crate::wire::envelope::{self, Message, Notification, ParseError, Request};
use crate::wire::jsonrpc::{self, ErrorCode};
use crate::wire::oversized::{Oversized, OversizedKind};
use crate::wire::params::MemberError;
use crate::wire::request_id::RequestId;
use jiff::Timestamp;
use rea_fsm::{CallClass, CallId, Executed, Leaf, Millis, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// So many lists may wait at a time; more are answered at once.
const WAITING_LISTS_MAX: usize = 1_000;

const NOT_LOGGED: &str = "not_logged";
const NEEDS_NAME: &str = "tools/call takes an object with the tool's `name`";

/// Takes secrets out of text that goes to the log.
pub type TextFilter = Box<dyn Fn(&str) -> String>;

/// A call that has not been answered.
#[derive(Debug)]
struct Pending {
    client_id: RequestId,
    server: ServerId,
}

/// A request for the list of tools that waits for servers still starting.
#[derive(Debug)]
struct WaitingList {
    client_id: RequestId,
    until: Millis,
}

/// What the gateway knows of its client.
pub struct Client {
    redact: TextFilter,
    policies: Vec<CallPolicy>,
    catalogue: Catalogue,
    list_budget_ms: Millis,
    began: Timestamp,
    calls: BTreeMap<CallId, Pending>,
    /// Ids are the client's own affair: two calls may have the same.
    by_client_id: BTreeSet<(RequestId, CallId)>,
    next_call: CallId,
    lists: Vec<WaitingList>,
    /// Whether the client has seen a list that may have changed since.
    shown: Shown,
}

/// Where a call goes.
struct Route {
    server: ServerId,
    /// The server's own name for it.
    tool: String,
    hinted_class: CallClass,
}

/// What the client knows of the list of tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    Current,
    Outdated,
}

impl Client {
    /// A client that has said nothing yet. `began` is the wall clock at the log's zero.
    pub fn new(
        policies: Vec<CallPolicy>,
        list_budget_ms: Millis,
        began: Timestamp,
        redact: TextFilter,
    ) -> Self {
        Self {
            redact,
            catalogue: Catalogue::new(policies.len()),
            policies,
            list_budget_ms,
            began,
            calls: BTreeMap::new(),
            by_client_id: BTreeSet::new(),
            next_call: CallId(1),
            lists: Vec::new(),
            shown: Shown::Nothing,
        }
    }

    /// How many requests have not been answered.
    pub fn unanswered(&self) -> usize {
        self.calls.len() + self.lists.len()
    }

    /// When time alone changes something.
    pub fn next_due(&self) -> Option<Millis> {
        self.lists.iter().map(|list| list.until).min()
    }

    /// Takes in one line.
    pub fn hear<W: World>(&mut self, line: &[u8], engine: &mut Engine<W>) {
        match envelope::parse(line) {
            Ok(Message::Request(request)) => self.request(line, &request, engine),
            Ok(Message::Notification(notification)) => self.notification(&notification, engine),
            // The gateway asks its client nothing.
            Ok(Message::Response(_)) => {}
            Err(ParseError::Blank) => {}
            Err(error) => {
                let code = match &error {
                    ParseError::Blank
                    | ParseError::NotUtf8 { .. }
                    | ParseError::Nul { .. }
                    | ParseError::EmbeddedNewline { .. }
                    | ParseError::NotJson { .. }
                    | ParseError::TooDeep => ErrorCode::ParseError,
                    ParseError::Batch
                    | ParseError::NotAnObject
                    | ParseError::Duplicate { .. }
                    | ParseError::InvalidRequest { .. } => ErrorCode::InvalidRequest,
                };
                let id = error.id().cloned().unwrap_or_else(RequestId::null);
                refuse(&id, code, &error.to_string(), engine.world());
            }
        }
    }

    /// Takes note of a line over the limit.
    pub fn hear_oversized(&mut self, line: &Oversized<'_>, limit: u64, world: &mut impl World) {
        let id = match (line.kind, &line.id) {
            (OversizedKind::Call, Some(id)) => id.clone(),
            (OversizedKind::Call, None) | (OversizedKind::Reply, _) => RequestId::null(),
        };
        let text = format!(
            "the line has {} bytes, the limit is {limit}; nothing of it was executed",
            line.bytes
        );
        refuse(&id, ErrorCode::TooLarge, &text, world);
    }

    fn request<W: World>(&mut self, line: &[u8], request: &Request<'_>, engine: &mut Engine<W>) {
        let id = request.id.to_owned();
        match request.method.as_ref() {
            method::INITIALIZE => {
                let wanted = client_side::wanted_version(request.params.as_ref());
                let version = version::negotiate(wanted.as_deref());
                say(engine.world(), |out| {
                    client_side::initialize_result(out, &id, version);
                });
            }
            method::PING => say(engine.world(), |out| jsonrpc::empty_result(out, &id)),
            method::TOOLS_LIST => self.list(id, request, engine),
            method::TOOLS_CALL => self.call(line, request, engine),
            method => {
                let text = format!("unknown method {method:?}");
                refuse(&id, ErrorCode::MethodNotFound, &text, engine.world());
            }
        }
    }

    fn list<W: World>(&mut self, id: RequestId, request: &Request<'_>, engine: &mut Engine<W>) {
        if let Some(Ok(Some(cursor))) = request.params.map(|params| params.cursor()) {
            let text = format!(
                "unknown cursor {}: the list comes on one page",
                cursor.raw.text()
            );
            return refuse(&id, ErrorCode::InvalidParams, &text, engine.world());
        }
        self.lists.push(WaitingList {
            client_id: id,
            until: engine.now().plus(self.list_budget_ms),
        });
    }

    fn call<W: World>(&mut self, line: &[u8], request: &Request<'_>, engine: &mut Engine<W>) {
        let client_id = request.id.to_owned();
        let (name, progress_token) = match name_and_token(request) {
            Ok(found) => found,
            Err(text) => {
                return refuse(&client_id, ErrorCode::InvalidParams, &text, engine.world());
            }
        };
        let Some(Route {
            server,
            tool,
            hinted_class,
        }) = self.route(&name, engine)
        else {
            let text = unknown_tool(&name, engine);
            return refuse(&client_id, ErrorCode::InvalidParams, &text, engine.world());
        };
        let id = self.next_call;
        self.next_call = CallId(id.0 + 1);
        if engine.not_logged().is_some() {
            return self.refuse_unlogged(&client_id, id, server, &tool, engine);
        }
        let mut relayed = Vec::new();
        let wire_id = DownstreamId::Call(id);
        if let Err(error) = call_to_server(&mut relayed, line, request, &tool, wire_id) {
            let text = error.to_string();
            return refuse(&client_id, ErrorCode::InvalidParams, &text, engine.world());
        }
        let (class, timeout_ms) = self.policies[server.index()].terms(&tool, hinted_class);
        self.by_client_id.insert((client_id.clone(), id));
        self.calls.insert(id, Pending { client_id, server });
        let call = Call {
            id,
            class,
            timeout_ms,
            tool: (self.redact)(&tool),
            line: relayed,
            progress_token,
        };
        engine.submit(server, call, self);
    }

    /// A call that can't be written into a log that is required is not executed.
    fn refuse_unlogged<W: World>(
        &self,
        client_id: &RequestId,
        call: CallId,
        server: ServerId,
        tool: &str,
        engine: &mut Engine<W>,
    ) {
        let Some(not_logged) = engine.not_logged() else {
            return;
        };
        let text = format!("{not_logged}. The call was not executed and is safe to repeat.");
        let facts = Failure {
            server: engine.name(server),
            state: engine.downstream(server).leaf().name(),
            reason: NOT_LOGGED,
            executed: Executed::No,
            retry_at: None,
        };
        let mut answer = Vec::new();
        tool_failure(&mut answer, client_id, &text, &facts);
        let (tool, reason) = ((self.redact)(tool), NOT_LOGGED.to_owned());
        engine.note(&Note::Refused { call, tool, reason });
        say(engine.world(), |out| out.extend_from_slice(&answer));
    }

    /// Where a shown name leads. A tool that its server has not listed is passed on too: the
    /// server knows best, and its list may be on its way.
    fn route<W: World>(&self, shown_name: &str, engine: &Engine<W>) -> Option<Route> {
        if let Some((server, tool)) = self.catalogue.find(shown_name) {
            let hinted_class = tool.hinted_class;
            return Some(Route {
                server,
                tool: tool.name.clone(),
                hinted_class,
            });
        }
        let (server_name, tool) = tool_name::split(shown_name)?;
        let (server, _, _) = engine.servers().find(|(_, name, _)| *name == server_name)?;
        Some(Route {
            server,
            tool: tool.to_owned(),
            hinted_class: CallClass::Unsafe,
        })
    }

    fn notification<W: World>(&mut self, notification: &Notification<'_>, engine: &mut Engine<W>) {
        if notification.method != method::CANCELLED {
            return;
        }
        let Some(client_id) = notification
            .params
            .and_then(|params| params.request_id().ok().flatten())
            .and_then(|id| RequestId::from_json(id.text()))
        else {
            return;
        };
        let first = (client_id.clone(), CallId(0));
        let last = (client_id, CallId(u64::MAX));
        let Some(call) = self
            .by_client_id
            .range(first..=last)
            .next_back()
            .map(|(_, call)| *call)
        else {
            return;
        };
        if let Some(server) = self.calls.get(&call).map(|pending| pending.server) {
            engine.cancel(server, call, self);
        }
    }

    /// Answers the lists that need not wait any longer, and says when a list that was shown has
    /// changed: once a turn, however much has changed.
    pub fn settle(&mut self, now: Millis, ending: bool, world: &mut impl World) {
        if self.shown == Shown::Outdated {
            self.shown = Shown::Current;
            say(world, client_side::tools_list_changed);
        }
        let settled = self.catalogue.is_settled();
        for list in std::mem::take(&mut self.lists) {
            if settled || ending || now >= list.until || self.lists.len() >= WAITING_LISTS_MAX {
                let tools = self.catalogue.tools().map(|tool| tool.json.as_slice());
                say(world, |out| {
                    client_side::tools_list_result(out, &list.client_id, tools);
                });
                self.shown = Shown::Current;
            } else {
                self.lists.push(list);
            }
        }
    }

    /// Answers every call that still waits: nobody stays to wait with it.
    pub fn give_up_waiting<W: World>(&mut self, engine: &mut Engine<W>) {
        let pending: Vec<(CallId, ServerId)> = self
            .calls
            .iter()
            .map(|(call, pending)| (*call, pending.server))
            .collect();
        for (call, server_id) in pending {
            let server = engine.name(server_id).to_owned();
            let ended = Ended {
                call,
                server: &server,
                server_id,
                leaf: engine.downstream(server_id).leaf(),
                verdict: &Verdict::TransportLost { status: None },
                executed: Executed::Maybe,
                reply: None,
                last_words: "",
            };
            self.completed(&ended, engine.world());
        }
    }

    fn wall(&self, at: Millis) -> String {
        let length = jiff::SignedDuration::from_millis(i64::try_from(at.0).unwrap_or(i64::MAX));
        match self.began.checked_add(length) {
            Ok(wall) => format!("{wall:.3}"),
            Err(_) => at.to_string(),
        }
    }
}

impl Front for Client {
    fn completed(&mut self, ended: &Ended<'_>, world: &mut impl World) {
        let Some(pending) = self.calls.remove(&ended.call) else {
            return;
        };
        let client_id = pending.client_id;
        self.by_client_id.remove(&(client_id.clone(), ended.call));
        if let Some(Reply::Line {
            line,
            id_at: (start, end),
        }) = ended.reply
        {
            let out = world.client(Some(ended.server_id));
            if reply_to_client(out, line, start..end, &client_id).is_ok() {
                out.push(b'\n');
                return;
            }
        }
        let wall = |at| self.wall(at);
        if let Some(said) = errors::explain(ended, wall) {
            say(world, |out| {
                tool_failure(out, &client_id, &said.text, &said.facts);
            });
        }
    }

    fn catalogue_changed(&mut self, server: ServerId, tools: &[Tool], _: &mut impl World) {
        self.catalogue.replace(server, tools);
        if self.shown == Shown::Current {
            self.shown = Shown::Outdated;
        }
    }

    fn state_changed(&mut self, server: ServerId, leaf: Leaf, _: &mut impl World) {
        self.catalogue.follow(server, leaf);
    }

    fn progressed(&mut self, line: &[u8], world: &mut impl World) {
        say(world, |out| out.extend_from_slice(line));
    }
}

fn say(world: &mut impl World, write: impl FnOnce(&mut Vec<u8>)) {
    let out = world.client(None);
    write(out);
    out.push(b'\n');
}

fn refuse(id: &RequestId, code: ErrorCode, text: &str, world: &mut impl World) {
    say(world, |out| {
        jsonrpc::error(out, id, code, text, jsonrpc::NONE);
    });
}

/// What a call needs to find its way: the tool's shown name, and the token under which the client
/// wants to hear of its progress.
fn name_and_token(request: &Request<'_>) -> Result<(String, Option<RequestId>), String> {
    let params = request.params.ok_or(NEEDS_NAME)?;
    let said = |error: MemberError| error.to_string();
    let name = params.name().map_err(said)?.ok_or(NEEDS_NAME)?;
    let token = params.wanted_progress_token().map_err(said)?;
    let token = token.and_then(|token| RequestId::from_json(token.text()));
    Ok((name.decoded.into_owned(), token))
}

fn unknown_tool<W: World>(name: &str, engine: &Engine<W>) -> String {
    let servers: Vec<&str> = engine.servers().map(|(_, name, _)| name).collect();
    match tool_name::split(name) {
        None => format!(
            "tool name {name:?} is missing the server prefix: expected \"<server>__<tool>\" with one \
             of the servers {servers:?}"
        ),
        Some((server, _)) => {
            format!("there is no server {server:?} here; the servers are {servers:?}")
        }
    }
}
