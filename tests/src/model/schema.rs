//! Changes of the schema.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ese_base::{JetErr, Result};
use ese_engine::{
    catalog, ddl,
    schema::{ConditionDef, IndexDef, IndexOptions, TableDef, TableType, TupleLimits},
    table::Table,
};

use super::{
    machine::{Checked, Hindrance, Machine},
    state::{ColumnModel, IndexModel, KEY, Kind, TableModel, Touch},
};

/// Tables that a session sees, at most.
const TABLES_MAX: usize = 5;
const COLUMNS_MAX: usize = 12;
const INDEXES_MAX: usize = 5;

/// The definition of a template stays, and so does what others have from it.
fn fixed(table: &TableModel, inherited: bool) -> Option<JetErr> {
    match (table.is_template, inherited) {
        (true, _) => Some(JetErr::FixedDDL),
        (false, true) => Some(JetErr::FixedInheritedDDL),
        (false, false) => None,
    }
}

impl Machine {
    fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    /// One of few names, so that they are used again.
    fn name(&mut self, kind: &str) -> String {
        format!("{kind}{}", self.random.below(12))
    }

    /// Changes a table's definition, or makes or deletes a table.
    pub(super) fn change_schema(&mut self, at: usize) -> Checked {
        let Some((number, table)) = self.some_table(at) else { return self.create_table(at) };
        let tables = self.actors[at].now.len();
        match self.random.below(24) {
            0..3 if tables < TABLES_MAX => self.create_table(at),
            3 if tables > 1 => self.delete_table(at, number, &table),
            4..6 => self.rename_table(at, number, &table),
            6..9 if table.columns.len() < COLUMNS_MAX => self.add_column(at, number, &table),
            9..11 => self.delete_column(at, number, &table),
            11..13 => self.rename_column(at, number, &table),
            13..19 if table.indexes.len() < INDEXES_MAX => self.create_index(at, number, &table),
            19..21 => self.rename_index(at, number, &table),
            21..24 => self.delete_index(at, number, &table),
            _ => Ok(()),
        }
    }

    /// The template that a new table is to derive from, if it is to.
    fn some_template(&mut self, at: usize) -> Option<(u32, Arc<TableModel>)> {
        let now = &self.actors[at].now;
        let mut templates = now.iter().filter(|(_, table)| table.is_template);
        let (number, table) = templates.next()?;
        let found = (*number, Arc::clone(table));
        self.random.chance(1, 2).then_some(found)
    }

    fn create_table(&mut self, at: usize) -> Checked {
        let (name, number) = (self.name("table"), self.number());
        let template = self.some_template(at);
        let now = &self.actors[at].now;
        let is_template = template.is_none()
            && !now.values().any(|table| table.is_template)
            && self.random.chance(1, 3);
        let (mut columns, mut indexes) = (BTreeMap::new(), BTreeMap::new());
        let mut def = TableDef::new(&name, Vec::new());
        if let Some((_, template)) = &template {
            columns.clone_from(&template.columns);
            indexes.clone_from(&template.indexes);
            columns.values_mut().for_each(|column| column.inherited = true);
            indexes.values_mut().for_each(|index| index.inherited = true);
            def.template = Some(template.name.clone());
        } else {
            def.columns.push(Kind::Short.define(KEY).max_len(250));
            def = def.index(IndexDef::primary("primary", &[KEY]));
        }
        for kind in Kind::ALL {
            let name = format!("column{}", columns.len());
            def.columns.push(kind.define(&name));
            let column = ColumnModel { name, kind, inherited: false };
            columns.insert(self.number(), column);
        }
        if is_template {
            def.kind = TableType::Template;
            let some = columns.iter().find(|(_, column)| column.kind == Kind::Many);
            if let Some((id, column)) = some.map(|(id, column)| (*id, column.name.clone())) {
                def = def.index(IndexDef::new("inherited", &[&column]));
                let index = IndexModel {
                    name: "inherited".to_owned(),
                    columns: BTreeSet::from([id]),
                    unique: None,
                    inherited: false,
                };
                indexes.insert(self.number(), index);
            }
        }
        self.note(format!("{at} creates {name}, template {is_template}, of {:?}", def.template));
        let attached = self.attached()?;
        let taken = self.actors[at].now.values().any(|table| table.name == name);
        let named = self.hindrance(at, &Touch::Name(name.clone())).min(Hindrance::May);
        let of = template.map_or(Hindrance::None, |(number, _)| self.schema_hindrance(at, number));
        let hindrance = named.max(of);
        let created = catalog::create_table(&mut self.actors[at].session, &attached, &def);
        let own = taken.then_some(JetErr::TableDuplicate);
        if !self.judge(created.map(drop), own, hindrance)? {
            return Ok(());
        }
        self.tally.schema_changes += 1;
        let rows = BTreeMap::new();
        let table = TableModel { name: name.clone(), is_template, columns, indexes, rows };
        let actor = &mut self.actors[at];
        actor.now.insert(number, Arc::new(table));
        actor.touched.extend([Touch::Name(name), Touch::Schema(number)]);
        Ok(())
    }

    fn delete_table(&mut self, at: usize, number: u32, table: &TableModel) -> Checked {
        self.note(format!("{at} deletes {}", table.name));
        let attached = self.attached()?;
        let hindrance = self.rows_hindrance(at, number);
        let session = &mut self.actors[at].session;
        let outcome = ddl::delete_table(session, &attached, &table.name);
        let own = table.is_template.then_some(JetErr::CannotDeleteTemplateTable);
        if self.judge(outcome, own, hindrance)? {
            self.tally.schema_changes += 1;
            let actor = &mut self.actors[at];
            actor.now.remove(&number);
            actor.touched.extend([Touch::Name(table.name.clone()), Touch::Schema(number)]);
        }
        Ok(())
    }

    fn rename_table(&mut self, at: usize, number: u32, table: &TableModel) -> Checked {
        let to = self.name("table");
        self.note(format!("{at} renames {} to {to}", table.name));
        let attached = self.attached()?;
        let others = self.actors[at].now.iter().filter(|(other, _)| **other != number);
        let taken = others.into_iter().any(|(_, other)| other.name == to);
        let named = self.hindrance(at, &Touch::Name(to.clone()));
        let hindrance = self.schema_hindrance(at, number).max(named.min(Hindrance::May));
        let session = &mut self.actors[at].session;
        let outcome = ddl::rename_table(session, &attached, &table.name, &to).map(drop);
        let own = if table.is_template {
            Some(JetErr::FixedDDL)
        } else {
            taken.then_some(JetErr::TableDuplicate)
        };
        if self.judge(outcome, own, hindrance)? {
            if to == table.name {
                return Ok(());
            }
            let names = [Touch::Name(table.name.clone()), Touch::Name(to.clone())];
            self.actors[at].touched.extend(names);
            self.changed(at, number, |table| table.name = to);
        }
        Ok(())
    }

    /// Does a change of one table, and the same in the model if it succeeded.
    fn alter(
        &mut self,
        at: usize,
        (number, table): (u32, &TableModel),
        (own, hindrance): (Option<JetErr>, Hindrance),
        change: impl FnOnce(&mut Machine, &Table) -> Result<()>,
        same: impl FnOnce(&mut TableModel),
    ) -> Checked {
        let engine = self.open(at, &table.name)?;
        let outcome = change(self, &engine);
        let mut changed = table.clone();
        same(&mut changed);
        // A name given again changes nothing, and stands in nobody's way.
        let definition = |table: &TableModel| (table.columns.clone(), table.indexes.clone());
        if self.judge(outcome, own, hindrance)? && definition(&changed) != definition(table) {
            self.changed(at, number, |table| *table = changed);
        }
        Ok(())
    }

    fn changed(&mut self, at: usize, number: u32, same: impl FnOnce(&mut TableModel)) {
        self.tally.schema_changes += 1;
        let actor = &mut self.actors[at];
        actor.touched.push(Touch::Schema(number));
        if let Some(table) = actor.now.get_mut(&number) {
            same(Arc::make_mut(table));
        }
    }

    fn schema_hindrance(&self, at: usize, number: u32) -> Hindrance {
        self.hindrance(at, &Touch::Schema(number)).min(Hindrance::May)
    }

    /// For changes that nobody else's changes of rows may accompany.
    fn rows_hindrance(&self, at: usize, number: u32) -> Hindrance {
        let (open, newer) =
            self.hindered_by(at, |touch| matches!(touch, Touch::Row(of, _) if *of == number));
        if open || newer { Hindrance::Must } else { self.schema_hindrance(at, number) }
    }

    fn add_column(&mut self, at: usize, number: u32, table: &TableModel) -> Checked {
        let (name, id) = (self.name("column"), self.number());
        let kind = Kind::ALL[self.random.index(Kind::ALL.len())];
        self.note(format!("{at} adds {name} ({kind:?}) to {}", table.name));
        let attached = self.attached()?;
        let own = fixed(table, false)
            .or_else(|| table.has_column(&name).then_some(JetErr::ColumnDuplicate));
        let hindrance = self.schema_hindrance(at, number);
        let def = kind.define(&name);
        self.alter(
            at,
            (number, table),
            (own, hindrance),
            |m, engine| {
                ddl::add_column(&mut m.actors[at].session, &attached, engine, &def).map(drop)
            },
            |table| {
                drop(table.columns.insert(id, ColumnModel { name, kind, inherited: false }));
            },
        )
    }

    fn some_column(&mut self, table: &TableModel) -> Option<(u32, ColumnModel)> {
        let nth = self.random.index(table.columns.len().max(1));
        table.columns.iter().nth(nth).map(|(id, column)| (*id, column.clone()))
    }

    fn delete_column(&mut self, at: usize, number: u32, table: &TableModel) -> Checked {
        let Some((id, column)) = self.some_column(table) else { return Ok(()) };
        self.note(format!("{at} deletes {} of {}", column.name, table.name));
        let attached = self.attached()?;
        let used = table.indexes.values().any(|index| index.columns.contains(&id));
        let own = fixed(table, column.inherited).or(used.then_some(JetErr::ColumnInUse));
        let hindrance = self.schema_hindrance(at, number);
        self.alter(
            at,
            (number, table),
            (own, hindrance),
            |m, engine| {
                let session = &mut m.actors[at].session;
                ddl::delete_column(session, &attached, engine, &column.name).map(drop)
            },
            |table| drop(table.columns.remove(&id)),
        )
    }

    fn rename_column(&mut self, at: usize, number: u32, table: &TableModel) -> Checked {
        let Some((id, column)) = self.some_column(table) else { return Ok(()) };
        let to = self.name("column");
        self.note(format!("{at} renames {} of {} to {to}", column.name, table.name));
        let attached = self.attached()?;
        let taken = to != column.name && table.has_column(&to);
        let own = fixed(table, column.inherited).or(taken.then_some(JetErr::ColumnDuplicate));
        let hindrance = self.schema_hindrance(at, number);
        self.alter(
            at,
            (number, table),
            (own, hindrance),
            |m, engine| {
                let (session, names) = (&mut m.actors[at].session, (&*column.name, &*to));
                ddl::rename_column(session, &attached, engine, names).map(drop)
            },
            |table| {
                if let Some(column) = table.columns.get_mut(&id) {
                    column.name.clone_from(&to);
                }
            },
        )
    }

    /// Some index over some columns.
    fn some_index(&mut self, table: &TableModel, name: &str) -> Option<(IndexDef, IndexModel)> {
        let unique = self.random.chance(1, 3);
        let mut parts = Vec::new();
        for _ in 0..self.random.between(1, 3) {
            let (id, column) = self.some_column(table)?;
            let is_new = parts.iter().all(|(other, _)| *other != id);
            if is_new && (!unique || column.kind.is_short()) {
                parts.push((id, column.name));
            }
        }
        let names: Vec<&str> = parts.iter().map(|(_, name)| name.as_str()).collect();
        let mut def = IndexDef::new(name, &names);
        for part in &mut def.parts {
            part.descending = self.random.chance(1, 3);
        }
        let mut columns: BTreeSet<u32> = parts.iter().map(|(id, _)| *id).collect();
        if parts.is_empty() {
            return None;
        }
        if unique {
            def.options = IndexOptions::UNIQUE | IndexOptions::IGNORE_ANY_NULL;
        } else {
            def.options = match self.random.below(8) {
                0 => IndexOptions::IGNORE_NULL,
                1 => IndexOptions::IGNORE_ANY_NULL,
                2 => IndexOptions::IGNORE_FIRST_NULL,
                3 => IndexOptions::SORT_NULLS_HIGH,
                4 => IndexOptions::CROSS_PRODUCT,
                5 => IndexOptions::NESTED_TABLE,
                _ => IndexOptions::empty(),
            };
            if self.random.chance(1, 4)
                && let Some((id, column)) = self.some_column(table)
            {
                let must_be_null = self.random.chance(1, 2);
                def.conditions = vec![ConditionDef { column: column.name, must_be_null }];
                columns.insert(id);
            }
        }
        let first = parts.first().and_then(|(id, _)| table.columns.get(id)).map(|c| c.kind);
        if !unique && first != Some(Kind::Long) && self.random.chance(1, 4) {
            let length_min = u32::try_from(self.random.between(2, 4)).unwrap_or(2);
            def.tuples = Some(TupleLimits {
                length_min,
                length_max: length_min + 3,
                count: 40,
                increment: u32::try_from(self.random.between(1, 3)).unwrap_or(1),
                start: u32::from(self.random.chance(1, 3)),
            });
        }
        let unique = unique.then(|| parts.iter().map(|(id, _)| *id).collect());
        Some((def, IndexModel { name: name.to_owned(), columns, unique, inherited: false }))
    }

    fn create_index(&mut self, at: usize, number: u32, table: &TableModel) -> Checked {
        let (name, id) = (self.name("index"), self.number());
        let Some((def, model)) = self.some_index(table, &name) else { return Ok(()) };
        self.note(format!("{at} creates {def:?} of {}", table.name));
        let attached = self.attached()?;
        let own = if table.has_index(&name) {
            Some(JetErr::IndexDuplicate)
        } else {
            let broken = model.unique.as_ref().is_some_and(|columns| table.has_duplicates(columns));
            fixed(table, false).or(broken.then_some(JetErr::KeyDuplicate))
        };
        // Other sessions' rows are followed; only their keys may be in the way, where they are
        // unique.
        let hindrance = match self.schema_hindrance(at, number) {
            Hindrance::None if model.unique.is_some() => {
                self.rows_hindrance(at, number).min(Hindrance::May)
            }
            hindrance => hindrance,
        };
        let beside = self.rows_hindrance(at, number) != Hindrance::None;
        let before = self.tally.schema_changes;
        self.alter(
            at,
            (number, table),
            (own, hindrance),
            |m, engine| {
                let session = &mut m.actors[at].session;
                ddl::create_indexes(session, &attached, engine, &[def], &mut |_| Ok(())).map(drop)
            },
            |table| drop(table.indexes.insert(id, model)),
        )?;
        self.tally.indexes_beside += u64::from(beside && self.tally.schema_changes > before);
        Ok(())
    }

    fn rename_index(&mut self, at: usize, number: u32, table: &TableModel) -> Checked {
        let nth = self.random.index(table.indexes.len().max(1));
        let Some((&id, index)) = table.indexes.iter().nth(nth) else { return Ok(()) };
        let (from, to) = (index.name.clone(), self.name("index"));
        let fixed = fixed(table, index.inherited);
        self.note(format!("{at} renames {from} of {} to {to}", table.name));
        let attached = self.attached()?;
        let taken = from != to && table.has_index(&to);
        let own = fixed.or(taken.then_some(JetErr::IndexDuplicate));
        let hindrance = self.schema_hindrance(at, number);
        self.alter(
            at,
            (number, table),
            (own, hindrance),
            |m, engine| {
                let session = &mut m.actors[at].session;
                ddl::rename_index(session, &attached, engine, (&from, &to)).map(drop)
            },
            |table| {
                if let Some(index) = table.indexes.get_mut(&id) {
                    index.name.clone_from(&to);
                }
            },
        )
    }

    fn delete_index(&mut self, at: usize, number: u32, table: &TableModel) -> Checked {
        let nth = self.random.index(table.indexes.len().max(1));
        let Some((&id, index)) = table.indexes.iter().nth(nth) else { return Ok(()) };
        let (name, own) = (index.name.clone(), fixed(table, index.inherited));
        self.note(format!("{at} deletes {name} of {}", table.name));
        let attached = self.attached()?;
        let hindrance = self.schema_hindrance(at, number);
        self.alter(
            at,
            (number, table),
            (own, hindrance),
            |m, engine| {
                let session = &mut m.actors[at].session;
                ddl::delete_index(session, &attached, engine, &name).map(drop)
            },
            |table| drop(table.indexes.remove(&id)),
        )
    }
}
