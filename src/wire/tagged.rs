//! The header in bincode, which has no names for fields.
//!
//! A list of pairs: a tag, and the field's value as bytes. A field that is absent is not in the list; a tag that is
//! unknown is skipped, since its value says how long it is. Tags are never used again for something else.

use super::decode::{DecodeError, Place, decode};
use super::encode::EncodeError;
use super::fault::Fault;
use super::format::Format;
use super::header::Header;
use super::id::MessageId;
use super::time::Timestamp;
use super::trace::TraceContext;
use crate::{Key, Priority};

const ID: u8 = 1;
const RECEIVER: u8 = 2;
const KIND: u8 = 3;
const PRIORITY: u8 = 4;
const SENT_AT: u8 = 5;
const KEY: u8 = 6;
const BATCH_KEY: u8 = 7;
const DEADLINE: u8 = 8;
const ATTEMPTS: u8 = 9;
const IDEMPOTENCY_KEY: u8 = 10;
const TRACE: u8 = 11;
const REPLY_TO: u8 = 12;
const CORRELATION: u8 = 13;

/// One field: its tag and its value.
type Field<'a> = (u8, &'a [u8]);

pub(super) fn write(header: &Header, bytes: &mut Vec<u8>) -> Result<(), EncodeError> {
    let id = header.id.to_bytes();
    let sent_at = header.sent_at.as_micros().to_le_bytes();
    let key = header.key.map(Key::to_bytes);
    let batch_key = header.batch_key.map(Key::to_bytes);
    let deadline = header.deadline.map(|deadline| deadline.as_micros().to_le_bytes());
    let attempts = (header.attempts > 0).then(|| header.attempts.to_le_bytes());
    let trace = header.trace.map(TraceContext::to_bytes);
    let correlation = header.correlation.map(MessageId::to_bytes);
    let priority = [header.priority as u8];
    let all: [(u8, Option<&[u8]>); 13] = [
        (ID, Some(&id)),
        (RECEIVER, Some(header.receiver.as_bytes())),
        (KIND, Some(header.kind.as_bytes())),
        (PRIORITY, Some(&priority)),
        (SENT_AT, Some(&sent_at)),
        (KEY, key.as_ref().map(AsRef::as_ref)),
        (BATCH_KEY, batch_key.as_ref().map(AsRef::as_ref)),
        (DEADLINE, deadline.as_ref().map(AsRef::as_ref)),
        (ATTEMPTS, attempts.as_ref().map(AsRef::as_ref)),
        (IDEMPOTENCY_KEY, header.idempotency_key.as_deref().map(str::as_bytes)),
        (TRACE, trace.as_ref().map(AsRef::as_ref)),
        (REPLY_TO, header.reply_to.as_deref().map(str::as_bytes)),
        (CORRELATION, correlation.as_ref().map(AsRef::as_ref)),
    ];
    let present: Vec<Field<'_>> = all.into_iter().filter_map(|(tag, value)| Some((tag, value?))).collect();
    let before = bytes.len();
    let written = bincode::encode_into_std_write(&present, bytes, bincode::config::standard());
    written.map_err(|_| EncodeError::Unsupported { format: Format::Bincode })?;
    if bytes.len() - before > Header::MAX_BYTES {
        return Err(EncodeError::HeaderTooLarge { limit: Header::MAX_BYTES });
    }
    Ok(())
}

pub(super) fn read(bytes: &[u8]) -> Result<Header, DecodeError> {
    let list: Vec<Field<'_>> = decode(bytes, Format::Bincode, &Header::LIMITS)?;
    let mut fields = Fields { values: [None; CORRELATION as usize + 1], count: list.len() };
    for &(tag, value) in &list {
        let Some(field) = fields.values.get_mut(usize::from(tag)) else { continue };
        if field.replace(value).is_some() {
            return Err(fields.fault(Fault::DuplicateField(name(tag))));
        }
    }
    Ok(Header {
        id: MessageId::from_bytes(fields.required(ID, array)?),
        receiver: fields.required(RECEIVER, text)?,
        kind: fields.required(KIND, text)?,
        priority: fields.required(PRIORITY, priority)?,
        sent_at: fields.required(SENT_AT, timestamp)?,
        key: fields.optional(KEY, array)?.map(Key::from_bytes),
        batch_key: fields.optional(BATCH_KEY, array)?.map(Key::from_bytes),
        deadline: fields.optional(DEADLINE, timestamp)?,
        attempts: fields.optional(ATTEMPTS, array)?.map_or(0, u16::from_le_bytes),
        idempotency_key: fields.optional(IDEMPOTENCY_KEY, text)?,
        trace: fields.optional(TRACE, TraceContext::from_bytes)?,
        reply_to: fields.optional(REPLY_TO, text)?,
        correlation: fields.optional(CORRELATION, array)?.map(MessageId::from_bytes),
    })
}

/// The known fields, at the place of their tag. Tag 0 is never written.
struct Fields<'a> {
    values: [Option<&'a [u8]>; CORRELATION as usize + 1],
    count: usize,
}

impl Fields<'_> {
    fn optional<T>(&self, tag: u8, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<Option<T>, DecodeError> {
        let Some(value) = self.values[usize::from(tag)] else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.fault(Fault::WrongField(name(tag))))
    }

    fn required<T>(&self, tag: u8, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<T, DecodeError> {
        self.optional(tag, read)?.ok_or_else(|| self.fault(Fault::MissingField(name(tag))))
    }

    fn fault(&self, fault: Fault) -> DecodeError {
        DecodeError::Malformed { format: Format::Bincode, fault, place: Place::Value(self.count) }
    }
}

fn array<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    value.try_into().ok()
}

fn text(value: &[u8]) -> Option<String> {
    std::str::from_utf8(value).ok().map(str::to_owned)
}

fn timestamp(value: &[u8]) -> Option<Timestamp> {
    array(value).map(u64::from_le_bytes).map(Timestamp::from_micros)
}

fn priority(value: &[u8]) -> Option<Priority> {
    let &[level] = value else { return None };
    Priority::ALL.get(usize::from(level)).copied()
}

/// The field's name in the other formats.
const fn name(tag: u8) -> &'static str {
    match tag {
        ID => "id",
        RECEIVER => "receiver",
        KIND => "kind",
        PRIORITY => "priority",
        SENT_AT => "sent_at",
        KEY => "key",
        BATCH_KEY => "batch_key",
        DEADLINE => "deadline",
        ATTEMPTS => "attempts",
        IDEMPOTENCY_KEY => "idempotency_key",
        TRACE => "traceparent",
        REPLY_TO => "reply_to",
        CORRELATION => "correlation",
        _ => "unknown",
    }
}
