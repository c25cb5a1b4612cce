//! Many seeds on every core; one that fails says how to see it again.

use std::num::NonZero;
use std::panic::{RefUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::available_parallelism;

/// A number in the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}

/// Runs every seed below `seeds`, and adds up what was seen. `again` is how to run one.
pub(crate) fn all<Seen: Default + Send>(
    seeds: u64,
    again: impl Fn(u64) -> String + Sync,
    run: impl Fn(u64) -> Seen + Sync + RefUnwindSafe,
    add: impl Fn(&mut Seen, &Seen) + Sync,
) -> Seen {
    let next = AtomicU64::new(0);
    let failed = AtomicBool::new(false);
    let work = || {
        let mut counts = Seen::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds || failed.load(Ordering::Relaxed) {
                return counts;
            }
            if let Ok(one) = catch_unwind(|| run(seed)) {
                add(&mut counts, &one);
            } else {
                failed.store(true, Ordering::Relaxed);
                let again = again(seed);
                eprintln!("\nseed {seed} fails; to see it again:\n  {again}\n");
            }
        }
    };
    let mut seen = Seen::default();
    std::thread::scope(|scope| {
        let cores = available_parallelism().map_or(1, NonZero::get);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            add(
                &mut seen,
                &worker.join().expect("a worker catches what fails"),
            );
        }
    });
    assert!(!failed.into_inner(), "a seed fails: see above");
    seen
}
