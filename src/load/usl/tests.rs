use super::*;

fn law(lambda: f64, alpha: f64, beta: f64, n: f64) -> f64 {
    lambda * n / (1.0 + alpha * (n - 1.0) + beta * n * (n - 1.0))
}

fn points(loads: &[f64], of: impl Fn(f64) -> f64) -> Vec<Point> {
    loads.iter().map(|&concurrency| Point { concurrency, throughput: of(concurrency) }).collect()
}

const LOADS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0];

fn near(got: f64, wanted: f64, part: f64) -> bool {
    (got - wanted).abs() <= part * wanted.abs().max(1e-9)
}

#[test]
fn a_law_without_noise_is_found_again() {
    let usl = fit(&points(&LOADS, |n| law(1000.0, 0.05, 0.002, n))).unwrap();
    assert!(near(usl.lambda, 1000.0, 1e-6), "{usl:?}");
    assert!(near(usl.alpha, 0.05, 1e-5) && near(usl.beta, 0.002, 1e-5), "{usl:?}");
    let at = (0.95_f64 / 0.002).sqrt();
    assert!(near(usl.peak_concurrency.unwrap(), at, 1e-5) && usl.peak_was_measured(), "{usl:?}");
    assert!(near(usl.peak_rate, law(1000.0, 0.05, 0.002, at), 1e-6), "{usl:?}");
    assert!(near(usl.interval[0], usl.interval[1], 1e-6), "no noise, no interval: {usl:?}");
    assert!(usl.r_squared > 0.999_999);
}

#[test]
fn the_largest_concurrencies_lose_no_digits() {
    let loads: Vec<f64> = (0..12).map(|step| 1.8_f64.powi(step) * 20.0).collect();
    let usl = fit(&points(&loads, |n| law(40.0, 0.001, 3e-8, n))).unwrap();
    assert!(near(usl.lambda, 40.0, 1e-3) && near(usl.beta, 3e-8, 1e-2), "{usl:?}");
}

#[test]
fn contention_without_coherency_has_a_ceiling_and_no_peak() {
    let usl = fit(&points(&LOADS, |n| law(100.0, 0.2, 0.0, n))).unwrap();
    assert!(usl.beta < 1e-9 && usl.peak_concurrency.is_none() && !usl.peak_was_measured(), "{usl:?}");
    // Not λ/α = 500, which is reached nowhere: what it is at twice the highest load.
    assert!(near(usl.peak_rate, law(100.0, 0.2, 0.0, 96.0), 1e-6), "{usl:?}");
}

#[test]
fn a_queue_of_one_server_is_half_contention() {
    // M/M/1: N = ρ / (1 − ρ), so X = μ N / (1 + N).
    let loads = [0.2, 0.5, 1.0, 2.0, 4.0, 9.0, 19.0, 60.0];
    let usl = fit(&points(&loads, |n| 500.0 * n / (1.0 + n))).unwrap();
    assert!(near(usl.alpha, 0.5, 1e-6) && near(usl.lambda, 250.0, 1e-6) && usl.beta < 1e-9, "{usl:?}");
}

#[test]
fn throughput_above_linear_is_not_called_negative_contention() {
    let usl = fit(&points(&LOADS, |n| 10.0 * n.powf(1.05))).unwrap();
    assert!(usl.alpha >= 0.0 && usl.beta >= 0.0, "{usl:?}");
}

#[test]
fn the_interval_covers_the_truth_nearly_as_often_as_it_says() {
    let (lambda, alpha, beta) = (200.0, 0.04, 0.003);
    let truth = law(lambda, alpha, beta, ((1.0 - alpha) / beta).sqrt());
    let mut chance = StdRng::seed_from_u64(7);
    let mut covered = 0;
    let mut width = 0.0;
    for _ in 0..24 {
        let noisy = points(&LOADS, |n| law(lambda, alpha, beta, n)).into_iter().map(|point| {
            // The sum of twelve is nearly normal.
            let noise: f64 = (0..12).map(|_| chance.random_range(-0.5..0.5)).sum();
            Point { throughput: point.throughput + 30.0 * noise, ..point }
        });
        let usl = fit(&noisy.collect::<Vec<_>>()).unwrap();
        covered += usize::from(usl.interval[0] <= truth && truth <= usl.interval[1]);
        width += (usl.interval[1] - usl.interval[0]) / truth / 24.0;
    }
    assert!(covered >= 19, "{covered} of 24");
    // Nor is it so wide that it says nothing.
    assert!((0.005..0.3).contains(&width), "{width}");
}

#[test]
fn five_levels_are_too_few_and_one_level_with_noise_is_too_narrow() {
    let few = points(&LOADS[..5], |n| law(10.0, 0.1, 0.001, n));
    assert_eq!(fit(&few), Err(UslError::TooFewPoints { have: 5 }));
    let one = points(&[10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0], |n| 100.0 + n);
    assert!(matches!(fit(&one), Err(UslError::TooNarrow { ratio }) if near(ratio, 1.6, 1e-9)));
    assert!(fit(&points(&[1.0, 1.2, 1.5, 1.9, 2.4, 3.0], |n| law(10.0, 0.1, 0.001, n))).is_ok());
}

#[test]
fn points_that_follow_no_law_are_refused() {
    let zigzag = points(&LOADS, |n| if (n as u64).is_multiple_of(8) { 900.0 } else { 100.0 });
    let refused = fit(&zigzag).unwrap_err();
    assert!(matches!(refused, UslError::PoorFit { .. }), "{refused}");
    assert!(refused.to_string().contains("below 90 %"), "{refused}");
    let flat = points(&LOADS, |_| 100.0);
    assert!(matches!(fit(&flat), Err(UslError::PoorFit { .. })));
}

#[test]
fn what_is_no_number_is_left_out_and_breaks_nothing() {
    let mut all = points(&LOADS, |n| law(1000.0, 0.05, 0.002, n));
    let wanted = fit(&all).unwrap();
    for bad in [f64::NAN, f64::INFINITY, -1.0, 0.0, f64::MAX] {
        all.insert(3, Point { concurrency: bad, throughput: 5.0 });
        all.insert(0, Point { concurrency: 5.0, throughput: bad });
    }
    assert_eq!(fit(&all).unwrap(), wanted);
    let huge = points(&[1e14, 2e14, 3e14, 4e14, 5e14, 9e14], |n| n);
    let _ = fit(&huge);
    let tiny = points(&[1e-8, 2e-8, 3e-8, 4e-8, 5e-8, 9e-8], |n| 1e14 * n);
    let _ = fit(&tiny);
    let crowd: Vec<_> = (1..20_000)
        .map(|n| Point { concurrency: f64::from(n), throughput: law(10.0, 0.01, 1e-6, f64::from(n)) })
        .collect();
    assert!(fit(&crowd).unwrap().points <= 512);
}

mod curves {
    use crate::load::result::SeriesPoint;
    use crate::load::usl::{Point, curve};

    fn second(stage: &str, offered: u64, in_flight: u64) -> SeriesPoint {
        SeriesPoint {
            span_seconds: 1.0,
            stage: stage.to_owned(),
            offered,
            completed: offered,
            in_flight,
            p50: Some(2.0),
            ..SeriesPoint::default()
        }
    }

    #[test]
    fn each_load_that_was_held_is_a_point_and_what_comes_after_is_none() {
        let mut series = vec![SeriesPoint { warm_up: true, ..second("stage 1", 500, 9) }];
        // The first fifth is on the way there.
        series.push(second("step 1", 1000, 400));
        series.extend(std::iter::repeat_n(second("step 1", 1000, 20), 4));
        series.extend(std::iter::repeat_n(second("step 2", 2000, 60), 5));
        series.push(second("cool-down", 100, 9));
        series.push(second("drain", 0, 9));
        let wanted = [(20.0, 1000.0), (60.0, 2000.0)];
        assert_eq!(curve(&series), wanted.map(|(concurrency, throughput)| Point { concurrency, throughput }));
    }

    #[test]
    fn where_hardly_anything_is_under_way_littles_law_counts() {
        // 100 a second of 2 ms each are 0.2 at a time, whatever the ends of the seconds showed.
        let series: Vec<_> = (0..10).map(|it| second("step 1", 100, it % 2)).collect();
        let [point] = curve(&series)[..] else { panic!("one load is one point") };
        assert!((point.concurrency - 0.2).abs() < 1e-9, "{point:?}");
        assert!(curve(&[SeriesPoint { p50: None, ..second("step 1", 100, 0) }]).is_empty());
        assert!(curve(&[SeriesPoint { span_seconds: f64::NAN, ..second("step 1", 100, 0) }]).is_empty());
    }

    #[test]
    fn random_arrivals_do_not_make_many_loads_of_one() {
        let series: Vec<_> = [36, 47, 40, 31, 44, 38, 52, 35, 40].map(|it| second("stage 1", it, 9)).into();
        assert_eq!(curve(&series).len(), 1);
    }

    #[test]
    fn a_ramp_is_as_many_points_as_it_has_loads() {
        let series: Vec<_> = (1..=10).map(|it| second("stage 1", it * 100, it * 30)).collect();
        assert_eq!(curve(&series).len(), 10);
    }
}
