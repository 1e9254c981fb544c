//! One lane: single messages, and batches by their key.

use statim::BatchOptions;

use super::Moment;
use crate::script::Parcel;

#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: usize,
    pub(super) lane: usize,
    pub(super) parcel: Parcel,
    pub(super) sent_at: Moment,
    pub(super) deadline: Option<Moment>,
    pub(super) is_question: bool,
    pub(super) failed: u16,
    /// Which of all that were accepted it was.
    pub(super) arrival: u64,
    /// It was taken once and came back: it holds no place any more.
    pub(super) returned: bool,
}

/// Messages of one batch key that are handed over together.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) key: u8,
    pub(super) ripe_at: Moment,
    /// Once it is ready: the arrival it counts as.
    pub(super) ready: Option<u64>,
    /// It has been full once, and takes in no more.
    pub(super) is_closed: bool,
    pub(super) messages: Vec<Message>,
}

#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) singles: Vec<Message>,
    pub(super) gathered: Vec<Gathered>,
    /// The last arrival that was gathered here.
    pub(super) last_gathered: u64,
}

impl Lane {
    pub(super) fn push(&mut self, message: Message, batch: Option<BatchOptions>) {
        let key = message.parcel.batch.filter(|_| !message.is_question);
        let (Some(options), Some(key)) = (batch, key) else {
            self.singles.push(message);
            return;
        };
        let arrival = message.arrival;
        self.last_gathered = arrival;
        let takes_in = |gathered: &Gathered| gathered.key == key && !gathered.is_closed;
        let place = self.gathered.iter().position(takes_in).unwrap_or_else(|| {
            let ripe_at = message.sent_at + options.linger;
            self.gathered.push(Gathered {
                key,
                ripe_at,
                ready: None,
                is_closed: false,
                messages: Vec::new(),
            });
            self.gathered.len() - 1
        });
        let gathered = &mut self.gathered[place];
        gathered.messages.push(message);
        gathered.is_closed = gathered.messages.len() == options.max_messages;
        if gathered.is_closed || options.linger.is_zero() {
            gathered.ready.get_or_insert(arrival);
        }
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.singles.is_empty() || self.gathered.iter().any(|gathered| gathered.ready.is_some())
    }

    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.singles.iter().chain(self.gathered.iter().flat_map(|gathered| &gathered.messages))
    }

    /// The oldest single message or ready batch. What came back is older than anything else.
    pub(super) fn pop(&mut self) -> Vec<Message> {
        let age = |message: &Message| if message.returned { 0 } else { message.arrival };
        let single = self.singles.first().map(age);
        let ready =
            self.gathered.iter().enumerate().filter_map(|(place, gathered)| Some((gathered.ready?, place)));
        match (single, ready.min()) {
            (Some(single), Some((batch, place))) if batch < single => self.gathered.remove(place).messages,
            (None, Some((_, place))) => self.gathered.remove(place).messages,
            _ => vec![self.singles.remove(0)],
        }
    }
}
