//! What random bytes found, and no rule of the others' says: each an input that is kept as a seed,
//! and what ought to come of it.

use crate::conversation::Conversation;
use crate::json::{members, named};
use crate::model::{Said, last, read};

macro_rules! seed {
    ($name:literal) => {
        Conversation::of(include_bytes!(concat!("../fuzz/seeds/era/", $name)))
    };
}

#[test]
fn who_has_opened_no_session_is_asked_nothing_directly() {
    for line in seed!("modern_then_unmarked_asked").heard {
        let said = read(line.as_bytes());
        assert!(!matches!(said, Ok(Said::Request { .. })), "{line}");
    }
}

#[test]
fn no_server_reads_meta_twice() {
    for told in seed!("session_meta_no_object").left.world.reads {
        let params = last(&told.line, "params").and_then(members);
        let metas = params.map_or(0, |params| named(&params, "_meta").len());
        assert!(metas <= 1, "{}", told.line);
    }
}

#[test]
fn no_server_reads_twice_what_a_client_can_do() {
    for told in seed!("session_marks_itself_in_part").left.world.reads {
        let params = last(&told.line, "params");
        let meta = params.and_then(|params| members(last(params, "_meta")?));
        let said = meta.map_or(0, |meta| {
            named(&meta, crate::model::META_CAPABILITIES).len()
        });
        assert!(said <= 1, "{}", told.line);
    }
}

#[test]
fn a_request_that_speaks_for_itself_is_answered_with_a_result_that_does() {
    for line in seed!("modern_subscribes").heard {
        let result = last(&line, "result");
        let kind = result.map(|result| last(result, "resultType"));
        assert_ne!(kind, Some(None), "{line}");
    }
}
