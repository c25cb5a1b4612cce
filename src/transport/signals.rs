//! Signals that ask the gateway to end, as events among the others.

use super::TransportEvent;
use std::future::poll_fn;
use std::io;
use std::task::Poll;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::Sender;

/// Listens for TERM, INT and HUP from now on.
///
/// # Errors
/// They can't be listened for.
pub fn listen_for_signals(events: Sender<TransportEvent>) -> io::Result<()> {
    let mut signals = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    ];
    // A task of its own: the loop would ask all three each time that it waits.
    tokio::spawn(async move {
        loop {
            poll_fn(|cx| {
                let mut signals = signals.iter_mut();
                if signals.any(|signal| signal.poll_recv(cx).is_ready()) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            if events.send(TransportEvent::Signalled).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}
