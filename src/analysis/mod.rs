//! What limits a system, told from what was measured.
//!
//! [`Evidence`] is gathered from a load test ([`Evidence::of_run`]) or a running system ([`Evidence::of_snapshot`]);
//! [`Evidence::read`] takes either as JSON. [`analyse`] is a pure function of it. The [`Analysis`] serialises, and writes itself
//! as [Markdown](Analysis::markdown) or [HTML](Analysis::html).
//!
//! Every bottleneck is found by an operational law (Denning and Buzen, "The Operational Analysis of Queueing Network
//! Models", 1978), which holds whatever the distributions are: the utilization law U = X · S, Little's law N = X · R, and the
//! bound X ≤ 1 / max D. What is gained by removing one is bounded by Amdahl's law. The [limits] each have their
//! reason beside them. Nothing is concluded from what was not measured: it is listed, with how to have it measured.
//!
//! ```
//! use statim::analysis::{Evidence, analyse};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = statim::Runtime::builder().start()?;
//! let analysis = analyse(&Evidence::of_runtime(&runtime.snapshot()));
//! assert!(analysis.bottlenecks.is_empty());
//! println!("{}", analysis.markdown());
//! # Ok(())
//! # }
//! ```

mod demand;
mod detect;
pub mod evidence;
mod findings;
mod forecast;
mod gain;
mod judged;
pub mod limits;
mod report;
mod show;

#[cfg(test)]
mod tests;

pub use self::evidence::{Evidence, EvidenceError, statistics};
pub use self::findings::{
    Analysis, Bottleneck, BottleneckKind, Fact, Headroom, Recommendation, ResourceLine, ResponseLine,
    Unjudged, Verdict,
};
pub use self::forecast::Forecast;
pub use self::gain::{Gain, Gained};

use self::demand::Demand;

/// What limits the system, most limiting first, and what to do about it. Pure: the same evidence gives the same analysis.
#[must_use]
pub fn analyse(evidence: &Evidence) -> Analysis {
    let evidence = &evidence.made_sound();
    let demand = Demand::of(evidence);
    let bottlenecks = detect::bottlenecks(&demand);
    let headroom = judged::headroom(&demand);
    let recommendations = judged::recommendations(&bottlenecks);
    Analysis {
        subject: evidence.subject.clone(),
        seconds: evidence.seconds,
        verdict: judged::verdict(&demand, &bottlenecks, &headroom),
        responses: judged::responses(&demand),
        resources: judged::resources(&demand),
        forecast: forecast::forecast(&demand, &bottlenecks),
        unjudged: judged::unjudged(&demand),
        bottlenecks,
        recommendations,
        headroom,
    }
}
