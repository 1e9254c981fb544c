//! Walking through XML: the child elements of the current element, its text, its attributes.

use std::io::BufRead;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::super::meter::Meter;
use super::super::quarantine::{Position, Stop};
use super::super::reason;
use super::tag::Tag;

/// Deepest nesting of elements. PubMed needs fewer than 20.
const DEPTH: usize = 256;

/// What a document is, by its root element.
#[derive(Debug)]
pub(super) enum Root {
    /// A set of PubMed records.
    Set,
    /// One PubMed record, or a list of deletions.
    Single(Tag),
    /// Something known that is not read.
    Other(&'static str),
    /// Something else, with the name of its root element.
    Unknown(String),
}

/// A place in an XML document, always just after a start or end tag. All buffers are used again and again.
#[derive(Debug)]
pub(super) struct Cursor<'a, R> {
    reader: Reader<&'a mut Meter<R>>,
    offset: u64,
    buffer: Vec<u8>,
    attributes: String,
    gathered: String,
    depth: usize,
    start: u64,
}

/// What ended a step.
enum Step {
    Start,
    End,
    Text,
    Eof,
}

impl<'a, R: BufRead> Cursor<'a, R> {
    pub(super) fn new(input: &'a mut Meter<R>, offset: u64) -> Self {
        input.begin_record();
        let mut reader = Reader::from_reader(input);
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            offset,
            buffer: Vec::with_capacity(4096),
            attributes: String::new(),
            gathered: String::new(),
            depth: 0,
            start: 0,
        }
    }

    /// The ceiling of a record holds anew from here.
    pub(super) fn begin_record(&mut self) {
        self.reader.get_mut().begin_record();
    }

    /// Bytes of the file before the element that was entered last.
    pub(super) fn start(&self) -> u64 {
        self.offset + self.start
    }

    pub(super) fn fault(&self, reason: &str) -> Stop {
        let byte = self.offset + self.reader.buffer_position();
        Stop::fault(Position { byte, ..Position::default() }, reason)
    }

    /// Enters the next root element; `None` at the end of the file.
    pub(super) fn root(&mut self) -> Result<Option<Root>, Stop> {
        loop {
            self.start = self.reader.buffer_position();
            self.buffer.clear();
            match self.reader.read_event_into(&mut self.buffer) {
                Ok(Event::Start(element)) => {
                    let root = recognise(&element);
                    self.depth = 1;
                    return Ok(Some(root));
                }
                Ok(Event::Eof) => return Ok(None),
                Ok(Event::Decl(declaration)) if !is_utf8(&declaration) => {
                    return Err(self.fault("the XML is not in UTF-8; convert it"));
                }
                Ok(Event::Text(text)) if !text.trim_ascii().is_empty() => {
                    return Err(self.fault("not valid XML: text outside the root element"));
                }
                Ok(Event::CData(_) | Event::GeneralRef(_)) => {
                    return Err(self.fault("not valid XML: text outside the root element"));
                }
                Ok(_) => {}
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }

    /// Enters the next child of the current element; `None` when the element has ended.
    pub(super) fn child(&mut self) -> Result<Option<Tag>, Stop> {
        let depth = self.depth;
        loop {
            self.start = self.reader.buffer_position();
            self.buffer.clear();
            match self.reader.read_event_into(&mut self.buffer) {
                Ok(Event::Start(element)) => {
                    let tag = Tag::of(element.local_name().as_ref());
                    self.attributes.clear();
                    self.attributes.push_str(element.attributes_raw());
                    self.enter(depth)?;
                    return Ok(Some(tag));
                }
                Ok(Event::End(_)) => {
                    self.depth = depth.saturating_sub(1);
                    return Ok(None);
                }
                Ok(Event::Eof) => return Err(self.truncated()),
                Ok(_) => {}
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }

    /// Leaves the current element without looking at it.
    pub(super) fn skip(&mut self) -> Result<(), Stop> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if matches!(self.step(false)?, Step::Eof) {
                return Err(self.truncated());
            }
        }
        Ok(())
    }

    /// The text of the current element, that of inline markup in it included, without white space at its ends. Leaves the
    /// element.
    pub(super) fn text(&mut self) -> Result<String, Stop> {
        let outside = self.depth.saturating_sub(1);
        self.gathered.clear();
        while self.depth > outside {
            if matches!(self.step(true)?, Step::Eof) {
                return Err(self.truncated());
            }
        }
        Ok(self.gathered.trim().to_owned())
    }

    /// As [`Self::text`], with an empty text as nothing.
    pub(super) fn some_text(&mut self) -> Result<Option<String>, Stop> {
        Ok(Some(self.text()?).filter(|text| !text.is_empty()))
    }

    /// An attribute of the element that was entered last. To be asked before anything else is read.
    pub(super) fn attribute(&self, name: &str) -> Result<Option<String>, Stop> {
        if self.attributes.is_empty() {
            return Ok(None);
        }
        for attribute in Attributes::new(&self.attributes, 0) {
            let attribute = attribute.map_err(|_| self.fault("not valid XML: an attribute"))?;
            if attribute.key.as_ref() == name {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                // An entity that only the document type knows stays as it is written.
                return Ok(Some(value.map_or_else(|_| (*attribute.value).into(), Into::into)));
            }
        }
        Ok(None)
    }

    /// Whether an attribute has the given value.
    pub(super) fn is(&self, name: &str, value: &str) -> Result<bool, Stop> {
        Ok(self.attribute(name)?.is_some_and(|found| found == value))
    }

    /// An attribute as a number.
    pub(super) fn number(&self, name: &str) -> Result<Option<u32>, Stop> {
        Ok(self.attribute(name)?.and_then(|text| text.trim().parse().ok()))
    }

    fn step(&mut self, gather: bool) -> Result<Step, Stop> {
        let depth = self.depth;
        self.buffer.clear();
        let step = match self.reader.read_event_into(&mut self.buffer) {
            Ok(Event::Start(_)) => Step::Start,
            Ok(Event::End(_)) => Step::End,
            Ok(Event::Eof) => Step::Eof,
            Ok(Event::Text(text)) => {
                if gather {
                    self.gathered.push_str(&text.xml10_content());
                }
                Step::Text
            }
            Ok(Event::CData(text)) => {
                if gather {
                    self.gathered.push_str(&text.xml10_content());
                }
                Step::Text
            }
            Ok(Event::GeneralRef(reference)) => {
                if gather {
                    resolve(&reference, &mut self.gathered);
                }
                Step::Text
            }
            Ok(_) => Step::Text,
            Err(error) => return Err(self.broken(&error)),
        };
        match step {
            Step::Start => self.enter(depth)?,
            Step::End => self.depth = depth.saturating_sub(1),
            Step::Text | Step::Eof => {}
        }
        Ok(step)
    }

    fn enter(&mut self, depth: usize) -> Result<(), Stop> {
        if depth >= DEPTH {
            return Err(self.fault("the XML is nested too deeply"));
        }
        self.depth = depth + 1;
        Ok(())
    }

    fn truncated(&self) -> Stop {
        self.fault("not valid XML: the text ends inside an element; the file is truncated")
    }

    fn broken(&self, error: &quick_xml::Error) -> Stop {
        use quick_xml::Error;
        let byte = self.offset + self.reader.error_position();
        let position = Position { byte, ..Position::default() };
        let reason = match error {
            Error::Io(error) => return reason::of_io(error, position),
            Error::Syntax(_) => "not valid XML: a tag, comment or section is not closed",
            Error::IllFormed(_) => "not valid XML: start and end tags do not match",
            Error::InvalidAttr(_) => "not valid XML: an attribute",
            Error::Encoding(_) => "the XML is not valid UTF-8",
            _ => "not valid XML",
        };
        Stop::fault(position, reason)
    }
}

/// Appends what a reference stands for. One that only the document type knows is kept as it is written.
fn resolve(reference: &BytesRef<'_>, into: &mut String) {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        into.push(character);
    } else if let Some(text) = resolve_predefined_entity(reference) {
        into.push_str(text);
    } else {
        into.push('&');
        into.push_str(reference);
        into.push(';');
    }
}

fn is_utf8(declaration: &BytesDecl<'_>) -> bool {
    match declaration.encoding() {
        None => true,
        Some(Ok(name)) => ["utf-8", "utf8", "us-ascii"].iter().any(|ok| name.eq_ignore_ascii_case(ok)),
        Some(Err(_)) => false,
    }
}

fn recognise(element: &BytesStart<'_>) -> Root {
    const V1: &str = "ClinicalTrials.gov legacy XML, retired in 2024; fetch the studies from API v2";
    let name = element.local_name();
    match name.as_ref() {
        "PubmedArticleSet" | "PubmedBookArticleSet" => Root::Set,
        "PubmedArticle" => Root::Single(Tag::PubmedArticle),
        "PubmedBookArticle" => Root::Single(Tag::PubmedBookArticle),
        "DeleteCitation" => Root::Single(Tag::DeleteCitation),
        "clinical_study" | "search_results" | "clinical_studies" => Root::Other(V1),
        "rss" => Root::Other("an RSS feed of search results"),
        "document" if element.attributes_raw().contains("urn:hl7-org:v3") => {
            Root::Other("a structured product label (SPL) in XML; read the openFDA label files")
        }
        "ichicsr" => Root::Other("an ICH E2B safety report (SGML); read the openFDA event files"),
        "html" | "HTML" => Root::Other("an HTML page, most likely an error page"),
        "eSearchResult" | "eSummaryResult" | "ERROR" | "eFetchResult" => {
            Root::Other("an answer of the E-utilities without articles")
        }
        other => {
            let shown = other.chars().filter(|c| !c.is_control()).take(64).collect();
            Root::Unknown(shown)
        }
    }
}
