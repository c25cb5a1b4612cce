//! The simulated world: a clock in milliseconds, what happens in it, and the gateway's acts.
//!
//! Invariant: an act is visible to nobody before `release`, and `release` insists that the log
//! has grown since a machine's act was staged.

use super::child::{Birth, Chunks, Does, Life, Midwife, Process, What};
use super::log::Written;
pub(crate) use super::messages::{Act, Key, Report, Waiting};
use super::rng::Rng;
use rea::catalogue::Remembered;
use rea::engine::{Admission, ServerId, World};
use rea_fsm::{CallId, Generation, Millis, Signal, Verdict};
use std::collections::BTreeMap;

/// What a process has read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) at: u64,
    pub(crate) key: Key,
    pub(crate) line: String,
}

/// What happens at some time.
enum Happening {
    Client(Waiting),
    Born(Key, Birth),
    Reads(Key),
    Does(Key, What),
    Pumps(Key),
    BreaksInput(Key),
}

pub(crate) struct SimWorld {
    pub(crate) now: u64,
    happenings: BTreeMap<(u64, u64), Happening>,
    sequence: u64,
    midwife: Midwife,
    chunks: Chunks,
    rng: Rng,
    pub(crate) processes: BTreeMap<Key, Process>,
    staged: Vec<(Key, Act, Option<u64>)>,
    settled: Vec<(Key, CallId)>,
    client_staged: Vec<u8>,
    /// Everything that the client was sent, and when.
    pub(crate) heard: Vec<(u64, Vec<u8>)>,
    pub(crate) acts: Vec<(u64, Key, Act)>,
    pub(crate) reads: Vec<Read>,
    pub(crate) written: Written,
    /// What the next session would know of each server.
    pub(crate) kept: BTreeMap<ServerId, Remembered>,
    next_pid: u32,
    /// Why calls are not passed on, if they are not.
    pub(crate) halted: Option<String>,
    /// Whether servers are not listened to.
    pub(crate) held_back: bool,
    /// Calls that have ended, and how long they took.
    pub(crate) ended: Vec<(ServerId, Millis)>,
}

impl SimWorld {
    pub(crate) fn new(midwife: Midwife, chunks: Chunks, rng: Rng, written: Written) -> Self {
        Self {
            now: 0,
            happenings: BTreeMap::new(),
            sequence: 0,
            midwife,
            chunks,
            rng,
            processes: BTreeMap::new(),
            staged: Vec::new(),
            settled: Vec::new(),
            client_staged: Vec::new(),
            heard: Vec::new(),
            acts: Vec::new(),
            reads: Vec::new(),
            written,
            kept: BTreeMap::new(),
            next_pid: 1_000,
            halted: None,
            held_back: false,
            ended: Vec::new(),
        }
    }

    /// Something of the client's happens then.
    pub(crate) fn at(&mut self, at: u64, waiting: Waiting) {
        self.plan(at, Happening::Client(waiting));
    }

    fn plan(&mut self, at: u64, happening: Happening) {
        self.sequence += 1;
        self.happenings.insert((at, self.sequence), happening);
    }

    /// What would have happened by now happens now, in the turn after this one.
    pub(crate) fn postpone(&mut self, now: u64) {
        self.now = now;
        for ((at, sequence), happening) in std::mem::take(&mut self.happenings) {
            self.happenings.insert((at.max(now), sequence), happening);
        }
    }

    /// When something happens next.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.happenings.keys().next().map(|(at, _)| *at)
    }

    /// Lets everything happen that is due by now; returns what waits for the gateway.
    pub(crate) fn pass(&mut self, now: u64) -> Vec<Waiting> {
        self.now = now;
        let mut waiting = Vec::new();
        while let Some(entry) = self.happenings.first_entry()
            && entry.key().0 <= now
        {
            let happening = entry.remove();
            self.happen(happening, &mut waiting);
        }
        waiting
    }

    fn happen(&mut self, happening: Happening, waiting: &mut Vec<Waiting>) {
        let now = self.now;
        match happening {
            Happening::Client(said) => waiting.push(said),
            Happening::Born(key, birth) => self.born(key, birth, waiting),
            Happening::Reads(key) => self.reads(key),
            Happening::Does(key, what) => self.does(key, what),
            Happening::Pumps(key) => {
                let Some(process) = self.processes.get_mut(&key) else {
                    return;
                };
                process.is_pumping = false;
                if !process.out.is_empty() {
                    let piece = process.piece();
                    waiting.push(Waiting::Server(key, Report::Output(piece)));
                    let at = now + u64::from(!self.rng.chance(700));
                    return self.pump(key, at);
                }
                match process.life {
                    Life::Dead(status) => {
                        let unread = process.unread();
                        let last_words = process.last_words();
                        process.life = Life::Buried;
                        let says_end = !process.stdout_closed && self.rng.chance(500);
                        if says_end {
                            waiting.push(Waiting::Server(key, Report::OutputEnded));
                        }
                        waiting.push(Waiting::Server(
                            key,
                            Report::Exited(status, unread, last_words),
                        ));
                    }
                    Life::Alive if process.stdout_closed => {
                        waiting.push(Waiting::Server(key, Report::OutputEnded));
                    }
                    Life::Unborn | Life::Alive | Life::Buried => {}
                }
            }
            Happening::BreaksInput(key) => {
                let is_buried = self.processes[&key].life == Life::Buried;
                if !is_buried {
                    waiting.push(Waiting::Server(key, Report::InputBroken));
                }
            }
        }
    }

    fn born(&mut self, key: Key, birth: Birth, waiting: &mut Vec<Waiting>) {
        let Some(process) = self.processes.get_mut(&key) else {
            return;
        };
        match birth {
            Birth::Lives { mut mind, .. } => {
                process.life = Life::Alive;
                let pid = self.next_pid;
                self.next_pid += 1;
                waiting.push(Waiting::Server(key, Report::Spawned(pid)));
                let begins = mind.born();
                process.mind = Some(mind);
                self.plan_all(key, begins);
            }
            Birth::Fails { failure, .. } => {
                process.life = Life::Buried;
                waiting.push(Waiting::Server(key, Report::SpawnFailed(failure)));
            }
            Birth::NeverKnown => {}
        }
    }

    fn plan_all(&mut self, key: Key, does: Vec<Does>) {
        for Does { after_ms, what } in does {
            self.plan(self.now + after_ms, Happening::Does(key, what));
        }
    }

    /// The process reads one whole line, or the end.
    fn reads(&mut self, key: Key) {
        let now = self.now;
        let Some(process) = self.processes.get_mut(&key) else {
            return;
        };
        process.is_reading = false;
        if process.life != Life::Alive || process.stdin_broken {
            return;
        }
        let Some(mind) = &mut process.mind else {
            return;
        };
        let does = match process.stdin.pop_front() {
            Some((line, _)) => {
                let does = mind.hear(&line);
                self.reads.push(Read { at: now, key, line });
                does
            }
            None if process.stdin_ended && !process.heard_end => {
                process.heard_end = true;
                mind.end_of_input()
            }
            None => return,
        };
        self.plan_all(key, does);
        self.wake(key);
    }

    /// Something stands in its stdin.
    fn wake(&mut self, key: Key) {
        let Some(process) = self.processes.get_mut(&key) else {
            return;
        };
        let waits = !process.stdin.is_empty() || (process.stdin_ended && !process.heard_end);
        if process.life != Life::Alive || process.is_reading || !waits {
            return;
        }
        if let Some(pace_ms) = process.mind.as_mut().and_then(|mind| mind.pace_ms()) {
            process.is_reading = true;
            self.plan(self.now + pace_ms, Happening::Reads(key));
        }
    }

    fn does(&mut self, key: Key, what: What) {
        let now = self.now;
        let Some(process) = self.processes.get_mut(&key) else {
            return;
        };
        if process.life != Life::Alive {
            return;
        }
        match what {
            What::Say(bytes) => {
                if process.stdout_closed {
                    return;
                }
                process.out.extend_from_slice(&bytes);
            }
            What::Die(status) => process.life = Life::Dead(status),
            What::CloseStdout => process.stdout_closed = true,
            What::CloseStdin => {
                process.stdin_broken = true;
                return;
            }
        }
        self.pump(key, now);
    }

    fn pump(&mut self, key: Key, at: u64) {
        let Some(process) = self.processes.get_mut(&key) else {
            return;
        };
        if !process.is_pumping {
            process.is_pumping = true;
            self.plan(at, Happening::Pumps(key));
        }
    }

    /// A machine's act: the log has to grow before it happens.
    fn stage(&mut self, key: Key, act: Act, from_machine: bool) {
        let logged = from_machine.then(|| self.written.bytes());
        self.staged.push((key, act, logged));
    }

    fn act(&mut self, key: Key, act: Act) {
        let now = self.now;
        self.acts.push((now, key, act.clone()));
        match act {
            Act::Spawn => self.spawns(key),
            Act::Write(line, call) => {
                let Some(process) = self.processes.get_mut(&key) else {
                    panic!("{key:?} is written to before it was spawned");
                };
                assert!(
                    call.is_none() || !process.stdin_ended,
                    "{key:?} is sent a call behind the end of its stdin"
                );
                if process.stdin_ended {
                    return;
                }
                process.written.extend(call);
                process.stdin.push_back((line, call));
                let breaks = process.stdin_broken || !process.may_live();
                if breaks && self.rng.chance(700) {
                    return self.plan(now, Happening::BreaksInput(key));
                }
                self.wake(key);
            }
            Act::CloseStdin => {
                if let Some(process) = self.processes.get_mut(&key) {
                    process.stdin_ended = true;
                }
                self.wake(key);
            }
            Act::Signal(signal) => {
                let Some(process) = self.processes.get_mut(&key) else {
                    panic!("{key:?} is signalled before it was spawned");
                };
                if process.life == Life::Alive
                    && let Some(mind) = &mut process.mind
                {
                    let does = mind.signalled(signal);
                    self.plan_all(key, does);
                }
            }
        }
    }

    fn spawns(&mut self, key: Key) {
        let alive = self
            .processes
            .iter()
            .find(|((server, _), process)| *server == key.0 && process.life != Life::Buried);
        if let Some((other, _)) = alive {
            panic!("{key:?} is spawned while {other:?} has not ended");
        }
        let process = Process::new(self.chunks, self.rng.fork());
        self.processes.insert(key, process);
        let birth = (self.midwife)(key.0, key.1);
        match &birth {
            Birth::Lives { after_ms, .. } | Birth::Fails { after_ms, .. } => {
                self.plan(self.now + after_ms, Happening::Born(key, birth));
            }
            Birth::NeverKnown => {}
        }
    }

    /// Everything that the client was sent.
    pub(crate) fn client_text(&self) -> String {
        let bytes: Vec<u8> = self
            .heard
            .iter()
            .flat_map(|(_, bytes)| bytes.iter().copied())
            .collect();
        String::from_utf8(bytes).expect("the client is sent text")
    }

    pub(crate) fn living(&self) -> Vec<Key> {
        self.processes
            .iter()
            .filter(|(_, process)| process.life == Life::Alive)
            .map(|(key, _)| *key)
            .collect()
    }
}

impl World for SimWorld {
    fn spawn(&mut self, server: ServerId, generation: Generation) {
        self.stage((server, generation), Act::Spawn, true);
    }

    fn write(
        &mut self,
        server: ServerId,
        generation: Generation,
        line: &[u8],
        call: Option<CallId>,
    ) {
        let line = String::from_utf8(line.to_vec()).expect("servers are sent text");
        assert!(!line.contains('\n'), "one line is one message: {line}");
        let from_machine = call.is_some();
        self.stage((server, generation), Act::Write(line, call), from_machine);
    }

    fn settled(&mut self, server: ServerId, generation: Generation, call: CallId) {
        self.settled.push(((server, generation), call));
    }

    fn close_stdin(&mut self, server: ServerId, generation: Generation) {
        self.stage((server, generation), Act::CloseStdin, true);
    }

    fn signal_group(&mut self, server: ServerId, generation: Generation, signal: Signal) {
        self.stage((server, generation), Act::Signal(signal), true);
    }

    fn client(&mut self, _: Option<ServerId>) -> &mut Vec<u8> {
        &mut self.client_staged
    }

    fn remember(&mut self, server: ServerId, catalogue: rea::engine::Catalogue<'_>) {
        self.kept.insert(server, Remembered::of(catalogue));
    }

    fn call_ended(&mut self, server: ServerId, _: &Verdict, took_ms: Millis) {
        self.ended.push((server, took_ms));
    }

    fn is_held_back(&self, _: ServerId) -> bool {
        self.held_back
    }

    fn admission(&mut self) -> Admission {
        match &self.halted {
            None => Admission::Open,
            Some(reason) => Admission::Halted {
                reason: reason.clone(),
            },
        }
    }

    fn release(&mut self) {
        let written = self.written.bytes();
        for (key, act, logged) in std::mem::take(&mut self.staged) {
            if let Some(logged) = logged
                && !self.written.is_faulty()
            {
                assert!(written > logged, "{key:?}: {act:?} happens before the log");
            }
            self.act(key, act);
        }
        for (key, call) in std::mem::take(&mut self.settled) {
            if let Some(process) = self.processes.get_mut(&key) {
                process.written.remove(&call);
            }
        }
        if !self.client_staged.is_empty() {
            let bytes = std::mem::take(&mut self.client_staged);
            assert_eq!(bytes.last(), Some(&b'\n'), "the client is sent whole lines");
            self.heard.push((self.now, bytes));
        }
    }
}
