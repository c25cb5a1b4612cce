//! Lists that the client has asked for, and what it is told without asking: that a list has
//! changed, what a server says. What it has opened streams for: [`super::listens`].
//!
//! Invariant: a client is told of a change of a list only if it has seen that list or listens for
//! it, once a turn, however much has changed.

use super::catalogue::{Catalogue, Changed};
use super::client::{Client, Ending, refuse, say};
use super::health;
use super::tasks;
use crate::engine::{Engine, Interest, ServerId, World};
use crate::protocol::client_side;
use crate::protocol::level::Level;
use crate::protocol::listing::ListKind;
use crate::protocol::method;
use crate::wire::envelope::{Notification, Request};
use crate::wire::jsonrpc::ErrorCode;
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use crate::wire::splice::{Edit, splice};
use rea_fsm::{Asks, Millis};

/// So many lists may wait at a time; more are answered at once.
const WAITING_LISTS_MAX: usize = 1_000;

/// A request for a list that waits for servers still starting.
#[derive(Debug)]
struct WaitingList {
    client_id: RequestId,
    kind: ListKind,
    asks: Asks,
    until: Millis,
}

/// What the client knows of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    Current,
    Outdated,
}

/// What the client waits for, and what it has to be told.
#[derive(Debug)]
pub(super) struct Notices {
    list_budget_ms: Millis,
    lists: Vec<WaitingList>,
    shown: [(ListKind, Shown); 4],
    changed: Changed,
}

impl Notices {
    pub(super) fn new(list_budget_ms: Millis) -> Self {
        Self {
            list_budget_ms,
            lists: Vec::new(),
            shown: ListKind::ALL.map(|kind| (kind, Shown::Nothing)),
            changed: Changed::new(),
        }
    }

    /// How long a list waits for servers still starting.
    pub(super) const fn list_budget_ms(&self) -> Millis {
        self.list_budget_ms
    }

    pub(super) const fn waiting(&self) -> usize {
        self.lists.len()
    }

    pub(super) fn next_due(&self) -> Option<Millis> {
        self.lists.iter().map(|list| list.until).min()
    }

    /// Lists of these kinds are not what they were.
    pub(super) fn changed(&mut self, kinds: &Changed) {
        self.changed.extend(kinds);
        for (kind, shown) in &mut self.shown {
            if kinds.contains(kind) && *shown == Shown::Current {
                *shown = Shown::Outdated;
            }
        }
    }

    /// Which notifications a client with a session has to get now.
    fn outdated(&mut self) -> Vec<&'static str> {
        let mut methods = Vec::new();
        for (kind, shown) in &mut self.shown {
            if *shown == Shown::Outdated {
                *shown = Shown::Current;
                if !methods.contains(&kind.changed()) {
                    methods.push(kind.changed());
                }
            }
        }
        methods
    }

    fn has_shown(&mut self, listed: ListKind) {
        for (kind, shown) in &mut self.shown {
            if *kind == listed {
                *shown = Shown::Current;
            }
        }
    }
}

impl Client {
    pub(super) fn list<W: World>(
        &mut self,
        client_id: RequestId,
        kind: ListKind,
        asks: Asks,
        request: &Request<'_>,
        engine: &mut Engine<W>,
    ) {
        if let Some(Ok(Some(cursor))) = request.params.map(|params| params.cursor()) {
            let text = format!(
                "unknown cursor {}: the list comes on one page",
                cursor.raw.text()
            );
            return refuse(&client_id, ErrorCode::InvalidParams, &text, engine.world());
        }
        let until = self.now().plus(self.notices.list_budget_ms);
        self.notices.lists.push(WaitingList {
            client_id,
            kind,
            asks,
            until,
        });
    }

    /// Answers the lists that need not wait any longer, and says what has changed.
    pub(super) fn settle_notices(&mut self, ending: Ending, world: &mut impl World) {
        let changed = std::mem::take(&mut self.notices.changed);
        if self.speaker.has_session() {
            for method in self.notices.outdated() {
                say(world, |out| client_side::changed(out, method, None));
            }
        }
        self.listens.tell(&changed, world);
        let settled = self.catalogue.is_settled();
        for list in std::mem::take(&mut self.notices.lists) {
            let waited = self.now() >= list.until;
            let is_full = self.notices.lists.len() >= WAITING_LISTS_MAX;
            if settled || ending == Ending::Yes || waited || is_full {
                let catalogue = &self.catalogue;
                say(world, |out| {
                    client_side::list_result(out, &list.client_id, list.kind, list.asks, |out| {
                        write_entries(catalogue, list.kind, out);
                    });
                });
                self.notices.has_shown(list.kind);
            } else {
                self.notices.lists.push(list);
            }
        }
        if ending == Ending::Yes {
            self.listens.end(world);
        }
    }

    /// Whether the client wants to hear what a server tells of its own accord.
    pub(super) fn interest_in(
        &self,
        server: ServerId,
        notification: &Notification<'_>,
    ) -> Interest {
        let is_wanted = match notification.method.as_ref() {
            method::MESSAGE => {
                let level = notification
                    .params
                    .and_then(|params| params.raw().member("level"))
                    .and_then(Raw::as_str)
                    .and_then(|level| Level::named(&level));
                self.speaker.wants(level) || self.is_wanted_by_a_call(server, level)
            }
            method::RESOURCES_UPDATED => true,
            // Whoever has no session is told what it has asked for.
            _ => self.speaker.has_session(),
        };
        if is_wanted {
            Interest::Some
        } else {
            Interest::None
        }
    }

    /// A server tells what the client wants to hear.
    pub(super) fn server_tells(
        &mut self,
        server: ServerId,
        line: &[u8],
        notification: &Notification<'_>,
        world: &mut impl World,
    ) {
        match notification.method.as_ref() {
            method::RESOURCES_UPDATED => self.resource_updated(server, line, notification, world),
            method::TASKS_STATUS | method::TASKS_TOLD => {
                let told = notification.params.map(|params| params.raw());
                let renamed = told.map(|told| self.task_told(server, told));
                let renamed = renamed.unwrap_or_default();
                pass(server, line, &mut tasks::edits(&renamed), world);
            }
            _ => {
                let related = self.related(server, line);
                pass(server, line, &mut tasks::edits(&related), world);
            }
        }
    }

    /// Whether a call of a client without a session wants to hear a message of its server.
    fn is_wanted_by_a_call(&self, server: ServerId, level: Option<Level>) -> bool {
        let level = level.unwrap_or(Level::Info);
        let mut calls = self.calls.values();
        calls.any(|call| call.server == server && call.level.is_some_and(|wanted| level >= wanted))
    }
}

/// Every entry of a list, the gateway's own tool first.
fn write_entries(catalogue: &Catalogue, kind: ListKind, out: &mut Vec<u8>) {
    if kind == ListKind::Tools {
        out.extend_from_slice(health::HEALTH_TOOL.as_bytes());
        if !catalogue.is_empty(kind) {
            out.push(b',');
        }
    }
    catalogue.write(kind, out);
}

/// Passes a server's own line on, with these changes.
pub(super) fn pass(server: ServerId, line: &[u8], edits: &mut [Edit<'_>], world: &mut impl World) {
    let out = world.client(Some(server));
    // The edits were found in this line; were they not, nothing would have been written.
    if splice(line, edits, out).is_ok() {
        out.push(b'\n');
    }
}
