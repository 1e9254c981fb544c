//! What was done, and what may be done again. Pure: the time comes from outside.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::outcome::Skip;
use crate::alert::Moment;

/// What remedies remember, to be stored and [restored](super::Remedies::restore).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemedySnapshot {
    /// The runtime whose pools got members. Those of another begin with the members they are configured to have.
    pub(super) runtime: u64,
    additions: Vec<Addition>,
    restarts: Vec<Restarted>,
    bundles: Vec<Bundled>,
}

/// Members that a pool got for an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Addition {
    /// The incident's.
    pub(super) dedup_key: String,
    pub(super) agent: String,
    /// Tells the pool from a later one of the same name.
    pub(super) born_at: u64,
    pub(super) members: usize,
    /// No more before then.
    rests_until: Moment,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Restarted {
    rule: String,
    agent: String,
    /// The agent is not restarted again before then.
    rests_until: Moment,
    /// It counts against the rule's limit until then.
    counts_until: Moment,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Bundled {
    rule: String,
    rests_until: Moment,
}

impl RemedySnapshot {
    /// Forgets what plays no part any more, so that what is remembered is bounded by what was done lately.
    fn sweep(&mut self, now: Moment) {
        self.additions.retain(|it| it.members > 0 || it.rests_until > now);
        self.restarts.retain(|it| it.counts_until > now);
        self.bundles.retain(|it| it.rests_until > now);
    }

    /// Members are there no more: the process is another.
    pub(super) fn forget_members(&mut self) {
        self.additions.iter_mut().for_each(|it| it.members = 0);
    }

    pub(super) fn may_add(&mut self, dedup_key: &str, agent: &str, now: Moment) -> Result<(), Skip> {
        self.sweep(now);
        match self.addition(dedup_key, agent) {
            Some(it) if it.rests_until > now => Err(Skip::Cooldown { until: it.rests_until }),
            _ => Ok(()),
        }
    }

    pub(super) fn added(
        &mut self,
        dedup_key: &str,
        agent: &str,
        born_at: u64,
        members: usize,
        rests_until: Moment,
    ) {
        match self.addition(dedup_key, agent) {
            Some(it) => {
                let before = if it.born_at == born_at { it.members } else { 0 };
                (it.born_at, it.members, it.rests_until) = (born_at, before + members, rests_until);
            }
            None => self.additions.push(Addition {
                dedup_key: dedup_key.to_owned(),
                agent: agent.to_owned(),
                born_at,
                members,
                rests_until,
            }),
        }
    }

    fn addition(&mut self, dedup_key: &str, agent: &str) -> Option<&mut Addition> {
        self.additions.iter_mut().find(|it| it.dedup_key == dedup_key && it.agent == agent)
    }

    /// The members that pools got for an incident, to be taken away again. The rest after an addition goes on.
    pub(super) fn take_added(&mut self, dedup_key: &str) -> Vec<Addition> {
        let those = self.additions.iter_mut().filter(|it| it.dedup_key == dedup_key && it.members > 0);
        those.map(|it| Addition { members: std::mem::take(&mut it.members), ..it.clone() }).collect()
    }

    /// Takes note of a restart to come, if there may be one.
    pub(super) fn begin_restart(
        &mut self,
        rule: &str,
        agent: &str,
        at_most: u32,
        within: Duration,
        now: Moment,
    ) -> Result<(), Skip> {
        self.sweep(now);
        let of_rule = self.restarts.iter().filter(|it| it.rule == rule);
        if of_rule.clone().count() >= at_most as usize {
            let until = of_rule.map(|it| it.counts_until).min().unwrap_or(now);
            return Err(Skip::RateLimited { until });
        }
        let same = self.restarts.iter().filter(|it| it.rule == rule && it.agent == agent);
        if let Some(until) = same.map(|it| it.rests_until).max().filter(|until| *until > now) {
            return Err(Skip::Cooldown { until });
        }
        self.restarts.push(Restarted {
            rule: rule.to_owned(),
            agent: agent.to_owned(),
            // All of an hour's restarts in the first minute would be over before one of them could help.
            rests_until: now.after(within / at_most.max(1)),
            counts_until: now.after(within),
        });
        Ok(())
    }

    /// It came to nothing.
    pub(super) fn revoke_restart(&mut self, rule: &str, agent: &str) {
        if let Some(last) = self.restarts.iter().rposition(|it| it.rule == rule && it.agent == agent) {
            self.restarts.remove(last);
        }
    }

    /// Takes note of a bundle to come, if there may be one.
    pub(super) fn begin_bundle(&mut self, rule: &str, cooldown: Duration, now: Moment) -> Result<(), Skip> {
        self.sweep(now);
        if let Some(it) = self.bundles.iter().find(|it| it.rule == rule) {
            return Err(Skip::Cooldown { until: it.rests_until });
        }
        self.bundles.push(Bundled { rule: rule.to_owned(), rests_until: now.after(cooldown) });
        Ok(())
    }

    /// It came to nothing, and may be tried again sooner, but not at every look: a full disk stays full for a while.
    pub(super) fn revoke_bundle(&mut self, rule: &str, now: Moment) {
        const RETRY: Duration = Duration::from_mins(1);
        if let Some(it) = self.bundles.iter_mut().find(|it| it.rule == rule) {
            it.rests_until = it.rests_until.min(now.after(RETRY));
        }
    }
}
