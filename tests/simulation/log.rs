//! The log of a simulated run: what was written, and what it says when it is run again.

use super::world::{Act, SimWorld};
use rea::engine::ServerId;
use rea::journal::{Entry, Memory, MemoryFiles, MemoryHandle, Note, Reader, Sink, machine_seed};
use rea::replay::{Options, Outcome};
use rea_fsm::{CallId, Downstream, Effect, Generation, ReplyKind, Verdict, digest};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;

/// How much has been written, and whether the disk takes anything at all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    bytes: Arc<AtomicU64>,
    /// Whether records may be missing: in a gap, acts go on without the log.
    faulty: Arc<AtomicBool>,
}

impl Written {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn set_faulty(&self) {
        self.faulty.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_faulty(&self) -> bool {
        self.faulty.load(Ordering::Relaxed)
    }
}

/// Memory that counts.
pub(crate) struct Counting {
    memory: Memory,
    written: Written,
}

impl Counting {
    pub(crate) fn new() -> (Self, MemoryHandle, Written) {
        let (memory, handle) = Memory::new();
        let written = Written::default();
        let counting = Self {
            memory,
            written: written.clone(),
        };
        (counting, handle, written)
    }
}

impl Sink for Counting {
    fn is_open(&self) -> bool {
        self.memory.is_open()
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.memory.write(bytes)?;
        self.written
            .bytes
            .fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.memory.cut(length)
    }

    fn next_file(&mut self, number: u32) -> Poll<io::Result<()>> {
        self.memory.next_file(number)
    }

    fn sync_failure(&mut self) -> Option<io::Error> {
        self.memory.sync_failure()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.memory.finish()
    }
}

/// What the machines asked for, by the log alone.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    /// For each server its effects with their times.
    pub(crate) effects: BTreeMap<String, Vec<(u64, Effect)>>,
    /// When each server was told to stop.
    pub(crate) stopped_at: BTreeMap<String, u64>,
    /// The last state of each.
    pub(crate) machines: BTreeMap<String, Downstream>,
    pub(crate) records: u64,
    pub(crate) files: u64,
    pub(crate) gaps: u64,
    /// Records that were never written.
    pub(crate) lost: u64,
}

/// Runs the log again, comparing every state, effect digest and state digest.
pub(crate) fn replay(files: Vec<Vec<u8>>) -> Replayed {
    let mut reader = Reader::new(Box::new(MemoryFiles::numbered(files)));
    let mut replayed = Replayed::default();
    let mut effects = Vec::new();
    while let Some(entry) = reader.next_entry().expect("the log is whole") {
        match entry {
            Entry::File { header, .. } => {
                replayed.files += 1;
                if header.continues.is_some() {
                    continue;
                }
                for (name, tuning) in header.config {
                    let seed = machine_seed(header.jitter_seed.0, &name);
                    replayed
                        .machines
                        .insert(name, Downstream::new(tuning, seed));
                }
            }
            Entry::Note(noted) => {
                if let Note::Gap(gap) = noted.note {
                    replayed.gaps += 1;
                    replayed.lost += gap.last + 1 - gap.first;
                    for (name, snapshot) in gap.snapshots {
                        replayed
                            .machines
                            .insert(name, Downstream::restore(snapshot));
                    }
                }
            }
            Entry::Input(input) => {
                let machine = replayed
                    .machines
                    .get_mut(&input.server)
                    .expect("the header names every server");
                let event = input.event;
                machine.step(&event, &mut effects);
                let seq = input.seq;
                assert_eq!(machine.leaf(), input.state, "state after record {seq}");
                assert_eq!(digest(&effects), input.effects.0, "effects of record {seq}");
                assert_eq!(machine.digest(), input.digest.0, "digest of record {seq}");
                if let rea_fsm::EventKind::Operator(rea_fsm::Operator::Stop { .. }) = event.kind {
                    replayed
                        .stopped_at
                        .entry(input.server.clone())
                        .or_insert(event.at_ms.0);
                }
                let list = replayed.effects.entry(input.server).or_default();
                list.extend(effects.drain(..).map(|effect| (event.at_ms.0, effect)));
                replayed.records += 1;
            }
        }
    }
    assert!(reader.into_ending().closed, "the log says that it ended");
    replayed
}

/// The product's own replay comes to the same.
pub(crate) fn replays_identically(files: Vec<Vec<u8>>, replayed: &Replayed) {
    let reader = Reader::new(Box::new(MemoryFiles::numbered(files)));
    let report =
        rea::replay::replay(reader, Options::default(), &mut |_| Ok(())).expect("nothing is shown");
    assert!(
        matches!(report.outcome, Outcome::Identical),
        "{:?}",
        report.outcome
    );
    assert_eq!(report.gaps, replayed.gaps);
    assert_eq!(report.lost, replayed.lost);
}

/// What the world saw is what the log's machines asked for, one for one.
pub(crate) fn same_acts(world: &SimWorld, names: &[String], replayed: &Replayed) {
    for (server, name) in (0..).map(ServerId).zip(names) {
        let seen: Vec<(u64, Generation, Kind)> = world
            .acts
            .iter()
            .filter(|(_, (owner, _), _)| *owner == server)
            .filter_map(|(at, (_, generation), act)| Some((*at, *generation, Kind::of_act(act)?)))
            .collect();
        let asked: Vec<(u64, Generation, Kind)> = replayed
            .effects
            .get(name)
            .into_iter()
            .flatten()
            .filter_map(|(at, effect)| {
                let (generation, kind) = Kind::of_effect(effect)?;
                Some((*at, generation, kind))
            })
            .filter(|asked| seen.contains(asked) || !is_done_by_the_gateway(*asked, name, replayed))
            .collect();
        assert_eq!(
            seen, asked,
            "what was done to {name}, and what its log asks for"
        );
    }
}

/// Whether a call was answered in the instant in which it was sent: what a server without sessions
/// can't be asked for the gateway does itself, and writes no call for it.
fn is_done_by_the_gateway(
    (at, _, kind): (u64, Generation, Kind),
    name: &str,
    replayed: &Replayed,
) -> bool {
    let mut effects = replayed.effects[name].iter();
    effects.any(|(then, effect)| {
        matches!(
            effect,
            Effect::Complete { call, verdict: Verdict::Replied(ReplyKind::Ok { is_error: false }), .. }
                if *then == at && kind == Kind::Call(*call)
        )
    })
}

/// Acts that only a machine may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Spawn,
    Call(CallId),
    CloseStdin,
    Signal(rea_fsm::Signal),
}

impl Kind {
    const fn of_act(act: &Act) -> Option<Self> {
        match act {
            Act::Spawn => Some(Self::Spawn),
            Act::Write(_, Some(call)) => Some(Self::Call(*call)),
            Act::Write(_, None) => None,
            Act::CloseStdin => Some(Self::CloseStdin),
            Act::Signal(signal) => Some(Self::Signal(*signal)),
        }
    }

    const fn of_effect(effect: &Effect) -> Option<(Generation, Self)> {
        match effect {
            Effect::Spawn { generation } => Some((*generation, Self::Spawn)),
            Effect::Send { generation, call } => Some((*generation, Self::Call(*call))),
            Effect::CloseStdin { generation } => Some((*generation, Self::CloseStdin)),
            Effect::SignalGroup { generation, signal } => {
                Some((*generation, Self::Signal(*signal)))
            }
            Effect::AcquireSlot { .. }
            | Effect::ReleaseSlot { .. }
            | Effect::WriteProbe { .. }
            | Effect::WriteInit { .. }
            | Effect::WriteInitialized { .. }
            | Effect::WriteList { .. }
            | Effect::SendCancel { .. }
            | Effect::Ping { .. }
            | Effect::Arm { .. }
            | Effect::Disarm { .. }
            | Effect::Complete { .. }
            | Effect::Ask { .. }
            | Effect::Withdraw { .. }
            | Effect::Answer { .. }
            | Effect::RefuseQuestion { .. }
            | Effect::Offer { .. }
            | Effect::Keep { .. }
            | Effect::CatalogueChanged { .. }
            | Effect::Publish
            | Effect::Log(_) => None,
        }
    }
}
