//! The sockets that a worker is handed by its engine, before any frame: the version of the exchange, and with it the descriptors.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};

use super::frame::{FrameError, VERSION};
use crate::port::Listeners;

/// That of the peers, and that of the interface.
const MAX_LISTENERS: usize = 2;

/// Hands them over. Who gives them may close them afterwards.
pub(super) fn give(socket: &UnixStream, listeners: &Listeners) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MAX_LISTENERS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors: Vec<BorrowedFd<'_>> = [Some(&listeners.peers), listeners.rpc.as_ref()]
        .into_iter()
        .flatten()
        .map(AsFd::as_fd)
        .collect();
    let has_room = control.push(SendAncillaryMessage::ScmRights(&descriptors));
    assert!(has_room, "there is room for both");
    let version = VERSION.to_le_bytes();
    let sent = sendmsg(socket, &[IoSlice::new(&version)], &mut control, SendFlags::empty())?;
    assert_eq!(sent, version.len(), "an empty socket has room for four bytes");
    Ok(())
}

/// Takes them. Blocks until the engine has said the first word.
pub(super) fn take(socket: &UnixStream) -> Result<Listeners, FrameError> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MAX_LISTENERS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut version = [0; 4];
    let heard = recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut version)],
        &mut control,
        RecvFlags::empty(),
    );
    let heard = heard.map_err(io::Error::from)?.bytes;
    if heard < version.len() {
        return Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into()));
    }
    let found = u32::from_le_bytes(version);
    if found != VERSION {
        return Err(FrameError::Version { found });
    }
    let mut listeners = control.drain().flat_map(|message| {
        let mut listeners = Vec::new();
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            listeners.extend(descriptors.map(TcpListener::from));
        }
        listeners
    });
    let peers = listeners.next().ok_or(FrameError::NoListener)?;
    Ok(Listeners {
        peers,
        rpc: listeners.next(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn listeners(rpc: bool) -> Listeners {
        let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
        Listeners {
            peers: bind(),
            rpc: rpc.then(bind),
        }
    }

    #[test]
    fn a_worker_gets_the_very_sockets_that_its_engine_has_bound() {
        for rpc in [false, true] {
            let (engine, worker) = UnixStream::pair().unwrap();
            let given = listeners(rpc);
            give(&engine, &given).unwrap();
            let addresses = |listeners: &Listeners| {
                let of = |listener: &TcpListener| listener.local_addr().unwrap();
                (of(&listeners.peers), listeners.rpc.as_ref().map(of))
            };
            let expected = addresses(&given);
            drop(given);
            let taken = take(&worker).unwrap();
            assert_eq!(addresses(&taken), expected);
            std::net::TcpStream::connect(expected.0).unwrap();
        }
    }

    #[test]
    fn an_engine_of_another_version_or_without_sockets_is_not_understood() {
        let say = |word: &[u8]| {
            let (mut engine, worker) = UnixStream::pair().unwrap();
            engine.write_all(word).unwrap();
            drop(engine);
            take(&worker).unwrap_err()
        };
        assert!(matches!(say(&2_u32.to_le_bytes()), FrameError::Version { found: 2 }));
        assert!(matches!(say(&VERSION.to_le_bytes()), FrameError::NoListener));
        assert!(matches!(say(&[]), FrameError::Io(_)));
    }
}
