//! The states of the connection.

use crate::event::BlockReason;
use crate::id::Millis;
use serde::{Deserialize, Serialize};

/// A leaf state with its data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Never started.
    Idle,
    /// A process is on its way to being ready; calls wait.
    Connecting {
        /// How far it is.
        phase: Phase,
        /// What it is for.
        why: Why,
    },
    /// Connected.
    Ready,
    /// Connected and still serving, but a liveness probe is out.
    Suspect {
        /// When the probe went out. Only calls sent before it can speak for the server.
        ping_at: Millis,
    },
    /// A pause before the next restart; calls wait.
    Backoff {
        /// Its end.
        until: Millis,
    },
    /// The process is being ended; calls wait for the next one.
    Reaping {
        /// What follows when it is gone.
        then: Then,
        /// How far it is.
        step: TeardownStep,
    },
    /// KILL did not end the process. There is never a second one beside it.
    Stuck,
    /// Nothing automatic helps.
    Blocked {
        /// Why.
        reason: BlockReason,
    },
    /// Restarts are used up; calls fail at once.
    FlapLocked {
        /// When one probe is started.
        until: Millis,
        /// How many locks in a row, this one included.
        locks: u32,
    },
    /// Stopping: calls in flight may finish.
    Draining,
    /// Stopping: the process is being ended.
    Terminating {
        /// How far it is.
        step: TeardownStep,
    },
    /// Ended for good.
    Closed {
        /// What became of the process.
        remains: Remains,
    },
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// For one of the engine's spawn slots.
    Waiting,
    /// The process is being started.
    Spawning,
    /// `server/discover` is out.
    Probing,
    /// `initialize` is out.
    Initializing,
    /// `tools/list` is out.
    Listing,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The first start.
    Cold,
    /// The process before it ended; counted against the budget.
    Restart,
    /// The one try at the end of a flap lock.
    LockProbe,
    /// Somebody asked for it.
    Operator,
}

/// What follows when a process that is being ended is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The restart rule decides.
    Restart,
    /// The one try of a flap lock has failed: locked again.
    LockAgain,
    /// A new connection that costs nothing.
    Again(Why),
    /// Nothing, until somebody changes something.
    Block(BlockReason),
}

/// How far the ending of a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeardownStep {
    /// Whether there is a process is not known yet: it was being started.
    AwaitingSpawn,
    /// Calls in flight may finish before a replacement.
    Draining,
    /// Its output has ended; its exit is likely to follow by itself, and says more.
    Lingering,
    /// Its stdin is closed, which asks it to end.
    StdinClosed,
    /// TERM is sent.
    TermSent,
    /// KILL is sent.
    KillSent,
}

/// What is left of a server that was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remains {
    /// Nothing.
    Nothing,
    /// A process that could not be ended.
    Orphan,
}

/// A state's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each stands for the state of the same name")]
pub enum Leaf {
    Idle,
    Connecting,
    Ready,
    Suspect,
    Backoff,
    Reaping,
    Stuck,
    Blocked,
    FlapLocked,
    Draining,
    Terminating,
    Closed,
}

impl State {
    /// The state's name.
    pub const fn leaf(&self) -> Leaf {
        match self {
            Self::Idle => Leaf::Idle,
            Self::Connecting { .. } => Leaf::Connecting,
            Self::Ready => Leaf::Ready,
            Self::Suspect { .. } => Leaf::Suspect,
            Self::Backoff { .. } => Leaf::Backoff,
            Self::Reaping { .. } => Leaf::Reaping,
            Self::Stuck => Leaf::Stuck,
            Self::Blocked { .. } => Leaf::Blocked,
            Self::FlapLocked { .. } => Leaf::FlapLocked,
            Self::Draining => Leaf::Draining,
            Self::Terminating { .. } => Leaf::Terminating,
            Self::Closed { .. } => Leaf::Closed,
        }
    }
}

impl Leaf {
    /// Every state, in the order in which they are documented.
    pub const ALL: [Self; 12] = [
        Self::Idle,
        Self::Connecting,
        Self::Ready,
        Self::Suspect,
        Self::Backoff,
        Self::Reaping,
        Self::Stuck,
        Self::Blocked,
        Self::FlapLocked,
        Self::Draining,
        Self::Terminating,
        Self::Closed,
    ];

    /// The name in the log, in the CLI and in the documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Ready => "ready",
            Self::Suspect => "suspect",
            Self::Backoff => "backoff",
            Self::Reaping => "reaping",
            Self::Stuck => "stuck",
            Self::Blocked => "blocked",
            Self::FlapLocked => "flap_locked",
            Self::Draining => "draining",
            Self::Terminating => "terminating",
            Self::Closed => "closed",
        }
    }
}

impl core::fmt::Display for Leaf {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

/// A superstate: what several leaves have in common.
#[derive(Debug)]
pub enum Superstate {
    /// Calls that arrive wait.
    Degraded,
    /// Calls that arrive fail at once, with this reason.
    Refusing(crate::effect::Refusal),
    /// Everything: calls that are held, and events that nobody above wanted.
    Root,
}
