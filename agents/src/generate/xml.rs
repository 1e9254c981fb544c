//! XML text: escaping, and elements that hold nothing but text.

use super::json::plain;

/// Writes `<name>value</name>`, with `value` escaped.
pub(super) fn element(out: &mut Vec<u8>, name: &str, value: &str) {
    plain(out, format_args!("<{name}>"));
    text(out, value);
    plain(out, format_args!("</{name}>"));
}

/// Writes `value` as character data or inside a double-quoted attribute.
pub(super) fn text(out: &mut Vec<u8>, value: &str) {
    for &byte in value.as_bytes() {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            _ => out.push(byte),
        }
    }
}

/// Writes `value` as character data in which `{i:…}`, `{b:…}`, `{sub:…}` and `{sup:…}` become inline elements.
pub(super) fn marked(out: &mut Vec<u8>, value: &str) {
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('{') {
        text(out, before);
        match after.split_once('}').and_then(|(inside, tail)| Some((inside.split_once(':')?, tail))) {
            Some(((name @ ("i" | "b" | "sub" | "sup"), inside), tail)) => {
                element(out, name, inside);
                rest = tail;
            }
            _ => {
                out.push(b'{');
                rest = after;
            }
        }
    }
    text(out, rest);
}

/// `value` as plain text, for a format that has no inline elements: the marks go, what they enclose stays.
pub(super) fn unmarked(value: &str) -> String {
    let mut out = value.to_owned();
    for mark in ["{i:", "{b:", "{sub:", "{sup:", "}"] {
        out = out.replace(mark, "");
    }
    out
}
