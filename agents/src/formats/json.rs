//! Reading records from JSON: a page, an array, one object, or one object a line.

use std::io::BufRead;

use serde::de::IgnoredAny;

use super::classify::{CTGOV_V1, Shape, classify};
use super::collector::Collector;
use super::meter::Meter;
use super::quarantine::{Fault, Position, Stop};
use super::scanner::Scanner;
use super::{Limits, reason, typed};

/// The keys under which an envelope holds its records.
const ENVELOPES: [&str; 2] = ["studies", "results"];

/// Reads all values of a stream. `offset` bytes of the file came before it; `lines` says that each line is a record.
pub(super) fn read<R: BufRead>(
    input: &mut Meter<R>,
    offset: u64,
    lines: bool,
    limits: &Limits,
    collector: &mut Collector<'_>,
) -> Result<(), Stop> {
    let scanner = Scanner::new(input, offset, limits.record_bytes);
    let mut reader = Reader { scanner, collector, record: 0, line: None };
    if lines {
        return reader.lines(limits);
    }
    while let Some(first) = reader.scanner.peek()? {
        reader.top(first)?;
    }
    Ok(())
}

struct Reader<'a, 'c, R> {
    scanner: Scanner<'a, R>,
    collector: &'a mut Collector<'c>,
    /// Number of the next record.
    record: u64,
    /// The line, where each line is a record.
    line: Option<u64>,
}

impl<R: BufRead> Reader<'_, '_, R> {
    /// Reads one value that is not inside another.
    fn top(&mut self, first: u8) -> Result<(), Stop> {
        match first {
            b'[' => self.array(),
            b'{' => self.object(),
            _ => Err(self.scanner.fault("not valid JSON: expected an object or an array")),
        }
    }

    /// Each line is read for itself, so that a damaged one costs only itself.
    fn lines(&mut self, limits: &Limits) -> Result<(), Stop> {
        for line in 1.. {
            let byte = self.scanner.byte();
            let position = Position { record: Some(self.record), byte, line: Some(line) };
            self.scanner.hold();
            if !self.scanner.line()? {
                break;
            }
            let Some(text) = self.scanner.release() else {
                self.record += 1;
                self.collector.quarantine(outgrown(position, limits.record_bytes))?;
                continue;
            };
            let mut meter = Meter::new(text, u64::MAX, u64::MAX, u64::MAX);
            let mut inner = Reader {
                scanner: Scanner::new(&mut meter, byte, limits.record_bytes),
                collector: &mut *self.collector,
                record: self.record,
                line: Some(line),
            };
            let outcome = inner.one_line();
            let next = inner.record;
            match outcome {
                Ok(()) => self.record = next,
                Err(Stop::Fault(fault)) => {
                    self.record = next.max(self.record + 1);
                    self.collector.quarantine(Fault { position, ..fault })?;
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }

    fn one_line(&mut self) -> Result<(), Stop> {
        let Some(first) = self.scanner.peek()? else { return Ok(()) };
        self.top(first)?;
        match self.scanner.peek()? {
            None => Ok(()),
            Some(_) => Err(self.scanner.fault("not valid JSON: more than one value in the line")),
        }
    }

    /// The scanner stands before `[`.
    fn array(&mut self) -> Result<(), Stop> {
        self.scanner.bump()?;
        if self.scanner.expect()? == b']' {
            return self.scanner.bump();
        }
        loop {
            self.scanner.expect()?;
            let byte = self.scanner.byte();
            self.scanner.hold();
            self.scanner.value()?;
            self.held_record(byte)?;
            match self.scanner.expect()? {
                b',' => self.scanner.bump()?,
                b']' => return self.scanner.bump(),
                _ => {
                    return Err(self.scanner.fault("not valid JSON: expected a comma or a bracket"));
                }
            }
        }
    }

    /// The scanner stands before `{`. The object is an envelope around records, or a record itself; which one is known
    /// once its keys are, so its bytes are held until then.
    fn object(&mut self) -> Result<(), Stop> {
        let start = self.scanner.byte();
        let mut envelope = false;
        self.scanner.hold();
        self.scanner.bump()?;
        let mut next = self.scanner.expect()?;
        while next != b'}' {
            let key = self.key(envelope)?;
            match key.as_deref() {
                Some("FullStudiesResponse" | "StudyFieldsResponse") => {
                    let position = Position { record: None, byte: start, line: self.line };
                    self.collector.unsupported(CTGOV_V1, position);
                }
                Some(key) if ENVELOPES.contains(&key) && self.scanner.expect()? == b'[' => {
                    self.scanner.release();
                    envelope = true;
                    self.array()?;
                    next = self.after_member()?;
                    continue;
                }
                _ => {}
            }
            if envelope {
                self.checked_value()?;
            } else {
                self.scanner.value()?;
            }
            if matches!(key.as_deref(), Some("FullStudiesResponse" | "StudyFieldsResponse")) {
                // Named above; what stands beside it says nothing more.
                self.scanner.release();
                envelope = true;
            }
            next = self.after_member()?;
        }
        self.scanner.bump()?;
        if envelope { Ok(()) } else { self.held_record(start) }
    }

    /// Reads a key and its colon. `None` when the object has outgrown the ceiling, whose bytes are no longer held.
    fn key(&mut self, envelope: bool) -> Result<Option<String>, Stop> {
        if self.scanner.expect()? != b'"' {
            return Err(self.scanner.fault("not valid JSON: expected a key"));
        }
        if envelope {
            self.scanner.hold();
        }
        let from = self.scanner.held().len();
        self.scanner.value()?;
        let key = if self.scanner.has_outgrown() {
            None
        } else {
            let text = self.scanner.held().get(from..).unwrap_or_default();
            let key = serde_json::from_slice::<String>(text);
            Some(key.map_err(|_| self.scanner.fault("not valid JSON: a key is not a text"))?)
        };
        if self.scanner.expect()? != b':' {
            return Err(self.scanner.fault("not valid JSON: expected a colon"));
        }
        self.scanner.bump()?;
        Ok(key)
    }

    /// After a member of an object: the byte that begins the next key, or `}`.
    fn after_member(&mut self) -> Result<u8, Stop> {
        match self.scanner.expect()? {
            b',' => {
                self.scanner.bump()?;
                match self.scanner.expect()? {
                    b'}' => Err(self.scanner.fault("not valid JSON: a comma before a brace")),
                    next => Ok(next),
                }
            }
            b'}' => Ok(b'}'),
            _ => Err(self.scanner.fault("not valid JSON: expected a comma or a brace")),
        }
    }

    /// Passes over a value of an envelope and makes sure that it is valid, since nobody else looks at it.
    fn checked_value(&mut self) -> Result<(), Stop> {
        self.scanner.expect()?;
        let fault = self.scanner.fault("not valid JSON: a value beside the records is damaged");
        self.scanner.hold();
        self.scanner.value()?;
        match self.scanner.release() {
            Some(text) if serde_json::from_slice::<IgnoredAny>(text).is_err() => Err(fault),
            _ => Ok(()),
        }
    }

    /// Makes a record of what the scanner holds, which began at `byte`. A fault in the syntax is the end of the stream,
    /// because the places where the records after it begin cannot be trusted.
    fn held_record(&mut self, byte: u64) -> Result<(), Stop> {
        let position = Position { record: Some(self.record), byte, line: self.line };
        self.record += 1;
        let ceiling = self.scanner.ceiling();
        let Some(bytes) = self.scanner.release() else {
            return self.collector.quarantine(outgrown(position, ceiling));
        };
        let Ok(text) = std::str::from_utf8(bytes) else {
            let reason = "the record is not valid UTF-8".to_owned();
            return self.collector.quarantine(Fault { position, path: None, reason });
        };
        let shape = match classify(text) {
            Ok(shape) => shape,
            Err(error) => return Err(Stop::fault(position, reason::of_json(&error))),
        };
        if let Shape::Foreign(name) = shape {
            self.collector.unsupported(name, position);
            return Ok(());
        }
        match typed::build(shape, text) {
            Ok(record) => self.collector.record(record, position),
            Err(refusal) => {
                self.collector.quarantine(Fault { position, path: refusal.path, reason: refusal.reason })
            }
        }
    }
}

fn outgrown(position: Position, ceiling: u64) -> Fault {
    let reason = format!("the record is larger than {ceiling} bytes; raise the limit if that is right");
    Fault { position, path: None, reason }
}
