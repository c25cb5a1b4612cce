//! What the registry says about calls: deadlines, and what may be repeated.

use rea_fsm::{CallClass, Millis};
use std::collections::BTreeMap;

/// How the gateway treats the calls of one server.
#[derive(Clone, Debug)]
pub struct CallPolicy {
    /// The deadline of a call whose tool has none of its own.
    pub timeout_ms: Millis,
    /// What is said about single tools.
    pub tools: BTreeMap<String, ToolPolicy>,
    /// Whether the server's own words about its tools count.
    pub annotations: Annotations,
}

/// What the registry says about one tool.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToolPolicy {
    /// Whether it may be repeated.
    pub class: Option<CallClass>,
    /// Its deadline.
    pub timeout_ms: Option<Millis>,
}

/// Whether a server's own words about its tools count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annotations {
    /// They do not: every tool is unsafe to repeat unless the registry says otherwise.
    Ignored,
    /// They do.
    Trusted,
}

impl CallPolicy {
    /// Whether a tool may be repeated, and its deadline. `hinted` is what the server says of it.
    pub(super) fn terms(&self, tool: &str, hinted: CallClass) -> (CallClass, Millis) {
        let said = self.tools.get(tool).copied().unwrap_or_default();
        let unsaid = match self.annotations {
            Annotations::Ignored => CallClass::Unsafe,
            Annotations::Trusted => hinted,
        };
        (
            said.class.unwrap_or(unsaid),
            said.timeout_ms.unwrap_or(self.timeout_ms),
        )
    }
}
