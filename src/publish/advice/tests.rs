use super::*;
use rea_fsm::{Downstream, Tuning};

fn view(state: Leaf, last_error: Option<LastError>) -> View {
    View {
        state,
        last_error,
        ..Downstream::new(Tuning::default(), 0).view().clone()
    }
}

fn wall(at: Millis) -> String {
    format!("T+{at}")
}

fn next(view: &View, due: Option<Millis>) -> Vec<String> {
    let around = Around {
        wall: &wall,
        due,
        stderr: Stderr::In("logs/one.log"),
    };
    super::next(view, &around)
}

fn blocked(reason: BlockReason) -> View {
    let failure = SpawnFailure::Blocked(reason);
    view(Leaf::Blocked, Some(LastError::SpawnFailed { failure }))
}

#[test]
fn every_state_has_words_and_a_future() {
    for leaf in Leaf::ALL {
        let view = view(leaf, None);
        assert!(!state(&view).ends_with('.'), "{leaf}");
        let next = next(&view, Some(Millis(1_500)));
        assert!(next[0].ends_with('.'), "{leaf}: {next:?}");
    }
}

#[test]
fn a_missing_variable_is_named_and_so_is_the_place_to_set_it() {
    let view = blocked(BlockReason::MissingEnv {
        names: vec!["TOKEN".to_owned(), "USER_ID".to_owned()],
    });
    assert_eq!(
        state(&view),
        "blocked, calls fail at once: missing env: TOKEN, USER_ID; set it where the gateway is \
         started"
    );
    assert_eq!(last_error(&view), None, "said already");
    assert_eq!(
        next(&view, None),
        [
            "Nothing happens by itself: it is tried again when the gateway is started anew.",
            "Set TOKEN and USER_ID where the gateway is started; then start the gateway anew \
             (reconnect it in its client)."
        ]
    );
}

#[test]
fn what_speaks_no_common_revision_is_blocked_for_that() {
    let failure = HandshakeFailure::Unsupported;
    let view = view(Leaf::Blocked, Some(LastError::Handshake { failure }));
    assert!(state(&view).contains("no revision of the protocol"));
    assert!(next(&view, None)[1].starts_with("Use a version of the server"));
}

#[test]
fn a_lock_says_when_it_ends_and_where_to_look() {
    let status = ExitStatus::Code(7);
    let view = View {
        retry_at_ms: Some(Millis(30_250)),
        ..view(Leaf::FlapLocked, Some(LastError::ChildDied { status }))
    };
    assert_eq!(
        next(&view, None),
        [
            "It is tried once more at T+30.250 s; if that fails, it is locked again.",
            "Read what it wrote to its standard error: logs/one.log"
        ]
    );
    assert_eq!(
        last_error(&view).as_deref(),
        Some("child process exited unexpectedly: exit code 7")
    );
}

#[test]
fn some_deaths_say_more() {
    let said = |status| cure(&LastError::ChildDied { status }, Stderr::Nothing);
    assert!(said(ExitStatus::Signal(9))[0].contains("memory"));
    assert!(said(ExitStatus::Signal(11))[0].contains("crashed"));
    assert!(said(ExitStatus::Code(0))[0].contains("arguments"));
    assert_eq!(said(ExitStatus::Code(1)).len(), 1);
    assert!(said(ExitStatus::Code(1))[0].contains("by hand"));
}

#[test]
fn a_handshake_says_how_long_it_has() {
    let view = view(Leaf::Connecting, Some(LastError::HandshakeTimedOut));
    let next = next(&view, Some(Millis(20_000)));
    assert!(
        next[0].starts_with("If it is not ready by T+20.000 s, "),
        "{next:?}"
    );
    assert!(next[1].contains("`handshake_timeout`"), "{next:?}");
}

#[test]
fn an_open_circuit_is_told_of_although_the_server_is_ready() {
    let circuit = Circuit::Open {
        until: Millis(60_000),
        cause: FaultCause::Timeout,
    };
    let view = View {
        circuit,
        ..view(Leaf::Ready, Some(LastError::CallTimedOut))
    };
    assert!(state(&view).contains("refused"));
    assert_eq!(
        super::circuit(circuit, &wall),
        "open until T+60.000 s: calls were not answered in time"
    );
    let next = next(&view, None);
    assert!(
        next[0].starts_with("One call is let through from T+60.000 s on"),
        "{next:?}"
    );
    assert!(next[1].contains("`call_hard_cap`"), "{next:?}");
}

#[test]
fn a_healthy_server_needs_nobody() {
    assert_eq!(next(&view(Leaf::Ready, None), None).len(), 1);
}
