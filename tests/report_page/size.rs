//! How large a page gets.

use statim::load::html::page;

use crate::markup::{charts, elements, embedded};
use crate::sample;

const MOST: usize = 2_000_000;

#[test]
fn an_hour_by_the_second_is_a_page_below_two_megabytes() {
    let result = sample::of_points(3_600);
    let page = page(&result);
    elements(&page);
    assert!(page.len() < MOST, "{} bytes", page.len());
    let drawn: usize = charts(&page).iter().map(|chart| chart.len()).sum();
    assert!(drawn < 500_000, "{drawn} bytes of charts");
}

#[test]
fn a_thinned_series_says_so_and_keeps_the_slowest_moment() {
    let mut result = sample::of_points(3_600);
    result.series[1_801].p99 = Some(77_777.0);
    let page = page(&result);
    let embedded = embedded(&page);
    let series = embedded["series"].as_array().expect("a series");
    assert!(series.len() < 3_600 && series.len() > 900, "{}", series.len());
    assert!(series.iter().any(|point| point["p99"] == 77_777.0), "the slowest second is kept");
    assert_eq!(embedded["series_thinned"]["of"], 3_600);
    assert!(page.contains("of the 3,600\u{20}points"), "and the page says it");
}

#[test]
fn a_spike_of_one_second_in_an_hour_is_on_the_chart() {
    let mut result = sample::of_points(3_600);
    for point in &mut result.series {
        (point.p50, point.p90, point.p99, point.p999, point.max) =
            (Some(1.0), Some(1.0), Some(1.0), Some(1.0), Some(1.0));
    }
    result.series[2_222].p99 = Some(100.0);
    let page = page(&result);
    let chart = *charts(&page).iter().find(|it| it.contains("id=\"chart-latency\"")).expect("the chart");
    let (_, path) = chart.split_once("class=\"range p99\" d=\"").expect("the line");
    let path = &path[..path.find('"').expect("its end")];
    assert!(path.contains("-1000"), "up by the whole height");
}
