//! What a run came to.

use super::what_if::Change;
use crate::journal::{Ending, Hex64, RULES, ReadError};
use rea_fsm::{Effect, EventKind, Leaf, Millis, State};
use serde::Serialize;

/// What a run came to.
#[derive(Debug)]
pub struct Report {
    /// How many records were looked at.
    pub records: u64,
    /// How many servers the log is about.
    pub servers: usize,
    /// How many files were read.
    pub files: u32,
    /// How many files between others are gone.
    pub missing_files: u32,
    /// How often records are missing because they could not be written.
    pub gaps: u64,
    /// How many.
    pub lost: u64,
    /// The last record's number.
    pub last_seq: u64,
    /// The last record's time.
    pub last_at: Millis,
    /// The rules that the log was written under.
    pub rules: u32,
    /// How the log ends; none if the run stopped before.
    pub ending: Option<Ending>,
    /// What the comparison came to.
    pub outcome: Outcome,
    /// The first decision of each server that other numbers change.
    pub changes: Vec<Change>,
    /// The servers for which other numbers change nothing.
    pub unchanged: Vec<String>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            records: 0,
            servers: 0,
            files: 0,
            missing_files: 0,
            gaps: 0,
            lost: 0,
            last_seq: 0,
            last_at: Millis::ZERO,
            rules: RULES,
            ending: None,
            outcome: Outcome::Identical,
            changes: Vec::new(),
            unchanged: Vec::new(),
        }
    }
}

impl Report {
    pub(super) fn saw(&mut self, seq: u64, at: Millis) {
        self.records += 1;
        self.last_seq = seq;
        self.last_at = at;
    }
}

/// What the comparison came to.
#[derive(Debug)]
pub enum Outcome {
    /// Every record came out as it was written.
    Identical,
    /// One did not.
    Diverged(Box<Divergence>),
    /// The log could not be read to its end.
    Unreadable(ReadError),
}

/// The first record that came out otherwise.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Divergence {
    /// Its number.
    pub seq: u64,
    /// When.
    pub at_ms: Millis,
    /// Whose machine.
    pub server: String,
    /// The state before; none if the log speaks of a server that it does not have.
    pub before: Option<State>,
    /// What the machine was told. None if it is the snapshot of a new file that differs.
    pub event: Option<EventKind>,
    /// What the log says.
    pub expected: Observed,
    /// What came out.
    pub got: Observed,
    /// The state that came out.
    pub state_got: Option<State>,
    /// The effects that came out.
    pub effects_got: Vec<Effect>,
}

/// What is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// The state's name.
    pub state: Option<Leaf>,
    /// Digest over the effects.
    pub effects: Option<Hex64>,
    /// Digest over the machine.
    pub digest: Option<Hex64>,
    /// Digest over the machine's whole snapshot.
    pub snapshot: Option<Hex64>,
}
