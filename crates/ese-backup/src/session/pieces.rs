//! In which pieces a file is read, and how far ahead the device is asked for the next ones.

/// Bytes of one read: enough for the device, short for a flusher that waits for the range, and so
/// few that they are still in the processor's cache when they are verified.
pub(super) const PIECE_LEN: usize = 256 << 10;
/// The device is asked once for so many bytes: asking costs a look at each of their pages.
const AHEAD_LEN: u64 = 1 << 20;

/// What to ask the device for after the bytes from `position` to `end` were read: offset and
/// length. It may reach behind the end of the file.
pub(super) fn read_ahead(position: u64, end: u64) -> Option<(u64, u64)> {
    let begun = position == 0 || position / AHEAD_LEN != end / AHEAD_LEN;
    begun.then_some((end, 2 * AHEAD_LEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_asked_for_before_it_is_read_and_twice_at_most() {
        let piece = PIECE_LEN as u64;
        let mut asked_to = 0;
        let mut asked = 0;
        for position in (0..64 * piece).step_by(PIECE_LEN) {
            if position > 0 {
                assert!(asked_to >= position + piece, "{position}");
            }
            if let Some((offset, len)) = read_ahead(position, position + piece) {
                assert_eq!(offset, position + piece);
                asked_to = offset + len;
                asked += len;
            }
        }
        assert!(asked <= 2 * 64 * piece + 4 * AHEAD_LEN, "{asked}");
    }
}
