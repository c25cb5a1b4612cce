//! Everything that a server lists, page after page, until all of it is there.
//!
//! Invariant: what was listed before stays until a whole new list has arrived; a list that can't
//! be had leaves the old one, and is asked for again with the next listing. One that never arrived
//! is none at all, and not an empty one. Lists are bounded in pages, entries and bytes.

use super::complaints::{Complaints, Fault};
use crate::protocol::capabilities::Capabilities;
use crate::protocol::listing::{ENTRIES_MAX, Entry, ListKind, Page};
use crate::wire::jsonrpc::ErrorCode;
use crate::wire::raw::Raw;
use std::collections::{BTreeMap, BTreeSet};
use tracing::{info, warn};

/// A list is given up when it has more pages or bytes than this; nobody could use it.
const PAGES_MAX: usize = 1_000;
const BYTES_MAX: usize = 64 << 20;

/// A server's lists by kind. A kind that it does not offer, or that never arrived, has none.
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
        /// How many lists could not be had.
        missing: u32,
    },
    /// Nothing could be had.
    Nothing,
}

/// Why an answer can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is longer than a line may be.
    TooLong,
    /// It is no message of the protocol.
    Malformed,
}

/// Whether to ask again for a list that was not had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// The server may be able to later.
    Later,
    /// It would say the same.
    Never,
}

/// The lists, and the listing under way.
pub(super) struct Lister {
    server: String,
    lists: Lists,
    /// What the server has to list.
    offered: BTreeSet<ListKind>,
    /// Which kinds may have changed since they were listed.
    outdated: BTreeSet<ListKind>,
    /// Which could not be had when they were asked for last.
    lacking: BTreeSet<ListKind>,
    open: BTreeMap<ListKind, Partial>,
    /// How many have arrived that nobody was told of.
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
            offered: BTreeSet::new(),
            outdated: BTreeSet::new(),
            lacking: BTreeSet::new(),
            open: BTreeMap::new(),
            arrived: 0,
        }
    }

    /// A new process has said what it offers: everything is listed anew.
    pub(super) fn offered(&mut self, capabilities: &Capabilities) {
        self.open.clear();
        self.lacking.clear();
        self.arrived = 0;
        self.offered = ListKind::ALL
            .into_iter()
            .filter(|kind| capabilities.lists(*kind))
            .collect();
        self.outdated.clone_from(&self.offered);
        let offered = &self.offered;
        self.lists.retain(|kind, _| offered.contains(kind));
    }

    /// The server says that a list is another one now. Only the first time since it was listed: the
    /// machine knows already.
    pub(super) fn changed(&mut self, notification: &str) -> Change {
        let mut change = Change::None;
        for kind in ListKind::ALL {
            if kind.changed() == notification
                && self.offered.contains(&kind)
                && self.outdated.insert(kind)
            {
                change = Change::Known;
            }
        }
        change
    }

    /// Begins to list what is outdated, was not had or has not come; everything if nobody knows
    /// what that is.
    pub(super) fn begin(&mut self) -> Vec<ListKind> {
        let mut wanted = std::mem::take(&mut self.outdated);
        wanted.append(&mut self.lacking);
        wanted.extend(self.open.keys());
        if wanted.is_empty() {
            wanted.clone_from(&self.offered);
        }
        self.open = wanted
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
                return self.given_up(kind, Again::Later);
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
            return self.given_up(kind, Again::Never);
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

    /// The server does not want to list that. Many have no templates although they have resources,
    /// and say that they know no such method.
    pub(super) fn refused(
        &mut self,
        kind: ListKind,
        error: Raw<'_>,
        code: Option<i64>,
        complaints: &mut Complaints,
    ) -> Listed {
        let said = error.member("message").and_then(Raw::as_str);
        info!(
            event = "downstream.list_refused",
            server_name = self.server,
            "{} was refused: {:.200}",
            kind.method(),
            said.unwrap_or_default()
        );
        let again = if code == Some(ErrorCode::MethodNotFound.number()) {
            Again::Never
        } else {
            complaints.add(Fault::ListRefused);
            Again::Later
        };
        self.given_up(kind, again)
    }

    /// The answer can't be read.
    pub(super) fn unusable(
        &mut self,
        kind: ListKind,
        why: Unreadable,
        complaints: &mut Complaints,
    ) -> Listed {
        complaints.add(Fault::NotAList);
        warn!(
            event = "downstream.not_a_list",
            server_name = self.server,
            "the reply to {} is no message of the protocol, or too long",
            kind.method()
        );
        let again = match why {
            Unreadable::TooLong => Again::Never,
            Unreadable::Malformed => Again::Later,
        };
        self.given_up(kind, again)
    }

    /// A list can't be had; the old one stays.
    fn given_up(&mut self, kind: ListKind, again: Again) -> Listed {
        if self.open.remove(&kind).is_none() {
            return Listed::Open;
        }
        match again {
            Again::Later => {
                self.lacking.insert(kind);
            }
            Again::Never => {
                self.lists.entry(kind).or_default();
            }
        }
        self.outcome()
    }

    fn outcome(&mut self) -> Listed {
        if !self.open.is_empty() {
            return Listed::Open;
        }
        let arrived = std::mem::take(&mut self.arrived);
        if arrived == 0 && !self.lacking.is_empty() {
            return Listed::Nothing;
        }
        Listed::All {
            digest: self.digest(),
            tools: number(self.lists.get(&ListKind::Tools).map_or(0, Vec::len)),
            missing: number(self.lacking.len()),
        }
    }

    fn digest(&self) -> u64 {
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
        u64::from_le_bytes(head)
    }

    pub(super) const fn lists(&self) -> &Lists {
        &self.lists
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Whether a notification of a change means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A list of this server's.
    Known,
    /// It has no such list.
    None,
}
