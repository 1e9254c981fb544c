//! Draws what is sent.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::load::scenario::Share;
use crate::load::target::{Kind, Request};
use crate::message::Priority;

/// Random numbers that are the same for a seed on every machine and in every version: ChaCha with 8 rounds. Each stream
/// of a seed is independent of the others.
pub(super) fn dice(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    dice.set_stream(stream);
    dice
}

/// Exponentially distributed with mean 1.
pub(super) fn exponential(dice: &mut ChaCha8Rng) -> f64 {
    // 53 bits, and never zero.
    let uniform = ((dice.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    -uniform.ln()
}

/// Evenly from 0 to below `below`, which is above zero.
pub(super) fn below(dice: &mut ChaCha8Rng, below: u64) -> u64 {
    // The high half of the product: for any number of kinds or keys the bias is below 2⁻³².
    ((u128::from(dice.next_u64()) * u128::from(below)) >> 64) as u64
}

/// A scenario's mix, against what a target can be sent.
#[derive(Debug, Clone)]
pub(in crate::load) struct Mix {
    shares: Vec<Drawn>,
    weight: u64,
}

#[derive(Debug, Clone)]
struct Drawn {
    /// The weights up to this share, itself included.
    upto: u64,
    kind: usize,
    priority: Priority,
    keys: u64,
}

impl Mix {
    /// # Errors
    ///
    /// The first kind of the mix that the target does not know.
    pub(in crate::load) fn new(mix: &[Share], kinds: &[Kind]) -> Result<Self, String> {
        let mut shares = Vec::with_capacity(mix.len());
        let mut weight = 0;
        for share in mix {
            let Some(kind) = kinds.iter().position(|kind| kind.name == share.kind) else {
                return Err(share.kind.clone());
            };
            weight += u64::from(share.weight);
            let own = kinds[kind].priority;
            let priority = share.priority.map_or(own, |at_most| own.at_most(at_most));
            shares.push(Drawn { upto: weight, kind, priority, keys: u64::from(share.batch_keys) });
        }
        Ok(Self { shares, weight })
    }

    /// How many shares there are.
    pub(in crate::load) fn len(&self) -> usize {
        self.shares.len()
    }

    /// How urgently a share is sent.
    pub(in crate::load) fn priority(&self, share: usize) -> Priority {
        self.shares[share].priority
    }

    /// Draws a message. Takes the same number of dice whatever comes of it.
    pub(super) fn draw(&self, dice: &mut ChaCha8Rng, sequence: u64, user: u32) -> Request {
        let at = below(dice, self.weight);
        let share = self.shares.iter().position(|share| at < share.upto).unwrap_or(self.shares.len() - 1);
        let drawn = &self.shares[share];
        let key = below(dice, drawn.keys.max(1));
        Request {
            sequence,
            kind: drawn.kind,
            share,
            priority: drawn.priority,
            key: (drawn.keys > 0).then_some(key),
            user,
            random: dice.next_u64(),
        }
    }
}
