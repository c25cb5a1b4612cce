//! A seed's choices: which servers, which numbers, which client, and how late turns are.

use super::child::Chunks;
use super::client::{Script, script};
use super::harness::{
    DiskFull, Lateness, LogSetup, PayloadSetup, Remainder, ServerSpec, Setup, Sim,
};
use super::moody::{LINE_BYTES_MAX, Temper, birth};
use super::rng::Rng;
use rea::gateway::ToolPolicy;
use rea::journal::Mode;
use rea_fsm::{CallClass, Millis, Protocol, Tuning};

/// Longer than anything that is promised.
const LIMIT_MS: u64 = 120_000;

pub(crate) struct Plan {
    pub(crate) setup: Setup,
    pub(crate) tempers: Vec<Temper>,
    pub(crate) script: Script,
    pub(crate) list_budget_ms: u64,
    pub(crate) tuning: Tuning,
    births: Rng,
}

/// The defaults, scaled so that a run of seconds sees locks, open circuits and hard caps.
pub(crate) fn tuning(rng: &mut Rng) -> Tuning {
    let protocols = [Protocol::Auto, Protocol::Auto, Protocol::Legacy];
    Tuning {
        protocol: protocols[rng.index(protocols.len())],
        restart_intensity: u32::try_from(rng.between(1, 3)).expect("it is small"),
        restart_window_ms: Millis(2_000),
        backoff_base_ms: Millis(50),
        backoff_max_ms: Millis(400),
        lock_base_ms: Millis(2_000),
        lock_max_ms: Millis(8_000),
        stable_ms: Millis(1_500),
        handshake_ms: Millis(800),
        probe_ms: Millis(150),
        list_ms: Millis(500),
        list_gap_ms: Millis(100),
        pong_ms: Millis(200),
        heartbeat_ms: Millis(if rng.chance(300) { 400 } else { 0 }),
        call_cap_ms: Millis(4_000),
        linger_ms: Millis(50),
        term_ms: Millis(200),
        kill_ms: Millis(200),
        give_up_ms: Millis([200, 900][rng.index(2)]),
        kill_again_ms: Millis(700),
        queue_max: u32::try_from(rng.between(2, 16)).expect("it is small"),
        queue_ms: Millis(1_000),
        in_flight_max: u32::try_from(rng.between(3, 40)).expect("it is small"),
        held_bytes_max: 8_192,
        breaker_faults: u32::try_from(rng.between(2, 5)).expect("it is small"),
        breaker_base_ms: Millis(700),
        breaker_max_ms: Millis(3_000),
        breaker_probes: 1,
        blocker_failures: 3,
        blocker_window_ms: Millis(20_000),
        blocker_unready_ms: Millis(3_000),
        blocker_rearm_ms: Millis(5_000),
        known_version: None,
        questions_max: 4,
        question_ms: Millis(2_000),
        gather_ms: Millis([0, 20][rng.index(2)]),
    }
}

/// Logs of many files, and disks that are full for a while.
fn log(rng: &mut Rng) -> LogSetup {
    let full = rng.chance(200).then(|| {
        let from = rng.below(3_000);
        DiskFull {
            from,
            to: from + [1, 400, 3_000, 100_000][rng.index(4)],
            room_bytes: rng.index(600),
        }
    });
    LogSetup {
        mode: if rng.chance(300) {
            Mode::Required
        } else {
            Mode::On
        },
        file_bytes: [6_000, 20_000, 64 << 20, 64 << 20][rng.index(4)],
        full,
    }
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let count = rng.between(1, 4);
        let names: Vec<String> = (0..count).map(|index| format!("s{index}")).collect();
        let tempers: Vec<Temper> = names
            .iter()
            .map(|_| match rng.below(11) {
                0..=2 => Temper::Good,
                3..=4 => Temper::Fair,
                5..=6 => Temper::Bad,
                7..=8 => Temper::Awful,
                9 => Temper::Mute,
                _ => Temper::Stubborn,
            })
            .collect();
        let tuning = tuning(&mut rng);
        tuning.check().expect("the numbers keep every promise");
        let servers = names
            .iter()
            .map(|name| {
                let mut spec = ServerSpec::named(name);
                spec.tuning = tuning.clone();
                spec.policy.timeout_ms = Millis(300);
                let policy = ToolPolicy {
                    class: Some(CallClass::Idempotent),
                    timeout_ms: None,
                };
                spec.policy.tools.insert("safe".to_owned(), policy);
                spec
            })
            .collect();
        let lateness = rng.chance(500).then(|| Lateness {
            overslept_per_mille: if rng.chance(200) { 8 } else { 0 },
            rng: rng.fork(),
        });
        let list_budget_ms = [50, 400, 2_000][rng.index(3)];
        let setup = Setup {
            spawn_slots: usize::try_from(rng.between(1, count)).expect("it is small"),
            list_budget_ms,
            line_bytes_max: LINE_BYTES_MAX,
            jitter_seed: rng.next(),
            chunks: if rng.chance(600) {
                Chunks::AtAnyByte
            } else {
                Chunks::Whole
            },
            lateness,
            world_seed: rng.next(),
            payloads: PayloadSetup::default(),
            log: log(&mut rng),
            servers,
        };
        Self {
            setup,
            tempers,
            script: script(&mut rng, &names),
            list_budget_ms,
            tuning,
            births: rng.fork(),
        }
    }

    /// Runs it to its end.
    pub(crate) fn run(self, tells: bool) -> Ran {
        let Self {
            setup,
            tempers,
            script,
            list_budget_ms,
            tuning,
            mut births,
        } = self;
        let of_server = tempers.clone();
        let midwife = move |server: rea::engine::ServerId, _| {
            birth(of_server[server.0 as usize], births.fork())
        };
        let mut sim = Sim::new(setup, Box::new(midwife));
        sim.tells = tells;
        for (at, waiting) in &script.happenings {
            sim.world().at(*at, waiting.clone());
        }
        Ran {
            left: sim.run_out(LIMIT_MS),
            script,
            tempers,
            list_budget_ms,
            tuning,
        }
    }
}

/// A seed's run, to be judged.
pub(crate) struct Ran {
    pub(crate) left: Remainder,
    pub(crate) script: Script,
    pub(crate) tempers: Vec<Temper>,
    pub(crate) list_budget_ms: u64,
    pub(crate) tuning: Tuning,
}
