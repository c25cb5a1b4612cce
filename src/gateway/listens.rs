//! Streams of notifications that a client without a session has opened, and changes of resources,
//! which are told on them, or to the session.

use super::catalogue::{Changed, Found, Latecomers};
use super::client::{Client, refuse, say};
use super::waiting::NotYet;
use crate::engine::{Engine, ServerId, World};
use crate::protocol::bridge;
use crate::protocol::capabilities::Capabilities;
use crate::protocol::client_side::{self, Listened};
use crate::protocol::listing::ListKind;
use crate::wire::envelope::{Notification, Request};
use crate::wire::jsonrpc::ErrorCode;
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use crate::wire::splice::SpliceError;

/// So many streams of notifications may be open, with so many resources each.
const LISTENS_MAX: usize = 100;
const LISTENED_URIS_MAX: usize = 1_000;

/// An open stream.
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

/// Every open stream.
#[derive(Debug, Default)]
pub(super) struct Listens(Vec<Listen>);

impl Listens {
    /// Says on each stream which of the lists have changed that it is about.
    pub(super) fn tell(&self, changed: &Changed, world: &mut impl World) {
        for listen in &self.0 {
            let mut told = Vec::new();
            for kind in listen.kinds.intersection(changed) {
                if !told.contains(&kind.changed()) {
                    told.push(kind.changed());
                }
            }
            for method in told {
                let stream = Some(&listen.client_id);
                say(world, |out| client_side::changed(out, method, stream));
            }
        }
    }

    /// Ends every stream.
    pub(super) fn end(&mut self, world: &mut impl World) {
        for listen in std::mem::take(&mut self.0) {
            say(world, |out| {
                client_side::listen_ended(out, &listen.client_id);
            });
        }
    }

    fn is_watched(&self, server: ServerId, own_uri: &str) -> bool {
        let mut watched = self.0.iter().flat_map(|listen| &listen.resources);
        watched.any(|watched| watched.server == server && watched.own_uri == own_uri)
    }
}

impl Client {
    /// Opens a stream of notifications, once it is known whose each resource is.
    pub(super) fn listen<W: World>(
        &mut self,
        request: &Request<'_>,
        latecomers: Latecomers,
        engine: &mut Engine<W>,
    ) -> Result<(), NotYet> {
        let client_id = request.id.to_owned();
        let filter = request
            .params
            .and_then(|params| params.raw().member("notifications"))
            .filter(|filter| filter.is_object());
        let Some(filter) = filter else {
            let text =
                "subscriptions/listen takes an object `notifications` that says what to tell";
            refuse(&client_id, ErrorCode::InvalidParams, text, engine.world());
            return Ok(());
        };
        if self.listens.0.len() >= LISTENS_MAX {
            let text = format!(
                "{LISTENS_MAX} streams are open already; end one with notifications/cancelled"
            );
            refuse(&client_id, ErrorCode::Unavailable, &text, engine.world());
            return Ok(());
        }
        let resources = self.watched(filter, latecomers)?;
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
            client_side::listen_acknowledged(out, &client_id, &listened);
        });
        self.listens.0.push(Listen {
            client_id,
            kinds,
            resources,
        });
        Ok(())
    }

    /// The resources of which a stream with this filter can tell. A server that says what it can
    /// do, and does not say that it tells of changes, will not.
    fn watched(&self, filter: Raw<'_>, latecomers: Latecomers) -> Result<Vec<Watched>, NotYet> {
        let uris = filter.member("resourceSubscriptions");
        let uris = uris.into_iter().flat_map(Raw::elements);
        let mut resources = Vec::new();
        for uri in uris.filter_map(Raw::as_str).take(LISTENED_URIS_MAX) {
            match self.catalogue.locate(&uri, latecomers) {
                Found::At(server, own_uri) => {
                    let known = self.catalogue.capabilities_of(server);
                    if known.is_none_or(Capabilities::subscribes) {
                        resources.push(Watched {
                            server,
                            own_uri,
                            shown_uri: uri.into_owned(),
                        });
                    }
                }
                Found::NotYet => return Err(NotYet),
                Found::Several(_) | Found::Nowhere => {}
            }
        }
        Ok(resources)
    }

    /// Ends a stream, if there is one under this id.
    pub(super) fn stop_listening<W: World>(&mut self, id: &RequestId, engine: &mut Engine<W>) {
        let listens = &mut self.listens.0;
        let Some(at) = listens.iter().rposition(|listen| listen.client_id == *id) else {
            return;
        };
        let ended = listens.remove(at);
        for watched in ended.resources {
            if !self.listens.is_watched(watched.server, &watched.own_uri) {
                engine.unwatch(watched.server, &watched.own_uri);
            }
        }
    }

    /// A server tells that a resource has changed.
    pub(super) fn resource_updated(
        &self,
        server: ServerId,
        line: &[u8],
        notification: &Notification<'_>,
        world: &mut impl World,
    ) {
        let Some(params) = notification.params else {
            return;
        };
        let Ok(Some(uri)) = params.uri() else {
            return;
        };
        let params = params.raw();
        if self.speaker.has_session() {
            let shown = self.catalogue.shown_uri_of(server, &uri.decoded);
            let renamed = (shown != uri.decoded).then_some((uri.raw, shown.as_str()));
            let out = world.client(Some(server));
            end_line(bridge::off_stream(out, line, params, renamed), out);
        }
        for listen in &self.listens.0 {
            let watched = listen
                .resources
                .iter()
                .filter(|watched| watched.server == server && watched.own_uri == uri.decoded);
            for watched in watched {
                let shown = watched.shown_uri.as_str();
                let renamed = (shown != uri.decoded).then_some((uri.raw, shown));
                let (out, stream) = (world.client(Some(server)), &listen.client_id);
                end_line(bridge::on_stream(out, line, params, renamed, stream), out);
            }
        }
    }
}

fn end_line(written: Result<(), SpliceError>, out: &mut Vec<u8>) {
    // The edits were found in this line; were they not, nothing would have been written.
    if written.is_ok() {
        out.push(b'\n');
    }
}
