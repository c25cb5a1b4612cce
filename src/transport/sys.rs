//! The one place with `unsafe`: what has to run between fork and exec, watching a descriptor that
//! must not be made non-blocking, and marking descriptors that nobody here owns.

#![expect(
    unsafe_code,
    reason = "only the child itself can ask for its death signal, and watching or marking a \
              descriptor asks for a promise about it"
)]

use rustix::io::{FdFlags, fcntl_setfd};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

#[cfg(target_os = "linux")]
const OPEN_DESCRIPTORS: &str = "/proc/self/fd";
#[cfg(not(target_os = "linux"))]
const OPEN_DESCRIPTORS: &str = "/dev/fd";

/// Keeps from servers what the gateway's own starter has left open by mistake: a pipe or a lock in
/// a server's hands outlives whoever waits for its end. To be called before anything is started.
///
/// # Errors
/// The system does not say what is open.
pub fn keep_inherited_descriptors() -> io::Result<()> {
    for entry in std::fs::read_dir(OPEN_DESCRIPTORS)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.parse().ok());
        if let Some(number) = number.filter(|number| *number > 2) {
            // SAFETY: the descriptor is borrowed for one call, which neither closes nor reads it,
            // and which only fails if it is not open any more.
            let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
            // The one that lists the folder may be gone, and needs no mark.
            let _ = fcntl_setfd(descriptor, FdFlags::CLOEXEC);
        }
    }
    Ok(())
}

/// Watches when a descriptor can be read, or written, without changing it. Who needs only one of
/// them is not woken for the other.
///
/// # Errors
/// The system can't watch it.
pub(super) fn watch_readiness(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` names the same open descriptor until it is dropped, and the `AsyncFd`
    // owns it from here on and gives out shared references only.
    Ok(unsafe { AsyncFd::register_with_interest(fd, interest) }?)
}

/// Has the kernel kill the process when the thread that forks it ends, which is why that thread
/// has to live as long as the gateway.
#[cfg(target_os = "linux")]
pub(super) fn die_with_parent(command: &mut Command) {
    use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

    let parent = getpid();
    let prepare = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The gateway may have died before the signal was asked for.
        if getppid() == Some(parent) {
            Ok(())
        } else {
            Err(io::ErrorKind::Interrupted.into())
        }
    };
    // SAFETY: the closure makes two system calls and allocates nothing, takes no lock, and touches
    // no memory but its own copy of a number, so it may run between fork and exec.
    unsafe {
        command.pre_exec(prepare);
    }
}

/// No such signal exists here.
#[cfg(not(target_os = "linux"))]
pub(super) fn die_with_parent(_: &mut Command) {}
