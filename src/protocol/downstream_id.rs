//! The ids under which requests travel to a server.
//!
//! Calls and the gateway's own requests share one pipe. Even numbers are calls, odd ones are our
//! own, so that an answer says by itself whose it is.

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

    /// Whose answer it is, from the id's text as the server gave it back. An id in any other
    /// form than ours was never asked for.
    pub fn parse(text: &str) -> Option<Self> {
        let is_ours = text.bytes().all(|byte| byte.is_ascii_digit())
            && (text.len() == 1 || !text.starts_with('0'));
        let number: u64 = text.parse().ok().filter(|_| is_ours)?;
        Some(if number % 2 == 0 {
            Self::Call(CallId(number / 2))
        } else {
            Self::Own(number / 2)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_as_what_it_was() {
        for id in [
            DownstreamId::Call(CallId(1)),
            DownstreamId::Own(0),
            DownstreamId::Own(77),
        ] {
            assert_eq!(DownstreamId::parse(&id.number().to_string()), Some(id));
        }
    }

    #[test]
    fn another_form_of_the_same_number_is_not_ours() {
        for text in [
            "\"4\"",
            "4.0",
            "-4",
            "04",
            "4e0",
            "+4",
            "",
            "99999999999999999999999",
        ] {
            assert_eq!(DownstreamId::parse(text), None, "{text}");
        }
    }
}
