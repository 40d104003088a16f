//! One file for each command.

pub(crate) mod attach;
pub(crate) mod check;
pub(crate) mod detach;
pub(crate) mod down;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod laws;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod node;
pub(crate) mod ps;
pub(crate) mod rerun;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod sweep;
pub(crate) mod test;
pub(crate) mod up;
pub(crate) mod worker;
