//! What a server did that no server should: counted, so that people are told which one it is.

use std::collections::BTreeMap;

/// Something that no server should do, and that does no harm here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It says more of its own accord than anybody could follow.
    Flood,
    /// It writes lines that are no message.
    StrayOutput,
    /// It writes lines over the limit.
    OversizedLine,
    /// It answers what nobody waits for.
    UnawaitedAnswer,
    /// It lists something that is no list.
    NotAList,
    /// Its list does not end.
    EndlessList,
    /// A page of its list leads back to one that was there before.
    RepeatedCursor,
    /// It lists entries without a usable name.
    MalformedEntries,
    /// It lists several entries under one name.
    RepeatedEntries,
    /// It refuses a list that it said it had.
    ListRefused,
}

impl Fault {
    /// The name of its log line.
    pub const fn event(self) -> &'static str {
        match self {
            Self::Flood => "downstream.flood",
            Self::StrayOutput => "downstream.stray_output",
            Self::OversizedLine => "downstream.oversized_line",
            Self::UnawaitedAnswer => "downstream.unawaited_answer",
            Self::NotAList => "downstream.not_a_list",
            Self::EndlessList => "downstream.endless_list",
            Self::RepeatedCursor => "downstream.repeated_cursor",
            Self::MalformedEntries => "downstream.malformed_entries",
            Self::RepeatedEntries => "downstream.repeated_entries",
            Self::ListRefused => "downstream.list_refused",
        }
    }

    /// What it is, with what became of it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Flood => "it sent more than anybody asked for; messages were dropped",
            Self::StrayOutput => {
                "it wrote to standard output what is no message; such lines were skipped"
            }
            Self::OversizedLine => "it wrote lines over the size limit; they were dropped",
            Self::UnawaitedAnswer => {
                "it answered what nobody waited for: too late, twice, or under a wrong id"
            }
            Self::NotAList => "it answered a request for a list with something else",
            Self::EndlessList => "its list did not end, and was given up",
            Self::RepeatedCursor => "a page of its list led back to an earlier one",
            Self::MalformedEntries => "it listed entries without a usable name; they were left out",
            Self::RepeatedEntries => "it listed several entries under one name; the first counts",
            Self::ListRefused => "it refused a list that it said it had",
        }
    }
}

/// Whether a fault is the first of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    First,
    Before,
}

/// How often a server did what.
#[derive(Clone, Debug, Default)]
pub struct Complaints(BTreeMap<Fault, u64>);

impl Complaints {
    pub(super) fn add(&mut self, fault: Fault) -> Seen {
        let count = self.0.entry(fault).or_default();
        *count = count.saturating_add(1);
        if *count == 1 {
            Seen::First
        } else {
            Seen::Before
        }
    }

    /// Each fault with how often it was seen.
    pub fn iter(&self) -> impl Iterator<Item = (Fault, u64)> + '_ {
        self.0.iter().map(|(fault, count)| (*fault, *count))
    }

    /// How many faults were seen.
    pub(super) fn kinds(&self) -> usize {
        self.0.len()
    }
}
