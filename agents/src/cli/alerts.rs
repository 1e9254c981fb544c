//! `statim alerts …`: rules checked, tested and listed.

use std::path::Path;

use serde_json::{Value, json};
use statim::alert::{Action, Condition, Rule, Threshold};

use super::args::{AlertsArgs, AlertsCommand};
use super::open_alerts;
use super::output::{Output, printable};
use super::{CliError, Doing};
use crate::alerting::sinks;
use crate::config::alerts::{AlertsConfig, CasesFile};
use crate::rehearsal::{Verdict, play};

pub(super) fn alerts(args: &AlertsArgs) -> Result<(), CliError> {
    let output = Output::new(args.json);
    match &args.command {
        AlertsCommand::Check { file } => check(file, output),
        AlertsCommand::Test { rules, cases } => test(rules, cases, output),
        AlertsCommand::List { file: _, database: Some(database) } => open_alerts::list(database, output),
        AlertsCommand::List { file, database: None } => list(file.as_deref(), output),
        AlertsCommand::Acknowledge { key, by, database } => {
            open_alerts::acknowledge(database.as_deref(), key, by, output)
        }
        AlertsCommand::Silence(args) => open_alerts::silence(args, output),
        AlertsCommand::Lift { name, database } => open_alerts::lift(database.as_deref(), name, output),
    }
}

fn check(file: &Path, mut output: Output) -> Result<(), CliError> {
    // Not only whether the secrets are there: whether each sink could be told by them.
    let config = match AlertsConfig::load(file).and_then(|config| sinks(&config).map(|_| config)) {
        Ok(config) => config,
        Err(faults) => {
            let named = faults.faults().iter().map(|fault| {
                json!({
                    "line": fault.position.map(|it| it.line),
                    "column": fault.position.map(|it| it.column),
                    "field": fault.field,
                    "message": fault.message,
                })
            });
            let named: Vec<Value> = named.collect();
            output.finish(&json!({ "file": file.display().to_string(), "valid": false, "faults": named }))?;
            return Err(faults.into());
        }
    };
    let AlertsConfig { rules, sinks, silences, .. } = &config;
    output.line(format_args!(
        "{} is right: {} rules, {} sinks, {} silences",
        config.origin(),
        rules.len(),
        sinks.len(),
        silences.len()
    ))?;
    output.finish(&json!({
        "file": config.origin(),
        "valid": true,
        "faults": [],
        "rules": rules.len(),
        "sinks": sinks.len(),
        "silences": silences.len(),
    }))
}

fn test(rules: &Path, cases: &Path, mut output: Output) -> Result<(), CliError> {
    let config = AlertsConfig::load(rules)?;
    let cases_file = CasesFile::load(cases)?;
    let mut verdicts = Vec::new();
    for case in &cases_file.cases {
        let verdict = play(&config, case).doing("playing the case")?;
        let Verdict { name, line, failures, .. } = &verdict;
        let outcome = if failures.is_empty() { "ok    " } else { "FAILED" };
        output.line(printable(&format!("{outcome}  {}:{line}: {name}", cases.display())))?;
        for failure in failures {
            output.line(printable(&format!("  {failure}")))?;
        }
        verdicts.push(verdict);
    }
    let failed = verdicts.iter().filter(|it| !it.failures.is_empty()).count();
    let passed = verdicts.len() - failed;
    output.line(format_args!("{passed} passed, {failed} failed"))?;
    let each: Vec<Value> = verdicts
        .iter()
        .map(|it| {
            let Verdict { name, line, checks, failures } = it;
            json!({ "name": name, "line": line, "checks": checks, "passed": failures.is_empty(), "failures": failures })
        })
        .collect();
    output.finish(&json!({ "passed": passed, "failed": failed, "cases": each }))?;
    if failed == 0 {
        Ok(())
    } else {
        Err(CliError::failed(format!("{failed} of {} cases failed", verdicts.len())))
    }
}

fn list(file: Option<&Path>, mut output: Output) -> Result<(), CliError> {
    let config = match file {
        Some(file) => AlertsConfig::load(file)?,
        None => AlertsConfig::built_in()?,
    };
    output.line(format_args!(
        "{} rules of {}, evaluated every {:?}",
        config.rules.len(),
        config.origin(),
        config.evaluation.interval
    ))?;
    output.line("")?;
    for rule in &config.rules {
        let severity = rule.severity.as_str();
        output.line(printable(&format!("{:<24}  {severity:<8}  {}", rule.name, condition(rule))))?;
        let actions: Vec<String> = rule.actions.iter().map(action).collect();
        output.line(printable(&format!("{:<24}  {:<8}  {}", "", "", actions.join(", "))))?;
    }
    let rules: Vec<Value> = config.rules.iter().map(object).collect();
    output.finish(&json!({ "origin": config.origin(), "rules": rules }))
}

/// When it fires, in a line.
fn condition(rule: &Rule) -> String {
    let Some(threshold) = rule.threshold() else { return "always".to_owned() };
    let Threshold { metric, matchers, per, window, aggregate, comparison, bound, .. } = threshold;
    let matchers: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    let matchers = if matchers.is_empty() { String::new() } else { format!("{{{}}}", matchers.join(", ")) };
    let per = per.as_ref().map(|it| format!(" / {}", it.metric)).unwrap_or_default();
    let (aggregate, sign, bound) = (aggregate.as_str(), comparison.as_str(), threshold.unit().show(*bound));
    let mut text = format!("{aggregate} of {metric}{matchers}{per} over {window:?} {sign} {bound}");
    if !rule.hold.is_zero() {
        text.push_str(&format!(" for {:?}", rule.hold));
    }
    text
}

fn action(action: &Action) -> String {
    match action {
        Action::Notify { sinks } if sinks.is_empty() => "notify everyone".to_owned(),
        Action::Notify { sinks } => format!("notify {}", sinks.join(" and ")),
        Action::ScaleUp { maximum, .. } => format!("scale_up to {maximum}"),
        Action::RestartAgents { at_most, within, .. } => format!("restart_agents ({at_most} in {within:?})"),
        Action::Investigate { .. } => "investigate".to_owned(),
    }
}

/// A rule for scripts: durations in seconds, values in base units.
fn object(rule: &Rule) -> Value {
    let annotations: serde_json::Map<String, Value> =
        rule.annotations.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect();
    let mut object = json!({
        "name": rule.name,
        "watchdog": rule.is_watchdog(),
        "for": rule.hold.as_secs_f64(),
        "keep_firing_for": rule.keep_firing_for.as_secs_f64(),
        "no_data": rule.no_data.as_str(),
        "flap": {
            "fires": rule.flap.fires,
            "within": rule.flap.within.as_secs_f64(),
            "hold": rule.flap.hold.as_secs_f64(),
        },
        "repeat": rule.repeat.as_secs_f64(),
        "severity": rule.severity.as_str(),
        "labels": rule.labels,
        "annotations": annotations,
        "actions": rule.actions.iter().map(parameters).collect::<Vec<_>>(),
    });
    if let Condition::Threshold(threshold) = &rule.condition {
        object["metric"] = threshold.metric.as_str().into();
        object["where"] = threshold.matchers.iter().map(ToString::to_string).collect::<Vec<_>>().into();
        object["per"] = threshold.per.as_ref().map(|it| it.metric.as_str()).into();
        object["window"] = threshold.window.as_secs_f64().into();
        object["aggregate"] = threshold.aggregate.as_str().into();
        object["comparison"] = threshold.comparison.as_str().into();
        object["threshold"] = threshold.bound.into();
        object["clear"] = threshold.clear.into();
        object["minimum_samples"] = threshold.minimum_samples.into();
    }
    object
}

fn parameters(action: &Action) -> Value {
    let kind = action.as_str();
    match action {
        Action::Notify { sinks } => json!({ "kind": kind, "sinks": sinks }),
        Action::ScaleUp { agent, step, maximum, cooldown } => json!({
            "kind": kind, "agent": agent, "step": step, "maximum": maximum, "cooldown": cooldown.as_secs_f64(),
        }),
        Action::RestartAgents { agent, at_most, within } => json!({
            "kind": kind, "agent": agent, "at_most": at_most, "within": within.as_secs_f64(),
        }),
        Action::Investigate { most_bytes, cooldown } => json!({
            "kind": kind, "most_bytes": most_bytes, "cooldown": cooldown.as_secs_f64(),
        }),
    }
}
