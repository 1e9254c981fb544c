//! `[[rule]]`.

use std::time::Duration;

use statim::alert::{
    Action, Aggregate, Comparison, Condition, Labels, NoData, Per, Rule, RuleFaults, Severity, Template,
    Threshold, check,
};
use statim::telemetry::names::{self, METRICS};

use super::silence::matchers;
use super::table::{Notes, Table};
use super::{Names, sink_names};

/// How far back an aggregate looks, unless a rule says otherwise.
const WINDOW: Duration = Duration::from_mins(1);

pub(super) fn rules<'i>(
    notes: &mut Notes<'i>,
    file: &mut Table<'i>,
    interval: Duration,
    names: &Names<'_>,
) -> Vec<Rule> {
    let mut read: Vec<(Rule, Table<'i>)> = Vec::new();
    for mut table in file.tables(notes, "rule") {
        let rule = rule(notes, &mut table, names);
        read.push((rule, table));
    }
    let rules: Vec<Rule> = read.iter().map(|(rule, _)| rule.clone()).collect();
    if let Err(RuleFaults(faults)) = check(&rules, interval) {
        for fault in faults {
            let Some((_, table)) = read.get_mut(fault.index) else { continue };
            // Of a field that could not be read, nothing more is worth saying; nor of what follows from it.
            let follows = fault.field == "clear" && table.is_wrong("threshold");
            if !table.is_wrong(&fault.field) && !follows {
                table.fault(notes, &fault.field, fault.what);
            }
        }
    }
    read.into_iter().for_each(|(_, table)| table.finish(notes));
    rules
}

fn rule<'i>(notes: &mut Notes<'i>, table: &mut Table<'i>, names: &Names<'_>) -> Rule {
    const NAME: &str = "give it a name, such as \"MemoryHigh\"";
    let name = table.text(notes, "name", NAME).unwrap_or_default();
    table.require(notes, "name", NAME);
    if !name.is_empty() && name.len() <= 64 {
        table.rename(format!("rule.{name}"));
    }
    let watchdog = table.flag(notes, "watchdog").unwrap_or(false);
    let condition =
        if watchdog { Condition::Always } else { Condition::Threshold(threshold(notes, table, names)) };
    let mut rule = Rule::new(&name, condition);
    if let Some(hold) = table.duration(notes, "for") {
        rule.hold = hold;
    }
    if let Some(keep) = table.duration(notes, "keep_firing_for") {
        rule.keep_firing_for = keep;
    }
    if !watchdog && let Some(no_data) = table.choice(notes, "no_data", &NoData::NAMES) {
        rule.no_data = no_data;
    }
    if let Some(fires) = table.whole(notes, "flap_fires", 0..=100) {
        rule.flap.fires = u32::try_from(fires).unwrap_or(u32::MAX);
    }
    if let Some(within) = table.duration(notes, "flap_within") {
        rule.flap.within = within;
    }
    if let Some(hold) = table.duration(notes, "flap_hold") {
        rule.flap.hold = hold;
    }
    if let Some(repeat) = table.duration(notes, "repeat") {
        rule.repeat = repeat;
    }
    if let Some(severity) = table.choice(notes, "severity", &Severity::NAMES) {
        rule.severity = severity;
    }
    rule.labels = labels(notes, table);
    rule.annotations = annotations(notes, table);
    rule.actions = actions(notes, table, names);
    rule
}

fn threshold<'i>(notes: &mut Notes<'i>, table: &mut Table<'i>, names: &Names<'_>) -> Threshold {
    const METRIC: &str = "name what is watched, such as \"statim_memory_used_ratio\"";
    let metric = metric(notes, table, "metric", names, METRIC).unwrap_or_default();
    table.require(notes, "metric", METRIC);
    let aggregate = table.choice(notes, "aggregate", &Aggregate::NAMES).unwrap_or(Aggregate::Last);
    table.require(
        notes,
        "aggregate",
        "say what is made of the samples, such as \"p99\", \"mean\" or \"increase\"",
    );
    let per = metric_per(notes, table, names);
    let window = table.duration(notes, "window").unwrap_or(WINDOW);
    let comparison = table.choice(notes, "comparison", &Comparison::NAMES).unwrap_or(Comparison::AtLeast);
    let mut threshold = Threshold::new(&metric, aggregate, window, comparison, 0.0);
    threshold.per = per;
    let unit = threshold.unit();
    if table.is_wrong("metric") && names::find(&metric).is_none() {
        // What is not known has no unit to be read in.
        table.skip(&["threshold", "clear"]);
    } else {
        threshold.bound = table.quantity(notes, "threshold", unit).unwrap_or_default();
        table.require(notes, "threshold", "say where it becomes bad");
        threshold.clear = table.quantity(notes, "clear", unit).unwrap_or(threshold.bound);
    }
    threshold.minimum_samples = table.whole(notes, "minimum_samples", 1..=4_096).unwrap_or(1);
    threshold.matchers = matchers(notes, table);
    threshold
}

fn metric<'i>(
    notes: &mut Notes<'i>,
    table: &mut Table<'i>,
    field: &'static str,
    names: &Names<'_>,
    wanted: &str,
) -> Option<String> {
    let name = table.text(notes, field, wanted)?;
    if names::find(&name).is_some() || names.metrics.contains(&name) {
        return Some(name);
    }
    let known: Vec<&str> =
        METRICS.iter().map(|it| it.name).chain(names.metrics.iter().map(String::as_str)).collect();
    let meant = crate::config::suggest::nearest(&name, &known);
    let message = match meant {
        Some(meant) => format!("is not a metric that is known; did you mean {meant}?"),
        None => "is not a metric that is known; if it is your own, name it in custom_metrics".to_owned(),
    };
    table.fault(notes, field, message);
    // The rest is judged as if that had been written.
    Some(meant.map_or(name, str::to_owned))
}

fn metric_per<'i>(notes: &mut Notes<'i>, table: &mut Table<'i>, names: &Names<'_>) -> Option<Per> {
    let metric = metric(notes, table, "per", names, "name the metric to divide by");
    let at_least = table.quantity(notes, "per_at_least", names::Unit::Count);
    match (metric, at_least) {
        (Some(metric), at_least) => Some(Per { metric, at_least: at_least.unwrap_or(1.0) }),
        (None, Some(_)) => {
            table.fault(notes, "per_at_least", "makes no sense without per");
            None
        }
        (None, None) => None,
    }
}

fn labels<'i>(notes: &mut Notes<'i>, table: &mut Table<'i>) -> Labels {
    let mut labels = Labels::none();
    for (name, values) in table.text_lists(notes, "labels") {
        let field = format!("labels.{}", crate::config::reader::shorten(&name));
        match values.as_slice() {
            [(value, _)] => {
                if let Err(fault) = labels.set(name, value.clone()) {
                    table.fault(notes, &field, fault.to_string());
                }
            }
            _ => table.fault(notes, &field, "is not one text"),
        }
    }
    labels
}

fn annotations<'i>(notes: &mut Notes<'i>, table: &mut Table<'i>) -> Vec<(String, Template)> {
    let summary = table.text(notes, "summary", "say in a sentence what is wrong");
    let named = summary.map(|text| ("summary".to_owned(), "summary".to_owned(), text));
    let further = table.text_lists(notes, "annotations").into_iter().filter_map(|(name, texts)| {
        let (text, _) = texts.into_iter().next()?;
        Some((format!("annotations.{}", crate::config::reader::shorten(&name)), name, text))
    });
    let mut annotations: Vec<(String, Template)> = Vec::new();
    for (field, name, text) in named.into_iter().chain(further) {
        if annotations.iter().any(|(known, _)| *known == name) {
            table.fault(notes, &field, "is there twice: summary is a field of its own");
            continue;
        }
        match Template::parse(&text) {
            Ok(template) => annotations.push((name, template)),
            Err(fault) => table.fault(notes, &field, fault.to_string()),
        }
    }
    annotations
}

fn actions<'i>(notes: &mut Notes<'i>, table: &mut Table<'i>, names: &Names<'_>) -> Vec<Action> {
    let mut actions = match sink_names(notes, table, "notify", names) {
        None => vec![Action::notify()],
        Some(sinks) if sinks.is_empty() => Vec::new(),
        Some(sinks) => vec![Action::Notify { sinks }],
    };
    for mut action in [Action::scale_up(), Action::restart_agents(), Action::investigate()] {
        let Some(mut fields) = table.table(notes, action.as_str()) else { continue };
        match &mut action {
            Action::Notify { .. } => {}
            Action::ScaleUp { agent, step, maximum, cooldown } => {
                *agent = fields.text(notes, "agent", "name an agent");
                number(notes, &mut fields, "step", step);
                number(notes, &mut fields, "maximum", maximum);
                time(notes, &mut fields, "cooldown", cooldown);
            }
            Action::RestartAgents { agent, at_most, within } => {
                *agent = fields.text(notes, "agent", "name an agent");
                number(notes, &mut fields, "at_most", at_most);
                time(notes, &mut fields, "within", within);
            }
            Action::Investigate { most_bytes, cooldown } => {
                if let Some(bytes) = fields.quantity(notes, "most_bytes", names::Unit::Bytes) {
                    *most_bytes = bytes.max(0.0) as u64;
                }
                time(notes, &mut fields, "cooldown", cooldown);
            }
        }
        fields.finish(notes);
        actions.push(action);
    }
    actions
}

fn number<'i>(notes: &mut Notes<'i>, fields: &mut Table<'i>, field: &'static str, to: &mut u32) {
    if let Some(number) = fields.whole(notes, field, 0..=u64::from(u32::MAX)) {
        *to = u32::try_from(number).unwrap_or(u32::MAX);
    }
}

fn time<'i>(notes: &mut Notes<'i>, fields: &mut Table<'i>, field: &'static str, to: &mut Duration) {
    if let Some(duration) = fields.duration(notes, field) {
        *to = duration;
    }
}
