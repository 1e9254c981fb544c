//! What hostile bytes make a reader allocate. Alone in its process, which counts every allocation.

use std::alloc::System;
use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use statim::wire::{Format, Limits, Parcel, decode_message};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Kilobytes in memory, one byte on the wire.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read, never looked at")]
#[expect(clippy::large_enum_variant, reason = "that is the point")]
enum Wide {
    Small,
    Large(Box<str>, [u64; 32], [u64; 32], [u64; 32], [u64; 32]),
}

/// Bytes that were ever allocated while `bytes` were read as `M` and refused.
fn allocated<M: DeserializeOwned>(bytes: &[u8], format: Format) -> usize {
    let region = Region::new(ALLOCATOR);
    let outcome = decode_message::<M>(bytes, format, &Limits::DEFAULT);
    let allocated = region.change().bytes_allocated;
    assert!(outcome.is_err(), "{format}: {bytes:x?}");
    allocated
}

#[test]
fn a_claimed_length_allocates_nothing() {
    let claims: Vec<(Format, Vec<u8>)> = [1_u64 << 16, 1 << 20, 1 << 32, 1 << 60, u64::MAX]
        .into_iter()
        .map(|length| (Format::Bincode, [&[253][..], &length.to_le_bytes(), b"abc"].concat()))
        .chain(
            [0xc6, 0xc9, 0xdb, 0xdd, 0xdf]
                .map(|marker| (Format::MessagePack, vec![marker, 0xff, 0xff, 0xff, 0xff, 1])),
        )
        .chain([(Format::Json, b"[[[[[[[[[[".to_vec()), (Format::Json, b"\"abc".to_vec())])
        .collect();
    for (format, bytes) in &claims {
        let most = [
            allocated::<String>(bytes, *format),
            allocated::<Box<[u8]>>(bytes, *format),
            allocated::<Vec<u64>>(bytes, *format),
            allocated::<Vec<Vec<Vec<String>>>>(bytes, *format),
            allocated::<HashMap<String, u64>>(bytes, *format),
            allocated::<Vec<[u64; 32]>>(bytes, *format),
            allocated::<Vec<Wide>>(bytes, *format),
        ];
        // An element for each byte of the input, and the reader's own error.
        assert!(most.into_iter().all(|bytes| bytes < 32 * 1024), "{format} {bytes:x?}: {most:?}");
    }
    let mut parcel = b"\x89STM\x01\x00b\x00".to_vec();
    parcel.extend_from_slice(&[0xff; 12]);
    let region = Region::new(ALLOCATOR);
    assert!(Parcel::from_bytes(&parcel, &Limits { max_bytes: usize::MAX, ..Limits::DEFAULT }).is_err());
    assert_eq!(region.change().bytes_allocated, 0);
}
