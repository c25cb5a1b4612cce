//! The client's side: what it asks, what it is answered, which of its calls are under way.
//!
//! Invariants: the client is answered at once wherever no server is needed, whatever the servers
//! do; every request gets exactly one answer, but for calls that the client gave up; an unknown
//! name creates nothing.

use super::catalogue::Catalogue;
use super::errors;
use crate::engine::{Call, Ended, Engine, Front, Reply, ServerId, Tool, World};
use crate::journal::Note;
use crate::protocol::downstream_id::DownstreamId;
use crate::protocol::{client as messages, names, version};
use crate::wire::envelope::{self, Message, Notification, ParseError, Request};
use crate::wire::jsonrpc::{self, Code};
use crate::wire::splice::{Edit, splice};
use jiff::Timestamp;
use rea_fsm::{CallClass, CallId, Leaf, Millis};
use std::collections::{BTreeMap, BTreeSet};

/// So many lists may wait at a time; more are answered at once.
const WAITING_LISTS_MAX: usize = 1_000;

/// Takes secrets out of text that goes to the log.
pub type TextFilter = Box<dyn Fn(&str) -> String>;

/// How the gateway treats the calls of one server.
#[derive(Clone, Debug)]
pub struct CallPolicy {
    /// The deadline of a call whose tool has none of its own.
    pub timeout_ms: Millis,
    /// What is said about single tools.
    pub tools: BTreeMap<String, ToolPolicy>,
    /// Whether the server's own words about its tools count.
    pub annotations: Annotations,
}

/// What the registry says about one tool.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToolPolicy {
    /// Whether it may be repeated.
    pub class: Option<CallClass>,
    /// Its deadline.
    pub timeout_ms: Option<Millis>,
}

/// Whether a server's own words about its tools count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annotations {
    /// They do not: every tool is unsafe to repeat unless the registry says otherwise.
    Ignored,
    /// They do.
    Trusted,
}

/// A call that has not been answered.
#[derive(Debug)]
struct Pending {
    client_id: String,
    server: ServerId,
}

/// A request for the list of tools that waits for servers still starting.
#[derive(Debug)]
struct WaitingList {
    client_id: String,
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
    by_client_id: BTreeSet<(String, CallId)>,
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
            Err(error) => {
                let code = match error {
                    ParseError::NotJson | ParseError::NotText => Code::ParseError,
                    ParseError::Batch
                    | ParseError::NotAMessage
                    | ParseError::BadId
                    | ParseError::Duplicate(_) => Code::InvalidRequest,
                };
                refuse("null", code, &error.to_string(), engine.world());
            }
        }
    }

    /// Takes note of a line over the limit.
    pub fn hear_oversized(&mut self, limit: u64, world: &mut impl World) {
        let text = format!("the line is longer than the limit of {limit} bytes");
        refuse("null", Code::InvalidRequest, &text, world);
    }

    fn request<W: World>(&mut self, line: &[u8], request: &Request<'_>, engine: &mut Engine<W>) {
        match request.method.as_ref() {
            "initialize" => {
                let wanted = messages::wanted_version(request.params);
                let version = version::negotiate(wanted.as_deref());
                say(engine.world(), |out| {
                    messages::initialized(request.id, version, out)
                });
            }
            "ping" => say(engine.world(), |out| messages::pong(request.id, out)),
            "tools/list" => {
                let until = engine.now().plus(self.list_budget_ms);
                self.lists.push(WaitingList {
                    client_id: request.id.to_owned(),
                    until,
                });
            }
            "tools/call" => self.call(line, request, engine),
            method => {
                let text = format!("unknown method {method:?}");
                refuse(request.id, Code::MethodNotFound, &text, engine.world());
            }
        }
    }

    fn call<W: World>(&mut self, line: &[u8], request: &Request<'_>, engine: &mut Engine<W>) {
        let call = match messages::tool_call(request.params) {
            Ok(call) => call,
            Err(error) => {
                let text = match error {
                    ParseError::Duplicate(_) => error.to_string(),
                    ParseError::NotJson
                    | ParseError::NotText
                    | ParseError::Batch
                    | ParseError::NotAMessage
                    | ParseError::BadId => {
                        "tools/call takes an object with the tool's `name`".to_owned()
                    }
                };
                return refuse(request.id, Code::InvalidParams, &text, engine.world());
            }
        };
        let Some(Route {
            server,
            tool,
            hinted_class,
        }) = self.route(&call.name, engine)
        else {
            let text = unknown_tool(&call.name, engine);
            return refuse(request.id, Code::InvalidParams, &text, engine.world());
        };
        let id = self.next_call;
        self.next_call = CallId(id.0 + 1);
        if let Some(not_logged) = engine.not_logged() {
            let text = format!("{not_logged}. The call was not executed and is safe to repeat.");
            let downstream = engine.downstream(server);
            let facts = errors::Facts {
                server: engine.name(server),
                state: downstream.leaf().name(),
                reason: "not_logged",
                executed: "no",
                retry_at: None,
            };
            let mut answer = Vec::new();
            messages::tool_error(request.id, &text, &facts, &mut answer);
            let (tool, reason) = ((self.redact)(&call.name), "not_logged".to_owned());
            engine.note(&Note::Refused {
                call: id,
                tool,
                reason,
            });
            return say(engine.world(), |out| out.extend_from_slice(&answer));
        }
        let wire_id = DownstreamId::Call(id).number().to_string();
        let tool_json = serde_json::Value::from(tool.as_str()).to_string();
        let name_at = request.params_at.start + call.name_at.start
            ..request.params_at.start + call.name_at.end;
        let mut edits = [
            Edit {
                at: request.id_at.clone(),
                bytes: wire_id.as_bytes(),
            },
            Edit {
                at: name_at,
                bytes: tool_json.as_bytes(),
            },
        ];
        edits.sort_by_key(|edit| edit.at.start);
        let mut spliced = Vec::with_capacity(line.len() + wire_id.len());
        splice(line, &edits, &mut spliced);
        let (class, timeout_ms) = self.terms(server, &tool, hinted_class);
        self.calls.insert(
            id,
            Pending {
                client_id: request.id.to_owned(),
                server,
            },
        );
        self.by_client_id.insert((request.id.to_owned(), id));
        let progress_token = call.progress_token.map(|token| token.as_bytes().to_vec());
        let call = Call {
            id,
            class,
            timeout_ms,
            tool: (self.redact)(&tool),
            line: spliced,
            progress_token,
        };
        engine.submit(server, call, self);
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
        let (server_name, tool) = names::split(shown_name)?;
        let (server, _, _) = engine.servers().find(|(_, name, _)| *name == server_name)?;
        Some(Route {
            server,
            tool: tool.to_owned(),
            hinted_class: CallClass::Unsafe,
        })
    }

    /// Whether a tool may be repeated, and its deadline.
    fn terms(&self, server: ServerId, tool: &str, hinted: CallClass) -> (CallClass, Millis) {
        let policy = &self.policies[server.index()];
        let said = policy.tools.get(tool).copied().unwrap_or_default();
        let unsaid = match policy.annotations {
            Annotations::Ignored => CallClass::Unsafe,
            Annotations::Trusted => hinted,
        };
        (
            said.class.unwrap_or(unsaid),
            said.timeout_ms.unwrap_or(policy.timeout_ms),
        )
    }

    fn notification<W: World>(&mut self, notification: &Notification<'_>, engine: &mut Engine<W>) {
        if notification.method != "notifications/cancelled" {
            return;
        }
        let Some(client_id) = messages::cancelled_request(notification.params) else {
            return;
        };
        let first = (client_id.to_owned(), CallId(0));
        let last = (client_id.to_owned(), CallId(u64::MAX));
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
            say(world, |out| {
                out.extend_from_slice(&messages::tools_changed())
            });
        }
        let settled = self.catalogue.is_settled();
        for list in std::mem::take(&mut self.lists) {
            if settled || ending || now >= list.until || self.lists.len() >= WAITING_LISTS_MAX {
                let tools = self.catalogue.tools().map(|tool| tool.json.as_slice());
                say(world, |out| messages::tools(&list.client_id, tools, out));
                self.shown = Shown::Current;
            } else {
                self.lists.push(list);
            }
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
        match ended.reply {
            Some(Reply::Line {
                line,
                id_at: (start, end),
            }) => {
                let out = world.client(Some(ended.server_id));
                let edit = Edit {
                    at: start..end,
                    bytes: client_id.as_bytes(),
                };
                splice(line, &[edit], out);
                out.push(b'\n');
            }
            Some(Reply::Oversized { limit }) => {
                let text = format!(
                    "server \"{}\" answered with a line over the limit of {limit} bytes, which was \
                     dropped; the call was executed",
                    ended.server
                );
                refuse(&client_id, Code::OversizedAnswer, &text, world);
            }
            None => {
                let wall = |at| self.wall(at);
                if let Some(said) = errors::explain(ended, wall) {
                    say(world, |out| {
                        messages::tool_error(&client_id, &said.text, &said.facts, out);
                    });
                }
            }
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

fn refuse(id: &str, code: Code, text: &str, world: &mut impl World) {
    say(world, |out| jsonrpc::error(id, code, text, out));
}

fn unknown_tool<W: World>(name: &str, engine: &Engine<W>) -> String {
    let servers: Vec<&str> = engine.servers().map(|(_, name, _)| name).collect();
    match names::split(name) {
        None => format!(
            "tool name {name:?} is missing the server prefix: expected \"<server>__<tool>\" with one \
             of the servers {servers:?}"
        ),
        Some((server, _)) => {
            format!("there is no server {server:?} here; the servers are {servers:?}")
        }
    }
}
