//! Scenario files: from text to a checked plan, and from a plan to orders and verdicts. Both engines run what is here.
//!
//! - [`plan`] is the meaning of a file: nodes, links, steps, every name resolved.
//! - [`link`] is the model of a link, asked by the simulator when a message arrives and by the cluster when to hand it on.
//! - [`world`] is what has been observed of a network, built from its nodes' events.
//! - [`director`] goes through the steps: it gives orders and judges expectations against the world.

pub mod director;
pub mod limits;
pub mod link;
pub mod plan;
pub mod words;
pub mod world;

pub use director::{Director, Order, Outcome, StepReport, StepState};
pub use link::{Conditions, Link};
pub use plan::Plan;
pub use world::World;
