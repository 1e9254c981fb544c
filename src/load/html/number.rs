//! Figures as people read them: three significant digits, thousands apart, a unit; and what was not measured.

/// Between a figure and its unit, so that no line breaks there.
const THIN: char = '\u{202f}';

pub(crate) const NOT_MEASURED: &str = "not measured";

/// Three significant digits, whole from a hundred on, thousands by commas.
pub(crate) fn figure(value: f64) -> String {
    if !value.is_finite() {
        return NOT_MEASURED.to_owned();
    }
    let size = value.abs();
    if size >= 1e15 || (size > 0.0 && size < 1e-6) {
        return format!("{value:.2e}");
    }
    let decimals = match size {
        0.0 => 0,
        _ if size >= 99.95 => 0,
        _ => (2 - size.log10().floor() as i32).clamp(0, 8) as usize,
    };
    let text = format!("{value:.decimals$}");
    let text = if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    group(if text == "-0" { "0" } else { text })
}

/// A whole number, in full.
pub(crate) fn count(value: u64) -> String {
    group(&value.to_string())
}

pub(crate) fn with_unit(value: f64, unit: &str) -> String {
    if value.is_finite() { format!("{}{THIN}{unit}", figure(value)) } else { NOT_MEASURED.to_owned() }
}

pub(crate) fn milliseconds(value: f64) -> String {
    with_unit(value, "ms")
}

pub(crate) fn per_second(value: f64) -> String {
    if value.is_finite() { format!("{}/s", figure(value)) } else { NOT_MEASURED.to_owned() }
}

pub(crate) fn percent(value: f64) -> String {
    with_unit(value, "%")
}

/// Bytes in decimal units, as targets are written.
pub(crate) fn bytes(value: f64) -> String {
    let (value, unit) = scaled_bytes(value);
    with_unit(value, unit)
}

fn scaled_bytes(value: f64) -> (f64, &'static str) {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut scaled = value;
    let mut unit = 0;
    while scaled.abs() >= 1_000.0 && unit + 1 < UNITS.len() {
        scaled /= 1_000.0;
        unit += 1;
    }
    (scaled, UNITS[unit])
}

/// A length of time in words: `350 ms`, `12.5 s`, `4 min 30 s`, `2 h 5 min`.
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return NOT_MEASURED.to_owned();
    }
    if seconds.abs() < 1.0 {
        return milliseconds(seconds * 1_000.0);
    }
    if seconds < 60.0 {
        return with_unit(seconds, "s");
    }
    let whole = seconds.round();
    if whole < 3_600.0 {
        let (minutes, rest) = ((whole / 60.0).floor(), whole % 60.0);
        let minutes = with_unit(minutes, "min");
        return if rest == 0.0 { minutes } else { format!("{minutes} {}", with_unit(rest, "s")) };
    }
    let (hours, rest) = ((whole / 3_600.0).floor(), (whole % 3_600.0 / 60.0).floor());
    let hours = with_unit(hours, "h");
    if rest == 0.0 { hours } else { format!("{hours} {}", with_unit(rest, "min")) }
}

/// A moment of the run: `m:ss`, from an hour on `h:mm:ss`.
pub(crate) fn clock(seconds: f64) -> String {
    if !seconds.is_finite() || seconds.abs() > 1e12 {
        return figure(seconds);
    }
    let whole = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (whole / 3_600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A tick: short, with `k`, `M`, `G` for thousands.
pub(crate) fn tick(value: f64) -> String {
    let size = value.abs();
    let (scaled, suffix) = match size {
        _ if !(1e4..1e15).contains(&size) => (value, ""),
        _ if size >= 1e12 => (value / 1e12, "T"),
        _ if size >= 1e9 => (value / 1e9, "G"),
        _ if size >= 1e6 => (value / 1e6, "M"),
        _ => (value / 1e3, "k"),
    };
    figure(scaled) + suffix
}

/// Commas between groups of three digits before the point.
fn group(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(whole, part)| (whole, Some(part)));
    let mut grouped = String::with_capacity(text.len() + text.len() / 3);
    grouped.push_str(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(fraction) = fraction {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_significant_digits_and_thousands_apart() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (0.04213, "0.0421"),
            (3.0, "3"),
            (3.256, "3.26"),
            (41.27, "41.3"),
            (99.97, "100"),
            (412.6, "413"),
            (1_234.6, "1,235"),
            (-1_234_567.0, "-1,234,567"),
            (1e18, "1.00e18"),
            (2e-9, "2.00e-9"),
            (f64::NAN, "not measured"),
            (f64::INFINITY, "not measured"),
        ];
        for (value, wanted) in cases {
            assert_eq!(figure(value), wanted, "{value}");
        }
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn units_stay_with_their_figure() {
        assert_eq!(milliseconds(12.0), "12\u{202f}ms");
        assert_eq!(per_second(1_000.0), "1,000/s");
        assert_eq!(percent(0.25), "0.25\u{202f}%");
        assert_eq!(bytes(612_345_678.0), "612\u{202f}MB");
        assert_eq!(bytes(1e20), "100,000,000\u{202f}TB");
        assert_eq!(milliseconds(f64::NAN), "not measured");
    }

    #[test]
    fn time_reads_as_on_a_clock_and_in_words() {
        assert_eq!(clock(65.0), "1:05");
        assert_eq!(clock(3_725.0), "1:02:05");
        assert_eq!(clock(-3.0), "0:00");
        assert_eq!(duration(0.25), "250\u{202f}ms");
        assert_eq!(duration(12.5), "12.5\u{202f}s");
        assert_eq!(duration(270.0), "4\u{202f}min 30\u{202f}s");
        assert_eq!(duration(7_500.0), "2\u{202f}h 5\u{202f}min");
        assert_eq!(duration(f64::NAN), "not measured");
    }

    #[test]
    fn ticks_are_short() {
        assert_eq!(tick(5_000.0), "5,000");
        assert_eq!(tick(20_000.0), "20k");
        assert_eq!(tick(1_500_000.0), "1.5M");
        assert_eq!(tick(1e300), "1.00e300");
        assert_eq!(tick(0.001), "0.001");
    }
}
