//! Texts that try to be markup, and figures that are none.

use serde_json::Value;
use statim::load::LoadResult;
use statim::load::html::page;

use crate::markup::{charts, elements, embedded};
use crate::sample;

/// Ends a script, a comment, an attribute and a string; is a line end for JavaScript; turns text around.
const HOSTILE: &str = "</script><!--<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;\u{2028}\u{2029}\u{202e}\u{0}";

fn with_hostile_texts() -> LoadResult {
    let text = HOSTILE.to_owned();
    let mut result = sample::whole();
    result.test_name = text.clone();
    result.title = text.clone();
    result.started_at = text.clone();
    result.statim_version = text.clone();
    for threshold in &mut result.thresholds {
        threshold.expression = text.clone();
        threshold.observed = text.clone();
    }
    for target in &mut result.targets {
        target.name = text.clone();
        target.wanted = text.clone();
        target.observed = text.clone();
    }
    for point in &mut result.series {
        point.stage = text.clone();
        point.breakers_open = vec![text.clone()];
    }
    let figures = result.results.by_kind["deduplication"].clone();
    result.results.by_kind.insert(text.clone(), figures);
    let parts = result.results.by_kind_and_priority["patient_consent"].clone();
    result.results.by_kind_and_priority.insert(text.clone(), parts);
    let breaking = result.breaking.as_mut().expect("a stress run");
    breaking.why = text.clone();
    breaking.steps.iter_mut().for_each(|step| step.why = text.clone());
    result.machine.cpu = text.clone();
    result.machine.kernel = text.clone();
    result.machine.rustc = text.clone();
    result.machine.target = text.clone();
    let baseline = result.baseline.as_mut().expect("a baseline");
    baseline.file = text.clone();
    baseline.differences.iter_mut().for_each(|it| it.figure = text.clone());
    let after = result.snapshot_after.as_mut().and_then(|it| it.runtime.as_mut()).expect("a snapshot");
    after.agents[0].name = text;
    result
}

#[test]
fn texts_from_outside_stay_text() {
    let result = with_hostile_texts();
    let page = page(&result);
    let plain = crate::sample::whole();
    let (hostile, ours) = (elements(&page), elements(&statim::load::html::page(&plain)));
    for name in ["script", "img", "style", "meta"] {
        let count = |all: &[String]| all.iter().filter(|it| *it == name).count();
        assert_eq!(count(&hostile), count(&ours), "{name}");
    }
    assert_eq!(page.matches("</script>").count(), 2, "the JSON and the script end once each");
    assert!(!page.contains("<!--") && !page.contains("<img"));
    charts(&page);
}

#[test]
fn hostile_texts_come_out_of_the_embedded_json_unchanged() {
    let result = with_hostile_texts();
    let page = page(&result);
    assert_eq!(embedded(&page), serde_json::to_value(&result).expect("JSON"));
    let (_, json) = page.split_once("id=\"result\">").expect("the JSON");
    let json = &json[..json.find("</script>").expect("its end")];
    assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
}

#[test]
fn figures_that_are_none_break_nothing_and_are_never_printed() {
    let all = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, f64::MIN_POSITIVE, f64::MAX, 5e-324];
    for figure in all {
        let page = page(&with_figure(figure));
        elements(&page);
        for chart in charts(&page) {
            assert!(!chart.contains("NaN") && !chart.contains("inf"), "{figure}: {chart}");
        }
        let (text, _) = page.split_once("<section id=\"raw\"").expect("raw");
        for word in ["NaN", ">inf", ">-inf", "9223372036854775807"] {
            assert!(!text.contains(word), "{figure} gives {word}");
        }
    }
}

fn with_figure(figure: f64) -> LoadResult {
    let mut result = sample::whole();
    result.seconds = figure;
    result.results.offered_rate = figure;
    let mut all = vec![&mut result.results.all];
    all.extend(result.results.by_priority.values_mut());
    for figures in all {
        figures.throughput = figure;
        figures.error_rate = figure;
        figures.avg_response_time = figure;
        let it = &mut figures.percentiles;
        for place in [&mut it.p50, &mut it.p90, &mut it.p95, &mut it.p99, &mut it.p999, &mut it.max] {
            *place = figure;
        }
    }
    for point in &mut result.series {
        point.span_seconds = figure;
        for place in [&mut point.p50, &mut point.p90, &mut point.p99, &mut point.p999, &mut point.max] {
            *place = Some(figure);
        }
        point.cpu_percent = Some(figure);
        point.lag_ms = Some(figure);
        point.rss_bytes = Some(u64::MAX);
        point.offered = u64::MAX;
        point.shed = u64::MAX;
        point.p99_by_priority.values_mut().for_each(|it| *it = figure);
        point.wait_p99_ms.values_mut().for_each(|it| *it = figure);
        point.depth.values_mut().for_each(|it| *it = u64::MAX);
    }
    result.series[3].second = figure;
    for pairs in [&mut result.spectrum.corrected, &mut result.spectrum.uncorrected] {
        pairs.iter_mut().for_each(|pair| *pair = [figure, figure]);
    }
    let breaking = result.breaking.as_mut().expect("a stress run");
    breaking.breaking_rate = Some(figure);
    breaking.knee_rate = Some(figure);
    breaking.recovery_seconds = Some(figure);
    breaking.critical_bound_ms = Some(figure);
    if let Some(usl) = &mut breaking.usl {
        (usl.lambda, usl.alpha, usl.beta, usl.peak_rate, usl.interval) =
            (figure, figure, figure, figure, [figure; 2]);
    }
    for step in &mut breaking.steps {
        (step.offered, step.completed, step.error_rate) = (figure, figure, figure);
        (step.p99_ms, step.critical_p99_ms) = (Some(figure), Some(figure));
    }
    let baseline = result.baseline.as_mut().expect("a baseline");
    for difference in &mut baseline.differences {
        (difference.baseline, difference.now, difference.change, difference.band) =
            (figure, figure, Some(figure), figure);
    }
    (result.generator.bound_ms, result.generator.lag_ms.p99) = (figure, figure);
    result.machine.load_average = Some(figure);
    result.machine.cgroup_cpu_limit = Some(figure);
    result
}

#[test]
fn one_point_and_one_message_make_a_page() {
    let mut result = sample::of_points(1);
    result.spectrum.corrected.truncate(1);
    result.spectrum.uncorrected.clear();
    if let Some(breaking) = &mut result.breaking {
        breaking.steps.truncate(1);
    }
    let page = page(&result);
    elements(&page);
    assert!(charts(&page).iter().any(|chart| chart.contains("h0")), "a point alone is a dot");
    assert_eq!(embedded(&page)["series"].as_array().map(Vec::len), Some(1));
    assert_ne!(embedded(&page)["series"][0]["p99"], Value::Null);
}
