//! A reader that counts and that has an end.

use std::io::{self, BufRead, Read};

/// A ceiling that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Ceiling {
    #[error("the file holds more than {0} bytes when decompressed; raise the limit if that is right")]
    File(u64),
    #[error("a record is larger than {0} bytes; raise the limit if that is right")]
    Record(u64),
}

/// Counts what is consumed and fails at a ceiling, so that a bomb costs no more than a limit says.
#[derive(Debug)]
pub(super) struct Meter<R> {
    inner: R,
    consumed: u64,
    file_limit: u64,
    file_left: u64,
    record_limit: u64,
    record_left: u64,
}

impl<R: BufRead> Meter<R> {
    /// `file_left` of `file_limit` bytes may still be read from the whole file.
    pub(super) fn new(inner: R, file_limit: u64, file_left: u64, record_limit: u64) -> Self {
        let record_left = u64::MAX;
        Self { inner, consumed: 0, file_limit, file_left, record_limit, record_left }
    }

    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// From here the ceiling of a record holds anew. Without this call it does not hold.
    pub(super) fn begin_record(&mut self) {
        self.record_left = self.record_limit;
    }
}

impl<R: BufRead> BufRead for Meter<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let available = self.inner.fill_buf()?;
        if available.is_empty() {
            return Ok(available);
        }
        if self.file_left == 0 {
            return Err(io::Error::other(Ceiling::File(self.file_limit)));
        }
        if self.record_left == 0 {
            return Err(io::Error::other(Ceiling::Record(self.record_limit)));
        }
        let allowed = usize::try_from(self.file_left.min(self.record_left)).unwrap_or(usize::MAX);
        Ok(&available[..available.len().min(allowed)])
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
        let amount = amount as u64;
        self.consumed += amount;
        self.file_left = self.file_left.saturating_sub(amount);
        self.record_left = self.record_left.saturating_sub(amount);
    }
}

impl<R: BufRead> Read for Meter<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let amount = available.len().min(into.len());
        into[..amount].copy_from_slice(&available[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}
