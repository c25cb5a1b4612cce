//! The core's enums in words. The one place where their text is made.

use rea_fsm::{BlockReason, ExitStatus, HandshakeFailure, IoErrorKind, LastError, SpawnFailure};

/// How a process ended: `exit code 1`, `signal 9 (KILL)`.
pub fn exit_status(status: ExitStatus) -> String {
    match status {
        ExitStatus::Code(code) => format!("exit code {code}"),
        ExitStatus::Signal(signal) => match signal_name(signal) {
            Some(name) => format!("signal {signal} ({name})"),
            None => format!("signal {signal}"),
        },
    }
}

/// The names of the signals that end servers in practice; the numbers are the same on every
/// supported system.
const fn signal_name(signal: i32) -> Option<&'static str> {
    match signal {
        1 => Some("HUP"),
        2 => Some("INT"),
        3 => Some("QUIT"),
        4 => Some("ILL"),
        6 => Some("ABRT"),
        8 => Some("FPE"),
        9 => Some("KILL"),
        11 => Some("SEGV"),
        13 => Some("PIPE"),
        15 => Some("TERM"),
        _ => None,
    }
}

/// What has to follow when the cause of a block is gone: a gateway reads its registry and its
/// environment once.
pub const THEN_RESTART: &str = "then restart the gateway, or the client that runs it";

/// Why a server is not tried.
pub fn block_reason(reason: &BlockReason) -> String {
    match reason {
        BlockReason::MissingEnv { names } => {
            format!(
                "missing env: {}; set it where the gateway is started",
                names.join(", ")
            )
        }
        BlockReason::BadTemplate { detail }
        | BlockReason::CommandNotFound { detail }
        | BlockReason::NotExecutable { detail }
        | BlockReason::BadWorkingDirectory { detail } => detail.clone(),
        BlockReason::Untrusted => "its entry has changed and is not approved".to_owned(),
        BlockReason::ProtocolUnsupported => {
            "it speaks no revision of the protocol that this gateway speaks".to_owned()
        }
    }
}

/// What went wrong last.
pub fn last_error(error: &LastError) -> String {
    match error {
        LastError::ChildDied { status } => {
            format!(
                "child process exited unexpectedly: {}",
                exit_status(*status)
            )
        }
        LastError::SpawnFailed {
            failure: SpawnFailure::Blocked(reason),
        } => block_reason(reason),
        LastError::SpawnFailed {
            failure: SpawnFailure::System { errno: 2 },
        } => "could not be started: a program that its first line (`#!`) names, or a library, is not \
              there"
            .to_owned(),
        LastError::SpawnFailed {
            failure: SpawnFailure::System { errno },
        } => {
            format!(
                "could not be started: {}",
                std::io::Error::from_raw_os_error(*errno)
            )
        }
        LastError::Handshake { failure } => match failure {
            HandshakeFailure::Unsupported => block_reason(&BlockReason::ProtocolUnsupported),
            HandshakeFailure::Rpc { code } => format!("handshake refused with error {code}"),
            HandshakeFailure::Malformed => "handshake answered with something else".to_owned(),
        },
        LastError::HandshakeTimedOut => {
            "the handshake, or the first list, took too long".to_owned()
        }
        LastError::Unresponsive => "no answer to a liveness probe".to_owned(),
        LastError::OutputClosed => "its standard output ended".to_owned(),
        LastError::InputBroken => "its standard input can't be written".to_owned(),
        LastError::Io {
            kind: IoErrorKind::OversizedLine,
        } => "it wrote a line over the size limit".to_owned(),
        LastError::Io {
            kind: IoErrorKind::InvalidText,
        } => "it wrote a line that is not UTF-8 text".to_owned(),
        LastError::CallTimedOut => "a call took longer than its hard cap".to_owned(),
        LastError::Unkillable => "KILL did not end it".to_owned(),
    }
}
