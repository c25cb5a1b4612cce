//! `rea explain`: why a server is in its state, from the event log.
//!
//! The log is replayed, so what is told is also proven. One server's steps become a chain of
//! sentences as they pass; nothing of the log is kept but that chain.
//!
//! Invariant: text that came from outside is made harmless before it is shown.

mod account;
mod calls;
mod chain;
mod clock;
mod last_words;
mod sentences;
mod standing;
mod story;

use super::log;
use super::replay::{Verdict, headline};
use super::serve::LOGS_FOLDER;
use crate::journal::{LogFiles, Reader, is_being_written};
use crate::publish::terminal::safe;
use crate::replay::{Options, Outcome, Report, replay};
use account::{Account, Ending};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use last_words::LastWords;
use std::io::{self, Write};
use std::process::ExitCode;
use story::Story;

/// Tells why a server is in its state: what led there, what happens next, and what you can do.
///
/// Exit codes: 0 told, 1 the log decides otherwise than recorded from some record on (diverged),
/// 2 there is no log, it is unreadable or does not know the server, 3 corrupt, 4 decided otherwise
/// because the rules have changed since. With 1, 3 and 4, what comes before that is told.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  rea explain github\n  rea explain github --json | jq .next")]
pub struct ExplainArgs {
    /// The server's name
    pub server: String,
    /// The log: its first file, or a directory of logs, of which the newest is taken [default:
    /// the newest log of this project]
    pub log: Option<Utf8PathBuf>,
    /// The project's root directory
    #[arg(long, value_name = "DIR", env = "REA_ROOT")]
    pub root: Option<Utf8PathBuf>,
    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// What is so at this moment, whatever the log says.
#[derive(Debug, Default)]
pub struct Present {
    /// Why somebody has frozen the gateways, without secrets.
    pub frozen: Option<String>,
    /// The session of the gateway that `rea status` shows first.
    pub session: Option<String>,
    /// How many others live.
    pub others: usize,
    /// How wide the terminal is, if it is one.
    pub columns: Option<usize>,
}

/// Runs the command. `events_dir` is where the project's logs are, `stderr_dir` where its servers'
/// standard error is kept.
///
/// # Errors
/// The output can't be written.
pub fn run(
    args: &ExplainArgs,
    events_dir: &Utf8Path,
    stderr_dir: &Utf8Path,
    present: &Present,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match verdict(args, events_dir, stderr_dir, present, out, err) {
        Ok(verdict) => Ok(verdict.into()),
        // Whoever has seen enough and goes away is no error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Verdict::Identical.into()),
        Err(error) => Err(error.into()),
    }
}

fn verdict(
    args: &ExplainArgs,
    events_dir: &Utf8Path,
    stderr_dir: &Utf8Path,
    present: &Present,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<Verdict> {
    let of_shown = present.session.as_deref().filter(|_| args.log.is_none());
    let of_shown = of_shown.and_then(|session| LogFiles::of_session(events_dir, session));
    let found = of_shown.map_or_else(|| log::find(args.log.as_deref(), events_dir), Ok);
    let files = match found {
        Ok(files) => files,
        Err(error) => return refuse(err, &error.to_string()),
    };
    let first = files.first_path().map(Utf8Path::to_owned);
    let is_live = first.as_deref().is_some_and(is_being_written);
    let mut story = Story::of(&args.server);
    let shown = replay(
        Reader::new(Box::new(files)),
        Options::default(),
        &mut |seen| {
            story.take(seen);
            Ok(())
        },
    );
    let report = shown.map_err(io::Error::other)?;
    let Some(told) = story.told() else {
        return untold(&story, &report, err);
    };
    let beside_log = first
        .as_deref()
        .and_then(|file| Some(file.parent()?.parent()?.join(LOGS_FOLDER)));
    let folders = beside_log
        .iter()
        .map(Utf8PathBuf::as_path)
        .chain([stderr_dir]);
    let words = LastWords::find(folders, &args.server, &told.session);
    let mut account = Account::new(&args.server, told, ending(&report, is_live), &report, words);
    if is_live && let Some(reason) = &present.frozen {
        account.head(&format!(
            "FROZEN: every call is refused, whatever stands below: {reason}. `rea unfreeze` lifts it."
        ));
    }
    if present.others > 0 && args.log.is_none() {
        account.head(&format!(
            "{} more of this project's gateways run, each with a log of its own: name its file to see \
             it from there.",
            present.others
        ));
    }
    let mut out = io::BufWriter::new(out);
    if args.json {
        account.write_json(&mut out)?;
    } else {
        account.write_text(&mut out, present.columns)?;
    }
    out.flush()?;
    if !matches!(report.outcome, Outcome::Identical) {
        writeln!(err, "rea explain: {}", headline(&report))?;
    }
    Ok(Verdict::of(&report))
}

/// The log has nothing to tell of the server, or nothing at all.
fn untold(story: &Story<'_>, report: &Report, err: &mut dyn Write) -> io::Result<Verdict> {
    if let Some(servers) = story.servers() {
        let (server, servers) = (story.server(), servers.join(", "));
        return refuse(
            err,
            &format!("the log knows no server `{server}`; it knows {servers}"),
        );
    }
    writeln!(err, "rea explain: {}", headline(report))?;
    Ok(Verdict::of(report))
}

fn ending(report: &Report, is_live: bool) -> Ending {
    match &report.ending {
        Some(_) | None if is_live => Ending::Live,
        Some(ending) if ending.closed => Ending::Stopped,
        Some(_) => Ending::Lost,
        None => Ending::Unknown,
    }
}

fn refuse(err: &mut dyn Write, why: &str) -> io::Result<Verdict> {
    writeln!(err, "rea explain: {}", safe(why))?;
    Ok(Verdict::Unreadable)
}
