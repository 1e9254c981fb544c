//! `statim load`: load on the agents, and what becomes of it.

mod bar;
mod chosen;
mod folder;
mod told;

use std::path::Path;

use statim::load::html;
use statim::load::{Load, LoadResult, Measured, Scenario, Target, Verdict};

use self::bar::Bar;
use self::chosen::chosen;
pub(super) use self::folder::RESULT;
use self::folder::ReportFolder;
use super::args::LoadArgs;
use super::output::{Output, note};
use super::run::{interrupted, stopped_at_once};
use super::{CliError, Doing};
use crate::config::DatabaseUrl;
use crate::load::{HttpTarget, HttpTargetOptions, InProcess, targets};

pub(super) fn load(args: &LoadArgs) -> Result<(), CliError> {
    let scenario = chosen(args)?;
    let baseline = args.baseline.as_deref().map(baseline).transpose()?;
    let folder = args.report.as_deref().map(ReportFolder::new).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("statim-load")
        .build()
        .doing("starting the runtime")?;
    let measured = runtime.block_on(async {
        tokio::select! {
            measured = measure(args, scenario) => measured,
            // The first interrupt ends the sending.
            () = async { interrupted().await; interrupted().await } => Err(stopped_at_once()),
        }
    });
    runtime.shutdown_background();
    let mut measured = measured?;
    measured.result.targets = targets(&measured.result);
    if let Some((file, baseline)) = &baseline {
        compare(&mut measured.result, file, baseline);
    }
    let mut output = Output::new(args.json);
    output.line(told::told(&measured.result))?;
    if let Some(folder) = &folder {
        let analysis = super::report::of_run(&measured.result);
        folder.write(&measured, &html::page(&measured.result), &analysis)?;
        output.line(format_args!("\nreport: {}", folder.page().display()))?;
    }
    output.finish(&told::object(&measured.result, folder.as_ref()))?;
    judge(&measured.result)
}

async fn measure(args: &LoadArgs, scenario: Scenario) -> Result<Measured, CliError> {
    let (seed, timeout) = (scenario.seed, scenario.timeout);
    match &args.url {
        Some(url) => {
            note("statim: the load test leaves made-up patients and studies in that deployment's database");
            let options = HttpTargetOptions { url: url.clone(), token_env: args.token_env.clone() };
            let target =
                HttpTarget::connect(&options, seed, timeout).await.doing("beginning the load test")?;
            run(scenario, target).await
        }
        None => {
            let database = match args.database.as_deref() {
                None => None,
                Some(url) => Some(DatabaseUrl::parse(url).map_err(|error| CliError::Usage {
                    what: "the database cannot be used".to_owned(),
                    source: Some(Box::new(error)),
                })?),
            };
            let url = database.as_ref().map(DatabaseUrl::as_str);
            let target = InProcess::start(url, seed, timeout).await.doing("beginning the load test")?;
            let measured = run(scenario, target.clone()).await;
            target.stop().await;
            measured
        }
    }
}

async fn run<T: Target>(scenario: Scenario, target: T) -> Result<Measured, CliError> {
    let bar = Bar::new(&scenario);
    let stop = async {
        interrupted().await;
        note("statim: ending early (interrupt again to stop at once)");
    };
    let load = Load::new(scenario, target).on_progress(move |progress| bar.show(progress)).cancel_on(stop);
    load.run().await.doing("the load test")
}

/// The result to compare with, by the name it was given.
fn baseline(path: &Path) -> Result<(String, LoadResult), CliError> {
    let file = if path.is_dir() { path.join(RESULT) } else { path.to_owned() };
    let result = LoadResult::read(&file).map_err(|error| CliError::Usage {
        what: format!("the baseline {} cannot be used", file.display()),
        source: Some(Box::new(error)),
    })?;
    Ok((path.display().to_string(), result))
}

/// A figure that is worse beyond chance is a threshold that failed.
fn compare(result: &mut LoadResult, file: &str, baseline: &LoadResult) {
    if result.test_name != baseline.test_name {
        note(format_args!(
            "statim: the baseline is of {}, and this is {}: their figures may not compare",
            baseline.test_name, result.test_name
        ));
    }
    let comparison = result.compare_with(baseline, file);
    result.passed &= comparison.differences.iter().all(|it| it.verdict != Verdict::Worse);
    result.baseline = Some(comparison);
}

fn judge(result: &LoadResult) -> Result<(), CliError> {
    if result.passed {
        return Ok(());
    }
    let mut failed: Vec<String> = result
        .thresholds
        .iter()
        .filter(|it| !it.passed)
        .map(|it| format!("{} ({})", it.expression, it.observed))
        .collect();
    if !result.generator.passed {
        let (late, bound) = (result.generator.lag_ms.p99, result.generator.bound_ms);
        failed.push(format!("the generator was {late:.1} ms late (p99), more than {bound:.1} ms: use a larger machine or less load"));
    }
    let worse =
        result.baseline.iter().flat_map(|it| &it.differences).filter(|it| it.verdict == Verdict::Worse);
    failed.extend(worse.map(|it| {
        format!("{} is worse than the baseline's ({:.3} was {:.3})", it.figure, it.now, it.baseline)
    }));
    if result.interrupted {
        return Err(CliError::failed("the load test was interrupted; what was measured until then is above"));
    }
    Err(CliError::ThresholdFailed { what: format!("the load test has not passed: {}", failed.join("; ")) })
}
