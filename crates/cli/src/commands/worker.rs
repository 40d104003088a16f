//! `nakanet worker`: one node of a run whose nodes are processes. Started by the run, never by hand.

use crate::exit::{Ended, Exit, Failure};
use crate::journal;

pub(crate) fn worker() -> Ended {
    journal::own();
    cluster::run_worker().map_err(Failure::could_not_start)?;
    Ok(Exit::Passed)
}
