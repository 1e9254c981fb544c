//! Waiting for a ring, for a command, for a moment or for one's turn.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use crate::agent::{AgentCell, Instance};
use crate::message::{Message, Priority};
use crate::sync::Arc;

/// Sleeps, already registered with the mailbox, until the bell is rung or `at_most` has passed. May wake for
/// nothing.
pub(super) fn until_rung<'a, M: Message>(
    cell: &'a AgentCell<M>,
    instance: &'a Arc<Instance>,
    at_most: Option<Duration>,
) -> impl Future<Output = ()> + 'a {
    let mut timer = at_most.map(timer);
    let mut asleep = false;
    std::future::poll_fn(move |cx| {
        // Whatever polled us again, a look at the mailbox is cheap. A command that was posted before we fell
        // asleep has rung the bell too, so nothing is missed by not looking for one here.
        if !asleep && !is_over(&mut timer, cx) {
            asleep = true;
            hurry_when_woken(instance);
            return Poll::Pending;
        }
        // Who is awake and still registered as asleep would take a ring that is meant for another. Where there
        // is no other it costs a ring for nothing, now and then, and saves a lock each time.
        if cell.is_pool {
            cell.mailbox.unpark(instance.consumer);
        }
        Poll::Ready(())
    })
}

/// Sleeps until there is a command, or `at_most` has passed. Says whether there is a command.
pub(super) fn for_command(instance: &Arc<Instance>, at_most: Option<Duration>) -> impl Future<Output = bool> {
    let mut timer = at_most.map(timer);
    std::future::poll_fn(move |cx| {
        if instance.has_commands() {
            return Poll::Ready(true);
        }
        if is_over(&mut timer, cx) {
            return Poll::Ready(false);
        }
        hurry_when_woken(instance);
        Poll::Pending
    })
}

/// Nothing is begun whose urgency a wake-up could have: it may be for the most urgent of what is to come, such
/// as a batch that is ripe, or what waited out a rest.
fn hurry_when_woken(instance: &Instance) {
    instance.bell.set_pace(Priority::Critical);
}

/// Lets other agents of the thread run, and goes on this urgently, or as urgently as what is pending.
pub(super) fn for_a_turn(
    instance: &Instance,
    priority: Priority,
    is_pending: impl FnOnce() -> Option<Priority>,
) -> impl Future<Output = ()> {
    let mut is_pending = Some(is_pending);
    std::future::poll_fn(move |_| match is_pending.take() {
        Some(is_pending) => {
            instance.bell.wait_for_turn(priority, is_pending);
            Poll::Pending
        }
        None => Poll::Ready(()),
    })
}

fn timer(duration: Duration) -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep(duration))
}

fn is_over(timer: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> bool {
    timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready())
}
