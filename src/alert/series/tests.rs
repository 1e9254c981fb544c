use super::*;

fn at(seconds: u64) -> Moment {
    Moment::from_millis(seconds * 1_000)
}

fn series(span: u64, samples: &[(u64, f64)]) -> Series {
    let mut series = Series::new(Duration::from_secs(span), &Value::Number(0.0));
    samples.iter().for_each(|(second, value)| series.add(at(*second), Value::Number(*value)).unwrap());
    series
}

fn measure(series: &mut Series, aggregate: Aggregate, now: u64) -> Option<f64> {
    series.slide(at(now));
    series.aggregate(aggregate, 1, at(now))
}

#[test]
fn a_window_shows_what_is_younger_than_its_span() {
    let mut seen = series(10, &[(0, 9.0), (10, 1.0), (15, 3.0), (20, 5.0)]);
    assert_eq!(measure(&mut seen, Aggregate::Max, 20), Some(5.0));
    assert_eq!(measure(&mut seen, Aggregate::Count, 20), Some(2.0));
    assert_eq!(measure(&mut seen, Aggregate::Mean, 24), Some(4.0));
    assert_eq!(measure(&mut seen, Aggregate::Last, 29), Some(5.0));
    assert!(!seen.is_empty(at(29)) && seen.is_empty(at(30)));
    assert_eq!(measure(&mut seen, Aggregate::Max, 30), None);
}

#[test]
fn quantiles_are_values_that_were_measured() {
    let samples: Vec<_> = (1..=100).map(|n| (n, (101 - n) as f64)).collect();
    let mut seen = series(1_000, &samples);
    let shown = [Aggregate::P50, Aggregate::P90, Aggregate::P95, Aggregate::P99, Aggregate::Min]
        .map(|it| measure(&mut seen, it, 100));
    assert_eq!(shown, [50.0, 90.0, 95.0, 99.0, 1.0].map(Some));
}

#[test]
fn a_counter_that_starts_again_has_grown_by_what_it_shows() {
    let mut seen = series(60, &[(0, 100.0), (10, 110.0), (20, 4.0), (30, 9.0)]);
    assert_eq!(measure(&mut seen, Aggregate::Increase, 30), Some(19.0));
    assert_eq!(measure(&mut seen, Aggregate::Rate, 30), Some(19.0 / 30.0));
}

#[test]
fn what_a_counter_grew_by_at_the_beginning_of_the_window_counts() {
    let mut seen = series(10, &[(0, 0.0), (5, 50.0), (10, 100.0), (15, 100.0)]);
    // The window is (5, 15]: of its two samples and the one before, 50 was grown.
    assert_eq!(measure(&mut seen, Aggregate::Increase, 15), Some(50.0));
    let mut alone = series(10, &[(0, 7.0)]);
    assert_eq!(measure(&mut alone, Aggregate::Increase, 5), None, "one sample says nothing of growth");
}

#[test]
fn a_sample_of_long_ago_does_not_count_as_the_beginning_of_growth() {
    let mut seen = series(10, &[(0, 0.0), (100, 1_000.0), (105, 1_001.0)]);
    assert_eq!(measure(&mut seen, Aggregate::Increase, 105), Some(1.0));
}

#[test]
fn too_few_samples_are_none() {
    let mut seen = series(10, &[(1, 1.0), (2, 1.0)]);
    seen.slide(at(2));
    assert_eq!(seen.aggregate(Aggregate::Mean, 2, at(2)), Some(1.0));
    assert_eq!(seen.aggregate(Aggregate::Mean, 3, at(2)), None);
    assert_eq!(seen.aggregate(Aggregate::Mean, 2, at(11)), None, "one of them is too old by now");
}

#[test]
fn distributions_are_merged_over_the_window() {
    let part = |value, count| Value::from(Distribution::from_counts([(value, count)]));
    let mut seen = Series::new(Duration::from_secs(10), &part(1.0, 1));
    for (second, value, count) in [(0, 9.0, 1_000), (5, 0.1, 98), (8, 2.5, 2)] {
        seen.add(at(second), part(value, count)).unwrap();
    }
    assert_eq!(measure(&mut seen, Aggregate::Count, 10), Some(100.0));
    assert_eq!(measure(&mut seen, Aggregate::P99, 10), Some(2.5));
    assert_eq!(measure(&mut seen, Aggregate::P95, 10), Some(0.1));
    assert_eq!(measure(&mut seen, Aggregate::Rate, 10), Some(10.0));
    assert_eq!(measure(&mut seen, Aggregate::Last, 10), Some(2.5));
    assert_eq!(measure(&mut seen, Aggregate::Max, 17), Some(2.5));
    assert_eq!(measure(&mut seen, Aggregate::Max, 18), None);
    assert_eq!(seen.add(at(18), Value::Number(1.0)), Err(OtherForm));
}

#[test]
fn a_series_is_bounded_and_says_what_it_shed() {
    let mut seen = series(86_400, &[]);
    for second in 0..5_000 {
        seen.add(at(second), Value::Number(second as f64)).unwrap();
    }
    assert_eq!(measure(&mut seen, Aggregate::Count, 5_000), Some(MOST_SAMPLES as f64));
    assert_eq!(measure(&mut seen, Aggregate::Min, 5_000), Some((5_000 - MOST_SAMPLES) as f64));
    assert_eq!(seen.shed(), 5_000 - MOST_SAMPLES as u64);

    let wide = Value::from(Distribution::from_counts((0..10_000).map(|n| (n as f64, 1))));
    let mut seen = Series::new(Duration::from_secs(86_400), &wide);
    (0..10).for_each(|second| seen.add(at(second), wide.clone()).unwrap());
    assert_eq!(measure(&mut seen, Aggregate::Count, 10), Some(60_000.0));
    assert_eq!(seen.shed(), 4);
}

#[test]
fn a_clock_that_goes_back_makes_no_sample_older() {
    let mut seen = series(10, &[(100, 1.0), (50, 2.0)]);
    assert_eq!(measure(&mut seen, Aggregate::Last, 105), Some(2.0));
}

#[test]
fn a_series_is_stored_to_the_last_bit() {
    let mut seen = series(10, &[(0, 0.1 + 0.2), (1, f64::MIN_POSITIVE), (2, 1e-320)]);
    let stored = serde_json::to_string(&seen).unwrap();
    assert_eq!(serde_json::from_str::<Series>(&stored).unwrap(), seen);
    assert!(measure(&mut seen, Aggregate::Max, 2) == Some(0.1 + 0.2));
}
