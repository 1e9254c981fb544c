//! From a lane into the mailbox, one message after the other: what keeps an agent's durable messages in order.
//!
//! One task for each lane of an agent, so that Critical ones never stand behind Low ones that wait for room.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use super::binding::Binding;
use super::commit::chain;
use super::durable::Durable;
use super::error::StoreFault;
use super::id::StoredId;
use super::lane::{Content, Lane, Task, Waiting};
use super::ledger;
use super::record::{Delivery, Record};
use super::row::{Settlement, Stored, now_micros};
use crate::agent::{Tell, TellError};
use crate::mailbox::Reason;
use crate::message::{Keeper, Priority};
use crate::sync::{Arc, Ordering};
use crate::wire::{Limits, decode_message};

/// An agent whose full mailbox rejects is offered a message again after this.
const REJECTED_PAUSE: Duration = Duration::from_millis(10);
/// A store that cannot be read is read again after this.
const UNREAD_PAUSE: Duration = Duration::from_millis(500);

/// Hands over what is stored for one lane of an agent, until the agent ends or the outbox does.
pub(super) async fn feed<M: Durable>(binding: Arc<Binding<M>>, priority: Priority) {
    let lane = &binding.lanes[priority.lane()];
    loop {
        let read = match lane.next_task() {
            Task::Sleep => {
                lane.rung().await;
                continue;
            }
            Task::HandOver => {
                if hand_over(&binding, lane, priority).await.is_err() {
                    binding.end();
                    return;
                }
                continue;
            }
            Task::LookUp(ids) => {
                // The server may be about to commit what its client did not hear the end of.
                tokio::time::sleep(UNREAD_PAUSE).await;
                look_up(&binding, lane, ids).await
            }
            Task::Read { after, bound, target, wanted } => {
                let page = Page { after, bound, target, wanted };
                read_on(&binding, lane, page).await
            }
        };
        if let Err(fault) = read {
            tracing::warn!(
                agent = binding.agent.name(), error = %chain(&fault), "stored messages cannot be read; trying again"
            );
            tokio::time::sleep(UNREAD_PAUSE).await;
        }
    }
}

/// The agent takes no more messages.
struct Ended;

async fn hand_over<M: Durable>(
    binding: &Binding<M>,
    lane: &Lane<M>,
    priority: Priority,
) -> Result<(), Ended> {
    let mut handed: Option<(Tell<'_, M>, Arc<Record>)> = None;
    // The message leaves the lane and enters the mailbox (or its queue of waiting senders) under the lane's lock, so
    // that a purge, which looks through the one and then the other, cannot miss it in between.
    let first = poll_fn(|cx| {
        let mut state = lane.state();
        let Some(waiting) = state.pop() else { return Poll::Ready(None) };
        let Some((mut tell, record)) = prepare(binding, waiting, priority) else { return Poll::Ready(None) };
        let polled = Pin::new(&mut tell).poll(cx);
        drop(state);
        handed = Some((tell, record));
        Poll::Ready(Some(polled))
    })
    .await;
    let (Some(mut polled), Some((mut tell, record))) = (first, handed) else { return Ok(()) };
    loop {
        let told = match polled {
            Poll::Ready(told) => told,
            Poll::Pending => (&mut tell).await,
        };
        match told {
            Ok(()) => return Ok(()),
            Err(TellError::Closed(_)) => return Err(Ended),
            Err(TellError::Expired(_)) => {
                record.buried(Reason::Expired, 0);
                return Ok(());
            }
            // What a mailbox that rejects or is overloaded gives back is offered again: it was accepted when it was stored.
            Err(TellError::Full(message) | TellError::Overloaded(message)) => {
                tokio::time::sleep(REJECTED_PAUSE).await;
                tell = address(binding, message, priority, None, &record);
                polled = Poll::Pending;
            }
        }
    }
}

/// The message as it is told to its agent; `None` if it cannot be, which settles it.
fn prepare<'a, M: Durable>(
    binding: &'a Binding<M>,
    waiting: Waiting<M>,
    priority: Priority,
) -> Option<(Tell<'a, M>, Arc<Record>)> {
    let Waiting { id, deadline, redelivered, content, .. } = waiting;
    let record = Arc::new(Record::new(id, redelivered, Arc::clone(&binding.settlements)));
    let within = match deadline.map(|deadline| deadline.saturating_sub(now_micros())) {
        Some(left) if left <= 0 => {
            record.buried(Reason::Expired, 0);
            return None;
        }
        left => left.map(|left| Duration::from_micros(left.unsigned_abs())),
    };
    // Decoding and asking for a priority are a user's code.
    let told = catch_unwind(AssertUnwindSafe(|| {
        let message = match content {
            Content::Fresh(message) => message,
            Content::Stored(stored) => decode::<M>(&stored, binding.core.options.message_bytes)?,
        };
        Some(address(binding, message, priority, within, &record))
    }));
    let Ok(Some(tell)) = told else {
        let at = now_micros();
        tracing::error!(agent = binding.agent.name(), message = %id, "a stored message cannot be read back");
        let dead = Settlement::Dead { id, reason: "undecodable", attempts: 0, at, keep_body: true };
        binding.settlements.add(dead);
        return None;
    };
    if redelivered {
        binding.core.figures.redelivered.fetch_add(1, Ordering::Relaxed);
    }
    Some((tell, record))
}

fn decode<M: Durable>(stored: &Stored, most: usize) -> Option<M> {
    // One that was stored under a larger limit is still to be delivered.
    let limits = Limits { max_bytes: most.max(stored.body.len()), ..Limits::default() };
    decode_message(&stored.body, stored.format?, &limits).ok()
}

fn address<'a, M: Durable>(
    binding: &'a Binding<M>,
    message: M,
    priority: Priority,
    within: Option<Duration>,
    record: &Arc<Record>,
) -> Tell<'a, M> {
    let mut tell = binding.agent.tell(message).priority(priority);
    let deadline = within.map(|within| tell.give_up_after(within));
    tell.on_terms(Arc::new(Delivery { record: Arc::clone(record), deadline }))
}

struct Page {
    after: i64,
    bound: StoredId,
    target: i64,
    wanted: usize,
}

async fn read_on<M: Durable>(binding: &Binding<M>, lane: &Lane<M>, page: Page) -> Result<(), StoreFault> {
    let mut reader = binding.core.store.read().await?;
    let limit = i64::try_from(page.wanted).unwrap_or(i64::MAX);
    let found = ledger::page(&mut reader, page.after, page.bound, limit).await?;
    drop(reader);
    let whole = found.len() < page.wanted;
    lane.read(page.target, found, whole, binding.first);
    Ok(())
}

async fn look_up<M: Durable>(
    binding: &Binding<M>,
    lane: &Lane<M>,
    ids: Vec<StoredId>,
) -> Result<(), StoreFault> {
    let mut ids = ids.into_iter();
    while let Some(id) = ids.next() {
        let looked = async {
            let mut reader = binding.core.store.read().await?;
            Ok(ledger::page(&mut reader, id.get() - 1, id, 1).await?.pop())
        };
        match looked.await {
            Ok(Some(stored)) => lane.found(stored),
            Ok(None) => {}
            Err(fault) => {
                // They stay doubtful.
                std::iter::once(id).chain(ids).for_each(|id| lane.doubtful(id));
                return Err(fault);
            }
        }
    }
    Ok(())
}
