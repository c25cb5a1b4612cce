//! `rea replay`: shows a log, event by event, and proves that the machines decided as recorded.
//!
//! The exit code is the verdict; the table is for people and `--json` for programs. A reader of
//! the output that goes away is no error.

mod rows;
mod summary;
mod what_if;
mod words;

use super::log;
use crate::journal::{Hex64, RULES, ReadError, Reader, is_being_written};
use crate::publish::numbers::grouped;
use crate::publish::terminal::safe;
use crate::replay::{Options, Outcome, ReplayError, Report, Seen, replay};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use rows::{Json, Rows, Table};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::process::ExitCode;
pub(super) use summary::headline;

/// Runs an event log again and shows what each server's machine saw and decided.
///
/// Exit codes: 0 identical, 1 decided otherwise (diverged), 2 unreadable, 3 corrupt,
/// 4 decided otherwise because the rules have changed since.
#[derive(Args, Clone, Debug, Default)]
pub struct ReplayArgs {
    /// The log: its first file, or a directory of logs or a project's folder, of which the newest is
    /// taken [default: the newest log of this project]
    pub log: Option<Utf8PathBuf>,
    /// The project's root directory
    #[arg(long, value_name = "DIR", env = "REA_ROOT")]
    pub root: Option<Utf8PathBuf>,
    /// Show one server only; all are compared
    #[arg(long, value_name = "NAME")]
    pub server: Option<String>,
    /// Stop after this record
    #[arg(long, value_name = "SEQ")]
    pub until: Option<u64>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
    /// Try the same events under another number of the registry, for example `lock_base=1m`, and
    /// show the first decision of each server that it changes; may be given more than once. The
    /// names are those of docs/registry.md, or of the log's header
    #[arg(long, value_name = "KEY=VALUE")]
    pub what_if: Vec<String>,
}

/// Whether a long log shows how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// On the error output, which is a terminal, while the table goes elsewhere.
    Shown,
    /// Not at all.
    Hidden,
}

/// What a run came to, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every record came out as it was written.
    Identical,
    /// One did not.
    Diverged,
    /// There is no log, or it can't be read.
    Unreadable,
    /// A whole line is not what was written.
    Corrupt,
    /// One came out otherwise, and the log was written under other rules.
    OtherRules,
}

impl Verdict {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Identical => 0,
            Self::Diverged => 1,
            Self::Unreadable => 2,
            Self::Corrupt => 3,
            Self::OtherRules => 4,
        }
    }

    pub(super) fn of(report: &Report) -> Self {
        match &report.outcome {
            Outcome::Identical => Self::Identical,
            Outcome::Diverged(_) if report.rules != RULES => Self::OtherRules,
            Outcome::Diverged(_) => Self::Diverged,
            Outcome::Unreadable(ReadError::Corrupt { .. }) => Self::Corrupt,
            Outcome::Unreadable(
                ReadError::NotFound { .. }
                | ReadError::NoLogs { .. }
                | ReadError::NotALog { .. }
                | ReadError::NewerFormat { .. }
                | ReadError::NewerRules { .. }
                | ReadError::Io { .. }
                | ReadError::Ended,
            ) => Self::Unreadable,
        }
    }
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        Self::from(verdict.code())
    }
}

/// Runs the command. `events_dir` is where the project's logs are.
///
/// # Errors
/// The output can't be written, or a `--what-if` is none.
pub fn run(
    args: &ReplayArgs,
    events_dir: &Utf8Path,
    out: &mut dyn Write,
    err: &mut dyn Write,
    progress: Progress,
) -> anyhow::Result<ExitCode> {
    match verdict(args, events_dir, out, err, progress) {
        Ok(verdict) => Ok(verdict.into()),
        Err(ReplayError::Show(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Verdict::Identical.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// As [`run`], before the verdict becomes a number.
///
/// # Errors
/// As for [`run`]; an output whose reader has gone away is an error here.
pub fn verdict(
    args: &ReplayArgs,
    events_dir: &Utf8Path,
    out: &mut dyn Write,
    err: &mut dyn Write,
    progress: Progress,
) -> Result<Verdict, ReplayError> {
    let what_if = what_if::parse(&args.what_if)?;
    let files = match log::find(args.log.as_deref(), events_dir) {
        Ok(files) => files,
        Err(error) => return unreadable(err, &error),
    };
    let is_live = files.first_path().is_some_and(is_being_written);
    let options = Options {
        until: args.until,
        what_if,
    };
    let only = args.server.as_deref();
    let mut out = io::BufWriter::with_capacity(64 << 10, out);
    let mut rows: Box<dyn Rows> = if args.json {
        Box::new(Json { only })
    } else {
        Box::new(Table::new(only))
    };
    let mut meter = Meter::new(progress);
    let mut names_server = only.is_none();
    let mut servers = BTreeSet::new();
    let report = replay(Reader::new(Box::new(files)), options, &mut |seen| {
        names_server |= only.is_some_and(|only| rows::is_about(seen, only));
        if let Seen::File { header, .. } = seen {
            servers.extend(header.config.keys().cloned());
        }
        meter.tick(err)?;
        rows.show(seen, &mut out)
    })?;
    meter.clear(err)?;
    rows.end(&report, &mut out)?;
    out.flush()?;
    if let Some(only) = only.filter(|_| !names_server) {
        let (only, servers) = (safe(only), Vec::from_iter(servers).join(", "));
        let others = match safe(&servers) {
            none if none.is_empty() => "it has no servers".to_owned(),
            servers => format!("its servers are {servers}"),
        };
        writeln!(
            err,
            "the log says nothing about a server `{only}`; {others}"
        )?;
    }
    summary::write(&report, is_live, &args.what_if, err)?;
    Ok(Verdict::of(&report))
}

fn unreadable(err: &mut dyn Write, error: &ReadError) -> Result<Verdict, ReplayError> {
    writeln!(err, "rea replay: {}", safe(&error.to_string()))?;
    Ok(Verdict::Unreadable)
}

/// How far a long log is.
struct Meter {
    progress: Progress,
    seen: u64,
}

impl Meter {
    const EVERY: u64 = 50_000;

    const fn new(progress: Progress) -> Self {
        Self { progress, seen: 0 }
    }

    fn tick(&mut self, err: &mut dyn Write) -> io::Result<()> {
        self.seen += 1;
        if self.progress == Progress::Shown && self.seen.is_multiple_of(Self::EVERY) {
            write!(err, "\r{} records…", grouped(self.seen))?;
            err.flush()?;
        }
        Ok(())
    }

    fn clear(&self, err: &mut dyn Write) -> io::Result<()> {
        if self.progress == Progress::Shown && self.seen >= Self::EVERY {
            write!(err, "\r\x1b[K")?;
        }
        Ok(())
    }
}

fn hex(digits: Option<Hex64>) -> String {
    digits.map_or_else(|| "-".to_owned(), |digits| digits.to_string())
}
