//! What the gateway says on its own account, to the people who run it.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::Once;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

thread_local! {
    /// What the gateway of this test has said, a line an event.
    static SAID: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// One listener for all tests: with one for each, what a test hears depends on the others.
static LISTENING: Once = Once::new();

struct Listener;

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut words = Words(String::new());
        event.record(&mut words);
        SAID.with_borrow_mut(|said| said.push(words.0));
    }
}

pub(crate) fn said_during(act: impl FnOnce()) -> Vec<String> {
    LISTENING.call_once(|| {
        let listener = tracing_subscriber::registry().with(Listener);
        tracing::subscriber::set_global_default(listener).expect("nobody listens yet");
    });
    SAID.take();
    act();
    SAID.take()
}

/// What was said about a server, of one kind of event.
pub(crate) fn about<'a>(said: &'a [String], server: &str, event: &str) -> Vec<&'a String> {
    let event = format!("event=\"{event}\"");
    let server = format!("server_name=\"{server}\"");
    said.iter()
        .filter(|line| line.contains(&event) && line.contains(&server))
        .collect()
}
