//! A date that may lack its day or month.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A date as its source wrote it: a year, a month of a year, a day, a season (`1976 Summer`) or a free text that PubMed
/// calls MedlineDate (`1976 Jan-Feb`).
///
/// What is missing stays missing: a month is never turned into its first day. The value serialises as its text and reads
/// back from it. It orders by year, then month, then day, a missing part before every present one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartialDate {
    year: Option<u16>,
    month: Option<u8>,
    day: Option<u8>,
    text: Box<str>,
}

impl PartialDate {
    /// Understands `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, the same without hyphens, and month names (`2016 Jul 12`,
    /// `July 12, 2016`, `June 2016`). Of any other text the leading year is taken, if there is one. No text is refused
    /// and none is altered, except for white space at its ends.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        let (year, month, day) = read_parts(text).unwrap_or((leading_year(text), None, None));
        Self { year, month, day, text: text.into() }
    }

    /// A date from the separate parts of a PubMed `PubDate`: month as a name or a number, or a season instead of it.
    ///
    /// Where year, month and day are understood the text is `YYYY[-MM[-DD]]`; otherwise the parts as written, with
    /// spaces between them. `None` when every part is absent.
    #[must_use]
    pub fn from_parts(
        year: Option<&str>,
        month: Option<&str>,
        day: Option<&str>,
        season: Option<&str>,
    ) -> Option<Self> {
        let written: Vec<&str> = [year, month, day, season]
            .into_iter()
            .flatten()
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect();
        if written.is_empty() {
            return None;
        }
        let text = numeric_text(year, month, day, season);
        Some(Self::new(&text.unwrap_or_else(|| written.join(" "))))
    }

    /// The text, as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The year, when it is known.
    #[must_use]
    pub fn year(&self) -> Option<u16> {
        self.year
    }

    /// The month, 1 to 12, when it is known.
    #[must_use]
    pub fn month(&self) -> Option<u8> {
        self.month
    }

    /// The day of the month, 1 to 31, when it is known.
    #[must_use]
    pub fn day(&self) -> Option<u8> {
        self.day
    }

    /// The season, where the text is one year and a season.
    #[must_use]
    pub fn season(&self) -> Option<&str> {
        let (year, rest) = self.text.split_once(' ')?;
        if !is_year(year) {
            return None;
        }
        ["spring", "summer", "autumn", "fall", "winter"]
            .iter()
            .any(|season| rest.eq_ignore_ascii_case(season))
            .then_some(rest)
    }

    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, with the parts that are known; `None` without a year.
    #[must_use]
    pub fn iso(&self) -> Option<String> {
        let year = self.year?;
        Some(match (self.month, self.day) {
            (Some(month), Some(day)) => format!("{year:04}-{month:02}-{day:02}"),
            (Some(month), None) => format!("{year:04}-{month:02}"),
            _ => format!("{year:04}"),
        })
    }

    /// YYYYMMDD as a number, zero in the place of what is missing.
    pub(super) fn rank(&self) -> u64 {
        u64::from(self.year.unwrap_or(0)) * 10_000
            + u64::from(self.month.unwrap_or(0)) * 100
            + u64::from(self.day.unwrap_or(0))
    }
}

impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartialDate({:?})", self.text)
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for PartialDate {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl Serialize for PartialDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for PartialDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = PartialDate;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date as text")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PartialDate, E> {
                Ok(PartialDate::new(text))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

type Parts = (Option<u16>, Option<u8>, Option<u8>);

fn read_parts(text: &str) -> Option<Parts> {
    let bytes = text.as_bytes();
    if bytes.iter().all(u8::is_ascii_digit) {
        return match bytes.len() {
            4 => parts(Some(text), None, None),
            6 => parts(text.get(..4), text.get(4..6), None),
            // Zeros in the place of a day or month say that it is not known.
            8 if text.ends_with("0000") => parts(text.get(..4), None, None),
            8 if text.ends_with("00") => parts(text.get(..4), text.get(4..6), None),
            8 => parts(text.get(..4), text.get(4..6), text.get(6..8)),
            _ => None,
        };
    }
    if text.contains('-') {
        let mut fields = text.split('-');
        let found = (fields.next(), fields.next(), fields.next());
        return if fields.next().is_none() { parts(found.0, found.1, found.2) } else { None };
    }
    let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let (first, second, third) = (words.next()?, words.next()?, words.next());
    if words.next().is_some() {
        return None;
    }
    if is_year(first) {
        parts(Some(first), Some(second), third)
    } else if let Some(year) = third {
        parts(Some(year), Some(first), Some(second))
    } else {
        parts(Some(second), Some(first), None)
    }
}

/// All the parts that are given must be understood, or none is taken.
fn parts(year: Option<&str>, month: Option<&str>, day: Option<&str>) -> Option<Parts> {
    let year = year.filter(|year| is_year(year))?.parse::<u16>().ok()?;
    let Some(month) = month else {
        return day.is_none().then_some((Some(year), None, None));
    };
    let month = month_number(month)?;
    let Some(day) = day else {
        return Some((Some(year), Some(month), None));
    };
    let day = small_number(day).filter(|day| (1..=last_day(year, month)).contains(day))?;
    Some((Some(year), Some(month), Some(day)))
}

fn numeric_text(
    year: Option<&str>,
    month: Option<&str>,
    day: Option<&str>,
    season: Option<&str>,
) -> Option<String> {
    if season.is_some() {
        return None;
    }
    let (year, month, day) = parts(year.map(str::trim), month.map(str::trim), day.map(str::trim))?;
    PartialDate { year, month, day, text: "".into() }.iso()
}

fn leading_year(text: &str) -> Option<u16> {
    let head = text.get(..4).filter(|head| is_year(head))?;
    let ends = text.as_bytes().get(4).is_none_or(|next| !next.is_ascii_alphanumeric());
    if ends { head.parse().ok() } else { None }
}

fn is_year(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn small_number(text: &str) -> Option<u8> {
    let plain = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn month_number(text: &str) -> Option<u8> {
    if let Some(number) = small_number(text) {
        return (1..=12).contains(&number).then_some(number);
    }
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = text.trim_end_matches('.');
    let matches = |full: &&str| {
        full.eq_ignore_ascii_case(name) || full.get(..3).is_some_and(|short| short.eq_ignore_ascii_case(name))
    };
    let index = NAMES.iter().position(matches)?;
    u8::try_from(index + 1).ok()
}

fn last_day(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

/// A date, or nothing for null or an empty text; a number is read as its digits.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PartialDate>, D::Error> {
    let text = super::lenient::text(deserializer)?;
    Ok(text.filter(|text| !text.trim().is_empty()).map(|text| PartialDate::new(&text)))
}
