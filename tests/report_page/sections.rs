//! What is on the page.

use statim::load::html::{document, page};

use crate::markup::{charts, elements, embedded, without_contents};
use crate::sample;

const SECTIONS: [&str; 14] = [
    "thresholds",
    "targets",
    "load",
    "response",
    "queues",
    "events",
    "resources",
    "saturation",
    "errors",
    "generator",
    "baseline",
    "agents",
    "machine",
    "raw",
];

const CHARTS: [&str; 14] = [
    "chart-rates",
    "chart-in-flight",
    "chart-latency",
    "chart-spectrum",
    "chart-latency-priority",
    "chart-depth",
    "chart-wait",
    "chart-events",
    "chart-cpu",
    "chart-memory",
    "chart-saturation",
    "chart-saturation-latency",
    "chart-law",
    "chart-lag",
];

fn has(page: &str, what: &str) -> bool {
    page.contains(what)
}

#[test]
fn a_whole_result_has_every_section_and_every_chart() {
    let page = page(&sample::whole());
    for id in SECTIONS {
        assert!(has(&page, &format!("<section id=\"{id}\"")), "no section {id}");
        assert!(has(&page, &format!("<a href=\"#{id}\"")), "no link to {id}");
    }
    for id in CHARTS {
        assert!(has(&page, &format!("id=\"{id}\"")), "no chart {id}");
    }
}

#[test]
fn an_empty_result_leaves_out_what_it_has_not() {
    let page = page(&sample::empty());
    elements(&page);
    for id in [
        "thresholds",
        "targets",
        "load",
        "response",
        "queues",
        "resources",
        "saturation",
        "errors",
        "baseline",
        "agents",
    ] {
        assert!(!has(&page, &format!("<section id=\"{id}\"")), "a section {id} of nothing");
    }
    assert!(charts(&page).is_empty());
    assert!(has(&page, "not measured"));
    assert!(has(&page, "No thresholds were set."));
}

#[test]
fn every_tag_is_closed_and_every_chart_is_xml() {
    let page = page(&sample::whole());
    let names = elements(&page);
    assert!(names.len() > 500, "{}", names.len());
    assert_eq!(charts(&page).len(), CHARTS.len());
}

#[test]
fn headings_go_down_one_step_at_a_time() {
    let page = page(&sample::whole());
    let levels: Vec<u32> =
        elements(&page).iter().filter_map(|name| name.strip_prefix('h')?.parse().ok()).collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{levels:?}");
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
}

#[test]
fn a_chart_can_be_read_without_seeing_it_and_says_its_units() {
    for chart in charts(&page(&sample::whole())) {
        let head = &chart[..chart.find('>').expect("a tag")];
        assert!(head.contains("role=\"img\"") && head.contains("aria-labelledby"), "{head}");
        assert!(chart.contains("<title id=") && chart.contains("<desc id="), "{head}");
        let units = ["messages", ">ms<", "m:ss", "percentile", "/s<", "one core", "resident"];
        assert!(units.iter().any(|unit| chart.contains(unit)), "{head}");
    }
}

#[test]
fn heads_of_tables_say_what_they_head() {
    let page = page(&sample::whole());
    let heads = page.matches("<th ").count() + page.matches("<th>").count();
    assert!(heads > 50, "{heads}");
    assert_eq!(heads, page.matches("scope=\"col\"").count() + page.matches("scope=\"row\"").count());
}

#[test]
fn the_verdict_is_in_words_and_names_what_was_missed() {
    let mut result = sample::whole();
    let failed = page(&result);
    assert!(has(&failed, "Failed") && has(&failed, "1 of 2 thresholds missed"));
    assert!(has(&failed, "error_rate &lt; 10%"));
    result.passed = true;
    result.thresholds.remove(1);
    let passed = page(&result);
    assert!(has(&passed, "Passed") && has(&passed, "Its threshold held."));
    result.thresholds[0].passed = false;
    result.passed = false;
    assert!(has(&page(&result), "Its threshold was missed: "));
    result.generator.passed = false;
    result.interrupted = true;
    let stopped = page(&result);
    assert!(has(&stopped, "did not keep up") && has(&stopped, "ended before its time"));
}

#[test]
fn figures_are_those_of_the_result() {
    let page = page(&sample::whole());
    for figure in [
        "9.75\u{202f}ms",
        "561,900",
        "50,323",
        "26.9",
        "5,268/s",
        "10,240/s",
        "9,400/s",
        "λ 2,100/s",
        "25.3\u{202f}GB",
        "+20.4\u{202f}%",
        "±15\u{202f}%",
        "7,204/s offered",
        "133,333",
        "rustc 1.95.0",
        "2026-11-21 14:03:12 UTC",
    ] {
        assert!(has(&page, figure), "{figure}");
    }
    // Two instances, busy for 60 s of 120.
    assert!(has(&page, "<td class=\"n\">25</td>"), "how busy the agent was");
}

#[test]
fn what_happened_is_told_in_words_too() {
    let page = page(&sample::whole());
    // Forty seconds of steps 5 and 6, of one second each.
    for told in [
        "Shed: 22,800 messages.",
        "Refused: 7,640 messages.",
        "Restarts: 1 in all.",
        "Breaker ingestion -&gt; deduplication: not closed for 40\u{202f}s.",
    ] {
        assert!(has(&page, told), "{told}");
    }
}

#[test]
fn met_missed_and_not_measured_are_three_things() {
    let page = page(&sample::whole());
    let (_, targets) = page.split_once("<section id=\"targets\"").expect("targets");
    let targets = &targets[..targets.find("</section>").expect("its end")];
    assert!(targets.contains("1 met, 1 missed, 1 that this run does not measure"));
    for state in ["state good", "state bad", "state soft"] {
        assert_eq!(targets.matches(state).count(), 1, "{state}");
    }
}

#[test]
fn the_result_is_inside_the_page_and_comes_out_as_it_went_in() {
    let result = sample::whole();
    assert_eq!(embedded(&page(&result)), serde_json::to_value(&result).expect("JSON"));
}

#[test]
fn nothing_is_fetched_and_nothing_else_may_run() {
    let page = page(&sample::whole());
    assert!(has(&page, "default-src 'none'; style-src 'sha256-"), "its policy");
    assert!(!has(&page, "unsafe"));
    let quiet = page.replace("http://www.w3.org/2000/svg", "");
    for address in ["http://", "https://", "//cdn", "@import", "url(", " src=", "<img", "<link", "<iframe"] {
        assert!(!quiet.contains(address), "{address}");
    }
    // A style of an element would need a policy that allows all of them.
    assert!(!without_contents(&page, "style").contains(" style="));
}

#[test]
fn a_document_of_ones_own_has_the_same_frame() {
    let page = document("A <report>", "<h1>Findings</h1><p>One.</p>");
    elements(&page);
    assert!(has(&page, "<title>A &lt;report&gt;</title>"));
    assert!(has(&page, "<main><h1>Findings</h1><p>One.</p></main>"));
    assert!(has(&page, "default-src 'none'"));
}
