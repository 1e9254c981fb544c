//! The page in a real browser, which installs with `scripts/test`.

use std::fs;

use statim::load::html::{document, page};
use statim_servers::{Browsed, browse};

use crate::sample;

fn open(page: &str) -> Browsed {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.html");
    fs::write(&file, page).expect("written");
    browse(&file).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_browser_opens_the_report_without_a_complaint() {
    let opened = open(&page(&sample::whole()));
    assert!(opened.console.is_empty(), "{:#?}", opened.console);
    assert_eq!(opened.dom.matches("<svg class=\"plot").count(), 14, "every chart is there");
    assert!(opened.dom.contains("href=\"blob:"), "the script offers the JSON as a file");
    assert_eq!(
        opened.dom.matches("<line class=\"cursor\"").count(),
        9,
        "charts over time are read under a pointer"
    );
}

#[test]
fn a_browser_finds_nothing_to_run_in_hostile_texts() {
    let mut result = sample::whole();
    result.title =
        "</title></h1><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
            .into();
    result.series[0].stage = "</script><script>document.title='taken'</script>".into();
    let opened = open(&page(&result));
    assert!(opened.console.is_empty(), "{:#?}", opened.console);
    assert!(!opened.dom.contains("<title>taken"));
    assert!(opened.dom.contains("<title>stress: load test failed</title>"));
}

#[test]
fn the_policy_stops_what_others_write_into_a_document() {
    let opened = open(&document(
        "mine",
        "<h1>x</h1><script>document.title='taken'</script><img src=\"http://example.invalid/x.png\"><style>h1{color:red}</style>",
    ));
    assert!(opened.dom.contains("<title>mine</title>"), "the script did not run");
    for kind in ["script", "image", "style"] {
        let refused =
            opened.console.iter().any(|line| line.contains("Content Security Policy") && line.contains(kind));
        assert!(refused, "{kind}: {:#?}", opened.console);
    }
}

/// What a script of ours says of the page. The page's policy would not let it.
fn asked(page: &str, question: &str) -> String {
    let (head, rest) = page.split_once("<meta http-equiv=\"Content-Security-Policy\"").expect("a policy");
    let (_, rest) = rest.split_once('>').expect("its end");
    let script = format!("<script>document.title = String({question})</script></body>");
    let opened = open(&format!("{head}{}", rest.replace("</body>", &script)));
    let (_, title) = opened.dom.split_once("<title>").expect("a title");
    title[..title.find("</title>").expect("its end")].to_owned()
}

#[test]
fn a_narrow_window_scrolls_tables_and_never_the_page() {
    let mut result = sample::whole();
    let long = "x".repeat(3_000);
    for figures in result.results.by_priority.values_mut() {
        // Dashes in the columns that are beyond the window.
        figures.measured = 0;
    }
    result.title = long.clone();
    result.statim_version = long.clone();
    result.machine.cpu = long.clone();
    result.thresholds[0].expression = long.clone();
    result.thresholds[1].observed = long.clone();
    result.series[50].stage = long.clone();
    result.series[50].breakers_open = vec![long.clone()];
    if let Some(breaking) = &mut result.breaking {
        breaking.why = long.clone();
        breaking.steps[0].why = long;
    }
    for result in [sample::whole(), result, sample::empty(), sample::of_points(2_000)] {
        let wide = asked(
            &page(&result),
            "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        assert_eq!(wide, "0", "pixels beyond the window");
    }
}

#[test]
fn a_pointer_reads_the_figures_of_the_second_under_it() {
    let question = "(() => { \
        const plot = document.getElementById('chart-rates'); \
        const box = plot.getBoundingClientRect(); \
        const at = { clientX: box.left + box.width * 0.5, clientY: box.top + 9 }; \
        plot.dispatchEvent(new PointerEvent('pointermove', at)); \
        return plot.parentElement.querySelector('output').textContent; })()";
    let read = asked(&page(&sample::whole()), question);
    assert_eq!(read, "1:00 · offered 8,000/s · sent 7,960/s · completed 7,600/s · failed 0/s");
}
