//! Encoding, the checks of decoding, finding a header in whole and damaged files, the trailer.

use std::cell::Cell;

use ese_base::Pgno;
use zerocopy::little_endian::U32;

use super::*;
use crate::test_rng::Rng;

fn header(page_size: PageSize) -> DbHeader {
    let mut header = DbHeader::new(NewHeader {
        page_size,
        sign_db: Signature::new(0x1234_5678, LogTime::from_unix_ms(1_700_000_000_000)),
        sign_log: Signature::NULL,
    });
    header.set_dbtime(DbTime(0x193));
    header.set_last_objid(ObjId(8));
    header.set_clean(LgPos::new(1, 2, 3), LogTime::from_unix_ms(1_700_000_001_000));
    header
}

/// A database file of two headers and some pages.
fn file(size: PageSize) -> Vec<u8> {
    let mut file = header(size).encode().unwrap();
    file.extend_from_within(..);
    file.resize(6 * size.bytes(), 0);
    file
}

fn find(file: &[u8]) -> Result<Located> {
    let reader = |offset: u64, buf: &mut [u8]| {
        let offset = usize::try_from(offset).unwrap();
        buf.copy_from_slice(&file[offset..offset + buf.len()]);
        Ok(())
    };
    locate(reader, file.len() as u64)
}

fn code_and_text(file: &[u8]) -> (i32, String) {
    let error = find(file).unwrap_err();
    (error.jet_code(), error.to_string())
}

#[test]
fn a_new_clean_header_has_the_values_of_the_format_document() {
    let page = header(PageSize::K4).encode().unwrap();
    let u32_at = |at: usize| u32::from_le_bytes(page[at..at + 4].try_into().unwrap());
    assert_eq!(page[4..8], [0xef, 0xcd, 0xab, 0x89]);
    assert_eq!([8, 12, 52, 104, 232, 236].map(u32_at), [0x620, 0, 3, 1, 20, 4096]);
    assert_eq!([16, 212, 340, 344, 667].map(u32_at), [0x193, 8, 0x620, 20, 1]);
    assert_eq!([296, 300, 416, 640].map(u32_at), [0; 4]);
    assert_eq!(page[508..516], [0xff; 8]);
    assert_eq!(page[56..64], [3, 0, 2, 0, 1, 0, 0, 0]);
    assert_eq!(page[56..64], page[96..104]);
    assert!(page[748..].iter().all(|&byte| byte == 0));
    assert!(verify_header(&page));
}

#[test]
fn a_header_survives_encoding_at_every_page_size() {
    for size in PageSize::EVER {
        let page = header(size).encode().unwrap();
        assert_eq!(page.len(), size.bytes());
        let decoded = DbHeader::decode(&page).unwrap();
        assert_eq!(decoded.page_size().unwrap(), size);
        assert_eq!(decoded.state(), DbState::CleanShutdown);
        assert_eq!((decoded.dbtime(), decoded.last_objid()), (DbTime(0x193), ObjId(8)));
        assert_eq!(decoded.encode().unwrap(), page);
    }
}

#[test]
fn states_keep_their_numbers() {
    for value in 0..10 {
        assert_eq!(DbState::from_u32(value).to_u32(), value);
    }
    assert_eq!(DbState::from_u32(2).to_string(), "Dirty Shutdown");
    assert_eq!(DbState::from_u32(99).to_string(), "Unknown (99)");
}

#[test]
fn closing_clears_everything_that_asks_for_logs() {
    let mut header = header(PageSize::K4);
    header.set_state(DbState::DirtyShutdown);
    header.gen_min_required = 3.into();
    header.gen_max_required = 5.into();
    header.gen_max_committed = 6.into();
    header.gen_min_consistent = 3.into();
    header.logtime_gen_max_create = LogTime::from_unix_ms(1);
    header.bkinfo_full_cur.gen_low = 3.into();
    assert_eq!(header.required(), (Generation(3), Generation(5)));
    assert_eq!(header.committed(), Generation(6));
    assert!(header.is_backup_copy());
    header.set_clean(LgPos::new(6, 7, 8), LogTime::from_unix_ms(2));
    assert_eq!(header.required(), (Generation(0), Generation(0)));
    assert_eq!(header.committed(), Generation(0));
    assert_eq!(header.gen_min_consistent, U32::ZERO);
    assert!(header.logtime_gen_max_create.is_null());
    assert_eq!(header.lgpos_detach.get(), LgPos::new(6, 7, 8));
    assert!(!header.is_backup_copy());
}

#[test]
fn what_is_no_database_of_ours_is_refused_with_the_fitting_code() {
    type Change = fn(&mut DbHeader);
    let cases: [(Change, i32, &str); 9] = [
        (|h| h.magic = 1.into(), -1206, "magic number 00000001"),
        (|h| h.version = 0x621.into(), -1209, "0x621.20 is newer"),
        (|h| h.update_major = 301.into(), -1209, "0x620.301 is newer"),
        (|h| h.version = 0x500.into(), -1209, "0x500.20 is older"),
        (|h| h.update_major = 9.into(), -1209, "0x620.9 is older"),
        (|h| h.attrib = 1.into(), -1812, "attribute 1"),
        (|h| h.filetype = 3.into(), -1812, "file type 3"),
        (|h| h.cb_page_size = 5000.into(), -1213, "5000"),
        (
            |h| {
                h.cb_page_size = 16384.into();
                h.update_major = 16.into();
            },
            -1209,
            "do not exist in format update 16",
        ),
    ];
    for (change, code, text) in cases {
        let mut header = header(PageSize::K4);
        change(&mut header);
        let error = header.check().unwrap_err();
        assert_eq!(error.jet_code(), code, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    // What other engines write is fine: newer updates, other accepted file types.
    for (update, filetype) in [(11, 0), (180, 1), (300, 5)] {
        let mut header = header(PageSize::K4);
        header.update_major = update.into();
        header.filetype = filetype.into();
        header.check().unwrap();
    }
}

#[test]
fn decoding_wants_the_right_checksum_and_exactly_one_page() {
    let page = header(PageSize::K8).encode().unwrap();
    let mut bad = page.clone();
    bad[300] ^= 1;
    assert_eq!(DbHeader::decode(&bad).unwrap_err().jet_code(), -1018);
    // Zeros do not change an XOR, so a longer buffer verifies and must be refused by its length.
    let mut longer = page.clone();
    longer.resize(16384, 0);
    assert_eq!(DbHeader::decode(&longer).unwrap_err().jet_code(), -1213);
    assert_eq!(DbHeader::decode(&page[..100]).unwrap_err().jet_code(), -1206);
}

#[test]
fn the_page_size_is_found_from_either_copy() {
    for size in PageSize::EVER {
        let good = file(size);
        let found = find(&good).unwrap();
        assert_eq!((found.page_size, found.copy), (size, HeaderCopy::Both));
        assert_eq!(found.header, DbHeader::decode(&good[..size.bytes()]).unwrap());

        let mut first_bad = good.clone();
        first_bad[..size.bytes()].fill(0x5a);
        let found = find(&first_bad).unwrap();
        assert_eq!((found.page_size, found.copy), (size, HeaderCopy::Shadow));

        let mut shadow_bad = good.clone();
        shadow_bad[size.bytes() + 20] ^= 1;
        assert_eq!(find(&shadow_bad).unwrap().copy, HeaderCopy::Primary);

        // Both right, but different: the first counts.
        let mut newer = header(size);
        newer.set_dbtime(DbTime(0x999));
        let mut differ = good.clone();
        differ[..size.bytes()].copy_from_slice(&newer.encode().unwrap());
        let found = find(&differ).unwrap();
        assert_eq!((found.copy, found.header.dbtime()), (HeaderCopy::Primary, DbTime(0x999)));
    }
}

#[test]
fn the_page_size_zero_of_old_files_means_4096() {
    let mut header = header(PageSize::K4);
    header.cb_page_size = 0.into();
    let mut file = header.encode().unwrap();
    file.extend_from_within(..);
    assert_eq!(find(&file).unwrap().page_size, PageSize::K4);
}

#[test]
fn what_is_found_instead_of_a_header_is_said() {
    let good = file(PageSize::K8);
    // Both damaged.
    let mut both = good.clone();
    both[20] ^= 1;
    both[8192 + 20] ^= 1;
    let (code, text) = code_and_text(&both);
    assert_eq!(code, -1018);
    assert!(text.contains("both copies of the database header are damaged"), "{text}");
    // The first erased, the shadow damaged.
    both[..8192].fill(0);
    let (code, text) = code_and_text(&both);
    assert_eq!(code, -1018);
    assert!(text.contains("pages of 8192 bytes"), "{text}");
    // Too short, cut inside the header.
    assert_eq!(code_and_text(&good[..100]).0, -1206);
    assert_eq!(code_and_text(&[]).0, -1206);
    let (code, text) = code_and_text(&good[..5000]);
    assert_eq!(code, -1206);
    assert!(text.contains("truncated: 5000 bytes"), "{text}");
    // Something else.
    let (code, text) = code_and_text(&vec![0x41; 100_000]);
    assert_eq!(code, -1206);
    assert!(text.contains("it begins with 41414141"), "{text}");
    let (code, text) = code_and_text(&vec![0; 100_000]);
    assert_eq!(code, -1206);
    assert!(text.contains("zero"), "{text}");
    // A newer format.
    let mut newer = header(PageSize::K4);
    newer.update_major = 999.into();
    let mut file = newer.encode().unwrap();
    file.extend_from_within(..);
    let (code, text) = code_and_text(&file);
    assert_eq!(code, -1209);
    assert!(text.contains("newer"), "{text}");
}

#[test]
fn logs_and_checkpoints_are_recognised() {
    let mut rng = Rng::new(1);
    for (filetype, kind) in [(3, "log file"), (4, "checkpoint file"), (7, "flush map")] {
        let mut file = vec![0; 16384];
        file[4..236].copy_from_slice(&rng.bytes(232));
        file[667] = filetype;
        stamp_header(&mut file[..4096]);
        let (code, text) = code_and_text(&file);
        assert_eq!(code, -1812);
        assert!(text.contains(kind), "{text}");
    }
}

#[test]
fn errors_of_the_device_come_through_and_nothing_is_read_past_the_end() {
    let error = locate(|_, _| Err(Error::code_only(JetErr::DiskIO)), 1 << 20).unwrap_err();
    assert_eq!(error.code(), JetErr::DiskIO);
    for len in [4096_u64, 5000, 8192, 9000, 12288, 40000, 65536] {
        let end = Cell::new(0);
        let found = locate(
            |offset, buf| {
                end.set(end.get().max(offset + buf.len() as u64));
                buf.fill(0x33);
                Ok(())
            },
            len,
        );
        assert!(found.is_err() && end.get() <= len, "{len}");
    }
}

#[test]
fn arbitrary_files_give_an_error_and_never_a_panic() {
    let mut rng = Rng::new(9);
    for round in 0..300 {
        let len = rng.below(70_000);
        let mut file = rng.bytes(len);
        if round % 2 == 0 && len > 8 {
            file[4..8].copy_from_slice(&DbHeader::MAGIC.to_le_bytes());
        }
        assert!(find(&file).is_err());
        let _decoded = DbHeader::decode(&file).is_err();
        let _trailer = BackupTrailer::decode(&file).is_err();
    }
}

#[test]
fn the_backup_trailer_has_the_offsets_of_the_patch_page() {
    let mut trailer = BackupTrailer::default();
    trailer.bkinfo.gen_low = 0x1E2E4.into();
    trailer.bkinfo.gen_high = 0x1E2EC.into();
    trailer.sign_db = Signature::new(1, LogTime::NULL);
    trailer.sign_log = Signature::new(2, LogTime::NULL);
    trailer.gen_min_required = 3.into();
    trailer.gen_max_required = 4.into();
    trailer.gen_max_committed = 5.into();
    for size in PageSize::EVER {
        let page = trailer.encode(size);
        assert_eq!(page.len(), size.bytes());
        assert!(page[4..40].iter().all(|&byte| byte == 0));
        let bytes = [56, 60, 64, 92, 120, 124, 128].map(|at| page[at]);
        assert_eq!(bytes, [0xe4, 0xec, 1, 2, 3, 4, 5]);
        let decoded = BackupTrailer::decode(&page).unwrap();
        assert_eq!(decoded, BackupTrailer { checksum: decoded.checksum, ..trailer });
        // As a page of the old form with number 0 it also verifies, as edb-format 1.6 observes.
        assert_eq!(crate::checksum::check(&page, Pgno(0)), crate::checksum::Verdict::Good);
        let mut damaged = page.clone();
        damaged[1000] ^= 4;
        assert_eq!(BackupTrailer::decode(&damaged).unwrap_err().jet_code(), -1018);
        let other = header(size).encode().unwrap();
        assert_eq!(BackupTrailer::decode(&other).unwrap_err().jet_code(), -552);
    }
}
