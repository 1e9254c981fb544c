//! Figures as people write them.

/// `12.3 ms`.
pub(super) fn time(seconds: f64) -> String {
    if !seconds.is_finite() {
        return "–".to_owned();
    }
    let scaled = |value: f64, unit| format!("{} {unit}", three(value));
    match seconds {
        it if it >= 0.9995 => scaled(it, "s"),
        it if it >= 0.000_999_5 => scaled(it * 1e3, "ms"),
        it if it > 0.0 => scaled(it * 1e6, "µs"),
        _ => "0 s".to_owned(),
    }
}

/// Three digits that count.
pub(super) fn three(value: f64) -> String {
    match value.abs() {
        it if !it.is_finite() => "–".to_owned(),
        it if it >= 1e15 => format!("{value:.2e}"),
        it if it >= 99.95 => whole(value.round() as i64),
        it if it >= 9.995 => trimmed(format!("{value:.1}")),
        it if it >= 0.01 || it == 0.0 => trimmed(format!("{value:.2}")),
        _ => trimmed(format!("{value:.4}")),
    }
}

fn trimmed(text: String) -> String {
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.to_owned()
}

/// `1,234,567`.
fn whole(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "-".to_owned() } else { String::new() };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1,234`.
pub(super) fn count(count: u64) -> String {
    i64::try_from(count).map_or_else(|_| three(count as f64), whole)
}

/// `85 %`.
pub(super) fn percent(ratio: f64) -> String {
    if ratio.is_finite() { format!("{} %", three_percent(ratio * 100.0)) } else { "–".to_owned() }
}

fn three_percent(percent: f64) -> String {
    if percent.abs() >= 10.0 { whole(percent.round() as i64) } else { trimmed(format!("{percent:.1}")) }
}

/// `120/s`.
pub(super) fn rate(per_second: f64) -> String {
    format!("{}/s", three(per_second))
}

/// `1.5 GiB`.
pub(super) fn bytes(bytes: f64) -> String {
    let (mut value, mut unit) = (bytes, 0);
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    while value.abs() >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{} {}", three(value), UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_their_unit() {
        let shown = [time(0.0), time(1.5e-6), time(0.012_34), time(0.999_9), time(75.0), time(f64::NAN)];
        assert_eq!(shown, ["0 s", "1.5 µs", "12.3 ms", "1 s", "75 s", "–"]);
        assert_eq!([three(1234.5), three(99.96), three(0.123), three(0.0)], ["1,235", "100", "0.12", "0"]);
        assert_eq!([percent(0.853), percent(0.012_34), percent(12.0)], ["85 %", "1.2 %", "1,200 %"]);
        assert_eq!([count(1_234_567), count(u64::MAX), rate(0.5)], ["1,234,567", "1.84e19", "0.5/s"]);
        assert_eq!([bytes(0.0), bytes(1536.0), bytes(3e9)], ["0 B", "1.5 KiB", "2.79 GiB"]);
    }
}
