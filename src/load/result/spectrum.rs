//! Latency by percentile.

use serde::{Deserialize, Serialize};

/// Latency by percentile: pairs of percentile (0 to 100) and milliseconds, ascending, closer together towards 100.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// From the moments at which messages were to be sent.
    pub corrected: Vec<[f64; 2]>,
    /// From those at which they were sent.
    pub uncorrected: Vec<[f64; 2]>,
}
