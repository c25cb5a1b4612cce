//! Drives the gateway's turn over the simulated world, as the loop of `rea serve` does over the
//! real one: sleep to the next due time or happening, take what is waiting, end the turn.

use super::child::{Chunks, Midwife};
use super::log::{Counting, Replayed, replay, same_acts};
use super::rng::Rng;
use super::world::{SimWorld, Waiting};
use jiff::Timestamp;
use rea::catalogue::Remembered;
use rea::engine::{Engine, ServerId, ServerSetup};
use rea::gateway::{
    Annotations, CallPolicy, Client, ClientSetup, Diagnostics, Gateway, HEALTH_TOOL, Input,
    Patience, Payloads, PolicyFacts, Run, SecretFinder,
};
use rea::journal::{About, Journal, Limits, MemoryHandle, Mode, machine_seed};
use rea_fsm::{Leaf, Millis, Remains, State, Tuning};
use std::collections::BTreeMap;

/// What the simulated gateway was told to keep out of its log.
pub(crate) const SECRET: &str = "hunter2-very-secret";

/// A gateway that has so many turns in one millisecond will have them for ever.
const SPINS_MAX: u64 = 10_000;

pub(crate) struct ServerSpec {
    pub(crate) name: String,
    pub(crate) tuning: Tuning,
    pub(crate) policy: CallPolicy,
}

pub(crate) struct Setup {
    pub(crate) servers: Vec<ServerSpec>,
    pub(crate) spawn_slots: usize,
    pub(crate) list_budget_ms: u64,
    pub(crate) line_bytes_max: usize,
    pub(crate) jitter_seed: u64,
    pub(crate) chunks: Chunks,
    /// How late turns begin; none: never.
    pub(crate) lateness: Option<Lateness>,
    pub(crate) world_seed: u64,
    pub(crate) log: LogSetup,
    pub(crate) payloads: PayloadSetup,
}

/// What secrets are taken out of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PayloadSetup {
    pub(crate) arguments: bool,
    pub(crate) results: bool,
}

/// Finds every [`SECRET`].
fn finder() -> SecretFinder {
    Box::new(|text| {
        let found = text.match_indices(SECRET);
        found.map(|(at, found)| at..at + found.len()).collect()
    })
}

/// The log, and what becomes of its disk.
#[derive(Clone, Debug)]
pub(crate) struct LogSetup {
    pub(crate) mode: Mode,
    pub(crate) file_bytes: u64,
    /// From when to when nothing can be written; so many bytes fit before.
    pub(crate) full: Option<DiskFull>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct DiskFull {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) room_bytes: usize,
}

impl Default for LogSetup {
    fn default() -> Self {
        Self {
            mode: Mode::On,
            file_bytes: Limits::default().file_bytes,
            full: None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Lateness {
    pub(crate) rng: Rng,
    pub(crate) overslept_per_mille: u64,
}

impl Lateness {
    const fn draw(&mut self) -> u64 {
        if self.rng.chance(self.overslept_per_mille) {
            self.rng.between(900, 4_000)
        } else if self.rng.chance(50) {
            self.rng.between(1, 3)
        } else {
            0
        }
    }
}

impl ServerSpec {
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            tuning: Tuning::default(),
            policy: CallPolicy {
                timeout_ms: Millis(60_000),
                tools: BTreeMap::new(),
                annotations: Annotations::Ignored,
            },
        }
    }
}

impl Setup {
    pub(crate) fn of(servers: Vec<ServerSpec>) -> Self {
        Self {
            spawn_slots: servers.len(),
            servers,
            list_budget_ms: 2_000,
            line_bytes_max: 1 << 20,
            jitter_seed: 7,
            chunks: Chunks::Whole,
            lateness: None,
            world_seed: 7,
            log: LogSetup::default(),
            payloads: PayloadSetup::default(),
        }
    }
}

pub(crate) fn began() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("it is a time")
}

pub(crate) struct Sim {
    pub(crate) gateway: Gateway<SimWorld>,
    pub(crate) names: Vec<String>,
    pub(crate) now: u64,
    /// What the gateway took of the client and of signals, in order.
    pub(crate) taken: Vec<(u64, Waiting)>,
    pub(crate) turns: u64,
    /// How many turns there were since the clock went on.
    turns_now: u64,
    /// By how much turns were late, all together.
    pub(crate) late_ms: u64,
    pub(crate) tells: bool,
    lateness: Option<Lateness>,
    log: MemoryHandle,
    full: Option<DiskFull>,
}

/// What is left of a run.
pub(crate) struct Remainder {
    pub(crate) world: SimWorld,
    pub(crate) names: Vec<String>,
    pub(crate) taken: Vec<(u64, Waiting)>,
    pub(crate) ended_at: u64,
    pub(crate) late_ms: u64,
    pub(crate) turns: u64,
    /// Servers that were left with a process that does not end, and said so.
    pub(crate) orphans: Vec<ServerId>,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) log: Vec<Vec<u8>>,
    pub(crate) replayed: Replayed,
}

impl Sim {
    pub(crate) fn new(setup: Setup, midwife: Midwife) -> Self {
        let (sink, log, written) = Counting::new();
        let names: Vec<String> = setup.servers.iter().map(|spec| spec.name.clone()).collect();
        let about = About {
            build: "simulation".to_owned(),
            session: "simulation".to_owned(),
            boot: "none".to_owned(),
            began: began(),
            jitter_seed: setup.jitter_seed,
            config: setup
                .servers
                .iter()
                .map(|spec| (spec.name.clone(), spec.tuning.clone()))
                .collect(),
        };
        let limits = Limits {
            file_bytes: setup.log.file_bytes,
            ..Limits::default()
        };
        let journal = Journal::with_sink(Box::new(sink), setup.log.mode, about, limits);
        let world = SimWorld::new(midwife, setup.chunks, Rng::new(setup.world_seed), written);
        let policies = setup
            .servers
            .iter()
            .map(|spec| spec.policy.clone())
            .collect();
        let servers: Vec<ServerSetup> = setup
            .servers
            .into_iter()
            .map(|spec| ServerSetup {
                jitter_seed: machine_seed(setup.jitter_seed, &spec.name),
                name: spec.name,
                tuning: spec.tuning,
                line_bytes_max: setup.line_bytes_max,
            })
            .collect();
        let engine = Engine::new(servers, setup.spawn_slots, journal, world);
        let client = Client::new(ClientSetup {
            policies,
            servers: names.clone(),
            list_budget_ms: Millis(setup.list_budget_ms),
            list_keep_ms: Millis(60_000),
            question_ms: Millis(2_000),
            key: [7; 32],
            redact: Box::new(|text: &str| text.replace(SECRET, "[REDACTED]")),
            payloads: Payloads {
                arguments: setup.payloads.arguments.then(finder),
                results: setup.payloads.results.then(finder),
            },
            run: Run {
                session_id: "simulated".to_owned(),
                began: began(),
                pid: 1,
                metrics_port: None,
                version: "0",
                stderr_file: Box::new(|server| format!("logs/{server}.log")),
            },
            diagnostics: Diagnostics::Shown,
            policy_facts: PolicyFacts::default(),
        });
        Self {
            gateway: Gateway::new(engine, client, Patience::default(), setup.line_bytes_max),
            names,
            now: 0,
            taken: Vec::new(),
            turns: 0,
            turns_now: 0,
            late_ms: 0,
            tells: false,
            lateness: setup.lateness,
            log,
            full: setup.log.full,
        }
    }

    /// From now on so many more bytes fit on the log's disk.
    pub(crate) fn fill_disk(&mut self, room_bytes: usize) {
        self.log.set_room(Some(room_bytes));
        self.world().written.set_faulty();
    }

    pub(crate) fn empty_disk(&mut self) {
        self.log.heal();
    }

    fn disk_changes(&mut self) {
        let Some(full) = self.full else { return };
        if self.now >= full.to {
            self.full = None;
            self.empty_disk();
        } else if self.now >= full.from && !self.world().written.is_faulty() {
            self.fill_disk(full.room_bytes);
        }
    }

    pub(crate) const fn world(&mut self) -> &mut SimWorld {
        self.gateway.world()
    }

    /// One turn, if one is due by `limit`; otherwise the clock stands at `limit`.
    pub(crate) fn turn(&mut self, limit: u64) -> bool {
        let due = self.gateway.next_due().map(|due| due.0);
        let next = [due, self.world().next_at()].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= limit) else {
            self.now = self.now.max(limit);
            return false;
        };
        let late_ms = self.lateness.as_mut().map_or(0, Lateness::draw);
        self.late_ms += late_ms;
        let earliest = self.now;
        self.now = self.now.max(next + late_ms);
        let now = self.now;
        self.turns_now = if now > earliest {
            0
        } else {
            self.turns_now + 1
        };
        assert!(self.turns_now < SPINS_MAX, "it spins at {now}");
        let waiting = self.world().pass(now);
        if waiting.is_empty() && due.is_none_or(|due| due > now) {
            assert!(next >= earliest, "the clock goes on");
            return true;
        }
        self.take(waiting);
        true
    }

    fn take(&mut self, waiting: Vec<Waiting>) {
        self.turns += 1;
        self.disk_changes();
        self.gateway.begin(Millis(self.now));
        for waiting in waiting {
            if self.tells {
                eprintln!("{:>6} > {waiting}", self.now);
            }
            let input = match &waiting {
                Waiting::Client(bytes) => Input::Client(bytes),
                Waiting::ClientEnded => Input::ClientEnded,
                Waiting::ClientGone => Input::ClientGone,
                Waiting::Signalled => Input::Signalled,
                Waiting::Server((server, generation), report) => {
                    Input::Server(*server, *generation, report.borrow())
                }
            };
            self.gateway.take(input);
            if !matches!(waiting, Waiting::Server(..)) {
                self.taken.push((self.now, waiting));
            }
        }
        let acts = self.world().acts.len();
        let heard = self.world().heard.len();
        self.gateway.end();
        if self.tells {
            let now = self.now;
            let world = self.world();
            for (_, key, act) in &world.acts[acts..] {
                eprintln!("{now:>6} < {}#{} {act}", key.0.0, key.1.0);
            }
            for (_, bytes) in &world.heard[heard..] {
                eprint!("{now:>6} < {}", String::from_utf8_lossy(bytes));
            }
        }
    }

    /// Lets time pass without the gateway and without its servers, as when the machine sleeps.
    pub(crate) fn oversleep(&mut self, asleep_ms: u64) {
        self.now += asleep_ms;
        let now = self.now;
        self.world().postpone(now);
        self.take(Vec::new());
    }

    /// Lets time pass.
    pub(crate) fn run_to(&mut self, at: u64) {
        while self.turn(at) {}
    }

    /// Lets the gateway come to its end, which has to be before `limit`.
    pub(crate) fn run_out(mut self, limit: u64) -> Remainder {
        while !self.gateway.is_over() {
            let went_on = self.turn(limit);
            assert!(went_on, "the gateway does not end by {limit} ms");
        }
        self.remainder()
    }

    fn remainder(mut self) -> Remainder {
        let mut orphans = Vec::new();
        let mut leaves = Vec::new();
        for (server, _, downstream) in self.gateway.engine().servers() {
            leaves.push(downstream.leaf());
            let remains = State::Closed {
                remains: Remains::Orphan,
            };
            if *downstream.state() == remains {
                orphans.push(server);
            }
        }
        let (_, _, written) = Counting::new();
        let nobody = SimWorld::new(
            Box::new(|_, _| super::child::Birth::NeverKnown),
            Chunks::Whole,
            Rng::new(0),
            written,
        );
        let world = std::mem::replace(self.world(), nobody);
        self.log.heal();
        self.gateway.close().expect("the log is closed");
        let log = self.log.files();
        let replayed = replay(log.clone());
        if replayed.lost == 0 {
            same_acts(&world, &self.names, &replayed);
        }
        Remainder {
            world,
            names: self.names,
            taken: self.taken,
            ended_at: self.now,
            late_ms: self.late_ms,
            turns: self.turns,
            orphans,
            leaves,
            log,
            replayed,
        }
    }

    // What examples say and ask.

    /// The client writes lines now.
    pub(crate) fn says(&mut self, lines: &[&str]) {
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
        self.happens(Waiting::Client(bytes));
    }

    /// Something of the client's happens now.
    pub(crate) fn happens(&mut self, waiting: Waiting) {
        let now = self.now;
        self.world().at(now, waiting);
        self.run_to(now);
    }

    /// The lines that the client was sent so far, without the gateway's own tool, which stands in front
    /// of every list of tools.
    pub(crate) fn heard(&mut self) -> Vec<String> {
        let text = self.world().client_text();
        let lines = text.lines();
        lines
            .map(|line| {
                line.replace(&format!("{HEALTH_TOOL},"), "")
                    .replace(HEALTH_TOOL, "")
            })
            .collect()
    }

    /// The lines of this server's processes that were read so far.
    pub(crate) fn read_by(&mut self, server: u32) -> Vec<String> {
        self.world()
            .reads
            .iter()
            .filter(|read| read.key.0 == ServerId(server))
            .map(|read| read.line.clone())
            .collect()
    }

    /// Those of them that are calls.
    pub(crate) fn calls_read_by(&mut self, server: u32) -> Vec<String> {
        let mut read = self.read_by(server);
        read.retain(|line| line.contains("\"tools/call\""));
        read
    }

    /// A server's machine.
    /// What the next session would know of a server.
    pub(crate) fn kept(&mut self, server: u32) -> Option<Remembered> {
        self.gateway.world().kept.get(&ServerId(server)).cloned()
    }

    pub(crate) fn downstream(&mut self, server: u32) -> &rea_fsm::Downstream {
        self.gateway.engine().downstream(ServerId(server))
    }

    pub(crate) fn leaf(&mut self, server: u32) -> Leaf {
        self.gateway.engine().downstream(ServerId(server)).leaf()
    }
}
