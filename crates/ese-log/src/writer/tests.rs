pub(crate) mod crash;
pub(crate) mod stream;
pub(crate) mod tail;
mod threads;
