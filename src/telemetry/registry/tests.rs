//! The embedder's metrics within bounds.

use std::time::Duration;

use super::*;
use crate::telemetry::exposition::{Format, render};

fn text(registry: &Registry) -> String {
    render(registry.reading().samples(), Format::OpenMetrics)
}

#[test]
fn what_is_recorded_is_exposed_with_its_unit() {
    let registry = Registry::default();
    registry.record("import_batch", 300.0, Unit::Bytes, &[("source", "a")]).unwrap();
    registry.record("import_batch_bytes", 2000.0, Unit::Bytes, &[("source", "a")]).unwrap();
    registry.count("import_files", 2, &[]).unwrap();
    registry.count("import_files_total", 3, &[]).unwrap();
    registry.set("backlog", -4.5, Unit::Count, &[("b", "2"), ("a", "1")]).unwrap();
    registry.set("backlog", 1.5, Unit::Count, &[("a", "1"), ("b", "2")]).unwrap();
    let text = text(&registry);
    for line in [
        "import_batch_bytes_bucket{source=\"a\",le=\"1024.0\"} 1",
        "import_batch_bytes_count{source=\"a\"} 2.0",
        "import_files_total 5.0",
        "backlog{a=\"1\",b=\"2\"} 1.5",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    assert_eq!(registry.refused(), 0);
}

#[test]
fn a_timing_records_when_it_is_dropped_and_not_when_it_is_discarded() {
    let registry = Registry::default();
    let first = registry.time("parse", &[]).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    assert!(first.stop() >= Duration::from_millis(20));
    drop(registry.time("parse", &[]).unwrap());
    registry.time("parse", &[]).unwrap().discard();
    let text = text(&registry);
    assert!(text.contains("parse_seconds_count 2.0"), "{text}");
    assert!(text.contains("parse_seconds_bucket{le=\"0.01\"} 1\n"), "{text}");
}

#[test]
fn beyond_the_bound_new_series_are_refused_and_counted_and_the_old_go_on() {
    let registry = Registry::new(RegistryOptions { series: 10, ..RegistryOptions::default() });
    let refused =
        (0..100).filter(|it| registry.count("hits", 1, &[("page", &it.to_string())]).is_err()).count();
    assert_eq!((refused, registry.refused()), (90, 90));
    assert_eq!(registry.count("hits", 1, &[("page", "200")]), Err(RecordError::TooManySeries { most: 10 }));
    registry.count("hits", 1, &[("page", "3")]).unwrap();
    assert!(text(&registry).contains("hits_total{page=\"3\"} 2.0"));
}

#[test]
fn what_would_spoil_a_scrape_is_refused() {
    let registry = Registry::default();
    let long = "x".repeat(101);
    for name in ["", "9a", "a b", "a\n", "é", "statim_agents_alive", "a_bucket", "a_count", "a_total", &long]
    {
        assert_eq!(registry.record(name, 1.0, Unit::Count, &[]), Err(RecordError::Name), "{name}");
    }
    for tags in [
        &[("le", "1")][..],
        &[("__name__", "x")],
        &[("a b", "x")],
        &[("a", "1"), ("a", "2")],
        &[("a", &long)],
    ] {
        assert_eq!(registry.record("a", 1.0, Unit::Count, tags), Err(RecordError::Tag), "{tags:?}");
    }
    let many: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].map(|tag| (tag, "x")).into();
    assert_eq!(registry.count("a", 1, &many), Err(RecordError::TooManyTags { most: 8 }));
    for value in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
        assert_eq!(registry.record("a", value, Unit::Seconds, &[]), Err(RecordError::NotANumber), "{value}");
    }
    assert_eq!(registry.set("g", f64::NAN, Unit::Count, &[]), Err(RecordError::NotANumber));
    registry.set("level", 1.0, Unit::Count, &[("a", "1")]).unwrap();
    assert_eq!(registry.record("level", 1.0, Unit::Count, &[("a", "2")]), Err(RecordError::OtherType));
}
