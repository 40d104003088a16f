//! A node's interface for other people's tools: Bitcoin Core's JSON-RPC and REST, in its words and shapes wherever the notion exists here.
//!
//! - [`server`] listens: connections, who may ask, bodies; `envelope` is JSON-RPC itself, `rest` the paths that need no password.
//! - [`methods`] is the table of all methods; each is a look at one state of the node, or a task of several steps.
//! - [`desk`] is the way to the task that owns the node, and all that an engine has to serve.
//!
//! `docs/RPC.md` tells method by method what differs from Bitcoin Core.

pub mod address;
pub mod auth;
pub mod desk;
pub mod error;
pub mod limits;
pub mod methods;
pub mod network;
pub mod raw;
pub mod server;

mod arguments;
mod envelope;
mod gate;
mod office;
mod shape;
mod wallet;

pub use arguments::{Kind, Parameter};
pub use desk::{Clerk, Desk, Request, Scene};
pub use error::{Code, RpcError};
pub use server::{Bound, Options, Server};
