//! A run in the terminal: the tree of blocks, nodes, steps and what happens, live or wound back.
//!
//! The view reads the run folder and nothing else, as the page does: a finished run, a cluster and a simulation look alike. Where it is given an
//! operator, keys and a prompt hand in steps of the scenario language.
//!
//! | file | |
//! |---|---|
//! | `app` | what the view shows and how keys change it; knows no terminal |
//! | `playhead` | which time of the run is shown |
//! | `tempo` | how fast the virtual time of a simulation passes that is looked at |
//! | `deeds` | steps that keys stand for |
//! | `draw` | from all that to cells |
//! | `view` | the terminal: keys in, frames out |

pub mod limits;

mod app;
mod deeds;
mod draw;
mod playhead;
mod tempo;
mod view;

pub use tempo::Tempo;
pub use view::{Error, Left, Watch, watch};
