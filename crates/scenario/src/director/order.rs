//! What a director tells its engine to do.

use base::NodeId;
use node::Command;

use crate::link::Conditions;

/// What an engine is to do.
#[derive(Clone, Debug)]
pub enum Order {
    /// Give a node a command.
    Command(NodeId, Command),
    /// Start a node; it reconnects as its links want.
    Start(NodeId),
    /// Start a node as the program of this name, and from then on whenever it starts.
    Upgrade(NodeId, String),
    /// Stop a node in good order.
    Stop(NodeId),
    /// Stop a node without warning: nothing more is written for it.
    Kill(NodeId),
    /// Let a node stand still: it reads, writes and mines nothing, and its connections stay as they are.
    Pause(NodeId),
    /// Let a node that stands still go on.
    Resume(NodeId),
    /// Remove all that a node that is down has on its disk.
    Wipe(NodeId),
    /// Keep two nodes connected from now on: the first dials.
    Connect(NodeId, NodeId),
    /// Disconnect two nodes, and dial no more.
    Disconnect(NodeId, NodeId),
    /// Close the connection between two nodes, if there is one, and refuse new ones until [`Order::Mend`].
    Sever(NodeId, NodeId),
    /// Allow connections again, and dial at once where a link is wanted.
    Mend(NodeId, NodeId),
    /// From now on, messages from the first to the second node travel under these conditions.
    SetLink(NodeId, NodeId, Conditions),
}
