//! Reading values and generations, and keeping values.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::ConnectionManager;
use redis::{ErrorKind, RedisResult, Value};

use super::{NoAnswer, Shared, is_refusal};
use crate::store::cache::codec::{Generation, longest_stored};
use crate::store::cache::key::Print;

/// How long Redis keeps the generation of a tag, at least; and at least twice as long as the value it was made for.
/// When it is gone, the values under the tag are misses.
const TAG_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What Redis said.
#[derive(Debug)]
pub(in crate::store::cache) struct Asked {
    /// The generations of the tags, in their order. `None` if one has none and cannot be given one.
    pub(in crate::store::cache) generations: Option<Box<[Generation]>>,
    /// The bytes at the value's name, if they were asked for, and how long they stay.
    pub(in crate::store::cache) stored: Option<(Vec<u8>, Duration)>,
}

impl Shared {
    /// Asks for the generations of tags and, if wanted, for the value. Tags without a generation are given one, for a
    /// value that is to live so long.
    pub(in crate::store::cache) async fn ask(
        self: &Arc<Self>,
        value: Option<Print>,
        tags: Arc<[Print]>,
        ttl: Duration,
    ) -> Result<Asked, NoAnswer> {
        let leave = self.leave()?;
        let shared = Arc::clone(self);
        let question = async move {
            let value = value.map(|name| shared.name_of_value(name));
            let tags: Vec<String> = tags.iter().map(|&tag| shared.name_of_tag(tag)).collect();
            let longest = longest_stored(shared.largest_value_bytes, tags.len());
            let asking = async |connection: &mut ConnectionManager| {
                let (generations, stored) = read(connection, value.as_deref(), &tags, longest).await?;
                let generations = match generations.iter().all(Option::is_some) {
                    true => generations,
                    false => give_generations(connection, &tags, &generations, ttl).await?,
                };
                Ok(Asked { generations: generations.into_iter().collect(), stored })
            };
            shared.within_time(leave, asking).await
        };
        // The task goes on if nobody waits for it, so that the breaker hears how it went.
        self.runtime.spawn(question).await.unwrap_or(Err(NoAnswer))
    }

    /// Keeps a value, in the background. If it cannot, the value is not there.
    pub(in crate::store::cache) fn keep(self: &Arc<Self>, name: Print, stored: Vec<u8>, ttl: Duration) {
        let milliseconds = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        // `PX 0` is an error.
        if milliseconds == 0 {
            return;
        }
        let Ok(leave) = self.leave() else { return };
        let (shared, guard) = (Arc::clone(self), self.unsettled());
        let question = async move {
            let _guard = guard;
            let key = shared.name_of_value(name);
            let asking = async |connection: &mut ConnectionManager| {
                let set = redis::cmd("SET").arg(&key).arg(&stored).arg("PX").arg(milliseconds).to_owned();
                match set.query_async::<()>(connection).await {
                    // Out of memory, most likely: no reason not to ask it for what it has.
                    Err(error) if is_refusal(&error) => {
                        shared.stats.redis_errors.add(1);
                        Ok(())
                    }
                    kept => kept,
                }
            };
            shared.within_time(leave, asking).await
        };
        // Nobody waits for it.
        drop(self.runtime.spawn(question));
    }
}

type Generations = Vec<Option<Generation>>;

/// One trip. A value longer than any of ours is cut by Redis, not read: the key may be somebody else's.
async fn read(
    connection: &mut ConnectionManager,
    value: Option<&str>,
    tags: &[String],
    longest: usize,
) -> RedisResult<(Generations, Option<(Vec<u8>, Duration)>)> {
    let mut pipe = redis::pipe();
    pipe.ignore_errors();
    pipe.cmd("MGET").arg(tags);
    if let Some(key) = value {
        pipe.cmd("GETRANGE").arg(key).arg(0).arg(longest).cmd("PTTL").arg(key);
    }
    let mut replies: Vec<RedisResult<Value>> = pipe.query_async(connection).await?;
    let mut replies = replies.drain(..);
    let generations = to_generations(replies.next(), tags.len())?;
    // An error here is a value of another type at this key: it is not one of ours, and our next one replaces it.
    let stored = match (replies.next(), replies.next()) {
        (Some(Ok(Value::BulkString(bytes))), Some(Ok(Value::Int(milliseconds))))
            if !bytes.is_empty() && bytes.len() <= longest =>
        {
            // Negative: without an end, which is not one of ours either.
            u64::try_from(milliseconds).ok().map(|left| (bytes, Duration::from_millis(left)))
        }
        _ => None,
    };
    Ok((generations, stored))
}

/// Gives those tags a generation that have none, unless somebody else does it at the same moment, and reads them all.
async fn give_generations(
    connection: &mut ConnectionManager,
    tags: &[String],
    known: &[Option<Generation>],
    ttl: Duration,
) -> RedisResult<Generations> {
    // Redis refuses what does not fit in 63 bits.
    let kept = TAG_KEPT.max(ttl.saturating_mul(2)).as_millis().min(1 << 50) as u64;
    let mut pipe = redis::pipe();
    pipe.ignore_errors();
    for (tag, _) in tags.iter().zip(known).filter(|(_, known)| known.is_none()) {
        let generation: Generation = rand::random();
        pipe.cmd("SET").arg(tag).arg(generation.as_slice()).arg("NX").arg("PX").arg(kept);
    }
    pipe.cmd("MGET").arg(tags);
    let mut replies: Vec<RedisResult<Value>> = pipe.query_async(connection).await?;
    to_generations(replies.pop(), tags.len())
}

/// What is not a generation is none: missing, of another type, of another length. What is not even a list of so many is
/// not an answer to the question.
fn to_generations(reply: Option<RedisResult<Value>>, count: usize) -> RedisResult<Generations> {
    match reply.transpose()? {
        Some(Value::Array(values)) if values.len() == count => {
            let generation = |value| match value {
                Value::BulkString(bytes) => Generation::try_from(bytes.as_slice()).ok(),
                _ => None,
            };
            Ok(values.into_iter().map(generation).collect())
        }
        _ => Err((ErrorKind::UnexpectedReturnType, "not a list of generations").into()),
    }
}
