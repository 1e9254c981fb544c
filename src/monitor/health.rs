//! Whether a deployment is well, check by check.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::Semaphore;

use super::watcher::Monitor;
use crate::runtime::RuntimeHandle;
use crate::sync::{Arc, Ordering};

type Outcome = Result<(), String>;
type Run = dyn Fn() -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync;

/// How long a check may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(2);

/// From how full a mailbox is too full.
const FULL: f64 = 0.9;

/// The checks behind `/health/ready`, each with a name. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health {
    checks: Vec<(Arc<str>, Arc<Run>)>,
}

/// What came of all checks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HealthReport {
    /// Whether all are well.
    pub ok: bool,
    /// Each, in the order in which they were added.
    pub checks: Vec<CheckOutcome>,
}

/// What came of one check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckOutcome {
    /// Its name.
    pub name: String,
    /// Whether it is well.
    pub ok: bool,
    /// How long the check took, in seconds.
    pub seconds: f64,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Health {
    /// The checks of a runtime: it has started and is not ending (`runtime`), no agent was given up (`agents`), no mailbox is
    /// fuller than 90 % (`mailboxes`), and the monitor looks as often as it should (`monitor`).
    #[must_use]
    pub fn of(runtime: &RuntimeHandle, monitor: &Monitor) -> Self {
        let runtime = runtime.clone();
        let (agents, mailboxes, watched) = (monitor.clone(), monitor.clone(), monitor.clone());
        let checked = Instant::now();
        Self::default()
            .blocking("runtime", move || match runtime.core().closing.load(Ordering::SeqCst) {
                true => Err("the runtime is ending".to_owned()),
                false => Ok(()),
            })
            .blocking("agents", move || {
                let given_up = agents.read().given_up;
                match given_up {
                    0 => Ok(()),
                    count => Err(format!("{count} agents were given up because they failed too often")),
                }
            })
            .blocking("mailboxes", move || {
                let reading = mailboxes.read();
                let full =
                    |queued: u64, capacity: u64| capacity > 0 && queued as f64 > capacity as f64 * FULL;
                let full = reading.agents.iter().filter(|it| full(it.queued(), it.capacity)).count();
                if full == 0 {
                    Ok(())
                } else {
                    Err(format!("{full} mailboxes are fuller than {} %", FULL * 100.0))
                }
            })
            .blocking("monitor", move || {
                let late = watched.interval() * 5 + PATIENCE;
                let seen = watched.latest().and_then(|look| look.at.elapsed().ok());
                match seen {
                    Some(ago) if ago <= late => Ok(()),
                    // It has only just begun.
                    None if checked.elapsed() <= late => Ok(()),
                    _ => Err("the monitor has not looked for too long".to_owned()),
                }
            })
    }

    /// Adds a check that runs at each request and may take 2 s. What it says is wrong is shown to whoever asks: no secrets, no
    /// patients.
    #[must_use]
    pub fn check<F, R>(mut self, name: &str, run: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.push((Arc::from(name), Arc::new(move || Box::pin(run()))));
        self
    }

    /// The same for a check that blocks for a moment: it runs on a thread that may.
    #[must_use]
    pub fn blocking(self, name: &str, run: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        let run = Arc::new(run);
        // One at a time: a check that hangs may keep one thread, and not one more at each request.
        let turn = Arc::new(Semaphore::new(1));
        self.check(name, move || {
            let (run, turn) = (Arc::clone(&run), Arc::clone(&turn));
            async move {
                let turn = turn.acquire_owned().await;
                let ran = tokio::task::spawn_blocking(move || {
                    let _turn = turn;
                    run()
                });
                let ran = ran.await;
                ran.unwrap_or_else(|_| Err("the check panicked".to_owned()))
            }
        })
    }

    /// Runs every check, all at once.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: checks are dropped.
    pub async fn report(&self) -> HealthReport {
        let running = self.checks.iter().map(|(name, run)| outcome(name, run()));
        let checks = futures_util::future::join_all(running).await;
        HealthReport { ok: checks.iter().all(|check| check.ok), checks }
    }
}

async fn outcome(name: &str, run: Pin<Box<dyn Future<Output = Outcome> + Send>>) -> CheckOutcome {
    let began = Instant::now();
    // In a task of its own, so that a panic is the check's and not the report's.
    let mut task = tokio::spawn(run);
    let detail = match tokio::time::timeout(PATIENCE, &mut task).await {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(detail))) => Some(detail),
        Ok(Err(_)) => Some("the check panicked".to_owned()),
        Err(_) => {
            task.abort();
            Some(format!("the check did not end within {} s", PATIENCE.as_secs()))
        }
    };
    CheckOutcome {
        name: name.to_owned(),
        ok: detail.is_none(),
        seconds: began.elapsed().as_secs_f64(),
        detail,
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.checks.iter().map(|(name, _)| name)).finish()
    }
}
