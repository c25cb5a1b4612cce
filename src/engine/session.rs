//! One life of one server, as a conversation: what we asked, what it says, what it asks.
//!
//! It turns lines into what they mean, and effects into lines. Invariant: a session belongs to one
//! generation; beginning another forgets everything but the lists, the complaints, and what the client
//! wants of every process: how loud it is to be, and which resources to watch.

mod hearing;
mod streams;
mod tokens;
mod watching;

pub(super) use hearing::Heard;

use super::call::{Call, Watch};
use super::complaints::Complaints;
use super::front::{Cancelled, GoesOn};
use super::lister::{Lister, Lists};
use super::questions::Questions;
use crate::protocol::downstream_id::DownstreamId;
use crate::protocol::introduction::{Introduction, Lack};
use crate::protocol::level::Level;
use crate::protocol::listing::ListKind;
use crate::protocol::server_side::{self, ServerOffer};
use crate::protocol::{bridge, method};
use crate::wire::envelope::{self, Message, Request};
use crate::wire::jsonrpc::{self, ErrorCode};
use crate::wire::line::LineSplitter;
use crate::wire::request_id::RequestId;
use rea_fsm::{Asks, CallId, Generation, Millis, ReplyKind, Unasked, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use streams::{Stream, Streams};
use tokens::Tokens;

/// What the gateway asked of a server, beside calls.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Initialize,
    Discover,
    List(ListKind),
    Ping,
    SetLevel,
    Subscribe(String),
}

/// How the process is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speech {
    /// Not known yet.
    Unknown,
    /// It has a session.
    Legacy,
    /// Each request speaks for itself.
    Modern,
}

/// What the client wants of every process of a server.
#[derive(Debug, Default)]
struct Wishes {
    level: Option<Level>,
    subscriptions: BTreeSet<String>,
}

/// The conversation with the current process.
pub(super) struct Session {
    server: String,
    pub(super) generation: Option<Generation>,
    pub(super) splitter: LineSplitter,
    client: Rc<Introduction>,
    speech: Speech,
    offer: ServerOffer,
    asked: BTreeMap<u64, Asked>,
    next_own: u64,
    /// What the process tells of; in the era without a handshake.
    streams: Streams,
    /// How loud the process was told to be; none if it may be as loud as it likes.
    told_level: Option<Level>,
    lister: Lister,
    pub(super) complaints: Complaints,
    pub(super) questions: Questions,
    wishes: Wishes,
    tokens: Tokens,
    /// Who sent the calls under way in whose answers questions can be put.
    senders: BTreeMap<CallId, Rc<Introduction>>,
}

impl Session {
    pub(super) fn new(server: &str, line_bytes_max: usize) -> Self {
        Self {
            server: server.to_owned(),
            generation: None,
            splitter: LineSplitter::new(line_bytes_max),
            client: Rc::default(),
            speech: Speech::Unknown,
            offer: ServerOffer::default(),
            asked: BTreeMap::new(),
            next_own: 0,
            streams: Streams::default(),
            told_level: None,
            lister: Lister::new(server),
            complaints: Complaints::default(),
            questions: Questions::default(),
            wishes: Wishes::default(),
            tokens: Tokens::default(),
            senders: BTreeMap::new(),
        }
    }

    pub(super) fn begin(&mut self, generation: Generation) {
        self.generation = Some(generation);
        self.splitter = LineSplitter::new(self.splitter.max_line_bytes());
        self.speech = Speech::Unknown;
        self.asked.clear();
        self.next_own = 0;
        self.streams.forget();
        self.told_level = None;
        self.questions.forget();
        self.tokens = Tokens::default();
        self.senders.clear();
    }

    /// Takes note of who the client is. A process that runs already has been told otherwise.
    pub(super) fn introduce(&mut self, client: &Rc<Introduction>) {
        self.client = Rc::clone(client);
    }

    pub(super) const fn lists(&self) -> &Lists {
        self.lister.lists()
    }

    pub(super) const fn offer(&self) -> &ServerOffer {
        &self.offer
    }

    pub(super) const fn speech(&self) -> Speech {
        self.speech
    }

    fn ask(&mut self, what: Asked) -> DownstreamId {
        // A newer question of the same kind replaces an unanswered one: a late answer to the old
        // one is proof of life and nothing else.
        self.asked.retain(|_, asked| *asked != what);
        let own = self.new_own();
        self.asked.insert(own, what);
        DownstreamId::Own(own)
    }

    const fn new_own(&mut self) -> u64 {
        let own = self.next_own;
        self.next_own += 1;
        own
    }

    /// A request of our own, with what every request to this process has to have.
    fn request(&mut self, what: Asked, method: &str, member: &str) -> Vec<u8> {
        let id = self.ask(what);
        self.request_as(id, method, member)
    }

    fn request_as(&self, id: DownstreamId, method: &str, member: &str) -> Vec<u8> {
        let meta = match self.speech {
            Speech::Modern => server_side::meta(&self.meta_members()),
            Speech::Unknown | Speech::Legacy => String::new(),
        };
        line(|out| server_side::request(out, id, method, &[member, &meta]))
    }

    fn meta_members(&self) -> String {
        self.client.meta_members(self.wishes.level.map(Level::name))
    }

    pub(super) fn probe(&mut self) -> Vec<u8> {
        let id = self.ask(Asked::Discover);
        let meta = server_side::meta(&self.client.meta_members(None));
        line(|out| server_side::request(out, id, method::DISCOVER, &[&meta]))
    }

    pub(super) fn initialize(&mut self) -> Vec<u8> {
        let id = self.ask(Asked::Initialize);
        let client = Rc::clone(&self.client);
        line(|out| server_side::initialize(out, id, &self.server, &client))
    }

    /// The end of the handshake, and what the client wants of every process.
    pub(super) fn initialized(&mut self) -> Vec<Vec<u8>> {
        let mut lines = vec![line(server_side::initialized)];
        if let Some(level) = self.wishes.level {
            lines.extend(self.say_level(level));
        }
        for uri in self.wishes.subscriptions.clone() {
            lines.extend(self.subscribe_again(&uri));
        }
        lines
    }

    /// Asks whether the process lives, in the way of its era.
    pub(super) fn ping(&mut self) -> Vec<u8> {
        let method = match self.speech {
            Speech::Unknown | Speech::Legacy => method::PING,
            Speech::Modern => method::DISCOVER,
        };
        self.request(Asked::Ping, method, "")
    }

    /// Asks for every list that may have changed. A process without sessions is asked to tell of
    /// changes before, so that none falls between.
    pub(super) fn list(&mut self, now: Millis) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        if self.speech == Speech::Modern {
            let watched = self.wishes.subscriptions.iter().cloned();
            let mut wanted = vec![Stream::Lists];
            wanted.extend(watched.map(Stream::Resource));
            for stream in wanted {
                lines.extend(self.listen(stream, now));
            }
        }
        for kind in self.lister.begin() {
            lines.push(self.request(Asked::List(kind), kind.method(), ""));
        }
        lines
    }

    /// How loud this process and every later one is to be.
    pub(super) fn set_level(&mut self, level: Level) -> Option<Vec<u8>> {
        self.wishes.level = Some(level);
        self.say_level(level)
    }

    /// Makes the process loud enough for a call that says for itself how loud. It stays so: what
    /// is louder than a call wants, its client does not hear. Where there is a session, that says
    /// how loud every process is.
    pub(super) fn be_loud_for(&mut self, call: &Call) -> Option<Vec<u8>> {
        let level = call.level?;
        let is_loud = self.told_level.is_some_and(|told| told <= level);
        if is_loud || self.client.asks == Asks::Directly {
            return None;
        }
        self.say_level(level)
    }

    fn say_level(&mut self, level: Level) -> Option<Vec<u8>> {
        // Where each request speaks for itself, each one says the level.
        if self.speech != Speech::Legacy || !self.offer.capabilities.logs() {
            return None;
        }
        self.told_level = Some(level);
        let member = format!(r#""level":"{}""#, level.name());
        Some(self.request(Asked::SetLevel, method::SET_LEVEL, &member))
    }

    /// A request of a client that can be asked in this way, as this process has to be asked.
    /// `None`: as it is.
    pub(super) fn as_spoken(&self, request: &[u8], asks: Asks) -> Option<Vec<u8>> {
        let parsed = || match envelope::parse(request) {
            Ok(Message::Request(parsed)) => Some(parsed),
            Ok(Message::Notification(_) | Message::Response(_)) | Err(_) => None,
        };
        let mut out = Vec::new();
        match (self.speech, asks) {
            (Speech::Modern, Asks::Directly) => {
                bridge::with_meta(&mut out, request, &parsed()?, &self.meta_members()).ok()?;
            }
            (Speech::Legacy, Asks::InAnswers) => {
                bridge::without_meta(&mut out, request, &parsed()?).ok()?;
            }
            (Speech::Modern, Asks::InAnswers) | (Speech::Legacy, Asks::Directly) => return None,
            (Speech::Unknown, _) => return None,
        }
        Some(out)
    }

    pub(super) fn sent(&mut self, call: &Call) {
        if let Some(token) = &call.progress_token {
            self.tokens.begin(token, call.id);
        }
        if let Some(sender) = call.carrier() {
            self.senders.insert(call.id, Rc::clone(sender));
        }
    }

    pub(super) fn settled(&mut self, call: &Call, verdict: &Verdict, goes_on: GoesOn) {
        match (&call.watch, verdict) {
            // What this process has agreed to, every later one is asked again.
            (Watch::Begin(uri), Verdict::Replied(ReplyKind::Ok { .. })) => {
                self.wishes.subscriptions.insert(uri.clone());
            }
            (Watch::End(uri), _) => {
                self.wishes.subscriptions.remove(uri);
            }
            (Watch::Begin(_) | Watch::Neither, _) => {}
        }
        if let Some(token) = &call.progress_token {
            match goes_on {
                GoesOn::Nothing => self.tokens.end(token, call.id),
                GoesOn::Task => self.tokens.keep(token, call.id),
            }
        }
        self.senders.remove(&call.id);
    }

    /// The capability that a question needs, if who would be asked has not declared it. Which of
    /// the calls under way a question is about, nobody says: each of their senders has to have it,
    /// but for those that have been asked already and may never come back.
    fn lacks(&self, question: &Request<'_>, questions: &rea_fsm::Questions) -> Option<Lack> {
        let params = question.params.map(|params| params.raw());
        if self.client.asks == Asks::Directly || self.senders.is_empty() {
            return self.client.lacks(&question.method, params);
        }
        let lacks = |(_, sender): (_, &Rc<Introduction>)| sender.lacks(&question.method, params);
        let is_free = |(call, _): &(&CallId, _)| questions.held_call(**call).is_none();
        let mut free = self.senders.iter().filter(is_free).peekable();
        if free.peek().is_some() {
            free.find_map(lacks)
        } else {
            self.senders.iter().find_map(lacks)
        }
    }
}

/// The line that gives a call up: in the client's words, if it is the client that does.
pub(super) fn cancel(call: CallId, words: Option<Cancelled<'_>>) -> Vec<u8> {
    let id = DownstreamId::Call(call);
    let said = words.and_then(|words| words.renamed(id.request_id().as_str()));
    said.unwrap_or_else(|| line(|out| server_side::cancelled(out, id)))
}

/// The line that tells a server that its question finds no answer.
pub(super) fn unanswered(id: &RequestId, why: Unasked) -> Vec<u8> {
    let (code, text) = match why {
        Unasked::TooMany => (
            ErrorCode::Unavailable,
            "too many requests of this server wait for the client",
        ),
        Unasked::Nobody => (
            ErrorCode::MethodNotFound,
            "the client can be asked only while a call of it is under way",
        ),
        Unasked::Unanswered => (ErrorCode::Unanswered, "the client did not answer in time"),
    };
    line(|out| jsonrpc::error(out, id, code, text, jsonrpc::NONE))
}

fn line(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}
