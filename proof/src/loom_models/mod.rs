//! A few operations at a time, in every interleaving up to a number of preemptions, and with every value that a load may
//! return. A letter or a wake-up that is lost ends as a deadlock or in the account.

mod pool;
mod removing;
mod ringing;
mod sending;
mod sleeping;
mod waiting;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::primitives::{Arc, thread};

/// A model that takes longer has grown too large for every change's checks.
const LIMIT: Duration = Duration::from_secs(120);

/// Explores every interleaving, which two threads allow.
fn explore(body: impl Fn() + Send + Sync + 'static) {
    explore_up_to(None, body);
}

/// Explores the interleavings (usually of three threads) with so few preemptions that it ends in seconds. Most faults need no
/// more than two (Musuvathi and Qadeer, "Iterative Context Bounding", 2007).
fn explore_bounded(body: impl Fn() + Send + Sync + 'static) {
    explore_up_to(Some(3), body);
}

/// `LOOM_MAX_PREEMPTIONS` and `LOOM_MAX_DURATION` (seconds) take the place of the bounds here.
fn explore_up_to(preemptions: Option<usize>, body: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(preemptions);
    let limit = *model.max_duration.get_or_insert(LIMIT);
    model.max_branches = 20_000;
    // How often it looks at the clock.
    model.checkpoint_interval = 1_000;
    let bound = model.preemption_bound.map_or("any number of".to_owned(), |bound| format!("at most {bound}"));
    let executions = std::sync::Arc::new(AtomicUsize::new(0));
    let (began, counted) = (Instant::now(), std::sync::Arc::clone(&executions));
    model.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        body();
    });
    let (took, executions) = (began.elapsed(), executions.load(Ordering::Relaxed));
    let name = std::thread::current().name().unwrap_or("a model").to_owned();
    println!("{name}: {executions} executions with {bound} preemptions in {:.1} s", took.as_secs_f64());
    assert!(took < limit, "cut short: not everything within the bound was explored");
}

/// A thread of the model that uses the same mailbox.
fn beside<P: Send + Sync + 'static, T: 'static>(
    post: &Arc<P>,
    run: impl FnOnce(&P) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let post = Arc::clone(post);
    thread::spawn(move || run(&post))
}
