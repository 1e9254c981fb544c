//! Alerting at work: rules over samples, and notifications that arrive, over a store.
//!
//! ```text
//!  Monitor ──look──▶ observe ─▶ ┌────────┐ events ┌────────────┐ notifications ┌───────┐     ┌──────────────┐
//!                    tick ────▶ │ Engine │ ─────▶ │ Dispatcher │ ────────────▶ │ Queue │ ──▶ │ sender (sink)│ ──▶ receiver
//!                               └────────┘        └────────────┘               └───────┘     └──────────────┘
//!                                    │ states           │ states                   │ rows          ▲ only what
//!                                    └──────────────────┴───── one transaction ────┘───────────────┘ is stored
//! ```
//!
//! * `queue`, `lane`, `entry`: what waits for whom, in which order, and what cancels what. Pure.
//! * `book`, `batch`, `ledger`: what is decided, what of it is not stored yet, and the tables.
//! * `run`: the one task that evaluates and takes commands, on a thread of the service's own.
//! * `sender`, `resend`: one task for each sink.
//! * `records`: the same for other processes, through the database.

mod batch;
mod board;
mod book;
mod clock;
mod core;
mod entry;
mod error;
mod figures;
mod lane;
mod ledger;
mod options;
mod queue;
mod records;
mod remedy;
mod request;
mod resend;
mod run;
mod sender;
#[cfg(test)]
mod tests;

pub use self::board::OpenAlert;
pub use self::entry::Fate;
pub use self::error::{AlertOpenError, LedgerError, OperatorError, SaveError, SetupError, TickError};
pub use self::options::{AlertSetup, ServiceOptions};
pub use self::records::{AlertLedger, DeliveryRecord};
pub use self::remedy::{Remedy, Remedying};
pub use self::run::Tick;

use std::fmt;

use tokio::sync::{Notify, mpsc, oneshot};

use self::book::Book;
use self::clock::SteadyClock;
use self::core::Core;
use self::figures::Figures;
use self::queue::Queue;
use self::run::{Command, Run, do_deeds};
use super::dispatch::Dispatcher;
use super::engine::Engine;
use super::labels::Labels;
use super::series::Value;
use super::silence::Silence;
use super::time::Moment;
use crate::monitor::{Look, MetricSource};
use crate::store::Store;
use crate::sync::{Arc, Mutex, lock};

/// Commands that wait for the service's thread; callers beyond wait in turn.
const COMMANDS: usize = 64;
/// Actions that wait to be done.
const DEEDS: usize = 1_000;

/// Evaluates alert rules and tells people, so that what was decided survives a crash. A clone is another handle on the
/// same service; the last one that is dropped ends it, without waiting.
///
/// Whoever runs it shows it what is measured ([`observe`](Self::observe)) and calls [`tick`](Self::tick) at the
/// evaluation interval. Everything else happens on a thread of its own.
///
/// # Guarantees
///
/// * Nothing is sent before it is stored, together with the state that it follows from; what is stored is sent. A crash
///   at any moment loses no notification and decides none twice.
/// * To one sink, what is about the same alert or the same group arrives in order, one after the other. What does not get
///   through holds up nothing else.
/// * **At least once on the wire, once for each dedup key at the receiver.** A crash between a receiver's answer and the
///   note of it in the store means that the same delivery is made again, with the same id and the same dedup keys.
/// * That something is over is tried until it is told, or the receiver refuses it for good. Only what nobody can have
///   heard of is never said to be over: its beginning is taken back with its end.
/// * A receiver that refuses for good leaves the notification where it can be looked at
///   ([`AlertLedger::deliveries`]), a metric and an error in the log.
/// * Of several processes with one database, one evaluates and sends. The others stand by, and one of them takes over at
///   its next tick after the first is gone. Each stored change carries the number of the taking over it belongs to, so a process
///   that was taken for dead stores nothing.
///
/// # Bounds
///
/// Notifications that wait hold at most [`ServiceOptions::most_waiting`] alerts. Over that, the least important go, oldest first:
/// heartbeats, repetitions, acknowledgements, escalations, and last what begins; never what ends. Each is counted, logged
/// as an error, and kept for people to see. What ends is bounded by what began.
#[derive(Clone)]
pub struct AlertService {
    core: Arc<Core>,
    commands: mpsc::Sender<Command>,
}

impl AlertService {
    /// Opens the service over `store`, making its tables if needed, and starts its thread. It evaluates from the first
    /// [`tick`](Self::tick) on that finds no other process doing so; what is stored is taken up and sent then.
    ///
    /// # Errors
    ///
    /// [`AlertOpenError`]: the setup cannot be used, the tables cannot be made, or there is no thread.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the tables may have been made.
    pub async fn open(
        store: &Store,
        setup: AlertSetup,
        options: ServiceOptions,
    ) -> Result<Self, AlertOpenError> {
        setup.check()?;
        for sink in &setup.sinks {
            options.rate_limit_of(sink.kind()).validate().map_err(SetupError::from)?;
        }
        options.breaker.validate().map_err(SetupError::from)?;
        let engine = Engine::new(setup.engine.clone(), setup.rules.clone()).map_err(SetupError::from)?;
        store.migrate(ledger::COMPONENT, ledger::MIGRATIONS).await?;
        let dispatcher = Dispatcher::new(setup.dispatch_options());
        let queue = Queue::new(options.most_waiting, options.repeats_last);
        let (deeds, to_do) = mpsc::channel(DEEDS);
        let core = Arc::new(Core {
            store: store.clone(),
            options,
            clock: SteadyClock::new(),
            engine: Mutex::new(engine),
            book: Mutex::new(Book::new(dispatcher, queue, setup)),
            figures: Figures::default(),
            saving: tokio::sync::Mutex::default(),
            bell: Notify::new(),
            deeds,
        });
        let (commands, queue) = mpsc::channel(COMMANDS);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(AlertOpenError::Thread)?;
        let of_thread = Arc::clone(&core);
        std::thread::Builder::new()
            .name("statim-alerts".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    let doing = tokio::spawn(do_deeds(Arc::clone(&of_thread), to_do));
                    Run::new(of_thread).run(queue).await;
                    doing.abort();
                });
                // A sink that blocks must not keep the process.
                runtime.shutdown_background();
            })
            .map_err(AlertOpenError::Thread)?;
        Ok(Self { core, commands })
    }

    /// Shows it what the monitor saw. Costs a look-up a sample, and for those that a rule looks at a place in its window;
    /// blocks for a few milliseconds where a thousand agents are watched.
    pub fn observe(&self, look: &Look) {
        let now = self.core.clock.now();
        let mut engine = lock(&self.core.engine);
        look.samples().for_each(|sample| run::observe(&mut engine, &sample, now));
    }

    /// Shows it a value of the program's own, at a moment by its clock ([`now`](Self::now)).
    pub fn observe_value(&self, metric: &str, labels: &Labels, value: impl Into<Value>, at: Moment) {
        lock(&self.core.engine).observe(metric, labels, value, at);
    }

    /// The time by its clock: the wall clock's, but it never goes back.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.core.clock.now()
    }

    /// Evaluates the rules now, stores what follows, and has it sent.
    ///
    /// # Errors
    ///
    /// [`TickError`]: what was found could not be stored, or nobody knows who evaluates. Nothing is lost by that; it is
    /// done with the next tick.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped, the evaluation is made all the same.
    pub async fn tick(&self) -> Result<Tick, TickError> {
        self.tick_at(None).await
    }

    /// As [`tick`](Self::tick), but at a moment that the caller chooses: for tests that play time. When to try again is
    /// told by the service's own clock all the same.
    ///
    /// # Errors
    ///
    /// As [`tick`](Self::tick).
    pub async fn tick_at(&self, now: impl Into<Option<Moment>>) -> Result<Tick, TickError> {
        let now = now.into();
        self.ask(|done| Command::Tick { now, done }).await.unwrap_or(Err(TickError::Closed))
    }

    /// Says who looks after an alert that fires: nobody is told again, and it goes no further up.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]: nothing fires under this key that somebody was told of, or another process evaluates.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped, it is done all the same.
    pub async fn acknowledge(&self, key: &str, by: &str) -> Result<(), OperatorError> {
        let (key, by) = (key.to_owned(), by.to_owned());
        self.ask(|done| Command::Acknowledge { key, by, done }).await.unwrap_or(Err(OperatorError::Closed))
    }

    /// Adds a silence; it takes the place of one with its id.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]: it makes no sense, or another process evaluates.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped, it is done all the same.
    pub async fn silence(&self, silence: Silence) -> Result<(), OperatorError> {
        self.ask(|done| Command::Silence { silence, done }).await.unwrap_or(Err(OperatorError::Closed))
    }

    /// Ends a silence.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]: there is none of this id, or another process evaluates.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped, it is done all the same.
    pub async fn lift_silence(&self, id: &str) -> Result<(), OperatorError> {
        let id = id.to_owned();
        self.ask(|done| Command::LiftSilence { id, done }).await.unwrap_or(Err(OperatorError::Closed))
    }

    /// Works by another setup from now on, all of it or nothing. Rules are known by their names and sinks by theirs: what
    /// stays goes on where it stood. What waits for a sink that is gone is undeliverable.
    ///
    /// # Errors
    ///
    /// [`SetupError`]: everything goes on as before.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped, it is done all the same.
    pub async fn reload(&self, setup: AlertSetup) -> Result<(), SetupError> {
        let setup = Box::new(setup);
        self.ask(|done| Command::Reload { setup, done }).await.unwrap_or(Err(SetupError::Closed))
    }

    /// What is pending or fires as of the last evaluation: what fires first, the worst first.
    #[must_use]
    pub fn open_alerts(&self) -> Vec<OpenAlert> {
        let board = std::sync::Arc::clone(&lock(&self.core.book).board);
        let mut open: Vec<OpenAlert> = board.values().cloned().collect();
        open.sort_by_key(|it| std::cmp::Reverse((it.firing, it.alert.severity)));
        open
    }

    /// Whether this process is the one that evaluates and sends.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.core.leads()
    }

    /// Notifications that are stored, or about to be, and not delivered.
    #[must_use]
    pub fn waiting(&self) -> usize {
        lock(&self.core.book).queue.lanes.values().map(|it| it.live().count()).sum()
    }

    /// Its own figures, for [`Monitor::add_source`](crate::monitor::Monitor::add_source). They do not keep it running.
    #[must_use]
    pub fn metrics(&self) -> impl MetricSource + 'static {
        Source(Arc::clone(&self.core))
    }

    /// Ends it: attempts that are being made are waited for, up to [`ServiceOptions::grace`], the state is stored with its
    /// samples, and another process may take over. What waits is sent after the next start.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, it ends all the same.
    pub async fn close(self) {
        let _ = self.ask(|done| Command::Close { done }).await;
    }

    /// `None` if the service has ended.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (done, answer) = oneshot::channel();
        self.commands.send(command(done)).await.ok()?;
        answer.await.ok()
    }
}

struct Source(Arc<Core>);

impl MetricSource for Source {
    fn samples(&self, see: &mut dyn FnMut(crate::telemetry::MetricSample<'_>)) {
        self.0.samples(see);
    }
}

impl fmt::Debug for AlertService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlertService")
            .field("leads", &self.leads())
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}
