//! What went wrong with calls: executed twice, or taking their server with them.

use super::original::{Answer, Original, Outcome};
use crate::support::*;
use rea_fsm::{CallClass, Effect, Executed, Health, Leaf, ReplyKind, TimerKey};

fn sends(machine: &Machine) -> u32 {
    let sent = machine.ever(|effect| matches!(effect, Effect::Send { .. }));
    u32::try_from(sent).unwrap_or(u32::MAX)
}

fn endings(machine: &Machine) -> u32 {
    let ended = machine.ever(|effect| {
        matches!(
            effect,
            Effect::CloseStdin { .. } | Effect::SignalGroup { .. }
        )
    });
    u32::try_from(ended).unwrap_or(u32::MAX)
}

/// What an answer with an error did to its server.
struct AfterAnError {
    executions: u32,
    endings: u32,
    healthy: bool,
}

/// A reply of any kind is proof of life and never makes a state worse.
fn error_is_harmless(seen: &AfterAnError) -> bool {
    seen.executions == 1 && seen.endings == 0 && seen.healthy
}

fn answered_with_an_error() -> AfterAnError {
    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::Unsafe)
        .reply_with(1, ReplyKind::RpcError { code: -32_602 });
    AfterAnError {
        executions: sends(&machine),
        endings: endings(&machine),
        healthy: machine.inner.view().health == Health::Healthy,
    }
}

fn original_answered_with(text: &'static str) -> AfterAnError {
    let mut original = Original::connected();
    original.call(Answer::Error(text));
    AfterAnError {
        executions: original.executions,
        endings: original.killed,
        healthy: !original.unhealthy,
    }
}

/// A server answers JSON-RPC −32602. The original killed its healthy child, executed the call
/// twice and stayed unhealthy.
#[test]
fn b01_an_error_answer_is_an_answer() {
    assert!(error_is_harmless(&answered_with_an_error()));
    assert!(!error_is_harmless(&original_answered_with(
        "Invalid params"
    )));
}

/// A tool's error text contains "Not connected", from its database say. The original took it for
/// its own transport's. Here no text reaches the core: an answer is its kind and its code.
#[test]
fn b02_no_decision_from_an_errors_text() {
    assert!(error_is_harmless(&answered_with_an_error()));
    assert!(!error_is_harmless(&original_answered_with(
        "postgres: Not connected"
    )));
}

/// A call crashes the child. The original sent it again, and it crashed again.
#[test]
fn b03_a_call_that_may_have_run_is_sent_once() {
    let rule = |executions: u32| executions == 1;

    let mut machine = Machine::ready();
    machine.submit(1, CallClass::Unsafe).exited();
    let told = machine.count(|effect| *effect == lost(1, Executed::Maybe));
    machine.reconnect();
    assert_eq!(told, 1, "the client learns that it may have run");
    assert!(rule(sends(&machine)));

    let mut original = Original::connected();
    original.call(Answer::Crashes);
    assert!(!rule(original.executions));
}

/// A slow call passes 60 s while another runs. The original killed the child, ran the slow call
/// again and failed the innocent one.
#[test]
fn b04_a_timeout_takes_nobody_with_it() {
    struct Seen {
        executions_of_the_slow: u32,
        endings: u32,
        innocent: Outcome,
    }
    let rule = |seen: &Seen| {
        seen.executions_of_the_slow == 1 && seen.endings == 0 && seen.innocent == Outcome::Ok
    };

    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::Unsafe)
        .at(30_000)
        .submit(2, CallClass::Unsafe)
        .fire_call(1)
        .expect_leaf(Leaf::Suspect)
        .fire(TimerKey::Pong)
        .expect_leaf(Leaf::Suspect)
        .at(80_000)
        .reply(2);
    assert!(rule(&Seen {
        executions_of_the_slow: sends(&machine) - 1,
        endings: endings(&machine),
        innocent: if machine.count(|effect| *effect == replied(2)) == 1 {
            Outcome::Ok
        } else {
            Outcome::Failed
        },
    }));

    let mut original = Original::connected();
    let child_of_the_innocent = original.client;
    original.call(Answer::TimesOut);
    assert!(!rule(&Seen {
        executions_of_the_slow: original.executions,
        endings: original.killed,
        innocent: if original.client == child_of_the_innocent {
            Outcome::Ok
        } else {
            Outcome::Failed
        },
    }));
}

/// A child hangs after one reconnect has failed. In the original the flag "attempted" was never
/// taken back, and the same hung child was used for ever.
#[test]
fn b05_a_hung_process_is_always_replaced() {
    let rule = |before: Option<u32>, after: Option<u32>| before != after;

    let mut machine = Machine::ready();
    machine
        .exited()
        .slot()
        .spawn_ok()
        .handshake_err(rea_fsm::HandshakeFailure::Malformed)
        .exited()
        .fire(TimerKey::Lock)
        .reconnect();
    for call in 1..=3 {
        let hung = machine.inner.conn().generation();
        machine
            .submit(call, CallClass::Unsafe)
            .fire_call(call)
            .fire(TimerKey::Pong)
            .expect_leaf(Leaf::Reaping)
            .exited();
        if machine.inner.leaf() == Leaf::FlapLocked {
            machine.fire(TimerKey::Lock);
        }
        machine.reconnect();
        let next = machine.inner.conn().generation();
        assert!(rule(hung.map(|it| it.0), next.map(|it| it.0)));
    }

    let mut original = Original::connected();
    original.handshake_fails = true;
    original.call(Answer::TimesOut);
    original.handshake_fails = false;
    original.now = 1_000_000;
    original.call(Answer::TimesOut);
    let hung = original.client;
    for _ in 0..3 {
        original.now += 1_000_000;
        original.call(Answer::TimesOut);
        assert!(!rule(hung, original.client));
    }
}

/// Shutdown with a call in flight. In the original the call's error path started a new child and
/// sent the call again; that child survived.
#[test]
fn b07_after_a_stop_nothing_is_started_or_sent() {
    let rule = |spawned: u32, executions: u32| spawned == 1 && executions == 1;

    for class in [CallClass::ReadOnly, CallClass::Unsafe] {
        let mut machine = Machine::ready();
        machine
            .submit(1, class)
            .stop(1_000)
            .exited_unread(&[1])
            .expect_leaf(Leaf::Closed)
            .slot()
            .retry()
            .start();
        let spawned = machine.ever(|effect| matches!(effect, Effect::Spawn { .. }));
        assert!(rule(u32::try_from(spawned).unwrap_or(0), sends(&machine)));
    }

    let mut original = Original::connected();
    original.executions = 1;
    original.close();
    original.failed("Connection closed", Answer::Result);
    assert!(!rule(original.spawned, original.executions));
}
