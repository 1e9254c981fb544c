//! Many operations of several threads under random schedules. Sequentially consistent, so this finds faults of the
//! protocol and not of the memory model; those are loom's.
//!
//! `STATIM_SCHEDULES` schedules of each kind are tried per model. A failure prints a schedule; with it in
//! `STATIM_REPLAY`, the one model runs again just so.

mod crowd;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, FailurePersistence, Runner};

/// By default: a second or two a model.
const SCHEDULES: usize = 2_000;
/// The priorities of a schedule change so often: a fault that needs more ordered steps is found by chance only
/// (Burckhardt and others, "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", 2010).
const DEPTH: usize = 3;

fn schedules() -> usize {
    match std::env::var("STATIM_SCHEDULES") {
        Ok(count) => count.parse().expect("STATIM_SCHEDULES is a number of schedules"),
        Err(_) => SCHEDULES,
    }
}

fn explore(body: fn()) {
    if let Ok(schedule) = std::env::var("STATIM_REPLAY") {
        return shuttle::replay(body, &schedule);
    }
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::Print;
    Runner::new(PctScheduler::new(DEPTH, schedules()), config.clone()).run(body);
    Runner::new(RandomScheduler::new(schedules()), config).run(body);
}
