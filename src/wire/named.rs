//! The header where the format has names for fields: MessagePack and JSON.
//!
//! A map. A field that is absent has its default, and a field that is unknown is skipped, so that old and new versions
//! read each other.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::decode::{DecodeError, decode};
use super::encode::{EncodeError, encode_message};
use super::format::Format;
use super::header::Header;
use super::id::{Bits, MessageId};
use super::time::Timestamp;
use super::trace::TraceContext;
use crate::{Key, Priority};

#[derive(Serialize, Deserialize)]
struct Named<'a> {
    id: MessageId,
    #[serde(borrow)]
    receiver: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    priority: Priority,
    sent_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Bits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch_key: Option<Bits>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deadline: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_zero")]
    attempts: u16,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<TraceContext>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    correlation: Option<MessageId>,
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}

pub(super) fn write(header: &Header, format: Format, bytes: &mut Vec<u8>) -> Result<(), EncodeError> {
    let bits = |key: Key| Bits(key.to_bytes());
    let named = Named {
        id: header.id,
        receiver: (&header.receiver).into(),
        kind: (&header.kind).into(),
        priority: header.priority,
        sent_at: header.sent_at,
        key: header.key.map(bits),
        batch_key: header.batch_key.map(bits),
        deadline: header.deadline,
        attempts: header.attempts,
        idempotency_key: header.idempotency_key.as_ref().map(Into::into),
        traceparent: header.trace,
        reply_to: header.reply_to.as_ref().map(Into::into),
        correlation: header.correlation,
    };
    let written = encode_message(&named, format, &Header::LIMITS).map_err(|error| match error {
        EncodeError::TooLarge { limit, .. } => EncodeError::HeaderTooLarge { limit },
        other => other,
    })?;
    bytes.extend_from_slice(&written);
    Ok(())
}

pub(super) fn read(bytes: &[u8], format: Format) -> Result<Header, DecodeError> {
    let named: Named<'_> = decode(bytes, format, &Header::LIMITS)?;
    let key = |bits: Bits| Key::from_bytes(bits.0);
    Ok(Header {
        id: named.id,
        receiver: named.receiver.into_owned(),
        kind: named.kind.into_owned(),
        priority: named.priority,
        sent_at: named.sent_at,
        key: named.key.map(key),
        batch_key: named.batch_key.map(key),
        deadline: named.deadline,
        attempts: named.attempts,
        idempotency_key: named.idempotency_key.map(Cow::into_owned),
        trace: named.traceparent,
        reply_to: named.reply_to.map(Cow::into_owned),
        correlation: named.correlation,
    })
}
