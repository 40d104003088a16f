//! Every bound of this crate, with its source (Bitcoin Core's constant, unless said).

/// The most headers of one message (`MAX_HEADERS_RESULTS`).
pub const MAX_HEADERS: usize = 2_000;
/// The most entries of a request or an announcement (Core allows 50,000; ours are asked for in smaller bites).
pub const MAX_ITEMS: usize = 1_000;
/// The most bytes of an agent string.
pub const MAX_AGENT_BYTES: usize = 64;
/// The most bytes of an encoded message before the handshake is done.
pub const MAX_HELLO_BYTES: usize = 4 * 1_024;
/// The most bytes of an encoded message: a block of the default size and its frame.
pub const MAX_MESSAGE_BYTES: usize = (1 << 20) + 64 * 1_024;
