//! Effects, executed: each is turned into staged acts. Nothing is decided here.

use super::turn::{About, Ended, Front, Server};
use super::{Engine, ServerId, World, session};
use crate::publish::events;
use rea_fsm::{Effect, TimerKey};
use tracing::debug;

impl<W: World> Engine<W> {
    pub(super) fn execute(
        &mut self,
        id: ServerId,
        effect: Effect,
        about: About<'_>,
        front: &mut impl Front,
    ) {
        let Server {
            name,
            downstream,
            session,
            last_words,
        } = &mut self.servers[id.index()];
        let world = &mut self.world;
        match effect {
            Effect::AcquireSlot { ticket } => self.slots.acquire(id, ticket),
            Effect::ReleaseSlot { ticket } => self.slots.release(id, ticket),
            Effect::Spawn { generation } => {
                session.begin(generation);
                world.spawn(id, generation);
            }
            Effect::WriteProbe { generation } => {
                world.write(id, generation, &session.probe(), None);
            }
            Effect::WriteInit { generation } => {
                world.write(id, generation, &session.initialize(), None);
            }
            Effect::WriteInitialized { generation } => {
                world.write(id, generation, &session::initialized(), None);
            }
            Effect::WriteList { generation } => {
                world.write(id, generation, &session.list(), None);
            }
            Effect::Ping { generation } => world.write(id, generation, &session.ping(), None),
            Effect::Send { generation, call } => {
                if let Some(held) = self.calls.get(&call) {
                    session.sent(call, held.progress_token.as_ref());
                    world.write(id, generation, &held.line, Some(call));
                }
            }
            Effect::SendCancel { generation, call } => {
                world.write(id, generation, &session::cancel(call), None);
            }
            Effect::CloseStdin { generation } => world.close_stdin(id, generation),
            Effect::SignalGroup { generation, signal } => {
                world.signal_group(id, generation, signal);
            }
            Effect::Arm { key, due } => self.timers.arm(id, key, due),
            Effect::Disarm { key } => self.timers.disarm(id, key),
            Effect::Complete {
                call,
                verdict,
                executed,
            } => {
                self.timers.disarm(id, TimerKey::Call(call));
                if let Some(held) = self.calls.remove(&call) {
                    session.settled(held.progress_token.as_ref());
                }
                if let Some(generation) = downstream.conn().generation() {
                    world.settled(id, generation, call);
                }
                let ended = Ended {
                    call,
                    server: name,
                    server_id: id,
                    leaf: downstream.leaf(),
                    verdict: &verdict,
                    executed,
                    reply: about.reply,
                    last_words,
                };
                front.completed(&ended, world);
            }
            Effect::CatalogueChanged { .. } => front.catalogue_changed(id, session.tools(), world),
            Effect::Publish => {
                let leaf = downstream.leaf();
                debug!(event = "downstream.health_changed", server_name = name, state = %leaf);
                front.state_changed(id, leaf, world);
            }
            Effect::Log(event) => events::log(name, &event),
        }
    }
}
