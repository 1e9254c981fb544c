use proptest::prelude::*;

use super::sample;
use crate::load::*;

fn evaluate(expression: &str) -> ThresholdResult {
    let result = sample::result();
    Threshold::parse(expression).unwrap().evaluate(&result)
}

#[test]
fn every_figure_comparison_and_unit_is_understood() {
    for (expression, passed) in [
        ("p50 < 2ms", true),
        ("p50 < 1300us", false),
        ("p50 <= 1300us", true),
        ("p50>=1.3ms", true),
        ("p50 > 1_300_000 ns", false),
        ("  p50<0.0014s  ", true),
        ("p99{priority=critical} < 1min", true),
        ("p99{ kind = patient_consent , priority = critical } < 50ms", true),
        ("max < 1s", true),
        ("avg < 1.9ms", true),
        ("error_rate < 100%", true),
        ("throughput > 100/s", true),
        ("dropped_sends < 1", false),
        ("max_rss < 1GB", false),
        ("max_rss < 2GiB", true),
        ("generator_lag_p50 < 20us", true),
        ("generator_lag_p99 < 10ms", true),
        ("generator_lag_max < 3ms", false),
    ] {
        let evaluated = evaluate(expression);
        assert_eq!(evaluated.passed, passed, "{evaluated:?}");
        assert_eq!(evaluated.expression, expression.trim());
        assert!(evaluated.observed.chars().next().unwrap().is_ascii_digit(), "{evaluated:?}");
    }
}

#[test]
fn where_nothing_was_measured_a_threshold_has_not_held_whatever_it_asks_for() {
    let mut nothing = sample::result();
    nothing.results = Results::default();
    nothing.series.clear();
    nothing.generator = GeneratorResult::default();
    for expression in [
        "p99 < 1s",
        "p99 > 0s",
        "error_rate < 50%",
        "throughput < 1/s",
        "max_rss < 1GB",
        "generator_lag_p99 < 1s",
    ] {
        let evaluated = Threshold::parse(expression).unwrap().evaluate(&nothing);
        assert_eq!((evaluated.passed, evaluated.observed.as_str()), (false, "no data"), "{expression}");
    }
    let nobody = evaluate("p99{kind=nobody} < 1s");
    assert_eq!((nobody.passed, nobody.observed.as_str()), (false, "no data"));
}

#[test]
fn a_figure_that_is_no_number_is_no_data() {
    let mut result = sample::result();
    result.results.all.percentiles.p99 = f64::NAN;
    result.results.all.error_rate = f64::INFINITY;
    for expression in ["p99 < 1s", "p99 > 1s", "error_rate > 1%"] {
        let evaluated = Threshold::parse(expression).unwrap().evaluate(&result);
        assert_eq!((evaluated.passed, evaluated.observed.as_str()), (false, "no data"), "{expression}");
    }
}

#[test]
fn an_error_says_where_and_what_may_stand_there() {
    for (expression, position, part) in [
        ("", 1, "there are p50, p90"),
        ("p98 < 5ms", 1, "`p98` is no figure"),
        ("p99 ! 5ms", 5, "expected `<`, `<=`, `>` or `>=`"),
        ("p99 < 5", 8, "`` is no unit of this figure; there are ns, us"),
        ("p99 < 5%", 8, "there are ns, us"),
        ("p99 < fast", 7, "expected a number"),
        ("p99 < 1.2.3ms", 7, "expected a number"),
        ("p99 < 5ms or so", 11, "nothing may follow"),
        ("p99{priority=urgent} < 5ms", 14, "there are critical, high, normal, low"),
        ("p99{priority=low,priority=high} < 5ms", 18, "each once"),
        ("p99{colour=red} < 5ms", 5, "`kind=` or `priority=`"),
        ("p99{kind} < 5ms", 9, "expected `=`"),
        ("p99{kind=} < 5ms", 10, "name of a kind"),
        ("p99{kind=a < 5ms", 12, "expected `,` or `}`"),
        ("max_rss{kind=a} < 5MB", 8, "takes no braces"),
        ("dropped_sends < 1ms", 18, "has no unit"),
        ("error_rate < 1", 15, "there are %"),
        ("µs < 1", 1, "is no figure"),
    ] {
        let error = Threshold::parse(expression).unwrap_err();
        assert_eq!(error.position, position, "{error}");
        assert!(error.fault.contains(part), "{error}");
    }
    let long = "p99 < 5ms".repeat(1_000);
    let error = Threshold::parse(&long).unwrap_err();
    assert!(error.to_string().len() < 500 && error.fault.contains("longer than 300"), "{error}");
}

proptest! {
    #[test]
    fn any_text_is_a_threshold_or_an_error(text in "\\PC{0,40}", tail in "[a-z0-9{}=,<>%. ]{0,30}") {
        let _ = Threshold::parse(&text);
        let _ = Threshold::parse(&format!("p99{tail}"));
    }

    #[test]
    fn what_is_written_is_read_back(value in 0.0..1e9_f64) {
        let threshold = Threshold::parse(&format!("p99 < {value}ms")).unwrap();
        let json = serde_json::to_string(&threshold).unwrap();
        prop_assert_eq!(serde_json::from_str::<Threshold>(&json).unwrap(), threshold);
    }
}
