//! Popular keys: rank `r` is drawn with a probability of about `1 / r^0.99`, and the ranks are
//! strewn over the rows (the method of Gray and others, "Quickly generating billion-record
//! synthetic databases", as the common cloud benchmark uses it).

use crate::rows::mix;

const THETA: f64 = 0.99;

/// Draws row numbers from `0..rows`.
pub(crate) struct Zipf {
    rows: u64,
    zeta: f64,
    alpha: f64,
    eta: f64,
}

impl Zipf {
    pub(crate) fn new(rows: u64) -> Zipf {
        let sum = |count: u64| (1..=count).map(|rank| (rank as f64).powf(-THETA)).sum::<f64>();
        let (zeta, two) = (sum(rows), sum(2));
        let eta = (1.0 - (2.0 / rows as f64).powf(1.0 - THETA)) / (1.0 - two / zeta);
        Zipf { rows, zeta, alpha: 1.0 / (1.0 - THETA), eta }
    }

    /// The row that a random number stands for.
    pub(crate) fn draw(&self, random: u64) -> u64 {
        let unit = (random >> 11) as f64 / (1u64 << 53) as f64;
        let at = unit * self.zeta;
        let rank = if at < 1.0 {
            0.0
        } else if at < 1.0 + 0.5f64.powf(THETA) {
            1.0
        } else {
            self.rows as f64 * (self.eta * unit - self.eta + 1.0).powf(self.alpha)
        };
        mix(rank.floor().to_bits()) % self.rows
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_few_rows_are_popular_and_all_are_in_range() {
        let zipf = Zipf::new(1000);
        let mut seen = HashMap::new();
        for n in 0..100_000 {
            *seen.entry(zipf.draw(mix(n))).or_insert(0_u32) += 1;
        }
        assert!(seen.keys().all(|row| *row < 1000));
        let mut counts: Vec<u32> = seen.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        // The most popular of a thousand is drawn in 1 of 7.7 cases, the second in half as many.
        assert!((11_000..15_000).contains(&counts[0]), "{}", counts[0]);
        assert!((5_000..8_000).contains(&counts[1]), "{}", counts[1]);
    }
}
