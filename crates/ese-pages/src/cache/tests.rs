//! Tests of the cache; each runs in both modes unless it is about one.

mod damage;
mod flushing;
mod guards;
mod threads;
