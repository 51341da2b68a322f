//! Lists of instances in memory that callers give back: one piece, pointers into itself included.

use ese_api::jet::JET_INSTANCE_INFO as Told;
use ese_base::Result;

use crate::{
    boundary::{About, exports, handle},
    ptr::{Bytes, Ptr, Str, allocate, free, len},
    text::{Unit, put},
    types::JET_INSTANCE_INFO,
};

exports! {
    fn JetFreeBuffer(pbBuf: Bytes) about About::Process => {
        free(pbBuf);
        Ok(())
    }
}

/// Writes a list of instances; none is NULL.
pub(crate) fn instance_infos<C: Unit>(
    infos: &[Told],
    count: Ptr<u32>,
    to: Ptr<Ptr<JET_INSTANCE_INFO<C>>>,
) -> Result<()> {
    count.write(0);
    to.write(Ptr::NULL);
    if infos.is_empty() {
        return Ok(());
    }
    let paths = infos.iter().map(|info| info.szDatabaseFileName.len()).sum::<usize>();
    let names = infos.iter().map(|info| text_len::<C>(&info.szInstanceName)).sum::<usize>();
    let files = infos.iter().flat_map(|info| &info.szDatabaseFileName);
    let files = files.map(|path| text_len::<C>(&path.to_string_lossy())).sum::<usize>();
    let (structs, pointers) =
        (infos.len() * size_of::<JET_INSTANCE_INFO<C>>(), 2 * paths * size_of::<Str<C>>());
    let memory = allocate(structs + pointers + names + files)?;
    // Structures, then the arrays of pointers that they point to, then the text those point to.
    let list = memory.cast::<JET_INSTANCE_INFO<C>>();
    let mut array = memory.cast::<u8>().at(structs).cast::<Str<C>>();
    let mut text = memory.cast::<u8>().at(structs + pointers).cast::<C>();
    let mut add = |what: &str| {
        let (begin, bytes) = (text, text_len::<C>(what));
        put(begin, len(bytes), what);
        text = begin.cast::<u8>().at(bytes).cast();
        Str::at(begin)
    };
    for (at, info) in infos.iter().enumerate() {
        let databases = info.szDatabaseFileName.len();
        let (file_names, display_names) = (array, array.at(databases));
        array = array.at(2 * databases);
        for (number, path) in info.szDatabaseFileName.iter().enumerate() {
            file_names.at(number).write(add(&path.to_string_lossy()));
            display_names.at(number).write(Str::NULL);
        }
        let none = databases == 0;
        list.at(at).write(JET_INSTANCE_INFO {
            hInstanceId: handle(info.hInstanceId.0),
            szInstanceName: add(&info.szInstanceName),
            cDatabases: databases,
            szDatabaseFileName: if none { Ptr::NULL } else { file_names },
            szDatabaseDisplayName: if none { Ptr::NULL } else { display_names },
            szDatabaseSLVFileName_Obsolete: Ptr::NULL,
        });
    }
    count.write(len(infos.len()));
    to.write(list);
    Ok(())
}

/// Bytes of text and its NUL.
fn text_len<C: Unit>(text: &str) -> usize {
    (C::encode(text).len() + 1) * size_of::<C>()
}
