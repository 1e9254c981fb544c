//! A load test of your own agents: implement [`Target`], and the scenarios, measurements and reports are yours.
//!
//! ```text
//! cargo run --release --example load
//! ```

use std::convert::Infallible;
use std::time::Duration;

use statim::load::{Completion, ErrorClass, Kind, Load, Observed, Outcome, Request, Scenario, Share, Target};
use statim::prelude::*;

/// A pharmacy that fills prescriptions, and stops one at once when a doctor says so.
struct Pharmacy {
    filled: u64,
}

enum Order {
    Stop(Completion),
    Fill(Completion),
}

impl Message for Order {
    fn priority(&self) -> Priority {
        match self {
            Self::Stop(_) => Priority::Critical,
            Self::Fill(_) => Priority::Normal,
        }
    }
}

impl Agent for Pharmacy {
    type Message = Order;
    type Error = Infallible;

    async fn handle(&mut self, order: Order, _: &mut Context<Self>) -> Result<(), Infallible> {
        let (Order::Stop(mut end) | Order::Fill(mut end)) = order;
        // From here on it counts as handled: if this panics, the handler failed.
        end.taken();
        self.filled += 1;
        end.finish(Outcome::Done);
        Ok(())
    }
}

struct PharmacyTarget {
    runtime: RuntimeHandle,
    pharmacy: AgentRef<Order>,
}

impl Target for PharmacyTarget {
    fn kinds(&self) -> Vec<Kind> {
        vec![Kind::new("stop", Priority::Critical), Kind::new("fill", Priority::Normal)]
    }

    /// The message carries its own end, so nothing waits for it and nothing is allocated.
    fn start(&self, request: Request, end: Completion) -> Result<(), Completion> {
        let order = if request.kind == 0 { Order::Stop(end) } else { Order::Fill(end) };
        // What is refused is dropped, and its end with it, which says that there was too much.
        let _ = self.pharmacy.try_tell(order);
        Ok(())
    }

    /// For closed models, in which a user waits for the end.
    async fn send(&self, _: Request) -> Outcome {
        Outcome::Failed(ErrorClass::Other)
    }

    fn observe(&self) -> Option<Observed> {
        Some(Observed::runtime(&self.runtime))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::builder().start()?;
    let pharmacy = runtime.spawn("pharmacy", AgentOptions::default(), || Pharmacy { filled: 0 })?;

    let mut scenario = Scenario::new("pharmacy", 20_000.0, Duration::from_secs(3));
    scenario.warm_up = Duration::from_secs(1);
    scenario.mix = vec![Share::new("stop", 1), Share::new("fill", 99)];
    scenario.thresholds = vec!["p99{priority=critical} < 50ms".parse()?, "error_rate < 1%".parse()?];

    let target = PharmacyTarget { runtime: (*runtime).clone(), pharmacy };
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measured = tokio.block_on(async {
        let load = Load::new(scenario, target).on_progress(|progress| {
            println!("{}: {} sent, {} failed", progress.stage, progress.sent, progress.failed);
        });
        load.run().await
    })?;

    let result = measured.result;
    for threshold in &result.thresholds {
        let verdict = if threshold.passed { "ok" } else { "FAILED" };
        println!("{verdict:<7} {:<32} {}", threshold.expression, threshold.observed);
    }
    println!("{:.0} messages a second", result.results.all.throughput);
    tokio.block_on(runtime.shutdown());
    Ok(())
}
