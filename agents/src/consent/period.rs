//! From when until when.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, de};

/// A span of time that has its start and not its end; an edge that is missing is open.
///
/// Written as two strings, each a time (`2024-05-01T08:00:00Z`, any offset), a date, a month (`2024-05`) or a year, the
/// latter three in UTC. A start is the first moment of what it names. An end that is a time is the first moment outside;
/// an end that is a date, a month or a year *includes* it, as people mean it. It is kept, and written back, as times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Period {
    /// The first moment inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// The first moment outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
}

impl Period {
    /// Always.
    pub const ALWAYS: Self = Self { start: None, end: None };

    /// Whether `now` is inside.
    #[must_use]
    pub fn contains(&self, now: Timestamp) -> bool {
        !self.is_over(now) && !self.is_ahead(now)
    }

    /// Whether `now` is at or after the end.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.end.is_some_and(|end| end <= now)
    }

    /// Whether `now` is before the start.
    #[must_use]
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        self.start.is_some_and(|start| now < start)
    }

    /// Whether no moment is inside: a mistake in the source.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!((self.start, self.end), (Some(start), Some(end)) if end <= start)
    }

    /// Whether it is unbounded.
    #[must_use]
    pub fn is_always(&self) -> bool {
        *self == Self::ALWAYS
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Form {
            #[serde(default, deserialize_with = "start")]
            start: Option<Timestamp>,
            #[serde(default, deserialize_with = "end")]
            end: Option<Timestamp>,
        }
        let Form { start, end } = Form::deserialize(deserializer)?;
        Ok(Self { start, end })
    }
}

fn start<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    edge(deserializer, Edge::start)
}

fn end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    edge(deserializer, Edge::end)
}

fn edge<'de, D: Deserializer<'de>>(
    deserializer: D,
    side: fn(Edge) -> Option<Timestamp>,
) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let time = Edge::parse(&text).and_then(side);
    // What was written is not repeated: the error may be shown.
    time.map(Some).ok_or_else(|| de::Error::custom("not a time, date, month or year"))
}

/// An edge as written: a moment, or the days from the first up to and not including the second.
enum Edge {
    Moment(Timestamp),
    Days(Date, Date),
}

impl Edge {
    fn parse(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| {
            let digits = text.get(range)?;
            digits.bytes().all(|it| it.is_ascii_digit()).then(|| digits.parse::<i16>().ok())?
        };
        let dash = |at: usize| text.as_bytes().get(at) == Some(&b'-');
        let small = |number: i16| i8::try_from(number).ok();
        match text.len() {
            4 => {
                let year = number(0..4)?;
                Some(Self::Days(Date::new(year, 1, 1).ok()?, Date::new(year.checked_add(1)?, 1, 1).ok()?))
            }
            7 if dash(4) => {
                let first = Date::new(number(0..4)?, small(number(5..7)?)?, 1).ok()?;
                Some(Self::Days(first, first.last_of_month().tomorrow().ok()?))
            }
            10 if dash(4) && dash(7) => {
                let day = Date::new(number(0..4)?, small(number(5..7)?)?, small(number(8..10)?)?).ok()?;
                Some(Self::Days(day, day.tomorrow().ok()?))
            }
            // A time needs an offset: jiff refuses one without.
            11..=64 => text.parse().ok().map(Self::Moment),
            _ => None,
        }
    }

    fn start(self) -> Option<Timestamp> {
        match self {
            Self::Moment(time) => Some(time),
            Self::Days(first, _) => midnight(first),
        }
    }

    fn end(self) -> Option<Timestamp> {
        match self {
            Self::Moment(time) => Some(time),
            Self::Days(_, after) => midnight(after),
        }
    }
}

fn midnight(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|it| it.timestamp())
}
