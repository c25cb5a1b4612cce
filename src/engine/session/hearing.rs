//! What a server's lines mean.

use super::streams::Afterwards;
use super::{Asked, Session, Speech, line};
use crate::engine::complaints::Fault;
use crate::engine::lister::{Change, Listed, Unreadable};
use crate::protocol::downstream_id::DownstreamId;
use crate::protocol::introduction::Lack;
use crate::protocol::method;
use crate::protocol::server_side::{self, Discovered, ServerOffer};
use crate::wire::envelope::{
    self, Message, Notification, Outcome, ParseError, Request, Response, Seeming,
};
use crate::wire::jsonrpc::{self, ErrorCode};
use crate::wire::oversized::Oversized;
use crate::wire::raw::Raw;
use crate::wire::request_id::RequestId;
use rea_fsm::{
    Asks, CallId, HandshakeFailure, IoErrorKind, Ledger, Millis, QuestionId, ReplyKind, Report,
};
use std::ops::Range;

/// What a line means.
pub(in crate::engine) enum Heard<'a> {
    /// Something for the machine.
    Report(Report),
    /// A call was answered.
    Reply {
        call: CallId,
        kind: ReplyKind,
        id_at: Range<usize>,
        /// Where a result that does not say of what kind it is would say it.
        untyped_at: Option<usize>,
    },
    /// A call was answered with something that can't be passed on.
    Unusable { call: CallId },
    /// A call has made progress.
    Progress { call: CallId, token: Raw<'a> },
    /// Something to write back that the machine need not know about.
    Write(Vec<u8>),
    /// A list goes on: asks for its next page.
    NextPage(Vec<u8>),
    /// Something that the client may want to hear.
    Notice(Notification<'a>),
    /// Something that the client is asked.
    Question(Request<'a>),
    /// Such a question is taken back; it is named there.
    Withdrawal { question: QuestionId, id: Raw<'a> },
    /// A valid message that nobody waits for.
    Other,
    /// No message at all: a banner, a stray print.
    Garbage,
    /// A blank line.
    Nothing,
}

impl Heard<'_> {
    /// Whether it answers a call.
    pub(in crate::engine) const fn is_answer(&self) -> bool {
        match self {
            Self::Reply { .. } | Self::Unusable { .. } => true,
            Self::Report(_)
            | Self::Progress { .. }
            | Self::Write(_)
            | Self::NextPage(_)
            | Self::Notice(_)
            | Self::Question(_)
            | Self::Withdrawal { .. }
            | Self::Other
            | Self::Garbage
            | Self::Nothing => false,
        }
    }

    /// Whether the server has said it of its own accord, as often as it likes, if these are the
    /// calls that it has.
    pub(in crate::engine) fn is_unsolicited(&self, calls: &Ledger) -> bool {
        match self {
            Self::Reply { call, .. } | Self::Unusable { call } => calls.get(*call).is_none(),
            Self::Report(Report::IoErr { .. })
            | Self::Progress { .. }
            | Self::Write(_)
            | Self::Notice(_)
            | Self::Question(_) => true,
            // Once a listing, and once a question.
            Self::Report(_)
            | Self::Withdrawal { .. }
            | Self::NextPage(_)
            | Self::Other
            | Self::Garbage
            | Self::Nothing => false,
        }
    }
}

impl Session {
    /// What a line means. The line is complete and within the limit.
    pub(in crate::engine) fn hear<'a>(
        &mut self,
        line: &'a [u8],
        questions: &rea_fsm::Questions,
        now: Millis,
    ) -> Heard<'a> {
        match envelope::parse(line) {
            Ok(Message::Response(response)) => self.response(&response, now),
            Ok(Message::Notification(notification)) => self.notification(notification, now),
            Ok(Message::Request(request)) => self.asked_by_server(request, questions),
            Err(error) => self.refused(&error, now),
        }
    }

    /// What a line over the limit means for whoever waits for it.
    pub(in crate::engine) fn hear_oversized(
        &mut self,
        line: &Oversized<'_>,
        now: Millis,
    ) -> Heard<'static> {
        match (line.kind, &line.id) {
            (Seeming::Reply, Some(id)) => self.unusable(id, Unreadable::TooLong, now),
            (Seeming::Reply, None) | (Seeming::Call, Some(_) | None) => Heard::Garbage,
        }
    }

    fn refused(&mut self, error: &ParseError, now: Millis) -> Heard<'static> {
        match error {
            ParseError::Blank => Heard::Nothing,
            ParseError::NotUtf8 { .. } | ParseError::Nul { .. } => Heard::Report(Report::IoErr {
                kind: IoErrorKind::InvalidText,
            }),
            ParseError::Duplicate { id, seeming, .. }
            | ParseError::InvalidRequest { id, seeming, .. } => match (seeming, id) {
                (Seeming::Reply, Some(id)) => self.unusable(id, Unreadable::Malformed, now),
                // The id of a request is the server's own, whatever of ours it equals.
                (Seeming::Reply, None) | (Seeming::Call, _) => Heard::Garbage,
            },
            ParseError::EmbeddedNewline { .. }
            | ParseError::NotJson { .. }
            | ParseError::TooDeep
            | ParseError::Batch
            | ParseError::NotAnObject => Heard::Garbage,
        }
    }

    /// A reply whose id is certain and whose content can't be taken: nobody waits for it in vain.
    fn unusable(&mut self, id: &RequestId, why: Unreadable, now: Millis) -> Heard<'static> {
        match Raw::parse(id.as_str()).and_then(DownstreamId::parse) {
            Some(DownstreamId::Call(call)) => Heard::Unusable { call },
            Some(DownstreamId::Own(own)) => match self.asked.remove(&own) {
                Some(Asked::Initialize) => Heard::Report(Report::HandshakeErr {
                    failure: HandshakeFailure::Malformed,
                }),
                Some(Asked::Discover) => Heard::Report(Report::ProbeLegacy {}),
                Some(Asked::List(kind)) => {
                    let listed = self.lister.unusable(kind, why, &mut self.complaints);
                    self.listed(listed)
                }
                Some(Asked::Ping) => Heard::Report(Report::Pong {}),
                Some(Asked::SetLevel | Asked::Subscribe(_)) => Heard::Other,
                None => {
                    self.streams.ended(own, Afterwards::Again, now);
                    Heard::Other
                }
            },
            None => Heard::Garbage,
        }
    }

    fn notification<'a>(&mut self, notification: Notification<'a>, now: Millis) -> Heard<'a> {
        match notification.method.as_ref() {
            method::PROGRESS => {
                let token = notification
                    .params
                    .and_then(|params| params.progress_token().ok().flatten());
                let call = token
                    .and_then(|token| RequestId::from_json(token.text()))
                    .and_then(|token| self.tokens.latest(token));
                match (call, token) {
                    (Some(call), Some(token)) => Heard::Progress { call, token },
                    (_, _) => Heard::Other,
                }
            }
            method::CANCELLED => {
                let id = notification
                    .params
                    .and_then(|params| params.request_id().ok().flatten());
                // Without sessions a server asks nothing: what it takes back is a stream of ours.
                if self.speech == Speech::Modern {
                    if let Some(DownstreamId::Own(own)) = id.and_then(DownstreamId::parse) {
                        self.streams.ended(own, Afterwards::Again, now);
                    }
                    return Heard::Other;
                }
                let question = id
                    .and_then(|id| RequestId::from_json(id.text()))
                    .and_then(|id| self.questions.known_as(&id));
                match (question, id) {
                    (Some(question), Some(id)) => Heard::Withdrawal { question, id },
                    (_, _) => Heard::Other,
                }
            }
            method::TOOLS_LIST_CHANGED
            | method::PROMPTS_LIST_CHANGED
            | method::RESOURCES_LIST_CHANGED => match self.lister.changed(&notification.method) {
                Change::Known => Heard::Report(Report::ListChanged {}),
                Change::None => Heard::Other,
            },
            method::LISTEN_ACKNOWLEDGED => Heard::Other,
            _ => Heard::Notice(notification),
        }
    }

    /// What the server asks: whether we live, or something of the client. A client that can't be
    /// asked for that is not asked.
    fn asked_by_server<'a>(
        &self,
        request: Request<'a>,
        questions: &rea_fsm::Questions,
    ) -> Heard<'a> {
        let id = request.id.to_owned();
        if request.method == method::PING {
            return Heard::Write(line(|out| jsonrpc::empty_result(out, &id)));
        }
        let refusal = if method::is_for_servers(&request.method) {
            // Such a thing comes from a program that gives back what it reads.
            let text = format!("{:?} is asked of servers, not of clients", request.method);
            Some((ErrorCode::MethodNotFound, text))
        } else if let Some(Lack { capability, code }) = self.lacks(&request, questions) {
            let text = format!("the client has not declared the capability `{capability}`");
            Some((code, text))
        } else if self.client.asks == Asks::InAnswers
            && !method::may_stand_in_an_answer(&request.method)
        {
            let text = format!(
                "the client has no session and can't be asked for {:?}",
                request.method
            );
            Some((ErrorCode::MethodNotFound, text))
        } else {
            None
        };
        match refusal {
            Some((code, text)) => Heard::Write(line(|out| {
                jsonrpc::error(out, &id, code, &text, jsonrpc::NONE);
            })),
            None => Heard::Question(request),
        }
    }

    fn response(&mut self, response: &Response<'_>, now: Millis) -> Heard<'static> {
        let Some(id) = response.id else {
            return Heard::Other;
        };
        match DownstreamId::parse(id.raw()) {
            Some(DownstreamId::Call(call)) => {
                let (kind, untyped_at) = match response.outcome {
                    Outcome::Result {
                        raw,
                        is_error,
                        result_type,
                    } => {
                        let untyped = result_type.is_none() && raw.is_object();
                        let asks = result_type.and_then(Raw::as_str);
                        // Where there are sessions, that is a result like any other.
                        let may_ask = self.speech == Speech::Modern;
                        let kind = if may_ask && asks.as_deref() == Some("input_required") {
                            ReplyKind::InputRequired
                        } else {
                            ReplyKind::Ok { is_error }
                        };
                        (kind, untyped.then(|| raw.span().start + 1))
                    }
                    Outcome::Error { code, .. } => {
                        let code = code.unwrap_or_default();
                        (ReplyKind::RpcError { code }, None)
                    }
                };
                Heard::Reply {
                    call,
                    kind,
                    id_at: id.raw().span(),
                    untyped_at,
                }
            }
            Some(DownstreamId::Own(own)) => {
                if let Some(asked) = self.asked.remove(&own) {
                    return self.answered(&asked, &response.outcome);
                }
                self.streams.ended(own, afterwards(&response.outcome), now);
                Heard::Other
            }
            None => {
                self.complaints.add(Fault::UnawaitedAnswer);
                Heard::Other
            }
        }
    }

    fn answered(&mut self, asked: &Asked, outcome: &Outcome<'_>) -> Heard<'static> {
        match (asked, outcome) {
            (Asked::Initialize, Outcome::Result { raw, .. }) => {
                Heard::Report(match server_side::initialized_offer(*raw) {
                    Ok((offer, server)) => {
                        self.met(Speech::Legacy, server);
                        Report::InitOk { offer }
                    }
                    Err(failure) => Report::HandshakeErr { failure },
                })
            }
            (Asked::Initialize, Outcome::Error { code, .. }) => {
                let code = code.unwrap_or_default();
                let failure = HandshakeFailure::Rpc { code };
                Heard::Report(Report::HandshakeErr { failure })
            }
            (Asked::Discover, Outcome::Result { raw, .. }) => {
                self.discovered(server_side::discovered(*raw))
            }
            (Asked::Discover, Outcome::Error { raw, code }) => {
                self.discovered(server_side::not_discovered(*raw, *code))
            }
            (Asked::Ping, Outcome::Result { .. } | Outcome::Error { .. }) => {
                Heard::Report(Report::Pong {})
            }
            (Asked::List(kind), Outcome::Result { raw, .. }) => {
                let listed = self.lister.page(*kind, *raw, &mut self.complaints);
                self.listed(listed)
            }
            (Asked::List(kind), Outcome::Error { raw, code }) => {
                let listed = self
                    .lister
                    .refused(*kind, *raw, *code, &mut self.complaints);
                self.listed(listed)
            }
            (
                Asked::SetLevel | Asked::Subscribe(_),
                Outcome::Result { .. } | Outcome::Error { .. },
            ) => Heard::Other,
        }
    }

    fn discovered(&mut self, discovered: Discovered) -> Heard<'static> {
        Heard::Report(match discovered {
            Discovered::Modern(offer, server) => {
                self.met(Speech::Modern, server);
                Report::ProbeModern { offer }
            }
            Discovered::Legacy => Report::ProbeLegacy {},
            Discovered::Unsupported => Report::HandshakeErr {
                failure: HandshakeFailure::Unsupported,
            },
        })
    }

    fn met(&mut self, speech: Speech, offer: ServerOffer) {
        // A late answer to the other question would turn everything over once more.
        let is_handshake = |asked: &Asked| matches!(asked, Asked::Initialize | Asked::Discover);
        self.asked.retain(|_, asked| !is_handshake(asked));
        self.speech = speech;
        self.lister.offered(&offer.capabilities);
        self.offer = offer;
    }

    fn listed(&mut self, listed: Listed) -> Heard<'static> {
        match listed {
            Listed::Next(kind, cursor) => {
                let member = format!(r#""cursor":{cursor}"#);
                Heard::NextPage(self.request(Asked::List(kind), kind.method(), &member))
            }
            Listed::Open => Heard::Other,
            Listed::All {
                digest,
                tools,
                missing,
            } => Heard::Report(Report::Listed {
                digest,
                count: tools,
                missing,
            }),
            Listed::Nothing => Heard::Report(Report::ListErr {}),
        }
    }
}

/// Whether a stream that ends so is asked for again.
fn afterwards(outcome: &Outcome<'_>) -> Afterwards {
    match outcome {
        Outcome::Error { code, .. } if *code == Some(ErrorCode::MethodNotFound.number()) => {
            Afterwards::Never
        }
        Outcome::Error { .. } | Outcome::Result { .. } => Afterwards::Again,
    }
}
