//! Doing what rules want done.

use std::fmt;

use tokio::sync::oneshot;

use super::bundle::{self, Contents};
use super::offender;
use super::options::RemedyOptions;
use super::outcome::{Deed, RemedyOutcome, Skip};
use super::state::{Addition, RemedySnapshot};
use crate::agent::current;
use crate::alert::{Action, Alert, Moment};
use crate::monitor::Monitor;
use crate::runtime::{RestartError, RuntimeHandle, ScaleError};
use crate::sync::{Arc, Mutex, lock};

/// Does what rules want done when they fire, within the limits of their actions. Cheap to clone; every clone is the same.
///
/// # The worst offender
///
/// A restart without a named agent, for an alert without a label `agent`, is for the worst of the agents that serve. If the
/// process's memory is short (from [`memory_short`](RemedyOptions::memory_short) on) and allocations are counted, that is
/// the one that holds most. Else it is the one whose queue would take longest to be handled (messages waiting × mean
/// service time ÷ instances), and without any queue the busiest since the last look. The agent that calls, and those
/// that are [spared](RemedyOptions::spared), are not chosen.
///
/// # After a crash
///
/// [`snapshot`](Self::snapshot) is what to store. A process that starts anew starts its pools as they are configured, so
/// what was added before is gone with the process and [`restore`](Self::restore) takes nothing away for it; rests and limits go
/// on. Restored in the process that it was taken in, as by an alerting agent that is rebuilt, everything goes on.
#[derive(Clone)]
pub struct Remedies {
    shared: Arc<Shared>,
}

struct Shared {
    runtime: RuntimeHandle,
    monitor: Monitor,
    options: RemedyOptions,
    state: Mutex<State>,
    /// Held by whoever writes a bundle.
    writing: Mutex<()>,
}

#[derive(Default)]
struct State {
    done: RemedySnapshot,
    /// The agent that is being restarted.
    restarting: Option<String>,
}

impl Remedies {
    /// Remedies for the agents of this runtime, judged by what this monitor sees.
    #[must_use]
    pub fn new(runtime: &RuntimeHandle, monitor: &Monitor, options: RemedyOptions) -> Self {
        let shared = Shared {
            runtime: runtime.clone(),
            monitor: monitor.clone(),
            options,
            state: Mutex::default(),
            writing: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Does an action of a rule that fires, or goes on firing: its rests and limits decide whether it is time. `now` is the
    /// moment that the engine was given.
    ///
    /// Waits for a bundle to be written, and for a restart at most [`RemedyOptions::patience`].
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, what was begun is done to its end.
    pub async fn fired(&self, alert: &Alert, action: &Action, now: Moment) -> RemedyOutcome {
        match action {
            Action::Notify { .. } => RemedyOutcome::skipped(Skip::NotARemedy),
            Action::ScaleUp { agent, step, maximum, cooldown } => {
                let Some(agent) = named(agent.as_deref(), alert) else {
                    return RemedyOutcome::skipped(Skip::NoAgent);
                };
                let (step, maximum) = (*step as usize, *maximum as usize);
                self.scale_up(&alert.dedup_key, agent, step, maximum, now, now.after(*cooldown))
            }
            Action::RestartAgents { agent, at_most, within } => {
                let agent = match named(agent.as_deref(), alert) {
                    Some(agent) => Ok(agent.to_owned()),
                    None => self.worst_offender(),
                };
                match agent {
                    Ok(agent) => self.restart(alert, &agent, (*at_most, *within), now).await,
                    Err(why) => RemedyOutcome::skipped(why),
                }
            }
            Action::Investigate { most_bytes, cooldown } => {
                self.investigate(alert, *most_bytes, *cooldown, now).await
            }
        }
    }

    /// Undoes an action of a rule that is resolved: takes away the members that were added for it. Each finishes its
    /// message; never are fewer left than the pool was spawned with.
    ///
    /// # Cancel safety
    ///
    /// It does not wait.
    pub async fn resolved(&self, alert: &Alert, action: &Action, _now: Moment) -> RemedyOutcome {
        match action {
            Action::ScaleUp { .. } => self.undo(&alert.dedup_key),
            Action::Notify { .. } => RemedyOutcome::skipped(Skip::NotARemedy),
            Action::RestartAgents { .. } | Action::Investigate { .. } => {
                RemedyOutcome::skipped(Skip::NothingToUndo)
            }
        }
    }

    /// Undoes whatever was done for an incident, by its deduplication key: for a rule that has lost its actions, or is
    /// gone, before it was resolved.
    pub fn undo(&self, dedup_key: &str) -> RemedyOutcome {
        let mut state = lock(&self.shared.state);
        let additions = state.done.take_added(dedup_key);
        let agents: Vec<_> = additions.iter().filter_map(|addition| self.scale_down(addition)).collect();
        if agents.is_empty() {
            return RemedyOutcome::skipped(Skip::NothingToUndo);
        }
        RemedyOutcome::done(Deed::ScaledDown { agents })
    }

    /// What was done and has to be remembered.
    #[must_use]
    pub fn snapshot(&self) -> RemedySnapshot {
        let mut done = lock(&self.shared.state).done.clone();
        done.runtime = self.shared.runtime.core().id;
        done
    }

    /// Goes on from what was remembered; what was done here before is forgotten.
    pub fn restore(&self, mut snapshot: RemedySnapshot) {
        if snapshot.runtime != self.shared.runtime.core().id {
            snapshot.forget_members();
        }
        lock(&self.shared.state).done = snapshot;
    }

    fn scale_up(
        &self,
        dedup_key: &str,
        agent: &str,
        step: usize,
        maximum: usize,
        now: Moment,
        rests_until: Moment,
    ) -> RemedyOutcome {
        // Held throughout: a resolve that comes meanwhile finds what was added.
        let mut state = lock(&self.shared.state);
        if let Err(why) = state.done.may_add(dedup_key, agent, now) {
            return RemedyOutcome::skipped(why);
        }
        let runtime = &self.shared.runtime;
        let wanted = |from: usize| if from < maximum { (from + step).min(maximum) } else { from };
        let pool = match runtime.core().registry.pool(agent) {
            Ok(pool) => pool,
            Err(error) => return not_scaled(agent, error),
        };
        match pool.resize(runtime, &wanted) {
            Ok((scaled, _)) if scaled.to == scaled.from => {
                RemedyOutcome::skipped(Skip::AtMaximum { agent: agent.to_owned(), instances: scaled.from })
            }
            Ok((scaled, _)) => {
                let more = scaled.to - scaled.from;
                state.done.added(dedup_key, agent, pool.born_at(), more, rests_until);
                RemedyOutcome::done(Deed::ScaledUp {
                    agent: agent.to_owned(),
                    from: scaled.from,
                    to: scaled.to,
                })
            }
            Err(error) => not_scaled(agent, error),
        }
    }

    /// `None` if there is nothing to take away any more.
    fn scale_down(&self, addition: &Addition) -> Option<(String, usize, usize)> {
        let runtime = &self.shared.runtime;
        let pool = runtime.core().registry.pool(&addition.agent).ok()?;
        if pool.born_at() != addition.born_at {
            return None;
        }
        // Of what was added some may have been given up; what was there before stays.
        let configured = pool.configured();
        let wanted = |from: usize| from.saturating_sub(addition.members).max(configured.min(from));
        let (scaled, _) = pool.resize(runtime, &wanted).ok()?;
        (scaled.to < scaled.from).then(|| (addition.agent.clone(), scaled.from, scaled.to))
    }

    async fn restart(
        &self,
        alert: &Alert,
        agent: &str,
        (at_most, within): (u32, std::time::Duration),
        now: Moment,
    ) -> RemedyOutcome {
        let runtime = &self.shared.runtime;
        let instances = match runtime.to_restart(agent) {
            Ok(instances) => instances,
            Err(error @ RestartError::Itself { .. }) => {
                return RemedyOutcome::skipped(Skip::Unfit { error: error.into() });
            }
            Err(_) => return RemedyOutcome::skipped(Skip::NoSuchAgent { agent: agent.to_owned() }),
        };
        {
            let mut state = lock(&self.shared.state);
            if let Some(agent) = &state.restarting {
                return RemedyOutcome::skipped(Skip::Busy { agent: agent.clone() });
            }
            if let Err(why) = state.done.begin_restart(&alert.rule, agent, at_most, within, now) {
                return RemedyOutcome::skipped(why);
            }
            state.restarting = Some(agent.to_owned());
        }
        let under_way = UnderWay(Arc::clone(&self.shared));
        let (done, is_done) = oneshot::channel();
        let (rebuilding, name) = (runtime.clone(), agent.to_owned());
        // On the runtime's own thread, so that whoever stops waiting does not leave a pool half restarted.
        runtime.core().host.spawn(async move {
            let rebuilt = rebuilding.rebuild(&name, instances).await;
            drop(under_way);
            let _ = done.send(rebuilt);
        });
        let patience = runtime.core().commons.sleep(self.shared.options.patience);
        let rebuilt = tokio::select! {
            rebuilt = is_done => rebuilt.ok(),
            () = patience => None,
        };
        match rebuilt {
            None => RemedyOutcome::done(Deed::Restarted { agent: agent.to_owned(), serves: false }),
            Some(Ok(())) => RemedyOutcome::done(Deed::Restarted { agent: agent.to_owned(), serves: true }),
            Some(Err(error)) => {
                lock(&self.shared.state).done.revoke_restart(&alert.rule, agent);
                RemedyOutcome::failed(error)
            }
        }
    }

    fn worst_offender(&self) -> Result<String, Skip> {
        let Shared { runtime, monitor, options, .. } = &*self.shared;
        let look = monitor.latest().ok_or(Skip::NobodyStandsOut)?;
        let short = look.system.memory_ratio().is_some_and(|ratio| ratio >= options.memory_short);
        let me = current::instance();
        let is_me = |name: &str| {
            let Some(me) = &me else { return false };
            let cells = runtime.core().registry.cells_named(name);
            cells.iter().any(|cell| cell.instances().iter().any(|it| Arc::ptr_eq(it, me)))
        };
        let is_spared = |name: &str| {
            let family = name.rsplit_once('/').map_or(name, |(family, _)| family);
            options.spared.iter().any(|spared| spared == name || spared == family)
        };
        let may = |name: &str| !is_spared(name) && !is_me(name);
        let worst = offender::worst(&look.runtime.agents, short, may);
        worst.map(str::to_owned).ok_or(Skip::NobodyStandsOut)
    }

    async fn investigate(
        &self,
        alert: &Alert,
        most_bytes: u64,
        cooldown: std::time::Duration,
        now: Moment,
    ) -> RemedyOutcome {
        let Some(folder) = self.shared.options.bundles.clone() else {
            return RemedyOutcome::skipped(Skip::NoFolder);
        };
        if let Err(why) = lock(&self.shared.state).done.begin_bundle(&alert.rule, cooldown, now) {
            return RemedyOutcome::skipped(why);
        }
        let (done, is_done) = oneshot::channel();
        let (shared, about) = (Arc::clone(&self.shared), alert.clone());
        let write = move || {
            let _turn = lock(&shared.writing);
            let contents = Contents::gather(&shared.runtime, &shared.monitor, &about);
            let _ = done.send(bundle::write(&folder, &about, now, contents, most_bytes));
        };
        // A thread of its own: it reads every agent and writes files, and the caller may be on an arbiter.
        let started = std::thread::Builder::new().name("statim-bundle".to_owned()).spawn(write);
        let written = match started {
            Ok(_) => is_done.await.unwrap_or(Err(super::BundleError::Panicked)),
            Err(source) => Err(super::BundleError::Thread { source }),
        };
        match written {
            Ok(bundle) => RemedyOutcome::done(Deed::Investigated { bundle }),
            Err(error) => {
                lock(&self.shared.state).done.revoke_bundle(&alert.rule, now);
                RemedyOutcome::failed(error)
            }
        }
    }
}

/// A restart, until it is over, however it ends.
struct UnderWay(Arc<Shared>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        lock(&self.0.state).restarting = None;
    }
}

/// The agent that the action names, or the alert.
fn named<'a>(agent: Option<&'a str>, alert: &'a Alert) -> Option<&'a str> {
    agent.or_else(|| Some(alert.labels.get("agent")).filter(|name| !name.is_empty()))
}

fn not_scaled(agent: &str, error: ScaleError) -> RemedyOutcome {
    match error {
        ScaleError::NotFound { .. } | ScaleError::Ended { .. } | ScaleError::ShuttingDown { .. } => {
            RemedyOutcome::skipped(Skip::NoSuchAgent { agent: agent.to_owned() })
        }
        ScaleError::Single { .. } | ScaleError::ByKey { .. } | ScaleError::OutOfRange { .. } => {
            RemedyOutcome::skipped(Skip::Unfit { error: error.into() })
        }
        ScaleError::Thread { .. } => RemedyOutcome::failed(error),
    }
}

impl fmt::Debug for Remedies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remedies").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
