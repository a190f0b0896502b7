//! Numbers that look like chance and are the same on every machine.

/// A xorshift generator: the seed, which must not be 0, says it all.
pub struct Chance(pub u64);

impl Chance {
    /// A number below the limit; 0 where the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap_or(0)
    }
}
