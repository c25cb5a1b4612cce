//! The tools of every server as the client sees them: one list, names with the server in front.
//!
//! The list is served from here and never waits for a server that has been listed before. A
//! tool's own bytes are kept; only its name is replaced.

use crate::engine::ServerId;
use crate::protocol::tool_page::Tool;
use rea_fsm::Leaf;
use std::collections::BTreeMap;

/// What is known of one server's tools.
#[derive(Debug)]
struct Shelf {
    tools: Vec<Tool>,
    /// Whether its list has arrived at least once, or can't be expected soon.
    settled: bool,
}

/// The merged list.
#[derive(Debug)]
pub(super) struct Catalogue {
    shelves: Vec<Shelf>,
    /// Where each shown name leads: the server, and the tool's place on its shelf.
    routes: BTreeMap<String, (ServerId, usize)>,
}

impl Catalogue {
    /// Nothing is known of so many servers.
    pub(super) fn new(servers: usize) -> Self {
        let shelves = (0..servers)
            .map(|_| Shelf {
                tools: Vec::new(),
                settled: false,
            })
            .collect();
        Self {
            shelves,
            routes: BTreeMap::new(),
        }
    }

    /// Takes in a server's whole list.
    pub(super) fn replace(&mut self, server: ServerId, tools: &[Tool]) {
        self.routes.retain(|_, (owner, _)| *owner != server);
        for (place, tool) in tools.iter().enumerate() {
            self.routes.insert(tool.shown_name.clone(), (server, place));
        }
        let entry = &mut self.shelves[server.index()];
        entry.tools = tools.to_vec();
        entry.settled = true;
    }

    /// Follows a server's state: whoever waits for a full list does not wait for a server that
    /// will not come soon.
    pub(super) fn follow(&mut self, server: ServerId, leaf: Leaf) {
        let entry = &mut self.shelves[server.index()];
        match leaf {
            Leaf::Ready
            | Leaf::Stuck
            | Leaf::Blocked
            | Leaf::FlapLocked
            | Leaf::Draining
            | Leaf::Terminating
            | Leaf::Closed => entry.settled = true,
            Leaf::Idle | Leaf::Connecting | Leaf::Suspect | Leaf::Backoff | Leaf::Reaping => {}
        }
    }

    /// Whether every server's list has arrived, or can't be expected soon.
    pub(super) fn is_settled(&self) -> bool {
        self.shelves.iter().all(|shelf| shelf.settled)
    }

    /// Every tool, in the registry's order and each server's own.
    pub(super) fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.shelves.iter().flat_map(|shelf| &shelf.tools)
    }

    /// The tool that is shown under this name.
    pub(super) fn find(&self, shown_name: &str) -> Option<(ServerId, &Tool)> {
        let (server, place) = self.routes.get(shown_name)?;
        Some((*server, self.shelves[server.index()].tools.get(*place)?))
    }
}
