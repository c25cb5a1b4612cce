//! What may happen next: every true event with a weight, and events that mean nothing any more.
//!
//! Exploration takes each offer once; random runs draw one by its weight. Weights keep the rare
//! and interesting from being drowned by the frequent and dull.

use super::bounds::{Clocks, Ends, Left, ListingPlan, Variety};
use super::world::{Ask, Child, End, Line, Slot, Stage, World};
use rea_fsm::{
    Asks, BlockReason, CallClass, CallId, Downstream, Drain, EventKind, ExitStatus, Generation,
    HandshakeFailure, IoErrorKind, Leaf, Listing, Millis, Offer, Operator, ProtocolVersion,
    QuestionId, ReplyKind, Report, SpawnFailure, Ticket, TimerKey,
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
    resumes(world, out);
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
            let hurries = machine.leaf() == Leaf::Draining;
            let weight = if hurries { 3 } else { 1 };
            say(
                if waits { 3 } else { weight },
                Operator::Stop { drain: *drain },
            );
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

/// The end of the process, its input and its output.
fn endings(world: &World, leaf: Leaf, child: &Child, say: &mut impl FnMut(u32, Report)) {
    let left = &world.left;
    let is_asked_for = matches!(
        leaf,
        Leaf::Reaping | Leaf::Stuck | Leaf::Terminating | Leaf::Closed
    );
    if left.deaths == 0 && !is_asked_for {
        return;
    }
    let exited = |unread: &[CallId], code| Report::Exited {
        status: ExitStatus::Code(code),
        unread: unread.to_vec(),
    };
    let suffix = world.unread_suffix();
    let shortest = match left.variety {
        Variety::Few => suffix.len(),
        Variety::Many => suffix.len().min(2),
    };
    let weight = match left.ends {
        Ends::Hardly => 1,
        Ends::Readily if leaf == Leaf::Stuck => 30,
        Ends::Readily => 5,
    };
    for skip in 0..=shortest {
        say(weight, exited(&suffix[skip..], 1));
    }
    if suffix.len() > shortest {
        say(4, exited(&[], 0));
    }
    if child.stdin == End::Open {
        say(3, Report::StdinBroken {});
    }
    if child.stdout != End::Closed {
        say(4, Report::StdoutEof {});
    }
}

fn running(world: &World, machine: &Downstream, child: &Child, out: &mut Offers) {
    let left = &world.left;
    let generation = child.generation;
    let mut say = |weight, report| out.push((weight, EventKind::Child { generation, report }));
    let leaf = machine.leaf();
    endings(world, leaf, child, &mut say);
    if child.stdout == End::Closed {
        return;
    }
    // Answers that nobody waits for are for random runs: here they would only multiply states.
    let every = left.variety == Variety::Many;
    if every || leaf == Leaf::Connecting {
        handshake(left, child, &mut say);
    }
    if child.list == Ask::Out
        && (every || matches!(leaf, Leaf::Connecting | Leaf::Ready | Leaf::Suspect))
    {
        say(
            if leaf == Leaf::Suspect { 200 } else { 50 },
            Report::Listed {
                digest: 1,
                count: 1,
                missing: 0,
            },
        );
        say(
            if leaf == Leaf::Suspect { 300 } else { 14 },
            Report::ListErr {},
        );
        if left.variety == Variety::Many {
            for missing in [0, 1] {
                say(
                    20,
                    Report::Listed {
                        digest: 2,
                        count: 1,
                        missing,
                    },
                );
            }
        }
    }
    if child.handshaken
        && left.list_changes > 0
        && (every || matches!(leaf, Leaf::Connecting | Leaf::Ready | Leaf::Suspect))
    {
        say(8, Report::ListChanged {});
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
        if left.variety == Variety::Many && world.next_question > 1 {
            let question = QuestionId(world.next_question - 1);
            let asks = Asks::Directly;
            say(1, Report::Asked { question, asks });
            say(2, Report::Withdrew { question });
        }
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
    questions(world, &mut say);
}

fn questions(world: &World, say: &mut impl FnMut(u32, Report)) {
    let left = &world.left;
    if left.questions > 0 {
        let question = QuestionId(world.next_question);
        let mut open = world.open.iter();
        let is_carried = open.any(|open| open.asks == Asks::InAnswers && open.line != Line::Absent);
        let in_answers = if is_carried { 16 } else { 6 };
        for (weight, asks) in [(6, Asks::Directly), (in_answers, Asks::InAnswers)] {
            say(weight, Report::Asked { question, asks });
        }
    }
    if left.withdrawals > 0 {
        for asked in &world.asked {
            let question = asked.id;
            say(1, Report::Withdrew { question });
        }
    }
}

/// What a client says that was asked something.
fn resumes(world: &World, out: &mut Offers) {
    for question in &world.shown {
        let question = *question;
        out.push((4, EventKind::Answered { question }));
    }
    for held in &world.held {
        let (call, round) = (held.call, held.round);
        let mut resume = |weight, answers: &[QuestionId]| {
            let answers = answers.to_vec();
            out.push((
                weight,
                EventKind::Resume {
                    call,
                    round,
                    answers,
                },
            ));
        };
        resume(6, &held.questions);
        resume(2, &[]);
        if held.questions.len() > 1 {
            resume(3, &held.questions[1..]);
        }
    }
}

fn handshake(left: &Left, child: &Child, say: &mut impl FnMut(u32, Report)) {
    let mut offers = vec![(Listing::Nothing, 0)];
    if left.listing == ListingPlan::Maybe {
        offers.push((Listing::Tools, 0));
        if left.variety == Variety::Many {
            offers.push((Listing::Tools, 1));
            offers.push((Listing::Nothing, 2));
        }
    }
    let refused = |failure| Report::HandshakeErr { failure };
    if child.probe == Ask::Out {
        for (listing, digest) in &offers {
            let offer = Offer {
                version: MODERN,
                listing: *listing,
                digest: *digest,
            };
            say(20, Report::ProbeModern { offer });
        }
        say(40, Report::ProbeLegacy {});
    }
    if child.init == Ask::Out {
        for (listing, digest) in &offers {
            let offer = Offer {
                version: LEGACY,
                listing: *listing,
                digest: *digest,
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
    let kinds = u32::try_from(left.asks.len()).expect("two kinds");
    let mut submit = |weight: u32, class| {
        for asks in left.asks {
            out.push((
                weight.div_ceil(kinds),
                EventKind::Submit {
                    call: CallId(world.next_call),
                    class,
                    timeout_ms: left.timeout_ms,
                    bytes: 1,
                    asks: *asks,
                },
            ));
        }
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

/// Every timer but those of calls and questions.
pub(crate) const OWN_TIMERS: [TimerKey; 14] = [
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
    TimerKey::Gather,
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
                asks: Asks::Directly,
            },
        ));
    }
    out.push((
        2,
        EventKind::SlotGranted {
            ticket: Ticket(u32::MAX),
        },
    ));
    spurious_questions(world, machine, out);
}

/// Rounds that are over or never were, answers to questions that nobody has, questions that were
/// put before, and questions that are taken back twice.
fn spurious_questions(world: &World, machine: &Downstream, out: &mut Offers) {
    let mut resume = |call, round| {
        out.push((
            1,
            EventKind::Resume {
                call,
                round,
                answers: world.asked.iter().map(|asked| asked.id).collect(),
            },
        ));
    };
    for held in &world.held {
        resume(held.call, held.round - 1);
        resume(held.call, held.round + 1);
    }
    for open in &world.open {
        if world.held_call(open.id).is_none() {
            resume(open.id, open.rounds);
        }
    }
    resume(CallId(world.next_call + 7), 1);
    let unknown = QuestionId(world.next_question + 7);
    let not_shown = world.asked.iter().map(|asked| asked.id);
    for question in not_shown.chain([unknown]) {
        if !world.shown.contains(&question) {
            out.push((1, EventKind::Answered { question }));
            let key = TimerKey::Question(question);
            if world.due(key).is_none_or(|due| due > world.now) {
                out.push((1, EventKind::Timer { key }));
            }
        }
    }
    for open in &world.open {
        let key = TimerKey::Held(open.id);
        if world.due(key).is_none_or(|due| due > world.now) {
            out.push((1, EventKind::Timer { key }));
        }
    }
    let (Some(generation), true) = (machine.conn().generation(), machine.leaf() != Leaf::Suspect)
    else {
        return;
    };
    let mut say = |report| out.push((2, EventKind::Child { generation, report }));
    say(Report::Withdrew { question: unknown });
    if world.next_question > 1 {
        let question = QuestionId(world.next_question - 1);
        for asks in [Asks::Directly, Asks::InAnswers] {
            say(Report::Asked { question, asks });
        }
        if world.asked.iter().all(|asked| asked.id != question) {
            say(Report::Withdrew { question });
        }
    }
}

fn stale_reports(call: CallId) -> [Report; 8] {
    [
        Report::Asked {
            question: QuestionId(u64::MAX),
            asks: Asks::Directly,
        },
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
            missing: 0,
        },
    ]
}
