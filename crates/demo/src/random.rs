//! A generator of numbers that gives the same sequence for the same seed on every machine. Synthetic
//! data only: never a key.

/// SplitMix64 (Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators*, 2014, §3).
pub(crate) struct SplitMix64(u64);

impl SplitMix64 {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number from `low` up to and including `high`. The tiny bias of the remainder does not
    /// matter for an example.
    pub(crate) fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = u64::from(high.abs_diff(low)) + 1;
        let step = i32::try_from(self.next() % span).unwrap_or_default();
        low.saturating_add(step)
    }

    /// True in so many cases of a hundred.
    pub(crate) const fn percent(&mut self, cases: u64) -> bool {
        self.next() % 100 < cases
    }

    /// One of the items; the type's default where there are none.
    pub(crate) fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let count = items.len().max(1) as u64;
        let index = usize::try_from(self.next() % count).unwrap_or_default();
        items.get(index).copied().unwrap_or_default()
    }

    /// So many digits.
    pub(crate) fn digits(&mut self, count: usize) -> String {
        let digit = |_| char::from(b'0' + (self.next() % 10) as u8);
        (0..count).map(digit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_sequence() {
        // The first outputs of the reference implementation for the seed 1234567.
        let mut random = SplitMix64::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn bounds_are_inclusive() {
        let mut random = SplitMix64::new(1);
        let drawn: std::collections::BTreeSet<_> =
            (0..100).map(|_| random.between(-1, 1)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [-1, 0, 1]);
    }
}
