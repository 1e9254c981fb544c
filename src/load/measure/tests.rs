use super::*;
use crate::load::result::SeriesPoint;
use crate::load::target::{ErrorClass, Outcome};
use crate::message::Priority;

fn second(series: &mut Series, number: u64, latency_ms: u64, point: SeriesPoint) {
    let mut ended = Ended { completed: 10, ..Ended::default() };
    ended.latencies[Priority::Low.lane()].record_n(latency_ms * 1_000_000, 10).unwrap();
    series.push(number, SeriesPoint { second: number as f64, span_seconds: 1.0, ..point }, &ended);
}

#[test]
fn a_long_run_has_coarser_points_and_loses_no_message() {
    let mut series = Series::new(100);
    for number in 0..350 {
        let slow = if number == 348 { 700 } else { 3 };
        let point = SeriesPoint {
            completed: 10,
            offered: 12,
            sent: 12,
            stage: "stage 1".into(),
            ..SeriesPoint::default()
        };
        second(&mut series, number, slow, point);
        assert!(series.slots().len() <= 100);
    }
    let points: Vec<&SeriesPoint> = series.slots().iter().map(|slot| &slot.point).collect();
    assert_eq!(points.len(), 88);
    assert_eq!((points[0].second, points[1].second, points[0].span_seconds), (0.0, 4.0, 4.0));
    assert_eq!(points.iter().map(|it| it.completed).sum::<u64>(), 3_500);
    assert_eq!(points.iter().map(|it| it.span_seconds).sum::<f64>(), 350.0);
    // The last is of two seconds, and half of its messages were slow: quantiles are those of all of them.
    let last = points[87];
    assert_eq!((last.second, last.span_seconds, last.offered), (348.0, 2.0, 24));
    assert!((last.p50.unwrap() - 3.0).abs() < 0.01 && (last.p99.unwrap() - 700.0).abs() < 1.0, "{last:?}");
    assert!((last.p99_by_priority[&Priority::Low] - 700.0).abs() < 1.0);
    let messages: u64 =
        series.slots().iter().flat_map(|slot| &slot.latencies).map(|it| it.unpacked().len()).sum();
    assert_eq!(messages, 3_500);
}

#[test]
fn of_two_seconds_made_one_counts_add_up_and_the_worse_of_the_rest_is_kept() {
    let mut series = Series::new(2);
    let low = |value: f64| [(Priority::Low, value)].into();
    for (number, (shed, cpu, rss, lag, wait, open)) in
        [(1, 10.0, 5, 0.2, 9.0, "a -> b"), (4, 30.0, 3, 0.1, 2.0, "a -> c"), (0, 0.0, 1, 0.0, 0.0, "")]
            .into_iter()
            .enumerate()
    {
        let point = SeriesPoint {
            shed,
            cpu_percent: Some(cpu),
            rss_bytes: Some(rss),
            lag_ms: Some(lag),
            wait_p99_ms: low(wait),
            breakers_open: vec![open.into()],
            warm_up: number == 0,
            in_flight: shed,
            ..SeriesPoint::default()
        };
        second(&mut series, number as u64, 1, point);
    }
    let both = &series.slots()[0].point;
    assert_eq!(
        (both.shed, both.cpu_percent, both.rss_bytes, both.lag_ms),
        (5, Some(20.0), Some(5), Some(0.2))
    );
    assert_eq!((both.wait_p99_ms.clone(), both.in_flight, both.warm_up), (low(9.0), 4, false));
    assert_eq!(both.breakers_open, ["a -> b", "a -> c"]);
}

#[test]
fn sends_of_a_second_that_is_over_are_added_to_it() {
    let mut series = Series::new(10);
    second(&mut series, 0, 1, SeriesPoint::default());
    assert!(series.add_sends(0, 5, 2));
    let point = &series.slots()[0].point;
    assert_eq!((point.offered, point.sent, point.failed), (5, 3, 2));
    assert!(!series.add_sends(1, 5, 2), "that second is not over");
}

#[test]
fn recorders_of_many_threads_lose_nothing_while_they_are_emptied() {
    let recorders = Recorders::new(2);
    let (mut spare, mut done, mut failed) = (Spare::default(), [0; 4], 0);
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let recorders = &recorders;
            scope.spawn(move || {
                for n in 0..5_000 {
                    let outcome =
                        if n % 10 == 0 { Outcome::Failed(ErrorClass::Refused) } else { Outcome::Done };
                    recorders.record(thread as usize, outcome, n, n);
                }
            });
        }
        for _ in 0..50 {
            recorders.take(&mut spare, |place, cell| {
                done[place] += cell.done;
                failed += cell.failed[ErrorClass::Refused as usize];
            });
        }
    });
    recorders.take(&mut spare, |place, cell| {
        done[place] += cell.done;
        failed += cell.failed[ErrorClass::Refused as usize];
    });
    assert_eq!((done, failed), ([4_500; 4], 2_000));
}

#[test]
fn a_latency_beyond_an_hour_is_an_hour() {
    let mut cell = Cell::default();
    cell.record(Outcome::Done, u64::MAX, 5);
    assert!((milliseconds(cell.corrected.max()) - 3_600_000.0).abs() < 3_600.0);
    assert_eq!(cell.uncorrected.max(), 5);
}
