//! Every real file through `statim ingest`, against an independent count.

use std::process::Command;

use serde_json::Value;

use crate::place::{Place, alone, assert_adds_up, number, real_files, root};

#[test]
fn every_real_file_is_ingested_in_bounded_memory_with_the_totals_of_an_independent_count() {
    let Some(data) = real_files() else { return };
    let _machine = alone();
    let place = Place::new();
    let folders =
        ["ctgov", "pubmed", "openfda"].map(|name| data.join(name).to_str().expect("text").to_owned());
    let url = place.url("real.db");
    let mut args = vec!["ingest", "--json", "--database", &url];
    args.extend(folders.iter().map(String::as_str));
    let ingest = place.done(&args).json(0);
    assert_adds_up(&ingest);
    assert_eq!((number(&ingest, "not_stored"), number(&ingest, "interrupted")), (0, 0));

    let quarantine = ingest["quarantine"].as_array().expect("a list");
    for name in [
        "ctgov/v1_fullstudies/results_1.json",
        "ctgov/v2/official_field_metadata.json",
        "ctgov/v2/odd_shape_rjsonlite_wrapped_lists.json",
        "ctgov/xml_legacy/Invalid-nct-id.html",
        "openfda/json/api_captures/faers_count.json",
        "openfda/schemas/drugevent_schema.json",
    ] {
        let path = data.join(name).to_string_lossy().into_owned();
        let named = quarantine.iter().any(|it| it["file"] == path.as_str() && it["records"] == 0);
        assert!(named || !data.join(name).exists(), "{name} is not in the quarantine");
    }

    let peak = number(&ingest, "peak_rss_bytes");
    eprintln!("real files: {} records, peak {} MiB", ingest["records"], peak >> 20);
    assert!(peak < 200_000_000, "{peak} bytes");

    let counted = Command::new("python3").arg(root().join("scripts/count.py")).args(&folders).output();
    let Ok(counted) = counted else {
        eprintln!("skipped: python3 does not run, so nothing was counted independently");
        return;
    };
    assert!(counted.status.success(), "{}", String::from_utf8_lossy(&counted.stderr));
    let counted: Value = serde_json::from_slice(&counted.stdout).expect("JSON");
    assert_eq!(ingest["counts"], counted["totals"]);
}
