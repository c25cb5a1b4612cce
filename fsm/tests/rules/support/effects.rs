//! Short names for effects and for the data in them.

use super::KILLED;
use rea_fsm::{
    BlockReason, CallId, Effect, Executed, Generation, Listing, LogEvent, Millis, Offer, Phase,
    ProtocolVersion, QuestionId, Refusal, ReplyKind, Signal, State, TeardownStep, Then, Ticket,
    TimerKey, Unasked, Verdict, Why,
};

/// A good answer.
pub(crate) const OK: ReplyKind = ReplyKind::Ok { is_error: false };

/// A server with tools that speaks this revision.
pub(crate) const fn offer(version: ProtocolVersion) -> Offer {
    Offer {
        version,
        listing: Listing::Tools,
        digest: 0,
    }
}

pub(crate) fn missing_env() -> BlockReason {
    BlockReason::MissingEnv {
        names: vec!["TOKEN".to_owned()],
    }
}

pub(crate) const fn connecting(phase: Phase, why: Why) -> State {
    State::Connecting { phase, why }
}

pub(crate) const fn reaping(then: Then, step: TeardownStep) -> State {
    State::Reaping { then, step }
}

pub(crate) const fn generation(number: u32) -> Generation {
    Generation(number)
}

pub(crate) const fn acquire(ticket: u32) -> Effect {
    Effect::AcquireSlot {
        ticket: Ticket(ticket),
    }
}

pub(crate) const fn release(ticket: u32) -> Effect {
    Effect::ReleaseSlot {
        ticket: Ticket(ticket),
    }
}

pub(crate) const fn spawn(number: u32) -> Effect {
    Effect::Spawn {
        generation: Generation(number),
    }
}

pub(crate) const fn write_probe(number: u32) -> Effect {
    Effect::WriteProbe {
        generation: Generation(number),
    }
}

pub(crate) const fn write_init(number: u32) -> Effect {
    Effect::WriteInit {
        generation: Generation(number),
    }
}

pub(crate) const fn write_initialized(number: u32) -> Effect {
    Effect::WriteInitialized {
        generation: Generation(number),
    }
}

pub(crate) const fn write_list(number: u32) -> Effect {
    Effect::WriteList {
        generation: Generation(number),
    }
}

pub(crate) const fn catalogue_changed(number: u32) -> Effect {
    Effect::CatalogueChanged {
        generation: Generation(number),
    }
}

pub(crate) const fn send(number: u32, call: u64) -> Effect {
    Effect::Send {
        generation: Generation(number),
        call: CallId(call),
    }
}

pub(crate) const fn send_cancel(number: u32, call: u64) -> Effect {
    Effect::SendCancel {
        generation: Generation(number),
        call: CallId(call),
    }
}

pub(crate) const fn ping(number: u32) -> Effect {
    Effect::Ping {
        generation: Generation(number),
    }
}

pub(crate) const fn close_stdin(number: u32) -> Effect {
    Effect::CloseStdin {
        generation: Generation(number),
    }
}

pub(crate) const fn term(number: u32) -> Effect {
    Effect::SignalGroup {
        generation: Generation(number),
        signal: Signal::Term,
    }
}

pub(crate) const fn kill(number: u32) -> Effect {
    Effect::SignalGroup {
        generation: Generation(number),
        signal: Signal::Kill,
    }
}

pub(crate) const fn arm(key: TimerKey, due: u64) -> Effect {
    Effect::Arm {
        key,
        due: Millis(due),
    }
}

pub(crate) const fn arm_call(call: u64, due: u64) -> Effect {
    arm(TimerKey::Call(CallId(call)), due)
}

pub(crate) const fn disarm(key: TimerKey) -> Effect {
    Effect::Disarm { key }
}

pub(crate) const fn disarm_call(call: u64) -> Effect {
    disarm(TimerKey::Call(CallId(call)))
}

pub(crate) const fn complete(call: u64, verdict: Verdict, executed: Executed) -> Effect {
    Effect::Complete {
        call: CallId(call),
        verdict,
        executed,
    }
}

pub(crate) const fn replied(call: u64) -> Effect {
    complete(call, Verdict::Replied(OK), Executed::Yes)
}

pub(crate) const fn refused(call: u64, refusal: Refusal) -> Effect {
    complete(call, Verdict::Refused(refusal), Executed::No)
}

pub(crate) const fn lost(call: u64, executed: Executed) -> Effect {
    complete(
        call,
        Verdict::TransportLost {
            status: Some(KILLED),
        },
        executed,
    )
}

pub(crate) const fn arm_question(question: u64, due: u64) -> Effect {
    arm(TimerKey::Question(QuestionId(question)), due)
}

pub(crate) const fn disarm_question(question: u64) -> Effect {
    disarm(TimerKey::Question(QuestionId(question)))
}

pub(crate) const fn arm_held(call: u64, due: u64) -> Effect {
    arm(TimerKey::Held(CallId(call)), due)
}

pub(crate) const fn disarm_held(call: u64) -> Effect {
    disarm(TimerKey::Held(CallId(call)))
}

pub(crate) const fn ask(question: u64) -> Effect {
    Effect::Ask {
        question: QuestionId(question),
    }
}

pub(crate) const fn withdraw(question: u64) -> Effect {
    Effect::Withdraw {
        question: QuestionId(question),
    }
}

pub(crate) const fn answer(number: u32, question: u64) -> Effect {
    Effect::Answer {
        generation: Generation(number),
        question: QuestionId(question),
    }
}

pub(crate) const fn refuse_question(number: u32, question: u64, why: Unasked) -> Effect {
    Effect::RefuseQuestion {
        generation: Generation(number),
        question: QuestionId(question),
        why,
    }
}

pub(crate) fn offer_questions(call: u64, round: u32, questions: &[u64]) -> Effect {
    Effect::Offer {
        call: CallId(call),
        round,
        questions: questions.iter().copied().map(QuestionId).collect(),
    }
}

pub(crate) const fn keep(call: u64) -> Effect {
    Effect::Keep { call: CallId(call) }
}

pub(crate) const fn log(event: LogEvent) -> Effect {
    Effect::Log(event)
}

pub(crate) const fn child_died(number: u32) -> Effect {
    log(LogEvent::ChildDied {
        generation: Generation(number),
        status: KILLED,
    })
}
