//! Nodes that stop, start, stand still and lose their disks.

use super::*;

#[test]
fn a_restart_stops_and_then_starts() {
    let mut stage = Stage::new(vec![act(Action::Restart { nodes: nodes(&[1]) })]);
    assert_eq!(stage.advance(), None);
    assert_eq!(stage.orders(), ["Stop(NodeId(1))"]);
    stage.disconnect(0, 1);
    stage.disconnect(1, 2);
    stage.world.node_stopped(NodeId(1));
    assert_eq!(stage.advance(), None);
    assert_eq!(stage.orders(), ["Start(NodeId(1))"]);
    stage.world.node_started(NodeId(1));
    assert_eq!(stage.advance(), None, "it is not connected yet");
    stage.connect(0, 1);
    stage.connect(1, 2);
    assert_eq!(stage.advance(), Some(Outcome::Passed));
}

#[test]
fn a_pause_is_done_when_it_is_seen_and_a_paused_node_does_nothing() {
    let mut stage = Stage::new(vec![
        act(Action::Pause { nodes: nodes(&[1]) }),
        act(Action::Mine {
            blocks: 1,
            on: NodeId(1),
        }),
    ]);
    assert_eq!(stage.advance(), None);
    assert_eq!(stage.orders(), ["Pause(NodeId(1))"]);
    stage.world.node_paused(NodeId(1));
    assert_eq!(stage.advance(), Some(Outcome::Failed { step: 1 }));
    assert_eq!(stage.last_failure().1, "n1 is paused");
}

#[test]
fn a_wipe_takes_nodes_down_before_their_disks() {
    let mut stage = Stage::new(vec![act(Action::Wipe { nodes: nodes(&[1, 2]) })]);
    stage.world.node_stopped(NodeId(2));
    assert_eq!(stage.advance(), None);
    assert_eq!(stage.orders(), ["Kill(NodeId(1))"]);
    stage.world.node_stopped(NodeId(1));
    assert_eq!(stage.advance(), None);
    assert_eq!(stage.orders(), ["Wipe(NodeId(1))", "Wipe(NodeId(2))"]);
    stage.world.node_wiped(NodeId(1));
    stage.world.node_wiped(NodeId(2));
    assert_eq!(stage.advance(), Some(Outcome::Passed));
}
