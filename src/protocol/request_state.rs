//! The `requestState` that a client without a session gets while a server's question is held.
//!
//! The client brings it back with the answers. It says which held call goes on; it is sealed with
//! a key of this run, so that nobody can make one up, and bound to the request it was given for.
//! That it counts only once is the machine's affair, which compares the round.

use crate::wire::raw::Raw;
use rea_fsm::{CallId, Millis};
use std::fmt::Write;

/// How every one begins; the mark of the run follows.
const PREFIX: &str = "rea1.";
const MARK_BYTES: usize = 8;
const PAYLOAD_BYTES: usize = 4 + 8 + 4 + 8;
const SEAL_BYTES: usize = 32;

/// A call that waits for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldCall {
    /// The server's place in the registry's order.
    pub server: u32,
    /// Which call.
    pub call: CallId,
    /// How often it was given back to the client.
    pub round: u32,
}

/// What a request is about: it is the same whenever the client repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestDigest([u8; 32]);

impl RequestDigest {
    /// Of a method, what it names, and its arguments as they were written.
    pub fn of(method: &str, name: &str, arguments: Option<Raw<'_>>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for text in [method, name, arguments.map_or("", Raw::text)] {
            // With its length, so that no two requests run together.
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        Self(*hasher.finalize().as_bytes())
    }
}

/// Why a state resumes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It is not one of ours.
    #[error("this `requestState` was not given out by this gateway")]
    NotOurs,
    /// It was made up or altered, or is of another request.
    #[error("this `requestState` was altered, or given out for another request or session")]
    Forged,
    /// It is too old.
    #[error("this `requestState` has expired")]
    Expired,
}

/// Seals and opens.
pub struct Sealer {
    key: [u8; 32],
    /// How the states of this run begin: those of another gateway behind this one differ.
    prefix: String,
}

impl Sealer {
    /// With a key that nobody else knows.
    pub fn new(key: [u8; 32]) -> Self {
        let mark = blake3::keyed_hash(&key, PREFIX.as_bytes());
        let mut prefix = PREFIX.to_owned();
        write_hex(&mut prefix, mark.as_bytes().iter().take(MARK_BYTES));
        prefix.push('.');
        Self { key, prefix }
    }

    /// What the client is to bring back, until then.
    pub fn seal(&self, held: HeldCall, request: RequestDigest, expires_at: Millis) -> String {
        let mut payload = Vec::with_capacity(PAYLOAD_BYTES);
        payload.extend(held.server.to_le_bytes());
        payload.extend(held.call.0.to_le_bytes());
        payload.extend(held.round.to_le_bytes());
        payload.extend(expires_at.0.to_le_bytes());
        let seal = self.digest(&payload, request);
        let mut text = self.prefix.clone();
        write_hex(&mut text, payload.iter().chain(seal.as_bytes()));
        text
    }

    fn digest(&self, payload: &[u8], request: RequestDigest) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(payload);
        hasher.update(&request.0);
        hasher.finalize()
    }

    /// Which call goes on.
    ///
    /// # Errors
    /// It is not ours, was altered, belongs to another request or run, or is too old.
    pub fn open(
        &self,
        text: &str,
        request: RequestDigest,
        now: Millis,
    ) -> Result<HeldCall, StateError> {
        let hex = text.strip_prefix(&self.prefix).ok_or(StateError::NotOurs)?;
        let bytes = unhex(hex).ok_or(StateError::Forged)?;
        let (payload, seal) = bytes.split_at(PAYLOAD_BYTES);
        let seal: [u8; SEAL_BYTES] = seal.try_into().map_err(|_| StateError::Forged)?;
        // Equality of hashes takes the same time whatever they are.
        if self.digest(payload, request) != blake3::Hash::from_bytes(seal) {
            return Err(StateError::Forged);
        }
        let (server, rest) = payload.split_at(4);
        let (call, rest) = rest.split_at(8);
        let (round, expires_at) = rest.split_at(4);
        if number(expires_at) < now.0 {
            return Err(StateError::Expired);
        }
        let small = |bytes| u32::try_from(number(bytes)).map_err(|_| StateError::Forged);
        Ok(HeldCall {
            server: small(server)?,
            call: CallId(number(call)),
            round: small(round)?,
        })
    }

    /// Whether a text claims to be one of ours.
    pub fn is_claimed(&self, text: &str) -> bool {
        text.starts_with(&self.prefix)
    }
}

fn write_hex<'a>(text: &mut String, bytes: impl Iterator<Item = &'a u8>) {
    for byte in bytes {
        // Memory takes every text.
        let _ = write!(text, "{byte:02x}");
    }
}

fn number(little_endian: &[u8]) -> u64 {
    let digits = little_endian.iter().rev();
    digits.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn unhex(text: &str) -> Option<[u8; PAYLOAD_BYTES + SEAL_BYTES]> {
    let mut bytes = [0; PAYLOAD_BYTES + SEAL_BYTES];
    let digits = text.as_bytes();
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        // One spelling only: two texts are never the same state.
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HELD: HeldCall = HeldCall {
        server: 3,
        call: CallId(u64::MAX - 1),
        round: 2,
    };

    fn digest() -> RequestDigest {
        RequestDigest::of("tools/call", "s__t", Raw::parse(r#"{"a":1}"#))
    }

    fn sealer() -> Sealer {
        Sealer::new([7; 32])
    }

    fn sealed() -> String {
        sealer().seal(HELD, digest(), Millis(1_000))
    }

    fn open(text: &str) -> Result<HeldCall, StateError> {
        sealer().open(text, digest(), Millis(1_000))
    }

    #[test]
    fn what_was_sealed_opens() {
        assert_eq!(open(&sealed()), Ok(HELD));
    }

    #[test]
    fn every_altered_character_is_noticed() {
        let sealed = sealed();
        for at in sealer().prefix.len()..sealed.len() {
            for digit in *b"0f" {
                let mut altered = sealed.clone().into_bytes();
                if altered[at] == digit {
                    continue;
                }
                altered[at] = digit;
                let altered = String::from_utf8(altered).expect("text");
                assert_eq!(open(&altered), Err(StateError::Forged), "{altered}");
            }
            assert_eq!(open(&sealed[..at]), Err(StateError::Forged));
        }
        assert_eq!(open(&sealed.to_uppercase()), Err(StateError::NotOurs));
    }

    #[test]
    fn it_counts_until_its_time_for_its_request_and_under_its_key() {
        let sealed = sealed();
        let late = sealer().open(&sealed, digest(), Millis(1_001));
        assert_eq!(late, Err(StateError::Expired));
        let other = RequestDigest::of("tools/call", "s__t", Raw::parse(r#"{"a":2}"#));
        let other = sealer().open(&sealed, other, Millis(0));
        assert_eq!(other, Err(StateError::Forged));
        let other_key = Sealer::new([8; 32]).open(&sealed, digest(), Millis(0));
        assert_eq!(other_key, Err(StateError::NotOurs));
    }

    #[test]
    fn requests_do_not_run_together() {
        assert_ne!(
            RequestDigest::of("a", "bc", None),
            RequestDigest::of("ab", "c", None)
        );
    }

    proptest! {
        #[test]
        fn nothing_that_was_not_sealed_opens(text in ".*") {
            prop_assert!(open(&text).is_err());
            let claimed = format!("{}{text}", sealer().prefix);
            prop_assert!(open(&claimed).is_err());
        }
    }
}
