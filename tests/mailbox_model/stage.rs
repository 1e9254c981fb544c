//! Plays a script to an agent of the runtime, and writes down what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statim::prelude::*;
use statim::testing::{TestRuntime, virtual_time};
use tokio::task::JoinHandle;

use crate::script::{House, Parcel, Step};

/// What the script can see of a run. The model predicts one of these.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Play {
    /// Each time the handler was called: the messages it had, and which attempt it was for each.
    pub(crate) handled: Vec<Vec<(usize, u16)>>,
    /// By number: what its sender was told in the end.
    pub(crate) told: BTreeMap<usize, Told>,
    /// The number, if the letter holds the message, and the reason; sorted, since no order is promised.
    pub(crate) dead: Vec<(Option<usize>, Reason)>,
    /// After each step: the depth, and while the agent lives what it counted.
    pub(crate) figures: Vec<(u64, Option<BTreeMap<Reason, u64>>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Told {
    /// A tell was accepted.
    Accepted,
    Full,
    Closed,
    /// Its deadline passed while it waited for room.
    Expired,
    Answered,
    Timeout,
    Dropped(Reason),
    /// It lost patience before it was told anything.
    Nothing,
}

struct Message {
    id: usize,
    parcel: Parcel,
    reply: Option<Reply<usize>>,
}

impl statim::Message for Message {
    fn priority(&self) -> Priority {
        self.parcel.priority
    }

    fn key(&self) -> Option<Key> {
        self.parcel.subject.map(|subject| Key::of([0, subject]))
    }

    fn batch_key(&self) -> Option<Key> {
        // Questions are answered one by one.
        self.parcel.batch.filter(|_| self.reply.is_none()).map(|batch| Key::of([1, batch]))
    }

    fn body(&self) -> Option<Vec<u8>> {
        Some(self.id.to_le_bytes().to_vec())
    }

    fn for_retry(&self) -> Option<Self> {
        self.reply.is_none().then_some(Self { id: self.id, parcel: self.parcel, reply: None })
    }
}

/// The messages of each call of the handler, with the attempt at each; kept over restarts.
type Calls = Arc<Mutex<Vec<Vec<(usize, u16)>>>>;

/// What each sender was told, by message.
type Answers = Arc<Mutex<BTreeMap<usize, Told>>>;

/// Handles as the message says, and writes down that it did.
struct Clerk {
    handled: Calls,
}

#[derive(Debug)]
struct AsTold;

impl fmt::Display for AsTold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message says that it fails")
    }
}

impl Clerk {
    async fn work(&mut self, messages: Vec<Message>) -> Result<(), AsTold> {
        let service = messages.iter().map(|message| message.parcel.service).max().unwrap_or_default();
        let fails = {
            let mut handled = self.handled.lock().unwrap();
            let before = |id| handled.iter().flatten().filter(|(other, _)| *other == id).count();
            let now: Vec<_> =
                messages.iter().map(|message| (message.id, before(message.id) as u16 + 1)).collect();
            let fails =
                messages.iter().zip(&now).any(|(message, (_, attempt))| *attempt <= message.parcel.failures);
            handled.push(now);
            fails
        };
        tokio::time::sleep(service).await;
        if fails {
            return Err(AsTold);
        }
        for message in messages {
            if let Some(reply) = message.reply {
                reply.send(message.id);
            }
        }
        Ok(())
    }
}

impl Agent for Clerk {
    type Message = Message;
    type Error = AsTold;

    async fn handle(&mut self, message: Message, _: &mut Context<Self>) -> Result<(), AsTold> {
        self.work(vec![message]).await
    }

    async fn handle_batch(
        &mut self,
        batch: &mut Batch<Message>,
        _: &mut Context<Self>,
    ) -> Result<(), AsTold> {
        let messages = batch.take_all();
        self.work(messages).await
    }
}

/// The agent, and everybody who wants something of it.
struct Stage<'a> {
    runtime: &'a TestRuntime,
    agent: AgentRef<Message>,
    told: Arc<Mutex<BTreeMap<usize, Told>>>,
    /// Those who have not been told yet, in the order in which they came.
    waiting: Vec<(usize, JoinHandle<()>)>,
    sent: usize,
}

pub(crate) fn play(house: House, steps: &[Step]) -> Play {
    virtual_time(async |runtime| {
        let mut options = AgentOptions::default()
            .capacity(house.capacity)
            .reserve(house.reserve)
            .overflow(house.overflow)
            .bypass(house.bypass)
            .attempts(house.attempts);
        if let Some(batch) = house.batch {
            options = options.batch(batch);
        }
        let handled = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&handled);
        let agent = runtime.spawn("clerk", options, move || Clerk { handled: Arc::clone(&log) }).unwrap();
        let mut stage = Stage { runtime, agent, told: Arc::default(), waiting: Vec::new(), sent: 0 };
        runtime.advance(Duration::from_secs(1)).await;
        let mut figures = Vec::new();
        for step in steps {
            stage.take(*step);
            // In the middle of nothing: what the step caused at once is done.
            runtime.advance(Duration::from_millis(1)).await;
            let counts = runtime.snapshot().agents.first().map(|agent| agent.dropped.clone());
            figures.push((stage.agent.depth(), counts));
            runtime.advance(step.lasts() - Duration::from_millis(1)).await;
        }
        stage.end(handled, figures).await
    })
}

impl Stage<'_> {
    fn take(&mut self, step: Step) {
        match step {
            Step::Tell { parcel, deadline, at_most } => {
                let (id, agent, told) = self.next();
                self.join(id, async move {
                    let mut tell = agent.tell(Message { id, parcel, reply: None }).priority(at_most);
                    if let Some(deadline) = deadline {
                        tell = tell.deadline(deadline);
                    }
                    let outcome = match tell.await {
                        Ok(()) => Told::Accepted,
                        Err(TellError::Full(_)) => Told::Full,
                        Err(TellError::Closed(_)) => Told::Closed,
                        Err(TellError::Expired(_)) => Told::Expired,
                        Err(error @ TellError::Overloaded(_)) => panic!("{error}"),
                    };
                    told.lock().unwrap().insert(id, outcome);
                });
            }
            Step::TryTell(parcel) => {
                let (id, agent, told) = self.next();
                let outcome = match agent.try_tell(Message { id, parcel, reply: None }) {
                    Ok(()) => Told::Accepted,
                    Err(TryTellError::Full(_)) => Told::Full,
                    Err(TryTellError::Closed(_)) => Told::Closed,
                    Err(error @ TryTellError::Overloaded(_)) => panic!("{error}"),
                };
                told.lock().unwrap().insert(id, outcome);
            }
            Step::Ask { parcel, timeout } => {
                let (id, agent, told) = self.next();
                self.join(id, async move {
                    let mut ask = agent.ask(|reply| Message { id, parcel, reply: Some(reply) });
                    if let Some(timeout) = timeout {
                        ask = ask.timeout(timeout);
                    }
                    let outcome = match ask.await {
                        Ok(answer) => {
                            assert_eq!(answer, id, "another's answer");
                            Told::Answered
                        }
                        Err(AskError::Full(_)) => Told::Full,
                        Err(AskError::Closed(_)) => Told::Closed,
                        Err(AskError::Timeout) => Told::Timeout,
                        Err(AskError::Dropped(reason)) => Told::Dropped(reason),
                        Err(error @ (AskError::Overloaded(_) | AskError::NoReply | AskError::Cycle(_))) => {
                            panic!("{error}")
                        }
                    };
                    told.lock().unwrap().insert(id, outcome);
                });
            }
            Step::Leave(which) => {
                self.forget_told();
                if !self.waiting.is_empty() {
                    let (id, task) = self.waiting.remove(which % self.waiting.len());
                    task.abort();
                    self.told.lock().unwrap().insert(id, Told::Nothing);
                }
            }
            Step::Purge(subject) => _ = self.agent.purge(Key::of([0, subject])),
            // Whoever has ended cannot be commanded; that is all the same to the script.
            Step::Pause => _ = self.agent.pause(),
            Step::Resume => _ = self.agent.resume(),
            Step::Restart => _ = self.agent.restart(),
            Step::Stop { drain: true } => _ = self.agent.stop(),
            Step::Stop { drain: false } => _ = self.agent.stop_now(),
            Step::Rest(_) => {}
        }
    }

    fn next(&mut self) -> (usize, AgentRef<Message>, Answers) {
        self.sent += 1;
        (self.sent - 1, self.agent.clone(), Arc::clone(&self.told))
    }

    fn join(&mut self, id: usize, sender: impl Future<Output = ()> + 'static) {
        self.waiting.push((id, tokio::task::spawn_local(sender)));
    }

    fn forget_told(&mut self) {
        let told = self.told.lock().unwrap();
        self.waiting.retain(|(id, _)| !told.contains_key(id));
    }

    /// The agent handles what it has, and ends.
    async fn end(self, handled: Calls, figures: Vec<(u64, Option<BTreeMap<Reason, u64>>)>) -> Play {
        let _ = self.agent.resume();
        let _ = self.agent.stop();
        let mut seconds = 0;
        while !self.runtime.living().is_empty() {
            seconds += 1;
            assert!(seconds < 3_000, "the agent does not end");
            self.runtime.advance(Duration::from_secs(1)).await;
        }
        for (_, task) in self.waiting {
            if let Err(error) = task.await {
                assert!(error.is_cancelled(), "{error}");
            }
        }
        let number = |body: Vec<u8>| usize::from_le_bytes(body.try_into().unwrap());
        let letters = self.runtime.dead_letters();
        let mut dead: Vec<_> =
            letters.into_iter().map(|letter| (letter.body.map(number), letter.reason)).collect();
        dead.sort_unstable();
        let handled = std::mem::take(&mut *handled.lock().unwrap());
        let told = std::mem::take(&mut *self.told.lock().unwrap());
        Play { handled, told, dead, figures }
    }
}
