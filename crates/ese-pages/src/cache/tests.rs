//! Tests of the cache; each runs in both modes unless it is about one.

mod damage;
pub(crate) mod flushing;
pub(crate) mod guards;
mod threads;
