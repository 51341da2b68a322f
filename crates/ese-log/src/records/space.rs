//! Records that create trees and change the size of a database (log-records 2.5 and 2.8).

use ese_base::{DbTime, Dbid, Error, JetErr, ObjId, Pgno, ProcId, Result, TrxId};

use super::{
    node::PageHead,
    wire::{Body, Head, Input, Show, Tail, record_struct},
};

record_struct! {
    /// A tree with its own owned- and available-extents trees: three pages with one dbtime.
    /// `page.pgno` is the root; `RecordFlags::UNIQUE` says whether keys are unique.
    CreateMultipleExtentFdp = 24 {
        /// The root page.
        page: PageHead,
        /// Object id of the new tree.
        objid: ObjId,
        /// Root of the owned extents.
        pgno_oe: Pgno,
        /// Root of the available extents: `pgno_oe + 1`.
        pgno_ae: Pgno,
        /// Root of the tree that gave the space.
        pgno_fdp_parent: Pgno,
        /// Pages given.
        primary_pages: u32,
        /// Flags of the new pages (index, long value, ..).
        page_flags: u32,
    }
}

record_struct! {
    /// A tree in one extent; its space is a bitmap in its header.
    CreateSingleExtentFdp = 25 {
        /// The root page.
        page: PageHead,
        /// Object id of the new tree.
        objid: ObjId,
        /// Root of the tree that gave the space.
        pgno_fdp_parent: Pgno,
        /// Pages given.
        primary_pages: u32,
        /// Flags of the new page.
        page_flags: u32,
    }
}

/// A tree in one extent gets owned- and available-extents trees. Type 58; the old form 26 lacks
/// the last two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvertFdp {
    /// The root page.
    pub page: PageHead,
    /// Object id of the tree.
    pub objid: ObjId,
    /// Root of the owned extents.
    pub pgno_oe: Pgno,
    /// Root of the available extents.
    pub pgno_ae: Pgno,
    /// Root of the tree that gave the space.
    pub pgno_fdp_parent: Pgno,
    /// First page of the second extent.
    pub pgno_secondary_first: Pgno,
    /// Pages of the first extent.
    pub primary_pages: u32,
    /// Pages of the second extent.
    pub secondary_pages: u32,
    /// Bitmap of available pages and the root's flags (mask the flush-type bits); `None` in the
    /// old form.
    pub available: Option<ConvertAvailable>,
}

/// What type 58 has more than type 26.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvertAvailable {
    /// Bit n set: page root + 1 + n of the first extent is available.
    pub bits: u32,
    /// Flags of the root page.
    pub page_flags: u32,
}

impl<'b> Body<'b> for ConvertFdp {
    fn number(&self) -> u8 {
        if self.available.is_some() { 58 } else { 26 }
    }
    fn head(&self) -> Head {
        let mut head = Head::new(Body::number(self));
        head.field(self.page);
        head.field(self.objid);
        head.field(self.pgno_oe);
        head.field(self.pgno_ae);
        head.field(self.pgno_fdp_parent);
        head.field(self.pgno_secondary_first);
        head.field(self.primary_pages);
        head.field(self.secondary_pages);
        if let Some(available) = self.available {
            head.field(available.bits);
            head.field(available.page_flags);
        }
        head
    }
    fn tail(&self) -> Tail<'_> {
        [&[]; 4]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        Ok(ConvertFdp {
            page: input.field()?,
            objid: input.field()?,
            pgno_oe: input.field()?,
            pgno_ae: input.field()?,
            pgno_fdp_parent: input.field()?,
            pgno_secondary_first: input.field()?,
            primary_pages: input.field()?,
            secondary_pages: input.field()?,
            available: if input.number() == 58 {
                Some(ConvertAvailable { bits: input.field()?, page_flags: input.field()? })
            } else {
                None
            },
        })
    }
    fn show_fields(&self, out: &mut String) {
        self.page.show("page", out);
        self.objid.show("objid", out);
        self.pgno_oe.show("pgno_oe", out);
        self.pgno_ae.show("pgno_ae", out);
        self.pgno_fdp_parent.show("parent", out);
        self.pgno_secondary_first.show("pgno_secondary_first", out);
        self.primary_pages.show("primary_pages", out);
        self.secondary_pages.show("secondary_pages", out);
        self.available.map(|a| a.bits).show("available", out);
        self.available.map(|a| a.page_flags).show("page_flags", out);
    }
}

record_struct! {
    /// A page is taken into use; the record that fills it follows with a higher dbtime.
    NewPage = 95 {
        /// Session.
        procid: ProcId,
        /// Database.
        dbid: Dbid,
        /// The page.
        pgno: Pgno,
        /// Its owner.
        objid: ObjId,
        /// Its dbtime.
        dbtime: DbTime,
    }
}

record_struct! {
    /// Pages were cut off the file's middle and lie in no tree any more (space is punched out).
    TrimDb = 81 {
        /// Database.
        dbid: Dbid,
        /// First page.
        first: Pgno,
        /// Number of pages.
        pages: u32,
    }
}

/// The file got shorter: type 78, 94 (same layout) or 99 (with a dbtime).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShrinkDb {
    /// Which of the three forms: 78, 94 or 99.
    pub form: u8,
    /// Database.
    pub dbid: Dbid,
    /// Last page afterwards.
    pub last: Pgno,
    /// Pages removed.
    pub pages: u32,
    /// Only form 99: dbtime of the shrinking.
    pub dbtime: Option<DbTime>,
}

impl<'b> Body<'b> for ShrinkDb {
    fn number(&self) -> u8 {
        match (self.dbtime, self.form) {
            (Some(_), _) => 99,
            (None, 78) => 78,
            (None, _) => 94,
        }
    }
    fn head(&self) -> Head {
        let mut head = Head::new(Body::number(self));
        head.field(self.dbid);
        head.field(self.last);
        head.field(self.pages);
        if let Some(dbtime) = self.dbtime {
            head.field(dbtime);
        }
        head
    }
    fn tail(&self) -> Tail<'_> {
        [&[]; 4]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        let form = input.number();
        Ok(ShrinkDb {
            form,
            dbid: input.field()?,
            last: input.field()?,
            pages: input.field()?,
            dbtime: if form == 99 { Some(input.field()?) } else { None },
        })
    }
    fn show_fields(&self, out: &mut String) {
        self.dbid.show("dbid", out);
        self.last.show("last", out);
        self.pages.show("pages", out);
        self.dbtime.show("dbtime", out);
    }
}

/// Pages went back to the database's root: type 100, or 101 with a dbtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtentFreed {
    /// Database.
    pub dbid: Dbid,
    /// First page.
    pub first: Pgno,
    /// Number of pages.
    pub pages: u32,
    /// Why and how.
    pub flags: u8,
    /// Only type 101: dbtime of the freeing.
    pub dbtime: Option<DbTime>,
}

impl<'b> Body<'b> for ExtentFreed {
    fn number(&self) -> u8 {
        if self.dbtime.is_some() { 101 } else { 100 }
    }
    fn head(&self) -> Head {
        let mut head = Head::new(Body::number(self));
        head.field(self.dbid);
        head.field(self.first);
        head.field(self.pages);
        head.field(self.flags);
        if let Some(dbtime) = self.dbtime {
            head.field(dbtime);
        }
        head
    }
    fn tail(&self) -> Tail<'_> {
        [&[]; 4]
    }
    fn decode(input: &mut Input<'b>) -> Result<Self> {
        Ok(ExtentFreed {
            dbid: input.field()?,
            first: input.field()?,
            pages: input.field()?,
            flags: input.field()?,
            dbtime: if input.number() == 101 { Some(input.field()?) } else { None },
        })
    }
    fn show_fields(&self, out: &mut String) {
        self.dbid.show("dbid", out);
        self.first.show("first", out);
        self.pages.show("pages", out);
        self.flags.show("flags", out);
        self.dbtime.show("dbtime", out);
    }
}

/// Records of the form {type, length of the rest, fields}. A longer rest, as a newer engine may
/// write it, is kept behind the known fields.
macro_rules! sized_record {
    (
        $(#[$doc:meta])*
        $name:ident = $number:literal, $len:literal {
            $($(#[$fdoc:meta])* $field:ident: $fty:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a> {
            $($(#[$fdoc])* pub $field: $fty,)*
            /// What a newer engine has put behind.
            pub more: &'a [u8],
        }

        impl<'b: 'a, 'a> Body<'b> for $name<'a> {
            fn number(&self) -> u8 {
                $number
            }
            fn head(&self) -> Head {
                let mut head = Head::new($number);
                let len: u32 = $len;
                match u32::try_from(self.more.len()).ok().and_then(|more| len.checked_add(more)) {
                    Some(len) => head.field(len),
                    None => head.refuse(),
                }
                $(head.field(self.$field);)*
                head
            }
            fn tail(&self) -> Tail<'_> {
                [self.more, &[], &[], &[]]
            }
            fn decode(input: &mut Input<'b>) -> Result<Self> {
                let mut rest = input.sized_rest()?;
                if rest.remaining() < $len {
                    return Err(Error::new(
                        JetErr::LogFileCorrupt,
                        format!(
                            "a {} record of {} bytes where {} are needed",
                            stringify!($name), rest.remaining(), $len
                        ),
                    ));
                }
                Ok($name { $($field: rest.field()?,)* more: rest.all() })
            }
            fn show_fields(&self, out: &mut String) {
                $(self.$field.show(stringify!($field), out);)*
            }
        }
    };
}
pub(super) use sized_record;

sized_record! {
    /// The file got longer.
    ExtendDb = 68, 5 {
        /// Database.
        dbid: Dbid,
        /// Last page of the file afterwards.
        last: Pgno,
    }
}

sized_record! {
    /// A tree was freed.
    FreeFdp = 74, 10 {
        /// Database.
        dbid: Dbid,
        /// Root of the tree.
        pgno_fdp: Pgno,
        /// Commit of the transaction that deleted it.
        trx_committed: TrxId,
        /// Kind of tree (table, index, ..).
        kind: u8,
    }
}
