//! Was it the generator?

use crate::analysis::demand::Demand;
use crate::analysis::findings::{Bottleneck, BottleneckKind, Fact};
use crate::analysis::gain::{Gain, Gained};
use crate::analysis::show;

/// Before all others: what a late generator measured is not of the target.
const FIRST: f64 = 2.0;

pub(super) fn keeps_up(demand: &Demand<'_>) -> Option<Bottleneck> {
    let load = demand.evidence.load.as_ref().filter(|load| !load.generator.passed)?;
    let lag = load.generator;
    Some(Bottleneck {
        kind: BottleneckKind::Generator,
        resource: "load generator".to_owned(),
        summary: format!(
            "The generator sent its messages late ({} at p99, {} at most), so the load was not what the scenario says.",
            show::time(lag.lag_p99),
            show::time(lag.bound)
        ),
        evidence: vec![
            Fact::new("lag of the sends, p99", show::time(lag.lag_p99)),
            Fact::new("bound of the lag", show::time(lag.bound)),
            Fact::new("to be sent", show::rate(load.offered)),
        ],
        weight: FIRST,
        gain: Gain {
            of: Gained::Measurement,
            low: 0.0,
            high: 0.0,
            assumption: "latencies count from the intended send, so they hold; the load does not".to_owned(),
        },
        advice: "Run the generator on processors of its own, or lower the rate, and measure again before anything else is changed."
            .to_owned(),
    })
}
