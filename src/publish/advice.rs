//! A server's state for people: what it is, what happens next by itself, and what they can do.

use super::words;
use rea_fsm::{
    BlockReason, Circuit, ExitStatus, FaultCause, HandshakeFailure, LastError, Leaf, Millis,
    SpawnFailure, View,
};

/// What a view does not say.
pub struct Around<'a> {
    /// A time of the log, as people know times.
    pub wall: &'a dyn Fn(Millis) -> String,
    /// When the state ends by itself at the latest, if only a timer knows.
    pub due: Option<Millis>,
    /// What the server wrote to its standard error.
    pub stderr: Stderr<'a>,
}

/// What a server wrote to its standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stderr<'a> {
    /// It is in this file.
    In(&'a str),
    /// It is in this file, if there is one.
    PerhapsIn(&'a str),
    /// Nothing.
    Nothing,
}

/// The state in words that fit behind "it is".
pub fn state(view: &View) -> String {
    match view.state {
        Leaf::Idle => "not started yet".to_owned(),
        Leaf::Connecting => "being started; calls wait for it".to_owned(),
        Leaf::Ready => {
            let calls = match view.circuit {
                Circuit::Closed { .. } => "; calls are passed on",
                Circuit::Open { .. } => {
                    ", but too many calls in a row failed, and they are refused"
                }
                Circuit::HalfOpen { .. } => {
                    ", but calls have failed, and only a few are let through to try it"
                }
            };
            format!("ready{calls}")
        }
        Leaf::Suspect => "under suspicion: it is asked whether it still lives".to_owned(),
        Leaf::Backoff => "down until the next try; calls wait for it".to_owned(),
        Leaf::Reaping => "being replaced: its process is ended first; calls wait".to_owned(),
        Leaf::Stuck => "stuck: its process does not end, not even by KILL; calls fail".to_owned(),
        Leaf::Blocked => match blocked_by(view) {
            Some(reason) => format!(
                "blocked, calls fail at once: {}",
                words::block_reason(&reason)
            ),
            None => "blocked, calls fail at once".to_owned(),
        },
        Leaf::FlapLocked => "locked, because it failed too often; calls fail at once".to_owned(),
        Leaf::Draining => "being stopped; calls under way may finish".to_owned(),
        Leaf::Terminating => "being stopped".to_owned(),
        Leaf::Closed => "stopped".to_owned(),
    }
}

/// The circuit in words that fit behind "the circuit is".
pub fn circuit(circuit: Circuit, wall: &dyn Fn(Millis) -> String) -> String {
    match circuit {
        Circuit::Closed { faults: 0 } => "closed".to_owned(),
        Circuit::Closed { faults: 1 } => "closed, and the last call failed".to_owned(),
        Circuit::Closed { faults } => format!("closed, and the last {faults} calls failed"),
        Circuit::Open { until, cause } => {
            let cause = match cause {
                FaultCause::Timeout => "calls were not answered in time",
                FaultCause::TransportLost => "its process went away with calls under way",
            };
            format!("open until {}: {cause}", wall(until))
        }
        Circuit::HalfOpen { probes: 0 } => "half open".to_owned(),
        Circuit::HalfOpen { .. } => "half open, and a call is trying it".to_owned(),
    }
}

/// What went wrong last, unless the words for the state have said it.
pub fn last_error(view: &View) -> Option<String> {
    let error = view.last_error.as_ref()?;
    (view.state != Leaf::Blocked).then(|| words::last_error(error))
}

/// What happens by itself, then what a person can do.
pub fn next(view: &View, around: &Around<'_>) -> Vec<String> {
    let mut next = vec![happens(view, around)];
    next.extend(to_do(view, around.stderr));
    next
}

fn happens(view: &View, around: &Around<'_>) -> String {
    let at = |due: Option<Millis>| match due {
        Some(due) => format!(" at {}", (around.wall)(due)),
        None => String::new(),
    };
    let by = |due: Option<Millis>| match due {
        Some(due) => format!(" by {}", (around.wall)(due)),
        None => " in time".to_owned(),
    };
    match view.state {
        Leaf::Idle => "It is started with the client's first message.".to_owned(),
        Leaf::Connecting => {
            format!(
                "If it is not ready{}, its process is ended, and the next one is started as \
                 long as its restarts are not used up.",
                by(around.due)
            )
        }
        Leaf::Ready => match view.circuit {
            Circuit::Closed { .. } => {
                "Nothing is in the way: it is kept running, and started again if it ends."
                    .to_owned()
            }
            Circuit::Open { until, .. } => format!(
                "One call is let through from {} on: its answer closes the circuit, its failure \
                 opens it for longer.",
                (around.wall)(until)
            ),
            Circuit::HalfOpen { .. } => match view.circuit {
                Circuit::HalfOpen { probes: 1.. } => {
                    "A call is under way that tries it: its answer closes the circuit, its \
                         failure opens it for longer."
                }
                Circuit::Closed { .. } | Circuit::Open { .. } | Circuit::HalfOpen { .. } => {
                    "The next call is let through: its answer closes the circuit, its failure \
                         opens it for longer."
                }
            }
            .to_owned(),
        },
        Leaf::Suspect => {
            format!(
                "If it has said nothing{}, its process is replaced.",
                by(around.due)
            )
        }
        Leaf::Backoff => format!("It is started again{}.", at(view.retry_at_ms)),
        Leaf::Reaping => {
            "Its process is ended, by force if it must be; another is started as long as its \
             restarts are not used up."
                .to_owned()
        }
        Leaf::Stuck => format!(
            "KILL is sent again{}; another process is started only when this one is gone.",
            at(around.due)
        ),
        Leaf::Blocked => {
            "Nothing happens by itself: it is tried again when the gateway is started anew."
                .to_owned()
        }
        Leaf::FlapLocked => format!(
            "It is tried once more{}; if that fails, it is locked again.",
            at(view.retry_at_ms)
        ),
        Leaf::Draining | Leaf::Terminating => {
            "Its process is ended, by force if it must be.".to_owned()
        }
        Leaf::Closed => "It is started again with the next gateway.".to_owned(),
    }
}

/// What a person can do about it.
pub fn to_do(view: &View, stderr: Stderr<'_>) -> Vec<String> {
    match view.state {
        Leaf::Idle | Leaf::Draining | Leaf::Terminating | Leaf::Closed => Vec::new(),
        Leaf::Blocked => blocked_by(view)
            .map(|reason| unblock(&reason))
            .into_iter()
            .collect(),
        Leaf::Connecting
        | Leaf::Ready
        | Leaf::Suspect
        | Leaf::Backoff
        | Leaf::Reaping
        | Leaf::Stuck
        | Leaf::FlapLocked => match &view.last_error {
            Some(error) => cure(error, stderr),
            None => Vec::new(),
        },
    }
}

fn blocked_by(view: &View) -> Option<BlockReason> {
    match view.last_error.as_ref()? {
        LastError::SpawnFailed {
            failure: SpawnFailure::Blocked(reason),
        } => Some(reason.clone()),
        LastError::Handshake {
            failure: HandshakeFailure::Unsupported,
        } => Some(BlockReason::ProtocolUnsupported),
        LastError::SpawnFailed {
            failure: SpawnFailure::System { .. },
        }
        | LastError::Handshake {
            failure: HandshakeFailure::Rpc { .. } | HandshakeFailure::Malformed,
        }
        | LastError::ChildDied { .. }
        | LastError::HandshakeTimedOut
        | LastError::Unresponsive
        | LastError::OutputClosed
        | LastError::InputBroken
        | LastError::Io { .. }
        | LastError::CallTimedOut
        | LastError::Unkillable => None,
    }
}

fn unblock(reason: &BlockReason) -> String {
    let what = match reason {
        BlockReason::MissingEnv { names } => {
            format!("Set {} where the gateway is started", names.join(" and "))
        }
        BlockReason::BadTemplate { .. } => {
            "Correct the `${…}` in its entry of the registry".to_owned()
        }
        BlockReason::CommandNotFound { .. } => {
            "Install its command, or write the command's full path into its entry of the registry"
                .to_owned()
        }
        BlockReason::NotExecutable { .. } => {
            "Make the file executable, or name another `command` in its entry of the registry"
                .to_owned()
        }
        BlockReason::BadWorkingDirectory { .. } => {
            "Make the folder, or correct `cwd` in its entry of the registry".to_owned()
        }
        BlockReason::Untrusted => {
            "Look at its entry in the registry, and approve it if the change is yours".to_owned()
        }
        BlockReason::ProtocolUnsupported => {
            "Use a version of the server that speaks a revision of the protocol which this gateway \
             speaks"
                .to_owned()
        }
    };
    format!("{what}; then start the gateway anew (reconnect it in its client).")
}

fn cure(error: &LastError, stderr: Stderr<'_>) -> Vec<String> {
    let read = match stderr {
        Stderr::In(file) => format!("Read what it wrote to its standard error: {file}"),
        Stderr::PerhapsIn(file) => {
            format!("Read what it wrote to its standard error, if it did: {file}")
        }
        Stderr::Nothing => {
            "It has written nothing to its standard error; run its command by hand to see what \
                 it does."
                .to_owned()
        }
    };
    match error {
        LastError::ChildDied { status } => match death(*status) {
            Some(meaning) => vec![meaning.to_owned(), read],
            None => vec![read],
        },
        LastError::SpawnFailed {
            failure: SpawnFailure::System { errno: 2 },
        } => vec![
            "Run its command by hand to see which; install that, or correct the first line of the \
             script."
                .to_owned(),
        ],
        LastError::SpawnFailed { .. } => vec![
            "Look whether the system is short of memory or of processes, and whether the command \
             can be run by hand."
                .to_owned(),
        ],
        LastError::Handshake { .. } => vec![
            "Make sure that its command starts an MCP server that speaks over standard input and \
             output."
                .to_owned(),
            read,
        ],
        LastError::HandshakeTimedOut => vec![
            "If it only needs longer to start, raise `handshake_timeout` in the registry. If it \
             never answers, its command may be no MCP server over standard input and output."
                .to_owned(),
            read,
        ],
        LastError::Unresponsive => vec![
            "It hung. If it was only slow, raise `liveness_timeout` in the registry.".to_owned(),
            read,
        ],
        LastError::OutputClosed | LastError::InputBroken => vec![read],
        LastError::Io { .. } => vec![
            "Make sure that it writes nothing but messages of the protocol to its standard output; \
             if they are long, raise `line_max_bytes` in the registry."
                .to_owned(),
        ],
        LastError::CallTimedOut => vec![
            "If its calls need longer, raise `call_hard_cap` in the registry.".to_owned(),
            read,
        ],
        LastError::Unkillable => vec![
            "Look what its process waits for (a disk or a network folder that hangs, as a rule): \
             it ends when that does."
                .to_owned(),
        ],
    }
}

/// What the way in which a process ended says about the reason, if anything.
const fn death(status: ExitStatus) -> Option<&'static str> {
    match status {
        ExitStatus::Code(0) => Some(
            "It ended as if its work was done: a server has to run until its standard input ends. \
             Its arguments may make it something else.",
        ),
        ExitStatus::Signal(9) => Some(
            "Somebody has killed it, or the system did because memory was short (its own log says \
             so).",
        ),
        ExitStatus::Signal(4 | 6 | 7 | 8 | 11) => {
            Some("It crashed, which is a fault of the server: try another version of it.")
        }
        ExitStatus::Code(_) | ExitStatus::Signal(_) => None,
    }
}

#[cfg(test)]
mod tests;
