//! What passes between the world and the gateway, kept with its bytes.

use rea::engine::{ServerId, ServerReport};
use rea_fsm::{CallId, ExitStatus, Generation, Signal, SpawnFailure};
use std::fmt;

/// One life of one server.
pub(crate) type Key = (ServerId, Generation);

/// What the gateway did to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Spawn,
    Write(String, Option<CallId>),
    CloseStdin,
    Signal(Signal),
}

/// What waits for the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    Client(Vec<u8>),
    ClientEnded,
    ClientGone,
    Signalled,
    Server(Key, Report),
}

/// A seed's story, for people.
impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(bytes) => write!(f, "client {:?}", String::from_utf8_lossy(bytes)),
            Self::Server((server, generation), Report::Output(bytes)) => {
                let text = String::from_utf8_lossy(bytes);
                write!(f, "{}#{} {text:?}", server.0, generation.0)
            }
            Self::Server((server, generation), report) => {
                write!(f, "{}#{} {report:?}", server.0, generation.0)
            }
            Self::ClientEnded | Self::ClientGone | Self::Signalled => write!(f, "{self:?}"),
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(line, _) => write!(f, "{line}"),
            Self::Spawn | Self::CloseStdin | Self::Signal(_) => write!(f, "{self:?}"),
        }
    }
}

/// [`ServerReport`] with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    Spawned(u32),
    SpawnFailed(SpawnFailure),
    Output(Vec<u8>),
    OutputEnded,
    InputBroken,
    Exited(ExitStatus, Vec<CallId>, String),
}

impl Report {
    pub(crate) fn borrow(&self) -> ServerReport<'_> {
        match self {
            Self::Spawned(pid) => ServerReport::Spawned { pid: *pid },
            Self::SpawnFailed(failure) => ServerReport::SpawnFailed(failure.clone()),
            Self::Output(bytes) => ServerReport::Output(bytes),
            Self::OutputEnded => ServerReport::OutputEnded,
            Self::InputBroken => ServerReport::InputBroken,
            Self::Exited(status, unread, last_words) => ServerReport::Exited {
                status: *status,
                unread: unread.clone(),
                last_words: last_words.clone(),
            },
        }
    }
}
