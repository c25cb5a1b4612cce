//! The client's side, as the engine sees it, and what passes between the two.

use super::call::Call;
use super::lister::Lists;
use super::questions::Question;
use super::{ServerId, World};
use crate::protocol::server_side::ServerOffer;
use crate::wire::envelope::Notification;
use crate::wire::raw::Raw;
use crate::wire::splice::{Edit, splice};
use rea_fsm::{
    CallId, Executed, Generation, Leaf, Millis, ProtocolVersion, QuestionId, Verdict, View,
};

/// The client's side, as the engine sees it.
pub trait Front {
    /// A call has ended; `reply` is the server's line if it has answered. What of it goes on.
    fn completed(&mut self, ended: &Ended<'_>, world: &mut impl World) -> GoesOn;

    /// A server's lists, or what it says of itself, are not what they were. What is to be kept for
    /// the next session, the front gives to the world: it knows lists that this one never had.
    fn catalogue_changed(
        &mut self,
        server: ServerId,
        catalogue: Catalogue<'_>,
        world: &mut impl World,
    );

    /// A server's state changed visibly.
    fn state_changed(&mut self, server: ServerId, leaf: Leaf, world: &mut impl World);

    /// A server reports progress of a call, or of the task that it has become; the line is its own,
    /// and holds the token there.
    fn progressed(
        &mut self,
        server: ServerId,
        call: CallId,
        line: &[u8],
        token: Raw<'_>,
        world: &mut impl World,
    );

    /// Whether anybody wants to hear what a server tells.
    fn interest(&self, server: ServerId, notification: &Notification<'_>) -> Interest;

    /// A server tells something that somebody wants to hear.
    fn noticed(
        &mut self,
        server: ServerId,
        line: &[u8],
        notification: &Notification<'_>,
        world: &mut impl World,
    );

    /// The client is asked something.
    fn asked(&mut self, asked: &Asked<'_>, world: &mut impl World);

    /// The client need not answer any more; if the server has said so itself, in these words.
    fn withdrawn(
        &mut self,
        server: ServerId,
        question: QuestionId,
        words: Option<Cancelled<'_>>,
        world: &mut impl World,
    );

    /// A call is given back to the client with questions.
    fn offered(&mut self, offered: &Offered<'_>, world: &mut impl World);
}

/// A notification that a request needs no answer any more, as its sender wrote it.
#[derive(Clone, Copy, Debug)]
pub struct Cancelled<'a> {
    /// All of it.
    pub line: &'a [u8],
    /// From where to where it names the request.
    pub id_at: (usize, usize),
}

impl<'a> Cancelled<'a> {
    /// A line that names the request here.
    pub fn new(line: &'a [u8], id: Raw<'_>) -> Self {
        let span = id.span();
        let id_at = (span.start, span.end);
        Self { line, id_at }
    }

    /// The same under the id that the other side knows the request by. `None`: its line is another.
    pub fn renamed(self, id: &str) -> Option<Vec<u8>> {
        let (start, end) = self.id_at;
        let mut out = Vec::new();
        let edit = Edit {
            span: start..end,
            with: id.as_bytes(),
        };
        splice(self.line, &mut [edit], &mut out).ok()?;
        Some(out)
    }
}

/// What goes on when a call has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoesOn {
    /// Nothing.
    Nothing,
    /// The task that it has become: its progress is told under the call's token.
    Task,
}

/// Whether anybody wants to hear something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// The client does.
    Some,
    /// Nobody does.
    None,
}

/// What is known of a server from its own words.
#[derive(Clone, Copy)]
pub struct Catalogue<'a> {
    /// In which revision it is spoken to.
    pub version: Option<ProtocolVersion>,
    /// What it offers.
    pub offer: &'a ServerOffer,
    /// What it lists, as far as that has arrived.
    pub lists: &'a Lists,
}

/// A server's question to the client.
pub struct Asked<'a> {
    /// Who asks.
    pub server_id: ServerId,
    /// Which of its lives.
    pub generation: Generation,
    /// Names the question.
    pub question_id: QuestionId,
    /// What it says.
    pub question: &'a Question,
}

/// A call that is given back to its client with questions.
pub struct Offered<'a> {
    /// Who asks.
    pub server_id: ServerId,
    /// Which call.
    pub call: CallId,
    /// How often that has happened to it.
    pub round: u32,
    /// When nobody waits for the answers any more.
    pub due: Millis,
    /// What is asked.
    pub questions: Vec<(QuestionId, &'a Question)>,
}

/// How a call ended.
pub struct Ended<'a> {
    /// Which call.
    pub call: CallId,
    /// Whose.
    pub server: &'a str,
    /// The same, as the place in the registry.
    pub server_id: ServerId,
    /// The server's state.
    pub leaf: Leaf,
    /// What people are shown of it.
    pub view: &'a View,
    /// How.
    pub verdict: &'a Verdict,
    /// Whether it ran.
    pub executed: Executed,
    /// The answer, if there is one.
    pub reply: Option<Reply<'a>>,
    /// The request, if it was ever taken in.
    pub request: Option<&'a Call>,
    /// The end of the standard error of the server's last process that is gone.
    pub last_words: &'a str,
}

/// A server's answer, or ours in its place when the answer could not be taken.
#[derive(Clone, Copy)]
pub enum Reply<'a> {
    /// The server's line, and where its id stands.
    Line {
        /// All of it.
        line: &'a [u8],
        /// From where to where its id stands.
        id_at: (usize, usize),
        /// Where a result that does not say of what kind it is would say it.
        untyped_at: Option<usize>,
    },
    /// There is nothing to ask the server for: the gateway has done it.
    Done,
    /// The server's line can't be passed on.
    Unusable(Unusable),
}

/// Why an answer can't be passed on.
#[derive(Clone, Copy, Debug)]
pub enum Unusable {
    /// It was longer than the limit.
    Oversized {
        /// In bytes.
        limit: u64,
    },
    /// Its id is certain, and nothing else: no message of the protocol.
    Malformed,
}
