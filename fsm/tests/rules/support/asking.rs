//! Machines whose servers have asked something, and looks at what became of it.

use super::Machine;
use rea_fsm::{CallClass, CallId, QuestionId, QuestionPlace, TimerKey};

/// What a client has for a question, by default.
pub(crate) const QUESTION_MS: u64 = 600_000;

impl Machine {
    /// Connected; unsafe call 1 is at the server and held for question 1, since time 0.
    pub(crate) fn held() -> Self {
        let mut machine = Self::ready();
        machine
            .submit_asking(1, CallClass::Unsafe)
            .asked_in_answers(1);
        machine
    }
}

#[track_caller]
pub(crate) fn is_at(machine: &Machine, question: u64, place: QuestionPlace) {
    let open = machine.inner.questions().get(QuestionId(question));
    assert_eq!(open.map(|open| open.place), Some(place));
}

/// Nothing is asked, held or armed for it.
#[track_caller]
pub(crate) fn is_over(machine: &Machine) {
    assert_eq!(machine.inner.questions().open().count(), 0, "open");
    assert_eq!(machine.inner.questions().held().count(), 0, "held");
    let armed = machine.inner.armed();
    let left = armed.filter(|(key, _)| {
        matches!(
            key,
            TimerKey::Question(_) | TimerKey::Held(_) | TimerKey::Gather
        )
    });
    assert_eq!(left.count(), 0, "armed");
}

pub(crate) const fn offered(call: u64) -> QuestionPlace {
    QuestionPlace::Offered { call: CallId(call) }
}
