use super::*;

#[test]
fn a_date_is_never_padded() {
    for (text, year, month, day) in [
        ("2016", Some(2016), None, None),
        ("2016-07", Some(2016), Some(7), None),
        ("2016-07-12", Some(2016), Some(7), Some(12)),
        ("20160712", Some(2016), Some(7), Some(12)),
        ("201607", Some(2016), Some(7), None),
        ("July 12, 2016", Some(2016), Some(7), Some(12)),
        ("June 2016", Some(2016), Some(6), None),
        ("1976 Jan 5", Some(1976), Some(1), Some(5)),
        ("1976 Jan-Feb", Some(1976), None, None),
        ("1979-1980 Fall", Some(1979), None, None),
        ("1979 Nov-1980 May", Some(1979), None, None),
        ("Summer of love", None, None, None),
        ("20161301", None, None, None),
        ("20160700", Some(2016), Some(7), None),
        ("20160000", Some(2016), None, None),
        ("2015-02-29", Some(2015), None, None),
        ("", None, None, None),
        ("ÄÖÜ€", None, None, None),
    ] {
        let date = PartialDate::new(text);
        assert_eq!((date.year(), date.month(), date.day()), (year, month, day), "{text}");
        assert_eq!(date.as_str(), text);
        let stored = serde_json::to_string(&date).unwrap();
        assert_eq!(serde_json::from_str::<PartialDate>(&stored).unwrap(), date);
    }
}

#[test]
fn the_parts_of_a_pubmed_date_keep_what_they_say() {
    let text = |year, month, day, season| {
        PartialDate::from_parts(year, month, day, season).map(|date| date.as_str().to_owned())
    };
    assert_eq!(text(Some("1976"), Some("Jan"), Some("5"), None).as_deref(), Some("1976-01-05"));
    assert_eq!(text(Some("1976"), Some("09"), None, None).as_deref(), Some("1976-09"));
    assert_eq!(text(Some("1976"), None, None, None).as_deref(), Some("1976"));
    assert_eq!(text(Some("1976"), None, None, Some("Summer")).as_deref(), Some("1976 Summer"));
    assert_eq!(text(Some("1976"), Some("Foo"), None, None).as_deref(), Some("1976 Foo"));
    assert_eq!(text(Some("1976"), Some("Feb"), Some("30"), None).as_deref(), Some("1976 Feb 30"));
    assert_eq!(text(None, None, None, None), None);
    let season = PartialDate::from_parts(Some("1976"), None, None, Some("Summer")).unwrap();
    assert_eq!(season.season(), Some("Summer"));
    assert_eq!(PartialDate::new("1979-1980 Fall").season(), None);
}

#[test]
fn a_less_precise_date_comes_before_the_more_precise_ones_in_it() {
    let dates = ["2015-12-31", "2016", "2016-01", "2016-01-01", "2016-02", "2017"];
    assert!(dates.windows(2).all(|pair| PartialDate::new(pair[0]) < PartialDate::new(pair[1])));
}

#[test]
fn a_doi_loses_its_prefix_and_its_case() {
    for text in [
        "10.1000/AbC",
        " doi:10.1000/abc",
        "DOI: 10.1000/ABC ",
        "https://doi.org/10.1000/abc",
        "http://dx.doi.org/10.1000/abc",
        "doi: https://doi.org/10.1000/abc",
    ] {
        assert_eq!(bare_doi(text).as_deref(), Some("10.1000/abc"), "{text}");
    }
    assert_eq!(bare_doi(""), None);
    assert_eq!(bare_doi("PMC123"), None);
}

fn article(version: u32, revised: Option<&str>) -> Record {
    let date_revised = revised.map(PartialDate::new);
    let article = Article { pmid: "7".into(), version, date_revised, ..Article::default() };
    Record::Article(Box::new(article))
}

#[test]
fn a_higher_version_beats_a_later_date() {
    let old = article(1, Some("2024-05-01")).revision();
    let new = article(2, Some("2019-01-01")).revision();
    assert!(new > old);
    assert!(article(2, Some("2019-01-02")).revision() > new);
    assert!(article(1, None).revision() < old);
}

#[test]
fn a_revision_sorts_as_text_as_it_does_as_a_value() {
    let revisions = [
        Revision::UNKNOWN,
        article(1, Some("2019")).revision(),
        article(1, Some("2019-03")).revision(),
        article(2, None).revision(),
        article(10, Some("1990-01-01")).revision(),
    ];
    for pair in revisions.windows(2) {
        assert!(pair[0] < pair[1]);
        assert!(pair[0].to_string() < pair[1].to_string());
    }
    for revision in revisions {
        assert_eq!(revision.to_string().parse(), Ok(revision));
    }
    assert_eq!("soon".parse::<Revision>(), Err(BadRevision));
}

#[test]
fn a_label_version_is_compared_as_a_number() {
    let label = |version: &str| {
        let version = Some(version.to_owned());
        Record::Label(Box::new(Label { set_id: "s".into(), version, ..Label::default() }))
    };
    assert!(label("10").revision() > label("9").revision());
}

#[test]
fn a_study_revision_is_its_last_update() {
    let study = |posted: &str, submitted: &str| {
        let last_update_posted = Some(StudyDate { date: Some(PartialDate::new(posted)), kind: None });
        let last_update_submitted = Some(PartialDate::new(submitted));
        let study = Study { last_update_posted, last_update_submitted, ..Study::default() };
        Record::Study(Box::new(study)).revision()
    };
    assert!(study("2024-02-01", "2024-01-01") > study("2024-01-31", "2024-01-30"));
    assert!(study("2024-02-01", "2024-01-02") > study("2024-02-01", "2024-01-01"));
}

#[test]
fn an_obsolete_nct_number_is_the_same_study_and_a_cited_pmid_is_only_a_link() {
    let study = Study {
        nct_id: "NCT00000002".into(),
        nct_id_aliases: vec!["NCT00000001".into()],
        org_study_id: Some(StudyId { id: Some("X-1".into()), ..StudyId::default() }),
        references: vec![StudyReference { pmid: Some("12".into()), ..StudyReference::default() }],
        ..Study::default()
    };
    let aliases = Record::Study(Box::new(study)).aliases();
    let evidence =
        |scheme: Scheme| aliases.iter().find(|alias| alias.scheme == scheme).map(|alias| alias.evidence);
    assert_eq!(evidence(Scheme::Nct), Some(Evidence::Same));
    assert_eq!(evidence(Scheme::OrganisationStudy), Some(Evidence::Secondary));
    assert_eq!(evidence(Scheme::Pmid), Some(Evidence::Link));
}

#[test]
fn an_application_number_on_a_product_is_a_link_and_never_its_identity() {
    let product = |spl_id: &str| {
        Record::Product(Box::new(Product {
            product_ndc: "0002-3229".into(),
            spl_id: Some(spl_id.into()),
            application_number: Some("NDA021411".into()),
            ..Product::default()
        }))
    };
    assert_ne!(product("a").identity(), product("b").identity());
    let aliases = product("a").aliases();
    let number = aliases.iter().find(|alias| alias.scheme == Scheme::ApplicationNumber).unwrap();
    assert_eq!((number.value.as_str(), number.evidence), ("NDA021411", Evidence::Link));
}

#[test]
fn an_old_label_without_a_set_id_is_known_by_its_own_id() {
    let label = Label { id: Some("v".into()), ..Label::default() };
    assert_eq!(Record::Label(Box::new(label)).identity().to_string(), "label:v");
}

#[test]
fn the_debug_of_an_event_shows_nothing_about_the_patient() {
    let text = r#"{"safetyreportid":"100","primarysource":{"reportercountry":"XSECRETX"},
        "companynumb":"XSECRETX","reportduplicate":{"duplicatenumb":"XSECRETX"},
        "patient":{"patientonsetage":"XSECRETX","drug":[{"medicinalproduct":"XSECRETX"}],
        "reaction":[{"reactionmeddrapt":"XSECRETX"}]},"source":"XSECRETX"}"#;
    let event: Event = serde_json::from_str(text).unwrap();
    let shown = format!(
        "{event:?} {:#?} {:?} {:?} {:?} {:?}",
        event.patient, event.patient.drug, event.patient.reaction, event.reportduplicate, event.primarysource,
    );
    assert!(shown.contains("100"));
    assert!(!shown.contains("XSECRETX"));
    let whole = format!("{:?}", Record::Event(Box::new(event)));
    assert!(!whole.contains("XSECRETX"));
}

#[test]
fn a_kind_is_read_from_its_own_name() {
    for kind in Kind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
    }
    assert!("trial".parse::<Kind>().is_err());
}

#[test]
fn counts_add_up_field_by_field() {
    let mut application = Application::default();
    application.products.resize(3, ApplicationProduct::default());
    let mut counts = Record::Application(Box::new(application)).counts();
    counts += Record::Product(Box::default()).counts();
    counts += article(1, None).counts();
    counts += Record::Label(Box::default()).counts();
    counts += Record::Event(Box::default()).counts();
    counts += Record::Study(Box::default()).counts();
    let expected = Counts {
        studies: 1,
        articles: 1,
        applications: 1,
        labels: 1,
        events: 1,
        products: 4,
        ..Counts::default()
    };
    assert_eq!(counts, expected);
}

#[test]
fn a_shape_that_openfda_never_writes_is_refused_and_the_usual_ones_are_read() {
    let event = |text: &str| serde_json::from_str::<Event>(text);
    let one = event(r#"{"safetyreportid":7,"reportduplicate":{"duplicatenumb":"a"}}"#).unwrap();
    assert_eq!((one.safetyreportid.as_str(), one.reportduplicate.len()), ("7", 1));
    let many = r#"{"safetyreportid":"7","reportduplicate":[{"duplicatenumb":"a"},{},null]}"#;
    assert_eq!(event(many).unwrap().reportduplicate.len(), 2);
    assert!(event(r#"{"safetyreportid":"7","receiver":null,"patient":null}"#).is_ok());
    assert!(event(r#"{"safetyreportid":{"a":1}}"#).is_err());
    assert!(event(r#"{"safetyreportid":"7","patient":{"drug":"aspirin"}}"#).is_err());
}

#[test]
fn an_eleven_digit_code_pads_the_short_segment() {
    let eleven = |text: &str| {
        let package = Package { package_ndc: Some(text.to_owned()), ..Package::default() };
        package.ndc_11()
    };
    assert_eq!(eleven("0002-3229-30").as_deref(), Some("00002322930"));
    assert_eq!(eleven("71610-199-30").as_deref(), Some("71610019930"));
    assert_eq!(eleven("12345-6789-1").as_deref(), Some("12345678901"));
    for other in ["0002-3229", "1-2-3", "0002-32A9-30", "0002-3229-30-1", ""] {
        assert_eq!(eleven(other), None, "{other}");
    }
}
