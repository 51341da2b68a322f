//! Loads rows until it is killed: see `ese_tests::kill`, and `tests/tests/kill.rs`, which runs it.

use std::{env, ffi::OsString};

use ese_api::{Error, JetErr, Result};
use ese_tests::kill::Order;

fn main() -> Result<()> {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let order = Order::parse(&args);
    order.ok_or_else(|| Error::new(JetErr::InvalidParameter, "unknown orders"))?.run()
}
