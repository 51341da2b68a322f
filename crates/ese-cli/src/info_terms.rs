//! A database header field by field, by the names that esentutl /mh has for them.

use ese_base::{BkInfo, LeLgPos, LogTime};
use ese_pages::{DbHeader, header::EventCount};

/// Name and value of every field that means something, in the order of esentutl.
pub(crate) fn terms(header: &DbHeader) -> Vec<(&'static str, String)> {
    let mut terms = vec![
        ("Checksum", format!("{:#x}", header.checksum.get())),
        ("Format ulMagic", format!("{:#x}", header.magic.get())),
        ("Format ulVersion", version(header.version.get(), header.update_major.get())),
        (
            "Created ulVersion",
            version(header.create_version.get(), header.create_update_major.get()),
        ),
        ("DB Signature", header.sign_db.to_string()),
        ("cbDbPage", header.cb_page_size.get().to_string()),
        ("dbtime", format!("{0} ({0:#x})", header.dbtime_dirtied.get())),
        ("State", header.state().to_string()),
        ("Log Required", range(header.gen_min_required.get(), header.gen_max_required.get())),
        ("Log Committed", range(0, header.gen_max_committed.get())),
        ("Log Recovering", generation(header.gen_recovering.get())),
        ("Log Consistent", generation(header.gen_min_consistent.get())),
        ("GenMax Creation", header.logtime_gen_max_create.to_string()),
        ("Shadowed", if header.has_shadow_catalog() { "Yes" } else { "No" }.to_owned()),
        ("Last Objid", header.objid_last.get().to_string()),
        ("Scrub Dbtime", header.dbtime_last_scrub.get().to_string()),
        ("Scrub Date", header.logtime_scrub.to_string()),
        ("Repair Count", header.repair_count.get().to_string()),
        ("Repair Date", header.logtime_repair.to_string()),
        ("Old Repair Count", header.repair_count_old.get().to_string()),
    ];
    for (name, pos, time) in [
        ("Last Consistent", header.lgpos_consistent, header.logtime_consistent),
        ("Last Attach", header.lgpos_attach, header.logtime_attach),
        ("Last Detach", header.lgpos_detach, header.logtime_detach),
        ("Last ReAttach", header.lgpos_last_reattach, header.logtime_last_reattach),
    ] {
        terms.push((name, moment(pos, time)));
    }
    terms.push(("Dbid", header.dbid.get().to_string()));
    terms.push(("Log Signature", header.sign_log.to_string()));
    let os = [&header.os_major, &header.os_minor, &header.os_build, &header.os_service_pack];
    let [major, minor, build, pack] = os.map(|field| field.get());
    terms.push(("OS Version", format!("({major}.{minor}.{build} SP {pack})")));
    for (name, backup) in [
        ("Previous Full Backup", &header.bkinfo_full_prev),
        ("Previous Incremental Backup", &header.bkinfo_inc_prev),
        ("Previous Copy Backup", &header.bkinfo_copy_prev),
        ("Previous Differential Backup", &header.bkinfo_diff_prev),
        ("Current Full Backup", &header.bkinfo_full_cur),
        ("Current Shadow copy backup", &header.bkinfo_snapshot_cur),
    ] {
        terms.push((name, marks(backup)));
    }
    for (name, events) in [
        ("ECC Fix Success Count", &header.ecc_fix_success),
        ("ECC Fix Error Count", &header.ecc_fix_fail),
        ("Bad Checksum Error Count", &header.bad_checksum),
    ] {
        terms.push((name, count(events)));
    }
    terms.push(("Extend Count", header.extend_count.get().to_string()));
    terms.push(("Shrink Count", header.shrink_count.get().to_string()));
    terms.push(("Trim Count", header.trim_count.get().to_string()));
    terms.push(("Last Resize", header.lgpos_last_resize.get().to_string()));
    terms.push(("Database Header Flush Signature", header.sign_db_hdr_flush.to_string()));
    terms.push(("Flush Map Header Flush Signature", header.sign_flush_map_hdr_flush.to_string()));
    terms
}

/// `0x620,30,0` without the update-minor, which means nothing.
fn version(version: u32, update: u32) -> String {
    format!("{version:#x},{update}")
}

fn generation(number: u32) -> String {
    format!("{number} ({number:#x})")
}

fn range(first: u32, last: u32) -> String {
    format!("{first}-{last} ({first:#x}-{last:#x})")
}

fn moment(pos: LeLgPos, time: LogTime) -> String {
    format!("({}) {time}", pos.get())
}

fn marks(backup: &BkInfo) -> String {
    let (low, high) = (backup.gen_low.get(), backup.gen_high.get());
    if high == 0 && low == 0 {
        return "none".to_owned();
    }
    format!("Log Gen {}, Mark {}", range(low, high), moment(backup.lgpos_mark, backup.logtime_mark))
}

fn count(events: &EventCount) -> String {
    let (now, old) = (events.count.get(), events.count_old.get());
    if now == 0 && old == 0 {
        return "none".to_owned();
    }
    format!("{now}, last {}, {old} before the last repair", events.last)
}
