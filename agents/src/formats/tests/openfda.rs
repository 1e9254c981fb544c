use super::*;
use crate::record::Kind;

fn envelope(results: &str) -> String {
    format!(
        r#"{{"meta":{{"disclaimer":"d","results":{{"skip":0,"limit":1,"total":1}}}},"results":[{results}]}}"#
    )
}

#[test]
fn the_kind_is_told_by_each_record() {
    let records = r#"{"application_number":"NDA1","products":[{},{}],"submissions":[
            {"submission_status_date":"20010510"},{"submission_status_date":"20190101"}]},
        {"product_ndc":"1-2","spl_id":"s","finished":true,"route":["ORAL"],"packaging":[{"package_ndc":"1-2-3","sample":false}]},
        {"set_id":"S","id":"v","version":"12","effective_time":"20200102","openfda":{},"indications_and_usage":["text"],"boxed_warning_table":["<table>"],"x":{"y":1},"z":[[1]]},
        {"id":"old","effective_time":"20010203"},
        {"safetyreportid":"9","safetyreportversion":"2","receiver":null,"patient":{"drug":[{"drugstartdate":"200104","drugstartdateformat":"610"}],"reaction":[{}]}}"#;
    let (report, gathered) = read_within(envelope(records).as_bytes(), &Limits::default());
    let kinds: Vec<Kind> = gathered.records.iter().map(Record::kind).collect();
    let expected = [Kind::Application, Kind::Product, Kind::Label, Kind::Label, Kind::Event];
    assert_eq!(kinds, expected);
    assert_eq!(ids(&gathered), ["NDA1", "1-2/s", "S", "old", "9"]);
    assert_eq!((report.counts.products, report.counts.applications), (3, 1));
    let Record::Label(label) = &gathered.records[2] else { unreachable!() };
    assert_eq!(label.sections["indications_and_usage"], ["text"]);
    assert_eq!(label.sections["boxed_warning_table"], ["<table>"]);
    assert!(!label.sections.contains_key("x") && label.source.contains(r#""x":{"y":1}"#));
    let Record::Event(event) = &gathered.records[4] else { unreachable!() };
    let begun = event.patient.drug[0].drugstartdate.as_ref().unwrap();
    assert_eq!((begun.month(), begun.day()), (Some(4), None));
    assert!(gathered.quarantined.is_empty(), "{:?}", gathered.quarantined);
    for record in &gathered.records {
        let stored = serde_json::to_string(record).unwrap();
        assert_eq!(&serde_json::from_str::<Record>(&stored).unwrap(), record);
    }
}

#[test]
fn results_may_come_before_meta() {
    let gathered = read(r#"{"results":[{"set_id":"S"}],"meta":{"a":[1,{"b":"]}"}]}}"#);
    assert_eq!(ids(&gathered), ["S"]);
}

#[test]
fn meta_is_never_walked_as_a_record() {
    let gathered = read(envelope(r#"{"set_id":"S"}"#));
    assert_eq!((gathered.records.len(), gathered.quarantined.len()), (1, 0));
}

#[test]
fn damage_beside_the_records_is_told() {
    let gathered = read(r#"{"results":[{"set_id":"S"}],"meta":{"a" 1}}"#);
    assert_eq!(ids(&gathered), ["S"]);
    assert!(only_fault(&gathered).reason.contains("beside the records"));
}

#[test]
fn records_of_another_end_point_are_told_once_with_their_number() {
    let text = envelope(r#"{"term":"a","count":1},{"set_id":"S"},{"term":"b","count":2},{"k_number":"K1"}"#);
    let gathered = read(text);
    assert_eq!(ids(&gathered), ["S"]);
    assert_eq!(gathered.quarantined.len(), 2);
    assert!(gathered.quarantined[0].reason.contains("count results"));
    assert!(gathered.quarantined[0].reason.contains("1 more"));
    assert_eq!(gathered.quarantined[0].position.record, Some(0));
    assert!(gathered.quarantined[1].reason.contains("510(k)"));
}

#[test]
fn each_thing_that_is_no_record_has_an_entry_at_its_own_place() {
    let text = envelope(r#"{"openfda":{}},"a text",{"set_id":"S"},7,{},[{"set_id":"T"}]"#);
    let gathered = read(&text);
    assert_eq!(ids(&gathered), ["S"]);
    let places: Vec<_> = gathered.quarantined.iter().map(|it| it.position.record).collect();
    assert_eq!(places, [Some(0), Some(1), Some(3), Some(4), Some(5)]);
    assert!(gathered.quarantined.iter().all(|it| it.reason.starts_with("not a record: ")));
    let bytes: std::collections::BTreeSet<_> =
        gathered.quarantined.iter().map(|it| it.position.byte).collect();
    assert_eq!(bytes.len(), 5);
}

#[test]
fn a_flood_of_what_is_no_record_is_told_a_thousand_times_and_then_counted() {
    let text = envelope(&vec!["{}"; 5_000].join(","));
    let (report, gathered) = read_within(text.as_bytes(), &Limits::default());
    assert_eq!((report.quarantined, gathered.quarantined.len()), (1_001, 1_001));
    let last = gathered.quarantined.last().unwrap();
    assert_eq!(last.position.record, Some(1_000));
    assert!(last.reason.ends_with("(and 3999 more)"), "{}", last.reason);
}

#[test]
fn an_event_that_is_refused_leaves_no_word_about_the_patient() {
    let text = envelope(r#"{"safetyreportid":"9","patient":{"drug":"JANE DOE took aspirin"}}"#);
    let gathered = read(text);
    let fault = only_fault(&gathered);
    assert_eq!(fault.path.as_deref(), Some("patient.drug"));
    assert!(!format!("{fault:?}").contains("JANE"));
}
