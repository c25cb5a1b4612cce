//! Lists that the client has asked for, and what it is told without asking: that a list has
//! changed, that a resource has, what a server says.
//!
//! Invariant: a client is told of a change of a list only if it has seen that list or listens for
//! it, once a turn, however much has changed.

use super::catalogue::{Changed, Found};
use super::client::{Client, Ending, refuse, say};
use super::speaker::Level;
use super::tasks;
use crate::engine::{Engine, Interest, ServerId, World};
use crate::protocol::client_side::{self, Listened};
use crate::protocol::listing::ListKind;
use crate::protocol::method;
use crate::wire::envelope::{Notification, Request};
use crate::wire::jsonrpc::{ErrorCode, quoted};
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use crate::wire::splice::{Edit, splice};
use rea_fsm::{Asks, Millis};

/// So many lists may wait at a time; more are answered at once.
const WAITING_LISTS_MAX: usize = 1_000;

/// So many streams of notifications may be open, with so many resources each.
const LISTENS_MAX: usize = 100;
const LISTENED_URIS_MAX: usize = 1_000;

/// A request for a list that waits for servers still starting.
#[derive(Debug)]
struct WaitingList {
    client_id: RequestId,
    kind: ListKind,
    asks: Asks,
    until: Millis,
}

/// A stream of notifications that a client without a session has opened.
#[derive(Debug)]
struct Listen {
    client_id: RequestId,
    kinds: Changed,
    resources: Vec<Watched>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Watched {
    server: ServerId,
    own_uri: String,
    shown_uri: String,
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
    listens: Vec<Listen>,
}

impl Notices {
    pub(super) fn new(list_budget_ms: Millis) -> Self {
        Self {
            list_budget_ms,
            lists: Vec::new(),
            shown: ListKind::ALL.map(|kind| (kind, Shown::Nothing)),
            changed: Changed::new(),
            listens: Vec::new(),
        }
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

    fn is_watched(&self, server: ServerId, own_uri: &str) -> bool {
        let mut watched = self.listens.iter().flat_map(|listen| &listen.resources);
        watched.any(|watched| watched.server == server && watched.own_uri == own_uri)
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
        for listen in &self.notices.listens {
            let mut told = Vec::new();
            for kind in listen.kinds.intersection(&changed) {
                if !told.contains(&kind.changed()) {
                    told.push(kind.changed());
                }
            }
            for method in told {
                let stream = Some(&listen.client_id);
                say(world, |out| client_side::changed(out, method, stream));
            }
        }
        let settled = self.catalogue.is_settled();
        for list in std::mem::take(&mut self.notices.lists) {
            let waited = self.now() >= list.until;
            let is_full = self.notices.lists.len() >= WAITING_LISTS_MAX;
            if settled || ending == Ending::Yes || waited || is_full {
                let catalogue = &self.catalogue;
                say(world, |out| {
                    client_side::list_result(out, &list.client_id, list.kind, list.asks, |out| {
                        catalogue.write(list.kind, out);
                    });
                });
                self.notices.has_shown(list.kind);
            } else {
                self.notices.lists.push(list);
            }
        }
        if ending == Ending::Yes {
            for listen in std::mem::take(&mut self.notices.listens) {
                say(world, |out| {
                    client_side::listen_ended(out, &listen.client_id);
                });
            }
        }
    }

    /// Opens a stream of notifications.
    pub(super) fn listen<W: World>(
        &mut self,
        client_id: &RequestId,
        request: &Request<'_>,
        engine: &mut Engine<W>,
    ) {
        let filter = request
            .params
            .and_then(|params| params.raw().member("notifications"))
            .filter(|filter| filter.is_object());
        let Some(filter) = filter else {
            let text =
                "subscriptions/listen takes an object `notifications` that says what to tell";
            return refuse(client_id, ErrorCode::InvalidParams, text, engine.world());
        };
        if self.notices.listens.len() >= LISTENS_MAX {
            let text = format!(
                "{LISTENS_MAX} streams are open already; end one with notifications/cancelled"
            );
            return refuse(client_id, ErrorCode::Unavailable, &text, engine.world());
        }
        let wants = |member| filter.member(member).and_then(Raw::as_bool) == Some(true);
        let mut kinds = Changed::new();
        for kind in ListKind::ALL {
            let member = match kind {
                ListKind::Tools => "toolsListChanged",
                ListKind::Prompts => "promptsListChanged",
                ListKind::Resources | ListKind::ResourceTemplates => "resourcesListChanged",
            };
            if wants(member) {
                kinds.insert(kind);
            }
        }
        let uris = filter.member("resourceSubscriptions");
        let uris = uris.into_iter().flat_map(Raw::elements);
        let resources: Vec<Watched> = uris
            .filter_map(Raw::as_str)
            .take(LISTENED_URIS_MAX)
            .filter_map(|uri| match self.catalogue.locate(&uri) {
                Found::At(server, own_uri) => Some(Watched {
                    server,
                    own_uri,
                    shown_uri: uri.into_owned(),
                }),
                Found::Several(_) | Found::Nowhere => None,
            })
            .collect();
        for watched in &resources {
            engine.watch(watched.server, &watched.own_uri);
        }
        let shown: Vec<&str> = resources
            .iter()
            .map(|watched| watched.shown_uri.as_str())
            .collect();
        let listened = Listened {
            tools: kinds.contains(&ListKind::Tools),
            prompts: kinds.contains(&ListKind::Prompts),
            resources: kinds.contains(&ListKind::Resources),
            uris: &shown,
        };
        say(engine.world(), |out| {
            client_side::listen_acknowledged(out, client_id, &listened);
        });
        self.notices.listens.push(Listen {
            client_id: client_id.clone(),
            kinds,
            resources,
        });
    }

    /// Ends a stream, if there is one under this id.
    pub(super) fn stop_listening<W: World>(&mut self, id: &RequestId, engine: &mut Engine<W>) {
        let listens = &mut self.notices.listens;
        let Some(at) = listens.iter().rposition(|listen| listen.client_id == *id) else {
            return;
        };
        let ended = listens.remove(at);
        for watched in ended.resources {
            if !self.notices.is_watched(watched.server, &watched.own_uri) {
                engine.unwatch(watched.server, &watched.own_uri);
            }
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

    fn resource_updated(
        &self,
        server: ServerId,
        line: &[u8],
        notification: &Notification<'_>,
        world: &mut impl World,
    ) {
        let uri = notification.params.map(|params| params.uri());
        let Some(Ok(Some(uri))) = uri else {
            return;
        };
        if self.speaker.has_session() {
            let shown = self.catalogue.shown_uri_of(server, &uri.decoded);
            let with = quoted(&shown);
            let mut edits = [Edit::replace(uri.raw, with.as_bytes())];
            let is_own = shown == uri.decoded;
            pass(
                server,
                line,
                if is_own { &mut [] } else { &mut edits },
                world,
            );
        }
        for listen in &self.notices.listens {
            let watched = listen
                .resources
                .iter()
                .filter(|watched| watched.server == server && watched.own_uri == uri.decoded);
            for watched in watched {
                say(world, |out| {
                    client_side::updated(out, &watched.shown_uri, &listen.client_id);
                });
            }
        }
    }
}

/// Passes a server's own line on, with these changes.
pub(super) fn pass(server: ServerId, line: &[u8], edits: &mut [Edit<'_>], world: &mut impl World) {
    let out = world.client(Some(server));
    // The edits were found in this line; were they not, nothing would have been written.
    if splice(line, edits, out).is_ok() {
        out.push(b'\n');
    }
}
