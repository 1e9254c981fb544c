//! Admission control: when messages wait too long, the least urgent are refused as they arrive.

mod controller;
mod options;
mod queue;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::event::{Decision, Environment, Hook};
use super::fault::InvalidOptions;
use crate::message::Priority;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, lock};

pub use self::controller::Controller;
pub use self::options::AdmissionOptions;

pub(crate) use self::queue::QueueAdmission;

/// Admission control refused the message: messages wait too long, and this one is among the least urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("overloaded: messages of priority {priority:?} are refused")]
#[non_exhaustive]
pub struct Overloaded {
    /// The priority of the message.
    pub priority: Priority,
}

/// A [`Controller`] with a clock, behind a short lock, and its decisions counted. Cloning is cheap; clones are the same
/// controller.
///
/// ```
/// use std::time::Duration;
/// use statim::Priority;
/// use statim::resilience::{AdmissionController, AdmissionOptions, Environment};
///
/// let admission = AdmissionController::new("intake", &AdmissionOptions::default(), &Environment::default())?;
/// // Where messages arrive:
/// admission.admit(Priority::Low)?;
/// // Where they are taken:
/// admission.observe(Priority::Low, Duration::from_millis(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AdmissionController {
    inner: Arc<Inner>,
}

struct Inner {
    controller: Mutex<Controller>,
    admitted: [AtomicU64; Priority::COUNT],
    shed: [AtomicU64; Priority::COUNT],
    hook: Hook,
}

/// Admission control at a moment. Counts are since it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdmissionSnapshot {
    /// The name it was given.
    pub name: String,
    /// The share of each priority that is refused now, from 0 to 1.
    pub refused: BTreeMap<Priority, f64>,
    /// Messages admitted, for each priority.
    pub admitted: BTreeMap<Priority, u64>,
    /// Messages refused, for each priority.
    pub shed: BTreeMap<Priority, u64>,
}

impl AdmissionController {
    /// A controller that admits everything.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn new(
        name: &str,
        options: &AdmissionOptions,
        environment: &Environment,
    ) -> Result<Self, InvalidOptions> {
        Ok(Self {
            inner: Arc::new(Inner {
                controller: Mutex::new(Controller::new(options)?),
                admitted: Default::default(),
                shed: Default::default(),
                hook: Hook::new(name, environment),
            }),
        })
    }

    /// A message arrives.
    ///
    /// # Errors
    ///
    /// Messages wait too long, and this one is among the least urgent. Never if it is Critical.
    pub fn admit(&self, priority: Priority) -> Result<(), Overloaded> {
        let Inner { controller, admitted, shed, hook } = &*self.inner;
        let now = Duration::from_nanos(hook.now().0);
        let (admit, changed) = tracking(controller, |controller| controller.admit(priority, now));
        self.report(changed);
        if admit {
            admitted[priority.lane()].fetch_add(1, Ordering::Relaxed);
            hook.emit(Decision::Admitted { priority });
            Ok(())
        } else {
            shed[priority.lane()].fetch_add(1, Ordering::Relaxed);
            hook.emit(Decision::Shed { priority });
            Err(Overloaded { priority })
        }
    }

    /// A message is taken from the queue after it waited so long.
    pub fn observe(&self, priority: Priority, wait: Duration) {
        let Inner { controller, hook, .. } = &*self.inner;
        let now = Duration::from_nanos(hook.now().0);
        let ((), changed) = tracking(controller, |controller| controller.observe(priority, wait, now));
        self.report(changed);
    }

    /// The share of this priority that is refused now, from 0 to 1.
    #[must_use]
    pub fn refused_share(&self, priority: Priority) -> f64 {
        lock(&self.inner.controller).refused_share(priority)
    }

    /// Its counters, and what it refuses now.
    #[must_use]
    pub fn snapshot(&self) -> AdmissionSnapshot {
        let Inner { controller, admitted, shed, hook } = &*self.inner;
        let shares = lock(controller).refused_shares();
        let counts = |counts: &[AtomicU64; Priority::COUNT]| {
            Priority::ALL.map(|it| (it, counts[it.lane()].load(Ordering::Relaxed))).into()
        };
        AdmissionSnapshot {
            name: hook.name().to_owned(),
            refused: Priority::ALL.map(|it| (it, shares[it.lane()])).into(),
            admitted: counts(admitted),
            shed: counts(shed),
        }
    }

    fn report(&self, changed: Option<[f64; Priority::COUNT]>) {
        if let Some(refused) = changed {
            self.inner.hook.emit(Decision::AdmissionChanged { refused });
        }
    }
}

/// What an operation answers, and what is refused after it if that is not what was refused before.
fn tracking<T>(
    controller: &Mutex<Controller>,
    operation: impl FnOnce(&mut Controller) -> T,
) -> (T, Option<[f64; Priority::COUNT]>) {
    let mut controller = lock(controller);
    let before = controller.refused_shares();
    let answer = operation(&mut controller);
    let after = controller.refused_shares();
    (answer, (before != after).then_some(after))
}

impl fmt::Debug for AdmissionController {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdmissionController").field("name", &self.inner.hook.name()).finish_non_exhaustive()
    }
}
