//! preimage
