//! Which calls progress tokens stand for: tokens are the client's own affair, and two calls may have
//! the same.
//!
//! A call that becomes a task keeps its token, as long as its process lives and until too many have
//! come after it: when a task is over, only its client may ever hear.

use crate::wire::request_id::RequestId;
use rea_fsm::CallId;
use std::collections::{BTreeSet, VecDeque};

/// So many tasks of one process keep their tokens, if these are no longer than this.
const TASKS_MAX: usize = 1_000;
const TASK_TOKEN_BYTES_MAX: usize = 1_024;

/// The tokens of calls under way, and of tasks.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    calls: BTreeSet<(RequestId, CallId)>,
    /// Those of them that are tasks, the oldest first.
    tasks: VecDeque<(RequestId, CallId)>,
}

impl Tokens {
    /// A call was sent.
    pub(super) fn begin(&mut self, token: &RequestId, call: CallId) {
        self.calls.insert((token.clone(), call));
    }

    /// It is over.
    pub(super) fn end(&mut self, token: &RequestId, call: CallId) {
        self.calls.remove(&(token.clone(), call));
    }

    /// It goes on as a task.
    pub(super) fn keep(&mut self, token: &RequestId, call: CallId) {
        if token.as_str().len() > TASK_TOKEN_BYTES_MAX {
            return self.end(token, call);
        }
        self.tasks.push_back((token.clone(), call));
        if self.tasks.len() > TASKS_MAX
            && let Some(oldest) = self.tasks.pop_front()
        {
            self.calls.remove(&oldest);
        }
    }

    /// The latest call with this token, or the task that it has become.
    pub(super) fn latest(&self, token: RequestId) -> Option<CallId> {
        let first = (token.clone(), CallId(0));
        let last = (token, CallId(u64::MAX));
        let (_, call) = self.calls.range(first..=last).next_back()?;
        Some(*call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: usize) -> RequestId {
        RequestId::from_json(&number.to_string()).expect("a token")
    }

    #[test]
    fn a_token_stands_for_the_latest_call_and_then_for_the_task() {
        let mut tokens = Tokens::default();
        tokens.begin(&token(7), CallId(1));
        tokens.keep(&token(7), CallId(1));
        tokens.begin(&token(7), CallId(2));
        assert_eq!(tokens.latest(token(7)), Some(CallId(2)));
        tokens.end(&token(7), CallId(2));
        assert_eq!(tokens.latest(token(7)), Some(CallId(1)));
        assert_eq!(tokens.latest(token(8)), None);
    }

    #[test]
    fn only_so_many_tasks_keep_their_tokens_and_no_long_ones() {
        let mut tokens = Tokens::default();
        for number in 0..=TASKS_MAX {
            let call = CallId(number as u64);
            tokens.begin(&token(number), call);
            tokens.keep(&token(number), call);
        }
        assert_eq!(tokens.latest(token(0)), None);
        assert_eq!(tokens.latest(token(1)), Some(CallId(1)));
        assert_eq!(tokens.calls.len(), TASKS_MAX);
        let text = format!("\"{}\"", "x".repeat(TASK_TOKEN_BYTES_MAX));
        let long = RequestId::from_json(&text).expect("a token");
        tokens.begin(&long, CallId(9));
        tokens.keep(&long, CallId(9));
        assert_eq!(tokens.latest(long), None);
    }
}
