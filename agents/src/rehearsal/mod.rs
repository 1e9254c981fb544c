//! Plays cases against alert rules: what would have been said, had this been measured?
//!
//! The engine and the dispatcher are the ones that run in the deployment; only the time is made up.

mod clock;
mod difference;

#[cfg(test)]
mod tests;

use std::time::Duration;

use statim::alert::{Dispatcher, Engine, Moment, Notification, Rule, RuleFaults};

use self::clock::short;
use crate::config::alerts::{AlertsConfig, Case, Expectation};

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The case.
    pub name: String,
    /// Its line in the file of cases.
    pub line: usize,
    /// What was looked at: expectations, and the list of notifications.
    pub checks: usize,
    /// What was not as expected, each in a few lines for people.
    pub failures: Vec<String>,
}

/// Plays a case against rules.
///
/// Samples come at the case's interval and evaluations at that of the rules, from the beginning on; of both at one moment,
/// samples come first. An expectation looks at what the last evaluation until its moment made of it.
///
/// # Errors
///
/// When the rules are not valid, which rules read by [`AlertsConfig`] always are.
pub fn play(config: &AlertsConfig, case: &Case) -> Result<Verdict, RuleFaults> {
    let mut failures = Vec::new();
    for name in case.rules.iter().chain(case.expectations.iter().map(|it| &it.rule)) {
        let known = config.rules.iter().any(|it| it.name == *name);
        let failure = format!("there is no rule {name}");
        if !known && !failures.contains(&failure) {
            failures.push(failure);
        }
    }
    let in_force = |rule: &&Rule| case.rules.is_empty() || case.rules.contains(&rule.name);
    let rules: Vec<Rule> = config.rules.iter().filter(in_force).cloned().collect();
    let mut engine = Engine::new(config.evaluation.clone(), rules)?;
    let mut dispatcher = Dispatcher::new(config.dispatch.clone());
    for silence in &config.silences {
        if let Err(fault) = dispatcher.silence(silence.clone(), case.start) {
            failures.push(format!("the silence {} is not in force: {fault}", silence.id));
        }
    }

    let mut expectations: Vec<&Expectation> = case.expectations.iter().collect();
    expectations.sort_by_key(|it| it.at);
    let mut expectations = expectations.into_iter().peekable();
    let mut said = Vec::new();
    let mut samples = Samples::of(case, config.evaluation.interval);
    let end =
        samples.end().max(case.until).max(case.expectations.iter().map(|it| it.at).max().unwrap_or_default());
    let mut at = Duration::ZERO;
    while at <= end {
        let now = case.start.after(at);
        samples.tell(&mut engine, at, case.start);
        let events = engine.evaluate(now);
        for notification in dispatcher.step(&events, now) {
            said.push(line(&notification, case.start));
        }
        at += config.evaluation.interval;
        while let Some(expectation) = expectations.next_if(|it| it.at < at) {
            failures.extend(difference::of(expectation, &engine));
        }
    }
    if let Some(expected) = &case.notifications {
        failures.extend(difference::of_lists(expected, &said));
    }
    let checks = case.expectations.len() + usize::from(case.notifications.is_some());
    Ok(Verdict { name: case.name.clone(), line: case.line, checks, failures })
}

/// The samples of a case that are still to come.
struct Samples<'c> {
    case: &'c Case,
    interval: Duration,
    next: usize,
}

impl<'c> Samples<'c> {
    fn of(case: &'c Case, evaluation: Duration) -> Self {
        Self { case, interval: case.interval.unwrap_or(evaluation), next: 0 }
    }

    fn end(&self) -> Duration {
        let longest = self.case.series.iter().map(|it| it.values.len()).max().unwrap_or_default();
        self.at(longest.saturating_sub(1))
    }

    fn at(&self, index: usize) -> Duration {
        self.interval.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// Tells the engine every sample until `until` that it was not told yet.
    fn tell(&mut self, engine: &mut Engine, until: Duration, start: Moment) {
        while self.at(self.next) <= until {
            let now = start.after(self.at(self.next));
            let mut any = false;
            for series in &self.case.series {
                any |= self.next < series.values.len();
                if let Some(Some(value)) = series.values.get(self.next) {
                    engine.observe(&series.metric, &series.labels, value.clone(), now);
                }
            }
            if !any {
                return;
            }
            self.next += 1;
        }
    }
}

/// A notification in a line: `6m fired to log: ResponseTimeHigh{agent="consent"} firing`.
fn line(notification: &Notification, start: Moment) -> String {
    let notices = notification.notices.iter().map(|notice| {
        let alert = &notice.alert;
        let mut labels = alert.labels.clone();
        // They are in the rule's name and in the rule.
        for label in ["alertname", "severity"] {
            let _ = labels.set(label.to_owned(), String::new());
        }
        let labels = if labels.is_empty() { String::new() } else { labels.to_string() };
        format!("{}{labels} {}", alert.rule, notice.status.as_str())
    });
    let notices: Vec<String> = notices.collect();
    let at = short(notification.at.since(start));
    format!("{at} {} to {}: {}", notification.why.as_str(), notification.sinks.join(","), notices.join(", "))
}
