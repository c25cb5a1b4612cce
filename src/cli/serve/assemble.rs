//! The registry's words turned into the parts of a gateway, and the parts put together.

use super::world::RealWorld;
use super::{EVENTS_FOLDER, LOGS_FOLDER, boot_id, random, random_bytes, tuning};
use crate::catalogue::{ConfigDigest, Remembered};
use crate::config::journal::JournalMode;
use crate::config::policy::Policy;
use crate::config::registry::Registry;
use crate::config::secret::is_secret_name;
use crate::config::server::{Protocol, Retry, Server};
use crate::engine::{Catalogue, Engine, ServerId, ServerSetup};
use crate::gateway::{
    Annotations, CallPolicy, Client, ClientSetup, Diagnostics, Gateway, Patience, Payloads,
    PolicyFacts, Run, SecretFinder, ToolPolicy,
};
use crate::journal::{About, Journal, Limits, Mode, machine_seed};
use crate::publish::redact::SharedRedactor;
use crate::transport::{LineFilter, stderr_file_name};
use anyhow::Context;
use camino::Utf8Path;
use jiff::Timestamp;
use rea_fsm::{CallClass, Millis};

/// Puts the machines, the log and the client's side together.
pub(super) fn assemble(
    registry: &Registry,
    policy: &Policy,
    remembered: &[Option<Remembered>],
    run: Run,
    state_dir: &Utf8Path,
    real: RealWorld,
    redactor: &SharedRedactor,
) -> anyhow::Result<Gateway<RealWorld>> {
    let jitter_seed = random()?;
    let line_bytes_max = usize::try_from(registry.gateway.line_max_bytes)?;
    let mut setups = Vec::new();
    for (server, remembered) in registry.servers.iter().zip(remembered) {
        let name = server.name.as_str().to_owned();
        let known_version = remembered.as_ref().and_then(|known| known.version);
        let tuning = tuning::of(server, known_version);
        tuning.check().with_context(|| format!("server {name:?}"))?;
        let jitter_seed = machine_seed(jitter_seed, &name);
        setups.push(ServerSetup {
            name,
            tuning,
            jitter_seed,
            line_bytes_max,
        });
    }
    let about = About {
        build: concat!("rea ", env!("CARGO_PKG_VERSION")).to_owned(),
        session: run.session_id.clone(),
        boot: boot_id(),
        began: run.began,
        jitter_seed,
        config: setups
            .iter()
            .map(|setup| (setup.name.clone(), setup.tuning.clone()))
            .collect(),
    };
    let journal = &registry.journal;
    let mode = match journal.mode {
        JournalMode::On => Mode::On,
        JournalMode::Off => Mode::Off,
        JournalMode::Required => Mode::Required,
    };
    let limits = Limits {
        file_bytes: journal.rotate_bytes,
        total_bytes: journal.total_bytes,
    };
    let events_dir = journal
        .dir
        .clone()
        .unwrap_or_else(|| state_dir.join(EVENTS_FOLDER));
    let journal = Journal::open(&events_dir, mode, about, limits);
    let slots = usize::try_from(registry.gateway.spawn_slots)?;
    let engine = Engine::new(setups, slots, journal, real);
    let policies = registry.servers.iter().map(call_policy).collect();
    let payloads = payloads(policy, redactor);
    let redactor = redactor.clone();
    let redact = Box::new(move |text: &str| redactor.current().redact(text).into_owned());
    let list_budget_ms = Millis(registry.gateway.list_budget_ms);
    let servers = &registry.servers;
    let mut client = Client::new(ClientSetup {
        policies,
        servers: servers
            .iter()
            .map(|server| server.name.as_str().to_owned())
            .collect(),
        list_budget_ms,
        list_keep_ms: Millis(registry.gateway.list_keep_ms),
        question_ms: Millis(
            servers
                .iter()
                .map(|server| server.numbers.question_timeout_ms)
                .max()
                .unwrap_or_default(),
        ),
        key: random_bytes()?,
        redact,
        run,
        payloads,
        diagnostics: if policy.expose_diagnostics {
            Diagnostics::Shown
        } else {
            Diagnostics::Hidden
        },
        policy_facts: policy_facts(policy),
    });
    for (server, remembered) in (0..).map(ServerId).zip(remembered) {
        if let Some(remembered) = remembered {
            let catalogue = Catalogue {
                version: remembered.version,
                offer: &remembered.offer,
                lists: &remembered.lists,
            };
            client.remember(server, catalogue);
        }
    }
    let patience = Patience {
        end_of_input_ms: Millis(registry.gateway.input_end_grace_ms),
        signal_drain_ms: Millis(registry.gateway.stop_drain_ms),
    };
    Ok(Gateway::new(engine, client, patience, line_bytes_max))
}

/// What is taken out of calls and answers, if the policy says so.
fn payloads(policy: &Policy, redactor: &SharedRedactor) -> Payloads {
    let finder = |is_wanted: bool| -> Option<SecretFinder> {
        let redactor = redactor.clone();
        is_wanted.then(|| -> SecretFinder { Box::new(move |text| redactor.current().spans(text)) })
    };
    Payloads {
        arguments: finder(policy.redact.arguments),
        results: finder(policy.redact.results),
    }
}

impl LineFilter for SharedRedactor {
    fn filter(&self, line: &str, bytes_max: usize) -> String {
        self.current().redact_bounded(line, bytes_max)
    }

    fn line_bytes_needed(&self, bytes_max: usize) -> usize {
        // One more tells that there is more.
        self.current().window_bytes(bytes_max) + 1
    }
}

fn policy_facts(policy: &Policy) -> PolicyFacts {
    let said = &policy.said;
    PolicyFacts {
        profile: said.profile.clone(),
        autonomy_level: said.autonomy_level.clone(),
        max_autonomy_level: said.max_autonomy_level.clone(),
        block_ai_attribution: said.block_ai_attribution,
        blocked_paths_count: said.blocked_paths_count,
    }
}

pub(super) fn about_run(
    state_dir: &Utf8Path,
    session: &str,
    began: Timestamp,
    metrics_port: Option<u16>,
) -> Run {
    let logs = state_dir.join(LOGS_FOLDER);
    let of_session = session.to_owned();
    Run {
        session_id: session.to_owned(),
        began,
        pid: std::process::id(),
        metrics_port,
        version: env!("CARGO_PKG_VERSION"),
        stderr_file: Box::new(move |server| {
            logs.join(stderr_file_name(server, &of_session))
                .into_string()
        }),
    }
}

/// Over everything in a server's entry that can change what it offers. Values that may be secret
/// are left out: a digest of one could be guessed from.
pub(super) fn config_digest(server: &Server) -> ConfigDigest {
    let mut texts = vec![server.command.as_str(), server.cwd.as_str()];
    texts.extend(server.args.iter().map(String::as_str));
    texts.push("env");
    let values: Vec<(&str, String)> = server
        .env
        .iter()
        .map(|(name, value)| {
            let value = if is_secret_name(name) {
                String::new()
            } else {
                value.as_written()
            };
            (name.as_str(), value)
        })
        .collect();
    for (name, value) in &values {
        texts.extend([*name, value.as_str()]);
    }
    texts.push("env_passthrough");
    texts.extend(server.env_passthrough.iter().map(String::as_str));
    texts.push(match server.protocol {
        Protocol::Auto => "auto",
        Protocol::Legacy => "legacy",
        Protocol::Modern => "modern",
    });
    ConfigDigest::of(texts)
}

fn call_policy(server: &Server) -> CallPolicy {
    let tools = server.tools.iter().map(|(tool, rule)| {
        let class = rule.retry.map(|retry| match retry {
            Retry::Idempotent => CallClass::Idempotent,
            Retry::ReadOnly => CallClass::ReadOnly,
        });
        (
            tool.clone(),
            ToolPolicy {
                class,
                timeout_ms: rule.timeout_ms.map(Millis),
            },
        )
    });
    CallPolicy {
        timeout_ms: Millis(server.numbers.call_timeout_ms),
        tools: tools.collect(),
        annotations: if server.trust_annotations {
            Annotations::Trusted
        } else {
            Annotations::Ignored
        },
    }
}
