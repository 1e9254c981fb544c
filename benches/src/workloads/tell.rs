//! What the tell workloads share: the time runs until the last message has been handled, never until it is queued.

use std::time::{Duration, Instant};

use crate::{Counter, Fault, Placement, Stage, System, Target, Work};

/// Sends messages numbered `0..messages`, each made by `message`, and waits until all have been handled.
pub(super) fn until_handled<S: System>(
    placement: Placement,
    messages: u64,
    message: fn(u64) -> Work,
) -> Result<Duration, Fault> {
    let (counter, done) = Counter::expecting(messages);
    let driver = move |target: S::Target| async move {
        let started = Instant::now();
        for value in 0..messages {
            target.tell(message(value)).await?;
        }
        done.confirmed().await?;
        Ok(started.elapsed())
    };
    S::run(Stage::usual(placement), counter, vec![driver])
}
