//! What is not as expected, in words.

use std::fmt::Write as _;

use statim::alert::{Engine, Standing};

use super::clock::short;
use crate::config::alerts::Expectation;

/// What is not as expected at this moment.
pub(super) fn of(expected: &Expectation, engine: &Engine) -> Option<String> {
    let Expectation { line, at, rule, labels, state, value, summary } = expected;
    let found: Vec<_> =
        engine.standing().filter(|(_, alert)| alert.rule == *rule && alert.labels.contains(labels)).collect();
    let labels = if labels.is_empty() { String::new() } else { labels.to_string() };
    let head = format!("line {line}: at {} {rule}{labels} should be {}", short(*at), state.as_str());
    if found.is_empty() {
        // What was never measured, and what fell silent long ago, is not bad.
        let fine = *state == Standing::Inactive;
        return (!fine).then(|| format!("{head}, and is not watched: no series has these labels"));
    }
    let mut text = String::new();
    for (standing, alert) in &found {
        let mut wrong = Vec::new();
        if standing != state {
            wrong.push(format!("is {}", standing.as_str()));
        }
        match (value, alert.value) {
            (Some(wanted), Some(value)) if (wanted - value).abs() > 1e-9 * wanted.abs().max(1e-9) => {
                wrong.push(format!("has the value {value} and not {wanted}"));
            }
            (Some(wanted), None) => wrong.push(format!("has no value, and not {wanted}")),
            _ => {}
        }
        if let Some(wanted) = summary
            && alert.summary() != *wanted
        {
            wrong.push(format!("has the summary {:?} and not {wanted:?}", alert.summary()));
        }
        if !wrong.is_empty() {
            let _ = write!(text, "\n    {} {}", alert.labels, wrong.join(", "));
            if !alert.finding.is_empty() {
                let _ = write!(text, "\n      found {}", alert.finding);
            }
        }
    }
    (!text.is_empty()).then(|| format!("{head}{text}"))
}

/// What differs between two lists: `-` is expected and missing, `+` is there and not expected.
pub(super) fn of_lists(expected: &[String], found: &[String]) -> Option<String> {
    let expected: Vec<&str> = expected.iter().map(|it| it.trim()).collect();
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    if expected == found {
        return None;
    }
    let mut text = "the notifications differ (- expected, + sent)".to_owned();
    for (sign, line) in difference(&expected, &found) {
        let _ = write!(text, "\n    {sign} {line}");
    }
    Some(text)
}

/// The longest lists that are compared line by line.
const MOST: usize = 2_000;

/// The shortest way from one list to the other.
fn difference<'l>(from: &[&'l str], to: &[&'l str]) -> Vec<(char, &'l str)> {
    if from.len().max(to.len()) > MOST {
        let removed = from.iter().map(|line| ('-', *line));
        return removed.chain(to.iter().map(|line| ('+', *line))).take(2 * MOST).collect();
    }
    // common[i][j]: how many lines the rests from[i..] and to[j..] have in common at most.
    let mut common = vec![vec![0_u16; to.len() + 1]; from.len() + 1];
    for i in (0..from.len()).rev() {
        for j in (0..to.len()).rev() {
            common[i][j] = if from[i] == to[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < from.len() || j < to.len() {
        if i < from.len() && j < to.len() && from[i] == to[j] {
            lines.push((' ', from[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < from.len() && (j == to.len() || common[i + 1][j] >= common[i][j + 1]) {
            lines.push(('-', from[i]));
            i += 1;
        } else {
            lines.push(('+', to[j]));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_keeps_what_is_common() {
        let lines = difference(&["a", "b", "c"], &["b", "x", "c", "d"]);
        assert_eq!(lines, [('-', "a"), (' ', "b"), ('+', "x"), (' ', "c"), ('+', "d")]);
        assert_eq!(of_lists(&[" a ".to_owned()], &["a".to_owned()]), None);
    }

    #[test]
    fn long_lists_are_told_in_bounds() {
        let long: Vec<String> = (0..5_000).map(|n| n.to_string()).collect();
        let text = of_lists(&long, &[]).unwrap();
        assert_eq!(text.lines().count(), 1 + 2 * MOST);
    }
}
