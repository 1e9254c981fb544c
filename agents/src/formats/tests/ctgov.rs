use super::*;
use crate::record::Study;

fn study(gathered: &Gathered, index: usize) -> &Study {
    match &gathered.records[index] {
        Record::Study(study) => study,
        other => panic!("a {} where a study was expected", other.kind()),
    }
}

#[test]
fn a_study_is_read_alone_in_a_page_in_an_array_and_line_by_line() {
    let (a, b) = (study_text("NCT1", ""), study_text("NCT2", ""));
    let one = read(&a);
    assert_eq!((ids(&one), one.quarantined.len()), (vec!["NCT1".to_owned()], 0));
    for text in [
        format!("[{a},{b}]"),
        format!("  [\n {a} ,\n {b}\n]\n"),
        format!(r#"{{"studies":[{a},{b}],"nextPageToken":"x"}}"#),
        format!(r#"{{"totalCount":2,"nextPageToken":"x","studies":[{a},{b}]}}"#),
        format!("{a}\n{b}\n"),
        format!("{a}\r\n\r\n{b}"),
        format!("{a} {b}"),
        format!("\u{feff}[{a},{b}]"),
        format!(r#"{{"studies":[{a}]}} {{"studies":[{b}]}}"#),
        format!("{{\"studies\":[{a}]}}\n{{\"studies\":[{b}]}}\n"),
        format!("{{\"studies\":[\n{a},\n{b}\n]}}"),
    ] {
        let gathered = read(&text);
        assert_eq!(ids(&gathered), ["NCT1", "NCT2"], "{text}");
        assert!(gathered.quarantined.is_empty(), "{text}: {:?}", gathered.quarantined);
        assert_eq!(gathered.positions[1].record, Some(1), "{text}");
        let from = usize::try_from(gathered.positions[1].byte).unwrap();
        let found = gathered.positions[1].line.is_some() || text[from..].starts_with(&b);
        assert!(found, "{text}");
    }
}

#[test]
fn the_keys_of_a_study_may_come_in_any_order() {
    let text = r#"{"hasResults":false,"derivedSection":{},"protocolSection":
        {"statusModule":{"overallStatus":"COMPLETED"},"identificationModule":{"nctId":"NCT9"}}}"#;
    let gathered = read(text);
    assert_eq!(study(&gathered, 0).overall_status.as_deref(), Some("COMPLETED"));
    assert_eq!(study(&gathered, 0).source, text);
}

#[test]
fn a_study_with_1300_locations_keeps_every_one() {
    let place = |n: usize| {
        format!(
            r#"{{"facility":"F{n}","city":"Köln","country":"Germany","contacts":[{{"name":"N","phoneExt":"7"}}],
                "geoPoint":{{"lat":50.9,"lon":6.9}}}}"#
        )
    };
    let places: Vec<String> = (0..1300).map(place).collect();
    let more = format!(r#","contactsLocationsModule":{{"locations":[{}]}}"#, places.join(","));
    let (report, gathered) = read_within(study_text("NCT1", &more).as_bytes(), &Limits::default());
    let locations = &study(&gathered, 0).locations;
    assert_eq!((locations.len(), report.counts.locations), (1300, 1300));
    assert_eq!(locations[1299].facility.as_deref(), Some("F1299"));
    assert_eq!(locations[1299].contacts[0].phone_ext.as_deref(), Some("7"));
    assert_eq!(locations[1299].geo_point.unwrap().lat, 50.9);
}

#[test]
fn what_has_no_typed_field_stays_in_the_source() {
    let text = study_text("NCT1", r#","futureModule":{"x":[1,2.50,"\u00e9"]}"#);
    assert_eq!(study(&read(format!("[ {text} ]")), 0).source, text);
}

#[test]
fn phases_dates_ages_and_markup_are_kept_as_they_are_written() {
    let more = r#","statusModule":{"startDateStruct":{"date":"2016-07","type":"ACTUAL"},
          "completionDateStruct":{"date":"2018"},"lastUpdatePostDateStruct":{"date":"2020-01-02"}},
        "designModule":{"phases":["PHASE2","PHASE3"],"enrollmentInfo":{"count":12,"type":"ACTUAL"},
          "designInfo":{"allocation":"RANDOMIZED","maskingInfo":{"masking":"DOUBLE","whoMasked":["CARE_PROVIDER"]}}},
        "eligibilityModule":{"eligibilityCriteria":"\\[rHGG\\] \\< 30","minimumAge":"6 Months","stdAges":["CHILD"]},
        "outcomesModule":{"primaryOutcomes":[{"measure":"m","timeFrame":"1 y"}]},
        "contactsLocationsModule":{"centralContacts":[{"name":"N"}]}"#;
    let gathered = read(study_text("NCT1", more));
    let study = study(&gathered, 0);
    let start = study.start.as_ref().unwrap().date.as_ref().unwrap();
    assert_eq!((start.as_str(), start.day()), ("2016-07", None));
    assert_eq!(study.completion.as_ref().unwrap().date.as_ref().unwrap().as_str(), "2018");
    assert_eq!(study.phases, ["PHASE2", "PHASE3"]);
    assert_eq!(study.design.who_masked, ["CARE_PROVIDER"]);
    assert_eq!(study.enrollment.as_ref().unwrap().count, Some(12));
    assert_eq!(study.eligibility.minimum_age.as_deref(), Some("6 Months"));
    assert_eq!(study.eligibility.criteria.as_deref(), Some(r"\[rHGG\] \< 30"));
    assert_eq!(study.primary_outcomes[0].time_frame.as_deref(), Some("1 y"));
    assert!(study.locations.is_empty());
    let stored = serde_json::to_string(&gathered.records[0]).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&stored).unwrap(), gathered.records[0]);
}

#[test]
fn an_observational_study_has_no_phase_and_null_modules_are_empty() {
    let gathered = read(study_text("NCT1", r#","designModule":null,"conditionsModule":{"conditions":null}"#));
    assert!(study(&gathered, 0).phases.is_empty());
}

#[test]
fn a_bad_record_is_quarantined_with_its_index_and_field_and_the_rest_goes_on() {
    let (a, c) = (study_text("NCT1", ""), study_text("NCT3", ""));
    let bad = study_text("NCT2", r#","conditionsModule":{"conditions":["x",{"SECRET":1}]}"#);
    let gathered = read(format!("[{a},{bad},{c}]"));
    assert_eq!(ids(&gathered), ["NCT1", "NCT3"]);
    let fault = only_fault(&gathered);
    assert_eq!(fault.position.record, Some(1));
    assert_eq!(fault.position.byte, a.len() as u64 + 2);
    assert_eq!(fault.path.as_deref(), Some("protocolSection.conditionsModule.conditions[1]"));
    assert_eq!(fault.reason, "invalid type: map, expected a string");
}

#[test]
fn scalars_wrapped_in_lists_are_refused_with_the_field() {
    let text = r#"{"studies":[{"protocolSection":{"identificationModule":{"nctId":["NCT1"]}}}]}"#;
    let gathered = read(text);
    let fault = only_fault(&gathered);
    let field = "protocolSection.identificationModule.nctId";
    assert_eq!(fault.path.as_deref(), Some(field));
}

#[test]
fn a_study_without_an_id_is_refused() {
    let empty = read(study_text(" ", ""));
    assert!(only_fault(&empty).path.as_deref().unwrap().ends_with("nctId"));
    let none = read(r#"{"protocolSection":{"identificationModule":{}}}"#);
    assert_eq!(only_fault(&none).reason, "missing field `nctId`");
}

#[test]
fn a_reason_never_shows_a_value() {
    for value in [r#""JOHN, expected SMITH""#, "4711", "true", "4711.5"] {
        let more = format!(r#","designModule":{{"phases":{value}}}"#);
        let gathered = read(study_text("NCT1", &more));
        let fault = only_fault(&gathered);
        for secret in ["JOHN", "SMITH", "4711", "true"] {
            assert!(!fault.reason.contains(secret), "{}", fault.reason);
        }
        assert!(fault.reason.ends_with("expected a sequence"), "{}", fault.reason);
    }
}

#[test]
fn a_syntax_error_midway_quarantines_the_rest_and_keeps_what_came_before() {
    let a = study_text("NCT1", "");
    for rest in [r#"{"protocolSection" 1}"#, "}", "{]", r#"{"a":1,}"#, ""] {
        let gathered = read(format!("[{a},{rest},{a}]"));
        assert_eq!(ids(&gathered), ["NCT1"], "{rest}");
        assert!(only_fault(&gathered).position.byte > a.len() as u64, "{rest}");
    }
    let cut = read(format!(r#"{{"studies":[{a},{}"#, &a[..20]));
    assert_eq!(ids(&cut), ["NCT1"]);
    assert!(only_fault(&cut).reason.contains("too early"));
}

#[test]
fn a_damaged_line_costs_only_itself() {
    let (a, b) = (study_text("NCT1", ""), study_text("NCT2", ""));
    for (text, line) in [
        (format!("{a}\n{{\"x\": 1\n{b}\n"), 2),
        (format!("{a}\n{b}\n{{\"x\": \n"), 3),
        (format!("{a}\nnot json\n{b}\n"), 2),
        (format!("{{\"x\": 1\n{a}\n{b}\n"), 1),
    ] {
        let gathered = read(&text);
        assert_eq!(ids(&gathered), ["NCT1", "NCT2"], "{text}");
        assert_eq!(only_fault(&gathered).position.line, Some(line), "{text}");
    }
}

#[test]
fn an_empty_page_is_no_fault() {
    for text in [r#"{"studies":[]}"#, "[]", r#"{"meta":{},"results":[ ]}"#, r#"{"results":[],"meta":{}}"#] {
        let gathered = read(text);
        assert!(gathered.quarantined.is_empty() && gathered.records.is_empty(), "{text}");
    }
}

#[test]
fn retired_and_foreign_json_is_named() {
    for (text, words) in [
        (r#"{"FullStudiesResponse":{"APIVrs":"1","FullStudies":[{"Rank":1}]}}"#, "v1"),
        (r#"{"$schema":"http://json-schema.org/draft-03/schema","properties":{}}"#, "JSON Schema"),
        (r#"{"error":{"code":"NOT_FOUND","message":"No matches found!"}}"#, "error message"),
        (r#"[{"name":"protocolSection","piece":"P","sourceType":"STRUCT"}]"#, "field list"),
        (r#"{"resourceType":"Patient"}"#, "FHIR"),
        (r#"{"derivedSection":{}}"#, "without its protocolSection"),
        ("[1]", "a value where a record was expected"),
        (r#"{"a":1}"#, "none of the keys"),
        ("{}", "none of the keys"),
    ] {
        let gathered = read(text);
        assert!(gathered.records.is_empty(), "{text}");
        let fault = only_fault(&gathered);
        assert!(fault.reason.contains(words), "{text}: {}", fault.reason);
    }
}
