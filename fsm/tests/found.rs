//! What random runs and exploration have found in the core, each as short as it can be told.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "what goes wrong here fails a test"
)]

use rea_fsm::{
    Asks, CallClass, CallId, Downstream, Drain, Effect, Event, EventKind, Executed, ExitStatus,
    Generation, Leaf, Listing, Millis, Offer, Operator, Protocol, ProtocolVersion, Report, Signal,
    Ticket, TimerKey, Tuning,
};

struct Bench {
    machine: Downstream,
    now: u64,
}

impl Bench {
    fn new(tuning: &Tuning) -> Self {
        let machine = Downstream::new(
            Tuning {
                protocol: Protocol::Legacy,
                ..tuning.clone()
            },
            1,
        );
        Self { machine, now: 0 }
    }

    fn says(&mut self, kind: EventKind) -> Vec<Effect> {
        let mut effects = Vec::new();
        let event = Event {
            at_ms: Millis(self.now),
            kind,
        };
        self.machine.step(&event, &mut effects);
        effects
    }

    fn child(&mut self, generation: u32, report: Report) -> Vec<Effect> {
        self.says(EventKind::Child {
            generation: Generation(generation),
            report,
        })
    }

    fn fires(&mut self, key: TimerKey) -> Vec<Effect> {
        self.now = self.machine.due(key).expect("the timer is armed").0;
        self.says(EventKind::Timer { key })
    }

    fn submit(&mut self, call: u64) -> Vec<Effect> {
        self.says(EventKind::Submit {
            call: CallId(call),
            class: CallClass::ReadOnly,
            timeout_ms: Millis(60_000),
            bytes: 1,
            asks: Asks::Directly,
        })
    }

    fn connect(&mut self, generation: u32) {
        self.says(EventKind::SlotGranted {
            ticket: Ticket(generation),
        });
        self.child(generation, Report::SpawnOk { pid: 7 });
        let offer = Offer {
            version: ProtocolVersion::V2025_11_25,
            listing: Listing::Nothing,
            digest: 0,
        };
        self.child(generation, Report::InitOk { offer });
        assert_eq!(self.machine.leaf(), Leaf::Ready);
    }

    fn start(&mut self) {
        self.says(EventKind::Operator(Operator::Start {}));
        self.connect(1);
    }
}

fn executed(effects: &[Effect]) -> Option<Executed> {
    effects.iter().find_map(|effect| match effect {
        Effect::Complete { executed, .. } => Some(*executed),
        _ => None,
    })
}

#[test]
fn a_call_that_a_dead_generation_may_have_run_is_never_called_not_executed() {
    let mut bench = Bench::new(&Tuning::default());
    bench.start();
    bench.submit(1);
    bench.child(
        1,
        Report::Exited {
            status: ExitStatus::Signal(9),
            unread: Vec::new(),
        },
    );
    let given_up = bench.fires(TimerKey::Call(CallId(1)));
    assert_eq!(executed(&given_up), Some(Executed::Maybe));
}

#[test]
fn the_heartbeat_goes_on_after_the_first_suspicion() {
    let mut bench = Bench::new(&Tuning {
        heartbeat_ms: Millis(1_000),
        ..Tuning::default()
    });
    bench.start();
    for _ in 0..3 {
        bench.fires(TimerKey::Heartbeat);
        assert_eq!(bench.machine.leaf(), Leaf::Suspect);
        bench.child(1, Report::Pong {});
        assert_eq!(bench.machine.leaf(), Leaf::Ready);
    }
}

#[test]
fn a_heartbeat_that_is_turned_off_while_one_is_armed_does_not_fire_for_ever() {
    let mut bench = Bench::new(&Tuning {
        heartbeat_ms: Millis(1_000),
        ..Tuning::default()
    });
    bench.start();
    bench.fires(TimerKey::Heartbeat);
    let tuning = Tuning {
        protocol: Protocol::Legacy,
        ..Tuning::default()
    };
    bench.says(EventKind::configure(tuning));
    assert_eq!(bench.machine.due(TimerKey::Heartbeat), None);
}

#[test]
fn stop_now_kills_at_once_also_while_the_process_is_being_ended() {
    let mut bench = Bench::new(&Tuning::default());
    bench.start();
    bench.says(EventKind::Operator(Operator::Restart {
        drain_ms: Millis::ZERO,
    }));
    assert_eq!(bench.machine.leaf(), Leaf::Reaping);
    let effects = bench.says(EventKind::Operator(Operator::Stop { drain: Drain::Now }));
    let kill = Effect::SignalGroup {
        generation: Generation(1),
        signal: Signal::Kill,
    };
    assert!(effects.contains(&kill), "{effects:?}");
}
