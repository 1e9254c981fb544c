//! Options as a configuration file writes them, and what is wrong with them.

use std::time::Duration;

use statim::resilience::{
    AdmissionOptions, Backoff, BreakerOptions, BulkheadOptions, Jitter, KeyedRateLimitOptions, Policy,
    PolicyOptions, RateLimitOptions, RetryBudget, RetryOptions, Window,
};

use crate::support::ms;

fn fields(error: &statim::resilience::InvalidOptions) -> Vec<&str> {
    error.faults().iter().map(|fault| fault.field.as_str()).collect()
}

#[test]
fn an_empty_file_is_a_policy_without_parts() {
    let options: PolicyOptions = toml::from_str("").unwrap();
    assert_eq!(options, PolicyOptions::default());
    assert!(options.validate().is_ok());
}

#[test]
fn a_section_without_fields_has_the_defaults() {
    let options: PolicyOptions = toml::from_str("[bulkhead]\n[breaker]\n[retry]").unwrap();
    assert_eq!(options.bulkhead, Some(BulkheadOptions::default()));
    assert_eq!(options.breaker, Some(BreakerOptions::default()));
    assert_eq!(options.retry, Some(RetryOptions::default()));
    assert!(options.validate().is_ok());
}

#[test]
fn everything_can_be_written() {
    let text = r#"
        timeout_seconds = 2
        [rate_limit]
        permits = 100
        per_seconds = 0.5
        burst = 20
        max_wait_seconds = 0
        [bulkhead]
        max_concurrent = 8
        max_wait_seconds = 0.25
        [breaker]
        window = { seconds = 0.3 }
        minimum_calls = 5
        failure_rate = 0.25
        slow_call_seconds = 1.5
        slow_call_rate = 0.75
        open_seconds = 5.0
        open_longest_seconds = 300.0
        open_jitter = "equal"
        probes = 3
        longest_half_open_seconds = 30.0
        [retry]
        attempts = 5
        backoff = { first_seconds = 0.1, longest_seconds = 3, jitter = "none" }
        retry_timeouts = true
        budget = { ratio = 0.2, per_second = 5, burst = 50 }
    "#;
    let options: PolicyOptions = toml::from_str(text).unwrap();
    let expected = PolicyOptions {
        timeout: Some(Duration::from_secs(2)),
        rate_limit: Some(RateLimitOptions {
            permits: 100,
            per: ms(500),
            burst: Some(20),
            max_wait: Duration::ZERO,
        }),
        bulkhead: Some(BulkheadOptions { max_concurrent: 8, max_wait: ms(250) }),
        breaker: Some(BreakerOptions {
            window: Window::Time(ms(300)),
            minimum_calls: Some(5),
            failure_rate: 0.25,
            slow_call: ms(1500),
            slow_call_rate: Some(0.75),
            open: Backoff {
                first: Duration::from_secs(5),
                longest: Duration::from_secs(300),
                jitter: Jitter::Equal,
            },
            probes: 3,
            longest_half_open: Some(Duration::from_secs(30)),
        }),
        retry: Some(RetryOptions {
            attempts: 5,
            backoff: Backoff { first: ms(100), longest: Duration::from_secs(3), jitter: Jitter::None },
            retry_timeouts: true,
            budget: RetryBudget { ratio: 0.2, per_second: 5.0, burst: 50 },
        }),
    };
    assert_eq!(options, expected);
    assert!(options.validate().is_ok());
    let written = toml::to_string(&options).unwrap();
    assert_eq!(toml::from_str::<PolicyOptions>(&written).unwrap(), options, "{written}");
}

#[test]
fn a_preset_fills_what_is_left_out() {
    let options: BreakerOptions = toml::from_str("preset = \"health_sync\"").unwrap();
    assert_eq!(options, BreakerOptions::health_sync());
    let options: BreakerOptions =
        toml::from_str("preset = \"health_sync\"\nopen_seconds = 5\njudge_slow_calls = true").unwrap();
    let expected = BreakerOptions {
        open: Backoff::constant(Duration::from_secs(5)),
        slow_call_rate: Some(1.0),
        ..BreakerOptions::health_sync()
    };
    assert_eq!(options, expected);
    let options: BreakerOptions = toml::from_str("preset = \"health_sync\"\nwindow = { calls = 3 }").unwrap();
    assert_eq!((options.window, options.minimum_calls), (Window::Calls(3), None));
    for options in [BreakerOptions::health_sync(), BreakerOptions::default()] {
        let written = toml::to_string(&options).unwrap();
        assert_eq!(toml::from_str::<BreakerOptions>(&written).unwrap(), options, "{written}");
    }
}

#[test]
fn a_name_that_is_not_known_is_refused() {
    for text in [
        "timeouts = 1",
        "[braker]",
        "[breaker]\nfailure_rat = 0.5",
        "[breaker]\npreset = \"hystrix\"",
        "[breaker]\nwindow = { minutes = 1 }",
        "[rate_limit]\npermit = 1",
        "[bulkhead]\nmax = 1",
        "[retry]\nbackoff = { factor = 2 }",
        "[retry]\nbudget = { share = 1 }",
    ] {
        assert!(toml::from_str::<PolicyOptions>(text).is_err(), "{text}");
    }
    assert!(toml::from_str::<AdmissionOptions>("target_seconds = 1").is_err());
    assert!(toml::from_str::<KeyedRateLimitOptions>("keys = 1").is_err());
}

#[test]
fn every_fault_is_named_at_once() {
    let text = r#"
        timeout_seconds = -1
        [rate_limit]
        per_seconds = nan
        burst = 0
        [bulkhead]
        max_concurrent = 0
        max_wait_seconds = 1e300
        [breaker]
        window = { calls = 10 }
        minimum_calls = 11
        failure_rate = 0.0
        slow_call_rate = 1.5
        slow_call_seconds = 0
        open_seconds = 0
        open_longest_seconds = -3
        probes = 0
        longest_half_open_seconds = inf
        [retry]
        attempts = 0
        backoff = { first_seconds = 2, longest_seconds = 1 }
        budget = { ratio = nan, per_second = -1, burst = 0 }
    "#;
    let options: PolicyOptions = toml::from_str(text).unwrap();
    let error = options.validate().unwrap_err();
    assert_eq!(
        fields(&error),
        [
            "timeout_seconds",
            "rate_limit.permits",
            "rate_limit.per_seconds",
            "rate_limit.burst",
            "bulkhead.max_concurrent",
            "bulkhead.max_wait_seconds",
            "breaker.minimum_calls",
            "breaker.failure_rate",
            "breaker.slow_call_seconds",
            "breaker.slow_call_rate",
            "breaker.open_seconds",
            "breaker.open_longest_seconds",
            "breaker.probes",
            "breaker.longest_half_open_seconds",
            "retry.attempts",
            "retry.backoff.longest_seconds",
            "retry.budget.ratio",
            "retry.budget.per_second",
            "retry.budget.burst",
        ]
    );
    let text = error.to_string();
    assert!(
        text.starts_with(
            "the options have 19 faults\n  timeout_seconds: give a number of seconds from 0.001"
        )
    );
    assert_eq!(Policy::builder("callee").options(options).build().unwrap_err(), error);
}

#[test]
fn admission_and_keyed_limits_are_checked_too() {
    let options: AdmissionOptions = toml::from_str(
        "high_target_seconds = 0\nnormal_target_seconds = 4000\nlow_target_seconds = -1\nclear = 2.0\ninterval_seconds = 0",
    )
    .unwrap();
    assert_eq!(
        fields(&options.validate().unwrap_err()),
        ["high_target_seconds", "normal_target_seconds", "low_target_seconds", "clear", "interval_seconds"]
    );
    let options: AdmissionOptions = toml::from_str("low_target_seconds = 5\nrefuse_high = false").unwrap();
    let expected = AdmissionOptions {
        low_target: Duration::from_secs(5),
        refuse_high: false,
        ..AdmissionOptions::target(ms(20))
    };
    assert_eq!(options, expected);
    assert!(options.validate().is_ok());
    let options: KeyedRateLimitOptions = toml::from_str("max_keys = 0\nrate = { permits = 0 }").unwrap();
    assert_eq!(fields(&options.validate().unwrap_err()), ["rate.permits", "max_keys"]);
}

#[test]
fn the_extremes_that_are_allowed_work() {
    let day = Duration::from_secs(86_400);
    for (permits, per, burst) in [(1, day, 1_000_000), (1_000_000, ms(1), 1_000_000), (1, ms(1), 1)] {
        let options =
            RateLimitOptions { permits, per, burst: Some(burst), max_wait: Duration::from_secs(3600) };
        let environment =
            statim::resilience::Environment::default().time(statim::resilience::Time::manual().0);
        let limiter = statim::resilience::RateLimiter::new("callee", &options, &environment).unwrap();
        let passed = (0..burst).take_while(|_| limiter.check().is_ok()).count();
        assert!(passed >= 1 && passed <= burst as usize);
    }
}
