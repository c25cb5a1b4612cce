//! The same for programs: the fields of the original gateway's `rea status --json`, and ours.
//! `docs/status.schema.json` describes them.

use super::{Report, Verdict};
use crate::config::halt::Halt;
use crate::live_state::{DownstreamState, Liveness, LogState, Seen};
use jiff::Timestamp;
use serde::Serialize;
use std::io;

#[derive(Serialize)]
struct Status<'a> {
    base_dir: &'a str,
    verdict: Verdict,
    serve: Serve<'a>,
    others: Vec<Serve<'a>>,
    starting: usize,
    policy: Policy<'a>,
    audit: Audit,
}

/// One gateway. What is null was never written.
#[derive(Default, Serialize)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "scripts ask for each by its name"
)]
struct Serve<'a> {
    running: bool,
    /// Whether its process is stopped, so that it does nothing.
    suspended: bool,
    /// Whether it has not written its state for longer than it ever takes.
    silent: bool,
    /// Killed or crashed: what follows is its last state.
    crashed: bool,
    pid: Option<u32>,
    /// Whether what follows is of a gateway that is gone.
    stale: bool,
    session_id: Option<&'a str>,
    version: Option<&'a str>,
    started_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    metrics_port: Option<u16>,
    log: Option<&'a LogState>,
    downstreams: Option<&'a [DownstreamState]>,
}

#[derive(Serialize)]
struct Policy<'a> {
    halt_active: bool,
    halt_reason: Option<&'a str>,
    profile: Option<&'a str>,
    autonomy_level: Option<&'a str>,
    blocked_paths_count: Option<usize>,
    codex_required: Option<bool>,
}

#[derive(Serialize)]
struct Audit {
    present: bool,
    lines: Option<u64>,
    last_timestamp: Option<Timestamp>,
    tail_hash_looks_valid: Option<bool>,
}

impl<'a> Serve<'a> {
    fn of(seen: &'a Seen) -> Self {
        let state = &seen.state;
        let running = seen.liveness.is_alive();
        Self {
            running,
            silent: seen.liveness == Liveness::Silent,
            suspended: seen.liveness == Liveness::Suspended,
            crashed: seen.liveness == Liveness::Crashed,
            pid: Some(state.owner_pid),
            stale: !running,
            session_id: Some(&state.session_id),
            version: Some(&state.version),
            started_at: Some(state.started_at),
            updated_at: Some(state.updated_at),
            closed_at: state.closed_at,
            metrics_port: state.metrics_port.filter(|_| running),
            log: Some(&state.log),
            downstreams: Some(&state.downstreams),
        }
    }
}

/// One object, and a newline.
pub(super) fn text(report: &Report) -> io::Result<String> {
    let (halt_active, halt_reason) = match &report.halt {
        Halt::Absent => (false, None),
        Halt::Present { reason } => (true, Some(reason.as_str())),
        Halt::Unknown { error } => (true, Some(error.as_str())),
    };
    let log = report.log.as_ref();
    let policy = &report.policy;
    let status = Status {
        base_dir: report.root.as_str(),
        verdict: Verdict::of(report),
        serve: report.main().map(Serve::of).unwrap_or_default(),
        others: report.others().map(Serve::of).collect(),
        starting: report.found.unseen.len(),
        policy: Policy {
            halt_active,
            halt_reason,
            profile: policy.profile.as_deref(),
            autonomy_level: policy.autonomy_level.as_deref(),
            blocked_paths_count: policy.blocked_paths_count,
            codex_required: policy.codex_required,
        },
        audit: Audit {
            present: log.is_some(),
            lines: log.and_then(|log| log.records),
            last_timestamp: log.and_then(|log| log.last_at),
            tail_hash_looks_valid: log.and_then(|log| log.chain_holds),
        },
    };
    let mut text = serde_json::to_string_pretty(&status)?;
    text.push('\n');
    Ok(text)
}
