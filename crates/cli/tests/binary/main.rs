//! The `nakanet` binary as its users meet it: what it prints, what it leaves, what it exits with.

mod background;
mod cluster;
mod disks;
mod input;
mod interface;
mod looking;
mod made;
mod page;
mod processes;
mod repeats;
mod runs;
mod stage;
mod suites;
mod sweeps;
