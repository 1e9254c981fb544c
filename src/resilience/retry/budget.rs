//! How many retries all callers together may add to the load.

use serde::{Deserialize, Serialize};

use crate::clock::Nanos;
use crate::resilience::fault::Checks;
use crate::sync::{AtomicU64, Mutex, Ordering, lock};

/// A budget: in any period there are at most `burst` + `ratio` × (first attempts) + `per_second` × (seconds) retries.
///
/// Without one, three attempts make an overloaded callee's load three times as much exactly when it can bear it least.
/// 10 % is the share of Google's SRE book ("Handling Overload").
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryBudget {
    /// Retries for each first attempt; 0 to 10. Default: 0.1.
    pub ratio: f64,
    /// Retries each second whatever the load, so that few calls can be retried too; 0 to 1,000,000. Default: 1.
    pub per_second: f64,
    /// Retries that can be saved up; 1 to 1,000,000. It begins with all of them. Default: 10.
    pub burst: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { ratio: 0.1, per_second: 1.0, burst: 10 }
    }
}

impl RetryBudget {
    pub(super) fn check(&self, checks: &mut Checks) {
        checks.number("ratio", self.ratio, 0.0..=10.0);
        checks.number("per_second", self.per_second, 0.0..=1_000_000.0);
        checks.number("burst", self.burst, 1..=1_000_000);
    }
}

/// What is left of a budget. A first attempt costs one atomic addition; the sum is made when a retry asks.
#[derive(Debug)]
pub(super) struct Purse {
    rules: RetryBudget,
    /// First attempts since a retry last asked.
    attempts: AtomicU64,
    saved: Mutex<Saved>,
}

#[derive(Debug)]
struct Saved {
    retries: f64,
    at: Nanos,
}

impl Purse {
    pub(super) fn new(rules: RetryBudget, now: Nanos) -> Self {
        let saved = Mutex::new(Saved { retries: rules.burst.into(), at: now });
        Self { rules, attempts: AtomicU64::new(0), saved }
    }

    pub(super) fn pay_in(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one retry out, if there is one.
    pub(super) fn take(&self, now: Nanos) -> bool {
        let mut saved = lock(&self.saved);
        saved.retries = self.filled(&saved, self.attempts.swap(0, Ordering::Relaxed), now);
        saved.at = saved.at.max(now);
        let enough = saved.retries >= 1.0;
        if enough {
            saved.retries -= 1.0;
        }
        enough
    }

    /// Retries there are now. Changes nothing.
    pub(super) fn balance(&self, now: Nanos) -> f64 {
        let saved = lock(&self.saved);
        self.filled(&saved, self.attempts.load(Ordering::Relaxed), now)
    }

    fn filled(&self, saved: &Saved, attempts: u64, now: Nanos) -> f64 {
        let earned = self.rules.ratio * attempts as f64;
        let granted = self.rules.per_second * now.since(saved.at) as f64 / 1e9;
        (saved.retries + earned + granted).min(self.rules.burst.into())
    }
}
