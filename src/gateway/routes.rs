//! Which server a request is for, what that server calls its object, and whether a loss may be
//! repaired by sending it again.

use super::answers::AnswerForm;
use super::catalogue::{Found, Latecomers};
use super::client::Client;
use super::labels;
use super::tasks::Outcome;
use crate::engine::{Engine, Label, ServerId, Watch, World};
use crate::protocol::listing::ListKind;
use crate::protocol::{bridge, method, resource_uri, task, tool_name};
use crate::wire::envelope::Request;
use crate::wire::jsonrpc::{ErrorCode, quoted};
use crate::wire::params::MemberError;
use crate::wire::raw::Raw;
use rea_fsm::{CallClass, Millis};

/// Where a request goes.
pub(super) struct Route<'a> {
    pub(super) server: ServerId,
    /// What the log calls it.
    pub(super) label: Label,
    /// What names its object, and the JSON text with which the server is told so. None if both call
    /// it the same.
    pub(super) replaced: Option<(Raw<'a>, String)>,
    /// The name as the client gave it.
    pub(super) name: String,
    pub(super) form: AnswerForm,
    pub(super) class: CallClass,
    pub(super) timeout_ms: Millis,
    pub(super) watch: Watch,
    pub(super) outcome: Outcome,
}

/// Why a request goes nowhere.
pub(super) struct Astray {
    pub(super) code: ErrorCode,
    pub(super) text: String,
}

impl Astray {
    pub(super) fn params(text: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::InvalidParams,
            text: text.into(),
        }
    }
}

/// Why a request is not passed on.
pub(super) enum NoRoute {
    /// It goes nowhere.
    Astray(Astray),
    /// It waits for servers that are starting.
    NotYet,
}

impl<T: Into<Astray>> From<T> for NoRoute {
    fn from(astray: T) -> Self {
        Self::Astray(astray.into())
    }
}

impl From<MemberError> for Astray {
    fn from(error: MemberError) -> Self {
        Self::params(error.to_string())
    }
}

impl Client {
    pub(super) fn route<'a, W: World>(
        &self,
        request: &Request<'a>,
        latecomers: Latecomers,
        engine: &Engine<W>,
    ) -> Result<Route<'a>, NoRoute> {
        match request.method.as_ref() {
            method::TOOLS_CALL => Ok(self.to_named(ListKind::Tools, request, engine)?),
            method::PROMPTS_GET => Ok(self.to_named(ListKind::Prompts, request, engine)?),
            method::RESOURCES_READ
            | method::RESOURCES_SUBSCRIBE
            | method::RESOURCES_UNSUBSCRIBE => self.to_resource(request, latecomers, engine),
            method::COMPLETE => self.to_completion(request, latecomers, engine),
            method::TASKS_GET
            | method::TASKS_RESULT
            | method::TASKS_CANCEL
            | method::TASKS_UPDATE => Ok(self.to_task_owner(request)?),
            method::TASKS_LIST => Ok(self.to_task_list(request)?),
            method => Err(NoRoute::from(Astray {
                code: ErrorCode::MethodNotFound,
                text: format!("unknown method {method:?}"),
            })),
        }
    }

    /// What all routes but those of tools have in common.
    fn read_only<'a>(
        &self,
        server: ServerId,
        request: &Request<'a>,
        name: String,
        replaced: Option<(Raw<'a>, String)>,
    ) -> Route<'a> {
        let label = Label::Request(labels::label(
            &format!("{} {name}", request.method),
            &self.redact,
        ));
        let timeout_ms = self.policies[server.index()].timeout_ms;
        Route {
            server,
            label,
            replaced,
            name,
            form: AnswerForm::Error,
            class: CallClass::ReadOnly,
            timeout_ms,
            watch: Watch::Neither,
            outcome: Outcome::Answer,
        }
    }

    /// To the server whose name stands in front. A name that its server has not listed is passed
    /// on too: the server knows best, and its list may be on its way.
    fn to_named<'a, W: World>(
        &self,
        kind: ListKind,
        request: &Request<'a>,
        engine: &Engine<W>,
    ) -> Result<Route<'a>, Astray> {
        let needs = || {
            let (method, what) = (&request.method, thing(kind));
            Astray::params(format!("{method} takes an object with the {what}'s `name`"))
        };
        let name = request.params.ok_or_else(needs)?.name()?;
        let name = name.ok_or_else(needs)?;
        let (server, own, hinted) = self.named(kind, &name.decoded, engine)?;
        let replaced = Some((name.raw, quoted(&own)));
        if kind == ListKind::Prompts {
            let shown = name.decoded.into_owned();
            return Ok(self.read_only(server, request, shown, replaced));
        }
        let (class, timeout_ms) = self.policies[server.index()].terms(&own, hinted);
        Ok(Route {
            server,
            label: Label::Tool(self.labels.of(&own, &self.redact)),
            replaced,
            name: name.decoded.into_owned(),
            form: AnswerForm::ToolResult,
            class,
            timeout_ms,
            watch: Watch::Neither,
            outcome: Outcome::Answer,
        })
    }

    fn named<W: World>(
        &self,
        kind: ListKind,
        shown: &str,
        engine: &Engine<W>,
    ) -> Result<(ServerId, String, CallClass), Astray> {
        if let Some((server, entry)) = self.catalogue.find(kind, shown) {
            return Ok((server, entry.name.clone(), entry.hinted_class));
        }
        let owner = tool_name::split(shown).and_then(|(server_name, own)| {
            let mut servers = engine.servers();
            let (server, _, _) = servers.find(|(_, name, _)| *name == server_name)?;
            Some((server, own.to_owned(), CallClass::Unsafe))
        });
        owner.ok_or_else(|| Astray::params(unknown_name(kind, shown, engine)))
    }

    fn to_resource<'a, W: World>(
        &self,
        request: &Request<'a>,
        latecomers: Latecomers,
        engine: &Engine<W>,
    ) -> Result<Route<'a>, NoRoute> {
        let needs = || {
            let method = &request.method;
            Astray::params(format!(
                "{method} takes an object with the resource's `uri`"
            ))
        };
        let uri = request.params.ok_or_else(needs)?.uri()?;
        let uri = uri.ok_or_else(needs)?;
        let (server, own) = self.owner_of(&uri.decoded, latecomers, engine)?;
        let replaced = (own != uri.decoded).then(|| (uri.raw, quoted(&own)));
        let mut route = self.read_only(server, request, uri.decoded.into_owned(), replaced);
        match request.method.as_ref() {
            method::RESOURCES_SUBSCRIBE => route.watch = Watch::Begin(own),
            method::RESOURCES_UNSUBSCRIBE => route.watch = Watch::End(own),
            _ => route.form = AnswerForm::Cacheable,
        }
        Ok(route)
    }

    fn owner_of<W: World>(
        &self,
        uri: &str,
        latecomers: Latecomers,
        engine: &Engine<W>,
    ) -> Result<(ServerId, String), NoRoute> {
        match self.catalogue.locate(uri, latecomers) {
            Found::At(server, own) => Ok((server, own)),
            Found::Several(servers) => {
                let uris: Vec<String> = servers
                    .iter()
                    .map(|server| resource_uri::qualify(engine.name(*server), uri))
                    .collect();
                Err(NoRoute::from(Astray::params(format!(
                    "several servers may have {uri:?}; say which: {}",
                    uris.join(", ")
                ))))
            }
            Found::Nowhere => Err(NoRoute::from(Astray::params(format!(
                "no server here has resources, so none has {uri:?}"
            )))),
            Found::NotYet => Err(NoRoute::NotYet),
        }
    }

    fn to_completion<'a, W: World>(
        &self,
        request: &Request<'a>,
        latecomers: Latecomers,
        engine: &Engine<W>,
    ) -> Result<Route<'a>, NoRoute> {
        let needs = || {
            Astray::params(
                "completion/complete takes a `ref` to a prompt ({\"type\": \"ref/prompt\", \"name\"}) \
                 or a resource ({\"type\": \"ref/resource\", \"uri\"})",
            )
        };
        let params = request.params.ok_or_else(needs)?.raw();
        let reference = params.member("ref").ok_or_else(needs)?;
        let kind = reference.member("type").and_then(Raw::as_str);
        match kind.as_deref() {
            Some("ref/prompt") => {
                let raw = reference.member("name").ok_or_else(needs)?;
                let name = raw.as_str().ok_or_else(needs)?;
                let (server, own, _) = self.named(ListKind::Prompts, &name, engine)?;
                Ok(self.read_only(
                    server,
                    request,
                    name.into_owned(),
                    Some((raw, quoted(&own))),
                ))
            }
            Some("ref/resource") => {
                let raw = reference.member("uri").ok_or_else(needs)?;
                let uri = raw.as_str().ok_or_else(needs)?;
                let (server, own) = self.owner_of(&uri, latecomers, engine)?;
                let replaced = (own != uri).then(|| (raw, quoted(&own)));
                Ok(self.read_only(server, request, uri.into_owned(), replaced))
            }
            Some(_) | None => Err(NoRoute::from(needs())),
        }
    }

    /// To the server whose task it is.
    fn to_task_owner<'a>(&self, request: &Request<'a>) -> Result<Route<'a>, Astray> {
        let task = match request.params {
            Some(params) => params.other("taskId")?,
            None => None,
        };
        let shown = task.as_ref().map_or("", |task| &task.decoded);
        let (server, own) = self.task_at(shown)?;
        let replaced = task
            .as_ref()
            .filter(|_| own != shown)
            .map(|task| (task.raw, quoted(&own)));
        let mut route = self.read_only(server, request, shown.to_owned(), replaced);
        (route.class, route.outcome) = match request.method.as_ref() {
            method::TASKS_CANCEL => (CallClass::Idempotent, Outcome::Cancelled(own)),
            method::TASKS_RESULT => (CallClass::ReadOnly, Outcome::Result(own)),
            // What a client was asked for is delivered once.
            method::TASKS_UPDATE => (CallClass::Unsafe, Outcome::State(own)),
            _ => (CallClass::ReadOnly, Outcome::State(own)),
        };
        Ok(route)
    }

    /// To the one server with tasks. Where several have them, to the first that lists them, and
    /// then to the one that the cursor names.
    fn to_task_list<'a>(&self, request: &Request<'a>) -> Result<Route<'a>, Astray> {
        let cursor = match request.params {
            Some(params) => params.cursor()?,
            None => None,
        };
        let mut replaced = None;
        let server = match (self.catalogue.with_tasks(), &cursor) {
            ([], _) => self.task_at("")?.0,
            ([server], _) => *server,
            ([first, ..], None) => self.catalogue.listing_tasks().next().unwrap_or(*first),
            ([..], Some(cursor)) => {
                let (name, own) = task::split_cursor(&cursor.decoded);
                let server = self.catalogue.named(name);
                let server = server.ok_or_else(|| {
                    Astray::params(format!("unknown cursor {}", cursor.raw.text()))
                })?;
                replaced = match own {
                    Some(own) => Some((cursor.raw, quoted(own))),
                    None => request.params.map(|params| {
                        let params = params.raw();
                        (params, bridge::without(params, &["cursor"]))
                    }),
                };
                server
            }
        };
        let name = cursor.map_or_else(String::new, |cursor| cursor.decoded.into_owned());
        let mut route = self.read_only(server, request, name, replaced);
        route.outcome = Outcome::Page;
        Ok(route)
    }
}

const fn thing(kind: ListKind) -> &'static str {
    match kind {
        ListKind::Tools => "tool",
        ListKind::Prompts => "prompt",
        ListKind::Resources | ListKind::ResourceTemplates => "resource",
    }
}

fn unknown_name<W: World>(kind: ListKind, name: &str, engine: &Engine<W>) -> String {
    let what = thing(kind);
    let servers: Vec<&str> = engine.servers().map(|(_, name, _)| name).collect();
    match tool_name::split(name) {
        None => format!(
            "{what} name {name:?} is missing the server prefix: expected \"<server>__<{what}>\" with one \
             of the servers {servers:?}"
        ),
        Some((server, _)) => {
            format!("there is no server {server:?} here; the servers are {servers:?}")
        }
    }
}
