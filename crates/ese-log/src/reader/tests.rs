pub(crate) mod damage;
mod files;
pub(crate) mod foreign;
