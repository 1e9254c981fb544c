//! The rule by which lanes take turns.

use crate::message::Priority;

const CRITICAL: usize = Priority::Critical.lane();
const NORMAL: usize = Priority::Normal.lane();
const LOW: usize = Priority::Low.lane();

/// Critical comes strictly first. High, Normal and Low are served in this order, except that a Normal or
/// Low lane that has been passed over for `bypass` turns is served next. The limits are staggered by one
/// so that both hold exactly when the two fall due together: Low at `bypass`, Normal one turn earlier.
#[derive(Debug)]
pub(crate) struct Turns {
    /// Turns of other non-critical lanes since this one was last served while it had work.
    normal_passed: u32,
    low_passed: u32,
    bypass: Option<u32>,
    /// Turns of Critical since another lane was last served while it had work.
    others_passed: u32,
    patience: Option<u32>,
}

impl Turns {
    /// A rule that passes a waiting lane over at most `bypass` times, or strict priority.
    pub(crate) const fn new(bypass: Option<u32>) -> Self {
        Self { normal_passed: 0, low_passed: 0, bypass, others_passed: 0, patience: None }
    }

    /// Critical too passes the others over so many times at most. For turns of whole agents: one that gets
    /// nothing but Critical messages, without end, must not silence its neighbours.
    pub(crate) const fn with_patience(mut self, patience: u32) -> Self {
        self.patience = Some(patience);
        self
    }

    /// The lane whose turn it is, of those whose bit is set in `ready`; counts it as served.
    #[inline]
    pub(crate) fn next(&mut self, ready: u8) -> Option<usize> {
        let chosen = self.choose(ready)?;
        self.account(chosen, ready);
        Some(chosen)
    }

    #[inline]
    fn choose(&self, ready: u8) -> Option<usize> {
        if ready == 0 {
            return None;
        }
        let mut ready = ready;
        if has(ready, CRITICAL) {
            let out_of_patience = self.patience.is_some_and(|patience| self.others_passed >= patience);
            if !out_of_patience || ready == 1 << CRITICAL {
                return Some(CRITICAL);
            }
            ready &= !(1 << CRITICAL);
        }
        let first = ready.trailing_zeros() as usize;
        if let Some(bypass) = self.bypass {
            if has(ready, LOW) && self.low_passed >= bypass {
                return Some(LOW);
            }
            if has(ready, NORMAL) && self.normal_passed + 1 >= bypass {
                return Some(NORMAL);
            }
        }
        Some(first)
    }

    #[inline]
    fn account(&mut self, chosen: usize, ready: u8) {
        if chosen == CRITICAL {
            let others_wait = ready != 1 << CRITICAL;
            self.others_passed = if others_wait { self.others_passed.saturating_add(1) } else { 0 };
            return;
        }
        self.others_passed = 0;
        let passed = |lane: usize, before: u32| {
            if lane == chosen || !has(ready, lane) { 0 } else { before.saturating_add(1) }
        };
        self.normal_passed = passed(NORMAL, self.normal_passed);
        self.low_passed = passed(LOW, self.low_passed);
    }
}

fn has(ready: u8, lane: usize) -> bool {
    ready & (1 << lane) != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_lane_with_work_waits_no_longer_than_its_bypass(
            bypass in 2_u32..40,
            readies in proptest::collection::vec(0_u8..16, 1..2_000),
        ) {
            let mut turns = Turns::new(Some(bypass));
            let mut passed = [0_u32; Priority::COUNT];
            for ready in readies {
                // Normal and Low have work throughout, High and Critical as it comes.
                let ready = ready | 1 << NORMAL | 1 << LOW;
                let chosen = turns.next(ready).unwrap();
                prop_assert!(has(ready, chosen));
                if has(ready, CRITICAL) {
                    prop_assert_eq!(chosen, CRITICAL);
                    continue;
                }
                for lane in [NORMAL, LOW] {
                    passed[lane] = if lane == chosen { 0 } else { passed[lane] + 1 };
                    prop_assert!(passed[lane] <= bypass, "lane {} was passed over {} times", lane, passed[lane]);
                }
            }
        }
    }

    #[test]
    fn with_patience_critical_leaves_the_others_one_turn_in_so_many() {
        let mut turns = Turns::new(Some(32)).with_patience(8);
        let chosen: Vec<_> = (0..90).map(|_| turns.next(0b1001).unwrap()).collect();
        assert_eq!(chosen.iter().filter(|lane| **lane == LOW).count(), 10);
        assert!(chosen.split(|lane| *lane == LOW).all(|run| run.len() <= 8));
    }

    #[test]
    fn without_a_bypass_the_most_urgent_is_always_next() {
        let mut turns = Turns::new(None);
        for ready in 1_u8..16 {
            for _ in 0..100 {
                assert_eq!(turns.next(ready), Some(ready.trailing_zeros() as usize));
            }
        }
        assert_eq!(turns.next(0), None);
    }
}
