//! How long an idle thread listens at its door before it goes to sleep.
//!
//! To wake a sleeping thread takes 5 to 50 µs on a small virtual machine, most of it to bring a halted core
//! back; two threads that are both awake exchange a message in a fraction of one. So a thread whose agents
//! talk with another thread's stays awake for a little: at most as long as the wake-up would cost that it
//! may save, so that the two together cost at most twice what the better choice would have (Karlin, Manasse,
//! McGeoch and Owicki, "Competitive randomized algorithms for non-uniform problems", 1990).
//!
//! Listening is only for a conversation that is going on, on a core that nobody else wants. A thread that
//! was not rung from elsewhere since it last fell idle goes to sleep at once, so idle agents and timers
//! cost nothing; and each disappointment doubles the number of chances that are let pass.

use super::Door;
use crate::clock::{Clock, Nanos};

/// As long as a wake-up may take.
const PATIENCE_NANOS: u64 = 50_000;
/// Far longer than a few looks take: if so much time passes between them, the core was taken from us.
const TAKEN_NANOS: u64 = 20_000;
/// The operating system is asked now and then whether somebody else wants the core: if it is handed over and
/// not had back at once, somebody does.
const ASK_EVERY: u32 = 256;
const HANDED_OVER_NANOS: u64 = 5_000;
/// That somebody else wants the core weighs as much as so many disappointments. Not more: a hypervisor or an
/// interrupt takes the core too, once in a while, and means nothing by it.
const CORE_WANTED: u32 = 4;
/// At most 2^12 chances are let pass.
const MAX_DISAPPOINTMENTS: u32 = 12;

/// Decides when to listen, and does.
#[derive(Debug)]
pub(crate) struct Watch {
    /// `None`: never listens.
    clock: Option<Clock>,
    disappointments: u32,
    /// So many chances are still let pass.
    pass: u32,
    listened: u32,
}

impl Watch {
    /// A watch by this clock; without one, it never listens.
    pub(crate) fn new(clock: Option<Clock>) -> Self {
        Self { clock, disappointments: 0, pass: 0, listened: 0 }
    }

    /// The thread has nothing to do. Listens if it is in a conversation and that is worth it; whether somebody
    /// rang.
    pub(crate) fn listen(&mut self, door: &Door, in_conversation: bool) -> bool {
        if !in_conversation {
            return false;
        }
        if self.pass > 0 {
            self.pass -= 1;
            return false;
        }
        let Some(clock) = self.clock.clone() else { return false };
        self.listened = self.listened.wrapping_add(1);
        if self.listened.is_multiple_of(ASK_EVERY) && somebody_wants_the_core(&clock) {
            self.disappoint(CORE_WANTED);
            return false;
        }
        match listen(door, &clock) {
            Heard::Ring => {
                self.disappointments = 0;
                true
            }
            Heard::Nothing => {
                self.disappoint(1);
                false
            }
            Heard::CoreTaken => {
                self.disappoint(CORE_WANTED);
                door.is_heard()
            }
        }
    }

    fn disappoint(&mut self, by: u32) {
        self.disappointments = (self.disappointments + by).min(MAX_DISAPPOINTMENTS);
        self.pass = 1 << self.disappointments;
    }
}

enum Heard {
    Ring,
    Nothing,
    CoreTaken,
}

fn listen(door: &Door, clock: &Clock) -> Heard {
    let began = clock.now();
    let mut last = began;
    loop {
        for _ in 0..8 {
            if door.is_heard() {
                return Heard::Ring;
            }
        }
        let now = clock.now();
        if now.since(last) > TAKEN_NANOS {
            return Heard::CoreTaken;
        }
        if now.since(began) > PATIENCE_NANOS {
            return Heard::Nothing;
        }
        last = now;
    }
}

fn somebody_wants_the_core(clock: &Clock) -> bool {
    let before: Nanos = clock.now();
    std::thread::yield_now();
    clock.now().since(before) > HANDED_OVER_NANOS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_watch() -> Watch {
        Watch::new(Some(Clock::real()))
    }

    #[test]
    fn a_thread_that_nobody_talks_with_never_listens() {
        let (mut watch, door) = (a_watch(), Door::default());
        for _ in 0..1_000 {
            assert!(!watch.listen(&door, false));
        }
        assert_eq!(watch.listened, 0);
    }

    #[test]
    fn a_ring_is_heard() {
        let (mut watch, door) = (a_watch(), Door::default());
        door.knock();
        assert!(watch.listen(&door, true));
        assert_eq!(watch.pass, 0);
    }

    #[test]
    fn each_disappointment_at_least_doubles_the_chances_that_are_let_pass_up_to_a_bound() {
        let (mut watch, door) = (a_watch(), Door::default());
        let mut before = 1;
        for listened in 1..=MAX_DISAPPOINTMENTS {
            assert!(!watch.listen(&door, true));
            assert_eq!(watch.listened, listened);
            assert!(watch.pass >= before * 2 || watch.pass == 1 << MAX_DISAPPOINTMENTS, "{}", watch.pass);
            before = watch.pass;
            for _ in 0..before {
                assert!(!watch.listen(&door, true));
            }
            assert_eq!((watch.listened, watch.pass), (listened, 0), "a chance was not let pass");
        }
        assert_eq!(before, 1 << MAX_DISAPPOINTMENTS);
    }

    #[test]
    fn a_watch_without_a_clock_never_listens() {
        let (mut watch, door) = (Watch::new(None), Door::default());
        door.knock();
        assert!(!watch.listen(&door, true));
    }
}
