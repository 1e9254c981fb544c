//! Silences: what nobody is told of for a while.

use serde::{Deserialize, Serialize};

use super::labels::{Labels, Matcher};
use super::time::Moment;

/// Most silences that are kept.
const MOST: usize = 1_000;

/// Nobody is told of the alerts that every matcher picks, from `starts` until `ends`. They are watched all the same: what
/// still fires at the end is told then. That something is over is told to whoever was told that it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its name, unique among the silences.
    pub id: String,
    /// Which alerts: at least one matcher, of the alert's labels, `alertname` and `severity` included.
    pub matchers: Vec<Matcher>,
    /// The first moment of it.
    pub starts: Moment,
    /// The first moment after it.
    pub ends: Moment,
    /// Who wanted it.
    pub by: String,
    /// Why.
    pub comment: String,
}

/// What is wrong with a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SilenceFault {
    /// It would silence everything.
    #[error("the silence has no matcher; to silence everything, match alertname with *")]
    NoMatcher,
    /// It ends before it begins.
    #[error("the silence ends before it begins")]
    Empty,
    /// There are too many.
    #[error("there are {MOST} silences already; lift some")]
    Many,
}

impl Silence {
    /// Whether it covers these labels at `now`.
    #[must_use]
    pub fn covers(&self, labels: &Labels, now: Moment) -> bool {
        self.starts <= now && now < self.ends && self.matchers.iter().all(|it| it.picks(labels))
    }
}

/// The silences in force, to come, and just ended; at most 1,000.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Silences(Vec<Silence>);

impl Silences {
    /// Adds a silence; it takes the place of one with its id.
    ///
    /// # Errors
    ///
    /// When it makes no sense, or there are too many that have not ended at `now`.
    pub fn add(&mut self, silence: Silence, now: Moment) -> Result<(), SilenceFault> {
        if silence.matchers.is_empty() {
            return Err(SilenceFault::NoMatcher);
        }
        if silence.ends <= silence.starts {
            return Err(SilenceFault::Empty);
        }
        self.0.retain(|it| it.id != silence.id && now < it.ends);
        if self.0.len() >= MOST {
            return Err(SilenceFault::Many);
        }
        self.0.push(silence);
        Ok(())
    }

    /// Ends a silence. Whether there was one of this id that had not ended.
    pub fn lift(&mut self, id: &str, now: Moment) -> bool {
        let before = self.0.len();
        self.0.retain(|it| now < it.ends);
        let ended = before - self.0.len();
        self.0.retain(|it| it.id != id);
        self.0.len() + ended < before
    }

    /// The first silence that covers these labels at `now`.
    #[must_use]
    pub fn covering(&self, labels: &Labels, now: Moment) -> Option<&Silence> {
        self.0.iter().find(|it| it.covers(labels, now))
    }

    /// Each that is kept.
    pub fn iter(&self) -> impl Iterator<Item = &Silence> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(id: &str, starts: u64, ends: u64) -> Silence {
        Silence {
            id: id.to_owned(),
            matchers: vec![Matcher::is("agent", "ingest*")],
            starts: Moment::from_millis(starts),
            ends: Moment::from_millis(ends),
            by: "ann".to_owned(),
            comment: "upgrade".to_owned(),
        }
    }

    #[test]
    fn a_silence_covers_from_its_beginning_until_before_its_end() {
        let labels = Labels::new([("agent", "ingest-1")]).unwrap();
        let covers = |now| silence("a", 10, 20).covers(&labels, Moment::from_millis(now));
        assert_eq!([9, 10, 19, 20].map(covers), [false, true, true, false]);
        assert!(!silence("a", 10, 20).covers(&Labels::none(), Moment::from_millis(15)));
    }

    #[test]
    fn a_silence_that_makes_no_sense_is_refused() {
        let mut silences = Silences::default();
        let now = Moment::from_millis(0);
        assert_eq!(silences.add(silence("a", 5, 5), now), Err(SilenceFault::Empty));
        let all = Silence { matchers: Vec::new(), ..silence("a", 0, 5) };
        assert_eq!(silences.add(all, now), Err(SilenceFault::NoMatcher));
    }

    #[test]
    fn ended_silences_make_room_and_an_id_is_there_once() {
        let mut silences = Silences::default();
        let at = Moment::from_millis;
        for n in 0..1_000 {
            silences.add(silence(&n.to_string(), 0, 10), at(0)).unwrap();
        }
        assert_eq!(silences.add(silence("x", 0, 10), at(0)), Err(SilenceFault::Many));
        silences.add(silence("7", 0, 30), at(0)).unwrap();
        assert_eq!(silences.iter().count(), 1_000);
        silences.add(silence("x", 0, 30), at(20)).unwrap();
        assert_eq!(silences.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["7", "x"]);
        assert!(silences.lift("7", at(20)) && !silences.lift("7", at(20)) && !silences.lift("x", at(40)));
    }
}
