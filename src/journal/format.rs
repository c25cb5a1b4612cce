//! What stands in a log: versions, the header line, the two kinds of record.
//!
//! Two versions, because two things change. [`FORMAT`] is how lines are written; older formats
//! are turned into the current one when they are read. [`RULES`] is what the machines decide;
//! a log of other rules is read all the same, and replay says where the decisions part.

use super::chain::Chain;
use jiff::Timestamp;
use rea_fsm::{CallId, Snapshot, Tuning};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::BTreeMap;

/// How lines are written. Raised by every change of a line's shape.
pub const FORMAT: u32 = 2;

/// What the machines decide. Raised by every change of a decision.
pub const RULES: u32 = 1;

/// Every so many records one carries the hash of its machine's whole snapshot.
pub const SNAPSHOT_EVERY: u64 = 4_096;

/// No line is longer. Headers and gap records hold a snapshot of every machine, and that is what
/// this has to leave room for.
pub const LINE_BYTES_MAX: usize = 64 << 20;

/// How every header begins, so that it can be told from a record and from other files.
pub(super) const HEADER_OPENING: &[u8] = b"{\"format\":";

/// Every machine, by its server's name.
pub type Snapshots = BTreeMap<String, Snapshot>;

/// The first line of every file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// [`RULES`] of the program that wrote it.
    pub rules: u32,
    /// Which program wrote it.
    pub build: String,
    /// Names the run of the gateway.
    pub session: String,
    /// Names the boot of the machine that it ran in.
    pub boot: String,
    /// One for the first file of a session.
    pub file: u32,
    /// The wall clock when `at_ms` was zero.
    pub began: Timestamp,
    /// What each machine's seed is derived from; see [`machine_seed`].
    pub jitter_seed: Hex64,
    /// The numbers of each server's machine when the session began.
    pub config: BTreeMap<String, Tuning>,
    /// Digest over `config`.
    pub config_digest: Hex64,
    /// Where the file before ended; none in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<Continues>,
}

/// Where the file before ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Continues {
    /// The first number of this file.
    pub seq: u64,
    /// The last link of the file before.
    pub chain: Chain,
    /// Every machine as it was then. Absent if a gap record follows, which has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<Snapshots>,
}

/// Something that is shown and never fed to a machine. Texts are redacted and bounded by whoever
/// gives them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Note {
    /// A call that never reached a machine.
    Refused {
        /// The gateway's number of the call.
        call: CallId,
        /// The tool's name as the client gave it.
        tool: String,
        /// Why.
        reason: String,
    },
    /// What a call came to, where no event says it.
    Call {
        /// The gateway's number of the call.
        call: CallId,
        /// The tool's name.
        tool: String,
        /// Size of the request.
        bytes_in: u64,
        /// Size of the answer.
        bytes_out: u64,
    },
    /// The gateway begins to stop.
    Halt {
        /// Why.
        reason: String,
    },
    /// The wall clock was set.
    Clock {
        /// What it says now.
        wall: Timestamp,
    },
    /// Records are missing because they could not be written.
    Gap(Gap),
    /// The end of a session that was stopped. The last line.
    Closed {},
}

/// Which records are missing, and what the machines were when the log went on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The first lost number.
    pub first: u64,
    /// The last lost number; one less than `first` if nothing was lost.
    pub last: u64,
    /// The system's name of the error.
    pub reason: String,
    /// Every machine.
    pub snapshots: Snapshots,
}

/// What people want to read beside an event, and machines do not see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Annotated<'a> {
    /// There is nothing to say.
    #[default]
    Nothing,
    /// Beside a submitted call of a tool: its name.
    Tool(&'a str),
    /// Beside a submitted call that is another request: its method, and what it names.
    Request(&'a str),
}

/// 64 bits, in the file as sixteen hexadecimal digits: JSON's readers keep only 53.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hex64(pub u64);

impl std::fmt::Display for Hex64 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Hex64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl de::Visitor<'_> for Digits {
            type Value = Hex64;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("16 hexadecimal digits")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hex64, E> {
                let invalid = || E::invalid_value(de::Unexpected::Str(text), &self);
                if text.len() != 16 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(invalid());
                }
                u64::from_str_radix(text, 16)
                    .map(Hex64)
                    .map_err(|_| invalid())
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

/// The seed of one server's machine. Derived, so that the header's one number stands for all and
/// servers that are locked together do not wake together.
pub fn machine_seed(jitter_seed: u64, server: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(&jitter_seed.to_le_bytes())
        .update(server.as_bytes());
    let mut seed = [0; 8];
    hasher.finalize_xof().fill(&mut seed);
    u64::from_le_bytes(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_seed_never_changes() {
        // A log that was written with another derivation would not replay.
        assert_eq!(machine_seed(7, "time"), 9_852_923_821_474_861_754);
        assert_ne!(machine_seed(7, "time"), machine_seed(7, "files"));
        assert_ne!(machine_seed(7, "time"), machine_seed(8, "time"));
    }

    #[test]
    fn sixty_four_bits_survive_as_digits() {
        let text = serde_json::to_string(&Hex64(u64::MAX - 1)).unwrap();
        assert_eq!(text, r#""fffffffffffffffe""#);
        assert_eq!(
            serde_json::from_str::<Hex64>(&text).unwrap(),
            Hex64(u64::MAX - 1)
        );
        for wrong in [r#""+00000000000000f""#, r#""f""#, "15"] {
            serde_json::from_str::<Hex64>(wrong).unwrap_err();
        }
    }
}
