//! What came of a run.

use std::time::SystemTime;

use super::{Conductor, SECOND};
use crate::load::measure::{milliseconds, spectrum};
use crate::load::measured::Measured;
use crate::load::result::{GeneratorResult, LagMs, LoadResult, Spectrum, UslFit};
use crate::load::target::{ErrorClass, Outcome, Target};
use crate::load::usl;
use crate::telemetry::system::Machine;

impl<T: Target> Conductor<T> {
    /// What came of the run. Its senders have ended.
    pub(in crate::load) fn conclude(mut self) -> Measured {
        let now = self.shared.timeline.now();
        self.pass_boundaries(now);
        self.collect();
        self.give_up_unended(now);
        let span = now.saturating_sub(self.second * SECOND) as f64 / 1e9;
        // What is left belongs to the last second, even one that has hardly begun.
        self.close_second(span);
        let (result, corrected, uncorrected) = self.result();
        let started_at = self.started_at;
        Measured::new(result, started_at, corrected, uncorrected, self.series)
    }

    /// What was sent and has not ended by now has failed.
    fn give_up_unended(&mut self, now: u64) {
        let waited = now.saturating_sub(self.shared.sending_ended());
        for class in &mut self.totals.classes {
            let unended = (class.offered - class.dropped).saturating_sub(class.cell.ended());
            class.cell.record_n(Outcome::Failed(ErrorClass::Timeout), waited, waited, unended);
            self.ended.failed += unended;
        }
    }

    fn result(&mut self) -> (LoadResult, hdrhistogram::Histogram<u64>, hdrhistogram::Histogram<u64>) {
        let measured = self.shared.sending_ended().saturating_sub(self.shared.warm_up);
        let seconds = measured as f64 / 1e9;
        let (corrected, uncorrected) = self.totals.latencies();
        let mut after = self.target.observe();
        let system = self.watch.system(after.as_ref());
        after.get_or_insert_default().system.get_or_insert(system);
        let scenario = self.scenario.clone();
        let mut result = LoadResult {
            test_name: scenario.name.clone(),
            title: scenario.title.clone(),
            passed: false,
            interrupted: self.interrupted,
            started_at: rfc3339(self.started_at),
            seconds,
            seed: scenario.seed,
            statim_version: env!("CARGO_PKG_VERSION").to_owned(),
            results: self.totals.results(seconds),
            generator: self.generator(),
            thresholds: Vec::new(),
            targets: Vec::new(),
            series: self.series.slots().iter().map(|slot| slot.point.clone()).collect(),
            spectrum: Spectrum { corrected: spectrum(&corrected), uncorrected: spectrum(&uncorrected) },
            breaking: self.ladder.as_ref().map(|ladder| ladder.result()),
            machine: Machine::look(),
            baseline: None,
            scenario,
            snapshot_before: self.before.take(),
            snapshot_after: after,
        };
        if let Some(breaking) = &mut result.breaking {
            let curve = usl::curve(&result.series);
            // Too few steps, or a curve that no such law makes: then nothing is said of it.
            breaking.usl = usl::fit(&curve).ok().as_ref().map(UslFit::from);
        }
        result.judge();
        (result, corrected, uncorrected)
    }

    fn generator(&self) -> GeneratorResult {
        let at = |quantile| milliseconds(self.lag.value_at_quantile(quantile));
        let bound_ms = self.scenario.generator_lag.as_secs_f64() * 1e3;
        let lag_ms = if self.lag.is_empty() {
            LagMs::default()
        } else {
            LagMs { p50: at(0.5), p99: at(0.99), max: at(1.0) }
        };
        let users = self.scenario.stages.iter().map(|stage| stage.users);
        let users = users.chain(self.scenario.breaking.map(|breaking| breaking.users)).max();
        GeneratorResult {
            lag_ms,
            sends: self.lag.len(),
            bound_ms,
            passed: lag_ms.p99 <= bound_ms,
            users: users.unwrap_or(0),
            workers: self.workers as u32,
        }
    }
}

impl LoadResult {
    /// Evaluates the scenario's thresholds anew, and says whether the run has passed: for whoever changed its figures.
    pub fn judge(&mut self) {
        let thresholds = self.scenario.thresholds.iter();
        self.thresholds = thresholds.map(|threshold| threshold.evaluate(self)).collect();
        let held = self.thresholds.iter().all(|threshold| threshold.passed);
        self.passed = held && self.generator.passed && !self.interrupted;
    }
}

/// A moment, in milliseconds, in UTC.
fn rfc3339(moment: SystemTime) -> String {
    let moment = jiff::Timestamp::try_from(moment).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{moment:.3}")
}
