//! The rules of the machine, one file for each group: build a machine, let something happen,
//! assert the state and every effect.
mod rules {
    mod blocker;
    mod breaker;
    mod cancelling;
    mod closing;
    mod deadlines;
    mod gathering;
    mod handshaking;
    mod held_calls;
    mod idle;
    mod listing;
    mod losses;
    mod operators;
    mod oversleeping;
    mod progress;
    mod questions;
    mod queueing;
    mod replies;
    mod restarts;
    mod sending;
    mod slots;
    mod snapshots;
    mod stuck;
    mod support;
    mod suspicion;
    mod teardown;
    mod timers;
    mod tunings;
    mod view;
}
