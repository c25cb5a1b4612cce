//! What a log says of one server, taken in record by record.

use super::chain::{Chain, Link, Place, Told, Weight};
use super::clock::WallClock;
use super::sentences::Step;
use super::standing::{Standing, is_well};
use crate::journal::{Gap, Header, Note, Noted, Snapshots};
use crate::publish::numbers::counted;
use crate::replay::Seen;
use rea_fsm::{Downstream, EventKind, Leaf, Millis, Operator, Snapshot};

/// So many links are told.
const LINKS_MAX: usize = 12;

/// The story so far.
pub(super) struct Story<'a> {
    server: &'a str,
    /// None until the log has begun.
    log: Option<Log>,
}

struct Log {
    session: String,
    servers: Vec<String>,
    clock: WallClock,
    last_at: Millis,
    last_seq: u64,
    /// None if the log does not know the server.
    standing: Option<Standing>,
    /// How it stood when it was stopped.
    at_stop: Option<Standing>,
    chain: Chain,
}

/// The whole story.
pub(super) struct WholeStory {
    pub(super) session: String,
    pub(super) clock: WallClock,
    /// When and where the log ends, as far as it could be read.
    pub(super) last_at: Millis,
    pub(super) last_seq: u64,
    pub(super) standing: Standing,
    /// How it stood when it was stopped; none if it was not.
    pub(super) at_stop: Option<Standing>,
    pub(super) links: Vec<Link>,
    pub(super) left_out: u64,
}

impl<'a> Story<'a> {
    pub(super) const fn of(server: &'a str) -> Self {
        Self { server, log: None }
    }

    pub(super) const fn server(&self) -> &str {
        self.server
    }

    /// The servers that the log knows; none if there was nothing to be read.
    pub(super) fn servers(&self) -> Option<&[String]> {
        self.log.as_ref().map(|log| log.servers.as_slice())
    }

    /// The story, if the log knows the server.
    pub(super) fn told(&mut self) -> Option<WholeStory> {
        let log = self.log.as_mut()?;
        let standing = log.standing.take()?;
        let (links, left_out) = std::mem::take(&mut log.chain).finish(LINKS_MAX);
        Some(WholeStory {
            session: log.session.clone(),
            clock: log.clock,
            last_at: log.last_at,
            last_seq: log.last_seq,
            standing,
            at_stop: log.at_stop.take(),
            links,
            left_out,
        })
    }

    pub(super) fn take(&mut self, seen: &Seen<'_>) {
        match (seen, &mut self.log) {
            (Seen::File { header, .. }, None) => self.log = Some(Log::begin(header, self.server)),
            (Seen::File { header, missing }, Some(log)) if *missing > 0 => {
                log.files_missing(header, *missing, self.server);
            }
            (
                Seen::Step {
                    input,
                    decision,
                    effects,
                    machine,
                },
                Some(log),
            ) => {
                log.last_at = input.event.at_ms;
                log.last_seq = input.seq;
                if input.server == self.server
                    && let Some(before) = log.standing.take()
                {
                    let step = Step {
                        input,
                        decision: *decision,
                        effects,
                        before: &before,
                        machine,
                        clock: log.clock,
                    };
                    log.step(&step);
                    log.standing = Some(before.followed_by(machine));
                }
            }
            (Seen::Note(noted), Some(log)) => log.note(noted, self.server),
            (Seen::File { .. } | Seen::Change(_), Some(_))
            | (Seen::Step { .. } | Seen::Note(_) | Seen::Change(_), None) => {}
        }
    }
}

impl Log {
    fn begin(header: &Header, server: &str) -> Self {
        let before = header.continues.as_ref();
        let snapshots = before.and_then(|before| before.snapshots.as_ref());
        let standing = match snapshots {
            Some(snapshots) => snapshots.get(server).map(restored),
            // What a seed leads to shows when it is used, which is in the log.
            None => header
                .config
                .get(server)
                .map(|tuning| Standing::of(&Downstream::new(tuning.clone(), 0))),
        };
        Self {
            session: header.session.clone(),
            servers: header.config.keys().cloned().collect(),
            clock: WallClock::new(header.began),
            last_at: Millis::ZERO,
            last_seq: before.map_or(0, |before| before.seq),
            standing,
            at_stop: None,
            chain: Chain::default(),
        }
    }

    fn step(&mut self, step: &Step<'_>) {
        let is_stop = matches!(
            step.input.event.kind,
            EventKind::Operator(Operator::Stop { .. })
        );
        if is_stop && self.at_stop.is_none() {
            self.at_stop = Some(step.before.clone());
        }
        let place = self.place(step.machine.leaf());
        let told = step.told();
        for fate in step.fates(&told) {
            self.chain.count(fate, place);
        }
        self.chain.tell(told, place, is_well(step.machine.view()));
    }

    fn place(&self, state_after: Leaf) -> Place {
        Place {
            at: self.clock.at(self.last_at),
            seq: self.last_seq,
            state_after,
        }
    }

    /// Something that is not this server's alone.
    fn tell(&mut self, text: String) {
        let Some(standing) = &self.standing else {
            return;
        };
        let place = self.place(standing.view.state);
        let told = Told::Link {
            text,
            weight: Weight::Turn,
            settles: None,
        };
        let is_well = is_well(&standing.view);
        self.chain.tell(told, place, is_well);
    }

    fn note(&mut self, noted: &Noted, server: &str) {
        self.last_at = noted.at;
        self.last_seq = noted.seq;
        match &noted.note {
            Note::Refused { .. } | Note::Call { .. } | Note::Closed {} => {}
            Note::Halt { reason } => self.tell(format!("The gateway began to end: {reason}.")),
            Note::Clock { wall } => {
                let before = self.clock;
                self.clock.set(noted.at, *wall);
                self.tell(format!(
                    "The wall clock was set; until then it said {}.",
                    before.beside(noted.at, noted.at)
                ));
            }
            Note::Gap(Gap {
                first,
                last,
                reason,
                snapshots,
            }) => {
                let lost = last.saturating_add(1).saturating_sub(*first);
                let records = counted(lost, "record is", "records are");
                self.go_on_from(snapshots, server);
                self.tell(format!(
                    "{records} missing here, because the log could not be written ({reason})."
                ));
            }
        }
    }

    fn files_missing(&mut self, header: &Header, missing: u32, server: &str) {
        let files = counted(
            u64::from(missing),
            "file of the log is",
            "files of the log are",
        );
        let before = header.continues.as_ref();
        if let Some(snapshots) = before.and_then(|before| before.snapshots.as_ref()) {
            self.go_on_from(snapshots, server);
        }
        self.tell(format!("{files} missing here."));
    }

    fn go_on_from(&mut self, snapshots: &Snapshots, server: &str) {
        self.standing = snapshots.get(server).map(restored);
    }
}

fn restored(snapshot: &Snapshot) -> Standing {
    Standing::of(&Downstream::restore(snapshot.clone()))
}
