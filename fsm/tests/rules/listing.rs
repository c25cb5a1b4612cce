//! Listing while connected: at most one request out and one wanted, a second apart.

use super::support::*;
use rea_fsm::{Effect, Ignored, Leaf, TimerKey};

#[test]
fn a_changed_list_is_asked_for_at_once_if_the_last_is_a_second_old() {
    Machine::ready()
        .at(1_000)
        .list_changed()
        .expect(Leaf::Ready, [write_list(1), arm(TimerKey::List, 21_000)]);
}

#[test]
fn or_when_the_second_is_over() {
    Machine::ready()
        .at(400)
        .list_changed()
        .expect(Leaf::Ready, [arm(TimerKey::List, 1_400)])
        .ignores(Ignored::AlreadyWanted, Machine::list_changed)
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [write_list(1), arm(TimerKey::List, 21_400)]);
}

#[test]
fn a_change_while_a_request_is_out_is_asked_for_afterwards_and_once() {
    Machine::ready()
        .at(1_000)
        .list_changed()
        .list_changed()
        .expect_quiet(Leaf::Ready)
        .ignores(Ignored::AlreadyWanted, Machine::list_changed)
        .at(1_500)
        .listed(2, 4)
        .expect(
            Leaf::Ready,
            [
                catalogue_changed(1),
                disarm(TimerKey::List),
                arm(TimerKey::List, 2_500),
                Effect::Publish,
            ],
        )
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [write_list(1), arm(TimerKey::List, 22_500)]);
}

#[test]
fn another_content_or_another_length_is_a_change() {
    for (digest, count) in [(2, 3), (1, 4)] {
        let mut machine = Machine::ready();
        machine.at(1_000).list_changed().listed(1, 3);
        machine.at(3_000).list_changed().listed(digest, count);
        assert_eq!(
            machine.count(|effect| matches!(effect, Effect::CatalogueChanged { .. })),
            1,
            "{digest}, {count}"
        );
    }
}

#[test]
fn a_list_that_is_the_same_is_no_change() {
    Machine::ready()
        .at(1_000)
        .list_changed()
        .at(1_100)
        .listed(1, 3)
        .expect(Leaf::Ready, [disarm(TimerKey::List)])
        .expect_armed(&[(TimerKey::Stable, 30_000)]);
}

#[test]
fn an_unanswered_request_is_made_again_after_a_pause() {
    Machine::ready()
        .at(1_000)
        .list_changed()
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [arm(TimerKey::List, 22_000)])
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [write_list(1), arm(TimerKey::List, 42_000)]);
}

#[test]
fn a_late_answer_counts() {
    Machine::ready()
        .at(1_000)
        .list_changed()
        .fire(TimerKey::List)
        .at(21_500)
        .listed(2, 2)
        .expect(
            Leaf::Ready,
            [
                catalogue_changed(1),
                disarm(TimerKey::List),
                Effect::Publish,
            ],
        )
        .expect_armed(&[(TimerKey::Stable, 30_000)]);
}

#[test]
fn a_late_refusal_does_not_make_the_pause_longer() {
    Machine::ready()
        .at(1_000)
        .list_changed()
        .fire(TimerKey::List)
        .ignores(Ignored::Unexpected, Machine::list_err)
        .listed_but_for(1, 2, 2)
        .expect(Leaf::Ready, [catalogue_changed(1), Effect::Publish])
        .expect_armed(&[(TimerKey::Stable, 30_000), (TimerKey::List, 22_000)]);
}

#[test]
fn a_late_answer_is_taken_although_the_list_has_changed_since_and_asked_for_anew() {
    Machine::ready()
        .at(1_000)
        .list_changed()
        .list_changed()
        .fire(TimerKey::List)
        .listed(2, 2)
        .expect(Leaf::Ready, [catalogue_changed(1), Effect::Publish])
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [write_list(1), arm(TimerKey::List, 42_000)]);
}

#[test]
fn pauses_double_up_to_a_minute_and_begin_anew_after_a_whole_list() {
    let mut machine = Machine::ready();
    machine.at(1_000).list_changed();
    let mut now = 1_000;
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        now += 10;
        machine.at(now).list_err();
        now += pause * 1_000;
        machine
            .expect(
                Leaf::Ready,
                [disarm(TimerKey::List), arm(TimerKey::List, now)],
            )
            .fire(TimerKey::List)
            .expect(
                Leaf::Ready,
                [write_list(1), arm(TimerKey::List, now + 20_000)],
            );
    }
    machine.listed(2, 2).at(now + 5_000).list_changed();
    machine.list_err().expect(
        Leaf::Ready,
        [disarm(TimerKey::List), arm(TimerKey::List, now + 6_000)],
    );
}

#[test]
fn a_change_ends_a_long_pause() {
    let mut machine = Machine::ready();
    machine.at(1_000).list_changed().list_err();
    for _ in 0..3 {
        machine.fire(TimerKey::List).list_err();
    }
    machine
        .at(8_000)
        .expect_armed(&[(TimerKey::Stable, 30_000), (TimerKey::List, 16_000)])
        .list_changed()
        .expect(Leaf::Ready, [arm(TimerKey::List, 9_000)])
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [write_list(1), arm(TimerKey::List, 29_000)]);
}

#[test]
fn lists_that_have_arrived_are_told_and_the_others_asked_for_again() {
    Machine::ready()
        .at(1_000)
        .list_changed()
        .at(1_100)
        .listed_but_for(1, 2, 4)
        .expect(
            Leaf::Ready,
            [
                catalogue_changed(1),
                disarm(TimerKey::List),
                arm(TimerKey::List, 2_100),
                Effect::Publish,
            ],
        )
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [write_list(1), arm(TimerKey::List, 22_100)]);
}

#[test]
fn so_is_what_the_first_listing_did_not_bring() {
    let mut machine = Machine::listing();
    machine.at(5_000).listed_but_for(1, 1, 3);
    machine
        .expect_armed(&[(TimerKey::Stable, 35_000), (TimerKey::List, 6_000)])
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [write_list(1), arm(TimerKey::List, 26_000)])
        .at(6_100)
        .list_err()
        .expect(
            Leaf::Ready,
            [disarm(TimerKey::List), arm(TimerKey::List, 8_100)],
        );
}

fn tells_of_changes(machine: &Machine) -> usize {
    machine.count(|effect| matches!(effect, Effect::CatalogueChanged { .. }))
}

#[test]
fn what_a_server_says_of_itself_is_told_although_it_does_not_list() {
    let mut machine = Machine::initializing();
    machine.init_saying(9);
    machine.list_err();
    assert_eq!(machine.inner.leaf(), Leaf::Ready);
    assert_eq!(tells_of_changes(&machine), 1);
    assert_eq!(machine.inner.conn().catalogue(), None);
    machine.fire(TimerKey::List).list_err();
    assert_eq!(tells_of_changes(&machine), 0, "it is known");
}

#[test]
fn a_process_that_says_something_else_of_itself_is_a_change_although_its_lists_are_the_same() {
    for (second, changes) in [(9, 0), (8, 1)] {
        let mut machine = Machine::initializing();
        machine.init_saying(9).listed(1, 3);
        machine.exited().slot().spawn_ok().init_saying(second);
        machine.listed(1, 3);
        assert_eq!(machine.inner.leaf(), Leaf::Ready);
        assert_eq!(tells_of_changes(&machine), changes, "{second}");
    }
}

#[test]
fn an_unanswered_request_with_another_wanted_is_made_again() {
    Machine::ready()
        .at(1_000)
        .list_changed()
        .list_changed()
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [arm(TimerKey::List, 22_000)]);
}

#[test]
fn a_list_that_nobody_asked_for_is_not_taken() {
    Machine::ready()
        .ignores(Ignored::Unexpected, |machine| machine.listed(2, 2))
        .ignores(Ignored::Unexpected, Machine::list_err)
        .at(100)
        .list_changed()
        .ignores(Ignored::Unexpected, Machine::list_err);
}

#[test]
fn a_change_during_the_first_listing_is_asked_for_when_ready() {
    Machine::listing()
        .list_changed()
        .expect_quiet(Leaf::Connecting)
        .listed(1, 3)
        .expect_armed(&[(TimerKey::Stable, 30_000), (TimerKey::List, 1_000)])
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [write_list(1), arm(TimerKey::List, 21_000)]);
}

#[test]
fn a_request_dies_with_its_process() {
    Machine::ready()
        .at(1_000)
        .list_changed()
        .exited()
        .reconnect()
        .expect_armed(&[(TimerKey::Stable, 31_000)])
        .ignores(Ignored::Unexpected, |machine| machine.listed(2, 2));
}

#[test]
fn an_error_to_a_listing_is_followed_by_a_pause() {
    Machine::ready()
        .at(5_000)
        .list_changed()
        .at(5_010)
        .list_err()
        .expect(
            Leaf::Ready,
            [disarm(TimerKey::List), arm(TimerKey::List, 6_010)],
        )
        .at(5_020)
        .list_changed()
        .expect_quiet(Leaf::Ready)
        .ignores(Ignored::AlreadyWanted, Machine::list_changed)
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [write_list(1), arm(TimerKey::List, 26_010)])
        .at(6_500)
        .list_err()
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [write_list(1), arm(TimerKey::List, 28_500)]);
}

#[test]
fn so_is_an_error_to_the_first() {
    let mut machine = Machine::listing();
    machine.at(5_000).list_err();
    machine
        .expect_armed(&[(TimerKey::Stable, 35_000), (TimerKey::List, 6_000)])
        .list_changed()
        .expect_quiet(Leaf::Ready)
        .fire(TimerKey::List)
        .expect(Leaf::Ready, [write_list(1), arm(TimerKey::List, 26_000)]);
}

#[test]
fn a_wish_dies_with_the_process_that_uttered_it() {
    Machine::listing()
        .list_changed()
        .exited()
        .reconnect()
        .expect_armed(&[(TimerKey::Stable, 30_000)]);
}

#[test]
fn what_is_known_of_the_list_is_told() {
    let mut machine = Machine::listing();
    assert_eq!(machine.inner.conn().catalogue(), None);
    machine.listed(77, 3);
    assert!(machine.inner.conn().catalogue().is_some());
}
