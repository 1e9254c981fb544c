//! A scrape is what the formats allow, whatever agents are called.

use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use proptest::prelude::*;
use statim_servers::promtool;

use super::*;
use crate::telemetry::names::{self, Kind, Unit, metric};
use crate::telemetry::{MetricSample, Sparse, Value};

fn millis(values: &[u64]) -> Sparse {
    let mut histogram: Histogram<u64> = Sparse::default().to_histogram();
    values.iter().for_each(|value| histogram.record(value * 1_000_000).unwrap());
    Sparse::of(&histogram)
}

#[test]
fn a_histogram_has_cumulative_buckets_in_seconds() {
    let waits = millis(&[3, 3, 70, 4000]);
    let sample = MetricSample::distribution(metric::AGENT_WAIT, ["consent", "critical"], &waits);
    let text = render([sample], Format::OpenMetrics);
    let line = |wanted: &str| assert!(text.lines().any(|line| line == wanted), "{wanted}\n{text}");
    line("# TYPE statim_agent_wait_seconds histogram");
    line("# UNIT statim_agent_wait_seconds seconds");
    line("statim_agent_wait_seconds_bucket{agent=\"consent\",priority=\"critical\",le=\"0.0025\"} 0");
    line("statim_agent_wait_seconds_bucket{agent=\"consent\",priority=\"critical\",le=\"0.005\"} 2");
    line("statim_agent_wait_seconds_bucket{agent=\"consent\",priority=\"critical\",le=\"1.0\"} 3");
    line("statim_agent_wait_seconds_bucket{agent=\"consent\",priority=\"critical\",le=\"+Inf\"} 4");
    line("statim_agent_wait_seconds_count{agent=\"consent\",priority=\"critical\"} 4.0");
    let sum = text.lines().find_map(|line| line.strip_prefix("statim_agent_wait_seconds_sum")).unwrap();
    let sum: f64 = sum.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((sum - 4.076).abs() < 0.005 * 4.076, "{sum}");
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn a_counter_is_named_as_each_format_wants_it() {
    let sample = || [MetricSample::number(metric::DEAD_LETTERS, [], 3.0)];
    assert!(
        render(sample(), Format::OpenMetrics)
            .contains("# TYPE statim_dead_letters counter\nstatim_dead_letters_total 3.0\n")
    );
    let older = render(sample(), Format::Prometheus);
    assert!(older.contains("# TYPE statim_dead_letters_total counter\nstatim_dead_letters_total 3.0\n"));
    assert!(!older.contains("EOF"));
}

#[test]
fn a_metric_that_comes_twice_is_exposed_once() {
    let number = |value| MetricSample::number(metric::DEAD_LETTERS, [], value);
    let other = MetricSample::number(metric::AGENTS, [], 1.0);
    let text = render([number(1.0), other, number(2.0)], Format::Prometheus);
    assert_eq!(text.matches("# TYPE statim_dead_letters_total").count(), 1);
    assert!(!text.contains("statim_dead_letters_total 2"));
}

#[test]
fn a_name_that_is_none_is_left_out() {
    let bad = |name| MetricSample {
        name,
        kind: Kind::Gauge,
        unit: Unit::Count,
        help: "",
        labels: vec![],
        value: Value::Number(1.0),
    };
    assert_eq!(render(["", "9lives", "a b", "a\nb 1", "é"].map(bad), Format::Prometheus), "");
}

#[test]
fn long_names_that_begin_alike_stay_two_series() {
    let (a, b) = ("x".repeat(100_000) + "a", "x".repeat(100_000) + "b");
    let up = |name| MetricSample::number(metric::AGENT_UP, [name], 1.0);
    let text = render([up(&a), up(&b)], Format::Prometheus);
    let mut lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.iter().all(|line| line.len() < 250));
    lines.dedup();
    assert_eq!(lines.len(), 2);
}

#[test]
fn promtool_finds_no_fault_in_any_metric_with_any_name() {
    let waits = millis(&[1, 2, 3]);
    let hostile =
        ["plain", "a\"b", "back\\slash", "new\nline", "bell\u{7}\r\0", "naïve 🩺 名前", "} 1\nx 2", ""];
    let mut samples = Vec::new();
    for metric in names::METRICS {
        for name in hostile {
            let labels = metric.labels.iter().map(|label| (*label, name)).collect();
            let value = match metric.kind {
                Kind::Histogram => Value::Distribution(&waits),
                Kind::Counter | Kind::Gauge => Value::Number(0.1 + 0.2),
            };
            let names::Metric { name, kind, unit, help, .. } = *metric;
            samples.push(MetricSample { name, kind, unit, help, labels, value });
            if metric.labels.is_empty() {
                break;
            }
        }
    }
    let text = render(samples, Format::Prometheus);
    let checked = promtool(&["check", "metrics"], &text).unwrap();
    let said = String::from_utf8_lossy(&checked.stdout) + String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn the_scraper_chooses_the_format() {
    let of_prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    assert_eq!(Format::accepted(Some(of_prometheus)), Format::OpenMetrics);
    assert_eq!(Format::accepted(Some("application/openmetrics-text")), Format::OpenMetrics);
    for other in [
        "text/plain",
        "*/*",
        "",
        ";;,=;q",
        "application/openmetrics-text;version=2.0.0",
        "application/openmetrics-text;q=0",
    ] {
        assert_eq!(Format::accepted(Some(other)), Format::Prometheus, "{other}");
    }
    assert_eq!(Format::accepted(None), Format::Prometheus);
}

proptest! {
    #[test]
    fn a_label_never_ends_its_line(name: String) {
        let text = render([MetricSample::number(metric::AGENT_UP, [&name], 1.0)], Format::OpenMetrics);
        prop_assert_eq!(text.lines().count(), 4);
        let ends = text.lines().nth(2).unwrap().ends_with("\"} 1.0");
        prop_assert!(ends, "{}", text);
    }
}

#[test]
fn the_hdr_log_is_read_back_by_the_library_that_others_use() {
    let mut log = HdrLog::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    let (first, second) = (millis(&[1, 2]), millis(&[90]));
    log.add("critical", Duration::ZERO, Duration::from_secs(10), first);
    log.add("not, a tag", Duration::from_secs(10), Duration::from_secs(10), second);
    let mut bytes = Vec::new();
    log.write(&mut bytes).unwrap();
    let entries: Vec<_> = IntervalLogIterator::new(&bytes).map(Result::unwrap).collect();
    let histograms: Vec<_> = entries
        .iter()
        .filter_map(|entry| match entry {
            LogEntry::Interval(interval) => {
                // The encoded text is base64.
                let text = interval.encoded_histogram();
                assert!(text.starts_with("HISTFAAA"), "{text}");
                Some((interval.tag().map(|tag| tag.as_str()), interval.start_timestamp(), interval.max()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(histograms.len(), 2);
    assert_eq!(histograms[0].0, Some("critical"));
    assert_eq!(histograms[1].0, None);
    assert!((histograms[1].2 - 90.0).abs() < 0.91);
}
