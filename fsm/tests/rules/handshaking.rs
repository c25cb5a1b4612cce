//! From the start of a process to its first list of tools.

use super::support::*;
use rea_fsm::{
    BlockReason, Effect, HandshakeFailure, Ignored, LastError, Leaf, Listing, LogEvent, Offer,
    Phase, Protocol, ProtocolVersion, Report, SpawnFailure, TeardownStep, Then, TimerKey, Tuning,
    Why,
};

fn speaking(protocol: Protocol) -> Tuning {
    Tuning {
        protocol,
        ..Tuning::default()
    }
}

fn connect_failed(error: LastError) -> Effect {
    log(LogEvent::ConnectFailed { error })
}

fn restarts(machine: &Machine) -> u32 {
    machine.inner.conn().restarts().counted()
}

#[test]
fn an_unknown_server_is_asked_what_it_is() {
    Machine::spawning()
        .at(100)
        .spawn_ok()
        .expect(
            Leaf::Connecting,
            [write_probe(1), arm(TimerKey::Probe, 3_100)],
        )
        .expect_state(&connecting(Phase::Probing, Why::Cold));
}

#[test]
fn a_server_whose_era_is_configured_is_not_asked() {
    Machine::spawning_with(speaking(Protocol::Legacy))
        .spawn_ok()
        .expect(Leaf::Connecting, [write_init(1)]);
    Machine::spawning_with(speaking(Protocol::Modern))
        .spawn_ok()
        .expect(Leaf::Connecting, [write_probe(1)]);
}

#[test]
fn an_error_or_silence_to_the_probe_means_legacy() {
    Machine::probing()
        .probe_legacy()
        .expect(Leaf::Connecting, [disarm(TimerKey::Probe), write_init(1)])
        .expect_state(&connecting(Phase::Initializing, Why::Cold));
    Machine::probing()
        .fire(TimerKey::Probe)
        .expect(Leaf::Connecting, [write_init(1)])
        .expect_state(&connecting(Phase::Initializing, Why::Cold));
}

#[test]
fn a_modern_server_is_listed_without_a_handshake_even_if_it_answers_late() {
    Machine::probing()
        .probe_modern()
        .expect(
            Leaf::Connecting,
            [disarm(TimerKey::Probe), write_list(1), Effect::Publish],
        )
        .expect_state(&connecting(Phase::Listing, Why::Cold));
    Machine::probing()
        .fire(TimerKey::Probe)
        .probe_modern()
        .expect(Leaf::Connecting, [write_list(1), Effect::Publish])
        .expect_state(&connecting(Phase::Listing, Why::Cold));
}

#[test]
fn a_legacy_handshake_ends_with_initialized_and_a_list() {
    Machine::initializing()
        .init_ok()
        .expect(
            Leaf::Connecting,
            [write_initialized(1), write_list(1), Effect::Publish],
        )
        .expect_state(&connecting(Phase::Listing, Why::Cold));
}

#[test]
fn a_listed_server_is_ready() {
    Machine::listing()
        .at(2_000)
        .listed(7, 3)
        .expect(
            Leaf::Ready,
            [
                catalogue_changed(1),
                disarm(TimerKey::Handshake),
                release(1),
                log(LogEvent::Connected {
                    generation: generation(1),
                }),
                arm(TimerKey::Stable, 32_000),
                disarm(TimerKey::Unready),
                Effect::Publish,
            ],
        )
        .expect_armed(&[(TimerKey::Stable, 32_000)]);
}

#[test]
fn a_server_without_tools_is_ready_at_once() {
    Machine::initializing()
        .report(Report::InitOk {
            offer: Offer {
                version: ProtocolVersion::V2025_03_26,
                listing: Listing::Nothing,
                digest: 0,
            },
        })
        .expect(
            Leaf::Ready,
            [
                write_initialized(1),
                catalogue_changed(1),
                disarm(TimerKey::Handshake),
                release(1),
                log(LogEvent::Connected {
                    generation: generation(1),
                }),
                arm(TimerKey::Stable, 30_000),
                disarm(TimerKey::Unready),
                Effect::Publish,
            ],
        );
}

#[test]
fn an_error_to_the_listing_does_not_keep_a_server_from_serving() {
    let mut machine = Machine::listing();
    machine.list_err().expect_leaf(Leaf::Ready);
    assert_eq!(machine.inner.conn().catalogue(), None);
    assert_eq!(
        machine.count(|effect| matches!(effect, Effect::CatalogueChanged { .. })),
        0
    );
}

#[test]
fn the_same_list_of_a_new_generation_is_no_change() {
    let mut machine = Machine::ready();
    machine
        .exited()
        .slot()
        .spawn_ok()
        .init_ok()
        .listed(1, 3)
        .expect(
            Leaf::Ready,
            [
                disarm(TimerKey::Handshake),
                release(2),
                log(LogEvent::Reconnected {
                    generation: generation(2),
                }),
                arm(TimerKey::Stable, 30_000),
                disarm(TimerKey::Unready),
                Effect::Publish,
            ],
        );
}

#[test]
fn the_handshake_has_one_limit_from_spawn_to_list() {
    let mut machine = Machine::spawning();
    machine.at(1_000).spawn_ok();
    machine.at(2_000).probe_legacy();
    machine.at(3_000).init_ok();
    machine.expect_armed(&[(TimerKey::Handshake, 20_000), (TimerKey::Unready, 60_000)]);
}

#[test]
fn a_handshake_that_takes_too_long_ends_the_process() {
    for mut machine in [
        Machine::probing_with(speaking(Protocol::Modern)),
        Machine::initializing(),
        Machine::listing(),
    ] {
        machine
            .fire(TimerKey::Handshake)
            .expect_state(&reaping(Then::Restart, TeardownStep::StdinClosed));
        assert_eq!(
            &machine.effects()[..4],
            [
                connect_failed(LastError::HandshakeTimedOut),
                release(1),
                close_stdin(1),
                arm(TimerKey::Teardown, 22_000),
            ]
        );
    }
}

#[test]
fn a_process_that_is_not_there_yet_is_waited_for_before_it_is_ended() {
    Machine::spawning()
        .fire(TimerKey::Handshake)
        .expect(
            Leaf::Reaping,
            [
                connect_failed(LastError::HandshakeTimedOut),
                release(1),
                arm(TimerKey::Teardown, 24_000),
                Effect::Publish,
            ],
        )
        .expect_state(&reaping(Then::Restart, TeardownStep::AwaitingSpawn));
}

#[test]
fn a_refused_handshake_ends_the_process_and_spends_a_restart() {
    for failure in [
        HandshakeFailure::Rpc { code: -32_603 },
        HandshakeFailure::Malformed,
    ] {
        let mut machine = Machine::initializing();
        machine
            .handshake_err(failure)
            .expect(
                Leaf::Reaping,
                [
                    connect_failed(LastError::Handshake { failure }),
                    disarm(TimerKey::Handshake),
                    release(1),
                    close_stdin(1),
                    arm(TimerKey::Teardown, 2_000),
                    Effect::Publish,
                ],
            )
            .expect_state(&reaping(Then::Restart, TeardownStep::StdinClosed))
            .exited()
            .expect_state(&connecting(Phase::Waiting, Why::Restart));
        assert_eq!(restarts(&machine), 1);
    }
}

#[test]
fn a_server_that_shares_no_revision_with_us_is_blocked_once_it_is_gone() {
    let block = Then::Block(BlockReason::ProtocolUnsupported);
    Machine::initializing()
        .handshake_err(HandshakeFailure::Unsupported)
        .expect_state(&reaping(block.clone(), TeardownStep::StdinClosed))
        .exited()
        .expect(
            Leaf::Blocked,
            [
                disarm(TimerKey::Teardown),
                log(LogEvent::Blocked {
                    reason: BlockReason::ProtocolUnsupported,
                }),
                Effect::Publish,
            ],
        );
    Machine::probing_with(speaking(Protocol::Modern))
        .probe_legacy()
        .expect_state(&reaping(block, TeardownStep::StdinClosed));
}

#[test]
fn a_death_during_the_handshake_is_a_death() {
    for mut machine in [
        Machine::spawning(),
        Machine::initializing(),
        Machine::listing(),
    ] {
        machine
            .at(700)
            .exited()
            .expect(
                Leaf::Connecting,
                [
                    child_died(1),
                    release(1),
                    acquire(2),
                    arm(TimerKey::Handshake, 20_700),
                    log(LogEvent::ReconnectAttempt { restarts: 1 }),
                    Effect::Publish,
                ],
            )
            .expect_state(&connecting(Phase::Waiting, Why::Restart));
        assert_eq!(restarts(&machine), 1);
    }
}

#[test]
fn pipes_that_end_before_the_process_does_give_it_a_moment() {
    for end in [Machine::stdout_eof, Machine::stdin_broken] {
        let mut machine = Machine::initializing();
        end(&mut machine)
            .expect_state(&reaping(Then::Restart, TeardownStep::Lingering))
            .expect_armed(&[(TimerKey::Teardown, 100), (TimerKey::Unready, 60_000)])
            .at(40)
            .exited()
            .expect_state(&connecting(Phase::Waiting, Why::Restart));
        assert_eq!(machine.effects()[0], child_died(1));
    }
}

#[test]
fn a_server_that_dies_of_the_probe_pays_nothing_and_is_not_probed_again() {
    let mut machine = Machine::probing();
    machine
        .exited()
        .expect(
            Leaf::Connecting,
            [
                child_died(1),
                disarm(TimerKey::Probe),
                release(1),
                acquire(2),
                arm(TimerKey::Handshake, 20_000),
                Effect::Publish,
            ],
        )
        .expect_state(&connecting(Phase::Waiting, Why::Cold));
    assert_eq!(restarts(&machine), 0);
    machine
        .slot()
        .spawn_ok()
        .expect(Leaf::Connecting, [write_init(2)])
        .exited();
    assert_eq!(restarts(&machine), 1, "the second death is a death");
    machine
        .slot()
        .spawn_ok()
        .expect(Leaf::Connecting, [write_init(3)]);
}

#[test]
fn the_same_holds_if_its_output_ends_first() {
    let mut machine = Machine::probing();
    machine
        .stdout_eof()
        .expect_state(&reaping(Then::Again(Why::Cold), TeardownStep::Lingering))
        .exited()
        .expect_state(&connecting(Phase::Waiting, Why::Cold));
    assert_eq!(restarts(&machine), 0);
}

#[test]
fn the_era_is_remembered_and_found_out_anew_when_it_fails() {
    let mut legacy = Machine::ready();
    legacy
        .exited()
        .slot()
        .spawn_ok()
        .expect(Leaf::Connecting, [write_init(2)])
        .handshake_err(HandshakeFailure::Malformed)
        .exited()
        .fire(TimerKey::Lock)
        .slot()
        .spawn_ok()
        .expect_state(&connecting(Phase::Probing, Why::LockProbe));

    let mut modern = Machine::probing();
    modern
        .probe_modern()
        .listed(1, 3)
        .exited()
        .slot()
        .spawn_ok()
        .expect(
            Leaf::Connecting,
            [write_probe(2), arm(TimerKey::Probe, 3_000)],
        );
}

#[test]
fn what_a_phase_does_not_wait_for_is_not_expected() {
    for mut machine in [
        Machine::probing(),
        Machine::initializing(),
        Machine::listing(),
    ] {
        machine
            .ignores(Ignored::Unexpected, Machine::spawn_ok)
            .ignores(Ignored::Unexpected, |machine| {
                machine.spawn_failed(SpawnFailure::System { errno: 12 })
            })
            .ignores(Ignored::Unexpected, Machine::io_err)
            .ignores(Ignored::Unexpected, Machine::pong)
            .ignores(Ignored::Unexpected, Machine::alive)
            .ignores(Ignored::UnknownCall, |machine| machine.reply(1));
    }
    Machine::spawning()
        .ignores(Ignored::Unexpected, Machine::init_ok)
        .ignores(Ignored::Unexpected, Machine::probe_modern);
    Machine::probing()
        .ignores(Ignored::Unexpected, Machine::init_ok)
        .ignores(Ignored::Unexpected, |machine| machine.listed(1, 1));
    Machine::initializing()
        .ignores(Ignored::Unexpected, |machine| machine.listed(1, 1))
        .ignores(Ignored::Unexpected, |machine| {
            machine.report(Report::ListErr {})
        })
        .ignores(Ignored::Unexpected, Machine::probe_legacy)
        .ignores(Ignored::Unexpected, Machine::list_changed);
    Machine::listing().ignores(Ignored::Unexpected, |machine| {
        machine.handshake_err(HandshakeFailure::Malformed)
    });
}
