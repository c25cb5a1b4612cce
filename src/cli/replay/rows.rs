//! What a run shows, as a table for people or as JSON for programs.

use super::{hex, words};
use crate::publish::numbers::counted;
use crate::publish::terminal::safe;
use crate::replay::{Change, Decided, Divergence, Observed, Outcome, Report, Seen, Why};
use rea_fsm::Millis;
use serde::Serialize;
use std::io::{self, Write};

/// A way to show a run.
pub(super) trait Rows {
    fn show(&mut self, seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()>;
    fn end(&mut self, report: &Report, out: &mut dyn Write) -> io::Result<()>;
}

/// Whether it concerns that server.
pub(super) fn is_about(seen: &Seen<'_>, server: &str) -> bool {
    match seen {
        Seen::Step { input, .. } => input.server == server,
        Seen::Change(change) => change.server == server,
        Seen::File { header, .. } => header.config.contains_key(server),
        Seen::Note(_) => false,
    }
}

fn is_hidden(seen: &Seen<'_>, only: Option<&str>) -> bool {
    only.is_some_and(|only| match seen {
        Seen::Step { .. } | Seen::Change(_) => !is_about(seen, only),
        Seen::File { .. } | Seen::Note(_) => false,
    })
}

/// A line a record.
pub(super) struct Table<'a> {
    only: Option<&'a str>,
    server_width: usize,
    is_begun: bool,
}

impl<'a> Table<'a> {
    pub(super) const fn new(only: Option<&'a str>) -> Self {
        Self {
            only,
            server_width: "SERVER".len(),
            is_begun: false,
        }
    }

    fn row(&self, out: &mut dyn Write, cells: [&str; 6]) -> io::Result<()> {
        let [seq, time, server, event, states, effects] = cells;
        let width = self.server_width;
        let row =
            format!("{seq:>8}  {time:>10}  {server:<width$}  {event:<48}  {states:<24}  {effects}");
        writeln!(out, "{}", row.trim_end())
    }
}

fn time(at: Millis) -> String {
    format!("{}.{:03}", at.0 / 1_000, at.0 % 1_000)
}

impl Rows for Table<'_> {
    fn show(&mut self, seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()> {
        if is_hidden(seen, self.only) {
            return Ok(());
        }
        match seen {
            Seen::File { header, missing } => {
                if *missing > 0 {
                    let files = counted(u64::from(*missing), "file is", "files are");
                    writeln!(
                        out,
                        "{files} missing here; on from the next one's snapshots"
                    )?;
                }
                if self.is_begun {
                    return Ok(());
                }
                self.is_begun = true;
                let widths = header.config.keys().map(|name| name.chars().count());
                self.server_width = widths.max().unwrap_or(0).max(self.server_width);
                writeln!(
                    out,
                    "session {} of {}, began {}, format {}, rules {}",
                    safe(&header.session),
                    safe(&header.build),
                    header.began,
                    header.format,
                    header.rules
                )?;
                self.row(out, ["SEQ", "TIME", "SERVER", "EVENT", "STATE", "EFFECTS"])
            }
            Seen::Step {
                input,
                decision,
                effects,
                machine: _,
            } => {
                let states = if decision.from == decision.to {
                    decision.to.to_string()
                } else {
                    format!("{} → {}", decision.from, decision.to)
                };
                self.row(
                    out,
                    [
                        &input.seq.to_string(),
                        &time(input.event.at_ms),
                        &safe(&input.server),
                        &words::event(&input.event.kind, input.label()),
                        &states,
                        &words::outcome(*decision, effects),
                    ],
                )
            }
            Seen::Note(noted) => self.row(
                out,
                [
                    &noted.seq.to_string(),
                    &time(noted.at),
                    "",
                    &words::note(&noted.note),
                    "",
                    "",
                ],
            ),
            Seen::Change(change) => self::change(change, out),
        }
    }

    fn end(&mut self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        match &report.outcome {
            Outcome::Diverged(divergence) => self::divergence(divergence, out),
            Outcome::Identical | Outcome::Unreadable(_) => Ok(()),
        }
    }
}

fn change(change: &Change, out: &mut dyn Write) -> io::Result<()> {
    let server = safe(&change.server);
    let seq = change.seq;
    match &change.why {
        Why::TimerFirst { key, due } => writeln!(
            out,
            "WHAT IF {server}: before record {seq}, timer {} would have fired at {due}",
            words::timer(*key)
        ),
        Why::Decided {
            recorded,
            otherwise,
        } => {
            writeln!(
                out,
                "WHAT IF {server}: record {seq} would be decided otherwise"
            )?;
            for (label, decided) in [("recorded", recorded), ("otherwise", otherwise)] {
                let Decided { decision, effects } = decided;
                writeln!(
                    out,
                    "  {label:<9}  {} → {}: {}",
                    decision.from,
                    decision.to,
                    words::outcome(*decision, effects)
                )?;
            }
            Ok(())
        }
    }
}

fn divergence(divergence: &Divergence, out: &mut dyn Write) -> io::Result<()> {
    let Divergence {
        seq,
        server,
        before,
        event,
        expected,
        got,
        state_got,
        effects_got,
        ..
    } = divergence;
    let server = safe(server);
    match event {
        Some(event) => {
            let event = words::event(event, None);
            writeln!(out, "DIVERGED at record {seq}, server {server}: {event}")?;
        }
        None => writeln!(
            out,
            "DIVERGED before record {seq}, server {server}: the new file's snapshot is another"
        )?,
    }
    if let Some(before) = before {
        writeln!(out, "  state before   {}", json(before))?;
    }
    for (label, observed) in [("expected", expected), ("got", got)] {
        let Observed {
            state,
            effects,
            digest,
            snapshot,
        } = observed;
        let state = state.map_or("-", rea_fsm::Leaf::name);
        let (effects, digest, snapshot) = (hex(*effects), hex(*digest), hex(*snapshot));
        writeln!(
            out,
            "  {label:<13}  state {state}, effects {effects}, digest {digest}, snapshot {snapshot}"
        )?;
    }
    if let Some(state) = state_got {
        writeln!(out, "  state got      {}", json(state))?;
    }
    for effect in effects_got {
        writeln!(out, "  effect got     {}", json(effect))?;
    }
    Ok(())
}

/// Anything as one line of JSON that is safe to show.
fn json<T: Serialize>(value: &T) -> String {
    let text = serde_json::to_string(value).unwrap_or_else(|error| error.to_string());
    safe(&text).into_owned()
}

/// An object a record, and one for the end.
pub(super) struct Json<'a> {
    pub(super) only: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Object<'a> {
    File {
        header: &'a crate::journal::Header,
        missing: u32,
    },
    Step {
        seq: u64,
        at_ms: Millis,
        server: &'a str,
        event: &'a rea_fsm::EventKind,
        #[serde(skip_serializing_if = "Option::is_none")]
        tool: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request: Option<&'a str>,
        from: rea_fsm::Leaf,
        to: rea_fsm::Leaf,
        #[serde(skip_serializing_if = "Option::is_none")]
        ignored: Option<rea_fsm::Ignored>,
        effects: &'a [rea_fsm::Effect],
    },
    Note {
        seq: u64,
        at_ms: Millis,
        note: &'a crate::journal::Note,
    },
    WhatIf(&'a Change),
    Diverged(&'a Divergence),
    End {
        records: u64,
        servers: usize,
        files: u32,
        missing_files: u32,
        gaps: u64,
        lost: u64,
        rules: u32,
        closed: bool,
        torn: bool,
        outcome: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
}

fn line(object: &Object<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    out.write_all(b"\n")
}

impl Rows for Json<'_> {
    fn show(&mut self, seen: &Seen<'_>, out: &mut dyn Write) -> io::Result<()> {
        if is_hidden(seen, self.only) {
            return Ok(());
        }
        let object = match seen {
            Seen::File { header, missing } => Object::File {
                header,
                missing: *missing,
            },
            Seen::Step {
                input,
                decision,
                effects,
                machine: _,
            } => Object::Step {
                seq: input.seq,
                at_ms: input.event.at_ms,
                server: &input.server,
                event: &input.event.kind,
                tool: input.tool.as_deref(),
                request: input.request.as_deref(),
                from: decision.from,
                to: decision.to,
                ignored: decision.ignored,
                effects,
            },
            Seen::Note(noted) => Object::Note {
                seq: noted.seq,
                at_ms: noted.at,
                note: &noted.note,
            },
            Seen::Change(change) => Object::WhatIf(change),
        };
        line(&object, out)
    }

    fn end(&mut self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        let (outcome, error) = match &report.outcome {
            Outcome::Identical => ("identical", None),
            Outcome::Diverged(divergence) => {
                line(&Object::Diverged(divergence), out)?;
                ("diverged", None)
            }
            Outcome::Unreadable(error) => ("unreadable", Some(error.to_string())),
        };
        let ending = report.ending.clone().unwrap_or_default();
        line(
            &Object::End {
                records: report.records,
                servers: report.servers,
                files: report.files,
                missing_files: report.missing_files,
                gaps: report.gaps,
                lost: report.lost,
                rules: report.rules,
                closed: ending.closed,
                torn: ending.torn.is_some(),
                outcome,
                error,
            },
            out,
        )
    }
}
