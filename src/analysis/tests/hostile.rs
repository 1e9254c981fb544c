use super::made::*;
use crate::analysis::evidence::*;
use crate::analysis::{EvidenceError, analyse};
use crate::load::usl::Point;
use crate::mailbox::Reason;

const STRANGE: [f64; 7] =
    [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, f64::MAX, f64::MIN_POSITIVE];

/// Analyses and writes it; no number in it is none.
fn survives(evidence: &Evidence) {
    let analysis = analyse(evidence);
    assert!(!analysis.markdown().contains("NaN") && !analysis.html().contains("NaN"));
    for found in &analysis.bottlenecks {
        assert!(found.weight.is_finite() && found.gain.low <= found.gain.high, "{found:?}");
        assert!(found.gain.high.is_finite(), "{found:?}");
    }
    assert!(serde_json::to_string(&analysis).is_ok());
}

#[test]
fn numbers_that_are_none_break_nothing() {
    for strange in STRANGE {
        let mut agent = busy("worker", 0.9);
        agent.busy_seconds = strange;
        let lane = agent.lanes.values_mut().next().unwrap();
        lane.wait.mean = strange;
        lane.service = Times { mean: strange, p50: strange, p99: strange, max: strange };
        survives(&of([agent.clone(), busy("other", 0.95)]));
        let mut evidence = with_store(
            of([agent, busy("other", 0.95)]),
            StoreEvidence {
                pool: Waits { count: u64::MAX, seconds: strange, times: Times::default() },
                turns: Waits { count: 100, seconds: strange, times: Times::default() },
                statement_seconds: strange,
                timeouts: u64::MAX,
                connections: 0,
                ..store()
            },
        );
        evidence.cache = Some(CacheEvidence {
            queries: 200,
            loads: u64::MAX,
            load_seconds: strange,
            ..CacheEvidence::default()
        });
        evidence.system = Some(SystemEvidence {
            cpu: Some(strange),
            cpu_cores: Some(strange),
            cpu_seconds: Some(strange),
            throttled: Some(strange),
            memory_bytes: Some(u64::MAX),
            memory_limit_bytes: Some(1),
            memory_pressure: Some(strange),
            io_pressure: Some(strange),
            oom_kills: u64::MAX,
            ..SystemEvidence::default()
        });
        evidence.curve = vec![Point { concurrency: strange, throughput: strange }; 20];
        survives(&evidence);
        evidence.seconds = strange;
        survives(&evidence);
    }
}

#[test]
fn nothing_at_all_is_nothing_found() {
    let analysis = analyse(&Evidence::default());
    assert!(analysis.bottlenecks.is_empty());
    assert!(analysis.verdict.headline.starts_with("Nothing was measured"), "{}", analysis.verdict.headline);
    survives(&Evidence::default());
}

#[test]
fn the_largest_counts_overflow_nothing() {
    let mut agent = busy("worker", 0.9);
    (agent.handled, agent.failed, agent.queued, agent.instances) = (u64::MAX, u64::MAX, u64::MAX, usize::MAX);
    agent.dropped = Reason::ALL.map(|reason| (reason, u64::MAX)).into();
    agent.lanes.values_mut().for_each(|lane| lane.count = u64::MAX);
    let link = LinkEvidence {
        from: "worker".to_owned(),
        to: "worker".to_owned(),
        offered: 1_000,
        passed: u64::MAX,
        circuit_open: u64::MAX,
        limited: u64::MAX,
        failed: u64::MAX,
        breaker: None,
        opened: u64::MAX,
        retries: u64::MAX,
    };
    survives(&Evidence { links: vec![link], ..of([agent.clone(), agent]) });
}

#[test]
fn a_thousand_agents_are_a_table_of_some() {
    let agents = (0..1_000).map(|number| busy(&format!("agent {number}"), 0.3));
    let markdown = analyse(&of(agents)).markdown();
    assert!(markdown.contains("… and 960 more."), "{markdown}");
}

#[test]
fn a_name_is_text_whatever_is_in_it() {
    let name =
        "x` | <script>alert(1)</script>\n# [a](javascript:b) **\u{202e}".to_owned() + &"y".repeat(10_000);
    let evidence = of([busy(&name, 0.95)]);
    let analysis = analyse(&evidence);
    let (markdown, html) = (analysis.markdown(), analysis.html());
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;"), "{html}");
    assert!(!markdown.contains('\u{202e}') && !markdown.contains("\n# [a]"));
    assert!(markdown.lines().all(|line| line.chars().count() < 5_000));
    // In code Markdown takes no mark-up, and a table's bars stay its own.
    let row = markdown.lines().find(|line| line.starts_with("| `x'")).unwrap();
    assert_eq!(row.replace("\\|", "").matches('|').count(), 9, "{row}");
}

#[test]
fn json_that_is_neither_is_refused_with_what_it_should_be() {
    for text in ["", "{", "[]", "null", "{}", "{\"agents\": []}", "\u{0}"] {
        assert!(Evidence::read(text.as_bytes()).is_err(), "{text}");
    }
    let deep = "[".repeat(100_000);
    assert!(matches!(Evidence::read(deep.as_bytes()), Err(EvidenceError::NotJson(_))));
    let neither = Evidence::read(b"{}").unwrap_err().to_string();
    assert!(neither.contains("result.json") && neither.contains("/snapshot"), "{neither}");
    let damaged = Evidence::read(br#"{"runtime": {"uptime_seconds": 1.0, "agents": 5, "dead_letters": 0}}"#);
    assert!(matches!(damaged, Err(EvidenceError::Snapshot(_))), "{damaged:?}");
    assert!(matches!(Evidence::read(br#"{"results": 5}"#), Err(EvidenceError::Result(_))));
    let runtime = br#"{"runtime": {"uptime_seconds": 1.0, "agents": [], "dead_letters": 0}, "system": 5, "store": [1], "cache": "x", "summary": {"seconds": -1}}"#;
    let evidence = Evidence::read(runtime).unwrap();
    assert_eq!(evidence.gaps.len(), 3, "{:?}", evidence.gaps);
    survives(&evidence);
}
