//! up
use crate::args::*;
use crate::exit::*;
pub(crate) fn up(_: &UpArgs) -> Ended {
    todo!()
}
