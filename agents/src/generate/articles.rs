use std::ops::Range;

use jiff::civil::Date;

use super::calendar::{day_between, days_after, month_name};
use super::dice::{Dice, scatter};
use super::fault::Fault;
use super::json::plain;
use super::options::Layout;
use super::prose;
use super::sequence::{Again, Sequence};
use super::source::Source;
use super::truth::Truth;
use super::words::{self, CONDITIONS, JOURNALS};
use super::xml::{element, marked, text};

const HEAD: &[u8] = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
<!DOCTYPE PubmedArticleSet PUBLIC \"-//NLM//DTD PubMedArticle, 1st January 2025//EN\" \
\"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd\">\n<PubmedArticleSet>\n";

/// Journal articles, as PubMed's baseline and update files hold them.
pub(super) struct Articles {
    seed: u64,
}

impl Articles {
    pub(super) fn new(seed: u64) -> Self {
        Articles { seed }
    }

    fn pmid(&self, index: u64) -> u64 {
        900_000_000 + scatter(self.seed, index, 100_000_000)
    }
}

impl Source for Articles {
    fn again(&self) -> Again {
        Again::Editions
    }

    fn faults(&self, _: Layout) -> &'static [Fault] {
        &[Fault::MissingId, Fault::WrongType, Fault::NotARecord]
    }

    fn deletes(&self) -> bool {
        true
    }

    fn open(&self, _: Layout, _count: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(HEAD);
    }

    fn between(&self, _: Layout) -> &'static [u8] {
        b"\n"
    }

    fn close(
        &self,
        _: Layout,
        sequence: &Sequence,
        positions: Range<u64>,
        out: &mut Vec<u8>,
        truth: &mut Truth,
    ) {
        out.push(b'\n');
        for position in positions.filter(|&position| sequence.deleted(position)) {
            if truth.deleted == 0 {
                out.extend_from_slice(b"<DeleteCitation>\n");
            }
            plain(out, format_args!("<PMID Version=\"1\">{}</PMID>\n", self.pmid(position)));
            truth.deleted += 1;
        }
        if truth.deleted > 0 {
            out.extend_from_slice(b"</DeleteCitation>\n");
        }
        out.extend_from_slice(b"</PubmedArticleSet>\n");
    }

    fn record(&mut self, index: u64, edition: u32, out: &mut Vec<u8>, truth: &mut Truth) {
        let mut dice = Dice::new(self.seed, b"article ", index);
        let published = day_between(&mut dice, 1975, 2023);
        let drug = words::drug(&mut dice);
        let condition = CONDITIONS[dice.index(CONDITIONS.len())];
        let pmid = self.pmid(index);
        let article = Article { pmid, edition, published, drug, condition, dice };
        article.write(out, truth);
    }

    fn broken(&mut self, index: u64, fault: Fault, out: &mut Vec<u8>) {
        let pmid = match fault {
            Fault::MissingId => "",
            Fault::WrongType => "<PMID Version=\"1\">not assigned</PMID>",
            Fault::NotARecord | Fault::Truncated => {
                return out.extend_from_slice(b"<PubmedArticle></PubmedArticle>");
            }
        };
        plain(
            out,
            format_args!(
                "<PubmedArticle><MedlineCitation Status=\"In-Data-Review\" Owner=\"NLM\">{pmid}<Article PubModel=\"Print\">\
                 <Journal><Title>Placebo Q</Title></Journal><ArticleTitle>An article that lost its number, {index}.\
                 </ArticleTitle></Article></MedlineCitation></PubmedArticle>"
            ),
        );
    }
}

/// The choices that several parts of one article share.
struct Article {
    pmid: u64,
    edition: u32,
    published: Date,
    drug: String,
    condition: (&'static str, &'static str, &'static str),
    dice: Dice,
}

impl Article {
    fn write(mut self, out: &mut Vec<u8>, truth: &mut Truth) {
        let doi = self.dice.chance(65).then(|| format!("10.5555/statim.{}", self.pmid));
        // Odd editions are corrections within a version, even ones a new version.
        let version = 1 + self.edition / 2;
        plain(
            out,
            format_args!(
                "<PubmedArticle>\n<MedlineCitation Status=\"MEDLINE\" Owner=\"NLM\"><PMID Version=\"{version}\">{}</PMID>",
                self.pmid
            ),
        );
        date(out, "DateCompleted", days_after(self.published, 40));
        date(out, "DateRevised", days_after(self.published, 60 + 45 * i64::from(self.edition)));
        self.article(doi.as_deref(), out, truth);
        if self.dice.chance(10) {
            let other = 900_000_000 + self.dice.below(100_000_000);
            plain(
                out,
                format_args!(
                    "<CommentsCorrectionsList><CommentsCorrections RefType=\"ErratumIn\"><RefSource>Placebo Q. 2004 Aug \
                     15;24(16):1517-21</RefSource><PMID Version=\"1\">{other}</PMID></CommentsCorrections></CommentsCorrectionsList>"
                ),
            );
        }
        self.headings(out, truth);
        out.extend_from_slice(
            b"</MedlineCitation>\n<PubmedData><History><PubMedPubDate PubStatus=\"pubmed\">",
        );
        parts(out, self.published);
        out.extend_from_slice(b"</PubMedPubDate></History>");
        plain(
            out,
            format_args!(
                "<PublicationStatus>ppublish</PublicationStatus><ArticleIdList><ArticleId IdType=\"pubmed\">{}</ArticleId>",
                self.pmid
            ),
        );
        if let Some(doi) = &doi {
            // Half of them in the other case: a DOI has none.
            let written = if self.dice.chance(50) { doi.to_uppercase() } else { doi.clone() };
            plain(out, format_args!("<ArticleId IdType=\"doi\">{written}</ArticleId>"));
        }
        out.extend_from_slice(b"</ArticleIdList>");
        self.references(doi.is_none(), out, truth);
        out.extend_from_slice(b"</PubmedData>\n</PubmedArticle>");
    }

    fn article(&mut self, doi: Option<&str>, out: &mut Vec<u8>, truth: &mut Truth) {
        let (journal, abbreviation, issn) = JOURNALS[self.dice.index(JOURNALS.len())];
        plain(
            out,
            format_args!("<Article PubModel=\"Print\"><Journal><ISSN IssnType=\"Print\">{issn}</ISSN>"),
        );
        plain(
            out,
            format_args!(
                "<JournalIssue CitedMedium=\"Print\"><Volume>{}</Volume><Issue>{}</Issue>",
                i64::from(self.published.year()) - 1970,
                self.published.month()
            ),
        );
        self.publication_date(out);
        out.extend_from_slice(b"</JournalIssue>");
        element(out, "Title", journal);
        element(out, "ISOAbbreviation", abbreviation);
        out.extend_from_slice(b"</Journal><ArticleTitle>");
        let foreign = self.dice.chance(6);
        let mut title = prose::title(&mut self.dice, &self.drug, self.condition.0);
        if self.edition > 0 {
            title.push_str(" (corrected)");
        }
        marked(out, &if foreign { format!("[{title}].") } else { format!("{title}.") });
        out.extend_from_slice(b"</ArticleTitle>");
        let page = self.dice.range(1, 1_900);
        plain(
            out,
            format_args!("<Pagination><MedlinePgn>{page}-{}</MedlinePgn></Pagination>", page % 10 + 3),
        );
        if let Some(doi) = doi {
            plain(out, format_args!("<ELocationID EIdType=\"doi\" ValidYN=\"Y\">{doi}</ELocationID>"));
        }
        self.abstract_text(out);
        self.authors(out, truth);
        plain(out, format_args!("<Language>{}</Language>", if foreign { "ger" } else { "eng" }));
        out.extend_from_slice(b"<PublicationTypeList><PublicationType UI=\"D016428\">Journal Article</PublicationType></PublicationTypeList>");
        if foreign {
            element(
                out,
                "VernacularTitle",
                &format!("Über die Wirkung von {} & Placebo.", words::capital(&self.drug)),
            );
        }
        out.extend_from_slice(b"</Article>");
    }

    fn publication_date(&mut self, out: &mut Vec<u8>) {
        let (year, month, day) = (self.published.year(), month_name(self.published), self.published.day());
        out.extend_from_slice(b"<PubDate>");
        match self.dice.below(100) {
            0..8 => plain(out, format_args!("<MedlineDate>{year} {month}-Dec</MedlineDate>")),
            8..20 => plain(out, format_args!("<Year>{year}</Year>")),
            20..24 => plain(
                out,
                format_args!("<Year>{year}</Year><Season>{}</Season>", self.dice.pick(&["Spring", "Autumn"])),
            ),
            24..65 => plain(out, format_args!("<Year>{year}</Year><Month>{month}</Month>")),
            65..70 => {
                plain(out, format_args!("<Year>{year}</Year><Month>{:02}</Month>", self.published.month()))
            }
            _ => plain(out, format_args!("<Year>{year}</Year><Month>{month}</Month><Day>{day:02}</Day>")),
        }
        out.extend_from_slice(b"</PubDate>");
    }

    fn abstract_text(&mut self, out: &mut Vec<u8>) {
        let kind = self.dice.below(10);
        if kind < 2 {
            return;
        }
        out.extend_from_slice(b"<Abstract>");
        if kind < 6 {
            for label in prose::sections() {
                plain(out, format_args!("<AbstractText Label=\"{label}\" NlmCategory=\"{label}\">"));
                let length = self.dice.range(1, 2);
                marked(out, &prose::paragraph(&mut self.dice, &self.drug, self.condition.0, length));
                out.extend_from_slice(b"</AbstractText>");
            }
        } else {
            out.extend_from_slice(b"<AbstractText>");
            let length = self.dice.range(2, 6);
            marked(out, &prose::paragraph(&mut self.dice, &self.drug, self.condition.0, length));
            out.extend_from_slice(b"</AbstractText>");
        }
        out.extend_from_slice(b"</Abstract>");
    }

    fn authors(&mut self, out: &mut Vec<u8>, truth: &mut Truth) {
        let people = match self.dice.below(20) {
            0 => 0,
            1 => self.dice.range(12, 40),
            _ => self.dice.range(1, 8),
        };
        let collective = self.dice.chance(8);
        if people == 0 && !collective {
            return;
        }
        plain(
            out,
            format_args!("<AuthorList CompleteYN=\"{}\">", if self.dice.chance(5) { "N" } else { "Y" }),
        );
        for place in 0..people {
            let (given, surname) = (words::given_name(&mut self.dice), words::surname(&mut self.dice));
            out.extend_from_slice(b"<Author ValidYN=\"Y\">");
            element(out, "LastName", &surname);
            element(out, "ForeName", given);
            element(out, "Initials", &given.chars().take(1).collect::<String>());
            if place == 0 {
                out.extend_from_slice(b"<AffiliationInfo>");
                let place = words::town(&mut self.dice);
                element(
                    out,
                    "Affiliation",
                    &format!("{place} {}, {place}.", self.dice.pick(words::FACILITIES)),
                );
                out.extend_from_slice(b"</AffiliationInfo>");
            }
            out.extend_from_slice(b"</Author>");
        }
        if collective {
            out.extend_from_slice(b"<Author ValidYN=\"Y\">");
            element(
                out,
                "CollectiveName",
                &format!("{} Study Group & Investigators", self.drug.to_uppercase()),
            );
            out.extend_from_slice(b"</Author>");
        }
        out.extend_from_slice(b"</AuthorList>");
        truth.authors += people.unsigned_abs() + u64::from(collective);
    }

    fn headings(&mut self, out: &mut Vec<u8>, truth: &mut Truth) {
        if !self.dice.chance(85) {
            return;
        }
        out.extend_from_slice(b"<MeshHeadingList>");
        let first = self.dice.index(CONDITIONS.len());
        let count = 1 + self.dice.index(5);
        for step in 0..count {
            let at = (first + step) % CONDITIONS.len();
            plain(out, format_args!("<MeshHeading><DescriptorName UI=\"D99{at:04}\" MajorTopicYN=\"N\">"));
            text(out, CONDITIONS[at].1);
            out.extend_from_slice(b"</DescriptorName>");
            if self.dice.chance(40) {
                out.extend_from_slice(
                    b"<QualifierName UI=\"Q000188\" MajorTopicYN=\"Y\">drug therapy</QualifierName>",
                );
            }
            out.extend_from_slice(b"</MeshHeading>");
        }
        out.extend_from_slice(b"</MeshHeadingList>");
        truth.mesh_headings += count as u64;
    }

    /// Cited works. An article without a DOI of its own always cites one that has one.
    fn references(&mut self, must: bool, out: &mut Vec<u8>, truth: &mut Truth) {
        if !must && !self.dice.chance(40) {
            return;
        }
        let count = self.dice.range(1, 12);
        out.extend_from_slice(b"<ReferenceList>");
        for place in 0..count {
            let cited = self.dice.below(100_000_000);
            out.extend_from_slice(b"<Reference>");
            element(
                out,
                "Citation",
                &format!(
                    "{} A. J Synth Trials & Methods. 2001;{}(2):1-9",
                    words::surname(&mut self.dice),
                    self.dice.range(1, 90)
                ),
            );
            out.extend_from_slice(b"<ArticleIdList>");
            if (must && place == 0) || self.dice.chance(50) {
                plain(out, format_args!("<ArticleId IdType=\"doi\">10.5555/cited.{cited}</ArticleId>"));
            }
            plain(
                out,
                format_args!(
                    "<ArticleId IdType=\"pubmed\">9{cited:08}</ArticleId></ArticleIdList></Reference>"
                ),
            );
        }
        out.extend_from_slice(b"</ReferenceList>");
        truth.references += count.unsigned_abs();
    }
}

fn date(out: &mut Vec<u8>, name: &str, date: Date) {
    plain(out, format_args!("<{name}>"));
    parts(out, date);
    plain(out, format_args!("</{name}>"));
}

fn parts(out: &mut Vec<u8>, date: Date) {
    let (year, month, day) = (date.year(), date.month(), date.day());
    plain(out, format_args!("<Year>{year}</Year><Month>{month:02}</Month><Day>{day:02}</Day>"));
}
