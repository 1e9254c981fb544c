use super::made::*;
use crate::analysis::evidence::*;
use crate::analysis::{Analysis, analyse};
use crate::load::usl::Point;

fn pool_too_small() -> Analysis {
    let system = SystemEvidence {
        cpu: Some(0.3),
        cpu_cores: Some(2.0),
        cpu_seconds: Some(60.0),
        memory_bytes: Some(300 << 20),
        memory_limit_bytes: Some(1 << 30),
        ..SystemEvidence::default()
    };
    let evidence = with_store(
        of([busy("ingestion", 0.95), busy("consent", 0.2)]),
        StoreEvidence { connections: 1, pool: waits(9_000, 0.008), timeouts: 2, ..store() },
    );
    analyse(&Evidence { system: Some(system), ..evidence })
}

#[test]
fn the_report_has_its_parts_in_order_and_names_the_bottleneck_first() {
    let markdown = pool_too_small().markdown();
    let headings: Vec<_> = markdown.lines().filter(|it| it.starts_with("## ")).collect();
    let wanted = [
        "## Summary",
        "## Response times",
        "## Resources",
        "## Bottlenecks",
        "## Recommendations",
        "## Capacity",
        "## Not judged",
    ];
    assert_eq!(headings, wanted);
    assert!(markdown.contains("The first bottleneck is `store`."), "{markdown}");
    assert!(markdown.contains("### 1. `store`: pool"));
    assert!(markdown.contains("1. Raise the most connections of `store` from 1 to about"));
    assert!(markdown.contains("| `ingestion` | normal | 9,500 |"), "{markdown}");
    assert!(markdown.contains("| Memory | 300 MiB | 1 GiB | 29 % |"), "{markdown}");
    assert!(markdown.contains("was not fitted: no curve"), "{markdown}");
}

#[test]
fn every_row_of_a_table_has_as_many_cells_as_its_head() {
    let markdown = pool_too_small().markdown();
    let mut columns = None;
    for line in markdown.lines() {
        columns = line.starts_with('|').then(|| {
            let cells = line.replace("\\|", "").matches('|').count();
            assert!(columns.is_none_or(|it| it == cells), "{line}");
            cells
        });
    }
}

#[test]
fn the_page_says_the_same_and_needs_no_network() {
    let analysis = pool_too_small();
    let html = analysis.html();
    assert!(html.starts_with("<!doctype html>") && html.contains("Performance analysis: a test"));
    assert!(html.contains("<h3>1. <code>store</code>: pool</h3>"), "{html}");
    assert!(!html.contains("http") && !html.contains("src="), "nothing is loaded");
    assert_eq!(html.matches("<table>").count(), analysis.markdown().matches("\n| -").count());
}

#[test]
fn the_forecast_tells_its_interval_and_where_it_was_measured() {
    let curve = |n: f64| Point {
        concurrency: n,
        throughput: 1000.0 * n / (1.0 + 0.05 * (n - 1.0) + 0.002 * n * (n - 1.0)),
    };
    let of_curve = |loads: &[f64]| {
        let evidence =
            Evidence { curve: loads.iter().map(|n| curve(*n)).collect(), ..of([busy("worker", 0.4)]) };
        analyse(&evidence).forecast
    };
    let seen = of_curve(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]);
    assert!(
        seen.sentences[1].contains("95 % interval") && seen.sentences[1].contains("peaks at"),
        "{seen:?}"
    );
    let unseen = of_curve(&[1.0, 2.0, 4.0, 8.0, 12.0, 16.0]);
    assert!(unseen.sentences[1].contains("was not seen"), "{unseen:?}");
    let few = of_curve(&[1.0, 2.0, 4.0]);
    assert!(few.law.is_none() && few.refused.as_deref().unwrap().contains("3 usable load levels"), "{few:?}");
    let bound = few.bound.unwrap();
    assert!((bound.most - 100.0).abs() < 1e-9 && (bound.rate - 40.0).abs() < 1e-9, "{bound:?}");
}
