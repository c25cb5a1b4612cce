//! What the client is told when something has happened at a server.

use super::client::{Client, Pending, say};
use super::errors;
use super::tasks;
use crate::engine::{
    self, Asked, Cancelled, Ended, Front, GoesOn, Interest, Offered, Reply, ServerId, World,
};
use crate::live_state::wall;
use crate::protocol::failure::{self, tool_failure};
use crate::protocol::relay::reply_to_client;
use crate::protocol::{bridge, client_side};
use crate::wire::envelope::Notification;
use crate::wire::jsonrpc;
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use crate::wire::splice::{Edit, splice};
use rea_fsm::{Asks, CallId, Leaf, Millis, QuestionId, ReplyKind, Verdict};

/// How a client is told that a call came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerForm {
    /// With the result of a tool, since that is what reaches the model.
    ToolResult,
    /// With an error.
    Error,
    /// The same; a result of the server's may be cached.
    Cacheable,
}

impl Client {
    fn wall(&self, at: Millis) -> String {
        format!("{:.3}", wall(self.began, at))
    }

    /// Tells the client what became of a call that brought no answer of the server's.
    pub(super) fn explain(
        &self,
        ended: &Ended<'_>,
        client_id: &RequestId,
        pending: &Pending,
        world: &mut impl World,
    ) {
        let Some(said) = errors::explain(ended, |at| self.wall(at)) else {
            return;
        };
        say(world, |out| match pending.form {
            AnswerForm::ToolResult => {
                tool_failure(out, client_id, &said.text, &said.facts, pending.asks);
            }
            AnswerForm::Error | AnswerForm::Cacheable => {
                failure::request_failure(out, client_id, &said.text, &said.facts);
            }
        });
    }
}

impl Front for Client {
    fn completed(&mut self, ended: &Ended<'_>, world: &mut impl World) -> GoesOn {
        let Some(pending) = self.calls.remove(&ended.call) else {
            return GoesOn::Nothing;
        };
        // The client is busy with questions, and will not come back for the answer.
        let Some(client_id) = pending.client_id.clone() else {
            return GoesOn::Nothing;
        };
        self.by_client_id.remove(&(client_id.clone(), ended.call));
        let wants_answers = matches!(ended.verdict, Verdict::Replied(ReplyKind::InputRequired));
        if wants_answers && pending.asks == Asks::Directly {
            self.begin_exchange(ended, client_id, pending, world);
            return GoesOn::Nothing;
        }
        if let Some(Reply::Done) = ended.reply {
            say(world, |out| jsonrpc::empty_result(out, &client_id));
            return GoesOn::Nothing;
        }
        if let Some(Reply::Line {
            line,
            id_at: (start, end),
            untyped_at,
        }) = ended.reply
        {
            let heard = self.hear_of_tasks(ended, &pending, line, untyped_at);
            let typed_at = untyped_at.filter(|_| pending.asks == Asks::InAnswers);
            let first = typed_at
                .map(|at| (at, pending.form.typed()))
                .into_iter()
                .chain(heard.first)
                .reduce(|(at, typed), (_, member)| (at, format!("{typed},{member}")))
                .map(|(at, members)| (at, members_before(line, at, members)));
            let mut edits = tasks::edits(&heard.renamed);
            let first = first.as_ref();
            edits.extend(first.map(|(at, members)| Edit::insert(*at, members.as_bytes())));
            let out = world.client(Some(ended.server_id));
            let written_from = out.len();
            if reply_to_client(out, line, start..end, &client_id, edits).is_ok() {
                self.payloads.redact_result(out, written_from);
                out.push(b'\n');
                return heard.goes_on;
            }
        }
        self.explain(ended, &client_id, &pending, world);
        GoesOn::Nothing
    }

    fn catalogue_changed(
        &mut self,
        server: ServerId,
        catalogue: engine::Catalogue<'_>,
        world: &mut impl World,
    ) {
        let changed = self.catalogue.replace(server, catalogue);
        self.notices.changed(&changed);
        self.waiting.look_again();
        let lists = self.catalogue.lists_of(server);
        world.remember(server, engine::Catalogue { lists, ..catalogue });
    }

    fn state_changed(&mut self, server: ServerId, leaf: Leaf, _: &mut impl World) {
        let changed = self.catalogue.follow(server, leaf, self.now());
        self.notices.changed(&changed);
        self.waiting.look_again();
    }

    fn progressed(
        &mut self,
        server: ServerId,
        call: CallId,
        line: &[u8],
        token: Raw<'_>,
        world: &mut impl World,
    ) {
        let wanted = match self.calls.get(&call) {
            Some(pending) => {
                let waits = pending.client_id.as_ref();
                waits.and(pending.client_token.as_ref())
            }
            None => self.tasks.token_of(call),
        };
        let Some(wanted) = wanted else {
            return;
        };
        let related = self.related(server, line);
        let mut edits = tasks::edits(&related);
        edits.push(Edit::replace(token, wanted.as_str().as_bytes()));
        let out = world.client(Some(server));
        if splice(line, &mut edits, out).is_ok() {
            out.push(b'\n');
        }
    }

    fn interest(&self, server: ServerId, notification: &Notification<'_>) -> Interest {
        self.interest_in(server, notification)
    }

    fn noticed(
        &mut self,
        server: ServerId,
        line: &[u8],
        notification: &Notification<'_>,
        world: &mut impl World,
    ) {
        self.server_tells(server, line, notification, world);
    }

    fn asked(&mut self, asked: &Asked<'_>, world: &mut impl World) {
        self.ask_client(asked, world);
    }

    fn withdrawn(
        &mut self,
        server: ServerId,
        question: QuestionId,
        words: Option<Cancelled<'_>>,
        world: &mut impl World,
    ) {
        let Some(id) = self.questions.withdrawn(server, question) else {
            return;
        };
        match words.and_then(|words| words.renamed(&id.to_string())) {
            Some(said) => say(world, |out| out.extend_from_slice(&said)),
            None => say(world, |out| client_side::cancelled(out, id)),
        }
    }

    fn offered(&mut self, offered: &Offered<'_>, world: &mut impl World) {
        self.give_back(offered, world);
    }
}

impl AnswerForm {
    /// What a result lacks that does not say of what kind it is.
    fn typed(self) -> String {
        match self {
            Self::ToolResult | Self::Error => bridge::COMPLETE.to_owned(),
            Self::Cacheable => format!("{},{}", bridge::COMPLETE, bridge::NOT_CACHED),
        }
    }
}

/// Members to be inserted where those of an object begin, which may have none.
fn members_before(line: &[u8], at: usize, mut members: String) -> String {
    let rest = line.get(at..).unwrap_or_default();
    let first = rest.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'}') {
        members.push(',');
    }
    members
}
