use proptest::collection::vec;
use proptest::prelude::*;

use super::packed::{gzip, zipped};
use super::*;

const ARTICLE: &str = "<?xml version=\"1.0\"?><PubmedArticleSet><PubmedArticle><MedlineCitation Status=\"MEDLINE\">\
    <PMID Version=\"1\">12</PMID><Article><ArticleTitle>A &amp; <i>b</i> &#233;</ArticleTitle><AuthorList><Author>\
    <LastName>Ng</LastName></Author></AuthorList></Article></MedlineCitation><PubmedData><ArticleIdList>\
    <ArticleId IdType=\"doi\">10.1/x</ArticleId></ArticleIdList><ReferenceList><Reference><Citation>C</Citation>\
    </Reference></ReferenceList></PubmedData></PubmedArticle><DeleteCitation><PMID>3</PMID></DeleteCitation></PubmedArticleSet>";

fn seeds() -> Vec<Vec<u8>> {
    let study = study_text("NCT1", r#","conditionsModule":{"conditions":["a","b"]}"#);
    let page = format!(r#"{{"nextPageToken":"t","studies":[{study},{study}]}}"#);
    let lines = format!("{study}\n{study}\n");
    let label = r#"{"meta":{},"results":[{"set_id":"S","version":"1","x":["y"]},{"safetyreportid":"1","patient":{"drug":[]}}]}"#;
    let packed = [gzip(page.as_bytes()), zipped(&[("a", page.as_bytes()), ("b", ARTICLE.as_bytes())])];
    let plain = [page, lines, label.to_owned(), ARTICLE.to_owned()];
    plain.into_iter().map(String::into_bytes).chain(packed).collect()
}

/// Reads within small limits and checks that the file was accounted for.
fn survives(bytes: &[u8]) {
    let limits = Limits { record_bytes: 1 << 16, file_bytes: 1 << 20, zip_members: 16 };
    let (report, gathered) = read_within(bytes, &limits);
    assert!(report.bytes <= 1 << 20);
    for fault in &gathered.quarantined {
        assert!(!fault.reason.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_an_account_and_never_a_panic(bytes in vec(any::<u8>(), 0..2000)) {
        survives(&bytes);
    }

    #[test]
    fn any_bytes_after_a_magic_number_give_an_account(
        magic in prop::sample::select(vec![
            "{", "[", "[{", "{\"studies\":[", "{\"results\":[{", "<", "<PubmedArticleSet>", "<PubmedArticleSet><PubmedArticle>",
            "PK\x03\x04", "\x1f", "<!", "<?", "<!DOCTYPE a [", "<PubmedArticleSet a=", "<PubmedArticleSet><PubmedArticle><!",
        ]),
        bytes in vec(any::<u8>(), 0..600),
    ) {
        survives(&[magic.as_bytes(), &bytes].concat());
    }

    #[test]
    fn text_of_markup_characters_gives_an_account(
        start in prop::sample::select(vec!["", "<PubmedArticleSet>", "[", "{"]),
        text in "[<>!/?=&;#x0-9A-C\"'{}\\[\\]:, \\-\n\\\\e.]{0,200}",
    ) {
        survives(format!("{start}{text}").as_bytes());
    }

    #[test]
    fn mutated_files_give_an_account(
        seed in 0usize..6,
        changes in vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..8),
    ) {
        let mut bytes = seeds().swap_remove(seed);
        for (index, byte, change) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = index.index(bytes.len());
            match change {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
        }
        survives(&bytes);
    }
}

#[test]
fn deep_nesting_is_an_account_and_not_a_crash() {
    let deep_json = format!("[{}{}]", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(read(deep_json).quarantined.len(), 1);
    let (open, close) = ("[".repeat(5000), "]".repeat(5000));
    let passed_over = study_text("NCT1", &format!(r#","x":{open}1{close}"#));
    assert_eq!(ids(&read(&passed_over)), ["NCT1"]);
    let section = format!(r#"{{"set_id":"S","x":{open}1{close}}}"#);
    let after = study_text("NCT2", "");
    let gathered = read(format!("[{section},{after}]"));
    assert_eq!(ids(&gathered), ["NCT2"]);
    assert_eq!(only_fault(&gathered).reason, "nested too deeply");
    for inside in ["<a>", "<PubmedArticle>", "<ReferenceList>"] {
        let text = format!("<PubmedArticleSet><PubmedArticle><PubmedData>{}", inside.repeat(100_000));
        assert!(only_fault(&read(text)).reason.contains("nested too deeply"), "{inside}");
    }
}

#[test]
fn a_record_that_is_not_utf_8_costs_only_itself() {
    let study = study_text("NCT1", "");
    let bytes = [b"[{\"protocolSection\":\"\xFF\"},", study.as_bytes(), b"]"].concat();
    let gathered = read(bytes);
    assert_eq!(ids(&gathered), ["NCT1"]);
    assert!(only_fault(&gathered).reason.contains("UTF-8"));
}

#[test]
fn wrong_types_in_every_place_are_accounts() {
    for value in ["null", "1", "\"x\"", "[]", "{}", "[null]", "true", "1e999", "[[[]]]"] {
        for text in [
            format!(r#"{{"protocolSection":{value}}}"#),
            format!(r#"{{"studies":{value}}}"#),
            format!(r#"{{"results":{value}}}"#),
            format!(r#"{{"safetyreportid":{value}}}"#),
            format!(r#"{{"set_id":{value}}}"#),
            format!(r#"{{"product_ndc":{value},"packaging":{value},"openfda":{value}}}"#),
            format!(r#"{{"application_number":{value},"products":{value}}}"#),
            format!(r#"{{"error":{value}}}"#),
        ] {
            let gathered = read(&text);
            let page = text.starts_with("{\"studies\":[") || text.starts_with("{\"results\":[");
            let accounted = gathered.records.len() + gathered.quarantined.len();
            assert!(accounted > 0 || page, "{text}");
        }
    }
}
