use std::collections::BTreeMap;

use serde_json::Value;

use super::super::*;
use super::{lines, make, mixed};

#[test]
fn pages_and_arrays_are_one_json_document_and_hold_every_record() {
    for kind in [Kind::Studies, Kind::Labels, Kind::Applications, Kind::Products, Kind::Events] {
        for count in [0, 1, 150] {
            let page: Value = serde_json::from_slice(&make(kind, &mixed(count)).0).unwrap();
            let key = if kind == Kind::Studies { "studies" } else { "results" };
            assert_eq!(page[key].as_array().unwrap().len() as u64, count, "{kind}");
            let array = make(kind, &Options { layout: Layout::Array, ..mixed(count) }).0;
            assert_eq!(serde_json::from_slice::<Value>(&array).unwrap(), page[key], "{kind}");
        }
    }
}

#[test]
fn two_hundred_studies_hold_one_with_over_1200_locations_and_the_truth_counts_them_all() {
    let (records, truth) = lines(Kind::Studies, Options::new(200, 3));
    let sizes: Vec<usize> = records
        .iter()
        .map(|study| {
            study
                .pointer("/protocolSection/contactsLocationsModule/locations")
                .map_or(0, |list| list.as_array().unwrap().len())
        })
        .collect();
    assert!(sizes.iter().any(|&size| size > 1_200));
    assert!(sizes.contains(&0));
    assert_eq!(sizes.iter().sum::<usize>() as u64, truth.locations);
}

/// The elements an XML document opens, counted by name; panics unless the document is well formed.
fn elements(xml: &[u8]) -> BTreeMap<String, u64> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_reader(xml);
    reader.config_mut().check_end_names = true;
    let (mut found, mut depth, mut buffer) = (BTreeMap::new(), 0, Vec::new());
    loop {
        match reader.read_event_into(&mut buffer).unwrap() {
            Event::Start(tag) => {
                tag.attributes().for_each(|attribute| drop(attribute.unwrap()));
                let name: &[u8] = tag.name().into_inner().as_ref();
                *found.entry(String::from_utf8(name.to_vec()).unwrap()).or_default() += 1;
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
        buffer.clear();
    }
    assert_eq!(depth, 0);
    found
}

#[test]
fn articles_are_well_formed_and_hold_what_the_truth_says() {
    let (xml, truth) = make(Kind::Articles, &mixed(500));
    let found = elements(&xml);
    let count = |name: &str| found.get(name).copied().unwrap_or(0);
    assert_eq!(count("PubmedArticle"), truth.records);
    assert_eq!(count("Author"), truth.authors);
    assert_eq!(count("MeshHeading"), truth.mesh_headings);
    assert_eq!(count("Reference"), truth.references);
    assert_eq!(count("DeleteCitation"), 1);
    assert!(truth.deleted >= 3);
    for trap in [
        "i",
        "sub",
        "sup",
        "MedlineDate",
        "Season",
        "CollectiveName",
        "VernacularTitle",
        "CommentsCorrections",
    ] {
        assert!(count(trap) > 0, "no {trap}");
    }
    let text = String::from_utf8(xml).unwrap();
    let deleted = text.split("<DeleteCitation>").nth(1).unwrap();
    assert_eq!(deleted.matches("<PMID").count() as u64, truth.deleted);
    for pmid in deleted.lines().filter(|line| line.starts_with("<PMID")) {
        assert_eq!(
            text.matches(&pmid["<PMID Version=\"1\"".len()..]).count(),
            2,
            "stands once, is deleted once: {pmid}"
        );
    }
}

#[test]
fn an_article_without_a_doi_of_its_own_cites_one_that_has_one() {
    let text = String::from_utf8(make(Kind::Articles, &Options::new(300, 5)).0).unwrap();
    let without: Vec<&str> = text
        .split("<PubmedArticle>")
        .skip(1)
        .filter(|article| !article.contains("EIdType=\"doi\""))
        .collect();
    assert!(without.len() > 50);
    for article in without {
        assert!(article.contains("IdType=\"doi\">10.5555/cited."));
        assert!(!article.to_lowercase().contains("10.5555/statim."));
    }
}

#[test]
fn an_article_that_returns_never_goes_back_a_version_or_a_date() {
    let text =
        String::from_utf8(make(Kind::Articles, &Options { duplicates: 0.6, ..Options::new(500, 8) }).0)
            .unwrap();
    let between = |text: &str, before: &str, after: &str| {
        text.split_once(before)
            .and_then(|(_, rest)| rest.split_once(after))
            .map(|(found, _)| found.to_owned())
            .unwrap()
    };
    let mut latest: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut newer = 0;
    for article in text.split("<PubmedArticle>").skip(1) {
        let head = between(article, "<PMID Version=\"", "</PMID>");
        let (version, pmid) = head.split_once("\">").unwrap();
        let edition = (format!("{version:>4}"), between(article, "<DateRevised>", "</DateRevised>"));
        if let Some(before) = latest.insert(pmid.to_owned(), edition.clone()) {
            assert!(before <= edition);
            newer += u64::from(before < edition);
        }
    }
    assert_eq!(
        newer,
        make(Kind::Articles, &Options { duplicates: 0.6, ..Options::new(500, 8) }).1.newer_versions
    );
}

#[test]
fn characters_that_need_escaping_and_letters_beyond_ascii_occur() {
    for kind in Kind::ALL.into_iter().filter(|&kind| kind != Kind::Consents) {
        let text = String::from_utf8(make(kind, &Options::new(400, 2)).0).unwrap();
        if !matches!(kind, Kind::Applications | Kind::Products | Kind::Events) {
            assert!(!text.is_ascii(), "{kind}");
        }
        let marks: &[&str] = match kind {
            Kind::Articles => &["&amp;", "&lt;", "&gt;", "&quot;"],
            Kind::People => &["\"\"", "'"],
            Kind::Studies => &["&", "<", "\\\"", "\\\\<", "\\n", "'"],
            Kind::Labels => &["&", "<", "\\\""],
            _ => &["&"],
        };
        for mark in marks {
            assert!(text.contains(mark), "{kind} without {mark}");
        }
    }
}

#[test]
fn an_xml_mark_that_is_not_closed_stays_text() {
    for (given, written) in [
        ("a {i:b} c", "a <i>b</i> c"),
        ("a {i:b", "a {i:b"),
        ("{x:1} & {sub:<}", "{x:1} &amp; <sub>&lt;</sub>"),
    ] {
        let mut out = Vec::new();
        xml::marked(&mut out, given);
        assert_eq!(String::from_utf8(out).unwrap(), written);
    }
}

#[test]
fn control_characters_are_escaped_in_json() {
    let mut out = Vec::new();
    json::string(&mut out, "a\u{1}b\"\\\r\n\t é");
    assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), "a\u{1}b\"\\\r\n\t é");
}
