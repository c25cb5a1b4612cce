//! The numbers of one server's machine, with their defaults.

use crate::event::{EventKind, ProtocolVersion};
use crate::id::Millis;
use serde::{Deserialize, Serialize};

/// Every number that a decision depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuning {
    /// Which era of the protocol the server is spoken to in.
    pub protocol: Protocol,
    /// How many restarts the window admits before the server is locked.
    pub restart_intensity: u32,
    /// The window in which restarts are counted.
    pub restart_window_ms: Millis,
    /// The pause before the second restart in a window; doubles with each further one.
    pub backoff_base_ms: Millis,
    /// The longest such pause.
    pub backoff_max_ms: Millis,
    /// How long the first flap lock lasts; doubles with each further one.
    pub lock_base_ms: Millis,
    /// The longest flap lock, before jitter.
    pub lock_max_ms: Millis,
    /// The least time connected after which past deaths are forgiven.
    pub stable_ms: Millis,
    /// How long a handshake may take, listing included.
    pub handshake_ms: Millis,
    /// How long `server/discover` may take before the server is taken for a legacy one.
    pub probe_ms: Millis,
    /// How long a listing may take.
    pub list_ms: Millis,
    /// The least time between two listings.
    pub list_gap_ms: Millis,
    /// How long a liveness probe may take.
    pub pong_ms: Millis,
    /// How long a connected server may be silent before it is probed; zero: for ever.
    pub heartbeat_ms: Millis,
    /// No call lasts longer than this, whatever progress it reports.
    pub call_cap_ms: Millis,
    /// How long the exit may take after the output has ended, before the shutdown begins.
    pub linger_ms: Millis,
    /// From closing stdin to TERM.
    pub term_ms: Millis,
    /// From TERM to KILL.
    pub kill_ms: Millis,
    /// From KILL to giving up.
    pub give_up_ms: Millis,
    /// Between two further KILLs of a process that does not end.
    pub kill_again_ms: Millis,
    /// How many calls may wait for a server that is starting.
    pub queue_max: u32,
    /// How long a call may wait.
    pub queue_ms: Millis,
    /// How many calls may be in flight.
    pub in_flight_max: u32,
    /// How many bytes of calls may be queued or in flight.
    pub held_bytes_max: u64,
    /// How many faults in a row open the circuit.
    pub breaker_faults: u32,
    /// How long it stays open at first; doubles with each further opening.
    pub breaker_base_ms: Millis,
    /// The longest that it stays open.
    pub breaker_max_ms: Millis,
    /// How many calls at once may try a half-open circuit.
    pub breaker_probes: u32,
    /// How many openings and locks in the window call for a person.
    pub blocker_failures: u32,
    /// The window in which they are counted.
    pub blocker_window_ms: Millis,
    /// Not ready for so long also calls for a person.
    pub blocker_unready_ms: Millis,
    /// Ready for so long, and it may fire again.
    pub blocker_rearm_ms: Millis,
    /// In which revision an earlier session spoke to the server; asked anew when that fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_version: Option<ProtocolVersion>,
    /// How many questions of the server may be open.
    #[serde(default = "questions_max", skip_serializing_if = "is_questions_max")]
    pub questions_max: u32,
    /// How long the client has for a question, and for repeating a call that is held for one.
    #[serde(default = "question_ms", skip_serializing_if = "is_question_ms")]
    pub question_ms: Millis,
    /// So long further questions are waited for, before they are put in the answer to a call. Zero:
    /// not at all.
    #[serde(default = "gather_ms", skip_serializing_if = "is_gather_ms")]
    pub gather_ms: Millis,
}

// Logs that were written before there were questions know none of these, and digests over the
// defaults are what they were.

const fn questions_max() -> u32 {
    64
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_questions_max(value: &u32) -> bool {
    *value == questions_max()
}

const fn question_ms() -> Millis {
    Millis::from_secs(600)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_question_ms(value: &Millis) -> bool {
    *value == question_ms()
}

const fn gather_ms() -> Millis {
    Millis(20)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_gather_ms(value: &Millis) -> bool {
    *value == gather_ms()
}

/// Which era of the protocol a server is spoken to in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Found out by asking, and remembered.
    Auto,
    /// `initialize`, never `server/discover`.
    Legacy,
    /// `server/discover`, never `initialize`.
    Modern,
}

impl ProtocolVersion {
    /// Whether the revision knows no handshake.
    pub const fn is_modern(self) -> bool {
        match self {
            Self::V2024_11_05 | Self::V2025_03_26 | Self::V2025_06_18 | Self::V2025_11_25 => false,
            Self::V2026_07_28 => true,
        }
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            protocol: Protocol::Auto,
            restart_intensity: 1,
            restart_window_ms: Millis::from_secs(30),
            backoff_base_ms: Millis::from_secs(1),
            backoff_max_ms: Millis::from_secs(16),
            lock_base_ms: Millis::from_secs(30),
            lock_max_ms: Millis::from_secs(300),
            stable_ms: Millis::from_secs(30),
            handshake_ms: Millis::from_secs(20),
            probe_ms: Millis::from_secs(3),
            list_ms: Millis::from_secs(20),
            list_gap_ms: Millis::from_secs(1),
            pong_ms: Millis::from_secs(5),
            heartbeat_ms: Millis::ZERO,
            call_cap_ms: Millis::from_secs(3_600),
            linger_ms: Millis(100),
            term_ms: Millis::from_secs(2),
            kill_ms: Millis::from_secs(2),
            give_up_ms: Millis::from_secs(2),
            kill_again_ms: Millis::from_secs(30),
            queue_max: 32,
            queue_ms: Millis::from_secs(10),
            in_flight_max: 1_024,
            held_bytes_max: 64 << 20,
            breaker_faults: 5,
            breaker_base_ms: Millis::from_secs(30),
            breaker_max_ms: Millis::from_secs(300),
            breaker_probes: 1,
            blocker_failures: 3,
            blocker_window_ms: Millis::from_secs(600),
            blocker_unready_ms: Millis::from_secs(60),
            blocker_rearm_ms: Millis::from_secs(600),
            known_version: None,
            questions_max: questions_max(),
            question_ms: question_ms(),
            gather_ms: gather_ms(),
        }
    }
}

/// A number with which a promise could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TuningError {
    /// A lock shorter than the window would let a flapping server restart without end.
    LockShorterThanWindow,
    /// A cap below its own base.
    CapBelowBase(&'static str),
    /// Zero where nothing would ever work.
    Zero(&'static str),
}

impl core::fmt::Display for TuningError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::LockShorterThanWindow => f.write_str(
                "the lock must last at least as long as the restart window, \
                 or a flapping server would never stay locked",
            ),
            Self::CapBelowBase(name) => write!(f, "the cap of `{name}` is below its first value"),
            Self::Zero(name) => write!(f, "`{name}` must be above zero"),
        }
    }
}

impl core::error::Error for TuningError {}

impl Tuning {
    /// The time after which a restart no longer counts. Longer than the window by the longest
    /// failing attempt: a handshake that hangs must not outlive its own entry, or a server that
    /// always hangs would be restarted for ever.
    pub const fn restart_memory_ms(&self) -> Millis {
        self.restart_window_ms
            .plus(self.handshake_ms)
            .plus(self.teardown_ms())
    }

    /// The time from the first step of ending a process to giving up on it.
    pub const fn teardown_ms(&self) -> Millis {
        self.term_ms.plus(self.kill_ms).plus(self.give_up_ms)
    }

    /// Checks what the promises depend on.
    ///
    /// # Errors
    /// The first number that would break one.
    pub fn check(&self) -> Result<(), TuningError> {
        if self.lock_base_ms < self.restart_window_ms {
            return Err(TuningError::LockShorterThanWindow);
        }
        for (name, base, cap) in [
            ("lock", self.lock_base_ms, self.lock_max_ms),
            ("backoff", self.backoff_base_ms, self.backoff_max_ms),
            ("breaker", self.breaker_base_ms, self.breaker_max_ms),
        ] {
            if cap < base {
                return Err(TuningError::CapBelowBase(name));
            }
        }
        for (name, value) in [
            ("restart_window", self.restart_window_ms.0),
            ("backoff_base", self.backoff_base_ms.0),
            ("stable", self.stable_ms.0),
            ("handshake", self.handshake_ms.0),
            ("probe", self.probe_ms.0),
            ("list", self.list_ms.0),
            ("list_gap", self.list_gap_ms.0),
            ("pong", self.pong_ms.0),
            ("call_cap", self.call_cap_ms.0),
            ("linger", self.linger_ms.0),
            ("term", self.term_ms.0),
            ("kill", self.kill_ms.0),
            ("give_up", self.give_up_ms.0),
            ("kill_again", self.kill_again_ms.0),
            ("queue_time", self.queue_ms.0),
            ("in_flight_max", u64::from(self.in_flight_max)),
            ("breaker_faults", u64::from(self.breaker_faults)),
            ("breaker_base", self.breaker_base_ms.0),
            ("breaker_probes", u64::from(self.breaker_probes)),
            ("blocker_failures", u64::from(self.blocker_failures)),
            ("blocker_window", self.blocker_window_ms.0),
            ("blocker_unready", self.blocker_unready_ms.0),
            ("blocker_rearm", self.blocker_rearm_ms.0),
            ("question", self.question_ms.0),
        ] {
            if value == 0 {
                return Err(TuningError::Zero(name));
            }
        }
        Ok(())
    }
}

impl EventKind {
    /// A change of numbers, boxed because it is far larger than every other event.
    pub fn configure(tuning: Tuning) -> Self {
        Self::Operator(crate::event::Operator::Configure {
            tuning: alloc::boxed::Box::new(tuning),
        })
    }
}
