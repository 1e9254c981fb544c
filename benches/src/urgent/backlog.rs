//! One actor, a deep backlog of bulk in front of it, and an urgent message every so often.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::sender::{keep_deep, send_urgent};
use super::{Load, Observed, Ward, observe};
use crate::{Counter, Fault, Placement, Stage, System, Target};

/// Runs the load on a system. Its mailbox, where it has a bound, holds twice the backlog.
///
/// # Errors
/// The system failed or stalled, or an urgent message came that was never sent.
pub fn behind_backlog<S: System>(load: Load) -> Result<Observed, Fault> {
    let ward = Arc::new(Ward::new(load.service));
    let observed = Arc::new(Mutex::new(None));
    let capacity = (load.depth as usize * 2).max(1_000);
    let stage = Stage { placement: Placement::AcrossThreads, capacity };
    let counter = Counter::at_ward(Arc::clone(&ward));
    let keep = Arc::clone(&observed);
    let driver = move |target: S::Target| async move {
        let (finished, outcome) = oneshot::channel();
        thread::spawn(move || {
            // A driver that is gone reports its own fault.
            let _ = finished.send(run(target, &ward, load));
        });
        let found = outcome.await.map_err(Fault::gone)??;
        *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Ok(Duration::ZERO)
    };
    S::run(stage, counter, vec![driver])?;
    let found = observed.lock().unwrap_or_else(PoisonError::into_inner).take();
    found.ok_or(Fault::Panicked)
}

fn run<T: Target>(target: T, ward: &Arc<Ward>, load: Load) -> Result<Observed, Fault> {
    let target = Arc::new(target);
    let (ready, filled) = mpsc::channel();
    let feeder = {
        let (target, ward) = (Arc::clone(&target), Arc::clone(ward));
        let ready = move || ready.send(()).unwrap_or(());
        thread::spawn(move || keep_deep(&target, &ward, load.depth, ready))
    };
    // A feeder that failed is gone without a word, and says why when it is joined.
    let lags = filled.recv().map_err(Fault::gone).and_then(|()| send_urgent(&*target, ward, load));
    ward.close();
    let shallowest = feeder.join().map_err(|_| Fault::Panicked)??;
    observe(ward, &lags?, load.every, shallowest)
}
