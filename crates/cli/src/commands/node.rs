//! node
use crate::args::*;
use crate::exit::*;
pub(crate) fn node(_: &NodeArgs) -> Ended {
    todo!()
}
