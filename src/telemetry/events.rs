//! What befell agents and guards lately, in bounded memory.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::resilience::{BreakerState, Decision, Event, Listener};
use crate::sync::{Arc, Mutex, lock};

/// So many are kept.
const KEPT: usize = 256;
/// One that is among the last so many is counted there and not kept again.
const JOINED: usize = 16;

/// Something that happened to an agent or a guard, and not to a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuntimeEvent {
    /// When, since 1970; the last time, if it happened several times in a row.
    pub at: Duration,
    /// The agent's instance, or the guard.
    pub subject: Arc<str>,
    /// What.
    pub what: Occurrence,
    /// How often in a row.
    pub times: u64,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Occurrence {
    /// The agent failed: it panicked, could not start, or an error said that its state is suspect.
    Failed,
    /// It was rebuilt after a failure.
    Rebuilt,
    /// It was rebuilt because somebody asked for it.
    RebuiltAsAsked,
    /// It failed too often.
    GivenUp,
    /// Its pool was given another size.
    Scaled {
        /// Instances before.
        from: usize,
        /// Instances now.
        to: usize,
    },
    /// A circuit breaker changed its state.
    Breaker {
        /// The state before.
        from: BreakerState,
        /// The state now.
        to: BreakerState,
    },
    /// Admission control changed what it refuses.
    Admission {
        /// The share refused, from 0 to 1: Critical, High, Normal, Low.
        refused: [f64; 4],
    },
}

/// The last of these events. Every clone is the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Happenings(Arc<Mutex<VecDeque<RuntimeEvent>>>);

impl Happenings {
    pub(crate) fn note(&self, subject: &Arc<str>, what: Occurrence) {
        self.note_named(subject, || Arc::clone(subject), what);
    }

    fn note_named(&self, subject: &str, name: impl FnOnce() -> Arc<str>, what: Occurrence) {
        let at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut events = lock(&self.0);
        let same = |event: &&mut RuntimeEvent| event.what == what && *event.subject == *subject;
        if let Some(event) = events.iter_mut().rev().take(JOINED).find(same) {
            event.times += 1;
            event.at = at;
            return;
        }
        if events.len() >= KEPT {
            events.pop_front();
        }
        events.push_back(RuntimeEvent { at, subject: name(), what, times: 1 });
    }

    /// Oldest first, by when each happened first.
    pub(crate) fn latest(&self) -> Vec<RuntimeEvent> {
        lock(&self.0).iter().cloned().collect()
    }
}

impl Listener for Happenings {
    fn on_event(&self, event: &Event<'_>) {
        let what = match event.decision {
            Decision::StateChanged { from, to } => Occurrence::Breaker { from, to },
            Decision::AdmissionChanged { refused } => Occurrence::Admission { refused },
            _ => return,
        };
        self.note_named(event.guard, || Arc::from(event.guard), what);
    }

    fn hears(&self, decision: &Decision) -> bool {
        matches!(decision, Decision::StateChanged { .. } | Decision::AdmissionChanged { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resilience::{BreakerOptions, CircuitBreaker, Environment};

    #[test]
    fn breakers_are_heard_beside_another_listener() {
        let events = Happenings::default();
        let heard = Arc::<Mutex<u32>>::default();
        let counting = Arc::clone(&heard);
        let environment =
            Environment::default().listener(move |_: &Event<'_>| *lock(&counting) += 1).heard_by(&events);
        let breaker = CircuitBreaker::new("b", &BreakerOptions::default(), &environment).unwrap();
        drop(breaker.try_acquire());
        breaker.force_open();
        let what: Vec<_> = events.latest().into_iter().map(|it| it.what).collect();
        assert_eq!(what, [Occurrence::Breaker { from: BreakerState::Closed, to: BreakerState::ForcedOpen }]);
        assert!(*lock(&heard) >= 2, "the other hears of calls too");
    }

    #[test]
    fn events_are_bounded_and_what_repeats_is_counted() {
        let events = Happenings::default();
        let one: Arc<str> = Arc::from("one");
        for _ in 0..10_000 {
            events.note(&one, Occurrence::Failed);
            events.note(&one, Occurrence::Rebuilt);
        }
        let kept = events.latest();
        assert_eq!(
            kept.iter().map(|it| (it.what, it.times)).collect::<Vec<_>>(),
            [(Occurrence::Failed, 10_000), (Occurrence::Rebuilt, 10_000)]
        );
        for n in 0..10_000 {
            events.note(&Arc::from(format!("agent-{n}")), Occurrence::GivenUp);
        }
        let kept = events.latest();
        assert_eq!(kept.len(), KEPT);
        assert_eq!(&*kept[KEPT - 1].subject, "agent-9999", "the newest stay");
    }
}
