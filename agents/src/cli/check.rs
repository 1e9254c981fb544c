//! `statim check`: is this configuration right?

use statim::resilience::PolicyOptions;

use super::args::CheckArgs;
use super::output::Output;
use super::{CliError, configuration};
use crate::config::Config;

pub(super) fn check(args: &CheckArgs) -> Result<(), CliError> {
    let config = configuration(args.config.as_deref())?;
    config.check_paths()?;
    let rules = config.alerting.rules.load()?;
    // The sinks too: whether their secrets are there, and can be right.
    config.alerting.rules.open()?;
    let route = config.message_route()?;
    let mut output = Output::new(false);
    let Config { database, runtime, ingestion, consent, .. } = &config;
    output.line(format_args!("{} is right", config.origin()))?;
    output.line(format_args!("  database   {}", database.url))?;
    output.line(format_args!("  arbiters   {}", runtime.arbiter_count()))?;
    output.line(format_args!("  workers    {}", ingestion.worker_count()))?;
    for source in &ingestion.sources {
        output.line(format_args!("  source     {}", source.display()))?;
    }
    if let Some(replay) = &consent.replay {
        output.line(format_args!("  replay     {}", replay.display()))?;
    }
    output.line(format_args!("  alerts     {} rules of {}", rules.rules.len(), rules.origin()))?;
    for sink in &rules.sinks {
        output.line(format_args!("  sink       {}: {}", sink.name, sink.kind.as_str()))?;
    }
    if let (Some(route), Some(address)) = (&route, config.monitor.listen) {
        let who = if route.token.is_some() { "with the token" } else { "without a token" };
        output.line(format_args!("  messages   http://{address}/messages, {who}"))?;
    }
    for (name, options) in config.links.by_name() {
        let PolicyOptions { timeout, rate_limit, bulkhead, breaker, retry } = &options.guards;
        let parts = [
            breaker.map(|_| "circuit breaker"),
            rate_limit.map(|_| "rate limit"),
            bulkhead.map(|_| "bulkhead"),
            timeout.map(|_| "timeout"),
            retry.map(|_| "retry"),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if !parts.is_empty() {
            output.line(format_args!("  link       {name}: {}", parts.join(", ")))?;
        }
    }
    if config.admission.consent.is_some() {
        output.line("  admission  consent")?;
    }
    output.finish(&())
}
