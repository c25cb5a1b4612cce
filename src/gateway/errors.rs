//! What a client is told when a call did not come back with the server's own answer: what
//! happened, whether it ran, and when the next try is. A model has to be able to act on it.

use crate::engine::Ended;
use crate::publish::words;
use rea_fsm::{Executed, Millis, Refusal, Verdict};
use serde::Serialize;

/// The facts beside the text, for programs.
#[derive(Debug, Serialize)]
pub(super) struct Facts<'a> {
    /// Which server.
    pub server: &'a str,
    /// The server's state.
    pub state: &'static str,
    /// The reason in one word.
    pub reason: &'static str,
    /// `no`, `maybe` or `yes`.
    pub executed: &'static str,
    /// When the next try is, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<String>,
}

/// The words and the facts for a call that did not come back.
#[derive(Debug)]
pub(super) struct Explanation<'a> {
    /// For a model or a person.
    pub text: String,
    /// For programs.
    pub facts: Facts<'a>,
}

/// Explains a verdict that is no answer of the server's. `None` for an answer, and for a call
/// that the client gave up itself: neither gets one of ours.
pub(super) fn explain<'a>(
    ended: &Ended<'a>,
    wall: impl Fn(Millis) -> String,
) -> Option<Explanation<'a>> {
    let Ended {
        server,
        verdict,
        executed,
        last_words,
        ..
    } = *ended;
    let (reason, what, retry_at) = match verdict {
        Verdict::Replied(_) | Verdict::Cancelled => return None,
        Verdict::TimedOut => match executed {
            Executed::No => (
                "timeout",
                format!("server \"{server}\" did not become ready in time"),
                None,
            ),
            Executed::Maybe | Executed::Yes => (
                "timeout",
                format!("server \"{server}\" did not answer within the hard time limit of a call"),
                None,
            ),
        },
        Verdict::TransportLost { status } => (
            "transport_lost",
            match status {
                Some(status) => format!(
                    "server \"{server}\" went away before it answered ({})",
                    words::exit_status(*status)
                ),
                None => format!("server \"{server}\" went away before it answered"),
            },
            None,
        ),
        Verdict::Refused(refusal) => refused(server, refusal),
    };
    let retry_at = retry_at.map(wall);
    let advice = match executed {
        Executed::No => "The call was not executed and is safe to repeat",
        Executed::Maybe => "The call may have been executed: check before repeating it",
        Executed::Yes => "The call was executed",
    };
    let mut text = match &retry_at {
        Some(at) => format!("{what}. {advice}; the next try is at {at}."),
        None => format!("{what}. {advice}."),
    };
    if matches!(verdict, Verdict::TransportLost { .. }) && !last_words.is_empty() {
        text.push_str(" Its last words on standard error:\n");
        text.push_str(last_words);
    }
    let state = ended.leaf.name();
    let executed = match executed {
        Executed::No => "no",
        Executed::Maybe => "maybe",
        Executed::Yes => "yes",
    };
    Some(Explanation {
        text,
        facts: Facts {
            server,
            state,
            reason,
            executed,
            retry_at,
        },
    })
}

fn refused(server: &str, refusal: &Refusal) -> (&'static str, String, Option<Millis>) {
    match refusal {
        Refusal::NotStarted => (
            "not_started",
            format!("server \"{server}\" has not been started yet"),
            None,
        ),
        Refusal::Blocked(reason) => (
            "blocked",
            format!(
                "server \"{server}\" can't be started: {}. Somebody has to change that first",
                words::block_reason(reason)
            ),
            None,
        ),
        Refusal::FlapLocked { retry_at } => (
            "flap_locked",
            format!("server \"{server}\" keeps dying and is locked for a while"),
            Some(*retry_at),
        ),
        Refusal::Unkillable => (
            "unkillable",
            format!(
                "the last process of server \"{server}\" does not end, and is not replaced while it lives"
            ),
            None,
        ),
        Refusal::QueueFull => (
            "queue_full",
            format!("server \"{server}\" is starting, and too many calls already wait for it"),
            None,
        ),
        Refusal::Overloaded => (
            "overloaded",
            format!("server \"{server}\" has too many calls in flight"),
            None,
        ),
        Refusal::CircuitOpen { retry_at } => (
            "circuit_open",
            format!("Circuit breaker open for server \"{server}\": too many calls in a row failed"),
            Some(*retry_at),
        ),
        Refusal::CircuitProbing => (
            "circuit_half_open",
            format!("server \"{server}\" is being tried with one call after failures"),
            None,
        ),
        Refusal::Closing => (
            "closing",
            format!("server \"{server}\" is being stopped"),
            None,
        ),
    }
}
