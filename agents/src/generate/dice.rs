//! Random choices that are the same on every machine.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of choices belonging to one record: the same seed, purpose and index give the same stream.
///
/// The helpers are written here, on 64-bit integers only, because a library's sampling may change between its versions
/// and with the width of `usize`, and the bytes of a generated file may not.
#[derive(Debug)]
pub(super) struct Dice {
    rng: ChaCha8Rng,
}

impl Dice {
    pub(super) fn new(seed: u64, purpose: &[u8; 8], index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(purpose);
        key[16..24].copy_from_slice(&index.to_le_bytes());
        Dice { rng: ChaCha8Rng::from_seed(key) }
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// A number below `bound`, which must not be 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        scale(self.bits(), bound)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn range(&mut self, low: i64, high: i64) -> i64 {
        let width = high.abs_diff(low) + 1;
        low + i64::try_from(self.below(width)).unwrap_or(0)
    }

    /// True in `percent` of 100 throws.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.index(from.len())]
    }

    /// An index into something of `length` elements.
    pub(super) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// A random identifier in the form of a version 4 UUID.
    pub(super) fn uuid(&mut self) -> String {
        let (high, low) = (self.bits(), self.bits());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            8 + (low >> 62),
            (low >> 48) & 0xfff,
            low & 0xffff_ffff_ffff,
        )
    }
}

/// One number from three, well mixed (SplitMix64's finaliser): for choices that are made again many times.
pub(super) fn mix(seed: u64, purpose: u64, index: u64) -> u64 {
    let mut state = seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93);
    for word in [purpose, index] {
        state = state.wrapping_add(word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
    }
    state
}

/// Maps 64 random bits to a number below `bound`.
pub(super) fn scale(bits: u64, bound: u64) -> u64 {
    ((u128::from(bits) * u128::from(bound)) >> 64) as u64
}

/// A one-to-one image of `index` below `modulus`, so that ids look scattered and still never meet. `modulus` must be a
/// power of ten and `index` below it: the multiplier shares no factor with ten.
pub(super) fn scatter(seed: u64, index: u64, modulus: u64) -> u64 {
    let offset = mix(seed, 0x1d, 0) % modulus;
    ((u128::from(index) * 73_687_877 + u128::from(offset)) % u128::from(modulus)) as u64
}
