//! Sends what is stored: one task for each sink.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::watch;
use tokio::time::Instant;

use super::core::Core;
use super::entry::Fate;
use super::lane::Next;
use super::queue::Attempt;
use super::resend::Resends;
use crate::alert::incident::dedup_key;
use crate::alert::labels::Labels;
use crate::alert::notification::Notification;
use crate::alert::sink::{Delivered, Delivery, RetryClass, Sink, SinkError};
use crate::alert::time::Moment;
use crate::resilience::{CircuitBreaker, Environment, InvalidOptions, Outcome, OwnedPermit, RateLimiter};
use crate::sync::{Arc, lock};

/// How long to rest when an attempt could not be stored.
const UNSTORED: Duration = Duration::from_secs(1);
/// The longest that a receiver is taken at its word to wait.
const LONGEST_REST: Duration = Duration::from_hours(1);
/// No rest is shorter: timers tick in milliseconds.
const SHORTEST_REST: Duration = Duration::from_millis(2);

/// Tells one sink, one thing at a time.
pub(super) struct Sender {
    core: Arc<Core>,
    sink: Arc<dyn Sink>,
    breaker: CircuitBreaker,
    limiter: RateLimiter,
    burst: usize,
    chance: StdRng,
    /// The receiver asked to be left alone until then.
    not_before: Option<Instant>,
    resends: Option<Resends>,
    stop: watch::Receiver<bool>,
}

/// What to do after a step.
enum Then {
    Again,
    Rest(Option<Duration>),
}

/// How an attempt ended.
enum Ended {
    Answered(Result<Delivered, SinkError>),
    Panicked,
    TimedOut,
}

impl Sender {
    pub(super) fn new(
        core: Arc<Core>,
        sink: Arc<dyn Sink>,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, InvalidOptions> {
        let environment = Environment::default();
        let limit = core.options.rate_limit_of(sink.kind());
        let name = format!("alert sink {}", sink.name());
        let burst = limit.burst.unwrap_or(limit.permits).max(1) as usize;
        Ok(Self {
            breaker: CircuitBreaker::new(&name, &core.options.breaker, &environment)?,
            limiter: RateLimiter::new(&name, &limit, &environment)?,
            burst,
            chance: StdRng::from_rng(&mut rand::rng()),
            not_before: None,
            resends: sink.resend_every().map(Resends::every),
            core,
            sink,
            stop,
        })
    }

    pub(super) async fn run(mut self) {
        loop {
            let core = Arc::clone(&self.core);
            let bell = core.bell.notified();
            tokio::pin!(bell);
            // From here on no ring is missed.
            bell.as_mut().enable();
            if *self.stop.borrow() {
                return;
            }
            let rest = match self.step().await {
                Then::Again => continue,
                Then::Rest(rest) => rest,
            };
            let sleep = async {
                match rest {
                    Some(rest) => tokio::time::sleep(rest.max(SHORTEST_REST)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = bell => {}
                () = sleep => {}
                _ = self.stop.wait_for(|it| *it) => return,
            }
        }
    }

    /// Sends the next thing that is due, if there is one.
    async fn step(&mut self) -> Then {
        if let Some(rest) = self.not_before.and_then(|it| it.checked_duration_since(Instant::now()))
            && !rest.is_zero()
        {
            return Then::Rest(Some(rest));
        }
        let core = Arc::clone(&self.core);
        let now = core.clock.now();
        let (generation, next) = {
            let mut book = lock(&core.book);
            if book.lead.is_none() {
                return Then::Rest(None);
            }
            (book.generation, book.queue.next(self.sink.name(), now))
        };
        let (seq, until) = match next {
            Next::Due(seq) => (Some(seq), None),
            Next::At(at) => (None, Some(at.since(now))),
            Next::Nothing => (None, None),
        };
        let resend_in = self.resends.as_ref().map(Resends::due_in);
        if seq.is_none() && resend_in.is_none_or(|it| !it.is_zero()) {
            return Then::Rest([until, resend_in].into_iter().flatten().min());
        }
        let permit = match self.breaker.try_acquire_owned() {
            Ok(permit) => permit,
            Err(open) => return Then::Rest(Some(open.retry_after.unwrap_or(UNSTORED))),
        };
        match seq {
            Some(seq) => self.deliver(seq, generation, permit).await,
            None => self.resend(permit).await,
        }
    }

    /// Takes what this costs from the rate limit, or says how long to rest first.
    fn afford(&self, notification: &Notification) -> Result<(), Duration> {
        // What costs more than a whole burst would never be affordable.
        let cost = self.sink.requests(notification).min(self.burst);
        (0..cost).try_for_each(|_| self.limiter.check().map_err(|limited| limited.retry_after))
    }

    async fn deliver(&mut self, seq: i64, generation: u64, permit: OwnedPermit) -> Then {
        let core = Arc::clone(&self.core);
        let name = self.sink.name().to_owned();
        let attempt = {
            let mut book = lock(&core.book);
            if book.generation != generation || book.lead.is_none() {
                permit.ignore();
                return Then::Again;
            }
            let notification = book
                .queue
                .lanes
                .get(&name)
                .and_then(|lane| lane.entries.get(&seq))
                .map(|it| Arc::clone(&it.notification));
            if let Some(rest) = notification.and_then(|it| self.afford(&it).err()) {
                permit.ignore();
                return Then::Rest(Some(rest));
            }
            match book.queue.begin(&name, seq) {
                Some(attempt) => attempt,
                None => {
                    permit.ignore();
                    return Then::Again;
                }
            }
        };
        // That it may have been sent is stored before it is: whoever comes after a crash will not think that nobody heard.
        if let Err(error) = core.save().await {
            tracing::warn!(sink = name, %error, "nothing is sent for now");
            permit.ignore();
            let mut book = lock(&core.book);
            if book.generation == generation {
                let now = core.clock.now();
                book.queue.unbegin(&name, seq, now.after(UNSTORED));
                book.keep_sinks(now);
            }
            return Then::Rest(Some(UNSTORED));
        }
        let delivery = self.delivery(&attempt.notification, attempt.number);
        let ended = self.attempt(&delivery).await;
        permit.settle(outcome(&ended));
        self.take_in(&attempt, ended, generation);
        if let Err(error) = core.save().await {
            // It is stored with whatever is stored next; if that never is, it is sent once more after a restart.
            tracing::warn!(sink = name, notification = delivery.notification.id, %error, "what was sent is not marked yet");
        }
        Then::Again
    }

    fn delivery(&self, notification: &Notification, attempt: u32) -> Delivery {
        let mut notification = notification.clone();
        // A clock that was set back must not make anything end in the future.
        let now = SystemTime::now();
        notification.notices.iter_mut().for_each(|it| not_after(&mut it.alert, now.into()));
        let sink = dedup_key("sink", self.sink.name(), &Labels::none());
        let id = format!("{}-{}", notification.id, &sink[sink.len() - 8..]);
        Delivery { notification, id, attempt, now }
    }

    async fn attempt(&self, delivery: &Delivery) -> Ended {
        let limit = self.core.options.timeout;
        let sending = AssertUnwindSafe(self.sink.deliver(delivery)).catch_unwind();
        match tokio::time::timeout(limit, sending).await {
            Ok(Ok(answer)) => Ended::Answered(answer),
            Ok(Err(_)) => Ended::Panicked,
            Err(_) => Ended::TimedOut,
        }
    }

    /// What follows from how an attempt ended.
    fn take_in(&mut self, attempt: &Attempt, ended: Ended, generation: u64) {
        let core = Arc::clone(&self.core);
        let now = core.clock.now();
        let (name, notification) = (self.sink.name(), &attempt.notification);
        let remember = self.resends.is_some();
        let mut book = lock(&core.book);
        let current = book.generation == generation;
        let queue = &mut book.queue;
        let (class, reason) = match ended {
            Ended::Answered(Ok(_)) => {
                core.figures.count(|it| it.sink(name).last_success = Some(seconds(now)));
                tracing::info!(
                    sink = name,
                    notification = notification.id,
                    why = notification.why.as_str(),
                    attempt = attempt.number,
                    "told"
                );
                if current {
                    queue.settle(name, attempt.seq, Fate::Delivered, None, remember, now);
                }
                return;
            }
            Ended::Answered(Err(error)) => (error.retry(), error.to_string()),
            Ended::Panicked => (RetryClass::Later, "the sink panicked".to_owned()),
            Ended::TimedOut => (RetryClass::Later, format!("it took longer than {:?}", core.options.timeout)),
        };
        core.figures.count(|it| it.sink(name).failed += 1);
        let rest = match class {
            RetryClass::Never => {
                tracing::error!(
                    sink = name,
                    notification = notification.id,
                    why = notification.why.as_str(),
                    reason,
                    "a notification cannot be delivered, and is not tried again"
                );
                if current {
                    queue.settle(name, attempt.seq, Fate::Undeliverable, Some(reason), false, now);
                }
                return;
            }
            RetryClass::Later => core.options.backoff.delay(attempt.number, &mut self.chance),
            RetryClass::After(rest) => {
                let rest = rest.min(LONGEST_REST);
                self.not_before = Some(Instant::now() + rest);
                rest
            }
        };
        core.figures.count(|it| it.sink(name).retries += 1);
        tracing::warn!(sink = name, notification = notification.id, why = notification.why.as_str(),
            attempt = attempt.number, again_in = ?rest, reason, "a notification was not delivered, and is tried again");
        if current {
            queue.retry(name, attempt.seq, now.after(rest), reason);
            // The sink may have been taken away while it was asked.
            book.keep_sinks(now);
        }
    }

    /// Tells again what fires, and what was over a while ago, to a receiver that forgets what it is not told.
    async fn resend(&mut self, permit: OwnedPermit) -> Then {
        let core = Arc::clone(&self.core);
        let (name, now) = (self.sink.name().to_owned(), core.clock.now());
        let keep = core.resend_resolved_for();
        let notifications = {
            let mut book = lock(&core.book);
            let board = Arc::clone(&book.board);
            let revision = book.queue.revise();
            let lane = book.queue.lane(&name);
            lane.forget_closed(keep, now, revision);
            super::resend::notifications(&name, lane, &board, now)
        };
        let (mut failed, mut asked) = (false, 0);
        for notification in notifications {
            if let Err(rest) = self.afford(&notification) {
                tokio::time::sleep(rest).await;
            }
            let delivery = self.delivery(&notification, 1);
            asked += 1;
            if let Ended::Answered(Ok(_)) = self.attempt(&delivery).await {
                core.figures.count(|it| it.sink(&name).last_success = Some(seconds(now)));
            } else {
                failed = true;
                core.figures.count(|it| it.sink(&name).failed += 1);
                tracing::warn!(sink = name, "what fires could not be told again");
                break;
            }
        }
        match (asked, failed) {
            (0, _) => permit.ignore(),
            (_, true) => permit.failure(),
            (_, false) => permit.success(),
        }
        if let Some(resends) = &mut self.resends {
            resends.done(failed);
        }
        Then::Again
    }
}

fn outcome(ended: &Ended) -> Outcome {
    match ended {
        Ended::Answered(Ok(_)) => Outcome::Success,
        Ended::Answered(Err(error)) if error.is_outage() => Outcome::Failure,
        // It answers.
        Ended::Answered(Err(_)) => Outcome::Success,
        Ended::Panicked => Outcome::Panicked,
        Ended::TimedOut => Outcome::TimedOut,
    }
}

fn not_after(alert: &mut crate::alert::event::Alert, now: Moment) {
    if let Some(incident) = &mut alert.incident {
        incident.fired = incident.fired.min(now);
        incident.since = incident.since.min(now);
    }
    alert.resolved = alert.resolved.map(|it| it.min(now));
}

fn seconds(moment: Moment) -> f64 {
    moment.millis() as f64 / 1e3
}
