//! Properties of whole runs: a step is a function, a snapshot is everything, servers know nothing
//! of each other, and time has no scale.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "what goes wrong here fails a test"
)]

mod support;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, FileFailurePersistence};
use proptest::{prop_assert_eq, proptest};
use rea_fsm::{
    Downstream, Effect, Event, EventKind, LogEvent, Millis, Operator, Refusal, Snapshot, Tuning,
    Verdict,
};
use support::coverage::Coverage;
use support::drive::{Plan, endless, run_keeping};
use support::tunings;

fn config() -> Config {
    Config {
        cases: 300,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../proptest-regressions/whole.txt"
        )))),
        ..Config::default()
    }
}

/// The events of a random run of one machine.
fn random_events(tuning: &Tuning, seed: u64, draws: &[u32]) -> Vec<Event> {
    let plan = Plan {
        tuning,
        left: endless(tuning),
        seed,
        benign: false,
    };
    let mut events = Vec::new();
    let outcome = run_keeping(&plan, draws, &mut Coverage::new(), &mut events);
    assert!(
        outcome.is_ok(),
        "a property is broken; the random runs say which"
    );
    events
}

/// What a machine makes of events: after each one its effects and its digest.
fn trace(machine: &mut Downstream, events: &[Event]) -> Vec<(Vec<Effect>, u64)> {
    events
        .iter()
        .map(|event| {
            let mut effects = Vec::new();
            machine.step(event, &mut effects);
            (effects, machine.digest())
        })
        .collect()
}

fn tuning(which: usize) -> Tuning {
    let all = tunings::all();
    all[which % all.len()].1.clone()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn p35_the_same_events_give_the_same_digests(
        which in any::<usize>(), seed in any::<u64>(), draws in vec(any::<u32>(), 1..600),
    ) {
        let tuning = tuning(which);
        let events = random_events(&tuning, seed, &draws);
        let first = trace(&mut Downstream::new(tuning.clone(), seed), &events);
        let second = trace(&mut Downstream::new(tuning, seed), &events);
        prop_assert_eq!(first, second);
    }

    #[test]
    fn p35_a_machine_taken_up_from_its_written_snapshot_goes_on_the_same(
        which in any::<usize>(), seed in any::<u64>(), draws in vec(any::<u32>(), 1..600),
        cut in any::<usize>(),
    ) {
        let tuning = tuning(which);
        let events = random_events(&tuning, seed, &draws);
        let (before, after) = events.split_at(cut % (events.len() + 1));
        let mut machine = Downstream::new(tuning, seed);
        trace(&mut machine, before);
        let written = serde_json::to_string(&machine.snapshot()).expect("a snapshot is data");
        let read: Snapshot = serde_json::from_str(&written).expect("it reads what it wrote");
        let mut restored = Downstream::restore(read);
        prop_assert_eq!(restored.digest(), machine.digest());
        prop_assert_eq!(trace(&mut restored, after), trace(&mut machine, after));
    }

    #[test]
    fn p36_servers_are_independent(
        seed in any::<u64>(), one in vec(any::<u32>(), 1..300), other in vec(any::<u32>(), 1..300),
        turns in vec(any::<bool>(), 600),
    ) {
        let (first, second) = (tuning(0), tuning(1));
        let (events, others) = (
            random_events(&first, seed, &one),
            random_events(&second, seed, &other),
        );
        let alone = trace(&mut Downstream::new(first.clone(), seed), &events);
        let (mut machine, mut neighbour) =
            (Downstream::new(first, seed), Downstream::new(second, seed));
        let mut beside = Vec::new();
        let (mut ours, mut theirs) = (events.iter(), others.iter());
        for turn in turns {
            let event = if turn { ours.next() } else { theirs.next() };
            if let Some(event) = event {
                let machine = if turn { &mut machine } else { &mut neighbour };
                let step = trace(machine, std::slice::from_ref(event));
                if turn {
                    beside.extend(step);
                }
            }
        }
        beside.extend(trace(&mut machine, ours.as_slice()));
        prop_assert_eq!(beside, alone);
    }

    #[test]
    fn p37_scaling_all_times_scales_all_outputs(
        which in any::<usize>(), seed in any::<u64>(), draws in vec(any::<u32>(), 1..600),
        factor in 2_u64..50,
    ) {
        let tuning = tuning(which);
        let events = random_events(&tuning, seed, &draws);
        let plain = trace(&mut Downstream::new(tuning.clone(), seed), &events);
        let scaled_events: Vec<_> = events.iter().map(|event| scaled_event(event, factor)).collect();
        let scaled = trace(&mut Downstream::new(scaled_tuning(&tuning, factor), seed), &scaled_events);
        for ((plain, _), (scaled, _)) in plain.into_iter().zip(scaled) {
            let expected: Vec<_> =
                plain.into_iter().map(|effect| scaled_effect(effect, factor)).collect();
            prop_assert_eq!(expected, scaled);
        }
    }
}

fn times(length: &mut Millis, factor: u64) {
    length.0 *= factor;
}

fn scaled_tuning(tuning: &Tuning, factor: u64) -> Tuning {
    let mut scaled = tuning.clone();
    for length in [
        &mut scaled.restart_window_ms,
        &mut scaled.backoff_base_ms,
        &mut scaled.backoff_max_ms,
        &mut scaled.lock_base_ms,
        &mut scaled.lock_max_ms,
        &mut scaled.stable_ms,
        &mut scaled.handshake_ms,
        &mut scaled.probe_ms,
        &mut scaled.list_ms,
        &mut scaled.list_gap_ms,
        &mut scaled.pong_ms,
        &mut scaled.heartbeat_ms,
        &mut scaled.call_cap_ms,
        &mut scaled.linger_ms,
        &mut scaled.term_ms,
        &mut scaled.kill_ms,
        &mut scaled.give_up_ms,
        &mut scaled.kill_again_ms,
        &mut scaled.queue_ms,
        &mut scaled.breaker_base_ms,
        &mut scaled.breaker_max_ms,
        &mut scaled.blocker_window_ms,
        &mut scaled.blocker_unready_ms,
        &mut scaled.blocker_rearm_ms,
        &mut scaled.question_ms,
        &mut scaled.gather_ms,
    ] {
        times(length, factor);
    }
    scaled
}

fn scaled_event(event: &Event, factor: u64) -> Event {
    let mut scaled = event.clone();
    times(&mut scaled.at_ms, factor);
    match &mut scaled.kind {
        EventKind::Submit { timeout_ms, .. } => times(timeout_ms, factor),
        EventKind::Overslept { late_ms } => times(late_ms, factor),
        EventKind::Operator(operator) => match operator {
            Operator::Stop {
                drain: rea_fsm::Drain::Within(length),
            } => times(length, factor),
            Operator::Restart { drain_ms } => times(drain_ms, factor),
            Operator::Configure { tuning } => **tuning = scaled_tuning(tuning, factor),
            Operator::Stop {
                drain: rea_fsm::Drain::Now,
            }
            | Operator::Start {}
            | Operator::Retry {} => {}
        },
        EventKind::SlotGranted { .. }
        | EventKind::Child { .. }
        | EventKind::Cancel { .. }
        | EventKind::Answered { .. }
        | EventKind::Resume { .. }
        | EventKind::Timer { .. } => {}
    }
    scaled
}

/// Every time in an effect.
fn scaled_effect(mut effect: Effect, factor: u64) -> Effect {
    match &mut effect {
        Effect::Arm { due: at, .. }
        | Effect::Log(
            LogEvent::RespawnRefusedFlap { until: at, .. } | LogEvent::CircuitOpen { retry_at: at },
        )
        | Effect::Complete {
            verdict:
                Verdict::Refused(
                    Refusal::FlapLocked { retry_at: at } | Refusal::CircuitOpen { retry_at: at },
                ),
            ..
        } => times(at, factor),
        _ => {}
    }
    effect
}
