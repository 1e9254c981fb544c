//! What the ask workloads share: one question at a time, each answer checked.

use std::time::{Duration, Instant};

use crate::{Ask, Counter, Fault, Placement, Stage, System, Target};

/// Asks questions numbered `0..questions`, each after the answer to the one before.
pub(super) fn one_after_another<S: System>(placement: Placement, questions: u64) -> Result<Duration, Fault> {
    let (counter, _) = Counter::expecting(0);
    let driver = move |target: S::Target| async move {
        let started = Instant::now();
        for asked in 0..questions {
            let answered = target.ask(Ask(asked)).await?;
            if answered != asked + 1 {
                return Err(Fault::Answer { asked, answered });
            }
        }
        Ok(started.elapsed())
    };
    S::run(Stage::usual(placement), counter, vec![driver])
}
