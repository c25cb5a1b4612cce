//! The last lines of a run: what was compared, and what is to be known about the log.

use crate::journal::{RULES, ReadError};
use crate::publish::numbers::counted;
use crate::publish::terminal::safe;
use crate::replay::{Outcome, Report};
use std::io::{self, Write};

pub(super) fn write(
    report: &Report,
    is_live: bool,
    what_if: &[String],
    err: &mut dyn Write,
) -> io::Result<()> {
    let command = match &report.outcome {
        Outcome::Identical
        | Outcome::Diverged(_)
        | Outcome::Unreadable(ReadError::Corrupt { .. }) => "",
        Outcome::Unreadable(_) => "rea replay: ",
    };
    writeln!(err, "{command}{}", headline(report))?;
    if let Some(ending) = &report.ending {
        if let Some(torn) = &ending.torn {
            writeln!(
                err,
                "torn tail: {} after the last whole line of {} (byte {}), as a write cut short \
                 leaves them",
                counted(torn.bytes, "byte", "bytes"),
                safe(&torn.file),
                torn.offset
            )?;
        }
        if is_live {
            writeln!(err, "the log is still being written")?;
        } else if !ending.closed {
            writeln!(
                err,
                "ended without Stop: the gateway was killed, or the machine went down"
            )?;
        }
    }
    if report.gaps > 0 {
        writeln!(
            err,
            "{}, {} lost because they could not be written; compared again from the snapshots \
             behind each",
            counted(report.gaps, "gap", "gaps"),
            counted(report.lost, "record", "records")
        )?;
    }
    if report.missing_files > 0 {
        let files = counted(u64::from(report.missing_files), "file", "files");
        writeln!(
            err,
            "{files} missing between others; compared again from the snapshots behind"
        )?;
    }
    if !what_if.is_empty() && !report.unchanged.is_empty() {
        let given = what_if.join(" ");
        let servers = report.unchanged.join(", ");
        writeln!(
            err,
            "with {}, nothing changes for {}",
            safe(&given),
            safe(&servers)
        )?;
    }
    Ok(())
}

/// What the comparison came to, in one line.
pub(in crate::cli) fn headline(report: &Report) -> String {
    let records = counted(report.records, "record", "records");
    let servers = counted(report.servers as u64, "server", "servers");
    match &report.outcome {
        Outcome::Identical => format!("{records}, {servers}, identical"),
        Outcome::Diverged(divergence) if report.rules == RULES => {
            format!("{records} identical, diverged at record {}", divergence.seq)
        }
        Outcome::Diverged(divergence) => format!(
            "{records} identical; record {} is decided otherwise since rules {} (this program: \
             rules {RULES})",
            divergence.seq, report.rules
        ),
        Outcome::Unreadable(error @ ReadError::Corrupt { .. }) => {
            format!("{records} identical, then: {}", safe(&error.to_string()))
        }
        Outcome::Unreadable(error) => safe(&error.to_string()).into_owned(),
    }
}
