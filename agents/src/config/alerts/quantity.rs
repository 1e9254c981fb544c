//! Numbers with units, as people write them.

use std::time::Duration;

use statim::telemetry::names::Unit;

/// What a duration looks like, for faults.
pub(in crate::config) const DURATION: &str = "give a duration such as \"30s\", \"5m\" or \"1h30m\"";

/// A duration: numbers with `ms`, `s`, `m`, `h` or `d`, one after the other. At most a hundred years.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut left = text.trim();
    let mut total = Duration::ZERO;
    if left.is_empty() {
        return None;
    }
    while !left.is_empty() {
        let digits = left.find(|c: char| !c.is_ascii_digit()).filter(|it| (1..=12).contains(it))?;
        let number: u64 = left[..digits].parse().ok()?;
        let rest = &left[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let millis = match &rest[..end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
        left = &rest[end..];
    }
    (total <= Duration::from_hours(24) * 36_525).then_some(total)
}

/// What a quantity of this unit looks like, for faults.
pub(in crate::config) const fn example(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "is in seconds: give a number of them, or a text such as \"2s\" or \"500ms\"",
        Unit::Bytes => "is in bytes: give a number of them, or a text such as \"512MiB\"",
        Unit::Ratio => "is a share: give a number such as 0.85, or a text such as \"85%\"",
        Unit::Count => "has no unit: give a number",
        Unit::PerSecond => "is a rate: give a number per second, or a text such as \"5/s\" or \"30/m\"",
        Unit::BytesPerSecond => "is in bytes per second: give a number of them, or a text such as \"5MiB/s\"",
    }
}

/// A quantity in the base unit. Which suffixes are allowed depends on the unit; a number alone is in the base unit.
pub(in crate::config) fn quantity(text: &str, unit: Unit) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-._".contains(c))).unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let suffix = text[end..].trim_start();
    let scale = match (unit, suffix) {
        (_, "") => 1.0,
        (Unit::Seconds, suffix) => match suffix {
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return None,
        },
        (Unit::Ratio, "%") => 0.01,
        (Unit::Bytes, suffix) => bytes(suffix)?,
        (Unit::BytesPerSecond, suffix) => bytes(suffix.strip_suffix("/s")?)?,
        (Unit::PerSecond, "/s") => 1.0,
        (Unit::PerSecond, "/m") => 1.0 / 60.0,
        _ => return None,
    };
    // 85 × 0.01 is not 0.85, which is what 85 % is compared with.
    let value = if scale == 0.01 { number / 100.0 } else { number * scale };
    value.is_finite().then_some(value)
}

fn bytes(suffix: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 9] = [
        ("B", 1.0),
        ("kB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
        ("TiB", 1_099_511_627_776.0),
    ];
    UNITS.iter().find(|(name, _)| *name == suffix).map(|(_, scale)| *scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units_and_not_without() {
        let read = |text| duration(text).map(|it| it.as_millis());
        assert_eq!(read("90s"), Some(90_000));
        assert_eq!(read("1h30m"), Some(5_400_000));
        assert_eq!(read("0s"), Some(0));
        assert_eq!(read("250ms"), Some(250));
        for text in
            ["", " ", "5", "5 m", "m", "-5s", "1.5h", "5M", "5sm", "99999999999999s", "999999999999d", "é"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn quantities_are_read_in_the_unit_of_the_metric_only() {
        assert_eq!(quantity("2s", Unit::Seconds), Some(2.0));
        assert_eq!(quantity("500ms", Unit::Seconds), Some(0.5));
        assert_eq!(quantity("85%", Unit::Ratio), Some(0.85));
        assert_eq!(quantity("0.85", Unit::Ratio), Some(0.85));
        assert_eq!(quantity("1.5 GiB", Unit::Bytes), Some(1_610_612_736.0));
        assert_eq!(quantity("30/m", Unit::PerSecond), Some(0.5));
        assert_eq!(quantity("5MiB/s", Unit::BytesPerSecond), Some(5_242_880.0));
        assert_eq!(quantity("1e3", Unit::Count), None, "it reads like a unit");
        for (text, unit) in [
            ("85%", Unit::Seconds),
            ("2s", Unit::Ratio),
            ("5MiB", Unit::BytesPerSecond),
            ("5x", Unit::Count),
            ("", Unit::Count),
            ("inf", Unit::Count),
            ("1__0", Unit::Count),
            ("s", Unit::Seconds),
        ] {
            assert_eq!(quantity(text, unit), None, "{text}");
        }
    }
}
