//! `ese space FILE`: who owns which pages, as a table and as a picture.

use std::fmt::Write as _;

use ese_api::{PageUse, SpaceMap, TreeRole, TreeSpace, space_map};
use ese_base::Pgno;
use ese_os::OpenMode;
use serde_json::{Value, json};

use crate::{
    args,
    context::Context,
    failure::{Failure, Outcome},
    output::Output,
    text,
};

/// Squares of the picture: beyond, one stands for several pages.
const SQUARES_MAX: u32 = 128 * 256;
/// Squares of a line.
const LINE: u32 = 128;
/// Units of a square.
const SIDE: u32 = 6;
/// Trees that the picture names.
const NAMED_MAX: usize = 40;

pub(crate) fn run(context: &Context, args: &args::Space) -> Outcome {
    let left = || "nothing was written".to_owned();
    let map = context
        .interrupt()
        .stoppable(left, |stop| space_map(&context.env, &args.file, args.as_is.as_is, stop))?;
    if let Some(path) = &args.svg {
        let file = context.env.fs.open(path, OpenMode::CreateNew)?;
        file.write_at(picture(&map, &args.file.display().to_string()).as_bytes(), 0)?;
    }
    let mut output = Output::new();
    if context.json {
        output.json(&as_json(&map))?;
    } else {
        as_table(&map, &mut output)?;
    }
    output.flush()?;
    if map.problems.is_empty() { Ok(()) } else { Err(Failure::Problems) }
}

fn name(tree: &TreeSpace) -> String {
    match (tree.role, &tree.index) {
        (TreeRole::Database, _) => "(database)".to_owned(),
        (_, Some(index)) => format!("{} / {index}", tree.table),
        (TreeRole::LongValues, _) => format!("{} / (long values)", tree.table),
        _ => tree.table.clone(),
    }
}

fn as_table(map: &SpaceMap, output: &mut Output) -> Outcome {
    let names: Vec<String> = map.trees.iter().map(|tree| text::cut(&name(tree), 60)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(4);
    output.line(&format!(
        "{:<width$}  {:>7}  {:>7}  {:>8}  {:>8}  {:>6}  {:>9}  {:>6}  {:>5}  {:>8}  {:>10}  {:>7}  {:>4}",
        "tree", "root", "object", "owned", "used", "space", "available", "leaked", "depth", "leaves",
        "entries", "deleted", "full",
    ))?;
    for (tree, name) in map.trees.iter().zip(&names) {
        output.line(&format!(
            "{name:<width$}  {:>7}  {:>7}  {:>8}  {:>8}  {:>6}  {:>9}  {:>6}  {:>5}  {:>8}  {:>10}  {:>7}  {:>3}%",
            tree.root.0, tree.objid.0, tree.owned, tree.used, tree.space, tree.available,
            tree.leaked, tree.depth, tree.leaves, tree.entries, tree.deleted, tree.fill_pct,
        ))?;
    }
    let sum =
        |part: fn(&TreeSpace) -> u32| map.trees.iter().map(|t| u64::from(part(t))).sum::<u64>();
    let (owned, page) = (sum(|tree| tree.owned), u64::from(map.page_size));
    output.line(&format!(
        "{} of {}: {} used, {} for space trees, {} available, {} leaked, {} behind all",
        text::counted(map.pages.into(), "page"),
        text::bytes(page),
        text::bytes(page * sum(|tree| tree.used)),
        text::bytes(page * sum(|tree| tree.space)),
        text::bytes(page * sum(|tree| tree.available)),
        text::bytes(page * sum(|tree| tree.leaked)),
        text::bytes(page * u64::from(map.pages).saturating_sub(owned)),
    ))?;
    for problem in &map.problems {
        output.line(&format!("PROBLEM {problem}"))?;
    }
    Ok(())
}

fn as_json(map: &SpaceMap) -> Value {
    let trees = map.trees.iter().map(|tree| {
        json!({
            "table": tree.table, "index": tree.index, "kind": tree.role.word(),
            "root_page": tree.root.0, "object_id": tree.objid.0, "owned": tree.owned,
            "used": tree.used, "space": tree.space, "available": tree.available,
            "leaked": tree.leaked, "depth": tree.depth, "leaves": tree.leaves,
            "entries": tree.entries, "deleted": tree.deleted, "fill_percent": tree.fill_pct,
        })
    });
    json!({
        "page_size": map.page_size, "pages": map.pages, "trees": trees.collect::<Vec<_>>(),
        "problems": map.problems,
    })
}

/// A square for each page, or for some neighbours: its colour is that of the tree that has most of
/// them.
fn picture(map: &SpaceMap, title: &str) -> String {
    let per = map.pages.div_ceil(SQUARES_MAX).max(1);
    let squares = map.pages.div_ceil(per);
    let lines = squares.div_ceil(LINE);
    let mut largest: Vec<usize> = (0..map.trees.len()).collect();
    largest.sort_by_key(|at| map.trees.get(*at).map_or(0, |tree| u32::MAX - tree.owned));
    largest.truncate(NAMED_MAX);
    let rows = u32::try_from(largest.len()).unwrap_or(0) + 4;
    let (width, height) = (LINE * SIDE + 20, lines * SIDE + 40 + 14 * rows);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <text x=\"10\" y=\"16\">{}: {} pages of {} bytes, {per} a square</text>\n",
        escaped(title),
        map.pages,
        map.page_size,
    );
    let mut run: Option<(u32, u32, String)> = None;
    for square in 0..squares {
        let colour = colour(&dominant(map, square * per, per));
        match &mut run {
            Some((_, len, same)) if *same == colour && square % LINE != 0 => *len += 1,
            _ => {
                draw(&mut svg, run.take());
                run = Some((square, 1, colour));
            }
        }
    }
    draw(&mut svg, run);
    legend(map, &largest, lines * SIDE + 44, &mut svg);
    svg.push_str("</svg>\n");
    svg
}

/// Neighbours of one colour on one line are one rectangle.
fn draw(svg: &mut String, run: Option<(u32, u32, String)>) {
    let Some((first, len, colour)) = run else { return };
    let (x, y) = (10 + first % LINE * SIDE, 26 + first / LINE * SIDE);
    // Writing into a string does not fail.
    _ = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" fill=\"{colour}\"/>",
        len * SIDE - 1,
        SIDE - 1
    );
}

/// What most of some pages are; the first of them, if none are more than others.
fn dominant(map: &SpaceMap, first: u32, count: u32) -> (usize, PageUse) {
    let mut seen: Vec<((usize, PageUse), u32)> = Vec::new();
    for pgno in (first + 1..=first + count).map(Pgno) {
        let Some(page) = map.of_page(pgno) else { continue };
        match seen.iter_mut().find(|(other, _)| *other == page) {
            Some((_, count)) => *count += 1,
            None => seen.push((page, 1)),
        }
    }
    let most = seen.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or((0, PageUse::Beyond), |(page, _)| *page)
}

fn colour((tree, page_use): &(usize, PageUse)) -> String {
    match page_use {
        PageUse::Beyond => "#f4f4f4".to_owned(),
        PageUse::Available => "#c8c8c8".to_owned(),
        PageUse::Leaked => "#e00000".to_owned(),
        PageUse::Space => format!("hsl({},45%,75%)", hue(*tree)),
        PageUse::Used => format!("hsl({},65%,45%)", hue(*tree)),
    }
}

/// Neighbours in the list lie far apart on the circle of colours.
fn hue(tree: usize) -> usize {
    tree * 137 % 360
}

fn legend(map: &SpaceMap, largest: &[usize], top: u32, svg: &mut String) {
    let fixed = [
        ("#c8c8c8".to_owned(), "available".to_owned()),
        ("#e00000".to_owned(), "leaked".to_owned()),
        ("#f4f4f4".to_owned(), "behind all that is owned".to_owned()),
    ];
    let trees = largest.iter().filter_map(|at| {
        let tree = map.trees.get(*at)?;
        let what = format!(
            "{}: {} pages, {}% full (light: its space trees)",
            name(tree),
            tree.owned,
            tree.fill_pct
        );
        Some((colour(&(*at, PageUse::Used)), what))
    });
    for ((colour, what), y) in fixed.into_iter().chain(trees).zip((top..).step_by(14)) {
        // Writing into a string does not fail.
        _ = writeln!(
            svg,
            "<rect x=\"10\" y=\"{}\" width=\"10\" height=\"10\" fill=\"{colour}\"/>\
             <text x=\"26\" y=\"{}\">{}</text>",
            y - 9,
            y,
            escaped(&what)
        );
    }
}

fn escaped(text: &str) -> String {
    text::printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
