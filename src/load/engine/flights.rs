//! Messages under way whose end is a future.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll, Wake, Waker};

use super::timeline::Moment;
use crate::load::completion::Completion;
use crate::load::target::{ErrorClass, Outcome};
use crate::sync::{Arc, Mutex, Ordering, lock};

/// Futures under way, in places that are used again: a message costs no allocation once there are as many places as
/// messages are ever under way at once.
pub(super) struct Flights<F> {
    places: Vec<Place<F>>,
    free: Vec<u32>,
    ready: Arc<Ready>,
    /// Those woken, while they are looked at.
    woken: Vec<u32>,
    /// When each that was not ready at once is given up, oldest first; some have ended meanwhile.
    deadlines: VecDeque<(Moment, u32, u32)>,
}

struct Place<F> {
    future: Pin<Box<Option<F>>>,
    completion: Option<Completion>,
    user: u32,
    /// Which message it holds: the n-th in this place.
    generation: u32,
    wake: Arc<PlaceWaker>,
    waker: Waker,
}

/// Places whose futures want to be polled, and how to tell whoever polls them.
struct Ready {
    places: Mutex<Vec<u32>>,
    sender: Waker,
}

struct PlaceWaker {
    place: u32,
    /// Whether it is among the ready ones already.
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Wake for PlaceWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            lock(&self.ready.places).push(self.place);
            self.ready.sender.wake_by_ref();
        }
    }
}

impl<F: Future<Output = Outcome>> Flights<F> {
    /// None, and `sender` is woken when one wants to be polled.
    pub(super) fn new(sender: Waker) -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
            ready: Arc::new(Ready { places: Mutex::new(Vec::new()), sender }),
            woken: Vec::new(),
            deadlines: VecDeque::new(),
        }
    }

    /// Begins one. Whether it ended at once.
    #[inline]
    pub(super) fn begin(&mut self, future: F, completion: Completion, user: u32, deadline: Moment) -> bool {
        let number = match self.free.pop() {
            Some(number) => number,
            None => self.another(),
        };
        let place = &mut self.places[number as usize];
        place.future.set(Some(future));
        place.completion = Some(completion);
        place.user = user;
        place.generation = place.generation.wrapping_add(1);
        let generation = place.generation;
        let ended = self.poll(number).is_some();
        if !ended {
            self.deadlines.push_back((deadline, number, generation));
            self.forget_ended();
        }
        ended
    }

    /// Polls those that were woken; says whose ended.
    pub(super) fn poll_ready(&mut self, mut ended: impl FnMut(u32)) {
        std::mem::swap(&mut *lock(&self.ready.places), &mut self.woken);
        for at in 0..self.woken.len() {
            let number = self.woken[at];
            // Before the poll: what wakes it meanwhile wants another.
            self.places[number as usize].wake.queued.store(false, Ordering::Release);
            if let Some(user) = self.poll(number) {
                ended(user);
            }
        }
        self.woken.clear();
    }

    /// Whether one was woken since.
    pub(super) fn has_ready(&self) -> bool {
        !lock(&self.ready.places).is_empty()
    }

    /// Gives up those whose time is over; says whose.
    pub(super) fn expire(&mut self, now: Moment, mut ended: impl FnMut(u32)) {
        while let Some(&(deadline, number, generation)) = self.deadlines.front() {
            if deadline > now {
                break;
            }
            self.deadlines.pop_front();
            if self.is_under_way(number, generation) {
                ended(self.end(number, Outcome::Failed(ErrorClass::Timeout)));
            }
        }
    }

    /// When the next is given up, at the earliest.
    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.front().map(|(deadline, ..)| *deadline)
    }

    /// Deadlines that are kept.
    #[cfg(test)]
    pub(super) fn deadlines(&self) -> usize {
        self.deadlines.len()
    }

    /// Gives up all of them.
    pub(super) fn give_up(&mut self) {
        for number in 0..self.places.len() {
            if self.places[number].completion.is_some() {
                self.end(number as u32, Outcome::Failed(ErrorClass::Timeout));
            }
        }
        self.deadlines.clear();
    }

    /// Polls one; whose it is, if it ended.
    #[inline]
    fn poll(&mut self, number: u32) -> Option<u32> {
        let place = &mut self.places[number as usize];
        // A waker of a message that is gone: somebody kept it.
        let future = place.future.as_mut().as_pin_mut()?;
        let Poll::Ready(outcome) = future.poll(&mut Context::from_waker(&place.waker)) else { return None };
        Some(self.end(number, outcome))
    }

    #[inline]
    fn end(&mut self, number: u32, outcome: Outcome) -> u32 {
        let place = &mut self.places[number as usize];
        if let Some(completion) = place.completion.take() {
            completion.finish(outcome);
        }
        place.future.set(None);
        self.free.push(number);
        place.user
    }

    #[cold]
    fn another(&mut self) -> u32 {
        let place = self.places.len() as u32;
        let wake =
            Arc::new(PlaceWaker { place, queued: AtomicBool::new(false), ready: Arc::clone(&self.ready) });
        let waker = Waker::from(Arc::clone(&wake));
        let future = Box::pin(None);
        self.places.push(Place { future, completion: None, user: 0, generation: 0, wake, waker });
        place
    }

    fn is_under_way(&self, number: u32, generation: u32) -> bool {
        let place = &self.places[number as usize];
        place.generation == generation && place.completion.is_some()
    }

    /// Keeps the deadlines from outnumbering what is under way by more than its double.
    fn forget_ended(&mut self) {
        if self.deadlines.len() > 2 * self.places.len() + 64 {
            let mut deadlines = std::mem::take(&mut self.deadlines);
            deadlines.retain(|(_, number, generation)| self.is_under_way(*number, *generation));
            self.deadlines = deadlines;
        }
    }
}
