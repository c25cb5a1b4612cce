//! What is measured, under the original gateway's names where it had them.

use super::Sample;
use crate::live_state::{CircuitState, DownstreamState};
use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec,
    Opts, Registry, TextEncoder,
};
use rea_fsm::{Leaf, Millis};
use std::sync::atomic::Ordering;

/// From what a cached answer takes to the longest call that is let live.
const BUCKETS_SECONDS: [f64; 14] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0, 3_600.0,
];

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With a result.
    Answered,
    /// With a result that says that the tool failed.
    ToolError,
    /// With an error of the protocol.
    RpcError,
    /// With questions to be answered first.
    InputRequired,
    /// Not in time.
    TimedOut,
    /// Its server went away.
    Lost,
    /// It was not sent.
    Refused,
    /// The client gave it up.
    Cancelled,
}

impl Outcome {
    const ALL: [Self; 8] = [
        Self::Answered,
        Self::ToolError,
        Self::RpcError,
        Self::InputRequired,
        Self::TimedOut,
        Self::Lost,
        Self::Refused,
        Self::Cancelled,
    ];

    const fn label(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::ToolError => "tool_error",
            Self::RpcError => "rpc_error",
            Self::InputRequired => "input_required",
            Self::TimedOut => "timed_out",
            Self::Lost => "lost",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it brought nothing that the client asked for, through no doing of the client's.
    const fn is_error(self) -> bool {
        match self {
            Self::RpcError | Self::TimedOut | Self::Lost | Self::Refused => true,
            Self::Answered | Self::ToolError | Self::InputRequired | Self::Cancelled => false,
        }
    }
}

/// One server's, found by its place.
struct OfServer {
    name: String,
    calls: IntCounter,
    errors: IntCounter,
    /// In the order of [`Outcome::ALL`].
    durations: Vec<Histogram>,
}

/// Everything that is measured.
pub struct Meters {
    registry: Registry,
    servers: Vec<OfServer>,
    in_flight: IntGaugeVec,
    queued: IntGaugeVec,
    circuit: IntGaugeVec,
    state: IntGaugeVec,
    tools: IntGaugeVec,
    restarts: IntCounterVec,
    locks: IntCounterVec,
    records: IntCounter,
    log_bytes: IntCounter,
    log_gaps: IntCounter,
    publications: IntCounterVec,
    halt_check: Gauge,
}

/// Makes metrics that are shown.
struct Build(Registry);

impl Build {
    fn counter(&self, name: &str, help: &str) -> prometheus::Result<IntCounter> {
        let counter = IntCounter::new(name, help)?;
        self.0.register(Box::new(counter.clone()))?;
        Ok(counter)
    }

    fn counters(&self, name: &str, help: &str, label: &str) -> prometheus::Result<IntCounterVec> {
        let counters = IntCounterVec::new(Opts::new(name, help), &[label])?;
        self.0.register(Box::new(counters.clone()))?;
        Ok(counters)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
        self.0.register(Box::new(gauges.clone()))?;
        Ok(gauges)
    }

    fn gauge(&self, name: &str, help: &str) -> prometheus::Result<Gauge> {
        let gauge = Gauge::new(name, help)?;
        self.0.register(Box::new(gauge.clone()))?;
        Ok(gauge)
    }

    fn durations(&self, name: &str, help: &str) -> prometheus::Result<HistogramVec> {
        let options = HistogramOpts::new(name, help).buckets(BUCKETS_SECONDS.to_vec());
        let durations = HistogramVec::new(options, &["server", "outcome"])?;
        self.0.register(Box::new(durations.clone()))?;
        Ok(durations)
    }

    fn servers(&self, names: &[String]) -> prometheus::Result<Vec<OfServer>> {
        let calls = self.counters(
            "rea_downstream_calls_total",
            "Calls that ended, however they did.",
            SERVER,
        )?;
        let errors = self.counters(
            "rea_downstream_errors_total",
            "Calls that ended without a result: refused, timed out, lost, or answered with an error.",
            SERVER,
        )?;
        let durations = self.durations(
            "rea_downstream_call_duration_seconds",
            "From taking a call in to its end, by how it ended.",
        )?;
        let of_server = |name: &String| OfServer {
            name: name.clone(),
            calls: calls.with_label_values(&[name]),
            errors: errors.with_label_values(&[name]),
            durations: Outcome::ALL
                .iter()
                .map(|outcome| durations.with_label_values(&[name.as_str(), outcome.label()]))
                .collect(),
        };
        Ok(names.iter().map(of_server).collect())
    }
}

const SERVER: &str = "server";

impl Meters {
    /// For these servers, in the registry's order.
    ///
    /// # Errors
    /// A metric is named badly, or twice.
    pub fn new(names: &[String]) -> prometheus::Result<Self> {
        let build = Build(Registry::new());
        let of_servers = |name, help| build.gauges(name, help, &[SERVER]);
        Ok(Self {
            servers: build.servers(names)?,
            in_flight: of_servers(
                "rea_downstream_in_flight",
                "Calls that were sent and not answered.",
            )?,
            queued: of_servers("rea_downstream_queued", "Calls that wait to be sent.")?,
            circuit: of_servers(
                "rea_circuit_breaker_state",
                "The circuit: 0 closed, 1 open, 2 half-open.",
            )?,
            state: build.gauges(
                "rea_downstream_state",
                "1 for the state that the server is in, 0 for the others.",
                &[SERVER, "state"],
            )?,
            tools: of_servers(
                "rea_downstream_tools",
                "Tools that the server has, while it is connected.",
            )?,
            restarts: build.counters(
                "rea_downstream_restarts_total",
                "Processes that were started after the first.",
                SERVER,
            )?,
            locks: build.counters(
                "rea_downstream_locks_total",
                "How often the server was locked for dying too often.",
                SERVER,
            )?,
            records: build.counter(
                "rea_audit_lines_appended_total",
                "Records appended to the event log.",
            )?,
            log_bytes: build.counter("rea_log_bytes_total", "Bytes written to the event log.")?,
            log_gaps: build.counter(
                "rea_log_gaps_total",
                "How often the event log could not be written.",
            )?,
            publications: build.counters(
                "rea_live_state_writes_total",
                "Writes of the state file, by their result.",
                "result",
            )?,
            halt_check: build.gauge(
                "rea_seconds_since_last_halt_check",
                "Since it was looked whether the gateway is frozen; -1 if it never was.",
            )?,
            registry: build.0,
        })
    }

    /// A call has ended.
    pub fn call_ended(&self, server: usize, outcome: Outcome, took_ms: Millis) {
        let Some(server) = self.servers.get(server) else {
            return;
        };
        server.calls.inc();
        if outcome.is_error() {
            server.errors.inc();
        }
        // Exact below 2^53 milliseconds, which no call takes.
        #[allow(clippy::cast_precision_loss, reason = "a duration in milliseconds")]
        let seconds = took_ms.0 as f64 / 1_000.0;
        server.durations[outcome as usize].observe(seconds);
    }

    /// Everything as text, with the gauges as they are in this sample.
    ///
    /// # Errors
    /// It can't be encoded.
    pub fn text(&self, sample: &Sample) -> prometheus::Result<Vec<u8>> {
        for server in &sample.state.downstreams {
            self.server(server);
        }
        for (server, locks) in self.servers.iter().zip(&sample.locks) {
            raise(&self.locks.with_label_values(&[&server.name]), *locks);
        }
        raise(&self.records, sample.records);
        raise(&self.log_bytes, sample.state.log.bytes);
        raise(&self.log_gaps, sample.state.log.gaps);
        for (result, count) in [
            ("written", &sample.publications.written),
            ("failed", &sample.publications.failed),
        ] {
            let counter = self.publications.with_label_values(&[result]);
            raise(&counter, count.load(Ordering::Relaxed));
        }
        let since = sample.since_halt_check;
        self.halt_check
            .set(since.map_or(-1.0, |since| since.as_secs_f64()));
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }

    fn server(&self, server: &DownstreamState) {
        let name = [server.name.as_str()];
        let set = |gauges: &IntGaugeVec, value: u32| {
            gauges.with_label_values(&name).set(i64::from(value));
        };
        set(&self.in_flight, server.in_flight);
        set(&self.queued, server.queue);
        set(&self.tools, server.tools_count.unwrap_or(0));
        set(
            &self.circuit,
            match server.circuit_state {
                CircuitState::Closed => 0,
                CircuitState::Open => 1,
                CircuitState::HalfOpen => 2,
            },
        );
        for leaf in Leaf::ALL {
            let gauge = self
                .state
                .with_label_values(&[server.name.as_str(), leaf.name()]);
            gauge.set(i64::from(leaf == server.state));
        }
        let restarts = server.generation.unwrap_or(0).saturating_sub(1);
        raise(&self.restarts.with_label_values(&name), restarts);
    }
}

/// Counts up to what somebody else has counted.
fn raise(counter: &IntCounter, to: u64) {
    counter.inc_by(to.saturating_sub(counter.get()));
}
