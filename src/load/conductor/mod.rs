//! Conducts a run: empties the recorders, makes the series, says when a step is over, when it has all been sent, and what came
//! of it.

mod conclude;
mod progress;
mod watch;

use std::fmt;
use std::sync::atomic::AtomicBool;

use hdrhistogram::Histogram;

use self::watch::Watch;
use super::breaking::{Event, Following, Ladder, Window};
use super::engine::{Moment, Shared};
use super::measure::{Class, Ended, Sends, Series, Spare, Totals, add, histogram, milliseconds};
use super::observed::Observed;
use super::result::SeriesPoint;
use super::scenario::Scenario;
use super::target::Target;
use crate::clock::nanos;
use crate::sync::{Arc, Ordering};

pub use self::progress::Progress;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// How soon a conductor looks whether it was told to stop, in nanoseconds.
const LOOKS: u64 = 50_000_000;

/// How soon it looks whether everything has ended, while it drains.
const DRAIN_LOOKS: u64 = 2_000_000;

/// The longest that a run drains which was interrupted: somebody waits at a terminal.
const IMPATIENT: u64 = 2_000_000_000;

/// Who is told of progress.
pub(super) type Tell = Box<dyn FnMut(&Progress) + Send>;

/// Conducts a run. It has no time of its own: whoever drives it says what time it is.
pub(super) struct Conductor<T> {
    target: Arc<T>,
    scenario: Scenario,
    shared: Arc<Shared>,
    /// Set by whoever wants the run to end.
    cancel: Arc<AtomicBool>,
    tell: Option<Tell>,
    state: State,
    interrupted: bool,
    workers: usize,
    started_at: std::time::SystemTime,
    before: Option<Observed>,
    watch: Watch,
    ladder: Option<Ladder>,
    /// When each phase begins, and what it is called.
    phases: Vec<(Moment, Arc<str>)>,
    /// Which second it is.
    second: u64,
    /// What was to be sent in it and later: second, count, and how many of them were not sent.
    sends: Vec<(u64, u64, u64)>,
    ended: Ended,
    second_lag: Histogram<u64>,
    series: Series,
    window: Window,
    window_from: Moment,
    totals: Totals,
    lag: Histogram<u64>,
    /// Lag of the step that runs: it counts unless the step breaks.
    step_lag: Histogram<u64>,
    sent: u64,
    failed: u64,
    spare: Spare,
    spare_sends: Sends,
}

/// How the target is before the run. Taken before time begins to count, for it may take long.
#[derive(Debug)]
pub(super) struct FirstLook {
    before: Option<Observed>,
    watch: Watch,
}

impl FirstLook {
    pub(super) fn at(target: &impl Target) -> Self {
        let mut before = target.observe();
        let mut watch = Watch::new(before.as_ref());
        let system = watch.system(before.as_ref());
        before.get_or_insert_default().system.get_or_insert(system);
        Self { before, watch }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Sending,
    /// All is sent, and its end is waited for until then.
    Draining {
        until: Moment,
    },
    Over,
}

impl<T: Target> Conductor<T> {
    /// One of a run that is about to begin.
    pub(super) fn new(
        (target, look): (Arc<T>, FirstLook),
        scenario: Scenario,
        shared: Arc<Shared>,
        classes: Vec<Class>,
        cancel: Arc<AtomicBool>,
        tell: Option<Tell>,
        workers: usize,
    ) -> Self {
        let FirstLook { before, watch } = look;
        let spare_sends = Sends::new(classes.len());
        let mut conductor = Self {
            target,
            shared,
            cancel,
            tell,
            state: State::Sending,
            interrupted: false,
            workers,
            started_at: std::time::SystemTime::now(),
            before,
            watch,
            ladder: scenario.breaking.map(|terms| Ladder::new(terms, scenario.generator_lag)),
            phases: Vec::new(),
            second: 0,
            sends: Vec::new(),
            ended: Ended::default(),
            second_lag: histogram(),
            series: Series::new(Series::MOST),
            window: Window::default(),
            window_from: 0,
            totals: Totals { classes },
            lag: histogram(),
            step_lag: histogram(),
            sent: 0,
            failed: 0,
            spare: Spare::default(),
            spare_sends,
            scenario,
        };
        conductor.set_out();
        conductor
    }

    /// Says what the senders are to begin with.
    fn set_out(&mut self) {
        for phase in super::engine::Phase::of_stages(&self.scenario.stages) {
            self.add(phase);
        }
        let from = self.shared.schedule.end();
        match &mut self.ladder {
            Some(ladder) => ladder.begin(from).into_iter().for_each(|phase| self.add(phase)),
            None => self.shared.schedule.close(),
        }
    }

    fn add(&mut self, phase: super::engine::Phase) {
        self.phases.push((phase.from, Arc::clone(&phase.name)));
        self.shared.schedule.add(phase);
    }

    /// Does what is due; says when it is to be called again, and `None` when the run is over: then its senders are ending, and what
    /// they leave is for [`conclude`](Self::conclude).
    pub(super) fn tick(&mut self) -> Option<Moment> {
        if self.shared.is_abandoned() {
            return None;
        }
        let now = self.shared.timeline.now();
        if self.state == State::Sending && self.cancel.load(Ordering::Acquire) {
            self.interrupted = true;
            self.shared.halt(now);
        }
        self.pass_boundaries(now);
        match self.state {
            State::Sending if self.shared.all_sent() && now >= self.shared.sending_ends() => {
                let patience =
                    nanos(self.scenario.drain).min(if self.interrupted { IMPATIENT } else { u64::MAX });
                self.state = State::Draining { until: now.saturating_add(patience) };
                Some(now)
            }
            State::Sending => Some(self.next_boundary().min(now + LOOKS)),
            State::Draining { until } if now < until && self.shared.in_flight() > 0 => {
                Some(self.next_boundary().min(now + DRAIN_LOOKS).min(until))
            }
            State::Draining { .. } | State::Over => {
                self.state = State::Over;
                self.shared.finish();
                None
            }
        }
    }

    /// Blocks the thread until then.
    pub(super) fn sleep_until(&self, next: Moment) {
        let timeline = &self.shared.timeline;
        let wait = next.saturating_sub(timeline.now()) + timeline.until_zero();
        std::thread::sleep(std::time::Duration::from_nanos(wait));
    }

    fn next_boundary(&self) -> Moment {
        let second = (self.second + 1) * SECOND;
        self.ladder_event().map_or(second, |(moment, _)| moment.min(second))
    }

    /// What the ladder waits for; nothing any more once nothing is sent.
    fn ladder_event(&self) -> Option<(Moment, Event)> {
        if self.shared.is_halted() {
            return None;
        }
        self.ladder.as_ref()?.next_event()
    }

    /// Ends the seconds and steps that are over, in order.
    fn pass_boundaries(&mut self, now: Moment) {
        while self.next_boundary() <= now {
            let moment = self.next_boundary();
            self.collect();
            if let Some((_, event)) = self.ladder_event().filter(|(at, _)| *at == moment) {
                self.pass(event, moment);
            }
            if moment == (self.second + 1) * SECOND {
                self.close_second(1.0);
            }
        }
    }

    fn pass(&mut self, event: Event, moment: Moment) {
        let mut window = std::mem::take(&mut self.window);
        window.seconds = (moment - self.window_from) as f64 / 1e9;
        self.window_from = moment;
        let Some(ladder) = &mut self.ladder else { return };
        match event {
            Event::JudgingBegins => ladder.judging_begins(),
            Event::StepEnds => {
                let lag = std::mem::replace(&mut self.step_lag, histogram());
                if !ladder.step_ends(&window) {
                    add(&mut self.lag, &lag);
                }
                match ladder.following() {
                    Following::Phase(phase) => {
                        let is_last = &*phase.name == COOL_DOWN;
                        self.add(phase);
                        if is_last {
                            self.shared.schedule.close();
                        }
                    }
                    Following::Known => {}
                    Following::Nothing => self.shared.schedule.close(),
                }
            }
            Event::SecondEnds => {
                if ladder.second_ends(&window) {
                    self.shared.halt(moment);
                }
            }
        }
    }

    /// Takes in what was sent and what ended since.
    fn collect(&mut self) {
        // Ends first: what ended was sent before.
        let Self { shared, spare, totals, ended, window, .. } = self;
        let classes = totals.classes.len();
        shared.recorders.take(spare, |place, cell| {
            let class = &mut totals.classes[place % classes];
            if place >= classes {
                class.cell.add(cell);
            }
            add(&mut ended.latencies[class.priority.lane()], &cell.corrected);
            ended.completed += cell.done;
            ended.failed += cell.all_failed();
            window.add(class.priority, cell);
        });
        for origin in Arc::clone(&self.shared).origins.iter() {
            origin.take(&mut self.spare_sends);
            self.take_sends();
        }
    }

    fn take_sends(&mut self) {
        let classes = self.totals.classes.len();
        let sends = &mut self.spare_sends;
        for (place, class) in self.totals.classes.iter_mut().enumerate() {
            class.offered += sends.offered[classes + place];
            class.dropped += sends.dropped[classes + place];
        }
        let (offered, dropped) = (sends.offered.iter().sum::<u64>(), sends.dropped.iter().sum::<u64>());
        self.window.offered += offered;
        self.window.dropped += dropped;
        self.sent += offered - dropped;
        self.failed += dropped;
        add(&mut self.second_lag, &sends.lag);
        add(&mut self.second_lag, &sends.warm_up_lag);
        add(&mut self.window.lag, &sends.lag);
        let in_step = self.ladder.as_ref().is_some_and(|ladder| ladder.is_climbing());
        add(if in_step { &mut self.step_lag } else { &mut self.lag }, &sends.lag);
        for (second, offered, dropped) in sends.seconds.drain(..) {
            // Sent late: its second is over.
            if second >= self.second || !self.series.add_sends(second, offered, dropped) {
                self.sends.push((second, offered, dropped));
            }
        }
        sends.clear();
    }

    /// The second is over, `span` long.
    fn close_second(&mut self, span: f64) {
        let from = self.second * SECOND;
        let ended = std::mem::take(&mut self.ended);
        let mut point = SeriesPoint {
            second: self.second as f64,
            span_seconds: span,
            stage: self.stage_at(from).to_string(),
            warm_up: from + SECOND <= self.shared.warm_up,
            completed: ended.completed,
            failed: ended.failed,
            in_flight: self.shared.in_flight(),
            lag_ms: (!self.second_lag.is_empty())
                .then(|| milliseconds(self.second_lag.value_at_quantile(0.99))),
            ..SeriesPoint::default()
        };
        let second = self.second;
        self.sends.retain(|(of, offered, dropped)| {
            let ours = *of <= second;
            if ours {
                point.offered += offered;
                point.sent += offered - dropped;
                point.failed += dropped;
            }
            !ours
        });
        self.failed += ended.failed;
        self.second_lag.reset();
        let observed = self.target.observe();
        self.watch.look(observed.as_ref(), &mut point);
        self.series.push(second, point, &ended);
        self.second += 1;
        self.tell(second);
    }

    /// What a moment belongs to.
    fn stage_at(&self, moment: Moment) -> &str {
        if moment >= self.shared.sending_ends() {
            return "drain";
        }
        self.phases.iter().rev().find(|(from, _)| *from <= moment).map_or("", |(_, name)| name)
    }

    fn tell(&mut self, second: u64) {
        let Some(slot) = self.series.slots().last() else { return };
        let Some(tell) = &mut self.tell else { return };
        let longest = self.scenario.breaking.is_none().then(|| self.scenario.duration());
        tell(&Progress {
            elapsed: std::time::Duration::from_secs(second + 1),
            longest,
            stage: slot.point.stage.clone(),
            warm_up: slot.point.warm_up,
            sent: self.sent,
            failed: self.failed,
            point: slot.point.clone(),
        });
    }
}

/// What the last phase of a test that raises the rate is called.
const COOL_DOWN: &str = "cool-down";

impl<T> fmt::Debug for Conductor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conductor").field("state", &self.state).finish_non_exhaustive()
    }
}
