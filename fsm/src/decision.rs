//! What a step came to, and why an event changed nothing.

use crate::conn::Leaf;
use serde::{Deserialize, Serialize};

/// What a step came to, beside its effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The state before.
    pub from: Leaf,
    /// The state after.
    pub to: Leaf,
    /// Why the event changed nothing, if it changed nothing.
    pub ignored: Option<Ignored>,
}

/// Why an event changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ignored {
    /// It is about another generation than the current one.
    StaleGeneration,
    /// It answers a request for a slot that was taken back, or is answered already.
    StaleTicket,
    /// The timer is not armed, or not due.
    StaleTimer,
    /// No such call is held, or it was not sent: it is finished, or never was.
    UnknownCall,
    /// A call with this or a larger id has been submitted before.
    DuplicateCall,
    /// It is started already.
    AlreadyStarted,
    /// It is stopping already and not slower, or stopped: no way leads back.
    AlreadyStopping,
    /// No pause, lock or block is in the way.
    NothingToRetry,
    /// There is no process to replace, or it can't be replaced.
    NothingToRestart,
    /// The last process does not end, and is not replaced while it lives.
    Unkillable,
    /// A liveness probe is out already.
    AlreadySuspected,
    /// A list is wanted already.
    AlreadyWanted,
    /// No such question is open, or it is not the client's to answer by itself.
    UnknownQuestion,
    /// A question with this or a larger number has been put before.
    DuplicateQuestion,
    /// No such call is held, or it was resumed already.
    NotHeld,
    /// The state does not wait for this report.
    Unexpected,
    /// A snapshot was taken up. Never the outcome of an event.
    Restored,
}

impl Ignored {
    /// The reason in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::StaleGeneration => "it is about another generation",
            Self::StaleTicket => "no such slot is asked for",
            Self::StaleTimer => "the timer is not armed, or not due",
            Self::UnknownCall => "no such call is in flight",
            Self::DuplicateCall => "the call was submitted before",
            Self::AlreadyStarted => "it is started already",
            Self::AlreadyStopping => "it is stopping already, or stopped",
            Self::NothingToRetry => "nothing is in the way",
            Self::NothingToRestart => "there is nothing to replace",
            Self::Unkillable => "the last process does not end, and is not replaced while it lives",
            Self::AlreadySuspected => "a liveness probe is out already",
            Self::AlreadyWanted => "a list is wanted already",
            Self::UnknownQuestion => "no such question is open",
            Self::DuplicateQuestion => "the question was put before",
            Self::NotHeld => "no such call is held",
            Self::Unexpected => "the state does not wait for it",
            Self::Restored => "a snapshot was taken up",
        }
    }
}
