//! Series in short: `0+10x5` for `0 10 20 30 40 50`, as Prometheus's rule tests write them.

use statim::alert::{Distribution, LabelFault, Labels, Value};

/// Most samples of a series.
const MOST: usize = 100_000;

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotationFault {
    #[error("{0:?} is none of 5, 5x3, 0+10x5, 9-1x4, _, _x3, and with measured values 0.2#100x4")]
    Token(String),
    #[error("has more than {MOST} samples")]
    Many,
    #[error("is not a series, such as statim_mailbox_used_ratio{{agent=\"consent\"}}")]
    Series,
    #[error(transparent)]
    Label(#[from] LabelFault),
}

/// The samples, `None` where there is none. `5x3` is 5 and three more, `0+10x5` 0 and five more, each 10 larger, `_x3` three
/// times none, and `0.2#100` a hundred measured values of 0.2.
pub(super) fn values(text: &str) -> Result<Vec<Option<Value>>, NotationFault> {
    let mut values = Vec::new();
    for token in text.split_whitespace() {
        let wrong = || NotationFault::Token(crate::config::reader::shorten(token));
        let (body, times) = match token.rsplit_once('x') {
            Some((body, times)) => (body, Some(times.parse::<usize>().map_err(|_| wrong())?)),
            None => (token, None),
        };
        let count = times.map_or(1, |it| it.saturating_add(usize::from(body != "_")));
        if values.len().saturating_add(count) > MOST {
            return Err(NotationFault::Many);
        }
        if body == "_" {
            values.extend(std::iter::repeat_n(None, count));
            continue;
        }
        let (body, measured) = match body.split_once('#') {
            Some((body, measured)) => (body, Some(measured.parse::<u64>().map_err(|_| wrong())?)),
            None => (body, None),
        };
        let (start, step) = progression(body).ok_or_else(wrong)?;
        values.extend((0..count).map(|index| {
            let value = start + step * index as f64;
            Some(match measured {
                Some(measured) => Distribution::from_counts([(value, measured)]).into(),
                None => value.into(),
            })
        }));
    }
    Ok(values)
}

/// `start`, `start+step` or `start-step`.
fn progression(body: &str) -> Option<(f64, f64)> {
    let number = |text: &str| text.parse().ok().filter(|it: &f64| it.is_finite());
    if let Some(start) = number(body) {
        return Some((start, 0.0));
    }
    // The first character may be the sign of the start.
    let at = body.char_indices().skip(1).find(|(_, c)| ['+', '-'].contains(c))?.0;
    Some((number(&body[..at])?, number(&body[at..])?))
}

/// A metric with its labels: `name{label="value", …}`. In a value, `\"` is a quote and `\\` a backslash.
pub(super) fn series(text: &str) -> Result<(String, Labels), NotationFault> {
    let text = text.trim();
    let (name, rest) = match text.split_once('{') {
        Some((name, rest)) => (name.trim(), rest.strip_suffix('}').ok_or(NotationFault::Series)?),
        None => (text, ""),
    };
    if name.is_empty() || !name.bytes().all(|it| it.is_ascii_alphanumeric() || b"_:".contains(&it)) {
        return Err(NotationFault::Series);
    }
    let mut labels = Labels::none();
    let mut left = rest.trim();
    while !left.is_empty() {
        let (label, after) = left.split_once('=').ok_or(NotationFault::Series)?;
        let quoted = after.trim_start().strip_prefix('"').ok_or(NotationFault::Series)?;
        let (value, after) = unquote(quoted).ok_or(NotationFault::Series)?;
        labels.set(label.trim().to_owned(), value)?;
        left = match after.trim_start().strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if after.trim().is_empty() => "",
            None => return Err(NotationFault::Series),
        };
    }
    Ok((name.to_owned(), labels))
}

/// The text up to the closing quote, and what is after it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers(text: &str) -> Vec<Option<f64>> {
        let number = |value| match value {
            Value::Number(number) => number,
            Value::Distribution(it) => it.count() as f64,
        };
        values(text).unwrap().into_iter().map(|it| it.map(number)).collect()
    }

    #[test]
    fn series_are_written_in_short() {
        assert_eq!(
            numbers("0+10x2 -1-1x1 5x1 _ 7 _x2"),
            [
                Some(0.0),
                Some(10.0),
                Some(20.0),
                Some(-1.0),
                Some(-2.0),
                Some(5.0),
                Some(5.0),
                None,
                Some(7.0),
                None,
                None,
            ]
        );
        assert_eq!(numbers("0.2#100x1"), [Some(100.0), Some(100.0)]);
        assert_eq!(numbers("1e-3"), [Some(0.001)]);
        assert_eq!(numbers(" "), []);
        for text in ["a", "x", "1x", "1+x3", "_+1x2", "1#x", "1#-2", "infx2", "1x-1", "é+é", "1xx2"] {
            assert!(values(text).is_err(), "{text}");
        }
        assert_eq!(values("1x999999999999"), Err(NotationFault::Many));
        assert_eq!(values("1x18446744073709551615"), Err(NotationFault::Many));
    }

    #[test]
    fn a_series_has_a_name_and_labels() {
        let (name, labels) = series(r#" depth { agent="a\"b", priority = "low" } "#).unwrap();
        assert_eq!((name.as_str(), labels.get("agent"), labels.get("priority")), ("depth", "a\"b", "low"));
        assert_eq!(series("up").unwrap(), ("up".to_owned(), Labels::none()));
        for text in [
            "",
            "{a=\"b\"}",
            "up{",
            "up{a}",
            "up{a=b}",
            "up{a=\"b}",
            "up{a=\"b\" c=\"d\"}",
            "u p",
            "up{0=\"a\"}",
        ] {
            assert!(series(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(_|x|#|\\+|-|[0-9.é ]|\\{|\\}|=|\"|\\\\|a|,){0,30}") {
            let _ = values(&text);
            let _ = series(&text);
        }
    }
}
