//! The real world: what the engine stages, done to processes and pipes.

use super::launch::Launch;
use crate::catalogue::{ConfigDigest, Keeper, Remembered};
use crate::config::halt::{self, Halt};
use crate::engine::{Admission, Catalogue, ServerId, World};
use crate::metrics::{Meters, Outcome};
use crate::transport::{ClientOutput, Pool, ProcessReport, Reading};
use camino::Utf8PathBuf;
use rea_fsm::{CallId, Generation, Millis, ReplyKind, Signal, SpawnFailure, Verdict};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Acts that wait for the log, in order; lines wait in the pipes' own buffers.
enum Act {
    Spawn(ServerId, Generation),
    CloseStdin(ServerId, Generation),
    Signal(ServerId, Generation, Signal),
}

/// Processes, the client's output, and what is staged.
pub(super) struct RealWorld {
    pool: Pool,
    output: ClientOutput,
    output_bytes_max: usize,
    launches: Vec<Launch>,
    acts: Vec<Act>,
    refused: VecDeque<(ServerId, Generation, SpawnFailure)>,
    shares: Shares,
    memory: Memory,
    switches: Vec<Utf8PathBuf>,
    looked_at: Option<Instant>,
    /// What the look of this turn has found.
    admission: Option<Admission>,
    meters: Option<Arc<Meters>>,
}

/// What is kept of every server for the next session.
pub(super) struct Memory {
    keeper: Keeper,
    servers: Vec<(String, ConfigDigest)>,
    staged: BTreeMap<ServerId, Remembered>,
}

impl Memory {
    /// Of these servers, by the registry's order.
    pub(super) const fn new(keeper: Keeper, servers: Vec<(String, ConfigDigest)>) -> Self {
        Self {
            keeper,
            servers,
            staged: BTreeMap::new(),
        }
    }

    fn release(&mut self) {
        for (server, remembered) in std::mem::take(&mut self.staged) {
            let (name, config) = self.servers[server.index()].clone();
            self.keeper.keep(name, config, remembered);
        }
        self.keeper.hand_over();
    }
}

/// Whoever has written less than this part of what may wait is never held back.
const HELD_BACK_FROM: usize = 64;

/// Who has written how much of what waits for the client.
struct Shares {
    bytes: Vec<usize>,
    /// Whose lines stand in the staged buffer from there on.
    since: Option<(ServerId, usize)>,
    /// Who is not read.
    held_back: BTreeSet<ServerId>,
}

impl RealWorld {
    pub(super) fn new(
        pool: Pool,
        output: ClientOutput,
        output_bytes_max: usize,
        launches: Vec<Launch>,
        memory: Memory,
        switches: Vec<Utf8PathBuf>,
        meters: Option<Arc<Meters>>,
    ) -> Self {
        let shares = Shares {
            bytes: vec![0; launches.len()],
            since: None,
            held_back: BTreeSet::new(),
        };
        Self {
            pool,
            output,
            output_bytes_max,
            launches,
            acts: Vec::new(),
            refused: VecDeque::new(),
            shares,
            memory,
            switches,
            looked_at: None,
            admission: None,
            meters,
        }
    }

    pub(super) const fn pool(&mut self) -> &mut Pool {
        &mut self.pool
    }

    pub(super) const fn output(&mut self) -> &mut ClientOutput {
        &mut self.output
    }

    /// Since it was last looked whether the gateway is frozen.
    pub(super) fn since_halt_check(&self) -> Option<Duration> {
        self.looked_at.map(|at| at.elapsed())
    }

    /// The next thing that a process has to say.
    pub(super) fn next_report(&mut self) -> Option<ProcessReport> {
        self.pool.next_report()
    }

    /// The next start that was refused before there was a process.
    pub(super) fn next_refusal(&mut self) -> Option<(ServerId, Generation, SpawnFailure)> {
        self.refused.pop_front()
    }

    /// Waits until a pipe that was full takes more.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let pool = self.pool.poll_flush(cx);
        let output = self.output.poll_flush(cx);
        if pool.is_ready() || output.is_ready() || !self.refused.is_empty() {
            self.hold_back();
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    fn attribute(&mut self) {
        if let Some((server, start)) = self.shares.since.take() {
            let end = self.output.staged().len();
            self.shares.bytes[server.index()] += end.saturating_sub(start);
        }
    }

    /// While too much waits for a slow client, the server that wrote most of it is not read. Another is
    /// held back only if it goes on filling what waits, and one that says little never is.
    fn hold_back(&mut self) {
        let pending = self.output.pending_bytes();
        if pending > self.output_bytes_max {
            let largest = (0..)
                .zip(&self.shares.bytes)
                .max_by_key(|(_, bytes)| **bytes);
            if let Some((server, bytes)) = largest
                && *bytes > self.output_bytes_max / HELD_BACK_FROM
                && self.shares.held_back.insert(ServerId(server))
            {
                self.pool.set_reading(server, Reading::Paused);
                self.shares.bytes.fill(0);
            }
        } else if pending == 0 {
            self.shares.bytes.fill(0);
        }
        if pending < self.output_bytes_max / 2 {
            for server in std::mem::take(&mut self.shares.held_back) {
                self.pool.set_reading(server.0, Reading::On);
            }
        }
    }

    fn spawn_now(&mut self, server: ServerId, generation: Generation) {
        match self.launches[server.index()].command() {
            Ok(command) => self.pool.spawn(server.0, generation, command),
            Err(failure) => self.refused.push_back((server, generation, failure)),
        }
    }
}

fn outcome(verdict: &Verdict) -> Outcome {
    match verdict {
        Verdict::Replied(ReplyKind::Ok { is_error: false }) => Outcome::Answered,
        Verdict::Replied(ReplyKind::Ok { is_error: true }) => Outcome::ToolError,
        Verdict::Replied(ReplyKind::RpcError { .. }) => Outcome::RpcError,
        Verdict::Replied(ReplyKind::InputRequired) => Outcome::InputRequired,
        Verdict::TimedOut => Outcome::TimedOut,
        Verdict::TransportLost { .. } => Outcome::Lost,
        Verdict::Refused(_) => Outcome::Refused,
        Verdict::Cancelled => Outcome::Cancelled,
    }
}

/// Whether somebody has frozen the gateway in one of these folders.
pub(super) fn halt(switches: &[Utf8PathBuf]) -> Admission {
    let reason = match halt::check_all(switches) {
        Halt::Absent => return Admission::Open,
        Halt::Present { reason } if reason.is_empty() => "no reason is given".to_owned(),
        Halt::Present { reason } => reason,
        Halt::Unknown { error } => format!(".rea/HALT can't be looked for ({error})"),
    };
    Admission::Halted { reason }
}

impl World for RealWorld {
    fn spawn(&mut self, server: ServerId, generation: Generation) {
        self.acts.push(Act::Spawn(server, generation));
    }

    fn write(
        &mut self,
        server: ServerId,
        generation: Generation,
        line: &[u8],
        call: Option<CallId>,
    ) {
        self.pool.push(server.0, generation, line, call);
    }

    fn settled(&mut self, server: ServerId, generation: Generation, call: CallId) {
        self.pool.settled(server.0, generation, call);
    }

    fn close_stdin(&mut self, server: ServerId, generation: Generation) {
        self.acts.push(Act::CloseStdin(server, generation));
    }

    fn signal_group(&mut self, server: ServerId, generation: Generation, signal: Signal) {
        self.acts.push(Act::Signal(server, generation, signal));
    }

    fn client(&mut self, from: Option<ServerId>) -> &mut Vec<u8> {
        self.attribute();
        let staged = self.output.staged();
        self.shares.since = from.map(|server| (server, staged.len()));
        staged
    }

    fn remember(&mut self, server: ServerId, catalogue: Catalogue<'_>) {
        let remembered = Remembered::of(catalogue);
        self.memory.staged.insert(server, remembered);
    }

    fn call_ended(&mut self, server: ServerId, verdict: &Verdict, took_ms: Millis) {
        if let Some(meters) = &self.meters {
            meters.call_ended(server.index(), outcome(verdict), took_ms);
        }
    }

    fn is_held_back(&self, server: ServerId) -> bool {
        self.shares.held_back.contains(&server)
    }

    fn admission(&mut self) -> Admission {
        // What a turn takes in has arrived at one moment: one look is for all of it.
        if let Some(admission) = &self.admission {
            return admission.clone();
        }
        if self.meters.is_some() {
            self.looked_at = Some(Instant::now());
        }
        let admission = halt(&self.switches);
        self.admission = Some(admission.clone());
        admission
    }

    fn release(&mut self) {
        self.admission = None;
        self.attribute();
        // First of all the client: what it is answered waits for no start of a process.
        self.output.flush();
        self.memory.release();
        self.pool.flush();
        for act in std::mem::take(&mut self.acts) {
            match act {
                Act::Spawn(server, generation) => self.spawn_now(server, generation),
                Act::CloseStdin(server, generation) => self.pool.close_stdin(server.0, generation),
                Act::Signal(server, generation, signal) => {
                    self.pool.signal(server.0, generation, signal);
                }
            }
        }
        self.hold_back();
    }
}
