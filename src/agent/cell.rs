//! An agent as the rest of the runtime holds it: mailbox, figures and instances.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime};

use super::commons::Commons;
use super::current;
use super::instance::{Command, Instance};
use super::members::{Ended, Members};
use super::options::{AgentOptions, Pool};
use super::wait_graph::WaitTarget;
use crate::clock::Nanos;
use crate::delivery::DeadLetter;
use crate::mailbox::{ConsumerId, Gate, Mailbox, Offer, Outgoing, Reason, Refused, Ticket};
use crate::message::{Envelope, Key, Message, Priority, Remains};
use crate::resilience::QueueAdmission;
use crate::sync::{Arc, Mutex, lock};
use crate::telemetry::{
    AgentReading, AgentSnapshot, AgentState, AgentStats, LaneLatencies, Latencies, Totals, Work,
};

pub(crate) struct AgentCell<M> {
    pub(crate) name: Arc<str>,
    /// The name it was spawned under: that of the pool, if it is a member of one.
    pub(crate) family: Arc<str>,
    pub(crate) agent_type: &'static str,
    pub(crate) stop_order: i32,
    pub(crate) mailbox: Mailbox<M, Arc<Instance>>,
    /// Several instances serve the mailbox.
    pub(crate) is_pool: bool,
    pub(crate) stats: AgentStats,
    pub(crate) commons: Arc<Commons>,
    /// Refuses messages while messages wait too long.
    pub(super) admission: Option<Box<QueueAdmission>>,
    pub(crate) born_at: Nanos,
    members: Mutex<Members>,
}

impl<M: Message> AgentCell<M> {
    pub(crate) fn new(
        name: Arc<str>,
        family: Arc<str>,
        agent_type: &'static str,
        options: &AgentOptions,
        commons: Arc<Commons>,
    ) -> Self {
        // Options that are not valid were refused before.
        let admission =
            options.admission.and_then(|it| QueueAdmission::new(&name, &it, &commons.guards).ok());
        Self {
            name,
            family,
            agent_type,
            stop_order: options.stop_order,
            mailbox: Mailbox::new(options.mailbox),
            is_pool: matches!(options.pool, Pool::Shared(_)),
            stats: AgentStats::default(),
            admission: admission.map(Box::new),
            born_at: commons.clock.now(),
            commons,
            members: Mutex::default(),
        }
    }

    /// One of the instances that it begins with.
    pub(crate) fn add_instance(&self, instance: Arc<Instance>) {
        lock(&self.members).push(instance);
    }

    pub(crate) fn instances(&self) -> Vec<Arc<Instance>> {
        lock(&self.members).list().to_vec()
    }

    /// Commands every instance. Whether one of them has not ended.
    pub(crate) fn command(&self, command: &dyn Fn() -> Command) -> bool {
        let instances = {
            let mut members = lock(&self.members);
            // Under the lock: whoever joins is commanded too, or knows of the command.
            members.note(&command());
            members.list().to_vec()
        };
        // Each is commanded, whoever has ended.
        instances.iter().filter(|instance| instance.command(command()).is_ok()).count() > 0
    }

    /// Members of a pool that serve, or will again, and are to stay.
    pub(crate) fn staying(&self) -> usize {
        lock(&self.members).staying().count()
    }

    /// So many more members, of whom each has yet to be seated.
    pub(crate) fn join(
        &self,
        count: usize,
        make: &mut dyn FnMut(ConsumerId) -> Arc<Instance>,
    ) -> Result<Vec<Arc<Instance>>, Ended> {
        lock(&self.members).join(count, make)
    }

    /// Tells those who came last to leave between two messages, all but so many. Says how many were told.
    pub(crate) fn dismiss_all_but(&self, stay: usize) -> usize {
        let leaving = lock(&self.members).dismiss_all_but(stay);
        // One that has ended meanwhile needs no telling.
        leaving.iter().for_each(|instance| drop(instance.command(Command::Leave)));
        leaving.len()
    }

    /// Whether an instance that was told to leave may: somebody else stays.
    pub(crate) fn may_leave(&self, instance: &Arc<Instance>) -> bool {
        lock(&self.members).may_leave(instance)
    }

    #[inline]
    pub(crate) fn now(&self) -> Nanos {
        self.commons.clock.now()
    }

    /// Whether admission control refuses a message now; counted if so.
    #[inline]
    pub(super) fn refuses(&self, priority: Priority) -> bool {
        match &self.admission {
            None => false,
            Some(admission) => admission.refuses(priority) && self.turn_away(admission, priority),
        }
    }

    /// Some of this priority are refused.
    #[cold]
    fn turn_away(&self, admission: &QueueAdmission, priority: Priority) -> bool {
        // A closed mailbox says so itself.
        let refused = !self.mailbox.is_closed()
            && !admission.admits_one_more(priority, self.now(), || self.mailbox.traffic());
        if refused {
            self.stats.dropped(Reason::Overloaded, priority);
        }
        refused
    }

    /// A message waited this many nanoseconds until it was taken, before `now`.
    #[inline]
    pub(crate) fn waited(&self, priority: Priority, wait: u64, now: Nanos) {
        if let Some(admission) = &self.admission {
            admission.observe(priority, wait, now, || self.mailbox.traffic());
        }
    }

    /// The same for messages that were taken together.
    pub(crate) fn waited_together(&self, envelopes: &[Envelope<M>], now: Nanos) {
        let shortest = envelopes.iter().map(|envelope| now.since(envelope.sent_at)).min();
        if let (Some(first), Some(wait)) = (envelopes.first(), shortest) {
            self.waited(first.priority, wait, now);
        }
    }

    /// Queues the message if it has room now; else one of the next two goes on.
    #[inline(always)]
    pub(crate) fn accept(&self, outgoing: &mut Outgoing<'_, M>) -> Result<(), Refused> {
        self.mailbox.accept(outgoing, current::is_inside)
    }

    /// What becomes of a message that was refused, and of what it may displace.
    #[cold]
    pub(crate) fn turned_away(&self, outgoing: Outgoing<'_, M>, refused: Refused) -> Offer<M> {
        self.after_offer(self.mailbox.turned_away(outgoing, refused, current::is_inside))
    }

    /// The same for one that may wait.
    #[cold]
    pub(crate) fn turned_away_or_wait(
        &self,
        outgoing: Outgoing<'_, M>,
        refused: Refused,
    ) -> Result<Offer<M>, Arc<Ticket<M>>> {
        let offer = self.mailbox.turned_away_or_wait(outgoing, refused, current::is_inside)?;
        Ok(self.after_offer(offer))
    }

    fn after_offer(&self, offer: Offer<M>) -> Offer<M> {
        match offer {
            Offer::Accepted(None) => Offer::Accepted(None),
            Offer::Accepted(Some(displaced)) => {
                self.bury(displaced, Reason::Shed);
                Offer::Accepted(None)
            }
            Offer::Full(envelope) => {
                self.stats.dropped(Reason::Rejected, envelope.priority);
                Offer::Full(envelope)
            }
            decided => decided,
        }
    }

    /// A message that will not be handled: counted, told to whoever asked, written to the dead letters.
    pub(crate) fn bury(&self, envelope: Envelope<M>, reason: Reason) {
        self.bury_remains(envelope.untouched(), reason);
    }

    /// The same for a message that its handler has, or had.
    pub(crate) fn bury_remains(&self, remains: Remains<M>, reason: Reason) {
        let Remains { envelope, kind } = remains;
        if envelope.keeper().is_some_and(|keeper| !keeper.buried(reason, envelope.failed_attempts)) {
            // Stored still: it is delivered again, here or after a restart.
            guarded(|| drop(envelope));
            return;
        }
        self.stats.dropped(reason, envelope.priority);
        if let Some(asker) = envelope.terms.as_ref().and_then(|terms| terms.asker()) {
            asker.fail(reason);
        }
        let body = envelope.message.as_ref().and_then(|message| guarded(|| message.body()).flatten());
        self.commons.dead_letters.add(DeadLetter {
            number: 0,
            agent: Arc::clone(&self.family),
            kind: super::short_name(kind),
            priority: envelope.priority,
            reason,
            attempts: envelope.failed_attempts,
            age_nanos: self.now().since(envelope.sent_at),
            at: SystemTime::now(),
            body,
        });
        // A message's own drop must not take the runtime down.
        guarded(|| drop(envelope));
    }

    pub(crate) fn purge(&self, key: Key) -> usize {
        let purged = self.mailbox.purge(key);
        let count = purged.len();
        purged.into_iter().for_each(|envelope| self.bury(envelope, Reason::Purged));
        count
    }

    /// Closes the mailbox and buries what is still in it.
    pub(crate) fn close(&self) {
        self.mailbox.set_gate(Gate::Closed);
        for envelope in self.mailbox.drain() {
            self.bury(envelope, Reason::Undeliverable);
        }
    }

    /// The instances, and what those did that have left; the latencies of these are added to `latencies`. Both of one
    /// moment, so that nobody is missed and nobody counted twice.
    fn present_and_past(&self, latencies: &mut Latencies) -> (Vec<Arc<Instance>>, Work) {
        let members = lock(&self.members);
        members.add_former_latencies_to(latencies);
        (members.list().to_vec(), members.former_work())
    }

    /// One instance ends. The last one out closes the mailbox; before that the others go on.
    pub(crate) fn leave(&self, instance: &Arc<Instance>, state: AgentState) {
        let has_left = instance.is_leaving() && state == AgentState::Stopped;
        if has_left {
            // While nobody else can have its number.
            self.mailbox.dismiss(instance.consumer);
        }
        instance.set_state(state);
        let all_ended = {
            let mut members = lock(&self.members);
            if has_left {
                members.remove(instance);
            }
            members.have_all_ended()
        };
        if all_ended {
            self.close();
        } else if !has_left {
            self.mailbox.hand_over(instance.consumer);
        }
    }
}

fn arbiters(instances: &[Arc<Instance>]) -> Vec<u32> {
    let mut numbers: Vec<_> = instances.iter().map(|it| it.arbiter()).filter(|number| *number > 0).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Runs code of a user's where a panic must not pass.
fn guarded<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).ok()
}

impl<M> fmt::Debug for AgentCell<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentCell").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<M: Message> WaitTarget for AgentCell<M> {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn answerers(&self) -> Vec<Arc<Instance>> {
        let mut instances = self.instances();
        // One that has ended answers nobody, so that it is not asked counts for nothing.
        instances.retain(|instance| !instance.state().is_final());
        instances
    }

    fn has_answerer(&self, could: &mut dyn FnMut(&Arc<Instance>) -> bool) -> bool {
        lock(&self.members).list().iter().any(|instance| !instance.state().is_final() && could(instance))
    }
}

/// A cell whatever its message type: what the runtime needs of it.
pub(crate) trait AnyCell: Send + Sync + fmt::Debug {
    fn name(&self) -> &Arc<str>;
    fn stop_order(&self) -> i32;
    fn instances(&self) -> Vec<Arc<Instance>>;
    /// Commands every instance. Whether one of them has not ended.
    fn command(&self, command: &dyn Fn() -> Command) -> bool;
    fn has_ended(&self) -> bool;
    fn set_gate(&self, gate: Gate);
    fn close(&self);
    fn purge(&self, key: Key) -> usize;
    fn snapshot(&self) -> AgentSnapshot;
    /// The figures of this moment, without latencies.
    fn reading(&self) -> AgentReading;
    /// The latencies of this moment.
    fn latencies(&self) -> LaneLatencies;
}

impl<M: Message> AnyCell for AgentCell<M> {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn stop_order(&self) -> i32 {
        self.stop_order
    }

    fn instances(&self) -> Vec<Arc<Instance>> {
        self.instances()
    }

    fn command(&self, command: &dyn Fn() -> Command) -> bool {
        self.command(command)
    }

    fn has_ended(&self) -> bool {
        lock(&self.members).have_all_ended()
    }

    fn set_gate(&self, gate: Gate) {
        self.mailbox.set_gate(gate);
    }

    fn close(&self) {
        self.close();
    }

    fn purge(&self, key: Key) -> usize {
        self.purge(key)
    }

    fn snapshot(&self) -> AgentSnapshot {
        let depth = self.mailbox.depth();
        let mut latencies = Latencies::default();
        let (instances, mut work) = self.present_and_past(&mut latencies);
        for instance in &instances {
            work.add(&instance.figures.work());
            instance.figures.add_latencies_to(&mut latencies);
        }
        let lifetime = self.now().since(self.born_at).max(1) as f64 * instances.len().max(1) as f64;
        let counted = |reason| (reason, self.stats.dropped_for(reason));
        let metering = self.commons.metering;
        AgentSnapshot {
            name: self.name.to_string(),
            agent_type: self.agent_type.to_owned(),
            instances: instances.len(),
            state: instances.first().map_or(AgentState::Starting, |instance| instance.state()),
            arbiters: arbiters(&instances),
            capacity: self.mailbox.options().capacity,
            depth: Priority::ALL.into_iter().zip(depth).collect(),
            handled: work.handled,
            failed: work.failed,
            panicked: self.stats.panics(),
            restarts: self.stats.restarts(),
            dropped: Reason::ALL.into_iter().map(counted).filter(|(_, count)| *count > 0).collect(),
            busy_seconds: work.busy_nanos as f64 / 1e9,
            cpu_seconds: metering.cpu.then_some(work.cpu_nanos as f64 / 1e9),
            allocated_bytes: metering.memory.then(|| held(work)),
            admission: self.admission.as_ref().map(|it| it.snapshot(&self.mailbox.traffic())),
            utilization: (work.busy_nanos as f64 / lifetime).min(1.0),
            latency: Priority::ALL
                .into_iter()
                .filter_map(|priority| Some((priority, latencies.summary(priority.lane())?)))
                .collect::<BTreeMap<_, _>>(),
        }
    }

    fn reading(&self) -> AgentReading {
        let mut reading = AgentReading {
            name: Arc::clone(&self.name),
            state: AgentState::Starting,
            instances: 0,
            capacity: self.mailbox.options().capacity as u64,
            depth: self.mailbox.depth(),
            totals: Totals { dropped: Reason::ALL.map(|it| self.stats.dropped_for(it)), ..Totals::default() },
            panics: self.stats.panics(),
            restarts: self.stats.restarts(),
            busy: Duration::ZERO,
            cpu: None,
            allocated: None,
            refused: self.admission.as_ref().map(|it| it.refused_shares()),
            utilization: None,
            latencies: None,
        };
        // Read under the lock, so that nobody leaves and takes figures along in between.
        let members = lock(&self.members);
        let mut work = members.former_work();
        for instance in members.list() {
            if reading.instances == 0 {
                reading.state = instance.state();
            }
            reading.instances += 1;
            work.add(&instance.figures.work());
        }
        drop(members);
        let metering = self.commons.metering;
        reading.totals.handled = work.handled;
        reading.totals.failed = work.failed;
        reading.busy = Duration::from_nanos(work.busy_nanos);
        reading.cpu = metering.cpu.then(|| Duration::from_nanos(work.cpu_nanos));
        reading.allocated = metering.memory.then(|| held(work));
        reading
    }

    fn latencies(&self) -> LaneLatencies {
        let (instances, mut all) = {
            let members = lock(&self.members);
            (members.list().to_vec(), members.former_lanes())
        };
        for instance in instances {
            let theirs = instance.figures.lanes();
            if all.is_empty() {
                all = theirs;
            } else {
                all.add(&theirs);
            }
        }
        all
    }
}

/// Bytes that agents hold. What was sent elsewhere and freed there can make it less than nothing for a while.
fn held(work: Work) -> u64 {
    u64::try_from(work.allocated).unwrap_or(0)
}
