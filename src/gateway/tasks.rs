//! Whose task is whose, under which ids the client knows them, and what it hears of them.
//!
//! A task's id is its server's own. As long as one server alone has tasks, ids pass as they are;
//! where several have, an id says whose it is, in the way of a resource's URI. What the client was
//! once given bare stays bare, so that no task changes its id.
//!
//! A call that has become a task keeps its progress token, until the client has been told that the
//! task is over.

use super::client::{Client, Pending};
use super::routes::Astray;
use crate::engine::{Ended, GoesOn, ServerId};
use crate::protocol::{resource_uri, task};
use crate::wire::envelope::{self, Message, Outcome as Said, Response};
use crate::wire::jsonrpc::{ErrorCode, quoted};
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use crate::wire::splice::{Edit, splice};
use rea_fsm::{Asks, CallId};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

/// So many bare ids are remembered, if they are no longer than this; of more the oldest are
/// forgotten.
const IDS_MAX: usize = 10_000;
const ID_BYTES_MAX: usize = 4_096;

/// So many tasks tell of their progress; of more the oldest no longer do.
const PROGRESS_MAX: usize = 1_000;

/// What a client gets for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its answer.
    Answer,
    /// A task that it has to ask after.
    Task,
    /// How it stands with a task that its server calls so.
    State(String),
    /// That it is over.
    Cancelled(String),
    /// What came of it.
    Result(String),
    /// One page of tasks; of one server after the other, where several have them.
    Page,
}

/// A value of a line, and what comes in its place.
pub(super) type Renamed = (Range<usize>, String);

/// What an answer says of tasks.
pub(super) struct Heard {
    pub(super) renamed: Vec<Renamed>,
    /// A member that the result has to have, and where its members begin.
    pub(super) first: Option<(usize, String)>,
    pub(super) goes_on: GoesOn,
}

/// Who wants to hear of a task's progress.
#[derive(Debug)]
struct Progress {
    server: ServerId,
    own: String,
    token: RequestId,
}

/// The tasks that servers have made for the client.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    bare: BTreeMap<String, ServerId>,
    order: VecDeque<String>,
    progress: BTreeMap<CallId, Progress>,
}

impl Tasks {
    /// The client knows a server's task by its own id.
    fn give_bare(&mut self, server: ServerId, own: &str) {
        if own.len() > ID_BYTES_MAX {
            return;
        }
        if self.bare.insert(own.to_owned(), server).is_none() {
            self.order.push_back(own.to_owned());
        }
        if self.order.len() > IDS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.bare.remove(&oldest);
        }
    }

    fn tell_progress(&mut self, call: CallId, progress: Progress) {
        self.progress.insert(call, progress);
        if self.progress.len() > PROGRESS_MAX {
            self.progress.pop_first();
        }
    }

    /// The token under which the client hears of the task that a call has become.
    pub(super) fn token_of(&self, call: CallId) -> Option<&RequestId> {
        Some(&self.progress.get(&call)?.token)
    }

    /// The client knows that a task is over.
    pub(super) fn ended(&mut self, server: ServerId, own: &str) {
        self.progress
            .retain(|_, progress| progress.server != server || progress.own != own);
    }
}

impl Client {
    /// Whose task an id is, and what its server calls it.
    pub(super) fn task_at(&self, shown: &str) -> Result<(ServerId, String), Astray> {
        if let Some((name, own)) = resource_uri::split(shown)
            && let Some(server) = self.catalogue.named(name)
        {
            return Ok((server, own.to_owned()));
        }
        let only = match self.catalogue.with_tasks() {
            [] => {
                return Err(Astray {
                    code: ErrorCode::MethodNotFound,
                    text: "no server here has tasks".to_owned(),
                });
            }
            [server] => Some(*server),
            [..] => None,
        };
        let made = self.tasks.bare.get(shown).copied();
        let server = made.or(only).ok_or_else(|| {
            Astray::params(format!(
                "several servers here have tasks, and {shown:?} does not say whose it is"
            ))
        })?;
        Ok((server, shown.to_owned()))
    }

    /// The id under which clients know a server's task, if it is not its own.
    fn shown_task(&self, server: ServerId, own: &str) -> Option<String> {
        let given = self.tasks.bare.get(own);
        if given == Some(&server) {
            return None;
        }
        let says_whose =
            given.is_some() || self.several_have_tasks() || resource_uri::needs_prefix(own);
        says_whose.then(|| resource_uri::qualify(self.catalogue.name_of(server), own))
    }

    fn several_have_tasks(&self) -> bool {
        self.catalogue.with_tasks().len() > 1
    }

    fn renamed(&self, server: ServerId, id: Raw<'_>) -> Option<Renamed> {
        let shown = self.shown_task(server, &id.as_str()?)?;
        Some((id.span(), quoted(&shown)))
    }

    /// Takes note of an id that the client gets, and says what it gets instead of it.
    fn give(&mut self, server: ServerId, id: Raw<'_>) -> Option<Renamed> {
        let own = id.as_str()?;
        if self.shown_task(server, &own).is_none() {
            self.tasks.give_bare(server, &own);
        }
        self.renamed(server, id)
    }

    /// What a server's answer to a call says of tasks.
    pub(super) fn hear_of_tasks(
        &mut self,
        ended: &Ended<'_>,
        pending: &Pending,
        line: &[u8],
        untyped_at: Option<usize>,
    ) -> Heard {
        let mut heard = Heard {
            renamed: Vec::new(),
            first: None,
            goes_on: GoesOn::Nothing,
        };
        let server = ended.server_id;
        // Servers without sessions make a task of any call, and say so in its result.
        let may_say_so = untyped_at.is_none() && pending.asks == Asks::InAnswers;
        let is_mute = pending.outcome == Outcome::Answer
            && !(may_say_so && self.catalogue.with_tasks().contains(&server))
            && !(self.several_have_tasks() && task::may_mention(line));
        if is_mute {
            return heard;
        }
        let Ok(Message::Response(response)) = envelope::parse(line) else {
            return heard;
        };
        let Said::Result { raw, .. } = response.outcome else {
            if let Outcome::Result(own) = &pending.outcome {
                self.tasks.ended(server, own);
            }
            return heard;
        };
        let ids: Vec<Raw<'_>> = match &pending.outcome {
            Outcome::Answer => self.made(ended, pending, task::said(raw), &mut heard),
            Outcome::Task => self.made(ended, pending, task::created(raw), &mut heard),
            Outcome::State(own) => {
                if task::is_over(raw) {
                    self.tasks.ended(server, own);
                }
                task::id(raw).into_iter().collect()
            }
            Outcome::Cancelled(own) => {
                self.tasks.ended(server, own);
                task::id(raw).into_iter().collect()
            }
            // What stands there is what the call came to, and no word of the task.
            Outcome::Result(own) => {
                self.tasks.ended(server, own);
                Vec::new()
            }
            Outcome::Page => {
                self.turn_page(server, raw, &mut heard);
                let tasks = raw.member("tasks").into_iter().flat_map(Raw::elements);
                tasks.filter_map(task::id).collect()
            }
        };
        for id in ids {
            heard.renamed.extend(self.give(server, id));
        }
        let related = task::related(raw).and_then(|id| self.renamed(server, id));
        heard.renamed.extend(related);
        heard
    }

    /// A call has become a task, if there is an id of one.
    fn made<'a>(
        &mut self,
        ended: &Ended<'_>,
        pending: &Pending,
        id: Option<Raw<'a>>,
        heard: &mut Heard,
    ) -> Vec<Raw<'a>> {
        if let Some(own) = id.and_then(Raw::as_str)
            && let Some(token) = pending.client_token.clone()
        {
            let progress = Progress {
                server: ended.server_id,
                own: own.into_owned(),
                token,
            };
            self.tasks.tell_progress(ended.call, progress);
            heard.goes_on = GoesOn::Task;
        }
        id.into_iter().collect()
    }

    /// Where several servers have tasks, the next one's follow when one has no more.
    fn turn_page(&self, server: ServerId, page: Raw<'_>, heard: &mut Heard) {
        if !self.several_have_tasks() || !page.is_object() {
            return;
        }
        let name = self.catalogue.name_of(server);
        if let Some(cursor) = page
            .member("nextCursor")
            .filter(|cursor| cursor.is_string())
        {
            if let Some(own) = cursor.as_str() {
                let shown = quoted(&task::cursor(name, Some(&own)));
                heard.renamed.push((cursor.span(), shown));
            }
        } else if let Some(next) = self.catalogue.listing_tasks().find(|next| *next > server) {
            let shown = quoted(&task::cursor(self.catalogue.name_of(next), None));
            let at = page.span().start + 1;
            heard.first = Some((at, format!(r#""nextCursor":{shown}"#)));
        }
    }

    /// A server tells of its own accord how it stands with a task.
    pub(super) fn task_told(&mut self, server: ServerId, told: Raw<'_>) -> Vec<Renamed> {
        let id = task::id(told);
        if let Some(own) = id.and_then(Raw::as_str)
            && task::is_over(told)
        {
            self.tasks.ended(server, &own);
        }
        let ids = id.into_iter().chain(task::related(told));
        ids.filter_map(|id| self.renamed(server, id)).collect()
    }

    /// What a line of a server's says otherwise to the client, as far as it mentions a task.
    pub(super) fn related(&self, server: ServerId, line: &[u8]) -> Vec<Renamed> {
        if !self.several_have_tasks() || !task::may_mention(line) {
            return Vec::new();
        }
        let params = match envelope::parse(line) {
            Ok(Message::Notification(notification)) => notification.params,
            Ok(Message::Request(request)) => request.params,
            Ok(Message::Response(_)) | Err(_) => None,
        };
        let id = params.and_then(|params| task::related(params.raw()));
        let renamed = id.and_then(|id| self.renamed(server, id));
        renamed.into_iter().collect()
    }

    /// The id of its own by which a server knows the task that an answer of the client's is about,
    /// if the client knows it by another.
    fn related_back(&self, server: ServerId, answer: Raw<'_>) -> Option<Renamed> {
        let id = task::related(answer)?;
        let shown = id.as_str()?;
        let (name, own) = resource_uri::split(&shown)?;
        (self.catalogue.named(name) == Some(server)).then(|| (id.span(), quoted(own)))
    }

    /// The client's answer to a question, as its server gets it.
    pub(super) fn told_back<'a>(&self, server: ServerId, answer: Raw<'a>) -> Cow<'a, str> {
        let answer = answer.rebased();
        match self.related_back(server, answer) {
            Some((at, own)) => {
                let mut text = answer.text().to_owned();
                text.replace_range(at, &own);
                Cow::Owned(text)
            }
            None => Cow::Borrowed(answer.text()),
        }
    }

    /// The same of an answer on a line of its own, and where its id stands there. `None`: as it is.
    pub(super) fn line_told_back(
        &self,
        server: ServerId,
        line: &[u8],
        response: &Response<'_>,
    ) -> Option<(Vec<u8>, (usize, usize))> {
        let (Said::Result { raw, .. } | Said::Error { raw, .. }) = response.outcome;
        let renamed = [self.related_back(server, raw)?];
        let mut told = Vec::new();
        splice(line, &mut edits(&renamed), &mut told).ok()?;
        let Ok(Message::Response(response)) = envelope::parse(&told) else {
            return None;
        };
        let id_at = response.id?.raw().span();
        Some((told, (id_at.start, id_at.end)))
    }
}

/// As changes to the line that they were found in.
pub(super) fn edits(renamed: &[Renamed]) -> Vec<Edit<'_>> {
    renamed
        .iter()
        .map(|(span, with)| Edit {
            span: span.clone(),
            with: with.as_bytes(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_bare_ids_are_remembered_and_no_long_ones() {
        let mut tasks = Tasks::default();
        for number in 0..=IDS_MAX {
            tasks.give_bare(ServerId(0), &number.to_string());
        }
        assert_eq!(tasks.bare.get("0"), None);
        assert_eq!(tasks.bare.get("1"), Some(&ServerId(0)));
        tasks.give_bare(ServerId(0), &"x".repeat(ID_BYTES_MAX + 1));
        assert_eq!(tasks.bare.len(), IDS_MAX);
        assert_eq!(tasks.order.len(), IDS_MAX);
    }

    #[test]
    fn only_so_many_tasks_tell_of_their_progress_and_none_that_is_over() {
        let mut tasks = Tasks::default();
        let token = RequestId::from(7);
        for number in 0..=PROGRESS_MAX {
            let progress = Progress {
                server: ServerId(0),
                own: number.to_string(),
                token: token.clone(),
            };
            tasks.tell_progress(CallId(number as u64), progress);
        }
        assert_eq!(tasks.token_of(CallId(0)), None);
        assert_eq!(tasks.token_of(CallId(1)), Some(&token));
        tasks.ended(ServerId(1), "1");
        assert_eq!(tasks.token_of(CallId(1)), Some(&token));
        tasks.ended(ServerId(0), "1");
        assert_eq!(tasks.token_of(CallId(1)), None);
    }
}
