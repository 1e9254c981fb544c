//! What the machine itself takes to wake a sleeping thread: the floor under every figure for an idle receiver.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::Quantiles;
use crate::Fault;

/// Sends a sleeping thread so many messages, a millisecond apart, and gives how long each took to arrive.
///
/// # Errors
/// The thread could not be started or ended early.
pub fn wake_up(samples: usize) -> Result<Quantiles, Fault> {
    let (send, receive) = mpsc::channel::<Instant>();
    let sleeper = thread::Builder::new().spawn(move || {
        let waits = receive.iter().map(|sent| sent.elapsed().as_nanos() as u64);
        waits.collect::<Vec<_>>()
    });
    let sleeper = sleeper.map_err(Fault::start)?;
    for _ in 0..samples {
        thread::sleep(Duration::from_millis(1));
        send.send(Instant::now()).map_err(Fault::gone)?;
    }
    drop(send);
    Quantiles::of(sleeper.join().map_err(|_| Fault::Panicked)?)
}
