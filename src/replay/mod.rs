//! A log, run again: the same events through the same machines, each outcome compared.
//!
//! ```text
//! thread: files ── lines ── chain ── parse ──▶ batches ──▶ here: step ── compare ── show
//! ```
//! The first record that comes out otherwise ends the run: what follows it answers effects that
//! were never emitted.
//!
//! Invariants: a log is called identical only if every record's state, effects and digest were
//! compared and equal; nothing here writes, and nothing here knows the engine.
//!
//! # Absent on purpose
//! Repair. A log that does not replay is evidence, and stays as it is.

mod pipeline;
mod report;
mod verify;
mod what_if;

pub use report::{Divergence, Observed, Outcome, Report};
pub use what_if::{Change, Decided, WhatIf, WhatIfError, Why};

use crate::journal::{Entry, Gap, Header, Input, Note, Noted, Reader, Snapshots};
use rea_fsm::{Decision, Downstream, Effect};
use std::io;
use verify::Machines;

/// What is wanted of a run beside the comparison.
#[derive(Debug, Default)]
pub struct Options {
    /// The last record to look at.
    pub until: Option<u64>,
    /// Other numbers to try the same events under.
    pub what_if: Option<WhatIf>,
}

/// One thing that happened, as it is shown.
#[derive(Debug)]
pub enum Seen<'a> {
    /// A file begins.
    File {
        /// Its header.
        header: &'a Header,
        /// How many files before it are gone.
        missing: u32,
    },
    /// A machine took an event, and came out as recorded.
    Step {
        /// The record.
        input: &'a Input,
        /// What the machine made of it.
        decision: Decision,
        /// What it asked for.
        effects: &'a [Effect],
        /// The machine afterwards.
        machine: &'a Downstream,
    },
    /// A note.
    Note(&'a Noted),
    /// Under other numbers, a machine would have decided otherwise here for the first time.
    Change(&'a Change),
}

/// Why a run could not be finished, for reasons that are not the log's.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Whoever looks on can't any more.
    #[error(transparent)]
    Show(#[from] io::Error),
    /// The numbers to try are none.
    #[error(transparent)]
    WhatIf(#[from] WhatIfError),
}

/// Runs a log again and shows each step to `show`.
///
/// # Errors
/// `show` failed, or the numbers to try don't fit. What is wrong with the log stands in the report.
pub fn replay(
    reader: Reader,
    options: Options,
    show: &mut dyn FnMut(&Seen<'_>) -> io::Result<()>,
) -> Result<Report, ReplayError> {
    let mut run = Run {
        report: Report::default(),
        machines: Machines::new(options.what_if),
        effects: Vec::new(),
        show,
    };
    pipeline::read_beside(reader, |arrival| match arrival {
        pipeline::Arrival::Entry(entry) => run.entry(entry, options.until),
        pipeline::Arrival::Ended(Ok(ending)) => {
            run.report.ending = Some(ending);
            Ok(Go::Stop)
        }
        pipeline::Arrival::Ended(Err(error)) => {
            run.report.outcome = Outcome::Unreadable(error);
            Ok(Go::Stop)
        }
    })?;
    let Run {
        mut report,
        machines,
        ..
    } = run;
    report.servers = machines.count();
    report.unchanged = machines.unchanged();
    Ok(report)
}

/// Whether a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Go {
    On,
    Stop,
}

struct Run<'a> {
    report: Report,
    machines: Machines,
    effects: Vec<Effect>,
    show: &'a mut dyn FnMut(&Seen<'_>) -> io::Result<()>,
}

impl Run<'_> {
    fn entry(&mut self, entry: &Entry, until: Option<u64>) -> Result<Go, ReplayError> {
        let is_past = |seq: u64| until.is_some_and(|until| seq > until);
        match entry {
            Entry::File { header, missing } => self.file(header, *missing),
            Entry::Input(Input { seq, .. }) | Entry::Note(Noted { seq, .. }) if is_past(*seq) => {
                Ok(Go::Stop)
            }
            Entry::Input(input) => self.input(input),
            Entry::Note(noted) => self.note(noted),
        }
    }

    fn file(&mut self, header: &Header, missing: u32) -> Result<Go, ReplayError> {
        let is_first = self.report.files == 0;
        self.report.files += 1;
        self.report.missing_files += missing;
        self.report.rules = header.rules;
        (self.show)(&Seen::File { header, missing })?;
        let snapshots = header
            .continues
            .as_ref()
            .and_then(|before| before.snapshots.as_ref());
        match snapshots {
            None if is_first => self.machines.begin(header)?,
            // A gap record follows and has them.
            None => {}
            Some(snapshots) if is_first || missing > 0 => self.take_up(snapshots)?,
            Some(snapshots) => {
                let seq = header.continues.as_ref().map_or(0, |before| before.seq);
                if let Some(divergence) = self.machines.compare(seq, snapshots) {
                    return Ok(self.diverged(divergence));
                }
            }
        }
        Ok(Go::On)
    }

    fn take_up(&mut self, snapshots: &Snapshots) -> Result<(), ReplayError> {
        Ok(self.machines.take_up(snapshots)?)
    }

    fn input(&mut self, input: &Input) -> Result<Go, ReplayError> {
        self.effects.clear();
        let change = self.machines.try_otherwise(input)?;
        match self.machines.step(input, &mut self.effects) {
            Ok((decision, machine)) => {
                self.report.saw(input.seq, input.event.at_ms);
                (self.show)(&Seen::Step {
                    input,
                    decision,
                    effects: &self.effects,
                    machine,
                })?;
                if let Some(change) = self.machines.settle(input, change, decision, &self.effects) {
                    (self.show)(&Seen::Change(&change))?;
                    self.report.changes.push(change);
                }
                Ok(Go::On)
            }
            Err(divergence) => Ok(self.diverged(divergence)),
        }
    }

    fn note(&mut self, noted: &Noted) -> Result<Go, ReplayError> {
        self.report.saw(noted.seq, noted.at);
        if let Note::Gap(Gap {
            first,
            last,
            snapshots,
            ..
        }) = &noted.note
        {
            self.report.gaps += 1;
            self.report.lost += last.saturating_add(1).saturating_sub(*first);
            self.take_up(snapshots)?;
        }
        (self.show)(&Seen::Note(noted))?;
        Ok(Go::On)
    }

    fn diverged(&mut self, divergence: Box<Divergence>) -> Go {
        self.report.outcome = Outcome::Diverged(divergence);
        Go::Stop
    }
}
