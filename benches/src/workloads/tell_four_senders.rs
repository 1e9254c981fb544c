//! Four senders at one actor, five threads: what contention on a mailbox costs. The senders start together, and their
//! messages are numbered so that the sum proves each arrived once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;

use super::Workload;
use crate::{Counter, Fault, Level, Placement, Stage, System, Target, Verb, Work};

/// How many senders.
const SENDERS: u64 = 4;

/// The workload `tell_four_senders`.
#[derive(Debug)]
pub struct TellFourSenders;

impl Workload for TellFourSenders {
    const NAME: &'static str = "tell_four_senders";
    const ABOUT: &'static str =
        "4 to 1 across five threads, mailbox of 10,000, four priorities mixed where the system knows any";
    const VERB: Verb = Verb::Tell;
    const PLACEMENT: Placement = Placement::AcrossThreads;
    const OPERATIONS: u64 = 500_000;

    fn run<S: System>(operations: u64) -> Result<Duration, Fault> {
        let (counter, done) = Counter::expecting(operations);
        let mut done = Some(done);
        let together = Arc::new(Barrier::new(SENDERS as usize));
        let sender = |number| {
            let (together, done) = (Arc::clone(&together), done.take());
            move |target: S::Target| async move {
                together.wait().await;
                let started = Instant::now();
                for value in (number..operations).step_by(SENDERS as usize) {
                    // By its turn among the sender's own messages: by its number, each sender would have one level.
                    let level = Level::in_turn(value / SENDERS);
                    target.tell(Work { level, value }).await?;
                }
                if let Some(done) = done {
                    done.confirmed().await?;
                }
                Ok(started.elapsed())
            }
        };
        S::run(Stage::usual(Self::PLACEMENT), counter, (0..SENDERS).map(sender).collect())
    }
}
