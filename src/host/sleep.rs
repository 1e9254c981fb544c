//! Waiting for work, for a command, or for a moment.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Sleep;

use crate::agent::{AgentCell, Instance};
use crate::mailbox::Parked;
use crate::message::Message;
use crate::sync::Arc;

/// Sleeps until there may be work or a command, or `at_most` has passed. May wake for nothing.
pub(super) fn for_work<'a, M: Message>(
    cell: &'a AgentCell<M>,
    instance: &'a Arc<Instance>,
    at_most: Option<Duration>,
) -> impl Future<Output = ()> + 'a {
    let mut timer = at_most.map(timer);
    let mut asleep = false;
    std::future::poll_fn(move |cx| {
        if asleep {
            // Whatever polled us, a look at the mailbox is cheap; stay registered nowhere meanwhile.
            cell.mailbox.unpark(instance.consumer);
            return Poll::Ready(());
        }
        asleep = true;
        instance.listen(cx.waker());
        if instance.has_commands() || cell.mailbox.park(instance.consumer, cx.waker()) == Parked::StayAwake {
            return Poll::Ready(());
        }
        if instance.has_commands() || is_over(&mut timer, cx) {
            cell.mailbox.unpark(instance.consumer);
            return Poll::Ready(());
        }
        Poll::Pending
    })
}

/// Sleeps until there is a command, or `at_most` has passed. Says whether there is a command.
pub(super) fn for_command(instance: &Arc<Instance>, at_most: Option<Duration>) -> impl Future<Output = bool> {
    let mut timer = at_most.map(timer);
    std::future::poll_fn(move |cx| {
        instance.listen(cx.waker());
        if instance.has_commands() {
            return Poll::Ready(true);
        }
        if is_over(&mut timer, cx) { Poll::Ready(false) } else { Poll::Pending }
    })
}

fn timer(duration: Duration) -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep(duration))
}

fn is_over(timer: &mut Option<Pin<Box<Sleep>>>, cx: &mut Context<'_>) -> bool {
    timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready())
}
