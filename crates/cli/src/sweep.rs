//! Many runs of one scenario: the points of a grid, times seeds.

pub(crate) mod grid;
pub(crate) mod means;
pub(crate) mod table;
