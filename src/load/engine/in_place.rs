//! Senders on the task that calls them, in Tokio's time: for virtual time.

use std::future::{Future, poll_fn};
use std::task::{Poll, Waker};
use std::time::Duration;

use futures_util::task::AtomicWaker;

use super::sender::Turn;
use super::timeline::Timeline;
use crate::sync::Arc;

/// Wakes a task.
#[derive(Debug, Default)]
pub(in crate::load) struct Rouse(AtomicWaker);

impl std::task::Wake for Rouse {
    fn wake(self: Arc<Self>) {
        self.0.wake();
    }
}

/// What can be woken, and what wakes it.
pub(in crate::load) fn waker() -> (Arc<Rouse>, Waker) {
    let rouse = Arc::new(Rouse::default());
    (Arc::clone(&rouse), Waker::from(rouse))
}

/// Gives turns until they end. `is_called` is asked once whatever wakes a sender would wake this.
pub(in crate::load) async fn drive<S>(
    timeline: &Timeline,
    rouse: &Rouse,
    sender: &mut S,
    turn: impl Fn(&mut S) -> Turn,
    is_called: impl Fn(&S) -> bool,
) {
    loop {
        match turn(sender) {
            Turn::Ended => return,
            Turn::Now => tokio::task::yield_now().await,
            Turn::At(then) => {
                let wait = Duration::from_nanos(then.saturating_sub(timeline.now()));
                let mut sleep = std::pin::pin!(tokio::time::sleep(wait));
                poll_fn(|context| {
                    rouse.0.register(context.waker());
                    if is_called(sender) { Poll::Ready(()) } else { sleep.as_mut().poll(context) }
                })
                .await;
            }
        }
    }
}
