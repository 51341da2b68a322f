//! Overwriting what nobody needs, for secrecy (record 64): the data of flag-deleted nodes, or
//! everything on a page that is in no tree.

use ese_base::Result;
use ese_log::records::Scrub;
use ese_pages::{NodeFlags, PageFlags, PageMut};

use super::impossible;

/// [`Scrub::scrub_flags`]: the page is in no tree.
const UNUSED_PAGE: u32 = 1;
/// An item: the node stays as it is.
const KEEP: u8 = 0;
/// An item: the data of a flag-deleted node goes.
const DATA: u8 = 1;
/// An item: a chunk of a long value goes, in a way that whoever decompresses it recognises.
const LONG_VALUE: u8 = 2;
/// What comes instead of data.
const DATA_FILL: u8 = b'D';
/// What comes instead of a chunk, behind [`LONG_VALUE_MARK`].
const LONG_VALUE_FILL: u8 = b'L';
/// The first byte of a scrubbed chunk: compression number 4.
const LONG_VALUE_MARK: u8 = 4 << 3;

/// Is the page one that is in no tree?
#[must_use]
pub fn is_of_unused_page(r: &Scrub<'_>) -> bool {
    r.scrub_flags & UNUSED_PAGE != 0
}

/// Scrubs a page. The free bytes between lines are nothing that a page means, and stay.
///
/// # Errors
/// `JET_errInvalidLoggedOperation` (-500) if the record does not describe this page.
pub fn apply(r: &Scrub<'_>, page: &mut PageMut<'_>) -> Result<()> {
    let pgno = r.node.page.pgno;
    if is_of_unused_page(r) {
        while page.as_ref().node_count() > 0 {
            page.delete_node(page.as_ref().node_count() - 1)?;
        }
    } else {
        let count = page.as_ref().node_count();
        if r.items.len() != count || usize::try_from(r.count).ok() != Some(count) {
            let what = format!("{} nodes are scrubbed on a page of {count}", r.count);
            return Err(impossible(pgno, what));
        }
        for (iline, item) in r.items.iter().enumerate() {
            let node = page.as_ref().node(iline);
            let mut data = vec![DATA_FILL; node.data.len()];
            match *item {
                KEEP => continue,
                DATA => {}
                LONG_VALUE => {
                    data.fill(LONG_VALUE_FILL);
                    if let Some(first) = data.first_mut() {
                        *first = LONG_VALUE_MARK;
                    }
                }
                other => return Err(impossible(pgno, format!("scrub operation {other}"))),
            }
            let flags = node.flags - NodeFlags::VERSIONED;
            page.replace_data(iline, &data)?;
            page.set_node_flags(iline, flags)?;
        }
    }
    let flags = page.as_ref().flags();
    page.set_flags(flags | PageFlags::SCRUBBED);
    Ok(())
}

#[cfg(test)]
mod tests {
    use ese_base::{DbTime, Dbid, Iline, JetErr, ObjId, PageSize, Pgno, ProcId, RceId, TrxId};
    use ese_log::records::{NodeHead, PageHead, RecordFlags};

    use super::*;

    fn record(scrub_flags: u32, items: &[u8]) -> Scrub<'_> {
        let page = PageHead {
            procid: ProcId(1),
            dbid: Dbid(1),
            pgno: Pgno(9),
            dbtime: DbTime(8),
            dbtime_before: DbTime(7),
            trx_begin0: TrxId(0),
            level: 0,
            iline: Iline(0),
            flags: RecordFlags::empty(),
        };
        let node = NodeHead { page, rceid: RceId(0), pgno_fdp: Pgno(9), objid_fdp: ObjId(3) };
        let count = u32::try_from(items.len()).unwrap();
        Scrub { node, scrub_flags, count, items }
    }

    fn page(bytes: &mut [u8]) -> PageMut<'_> {
        let mut page = PageMut::new(bytes, PageSize::K8);
        page.init(Pgno(9), ObjId(3), PageFlags::LEAF, DbTime(7));
        let gone = NodeFlags::DELETED | NodeFlags::VERSIONED;
        for (iline, flags) in [NodeFlags::empty(), gone, gone].into_iter().enumerate() {
            page.insert_node(iline, 0, &[b'a', u8::try_from(iline).unwrap()], b"data", flags)
                .unwrap();
        }
        page
    }

    #[test]
    fn data_of_deleted_nodes_is_overwritten_and_the_rest_stays() {
        let mut bytes = vec![0; 8192];
        let mut page = page(&mut bytes);
        apply(&record(0, &[KEEP, DATA, LONG_VALUE]), &mut page).unwrap();
        let page = page.as_ref();
        let data: Vec<&[u8]> = page.nodes().map(|node| node.data).collect();
        assert_eq!(data, [&b"data"[..], b"DDDD", b"\x20LLL"]);
        assert_eq!(page.node(1).flags, NodeFlags::DELETED);
        assert_eq!(page.node(2).key_to_vec(), [b'a', 2]);
        assert!(page.flags().contains(PageFlags::SCRUBBED));
    }

    #[test]
    fn an_unused_page_loses_all_its_nodes() {
        let mut bytes = vec![0; 8192];
        let mut page = page(&mut bytes);
        apply(&record(UNUSED_PAGE, &[]), &mut page).unwrap();
        assert_eq!(page.as_ref().node_count(), 0);
    }

    #[test]
    fn a_record_of_another_page_is_refused() {
        let mut bytes = vec![0; 8192];
        for items in [&[KEEP, DATA][..], &[KEEP, KEEP, 9]] {
            let error = apply(&record(0, items), &mut page(&mut bytes)).unwrap_err();
            assert_eq!(error.code(), JetErr::InvalidLoggedOperation);
            assert_eq!(error.pgno(), Some(Pgno(9)));
        }
    }
}
