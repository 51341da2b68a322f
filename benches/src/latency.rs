//! Times of single operations: how many, the middle, the tail, the longest.

use std::time::Duration;

/// Times of one kind of operation, in the order they were taken.
#[derive(Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    /// Room for so many without allocating between two measurements.
    pub(crate) fn with_capacity(count: usize) -> Latencies {
        Latencies(Vec::with_capacity(count))
    }

    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(crate) fn append(&mut self, mut other: Latencies) {
        self.0.append(&mut other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn max(&self) -> Duration {
        self.0.iter().max().copied().unwrap_or_default()
    }

    /// The time that `per_mille` of 1000 operations stayed below.
    pub(crate) fn quantile(&mut self, per_mille: usize) -> Duration {
        self.0.sort_unstable();
        let at = self.0.len().saturating_sub(1) * per_mille / 1000;
        self.0.get(at).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_the_longest_are_those_of_the_sorted_times() {
        let mut times = Latencies::default();
        for ms in (1..=100).rev() {
            times.add(Duration::from_millis(ms));
        }
        assert_eq!(times.quantile(500), Duration::from_millis(50));
        assert_eq!(times.quantile(990), Duration::from_millis(99));
        assert_eq!(times.max(), Duration::from_millis(100));
        assert_eq!(Latencies::default().quantile(500), Duration::ZERO);
    }
}
