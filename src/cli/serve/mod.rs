//! `rea serve`: one MCP server on standard input and output, many behind it.
//!
//! Invariant: nothing but protocol goes to standard output.

mod assemble;
mod drive;
mod launch;
mod published;
mod scrapes;
mod tuning;
mod world;

use crate::catalogue::{self, CATALOGUE_FOLDER, Keeper};
use crate::cli::environment;
use crate::config::policy::Policy;
use crate::config::registry::Registry;
use crate::config::root::Root;
use crate::config::state_dir::{StateDir, StateNote};
use crate::engine::Admission;
use crate::live_state::Publisher;
use crate::publish::log_lines::{LogLines, LogSettings, Reader};
use crate::publish::redact::{Redactor, SharedRedactor};
use crate::transport::{
    ClientOutput, EVENTS_MAX, Pool, StderrFiles, keep_inherited_descriptors, listen_for_signals,
    start_input,
};
use anyhow::{Context, anyhow};
use assemble::{about_run, assemble, config_digest};
use camino::Utf8PathBuf;
use launch::Launch;
use published::Published;
use scrapes::{Opened, Scrapes};
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
    // What secrets look like takes a while to compile; files are read meanwhile.
    let patterns = std::thread::spawn(Redactor::new);
    keep_inherited_descriptors().context("the open descriptors can't be listed")?;
    let here = std::env::current_dir().context("the working directory can't be found")?;
    let root = Root::find(args.root.as_deref(), &environment::text, &here)?;
    let mut registry = Registry::load(&root, &environment::text)?;
    let launches: Vec<Launch> = registry
        .servers
        .iter()
        .filter(|server| server.enabled)
        .map(|server| Launch::new(server, &environment::raw))
        .collect();
    let policy = Policy::load(&root)?;
    let patterns = patterns.join();
    let redactor = patterns
        .map_err(|_| anyhow!("the patterns of secrets can't be compiled"))??
        .with_patterns(&policy.redact.patterns)
        .with_secrets(launches.iter().flat_map(Launch::secrets))?;
    let redactor = SharedRedactor::new(redactor);
    let session = session_id()?;

    let reader = Reader::of(&std::io::stderr());
    let settings = LogSettings::from_environment(&environment::text, reader, session.as_str());
    let (log_lines, _flush) = LogLines::start(std::io::stderr(), settings, redactor.clone())?;
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(log_lines))?;
    let (state_dir, note) = StateDir::open(&root, &environment::text)?;
    let switches = StateDir::all(&root, &environment::text);
    announce(&registry, &policy, &root, note.as_ref(), &switches);
    registry.servers.retain(|server| server.enabled);

    let filter = Arc::new(redactor.clone());
    let names: Vec<String> = registry
        .servers
        .iter()
        .map(|server| server.name.as_str().to_owned())
        .collect();
    let metrics = Opened::from_environment(&environment::text, &names);
    let unfinished = Publisher::unfinished(&state_dir, &session);
    let (publisher, _last_state) = Publisher::start(&state_dir, &session)?;
    let logs = state_dir.subfolder(LOGS_FOLDER)?;
    let (stderr_files, _last_lines) = StderrFiles::start(&logs, &session, filter)?;

    let catalogues = state_dir.subfolder(CATALOGUE_FOLDER)?;
    let holds_secret = {
        let redactor = redactor.clone();
        Box::new(move |text: &str| redactor.current().holds_value(text))
    };
    let (keeper, _last_catalogues) = Keeper::start(catalogues.clone(), unfinished, holds_secret)?;

    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let (events, inbox) = tokio::sync::mpsc::channel(EVENTS_MAX);
            let began = drive::Clock::start();
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
            let meters = metrics.as_ref().map(Opened::meters);
            let real = RealWorld::new(
                pool,
                output,
                output_bytes_max,
                launches,
                memory,
                switches,
                meters,
            );
            let gateway = assemble(
                &registry,
                &policy,
                &remembered,
                about_run(
                    state_dir.path(),
                    &session,
                    began.wall(),
                    metrics.as_ref().map(Opened::port),
                ),
                state_dir.path(),
                real,
                &redactor,
            )?;
            listen_for_signals(events.clone()).context("signals can't be listened for")?;
            start_input(&std::io::stdin(), events).context("standard input can't be used")?;
            let live_state = Published::new(publisher);
            let scrapes = Scrapes::begin(metrics, live_state.counts());
            drive::run(gateway, inbox, began, &redactor, live_state, scrapes).await
        })
}

/// What whoever starts a gateway should know at once.
fn announce(
    registry: &Registry,
    policy: &Policy,
    root: &Root,
    note: Option<&StateNote>,
    switches: &[Utf8PathBuf],
) {
    if let Some(note) = note {
        warn!(event = "gateway.state_elsewhere", "{note}");
    }
    for warning in &registry.warnings {
        warn!(event = "registry.warning", "{warning}");
    }
    if let Some(warning) = &policy.warning {
        warn!(event = "policy.warning", "{warning}");
    }
    if registry.servers.is_empty() {
        warn!(
            event = "gateway.no_downstreams",
            "No downstream servers in {} — add one to enable proxying",
            root.registry()
        );
    }
    if let Admission::Halted { reason } = world::halt(switches) {
        warn!(
            event = "halt.acknowledged_at_startup",
            "calls are refused: {reason}"
        );
    }
}

/// Where the servers' standard error is kept, below the state folder.
pub const LOGS_FOLDER: &str = "logs";

/// Where event logs lie, below the state folder.
pub const EVENTS_FOLDER: &str = "events";

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
