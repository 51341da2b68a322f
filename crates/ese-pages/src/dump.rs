//! A page as text: for tests, for the command line, for comparing with a hex dump by hand.

use std::fmt::{self, Write};

use ese_base::{Hex, Pgno};

use crate::page::{Node, PageRef};

/// How much of each node is printed.
#[derive(Clone, Copy, Debug)]
pub struct DumpOptions {
    /// Print the nodes, not only the header.
    pub nodes: bool,
    /// Bytes of a key or of data that are printed before `..` takes over.
    pub bytes_max: usize,
}

impl Default for DumpOptions {
    fn default() -> DumpOptions {
        DumpOptions { nodes: true, bytes_max: 32 }
    }
}

/// The page as text, one line of it per node.
#[must_use]
pub fn page_text(page: PageRef<'_>, pgno: Pgno, options: DumpOptions) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    write_page(&mut text, page, pgno, options).unwrap_or_default();
    text
}

fn write_page(
    out: &mut impl Write,
    page: PageRef<'_>,
    pgno: Pgno,
    options: DumpOptions,
) -> fmt::Result {
    if page.is_blank() {
        return writeln!(out, "page {pgno}: blank");
    }
    writeln!(out, "page {pgno}: size {} flags {}", page.size(), flag_names(page))?;
    writeln!(
        out,
        "  objid {} dbtime {:#x} prev {} next {}",
        page.objid(),
        page.dbtime().0,
        page.prev(),
        page.next()
    )?;
    writeln!(
        out,
        "  nodes {} cbFree {} cbUncommittedFree {} ibMicFree {}",
        page.node_count(),
        page.free_bytes(),
        page.uncommitted_free(),
        page.ib_mic_free()
    )?;
    writeln!(out, "  external header {}", hex(page.external_header(), options.bytes_max))?;
    if options.nodes {
        for (iline, node) in page.nodes().enumerate() {
            write_node(out, page, iline, node, options.bytes_max)?;
        }
    }
    Ok(())
}

fn write_node(
    out: &mut impl Write,
    page: PageRef<'_>,
    iline: usize,
    node: Node<'_>,
    bytes_max: usize,
) -> fmt::Result {
    let flags: String = [(1, 'v'), (2, 'd'), (4, 'c')]
        .into_iter()
        .map(|(bit, letter)| if node.flags.bits() & bit == 0 { '-' } else { letter })
        .collect();
    write!(out, "  {iline:>4} {flags} key ")?;
    if !node.prefix.is_empty() {
        write!(out, "({})", hex(node.prefix, bytes_max))?;
    }
    write!(out, "{}", hex(node.suffix, bytes_max))?;
    if page.is_leaf() {
        writeln!(out, " data[{}] {}", node.data.len(), hex(node.data, bytes_max))
    } else {
        writeln!(out, " child {}", page.child(iline))
    }
}

fn flag_names(page: PageRef<'_>) -> String {
    let names: Vec<String> =
        page.flags().iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect();
    format!("{:#x} [{}]", page.flags().bits(), names.join(" "))
}

/// Bytes in hexadecimal; `-` for none.
#[must_use]
pub fn hex(bytes: &[u8], bytes_max: usize) -> String {
    if bytes.is_empty() {
        return String::from("-");
    }
    format!("{:.bytes_max$}", Hex(bytes))
}

#[cfg(test)]
mod tests {
    use ese_base::{DbTime, ObjId, PageSize};

    use super::*;
    use crate::{NodeFlags, PageFlags, PageMut};

    fn text(bytes: &[u8], options: DumpOptions) -> String {
        page_text(PageRef::new(bytes, PageSize::K4), Pgno(7), options)
    }

    #[test]
    fn a_leaf_and_an_internal_page_read_like_this() {
        let mut bytes = vec![0; 4096];
        assert_eq!(text(&bytes, DumpOptions::default()), "page 7: blank\n");

        let mut page = PageMut::new(&mut bytes, PageSize::K4);
        page.init(Pgno(7), ObjId(8), PageFlags::LEAF, DbTime(0x50));
        page.set_next(Pgno(9));
        page.set_external_header(b"abcd").unwrap();
        page.insert_node(0, 4, b"e", b"data", NodeFlags::VERSIONED).unwrap();
        page.insert_node(1, 0, b"b", &[0xff; 40], NodeFlags::DELETED).unwrap();
        let options = DumpOptions { nodes: true, bytes_max: 3 };
        assert_eq!(
            text(&bytes, options),
            "page 7: size 4096 flags 0x2802 [leaf new_record_format new_checksum]\n  \
             objid 8 dbtime 0x50 prev 0 next 9\n  \
             nodes 2 cbFree 3988 cbUncommittedFree 0 ibMicFree 56\n  \
             external header 616263..\n     \
             0 v-c key (616263..)65 data[4] 646174..\n     \
             1 -d- key 62 data[40] ffffff..\n"
        );

        let mut page = PageMut::new(&mut bytes, PageSize::K4);
        page.init(Pgno(7), ObjId(8), PageFlags::PARENT_OF_LEAF, DbTime(0x50));
        page.insert_node(0, 0, b"", &[11, 0, 0, 0], NodeFlags::empty()).unwrap();
        assert!(text(&bytes, options).ends_with("     0 --- key - child 11\n"));
        let header_only = DumpOptions { nodes: false, bytes_max: 3 };
        assert!(text(&bytes, header_only).ends_with("external header -\n"));
    }
}
