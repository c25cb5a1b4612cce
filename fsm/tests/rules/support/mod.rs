//! Build a machine, let something happen, look at its state and at every effect.
//!
//! Each builder brings a machine to its state at time 0 and forgets the effects on the way, so a
//! test shows only the step that it is about. Times are absolute.

mod asking;
mod effects;
mod given;

#[allow(unused_imports, reason = "not every test asks")]
pub(crate) use asking::*;
pub(crate) use effects::*;
use rea_fsm::{
    Asks, CallClass, CallId, Decision, Downstream, Drain, Effect, Event, EventKind, ExitStatus,
    Generation, HandshakeFailure, Ignored, IoErrorKind, Leaf, Millis, Offer, Operator, Phase,
    ProtocolVersion, QuestionId, ReplyKind, Report, SpawnFailure, State, Ticket, TimerKey, Tuning,
};

/// The jitter seed of every machine here.
pub(crate) const SEED: u64 = 7;

/// The time that a call may take unless a test says otherwise.
pub(crate) const TIMEOUT_MS: u64 = 60_000;

/// How every process here ends.
pub(crate) const KILLED: ExitStatus = ExitStatus::Signal(9);

/// A machine with the last step that it took.
#[derive(Clone)]
pub(crate) struct Machine {
    pub(crate) inner: Downstream,
    pub(crate) now: u64,
    ticket: Ticket,
    effects: Vec<Effect>,
    history: Vec<Effect>,
    decision: Option<Decision>,
}

impl Machine {
    /// The handshake of the next process, as short as it gets, from waiting for a slot.
    pub(crate) fn reconnect(&mut self) -> &mut Self {
        self.slot().spawn_ok();
        if matches!(
            self.inner.state(),
            State::Connecting {
                phase: Phase::Probing,
                ..
            }
        ) {
            self.probe_legacy();
        }
        self.init_ok().listed(1, 3).expect_leaf(Leaf::Ready)
    }

    /// Sets the clock.
    pub(crate) fn at(&mut self, at_ms: u64) -> &mut Self {
        assert!(at_ms >= self.now, "time never goes back");
        self.now = at_ms;
        self
    }

    /// Takes one event.
    pub(crate) fn step(&mut self, kind: EventKind) -> &mut Self {
        self.effects.clear();
        let event = Event {
            at_ms: Millis(self.now),
            kind,
        };
        self.decision = Some(self.inner.step(&event, &mut self.effects));
        self.history.extend_from_slice(&self.effects);
        for effect in &self.effects {
            if let Effect::AcquireSlot { ticket } = effect {
                self.ticket = *ticket;
            }
        }
        self
    }

    fn operator(&mut self, operator: Operator) -> &mut Self {
        self.step(EventKind::Operator(operator))
    }

    pub(crate) fn start(&mut self) -> &mut Self {
        self.operator(Operator::Start {})
    }

    pub(crate) fn stop(&mut self, drain_ms: u64) -> &mut Self {
        self.operator(Operator::Stop {
            drain: Drain::Within(Millis(drain_ms)),
        })
    }

    pub(crate) fn stop_now(&mut self) -> &mut Self {
        self.operator(Operator::Stop { drain: Drain::Now })
    }

    pub(crate) fn retry(&mut self) -> &mut Self {
        self.operator(Operator::Retry {})
    }

    pub(crate) fn restart(&mut self, drain_ms: u64) -> &mut Self {
        self.operator(Operator::Restart {
            drain_ms: Millis(drain_ms),
        })
    }

    pub(crate) fn configure(&mut self, tuning: Tuning) -> &mut Self {
        self.step(EventKind::configure(tuning))
    }

    /// Grants the slot that was asked for last.
    pub(crate) fn slot(&mut self) -> &mut Self {
        self.slot_for(self.ticket.0)
    }

    pub(crate) fn slot_for(&mut self, ticket: u32) -> &mut Self {
        self.step(EventKind::SlotGranted {
            ticket: Ticket(ticket),
        })
    }

    /// A report of the current generation.
    pub(crate) fn report(&mut self, report: Report) -> &mut Self {
        let generation = self
            .inner
            .conn()
            .generation()
            .map_or(0, |current| current.0);
        self.report_of(generation, report)
    }

    pub(crate) fn report_of(&mut self, generation: u32, report: Report) -> &mut Self {
        self.step(EventKind::Child {
            generation: Generation(generation),
            report,
        })
    }

    pub(crate) fn spawn_ok(&mut self) -> &mut Self {
        self.report(Report::SpawnOk { pid: 100 })
    }

    pub(crate) fn spawn_failed(&mut self, failure: SpawnFailure) -> &mut Self {
        self.report(Report::SpawnFailed { failure })
    }

    pub(crate) fn probe_modern(&mut self) -> &mut Self {
        self.report(Report::ProbeModern {
            offer: offer(ProtocolVersion::V2026_07_28),
        })
    }

    pub(crate) fn probe_legacy(&mut self) -> &mut Self {
        self.report(Report::ProbeLegacy {})
    }

    pub(crate) fn init_ok(&mut self) -> &mut Self {
        self.report(Report::InitOk {
            offer: offer(ProtocolVersion::V2025_11_25),
        })
    }

    /// As [`init_ok`](Self::init_ok), by a server that has said just this of itself.
    pub(crate) fn init_saying(&mut self, digest: u64) -> &mut Self {
        let offer = offer(ProtocolVersion::V2025_11_25);
        self.report(Report::InitOk {
            offer: Offer { digest, ..offer },
        })
    }

    pub(crate) fn handshake_err(&mut self, failure: HandshakeFailure) -> &mut Self {
        self.report(Report::HandshakeErr { failure })
    }

    pub(crate) fn listed(&mut self, digest: u64, count: u32) -> &mut Self {
        self.listed_but_for(0, digest, count)
    }

    /// Some lists have arrived, and so many have not.
    pub(crate) fn listed_but_for(&mut self, missing: u32, digest: u64, count: u32) -> &mut Self {
        self.report(Report::Listed {
            digest,
            count,
            missing,
        })
    }

    pub(crate) fn list_err(&mut self) -> &mut Self {
        self.report(Report::ListErr {})
    }

    pub(crate) fn list_changed(&mut self) -> &mut Self {
        self.report(Report::ListChanged {})
    }

    pub(crate) fn stdout_eof(&mut self) -> &mut Self {
        self.report(Report::StdoutEof {})
    }

    pub(crate) fn stdin_broken(&mut self) -> &mut Self {
        self.report(Report::StdinBroken {})
    }

    /// The process is gone and had read everything.
    pub(crate) fn exited(&mut self) -> &mut Self {
        self.exited_unread(&[])
    }

    pub(crate) fn exited_unread(&mut self, unread: &[u64]) -> &mut Self {
        self.report(Report::Exited {
            status: KILLED,
            unread: unread.iter().copied().map(CallId).collect(),
        })
    }

    pub(crate) fn io_err(&mut self) -> &mut Self {
        self.report(Report::IoErr {
            kind: IoErrorKind::OversizedLine,
        })
    }

    pub(crate) fn pong(&mut self) -> &mut Self {
        self.report(Report::Pong {})
    }

    pub(crate) fn alive(&mut self) -> &mut Self {
        self.report(Report::Alive {})
    }

    pub(crate) fn reply(&mut self, call: u64) -> &mut Self {
        self.reply_with(call, OK)
    }

    pub(crate) fn reply_with(&mut self, call: u64, reply: ReplyKind) -> &mut Self {
        self.report(Report::Reply {
            call: CallId(call),
            reply,
            bytes: 10,
        })
    }

    pub(crate) fn progress(&mut self, call: u64) -> &mut Self {
        self.report(Report::Progress { call: CallId(call) })
    }

    pub(crate) fn submit(&mut self, call: u64, class: CallClass) -> &mut Self {
        self.submit_for(call, class, TIMEOUT_MS)
    }

    pub(crate) fn submit_for(&mut self, call: u64, class: CallClass, timeout: u64) -> &mut Self {
        self.submit_sized(call, class, timeout, 100)
    }

    pub(crate) fn submit_sized(
        &mut self,
        call: u64,
        class: CallClass,
        timeout: u64,
        bytes: u64,
    ) -> &mut Self {
        self.step(EventKind::Submit {
            call: CallId(call),
            class,
            timeout_ms: Millis(timeout),
            bytes,
            asks: Asks::Directly,
        })
    }

    /// A call whose client can be asked only in its answer.
    pub(crate) fn submit_asking(&mut self, call: u64, class: CallClass) -> &mut Self {
        self.step(EventKind::Submit {
            call: CallId(call),
            class,
            timeout_ms: Millis(TIMEOUT_MS),
            bytes: 100,
            asks: Asks::InAnswers,
        })
    }

    /// The server asks a client that has a session.
    pub(crate) fn asked(&mut self, question: u64) -> &mut Self {
        self.asked_so(question, Asks::Directly)
    }

    /// The server asks a client that has none.
    pub(crate) fn asked_in_answers(&mut self, question: u64) -> &mut Self {
        self.asked_so(question, Asks::InAnswers)
    }

    fn asked_so(&mut self, question: u64, asks: Asks) -> &mut Self {
        self.report(Report::Asked {
            question: QuestionId(question),
            asks,
        })
    }

    pub(crate) fn withdrew(&mut self, question: u64) -> &mut Self {
        self.report(Report::Withdrew {
            question: QuestionId(question),
        })
    }

    /// The client answers a question that it was asked by itself.
    pub(crate) fn answered(&mut self, question: u64) -> &mut Self {
        self.step(EventKind::Answered {
            question: QuestionId(question),
        })
    }

    /// The client repeats a held call with answers to these questions.
    pub(crate) fn resume(&mut self, call: u64, round: u32, answers: &[u64]) -> &mut Self {
        self.step(EventKind::Resume {
            call: CallId(call),
            round,
            answers: answers.iter().copied().map(QuestionId).collect(),
        })
    }

    pub(crate) fn cancel(&mut self, call: u64) -> &mut Self {
        self.step(EventKind::Cancel { call: CallId(call) })
    }

    pub(crate) fn overslept(&mut self, late_ms: u64) -> &mut Self {
        self.step(EventKind::Overslept {
            late_ms: Millis(late_ms),
        })
    }

    /// A timer fires now, armed or not.
    pub(crate) fn timer(&mut self, key: TimerKey) -> &mut Self {
        self.step(EventKind::Timer { key })
    }

    /// Goes to the time at which an armed timer is due, and fires it.
    pub(crate) fn fire(&mut self, key: TimerKey) -> &mut Self {
        let due = self.inner.due(key);
        assert!(due.is_some(), "{key:?} is not armed in {:?}", self.inner);
        self.at(due.unwrap_or_default().0.max(self.now)).timer(key)
    }

    /// Fires the timer of a call when it is due.
    pub(crate) fn fire_call(&mut self, call: u64) -> &mut Self {
        self.fire(TimerKey::Call(CallId(call)))
    }

    /// Fires the timer of a question when it is due.
    pub(crate) fn fire_question(&mut self, question: u64) -> &mut Self {
        self.fire(TimerKey::Question(QuestionId(question)))
    }

    /// Fires the timer of a held call when it is due.
    pub(crate) fn fire_held(&mut self, call: u64) -> &mut Self {
        self.fire(TimerKey::Held(CallId(call)))
    }

    /// The last step led to this state and asked for exactly this.
    #[track_caller]
    pub(crate) fn expect(&mut self, leaf: Leaf, effects: impl AsRef<[Effect]>) -> &mut Self {
        let ignored = self.decision.and_then(|decision| decision.ignored);
        assert_eq!(ignored, None, "the event was ignored");
        assert_eq!(self.effects, effects.as_ref(), "the effects");
        self.expect_leaf(leaf)
    }

    #[track_caller]
    pub(crate) fn expect_leaf(&mut self, leaf: Leaf) -> &mut Self {
        assert_eq!(self.inner.leaf(), leaf, "the state");
        self
    }

    #[track_caller]
    pub(crate) fn expect_state(&mut self, state: &State) -> &mut Self {
        assert_eq!(self.inner.state(), state, "the state with its data");
        self
    }

    /// The last step counted, and asked for nothing.
    #[track_caller]
    pub(crate) fn expect_quiet(&mut self, leaf: Leaf) -> &mut Self {
        self.expect(leaf, [])
    }

    /// The next event changes nothing at all, for this reason.
    #[track_caller]
    pub(crate) fn ignores(
        &mut self,
        reason: Ignored,
        event: impl FnOnce(&mut Self) -> &mut Self,
    ) -> &mut Self {
        let before = self.inner.snapshot();
        event(self);
        let ignored = self.decision.and_then(|decision| decision.ignored);
        assert_eq!(ignored, Some(reason), "the reason");
        assert_eq!(self.effects, [], "an ignored event asks for nothing");
        assert_eq!(self.inner.snapshot(), before, "it changes nothing");
        self
    }

    /// Exactly these timers are armed, in the order of [`Downstream::armed`].
    #[track_caller]
    pub(crate) fn expect_armed(&mut self, timers: &[(TimerKey, u64)]) -> &mut Self {
        let armed: Vec<_> = self.inner.armed().map(|(key, due)| (key, due.0)).collect();
        assert_eq!(armed, timers, "the armed timers");
        self
    }

    /// What the last step asked for.
    pub(crate) fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// What the last step came to.
    pub(crate) fn decision(&self) -> Option<Decision> {
        self.decision
    }

    /// How many of all effects so far pass.
    pub(crate) fn ever(&self, pick: impl Fn(&Effect) -> bool) -> usize {
        self.history.iter().filter(|effect| pick(effect)).count()
    }

    /// How many of the last step's effects pass.
    pub(crate) fn count(&self, pick: impl Fn(&Effect) -> bool) -> usize {
        self.effects.iter().filter(|effect| pick(effect)).count()
    }
}
