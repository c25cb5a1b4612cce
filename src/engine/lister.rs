//! Everything that a server lists, page after page, until all of it is there.
//!
//! Invariant: what was listed before stays until a whole new list has arrived; a list that can't
//! be had leaves the old one. Lists are bounded in pages, entries and bytes.

use super::complaints::{Complaints, Fault};
use crate::protocol::capabilities::Capabilities;
use crate::protocol::listing::{ENTRIES_MAX, Entry, ListKind, Page};
use crate::wire::raw::Raw;
use std::collections::{BTreeMap, BTreeSet};
use tracing::{info, warn};

/// A list is given up when it has more pages or bytes than this; nobody could use it.
const PAGES_MAX: usize = 1_000;
const BYTES_MAX: usize = 64 << 20;

/// A server's lists by kind. A kind that it does not offer has none.
pub type Lists = BTreeMap<ListKind, Vec<Entry>>;

/// What follows from an answer.
pub(super) enum Listed {
    /// Ask for the page that this cursor leads to.
    Next(ListKind, String),
    /// Others are still out.
    Open,
    /// Everything that could be had is there.
    All {
        /// Digest over all lists.
        digest: u64,
        /// How many tools there are.
        tools: u32,
    },
    /// Nothing could be had.
    Nothing,
}

/// The lists, and the listing under way.
pub(super) struct Lister {
    server: String,
    lists: Lists,
    /// Which kinds may have changed since they were listed.
    outdated: BTreeSet<ListKind>,
    open: BTreeMap<ListKind, Partial>,
    arrived: usize,
}

#[derive(Default)]
struct Partial {
    entries: Vec<Entry>,
    cursors: BTreeSet<String>,
    bytes: usize,
    malformed: usize,
}

impl Partial {
    fn count(&self) -> usize {
        self.entries.len() + self.malformed
    }

    fn is_too_much(&self) -> bool {
        self.bytes > BYTES_MAX || self.cursors.len() >= PAGES_MAX || self.count() > ENTRIES_MAX
    }
}

impl Lister {
    pub(super) fn new(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            lists: Lists::new(),
            outdated: BTreeSet::new(),
            open: BTreeMap::new(),
            arrived: 0,
        }
    }

    /// A new process has said what it offers: everything is listed anew.
    pub(super) fn offered(&mut self, capabilities: &Capabilities) {
        self.open.clear();
        self.outdated = ListKind::ALL
            .into_iter()
            .filter(|kind| capabilities.lists(*kind))
            .collect();
        let outdated = &self.outdated;
        self.lists.retain(|kind, _| outdated.contains(kind));
        for kind in outdated {
            self.lists.entry(*kind).or_default();
        }
    }

    /// The server says that a list is another one now. Only the first time since it was listed: the
    /// machine knows already.
    pub(super) fn changed(&mut self, notification: &str) -> Change {
        let mut change = Change::None;
        for kind in ListKind::ALL {
            if kind.changed() == notification
                && self.lists.contains_key(&kind)
                && self.outdated.insert(kind)
            {
                change = Change::Known;
            }
        }
        change
    }

    /// Begins to list what is outdated, or everything if nobody knows what is.
    pub(super) fn begin(&mut self) -> Vec<ListKind> {
        if self.outdated.is_empty() {
            self.outdated = self.lists.keys().copied().collect();
        }
        self.arrived = 0;
        self.open = std::mem::take(&mut self.outdated)
            .into_iter()
            .map(|kind| (kind, Partial::default()))
            .collect();
        self.open.keys().copied().collect()
    }

    /// Takes a page in. A cursor that comes back ends the list: it would go on for ever.
    pub(super) fn page(
        &mut self,
        kind: ListKind,
        result: Raw<'_>,
        complaints: &mut Complaints,
    ) -> Listed {
        let Some(partial) = self.open.get_mut(&kind) else {
            return Listed::Open;
        };
        let page = match Page::parse(kind, &self.server, result) {
            Ok(page) => page,
            Err(not_a_page) => {
                complaints.add(Fault::NotAList);
                warn!(
                    event = "downstream.not_a_list",
                    server_name = self.server,
                    "{not_a_page}"
                );
                return self.given_up(kind);
            }
        };
        partial.malformed += page.malformed;
        partial.entries.extend(page.entries);
        partial.bytes += result.text().len();
        if partial.is_too_much() {
            complaints.add(Fault::EndlessList);
            warn!(
                event = "downstream.endless_list",
                server_name = self.server,
                "gave {} up after {} pages, {} entries and {} bytes",
                kind.method(),
                partial.cursors.len(),
                partial.count(),
                partial.bytes
            );
            return self.given_up(kind);
        }
        if let Some(cursor) = page.next_cursor {
            if partial.cursors.insert(cursor.text().to_owned()) {
                return Listed::Next(kind, cursor.text().to_owned());
            }
            complaints.add(Fault::RepeatedCursor);
            warn!(
                event = "downstream.repeated_cursor",
                server_name = self.server,
                "{} leads to a page that was there before; the list ends there",
                kind.method()
            );
        }
        if let Some(whole) = self.open.remove(&kind) {
            if whole.malformed > 0 {
                complaints.add(Fault::MalformedEntries);
                warn!(
                    event = "downstream.malformed_entries",
                    server_name = self.server,
                    "left out {} entries of {} that have no usable name",
                    whole.malformed,
                    kind.member()
                );
            }
            let entries = match kind {
                ListKind::Tools | ListKind::Prompts => {
                    self.without_repeated(kind, whole.entries, complaints)
                }
                ListKind::Resources | ListKind::ResourceTemplates => whole.entries,
            };
            self.lists.insert(kind, entries);
            self.arrived += 1;
        }
        self.outcome()
    }

    /// Of several entries with one name the first counts: models refuse a list with two.
    fn without_repeated(
        &self,
        kind: ListKind,
        mut entries: Vec<Entry>,
        complaints: &mut Complaints,
    ) -> Vec<Entry> {
        let count = entries.len();
        let mut names = BTreeSet::new();
        entries.retain(|entry| names.insert(entry.name.clone()));
        let repeated = count - entries.len();
        if repeated > 0 {
            complaints.add(Fault::RepeatedEntries);
            warn!(
                event = "downstream.repeated_entries",
                server_name = self.server,
                "left out {repeated} entries of {} that have the name of another",
                kind.member()
            );
        }
        entries
    }

    /// The server does not want to list that.
    pub(super) fn refused(
        &mut self,
        kind: ListKind,
        error: Raw<'_>,
        complaints: &mut Complaints,
    ) -> Listed {
        complaints.add(Fault::ListRefused);
        let said = error.member("message").and_then(Raw::as_str);
        info!(
            event = "downstream.list_refused",
            server_name = self.server,
            "{} was refused: {:.200}",
            kind.method(),
            said.unwrap_or_default()
        );
        self.given_up(kind)
    }

    /// The answer can't be read.
    pub(super) fn unusable(&mut self, kind: ListKind, complaints: &mut Complaints) -> Listed {
        complaints.add(Fault::NotAList);
        warn!(
            event = "downstream.not_a_list",
            server_name = self.server,
            "the reply to {} is no message of the protocol, or too long",
            kind.method()
        );
        self.given_up(kind)
    }

    /// A list can't be had; the old one stays.
    fn given_up(&mut self, kind: ListKind) -> Listed {
        if self.open.remove(&kind).is_none() {
            return Listed::Open;
        }
        self.outcome()
    }

    fn outcome(&self) -> Listed {
        if !self.open.is_empty() {
            return Listed::Open;
        }
        if self.arrived == 0 {
            return Listed::Nothing;
        }
        let mut hasher = blake3::Hasher::new();
        for (kind, entries) in &self.lists {
            // A server with tools alone has the digest over its tools.
            if *kind != ListKind::Tools {
                hasher.update(kind.member().as_bytes());
                hasher.update(b"\n");
            }
            for entry in entries {
                hasher.update(&entry.json);
                hasher.update(b"\n");
            }
        }
        let mut head = [0; 8];
        head.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        let tools = self.lists.get(&ListKind::Tools).map_or(0, Vec::len);
        Listed::All {
            digest: u64::from_le_bytes(head),
            tools: u32::try_from(tools).unwrap_or(u32::MAX),
        }
    }

    pub(super) const fn lists(&self) -> &Lists {
        &self.lists
    }
}

/// Whether a notification of a change means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A list of this server's.
    Known,
    /// It has no such list.
    None,
}
