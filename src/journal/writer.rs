//! The journal: what is appended, when it is written, and what happens when it can't be.
//!
//! ```text
//!             a write fails                      a second later: cut the torn part off,
//!  Writing ─────────────────────▶ Gap { first } ──── write the gap record ────▶ Writing
//! ```
//!
//! In a gap nothing is encoded; records are numbered and lost. The gap record says which, why,
//! and what every machine was when the log went on, so that replay can go on too.
//!
//! # Invariants
//! - [`Journal::commit`] hands everything that waits to one write. Effects run after it.
//! - Nothing is written behind a torn line: it is cut off first, or the gap goes on.
//! - The batch is bounded by what the caller appends in one turn.
//!
//! # Absent on purpose
//! Clocks (time is what the records say), waiting (but for the write itself), and any opinion
//! about what is not worth logging.

mod recover;

use super::chain::Chain;
use super::directory::{Directory, Limits};
use super::encode::Encoder;
use super::format::{Annotated, Continues, FORMAT, Header, Hex64, Note, RULES, Snapshots};
use super::names::FileName;
use super::sink::Sink;
use super::status::{Health, HealthState, Mode, NotLogged, error_name};
use camino::Utf8Path;
use jiff::Timestamp;
use rea_fsm::{Downstream, Effect, Event, Millis, Tuning, digest};
use std::collections::BTreeMap;
use std::io;
use std::task::Poll;

/// The pause between two attempts to end a gap, or to get the next file.
const RETRY_MS: Millis = Millis(1_000);

/// A file that can't be followed by another grows to so many times its limit, and no further.
const OVERGROWN: u64 = 4;

/// What the header says about a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Which program writes.
    pub build: String,
    /// Names this run. Letters, digits and `_` only: it is part of the files' names.
    pub session: String,
    /// Names the boot of the machine.
    pub boot: String,
    /// The wall clock when `at_ms` is zero.
    pub began: Timestamp,
    /// What each machine's seed is derived from.
    pub jitter_seed: u64,
    /// The numbers of each server's machine.
    pub config: BTreeMap<String, Tuning>,
}

enum State {
    Writing,
    Gap(Lost),
    Off,
}

struct Lost {
    first: u64,
    since: Millis,
    tried: Millis,
    reason: String,
}

/// The event log of one session.
pub struct Journal {
    mode: Mode,
    state: State,
    sink: Option<Box<dyn Sink>>,
    about: About,
    encoder: Encoder,
    /// The link of the last line that is in the file.
    written_chain: Chain,
    /// How often it could not be written.
    gaps: u64,
    /// The number of the next record.
    seq: u64,
    /// The number of the first record that is not in the file.
    unwritten: u64,
    at: Millis,
    file: u32,
    file_bytes: u64,
    file_bytes_max: u64,
    bytes: u64,
    next_file_tried: Option<Millis>,
    sync_failure: Option<String>,
}

impl Journal {
    /// Begins a session's log in a directory, which is made if need be. Never fails: what can't
    /// be written now is a gap, and is tried again.
    pub fn open(directory: &Utf8Path, mode: Mode, about: About, limits: Limits) -> Self {
        match mode {
            Mode::Off => Self::begin(None, mode, about, limits),
            Mode::On | Mode::Required => {
                let first = FileName::first(about.began, &about.session);
                let sink = Directory::open(directory, first, limits);
                Self::begin(Some(Box::new(sink)), mode, about, limits)
            }
        }
    }

    /// Begins a session's log in whatever takes bytes.
    pub fn with_sink(sink: Box<dyn Sink>, mode: Mode, about: About, limits: Limits) -> Self {
        Self::begin(Some(sink), mode, about, limits)
    }

    fn begin(sink: Option<Box<dyn Sink>>, mode: Mode, about: About, limits: Limits) -> Self {
        let mut journal = Self {
            mode,
            state: State::Off,
            sink,
            about,
            encoder: Encoder::new(Chain::START),
            written_chain: Chain::START,
            gaps: 0,
            seq: 1,
            unwritten: 1,
            at: Millis::ZERO,
            file: 0,
            file_bytes: 0,
            file_bytes_max: limits.file_bytes,
            bytes: 0,
            next_file_tried: None,
            sync_failure: None,
        };
        if journal.sink.is_some() {
            journal.state = State::Writing;
            match journal.switch_file() {
                Poll::Ready(Ok(())) => {
                    let header = journal.header(None);
                    journal.encoder.header(&header);
                    journal.write_batch();
                }
                Poll::Ready(Err(error)) => journal.lose(&error),
                Poll::Pending => journal.lose(&io::ErrorKind::TimedOut.into()),
            }
        }
        journal
    }

    /// Appends what one machine was told and what it came to. `machine` is as it is afterwards.
    pub fn append_input(
        &mut self,
        server: &str,
        event: &Event,
        annotated: Annotated<'_>,
        effects: &[Effect],
        machine: &Downstream,
    ) {
        match self.state {
            State::Off => return,
            State::Gap(_) => {}
            State::Writing => {
                self.encoder
                    .input(self.seq, server, event, annotated, effects, machine);
            }
        }
        self.count(event.at_ms);
    }

    /// Appends something that no machine is told.
    pub fn append_note(&mut self, at: Millis, note: &Note) {
        match self.state {
            State::Off => return,
            State::Gap(_) => {}
            State::Writing => self.encoder.note(self.seq, at, note),
        }
        self.count(at);
    }

    fn count(&mut self, at: Millis) {
        self.seq += 1;
        self.at = self.at.max(at);
    }

    /// Time has passed, whether or not anything was appended: what could not be written is tried again
    /// even if nothing happens any more.
    pub fn time_passes(&mut self, now: Millis) {
        if let State::Gap(_) = self.state {
            self.at = self.at.max(now);
        }
    }

    /// Writes everything that waits. `machines` are as they are after all that was appended;
    /// they are asked for only when a file or a gap ends.
    ///
    /// # Errors
    /// Something was not written and the log is required. Otherwise what was not written is a
    /// gap, and acts go on.
    pub fn commit(&mut self, machines: &dyn Fn() -> Snapshots) -> Result<(), NotLogged> {
        match &self.state {
            State::Off => return Ok(()),
            State::Writing => {
                self.write_batch();
                self.rotate(machines);
            }
            State::Gap(lost) => {
                if self.at.since(lost.tried) >= RETRY_MS {
                    self.recover(machines);
                }
            }
        }
        self.verdict()
    }

    /// Ends the log: says so in it and brings it to the disk.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit).
    pub fn close(mut self, at: Millis, machines: &dyn Fn() -> Snapshots) -> Result<(), NotLogged> {
        if matches!(self.state, State::Gap(_)) {
            self.recover(machines);
        }
        self.append_note(at, &Note::Closed {});
        if matches!(self.state, State::Writing) {
            self.write_batch();
        }
        if let Some(sink) = &mut self.sink
            && let Err(error) = sink.finish()
            && self.mode == Mode::Required
        {
            return Err(NotLogged {
                reason: error_name(&error),
            });
        }
        self.verdict()
    }

    fn verdict(&self) -> Result<(), NotLogged> {
        match (&self.state, self.mode) {
            (State::Gap(lost), Mode::Required) => Err(NotLogged {
                reason: lost.reason.clone(),
            }),
            (State::Gap(_) | State::Writing | State::Off, _) => Ok(()),
        }
    }

    /// How the log is.
    pub fn health(&mut self) -> Health {
        if let Some(error) = self.sink.as_mut().and_then(|sink| sink.sync_failure()) {
            self.sync_failure = Some(error_name(&error));
        }
        Health {
            state: match &self.state {
                State::Writing => HealthState::Ok,
                State::Off => HealthState::Off,
                State::Gap(lost) => HealthState::Gap {
                    since_ms: lost.since,
                    first: lost.first,
                    reason: lost.reason.clone(),
                },
            },
            bytes: self.bytes,
            records: self.seq - 1,
            files: self.file,
            gaps: self.gaps,
            sync_failure: self.sync_failure.clone(),
        }
    }

    /// Hands the batch to the sink. What of it did not get out begins a gap.
    fn write_batch(&mut self) {
        if self.encoder.batch.is_empty() {
            return;
        }
        let Some(sink) = self.sink.as_mut() else {
            return;
        };
        let mut written = 0;
        let outcome = loop {
            match sink.write(&self.encoder.batch[written..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => written += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
            if written == self.encoder.batch.len() {
                break Ok(());
            }
        };
        match outcome {
            Ok(()) => {
                self.grow(written);
                self.written_chain = self.encoder.chain;
                self.unwritten = self.seq;
                self.encoder.batch.clear();
            }
            Err(error) => {
                self.keep_whole_lines(written);
                self.lose(&error);
            }
        }
    }

    /// Finds out which lines of the batch got out whole. The rest is cut off when the gap ends.
    fn keep_whole_lines(&mut self, written: usize) {
        let out = &self.encoder.batch[..written];
        let whole = memchr::memrchr(b'\n', out).map_or(0, |last| last + 1);
        for line in out[..whole].split_inclusive(|byte| *byte == b'\n') {
            if let Some((body, link)) = line.strip_suffix(b"\n").and_then(Chain::split) {
                self.written_chain = link;
                if !is_header(body) {
                    self.unwritten += 1;
                }
            }
        }
        self.grow(whole);
    }

    fn grow(&mut self, bytes: usize) {
        self.file_bytes += bytes as u64;
        self.bytes += bytes as u64;
    }

    fn lose(&mut self, error: &io::Error) {
        self.encoder.batch.clear();
        self.encoder.chain = self.written_chain;
        let (first, since) = match &self.state {
            State::Gap(lost) => (lost.first, lost.since),
            State::Writing | State::Off => {
                self.gaps += 1;
                (self.unwritten, self.at)
            }
        };
        self.state = State::Gap(Lost {
            first,
            since,
            tried: self.at,
            reason: error_name(error),
        });
    }

    /// Goes on in another file once this one is full, at a moment when all is written.
    fn rotate(&mut self, machines: &dyn Fn() -> Snapshots) {
        let is_full = self.file_bytes >= self.file_bytes_max;
        if !is_full || matches!(self.state, State::Gap(_)) {
            return;
        }
        let is_resting = |tried: Millis| self.at.since(tried) < RETRY_MS;
        let outcome = if self.next_file_tried.is_some_and(is_resting) {
            Poll::Pending
        } else {
            self.switch_file()
        };
        match outcome {
            Poll::Ready(Ok(())) => {
                let header = self.header(Some(Continues {
                    seq: self.seq,
                    chain: self.written_chain,
                    snapshots: Some(machines()),
                }));
                self.encoder.header(&header);
                self.write_batch();
            }
            Poll::Ready(Err(error)) => {
                self.next_file_tried = Some(self.at);
                self.stop_overgrowth(&error);
            }
            Poll::Pending => self.stop_overgrowth(&io::ErrorKind::TimedOut.into()),
        }
    }

    fn stop_overgrowth(&mut self, error: &io::Error) {
        if self.is_overgrown() {
            self.lose(error);
        }
    }

    fn is_overgrown(&self) -> bool {
        self.file_bytes >= self.file_bytes_max.saturating_mul(OVERGROWN)
    }

    fn switch_file(&mut self) -> Poll<io::Result<()>> {
        let Some(sink) = &mut self.sink else {
            return Poll::Pending;
        };
        let outcome = sink.next_file(self.file + 1);
        if matches!(outcome, Poll::Ready(Ok(()))) {
            self.file += 1;
            self.file_bytes = 0;
            self.next_file_tried = None;
        }
        outcome
    }

    fn header(&self, continues: Option<Continues>) -> Header {
        let about = &self.about;
        Header {
            format: FORMAT,
            rules: RULES,
            build: about.build.clone(),
            session: about.session.clone(),
            boot: about.boot.clone(),
            file: self.file,
            began: about.began,
            jitter_seed: Hex64(about.jitter_seed),
            config: about.config.clone(),
            config_digest: Hex64(digest(&about.config)),
            continues,
        }
    }
}

fn is_header(body: &[u8]) -> bool {
    body.starts_with(super::format::HEADER_OPENING)
}
