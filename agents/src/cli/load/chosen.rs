//! Which scenario, and what of it the command line changes.

use std::path::Path;
use std::time::Duration;

use statim::load::Scenario;

use crate::cli::CliError;
use crate::cli::args::LoadArgs;
use crate::config::load::LoadConfig;
use crate::config::nearest;
use crate::load::{kinds, usual_priorities};

/// Steps that `--duration` is taken for, where their number is not known.
const STEPS: u32 = 10;

/// The scenario to run.
pub(super) fn chosen(args: &LoadArgs) -> Result<Scenario, CliError> {
    let mut scenario = read(&args.scenario)?;
    usual_priorities(&mut scenario);
    if let Some(seed) = args.seed {
        scenario.seed = seed;
    }
    if let Some(users) = args.users {
        scale_users(&mut scenario, users);
    }
    if let Some(rate) = args.rate {
        set_rate(&mut scenario, rate);
    }
    if let Some(duration) = args.duration {
        stretch(&mut scenario, duration);
    }
    let changed = changes(args);
    if !changed.is_empty() {
        // Whoever reads the report later did not see the command.
        scenario.title.push_str(&format!(" (with {changed})"));
    }
    scenario.validate().map_err(|error| CliError::Usage {
        what: "the options make a load test that cannot be run".to_owned(),
        source: Some(Box::new(error)),
    })?;
    Ok(scenario)
}

/// What the command line changes of the load.
fn changes(args: &LoadArgs) -> String {
    let users = args.users.map(|users| format!("--users {users}"));
    let rate = args.rate.map(|rate| format!("--rate {rate}"));
    let duration = args.duration.map(|duration| format!("--duration {duration:?}"));
    [users, rate, duration].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn read(named: &str) -> Result<Scenario, CliError> {
    let kinds = kinds();
    if let Some(built_in) = LoadConfig::built_in(named, &kinds) {
        return Ok(built_in?.scenario);
    }
    let path = Path::new(named);
    if !path.exists() && !named.contains(['/', '\\', '.']) {
        let advice = match nearest(named, &LoadConfig::NAMES) {
            Some(meant) => format!("did you mean {meant}?"),
            None => format!("there are {}, or name a file", LoadConfig::NAMES.join(", ")),
        };
        return Err(CliError::usage(format!("no scenario is called {named:?}; {advice}")));
    }
    Ok(LoadConfig::load(path, &kinds)?.scenario)
}

/// Makes `users` the most users of any stage, and every other number of users, and every rate, follow.
fn scale_users(scenario: &mut Scenario, users: u32) {
    let most = scenario.stages.iter().map(|stage| stage.users);
    let most = most.chain(scenario.breaking.map(|it| it.users)).max().unwrap_or(1).max(1);
    let factor = f64::from(users) / f64::from(most);
    let scaled = |users: u32| (f64::from(users) * factor).round().max(1.0) as u32;
    for stage in &mut scenario.stages {
        (stage.users, stage.rate) = (scaled(stage.users), stage.rate * factor);
    }
    if let Some(breaking) = &mut scenario.breaking {
        breaking.users = scaled(breaking.users);
        breaking.start_rate *= factor;
        breaking.cool_down.rate *= factor;
    }
}

/// Makes every user send so many messages a second.
fn set_rate(scenario: &mut Scenario, rate: f64) {
    for stage in &mut scenario.stages {
        stage.rate = f64::from(stage.users) * rate;
    }
    if let Some(breaking) = &mut scenario.breaking {
        let before = breaking.start_rate;
        breaking.start_rate = f64::from(breaking.users) * rate;
        breaking.cool_down.rate *= breaking.start_rate / before;
    }
}

/// Makes the stages, and of a breaking test ten steps, take so long in all; the warm-up stays the same share of it.
fn stretch(scenario: &mut Scenario, duration: Duration) {
    let steps = scenario.breaking.map_or(Duration::ZERO, |breaking| breaking.step * STEPS);
    let all = scenario.duration() + steps;
    if all.is_zero() {
        return;
    }
    let factor = duration.as_secs_f64() / all.as_secs_f64();
    scenario.stages.iter_mut().for_each(|stage| stage.duration = stage.duration.mul_f64(factor));
    scenario.warm_up = scenario.warm_up.mul_f64(factor);
    if let Some(breaking) = &mut scenario.breaking {
        breaking.step = breaking.step.mul_f64(factor).max(Duration::from_secs(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in(name: &str) -> Scenario {
        LoadConfig::built_in(name, &kinds()).unwrap().unwrap().scenario
    }

    #[test]
    fn users_carry_the_rate_with_them() {
        let mut scenario = built_in("light");
        scale_users(&mut scenario, 30);
        assert_eq!(scenario.stages.iter().map(|it| (it.users, it.rate)).collect::<Vec<_>>(), [(30, 60.0); 2]);
        set_rate(&mut scenario, 0.5);
        assert!(scenario.stages.iter().all(|it| it.rate == 15.0));
        let mut scenario = built_in("stress");
        scale_users(&mut scenario, 20);
        set_rate(&mut scenario, 10.0);
        let breaking = scenario.breaking.unwrap();
        assert_eq!((breaking.users, breaking.start_rate, breaking.cool_down.rate), (20, 200.0, 20.0));
    }

    #[test]
    fn a_duration_stretches_every_stage_alike() {
        let mut scenario = built_in("light");
        stretch(&mut scenario, Duration::from_secs(6));
        assert_eq!((scenario.duration(), scenario.warm_up), (Duration::from_secs(6), Duration::from_secs(1)));
        let mut scenario = built_in("stress");
        stretch(&mut scenario, Duration::from_millis(10_500));
        assert_eq!(scenario.breaking.unwrap().step, Duration::from_secs(1));
    }
}
