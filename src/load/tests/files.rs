use std::fs;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use tokio::time::sleep;

use super::targets::*;
use crate::load::*;

async fn measured() -> Measured {
    let target = Does(|request: Request| async move {
        sleep(ms(2 + request.sequence % 50)).await;
        Outcome::Done
    });
    let mut scenario = scenario(200.0, 4);
    scenario.mix = vec![Share::new("message", 3), Share::new("alarm", 1)];
    Load::new(scenario, target).in_place().run().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_run_leaves_four_files_and_its_result_is_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let measured = measured().await;
    let written = measured.write(directory.path().join("deep/er")).unwrap();
    let names: Vec<_> = written.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["result.json", "latency.hlog", "latency.hgrm", "latency-uncorrected.hgrm"]);
    let read = LoadResult::read(&written[0]).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&measured.result).unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_interval_log_holds_every_message_under_its_priority() {
    let directory = tempfile::tempdir().unwrap();
    let measured = measured().await;
    let path = measured.write(directory.path()).unwrap().swap_remove(1);
    let log = fs::read(path).unwrap();
    assert!(log.starts_with(b"#[Histogram log format version 1.3]\n"));
    let mut count = std::collections::BTreeMap::<String, u64>::new();
    let mut largest = 0.0_f64;
    for entry in IntervalLogIterator::new(&log) {
        let LogEntry::Interval(interval) = entry.unwrap() else { continue };
        let bytes = base64(interval.encoded_histogram());
        let histogram: Histogram<u64> = Deserializer::new().deserialize(&mut &bytes[..]).unwrap();
        *count.entry(interval.tag().unwrap().as_str().to_owned()).or_default() += histogram.len();
        largest = largest.max(interval.max());
    }
    let results = &measured.result.results;
    for (priority, figures) in &results.by_priority {
        assert_eq!(count[priority.as_str()], figures.measured);
    }
    // In milliseconds.
    assert!((largest - results.all.percentiles.max).abs() < 0.1, "{largest}");
}

/// The standard alphabet, with padding.
fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| alphabet.iter().position(|it| *it == byte));
    let bits: Vec<u8> =
        digits.flat_map(|digit| (0..6).rev().map(move |bit| (digit >> bit & 1) as u8)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | bit)).collect()
}

#[tokio::test(start_paused = true)]
async fn the_percentile_distribution_is_the_text_that_plotters_read() {
    let directory = tempfile::tempdir().unwrap();
    let measured = measured().await;
    let path = measured.write(directory.path()).unwrap().swap_remove(2);
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("       Value     Percentile TotalCount 1/(1-Percentile)"));
    assert_eq!(lines.next(), Some(""));
    let (rows, foot): (Vec<&str>, Vec<&str>) = lines.partition(|line| !line.starts_with('#'));
    let rows: Vec<Vec<f64>> =
        rows.iter().map(|row| row.split_whitespace().map(|it| it.parse().unwrap()).collect()).collect();
    let (last, before) = rows.split_last().unwrap();
    assert!(before.iter().all(|row| row.len() == 4));
    assert!(
        before.iter().all(|row| (row[3] - 1.0 / (1.0 - row[1])).abs() <= 0.005 * row[3].max(1.0)),
        "{rows:?}"
    );
    assert!(rows.is_sorted_by(|a, b| a[0] <= b[0] && a[1] <= b[1] && a[2] <= b[2]));
    // All messages, in milliseconds.
    let all = &measured.result.results.all;
    assert_eq!((last.len(), last[1], last[2] as u64), (3, 1.0, all.measured));
    assert!((last[0] - all.percentiles.max).abs() < 0.001);
    let p50 = before.iter().find(|row| row[1] >= 0.5).unwrap();
    assert!((p50[0] - all.percentiles.p50).abs() < 1.1, "{p50:?}");
    assert_eq!(foot.len(), 3);
    assert!(foot[0].starts_with("#[Mean    = ") && foot[0].contains(", StdDeviation   = "));
    assert!(foot[1].starts_with("#[Max     = ") && foot[1].ends_with(&format!("{:12}]", all.measured)));
    assert!(foot[2].starts_with("#[Buckets = ") && foot[2].ends_with(", SubBuckets     =         2048]"));
}

#[test]
fn a_file_that_is_no_result_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other.json");
    assert!(LoadResult::read(&path).unwrap_err().to_string().contains("other.json"));
    fs::write(&path, "{\"test_name\": 7}").unwrap();
    let error = LoadResult::read(&path).unwrap_err();
    assert!(
        matches!(error, ReadError::NoResult { .. }) && error.to_string().contains("other.json"),
        "{error}"
    );
    fs::write(&path, "[".repeat(100_000)).unwrap();
    assert!(matches!(LoadResult::read(&path), Err(ReadError::NoResult { .. })));
}
