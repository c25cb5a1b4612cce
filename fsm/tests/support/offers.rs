//! What may happen next: every true event with a weight, and events that mean nothing any more.
//!
//! Exploration takes each offer once; random runs draw one by its weight. Weights keep the rare
//! and interesting from being drowned by the frequent and dull.

use super::bounds::{Clocks, Left, ListingPlan, Variety};
use super::world::{Ask, Child, End, Line, Slot, Stage, World};
use rea_fsm::{
    BlockReason, CallClass, CallId, Downstream, Drain, EventKind, ExitStatus, Generation,
    HandshakeFailure, IoErrorKind, Leaf, Listing, Millis, Offer, Operator, ProtocolVersion,
    ReplyKind, Report, SpawnFailure, Ticket, TimerKey,
};

/// Weighted events.
pub(crate) type Offers = Vec<(u32, EventKind)>;

const LEGACY: ProtocolVersion = ProtocolVersion::V2025_11_25;
const MODERN: ProtocolVersion = ProtocolVersion::V2026_07_28;

/// Every true event that may come next.
pub(crate) fn offers(world: &World, machine: &Downstream, out: &mut Offers) {
    out.clear();
    operators(world, machine, out);
    if let Slot::Asked(ticket) = world.slot {
        out.push((60, EventKind::SlotGranted { ticket }));
    }
    if let Some(child) = &world.child {
        match child.stage {
            Stage::Starting => starting(&world.left, child, out),
            Stage::Running => running(world, machine, child, out),
        }
    }
    client(world, out);
    timers(world, out);
}

fn operators(world: &World, machine: &Downstream, out: &mut Offers) {
    let left = &world.left;
    let mut say = |weight, operator| out.push((weight, EventKind::Operator(operator)));
    if machine.leaf() == Leaf::Idle {
        say(60, Operator::Start {});
    }
    if left.stops > 0 {
        let drains = [
            Drain::Now,
            Drain::Within(left.drain_ms),
            Drain::Within(Millis::ZERO),
        ];
        let shapes = match left.variety {
            Variety::Few => 2,
            Variety::Many => 3,
        };
        for drain in &drains[..shapes] {
            let waits = *drain == Drain::Within(left.drain_ms);
            say(if waits { 3 } else { 1 }, Operator::Stop { drain: *drain });
        }
    }
    if left.retries > 0 {
        say(3, Operator::Retry {});
    }
    if left.restarts > 0 {
        say(
            1,
            Operator::Restart {
                drain_ms: left.drain_ms,
            },
        );
        if left.variety == Variety::Many {
            say(
                1,
                Operator::Restart {
                    drain_ms: Millis::ZERO,
                },
            );
        }
    }
    if left.configures > 0 {
        let tuning = Box::new(machine.conn().tuning().clone());
        say(1, Operator::Configure { tuning });
    }
    if left.oversleeps > 0 {
        out.push((
            2,
            EventKind::Overslept {
                late_ms: left.drain_ms,
            },
        ));
    }
}

fn starting(left: &Left, child: &Child, out: &mut Offers) {
    let mut say = |weight, report| {
        let generation = child.generation;
        out.push((weight, EventKind::Child { generation, report }));
    };
    say(60, Report::SpawnOk { pid: 7 });
    say(6, failed(SpawnFailure::System { errno: 11 }));
    say(2, failed(SpawnFailure::Blocked(BlockReason::Untrusted)));
    if left.variety == Variety::Many {
        let detail = String::from("no such program");
        say(
            1,
            failed(SpawnFailure::Blocked(BlockReason::CommandNotFound {
                detail,
            })),
        );
    }
}

fn failed(failure: SpawnFailure) -> Report {
    Report::SpawnFailed { failure }
}

fn running(world: &World, machine: &Downstream, child: &Child, out: &mut Offers) {
    let left = &world.left;
    let generation = child.generation;
    let mut say = |weight, report| out.push((weight, EventKind::Child { generation, report }));
    let exited = |unread: &[CallId], code| Report::Exited {
        status: ExitStatus::Code(code),
        unread: unread.to_vec(),
    };
    let suffix = world.unread_suffix();
    let shortest = match left.variety {
        Variety::Few => suffix.len(),
        Variety::Many => suffix.len().min(2),
    };
    let ending = machine.leaf() == Leaf::Stuck;
    for skip in 0..=shortest {
        say(if ending { 30 } else { 5 }, exited(&suffix[skip..], 1));
    }
    if suffix.len() > shortest {
        say(4, exited(&[], 0));
    }
    if child.stdin == End::Open {
        say(3, Report::StdinBroken {});
    }
    if child.stdout == End::Closed {
        return;
    }
    say(4, Report::StdoutEof {});
    // Answers that nobody waits for are for random runs: here they would only multiply states.
    let every = left.variety == Variety::Many;
    let leaf = machine.leaf();
    if every || leaf == Leaf::Connecting {
        handshake(left, child, &mut say);
    }
    if child.list == Ask::Out
        && (every || matches!(leaf, Leaf::Connecting | Leaf::Ready | Leaf::Suspect))
    {
        say(
            50,
            Report::Listed {
                digest: 1,
                count: 1,
            },
        );
        say(14, Report::ListErr {});
        if left.variety == Variety::Many {
            say(
                20,
                Report::Listed {
                    digest: 2,
                    count: 1,
                },
            );
        }
    }
    if child.handshaken
        && left.list_changes > 0
        && (every || matches!(leaf, Leaf::Connecting | Leaf::Ready | Leaf::Suspect))
    {
        say(4, Report::ListChanged {});
    }
    if left.io_errors > 0 && (every || leaf == Leaf::Ready) {
        say(
            4,
            Report::IoErr {
                kind: IoErrorKind::OversizedLine,
            },
        );
    }
    if child.ping == Ask::Out && (every || leaf == Leaf::Suspect) {
        say(8, Report::Pong {});
    }
    if machine.leaf() == Leaf::Suspect {
        say(2, Report::Alive {});
        if left.variety == Variety::Many && world.next_call > 1 {
            let (call, reply) = (CallId(world.next_call - 1), ReplyKind::InputRequired);
            if world.call(call).is_none() {
                say(
                    3,
                    Report::Reply {
                        call,
                        reply,
                        bytes: 1,
                    },
                );
            }
        }
    }
    for open in world.open.iter().filter(|open| open.line != Line::Absent) {
        answers(left, open.id, &mut say);
    }
}

fn handshake(left: &Left, child: &Child, say: &mut impl FnMut(u32, Report)) {
    let mut offers = vec![Listing::Nothing];
    if left.listing == ListingPlan::Maybe {
        offers.push(Listing::Tools);
    }
    let refused = |failure| Report::HandshakeErr { failure };
    if child.probe == Ask::Out {
        for listing in &offers {
            let offer = Offer {
                version: MODERN,
                listing: *listing,
            };
            say(20, Report::ProbeModern { offer });
        }
        say(40, Report::ProbeLegacy {});
    }
    if child.init == Ask::Out {
        for listing in &offers {
            let offer = Offer {
                version: LEGACY,
                listing: *listing,
            };
            say(40, Report::InitOk { offer });
        }
    }
    if child.probe == Ask::Out || child.init == Ask::Out {
        say(3, refused(HandshakeFailure::Rpc { code: -32_603 }));
        say(2, refused(HandshakeFailure::Unsupported));
        if left.variety == Variety::Many {
            say(2, refused(HandshakeFailure::Malformed));
        }
    }
}

fn answers(left: &Left, call: CallId, say: &mut impl FnMut(u32, Report)) {
    let mut reply = |weight, reply| {
        say(
            weight,
            Report::Reply {
                call,
                reply,
                bytes: 10,
            },
        );
    };
    reply(12, ReplyKind::Ok { is_error: false });
    if left.variety == Variety::Many {
        reply(2, ReplyKind::Ok { is_error: true });
        reply(2, ReplyKind::RpcError { code: -32_000 });
        reply(1, ReplyKind::InputRequired);
    }
    if left.progress > 0 {
        say(4, Report::Progress { call });
    }
}

fn client(world: &World, out: &mut Offers) {
    let left = &world.left;
    let mut submit = |weight, class| {
        out.push((
            weight,
            EventKind::Submit {
                call: CallId(world.next_call),
                class,
                timeout_ms: left.timeout_ms,
                bytes: 1,
            },
        ));
    };
    let room = world.open.len() < left.open_max;
    if room && left.unsafe_calls > 0 {
        submit(12, CallClass::Unsafe);
    }
    if room && left.safe_calls > 0 {
        submit(12, CallClass::ReadOnly);
        if left.variety == Variety::Many {
            submit(6, CallClass::Idempotent);
        }
    }
    if left.cancels > 0 {
        for open in &world.open {
            out.push((1, EventKind::Cancel { call: open.id }));
        }
    }
}

fn timers(world: &World, out: &mut Offers) {
    let stands = |key| {
        world.left.blocker == Clocks::Stand && matches!(key, TimerKey::Unready | TimerKey::Rearm)
    };
    let running = || world.armed.iter().filter(|(key, _)| !stands(*key));
    let Some(first) = running().map(|(_, due)| *due).min() else {
        return;
    };
    let limit = first.max(world.now);
    for (key, due) in running() {
        if *due <= limit {
            let weight = if *due <= world.now { 40 } else { 12 };
            out.push((weight, EventKind::Timer { key: *key }));
        }
    }
}

/// Every timer but a call's.
pub(crate) const OWN_TIMERS: [TimerKey; 13] = [
    TimerKey::Handshake,
    TimerKey::Probe,
    TimerKey::Backoff,
    TimerKey::Lock,
    TimerKey::Pong,
    TimerKey::Heartbeat,
    TimerKey::Stable,
    TimerKey::Teardown,
    TimerKey::Drain,
    TimerKey::List,
    TimerKey::Breaker,
    TimerKey::Unready,
    TimerKey::Rearm,
];

/// Events that mean nothing (any more): of other generations, of timers that are not armed or not
/// due, of calls that nobody knows, of requests for a slot that were taken back.
pub(crate) fn spurious(world: &World, machine: &Downstream, out: &mut Offers) {
    out.clear();
    let current = machine.conn().generation();
    let unknown = CallId(world.next_call + 7);
    let finished = (1..world.next_call)
        .rev()
        .map(CallId)
        .find(|id| world.call(*id).is_none());
    for generation in [
        Generation(current.map_or(1, |generation| generation.0 + 1)),
        Generation(current.map_or(0, |generation| generation.0.wrapping_sub(1))),
    ] {
        for report in stale_reports(finished.unwrap_or(unknown)) {
            out.push((1, EventKind::Child { generation, report }));
        }
    }
    for key in OWN_TIMERS {
        if world.due(key).is_none_or(|due| due > world.now) {
            out.push((1, EventKind::Timer { key }));
        }
    }
    for open in &world.open {
        let key = TimerKey::Call(open.id);
        if world.due(key).is_none_or(|due| due > world.now) {
            out.push((1, EventKind::Timer { key }));
        }
    }
    for call in finished.into_iter().chain([unknown]) {
        out.push((
            1,
            EventKind::Timer {
                key: TimerKey::Call(call),
            },
        ));
        out.push((2, EventKind::Cancel { call }));
        if let (Some(generation), true) = (current, machine.leaf() != Leaf::Suspect) {
            for report in [
                Report::Reply {
                    call,
                    reply: ReplyKind::Ok { is_error: false },
                    bytes: 1,
                },
                Report::Progress { call },
            ] {
                out.push((3, EventKind::Child { generation, report }));
            }
        }
    }
    if world.next_call > 1 {
        out.push((
            4,
            EventKind::Submit {
                call: CallId(world.next_call - 1),
                class: CallClass::ReadOnly,
                timeout_ms: world.left.timeout_ms,
                bytes: 1,
            },
        ));
    }
    out.push((
        2,
        EventKind::SlotGranted {
            ticket: Ticket(u32::MAX),
        },
    ));
}

fn stale_reports(call: CallId) -> [Report; 7] {
    [
        Report::Exited {
            status: ExitStatus::Signal(9),
            unread: Vec::new(),
        },
        Report::Reply {
            call,
            reply: ReplyKind::Ok { is_error: false },
            bytes: 1,
        },
        Report::SpawnOk { pid: 8 },
        Report::SpawnFailed {
            failure: SpawnFailure::System { errno: 11 },
        },
        Report::StdoutEof {},
        Report::Pong {},
        Report::Listed {
            digest: 3,
            count: 3,
        },
    ]
}
