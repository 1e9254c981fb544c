//! What all handles of one link share: the guards and the counters.

use super::options::{Exempt, LinkOptions};
use super::snapshot::{LinkEnd, LinkSnapshot};
use crate::message::Priority;
use crate::resilience::{Environment, InvalidOptions, Outcome, Policy, Refused};
use crate::sync::{Arc, AtomicU64, Ordering};

pub(super) struct State {
    name: Arc<str>,
    from: Arc<str>,
    to: Arc<str>,
    pub(super) policy: Policy,
    exempt: Exempt,
    offered: AtomicU64,
    went_past: AtomicU64,
    ended: [AtomicU64; LinkEnd::COUNT],
    outcomes: [AtomicU64; Outcome::COUNT],
}

impl State {
    pub(super) fn new(
        name: Arc<str>,
        from: &str,
        to: &str,
        options: &LinkOptions,
        environment: Environment,
    ) -> Result<Self, InvalidOptions> {
        let policy = Policy::builder(&name).options(options.guards).environment(environment).build()?;
        Ok(Self {
            name,
            from: from.into(),
            to: to.into(),
            policy,
            exempt: options.exempt,
            offered: AtomicU64::new(0),
            went_past: AtomicU64::new(0),
            ended: Default::default(),
            outcomes: Default::default(),
        })
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether a message of this priority goes past the guards; counted if so.
    pub(super) fn exempts(&self, priority: Priority) -> bool {
        let exempt = self.exempt.covers(priority);
        if exempt {
            self.went_past.fetch_add(1, Ordering::Relaxed);
            self.policy.note_exempt(priority);
        }
        exempt
    }

    /// A message is given to the link.
    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.offered.fetch_add(1, Ordering::Relaxed);
        UnderWay { state: self, end: LinkEnd::Abandoned }
    }

    /// An attempt that the guards let pass ended.
    pub(super) fn count(&self, outcome: Outcome) {
        self.outcomes[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> LinkSnapshot {
        let counts = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let ended = LinkEnd::ALL.map(|end| (end, counts(&self.ended[end as usize])));
        let outcomes = Outcome::ALL.map(|it| (it, counts(&self.outcomes[it as usize])));
        LinkSnapshot {
            name: self.name.to_string(),
            from: self.from.to_string(),
            to: self.to.to_string(),
            // After the endings, so that none is seen of a message that is not.
            offered: counts(&self.offered),
            exempt: counts(&self.went_past),
            ended: ended.into_iter().filter(|(_, count)| *count > 0).collect(),
            outcomes: outcomes.into_iter().filter(|(_, count)| *count > 0).collect(),
            guards: self.policy.snapshot(),
        }
    }
}

/// One message between being given to a link and its end there. Dropped without another end, it was abandoned.
pub(super) struct UnderWay<'a> {
    state: &'a State,
    end: LinkEnd,
}

impl UnderWay<'_> {
    pub(super) fn end(mut self, end: LinkEnd) {
        self.end = end;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.state.ended[self.end as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl From<&Refused> for LinkEnd {
    fn from(refused: &Refused) -> Self {
        match refused {
            Refused::RateLimited(_) => Self::RateLimited,
            Refused::BulkheadFull(_) => Self::BulkheadFull,
            Refused::CircuitOpen(_) => Self::CircuitOpen,
        }
    }
}
