//! When a breaker trips, and how it finds out that it may close.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::resilience::backoff::{Backoff, Jitter};
use crate::resilience::fault::{Checks, DAY, HOUR, InvalidOptions, MILLISECOND};
use crate::resilience::seconds;

/// What a breaker judges by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Window {
    /// The last so many calls: 1 to 100,000, a byte each.
    #[serde(rename = "calls")]
    Calls(u32),
    /// The calls of the last while: 10 ms to an hour. It is forgotten a tenth at a time, so the window holds between
    /// nine tenths of this and the whole.
    #[serde(rename = "seconds", with = "seconds")]
    Time(Duration),
}

/// The options of a [`CircuitBreaker`](super::CircuitBreaker). The defaults are those of resilience4j.
///
/// In a configuration file durations are numbers of seconds, `window` is `{ calls = 100 }` or `{ seconds = 10.0 }`, and
/// `open` is written as `open_seconds`, `open_longest_seconds` (left out: always `open_seconds`) and `open_jitter`;
/// `judge_slow_calls = false` is a `slow_call_rate` of `None`.
/// `preset = "health_sync"` takes what is left out from [`health_sync`](Self::health_sync) instead of the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "BreakerForm", into = "BreakerForm")]
pub struct BreakerOptions {
    /// What it judges by. Default: the last 100 calls.
    pub window: Window,
    /// Fewer calls than this in the window are not judged; 1 to 1,000,000. `None` is 100, or all of a window of fewer
    /// calls. Default: `None`.
    pub minimum_calls: Option<u32>,
    /// It trips when this share of the calls has failed; above 0, up to 1. Default: 0.5.
    pub failure_rate: f64,
    /// A call that takes this long is slow, however it ends; 1 ms to a day. Default: 60 s.
    pub slow_call: Duration,
    /// It trips when this share of the calls was slow; above 0, up to 1. `None`: slow calls are counted, no more.
    /// Default: 1, all of them.
    pub slow_call_rate: Option<f64>,
    /// How long it stays open before it lets probes pass, growing with each trip that no recovery came between.
    /// From 1 ms. Default: 60 s, without growth or jitter.
    pub open: Backoff,
    /// How many calls may pass while it is half-open, and are judged; 1 to 10,000. Default: 10.
    pub probes: u32,
    /// How long it waits for the outcomes of its probes before it opens again; 1 ms to a day. Default: `None`, for as
    /// long as they take. Only a probe that never ends, never times out and is never dropped needs it.
    pub longest_half_open: Option<Duration>,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self {
            window: Window::Calls(100),
            minimum_calls: None,
            failure_rate: 0.5,
            slow_call: Duration::from_secs(60),
            slow_call_rate: Some(1.0),
            open: Backoff::constant(Duration::from_secs(60)),
            probes: 10,
            longest_half_open: None,
        }
    }
}

impl BreakerOptions {
    /// HealthSync's: five failures in a row trip it, it stays open for 60 s, and one probe decides. Slow calls are
    /// only counted.
    #[must_use]
    pub fn health_sync() -> Self {
        Self::consecutive_failures(5)
    }

    /// So many failures in a row trip it (1 to 100,000), and one probe decides. Slow calls are only counted.
    #[must_use]
    pub fn consecutive_failures(failures: u32) -> Self {
        Self {
            window: Window::Calls(failures),
            minimum_calls: Some(failures),
            failure_rate: 1.0,
            slow_call_rate: None,
            probes: 1,
            ..Self::default()
        }
    }

    /// Looks for everything that is wrong.
    ///
    /// # Errors
    ///
    /// Every option that is out of its bounds.
    pub fn validate(&self) -> Result<(), InvalidOptions> {
        Checks::of(|checks| self.check(checks))
    }

    pub(in crate::resilience) fn check(&self, checks: &mut Checks) {
        match self.window {
            Window::Calls(calls) => checks.number("window.calls", calls, 1..=100_000),
            Window::Time(time) => checks.seconds("window.seconds", time, MILLISECOND * 10..=HOUR),
        }
        match (self.minimum_calls, self.window) {
            (Some(minimum), Window::Calls(calls)) if minimum > calls && calls > 0 => checks.fault(
                "minimum_calls",
                format!("the window never holds more than {calls} calls; give at most that"),
            ),
            (Some(minimum), _) => checks.number("minimum_calls", minimum, 1..=1_000_000),
            (None, _) => {}
        }
        checks.share("failure_rate", self.failure_rate);
        checks.seconds("slow_call_seconds", self.slow_call, MILLISECOND..=DAY);
        if let Some(rate) = self.slow_call_rate {
            checks.share("slow_call_rate", rate);
        }
        checks.seconds("open_seconds", self.open.first, MILLISECOND..=DAY);
        if self.open.first <= DAY {
            checks.seconds("open_longest_seconds", self.open.longest, self.open.first..=DAY);
        }
        checks.number("probes", self.probes, 1..=10_000);
        if let Some(longest) = self.longest_half_open {
            checks.seconds("longest_half_open_seconds", longest, MILLISECOND..=DAY);
        }
    }

    pub(super) fn minimum(&self) -> u64 {
        let default = match self.window {
            Window::Calls(calls) => calls.min(100),
            Window::Time(_) => 100,
        };
        self.minimum_calls.unwrap_or(default).into()
    }
}

/// Where options that a file leaves out come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Preset {
    Resilience4j,
    #[serde(alias = "healthsync")]
    HealthSync,
}

/// As it is written in a configuration file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BreakerForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    preset: Option<Preset>,
    window: Option<Window>,
    minimum_calls: Option<u32>,
    failure_rate: Option<f64>,
    #[serde(with = "seconds::optional")]
    slow_call_seconds: Option<Duration>,
    slow_call_rate: Option<f64>,
    /// `false` switches the slow-call rate off, which leaving it out does not.
    judge_slow_calls: Option<bool>,
    #[serde(with = "seconds::optional")]
    open_seconds: Option<Duration>,
    #[serde(with = "seconds::optional")]
    open_longest_seconds: Option<Duration>,
    open_jitter: Option<Jitter>,
    probes: Option<u32>,
    #[serde(with = "seconds::optional")]
    longest_half_open_seconds: Option<Duration>,
}

impl From<BreakerForm> for BreakerOptions {
    fn from(form: BreakerForm) -> Self {
        form.over(Self::default())
    }
}

impl BreakerForm {
    /// The options, with what is left out from its preset, or from `base` if it names none.
    pub(crate) fn over(self, base: BreakerOptions) -> BreakerOptions {
        let form = self;
        let base = match form.preset {
            None => base,
            Some(Preset::Resilience4j) => BreakerOptions::default(),
            Some(Preset::HealthSync) => BreakerOptions::health_sync(),
        };
        let first = form.open_seconds.unwrap_or(base.open.first);
        // A preset's minimum belongs to its window.
        let minimum = if form.window.is_some() { None } else { base.minimum_calls };
        BreakerOptions {
            window: form.window.unwrap_or(base.window),
            minimum_calls: form.minimum_calls.or(minimum),
            failure_rate: form.failure_rate.unwrap_or(base.failure_rate),
            slow_call: form.slow_call_seconds.unwrap_or(base.slow_call),
            slow_call_rate: match form.judge_slow_calls {
                Some(false) => None,
                Some(true) => Some(form.slow_call_rate.or(base.slow_call_rate).unwrap_or(1.0)),
                None => form.slow_call_rate.or(base.slow_call_rate),
            },
            open: Backoff {
                first,
                longest: form.open_longest_seconds.unwrap_or(first),
                jitter: form.open_jitter.unwrap_or(base.open.jitter),
            },
            probes: form.probes.unwrap_or(base.probes),
            longest_half_open: form.longest_half_open_seconds.or(base.longest_half_open),
        }
    }
}

impl From<BreakerOptions> for BreakerForm {
    fn from(options: BreakerOptions) -> Self {
        Self {
            preset: None,
            window: Some(options.window),
            minimum_calls: options.minimum_calls,
            failure_rate: Some(options.failure_rate),
            slow_call_seconds: Some(options.slow_call),
            slow_call_rate: options.slow_call_rate,
            judge_slow_calls: Some(options.slow_call_rate.is_some()),
            open_seconds: Some(options.open.first),
            open_longest_seconds: Some(options.open.longest),
            open_jitter: Some(options.open.jitter),
            probes: Some(options.probes),
            longest_half_open_seconds: options.longest_half_open,
        }
    }
}
