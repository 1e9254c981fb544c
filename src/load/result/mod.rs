//! What a load test found: the file `result.json`.

mod breaking;
mod comparison;
mod figures;
mod series;
mod spectrum;
mod verdict;

use serde::{Deserialize, Serialize};

use super::observed::Observed;
use super::scenario::Scenario;
use crate::telemetry::system::Machine;

pub use self::breaking::{BreakingResult, BreakingStep, UslFit};
pub use self::comparison::{Comparison, Difference, Verdict};
pub use self::figures::{Figures, Percentiles, Results, Uncorrected};
pub use self::series::SeriesPoint;
pub use self::spectrum::Spectrum;
pub use self::verdict::{GeneratorResult, LagMs, TargetLine, ThresholdResult};

/// What a load test found. Milliseconds, messages a second and percent, unless a name says otherwise.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoadResult {
    /// The scenario's name.
    pub test_name: String,
    /// The scenario's title.
    pub title: String,
    /// Whether every threshold held, the generator kept up, and nobody interrupted it.
    pub passed: bool,
    /// Whether it was ended before its time. What was measured until then is here all the same.
    pub interrupted: bool,
    /// When it began, as RFC 3339 in UTC.
    pub started_at: String,
    /// How long the measured part took, in seconds: without warm-up and drain. Longer than the scenario says if the generator
    /// did not keep up.
    pub seconds: f64,
    /// What arrivals and contents were drawn by.
    pub seed: u64,
    /// The version of Statim that measured.
    pub statim_version: String,
    /// The figures, warm-up left out.
    pub results: Results,
    /// Whether the generator kept up.
    pub generator: GeneratorResult,
    /// What had to hold.
    pub thresholds: Vec<ThresholdResult>,
    /// Targets that are told met or missed without making the run fail.
    pub targets: Vec<TargetLine>,
    /// Second by second, warm-up and drain included. Longer runs have coarser points: at most 3,600 of them.
    pub series: Vec<SeriesPoint>,
    /// Latency by percentile.
    pub spectrum: Spectrum,
    /// What was found by raising the rate; `None` if it was not raised.
    pub breaking: Option<BreakingResult>,
    /// What it was measured on.
    pub machine: Machine,
    /// How it compares with an earlier run; `None` if it was not compared.
    pub baseline: Option<Comparison>,
    /// What was run.
    pub scenario: Scenario,
    /// How the target was before; `None` if it cannot say.
    pub snapshot_before: Option<Observed>,
    /// How it was after.
    pub snapshot_after: Option<Observed>,
}
