//! The dashboard, the rules and the chapter name metrics that exist.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use statim::telemetry::names::{self, METRICS, Metric};
use statim_servers::promtool;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What looks like one of our names in a query.
fn names_in(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|it: char| !it.is_ascii_alphanumeric() && it != '_' && it != ':');
    words.filter(|word| word.starts_with("statim_") || word.starts_with("process_"))
}

fn is_known(query: &str) {
    for name in names_in(query) {
        let metric =
            names::find_series(name).unwrap_or_else(|| panic!("there is no metric {name}, in {query}"));
        if query.contains("histogram_quantile") {
            assert_eq!(metric.kind, names::Kind::Histogram, "{name}, in {query}");
        }
    }
}

/// Every text under the key `expr`, and every one of `legendFormat`.
fn texts<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key).and_then(Value::as_str));
            fields.values().for_each(|field| texts(field, key, found));
        }
        Value::Array(entries) => entries.iter().for_each(|entry| texts(entry, key, found)),
        _ => {}
    }
}

#[test]
fn every_query_of_the_dashboard_is_valid_and_names_metrics_that_exist() {
    let text = fs::read_to_string(root("config/grafana/statim.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut queries = Vec::new();
    texts(&dashboard, "expr", &mut queries);
    assert!(queries.len() > 30, "{}", queries.len());
    let mut rules = String::from("groups:\n- name: dashboard\n  rules:\n");
    for (number, query) in queries.iter().enumerate() {
        assert!(names_in(query).count() > 0, "{query}");
        is_known(query);
        let plain = query.replace("$__rate_interval", "1m").replace("$__range", "1h");
        rules.push_str(&format!("  - record: panel:{number}\n    expr: {plain:?}\n"));
    }
    let mut variables = Vec::new();
    texts(&dashboard["templating"], "definition", &mut variables);
    variables.iter().for_each(|query| is_known(query));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard.yml");
    fs::write(&path, rules).unwrap();
    let checked = promtool(&["check", "rules", path.to_str().unwrap()], "").unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn every_label_that_the_dashboard_shows_is_one_of_the_metrics() {
    let text = fs::read_to_string(root("config/grafana/statim.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    for target in panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten()) {
        let (query, legend) = (target["expr"].as_str().unwrap(), target["legendFormat"].as_str().unwrap());
        let shown = legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
        for label in shown.filter(|label| *label != "instance") {
            for name in names_in(query) {
                assert!(names::find_series(name).unwrap().labels.contains(&label), "{label} of {name}");
            }
        }
    }
}

#[test]
fn the_rules_are_valid_and_name_metrics_that_exist() {
    let path = root("config/prometheus/statim.rules.yml");
    let text = fs::read_to_string(&path).unwrap();
    let queries: Vec<_> =
        text.lines().filter(|line| !line.trim_start().starts_with(['#', '-', 's'])).collect();
    assert!(queries.iter().flat_map(|query| names_in(query)).count() > 10);
    queries.iter().for_each(|query| is_known(query));
    let checked = promtool(&["check", "rules", path.to_str().unwrap()], "").unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let path = root("config/prometheus/prometheus.yml");
    let checked = promtool(&["check", "config", path.to_str().unwrap()], "").unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}

/// The table of the chapter. `STATIM_WRITE_TABLE=1` writes it.
#[test]
fn the_chapter_lists_every_metric() {
    const BEGIN: &str = "<!-- metrics: written by tests/monitor/shipped.rs -->\n";
    const END: &str = "<!-- end of metrics -->";
    let line = |metric: &Metric| {
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        format!("| `{}` | {} | {} | {} |\n", metric.name, metric.kind, labels.join(", "), metric.help)
    };
    let rows: String = METRICS.iter().map(line).collect();
    let table = format!("{BEGIN}| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n{rows}{END}");
    let path = root("docs/src/monitor.md");
    let chapter = fs::read_to_string(&path).unwrap();
    let begin = chapter.find(BEGIN).unwrap();
    let end = chapter.find(END).unwrap() + END.len();
    if std::env::var_os("STATIM_WRITE_TABLE").is_some() {
        fs::write(&path, format!("{}{table}{}", &chapter[..begin], &chapter[end..])).unwrap();
        return;
    }
    assert!(
        chapter[begin..end] == table,
        "the table in docs/src/monitor.md is old; STATIM_WRITE_TABLE=1 writes it"
    );
}
