//! `rea freeze` and `rea unfreeze`: every call refused, and let through again.

use super::environment;
use super::place::Place;
use crate::config::halt::{self, FreezeError, Frozen, HALT_FILE, Halt, Unfrozen};
use crate::config::root::ChosenBy;
use crate::config::state_dir::StateDir;
use anyhow::bail;
use camino::Utf8PathBuf;
use std::io::Write;
use std::process::ExitCode;

/// Refuse every call of this project's gateways, at once, until `rea unfreeze`
///
/// Calls that are under way finish. What is refused is told the reason, and each refusal stands in the
/// event log.
#[derive(Clone, Debug, clap::Args)]
pub struct FreezeArgs {
    /// Why, for whoever is refused
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The project's folder [default: as for `rea serve`]
    #[arg(long, value_name = "DIR")]
    pub root: Option<Utf8PathBuf>,
}

/// Let calls through again
#[derive(Clone, Debug, clap::Args)]
pub struct UnfreezeArgs {
    /// The project's folder [default: as for `rea serve`]
    #[arg(long, value_name = "DIR")]
    pub root: Option<Utf8PathBuf>,
}

/// Freezes.
///
/// # Errors
/// There is no project, no reason, or nowhere to write it.
pub fn freeze(args: &FreezeArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let place = Place::find(args.root.as_deref())?;
    // A switch that is thrown where nobody looks would be worse than none.
    if place.root.chosen_by == ChosenBy::WorkingDirectory {
        bail!(
            "there is no .rea/registry.yaml here or above; say which project with --root DIR, or with REA_ROOT"
        );
    }
    let (folder, _) = StateDir::open(&place.root, &environment::text)?;
    let before = halt::check(&folder.path().join(HALT_FILE));
    let frozen = halt::freeze(folder.path(), &args.reason)?;
    let file = folder.path().join(HALT_FILE);
    writeln!(out, "frozen: every call is refused while {file} is there")?;
    if frozen == Frozen::WithoutReason {
        writeln!(out, "the reason could not be written: is the disk full?")?;
    }
    if let Halt::Present { reason } = before {
        writeln!(out, "it was frozen before: {:?}", place.redacted(&reason))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Lifts it.
///
/// # Errors
/// There is no project, or the file can't be removed.
pub fn unfreeze(args: &UnfreezeArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let place = Place::find(args.root.as_deref())?;
    let folders = StateDir::all(&place.root, &environment::text);
    let lifted: Vec<Result<Unfrozen, FreezeError>> = folders
        .iter()
        .map(|folder| halt::unfreeze(folder))
        .collect();
    // One that can't be changed matters only if somebody is frozen by it.
    let is_frozen = halt::check_all(&folders) != Halt::Absent;
    let mut failed = Vec::new();
    let mut lifted_now = false;
    for outcome in lifted {
        match outcome {
            Ok(Unfrozen::Now) => lifted_now = true,
            Ok(Unfrozen::Before) => {}
            Err(error) => failed.push(error),
        }
    }
    if is_frozen && let Some(error) = failed.into_iter().next() {
        return Err(error.into());
    }
    if lifted_now {
        writeln!(out, "calls are passed on again")?;
    } else {
        writeln!(out, "{} was not frozen", place.root.path)?;
    }
    Ok(ExitCode::SUCCESS)
}
