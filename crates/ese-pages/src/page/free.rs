//! What of a page no line covers.

use std::ops::Range;

use super::{layout::SLOT_LEN, read::PageRef};

impl PageRef<'_> {
    /// The runs of bytes between the page header and the slots that no line lies in, in order, as
    /// offsets into the image. Removed lines stay there until others need the room.
    #[must_use]
    pub fn uncovered(&self) -> Vec<Range<usize>> {
        let (begin, tags) = (self.size().header_len(), self.tag_count().min(self.tag_count_max()));
        let end = self.bytes().len().saturating_sub(tags * SLOT_LEN);
        let mut lines: Vec<Range<usize>> = (0..tags)
            .map(|itag| self.slot(itag))
            .filter(|slot| slot.cb > 0)
            .map(|slot| begin + slot.ib..begin + slot.ib + slot.cb)
            .collect();
        lines.sort_unstable_by_key(|line| line.start);
        let (mut runs, mut at) = (Vec::new(), begin);
        for line in lines {
            if line.start > at {
                runs.push(at..line.start.min(end));
            }
            at = at.max(line.end);
        }
        if at < end {
            runs.push(at..end);
        }
        runs
    }
}
