//! What every wire format says of an alert: bounded, and without what a receiver could take for a command.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::super::event::Alert;
use super::super::labels::{Labels, is_name};
use super::super::notification::{Notice, Status};
use super::super::time::Moment;

/// Longest text of an annotation, and of a link, in UTF-16 units.
const LONGEST_TEXT: usize = 4_096;
const LONGEST_LINK: usize = 2_048;
/// Most annotations, and most links.
const MOST_TEXTS: usize = 64;
const MOST_LINKS: usize = 16;

/// The first of a text that a receiver has room for, with an ellipsis if there was more. Counted in UTF-16 units, as the
/// strictest receivers do; never within a character.
pub(super) fn cut(text: &str, most: usize) -> String {
    let mut left = most;
    let mut kept = 0;
    let mut before_ellipsis = 0;
    for (at, c) in text.char_indices() {
        if c.len_utf16() > left {
            return text[..before_ellipsis].to_owned() + if most == 0 { "" } else { "…" };
        }
        left -= c.len_utf16();
        kept = at + c.len_utf8();
        if left >= 1 {
            before_ellipsis = kept;
        }
    }
    text[..kept].to_owned()
}

/// In one line of at most so many UTF-16 units: what controls a terminal or breaks a line is a space.
pub(super) fn line(text: &str, most: usize) -> String {
    cut(text, most).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// In lines of at most so many UTF-16 units together: only line feeds and tabs are left of what controls.
pub(super) fn lines(text: &str, most: usize) -> String {
    cut(text, most).chars().map(|c| if c.is_control() && !"\n\t".contains(c) { ' ' } else { c }).collect()
}

/// As in 2026-11-21T10:00:00.5Z.
pub(super) fn rfc3339(moment: Moment) -> String {
    let millis = i64::try_from(moment.millis()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX).to_string()
}

/// A key that a receiver has room for and that is safe in a header and a path: as it is if it is, else a digest of it.
pub(super) fn key(text: &str) -> String {
    let plain = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'_';
    if !text.is_empty() && text.len() <= 128 && text.bytes().all(plain) {
        return text.to_owned();
    }
    let digest = Sha256::digest(text.as_bytes());
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16));
    format!("statim-{}", digits.collect::<String>())
}

/// Its labels; there is always a name among them.
pub(super) fn labels(alert: &Alert) -> BTreeMap<String, String> {
    let mut labels: BTreeMap<String, String> =
        alert.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if alert.labels.get("alertname").is_empty() {
        let name = if alert.rule.is_empty() { "alert" } else { &alert.rule };
        labels.insert("alertname".to_owned(), line(name, LONGEST_TEXT));
    }
    labels
}

/// Its texts by name: what has no summary gets one, and the finding is one of them. Names are as those of labels.
pub(super) fn annotations(alert: &Alert) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let summary = alert.summary();
    let ours = [("finding", alert.finding.as_str()), ("summary", summary.as_str())];
    // The first of a name stays, so the rule's own texts come first.
    let own = alert.annotations.iter().take(MOST_TEXTS).map(|(name, text)| (name.as_str(), text.as_str()));
    for (name, text) in own.chain(ours) {
        let text = lines(text, LONGEST_TEXT);
        if !text.is_empty() {
            texts.entry(as_name(name)).or_insert(text);
        }
    }
    texts
}

/// Something that may name a label, whatever it was.
fn as_name(text: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = text.chars().take(128).map(allowed).collect();
    if is_name(&name) { name } else { format!("_{name}") }
}

/// The addresses among its texts, such as `runbook_url`, with what they are called.
pub(super) fn links(alert: &Alert) -> Vec<(String, String)> {
    let is_link = |name: &str, text: &str| {
        let web = text.starts_with("https://") || text.starts_with("http://");
        let web = web && text.len() <= LONGEST_LINK;
        let sound = web && !text.chars().any(|c| c.is_control() || c.is_whitespace() || "<>|\"".contains(c));
        sound && (name == "url" || name.ends_with("_url"))
    };
    let found = alert.annotations.iter().filter(|(name, text)| is_link(name, text));
    let called = |name: &str| {
        let name = line(name.strip_suffix("_url").unwrap_or("link"), 64);
        name.replace('_', " ")
    };
    found.map(|(name, text)| (called(name), text.clone())).take(MOST_LINKS).collect()
}

/// Its summary in a line of so many UTF-16 units; never blank.
pub(super) fn summary(alert: &Alert, most: usize) -> String {
    let texts = [alert.summary(), alert.rule.clone()].map(|it| line(&it, most));
    texts.into_iter().find(|it| !it.trim().is_empty()).unwrap_or_else(|| "alert".to_owned())
}

/// When it fired; `now` if it is not known.
pub(super) fn fired(alert: &Alert, now: Moment) -> Moment {
    alert.incident.as_ref().map_or(now, |incident| incident.fired)
}

/// When it was over, if it is.
pub(super) fn over(notice: &Notice, now: Moment) -> Option<Moment> {
    let alert = &notice.alert;
    (notice.status == Status::Resolved).then(|| alert.resolved.unwrap_or(now).max(fired(alert, now)))
}

/// The fingerprint that Prometheus and Alertmanager give to these labels: FNV-1a over names and values, each followed by
/// the byte 255.
pub(super) fn fingerprint(labels: &BTreeMap<String, String>) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |text: &str| {
        for byte in text.bytes().chain([255]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for (name, value) in labels {
        add(name);
        add(value);
    }
    format!("{hash:016x}")
}

/// The labels, as a map.
pub(super) fn map_of(labels: &Labels) -> BTreeMap<String, String> {
    labels.clone().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("ab🩺", 4), "ab🩺");
        assert_eq!(cut("ab🩺", 3), "ab…");
        assert_eq!(cut("🩺🩺", 3), "🩺…");
        assert_eq!(cut("🩺", 1), "…");
        assert_eq!(cut("a", 0), "");
        assert_eq!(cut("", 0), "");
    }

    proptest! {
        #[test]
        fn a_cut_text_fits_and_a_short_one_stays(text in "\\PC{0,40}", most in 0_usize..40) {
            let kept = cut(&text, most);
            prop_assert!(kept.encode_utf16().count() <= most);
            if text.encode_utf16().count() <= most {
                prop_assert_eq!(kept, text);
            }
        }

        #[test]
        fn any_key_becomes_one_that_is_safe_and_different_ones_stay_different(one in ".{0,200}", two in ".{0,200}") {
            for made in [key(&one), key(&two)] {
                prop_assert!(made.len() <= 128 && !made.is_empty());
                prop_assert!(made.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it)));
            }
            prop_assert_eq!(one == two, key(&one) == key(&two));
        }

        #[test]
        fn any_text_becomes_a_name(text in ".{0,200}") {
            prop_assert!(is_name(&as_name(&text)));
        }
    }

    #[test]
    fn a_moment_is_told_as_receivers_read_it() {
        assert_eq!(rfc3339(Moment::from_millis(1_763_718_896_500)), "2025-11-21T09:54:56.5Z");
        assert_eq!(rfc3339(Moment::from_millis(0)), "1970-01-01T00:00:00Z");
        assert!(rfc3339(Moment::from_millis(u64::MAX)).starts_with("9999-12-"));
    }

    #[test]
    fn a_safe_key_stays_as_it_is() {
        assert_eq!(key("statim-ecc005dc3fd78011"), "statim-ecc005dc3fd78011");
        assert_eq!(key("a.b").len(), "statim-".len() + 64);
    }
}
