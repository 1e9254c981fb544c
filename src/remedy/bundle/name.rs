//! What a bundle is called.

use crate::alert::Moment;

/// Longest part of a rule's name in a directory's.
const LONGEST: usize = 64;

/// The time, to be sorted by, and the rule, of which only letters, digits, `-` and `_` stay: no name leads anywhere else.
pub(super) fn name(rule: &str, at: Moment) -> String {
    let kept = |it: char| if it.is_ascii_alphanumeric() || it == '-' || it == '_' { it } else { '_' };
    let rule: String = rule.chars().take(LONGEST).map(kept).collect();
    format!("{}-{rule}", stamp(at))
}

/// `20261121T210735.042Z`.
fn stamp(at: Moment) -> String {
    let millis = i64::try_from(at.millis()).ok();
    let time = millis.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    // A clock may be wrong by more than a calendar can say.
    let time = time.unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%Y%m%dT%H%M%S.%3fZ").to_string()
}

/// Whether it begins as [`name`] does.
pub(super) fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let is_digits = |range| bytes.get(range).is_some_and(|it: &[u8]| it.iter().all(u8::is_ascii_digit));
    is_digits(0..8)
        && is_digits(9..15)
        && is_digits(16..19)
        && bytes[8] == b'T'
        && bytes[15] == b'.'
        && bytes.get(19..21) == Some(b"Z-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_rule_cannot_leave_the_folder_or_be_too_long() {
        let at = Moment::from_millis(1_763_759_255_042);
        assert_eq!(name("MailboxFull", at), "20251121T210735.042Z-MailboxFull");
        let hostile = ["../../etc/passwd", "/", "a\0b", "C:\\x", "..", ".", "", "-rf", "\u{202e}x", "a\nb"];
        for rule in hostile.into_iter().chain([&*"x".repeat(10_000), &*"é".repeat(300)]) {
            let name = name(rule, at);
            assert!(name.len() <= 21 + LONGEST && is_name(&name), "{name}");
            assert!(name.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it)), "{name}");
            assert!(!name.contains(".."), "{name}");
        }
    }

    #[test]
    fn every_moment_has_a_name() {
        for millis in [0, 1, u64::MAX, i64::MAX as u64] {
            assert!(
                is_name(&name("r", Moment::from_millis(millis))),
                "{}",
                name("r", Moment::from_millis(millis))
            );
        }
        for other in [
            "",
            "2025",
            "20251121T210735.042Z",
            "lost+found",
            "20251121T210735x042Z-a",
            "日本語日本語日本語日本語",
        ] {
            assert!(!is_name(other), "{other}");
        }
    }
}
