//! `rea serve`: one MCP server on standard input and output, many behind it.
//!
//! Invariant: nothing but protocol goes to standard output.

mod drive;
mod launch;
mod published;
mod tuning;
mod world;

use crate::catalogue::{self, CATALOGUE_FOLDER, ConfigDigest, Keeper, Remembered};
use crate::cli::environment;
use crate::config::halt::HALT_FILE;
use crate::config::journal::JournalMode;
use crate::config::registry::{Registry, Warning};
use crate::config::root::{FOLDER, Root};
use crate::config::secret::is_secret_name;
use crate::config::server::{Protocol, Retry, Server};
use crate::config::state_dir::StateDir;

use crate::engine::{Admission, Catalogue, Engine, ServerId, ServerSetup};
use crate::gateway::{
    Annotations, CallPolicy, Client, ClientSetup, Diagnostics, Gateway, Patience, PolicyFacts, Run,
    ToolPolicy,
};
use crate::journal::{About, Journal, Limits, Mode, machine_seed};
use crate::live_state::{Publisher, Session};
use crate::publish::log_lines::{LogLines, LogSettings, Reader};
use crate::publish::redact::{Redactor, SharedRedactor};
use crate::transport::{
    ClientOutput, EVENTS_MAX, Pool, StderrFiles, keep_inherited_descriptors, start_input,
    stderr_file_name,
};
use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use launch::Launch;
use published::Published;
use rea_fsm::{CallClass, Millis};
use std::process::ExitCode;
use std::sync::Arc;
use tracing::warn;
use tracing_subscriber::layer::SubscriberExt;
use world::{Memory, RealWorld};

/// Serve the servers of the registry to one client on standard input and output
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example, in a client's .mcp.json:
  {\"mcpServers\": {\"rea\": {\"command\": \"rea\", \"args\": [\"serve\", \"--root\", \"/path/to/project\"]}}}")]
pub struct ServeArgs {
    /// The project's folder, which holds `.rea/registry.yaml` [default: `REA_ROOT`, else the nearest
    /// folder upward that has one, else the working directory]
    #[arg(long, value_name = "DIR")]
    pub root: Option<Utf8PathBuf>,
}

/// Serves until the client's input ends or a signal arrives.
///
/// # Errors
/// The registry can't be used, or the gateway can't begin.
pub fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    keep_inherited_descriptors().context("the open descriptors can't be listed")?;
    let here = std::env::current_dir().context("the working directory can't be found")?;
    let root = Root::find(args.root.as_deref(), &environment::text, &here)?;
    let mut registry = Registry::load(&root, &environment::text)?;
    registry.servers.retain(|server| server.enabled);
    let launches: Vec<Launch> = registry
        .servers
        .iter()
        .map(|server| Launch::new(server, &environment::raw))
        .collect();
    let redactor = Redactor::new()?.with_secrets(launches.iter().flat_map(Launch::secrets))?;
    let redactor = SharedRedactor::new(redactor);
    let session = session_id()?;

    let reader = Reader::of(&std::io::stderr());
    let settings = LogSettings::from_environment(&environment::text, reader, session.as_str());
    let (log_lines, _flush) = LogLines::start(std::io::stderr(), settings, redactor.clone())?;
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(log_lines))?;
    let (state_dir, note) = StateDir::open(&root, &environment::text)?;
    if let Some(note) = note {
        warn!(event = "gateway.state_elsewhere", "{note}");
    }
    for warning in &registry.warnings {
        tell(warning);
    }
    if registry.servers.is_empty() {
        warn!(
            event = "gateway.no_downstreams",
            "No downstream servers in {} — add one to enable proxying",
            root.registry()
        );
    }

    let filter = {
        let redactor = redactor.clone();
        Arc::new(move |line: &str| redactor.current().redact(line).into_owned())
    };
    let switches = switches(&root, &state_dir);
    if let Admission::Halted { reason } = world::halt(&switches) {
        warn!(
            event = "halt.acknowledged_at_startup",
            "calls are refused: {reason}"
        );
    }
    let place = Session::begin(&state_dir, &session)?;
    let unfinished = place.folder().to_owned();
    let (publisher, _last_state) = Publisher::start(state_dir.path(), place)?;
    let logs = state_dir.subfolder(LOGS_FOLDER)?;
    let (stderr_files, _last_lines) = StderrFiles::start(&logs, &session, filter)?;

    let catalogues = state_dir.subfolder(CATALOGUE_FOLDER)?;
    let holds_secret = {
        let redactor = redactor.clone();
        Box::new(move |text: &str| redactor.current().redact(text) != text)
    };
    let (keeper, _last_catalogues) = Keeper::start(catalogues.clone(), unfinished, holds_secret)?;

    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let (events, inbox) = tokio::sync::mpsc::channel(EVENTS_MAX);
            let began = drive::Clock::start();
            let names = registry
                .servers
                .iter()
                .map(|server| server.name.as_str().to_owned());
            let pool = Pool::new(names, &events, stderr_files)?;
            let output = ClientOutput::new(&std::io::stdout(), &events)
                .context("standard output can't be used")?;
            let output_bytes_max =
                usize::try_from(registry.gateway.client_output_bytes_max).unwrap_or(usize::MAX);
            let digests: Vec<_> = registry
                .servers
                .iter()
                .map(|server| (server.name.as_str().to_owned(), config_digest(server)))
                .collect();
            let remembered: Vec<_> = digests
                .iter()
                .map(|(server, config)| catalogue::load(&catalogues, server, config))
                .collect();
            let memory = Memory::new(keeper, digests);
            let real = RealWorld::new(pool, output, output_bytes_max, launches, memory, switches);
            let gateway = assemble(
                &registry,
                &remembered,
                state_dir.path(),
                &session,
                began.wall(),
                real,
                &redactor,
            )?;
            start_input(&std::io::stdin(), events).context("standard input can't be used")?;
            let live_state = Published::new(publisher);
            drive::run(gateway, inbox, began, &redactor, live_state).await
        })
}

fn tell(warning: &Warning) {
    warn!(event = "registry.warning", "{warning}");
}

/// Where the gateway can be frozen: in the project, and where `rea freeze` can write if not there.
fn switches(root: &Root, state_dir: &StateDir) -> Vec<Utf8PathBuf> {
    let mut switches = vec![root.path.join(FOLDER).join(HALT_FILE)];
    let other = state_dir.path().join(HALT_FILE);
    if !switches.contains(&other) {
        switches.push(other);
    }
    switches
}

/// Puts the machines, the log and the client's side together.
fn assemble(
    registry: &Registry,
    remembered: &[Option<Remembered>],
    state_dir: &Utf8Path,
    session: &str,
    began: Timestamp,
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
        session: session.to_owned(),
        boot: boot_id(),
        began,
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
    let policies = registry.servers.iter().map(policy).collect();
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
        began,
        key: random_bytes()?,
        redact,
        run: about_run(state_dir, session),
        diagnostics: Diagnostics::Hidden,
        policy_facts: PolicyFacts::default(),
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

fn about_run(state_dir: &Utf8Path, session: &str) -> Run {
    let logs = state_dir.join(LOGS_FOLDER);
    let of_session = session.to_owned();
    Run {
        session_id: session.to_owned(),
        pid: std::process::id(),
        metrics_port: None,
        version: env!("CARGO_PKG_VERSION"),
        stderr_file: Box::new(move |server| {
            logs.join(stderr_file_name(server, &of_session))
                .into_string()
        }),
    }
}

/// Where the servers' standard error is kept, below the state folder.
pub const LOGS_FOLDER: &str = "logs";

/// Where event logs lie, below the state folder.
pub const EVENTS_FOLDER: &str = "events";

/// Over everything in a server's entry that can change what it offers. Values that may be secret
/// are left out: a digest of one could be guessed from.
fn config_digest(server: &Server) -> ConfigDigest {
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

fn policy(server: &Server) -> CallPolicy {
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

fn random() -> anyhow::Result<u64> {
    Ok(u64::from_le_bytes(random_bytes()?))
}

fn random_bytes<const BYTES: usize>() -> anyhow::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())
        .context("the system has no random numbers")?;
    Ok(bytes)
}

fn session_id() -> anyhow::Result<String> {
    Ok(format!("{:012x}", random()? >> 16))
}

/// Names this boot of the machine, where the system has a name for it.
fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| "unknown".to_owned(), |id| id.trim().to_owned())
}
