//! Whose task is whose: a task's id is its server's own, and says nothing else.

use crate::engine::ServerId;
use crate::protocol::task;
use crate::wire::envelope::{self, Message, Outcome as Said};
use crate::wire::raw::Raw;
use std::collections::{BTreeMap, VecDeque};

/// So many tasks are remembered; of more the oldest are forgotten.
const TASKS_MAX: usize = 10_000;

/// What a client gets for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its answer.
    Answer,
    /// A task that it has to ask after.
    Task,
}

/// The tasks that servers have made for the client.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    owners: BTreeMap<String, ServerId>,
    order: VecDeque<String>,
}

impl Tasks {
    /// Takes note of a server's answer to a call that may have become a task.
    pub(super) fn made(&mut self, server: ServerId, line: &[u8]) {
        let Ok(Message::Response(response)) = envelope::parse(line) else {
            return;
        };
        let Said::Result { raw, .. } = response.outcome else {
            return;
        };
        let Some(id) = task::created(raw).and_then(Raw::as_str) else {
            return;
        };
        if self.owners.insert(id.to_string(), server).is_none() {
            self.order.push_back(id.into_owned());
        }
        if self.order.len() > TASKS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.owners.remove(&oldest);
        }
    }

    /// The server that has made a task.
    pub(super) fn owner(&self, id: &str) -> Option<ServerId> {
        self.owners.get(id).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_its_makers() {
        let mut tasks = Tasks::default();
        let line = br#"{"jsonrpc":"2.0","id":1,"result":{"task":{"taskId":"t\u0031","status":"working"}}}"#;
        tasks.made(ServerId(3), line);
        assert_eq!(tasks.owner("t1"), Some(ServerId(3)));
        assert_eq!(tasks.owner("t2"), None);
        tasks.made(
            ServerId(4),
            br#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#,
        );
        assert_eq!(tasks.owners.len(), 1);
    }

    #[test]
    fn only_so_many_are_remembered() {
        let mut tasks = Tasks::default();
        for number in 0..=TASKS_MAX {
            let line = format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{{"task":{{"taskId":"{number}"}}}}}}"#
            );
            tasks.made(ServerId(0), line.as_bytes());
        }
        assert_eq!(tasks.owner("0"), None);
        assert_eq!(tasks.owner("1"), Some(ServerId(0)));
        assert_eq!(tasks.owners.len(), TASKS_MAX);
    }
}
