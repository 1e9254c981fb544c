//! What lasts from firing to resolved.

use std::hash::Hasher as _;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};

use super::labels::Labels;
use super::time::Moment;

/// One time that a rule fired for a label set, until it is resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its own: no other incident ever has it.
    pub id: String,
    /// When it fired.
    pub fired: Moment,
    /// Since when it had been bad then.
    pub since: Moment,
    /// How often it looked good and was bad again before it was resolved.
    pub flaps: u32,
    /// Whether it is held open because it fires and is resolved too often.
    pub flapping: bool,
}

/// The key by which other systems tell incidents apart: the same for every incident of a rule and label set, on every
/// machine and in every version, and different from that of every other. At most one incident of a key is open at a time.
///
/// `namespace` tells deployments apart that call the same people. Only the labels of the series count: whoever gives a rule
/// another severity or label does not open its incidents anew.
#[must_use]
pub fn dedup_key(namespace: &str, rule: &str, series: &Labels) -> String {
    let mut hasher = SipHasher13::new_with_keys(0x5374_6174_696d_2061, 0x6c65_7274_2076_6572);
    let mut write = |text: &str| {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hasher.write(&(text.len() as u64).to_le_bytes());
        hasher.write(text.as_bytes());
    };
    write(namespace);
    write(rule);
    for (name, value) in series.iter() {
        write(name);
        write(value);
    }
    let hash = hasher.finish128();
    format!("statim-{:016x}{:016x}", hash.h1, hash.h2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dedup_key_stays_the_same_for_ever() {
        let labels = Labels::new([("agent", "consent"), ("priority", "critical")]).unwrap();
        // Incidents that are open at other systems were opened with these: a change orphans them.
        assert_eq!(dedup_key("", "Slow", &labels), "statim-ecc005dc3fd78011a5fbe298412e15e0");
        assert_eq!(dedup_key("ward-3", "Slow", &Labels::none()), "statim-fba4b88b00a52637abc1d1a831147d55");
    }

    #[test]
    fn no_two_rules_or_label_sets_share_a_dedup_key() {
        let set = |pairs: &[(&str, &str)]| Labels::new(pairs.iter().copied()).unwrap();
        let keys = [
            dedup_key("", "A", &set(&[])),
            dedup_key("A", "", &set(&[])),
            dedup_key("", "A", &set(&[("a", "b")])),
            dedup_key("", "A", &set(&[("a", "bc")])),
            dedup_key("", "A", &set(&[("ab", "c")])),
            dedup_key("", "Aa", &set(&[("b", "c")])),
        ];
        let distinct: std::collections::HashSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }
}
