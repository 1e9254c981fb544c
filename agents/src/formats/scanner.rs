//! Cutting a stream of JSON into its values without holding more than one.
//!
//! The scanner knows strings, escapes and brackets only; whether a value is valid is left to serde_json, which gets the
//! exact bytes. Depth is a number here, so nesting costs no memory.

use std::io::BufRead;

use super::meter::Meter;
use super::quarantine::{Position, Stop};
use super::reason;

/// A stream and the bytes of the value being read.
#[derive(Debug)]
pub(super) struct Scanner<'a, R> {
    input: &'a mut Meter<R>,
    /// Bytes of the file before the stream.
    offset: u64,
    held: Vec<u8>,
    holding: bool,
    /// The value outgrew the ceiling; its bytes were dropped and only its end is looked for.
    outgrown: bool,
    ceiling: u64,
}

impl<'a, R: BufRead> Scanner<'a, R> {
    pub(super) fn new(input: &'a mut Meter<R>, offset: u64, ceiling: u64) -> Self {
        let held = Vec::new();
        Self { input, offset, held, holding: false, outgrown: false, ceiling }
    }

    /// Bytes before what is read next.
    pub(super) fn byte(&self) -> u64 {
        self.offset + self.input.consumed()
    }

    fn here(&self) -> Position {
        Position { byte: self.byte(), ..Position::default() }
    }

    pub(super) fn fault(&self, reason: &str) -> Stop {
        Stop::fault(self.here(), reason)
    }

    /// Begins to hold what is read.
    pub(super) fn hold(&mut self) {
        self.held.clear();
        self.holding = true;
        self.outgrown = false;
    }

    /// Stops holding. `None` when more was read than the ceiling allows.
    pub(super) fn release(&mut self) -> Option<&[u8]> {
        self.holding = false;
        (!self.outgrown).then_some(self.held.as_slice())
    }

    /// What is held so far; empty once it has outgrown the ceiling.
    pub(super) fn held(&self) -> &[u8] {
        &self.held
    }

    pub(super) fn ceiling(&self) -> u64 {
        self.ceiling
    }

    pub(super) fn has_outgrown(&self) -> bool {
        self.outgrown
    }

    fn fill(&mut self) -> Result<&[u8], Stop> {
        let position = self.here();
        loop {
            // Asked twice because the borrow of the first answer cannot leave the loop.
            match self.input.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(reason::of_io(&error, position)),
            }
        }
        self.input.fill_buf().map_err(|error| reason::of_io(&error, position))
    }

    fn take(&mut self, amount: usize) -> Result<(), Stop> {
        if self.holding && !self.outgrown {
            let position = self.here();
            let bytes = self.input.fill_buf().map_err(|error| reason::of_io(&error, position))?;
            if (self.held.len() + amount) as u64 > self.ceiling {
                self.outgrown = true;
                self.held = Vec::new();
            } else {
                self.held.extend_from_slice(&bytes[..amount]);
            }
        }
        self.input.consume(amount);
        Ok(())
    }

    /// Skips white space and shows the next byte; `None` at the end.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Stop> {
        loop {
            let bytes = self.fill()?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let next = bytes.get(blank).copied();
            self.take(blank)?;
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// As [`Self::peek`], where the end would be a fault.
    pub(super) fn expect(&mut self) -> Result<u8, Stop> {
        self.peek()?.ok_or_else(|| self.fault("not valid JSON: the text ends too early"))
    }

    /// Takes the byte that was peeked.
    pub(super) fn bump(&mut self) -> Result<(), Stop> {
        self.take(1)
    }

    /// Passes over one value.
    pub(super) fn value(&mut self) -> Result<(), Stop> {
        match self.expect()? {
            b'{' | b'[' | b'"' => self.bracketed(),
            _ => self.scalar(),
        }
    }

    fn bracketed(&mut self) -> Result<(), Stop> {
        let mut state = Framing::default();
        loop {
            let bytes = self.fill()?;
            if bytes.is_empty() {
                return Err(self.fault("not valid JSON: the text ends too early"));
            }
            let (used, done) = state.feed(bytes);
            self.take(used)?;
            if done {
                return Ok(());
            }
        }
    }

    fn scalar(&mut self) -> Result<(), Stop> {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}');
        let mut length = 0;
        loop {
            let bytes = self.fill()?;
            let end = bytes.iter().position(|byte| ends(byte) || matches!(byte, b'{' | b'[' | b'"'));
            let used = end.unwrap_or(bytes.len());
            let finished = end.is_some() || bytes.is_empty();
            self.take(used)?;
            length += used;
            if finished {
                break;
            }
        }
        if length == 0 {
            return Err(self.fault("not valid JSON: a value is missing"));
        }
        Ok(())
    }

    /// Passes over the rest of a line and its end. False at the end of the text.
    pub(super) fn line(&mut self) -> Result<bool, Stop> {
        let mut any = false;
        loop {
            let bytes = self.fill()?;
            if bytes.is_empty() {
                return Ok(any);
            }
            any = true;
            let end = bytes.iter().position(|&byte| byte == b'\n');
            let used = end.map_or(bytes.len(), |end| end + 1);
            self.take(used)?;
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}

/// Where in a bracketed or quoted value the reading is.
#[derive(Debug, Default)]
struct Framing {
    depth: u64,
    quoted: bool,
    escaped: bool,
}

impl Framing {
    /// Reads on; tells how many bytes belong to the value and whether it is complete.
    fn feed(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < bytes.len() {
            if self.escaped {
                self.escaped = false;
                at += 1;
                continue;
            }
            if self.quoted {
                let rest = &bytes[at..];
                let Some(mark) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) else {
                    return (bytes.len(), false);
                };
                self.escaped = rest[mark] == b'\\';
                self.quoted = self.escaped;
                at += mark + 1;
                if !self.quoted && self.depth == 0 {
                    return (at, true);
                }
                continue;
            }
            match bytes[at] {
                b'"' => self.quoted = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return (at + 1, true);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        (bytes.len(), false)
    }
}
