//! A client that reads slowly is no fault of a server's.

use super::*;
use crate::simulation::script::Manner;
use rea_fsm::Leaf;

#[test]
fn a_server_that_is_not_listened_to_is_not_taken_for_dead() {
    let mut setup = Setup::of(vec![ServerSpec::named("a")]);
    setup.servers[0].policy.timeout_ms = rea_fsm::Millis(1_000);
    // It never answers anything after its handshake, as far as anybody hears.
    let mut sim = Sim::new(
        setup,
        Box::new(|_, _| {
            Scripted::prompt()
                .on_call(|_| vec![])
                .pong(Manner::Never)
                .birth()
        }),
    );
    sim.says(&[INITIALIZE]);
    sim.run_to(100);
    sim.says(&[&call("1", "a__work")]);
    sim.world().held_back = true;
    sim.run_to(60_000);
    assert!(sim.leaf(0).is_connected(), "{}", sim.leaf(0));
    assert!(answers(&mut sim, "1").is_empty());
    sim.world().held_back = false;
    sim.run_to(90_000);
    assert_ne!(
        sim.downstream(0).view().generation,
        Some(rea_fsm::Generation(1))
    );
    assert_eq!(facts(&answer(&mut sim, "1"))["reason"], "transport_lost");
    assert_eq!(sim.leaf(0), Leaf::Ready);
}
