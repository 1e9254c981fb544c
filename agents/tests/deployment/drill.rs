//! Revocations while bulk is ingested at full speed.

use statim_agents::generate::{Kind, Options, write_file};

use crate::place::{Place, agent, alone, assert_adds_up, number, real_files};

#[test]
fn revocations_are_fast_while_articles_are_ingested_at_full_speed() {
    let _machine = alone();
    let place = Place::new();
    std::fs::create_dir(place.path("articles")).expect("folder");
    for seed in 0..4 {
        let path = place.path(&format!("articles/{seed}.xml"));
        write_file(Kind::Articles, &Options::new(5_000, seed), &path, false, &mut |_| {}).expect("writes");
    }
    let mut folders = vec![place.path("articles")];
    folders.extend(real_files().map(|data| data.join("pubmed")));
    // Full speed is when the readers are ahead of the database. Without optimisation one reader is not, so there are four;
    // and as the largest real file has one reader, there are several.
    let sources = format!("sources = {folders:?}");
    let config = place.config("drill", &[&sources, "every_ms = 10", "workers = 4"]);
    let args = ["run", "--until-idle", "--json", "--config", config.to_str().expect("text")];
    let report = place.done(&args).json(0);
    assert_adds_up(&report["ingest"]);
    let critical = &agent(&report, "consent")["latency_ms"]["critical"];
    let low = &agent(&report, "deduplication")["latency_ms"]["low"];
    let figure = |of: &serde_json::Value, name: &str| of[name].as_f64().expect("a figure");
    let ratio = |name: &str| figure(low, name) / figure(critical, name);
    eprintln!(
        "drill: critical {critical}, low {low}: {:.1} times as fast at the median, {:.1} times at p99",
        ratio("p50"),
        ratio("p99")
    );
    assert!(number(critical, "count") >= 50, "{critical}");
    assert!(ratio("p99") > 1.0, "critical {critical}, low {low}");
    assert!(ratio("p50") >= 5.0, "critical {critical}, low {low}");
    assert_eq!(agent(&report, "consent")["failed"], 0);
}
