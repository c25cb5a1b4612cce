//! Every kind of event, each with the variants that an outcome can depend on.

use crate::support::{KILLED, Machine, OK, missing_env, offer};
use rea_fsm::{
    Asks, CallClass, CallId, Drain, Effect, Event, EventKind, Generation, HandshakeFailure,
    IoErrorKind, Leaf, Listing, Millis, Offer, Operator, ProtocolVersion, QuestionId, Report,
    SpawnFailure, Ticket, TimerKey, Tuning,
};

/// One row of the table.
pub(crate) struct Row {
    /// The event's name in the code.
    pub(crate) name: &'static str,
    /// Its short name in the diagram.
    pub(crate) short: &'static str,
    /// What it may be for this machine.
    pub(crate) events: fn(&Machine) -> Vec<Event>,
}

const fn row(name: &'static str, short: &'static str, events: fn(&Machine) -> Vec<Event>) -> Row {
    Row {
        name,
        short,
        events,
    }
}

pub(crate) const ROWS: &[Row] = &[
    row("Operator: Start", "start", |m| {
        operator(m, Operator::Start {})
    }),
    row("Operator: Stop, with time to drain", "stop", |m| {
        [0, 500, 1_000_000]
            .into_iter()
            .flat_map(|length| {
                let drain = Drain::Within(Millis(length));
                operator(m, Operator::Stop { drain })
            })
            .collect()
    }),
    row("Operator: Stop, now", "stop now", |m| {
        operator(m, Operator::Stop { drain: Drain::Now })
    }),
    row("Operator: Retry", "retry", |m| {
        operator(m, Operator::Retry {})
    }),
    row("Operator: Restart", "restart", |m| {
        [0, 500]
            .into_iter()
            .flat_map(|length| {
                let drain_ms = Millis(length);
                operator(m, Operator::Restart { drain_ms })
            })
            .collect()
    }),
    row("Operator: Configure", "new numbers", |m| {
        now(m, [EventKind::configure(Tuning::default())])
    }),
    row("SlotGranted", "slot granted", |m| {
        let tickets = 0..8;
        now(
            m,
            tickets.map(|ticket| EventKind::SlotGranted {
                ticket: Ticket(ticket),
            }),
        )
    }),
    row("Submit", "call", |m| {
        now(
            m,
            [EventKind::Submit {
                call: CallId(99),
                class: CallClass::Unsafe,
                timeout_ms: Millis(60_000),
                bytes: 100,
                asks: Asks::Directly,
            }],
        )
    }),
    row(
        "Submit, of a call that was submitted before",
        "call again",
        |m| {
            let call = CallId(51);
            let class = CallClass::Unsafe;
            let again = EventKind::Submit {
                call,
                class,
                timeout_ms: Millis(60_000),
                bytes: 100,
                asks: Asks::Directly,
            };
            now(m, was_submitted(m, call).then_some(again))
        },
    ),
    row("Cancel", "cancel", |m| {
        now(m, calls(m).map(|call| EventKind::Cancel { call }))
    }),
    row("Overslept", "overslept", |m| {
        now(
            m,
            [EventKind::Overslept {
                late_ms: Millis(5_000),
            }],
        )
    }),
    row("Report: SpawnOk", "spawned", |m| {
        report(m, Report::SpawnOk { pid: 100 })
    }),
    row("Report: SpawnFailed, may pass", "spawn failed", |m| {
        let failure = SpawnFailure::System { errno: 11 };
        report(m, Report::SpawnFailed { failure })
    }),
    row("Report: SpawnFailed, for good", "spawn impossible", |m| {
        let failure = SpawnFailure::Blocked(missing_env());
        report(m, Report::SpawnFailed { failure })
    }),
    row("Report: ProbeModern", "modern", |m| {
        offers(ProtocolVersion::V2026_07_28)
            .into_iter()
            .flat_map(|offer| report(m, Report::ProbeModern { offer }))
            .collect()
    }),
    row("Report: ProbeLegacy", "legacy", |m| {
        report(m, Report::ProbeLegacy {})
    }),
    row("Report: InitOk", "initialized", |m| {
        offers(ProtocolVersion::V2025_11_25)
            .into_iter()
            .flat_map(|offer| report(m, Report::InitOk { offer }))
            .collect()
    }),
    row("Report: HandshakeErr", "handshake refused", |m| {
        [HandshakeFailure::Malformed, HandshakeFailure::Unsupported]
            .into_iter()
            .flat_map(|failure| report(m, Report::HandshakeErr { failure }))
            .collect()
    }),
    row("Report: Listed", "listed", |m| {
        report(
            m,
            Report::Listed {
                digest: 5,
                count: 5,
                missing: 0,
            },
        )
    }),
    row("Report: ListErr", "listing refused", |m| {
        report(m, Report::ListErr {})
    }),
    row("Report: ListChanged", "list changed", |m| {
        report(m, Report::ListChanged {})
    }),
    row("Report: StdoutEof", "output ended", |m| {
        report(m, Report::StdoutEof {})
    }),
    row("Report: StdinBroken", "input broken", |m| {
        report(m, Report::StdinBroken {})
    }),
    row("Report: Exited", "exited", |m| {
        let unread = m.inner.conn().calls().iter().map(|(id, _)| id).collect();
        [Vec::new(), unread]
            .into_iter()
            .flat_map(|unread| {
                report(
                    m,
                    Report::Exited {
                        status: KILLED,
                        unread,
                    },
                )
            })
            .collect()
    }),
    row("Report: IoErr", "broken frame", |m| {
        report(
            m,
            Report::IoErr {
                kind: IoErrorKind::OversizedLine,
            },
        )
    }),
    row("Report: Pong", "pong", |m| report(m, Report::Pong {})),
    row("Report: Alive", "alive", |m| report(m, Report::Alive {})),
    row("Report: Reply", "reply", |m| {
        calls(m)
            .flat_map(|call| {
                report(
                    m,
                    Report::Reply {
                        call,
                        reply: OK,
                        bytes: 10,
                    },
                )
            })
            .collect()
    }),
    row("Report: Progress", "progress", |m| {
        calls(m)
            .flat_map(|call| report(m, Report::Progress { call }))
            .collect()
    }),
    row("Report: Asked, a client with a session", "asked", |m| {
        asked(m, Asks::Directly)
    }),
    row(
        "Report: Asked, a client without one",
        "asked in answers",
        |m| asked(m, Asks::InAnswers),
    ),
    row("Report: Withdrew", "withdrew", |m| {
        questions(m)
            .flat_map(|question| report(m, Report::Withdrew { question }))
            .collect()
    }),
    row("Answered", "answered", |m| {
        now(
            m,
            questions(m).map(|question| EventKind::Answered { question }),
        )
    }),
    row("Resume", "resume", |m| {
        let resume = |(call, round)| {
            let answers = questions(m).collect();
            [Vec::new(), answers].map(|answers| EventKind::Resume {
                call,
                round,
                answers,
            })
        };
        now(m, held(m).flat_map(resume))
    }),
    row("Child, of another generation", "stale report", |m| {
        let other = m.inner.conn().generation().map_or(1, |last| last.0 + 1);
        now(
            m,
            [EventKind::Child {
                generation: Generation(other),
                report: Report::StdoutEof {},
            }],
        )
    }),
    row("Timer: Handshake", "handshake time", |m| {
        timer(m, TimerKey::Handshake)
    }),
    row("Timer: Probe", "probe time", |m| timer(m, TimerKey::Probe)),
    row("Timer: Backoff", "pause over", |m| {
        timer(m, TimerKey::Backoff)
    }),
    row("Timer: Lock", "lock over", |m| timer(m, TimerKey::Lock)),
    row("Timer: Pong", "no pong", |m| timer(m, TimerKey::Pong)),
    row("Timer: Heartbeat", "silence", |m| {
        timer(m, TimerKey::Heartbeat)
    }),
    row("Timer: Stable", "stable", |m| timer(m, TimerKey::Stable)),
    row("Timer: Teardown", "next step", |m| {
        timer(m, TimerKey::Teardown)
    }),
    row("Timer: Drain", "drain time", |m| timer(m, TimerKey::Drain)),
    row("Timer: List", "list time", |m| timer(m, TimerKey::List)),
    row("Timer: Breaker", "circuit pause over", |m| {
        timer(m, TimerKey::Breaker)
    }),
    row("Timer: Unready", "unready too long", |m| {
        timer(m, TimerKey::Unready)
    }),
    row("Timer: Rearm", "ready for long", |m| {
        timer(m, TimerKey::Rearm)
    }),
    row("Timer: Question", "question's time", |m| {
        questions(m)
            .flat_map(|question| timer(m, TimerKey::Question(question)))
            .collect()
    }),
    row("Timer: Held", "held call's time", |m| {
        held(m)
            .flat_map(|(call, _)| timer(m, TimerKey::Held(call)))
            .collect()
    }),
    row("Timer: Gather", "questions gathered", |m| {
        timer(m, TimerKey::Gather)
    }),
    row("Timer: Call", "call's limit", |m| {
        calls(m)
            .flat_map(|call| timer(m, TimerKey::Call(call)))
            .collect()
    }),
];

fn now(machine: &Machine, kinds: impl IntoIterator<Item = EventKind>) -> Vec<Event> {
    let at_ms = Millis(machine.now);
    kinds
        .into_iter()
        .map(|kind| Event { at_ms, kind })
        .collect()
}

fn operator(machine: &Machine, operator: Operator) -> Vec<Event> {
    now(machine, [EventKind::Operator(operator)])
}

/// A report of the current generation. An idle server has none, so that each report is stale.
fn report(machine: &Machine, report: Report) -> Vec<Event> {
    let idle = (machine.inner.leaf() == Leaf::Idle).then_some(Generation(1));
    let generation = machine.inner.conn().generation().or(idle);
    now(
        machine,
        generation.map(|generation| EventKind::Child { generation, report }),
    )
}

/// Whether the call was accepted or refused before.
fn was_submitted(machine: &Machine, id: CallId) -> bool {
    machine.ever(|effect| {
        matches!(effect, Effect::Complete { call, .. } if *call == id)
            || matches!(effect, Effect::Arm { key, .. } if *key == TimerKey::Call(id))
    }) > 0
}

/// The timer when it is due; at once where it is not armed.
fn timer(machine: &Machine, key: TimerKey) -> Vec<Event> {
    let now = Millis(machine.now);
    vec![Event {
        at_ms: machine.inner.due(key).map_or(now, |due| due.max(now)),
        kind: EventKind::Timer { key },
    }]
}

/// Every call that is held, and one that is not.
fn calls(machine: &Machine) -> impl Iterator<Item = CallId> {
    let held: Vec<CallId> = machine
        .inner
        .conn()
        .calls()
        .iter()
        .map(|(id, _)| id)
        .collect();
    held.into_iter().chain([CallId(77)])
}

/// A new question and one that may have been put before.
fn asked(machine: &Machine, asks: Asks) -> Vec<Event> {
    [QuestionId(99), QuestionId(1)]
        .into_iter()
        .flat_map(|question| report(machine, Report::Asked { question, asks }))
        .collect()
}

/// Every question that is open, and one that is not.
fn questions(machine: &Machine) -> impl Iterator<Item = QuestionId> {
    let open = machine.inner.questions().open().map(|(id, _)| id);
    open.chain([QuestionId(77)])
}

/// Every call that is held for a question, with its round, and one that is not.
fn held(machine: &Machine) -> impl Iterator<Item = (CallId, u32)> {
    let held = machine.inner.questions().held();
    held.map(|(id, held)| (id, held.round))
        .chain([(CallId(77), 1)])
}

fn offers(version: ProtocolVersion) -> [Offer; 2] {
    let nothing = Offer {
        version,
        listing: Listing::Nothing,
        digest: 0,
    };
    [offer(version), nothing]
}
