//! The world around one machine, as bad as it can be without lying.
//!
//! It holds what the machine can't see (is there a process, what has it read, which timers does
//! the interpreter hold) and tells which events may come next. It never asks the machine what is
//! going on, with two exceptions: `Alive` is only ever reported under suspicion, and that a held
//! call has ended is taken from the machine, because that is no effect.
//!
//! A child may die, hang, ignore signals (by never exiting), and answer late, twice or never. What
//! the interpreter reports is true: one `SpawnOk` for a spawn, one `Exited` for a process, and
//! `unread` names only calls whose line the process did not read.

use super::bounds::Left;
use rea_fsm::{
    Asks, CallClass, CallId, Effect, EventKind, Executed, Generation, Millis, Operator, QuestionId,
    Report, Signal, Ticket, TimerKey, Verdict,
};

/// The engine's spawn slot, as far as this server is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Free,
    Asked(Ticket),
    Granted(Ticket),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Starting,
    Running,
}

/// Something that was asked of the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Never,
    Out,
    Answered,
}

/// What has come of everything that was asked to be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lists {
    Whole,
    Owed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Open,
    /// The child has closed its side, or reading from it failed.
    Broken,
    Closed,
}

/// How far the interpreter was told to go in ending the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pressure {
    None,
    Term,
    Kill,
}

/// The one process that there may be, or the attempt to start it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) generation: Generation,
    pub(crate) stage: Stage,
    pub(crate) stdin: End,
    pub(crate) stdout: End,
    pub(crate) probe: Ask,
    pub(crate) init: Ask,
    pub(crate) list: Ask,
    pub(crate) lists: Lists,
    pub(crate) ping: Ask,
    pub(crate) handshaken: bool,
    /// Digest over what it has said of itself.
    pub(crate) said: u64,
    pub(crate) pressure: Pressure,
}

impl Child {
    /// What it says of itself first counts; a late answer to the other question is nobody's.
    fn say(&mut self, digest: u64) {
        if !self.handshaken {
            self.handshaken = true;
            self.said = digest;
        }
    }

    /// Whether it can be told something: one that was killed on arrival never could.
    pub(crate) fn is_heard(&self) -> bool {
        self.stage == Stage::Running && self.stdin == End::Open && self.pressure != Pressure::Kill
    }
}

/// Whether a line in the current child's stdin was read by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Not written to this child.
    Absent,
    /// Written; nobody knows.
    Written,
    /// It has answered or told of progress.
    Read,
}

/// A call that was submitted and not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) id: CallId,
    pub(crate) class: CallClass,
    /// How many dead generations may have executed it.
    pub(crate) runs: u8,
    pub(crate) line: Line,
    /// How its client can be asked something.
    pub(crate) asks: Asks,
    /// How often it was given back with questions.
    pub(crate) rounds: u32,
}

/// A question of the current process that it has no answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) id: QuestionId,
    pub(crate) generation: Generation,
    pub(crate) asks: Asks,
    pub(crate) at: Millis,
    /// The newest call that its process can have had, of those in whose answers clients are asked.
    pub(crate) newest_cause: Option<CallId>,
}

/// A call whose client was given questions instead of the answer and is not there again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) call: CallId,
    pub(crate) round: u32,
    pub(crate) questions: Vec<QuestionId>,
    pub(crate) at: Millis,
}

/// A held call that has ended; nobody was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) call: CallId,
    pub(crate) verdict: Verdict,
    pub(crate) executed: Executed,
}

/// What is true around one machine.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) now: Millis,
    pub(crate) slot: Slot,
    pub(crate) child: Option<Child>,
    /// The last digest over what a process has said of itself that anybody was told of.
    pub(crate) told: u64,
    pub(crate) open: Vec<Open>,
    pub(crate) next_call: u64,
    pub(crate) asked: Vec<Asked>,
    /// Questions that the client was asked by themselves and has not answered.
    pub(crate) shown: Vec<QuestionId>,
    pub(crate) held: Vec<Held>,
    pub(crate) ended: Vec<Ended>,
    pub(crate) next_question: u64,
    /// The interpreter's timers, in the order of their keys.
    pub(crate) armed: Vec<(TimerKey, Millis)>,
    pub(crate) left: Left,
}

impl World {
    pub(crate) fn new(left: Left) -> Self {
        Self {
            now: Millis(1_000),
            slot: Slot::Free,
            child: None,
            told: 0,
            open: Vec::new(),
            next_call: 1,
            asked: Vec::new(),
            shown: Vec::new(),
            held: Vec::new(),
            ended: Vec::new(),
            next_question: 1,
            armed: Vec::new(),
            left,
        }
    }

    pub(crate) fn call(&self, id: CallId) -> Option<&Open> {
        self.open.iter().find(|open| open.id == id)
    }

    fn call_mut(&mut self, id: CallId) -> Option<&mut Open> {
        self.open.iter_mut().find(|open| open.id == id)
    }

    pub(crate) fn due(&self, key: TimerKey) -> Option<Millis> {
        self.armed
            .iter()
            .find(|(armed, _)| *armed == key)
            .map(|(_, due)| *due)
    }

    /// What an event says about the world; called before the machine sees it.
    pub(crate) fn happen(&mut self, at: Millis, kind: &EventKind) {
        self.now = at;
        self.left.spend(kind);
        match kind {
            EventKind::Operator(_)
            | EventKind::Resume { .. }
            | EventKind::Overslept { .. }
            | EventKind::Cancel { .. } => {}
            EventKind::Answered { question } => self.shown.retain(|shown| shown != question),
            EventKind::SlotGranted { ticket } => {
                if self.slot == Slot::Asked(*ticket) {
                    self.slot = Slot::Granted(*ticket);
                }
            }
            EventKind::Submit {
                call, class, asks, ..
            } => {
                if call.0 >= self.next_call {
                    self.next_call = call.0 + 1;
                    self.open.push(Open {
                        id: *call,
                        class: *class,
                        runs: 0,
                        line: Line::Absent,
                        asks: *asks,
                        rounds: 0,
                    });
                }
            }
            EventKind::Timer { key } => {
                if self.due(*key).is_some_and(|due| due <= at) {
                    self.armed.retain(|(armed, _)| armed != key);
                    self.no_longer_held(*key);
                }
            }
            EventKind::Child { generation, report } => {
                if self
                    .child
                    .is_some_and(|child| child.generation == *generation)
                {
                    self.reported(report);
                }
            }
        }
    }

    fn reported(&mut self, report: &Report) {
        let Some(child) = &mut self.child else {
            return;
        };
        match report {
            Report::SpawnOk { .. } => {
                child.stage = Stage::Running;
                child.stdin = End::Open;
                child.stdout = End::Open;
            }
            Report::SpawnFailed { .. } => self.child = None,
            Report::ProbeModern { offer } => {
                child.probe = Ask::Answered;
                child.say(offer.digest);
            }
            Report::ProbeLegacy {} => child.probe = Ask::Answered,
            Report::InitOk { offer } => {
                child.init = Ask::Answered;
                child.say(offer.digest);
            }
            Report::HandshakeErr { .. } => {
                if child.init == Ask::Out {
                    child.init = Ask::Answered;
                } else {
                    child.probe = Ask::Answered;
                }
            }
            Report::Listed { missing, .. } => {
                if child.list == Ask::Out && *missing == 0 {
                    child.lists = Lists::Whole;
                }
                child.list = Ask::Answered;
            }
            Report::ListErr {} => child.list = Ask::Answered,
            Report::StdoutEof {} => child.stdout = End::Closed,
            Report::StdinBroken {} => child.stdin = End::Broken,
            Report::Pong {} => child.ping = Ask::Answered,
            Report::Exited { unread, .. } => {
                self.child = None;
                self.asked.clear();
                for open in &mut self.open {
                    if open.line != Line::Absent && !unread.contains(&open.id) {
                        open.runs += 1;
                    }
                    open.line = Line::Absent;
                }
            }
            Report::Reply { call, .. } | Report::Progress { call } => {
                let in_flight = self
                    .call(*call)
                    .is_some_and(|open| open.line != Line::Absent);
                // What was written before it was read before it.
                for open in &mut self.open {
                    if in_flight && open.id <= *call && open.line == Line::Written {
                        open.line = Line::Read;
                    }
                }
            }
            Report::ListChanged {} | Report::IoErr { .. } | Report::Alive {} => {}
            Report::Asked { question, asks } => {
                // What a process says that nobody listens to uses no number up.
                if question.0 >= self.next_question && child.is_heard() {
                    let generation = child.generation;
                    let newest_cause = match asks {
                        Asks::Directly => None,
                        Asks::InAnswers => self.newest_at_server(),
                    };
                    self.next_question = question.0 + 1;
                    self.asked.push(Asked {
                        id: *question,
                        generation,
                        asks: *asks,
                        at: self.now,
                        newest_cause,
                    });
                }
            }
            Report::Withdrew { question } => self.asked.retain(|asked| asked.id != *question),
        }
    }

    /// Does what the machine asks for, as the interpreter would.
    pub(crate) fn obey(&mut self, effect: &Effect) {
        match effect {
            Effect::AcquireSlot { ticket } => self.slot = Slot::Asked(*ticket),
            Effect::ReleaseSlot { ticket } => {
                if self.slot == Slot::Asked(*ticket) || self.slot == Slot::Granted(*ticket) {
                    self.slot = Slot::Free;
                }
            }
            Effect::Spawn { generation } => {
                self.child = Some(Child {
                    generation: *generation,
                    stage: Stage::Starting,
                    stdin: End::Closed,
                    stdout: End::Closed,
                    probe: Ask::Never,
                    init: Ask::Never,
                    list: Ask::Never,
                    lists: Lists::Whole,
                    ping: Ask::Never,
                    handshaken: false,
                    said: 0,
                    pressure: Pressure::None,
                });
            }
            Effect::Arm { key, due } => {
                match self.armed.binary_search_by(|(armed, _)| armed.cmp(key)) {
                    Ok(index) => self.armed[index].1 = *due,
                    Err(index) => self.armed.insert(index, (*key, *due)),
                }
            }
            Effect::Disarm { key } => {
                self.armed.retain(|(armed, _)| armed != key);
                self.no_longer_held(*key);
            }
            Effect::Complete { call, .. } => {
                self.open.retain(|open| open.id != *call);
                self.ended.retain(|ended| ended.call != *call);
            }
            Effect::Ask { question } => self.shown.push(*question),
            Effect::Withdraw { question } => self.shown.retain(|shown| shown != question),
            Effect::Answer { question, .. } | Effect::RefuseQuestion { question, .. } => {
                self.asked.retain(|asked| asked.id != *question);
            }
            Effect::Offer {
                call,
                round,
                questions,
            } => {
                self.held.push(Held {
                    call: *call,
                    round: *round,
                    questions: questions.clone(),
                    at: self.now,
                });
                self.held.sort_by_key(|held| held.call);
                if let Some(open) = self.call_mut(*call) {
                    open.rounds = *round;
                }
            }
            Effect::Send { call, .. } => {
                if let Some(open) = self.call_mut(*call) {
                    open.line = Line::Written;
                }
            }
            Effect::WriteProbe { .. } => self.with_child(|child| child.probe = Ask::Out),
            Effect::WriteInit { .. } => self.with_child(|child| child.init = Ask::Out),
            Effect::WriteList { .. } => self.with_child(|child| {
                child.list = Ask::Out;
                child.lists = Lists::Owed;
            }),
            Effect::CatalogueChanged { .. } => {
                self.told = self.child.map_or(self.told, |child| child.said);
            }
            Effect::Ping { .. } => self.with_child(|child| child.ping = Ask::Out),
            Effect::CloseStdin { .. } => self.with_child(|child| child.stdin = End::Closed),
            Effect::SignalGroup { signal, .. } => {
                let pressure = match signal {
                    Signal::Term => Pressure::Term,
                    Signal::Kill => Pressure::Kill,
                };
                self.with_child(|child| child.pressure = child.pressure.max(pressure));
            }
            Effect::WriteInitialized { .. }
            | Effect::Keep { .. }
            | Effect::SendCancel { .. }
            | Effect::Publish
            | Effect::Log(_) => {}
        }
    }

    fn no_longer_held(&mut self, key: TimerKey) {
        if let TimerKey::Held(call) = key {
            self.held.retain(|held| held.call != call);
        }
    }

    /// A held call has ended, and nobody is told yet.
    pub(crate) fn end(&mut self, call: CallId, verdict: Verdict, executed: Executed) {
        self.open.retain(|open| open.id != call);
        self.ended.push(Ended {
            call,
            verdict,
            executed,
        });
        self.ended.sort_by_key(|ended| ended.call);
    }

    pub(crate) fn held_call(&self, call: CallId) -> Option<&Held> {
        self.held.iter().find(|held| held.call == call)
    }

    /// Whether there is a call that can have caused a question and in whose answer its client can be
    /// asked, now or later.
    pub(crate) fn has_carrier(&self, newest_cause: CallId) -> bool {
        let carriers = self.open.iter().filter(|open| open.asks == Asks::InAnswers);
        let carriers = carriers.map(|open| open.id);
        let mut all = carriers.chain(self.ended.iter().map(|ended| ended.call));
        all.any(|call| call <= newest_cause)
    }

    fn newest_at_server(&self) -> Option<CallId> {
        let carriers = self.open.iter().filter(|open| open.asks == Asks::InAnswers);
        let written = carriers.filter(|open| open.line != Line::Absent);
        written.map(|open| open.id).max()
    }

    fn with_child(&mut self, change: impl FnOnce(&mut Child)) {
        if let Some(child) = &mut self.child {
            change(child);
        }
    }

    /// Whether nobody can rule out that the call has run.
    pub(crate) fn truth(open: &Open) -> Executed {
        match (open.runs, open.line) {
            (_, Line::Read) => Executed::Maybe,
            (0, Line::Absent) => Executed::No,
            (_, Line::Absent | Line::Written) => Executed::Maybe,
        }
    }

    /// The calls that the process can have left unread, from none to as many as possible: what
    /// lies behind the last line that it is known to have read.
    pub(crate) fn unread_suffix(&self) -> Vec<CallId> {
        let closed = self.child.is_none_or(|child| child.stdin != End::Open);
        if closed {
            return Vec::new();
        }
        let written = self.open.iter().filter(|open| open.line != Line::Absent);
        let mut suffix = Vec::new();
        for open in written {
            match open.line {
                Line::Read => suffix.clear(),
                Line::Written => suffix.push(open.id),
                Line::Absent => {}
            }
        }
        suffix
    }

    /// When an event that is chosen now takes place: a timer when it is due, all others at once.
    pub(crate) fn time_of(&self, kind: &EventKind) -> Millis {
        match kind {
            EventKind::Timer { key } => self.due(*key).map_or(self.now, |due| due.max(self.now)),
            EventKind::Operator(
                Operator::Start {}
                | Operator::Stop { .. }
                | Operator::Retry {}
                | Operator::Restart { .. }
                | Operator::Configure { .. },
            )
            | EventKind::SlotGranted { .. }
            | EventKind::Child { .. }
            | EventKind::Submit { .. }
            | EventKind::Cancel { .. }
            | EventKind::Answered { .. }
            | EventKind::Resume { .. }
            | EventKind::Overslept { .. } => self.now,
        }
    }
}
