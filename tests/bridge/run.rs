//! One seed: its servers, its client, and one thing after the other.

use super::checks::{self, Seen};
use super::client::{Client, Speech};
use super::servers::{self, Era};
use super::simulation::child::Chunks;
use super::simulation::harness::{ServerSpec, Setup, Sim};
use super::simulation::messages::Waiting;
use super::simulation::plan;
use super::simulation::rng::Rng;
use super::witness::Shared;
use rea::engine::ServerId;

/// Whether a run tells what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    Nothing,
    All,
}

pub(crate) fn seed(seed: u64, telling: Telling) -> Seen {
    let mut rng = Rng::new(seed);
    let witness = Shared::default();
    let count = usize::try_from(rng.between(1, 3)).expect("it is small");
    let names: Vec<String> = (0..count).map(|index| format!("s{index}")).collect();
    let eras: Vec<Era> = names
        .iter()
        .map(|_| [Era::Legacy, Era::Modern][rng.index(2)])
        .collect();
    let tuning = plan::tuning(&mut rng);
    let specs = names.iter().map(|name| {
        let mut spec = ServerSpec::named(name);
        spec.tuning = rea_fsm::Tuning {
            protocol: rea_fsm::Protocol::Auto,
            ..tuning.clone()
        };
        spec.policy.timeout_ms = rea_fsm::Millis(300);
        spec
    });
    let setup = Setup {
        chunks: [Chunks::Whole, Chunks::AtAnyByte][rng.index(2)],
        jitter_seed: rng.next(),
        world_seed: rng.next(),
        ..Setup::of(specs.collect())
    };
    let mut births = rng.fork();
    let (born_eras, born_witness) = (eras.clone(), witness.clone());
    let midwife = move |server: ServerId, _| {
        servers::birth(
            born_eras[server.index()],
            births.fork(),
            born_witness.clone(),
        )
    };
    let mut sim = Sim::new(setup, Box::new(midwife));
    sim.tells = telling == Telling::All;
    let speech = [Speech::Session, Speech::RequestByRequest][rng.index(2)];
    let mut client = Client::new(speech, rng.fork(), names);
    client.begin(&mut sim);
    for _ in 0..rng.between(20, 90) {
        let pause_ms = [0, 1, 3, 20, 120, 700][rng.index(6)];
        let at = sim.now + pause_ms;
        sim.run_to(at);
        client.listen(&mut sim);
        checks::nothing_is_held_past_its_time(&mut sim);
        client.act(&mut sim);
    }
    // Whatever was asked has its time, and then it is over.
    let at = sim.now + checks::LONGEST_CALL_MS;
    sim.run_to(at);
    client.listen(&mut sim);
    checks::nothing_is_open(&mut sim);
    sim.happens(Waiting::ClientEnded);
    let limit = sim.now + 60_000;
    let left = sim.run_out(limit);
    let tally = checks::check(speech, &eras, &client, &witness.borrow());
    drop(left);
    tally
}
