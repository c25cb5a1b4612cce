//! The sealed `requestState`. An input's lines are: the numbers of a held call (server, call,
//! round, when it expires, what time it is), method, name, arguments, what is altered, and a
//! text that somebody has made up.

use rea::protocol::request_state::{HeldCall, RequestDigest, Sealer, StateError};
use rea::wire::raw::Raw;
use rea_fsm::{CallId, Millis};

const KEY: [u8; 32] = [7; 32];

/// What a state is sealed for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct About<'a> {
    method: &'a str,
    name: &'a str,
    arguments: Option<&'a str>,
}

impl About<'_> {
    fn digest(self) -> RequestDigest {
        RequestDigest::of(self.method, self.name, self.arguments.and_then(Raw::parse))
    }

    /// No arguments, and arguments that are no JSON, are the same to it.
    fn is_of(self, other: Self) -> bool {
        let arguments = |about: Self| about.arguments.and_then(Raw::parse).map(Raw::text);
        (self.method, self.name, arguments(self)) == (other.method, other.name, arguments(other))
    }
}

pub(crate) fn check(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let mut next = || lines.next().unwrap_or_default();
    let numbers = text(next());
    let mut numbers = numbers.split(' ').map(|word| word.parse().unwrap_or(0));
    let mut number = || numbers.next().unwrap_or(0_u64);
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let held = HeldCall {
        server: small(number()),
        call: CallId(number()),
        round: small(number()),
    };
    let (expires_at, now) = (Millis(number()), Millis(number()));
    let (method, name, arguments) = (next(), next(), next());
    let (method, name, arguments) = (text(method), text(name), text(arguments));
    let about = About {
        method,
        name,
        arguments: Some(arguments),
    };
    let (alterations, made_up) = (next(), next());

    let state = Sealer::new(KEY).seal(held, about.digest(), expires_at);
    it_opens_until_its_time(&state, held, about, expires_at, now);
    no_other_key_opens_it(&state, about, now);
    no_other_request_resumes_it(&state, about, now);
    what_is_altered_is_refused(&state, alterations, about, now);
    for made_up in [
        text(made_up).to_owned(),
        format!("{}{}", prefix(&state), text(made_up)),
    ] {
        is_refused(&made_up, &state, about, now);
    }
}

/// How every state of the run begins: a name, and the run's own mark.
fn prefix(state: &str) -> &str {
    let end = state.match_indices('.').nth(1);
    &state[..=end.expect("two of them").0]
}

/// Its longest beginning that is text.
fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

fn it_opens_until_its_time(
    state: &str,
    held: HeldCall,
    about: About<'_>,
    expires_at: Millis,
    now: Millis,
) {
    assert!(Sealer::new(KEY).is_claimed(state));
    let printable = state.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(printable && !state.contains(['"', '\\']), "{state}");
    let sealer = Sealer::new(KEY);
    let after = Millis(expires_at.0.saturating_add(1));
    for now in [now, Millis::ZERO, expires_at, after, Millis(u64::MAX)] {
        let expected = if now > expires_at {
            Err(StateError::Expired)
        } else {
            Ok(held)
        };
        assert_eq!(sealer.open(state, about.digest(), now), expected);
    }
    let again = sealer.seal(held, about.digest(), expires_at);
    assert_eq!(again, state, "the same is sealed the same way");
}

fn no_other_key_opens_it(state: &str, about: About<'_>, now: Millis) {
    for at in 0..KEY.len() {
        let mut key = KEY;
        key[at] ^= 1 << (at % 8);
        let opened = Sealer::new(key).open(state, about.digest(), now);
        assert_eq!(opened, Err(StateError::NotOurs));
    }
}

fn no_other_request_resumes_it(state: &str, about: About<'_>, now: Millis) {
    let About {
        method,
        name,
        arguments,
    } = about;
    let longer = format!("{name}x");
    let (moved_method, moved_name) = shifted(method, name);
    let others = [
        About {
            name: &longer,
            ..about
        },
        About {
            method: &longer,
            ..about
        },
        About {
            method: name,
            name: method,
            arguments,
        },
        About {
            method: moved_method,
            name: &moved_name,
            arguments,
        },
        About {
            arguments: None,
            ..about
        },
        About {
            arguments: Some("{}"),
            ..about
        },
        About {
            arguments: Some("{ }"),
            ..about
        },
    ];
    for other in others {
        let opened = Sealer::new(KEY).open(state, other.digest(), now);
        if other.is_of(about) {
            assert_ne!(opened, Err(StateError::Forged));
        } else {
            assert_eq!(opened, Err(StateError::Forged));
        }
    }
}

/// The same letters, with the method's last one at the beginning of the name.
fn shifted<'a>(method: &'a str, name: &str) -> (&'a str, String) {
    match method.char_indices().next_back() {
        Some((at, last)) => (&method[..at], format!("{last}{name}")),
        None => (method, name.to_owned()),
    }
}

/// Alterations are three bytes each: what is done, where, and with which byte.
fn what_is_altered_is_refused(state: &str, alterations: &[u8], about: About<'_>, now: Millis) {
    let mut altered = state.as_bytes().to_vec();
    for alteration in alterations.chunks_exact(3) {
        let [what, at, byte] = *alteration else {
            continue;
        };
        let at = usize::from(at) % (altered.len() + 1);
        match what % 5 {
            0 => altered.truncate(at),
            1 => altered.insert(at, byte),
            2 if at < altered.len() => drop(altered.remove(at)),
            3 if at < altered.len() => altered[at] = byte,
            _ => {
                let by = at % altered.len().max(1);
                altered.rotate_left(by);
            }
        }
        if let Ok(altered) = std::str::from_utf8(&altered) {
            is_refused(altered, state, about, now);
        }
    }
    for at in 0..state.len() {
        is_refused(&state[..at], state, about, now);
        is_refused(&state[at + 1..], state, about, now);
        // Another digit; and the same one, or another letter, in the other case.
        for bits in [0x01, 0x20] {
            let mut altered = state.as_bytes().to_vec();
            altered[at] ^= bits;
            if let Ok(altered) = std::str::from_utf8(&altered) {
                is_refused(altered, state, about, now);
            }
        }
    }
}

/// Unless it is the state itself, this opens nothing, and is told why.
fn is_refused(made_up: &str, state: &str, about: About<'_>, now: Millis) {
    if made_up == state {
        return;
    }
    let is_claimed = made_up.starts_with(prefix(state));
    let expected = if is_claimed {
        StateError::Forged
    } else {
        StateError::NotOurs
    };
    let opened = Sealer::new(KEY).open(made_up, about.digest(), now);
    assert_eq!(opened, Err(expected), "{made_up:?}");
    assert_eq!(Sealer::new(KEY).is_claimed(made_up), is_claimed);
}
