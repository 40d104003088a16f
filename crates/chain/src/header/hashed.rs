//! A header and its name, hashed once.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::digest::{self, GROUP};
use crate::{BlockId, Header};

/// A header that remembers its own name, so that passing it on costs no more hashing.
///
/// It can only be made from a header and never changes, so the name is always the header's. Encoded, it is the plain header: what comes
/// from elsewhere is hashed on arrival.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Header", into = "Header")]
pub struct HashedHeader {
    header: Header,
    id: BlockId,
}

impl HashedHeader {
    /// The headers that these bytes stand for. It is faster to name them together than one after the other.
    pub fn read_all(bytes: &[[u8; Header::BYTES]]) -> impl Iterator<Item = Self> {
        let mut ids = [BlockId::ZERO; GROUP];
        // A plain map, whose length is known: whoever collects it writes every header once.
        bytes.iter().enumerate().map(move |(at, each)| {
            if at % GROUP == 0 {
                ids = digest::ids(&bytes[at..]);
            }
            Self {
                header: Header::from_bytes(each),
                id: ids[at % GROUP],
            }
        })
    }

    /// The block's name, without hashing.
    #[must_use]
    pub const fn id(&self) -> BlockId {
        self.id
    }

    /// The plain header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }
}

impl From<Header> for HashedHeader {
    fn from(header: Header) -> Self {
        Self {
            header,
            id: header.id(),
        }
    }
}

impl From<HashedHeader> for Header {
    fn from(hashed: HashedHeader) -> Self {
        hashed.header
    }
}

impl Deref for HashedHeader {
    type Target = Header;

    fn deref(&self) -> &Header {
        &self.header
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Params;

    #[test]
    fn the_name_is_the_headers_and_its_fields_are_at_hand() {
        let header = *Params::instant().genesis_block().header;
        let hashed = HashedHeader::from(header);
        assert_eq!(hashed.id(), header.id());
        assert_eq!((hashed.bits, hashed.to_bytes()), (header.bits, header.to_bytes()));
        assert_eq!((Header::from(hashed), hashed.header()), (header, &header));
        let other = HashedHeader::from(Header { nonce: 1, ..header });
        assert_ne!(other, hashed);
        assert_ne!(other.id(), hashed.id());
    }

    #[test]
    fn headers_read_together_are_those_read_one_after_the_other() {
        let header = *Params::instant().genesis_block().header;
        let headers: Vec<Header> = (0..11).map(|nonce| Header { nonce, ..header }).collect();
        for count in 0..headers.len() {
            let bytes: Vec<_> = headers[..count].iter().map(Header::to_bytes).collect();
            let one_by_one = headers[..count].iter().copied().map(HashedHeader::from);
            assert!(HashedHeader::read_all(&bytes).eq(one_by_one), "{count}");
        }
    }

    #[test]
    fn encoded_it_is_the_plain_header() {
        let header = *Params::instant().genesis_block().header;
        let hashed = HashedHeader::from(header);
        let text = serde_json::to_string(&hashed).expect("a header is data");
        assert_eq!(text, serde_json::to_string(&header).expect("a header is data"));
        assert_eq!(serde_json::from_str::<HashedHeader>(&text).expect("a header"), hashed);
    }
}
