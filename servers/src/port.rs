//! Free ports.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, TcpListener};

use crate::error::ServerError;

/// Below the range that Linux and the BSDs take the local ports of *outgoing* connections from (32768 on, 49152 on): a
/// server that is down for a while must find its port free when it starts again.
const RANGE: std::ops::Range<u16> = 20_000..32_000;
const TRIES: u32 = 200;

/// A port of 127.0.0.1 that nobody listens on now. Two processes may be given the same; the loser sees its server fail
/// and asks again.
pub(crate) fn free() -> Result<u16, ServerError> {
    for _ in 0..TRIES {
        // The standard library's only source of random numbers.
        let random = RandomState::new().build_hasher().finish();
        let width = u64::from(RANGE.end - RANGE.start);
        let port = RANGE.start + u16::try_from(random % width).unwrap_or(0);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(ServerError::NoPort { tried: TRIES })
}
