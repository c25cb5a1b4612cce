//! What is known of the server's lists, and when they are asked for.
//!
//! ```text
//!           list_changed          a whole list
//! Settled ───────────────▶ Out ────────────────▶ Settled
//!    ▲                      │ ▲
//!    │ a whole list,        │ │ the pause is over
//!    │ too late             ▼ │
//!    └─────────────────── Paused          an error, or no answer in time, or only some lists
//! ```
//!
//! Invariant: as long as a connected server owes a whole list, either a request is out or a pause
//! ends. The pauses double, so that a server that can't list is not asked for ever at one pace.

use super::{Conn, Turn};
use crate::decision::Ignored;
use crate::effect::Effect;
use crate::id::{Generation, Millis, TimerKey};
use serde::{Deserialize, Serialize};

/// After so many listings in vain the pause grows no more.
const FRUITLESS_MAX: u8 = 7;

/// No pause is longer than so many times the least time between two listings.
const PAUSE_GAPS_MAX: u64 = 60;

/// What is known of the list of tools; the list itself is kept outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Digest over the tools.
    pub digest: u64,
    /// How many there are.
    pub count: u32,
    /// When it arrived.
    pub listed_at: Millis,
    /// Whose list it is.
    pub generation: Generation,
}

/// Listing while connected: at most one request is out and one is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListState {
    /// Nothing is going on.
    #[default]
    Settled,
    /// A request is out.
    Out,
    /// A request is out, and the list has changed since.
    OutAndWanted,
    /// The list has changed; the pause since the last listing is not over.
    Wanted,
    /// Listing has failed; it is tried again when the pause is over.
    Paused,
}

/// What is remembered beside the last list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listings {
    /// How many listings in a row have not brought everything; counted no further than it matters.
    fruitless: u8,
    /// Digest over what the current process has said of itself.
    offered: u64,
    /// The last of these that anybody was told of.
    told: u64,
}

impl Listings {
    /// Logs that were written before there was anything to remember have digests without it.
    pub(crate) fn is_untouched(&self) -> bool {
        *self == Self::default()
    }
}

impl Conn {
    /// A process has said what it offers.
    pub(super) const fn offered(&mut self, digest: u64) {
        self.listings.offered = digest;
    }

    /// Takes in a list of tools and tells whether anybody has to hear of it, or of what the server
    /// says of itself.
    pub(super) fn take_catalogue(&mut self, digest: u64, count: u32, turn: &mut Turn<'_>) {
        let Some(generation) = self.generation else {
            return;
        };
        let differs = self
            .catalogue
            .is_none_or(|old| old.digest != digest || old.count != count);
        self.catalogue = Some(Catalogue {
            digest,
            count,
            listed_at: turn.at,
            generation,
        });
        if differs {
            self.tell(generation, turn);
        } else {
            self.tell_offer(turn);
        }
    }

    /// What a server says of itself is told also if its lists can't be had.
    pub(super) fn tell_offer(&mut self, turn: &mut Turn<'_>) {
        if let Some(generation) = self.generation
            && self.listings.offered != self.listings.told
        {
            self.tell(generation, turn);
        }
    }

    fn tell(&mut self, generation: Generation, turn: &mut Turn<'_>) {
        self.listings.told = self.listings.offered;
        turn.effects.push(Effect::CatalogueChanged { generation });
    }

    /// The first listing is over, before the server is ready; the pause begins when it is.
    pub(super) fn first_listed(&mut self, missing: u32) {
        self.listings.fruitless = u8::from(missing > 0);
        if missing > 0 && self.list == ListState::Settled {
            self.list = ListState::Paused;
        }
    }

    /// Lists have arrived: those that were asked for, or, in a pause, those that are late.
    pub(super) fn listed(&mut self, digest: u64, count: u32, missing: u32, turn: &mut Turn<'_>) {
        if self.list == ListState::Settled {
            turn.ignored = Some(Ignored::Unexpected);
            return;
        }
        self.take_catalogue(digest, count, turn);
        if missing > 0 {
            return self.list_failed(turn);
        }
        self.listings.fruitless = 0;
        match self.list {
            ListState::Out | ListState::Paused | ListState::Settled => {
                self.disarm(TimerKey::List, turn);
                self.list = ListState::Settled;
            }
            ListState::OutAndWanted => self.want_list(turn),
            ListState::Wanted => {}
        }
    }

    /// The server does not list.
    pub(super) fn not_listed(&mut self, turn: &mut Turn<'_>) {
        match self.list {
            ListState::Out | ListState::OutAndWanted => self.list_failed(turn),
            ListState::Settled | ListState::Wanted | ListState::Paused => {
                turn.ignored = Some(Ignored::Unexpected);
            }
        }
    }

    /// What is missing is asked for again after a pause.
    fn list_failed(&mut self, turn: &mut Turn<'_>) {
        match self.list {
            ListState::Out => {
                self.count_fruitless();
                self.disarm(TimerKey::List, turn);
                self.list = ListState::Paused;
                let pause = self.pause();
                self.arm(TimerKey::List, pause, turn);
            }
            ListState::OutAndWanted => {
                self.count_fruitless();
                self.want_list(turn);
            }
            // It is late, and the pause counts from when it was given up.
            ListState::Settled | ListState::Wanted | ListState::Paused => {}
        }
    }

    fn count_fruitless(&mut self) {
        let fruitless = &mut self.listings.fruitless;
        *fruitless = fruitless.saturating_add(1).min(FRUITLESS_MAX);
    }

    fn pause(&self) -> Millis {
        let doublings = u32::from(self.listings.fruitless.saturating_sub(1));
        let gaps = 1_u64
            .checked_shl(doublings)
            .map_or(PAUSE_GAPS_MAX, |gaps| gaps.min(PAUSE_GAPS_MAX));
        Millis(self.tuning.list_gap_ms.0.saturating_mul(gaps))
    }

    /// The server says that its list is another one now.
    pub(super) fn list_changed(&mut self, turn: &mut Turn<'_>) {
        match self.list {
            ListState::Settled => {
                let listed_at = self
                    .catalogue
                    .map_or(Millis::ZERO, |catalogue| catalogue.listed_at);
                if turn.at.since(listed_at) >= self.tuning.list_gap_ms {
                    self.ask_for_list(turn);
                } else {
                    self.want_list(turn);
                }
            }
            ListState::Out => self.list = ListState::OutAndWanted,
            ListState::Paused => {
                self.list = ListState::Wanted;
                // Whoever says so may be able to list again.
                let soon = turn.at.plus(self.tuning.list_gap_ms);
                if self.timers.due(TimerKey::List).is_none_or(|due| due > soon) {
                    self.timers.arm(TimerKey::List, soon, turn.effects);
                }
            }
            ListState::OutAndWanted | ListState::Wanted => {
                turn.ignored = Some(Ignored::AlreadyWanted);
            }
        }
    }

    /// The pause is over, or the request found no answer in time.
    pub(super) fn list_timer(&mut self, turn: &mut Turn<'_>) {
        match self.list {
            ListState::Wanted | ListState::Paused => self.ask_for_list(turn),
            ListState::Out | ListState::OutAndWanted => self.list_failed(turn),
            ListState::Settled => {}
        }
    }

    fn ask_for_list(&mut self, turn: &mut Turn<'_>) {
        self.list = ListState::Out;
        self.write(|generation| Effect::WriteList { generation }, turn);
        self.arm(TimerKey::List, self.tuning.list_ms, turn);
    }

    fn want_list(&mut self, turn: &mut Turn<'_>) {
        self.disarm(TimerKey::List, turn);
        self.list = ListState::Wanted;
        self.arm(TimerKey::List, self.tuning.list_gap_ms, turn);
    }

    /// Whatever was asked of a process dies with it.
    pub(super) const fn forget_listing(&mut self) {
        self.list = ListState::Settled;
        self.listings.fruitless = 0;
    }
}
