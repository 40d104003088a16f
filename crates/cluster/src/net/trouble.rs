//! Why a connection did not come to be, in words for whoever asked for it.

use std::error::Error;
use std::{fmt, io};

use libp2p::swarm::{DialError, StreamProtocol};
use libp2p::{PeerId, TransportError};

/// Why a connection did not come to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The address names a transport that nodes do not have.
    NoSuchTransport,
    /// Whoever answers there has another key than the address names.
    WrongKey(PeerId),
    /// The peer does not speak this protocol: it is a node of another network, or none.
    OtherNetwork(String),
    /// A connection to the peer is open or opening already: no trouble at all.
    Connected,
    /// The peer opened the connection and closed it before it was of use.
    Closed,
    /// The peer kept none of the times that it had.
    TooSlow,
    /// Anything else, in the words of whoever noticed: the system when it was refused.
    Other(String),
}

impl Trouble {
    /// A peer that does not speak our protocol.
    pub(crate) fn other_network(protocol: &StreamProtocol) -> Self {
        Self::OtherNetwork(protocol.to_string())
    }

    /// Why a dial came to nothing.
    pub(crate) fn of_dial(error: &DialError) -> Self {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "libp2p's enum: the others are rare and say it themselves"
        )]
        match error {
            DialError::DialPeerConditionFalse(_) => Self::Connected,
            DialError::WrongPeerId { obtained, .. } => Self::WrongKey(*obtained),
            DialError::Transport(causes) => match causes.first() {
                Some((_, TransportError::MultiaddrNotSupported(_))) => Self::NoSuchTransport,
                Some((_, TransportError::Other(error))) => Self::of_transport(error),
                None => Self::Other(error.to_string()),
            },
            error => Self::Other(error.to_string()),
        }
    }

    /// libp2p wraps what the system says several times; the innermost error is the plainest.
    fn of_transport(error: &io::Error) -> Self {
        let mut innermost: &(dyn Error + 'static) = error;
        loop {
            // What an `io::Error` wraps is not its source: that is the source of what it wraps.
            let wrapped = innermost.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            let wrapped = wrapped.map(|wrapped| wrapped as &(dyn Error + 'static));
            match wrapped.or_else(|| innermost.source()) {
                Some(cause) => innermost = cause,
                None => return Self::Other(innermost.to_string()),
            }
        }
    }

    /// Whether this is news when `last` was told before. That a peer closed tells less than any other reason, and it may come in turns with
    /// one: whichever side notices first closes.
    pub(crate) fn is_news_after(&self, last: Option<&Self>) -> bool {
        let is_first = last.is_none();
        match self {
            Self::Connected => false,
            Self::Closed => is_first,
            Self::NoSuchTransport | Self::WrongKey(_) | Self::OtherNetwork(_) | Self::TooSlow | Self::Other(_) => {
                last != Some(self)
            }
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchTransport => {
                f.write_str("the transport is not supported, only TCP is: /ip4/<address>/tcp/<port>")
            }
            Self::WrongKey(found) => write!(f, "another peer answers there: {found}"),
            Self::OtherNetwork(protocol) => {
                write!(f, "wrong network: the peer does not speak {protocol}")
            }
            Self::Connected => f.write_str("a connection is open or opening already"),
            Self::Closed => f.write_str("the peer closed the connection before it was of use"),
            Self::TooSlow => f.write_str("the peer was too slow"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_word_is_found_however_often_it_is_wrapped() {
        let refused = io::Error::other("Connection refused");
        let wrapped = io::Error::other(io::Error::other(refused));
        let trouble = Trouble::of_transport(&wrapped);
        assert_eq!(trouble, Trouble::Other("Connection refused".to_owned()));
    }

    #[test]
    fn a_reason_is_news_once_and_a_close_only_when_nothing_is_known() {
        let refused = Trouble::Other("Connection refused".to_owned());
        assert!(refused.is_news_after(None) && !refused.is_news_after(Some(&refused)));
        assert!(Trouble::Closed.is_news_after(None) && !Trouble::Closed.is_news_after(Some(&refused)));
        assert!(refused.is_news_after(Some(&Trouble::Closed)));
        assert!(!Trouble::Connected.is_news_after(None));
    }
}
