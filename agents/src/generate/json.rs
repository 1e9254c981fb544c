//! A JSON writer for records that are made once and never read back: no tree, no reflection, a fixed order of keys.

use std::fmt::{self, Display};
use std::io::Write;

/// An object being written.
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

/// An array being written.
pub(super) struct List<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

/// Writes one object.
pub(super) fn object(out: &mut Vec<u8>, fill: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    fill(&mut Object { out, empty: true });
    out.push(b'}');
}

impl Object<'_> {
    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        string(self.out, value);
    }

    /// A value that needs no escaping: a number, or `true`, `false` or `null`.
    pub(super) fn bare(&mut self, key: &str, value: impl Display) {
        self.key(key);
        plain(self.out, format_args!("{value}"));
    }

    pub(super) fn object(&mut self, key: &str, fill: impl FnOnce(&mut Object<'_>)) {
        self.key(key);
        object(self.out, fill);
    }

    pub(super) fn list(&mut self, key: &str, fill: impl FnOnce(&mut List<'_>)) {
        self.key(key);
        self.out.push(b'[');
        fill(&mut List { out: self.out, empty: true });
        self.out.push(b']');
    }

    pub(super) fn texts<T: AsRef<str>>(&mut self, key: &str, values: &[T]) {
        self.list(key, |list| values.iter().for_each(|value| list.text(value.as_ref())));
    }

    fn key(&mut self, key: &str) {
        separate(self.out, &mut self.empty);
        string(self.out, key);
        self.out.push(b':');
    }
}

impl List<'_> {
    pub(super) fn text(&mut self, value: &str) {
        separate(self.out, &mut self.empty);
        string(self.out, value);
    }

    pub(super) fn object(&mut self, fill: impl FnOnce(&mut Object<'_>)) {
        separate(self.out, &mut self.empty);
        object(self.out, fill);
    }
}

/// Writes a string in quotes, escaping what JSON demands and nothing else.
pub(super) fn string(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    for &byte in value.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => plain(out, format_args!("\\u{byte:04x}")),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Appends formatted text. Writing to a vector cannot fail, so there is no outcome to look at.
pub(super) fn plain(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn separate(out: &mut Vec<u8>, empty: &mut bool) {
    if !std::mem::take(empty) {
        out.push(b',');
    }
}
