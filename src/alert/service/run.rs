//! The task of the service's thread: one command after the other.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::book::Deed;
use super::core::Core;
use super::error::{OperatorError, SetupError, TickError};
use super::options::AlertSetup;
use super::sender::Sender;
use crate::alert::engine::Engine;
use crate::alert::event::{Alert, Event};
use crate::alert::labels::Labels;
use crate::alert::silence::Silence;
use crate::alert::time::Moment;
use crate::monitor::MetricSource;
use crate::resilience::InvalidOptions;
use crate::store::{Lock, LockId};
use crate::sync::{Arc, lock};
use crate::telemetry::{MetricSample, Value as SampleValue};

/// How often what was settled long ago is looked for.
const SWEEP: Duration = Duration::from_secs(600);
/// A larger state is stored without its samples at the end.
const LARGEST_SNAPSHOT: usize = 8 << 20;

/// What the service is asked.
#[derive(Debug)]
pub(super) enum Command {
    Tick { now: Option<Moment>, done: oneshot::Sender<Result<Tick, TickError>> },
    Acknowledge { key: String, by: String, done: oneshot::Sender<Result<(), OperatorError>> },
    Silence { silence: Silence, done: oneshot::Sender<Result<(), OperatorError>> },
    LiftSilence { id: String, done: oneshot::Sender<Result<(), OperatorError>> },
    Reload { setup: Box<AlertSetup>, done: oneshot::Sender<Result<(), SetupError>> },
    Close { done: oneshot::Sender<()> },
}

/// What an evaluation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// Whether this process evaluates; else it stands by, and did nothing.
    pub leads: bool,
    /// Changes found: alerts that became pending, fired, were cancelled or resolved, or had no data.
    pub changes: usize,
    /// Notifications decided on.
    pub notifications: usize,
}

pub(super) struct Run {
    core: Arc<Core>,
    /// What says that nobody else leads.
    lock: Option<Lock>,
    senders: HashMap<String, (watch::Sender<bool>, JoinHandle<()>)>,
    /// Those of sinks that were replaced, until they are done.
    leaving: Vec<JoinHandle<()>>,
    swept: Option<Instant>,
    /// The moment of the last evaluation.
    last: Option<Moment>,
    /// The same, if somebody plays time.
    played: Option<Moment>,
}

impl Run {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self {
            core,
            lock: None,
            senders: HashMap::new(),
            leaving: Vec::new(),
            swept: None,
            last: None,
            played: None,
        }
    }

    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        // The options were checked before.
        let _ = self.start_senders();
        while let Some(command) = commands.recv().await {
            match command {
                Command::Tick { now, done } => drop(done.send(self.tick(now).await)),
                Command::Acknowledge { key, by, done } => {
                    let acknowledged = self.operate(|core, now| {
                        let queued = core.clock.now();
                        Ok(lock(&core.book).acknowledge(&key, &by, now, queued)?)
                    });
                    let _ = done.send(acknowledged.await);
                }
                Command::Silence { silence, done } => {
                    let silenced =
                        self.operate(|core, now| Ok(lock(&core.book).dispatcher.silence(silence, now)?));
                    let _ = done.send(silenced.await);
                }
                Command::LiftSilence { id, done } => {
                    let lifted = self.operate(|core, now| {
                        let lifted = lock(&core.book).dispatcher.lift_silence(&id, now);
                        if lifted { Ok(()) } else { Err(OperatorError::NoSilence(id)) }
                    });
                    let _ = done.send(lifted.await);
                }
                Command::Reload { setup, done } => drop(done.send(self.reload(*setup).await)),
                Command::Close { done } => {
                    commands.close();
                    self.close().await;
                    let _ = done.send(());
                    return;
                }
            }
        }
        // Every handle is gone.
        self.close().await;
    }

    async fn tick(&mut self, now: Option<Moment>) -> Result<Tick, TickError> {
        let core = Arc::clone(&self.core);
        self.played = now;
        let now = now.unwrap_or_else(|| self.steady(core.clock.now()));
        let standby = Tick { leads: false, changes: 0, notifications: 0 };
        if !self.lead(now).await? {
            core.figures.rest();
            return Ok(standby);
        }
        // What was asked can be asked again at the next evaluation; what is measured cannot.
        if let Err(error) = core.answer_requests(now).await {
            tracing::warn!(%error, "what operators ask for cannot be looked up");
        }
        let interval = lock(&core.engine).options().interval;
        core.figures.begin(interval);
        let began = Instant::now();
        self.last = Some(now);
        let tick = self.evaluate(now);
        core.figures.count(|it| {
            it.evaluations += 1;
            it.evaluating += began.elapsed();
        });
        core.save().await?;
        if self.swept.is_none_or(|at| at.elapsed() >= SWEEP) {
            self.swept = Some(Instant::now());
            core.sweep().await;
        }
        Ok(tick)
    }

    /// Now, as evaluations know it.
    fn moment(&self) -> Moment {
        self.played.unwrap_or_else(|| self.core.clock.now())
    }

    /// Now, or the moment at which the evaluation was due if that is very near. Else a timer that is a millisecond early
    /// costs what is held for a whole number of intervals one more of them.
    fn steady(&self, now: Moment) -> Moment {
        let interval = lock(&self.core.engine).options().interval;
        let due = self.last.map_or(now, |last| last.after(interval));
        let off = due.since(now).max(now.since(due));
        if off <= interval / 20 { due } else { now }
    }

    fn evaluate(&self, now: Moment) -> Tick {
        let core = &self.core;
        let mut engine = lock(&core.engine);
        MetricSource::samples(&**core, &mut |sample| observe(&mut engine, &sample, now));
        let mut book = lock(&core.book);
        let mut events = std::mem::take(&mut book.carried);
        events.extend(engine.evaluate(now));
        events.iter().for_each(say);
        let changes = |it: &&Event| {
            !matches!(it, Event::StillFiring(_) | Event::StillResolved(_) | Event::Refused { .. })
        };
        let changes = events.iter().filter(changes).count();
        let notifications = book.decide(&engine, &events, now, core.clock.now());
        core.figures.count(|it| {
            it.stats = engine.stats();
            it.rules = engine.rules().count();
        });
        Tick { leads: true, changes, notifications }
    }

    /// Whether this process is the one that evaluates, after trying to be.
    async fn lead(&mut self, now: Moment) -> Result<bool, TickError> {
        let core = Arc::clone(&self.core);
        let limit = core.options.save_timeout;
        let timed_out = || TickError::Read(super::error::LedgerError::TimedOut(limit));
        if let Some(held) = &mut self.lock {
            let checked = tokio::time::timeout(limit, held.check()).await;
            match checked {
                Ok(Ok(())) if core.leads() => return Ok(true),
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => {
                    let generation = lock(&core.book).generation;
                    core.step_down(generation, "the lock in the database is lost");
                    self.lock = None;
                }
            }
        }
        if self.lock.is_none() {
            let id = LockId::named("statim alerts");
            let trying = core.store.try_lock(id);
            self.lock = tokio::time::timeout(limit, trying).await.map_err(|_| timed_out())??;
        }
        if self.lock.is_none() {
            return Ok(false);
        }
        core.take_over(now).await?;
        core.bell.notify_waiters();
        Ok(true)
    }

    /// Does what an operator wants, and stores it.
    async fn operate(
        &mut self,
        work: impl FnOnce(&Core, Moment) -> Result<(), OperatorError>,
    ) -> Result<(), OperatorError> {
        let core = Arc::clone(&self.core);
        if !core.leads() {
            return Err(OperatorError::Standby);
        }
        let now = self.moment();
        work(&core, now)?;
        {
            let engine = lock(&core.engine);
            let mut book = lock(&core.book);
            book.board = Arc::new(super::board::board(&engine, &book.dispatcher, now));
            book.note_states(&engine.states(), now);
        }
        Ok(core.save().await?)
    }

    async fn reload(&mut self, setup: AlertSetup) -> Result<(), SetupError> {
        setup.check()?;
        let core = Arc::clone(&self.core);
        let now = self.moment();
        {
            let mut engine = lock(&core.engine);
            let mut book = lock(&core.book);
            let events = if *engine.options() == setup.engine {
                engine.reload(setup.rules.clone(), now)?
            } else {
                let (restored, events) =
                    Engine::restore(setup.engine.clone(), setup.rules.clone(), engine.snapshot(), now)?;
                *engine = restored;
                events
            };
            let before = std::mem::replace(&mut book.setup, setup);
            let dispatch = book.dispatch_options();
            book.keep_sinks(core.clock.now());
            book.dispatcher.reload(dispatch);
            book.set_silences(&before.silences, now);
            if book.lead.is_some() {
                events.iter().for_each(say);
                book.decide(&engine, &events, now, core.clock.now());
            }
        }
        self.start_senders()?;
        if core.leads()
            && let Err(error) = core.save().await
        {
            tracing::warn!(%error, "the new rules are in force");
        }
        core.bell.notify_waiters();
        Ok(())
    }

    /// A sender for each sink of the setup; those of a setup before finish what they are at.
    fn start_senders(&mut self) -> Result<(), InvalidOptions> {
        self.leaving.retain(|it| !it.is_finished());
        for (_, (stop, task)) in self.senders.drain() {
            let _ = stop.send(true);
            self.leaving.push(task);
        }
        let sinks = lock(&self.core.book).setup.sinks.clone();
        for sink in sinks {
            let (stop, stopped) = watch::channel(false);
            let name = sink.name().to_owned();
            let sender = Sender::new(Arc::clone(&self.core), sink, stopped)?;
            self.senders.insert(name, (stop, tokio::spawn(sender.run())));
        }
        Ok(())
    }

    async fn close(&mut self) {
        let core = Arc::clone(&self.core);
        let grace = core.options.grace;
        for (_, (stop, task)) in self.senders.drain() {
            let _ = stop.send(true);
            self.leaving.push(task);
        }
        core.bell.notify_waiters();
        let aborts: Vec<_> = self.leaving.iter().map(JoinHandle::abort_handle).collect();
        let finished = futures_util::future::join_all(self.leaving.drain(..));
        if tokio::time::timeout(grace, finished).await.is_err() {
            tracing::warn!(
                "an attempt to tell somebody was cut short; it is made again after the next start"
            );
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
        }
        if core.leads() {
            {
                let engine = lock(&core.engine);
                let mut book = lock(&core.book);
                let (whole, now) = (engine.snapshot(), self.moment());
                let fits = super::ledger::encode(&whole).len() <= LARGEST_SNAPSHOT;
                let states = if fits { whole } else { engine.states() };
                book.note_states(&states, now);
            }
            if let Err(error) = core.save().await {
                tracing::warn!(%error, "alerting ends; what it decided last is decided again after the next start");
            }
            lock(&core.book).lead = None;
        }
        if let Some(held) = self.lock.take() {
            let _ = tokio::time::timeout(grace, held.release()).await;
        }
    }
}

/// Does what is to be done, one after the other.
pub(super) async fn do_deeds(core: Arc<Core>, mut deeds: mpsc::Receiver<Deed>) {
    while let Some(Deed { alert, action, over, at }) = deeds.recv().await {
        let Some(remedy) = &core.options.remedy else { continue };
        let doing = async {
            if over {
                remedy.resolved(&alert, &action, at).await;
            } else {
                remedy.fired(&alert, &action, at).await;
            }
        };
        let caught = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(doing));
        if caught.await.is_err() {
            tracing::error!(rule = alert.rule, action = action.as_str(), "an action panicked");
        }
    }
}

/// Takes a sample in, if a rule looks at it.
pub(super) fn observe(engine: &mut Engine, sample: &MetricSample<'_>, at: Moment) {
    if !engine.watches(sample.name) {
        return;
    }
    let Ok(labels) = Labels::new(sample.labels.iter().copied()) else { return };
    match sample.value {
        SampleValue::Number(number) => engine.observe(sample.name, &labels, number, at),
        SampleValue::Distribution(values) => {
            let scale = sample.unit.of_one();
            let counts = values.pairs().iter().map(|(value, count)| (*value as f64 * scale, *count));
            let values = crate::alert::distribution::Distribution::from_counts(counts);
            engine.observe(sample.name, &labels, values, at);
        }
    }
}

/// Writes an event to the log.
fn say(event: &Event) {
    let place = |alert: &Alert| (alert.rule.clone(), alert.labels.to_string(), alert.finding.clone());
    match event {
        Event::Pending(alert) => {
            let (rule, labels, finding) = place(alert);
            tracing::info!(rule, labels, finding, "pending");
        }
        Event::Cancelled(alert) => {
            let (rule, labels, finding) = place(alert);
            tracing::info!(rule, labels, finding, "no longer pending");
        }
        Event::Fired(alert) if alert.watchdog => tracing::info!(rule = alert.rule, "the watchdog is awake"),
        Event::Fired(alert) => {
            let (rule, labels, finding) = place(alert);
            let severity = alert.severity.as_str();
            tracing::warn!(rule, labels, finding, severity, key = alert.dedup_key, "fires");
        }
        Event::Resolved(alert, ending) => {
            let (rule, labels, finding) = place(alert);
            tracing::warn!(rule, labels, finding, ?ending, key = alert.dedup_key, "resolved");
        }
        Event::NoData(alert) => {
            let (rule, labels, finding) = place(alert);
            tracing::warn!(rule, labels, finding, "there is nothing to judge by");
        }
        Event::Refused { rule, samples, limit } => {
            tracing::error!(
                rule,
                samples,
                limit,
                "samples of more label sets than the rule may have are refused"
            );
        }
        Event::StillFiring(_) | Event::StillResolved(_) => {}
    }
}
