use super::*;
use crate::record::{Article, Evidence, Scheme};

const HEAD: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle//EN" "https://dtd.invalid/never_fetched.dtd">"#;

fn set(inside: &str) -> String {
    format!("{HEAD}\n<PubmedArticleSet>{inside}</PubmedArticleSet>\n")
}

fn entry(pmid: &str, article: &str, data: &str) -> String {
    format!(
        "<PubmedArticle><MedlineCitation Status=\"MEDLINE\"><PMID Version=\"1\">{pmid}</PMID>{article}</MedlineCitation>\
         <PubmedData>{data}</PubmedData></PubmedArticle>"
    )
}

fn only_article(text: &str) -> Article {
    let mut gathered = read(text);
    assert!(gathered.quarantined.is_empty(), "{:?}", gathered.quarantined);
    match gathered.records.pop() {
        Some(Record::Article(article)) if gathered.records.is_empty() => *article,
        other => panic!("not one article: {other:?}"),
    }
}

#[test]
fn text_inside_markup_is_kept_and_entities_are_decoded() {
    let body = "<Article><ArticleTitle>Role of <i>TP<sub>53</sub></i> &amp; &#xe9;&#233; &lt;x&gt; \
                <![CDATA[a<b]]> after</ArticleTitle><Abstract><AbstractText Label=\"AIM\" NlmCategory=\"OBJECTIVE\">\
                We <b>test</b>.</AbstractText><AbstractText Label=\"END\">Done</AbstractText>\
                <CopyrightInformation>(c)</CopyrightInformation></Abstract>\
                <VernacularTitle>R&#xF4;le</VernacularTitle></Article>\
                <OtherAbstract Type=\"Publisher\" Language=\"fre\"><AbstractText>Autre</AbstractText></OtherAbstract>";
    let article = only_article(&set(&entry("1", body, "")));
    assert_eq!(article.title, "Role of TP53 & éé <x> a<b after");
    let sections = &article.abstract_text.as_ref().unwrap().sections;
    assert_eq!((sections[0].label.as_deref(), sections[0].text.as_str()), (Some("AIM"), "We test."));
    assert_eq!(sections.len(), 2);
    assert_eq!(article.vernacular_title.as_deref(), Some("Rôle"));
    assert_eq!(article.other_abstracts[0].language.as_deref(), Some("fre"));
    assert_eq!(article.other_abstracts[0].sections[0].text, "Autre");
}

#[test]
fn a_cited_doi_is_never_the_article_s_own() {
    let data = r#"<ArticleIdList><ArticleId IdType="pubmed">1</ArticleId><ArticleId IdType="doi"/></ArticleIdList>
        <ReferenceList><Reference><Citation>A</Citation><ArticleIdList><ArticleId IdType="doi">10.1/cited</ArticleId>
        </ArticleIdList></Reference><ReferenceList><Title>More</Title><Reference><Citation>B</Citation></Reference>
        </ReferenceList></ReferenceList>"#;
    let article = only_article(&set(&entry("1", "", data)));
    assert_eq!(article.doi, None);
    assert_eq!(article.references.len(), 2);
    assert_eq!(article.references[0].ids[0].value, "10.1/cited");
}

#[test]
fn an_own_doi_is_found_in_the_ids_or_in_the_electronic_location() {
    let data = r#"<ArticleIdList><ArticleId IdType="doi">DOI:10.1/Own</ArticleId></ArticleIdList>"#;
    let article = only_article(&set(&entry("1", "", data)));
    assert_eq!(article.doi.as_deref(), Some("DOI:10.1/Own"));
    let aliases = Record::Article(Box::new(article)).aliases();
    let doi = aliases.iter().find(|alias| alias.scheme == Scheme::Doi).unwrap();
    assert_eq!((doi.value.as_str(), doi.evidence), ("10.1/own", Evidence::Secondary));
    let body = r#"<Article><ELocationID EIdType="doi" ValidYN="N">10.1/wrong</ELocationID>
        <ELocationID EIdType="pii">p</ELocationID><ELocationID EIdType="doi" ValidYN="Y">10.1/e</ELocationID></Article>"#;
    assert_eq!(only_article(&set(&entry("1", body, ""))).doi.as_deref(), Some("10.1/e"));
}

#[test]
fn only_the_own_pmid_and_the_own_authors_are_taken() {
    let body = r#"<Article><AuthorList CompleteYN="N"><Author ValidYN="Y" EqualContrib="Y"><LastName>Ng</LastName>
        <ForeName>Ada</ForeName><Initials>A</Initials><Suffix>Jr</Suffix><Identifier Source="ORCID">0-1</Identifier>
        <AffiliationInfo><Affiliation>U &amp; V</Affiliation></AffiliationInfo></Author>
        <Author ValidYN="N"><CollectiveName>The Group</CollectiveName></Author></AuthorList></Article>
        <CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>J</RefSource>
        <PMID Version="1">99</PMID></CommentsCorrections></CommentsCorrectionsList>
        <PersonalNameSubjectList><PersonalNameSubject><LastName>Curie</LastName></PersonalNameSubject></PersonalNameSubjectList>
        <InvestigatorList><Investigator><LastName>Doe</LastName></Investigator></InvestigatorList>"#;
    let article = only_article(&set(&entry("1", body, "")));
    assert_eq!(article.pmid, "1");
    assert_eq!(article.authors.len(), 2);
    assert!(!article.authors_complete);
    let first = &article.authors[0];
    assert_eq!(first.suffix.as_deref(), Some("Jr"));
    assert_eq!(first.affiliations[0].name, "U & V");
    assert_eq!(first.identifiers[0].value, "0-1");
    assert!(first.valid && first.equal_contribution && !article.authors[1].valid);
    assert_eq!(article.authors[1].collective_name.as_deref(), Some("The Group"));
    assert_eq!(article.investigators.len(), 1);
    assert_eq!(article.corrections[0].kind, "RetractionIn");
    assert_eq!(article.corrections[0].pmid.as_deref(), Some("99"));
}

#[test]
fn five_thousand_authors_are_kept() {
    let authors = "<Author><LastName>A</LastName></Author>".repeat(5000);
    let body = format!("<Article><AuthorList>{authors}</AuthorList></Article>");
    assert_eq!(only_article(&set(&entry("1", &body, ""))).authors.len(), 5000);
}

#[test]
fn dates_keep_their_precision() {
    for (inside, text) in [
        ("<Year>1976</Year><Month>Jan</Month><Day>5</Day>", "1976-01-05"),
        ("<Year>1976</Year><Month>01</Month>", "1976-01"),
        ("<Year>1976</Year>", "1976"),
        ("<Year>1976</Year><Season>Summer</Season>", "1976 Summer"),
        ("<MedlineDate>1976 Jan-Feb</MedlineDate>", "1976 Jan-Feb"),
    ] {
        let body = format!(
            "<DateRevised><Year>2019</Year><Month>11</Month><Day>03</Day></DateRevised><Article><Journal>\
             <JournalIssue CitedMedium=\"Print\"><Volume>7</Volume><PubDate>{inside}</PubDate></JournalIssue>\
             <Title>J</Title></Journal></Article>"
        );
        let article = only_article(&set(&entry("1", &body, "")));
        assert_eq!(article.published.unwrap().as_str(), text);
        assert_eq!(article.date_revised.unwrap().as_str(), "2019-11-03");
        assert_eq!(article.journal.volume.as_deref(), Some("7"));
    }
}

#[test]
fn what_indexers_add_is_kept() {
    let body = r#"<Article><DataBankList><DataBank><DataBankName>ClinicalTrials.gov</DataBankName><AccessionNumberList>
        <AccessionNumber>NCT00000001</AccessionNumber></AccessionNumberList></DataBank></DataBankList>
        <GrantList><Grant><GrantID>R01</GrantID><Country>US</Country></Grant></GrantList>
        <PublicationTypeList><PublicationType UI="D016428">Journal Article</PublicationType></PublicationTypeList></Article>
        <MeshHeadingList><MeshHeading><DescriptorName UI="D1" MajorTopicYN="N" Type="Geographic">Ghana</DescriptorName>
        <QualifierName UI="Q1" MajorTopicYN="Y">history</QualifierName><QualifierName UI="Q2">x</QualifierName>
        </MeshHeading></MeshHeadingList><KeywordList Owner="NOTNLM"><Keyword MajorTopicYN="Y">k</Keyword></KeywordList>
        <ChemicalList><Chemical><RegistryNumber>0</RegistryNumber><NameOfSubstance UI="D2">Water</NameOfSubstance></Chemical></ChemicalList>"#;
    let article = only_article(&set(&entry("1", body, "")));
    let heading = &article.mesh_headings[0];
    assert_eq!(heading.descriptor.ui.as_deref(), Some("D1"));
    assert_eq!((heading.qualifiers.len(), heading.qualifiers[0].major), (2, true));
    assert_eq!(article.publication_types[0].name, "Journal Article");
    assert_eq!(article.keywords[0].owner.as_deref(), Some("NOTNLM"));
    assert_eq!(article.chemicals[0].name, "Water");
    assert_eq!(article.grants[0].id.as_deref(), Some("R01"));
    let aliases = Record::Article(Box::new(article)).aliases();
    assert!(aliases.iter().any(|alias| alias.scheme == Scheme::Nct && alias.evidence == Evidence::Link));
}

#[test]
fn a_book_chapter_is_an_article_with_its_book() {
    let text = "<PubmedArticleSet><PubmedBookArticle><BookDocument><PMID Version=\"3\">5</PMID><ArticleIdList>\
        <ArticleId IdType=\"doi\">10.1/b</ArticleId></ArticleIdList><Book><Publisher><PublisherName>P</PublisherName>\
        </Publisher><BookTitle>GeneReviews</BookTitle><PubDate><Year>1993</Year></PubDate><AuthorList Type=\"editors\">\
        <Author><LastName>E</LastName></Author></AuthorList></Book><ArticleTitle>Chapter</ArticleTitle>\
        <AuthorList Type=\"authors\"><Author><LastName>A</LastName></Author></AuthorList></BookDocument>\
        <PubmedBookData><PublicationStatus>ppublish</PublicationStatus></PubmedBookData></PubmedBookArticle></PubmedArticleSet>";
    let article = only_article(text);
    assert_eq!((article.version, article.title.as_str()), (3, "Chapter"));
    let book = article.book.as_ref().unwrap();
    assert_eq!((book.title.as_str(), book.authors[0].role.as_deref()), ("GeneReviews", Some("editors")));
    assert_eq!(article.doi.as_deref(), Some("10.1/b"));
    assert_eq!(Record::Article(Box::new(article)).counts().authors, 2);
}

#[test]
fn deletions_are_told_in_the_order_of_the_file() {
    let text = set(&format!(
        "{}<DeleteCitation><PMID Version=\"1\">1</PMID><PMID Version=\"2\">7</PMID></DeleteCitation>",
        entry("1", "", "")
    ));
    let (report, gathered) = read_within(text.as_bytes(), &Limits::default());
    assert_eq!(gathered.deleted, [("1".to_owned(), 1), ("7".to_owned(), 2)]);
    assert_eq!((report.counts.deleted, report.records), (2, 1));
}

#[test]
fn a_record_without_a_pmid_is_quarantined_and_the_rest_goes_on() {
    let text = set(&format!("{}{}{}", entry("1", "", ""), entry("", "", ""), entry("3", "", "")));
    let gathered = read(&text);
    assert_eq!(ids(&gathered), ["1", "3"]);
    let fault = only_fault(&gathered);
    assert_eq!(fault.position.record, Some(1));
    let from = usize::try_from(fault.position.byte).unwrap();
    assert!(text[from..].starts_with("<PubmedArticle>"));
}

#[test]
fn broken_xml_quarantines_the_rest_at_its_place() {
    let good = entry("1", "", "");
    for broken in [
        "<PubmedArticle><MedlineCitation></PubmedArticle>",
        "<PubmedArticle><MedlineCitation><PMID>2",
        "<PubmedArticle><",
        "<PubmedArticle><!-- ",
        "<PubmedArticle><PMID a=></PMID",
    ] {
        let text = format!("<PubmedArticleSet>{good}{broken}");
        let gathered = read(&text);
        assert_eq!(ids(&gathered), ["1"], "{broken}");
        let byte = only_fault(&gathered).position.byte;
        assert!(byte as usize >= good.len() && byte as usize <= text.len(), "{broken}: {byte}");
    }
}

#[test]
fn text_that_is_not_utf_8_or_says_so_is_quarantined() {
    let mut bytes = set(&entry("1", "<Article><ArticleTitle>X</ArticleTitle></Article>", "")).into_bytes();
    let at = bytes.iter().rposition(|&byte| byte == b'X').unwrap();
    bytes[at] = 0xE9;
    assert!(only_fault(&read(&bytes)).reason.contains("UTF-8"));
    let latin = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><PubmedArticleSet></PubmedArticleSet>";
    assert!(only_fault(&read(latin)).reason.contains("UTF-8"));
}

#[test]
fn an_empty_set_is_no_fault_and_two_documents_in_a_row_are_read() {
    for text in [set(""), "<PubmedArticleSet/>".to_owned()] {
        let gathered = read(&text);
        assert!(gathered.records.is_empty() && gathered.quarantined.is_empty(), "{text}");
    }
    let twice = format!("{}{}", set(&entry("1", "", "")), set(&entry("2", "", "")));
    assert_eq!(ids(&read(twice)), ["1", "2"]);
}

#[test]
fn entities_of_a_document_type_are_never_expanded() {
    let text = "<!DOCTYPE PubmedArticleSet [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>\
        <PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>x &b; y</ArticleTitle>\
        </Article></MedlineCitation></PubmedArticle></PubmedArticleSet>";
    assert_eq!(only_article(text).title, "x &b; y");
}

#[test]
fn foreign_xml_is_named() {
    for (text, words) in [
        ("<?xml version=\"1.0\"?><clinical_study rank=\"1\"></clinical_study>", "legacy XML"),
        ("<rss version=\"2.0\"><channel/></rss>", "RSS"),
        ("<document xmlns=\"urn:hl7-org:v3\"></document>", "SPL"),
        ("<ichicsr lang=\"en\"></ichicsr>", "E2B"),
        ("<!DOCTYPE html>\n<html><head>", "HTML"),
        ("<HTML><body>502 Bad Gateway", "HTML"),
        ("<recipe/>", "<recipe>"),
        ("<!-- nothing -->", "no element"),
        ("PMID- 12230038\nOWN - NLM\n", "MEDLINE"),
        ("ApplNo\tApplType\r\n000004\tNDA\r\n", "tabs"),
        ("hello", "unknown form"),
        ("", "empty"),
        (" \n\t ", "empty"),
        ("\u{feff}", "empty"),
        ("a\0b", "binary"),
    ] {
        let gathered = read(text);
        assert!(only_fault(&gathered).reason.contains(words), "{text}: {:?}", gathered.quarantined);
    }
}
