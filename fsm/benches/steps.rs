//! How many steps a second the core takes while a server is ready: a call comes, its answer comes.
//!
//! `cargo bench -p rea-fsm --bench steps`

use rea_fsm::{
    Asks, CallClass, CallId, Downstream, Effect, Event, EventKind, Generation, Leaf, Listing,
    Millis, Offer, Operator, Protocol, ProtocolVersion, ReplyKind, Report, Ticket, Tuning,
};
use std::hint::black_box;
use std::time::Instant;

const PAIRS: u32 = 2_000_000;
const ROUNDS: u32 = 5;

fn ready() -> Downstream {
    let tuning = Tuning {
        protocol: Protocol::Legacy,
        ..Tuning::default()
    };
    let mut machine = Downstream::new(tuning, 1);
    let generation = Generation(1);
    let offer = Offer {
        version: ProtocolVersion::V2025_11_25,
        listing: Listing::Nothing,
        digest: 0,
    };
    for kind in [
        EventKind::Operator(Operator::Start {}),
        EventKind::SlotGranted { ticket: Ticket(1) },
        EventKind::Child {
            generation,
            report: Report::SpawnOk { pid: 7 },
        },
        EventKind::Child {
            generation,
            report: Report::InitOk { offer },
        },
    ] {
        let at_ms = Millis(1);
        machine.step(&Event { at_ms, kind }, &mut Vec::new());
    }
    assert_eq!(machine.leaf(), Leaf::Ready);
    machine
}

fn submit(call: u64) -> Event {
    Event {
        at_ms: Millis(call),
        kind: EventKind::Submit {
            call: CallId(call),
            class: CallClass::Unsafe,
            timeout_ms: Millis(60_000),
            bytes: 200,
            asks: Asks::Directly,
        },
    }
}

fn reply(call: u64, at: u64) -> Event {
    Event {
        at_ms: Millis(at),
        kind: EventKind::Child {
            generation: Generation(1),
            report: Report::Reply {
                call: CallId(call),
                reply: ReplyKind::Ok { is_error: false },
                bytes: 300,
            },
        },
    }
}

/// Steps a second with so many calls in flight; `after` is what the log does after each step.
fn steps_per_second(in_flight: u64, after: impl Fn(&Downstream, &[Effect])) -> f64 {
    let mut machine = ready();
    let mut effects = Vec::new();
    for call in 1..in_flight {
        machine.step(&submit(call), &mut effects);
    }
    let begun = Instant::now();
    for call in in_flight..in_flight + u64::from(PAIRS) {
        for event in [submit(call), reply(call + 1 - in_flight, call)] {
            effects.clear();
            machine.step(black_box(&event), &mut effects);
            after(&machine, &effects);
        }
    }
    f64::from(2 * PAIRS) / begun.elapsed().as_secs_f64()
}

fn best(in_flight: u64, after: impl Fn(&Downstream, &[Effect])) -> f64 {
    (0..ROUNDS)
        .map(|_| steps_per_second(in_flight, &after))
        .fold(0.0, f64::max)
}

fn main() {
    let nothing = |_: &Downstream, effects: &[Effect]| {
        black_box(effects);
    };
    let log = |machine: &Downstream, effects: &[Effect]| {
        black_box((machine.digest(), rea_fsm::digest(effects)));
    };
    for in_flight in [1, 64, 1_000] {
        let (plain, logged) = (best(in_flight, nothing), best(in_flight, log));
        eprintln!(
            "{in_flight:>5} in flight: {:.2} M steps/s; with the log's digests {:.2} M",
            plain / 1e6,
            logged / 1e6
        );
    }
}
