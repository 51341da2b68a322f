//! `libesent`: the engine under the names of the Jet API, for C and whatever calls C. `esent.h`
//! declares what is here; programs that were written for ESENT on Windows are compiled with it and
//! linked with this library instead.
//!
//! Every function is a thin one: it turns arguments into Rust's, calls the function of the same
//! name in [`ese_api::jet`], and writes what that gives into the caller's buffers. Checks of
//! handles and state, their order and codes are that module's. What is here:
//!
//! * [`boundary`]: declares the functions; nothing unwinds out of them.
//! * [`ptr`], [`calls`]: the pointers and functions of callers. All `unsafe` is there.
//! * [`text`]: both widths of text.
//! * [`types`], [`layout`]: structures, and their layout.
//!
//! `docs/capi.md` says of each function what it does in this version.
#![allow(
    non_snake_case,
    non_camel_case_types,
    non_upper_case_globals,
    reason = "functions, types and constants have the names of the documented interface"
)]
#![allow(rustdoc::private_intra_doc_links, reason = "the library has no public names in Rust")]

mod backup;
mod block;
mod boundary;
mod callback;
mod calls;
mod columns;
mod cursor;
mod database;
mod define;
mod enumerate;
mod errors;
mod facts;
mod indexes;
mod instance;
mod layout;
mod logs;
mod misc;
mod ptr;
mod recovery;
mod refused;
mod rows;
mod session;
mod snapshot;
mod table;
mod temp;
mod text;
mod types;
