//! What is known of errors, and what a thread has done.

use ese_api::jet;
use ese_base::{Error, JetErr};

use crate::{
    boundary::{About, exports},
    facts::wrong_size,
    ptr::{Bytes, Ptr, size},
    types::{JET_ERRINFOBASIC_W, JET_THREADSTATS, JET_THREADSTATS3},
};

exports! {
    fn JetGetErrorInfoW(
        pvContext: Ptr<i32>, pvResult: Ptr<JET_ERRINFOBASIC_W>, cbMax: u32, InfoLevel: u32,
        grbit: u32
    ) about About::Process => {
        let code = pvContext.read();
        let info = jet::JetGetErrorInfoW(code, InfoLevel, grbit)?;
        let wanted = size::<JET_ERRINFOBASIC_W>();
        // What is shorter must not be read as a whole.
        let told = if cbMax < wanted { 0 } else { pvResult.get()?.cbStruct };
        if told != wanted {
            let what = format!("a structure of {told} in a buffer of {cbMax} bytes");
            return Err(Error::new(JetErr::InvalidParameter, what));
        }
        let kind = |category: u32| u8::try_from(category).unwrap_or(0);
        pvResult.write(JET_ERRINFOBASIC_W {
            cbStruct: wanted,
            errValue: info.errValue,
            errcatMostSpecific: info.errcatMostSpecific,
            rgCategoricalHierarchy: info.rgCategoricalHierarchy.map(kind),
            lSourceLine: 0,
            rgszSourceFile: [0; 64],
        });
        Ok(())
    }

    fn JetGetThreadStats(pvResult: Bytes, cbMax: u32) about About::Process => {
        pvResult.cast::<u8>().required()?;
        let least = size::<JET_THREADSTATS>();
        if cbMax < least {
            let error = wrong_size(cbMax, &format!("{least} at least"));
            return Err(error.with_code(JetErr::BufferTooSmall));
        }
        // The longest of the three structures begins with the others; as much as fits.
        let cbStruct = cbMax.min(size::<JET_THREADSTATS3>());
        let stats = jet::JetGetThreadStats();
        pvResult.cast().write_part(
            JET_THREADSTATS3 {
                cbStruct,
                cPageReferenced: stats.cPageReferenced,
                cPageRead: stats.cPageRead,
                cPagePreread: stats.cPagePreread,
                cPageDirtied: stats.cPageDirtied,
                cPageRedirtied: stats.cPageRedirtied,
                cLogRecord: stats.cLogRecord,
                cbLogRecord: stats.cbLogRecord,
                cusecPageCacheMiss: stats.cusecPageCacheMiss,
                cPageCacheMiss: stats.cPageCacheMiss,
                cSeparatedLongValueRead: stats.cSeparatedLongValueRead,
                cusecLongValuePageCacheMiss: stats.cusecLongValuePageCacheMiss,
                cLongValuePageCacheMiss: stats.cLongValuePageCacheMiss,
            },
            cbStruct,
        );
        Ok(())
    }
}
