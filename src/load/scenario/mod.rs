//! What a load test does: data, written in TOML or in code.

mod arrivals;
mod breaking;
mod error;
mod seconds;
mod share;
mod stage;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::threshold::Threshold;

pub use self::arrivals::Arrivals;
pub use self::breaking::{Breaking, CoolDown};
pub use self::error::ScenarioError;
pub use self::share::Share;
pub use self::stage::Stage;

/// A load test: what is sent, how fast, and what must hold.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use statim::load::{Scenario, Share, Stage};
///
/// let mut scenario = Scenario::new("light", 20.0, Duration::from_secs(30));
/// scenario.stages.insert(0, Stage::ramp(Duration::from_secs(5), 20.0));
/// scenario.mix = vec![Share::new("query", 3), Share::new("revocation", 1)];
/// scenario.thresholds = vec!["p99 < 50ms".parse()?, "error_rate < 1%".parse()?];
/// scenario.validate()?;
/// assert_eq!(scenario.expected_messages(), 50.0 + 600.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scenario {
    /// Its name: `light`.
    pub name: String,
    /// What it is, for the head of a report.
    pub title: String,
    /// What arrivals, kinds and keys are drawn by: the same seed sends the same messages at the same times.
    pub seed: u64,
    /// How much of the beginning is in no figure but the series. 0 s to the length of all stages.
    #[serde(rename = "warm_up_seconds", with = "seconds")]
    pub warm_up: Duration,
    /// How long after the last send answers are waited for. What has not come by then has failed by timeout.
    #[serde(rename = "drain_seconds", with = "seconds")]
    pub drain: Duration,
    /// How the load develops. With [`breaking`](Self::breaking) they come before its steps.
    pub stages: Vec<Stage>,
    /// When messages are sent.
    pub arrivals: Arrivals,
    /// What is sent; at least one share.
    pub mix: Vec<Share>,
    /// What must hold, or the run has not passed.
    pub thresholds: Vec<Threshold>,
    /// The latest that the 99th percentile of actual sends may be after their intended moments. Above it the run has not
    /// passed, because its generator was not able to make the load that it reports on.
    #[serde(rename = "generator_lag_seconds", with = "seconds")]
    pub generator_lag: Duration,
    /// Messages that may be under way at once, at least 1. A send beyond it is dropped and counted as failed; it is never
    /// delayed.
    pub in_flight: usize,
    /// After this long from its send, a message that has not ended has failed.
    #[serde(rename = "timeout_seconds", with = "seconds")]
    pub timeout: Duration,
    /// Whether, and how, the rate is raised until the target breaks.
    pub breaking: Option<Breaking>,
}

impl Scenario {
    /// One stage of a steady rate (messages a second), with Poisson arrivals, one share of kind `message`, seed 1, no
    /// warm-up and no thresholds; drain and timeout 10 s, generator lag 10 ms, 10,000 messages under way.
    #[must_use]
    pub fn new(name: &str, rate: f64, duration: Duration) -> Self {
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            seed: 1,
            warm_up: Duration::ZERO,
            drain: Duration::from_secs(10),
            stages: vec![Stage::steady(duration, rate)],
            arrivals: Arrivals::default(),
            mix: vec![Share::new("message", 1)],
            thresholds: Vec::new(),
            generator_lag: Duration::from_millis(10),
            in_flight: 10_000,
            timeout: Duration::from_secs(10),
            breaking: None,
        }
    }

    /// How long it sends: all stages. Steps of [`breaking`](Self::breaking) come on top.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.stages.iter().map(|stage| stage.duration).sum()
    }

    /// How many messages its stages send in an open model, exactly for constant arrivals and in the mean for Poisson ones.
    #[must_use]
    pub fn expected_messages(&self) -> f64 {
        let mut before = 0.0;
        let mut all = 0.0;
        for stage in &self.stages {
            all += stage.messages(before);
            before = stage.rate;
        }
        all
    }
}
