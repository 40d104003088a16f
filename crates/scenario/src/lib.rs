//! Scenario files: from text to a checked plan, and from a plan to orders and verdicts. Both engines run what is here.
//!
//! - [`grammar`] is the language as data, [`parse`] reads a file by it: every fault of it at once, or a plan.
//! - [`plan`] is the meaning of a file: nodes, links, steps, every name resolved.
//! - [`topology`] draws the links of a network.
//! - [`link`] is the model of a link, asked by the simulator when a message arrives and by the cluster when to hand it on.
//! - [`world`] is what has been observed of a network, built from its nodes' events.
//! - [`director`] goes through the steps: it gives orders and judges expectations against the world.

mod build;
pub mod diagnostic;
pub mod director;
pub mod engine;
pub mod estimate;
pub mod grammar;
mod graph;
pub mod limits;
pub mod link;
mod names;
pub mod networks;
mod overrides;
pub mod plan;
mod quantity;
mod read;
mod setup;
pub mod topology;
pub mod uplink;
pub mod words;
pub mod world;

pub use build::{Beside, description, parse, parse_beside};
pub use diagnostic::Diagnostic;
pub use director::{ControlReport, Deed, Director, Instruction, Order, Outcome, StepReport, StepState};
pub use engine::Engine;
pub use estimate::{Estimate, estimate};
pub use link::{Conditions, Link};
pub use overrides::Overrides;
pub use plan::{Attachment, Plan};
pub use quantity::{duration, hash_rate};
pub use topology::Topology;
pub use uplink::Uplinks;
pub use world::World;
