//! What distinguishes two situations for all that can follow, as a 128-bit fingerprint.
//!
//! Folded from the machine's own serialisation: times become relative to now, numbers that only
//! name (generations, tickets, epochs, calls) disappear, restarts and failures that are older than
//! anybody remembers are dropped, counters stop where they stop to matter, and what is only shown
//! is left out. Each rule is keyed on a field's name; a field that is new is taken as it stands,
//! which can only make the space larger, never hide a difference.

use super::bounds::{Clocks, ENDLESS};
use super::history::History;
use super::world::{Ask, Child, Lists, World};
use rea_fsm::{Asks, CallId, Downstream, Leaf, Millis, QuestionPlace, State};
use serde::ser::{self, Serialize};
use std::fmt::{self, Display};

/// The fingerprint of a machine in its world.
pub(crate) fn fingerprint(machine: &Downstream, world: &World, history: &History) -> u128 {
    let tuning = machine.conn().tuning();
    let now = world.now.0;
    let mut canon = Canon {
        lanes: [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344],
        meaning: Meaning::Plain,
        now,
        epoch: u64::from(machine.epoch().0),
        ping_at: match machine.state() {
            State::Suspect { ping_at } => Some(ping_at.0),
            _ => None,
        },
        memory: tuning.restart_memory_ms().0,
        window: tuning.blocker_window_ms.0,
        gap: tuning.list_gap_ms.0,
        locks_max: doublings(tuning.lock_base_ms, tuning.lock_max_ms),
        opens_max: doublings(tuning.breaker_base_ms, tuning.breaker_max_ms),
        hears: tuning.heartbeat_ms > Millis::ZERO,
    };
    canon.fold(machine.state());
    canon.fold(machine.conn());
    if world.left.blocker == Clocks::Run {
        canon.fold(machine.breaker());
        canon.fold(machine.blocker());
    }
    if world.left.asks.contains(&Asks::InAnswers) {
        canon.questions(machine, world);
    }
    canon.world(machine, world);
    for word in history.words(world.now, world) {
        canon.word(word);
    }
    u128::from(canon.lanes[0]) << 64 | u128::from(canon.lanes[1])
}

/// After how many doublings a pause grows no more.
fn doublings(base: Millis, cap: Millis) -> u64 {
    let (mut length, mut times) = (base.0.max(1), 0);
    while length < cap.0 {
        length *= 2;
        times += 1;
    }
    times
}

/// What a number stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Plain,
    /// A point in time.
    Time,
    /// A point in time that matters for so long.
    Within(u64),
    /// A point in time of which only matters how long ago it is, up to so long.
    Ago(u64),
    /// When a call was sent: matters only against the probe's time.
    SentAt,
    Epoch,
    /// Matters only up to here.
    UpTo(u64),
    Nothing,
}

struct Canon {
    lanes: [u64; 2],
    meaning: Meaning,
    now: u64,
    epoch: u64,
    ping_at: Option<u64>,
    memory: u64,
    window: u64,
    gap: u64,
    locks_max: u64,
    opens_max: u64,
    hears: bool,
}

impl Canon {
    fn fold<T: Serialize>(&mut self, value: &T) {
        self.meaning = Meaning::Plain;
        value.serialize(&mut *self).expect("folding does not fail");
    }

    fn word(&mut self, word: u64) {
        for (lane, factor) in self
            .lanes
            .iter_mut()
            .zip([0x9fb2_1c65_1e98_df25_u64, 0xd6e8_feb8_6659_fd93])
        {
            let product = u128::from(*lane ^ word) * u128::from(factor);
            #[expect(clippy::cast_possible_truncation, reason = "the two halves are wanted")]
            let folded = product as u64 ^ (product >> 64) as u64;
            *lane = folded.wrapping_add(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn number(&mut self, value: u64) {
        let ago = self.now.wrapping_sub(value);
        match self.meaning {
            Meaning::Plain => self.word(value),
            Meaning::Time => self.word(ago),
            Meaning::Within(span) if ago < span => self.word(ago),
            Meaning::Within(_) => {}
            Meaning::Ago(most) => self.word(ago.min(most)),
            Meaning::SentAt => {
                if let Some(ping_at) = self.ping_at {
                    self.word(u64::from(value <= ping_at));
                }
            }
            Meaning::Epoch => self.word(u64::from(value == self.epoch)),
            Meaning::UpTo(most) => self.word(value.min(most)),
            Meaning::Nothing => {}
        }
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Folded {
        let outer = self.meaning;
        self.meaning = match name {
            "tuning" | "jitter_seed" | "generation" | "ticket" | "last" | "hash" | "since"
            | "last_error" | "last_exit" | "open_transitions" | "ping_at" => return Ok(()),
            "heard_at" if !self.hears => return Ok(()),
            "until" | "due" | "submitted_at" | "unready_due" | "rearm_due" | "timers"
            | "heard_at" => Meaning::Time,
            "at" => Meaning::SentAt,
            "epoch" => Meaning::Epoch,
            "ring" => Meaning::Within(self.memory),
            "failures" => Meaning::Within(self.window),
            "listed_at" => Meaning::Ago(self.gap),
            "locks" => Meaning::UpTo(self.locks_max),
            "opens_in_a_row" => Meaning::UpTo(self.opens_max),
            "connections" => Meaning::UpTo(1),
            _ => Meaning::Plain,
        };
        let folded = value.serialize(&mut *self);
        self.meaning = outer;
        folded
    }

    /// Numbers of questions and rounds are only names, and what a held call came to is said later
    /// and changes nothing else. Which call is meant is its place among those that have not been
    /// answered.
    fn questions(&mut self, machine: &Downstream, world: &World) {
        let before = |call: CallId| {
            let open = world.open.iter().filter(|open| open.id < call);
            let ended = world.ended.iter().filter(|ended| ended.call < call);
            (open.count() + ended.count()) as u64
        };
        for (_, open) in machine.questions().open() {
            self.word(match open.place {
                QuestionPlace::WithClient => 1,
                QuestionPlace::Waiting => 2,
                QuestionPlace::Offered { call } => 3 + before(call),
            });
            self.word(self.now.wrapping_sub(open.due.0));
        }
        self.word(END);
        for (call, held) in machine.questions().held() {
            self.word(before(call) << 1 | u64::from(held.outcome.is_some()));
            self.word(self.now.wrapping_sub(held.due.0));
        }
        self.word(END);
        self.word(world.asked.len() as u64);
    }

    fn world(&mut self, machine: &Downstream, world: &World) {
        self.word(match world.slot {
            super::world::Slot::Free => 0,
            super::world::Slot::Asked(_) => 1,
            super::world::Slot::Granted(_) => 2,
        });
        self.word(
            world
                .child
                .map_or(0, |child| child_word(&child, machine.leaf())),
        );
        for open in &world.open {
            self.word(open.class as u64 | (open.line as u64) << 8 | u64::from(open.runs) << 16);
        }
        self.word(u64::MAX);
        for count in world.left.counts() {
            if count != ENDLESS {
                self.word(u64::from(count));
            }
        }
    }
}

/// What was asked matters only while somebody waits for the answer.
fn child_word(child: &Child, leaf: Leaf) -> u64 {
    let mut word = 1 | (child.stage as u64) << 1 | (child.stdin as u64) << 20;
    word |= (child.stdout as u64) << 3 | (child.pressure as u64) << 4;
    word |= u64::from(child.handshaken) << 6;
    if leaf == Leaf::Connecting {
        word |= u64::from(child.probe == Ask::Out) << 7 | (child.init as u64) << 8;
    }
    if matches!(leaf, Leaf::Connecting | Leaf::Ready | Leaf::Suspect) {
        word |= u64::from(child.list == Ask::Out) << 10;
        word |= u64::from(child.lists == Lists::Owed) << 11;
    }
    word
}

#[derive(Debug)]
struct Unfoldable;

impl Display for Unfoldable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value's own serialisation failed")
    }
}

impl std::error::Error for Unfoldable {}

impl ser::Error for Unfoldable {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

type Folded = Result<(), Unfoldable>;

const END: u64 = 0xe4d0;

/// A name as a word: the data model's names are few, and their beginnings and lengths differ.
fn name_word(name: &str) -> u64 {
    name.bytes().fold(name.len() as u64, |folded, byte| {
        folded.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte)
    })
}

macro_rules! numbers {
    ($($method:ident: $type:ty),*) => {
        $(#[allow(
            clippy::cast_lossless,
            clippy::cast_sign_loss,
            reason = "only equality matters"
        )]
        fn $method(self, value: $type) -> Folded {
            self.number(value as u64);
            Ok(())
        })*
    };
}

impl ser::Serializer for &mut Canon {
    type Ok = ();
    type Error = Unfoldable;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
             serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
             serialize_bool: bool, serialize_char: char);

    fn serialize_f32(self, _: f32) -> Folded {
        Err(Unfoldable)
    }
    fn serialize_f64(self, _: f64) -> Folded {
        Err(Unfoldable)
    }
    fn serialize_str(self, v: &str) -> Folded {
        self.word(name_word(v));
        Ok(())
    }
    fn serialize_bytes(self, _: &[u8]) -> Folded {
        Err(Unfoldable)
    }
    fn serialize_none(self) -> Folded {
        self.word(0xe0);
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Folded {
        self.word(0xe1);
        value.serialize(self)
    }
    fn serialize_unit(self) -> Folded {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Folded {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Folded {
        self.word(name_word(variant));
        Ok(())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, v: &T) -> Folded {
        v.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Folded {
        self.word(name_word(variant));
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Unfoldable> {
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<Self, Unfoldable> {
        Ok(self)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Unfoldable> {
        Ok(self)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, Unfoldable> {
        self.word(name_word(variant));
        Ok(self)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self, Unfoldable> {
        Ok(self)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unfoldable> {
        Ok(self)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, Unfoldable> {
        self.word(name_word(variant));
        Ok(self)
    }
}

macro_rules! sequences {
    ($($trait:ident::$method:ident),*) => {
        $(impl ser::$trait for &mut Canon {
            type Ok = ();
            type Error = Unfoldable;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Folded {
                value.serialize(&mut **self)
            }
            fn end(self) -> Folded {
                self.word(END);
                Ok(())
            }
        })*
    };
}

sequences!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! structs {
    ($($trait:ident),*) => {
        $(impl ser::$trait for &mut Canon {
            type Ok = ();
            type Error = Unfoldable;
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Folded {
                self.field(name, value)
            }
            fn end(self) -> Folded {
                Ok(())
            }
        })*
    };
}

structs!(SerializeStruct, SerializeStructVariant);

/// Keys of maps are calls: their order says everything.
impl ser::SerializeMap for &mut Canon {
    type Ok = ();
    type Error = Unfoldable;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Folded {
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Folded {
        value.serialize(&mut **self)
    }
    fn end(self) -> Folded {
        self.word(END);
        Ok(())
    }
}
