//! Temporary tables.

use ese_api::jet;
use ese_base::Result;

use crate::{
    boundary::{About, exports, handle, session},
    ptr::{Ptr, size},
    table::{column, wrong_struct},
    types::{JET_COLUMNDEF, JET_OPENTEMPORARYTABLE, JET_OPENTEMPORARYTABLE2, JET_UNICODEINDEX},
};

exports! {
    fn JetOpenTempTable(
        sesid: usize, prgcolumndef: Ptr<JET_COLUMNDEF>, ccolumn: u32, grbit: u32,
        ptableid: Ptr<usize>, prgcolumnid: Ptr<u32>
    ) about About::Session(sesid) => {
        let (to, prgcolumnid) = (ptableid.required()?, prgcolumnid.required()?);
        let columns = definitions(prgcolumndef, ccolumn)?;
        let (tableid, ids) = jet::JetOpenTempTable(session(sesid), &columns, grbit)?;
        tell(prgcolumnid, &ids);
        to.write(handle(tableid.0));
        Ok(())
    }

    fn JetOpenTempTable2(
        sesid: usize, prgcolumndef: Ptr<JET_COLUMNDEF>, ccolumn: u32, lcid: u32, grbit: u32,
        ptableid: Ptr<usize>, prgcolumnid: Ptr<u32>
    ) about About::Session(sesid) => {
        let (to, prgcolumnid) = (ptableid.required()?, prgcolumnid.required()?);
        let columns = definitions(prgcolumndef, ccolumn)?;
        let (tableid, ids) = jet::JetOpenTempTable2(session(sesid), &columns, lcid, grbit)?;
        tell(prgcolumnid, &ids);
        to.write(handle(tableid.0));
        Ok(())
    }

    fn JetOpenTempTable3(
        sesid: usize, prgcolumndef: Ptr<JET_COLUMNDEF>, ccolumn: u32,
        pidxunicode: Ptr<JET_UNICODEINDEX>, grbit: u32, ptableid: Ptr<usize>,
        prgcolumnid: Ptr<u32>
    ) about About::Session(sesid) => {
        let (to, prgcolumnid) = (ptableid.required()?, prgcolumnid.required()?);
        let columns = definitions(prgcolumndef, ccolumn)?;
        let order = order(pidxunicode);
        let (tableid, ids) =
            jet::JetOpenTempTable3(session(sesid), &columns, order.as_ref(), grbit)?;
        tell(prgcolumnid, &ids);
        to.write(handle(tableid.0));
        Ok(())
    }

    fn JetOpenTemporaryTable(sesid: usize, popentemporarytable: Ptr<JET_OPENTEMPORARYTABLE>)
    about About::Session(sesid) => {
        let told = popentemporarytable.get()?;
        if told.cbStruct != size::<JET_OPENTEMPORARYTABLE>() {
            let wanted = size::<JET_OPENTEMPORARYTABLE>();
            return Err(wrong_struct("JET_OPENTEMPORARYTABLE", told.cbStruct, wanted));
        }
        let mut open = jet::JET_OPENTEMPORARYTABLE {
            rgcolumndef: definitions(told.prgcolumndef, told.ccolumn)?,
            pidxunicode: order(told.pidxunicode),
            grbit: told.grbit,
            cbKeyMost: told.cbKeyMost,
            cbVarSegMac: told.cbVarSegMac,
            ..Default::default()
        };
        jet::JetOpenTemporaryTable(session(sesid), &mut open)?;
        tell(told.prgcolumnid, &open.rgcolumnid);
        popentemporarytable.change(|told| told.tableid = handle(open.tableid.0));
        Ok(())
    }

    fn JetOpenTemporaryTable2(sesid: usize, popentemporarytable: Ptr<JET_OPENTEMPORARYTABLE2>)
    about About::Session(sesid) => {
        let told = popentemporarytable.get()?;
        if told.cbStruct != size::<JET_OPENTEMPORARYTABLE2>() {
            let wanted = size::<JET_OPENTEMPORARYTABLE2>();
            return Err(wrong_struct("JET_OPENTEMPORARYTABLE2", told.cbStruct, wanted));
        }
        let order = match told.pidxunicode.read() {
            Some(order) => Some(jet::JET_UNICODEINDEX2 {
                szLocaleName: order.szLocaleName.text()?,
                dwMapFlags: order.dwMapFlags,
            }),
            None => None,
        };
        let mut open = jet::JET_OPENTEMPORARYTABLE2 {
            rgcolumndef: definitions(told.prgcolumndef, told.ccolumn)?,
            pidxunicode: order,
            grbit: told.grbit,
            cbKeyMost: told.cbKeyMost,
            cbVarSegMac: told.cbVarSegMac,
            ..Default::default()
        };
        jet::JetOpenTemporaryTable2(session(sesid), &mut open)?;
        tell(told.prgcolumnid, &open.rgcolumnid);
        popentemporarytable.change(|told| told.tableid = handle(open.tableid.0));
        Ok(())
    }
}

/// Of temporary tables nobody looks at the lengths that the definitions name.
fn definitions(place: Ptr<JET_COLUMNDEF>, count: u32) -> Result<Vec<jet::JET_COLUMNDEF>> {
    Ok(place.list(count)?.iter().map(column).collect())
}

fn order(place: Ptr<JET_UNICODEINDEX>) -> Option<jet::JET_UNICODEINDEX> {
    let told = place.read()?;
    Some(jet::JET_UNICODEINDEX { lcid: told.lcid, dwMapFlags: told.dwMapFlags })
}

fn tell(to: Ptr<u32>, ids: &[u32]) {
    if !to.is_null() {
        ids.iter().enumerate().for_each(|(at, id)| to.at(at).write(*id));
    }
}
