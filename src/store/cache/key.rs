//! What a query is known by: fingerprints, nothing else.

use std::fmt;
use std::hash::Hasher;
use std::io;

use serde::Serialize;
use siphasher::sip128::{Hasher128, SipHasher13};

/// Which query: the fingerprint of a statement and its parameters.
///
/// Parameters count in their order and are told apart by their MessagePack form: `1` and `"1"` are two keys, `1_u8` and
/// `1_i64` are one. A map whose order changes from one time to the next (a `HashMap`) makes a new key each time.
#[derive(Clone)]
pub struct QueryKey {
    hasher: SipHasher13,
    whole: bool,
}

impl QueryKey {
    /// The key of a statement without parameters: its text, or any other name that is its own.
    #[must_use]
    pub fn new(statement: &str) -> Self {
        let mut hasher = SipHasher13::new_with_keys(0x5374_6174_696d_2071, 0x7565_7279_206b_6579);
        write_text(&mut hasher, statement);
        Self { hasher, whole: true }
    }

    /// The same with one more parameter.
    ///
    /// A parameter that refuses to be serialised makes the query one that is not cached.
    #[must_use]
    pub fn bind<P: Serialize + ?Sized>(mut self, parameter: &P) -> Self {
        self.whole &= rmp_serde::encode::write(&mut Sink(&mut self.hasher), parameter).is_ok();
        self
    }

    /// Whether it says everything; if not, two queries could share it.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }
}

impl fmt::Debug for QueryKey {
    /// Shows that there is a key, not which: a fingerprint of a known parameter could be looked up.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QueryKey(..)")
    }
}

/// 128 bits under the cache's secret: two names share one with a probability of 2⁻¹²⁸.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Print(u128);

impl Print {
    pub(super) fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    #[cfg(test)]
    pub(super) fn of(number: u128) -> Self {
        Self(number)
    }
}

impl fmt::Display for Print {
    /// As in a key of Redis.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Print(..)")
    }
}

/// Makes fingerprints under a secret.
pub(super) struct Namer {
    secret: [u8; 16],
}

impl Namer {
    pub(super) fn new(secret: Option<[u8; 16]>) -> Self {
        Self { secret: secret.unwrap_or(*b"statim, no secre") }
    }

    pub(super) fn tag(&self, tag: &str) -> Print {
        self.print(1, |hasher| write_text(hasher, tag))
    }

    /// The tag that everything has.
    pub(super) fn everything(&self) -> Print {
        self.print(2, |_| ())
    }

    /// A result of a type under tags (sorted, each once). With other tags it is another one: else a result kept under
    /// fewer tags than are asked for would outlive their invalidation.
    pub(super) fn result(&self, key: &QueryKey, type_name: &str, tags: &[Print]) -> Print {
        let key = key.hasher.finish128();
        self.print(3, |hasher| {
            hasher.write(&key.as_bytes());
            write_text(hasher, type_name);
            tags.iter().for_each(|tag| hasher.write(&tag.to_bytes()));
        })
    }

    /// What tells bytes of ours from others'.
    pub(super) fn checksum(&self, parts: &[&[u8]]) -> [u8; 16] {
        let Print(sum) = self.print(4, |hasher| parts.iter().for_each(|part| hasher.write(part)));
        sum.to_le_bytes()
    }

    fn print(&self, kind: u8, write: impl FnOnce(&mut SipHasher13)) -> Print {
        let mut hasher = SipHasher13::new_with_key(&self.secret);
        hasher.write(&[kind]);
        write(&mut hasher);
        Print(hasher.finish128().as_u128())
    }
}

/// With its length, so that no two texts in a row read like two others.
fn write_text(hasher: &mut SipHasher13, text: &str) {
    hasher.write(&(text.len() as u64).to_le_bytes());
    hasher.write(text.as_bytes());
}

struct Sink<'a>(&'a mut SipHasher13);

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
