//! What comes from outside: from the network, from peers, from the interface's clients.

use std::future::pending;

use rpc::Request;
use tokio::select;

use super::front::Front;
use super::{Driver, Exit};
use crate::Error;
use crate::conversation::Heard;
use crate::net::{Net, NetEvent};

/// Something from outside.
pub(super) enum Incoming {
    Net(NetEvent),
    Heard(Heard),
    Request(Request),
}

/// The next thing from outside, whichever comes first. May be dropped and called again.
pub(super) async fn incoming(net: &mut Net, heard: impl Future<Output = Heard>, front: Option<&mut Front>) -> Incoming {
    let asked = async {
        match front {
            Some(front) => front.next().await,
            None => pending().await,
        }
    };
    select! {
        event = net.next() => Incoming::Net(event),
        heard = heard => Incoming::Heard(heard),
        request = asked => Incoming::Request(request),
    }
}

impl Driver {
    pub(super) async fn take_in(&mut self, incoming: Incoming) -> Result<Option<Exit>, Error> {
        match incoming {
            Incoming::Net(event) => self.on_net(event).await.map(|()| None),
            Incoming::Heard(heard) => self.on_heard(heard).await.map(|()| None),
            Incoming::Request(request) => self.serve(request).await,
        }
    }
}
