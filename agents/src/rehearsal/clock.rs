//! Times since the beginning of a case.

use std::time::Duration;

/// As a case is written: `1h5m`, `6m15s`, `0s`.
pub(super) fn short(time: Duration) -> String {
    let (seconds, millis) = (time.as_secs(), time.subsec_millis());
    let parts =
        [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"), (millis.into(), "ms")];
    let text: String = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}
