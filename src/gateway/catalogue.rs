//! What every server offers, as the client sees it: one list of each kind.
//!
//! A list is served from here and never waits for a server that has been listed before. An entry's
//! own bytes are kept; only its name is replaced. A resource keeps its URI as long as one server
//! alone has it.

use crate::engine::{self, Lists, ServerId};
use crate::protocol::capabilities::{self, Capabilities};
use crate::protocol::listing::{Entry, ListKind};
use crate::protocol::resource_uri;
use crate::protocol::server_side::ServerOffer;
use crate::protocol::uri_template::UriTemplate;
use rea_fsm::{Leaf, Millis};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of one server.
#[derive(Debug)]
struct Known {
    name: String,
    /// What it says of itself; none if it has never said anything.
    offer: Option<ServerOffer>,
    lists: Lists,
    templates: Vec<(UriTemplate, usize)>,
    /// Whether its lists have arrived at least once, or can't be expected soon.
    settled: bool,
    presence: Presence,
}

/// Whether a server's entries are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    /// It is connected.
    Here,
    /// It is not, since then; what it had stays listed for a while.
    Missed(Millis),
    /// It has been away for so long that nothing of it is listed.
    Gone,
}

/// Which kinds of lists are not what they were.
pub(super) type Changed = BTreeSet<ListKind>;

/// The merged lists.
#[derive(Debug)]
pub(super) struct Catalogue {
    servers: Vec<Known>,
    keep_ms: Millis,
    /// Which servers have tasks, ascending.
    with_tasks: Vec<ServerId>,
    /// Where each shown name leads: the server, and the entry's place in its list.
    routes: BTreeMap<(ListKind, String), Vec<(ServerId, usize)>>,
}

/// Where a resource is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// With this server, under its own URI.
    At(ServerId, String),
    /// With each of these: the URI has to say which.
    Several(Vec<ServerId>),
    /// With nobody.
    Nowhere,
    /// Servers are still starting that may have it.
    NotYet,
}

/// What of servers that are starting and have not said yet what they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Latecomers {
    /// Whether they have something is waited for.
    Awaited,
    /// They were waited for, or nobody can wait.
    Ignored,
}

impl Catalogue {
    /// Nothing is known of these servers.
    pub(super) fn new(names: &[String], keep_ms: Millis) -> Self {
        let servers = names
            .iter()
            .map(|name| Known {
                name: name.clone(),
                offer: None,
                lists: Lists::new(),
                templates: Vec::new(),
                settled: false,
                presence: Presence::Missed(Millis::ZERO),
            })
            .collect();
        Self {
            servers,
            keep_ms,
            with_tasks: Vec::new(),
            routes: BTreeMap::new(),
        }
    }

    /// Takes in what was known of a server in an earlier session. It is shown until the server
    /// says otherwise.
    pub(super) fn remember(&mut self, server: ServerId, catalogue: engine::Catalogue<'_>) {
        self.take(server, catalogue);
        self.servers[server.index()].settled = true;
    }

    /// Takes in what a server says of itself and lists.
    pub(super) fn replace(
        &mut self,
        server: ServerId,
        catalogue: engine::Catalogue<'_>,
    ) -> Changed {
        let changed = self.take(server, catalogue);
        self.servers[server.index()].settled = true;
        changed
    }

    fn take(&mut self, server: ServerId, catalogue: engine::Catalogue<'_>) -> Changed {
        let known = &mut self.servers[server.index()];
        let capabilities = &catalogue.offer.capabilities;
        // A list that has not arrived is what it was.
        let lists: Lists = ListKind::ALL
            .into_iter()
            .filter(|kind| capabilities.lists(*kind))
            .filter_map(|kind| {
                let had = || known.lists.get(&kind);
                let entries = catalogue.lists.get(&kind).or_else(had)?;
                Some((kind, entries.clone()))
            })
            .collect();
        let nothing = Vec::new();
        let changed: Changed = ListKind::ALL
            .into_iter()
            .filter(|kind| {
                let old = known.lists.get(kind).unwrap_or(&nothing);
                old != lists.get(kind).unwrap_or(&nothing)
            })
            .collect();
        known.offer = Some(catalogue.offer.clone());
        self.with_tasks.retain(|with_tasks| *with_tasks != server);
        if capabilities.has_tasks() {
            self.with_tasks.push(server);
            self.with_tasks.sort_unstable();
        }
        if changed.is_empty() {
            return changed;
        }
        self.routes.retain(|_, owners| {
            owners.retain(|(owner, _)| *owner != server);
            !owners.is_empty()
        });
        let known = &mut self.servers[server.index()];
        known.lists = lists;
        known.templates.clear();
        for (kind, entries) in &known.lists {
            for (place, entry) in entries.iter().enumerate() {
                let owners = self
                    .routes
                    .entry((*kind, entry.shown_name.clone()))
                    .or_default();
                // Of two entries of one server with the same name the later counts.
                owners.retain(|(owner, _)| *owner != server);
                owners.push((server, place));
                if *kind == ListKind::ResourceTemplates
                    && let Some(template) = UriTemplate::parse(&entry.name)
                {
                    known.templates.push((template, place));
                }
            }
        }
        changed
    }

    /// Everything that a server is known to list.
    pub(super) fn lists_of(&self, server: ServerId) -> &Lists {
        &self.servers[server.index()].lists
    }

    /// Follows a server's state: whoever waits for a full list does not wait for a server that
    /// will not come soon, and what a server had is not listed for ever.
    pub(super) fn follow(&mut self, server: ServerId, leaf: Leaf, now: Millis) -> Changed {
        let known = &mut self.servers[server.index()];
        match leaf {
            Leaf::Ready
            | Leaf::Stuck
            | Leaf::Blocked
            | Leaf::FlapLocked
            | Leaf::Draining
            | Leaf::Terminating
            | Leaf::Closed => known.settled = true,
            Leaf::Idle | Leaf::Connecting | Leaf::Suspect | Leaf::Backoff | Leaf::Reaping => {}
        }
        let before = known.presence;
        known.presence = match (leaf, before) {
            (Leaf::Ready | Leaf::Suspect, _) => Presence::Here,
            (_, Presence::Here) => Presence::Missed(now),
            (_, Presence::Missed(_) | Presence::Gone) => before,
        };
        if before == Presence::Gone && known.presence == Presence::Here {
            known.listed_kinds()
        } else {
            Changed::new()
        }
    }

    /// Takes away what has been missed for too long.
    pub(super) fn forget_missed(&mut self, now: Millis) -> Changed {
        let mut changed = Changed::new();
        for known in &mut self.servers {
            if let Presence::Missed(since) = known.presence
                && now >= since.plus(self.keep_ms)
            {
                known.presence = Presence::Gone;
                changed.extend(known.listed_kinds());
            }
        }
        changed
    }

    /// When time alone takes something away.
    pub(super) fn next_due(&self) -> Option<Millis> {
        let due = self
            .servers
            .iter()
            .filter_map(|known| match known.presence {
                Presence::Missed(since) => Some(since.plus(self.keep_ms)),
                Presence::Here | Presence::Gone => None,
            });
        due.min()
    }

    /// Whether every server's lists have arrived, or can't be expected soon.
    pub(super) fn is_settled(&self) -> bool {
        self.servers.iter().all(|known| known.settled)
    }

    /// Every entry of a kind, in the registry's order and each server's own, as it is shown.
    pub(super) fn write(&self, kind: ListKind, out: &mut Vec<u8>) {
        let mut is_first = true;
        for (known, entry) in self.entries(kind) {
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            match self.shown_uri(kind, known, entry) {
                Some(uri) => entry.write_named(&uri, out),
                None => out.extend_from_slice(&entry.json),
            }
        }
    }

    /// Whether nothing of a kind is listed.
    pub(super) fn is_empty(&self, kind: ListKind) -> bool {
        self.entries(kind).next().is_none()
    }

    fn entries(&self, kind: ListKind) -> impl Iterator<Item = (&Known, &Entry)> {
        let listed = self
            .servers
            .iter()
            .filter(|known| known.presence != Presence::Gone);
        listed.flat_map(move |known| {
            let entries = known.lists.get(&kind).into_iter().flatten();
            entries.map(move |entry| (known, entry))
        })
    }

    /// The URI that an entry is shown under, if it is not its own.
    fn shown_uri(&self, kind: ListKind, known: &Known, entry: &Entry) -> Option<String> {
        match kind {
            ListKind::Tools | ListKind::Prompts => None,
            ListKind::Resources | ListKind::ResourceTemplates => {
                let owners = self.routes.get(&(kind, entry.name.clone()));
                let is_shared = owners.is_some_and(|owners| owners.len() > 1);
                (is_shared || resource_uri::needs_prefix(&entry.name))
                    .then(|| resource_uri::qualify(&known.name, &entry.name))
            }
        }
    }

    /// The URI under which clients know a server's resource.
    pub(super) fn shown_uri_of(&self, server: ServerId, own: &str) -> String {
        let key = (ListKind::Resources, own.to_owned());
        let is_shared = self.routes.get(&key).is_some_and(|owners| owners.len() > 1);
        if is_shared || resource_uri::needs_prefix(own) {
            resource_uri::qualify(&self.servers[server.index()].name, own)
        } else {
            own.to_owned()
        }
    }

    /// The tool or prompt that is shown under this name.
    pub(super) fn find(&self, kind: ListKind, shown_name: &str) -> Option<(ServerId, &Entry)> {
        let owners = self.routes.get(&(kind, shown_name.to_owned()))?;
        let (server, place) = owners.first()?;
        let entries = self.servers[server.index()].lists.get(&kind)?;
        Some((*server, entries.get(*place)?))
    }

    /// Where a resource is. One that nobody has listed may fit a template; else only a server
    /// that has resources at all can know it. What nothing is known of may have some, but counts
    /// only if nobody is known to.
    pub(super) fn locate(&self, uri: &str, latecomers: Latecomers) -> Found {
        if let Some((name, own)) = resource_uri::split(uri)
            && let Some(server) = self.named(name)
        {
            return Found::At(server, own.to_owned());
        }
        for kind in [ListKind::Resources, ListKind::ResourceTemplates] {
            if let Some(owners) = self.routes.get(&(kind, uri.to_owned())) {
                return found(owners.iter().map(|(server, _)| *server).collect(), uri);
            }
        }
        let fitting = self.fitting(uri);
        if !fitting.is_empty() {
            return found(fitting, uri);
        }
        let (mut having, mut unknown, mut awaited) = (Vec::new(), Vec::new(), 0);
        for (server, known) in (0..).map(ServerId).zip(&self.servers) {
            match &known.offer {
                Some(offer) if offer.capabilities.lists(ListKind::Resources) => having.push(server),
                Some(_) => {}
                None => {
                    unknown.push(server);
                    awaited += usize::from(!known.settled);
                }
            }
        }
        let may_have_it = having.len() + unknown.len();
        if latecomers == Latecomers::Awaited && awaited > 0 && may_have_it > 1 {
            return Found::NotYet;
        }
        found(if having.is_empty() { unknown } else { having }, uri)
    }

    /// The servers with the most specific template that a URI fits.
    fn fitting(&self, uri: &str) -> Vec<ServerId> {
        let mut best = 0;
        let mut servers = Vec::new();
        for (server, known) in (0..).map(ServerId).zip(&self.servers) {
            let fitting = known.templates.iter().filter(|(fits, _)| fits.matches(uri));
            let Some(literal) = fitting.map(|(fits, _)| fits.literal_prefix_bytes()).max() else {
                continue;
            };
            if literal > best {
                servers.clear();
                best = literal;
            }
            if literal == best {
                servers.push(server);
            }
        }
        servers
    }

    /// The server of this name.
    pub(super) fn named(&self, name: &str) -> Option<ServerId> {
        let index = self.servers.iter().position(|known| known.name == name)?;
        u32::try_from(index).ok().map(ServerId)
    }

    /// What the gateway can do: whatever one of its servers can.
    pub(super) fn capabilities(&self) -> String {
        capabilities::union(self.servers.iter().map(|known| {
            let offer = known.offer.as_ref();
            offer.map(|offer| &offer.capabilities)
        }))
    }

    /// The servers that have said that they have tasks.
    pub(super) fn with_tasks(&self) -> &[ServerId] {
        &self.with_tasks
    }

    /// Those of them that list their tasks and are there.
    pub(super) fn listing_tasks(&self) -> impl Iterator<Item = ServerId> + '_ {
        let with_tasks = self.with_tasks.iter().copied();
        with_tasks.filter(|server| {
            let known = &self.servers[server.index()];
            let offer = known.offer.as_ref();
            known.presence == Presence::Here
                && offer.is_some_and(|offer| offer.capabilities.lists_tasks())
        })
    }

    /// What a server is called.
    pub(super) fn name_of(&self, server: ServerId) -> &str {
        &self.servers[server.index()].name
    }

    /// What a server can do, if it has ever said so.
    pub(super) fn capabilities_of(&self, server: ServerId) -> Option<&Capabilities> {
        let offer = self.servers[server.index()].offer.as_ref()?;
        Some(&offer.capabilities)
    }

    /// What a model should know of the servers, under their names.
    pub(super) fn instructions(&self) -> Option<String> {
        let said = self.servers.iter().filter_map(|known| {
            let instructions = known.offer.as_ref()?.instructions.as_ref()?;
            Some(format!("# {}\n\n{}", known.name, instructions.trim_end()))
        });
        let said: Vec<String> = said.collect();
        (!said.is_empty()).then(|| said.join("\n\n"))
    }
}

impl Known {
    fn listed_kinds(&self) -> Changed {
        let listed = self.lists.iter().filter(|(_, entries)| !entries.is_empty());
        listed.map(|(kind, _)| *kind).collect()
    }
}

fn found(servers: Vec<ServerId>, own: &str) -> Found {
    match servers.as_slice() {
        [] => Found::Nowhere,
        [server] => Found::At(*server, own.to_owned()),
        [..] => Found::Several(servers),
    }
}
