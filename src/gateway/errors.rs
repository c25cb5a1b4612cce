//! What a client is told when a call did not come back with the server's own answer: what
//! happened, whether it ran, and when the next try is. A model has to be able to act on it.

use crate::engine::{Ended, Reply, Unusable};
use crate::protocol::failure::Failure;
use crate::publish::words;
use rea_fsm::{Executed, ExitStatus, LastError, Leaf, Millis, Refusal, Verdict, View};

/// The words and the facts for a call that did not come back.
#[derive(Debug)]
pub(super) struct Explanation<'a> {
    /// For a model or a person.
    pub text: String,
    /// For programs.
    pub facts: Failure<'a>,
}

/// Explains a verdict that did not bring an answer of the server's to pass on. `None` for a call
/// that the client gave up itself: it gets no answer.
pub(super) fn explain<'a>(
    ended: &Ended<'a>,
    wall: impl Fn(Millis) -> String,
) -> Option<Explanation<'a>> {
    let Ended {
        server,
        view,
        verdict,
        executed,
        last_words,
        ..
    } = *ended;
    let last_error = view.last_error.as_ref();
    let (reason, what, retry_at) = match verdict {
        Verdict::Cancelled => return None,
        Verdict::Replied(_) => match ended.reply {
            Some(Reply::Unusable(Unusable::Oversized { limit })) => (
                "oversized_answer",
                format!(
                    "server \"{server}\" answered with a line over the limit of {limit} bytes, \
                     which was dropped"
                ),
                None,
            ),
            Some(Reply::Unusable(Unusable::Malformed) | Reply::Line { .. } | Reply::Done)
            | None => (
                "malformed_answer",
                format!(
                    "server \"{server}\" answered with something that is no message of the protocol"
                ),
                None,
            ),
        },
        Verdict::TimedOut => match executed {
            Executed::No => (
                "timeout",
                format!(
                    "server \"{server}\" did not become ready in time: {}",
                    unready(view, &wall)
                ),
                view.retry_at_ms,
            ),
            Executed::Maybe | Executed::Yes => (
                "timeout",
                format!("server \"{server}\" did not answer within the hard time limit of a call"),
                view.retry_at_ms,
            ),
        },
        Verdict::TransportLost { status } => (
            "transport_lost",
            format!("server \"{server}\" {}", lost(*status, last_error)),
            view.retry_at_ms,
        ),
        Verdict::Refused(refusal) => refused(server, refusal, last_error),
    };
    let retry_at = retry_at.map(&wall);
    let advice = match executed {
        Executed::No => "The call was not executed and is safe to repeat",
        Executed::Maybe => "The call may have been executed: check before repeating it",
        Executed::Yes => "The call was executed",
    };
    let mut text = match &retry_at {
        Some(at) => format!("{what}. {advice}; the next try is at {at}."),
        None => format!("{what}. {advice}."),
    };
    match own_words(verdict, executed) {
        OwnWords::Beside => {}
        OwnWords::Last if last_words.is_empty() => {}
        OwnWords::Last => {
            text.push_str(" Its last words on standard error:\n");
            text.push_str(last_words);
        }
        OwnWords::LastAndPlace => {
            text.push_str(" What it wrote to standard error, if anything, is in .rea/logs/");
            text.push_str(server);
            text.push_str(".*.log.");
            if !last_words.is_empty() {
                text.push_str(" The last of it:\n");
                text.push_str(last_words);
            }
        }
    }
    let state = ended.leaf.name();
    Some(Explanation {
        text,
        facts: Failure {
            server,
            state,
            reason,
            executed,
            retry_at,
        },
    })
}

/// Where a server is that calls wait for, since when, and what went wrong last.
fn unready(view: &View, wall: impl Fn(Millis) -> String) -> String {
    let does = match view.state {
        Leaf::Idle => "it has not been started",
        Leaf::Connecting => "it is starting",
        Leaf::Ready => "it is ready",
        Leaf::Suspect => "it is asked whether it still lives",
        Leaf::Backoff => "it waits to be started again",
        Leaf::Reaping => "its last process is being ended",
        Leaf::Stuck => "its last process does not end",
        Leaf::Blocked => "it can't be started",
        Leaf::FlapLocked => "it is locked, for it kept dying",
        Leaf::Draining | Leaf::Terminating => "it is being stopped",
        Leaf::Closed => "it is stopped",
    };
    let since = wall(view.since_ms);
    let because = because(view.last_error.as_ref());
    format!("{does} (since {since}){because}")
}

/// What of a server's own words explains why a call did not come back.
enum OwnWords {
    /// Nothing: they are beside the point.
    Beside,
    /// The end of them: it was there a moment ago.
    Last,
    /// That, and where the rest is: it is in trouble for longer.
    LastAndPlace,
}

fn own_words(verdict: &Verdict, executed: Executed) -> OwnWords {
    match verdict {
        Verdict::TransportLost { .. } => OwnWords::Last,
        Verdict::Refused(Refusal::FlapLocked { .. }) => OwnWords::LastAndPlace,
        Verdict::TimedOut => match executed {
            Executed::No => OwnWords::LastAndPlace,
            Executed::Maybe | Executed::Yes => OwnWords::Beside,
        },
        Verdict::Refused(
            Refusal::NotStarted
            | Refusal::Blocked(_)
            | Refusal::Unkillable
            | Refusal::QueueFull
            | Refusal::Overloaded
            | Refusal::CircuitOpen { .. }
            | Refusal::CircuitProbing
            | Refusal::Closing,
        )
        | Verdict::Replied(_)
        | Verdict::Cancelled => OwnWords::Beside,
    }
}

fn because(last_error: Option<&LastError>) -> String {
    last_error.map_or_else(String::new, |error| {
        format!("; what went wrong last: {}", words::last_error(error))
    })
}

/// How a server was lost under a call.
fn lost(status: Option<ExitStatus>, last_error: Option<&LastError>) -> String {
    let ended_for = last_error.and_then(ended_for);
    match (ended_for, status) {
        (Some(what), _) => format!("{what} and was ended"),
        (None, Some(status)) => {
            let how = words::exit_status(status);
            format!("went away before it answered ({how})")
        }
        (None, None) => "went away before it answered".to_owned(),
    }
}

/// What a process was ended for. It has not gone by itself then, and the signal that it took says
/// nothing.
const fn ended_for(error: &LastError) -> Option<&'static str> {
    match error {
        LastError::Unresponsive => Some("did not answer a liveness probe"),
        LastError::OutputClosed => Some("closed its standard output"),
        LastError::InputBroken => Some("closed its standard input"),
        LastError::ChildDied { .. }
        | LastError::SpawnFailed { .. }
        | LastError::Handshake { .. }
        | LastError::HandshakeTimedOut
        | LastError::Io { .. }
        | LastError::CallTimedOut
        | LastError::Unkillable => None,
    }
}

fn refused(
    server: &str,
    refusal: &Refusal,
    last_error: Option<&LastError>,
) -> (&'static str, String, Option<Millis>) {
    match refusal {
        Refusal::NotStarted => (
            "not_started",
            format!("server \"{server}\" has not been started yet"),
            None,
        ),
        Refusal::Blocked(reason) => (
            "blocked",
            format!(
                "server \"{server}\" can't be started: {}. Somebody has to change that first, {}",
                words::block_reason(reason),
                words::THEN_RESTART
            ),
            None,
        ),
        Refusal::FlapLocked { retry_at } => (
            "flap_locked",
            format!(
                "server \"{server}\" keeps dying and is locked for a while{}",
                because(last_error)
            ),
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
