//! A clock that nobody sets, to tell how old a state is: what the machine has been up since it was booted.

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use std::time::Duration;

/// A moment of one boot of one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uptime {
    /// Names the boot.
    pub boot_id: String,
    /// Since then, in milliseconds, sleep included where the system counts it.
    pub ms: u64,
}

impl Uptime {
    /// Now.
    pub fn now() -> Self {
        static BOOT_ID: OnceLock<String> = OnceLock::new();
        let boot_id = BOOT_ID.get_or_init(|| {
            std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
                .map_or_else(|_| "unknown".to_owned(), |id| id.trim().to_owned())
        });
        let clock = if cfg!(target_os = "linux") {
            ClockId::Boottime
        } else {
            ClockId::Monotonic
        };
        let time = clock_gettime(clock);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let millis = u64::try_from(time.tv_nsec / 1_000_000).unwrap_or_default();
        Self {
            boot_id: boot_id.clone(),
            ms: seconds.saturating_mul(1_000).saturating_add(millis),
        }
    }

    /// How long ago it was; nothing if that was in another boot.
    pub(super) fn age(&self) -> Option<Duration> {
        let now = Self::now();
        (now.boot_id == self.boot_id).then(|| Duration::from_millis(now.ms.saturating_sub(self.ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_this_boot_has_an_age_and_one_of_another_has_none() {
        let mut before = Uptime::now();
        before.ms = before.ms.saturating_sub(2_000);
        let age = before.age().expect("it is the same boot");
        assert!(
            age >= Duration::from_millis(2_000.min(Uptime::now().ms)),
            "{age:?}"
        );
        before.boot_id = "another".to_owned();
        assert_eq!(before.age(), None);
    }
}
