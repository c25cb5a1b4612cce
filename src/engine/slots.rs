//! The spawn slots: how many servers may be starting at once.
//!
//! First come, first served. A request is named by its ticket, so that a grant which was on its
//! way when the request was taken back means nothing to anybody.

use super::ServerId;
use rea_fsm::Ticket;
use std::collections::{BTreeSet, VecDeque};

/// Slots held and slots waited for.
#[derive(Debug)]
pub(super) struct Slots {
    capacity: usize,
    held: BTreeSet<(ServerId, Ticket)>,
    waiting: VecDeque<(ServerId, Ticket)>,
}

impl Slots {
    /// So many servers may be starting at once; at least one.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            held: BTreeSet::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Asks for a slot. Asking again with the same ticket changes nothing.
    pub(super) fn acquire(&mut self, server: ServerId, ticket: Ticket) {
        let request = (server, ticket);
        if !self.held.contains(&request) && !self.waiting.contains(&request) {
            self.waiting.push_back(request);
        }
    }

    /// Gives a slot back, or takes the request back.
    pub(super) fn release(&mut self, server: ServerId, ticket: Ticket) {
        let request = (server, ticket);
        self.held.remove(&request);
        self.waiting.retain(|waiting| *waiting != request);
    }

    /// The next request that can be granted, now held.
    pub(super) fn grant(&mut self) -> Option<(ServerId, Ticket)> {
        if self.held.len() >= self.capacity {
            return None;
        }
        let request = self.waiting.pop_front()?;
        self.held.insert(request);
        Some(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_granted_in_order_and_never_more_than_there_are() {
        let mut slots = Slots::new(1);
        slots.acquire(ServerId(0), Ticket(1));
        slots.acquire(ServerId(1), Ticket(1));
        slots.acquire(ServerId(0), Ticket(1));
        assert_eq!(slots.grant(), Some((ServerId(0), Ticket(1))));
        assert_eq!(slots.grant(), None);
        slots.release(ServerId(0), Ticket(1));
        assert_eq!(slots.grant(), Some((ServerId(1), Ticket(1))));
        slots.release(ServerId(1), Ticket(1));
        assert_eq!(slots.grant(), None);
    }

    #[test]
    fn a_request_that_was_taken_back_is_not_granted() {
        let mut slots = Slots::new(1);
        slots.acquire(ServerId(0), Ticket(1));
        slots.release(ServerId(0), Ticket(1));
        slots.acquire(ServerId(0), Ticket(2));
        assert_eq!(slots.grant(), Some((ServerId(0), Ticket(2))));
    }
}
