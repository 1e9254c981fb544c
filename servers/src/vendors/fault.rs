//! How a service misbehaves.

use std::time::Duration;

/// What a stand-in does with a request instead of what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Answers this status and takes nothing.
    Status(u16),
    /// Answers 429 with `Retry-After`, in seconds, and takes nothing.
    Limited(u64),
    /// Answers 503 with `Retry-After` as a date, so many seconds from now, and takes nothing.
    Down(u64),
    /// Reads the request and says nothing, until the other side goes.
    Silent,
    /// Resets the connection before the request is read.
    Reset,
    /// Takes the request and closes the connection without an answer.
    Vanish,
    /// Answers something that is not HTTP.
    Garbage,
    /// Answers as a captive portal does: status 200, and a page.
    Portal,
    /// Sends everybody to another address, on the same server.
    Redirect,
    /// Takes the request and answers after this time.
    Slow(Duration),
    /// Takes the request and answers with a body that does not end.
    Endless,
    /// Answers with a head that does not end, and takes nothing.
    EndlessHead,
}
