//! The engine: machines, log, timers, slots, and the calls' bytes. Synchronous.

use super::session::Session;
use super::slots::Slots;
use super::timers::Timers;
use super::{ServerId, World};
use crate::journal::{Annotated, Journal, NotLogged, Note, Snapshots};
use crate::protocol::tool_page::Tool;
use crate::wire::request_id::RequestId;
use rea_fsm::{
    CallClass, CallId, Downstream, Drain, Effect, Event, EventKind, Executed, Leaf, Millis,
    Operator, Tuning, Verdict,
};
use std::collections::{BTreeMap, VecDeque};

/// A loop that is this much later than its next timer was asleep against its will.
const OVERSLEPT_MS: Millis = Millis(1_000);

/// The client's side, as the engine sees it.
pub trait Front {
    /// A call has ended; `reply` is the server's line if it has answered.
    fn completed(&mut self, ended: &Ended<'_>, world: &mut impl World);

    /// A server's tools are not what they were.
    fn catalogue_changed(&mut self, server: ServerId, tools: &[Tool], world: &mut impl World);

    /// A server's state changed visibly.
    fn state_changed(&mut self, server: ServerId, leaf: Leaf, world: &mut impl World);

    /// A server reports progress of a call; the line is its own.
    fn progressed(&mut self, line: &[u8], world: &mut impl World);
}

/// How a call ended.
pub struct Ended<'a> {
    /// Which call.
    pub call: CallId,
    /// Whose.
    pub server: &'a str,
    /// The same, as the place in the registry.
    pub server_id: ServerId,
    /// The server's state.
    pub leaf: Leaf,
    /// How.
    pub verdict: &'a Verdict,
    /// Whether it ran.
    pub executed: Executed,
    /// The answer, if there is one.
    pub reply: Option<Reply<'a>>,
    /// The end of the standard error of the server's last process that is gone.
    pub last_words: &'a str,
}

/// A server's answer, or ours in its place when the answer could not be taken.
#[derive(Clone, Copy)]
pub enum Reply<'a> {
    /// The server's line, and where its id stands.
    Line {
        /// All of it.
        line: &'a [u8],
        /// From where to where its id stands.
        id_at: (usize, usize),
    },
    /// The server's line can't be passed on.
    Unusable(Unusable),
}

/// Why an answer can't be passed on.
#[derive(Clone, Copy, Debug)]
pub enum Unusable {
    /// It was longer than the limit.
    Oversized {
        /// In bytes.
        limit: u64,
    },
    /// Its id is certain, and nothing else: no message of the protocol.
    Malformed,
}

/// A call on its way to a server.
pub struct Call {
    /// Larger than every earlier call's.
    pub id: CallId,
    /// Whether it may be repeated.
    pub class: CallClass,
    /// Its deadline.
    pub timeout_ms: Millis,
    /// The tool's name, for the log.
    pub tool: String,
    /// The line for the server, without its newline.
    pub line: Vec<u8>,
    /// The client's progress token, as it stands in the line.
    pub progress_token: Option<RequestId>,
}

/// One server as the engine is told of it.
pub struct ServerSetup {
    /// Its name in the registry.
    pub name: String,
    /// Its machine's numbers.
    pub tuning: Tuning,
    /// Its machine's seed.
    pub jitter_seed: u64,
    /// The longest line that is taken from it.
    pub line_bytes_max: usize,
}

pub(super) struct Server {
    pub(super) name: String,
    pub(super) downstream: Downstream,
    pub(super) session: Session,
    pub(super) last_words: String,
}

/// Every machine, and what they need.
pub struct Engine<W> {
    pub(super) servers: Vec<Server>,
    pub(super) timers: Timers,
    pub(super) slots: Slots,
    pub(super) calls: BTreeMap<CallId, Call>,
    pub(super) world: W,
    journal: Journal,
    not_logged: Option<NotLogged>,
    inner: VecDeque<(ServerId, EventKind)>,
    effects: Vec<Effect>,
    now: Millis,
}

/// What an event brings along for the interpreter. The machine never sees it.
#[derive(Clone, Copy, Default)]
pub(super) struct About<'a> {
    pub(super) tool: Option<&'a str>,
    pub(super) reply: Option<Reply<'a>>,
}

impl<W: World> Engine<W> {
    /// Machines that were never started.
    pub fn new(
        servers: impl IntoIterator<Item = ServerSetup>,
        spawn_slots: usize,
        journal: Journal,
        world: W,
    ) -> Self {
        let servers = servers
            .into_iter()
            .map(|setup| Server {
                session: Session::new(&setup.name, setup.line_bytes_max),
                name: setup.name,
                last_words: String::new(),
                downstream: Downstream::new(setup.tuning, setup.jitter_seed),
            })
            .collect();
        Self {
            servers,
            timers: Timers::default(),
            slots: Slots::new(spawn_slots),
            calls: BTreeMap::new(),
            world,
            journal,
            not_logged: None,
            inner: VecDeque::new(),
            effects: Vec::new(),
            now: Millis::ZERO,
        }
    }

    /// Begins a turn. Time never goes back inside the log.
    pub fn begin(&mut self, now: Millis) {
        self.now = self.now.max(now);
    }

    /// The turn's time.
    pub const fn now(&self) -> Millis {
        self.now
    }

    /// What the world looks like to the turn.
    pub const fn world(&mut self) -> &mut W {
        &mut self.world
    }

    /// Every server with its name.
    pub fn servers(&self) -> impl Iterator<Item = (ServerId, &str, &Downstream)> {
        (0..)
            .map(ServerId)
            .zip(&self.servers)
            .map(|(id, server)| (id, server.name.as_str(), &server.downstream))
    }

    /// The server's name.
    pub fn name(&self, server: ServerId) -> &str {
        &self.servers[server.index()].name
    }

    /// The server's machine.
    pub fn downstream(&self, server: ServerId) -> &Downstream {
        &self.servers[server.index()].downstream
    }

    /// When the next timer is due.
    pub fn next_due(&self) -> Option<Millis> {
        self.timers.next_due()
    }

    /// Keeps every server running from now on.
    pub fn start(&mut self, front: &mut impl Front) {
        self.everywhere(&EventKind::Operator(Operator::Start {}), front);
    }

    /// Ends every server.
    pub fn stop(&mut self, drain: Drain, front: &mut impl Front) {
        self.everywhere(&EventKind::Operator(Operator::Stop { drain }), front);
    }

    fn everywhere(&mut self, kind: &EventKind, front: &mut impl Front) {
        for index in 0..self.servers.len() {
            self.apply(server_id(index), kind.clone(), About::default(), front);
        }
    }

    /// Whether every server has ended.
    pub fn is_closed(&self) -> bool {
        self.servers
            .iter()
            .all(|server| server.downstream.leaf() == Leaf::Closed)
    }

    /// Why calls have to be refused, if the log is required and can't be written.
    pub const fn not_logged(&self) -> Option<&NotLogged> {
        self.not_logged.as_ref()
    }

    /// Writes a note into the log.
    pub fn note(&mut self, note: &Note) {
        self.journal.append_note(self.now, note);
    }

    /// Passes a call on to a server's machine.
    pub fn submit(&mut self, server: ServerId, call: Call, front: &mut impl Front) {
        let id = call.id;
        let kind = EventKind::Submit {
            call: id,
            class: call.class,
            timeout_ms: call.timeout_ms,
            bytes: call.line.len() as u64,
        };
        let tool = call.tool.clone();
        self.calls.insert(id, call);
        let about = About {
            tool: Some(&tool),
            ..About::default()
        };
        self.apply(server, kind, about, front);
    }

    /// The client has given a call up.
    pub fn cancel(&mut self, server: ServerId, call: CallId, front: &mut impl Front) {
        self.apply(server, EventKind::Cancel { call }, About::default(), front);
    }

    /// Fires the timers that are due. Called after everything that was waiting has been taken in.
    pub fn fire_timers(&mut self, front: &mut impl Front) {
        let late_ms = self
            .next_due()
            .map_or(Millis::ZERO, |due| self.now.since(due));
        if late_ms > OVERSLEPT_MS {
            self.everywhere(&EventKind::Overslept { late_ms }, front);
        }
        while let Some((server, key)) = self.timers.pop_due(self.now) {
            self.apply(server, EventKind::Timer { key }, About::default(), front);
        }
    }

    /// One event through one machine: step, log, stage what follows; then the events that the
    /// engine itself answers with.
    pub(super) fn apply(
        &mut self,
        server: ServerId,
        kind: EventKind,
        about: About<'_>,
        front: &mut impl Front,
    ) {
        self.apply_one(server, kind, about, front);
        loop {
            if let Some((server, ticket)) = self.slots.grant() {
                self.inner
                    .push_back((server, EventKind::SlotGranted { ticket }));
            }
            let Some((server, kind)) = self.inner.pop_front() else {
                return;
            };
            self.apply_one(server, kind, About::default(), front);
        }
    }

    fn apply_one(
        &mut self,
        server: ServerId,
        kind: EventKind,
        about: About<'_>,
        front: &mut impl Front,
    ) {
        let event = Event {
            at_ms: self.now,
            kind,
        };
        let Server {
            name, downstream, ..
        } = &mut self.servers[server.index()];
        let mut effects = std::mem::take(&mut self.effects);
        downstream.step(&event, &mut effects);
        let annotated = Annotated { tool: about.tool };
        self.journal
            .append_input(name, &event, annotated, &effects, downstream);
        for effect in effects.drain(..) {
            self.execute(server, effect, about, front);
        }
        self.effects = effects;
    }

    /// Writes the log, then lets what was staged happen.
    pub fn commit(&mut self) {
        let servers = &self.servers;
        self.not_logged = self.journal.commit(&|| snapshots(servers)).err();
        self.world.release();
    }

    /// Ends the log.
    ///
    /// # Errors
    /// The log is required and its end could not be written.
    pub fn close(self) -> Result<(), NotLogged> {
        let servers = &self.servers;
        self.journal.close(self.now, &|| snapshots(servers))
    }
}

fn snapshots(servers: &[Server]) -> Snapshots {
    servers
        .iter()
        .map(|server| (server.name.clone(), server.downstream.snapshot()))
        .collect()
}

fn server_id(index: usize) -> ServerId {
    ServerId(u32::try_from(index).unwrap_or(u32::MAX))
}
