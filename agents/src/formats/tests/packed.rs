use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn every_member_of_a_gzip_file_is_read() {
    let (a, b) = (study_text("NCT1", ""), study_text("NCT2", ""));
    let mut bytes = gzip(format!("[{a},").as_bytes());
    bytes.extend(gzip(format!("{b}]").as_bytes()));
    let (report, gathered) = read_within(&bytes, &Limits::default());
    assert_eq!(ids(&gathered), ["NCT1", "NCT2"]);
    assert_eq!(report.container, Container::Gzip);
    assert_eq!(report.bytes, (a.len() + b.len() + 3) as u64);
}

#[test]
fn every_member_of_a_zip_file_is_read_by_its_content() {
    let study = study_text("NCT1", "");
    let article = "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>5</PMID></MedlineCitation></PubmedArticle></PubmedArticleSet>";
    let bytes = zipped(&[
        ("a.xml", study.as_bytes()),
        ("table.txt", b"a\tb\n"),
        ("b.json", article.as_bytes()),
        ("inner.gz", &gzip(study.as_bytes())),
        ("empty", b""),
    ]);
    let (report, gathered) = read_within(&bytes, &Limits::default());
    assert_eq!(ids(&gathered), ["NCT1", "5"]);
    assert_eq!((report.container, report.members), (Container::Zip, 5));
    let members: Vec<_> = gathered.quarantined.iter().map(|entry| entry.member.as_deref().unwrap()).collect();
    assert_eq!(members, ["table.txt", "inner.gz", "empty"]);
    assert!(gathered.quarantined[1].reason.contains("archive inside an archive"));
}

#[test]
fn a_fault_in_one_member_leaves_the_others() {
    let study = study_text("NCT1", "");
    let bytes = zipped(&[("bad", b"[{\"a\":"), ("good", study.as_bytes())]);
    let gathered = read(&bytes);
    assert_eq!(ids(&gathered), ["NCT1"]);
    assert_eq!(only_fault(&gathered).member.as_deref(), Some("bad"));
}

#[test]
fn an_archive_inside_a_gzip_file_is_quarantined() {
    for inner in [gzip(b"[]"), zipped(&[("a", b"[]")])] {
        let gathered = read(gzip(&inner));
        assert!(only_fault(&gathered).reason.contains("archive inside an archive"));
    }
}

#[test]
fn a_truncated_or_damaged_gzip_file_keeps_what_came_before() {
    let studies: Vec<String> = (0..4000).map(|n| study_text(&format!("NCT{:08}", n * 7919), "")).collect();
    let whole = gzip(format!("[{}]", studies.join(",")).as_bytes());
    let cut = read(&whole[..whole.len() / 2]);
    assert!(!cut.records.is_empty() && cut.records.len() < 4000);
    assert!(only_fault(&cut).reason.contains("truncated"));
    let mut damaged = whole.clone();
    let last = damaged.len() - 6;
    damaged[last] ^= 0xFF;
    let checked = read(&damaged);
    assert_eq!(checked.records.len(), 4000);
    assert!(only_fault(&checked).reason.contains("damaged"));
}

#[test]
fn a_damaged_zip_file_is_quarantined() {
    let study = study_text("NCT1", "");
    let whole = zipped(&[("a", study.as_bytes())]);
    assert!(only_fault(&read(&whole[..whole.len() - 10])).reason.contains("damaged"));
    assert!(only_fault(&read(zipped(&[]))).reason.contains("no members"));
    let mut wrong = whole.clone();
    wrong[40] ^= 0xFF;
    let gathered = read(&wrong);
    assert!(!gathered.quarantined.is_empty());
}

#[test]
fn a_bomb_stops_at_the_ceiling_of_the_file() {
    let limits = Limits { file_bytes: 100_000, ..Limits::default() };
    let bomb = vec![b' '; 5_000_000];
    let text = [b"[".as_slice(), &bomb, b"]"].concat();
    let studies = format!("[{}]", vec![study_text("NCT1", ""); 5000].join(","));
    for bytes in [gzip(&text), zipped(&[("a", &text), ("b", b"[]")]), gzip(studies.as_bytes())] {
        let (report, gathered) = read_within(&bytes, &limits);
        assert!(report.bytes <= 100_000, "{}", report.bytes);
        assert!(gathered.quarantined[0].reason.contains("more than 100000 bytes"));
    }
    let exact = vec![b' '; 99_998];
    let text = [b"[".as_slice(), &exact, b"]"].concat();
    assert!(read_within(&gzip(&text), &limits).1.quarantined.is_empty());
}

#[test]
fn a_record_beyond_its_ceiling_is_quarantined_and_the_rest_goes_on() {
    let limits = Limits { record_bytes: 1000, ..Limits::default() };
    let (a, c) = (study_text("NCT1", ""), study_text("NCT3", ""));
    let big = study_text("NCT2", &format!(r#","x":"{}""#, "y}]\\\"".repeat(500)));
    for text in [format!("[{a},{big},{c}]"), format!("{a}\n{big}\n{c}\n"), format!("{a} {big} {c}")] {
        let (_, gathered) = read_within(text.as_bytes(), &limits);
        assert_eq!(ids(&gathered), ["NCT1", "NCT3"], "{:?}", gathered.quarantined);
        let fault = only_fault(&gathered);
        assert!(fault.reason.contains("larger than 1000 bytes"));
        assert_eq!(fault.position.record, Some(1));
    }
    let article = format!(
        "<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID></MedlineCitation></PubmedArticle>\
         <PubmedArticle><MedlineCitation><PMID>{}</PMID></MedlineCitation></PubmedArticle></PubmedArticleSet>",
        "7".repeat(5000)
    );
    let (_, gathered) = read_within(article.as_bytes(), &limits);
    assert_eq!(ids(&gathered), ["1"]);
    assert!(only_fault(&gathered).reason.contains("larger than 1000 bytes"));
}
