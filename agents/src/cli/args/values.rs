//! Values that the command line takes, and what is wrong with others.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::consent::Effect;
use crate::generate::Kind;
use statim::alert::Matcher;
use statim::delivery::LetterStatus;

/// A text with something in it: a blank one is most often a shell variable that was not set.
pub(super) fn filled(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("it is blank") } else { Ok(text.to_owned()) }
}

pub(super) fn matcher(text: &str) -> Result<Matcher, &'static str> {
    let (name, value) = text.split_once('=').ok_or("give a label and its value, such as agent=consent")?;
    if name.trim().is_empty() { Err("the label has no name") } else { Ok(Matcher::is(name.trim(), value)) }
}

pub(super) fn workers(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|it| (1..=256).contains(it)).ok_or("give a number from 1 to 256")
}

/// How long a load test may take: a second to a week.
pub(super) fn load_duration(text: &str) -> Result<Duration, &'static str> {
    const ADVICE: &str = "give a duration of a second to a week, such as 30s, 5m or 1h30m";
    let read = crate::config::duration(text).ok_or(ADVICE)?;
    if (Duration::from_secs(1)..=Duration::from_hours(168)).contains(&read) { Ok(read) } else { Err(ADVICE) }
}

pub(super) fn rate(text: &str) -> Result<f64, &'static str> {
    let rate: Option<f64> = text.parse().ok().filter(|it| (0.001..=1e6).contains(it));
    rate.ok_or("give a number from 0.001 to 1000000")
}

pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    const ADVICE: &str = "give a whole number and s, m, h, d or w, such as 30d";
    let unit = text.chars().last().ok_or(ADVICE)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(ADVICE),
    };
    let number: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| ADVICE)?;
    // A hundred years: within what a timestamp can go back.
    number
        .checked_mul(seconds)
        .filter(|it| *it <= 100 * 366 * 86_400)
        .map(Duration::from_secs)
        .ok_or("that is more than a hundred years")
}

pub(super) fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::NAMES).try_map(|name| name.parse::<Kind>())
}

pub(super) fn effect() -> impl TypedValueParser<Value = Effect> {
    PossibleValuesParser::new(["permit", "deny"])
        .map(|name| if name == "permit" { Effect::Permit } else { Effect::Deny })
}

pub(super) fn status() -> impl TypedValueParser<Value = LetterStatus> {
    PossibleValuesParser::new(["parked", "requeued", "done"]).map(|name| match name.as_str() {
        "parked" => LetterStatus::Parked,
        "requeued" => LetterStatus::Requeued,
        _ => LetterStatus::Done,
    })
}
