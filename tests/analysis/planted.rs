//! What was planted is named, and named first; where nothing was planted nothing is named.

use statim::analysis::{Analysis, BottleneckKind};

use crate::deployment::{Plant, analysed};

/// The first bottleneck and the first recommendation are of this kind and resource.
fn names_first(plant: Plant, kind: BottleneckKind, resource: &str) -> Analysis {
    let analysis = analysed(plant);
    let found: Vec<_> = analysis.bottlenecks.iter().map(|it| (it.kind, it.resource.as_str())).collect();
    assert_eq!(found.first(), Some(&(kind, resource)), "{found:?}");
    assert_eq!(analysis.recommendations[0].resource, resource);
    assert!(analysis.recommendations[0].gain.high > 0.0);
    assert!(!analysis.verdict.healthy && analysis.verdict.headline.contains(resource));
    let markdown = analysis.markdown();
    assert!(markdown.contains(&format!("### 1. `{resource}`")), "{markdown}");
    analysis
}

#[test]
fn a_slow_agent_that_others_wait_for_is_named_before_them() {
    let analysis = names_first(Plant::SlowAgent, BottleneckKind::Agent, "matcher");
    assert!(analysis.bottlenecks.iter().all(|it| it.resource != "intake"), "{:?}", analysis.bottlenecks);
}

#[test]
fn a_pool_with_too_few_connections_is_named() {
    names_first(Plant::SmallPool, BottleneckKind::Pool, "records");
}

#[test]
fn a_turn_to_write_that_is_held_long_is_named() {
    names_first(Plant::LongTransactions, BottleneckKind::WriteTurn, "records");
}

#[test]
fn a_cache_that_misses_is_named() {
    names_first(Plant::MissingCache, BottleneckKind::Cache, "query cache");
}

#[test]
fn a_handler_that_blocks_its_neighbours_is_named() {
    names_first(Plant::BlockingHandler, BottleneckKind::HeldThread, "archive");
}

#[test]
fn a_dependency_behind_an_open_breaker_is_named() {
    names_first(Plant::FailingDependency, BottleneckKind::Breaker, "registry");
}

#[test]
fn a_mailbox_too_small_for_bursts_is_named() {
    names_first(Plant::SmallMailbox, BottleneckKind::Mailbox, "recorder");
}

#[test]
fn where_nothing_is_wrong_nothing_is_named() {
    let analysis = analysed(Plant::Nothing);
    assert!(analysis.bottlenecks.is_empty(), "{:?}", analysis.bottlenecks);
    assert!(analysis.verdict.healthy && analysis.verdict.headline.starts_with("No bottleneck found."));
    assert!(analysis.headroom[0].times > 1.0, "{:?}", analysis.headroom);
}
