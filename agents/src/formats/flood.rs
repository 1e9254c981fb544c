//! A bound on what one file can put into the quarantine.

use super::Quarantined;

/// Entries of one reason in one file that are told one by one.
pub(super) const MOST_ENTRIES: u64 = 1_000;
/// Reasons that are counted apart. The readers have fewer; this bounds what a file could make of them.
const MOST_REASONS: usize = 64;

/// Lets so many entries of each reason through and counts the others.
#[derive(Debug, Default)]
pub(super) struct Flood {
    reasons: Vec<Reason>,
}

#[derive(Debug)]
struct Reason {
    /// The reason without its digits: "line 3" and "line 4" are one reason.
    name: String,
    entries: u64,
    /// The first that was not told, and how many they are.
    untold: Option<(Quarantined, u64)>,
}

impl Flood {
    /// The entry, if it is to be told.
    pub(super) fn admit(&mut self, entry: Quarantined) -> Option<Quarantined> {
        let reason = self.of(&entry.reason);
        if reason.entries < MOST_ENTRIES {
            reason.entries += 1;
            return Some(entry);
        }
        match &mut reason.untold {
            Some((_, count)) => *count += 1,
            none => *none = Some((entry, 1)),
        }
        None
    }

    /// One closing entry for each reason of which not all was told. It stands where the first of the untold does.
    pub(super) fn rest(&mut self) -> Vec<Quarantined> {
        let untold = self.reasons.iter_mut().filter_map(|it| it.untold.take());
        untold
            .map(|(first, count)| match count {
                1 => first,
                _ => Quarantined { reason: format!("{} (and {} more)", first.reason, count - 1), ..first },
            })
            .collect()
    }

    fn of(&mut self, reason: &str) -> &mut Reason {
        let same = |it: &Reason| it.name.chars().eq(reason.chars().filter(|c| !c.is_ascii_digit()));
        let place = match self.reasons.iter().position(same) {
            Some(place) => place,
            None if self.reasons.len() == MOST_REASONS => MOST_REASONS - 1,
            None => {
                let name = reason.chars().filter(|c| !c.is_ascii_digit()).collect();
                self.reasons.push(Reason { name, entries: 0, untold: None });
                self.reasons.len() - 1
            }
        };
        &mut self.reasons[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Position;

    fn entry(record: u64, reason: impl Into<String>) -> Quarantined {
        let position = Position { record: Some(record), byte: record * 10, line: None };
        Quarantined { file: "f".to_owned(), member: None, position, path: None, reason: reason.into() }
    }

    #[test]
    fn a_thousand_of_a_reason_are_told_and_the_rest_in_one_entry_at_its_first_place() {
        let mut flood = Flood::default();
        let told = (0..2_500).filter(|at| flood.admit(entry(*at, format!("line {at}"))).is_some()).count();
        assert_eq!(told, 1_000);
        assert!(flood.admit(entry(7, "something else")).is_some());
        let rest = flood.rest();
        assert_eq!(rest, [entry(1_000, "line 1000 (and 1499 more)")]);
        assert!(flood.rest().is_empty());
    }

    #[test]
    fn one_that_is_left_over_is_told_as_it_is() {
        let mut flood = Flood::default();
        let admitted = (0..1_001).filter(|at| flood.admit(entry(*at, "it")).is_some()).count();
        assert_eq!((admitted, flood.rest()), (1_000, vec![entry(1_000, "it")]));
    }

    #[test]
    fn reasons_without_end_do_not_take_memory_without_end() {
        let mut flood = Flood::default();
        for at in 0..100_000_u64 {
            let letters: String = at.to_string().bytes().map(|digit| char::from(digit + 17)).collect();
            let _ = flood.admit(entry(at, letters));
        }
        assert_eq!(flood.reasons.len(), MOST_REASONS);
        assert_eq!(flood.rest().len(), 1);
    }
}
