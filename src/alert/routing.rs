//! Who is told of what, and together with what.

use std::time::Duration;

use super::action::Severity;
use super::event::Alert;
use super::group::GroupKey;

/// How alerts become notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispatchOptions {
    /// The sinks there are: who is told where a rule or step names nobody. Default: one, called `default`.
    pub sinks: Vec<String>,
    /// Alerts with the same values of these labels are told together. Default: `alertname`.
    pub group_by: Vec<String>,
    /// How long the first alert of a group waits for others. What is over by then is never told. Default: 10 s.
    pub wait: Duration,
    /// The least time between two notifications of a group. Default: 1 min.
    pub interval: Duration,
    /// Who else is told when nobody acknowledges. By `after`, ascending.
    pub escalation: Vec<EscalationStep>,
}

/// Others are told when nobody has acknowledged for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EscalationStep {
    /// The time since somebody was first told.
    pub after: Duration,
    /// Whom to tell then, by name; empty for all.
    pub sinks: Vec<String>,
    /// Only for alerts that are at least as bad.
    pub least: Severity,
}

impl Default for DispatchOptions {
    fn default() -> Self {
        Self {
            sinks: vec!["default".to_owned()],
            group_by: vec!["alertname".to_owned()],
            wait: Duration::from_secs(10),
            interval: Duration::from_mins(1),
            escalation: Vec::new(),
        }
    }
}

/// The group an alert belongs to; `None` if nobody is to be told of it.
pub(super) fn group_of(options: &DispatchOptions, alert: &Alert) -> Option<GroupKey> {
    let sinks = everybody_if_none(alert.sinks()?, &options.sinks);
    if sinks.is_empty() {
        return None;
    }
    let labels = alert.labels.only(&options.group_by);
    Some(GroupKey { sinks, labels, watchdog: alert.watchdog.then(|| alert.dedup_key.clone()) })
}

pub(super) fn everybody_if_none(named: &[String], all: &[String]) -> Vec<String> {
    let mut sinks: Vec<String> = if named.is_empty() {
        all.to_vec()
    } else {
        all.iter().filter(|it| named.contains(it)).cloned().collect()
    };
    sinks.sort();
    sinks.dedup();
    sinks
}
