//! Finding out from its first bytes what a stream of text is.

use std::io::{self, Read};

/// How much is looked at.
const HEAD: usize = 64 << 10;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What a stream seems to hold.
#[derive(Debug)]
pub(super) enum Content {
    /// JSON; whether each line is a record.
    Json { lines: bool },
    /// XML.
    Xml,
    /// Something known that is not read.
    Other(&'static str),
    /// Nothing that can be read.
    Fault(&'static str),
    /// The stream failed before anything was seen.
    Broken(io::Error),
}

pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1F\x8B")
}

pub(super) fn is_zip(bytes: &[u8]) -> bool {
    [b"PK\x03\x04".as_slice(), b"PK\x05\x06", b"PK\x07\x08"].iter().any(|magic| bytes.starts_with(magic))
}

/// Holds the head of a stream while it is looked at, and gives it back.
#[derive(Debug)]
pub(super) struct Sniffer<R> {
    source: R,
    head: Vec<u8>,
    skipped: u64,
    failed: Option<io::Error>,
}

impl<R: Read> Sniffer<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, head: Vec::new(), skipped: 0, failed: None }
    }

    /// Looks past a byte order mark and white space, which are dropped.
    pub(super) fn sniff(&mut self) -> Content {
        self.fill();
        if self.head.starts_with(BOM) {
            self.skip(BOM.len());
        }
        loop {
            let blank = self.head.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.skip(blank);
            if blank == 0 || !self.head.is_empty() {
                break;
            }
            self.fill();
        }
        if self.head.is_empty() {
            return match self.failed.take() {
                Some(error) => Content::Broken(error),
                None => Content::Fault("the file is empty"),
            };
        }
        self.fill();
        recognise(&self.head)
    }

    /// The head, how many bytes were dropped before it, and the rest. A failure met while looking comes back from the
    /// rest, so that it is not taken for the end.
    pub(super) fn into_parts(self) -> (Vec<u8>, u64, Rest<R>) {
        (self.head, self.skipped, Rest { failed: self.failed, source: self.source })
    }

    fn fill(&mut self) {
        let wanted = HEAD.saturating_sub(self.head.len());
        if self.failed.is_some() || wanted == 0 {
            return;
        }
        // What was read before a failure stays in the head.
        if let Err(error) = self.source.by_ref().take(wanted as u64).read_to_end(&mut self.head) {
            self.failed = Some(error);
        }
    }

    fn skip(&mut self, amount: usize) {
        self.head.drain(..amount);
        self.skipped += amount as u64;
    }
}

/// The stream after its head.
#[derive(Debug)]
pub(super) struct Rest<R> {
    failed: Option<io::Error>,
    source: R,
}

impl<R: Read> Read for Rest<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.source.read(into),
        }
    }
}

fn recognise(head: &[u8]) -> Content {
    const PACKED: [(&[u8], &str); 5] = [
        (b"BZh", "bzip2 compression"),
        (b"\xFD7zXZ\0", "xz compression"),
        (b"\x28\xB5\x2F\xFD", "zstd compression"),
        (b"7z\xBC\xAF\x27\x1C", "a 7z archive"),
        (b"Rar!", "a rar archive"),
    ];
    if is_gzip(head) || is_zip(head) || head.get(257..262) == Some(b"ustar") {
        return Content::Other("an archive inside an archive, or a tar archive");
    }
    if let Some((_, name)) = PACKED.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Content::Other(name);
    }
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return Content::Other("text in UTF-16; convert it to UTF-8");
    }
    match head[0] {
        b'{' | b'[' => return Content::Json { lines: has_record_lines(head) },
        b'<' if is_html(head) => return Content::Other("an HTML page, most likely an error page"),
        b'<' => return Content::Xml,
        _ => {}
    }
    if head.contains(&0) {
        return Content::Other("binary data");
    }
    if head.starts_with(b"PMID-") || find(head, b"\nPMID- ") {
        return Content::Other("PubMed search results in MEDLINE text form; fetch them as XML");
    }
    let first = head.split(|&byte| byte == b'\n').next().unwrap_or(head);
    if first.contains(&b'\t') {
        return Content::Other("a table separated by tabs");
    }
    if std::str::from_utf8(head).is_err_and(|error| error.error_len().is_some()) {
        return Content::Other("binary data or text that is not UTF-8");
    }
    Content::Other("text of an unknown form")
}

fn is_html(head: &[u8]) -> bool {
    let start = head[..head.len().min(1024)].to_ascii_lowercase();
    [b"<!doctype html".as_slice(), b"<html"].iter().any(|mark| find(&start, mark))
}

fn find(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|window| window == needle)
}

/// Whether each line holds a value of its own: the first line is a whole object and more follows, or the first two lines
/// begin an object each and the first does not go on in the second. This is decided before anything is parsed, so that a
/// damaged line does not swallow the others.
fn has_record_lines(head: &[u8]) -> bool {
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.next().unwrap_or_default();
    let second = lines.find(|line| !line.is_empty()).unwrap_or_default();
    if !first.starts_with(b"{") || second.is_empty() {
        return false;
    }
    let goes_on = matches!(first.last(), Some(b'[' | b',' | b':' | b'{'));
    let whole = || serde_json::from_slice::<serde::de::IgnoredAny>(first).is_ok();
    (second.starts_with(b"{") && !goes_on) || whole()
}
