//! The bound on what is on its way.

use std::time::Duration;

use statim::Runtime;
use statim_agents::deployment::{Pipeline, PipelineOptions};

use crate::place::{Place, block_on, shared};

fn study(number: usize, locations: usize) -> String {
    let place =
        r#"{"facility":"A hospital with a name of some length","city":"Somewhere","country":"Nowhere"}"#;
    format!(
        r#"{{"protocolSection":{{"identificationModule":{{"nctId":"NCT9{number:07}"}},"contactsLocationsModule":{{"locations":[{}]}}}}}}"#,
        vec![place; locations].join(",")
    )
}

#[test]
fn a_record_larger_than_the_memory_passes_and_nothing_waits_for_ever() {
    let _machine = shared();
    let place = Place::new();
    let mut files = Vec::new();
    for file in 0..8 {
        let records: Vec<String> = (0..60)
            .map(|record| study(file * 100 + record, if record % 20 == 7 { 20_000 } else { 3 }))
            .collect();
        assert!(records[7].len() > 1 << 20);
        files.push(place.write(&format!("in/{file}.ndjson"), &records.join("\n")));
    }
    let options = PipelineOptions {
        workers: 4,
        memory_bytes: 1 << 20,
        capacity: 16,
        batch_records: 1,
        ..PipelineOptions::new(place.url("flow.db"))
    };
    block_on(async {
        let runtime = Runtime::builder().start().expect("starts");
        let pipeline = Pipeline::spawn(&runtime, &options).expect("spawns");
        let ingested =
            tokio::time::timeout(Duration::from_secs(240), pipeline.ingest(files, &mut |_| {})).await;
        let report = ingested.expect("it came to an end").expect("the agents live");
        assert_eq!((report.records, report.inserted, report.not_stored), (480, 480, 0));
        assert_eq!(report.counts.locations, 8 * (3 * 20_000 + 57 * 3));
        assert!(runtime.shutdown().await.drained);
    });
}
