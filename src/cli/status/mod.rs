//! `rea status`: what this project's gateways and their servers are doing.
//!
//! It reads what they have written and asks the locks who lives; nothing is changed by looking.

mod json;
mod log;
mod table;
mod verdict;
mod watch;

use super::place::Place;
use crate::config::halt::Halt;
use crate::config::policy::Said;
use crate::config::registry::Registry;
use crate::journal::Tail;
use crate::live_state::{self, Found, Seen};
use camino::Utf8PathBuf;
use rustix::termios::tcgetwinsize;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use table::Style;
pub use verdict::Verdict;

/// Show what every server is doing, and why
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Exit codes:
  0  every server is well          1  the command failed
  3  no gateway is running         4  a server is degraded
  5  a server is unhealthy, its circuit is open, it needs somebody; the event log can't be written;
     or the gateway's process is stopped, or its state has not been written for long
  6  calls are refused: somebody has frozen the gateway (rea unfreeze lifts it)")]
pub struct StatusArgs {
    /// The project's folder [default: as for `rea serve`]
    #[arg(long, value_name = "DIR")]
    pub root: Option<Utf8PathBuf>,
    /// One JSON object, as docs/status.schema.json describes it
    #[arg(long, conflicts_with = "watch")]
    pub json: bool,
    /// Draw it again and again, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
}

/// Everything that is shown.
pub(super) struct Report {
    root: Utf8PathBuf,
    found: Found,
    halt: Halt,
    log: Option<Tail>,
    policy: Said,
    /// The servers that are not enabled, or what is wrong with the registry.
    registry: Result<Vec<String>, String>,
}

fn disabled(registry: Registry) -> Vec<String> {
    let servers = registry.servers.into_iter();
    servers
        .filter(|server| !server.enabled)
        .map(|server| server.name.as_str().to_owned())
        .collect()
}

impl Report {
    fn look(place: &Place) -> Self {
        Self {
            root: place.root.path.clone(),
            found: live_state::read(&place.state),
            halt: place.halt(),
            log: log::look(place),
            policy: place.policy().unwrap_or_default().said,
            registry: place
                .registry()
                .map(disabled)
                .map_err(|error| error.to_string()),
        }
    }

    /// The gateway that is shown first: the owner, unless it is gone and another lives.
    fn main(&self) -> Option<&Seen> {
        let owner = self.found.owner.as_ref().ok()?.as_ref();
        match owner {
            Some(seen) if seen.liveness.is_alive() => Some(seen),
            Some(_) | None => self.found.guests.first().or(owner),
        }
    }

    /// Every gateway that lives.
    fn running(&self) -> impl Iterator<Item = &Seen> {
        let owner = self.found.owner.as_ref().ok().and_then(Option::as_ref);
        owner
            .filter(|seen| seen.liveness.is_alive())
            .into_iter()
            .chain(&self.found.guests)
    }

    /// The living ones beside the one that is shown first.
    fn others(&self) -> impl Iterator<Item = &Seen> {
        let main = self.main().map(|seen| &seen.state.session_id);
        self.running()
            .filter(move |seen| Some(&seen.state.session_id) != main)
    }
}

/// The session of the gateway that is shown first, and how many others live.
pub fn shown_first(place: &Place) -> (Option<String>, usize) {
    let report = Report::look(place);
    let session = report.main().map(|seen| seen.state.session_id.clone());
    (session, report.others().count())
}

/// How wide standard output is, if it is a terminal.
pub fn columns() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Shows it.
///
/// # Errors
/// There is no such folder, the state can't be read, or the output can't be written.
pub fn run(args: &StatusArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let place = Place::find(args.root.as_deref())?;
    let is_terminal = io::stdout().is_terminal();
    let shown = if args.watch {
        watch::run(&place, Style::of(is_terminal), out)
    } else {
        let report = Report::look(&place);
        if let Err(error) = &report.found.owner {
            writeln!(io::stderr(), "rea: {error}")?;
        }
        let text = if args.json {
            json::text(&report)?
        } else {
            table::render(&report, Style::of(is_terminal))
        };
        let shown = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        shown.map(|()| Verdict::of(&report))
    };
    match shown {
        Ok(verdict) => Ok(verdict.into()),
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.into()),
    }
}
