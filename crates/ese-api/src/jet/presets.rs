//! The presets of `JET_paramConfiguration` (api-semantics 3.11).
//!
//! [`JET_configDefault`] sets every parameter back to its default, so whatever was set before is
//! lost; the other bits then set the parameters that they cover, later ones of the list over
//! earlier ones. Values in bytes or parts of the cache become pages of the process's page size.

use super::{
    JET_paramCacheSizeMax,
    params::{JET_PARAM, Params, Scope, find},
};

/// All parameters get their defaults.
pub const JET_configDefault: u64 = 0x1;
/// Limits of handles are as high as can be.
pub const JET_configRemoveQuotas: u64 = 0x2;
/// Little disk space, circular logging.
pub const JET_configLowDiskFootprint: u64 = 0x4;
/// Some disk space, circular logging.
pub const JET_configMediumDiskFootprint: u64 = 0x8;
/// Little memory.
pub const JET_configLowMemory: u64 = 0x10;
/// Some memory.
pub const JET_configDynamicMediumMemory: u64 = 0x20;
/// Save power; sets nothing.
pub const JET_configLowPower: u64 = 0x40;
/// Input and output as solid-state disks like them.
pub const JET_configSSDProfileIO: u64 = 0x80;
/// No events.
pub const JET_configRunSilent: u64 = 0x100;
/// Memory without bounds; sets nothing.
pub const JET_configUnthrottledMemory: u64 = 0x200;
/// Many processors; sets nothing.
pub const JET_configHighConcurrencyScaling: u64 = 0x400;
/// All of them.
pub(super) const ALL: u64 = 0x7ff;

/// The value 0 stands for what used to be the small configuration.
const SMALL: u64 =
    JET_configDefault | JET_configLowDiskFootprint | JET_configLowMemory | JET_configRemoveQuotas;

/// A value and its unit.
#[derive(Clone, Copy, Debug)]
enum To {
    Number(u64),
    /// In bytes; stored in pages.
    Bytes(u64),
    /// Percent of the cache's upper limit, and the least.
    OfCache(u64),
}

use To::{Bytes, Number, OfCache};

impl To {
    /// The value for pages of this size, and a cache of at most so many of them.
    fn value(self, page: u64, cache_max: u64) -> u64 {
        match self {
            Number(value) => value,
            Bytes(bytes) => bytes / page,
            OfCache(percent) => (cache_max.saturating_mul(percent) / 100).max(percent - 1),
        }
    }
}

type Preset = (u64, &'static [(u32, To)]);

/// In the order in which they are applied.
const PRESETS: &[Preset] = &[
    (
        JET_configLowDiskFootprint,
        &[
            (18, Number(16)),
            (19, Number(14)),
            (17, Number(1)),
            (11, Number(64)),
            (24, Number(512 << 10)),
        ],
    ),
    (
        JET_configMediumDiskFootprint,
        &[
            (18, Bytes(512 << 10)),
            (19, Number(30)),
            (17, Number(1)),
            (11, Number(512)),
            (24, Number(4 << 20)),
        ],
    ),
    (
        JET_configLowMemory,
        &[
            (104, Number(1)),
            (12, Number(40)),
            (101, Number(32)),
            (126, Number(1)),
            (127, Number(1)),
            (60, Bytes(64 << 10)),
            (23, Bytes(256 << 10)),
            (31, Number(1)),
            (32, Number(2)),
            (26, Number(10)),
            (81, Number(1)),
            (9, Number(64)),
            (128, Number(8192)),
            (30, Number(16)),
        ],
    ),
    (
        JET_configDynamicMediumMemory,
        &[
            (104, Number(1)),
            (12, Number(512)),
            (101, Number(64)),
            (126, Number(1)),
            (127, Number(1)),
            (60, Bytes(128 << 10)),
            (23, Bytes(5 << 20)),
            (31, OfCache(2)),
            (32, OfCache(3)),
            (26, Number(1000)),
            (81, Number(1)),
            (128, Number(8192)),
            (30, Number(48)),
        ],
    ),
    (
        JET_configSSDProfileIO,
        &[
            (164, Number(256 << 10)),
            (165, Number(256 << 10)),
            (167, Number(0)),
            (30, Number(16)),
            (179, Number(5)),
        ],
    ),
    (
        JET_configRemoveQuotas,
        &[
            (6, Number(0x7fff_ffff)),
            (8, Number(0x7fff_ffff)),
            (9, Number(0x7fff_ffff)),
            (10, Number(0x7fff_ffff)),
            (63, Number(0x7fff_ffff)),
            (5, Number(30_000)),
        ],
    ),
    (JET_configRunSilent, &[(50, Number(1)), (51, Number(0)), (107, Number(1))]),
];

/// Applies a configuration to an instance's parameters, or with `global` to the process's. Gives
/// the value that the parameter then has.
pub(super) fn apply(params: &mut Params, config: u64, global: bool, page: u64) -> u64 {
    let bits = if config == 0 { SMALL } else { config };
    let before = if bits & JET_configDefault != 0 {
        params.clear();
        JET_configDefault
    } else {
        params.int(super::JET_paramConfiguration)
    };
    for (_, values) in PRESETS.iter().filter(|(bit, _)| bits & bit != 0) {
        for (id, to) in *values {
            let value = to.value(page, params.int(JET_paramCacheSizeMax));
            // 64 KiB are too few for pages of 32 KiB.
            let value = if *id == 11 && value == 64 && page == 32 << 10 { 128 } else { value };
            if global || find(*id).is_ok_and(|param| param.scope == Scope::Instance) {
                params.put(*id, JET_PARAM::Int(value));
            }
        }
    }
    if config == 0 { 0 } else { before | bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_preset_is_legal_for_its_parameter() {
        let cache = find(JET_paramCacheSizeMax).unwrap();
        for (_, values) in PRESETS {
            for (id, to) in *values {
                let param = find(*id).unwrap();
                for page in [4 << 10, 8 << 10, 16 << 10, 32 << 10] {
                    // As a preset before it, or the caller, may have set the cache.
                    for cache in [cache.min, (256 << 10) / page, (5 << 20) / page, cache.max] {
                        let value = to.value(page, cache);
                        let legal = (param.min..=param.max).contains(&value);
                        assert!(legal, "{}: {value} for pages of {page} bytes", param.name);
                    }
                }
            }
        }
    }
}
