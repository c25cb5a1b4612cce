//! The engine: machines, log, timers, slots, and the calls' bytes. Synchronous.

use super::call::{Call, Label};
use super::complaints::Complaints;
use super::flood::Flood;
use super::front::{Cancelled, Front, Reply};
use super::lister::Change;
use super::log_watch::{LogWatch, Told};
use super::questions::Answer;
use super::session::Session;
use super::slots::Slots;
use super::timers::Timers;
use super::{ServerId, World};
use crate::journal::{Annotated, Health, Journal, NotLogged, Note, Snapshots};
use crate::protocol::introduction::Introduction;
use crate::publish::events;
use rea_fsm::{
    CallId, Downstream, Drain, Effect, Event, EventKind, Ignored, Leaf, LogEvent, Millis, Operator,
    QuestionId, Report, Tuning,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// A loop that is this much later than its next timer was asleep against its will.
const OVERSLEPT_MS: Millis = Millis(1_000);
/// What a server that is not listened to gets each time that its time is up.
const UNHEARD_MS: Millis = Millis(1_000);

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
    pub(super) flood: Flood,
    pub(super) pid: Option<u32>,
    pub(super) locks: u64,
}

/// Every machine, and what they need.
pub struct Engine<W> {
    pub(super) servers: Vec<Server>,
    pub(super) timers: Timers,
    pub(super) slots: Slots,
    pub(super) calls: BTreeMap<CallId, Call>,
    pub(super) kept_bytes: usize,
    pub(super) world: W,
    journal: Journal,
    log_watch: LogWatch,
    not_logged: Option<NotLogged>,
    pub(super) inner: VecDeque<(ServerId, EventKind)>,
    effects: Vec<Effect>,
    pub(super) now: Millis,
    turn_before: Millis,
    pub(super) introduction: Rc<Introduction>,
    pub(super) changes: Changes,
}

/// What people are shown and that is not what it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changes {
    /// Nothing.
    #[default]
    None,
    /// How many calls there are, and how often something was seen.
    Numbers,
    /// Something that people want to know at once.
    Visible,
}

/// What an event brings along for the interpreter. The machine never sees it.
#[derive(Clone, Copy, Default)]
pub(super) struct About<'a> {
    pub(super) label: Option<&'a Label>,
    pub(super) reply: Option<Reply<'a>>,
    pub(super) answers: &'a [(QuestionId, Answer<'a>)],
    /// The call that the client gives up, and its words.
    pub(super) cancelled: Option<(CallId, Cancelled<'a>)>,
    /// The question that its server takes back, and its words.
    pub(super) withdrawn: Option<(QuestionId, Cancelled<'a>)>,
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
                flood: Flood::default(),
                pid: None,
                locks: 0,
                downstream: Downstream::new(setup.tuning, setup.jitter_seed),
            })
            .collect();
        Self {
            servers,
            timers: Timers::default(),
            slots: Slots::new(spawn_slots),
            calls: BTreeMap::new(),
            kept_bytes: 0,
            world,
            journal,
            log_watch: LogWatch::default(),
            not_logged: None,
            inner: VecDeque::new(),
            effects: Vec::new(),
            now: Millis::ZERO,
            turn_before: Millis::ZERO,
            introduction: Rc::default(),
            changes: Changes::None,
        }
    }

    /// Takes note that what people are shown is not what it was.
    pub(super) fn changed(&mut self, changes: Changes) {
        self.changes = self.changes.max(changes);
    }

    /// What has changed since this was asked the last time.
    pub const fn take_changes(&mut self) -> Changes {
        std::mem::replace(&mut self.changes, Changes::None)
    }

    /// Begins a turn. Time never goes back inside the log.
    pub fn begin(&mut self, now: Millis) {
        self.turn_before = self.now;
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

    /// The server's process, while there is one.
    pub fn pid(&self, server: ServerId) -> Option<u32> {
        self.servers[server.index()].pid
    }

    /// How often the server was locked for dying too often.
    pub fn locks(&self, server: ServerId) -> u64 {
        self.servers[server.index()].locks
    }

    /// What the server did that no server should.
    pub fn complaints(&self, server: ServerId) -> &Complaints {
        &self.servers[server.index()].session.complaints
    }

    /// How the log is.
    pub fn log_health(&mut self) -> Health {
        self.journal.health()
    }

    /// When the next timer is due, or a server is to be asked again to tell of changes.
    pub fn next_due(&self) -> Option<Millis> {
        let sessions = self.servers.iter();
        let streams = sessions.filter_map(|server| server.session.next_due());
        self.timers.next_due().into_iter().chain(streams).min()
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

    /// Says which processes are left behind by a gateway that ends without them.
    pub fn tell_orphans(&self) {
        for Server {
            name, downstream, ..
        } in &self.servers
        {
            if downstream.leaf() != Leaf::Closed
                && let Some(generation) = downstream.conn().generation()
            {
                events::log(name, &LogEvent::Orphaned { generation }, None);
            }
        }
    }

    /// Why calls have to be refused, if the log is required and can't be written.
    pub const fn not_logged(&self) -> Option<&NotLogged> {
        self.not_logged.as_ref()
    }

    /// Writes a note into the log.
    pub fn note(&mut self, note: &Note) {
        self.journal.append_note(self.now, note);
    }

    /// Fires the timers that are due. Called after everything that was waiting has been taken in.
    pub fn fire_timers(&mut self, front: &mut impl Front) {
        let overslept = self
            .timers
            .next_due()
            .is_some_and(|due| self.now.since(due) > OVERSLEPT_MS);
        if overslept {
            // When it fell asleep nobody knows. From the turn before on, to be fair: whoever had
            // time left then has it still.
            let late_ms = self.now.since(self.turn_before);
            self.everywhere(&EventKind::Overslept { late_ms }, front);
        }
        let mut unheard = BTreeSet::new();
        while let Some(server) = self.timers.peek_due(self.now) {
            // Who is not listened to can't answer in time: its time goes on when it is heard again.
            if self.world.is_held_back(server) && unheard.insert(server) {
                let late_ms = UNHEARD_MS;
                let kind = EventKind::Overslept { late_ms };
                self.apply(server, kind, About::default(), front);
                continue;
            }
            if let Some((server, key)) = self.timers.pop_due(self.now) {
                self.apply(server, EventKind::Timer { key }, About::default(), front);
            }
        }
        for index in 0..self.servers.len() {
            self.listen_again(server_id(index), front);
        }
    }

    /// Asks a server again to tell of changes, if it has ended what it told them on. What has
    /// changed since then nobody has told.
    fn listen_again(&mut self, server: ServerId, front: &mut impl Front) {
        let session = &mut self.servers[server.index()].session;
        if session.next_due().is_none_or(|due| self.now < due) {
            return;
        }
        let (lines, change) = session.listen_again(self.now);
        let generation = session.generation;
        for line in lines {
            self.say(server, Some(line));
        }
        if let (Change::Known, Some(generation)) = (change, generation) {
            let report = Report::ListChanged {};
            self.child(server, generation, report, About::default(), front);
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
    ) -> Option<Ignored> {
        let ignored = self.apply_one(server, kind, about, front);
        loop {
            if let Some((server, ticket)) = self.slots.grant() {
                self.inner
                    .push_back((server, EventKind::SlotGranted { ticket }));
            }
            let Some((server, kind)) = self.inner.pop_front() else {
                return ignored;
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
    ) -> Option<Ignored> {
        let event = Event {
            at_ms: self.now,
            kind,
        };
        let Server {
            name, downstream, ..
        } = &mut self.servers[server.index()];
        let mut effects = std::mem::take(&mut self.effects);
        let decision = downstream.step(&event, &mut effects);
        let annotated = match about.label {
            Some(Label::Tool(tool)) => Annotated::Tool(tool),
            Some(Label::Request(request)) => Annotated::Request(request),
            None => Annotated::Nothing,
        };
        self.journal
            .append_input(name, &event, annotated, &effects, downstream);
        for effect in effects.drain(..) {
            self.execute(server, effect, about, front);
        }
        self.effects = effects;
        decision.ignored
    }

    /// Writes the log, then lets what was staged happen.
    pub fn commit(&mut self) {
        let servers = &self.servers;
        self.journal.time_passes(self.now);
        self.not_logged = self.journal.commit(&|| snapshots(servers)).err();
        if self.log_watch.look(self.journal.health()) == Told::Now {
            self.changed(Changes::Visible);
        }
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

pub(super) fn server_id(index: usize) -> ServerId {
    ServerId(u32::try_from(index).unwrap_or(u32::MAX))
}
