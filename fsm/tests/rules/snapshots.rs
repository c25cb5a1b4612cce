//! A snapshot is everything: a restored machine does nothing by being restored, and goes on alike.

use super::support::*;
use rea_fsm::{CallClass, Downstream, Snapshot, TimerKey};

fn everywhere() -> Vec<Machine> {
    let mut machines = vec![
        Machine::idle(),
        Machine::waiting(),
        Machine::spawning(),
        Machine::probing(),
        Machine::initializing(),
        Machine::listing(),
        Machine::ready(),
        Machine::suspect(),
        Machine::backoff(),
        Machine::reaping(),
        Machine::lingering(),
        Machine::stuck(),
        Machine::blocked(),
        Machine::flap_locked(),
        Machine::draining(),
        Machine::terminating(),
        Machine::closed(),
    ];
    for machine in &mut machines {
        machine.submit(7, CallClass::ReadOnly);
    }
    machines
}

#[test]
fn a_restored_machine_is_the_same_machine() {
    for machine in everywhere() {
        let snapshot = machine.inner.snapshot();
        let restored = Downstream::restore(snapshot.clone());
        assert_eq!(restored.snapshot(), snapshot);
        assert_eq!(restored.digest(), machine.inner.digest());
        assert_eq!(restored.view(), machine.inner.view());
        assert_eq!(restored.leaf(), machine.inner.leaf());
    }
}

#[test]
fn a_snapshot_survives_being_written_down() {
    for machine in everywhere() {
        let snapshot = machine.inner.snapshot();
        let text = serde_json::to_string(&snapshot).unwrap();
        let read: Snapshot = serde_json::from_str(&text).unwrap();
        assert_eq!(read, snapshot);
    }
}

#[test]
fn both_go_on_alike() {
    for machine in everywhere() {
        let mut one = machine.clone();
        let mut other = machine.clone();
        other.inner = Downstream::restore(machine.inner.snapshot());
        let events: [fn(&mut Machine) -> &mut Machine; 8] = [
            |machine| machine.at(machine.now + 500).reply(1),
            Machine::exited,
            Machine::slot,
            Machine::spawn_ok,
            |machine| machine.submit(8, CallClass::Unsafe),
            |machine| machine.at(machine.now + 30_000).timer(TimerKey::Handshake),
            |machine| machine.timer(TimerKey::Teardown),
            |machine| machine.stop(0),
        ];
        for event in events {
            event(&mut one);
            event(&mut other);
            assert_eq!(one.effects(), other.effects());
            assert_eq!(one.decision(), other.decision());
            assert_eq!(one.inner.digest(), other.inner.digest());
        }
    }
}

#[test]
fn the_digest_tells_machines_apart() {
    let digests: std::collections::BTreeSet<u64> = everywhere()
        .iter()
        .map(|machine| machine.inner.digest())
        .collect();
    assert_eq!(digests.len(), everywhere().len());
}

/// Logs hold digests: of what could be before there were questions they stay what they were.
#[test]
fn digests_without_questions_are_what_they_were() {
    let mut machine = Machine::ready_with(rea_fsm::Tuning::default());
    machine
        .submit(1, CallClass::Unsafe)
        .reply(1)
        .submit(2, CallClass::ReadOnly)
        .exited()
        .reconnect();
    assert_eq!(machine.inner.digest(), 1_599_813_903_409_036_013);
    assert_eq!(
        rea_fsm::digest(&machine.inner.snapshot()),
        16_651_015_271_364_253_258
    );
    assert_eq!(
        rea_fsm::digest(&rea_fsm::Tuning::default()),
        2_247_324_201_170_620_396
    );
}

#[test]
fn the_digest_knows_when_a_server_was_last_heard() {
    let heard_at = |at: u64| {
        let mut machine = Machine::ready_with(rea_fsm::Tuning {
            call_cap_ms: rea_fsm::Millis(50_000),
            ..rea_fsm::Tuning::default()
        });
        // The deadline is the cap's in both, so nothing else differs.
        machine.submit(1, CallClass::Unsafe).at(at).progress(1);
        machine.inner.digest()
    };
    assert_ne!(heard_at(1_000), heard_at(2_000));
}

#[test]
fn the_digest_knows_how_the_last_process_ended_and_what_is_armed() {
    let ended_with = |code: i32| {
        let mut machine = Machine::ready();
        let (status, unread) = (rea_fsm::ExitStatus::Code(code), Vec::new());
        machine.report(rea_fsm::Report::Exited { status, unread });
        // A new process is ready, and an answer has taken the error away.
        machine.reconnect().submit(1, CallClass::Unsafe).reply(1);
        machine.inner.digest()
    };
    assert_ne!(ended_with(1), ended_with(2));
    let list_wanted_at = |at: u64| {
        let mut machine = Machine::ready();
        machine.at(at).list_changed();
        machine.inner.digest()
    };
    assert_ne!(list_wanted_at(100), list_wanted_at(200));
}
