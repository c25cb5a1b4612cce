//! A small random world, enough to lead the machines through their states: most of what an
//! effect asks for happens, some of it late, some never, and now and then a process dies.
//! Everything follows from the seed.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    reason = "a world for tests: small numbers, and effects that it does not answer"
)]

use rea::journal::{
    About, Annotated, Chain, Health, Journal, Limits, Memory, MemoryHandle, Mode, Snapshots,
    machine_seed,
};
use rea_fsm::{
    Asks, CallClass, CallId, Downstream, Drain, Effect, Event, EventKind, ExitStatus, Generation,
    HandshakeFailure, Listing, Millis, Offer, Operator, ProtocolVersion, QuestionId, ReplyKind,
    Report, SpawnFailure, Tuning,
};
use std::collections::{BTreeMap, VecDeque};

pub(crate) const SERVERS: [&str; 3] = ["files", "time", "zürich"];

pub(crate) fn about(seed: u64) -> About {
    let config = SERVERS
        .iter()
        .map(|server| ((*server).to_owned(), Tuning::default()))
        .collect();
    About {
        build: "rea test".to_owned(),
        session: format!("s{seed:04}"),
        boot: "00000000-0000-0000-0000-000000000000".to_owned(),
        began: "2026-03-01T12:00:00Z".parse().unwrap(),
        jitter_seed: seed,
        config,
    }
}

pub(crate) fn limits(file_bytes: u64) -> Limits {
    Limits {
        file_bytes,
        total_bytes: u64::MAX,
    }
}

struct Server {
    machine: Downstream,
    answers: VecDeque<EventKind>,
}

pub(crate) struct World {
    random: u64,
    at: Millis,
    calls: u64,
    questions: u64,
    servers: BTreeMap<String, Server>,
    effects: Vec<Effect>,
}

impl World {
    pub(crate) fn new(about: &About) -> Self {
        let servers = about
            .config
            .iter()
            .map(|(name, tuning)| {
                let seed = machine_seed(about.jitter_seed, name);
                let machine = Downstream::new(tuning.clone(), seed);
                let answers = VecDeque::from([EventKind::Operator(Operator::Start {})]);
                (name.clone(), Server { machine, answers })
            })
            .collect();
        Self {
            random: about.jitter_seed.wrapping_mul(2).wrapping_add(1),
            at: Millis::ZERO,
            calls: 0,
            questions: 0,
            servers,
            effects: Vec::new(),
        }
    }

    pub(crate) fn at(&self) -> Millis {
        self.at
    }

    pub(crate) fn snapshots(&self) -> Snapshots {
        self.servers
            .iter()
            .map(|(name, server)| (name.clone(), server.machine.snapshot()))
            .collect()
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % below
    }

    /// Lets one thing happen to one server, and appends it.
    pub(crate) fn turn(&mut self, journal: &mut Journal) {
        let pick = self.draw(self.servers.len() as u64);
        let name = self.servers.keys().nth(pick as usize).unwrap().clone();
        let (kind, tool) = self.happening(&name);
        let event = Event {
            at_ms: self.at,
            kind,
        };
        let mut effects = std::mem::take(&mut self.effects);
        effects.clear();
        let server = self.servers.get_mut(&name).unwrap();
        server.machine.step(&event, &mut effects);
        let annotated = tool.map_or(Annotated::Nothing, Annotated::Tool);
        journal.append_input(&name, &event, annotated, &effects, &server.machine);
        for effect in &effects {
            if let Some(answer) = self.answer(effect) {
                self.servers
                    .get_mut(&name)
                    .unwrap()
                    .answers
                    .push_back(answer);
            }
        }
        self.effects = effects;
    }

    fn happening(&mut self, name: &str) -> (EventKind, Option<&'static str>) {
        self.at = self.at.plus(Millis(self.draw(40)));
        let dice = self.draw(100);
        let class = [
            CallClass::ReadOnly,
            CallClass::Idempotent,
            CallClass::Unsafe,
        ][self.draw(3) as usize];
        let server = self.servers.get_mut(name).unwrap();
        let generation = server.machine.conn().generation().unwrap_or(Generation(0));
        let child = |report| (EventKind::Child { generation, report }, None);
        match dice {
            0..60 if !server.answers.is_empty() => (server.answers.pop_front().unwrap(), None),
            0..85 => {
                self.calls += 1;
                let submit = EventKind::Submit {
                    call: CallId(self.calls),
                    class,
                    timeout_ms: Millis(5_000),
                    bytes: 100 + self.calls % 900,
                    asks: if self.calls.is_multiple_of(3) {
                        Asks::InAnswers
                    } else {
                        Asks::Directly
                    },
                };
                (submit, Some("read_file"))
            }
            85..93 => {
                let next = server.machine.armed().min_by_key(|(_, due)| *due);
                let Some((key, due)) = next else {
                    return (EventKind::Operator(Operator::Retry {}), None);
                };
                self.at = self.at.max(due);
                (EventKind::Timer { key }, None)
            }
            93..95 => {
                server.answers.clear();
                child(Report::Exited {
                    status: ExitStatus::Signal(9),
                    unread: Vec::new(),
                })
            }
            95 => child(Report::StdoutEof {}),
            96 => child(Report::ListChanged {}),
            97 if self.calls.is_multiple_of(2) => {
                self.questions += 1;
                child(Report::Asked {
                    question: QuestionId(self.questions),
                    asks: Asks::InAnswers,
                })
            }
            97 => {
                let call = CallId(self.calls);
                (EventKind::Cancel { call }, None)
            }
            98 => {
                let late_ms = Millis(30_000);
                self.at = self.at.plus(late_ms);
                (EventKind::Overslept { late_ms }, None)
            }
            _ if generation.0 > 20 && self.calls.is_multiple_of(7) => {
                let drain = Drain::Within(Millis(500));
                (EventKind::Operator(Operator::Stop { drain }), None)
            }
            _ => {
                let mut tuning = server.machine.conn().tuning().clone();
                tuning.queue_ms = Millis(1_000 + self.calls % 9_000);
                (EventKind::configure(tuning), None)
            }
        }
    }

    fn answer(&mut self, effect: &Effect) -> Option<EventKind> {
        let dice = self.draw(100);
        let offer = Offer {
            version: ProtocolVersion::V2025_11_25,
            listing: Listing::Tools,
            digest: 1,
        };
        let (generation, report) = match effect {
            Effect::Offer {
                call,
                round,
                questions,
            } if dice < 80 => {
                return Some(EventKind::Resume {
                    call: *call,
                    round: *round,
                    answers: questions.clone(),
                });
            }
            Effect::AcquireSlot { ticket } => {
                return Some(EventKind::SlotGranted { ticket: *ticket });
            }
            Effect::Spawn { generation } if dice < 5 => {
                let failure = SpawnFailure::System { errno: 11 };
                (generation, Report::SpawnFailed { failure })
            }
            Effect::Spawn { generation } => (generation, Report::SpawnOk { pid: 4_242 }),
            Effect::WriteProbe { generation } => (generation, Report::ProbeLegacy {}),
            Effect::WriteInit { generation } if dice < 5 => {
                let failure = HandshakeFailure::Rpc { code: -32_603 };
                (generation, Report::HandshakeErr { failure })
            }
            Effect::WriteInit { generation } => (generation, Report::InitOk { offer }),
            Effect::WriteList { generation } => (
                generation,
                Report::Listed {
                    digest: u64::MAX - dice,
                    count: 3,
                    missing: 0,
                },
            ),
            Effect::Send { generation, call } if dice < 95 => (
                generation,
                Report::Reply {
                    call: *call,
                    reply: ReplyKind::Ok {
                        is_error: dice < 10,
                    },
                    bytes: 2_000,
                },
            ),
            Effect::Ping { generation } if dice < 70 => (generation, Report::Pong {}),
            Effect::SignalGroup { generation, .. } | Effect::CloseStdin { generation } => (
                generation,
                Report::Exited {
                    status: ExitStatus::Code(0),
                    unread: Vec::new(),
                },
            ),
            _ => return None,
        };
        Some(EventKind::Child {
            generation: *generation,
            report,
        })
    }
}

/// A world, its journal and the memory that it writes to.
pub(crate) struct Rig {
    pub(crate) world: World,
    pub(crate) journal: Journal,
    pub(crate) disk: MemoryHandle,
}

impl Rig {
    pub(crate) fn new(seed: u64, file_bytes: u64) -> Self {
        Self::with(seed, file_bytes, Mode::On, |_| {})
    }

    pub(crate) fn with(
        seed: u64,
        file_bytes: u64,
        mode: Mode,
        ail: impl FnOnce(&MemoryHandle),
    ) -> Self {
        let about = about(seed);
        let world = World::new(&about);
        let (memory, disk) = Memory::new();
        ail(&disk);
        let journal = Journal::with_sink(Box::new(memory), mode, about, limits(file_bytes));
        Self {
            world,
            journal,
            disk,
        }
    }

    /// Lets things happen, committed a few at a time.
    pub(crate) fn run(&mut self, turns: u64) -> Result<(), rea::journal::NotLogged> {
        let mut outcome = Ok(());
        for turn in 0..turns {
            self.world.turn(&mut self.journal);
            if turn % 3 == 0 || turn + 1 == turns {
                outcome = self.commit();
            }
        }
        outcome
    }

    pub(crate) fn commit(&mut self) -> Result<(), rea::journal::NotLogged> {
        let world = &self.world;
        self.journal.commit(&|| world.snapshots())
    }

    pub(crate) fn health(&mut self) -> Health {
        self.journal.health()
    }

    pub(crate) fn close(self) -> MemoryHandle {
        let world = self.world;
        // What the close comes to shows in the log.
        let _ = self.journal.close(world.at(), &|| world.snapshots());
        self.disk
    }
}

/// Changes lines (given without their links) and chains them anew, as somebody would who wants
/// to be believed.
pub(crate) fn forged(log: &[u8], change: impl Fn(usize, &str) -> String) -> Vec<u8> {
    forged_behind(Chain::START, log, change)
}

/// The same for a file that continues another, which ends in that link.
pub(crate) fn forged_behind(
    mut chain: Chain,
    log: &[u8],
    change: impl Fn(usize, &str) -> String,
) -> Vec<u8> {
    let mut forged = Vec::new();
    for (number, line) in std::str::from_utf8(log).unwrap().lines().enumerate() {
        let body = change(number, line.rsplit_once(",\"chain\":").unwrap().0);
        chain = chain.next(body.as_bytes());
        let line = format!("{body},\"chain\":\"{}\"}}\n", chain.as_str());
        forged.extend_from_slice(line.as_bytes());
    }
    forged
}
