//! Events, effects and notes in words.

use crate::journal::{Gap, Note};
use crate::publish::numbers::{counted, length};
use crate::publish::terminal::safe;
use rea_fsm::{
    BlockReason, CallClass, Decision, Drain, Effect, EventKind, Executed, ExitStatus,
    HandshakeFailure, IoErrorKind, LastError, Listing, LogEvent, Operator, ProtocolVersion,
    Refusal, ReplyKind, Report, Signal, SpawnFailure, TimerKey, Unasked, Verdict,
};

fn bytes(bytes: u64) -> String {
    counted(bytes, "byte", "bytes")
}

/// What happened.
pub(super) fn event(kind: &EventKind, label: Option<&str>) -> String {
    match kind {
        EventKind::Operator(operator) => self::operator(operator),
        EventKind::SlotGranted { ticket } => format!("slot granted (ticket {})", ticket.0),
        EventKind::Child { generation, report } => {
            format!("#{}: {}", generation.0, self::report(report))
        }
        EventKind::Submit {
            call,
            class,
            timeout_ms,
            bytes,
            asks: _,
        } => {
            let class = match class {
                CallClass::ReadOnly => "read-only",
                CallClass::Idempotent => "idempotent",
                CallClass::Unsafe => "unsafe",
            };
            let label = label.map_or_else(String::new, |label| format!(" {}", safe(label)));
            format!(
                "call {}{label} ({class}, {}, {})",
                call.0,
                self::bytes(*bytes),
                length(*timeout_ms)
            )
        }
        EventKind::Cancel { call } => format!("call {} given up by the client", call.0),
        EventKind::Answered { question } => format!("question {} answered", question.0),
        EventKind::Resume {
            call,
            round,
            answers,
        } => {
            let answers = counted(answers.len() as u64, "answer", "answers");
            format!("call {} repeated with {answers} (round {round})", call.0)
        }
        EventKind::Timer { key } => format!("timer: {}", timer(*key)),
        EventKind::Overslept { late_ms } => format!("overslept by {}", length(*late_ms)),
    }
}

fn operator(operator: &Operator) -> String {
    match operator {
        Operator::Start {} => "start".to_owned(),
        Operator::Stop {
            drain: Drain::Within(within),
        } => format!("stop, calls in flight get {}", length(*within)),
        Operator::Stop { drain: Drain::Now } => "stop at once".to_owned(),
        Operator::Retry {} => "retry".to_owned(),
        Operator::Restart { drain_ms } => {
            format!("restart, calls in flight get {}", length(*drain_ms))
        }
        Operator::Configure { .. } => "new numbers".to_owned(),
    }
}

fn report(report: &Report) -> String {
    match report {
        Report::SpawnOk { pid } => format!("process {pid} runs"),
        Report::SpawnFailed { failure } => format!("spawn failed: {}", spawn_failure(failure)),
        Report::ProbeModern { offer } => format!("modern server, {}", self::offer(*offer)),
        Report::ProbeLegacy {} => "legacy server".to_owned(),
        Report::InitOk { offer } => format!("initialized, {}", self::offer(*offer)),
        Report::HandshakeErr { failure } => format!("handshake refused: {}", handshake(*failure)),
        Report::Listed { count, .. } => {
            format!("listed {}", counted(u64::from(*count), "tool", "tools"))
        }
        Report::ListErr {} => "listing failed".to_owned(),
        Report::ListChanged {} => "tools changed".to_owned(),
        Report::StdoutEof {} => "output ended".to_owned(),
        Report::StdinBroken {} => "input broken".to_owned(),
        Report::Exited { status, unread } if unread.is_empty() => exit(*status),
        Report::Exited { status, unread } => {
            let unread: Vec<_> = unread.iter().map(|call| call.0.to_string()).collect();
            format!("{}, never read call {}", exit(*status), unread.join(", "))
        }
        Report::IoErr { kind } => io_error(*kind).to_owned(),
        Report::Pong {} => "pong".to_owned(),
        Report::Alive {} => "alive".to_owned(),
        Report::Reply { call, reply, bytes } => format!(
            "call {} answered: {} ({})",
            call.0,
            self::reply(*reply),
            self::bytes(*bytes)
        ),
        Report::Progress { call } => format!("call {} progresses", call.0),
        Report::Asked { question, .. } => format!("asks the client (question {})", question.0),
        Report::Withdrew { question } => format!("takes question {} back", question.0),
    }
}

fn offer(offer: rea_fsm::Offer) -> String {
    let version = match offer.version {
        ProtocolVersion::V2024_11_05 => "2024-11-05",
        ProtocolVersion::V2025_03_26 => "2025-03-26",
        ProtocolVersion::V2025_06_18 => "2025-06-18",
        ProtocolVersion::V2025_11_25 => "2025-11-25",
        ProtocolVersion::V2026_07_28 => "2026-07-28",
    };
    match offer.listing {
        Listing::Tools => version.to_owned(),
        Listing::Nothing => format!("{version}, without tools"),
    }
}

fn reply(reply: ReplyKind) -> String {
    match reply {
        ReplyKind::Ok { is_error: false } => "ok".to_owned(),
        ReplyKind::Ok { is_error: true } => "the tool's own error".to_owned(),
        ReplyKind::RpcError { code } => format!("error {code}"),
        ReplyKind::InputRequired => "input required".to_owned(),
    }
}

fn exit(status: ExitStatus) -> String {
    match status {
        ExitStatus::Code(code) => format!("exited with {code}"),
        ExitStatus::Signal(signal) => format!("ended by signal {signal}"),
    }
}

fn io_error(kind: IoErrorKind) -> &'static str {
    match kind {
        IoErrorKind::OversizedLine => "a line beyond the limit",
        IoErrorKind::InvalidText => "a line that is no text",
    }
}

fn handshake(failure: HandshakeFailure) -> String {
    match failure {
        HandshakeFailure::Unsupported => "no protocol revision in common".to_owned(),
        HandshakeFailure::Rpc { code } => format!("error {code}"),
        HandshakeFailure::Malformed => "malformed answer".to_owned(),
    }
}

fn spawn_failure(failure: &SpawnFailure) -> String {
    match failure {
        SpawnFailure::Blocked(reason) => block(reason),
        SpawnFailure::System { errno } => format!("errno {errno}"),
    }
}

fn block(reason: &BlockReason) -> String {
    match reason {
        BlockReason::MissingEnv { names } => format!("not set: {}", safe(&names.join(", "))),
        BlockReason::BadTemplate { detail } => format!("bad template: {}", safe(detail)),
        BlockReason::CommandNotFound { detail } => format!("no such command: {}", safe(detail)),
        BlockReason::NotExecutable { detail } => format!("not executable: {}", safe(detail)),
        BlockReason::BadWorkingDirectory { detail } => {
            format!("bad working directory: {}", safe(detail))
        }
        BlockReason::Untrusted => "its entry changed and is not approved".to_owned(),
        BlockReason::ProtocolUnsupported => "no protocol revision in common".to_owned(),
    }
}

/// A timer's name.
pub(super) fn timer(key: TimerKey) -> String {
    match key {
        TimerKey::Handshake => "handshake".to_owned(),
        TimerKey::Probe => "probe".to_owned(),
        TimerKey::Backoff => "backoff".to_owned(),
        TimerKey::Lock => "lock".to_owned(),
        TimerKey::Pong => "pong".to_owned(),
        TimerKey::Heartbeat => "heartbeat".to_owned(),
        TimerKey::Stable => "stable".to_owned(),
        TimerKey::Teardown => "teardown".to_owned(),
        TimerKey::Drain => "drain".to_owned(),
        TimerKey::List => "list".to_owned(),
        TimerKey::Breaker => "breaker".to_owned(),
        TimerKey::Unready => "unready".to_owned(),
        TimerKey::Rearm => "rearm".to_owned(),
        TimerKey::Call(call) => format!("call {}", call.0),
        TimerKey::Question(question) => format!("question {}", question.0),
        TimerKey::Held(call) => format!("held call {}", call.0),
        TimerKey::Gather => "gather".to_owned(),
    }
}

/// What was to be done, in one line; why nothing, if nothing.
pub(super) fn outcome(decision: Decision, effects: &[Effect]) -> String {
    if let Some(ignored) = decision.ignored {
        return format!("ignored: {}", ignored.words());
    }
    let words: Vec<_> = effects.iter().map(effect).collect();
    if words.is_empty() {
        "-".to_owned()
    } else {
        words.join("; ")
    }
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::AcquireSlot { ticket } => format!("ask for a slot (ticket {})", ticket.0),
        Effect::ReleaseSlot { .. } => "release the slot".to_owned(),
        Effect::Spawn { generation } => format!("spawn #{}", generation.0),
        Effect::WriteProbe { .. } => "ask server/discover".to_owned(),
        Effect::WriteInit { .. } => "initialize".to_owned(),
        Effect::WriteInitialized { .. } => "initialized".to_owned(),
        Effect::WriteList { .. } => "ask tools/list".to_owned(),
        Effect::Send { call, generation } => format!("send call {} to #{}", call.0, generation.0),
        Effect::SendCancel { call, .. } => format!("send cancel of call {}", call.0),
        Effect::Ping { .. } => "ping".to_owned(),
        Effect::CloseStdin { .. } => "close stdin".to_owned(),
        Effect::SignalGroup { signal, .. } => match signal {
            Signal::Term => "TERM".to_owned(),
            Signal::Kill => "KILL".to_owned(),
        },
        Effect::Arm { key, due } => format!("timer {} at {due}", timer(*key)),
        Effect::Disarm { key } => format!("no timer {}", timer(*key)),
        Effect::Complete {
            call,
            verdict,
            executed,
        } => complete(call.0, verdict, *executed),
        Effect::Ask { question } => format!("put question {} to the client", question.0),
        Effect::Withdraw { question } => format!("take question {} back", question.0),
        Effect::Answer {
            question,
            generation,
        } => format!("answer question {} of #{}", question.0, generation.0),
        Effect::RefuseQuestion { question, why, .. } => {
            let why = match why {
                Unasked::TooMany => "too many are open",
                Unasked::Nobody => "no call of the client is under way",
                Unasked::Unanswered => "the client did not answer",
            };
            format!("refuse question {}: {why}", question.0)
        }
        Effect::Offer {
            call,
            round,
            questions,
        } => {
            let questions = counted(questions.len() as u64, "question", "questions");
            format!(
                "give call {call} back with {questions} (round {round})",
                call = call.0
            )
        }
        Effect::Keep { call } => format!("keep the answer to call {}", call.0),
        Effect::CatalogueChanged { .. } => "tools changed".to_owned(),
        Effect::Publish => "publish".to_owned(),
        Effect::Log(event) => log(event),
    }
}

fn complete(call: u64, verdict: &Verdict, executed: Executed) -> String {
    let executed = match executed {
        Executed::No => "not executed",
        Executed::Maybe => "may have been executed",
        Executed::Yes => "executed",
    };
    match verdict {
        Verdict::Replied(reply) => format!("answer call {call}: {}", self::reply(*reply)),
        Verdict::Refused(refusal) => {
            format!(
                "refuse call {call}: {} ({executed})",
                self::refusal(refusal)
            )
        }
        Verdict::TimedOut => format!("fail call {call}: timed out ({executed})"),
        Verdict::Cancelled => format!("end call {call}: cancelled ({executed})"),
        Verdict::TransportLost { status } => {
            let how = status.map_or_else(String::new, |status| format!(", {}", exit(status)));
            format!("fail call {call}: process lost{how} ({executed})")
        }
    }
}

fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotStarted => "not started".to_owned(),
        Refusal::Blocked(reason) => format!("blocked, {}", block(reason)),
        Refusal::FlapLocked { retry_at } => format!("flap lock until {retry_at}"),
        Refusal::Unkillable => "its last process can't be ended".to_owned(),
        Refusal::QueueFull => "queue full".to_owned(),
        Refusal::Overloaded => "overloaded".to_owned(),
        Refusal::CircuitOpen { retry_at } => format!("circuit open until {retry_at}"),
        Refusal::CircuitProbing => "circuit half open, its probe is under way".to_owned(),
        Refusal::Closing => "stopping".to_owned(),
    }
}

fn last_error(error: &LastError) -> String {
    match error {
        LastError::ChildDied { status } => exit(*status),
        LastError::SpawnFailed { failure } => spawn_failure(failure),
        LastError::Handshake { failure } => handshake(*failure),
        LastError::HandshakeTimedOut => "handshake timed out".to_owned(),
        LastError::Unresponsive => "no answer to ping".to_owned(),
        LastError::OutputClosed => "output ended".to_owned(),
        LastError::InputBroken => "input broken".to_owned(),
        LastError::Io { kind } => io_error(*kind).to_owned(),
        LastError::CallTimedOut => "a call timed out".to_owned(),
        LastError::Unkillable => "KILL did not end it".to_owned(),
    }
}

fn log(event: &LogEvent) -> String {
    match event {
        LogEvent::ConnectAttempt { generation } => format!("say: connecting #{}", generation.0),
        LogEvent::Connected { generation } => format!("say: connected #{}", generation.0),
        LogEvent::Reconnected { generation } => format!("say: reconnected #{}", generation.0),
        LogEvent::ConnectFailed { error } => format!("say: connect failed, {}", last_error(error)),
        LogEvent::ChildDied { generation, status } => {
            format!("say: #{} {}", generation.0, exit(*status))
        }
        LogEvent::TransportError { error } => {
            format!("say: transport error, {}", last_error(error))
        }
        LogEvent::ReconnectAttempt { restarts } => {
            let restarts = counted(u64::from(*restarts), "restart", "restarts");
            format!("say: reconnecting after a pause, {restarts} in the window")
        }
        LogEvent::RespawnRefusedFlap { until, locks } => {
            format!("say: flap lock {locks} until {until}")
        }
        LogEvent::Blocked { reason } => format!("say: blocked, {}", block(reason)),
        LogEvent::Unkillable { generation } => format!("say: #{} can't be ended", generation.0),
        LogEvent::Orphaned { generation } => format!("say: #{} is left behind", generation.0),
        LogEvent::CircuitOpen { retry_at } => format!("say: circuit open until {retry_at}"),
        LogEvent::CircuitHalfOpen => "say: circuit half open".to_owned(),
        LogEvent::CircuitClosed => "say: circuit closed".to_owned(),
        LogEvent::SessionBlocker { failures } => {
            let failures = counted(u64::from(*failures), "failure", "failures");
            format!("say: a person should look, {failures}")
        }
    }
}

/// A note.
pub(super) fn note(note: &Note) -> String {
    match note {
        Note::Refused { call, tool, reason } => {
            format!("call {} {} refused: {}", call.0, safe(tool), safe(reason))
        }
        Note::Call {
            call,
            tool,
            bytes_in,
            bytes_out,
        } => format!(
            "call {} {}: {} in, {} out",
            call.0,
            safe(tool),
            bytes(*bytes_in),
            bytes(*bytes_out)
        ),
        Note::Halt { reason } => format!("the gateway stops: {}", safe(reason)),
        Note::Clock { wall } => format!("the wall clock was set to {wall}"),
        Note::Gap(Gap {
            first,
            last,
            reason,
            ..
        }) => {
            let lost = last.saturating_add(1).saturating_sub(*first);
            let records = counted(lost, "record", "records");
            format!("gap: {records} lost ({}), on from snapshots", safe(reason))
        }
        Note::Closed {} => "closed".to_owned(),
    }
}
