//! What a process is asked to tell of: changes of its lists, and of single resources.

use super::streams::Stream;
use super::{Asked, Session, Speech, line};
use crate::engine::call::Watch;
use crate::engine::lister::Change;
use crate::protocol::downstream_id::DownstreamId;
use crate::protocol::listing::ListKind;
use crate::protocol::method;
use crate::protocol::server_side;
use crate::wire::jsonrpc::quoted;
use rea_fsm::Millis;

impl Session {
    /// Opens a stream that is not open, as far as the process can tell of such a thing.
    pub(super) fn listen(&mut self, stream: Stream, now: Millis) -> Option<Vec<u8>> {
        if self.streams.has(&stream) {
            return None;
        }
        let wanted = match &stream {
            Stream::Resource(uri) => format!(r#""resourceSubscriptions":[{}]"#, quoted(uri)),
            Stream::Lists => {
                let told = self.told_lists();
                if told.is_empty() {
                    return None;
                }
                let wanted = told.iter().map(|(_, member)| format!(r#""{member}":true"#));
                wanted.collect::<Vec<_>>().join(",")
            }
        };
        let own = self.new_own();
        self.streams.opened(own, stream, now);
        let filter = format!(r#""notifications":{{{wanted}}}"#);
        Some(self.request_as(DownstreamId::Own(own), method::LISTEN, &filter))
    }

    /// The lists that the process says to tell of, and what each is called when it is asked to.
    pub(super) fn told_lists(&self) -> Vec<(ListKind, &'static str)> {
        let mut told = vec![
            (ListKind::Tools, "toolsListChanged"),
            (ListKind::Prompts, "promptsListChanged"),
            (ListKind::Resources, "resourcesListChanged"),
        ];
        told.retain(|(kind, _)| self.offer.capabilities.tells_of_changes(*kind));
        told
    }

    /// When a stream is opened again that the process has ended.
    pub(in crate::engine) const fn next_due(&self) -> Option<Millis> {
        self.streams.next_due()
    }

    /// Opens again what the process has ended, and says whether a list may have changed meanwhile.
    pub(in crate::engine) fn listen_again(&mut self, now: Millis) -> (Vec<Vec<u8>>, Change) {
        let mut lines = Vec::new();
        let mut change = Change::None;
        for stream in self.streams.take_due(now) {
            if stream == Stream::Lists {
                for (kind, _) in self.told_lists() {
                    if self.lister.changed(kind.changed()) == Change::Known {
                        change = Change::Known;
                    }
                }
            }
            lines.extend(self.listen(stream, now));
        }
        (lines, change)
    }

    pub(super) fn subscribe_again(&mut self, uri: &str) -> Option<Vec<u8>> {
        if !self.offer.capabilities.subscribes() {
            return None;
        }
        let member = format!(r#""uri":{}"#, quoted(uri));
        let asked = Asked::Subscribe(uri.to_owned());
        Some(self.request(asked, method::RESOURCES_SUBSCRIBE, &member))
    }

    /// The client watches a resource; so does every later process.
    pub(in crate::engine) fn watch(&mut self, uri: &str, now: Millis) -> Option<Vec<u8>> {
        let is_new = self.wishes.subscriptions.insert(uri.to_owned());
        match self.speech {
            Speech::Modern if is_new => self.listen(Stream::Resource(uri.to_owned()), now),
            Speech::Legacy if is_new => self.subscribe_again(uri),
            Speech::Unknown | Speech::Legacy | Speech::Modern => None,
        }
    }

    /// The client watches a resource no more.
    pub(in crate::engine) fn unwatch(&mut self, uri: &str) -> Option<Vec<u8>> {
        if !self.wishes.subscriptions.remove(uri) {
            return None;
        }
        match self.speech {
            Speech::Modern => {
                let own = self.streams.closed(&Stream::Resource(uri.to_owned()))?;
                Some(line(|out| {
                    server_side::cancelled(out, DownstreamId::Own(own));
                }))
            }
            Speech::Legacy => {
                let member = format!(r#""uri":{}"#, quoted(uri));
                let asked = Asked::Subscribe(uri.to_owned());
                Some(self.request(asked, method::RESOURCES_UNSUBSCRIBE, &member))
            }
            Speech::Unknown => None,
        }
    }

    /// A process without sessions can't be asked to subscribe: the gateway listens itself. What it
    /// writes for that, if it does.
    pub(in crate::engine) fn watches_by_itself(
        &mut self,
        watch: &Watch,
        now: Millis,
    ) -> Option<Vec<Vec<u8>>> {
        let line = match (self.speech, watch) {
            (Speech::Modern, Watch::Begin(uri)) => self.watch(uri, now),
            (Speech::Modern, Watch::End(uri)) => self.unwatch(uri),
            (Speech::Modern, Watch::Neither) | (Speech::Unknown | Speech::Legacy, _) => {
                return None;
            }
        };
        Some(line.into_iter().collect())
    }
}
