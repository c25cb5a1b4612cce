//! The ids under which requests travel to a server.
//!
//! Calls and the gateway's own requests share one pipe. Even numbers are calls, odd ones are our
//! own, so that an answer says by itself whose it is.

use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use rea_fsm::CallId;

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownstreamId {
    /// A client's call.
    Call(CallId),
    /// The gateway's own request with this number.
    Own(u64),
}

impl DownstreamId {
    /// The number on the wire.
    pub const fn number(self) -> u64 {
        match self {
            Self::Call(call) => call.0 * 2,
            Self::Own(own) => own * 2 + 1,
        }
    }

    /// The id as it is written.
    pub fn request_id(self) -> RequestId {
        RequestId::from(self.number())
    }

    /// Whose answer it is, from the id as the server gave it back. An id in any other form than
    /// ours (`"4"`, `4.0`) was never asked for.
    pub fn parse(raw: Raw<'_>) -> Option<Self> {
        let is_ours = raw.text().bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = raw.text().parse().ok().filter(|_| is_ours)?;
        Some(if number.is_multiple_of(2) {
            Self::Call(CallId(number / 2))
        } else {
            Self::Own(number / 2)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<DownstreamId> {
        DownstreamId::parse(Raw::parse(text)?)
    }

    #[test]
    fn an_id_comes_back_as_what_it_was() {
        for id in [
            DownstreamId::Call(CallId(1)),
            DownstreamId::Own(0),
            DownstreamId::Own(77),
        ] {
            assert_eq!(parse(id.request_id().as_str()), Some(id));
        }
    }

    #[test]
    fn another_form_of_the_same_number_is_not_ours() {
        for text in [
            r#""4""#,
            "4.0",
            "-4",
            "-0",
            "4e0",
            "null",
            "[4]",
            "99999999999999999999999",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
