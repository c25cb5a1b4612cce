//! A suspicion: the server is asked whether it lives and goes on serving. Any valid message clears
//! it. It is ended only if no call that was sent before the question may still speak for it.

use super::support::*;
use rea_fsm::{
    CallClass, Effect, Ignored, LastError, Leaf, LogEvent, Millis, Report, TeardownStep, Then,
    TimerKey, Tuning,
};

fn unresponsive() -> Effect {
    log(LogEvent::TransportError {
        error: LastError::Unresponsive,
    })
}

#[test]
fn a_broken_frame_raises_it() {
    let error = LastError::Io {
        kind: rea_fsm::IoErrorKind::OversizedLine,
    };
    Machine::ready()
        .at(1_000)
        .io_err()
        .expect(
            Leaf::Suspect,
            [
                log(LogEvent::TransportError { error }),
                ping(1),
                arm(TimerKey::Pong, 6_000),
                Effect::Publish,
            ],
        )
        .expect_state(&rea_fsm::State::Suspect {
            ping_at: Millis(1_000),
        })
        .ignores(Ignored::AlreadySuspected, Machine::io_err);
}

#[test]
fn every_valid_message_clears_it() {
    let messages: [fn(&mut Machine) -> &mut Machine; 6] = [
        Machine::pong,
        Machine::alive,
        Machine::list_err,
        |machine| machine.listed(9, 9),
        |machine| machine.reply(9),
        |machine| machine.progress(9),
    ];
    for message in messages {
        let mut machine = Machine::suspect();
        machine.at(300);
        message(&mut machine).expect(Leaf::Ready, [disarm(TimerKey::Pong), Effect::Publish]);
    }
    Machine::suspect().at(1_500).list_changed().expect(
        Leaf::Ready,
        [
            write_list(1),
            arm(TimerKey::List, 21_500),
            disarm(TimerKey::Pong),
            Effect::Publish,
        ],
    );
}

#[test]
fn silence_ends_the_process() {
    Machine::suspect()
        .fire(TimerKey::Pong)
        .expect(
            Leaf::Reaping,
            [
                unresponsive(),
                disarm(TimerKey::Stable),
                close_stdin(1),
                arm(TimerKey::Teardown, 7_000),
                arm(TimerKey::Unready, 65_000),
                Effect::Publish,
            ],
        )
        .expect_state(&reaping(Then::Restart, TeardownStep::StdinClosed));
}

#[test]
fn a_call_from_before_the_question_and_inside_its_deadline_speaks_for_it() {
    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::Unsafe)
        .at(10_000)
        .submit(2, CallClass::Unsafe)
        .at(20_000)
        .io_err()
        .fire(TimerKey::Pong)
        .expect(Leaf::Suspect, [arm(TimerKey::Pong, 70_000)])
        .fire_call(1)
        .at(70_000)
        .timer(TimerKey::Pong)
        .expect_leaf(Leaf::Reaping);
}

#[test]
fn a_call_from_after_the_question_does_not() {
    Machine::suspect()
        .at(1)
        .submit(1, CallClass::Unsafe)
        .fire(TimerKey::Pong)
        .expect_leaf(Leaf::Reaping);
}

#[test]
fn nor_does_one_past_its_deadline() {
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .fire_call(1)
        .fire(TimerKey::Pong)
        .expect_leaf(Leaf::Reaping);
}

#[test]
fn nor_does_one_that_was_answered_meanwhile() {
    // The answer itself clears the suspicion; the next question starts anew.
    Machine::ready()
        .submit(1, CallClass::Unsafe)
        .io_err()
        .reply(1)
        .io_err()
        .fire(TimerKey::Pong)
        .expect_leaf(Leaf::Reaping);
}

#[test]
fn in_good_times_nobody_waits_for_a_pong() {
    Machine::ready()
        .ignores(Ignored::Unexpected, Machine::pong)
        .ignores(Ignored::Unexpected, Machine::alive);
}

#[test]
fn a_pong_of_the_process_before_clears_nothing() {
    let mut machine = Machine::ready();
    machine
        .exited()
        .reconnect()
        .io_err()
        .expect_leaf(Leaf::Suspect)
        .ignores(Ignored::StaleGeneration, |machine| {
            machine.report_of(1, Report::Pong {})
        });
}

fn with_heartbeat() -> Tuning {
    Tuning {
        heartbeat_ms: Millis(10_000),
        ..Tuning::default()
    }
}

#[test]
fn the_heartbeat_is_off_unless_it_is_asked_for() {
    Machine::ready().expect_armed(&[(TimerKey::Stable, 30_000)]);
}

#[test]
fn a_heartbeat_counts_from_the_last_sign_of_life() {
    Machine::ready_with(with_heartbeat())
        .submit(1, CallClass::Unsafe)
        .at(4_000)
        .reply(1)
        .fire(TimerKey::Heartbeat)
        .expect(Leaf::Ready, [arm(TimerKey::Heartbeat, 14_000)]);
}

#[test]
fn under_suspicion_the_heartbeat_asks_no_second_time() {
    let mut machine = Machine::suspect_with(Tuning {
        pong_ms: Millis(15_000),
        ..with_heartbeat()
    });
    machine
        .fire(TimerKey::Heartbeat)
        .expect(Leaf::Suspect, [arm(TimerKey::Heartbeat, 20_000)]);
}

#[test]
fn silence_is_watched_from_the_moment_that_it_is_asked_for() {
    Machine::ready()
        .at(4_000)
        .configure(with_heartbeat())
        .expect(Leaf::Ready, [arm(TimerKey::Heartbeat, 14_000)]);
    Machine::ready_with(with_heartbeat())
        .configure(Tuning::default())
        .expect(Leaf::Ready, [disarm(TimerKey::Heartbeat)]);
}

#[test]
fn a_death_under_suspicion_is_a_death() {
    Machine::suspect()
        .submit(1, CallClass::Unsafe)
        .exited_unread(&[1])
        .expect_leaf(Leaf::Connecting);
}

#[test]
fn the_heartbeat_goes_on_after_the_suspicion_that_it_raised() {
    Machine::ready_with(with_heartbeat())
        .fire(TimerKey::Heartbeat)
        .expect(
            Leaf::Suspect,
            [
                arm(TimerKey::Heartbeat, 20_000),
                ping(1),
                arm(TimerKey::Pong, 15_000),
                Effect::Publish,
            ],
        )
        .at(10_100)
        .pong()
        .fire(TimerKey::Heartbeat)
        .expect(Leaf::Ready, [arm(TimerKey::Heartbeat, 20_100)])
        .fire(TimerKey::Heartbeat)
        .expect_leaf(Leaf::Suspect);
}

#[test]
fn a_server_that_waits_for_a_person_is_not_ended_for_its_silence() {
    let mut machine = Machine::ready();
    machine
        .submit(1, CallClass::Unsafe)
        .asked(1)
        .fire_call(1)
        .expect_leaf(Leaf::Suspect);
    for _ in 0..10 {
        machine.fire(TimerKey::Pong).expect_leaf(Leaf::Suspect);
    }
    // Once it is answered it has to say something.
    machine
        .answered(1)
        .fire(TimerKey::Pong)
        .expect_leaf(Leaf::Reaping);
}

#[test]
fn a_question_whose_time_is_over_excuses_nobody() {
    // The call's deadline, the liveness timeout and the question's time end at one instant.
    let tuning = Tuning {
        pong_ms: Millis(5_000),
        question_ms: Millis(TIMEOUT_MS + 5_000),
        ..Tuning::default()
    };
    let mut machine = Machine::ready_with(tuning);
    machine
        .submit(1, CallClass::Unsafe)
        .asked(1)
        .fire_call(1)
        .expect_leaf(Leaf::Suspect)
        .fire(TimerKey::Pong)
        .expect_leaf(Leaf::Reaping);
}
