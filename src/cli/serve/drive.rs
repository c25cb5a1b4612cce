//! The loop: wait, take everything that is waiting, end the turn.

use super::published::Published;
use super::scrapes::Scrapes;
use super::world::RealWorld;
use crate::engine::{ServerId, ServerReport};
use crate::gateway::{Gateway, Input};
use crate::metrics::Asked;
use crate::publish::redact::SharedRedactor;
use crate::transport::{EVENTS_MAX, ProcessReport, ReportKind, TransportEvent};
use jiff::{Timestamp, Unit};
use rea_fsm::{BlockReason, Millis, SpawnFailure};
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tracing::{error, info};

/// What an event keeps of a refusal's words.
const DETAIL_BYTES_MAX: usize = 1_024;
/// What was answered last still has to reach a client that reads slowly.
const LAST_WORDS_TO_CLIENT: Duration = Duration::from_millis(500);

/// The log's clock: monotonic, zero when the session began.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    began: Instant,
    wall: Timestamp,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            began: Instant::now(),
            wall: whole_milliseconds(Timestamp::now()),
        }
    }

    pub(super) const fn wall(self) -> Timestamp {
        self.wall
    }

    fn now(self) -> Millis {
        Millis(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn instant(self, at: Millis) -> Instant {
        self.began + Duration::from_millis(at.0)
    }
}

/// The log and whatever is shown count in these.
fn whole_milliseconds(at: Timestamp) -> Timestamp {
    at.round(Unit::Millisecond).unwrap_or(at)
}

/// How often the readers get their turn before a timer does: once to see that there is something,
/// once to read it.
const READS_BEFORE_TIMERS: usize = 2;

/// What woke the loop.
enum Woken {
    Event(Option<TransportEvent>),
    Time,
    Flushed,
    Asked(Asked),
}

/// Drives the gateway until it is over.
///
/// # Errors
/// The log is required and its end could not be written.
pub(super) async fn run(
    mut gateway: Gateway<RealWorld>,
    mut inbox: Receiver<TransportEvent>,
    clock: Clock,
    redactor: &SharedRedactor,
    mut published: Published,
    mut scrapes: Scrapes,
) -> anyhow::Result<ExitCode> {
    let mut alarm = Alarm::new();
    let mut wall_clock = WallClock::start(clock);
    let mut client_gone = false;
    published.look(&mut gateway);
    loop {
        let due = [gateway.next_due(), Some(published.next_due())];
        let due = due.into_iter().flatten().min();
        alarm.set(due.map(|due| clock.instant(due)));
        let woken = tokio::select! {
            biased;
            event = inbox.recv() => Woken::Event(event),
            () = poll_fn(|cx| gateway.world().poll_flush(cx)) => Woken::Flushed,
            asked = scrapes.next() => Woken::Asked(asked),
            () = alarm.rings() => Woken::Time,
        };
        let is_timer = matches!(woken, Woken::Time);
        if is_timer {
            // What lies in the pipes is older than the timer: it is read first.
            for _ in 0..READS_BEFORE_TIMERS {
                tokio::task::yield_now().await;
            }
        }
        gateway.begin(clock.now());
        let mut asked = None;
        match woken {
            Woken::Event(Some(event)) => take(&mut gateway, event),
            // Every sender is gone: nothing can arrive any more, so nothing would ever end.
            Woken::Event(None) => gateway.take(Input::Signalled),
            Woken::Time | Woken::Flushed => {}
            Woken::Asked(somebody) => asked = Some(somebody),
        }
        for _ in 0..EVENTS_MAX {
            let Ok(event) = inbox.try_recv() else { break };
            take(&mut gateway, event);
        }
        hear_processes(&mut gateway, redactor);
        if is_timer && let Some(wall) = wall_clock.was_set() {
            gateway.clock_was_set(wall);
        }
        gateway.end();
        // What was written just now can be the first that finds nobody reading.
        if !client_gone && gateway.world().output().is_broken() {
            client_gone = true;
            gateway.take(Input::ClientGone);
            gateway.end();
        }
        published.look(&mut gateway);
        if let Some(asked) = asked {
            scrapes.answer(asked, &mut gateway);
        }
        if gateway.is_over() {
            break;
        }
    }
    let _ = timeout(LAST_WORDS_TO_CLIENT, drain_output(&mut gateway, &mut inbox)).await;
    info!(event = "gateway.shutdown", "every server has ended");
    published.finish(&mut gateway);
    if let Err(not_logged) = gateway.close() {
        error!(event = "gateway.log_incomplete", "{not_logged}");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Notices when somebody sets the wall clock, at the next timer; there is one at least every ten seconds.
struct WallClock {
    clock: Clock,
    /// How far it is from where it should be, in milliseconds.
    off_ms: i64,
}

impl WallClock {
    /// Less than this is what clocks are corrected by all the time.
    const NOTICED_MS: i64 = 1_000;

    const fn start(clock: Clock) -> Self {
        Self { clock, off_ms: 0 }
    }

    fn was_set(&mut self) -> Option<Timestamp> {
        let wall = whole_milliseconds(Timestamp::now());
        let passed = i64::try_from(self.clock.now().0).unwrap_or(i64::MAX);
        let since = wall.as_millisecond() - self.clock.wall().as_millisecond();
        let off_ms = since.saturating_sub(passed);
        if (off_ms - self.off_ms).abs() < Self::NOTICED_MS {
            return None;
        }
        self.off_ms = off_ms;
        Some(wall)
    }
}

/// One timer for the whole run: to make and unmake one each time costs more than to ask whether it
/// has to be set anew.
struct Alarm {
    sleep: Pin<Box<Sleep>>,
    due: Option<Instant>,
}

impl Alarm {
    fn new() -> Self {
        Self {
            sleep: Box::pin(sleep_until(Instant::now())),
            due: None,
        }
    }

    fn set(&mut self, due: Option<Instant>) {
        if let Some(due) = due
            && self.due != Some(due)
        {
            self.sleep.as_mut().reset(due);
        }
        self.due = due;
    }

    async fn rings(&mut self) {
        match self.due {
            Some(_) => self.sleep.as_mut().await,
            None => pending().await,
        }
    }
}

fn take(gateway: &mut Gateway<RealWorld>, event: TransportEvent) {
    match event {
        TransportEvent::Signalled => gateway.take(Input::Signalled),
        TransportEvent::ClientInput(bytes) => gateway.take(Input::Client(&bytes)),
        TransportEvent::ClientInputEnded => gateway.take(Input::ClientEnded),
        TransportEvent::ClientWritten(piece) => gateway.world().output().written(piece),
        TransportEvent::Started(..)
        | TransportEvent::NotStarted(..)
        | TransportEvent::Output(..)
        | TransportEvent::OutputEnded(..)
        | TransportEvent::LeaderDied(..)
        | TransportEvent::OutputGivenUp(..) => gateway.world().pool().handle(event),
    }
}

fn hear_processes(gateway: &mut Gateway<RealWorld>, redactor: &SharedRedactor) {
    while let Some((server, generation, failure)) = gateway.world().next_refusal() {
        let failure = redacted(failure, redactor);
        gateway.take(Input::Server(
            server,
            generation,
            ServerReport::SpawnFailed(failure),
        ));
    }
    while let Some(ProcessReport {
        server,
        generation,
        kind,
    }) = gateway.world().next_report()
    {
        let report = match &kind {
            ReportKind::Started { pid } => ServerReport::Spawned { pid: *pid },
            ReportKind::NotStarted(error) => ServerReport::SpawnFailed(SpawnFailure::System {
                errno: error.raw_os_error().unwrap_or(0),
            }),
            ReportKind::Output(bytes) => ServerReport::Output(bytes),
            ReportKind::OutputEnded => ServerReport::OutputEnded,
            ReportKind::InputBroken => ServerReport::InputBroken,
            ReportKind::Exited {
                status,
                unread,
                last_words,
            } => ServerReport::Exited {
                status: *status,
                unread: unread.clone(),
                last_words: redactor
                    .current()
                    .redact(&last_words.join("\n"))
                    .into_owned(),
            },
        };
        gateway.take(Input::Server(ServerId(server), generation, report));
    }
}

/// A refusal's words may quote the registry.
fn redacted(failure: SpawnFailure, redactor: &SharedRedactor) -> SpawnFailure {
    let redact = |detail: String| redactor.current().redact_bounded(&detail, DETAIL_BYTES_MAX);
    match failure {
        SpawnFailure::Blocked(reason) => SpawnFailure::Blocked(match reason {
            BlockReason::BadTemplate { detail } => BlockReason::BadTemplate {
                detail: redact(detail),
            },
            BlockReason::CommandNotFound { detail } => BlockReason::CommandNotFound {
                detail: redact(detail),
            },
            BlockReason::NotExecutable { detail } => BlockReason::NotExecutable {
                detail: redact(detail),
            },
            BlockReason::BadWorkingDirectory { detail } => BlockReason::BadWorkingDirectory {
                detail: redact(detail),
            },
            BlockReason::MissingEnv { .. }
            | BlockReason::Untrusted
            | BlockReason::ProtocolUnsupported => reason,
        }),
        SpawnFailure::System { .. } => failure,
    }
}

/// Writes what still waits for the client.
async fn drain_output(gateway: &mut Gateway<RealWorld>, inbox: &mut Receiver<TransportEvent>) {
    while gateway.world().output().pending_bytes() > 0 && !gateway.world().output().is_broken() {
        tokio::select! {
            () = poll_fn(|cx| gateway.world().output().poll_flush(cx)) => {}
            event = inbox.recv() => match event {
                Some(TransportEvent::ClientWritten(piece)) => {
                    gateway.world().output().written(piece);
                }
                Some(_) => {}
                None => return,
            },
        }
    }
}
