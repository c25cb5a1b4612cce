//! The chain that ties each line to everything before it.
//!
//! A line ends in `,"chain":"<32 hex digits>"}`. The digits are the first 128 bits of the BLAKE3
//! hash of the previous line's digits followed by this line up to, and without, that ending.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const DIGITS: usize = 32;
const OPENING: &[u8] = b",\"chain\":\"";
const CLOSING: &[u8] = b"\"}";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// One link: the digits as they stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain([u8; DIGITS]);

impl Chain {
    /// What the first line of a session is tied to.
    pub const START: Self = Self([b'0'; DIGITS]);

    /// The link of a line, given without its ending.
    #[must_use]
    pub fn next(self, body: &[u8]) -> Self {
        const ONE_CHUNK: usize = 1_024;
        // Hashing one piece of memory is twice as fast as feeding a hasher, and most lines fit.
        let hash = if let Some(end) = Some(DIGITS + body.len()).filter(|end| *end <= ONE_CHUNK) {
            let mut piece = [0; ONE_CHUNK];
            piece[..DIGITS].copy_from_slice(&self.0);
            piece[DIGITS..end].copy_from_slice(body);
            blake3::hash(&piece[..end])
        } else {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&self.0).update(body);
            hasher.finalize()
        };
        let mut digits = [0; DIGITS];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash.as_bytes()) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        Self(digits)
    }

    /// Ends the line that begins at `start` and returns its link.
    #[must_use]
    pub(super) fn seal(self, batch: &mut Vec<u8>, start: usize) -> Self {
        let link = self.next(&batch[start..]);
        batch.extend_from_slice(OPENING);
        batch.extend_from_slice(&link.0);
        batch.extend_from_slice(CLOSING);
        batch.push(b'\n');
        link
    }

    /// Splits a line (without its newline) into its body and its link, if it ends in one.
    pub(super) fn split(line: &[u8]) -> Option<(&[u8], Self)> {
        let rest = line.strip_suffix(CLOSING)?;
        let (rest, digits) = rest.split_last_chunk::<DIGITS>()?;
        let body = rest.strip_suffix(OPENING)?;
        Some((body, Self(*digits)))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        // Digits that come from a file may be any bytes.
        std::str::from_utf8(&self.0).unwrap_or("(not digits)")
    }
}

impl Serialize for Chain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Chain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = <[u8; DIGITS]>::try_from(text.as_bytes()).map_err(|_| {
            de::Error::invalid_value(de::Unexpected::Str(&text), &"32 hexadecimal digits")
        })?;
        Ok(Self(digits))
    }
}

/// Appends sixteen hexadecimal digits.
pub(super) fn push_hex(batch: &mut Vec<u8>, value: u64) {
    let mut digits = [0; 16];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(value.to_be_bytes()) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    batch.extend_from_slice(&digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_line_splits_into_what_was_sealed() {
        let mut batch = br#"{"seq":1"#.to_vec();
        let link = Chain::START.seal(&mut batch, 0);
        let sealed = batch.strip_suffix(b"\n").unwrap();
        let (body, read) = Chain::split(sealed).unwrap();
        assert_eq!(body, br#"{"seq":1"#);
        assert_eq!(read, link);
        assert_eq!(Chain::START.next(body), link);
    }

    #[test]
    fn long_and_short_lines_hash_alike() {
        for length in [0, 991, 992, 993, 5_000] {
            let body = vec![b'x'; length];
            let mut hasher = blake3::Hasher::new();
            hasher
                .update(Chain::START.as_str().as_bytes())
                .update(&body);
            let expected = hasher.finalize().to_hex();
            assert_eq!(Chain::START.next(&body).as_str(), &expected[..32]);
        }
    }

    #[test]
    fn hex_digits_keep_leading_zeroes() {
        let mut batch = Vec::new();
        push_hex(&mut batch, 0xabc);
        assert_eq!(batch, b"0000000000000abc");
    }
}
