//! Requests read strictly, and answers.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

/// Largest head and body that are read, in bytes: more than any service takes.
const LARGEST_HEAD: usize = 64 << 10;
const LARGEST_BODY: usize = 64 << 20;

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn json(status: u16, body: String) -> Self {
        Self { status, headers: Vec::new(), content_type: "application/json", body }
    }

    pub(super) fn text(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), content_type: "text/plain", body: body.to_owned() }
    }

    pub(super) fn head(&self, length: Option<usize>) -> String {
        let mut head = format!("HTTP/1.1 {} Said\r\nContent-Type: {}\r\n", self.status, self.content_type);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(length) = length {
            head += &format!("Content-Length: {length}\r\n");
        }
        head + "Connection: close\r\n\r\n"
    }

    pub(super) fn write(&self, stream: &mut impl Write) -> io::Result<()> {
        let head = self.head(Some(self.body.len()));
        stream.write_all((head + &self.body).as_bytes())
    }
}

/// Reads a request with a body of a length that it says. `None` if it is none.
pub(super) fn read(stream: &mut impl Read) -> Option<Request> {
    let mut head = Vec::new();
    let mut chunk = [0; 4096];
    let end = loop {
        if let Some(end) = head.windows(4).position(|it| it == b"\r\n\r\n") {
            break end;
        }
        let count = stream.read(&mut chunk).ok()?;
        head.extend_from_slice(&chunk[..count]);
        if count == 0 || head.len() > LARGEST_HEAD + chunk.len() {
            return None;
        }
    };
    let mut body = head.split_off(end + 4);
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.trim_end().split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path, version) = (first.next()?, first.next()?, first.next()?);
    if version != "HTTP/1.1" || first.next().is_some() || !path.starts_with('/') {
        return None;
    }
    let mut headers = BTreeMap::new();
    for line in lines {
        let (name, value) = line.split_once(':')?;
        // Twice the same could be read either way.
        if headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()).is_some() {
            return None;
        }
    }
    let length: usize = headers.get("content-length").map_or(Ok(0), |it| it.parse()).ok()?;
    if length > LARGEST_BODY || body.len() > length || headers.contains_key("transfer-encoding") {
        return None;
    }
    let rest = length - body.len();
    stream.take(rest as u64).read_to_end(&mut body).ok()?;
    let (method, path) = (method.to_owned(), path.to_owned());
    (body.len() == length).then_some(Request { method, path, headers, body })
}
