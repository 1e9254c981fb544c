//! The queue of one thread, as its own agents and as other threads reach it.
//!
//! On the thread itself an entry goes straight into the queue, which no other thread sees. From elsewhere
//! it goes through the door, under a lock, and the thread is woken if it sleeps.

use std::cell::{Cell, RefCell};
use std::task::Waker;

use super::Slot;
use super::queue::Queue;
use crate::message::Priority;
use crate::sync::{Arc, AtomicU8, Mutex, Ordering, lock, thread_local};

/// Somebody is at the door who has no urgency.
const KNOCK: u8 = 0b0001_0000;

/// Where other threads ring.
#[derive(Debug, Default)]
pub(crate) struct Door {
    /// What waits behind the lock, for whoever only listens: bit n for a ring of lane n, or [`KNOCK`].
    heard: AtomicU8,
    hall: Mutex<Hall>,
}

#[derive(Debug, Default)]
struct Hall {
    rings: Vec<(Slot, Priority)>,
    /// Set while the thread's executor sleeps.
    sleeper: Option<Waker>,
}

/// The queue of this thread, if an executor lives on it.
struct Local {
    door: RefCell<Option<Arc<Door>>>,
    queue: RefCell<Queue>,
    /// A copy of the queue's, readable at the cost of nothing: see [`more_urgent_waits`].
    ready: Cell<u8>,
    /// The agent that runs has used up a slice of the thread's time.
    spent: Cell<bool>,
    /// Somebody rang from elsewhere since the thread was last idle.
    in_conversation: Cell<bool>,
    /// To be woken by a ring from this thread, when the executor does not run right now.
    idle: RefCell<Option<Waker>>,
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            door: RefCell::new(None),
            queue: RefCell::new(Queue::new()),
            ready: Cell::new(0),
            spent: Cell::new(false),
            in_conversation: Cell::new(false),
            idle: RefCell::new(None),
        }
    };
}

impl Door {
    /// Queues the agent in `slot`, and wakes the thread if it sleeps.
    pub(super) fn ring(&self, slot: Slot, priority: Priority) {
        // While a thread is torn down its queue is gone, and nothing of it runs any more.
        let at_home = LOCAL.try_with(|local| {
            let at_home = local.is_at(self);
            if at_home {
                local.push(slot, priority);
            }
            at_home
        });
        if !at_home.unwrap_or(false) {
            self.pass(1 << priority.lane(), |hall| hall.rings.push((slot, priority)));
        }
    }

    /// Wakes the thread to look elsewhere: somebody moved in.
    pub(crate) fn knock(&self) {
        self.pass(KNOCK, |_| ());
    }

    fn pass(&self, bit: u8, bring: impl FnOnce(&mut Hall)) {
        let mut hall = lock(&self.hall);
        bring(&mut hall);
        self.heard.fetch_or(bit, Ordering::Release);
        let sleeper = hall.sleeper.take();
        drop(hall);
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
    }

    /// Whether somebody rang or knocked since the last look inside.
    pub(crate) fn is_heard(&self) -> bool {
        self.heard.load(Ordering::Acquire) != 0
    }
}

/// The thread's side of its door: held by the executor, on its thread, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Inside {
    door: Arc<Door>,
    rings: Vec<(Slot, Priority)>,
}

impl Inside {
    /// Opens the door on this thread. `None` if the thread has one open already.
    pub(crate) fn open(door: Arc<Door>) -> Option<Self> {
        LOCAL.with(|local| {
            let mut place = local.door.borrow_mut();
            if place.is_some() {
                return None;
            }
            *place = Some(Arc::clone(&door));
            Some(Self { door, rings: Vec::new() })
        })
    }

    pub(crate) fn door(&self) -> &Arc<Door> {
        &self.door
    }

    /// The executor begins to run: rings of this thread need not wake it.
    pub(crate) fn begin(&mut self) {
        LOCAL.with(|local| *local.idle.borrow_mut() = None);
    }

    /// Lets in who rang from elsewhere. Whether anybody did.
    pub(crate) fn let_in(&mut self) -> bool {
        if !self.door.is_heard() {
            return false;
        }
        let mut hall = lock(&self.door.hall);
        std::mem::swap(&mut hall.rings, &mut self.rings);
        self.door.heard.store(0, Ordering::Relaxed);
        // Awake: nobody need wake us.
        hall.sleeper = None;
        drop(hall);
        LOCAL.with(|local| {
            local.in_conversation.set(true);
            for (slot, priority) in self.rings.drain(..) {
                local.push(slot, priority);
            }
        });
        true
    }

    /// Whose turn it is, and with which entry.
    pub(crate) fn next(&mut self) -> Option<(Slot, Priority)> {
        LOCAL.with(|local| {
            let mut queue = local.queue.borrow_mut();
            let next = queue.pop();
            local.ready.set(queue.ready());
            next
        })
    }

    /// The thread is idle. Whether somebody rang from elsewhere since it was idle before.
    pub(crate) fn fall_idle(&mut self) -> bool {
        LOCAL.with(|local| local.in_conversation.take())
    }

    /// Whether the last agent that ran used up a slice.
    pub(crate) fn slice_is_spent(&mut self) -> bool {
        LOCAL.with(|local| local.spent.take())
    }

    /// Puts the thread's executor to sleep, unless somebody is at the door. It is awake again when it is
    /// polled.
    pub(crate) fn sleep(&mut self, waker: &Waker) -> bool {
        let mut hall = lock(&self.door.hall);
        if self.door.is_heard() {
            return false;
        }
        hall.sleeper = Some(waker.clone());
        drop(hall);
        LOCAL.with(|local| *local.idle.borrow_mut() = Some(waker.clone()));
        true
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // Rings still come, from whatever ends after the executor: they find no queue here.
        let _ = LOCAL.try_with(|local| {
            *local.door.borrow_mut() = None;
            local.ready.set(0);
            *local.queue.borrow_mut() = Queue::new();
            *local.idle.borrow_mut() = None;
        });
    }
}

impl Local {
    fn is_at(&self, door: &Door) -> bool {
        self.door.borrow().as_ref().is_some_and(|own| std::ptr::eq(&**own, door))
    }

    fn push(&self, slot: Slot, priority: Priority) {
        let mut queue = self.queue.borrow_mut();
        queue.push(slot, priority);
        self.ready.set(queue.ready());
        drop(queue);
        // Taken out first: waking may ring.
        let idle = self.idle.borrow_mut().take();
        if let Some(idle) = idle {
            idle.wake();
        }
    }
}

/// Whether another agent of this thread is ready for something more urgent than `priority`.
pub(crate) fn more_urgent_waits(priority: Priority) -> bool {
    let more_urgent = (1_u8 << priority.lane()) - 1;
    more_urgent != 0 && waiting() & more_urgent != 0
}

/// Whether another agent of this thread is ready.
#[inline]
pub(crate) fn anyone_waits() -> bool {
    waiting() != 0
}

#[inline]
fn waiting() -> u8 {
    LOCAL.with(|local| {
        let heard = local.door.borrow().as_ref().map_or(0, |door| door.heard.load(Ordering::Relaxed));
        local.ready.get() | heard
    })
}

/// The agent that runs has used up a slice: when it yields, everything else of the thread is to have a turn.
pub(crate) fn spend_slice() {
    LOCAL.with(|local| local.spent.set(true));
}
