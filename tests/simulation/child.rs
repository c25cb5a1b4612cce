//! A server's process as the world holds it: its pipes, its life, and what it has read.

use super::rng::Rng;
use rea::engine::ServerId;
use rea_fsm::{CallId, ExitStatus, Generation, Signal, SpawnFailure};
use std::collections::{BTreeSet, VecDeque};

/// What a process does, so many milliseconds after what made it do so.
#[derive(Clone, Debug)]
pub(crate) struct Does {
    pub(crate) after_ms: u64,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Writes bytes to its stdout.
    Say(Vec<u8>),
    Die(ExitStatus),
    CloseStdout,
    CloseStdin,
}

pub(crate) fn say(after_ms: u64, line: impl AsRef<[u8]>) -> Does {
    let mut bytes = line.as_ref().to_vec();
    bytes.push(b'\n');
    let what = What::Say(bytes);
    Does { after_ms, what }
}

pub(crate) const fn die(after_ms: u64, status: ExitStatus) -> Does {
    let what = What::Die(status);
    Does { after_ms, what }
}

/// What a process makes of what it is given.
pub(crate) trait Mind {
    fn born(&mut self) -> Vec<Does> {
        Vec::new()
    }

    /// A whole line was read.
    fn hear(&mut self, line: &str) -> Vec<Does>;

    /// Its stdin ended.
    fn end_of_input(&mut self) -> Vec<Does> {
        vec![die(0, ExitStatus::Code(0))]
    }

    fn signalled(&mut self, signal: Signal) -> Vec<Does> {
        let status = match signal {
            Signal::Term => ExitStatus::Signal(15),
            Signal::Kill => ExitStatus::Signal(9),
        };
        vec![die(0, status)]
    }

    /// The end of its standard error.
    fn last_words(&self) -> String {
        String::new()
    }

    /// How long it takes before it reads the next line; none: it reads no more.
    fn pace_ms(&mut self) -> Option<u64> {
        Some(0)
    }
}

/// What becomes of a spawn.
pub(crate) enum Birth {
    Lives {
        after_ms: u64,
        mind: Box<dyn Mind>,
    },
    Fails {
        after_ms: u64,
        failure: SpawnFailure,
    },
    NeverKnown,
}

/// Whoever decides what is born.
pub(crate) type Midwife = Box<dyn FnMut(ServerId, Generation) -> Birth>;

/// In how many pieces a process's output arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunks {
    Whole,
    AtAnyByte,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Unborn,
    Alive,
    Dead(ExitStatus),
    /// Dead, and the gateway has been told.
    Buried,
}

#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact about a pipe, and any may hold beside any"
)]
pub(crate) struct Process {
    pub(crate) mind: Option<Box<dyn Mind>>,
    pub(crate) life: Life,
    pub(crate) stdin: VecDeque<(String, Option<CallId>)>,
    pub(crate) stdin_ended: bool,
    pub(crate) stdin_broken: bool,
    pub(crate) heard_end: bool,
    pub(crate) is_reading: bool,
    pub(crate) out: Vec<u8>,
    pub(crate) stdout_closed: bool,
    pub(crate) is_pumping: bool,
    /// Calls whose line was written and not settled since.
    pub(crate) written: BTreeSet<CallId>,
    pub(crate) chunks: Chunks,
    pub(crate) rng: Rng,
}

impl Process {
    pub(crate) const fn new(chunks: Chunks, rng: Rng) -> Self {
        Self {
            mind: None,
            life: Life::Unborn,
            stdin: VecDeque::new(),
            stdin_ended: false,
            stdin_broken: false,
            heard_end: false,
            is_reading: false,
            out: Vec::new(),
            stdout_closed: false,
            is_pumping: false,
            written: BTreeSet::new(),
            chunks,
            rng,
        }
    }

    /// Whether there may be a living process.
    pub(crate) const fn may_live(&self) -> bool {
        matches!(self.life, Life::Unborn | Life::Alive)
    }

    /// The next piece of its output.
    pub(crate) fn piece(&mut self) -> Vec<u8> {
        let length = match self.chunks {
            Chunks::Whole => self.out.len(),
            Chunks::AtAnyByte if self.rng.chance(500) => self.out.len(),
            Chunks::AtAnyByte => 1 + self.rng.index(self.out.len()),
        };
        let rest = self.out.split_off(length);
        std::mem::replace(&mut self.out, rest)
    }

    pub(crate) fn last_words(&self) -> String {
        let mind = self.mind.as_ref();
        mind.map_or_else(String::new, |mind| mind.last_words())
    }

    /// Calls whose line it provably has not read, in ascending order.
    pub(crate) fn unread(&self) -> Vec<CallId> {
        let mut unread: Vec<CallId> = self
            .stdin
            .iter()
            .filter_map(|(_, call)| *call)
            .filter(|call| self.written.contains(call))
            .collect();
        unread.sort_unstable();
        unread
    }
}
